// openid-client, a certified relying party that knows nothing of Microsoft: the standards alone.

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';

import { approve, click } from './browser.mjs';
import { apps, callback, tenants, users } from './directory.mjs';
import { authority, folder, load, revoke } from './environment.mjs';
import { claims, refused } from './expect.mjs';
import { certificate } from './material.mjs';
import { scope } from './msal.mjs';
import { Suite } from './report.mjs';

const openid = await load.import('openid-client');
const suite = new Suite(`openid-client ${load.version('openid-client')}`);
const issuer = new URL(`${authority}/${tenants.contoso.id}/v2.0`);
const { web } = apps;
const orders = scope(apps.orders);

/** Discovers the tenant's issuer. Signatures of id tokens are checked too, though they came over TLS. */
async function configured(id = web.id, proof = openid.ClientSecretPost(web.secret), server = issuer) {
  const configuration = await openid.discovery(server, id, undefined, proof);
  openid.enableNonRepudiationChecks(configuration);
  return configuration;
}

/** Signs Adele in: code, PKCE, state and nonce. Returns tokens as validated by the library. */
async function signIn(configuration, { scopes = 'openid profile offline_access', spoil = {}, walk = approve } = {}) {
  const verifier = openid.randomPKCECodeVerifier();
  const [state, nonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: callback, scope: scopes, state, nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const answer = await walk(url.href, users.adele.upn);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, ...spoil };
  return openid.authorizationCodeGrant(configuration, answer.url, checks);
}

await suite.case('discovery: the issuer is the one asked for', async () => {
  const metadata = (await configured()).serverMetadata();
  assert.equal(metadata.issuer, issuer.href);
  assert.deepEqual(metadata.token_endpoint_auth_methods_supported, ['client_secret_post', 'private_key_jwt', 'client_secret_basic']);
});

await suite.case('discovery: PKCE is not advertised, as in Entra, and the library says so', async () => {
  const metadata = (await configured()).serverMetadata();
  assert.equal(metadata.code_challenge_methods_supported, undefined);
  assert.equal(metadata.supportsPKCE(), false);
});

await suite.case('discovery: an alias publishes a template, which is no issuer', async () => {
  const error = await refused(configured(web.id, undefined, new URL(`${authority}/common/v2.0`)));
  assert.match(`${error.message} ${error.cause?.message}`, /issuer/);
});

await suite.case('discovery: a domain is no issuer either', async () => {
  const error = await refused(configured(web.id, undefined, new URL(`${authority}/${tenants.contoso.domain}/v2.0`)));
  assert.match(`${error.message} ${error.cause?.message}`, /issuer/);
});

await suite.case('discovery: the v1 document has another issuer', async () => {
  await refused(configured(web.id, undefined, new URL(`${authority}/${tenants.contoso.id}`)));
});

await suite.case('discovery: an unknown tenant', async () => {
  await refused(configured(web.id, undefined, new URL(`${authority}/nobody.example/v2.0`)));
});

await suite.case('no RFC 8414 document, as in Entra', async () => {
  await refused(openid.discovery(issuer, web.id, undefined, undefined, { algorithm: 'oauth2' }));
});

await suite.case('code, PKCE, state and nonce: a valid id token', async () => {
  const tokens = await signIn(await configured());
  const { aud, iss, oid, tid, preferred_username: name, ver } = tokens.claims();
  assert.deepEqual({ aud, iss, oid, tid, name, ver }, {
    aud: web.id, iss: issuer.href, oid: users.adele.id, tid: tenants.contoso.id, name: users.adele.upn, ver: '2.0',
  });
  assert.equal(tokens.token_type, 'bearer');
  assert.ok(tokens.refresh_token);
});

await suite.case('client_secret_basic', async () => {
  assert.ok((await signIn(await configured(web.id, openid.ClientSecretBasic(web.secret)))).id_token);
});

await suite.case('a public client', async () => {
  assert.ok((await signIn(await configured(apps.desktop, openid.None()))).id_token);
});

await suite.case('another nonce is refused by the library', async () => {
  await refused(signIn(await configured(), { spoil: { expectedNonce: 'another' } }));
});

await suite.case('another state is refused by the library', async () => {
  await refused(signIn(await configured(), { spoil: { expectedState: 'another' } }));
});

await suite.case('another verifier is refused by the emulator', async () => {
  const error = await refused(signIn(await configured(), { spoil: { pkceCodeVerifier: openid.randomPKCECodeVerifier() } }));
  assert.deepEqual([error.error, error.status], ['invalid_grant', 400]);
  assert.match(error.error_description, /AADSTS501481\b/);
});

await suite.case('an answer with an error', async () => {
  const walk = (url, user) => click(`${url}&prompt=consent`, user, { press: 'cancel' });
  const error = await refused(signIn(await configured(), { walk }));
  assert.equal(error.error, 'access_denied');
  assert.ok(error instanceof openid.AuthorizationResponseError, error.name);
});

await suite.case('a wrong secret', async () => {
  const configuration = await configured(web.id, openid.ClientSecretPost('guessed'));
  const error = await refused(openid.clientCredentialsGrant(configuration, { scope: `${apps.orders.uri}/.default` }));
  assert.deepEqual([error.error, error.status], ['invalid_client', 401]);
  assert.match(error.error_description, /AADSTS7000215\b/);
});

