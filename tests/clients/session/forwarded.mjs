// The mode `facade`, met by a relying party: metadata and endpoints are Valet's, answers and tokens are Entra's.

import assert from 'node:assert/strict';

import { refused } from '../entra-node/expect.mjs';
import { Browser } from './browser.mjs';
import { ADELE, clientId, expected, issuer, scope, url } from './context.mjs';
import { LOOPBACK, noted, openid, whoami } from './relying.mjs';

/** The cases of one that goes by way of Valet to Entra. */
export async function forwarded(suite) {
  const configured = (algorithm = 'oauth2') => openid.discovery(new URL(issuer), clientId, undefined, openid.None(), { algorithm });

  async function signIn(configuration, { ask = {}, spoil = {}, token = {} } = {}) {
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const asked = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: LOOPBACK, scope, state, resource: url,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...ask,
    });
    const answer = await new Browser(ADELE).go(asked.href);
    return noted(await openid.authorizationCodeGrant(configuration, answer, { pkceCodeVerifier: verifier, expectedState: state, ...spoil },
      { resource: url, ...token }));
  }

  for (const algorithm of ['oauth2', 'oidc']) {
    await suite.case(`discovery by ${algorithm}, code with PKCE, a tool, refresh`, async () => {
      const configuration = await configured(algorithm);
      const metadata = configuration.serverMetadata();
      assert.deepEqual([metadata.issuer, metadata.supportsPKCE('S256'), metadata.supportsPKCE('plain')], [issuer, true, false]);
      const tokens = await signIn(configuration);
      assert.deepEqual([tokens.token_type, tokens.id_token], ['bearer', undefined]);
      assert.deepEqual(await whoami(tokens.access_token), expected[ADELE].whoami);
      const next = noted(await openid.refreshTokenGrant(configuration, tokens.refresh_token, { resource: url }));
      assert.notEqual(next.refresh_token, tokens.refresh_token);
      assert.deepEqual(await whoami(next.access_token), expected[ADELE].whoami);
    });
  }

  await suite.case('what is Entra’s alone is not advertised', async () => {
    const metadata = (await configured()).serverMetadata();
    for (const name of ['revocation_endpoint', 'jwks_uri', 'introspection_endpoint', 'userinfo_endpoint', 'end_session_endpoint',
      'authorization_response_iss_parameter_supported', 'client_id_metadata_document_supported']) {
      assert.equal(metadata[name], undefined, name);
    }
  });

  await suite.case('another verifier is refused by Entra, which the library reads; another resource by Valet', async () => {
    const configuration = await configured();
    const verifier = await refused(signIn(configuration, { spoil: { pkceCodeVerifier: openid.randomPKCECodeVerifier() } }));
    assert.deepEqual([verifier.status, verifier.error], [400, 'invalid_grant']);
    assert.match(verifier.error_description, /^AADSTS/);
    const resource = await refused(signIn(configuration, { token: { resource: 'https://other.example/mcp' } }));
    assert.deepEqual([resource.status, resource.error], [400, 'invalid_target']);
    assert.ok((await signIn(configuration)).access_token);
  });

  await suite.case('another resource, another scope: a page says so, and nothing reaches Entra', async () => {
    const configuration = await configured();
    for (const ask of [{ resource: 'https://other.example/mcp' }, { scope: 'https://graph.microsoft.com/Mail.Read' }]) {
      assert.match((await refused(signIn(configuration, { ask }))).message, /^HTTP 400 of https:\/\/valet\.example: /);
    }
    assert.ok((await signIn(configuration)).access_token);
  });

  await suite.case('dynamic registration gives the one application; a redirect URI that is not listed is refused', async () => {
    const register = (redirect) => openid.dynamicClientRegistration(new URL(issuer), {
      client_name: 'openid-client', redirect_uris: [redirect], token_endpoint_auth_method: 'none',
    }, openid.None(), { algorithm: 'oauth2' });
    const configuration = await register(LOOPBACK);
    assert.equal(configuration.clientMetadata().client_id, clientId);
    assert.equal((await whoami((await signIn(configuration)).access_token)).clientId, clientId);
    const error = await refused(register('https://elsewhere.example/callback'));
    assert.deepEqual([error.status, error.error], [400, 'invalid_redirect_uri']);
  });
}
