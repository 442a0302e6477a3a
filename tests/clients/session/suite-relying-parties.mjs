// openid-client and oauth4webapi: relying parties that know nothing of MCP, and hold a server to the standards.

import assert from 'node:assert/strict';

import { refused } from '../entra-node/expect.mjs';
import { Suite } from '../entra-node/report.mjs';
import { Browser } from './browser.mjs';
import { ADELE, clientId, confidential, documentId, expected, issuer, mode, own, scope, url, webRedirect } from './context.mjs';
import { forwarded } from './forwarded.mjs';
import { LOOPBACK, noted, oauth, openid, whoami } from './relying.mjs';

const [relying, standard] = ['openid-client', 'oauth4webapi'].map((name) => new Suite(`${mode.name}, ${name} ${own.version(name)}`));
if (mode.name === 'facade') {
  await forwarded(relying);
} else {
  await certified(relying);
  await standards(standard);
}
new Suite('').end();

async function certified(suite) {
  const configured = (id = clientId, proof = openid.None(), algorithm = 'oauth2') =>
    openid.discovery(new URL(issuer), id, undefined, proof, { algorithm });

  /** Signs Adele in. `ask` changes the request, `change` the answer on its way, `spoil` the checks, `token` what is redeemed. */
  async function signIn(configuration, { ask = {}, spoil = {}, redirect = LOOPBACK, change = () => {}, token = {} } = {}) {
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const asked = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: redirect, scope, state, resource: url,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    for (const [name, value] of Object.entries(ask)) {
      if (value === undefined) asked.searchParams.delete(name);
      else asked.searchParams.set(name, value);
    }
    const answer = await new Browser(ADELE).go(asked.href);
    change(answer);
    return noted(await openid.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, expectedState: state, ...spoil },
      { resource: url, ...token }));
  }

  for (const algorithm of ['oauth2', 'oidc']) {
    await suite.case(`discovery by ${algorithm}, code with PKCE, a tool, refresh`, async () => {
      const configuration = await configured(clientId, openid.None(), algorithm);
      const metadata = configuration.serverMetadata();
      assert.equal(metadata.issuer, issuer);
      assert.equal(metadata.supportsPKCE('S256'), true);
      assert.equal(metadata.supportsPKCE('plain'), false);
      assert.equal(metadata.authorization_response_iss_parameter_supported, true);
      const tokens = await signIn(configuration);
      assert.deepEqual([tokens.token_type, tokens.scope, tokens.id_token], ['bearer', scope, undefined]);
      assert.deepEqual(await whoami(tokens.access_token), expected[ADELE].whoami);
      const next = await openid.refreshTokenGrant(configuration, tokens.refresh_token);
      assert.notEqual(next.refresh_token, tokens.refresh_token);
      assert.deepEqual(await whoami(next.access_token), expected[ADELE].whoami);
    });
  }

  await suite.case('pushed requests, introspection and device codes are not there, and not advertised', async () => {
    const configuration = await configured();
    const metadata = configuration.serverMetadata();
    for (const name of ['pushed_authorization_request_endpoint', 'introspection_endpoint', 'device_authorization_endpoint',
      'userinfo_endpoint', 'end_session_endpoint', 'request_object_signing_alg_values_supported']) {
      assert.equal(metadata[name], undefined, name);
    }
    const error = await refused(openid.buildAuthorizationUrlWithPAR(configuration, { redirect_uri: LOOPBACK, scope }));
    assert.match(error.message, /pushed_authorization_request_endpoint/);
  });

  for (const [way, proof] of [['client_secret_basic', openid.ClientSecretBasic], ['client_secret_post', openid.ClientSecretPost]]) {
    await suite.case(`${way}: a client with a secret`, async () => {
      const configuration = await configured(confidential.id, proof(confidential.secret));
      assert.ok(configuration.serverMetadata().token_endpoint_auth_methods_supported.includes(way));
      const tokens = await signIn(configuration, { redirect: webRedirect });
      assert.equal((await whoami(tokens.access_token)).clientId, confidential.id);
      assert.ok((await openid.refreshTokenGrant(configuration, tokens.refresh_token)).access_token);

      const guessing = await configured(confidential.id, proof('guessed'));
      const error = await refused(openid.refreshTokenGrant(guessing, tokens.refresh_token));
      isInvalidClient(error);
      assert.ok((await openid.refreshTokenGrant(configuration, tokens.refresh_token)).access_token, 'the right one still works');
    });
  }

  await suite.case('a client with a secret that shows none is refused', async () => {
    const tokens = await signIn(await configured(confidential.id, openid.ClientSecretPost(confidential.secret)), { redirect: webRedirect });
    const bare = await configured(confidential.id, openid.None());
    isInvalidClient(await refused(openid.refreshTokenGrant(bare, tokens.refresh_token)));
  });

  await suite.case('a refresh token of another client is refused, and stays good', async () => {
    const configuration = await configured();
    const tokens = await signIn(configuration);
    const other = await configured(confidential.id, openid.ClientSecretPost(confidential.secret));
    assert.equal((await refused(openid.refreshTokenGrant(other, tokens.refresh_token))).error, 'invalid_grant');
    assert.ok((await openid.refreshTokenGrant(configuration, tokens.refresh_token)).access_token);
  });

  await suite.case('an answer without `iss`, or with another one, is refused by the library (RFC 9207)', async () => {
    const configuration = await configured();
    for (const change of [({ searchParams }) => searchParams.delete('iss'), ({ searchParams }) => searchParams.set('iss', 'https://attacker.example')]) {
      const error = await refused(signIn(configuration, { change }));
      assert.match(error.cause.message, /"iss"/);
    }
    assert.ok((await signIn(configuration)).access_token);
  });

  await suite.case('an answer with another `state` is refused by the library', async () => {
    await refused(signIn(await configured(), { spoil: { expectedState: 'another' } }));
  });

  for (const [what, ask, expectedError] of [
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['the challenge method `plain`', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
    ['an unknown scope', { scope: 'mcp.everything' }, 'invalid_scope'],
    ['`response_type=token`', { response_type: 'token' }, 'unsupported_response_type'],
    ['`response_type=code id_token`', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['`response_mode=fragment`', { response_mode: 'fragment' }, 'invalid_request'],
    ['`prompt=none`', { prompt: 'none' }, 'login_required'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'invalid_request'],
  ]) {
    await suite.case(`${what}: the library reads the error, with state and issuer checked`, async () => {
      const error = await refused(signIn(await configured(), { ask }));
      assert.ok(error instanceof openid.AuthorizationResponseError, `${error.name}: ${error.message}`);
      assert.equal(error.error, expectedError);
    });
  }

  await suite.case('after the refusals, a good request', async () => {
    assert.ok((await signIn(await configured())).access_token);
  });

  await suite.case('another verifier, another redirect URI, another resource at the token endpoint', async () => {
    const configuration = await configured();
    const verifier = await refused(signIn(configuration, { spoil: { pkceCodeVerifier: openid.randomPKCECodeVerifier() } }));
    assert.deepEqual([verifier.status, verifier.error], [400, 'invalid_grant']);
    const redirect = await refused(signIn(configuration, { change: (answer) => { answer.port = '43211'; } }));
    assert.deepEqual([redirect.status, redirect.error], [400, 'invalid_grant']);
    const resource = await refused(signIn(configuration, { token: { resource: 'https://other.example/mcp' } }));
    assert.deepEqual([resource.status, resource.error], [400, 'invalid_target']);
  });

  await suite.case('another grant than those advertised', async () => {
    const configuration = await configured(confidential.id, openid.ClientSecretPost(confidential.secret));
    const error = await refused(openid.clientCredentialsGrant(configuration, { scope }));
    assert.deepEqual([error.status, error.error], [400, 'unsupported_grant_type']);
  });

  await suite.case('a code is used twice: refused, and what it gave ends', async () => {
    const configuration = await configured();
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const asked = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: LOOPBACK, scope, state, resource: url,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const answer = await new Browser(ADELE).go(asked.href);
    const redeem = () => openid.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, expectedState: state });
    const tokens = await redeem();
    assert.equal((await whoami(tokens.access_token)).kind, 'user');
    assert.equal((await refused(redeem())).error, 'invalid_grant');
    assert.equal(await whoami(tokens.access_token), 401, 'at once');
    assert.equal((await refused(openid.refreshTokenGrant(configuration, tokens.refresh_token))).error, 'invalid_grant');
  });

  await suite.case('a refresh token that was replaced and whose successor was used ends the session', async () => {
    const configuration = await configured();
    const first = await signIn(configuration);
    const second = await openid.refreshTokenGrant(configuration, first.refresh_token);
    const third = await openid.refreshTokenGrant(configuration, second.refresh_token);
    assert.equal((await refused(openid.refreshTokenGrant(configuration, first.refresh_token))).error, 'invalid_grant');
    assert.equal((await refused(openid.refreshTokenGrant(configuration, third.refresh_token))).error, 'invalid_grant');
    assert.equal(await whoami(third.access_token), 401);
  });

  await suite.case('revoked: the refresh token and the access token end at once; what is not known is as good as revoked', async () => {
    const configuration = await configured();
    const tokens = await signIn(configuration);
    assert.equal((await whoami(tokens.access_token)).kind, 'user');
    await openid.tokenRevocation(configuration, tokens.refresh_token, { token_type_hint: 'refresh_token' });
    assert.equal(await whoami(tokens.access_token), 401);
    assert.equal((await refused(openid.refreshTokenGrant(configuration, tokens.refresh_token))).error, 'invalid_grant');
    await openid.tokenRevocation(configuration, tokens.refresh_token);
    await openid.tokenRevocation(configuration, 'nothing-of-ours');
  });

  await suite.case('an access token is revoked at once, and its session with it (RFC 7009 section 2.1)', async () => {
    const configuration = await configured();
    const tokens = await signIn(configuration);
    await openid.tokenRevocation(configuration, tokens.access_token, { token_type_hint: 'access_token' });
    assert.equal(await whoami(tokens.access_token), 401);
    assert.equal((await refused(openid.refreshTokenGrant(configuration, tokens.refresh_token))).error, 'invalid_grant');
  });

  await suite.case('dynamic registration', async () => {
    const configuration = await openid.dynamicClientRegistration(new URL(issuer), {
      client_name: 'openid-client', redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'none',
    }, openid.None(), { algorithm: 'oauth2' });
    const { client_id: id } = configuration.clientMetadata();
    const tokens = await signIn(configuration);
    assert.equal((await whoami(tokens.access_token)).clientId, id);
    const elsewhere = { redirect_uris: ['https://elsewhere.example/callback'], token_endpoint_auth_method: 'none' };
    const error = await refused(openid.dynamicClientRegistration(new URL(issuer), elsewhere, openid.None(), { algorithm: 'oauth2' }));
    assert.deepEqual([error.status, error.error], [400, 'invalid_redirect_uri']);
  });

  await suite.case('a client with a document', async () => {
    const tokens = await signIn(await configured(documentId));
    assert.equal((await whoami(tokens.access_token)).clientId, documentId);
  });
}