await suite.case('refresh: new tokens, the same person', async () => {
  const configuration = await configured();
  const first = await signIn(configuration);
  const next = await openid.refreshTokenGrant(configuration, first.refresh_token);
  assert.equal(next.claims().sub, first.claims().sub);
  assert.notEqual(next.refresh_token, first.refresh_token);
  // The old one stays good: Entra does not revoke it.
  assert.ok((await openid.refreshTokenGrant(configuration, first.refresh_token)).access_token);
});

await suite.case('refresh: for another API', async () => {
  const configuration = await configured();
  const first = await signIn(configuration, { scopes: `openid offline_access User.Read ${orders}` });
  const next = await openid.refreshTokenGrant(configuration, first.refresh_token, { scope: orders });
  assert.equal(claims(next.access_token).aud, apps.orders.id);
});

await suite.case('refresh: revoked', async () => {
  const configuration = await configured();
  const first = await signIn(configuration);
  await revoke(users.adele);
  const error = await refused(openid.refreshTokenGrant(configuration, first.refresh_token));
  assert.equal(error.error, 'invalid_grant');
  assert.match(error.error_description, /AADSTS50173\b/);
});

await suite.case('client credentials', async () => {
  const configuration = await configured(apps.daemon.id, openid.ClientSecretPost(apps.daemon.secret));
  const { access_token: token } = await openid.clientCredentialsGrant(configuration, { scope: `${apps.orders.uri}/.default` });
  assert.deepEqual(claims(token).roles, ['Orders.Read.All']);
});

/** `private_key_jwt` of the library names no certificate; Entra wants its thumbprint in the header. */
async function signed(name, { thumbprint = true } = {}) {
  const { privateKey, sha256 } = certificate(folder, name);
  const pkcs8 = createPrivateKey(privateKey).export({ format: 'der', type: 'pkcs8' });
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'RSA-PSS', hash: 'SHA-256' }, false, ['sign']);
  const proof = openid.PrivateKeyJwt(key, {
    [openid.modifyAssertion]: (header, payload) => {
      if (thumbprint) header['x5t#S256'] = Buffer.from(sha256, 'hex').toString('base64url');
      payload.aud = `${authority}/${tenants.contoso.id}/oauth2/v2.0/token`;
    },
  });
  const configuration = await configured(apps.daemon.id, proof);
  return openid.clientCredentialsGrant(configuration, { scope: `${apps.orders.uri}/.default` });
}

await suite.case('private_key_jwt with the thumbprint added: PS256', async () => {
  assert.equal(claims((await signed('registered')).access_token).azpacr, '2');
});

await suite.case('private_key_jwt as it is names no certificate, and is refused', async () => {
  const error = await refused(signed('registered', { thumbprint: false }));
  assert.equal(error.error, 'invalid_request');
  assert.match(error.error_description, /AADSTS50027\b/);
});

await suite.case('private_key_jwt of a stranger', async () => {
  const error = await refused(signed('stranger'));
  assert.equal(error.error, 'invalid_client');
  assert.match(error.error_description, /AADSTS700027\b/);
});

await suite.case('device authorization: pending, then approved', async () => {
  const configuration = await configured(apps.desktop, openid.None());
  const device = await openid.initiateDeviceAuthorization(configuration, { scope: `openid profile offline_access ${orders}` });
  assert.equal(device.verification_uri_complete, undefined);
  const poll = openid.pollDeviceAuthorizationGrant(configuration, device);
  setTimeout(() => { click(device.verification_uri, users.adele.upn, { code: device.user_code }).catch(() => {}); }, 6_000);
  const tokens = await poll;
  assert.equal(tokens.claims().oid, users.adele.id);
});

await suite.case('device authorization: declined', async () => {
  const configuration = await configured(apps.desktop, openid.None());
  const device = await openid.initiateDeviceAuthorization(configuration, { scope: orders });
  await click(device.verification_uri, users.adele.upn, { code: device.user_code, press: 'cancel' });
  const error = await refused(openid.pollDeviceAuthorizationGrant(configuration, device));
  assert.equal(error.error, 'authorization_declined');
});

await suite.case('userinfo: the subject of the id token', async () => {
  const configuration = await configured();
  const tokens = await signIn(configuration);
  const { sub, name } = await openid.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub);
  assert.deepEqual({ sub, name }, { sub: tokens.claims().sub, name: 'Adele Vance' });
});

await suite.case('userinfo: a token of another API is refused', async () => {
  const configuration = await configured();
  const tokens = await signIn(configuration, { scopes: `openid ${orders}` });
  await refused(openid.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub));
});

await suite.case('sign-out: back to the application', async () => {
  const configuration = await configured();
  const url = openid.buildEndSessionUrl(configuration, { post_logout_redirect_uri: callback, state: 's-1' });
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  const text = await response.text();
  assert.ok(location?.startsWith(callback) || (response.status === 200 && text.includes(callback)), `${response.status} ${location}`);
});

suite.end();
