// MSAL for Node with a cache file that Valet shares: sign-in, silent, refresh, accounts. Prints one line.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, doing, path, authority, tenant, clientId, upn, scope] = process.argv.slice(2);
const { PublicClientApplication } = createRequire(`${packages}/`)("@azure/msal-node");

const cachePlugin = {
  beforeCacheAccess: async (context) => {
    if (existsSync(path)) context.tokenCache.deserialize(readFileSync(path, "utf8"));
  },
  afterCacheAccess: async (context) => {
    if (context.cacheHasChanged) writeFileSync(path, context.tokenCache.serialize(), { mode: 0o600 });
  },
};
const app = new PublicClientApplication({
  auth: { clientId, authority: `${authority}/${tenant}`, knownAuthorities: [new URL(authority).host] },
  cache: { cachePlugin },
});

// The authorization code flow, approved by the emulator's header.
async function signIn() {
  const request = { scopes: [scope], redirectUri: "http://localhost:5000", loginHint: upn };
  const url = await app.getAuthCodeUrl({ ...request, responseMode: "query" });
  const answer = await fetch(url, { headers: { "x-emulator-approve": upn }, redirect: "manual" });
  const code = new URL(answer.headers.get("location")).searchParams.get("code");
  return app.acquireTokenByCode({ ...request, code });
}

async function silently(forceRefresh) {
  const accounts = await app.getTokenCache().getAllAccounts();
  const account = accounts.find(({ username }) => username === upn);
  if (!account) throw new Error("the account is not known");
  return app.acquireTokenSilent({ account, scopes: [scope], forceRefresh });
}

if (doing === "accounts") {
  const accounts = await app.getTokenCache().getAllAccounts();
  console.log(JSON.stringify(accounts.map(({ username }) => username)));
} else {
  const found = await { "sign-in": signIn, silent: () => silently(false), refresh: () => silently(true) }[doing]();
  console.log(found.accessToken);
}