async function standards(suite) {
  const at = new URL(issuer);
  const discovered = async () => oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, { algorithm: 'oauth2' }));

  /** Adele's answer to a request of `client`. */
  async function answered(as, client, redirect = LOOPBACK) {
    const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
    const asked = new URL(as.authorization_endpoint);
    asked.search = new URLSearchParams({
      client_id: client.client_id, response_type: 'code', redirect_uri: redirect, scope, state, resource: url,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const answer = await new Browser(ADELE).go(asked.href);
    return { parameters: oauth.validateAuthResponse(as, client, answer, state), verifier, redirect };
  }

  async function redeemed(as, client, proof, { parameters, verifier, redirect }) {
    const response = await oauth.authorizationCodeGrantRequest(as, client, proof, parameters, redirect, verifier,
      { additionalParameters: { resource: url } });
    return noted(await oauth.processAuthorizationCodeResponse(as, client, response));
  }

  await suite.case('from the resource to its authorization server (RFC 9728, RFC 8414)', async () => {
    const resource = await oauth.processResourceDiscoveryResponse(new URL(url), await oauth.resourceDiscoveryRequest(new URL(url)));
    assert.deepEqual([resource.resource, resource.authorization_servers], [url, [issuer]]);
    const as = await discovered();
    assert.deepEqual([as.issuer, as.protected_resources], [issuer, [url]]);
    assert.deepEqual(as.code_challenge_methods_supported, ['S256']);
  });

  await suite.case('the access token is a JWT of RFC 9068, for this resource and this client', async () => {
    const [as, client] = [await discovered(), { client_id: clientId }];
    const tokens = await redeemed(as, client, oauth.None(), await answered(as, client));
    const request = new Request(url, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, url);
    assert.deepEqual([claims.iss, claims.aud, claims.client_id, claims.scope], [issuer, url, clientId, scope]);
    assert.ok(claims.exp - claims.iat <= 600 && claims.jti && claims.sub);
    await refused(oauth.validateJwtAccessToken(as, request, 'https://other.example/mcp'));

    const refreshed = await oauth.processRefreshTokenResponse(as, client,
      await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token));
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), refreshed.refresh_token));
    assert.equal(await whoami(refreshed.access_token), 401);
  });

  await suite.case('a registered client (RFC 7591)', async () => {
    const as = await discovered();
    const wanted = { client_name: 'oauth4webapi', redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'none' };
    const client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, wanted));
    assert.deepEqual([client.client_name, client.redirect_uris, client.token_endpoint_auth_method], ['oauth4webapi', [LOOPBACK], 'none']);
    const tokens = await redeemed(as, client, oauth.None(), await answered(as, client));
    assert.equal((await whoami(tokens.access_token)).clientId, client.client_id);
  });

  await suite.case('a wrong secret is `invalid_client`, and nothing of the code is spent by it', async () => {
    const [as, client] = [await discovered(), { client_id: confidential.id }];
    const answer = await answered(as, client, webRedirect);
    isInvalidClient(await refused(redeemed(as, client, oauth.ClientSecretPost('guessed'), answer)));
    assert.ok((await redeemed(as, client, oauth.ClientSecretPost(confidential.secret), answer)).access_token);
  });

  await suite.case('errors are never kept by a cache, and JSON', async () => {
    const { token_endpoint: endpoint } = await discovered();
    const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: clientId });
    const response = await fetch(endpoint, { method: 'POST', body });
    assert.deepEqual(['cache-control', 'content-type'].map((name) => response.headers.get(name)), ['no-store', 'application/json']);
    assert.deepEqual([response.status, (await response.json()).error], [400, 'invalid_request']);
  });
}

/** What both libraries make of `invalid_client`: a 401 has a challenge (RFC 9110 section 15.5.2), and it counts before the body. */
function isInvalidClient(error) {
  assert.deepEqual([error.code, error.status, error.cause[0].scheme], ['OAUTH_WWW_AUTHENTICATE_CHALLENGE', 401, 'basic']);
}
