// How the cases make MSAL's clients: one switch only, the list of known authorities.

import { certificate } from './material.mjs';
import { apps, tenants } from './directory.mjs';
import { authority, folder, host, load } from './environment.mjs';
import { approve } from './browser.mjs';

export const msal = load.require('@azure/msal-node');

/** The `auth` part of a configuration. The port belongs to the name of a known authority. */
export function auth(clientId, more = {}) {
  return { clientId, authority: `${authority}/${tenants.contoso.id}`, knownAuthorities: [host], ...more };
}

export function publicClient(clientId = apps.desktop, more = {}) {
  return new msal.PublicClientApplication({ auth: auth(clientId, more) });
}

export function confidentialClient({ id, secret }, more = {}) {
  const credential = more.clientCertificate || more.clientAssertion ? {} : { clientSecret: secret };
  return new msal.ConfidentialClientApplication({ auth: auth(id, { ...credential, ...more }) });
}

/** `clientCertificate` in the two forms that MSAL takes. */
export function pinned(name, { legacy = false } = {}) {
  const { pem, privateKey, sha1, sha256 } = certificate(folder, name);
  return legacy ? { thumbprint: sha1, privateKey } : { thumbprintSha256: sha256, privateKey, x5c: pem };
}

/** The scope of an API in full. */
export const scope = ({ uri, scope: name }) => `${uri}/${name}`;

/** Signs in with the loopback client; the answer is posted to it. Returns MSAL's result. */
export function interactive(client, user, request = {}, how = {}) {
  return client.acquireTokenInteractive({
    scopes: [scope(apps.orders)],
    openBrowser: async (url) => { await approve(url, user.upn, how); },
    ...request,
  });
}
