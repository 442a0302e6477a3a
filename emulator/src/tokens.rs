//! Claims of access tokens and id tokens, in the v1 and the v2 shape, and their sealing.
//!
//! Source: Entra documentation, "Access token claims reference" and "ID token claims reference". The decision
//! to issue is not made here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::jwt;
use crate::keys::SigningKey;
use crate::registrations::{App, GRAPH_APP_ID, GRAPH_URI, TokenVersion, User};
use crate::scopes::ApiAsk;
use crate::state::{SignIn, State, random};

/// Life of id tokens, seconds.
const ID_TOKEN_LIFE: i64 = 3600;

/// How the client proved itself; `azpacr` or `appidacr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientProof {
    /// It did not: a public client.
    None,
    /// With a secret.
    Secret,
    /// With a certificate or a federated credential.
    Assertion,
}

/// For whom.
pub(crate) enum Subject<'a> {
    /// Delegated: a user, with the scopes granted to the client.
    User { user: &'a User, scopes: Vec<String> },
    /// App-only: the client itself, with the roles granted to it, in a tenant.
    App { tenant: Uuid, roles: Vec<String> },
}

/// An access token and its life in seconds.
pub(crate) struct AccessToken {
    pub(crate) token: String,
    pub(crate) expires_in: i64,
}

/// Everything that shapes an access token.
pub(crate) struct AccessGrant<'a> {
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) client: &'a App,
    pub(crate) proof: ClientProof,
    pub(crate) api: &'a App,
    /// How the client named the API; the `aud` of v1 tokens.
    pub(crate) identifier: Option<&'a str>,
    /// How the user signed in; None for an app-only token.
    pub(crate) sign_in: Option<SignIn>,
    /// The `claims` of the request.
    pub(crate) claims: &'a ClaimsRequest,
}

/// Mints an access token.
pub(crate) fn access_token(state: &State, grant: &AccessGrant<'_>) -> AccessToken {
    let api = grant.api;
    let claims = access_claims(state, grant);
    let expires_in = claims["exp"].as_i64().unwrap_or(0) - state.clock.now().0;
    let keys = state.keys();
    let header = header(keys.signer(), api);
    let claims = Value::Object(claims).to_string();
    let token = match api.client_id {
        GRAPH_APP_ID => jwt::seal_graph(&header, &claims, keys.signer()),
        _ => jwt::seal(&Value::Object(header).to_string(), &claims, keys.signer()),
    };
    AccessToken { token, expires_in }
}

/// The header of access tokens for `api`: v1 tokens carry `x5t` beside `kid`, Graph's a `nonce`.
pub(crate) fn header(key: &SigningKey, api: &App) -> Map<String, Value> {
    let mut header = Map::new();
    header.insert("typ".into(), "JWT".into());
    if api.client_id == GRAPH_APP_ID {
        header.insert("nonce".into(), random(32).into());
    }
    header.insert("alg".into(), "RS256".into());
    if api.requested_access_token_version == TokenVersion::V1 {
        header.insert("x5t".into(), key.kid().into());
    }
    header.insert("kid".into(), key.kid().into());
    header
}

/// The claims of an access token. Life: random between 60 and 90 minutes, as Entra's.
pub(crate) fn access_claims(state: &State, grant: &AccessGrant<'_>) -> Map<String, Value> {
    let AccessGrant { subject, client, proof, api, identifier, .. } = *grant;
    let now = state.clock.now();
    let life = 3600 + i64::from(Uuid::new_v4().as_u128() as u16) % 1800;
    let (tenant, oid) = match subject {
        Subject::User { user, .. } => (user.tenant, user.id),
        Subject::App { tenant, .. } => (*tenant, service_principal(client.client_id, *tenant)),
    };
    let v2 = api.requested_access_token_version == TokenVersion::V2;
    let acr = match proof {
        ClientProof::None => "0",
        ClientProof::Secret => "1",
        ClientProof::Assertion => "2",
    };
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("aud", audience(api, identifier).into());
    put("iss", issuer(state, api.requested_access_token_version, tenant).into());
    put("iat", now.0.into());
    put("nbf", now.0.into());
    put("exp", now.plus(life).0.into());
    put("aio", random(36).into());
    put(if v2 { "azp" } else { "appid" }, client.client_id.to_string().into());
    put(if v2 { "azpacr" } else { "appidacr" }, acr.into());
    put("oid", oid.to_string().into());
    put("rh", format!("1.{}.", random(18)).into());
    put("tid", tenant.to_string().into());
    put("uti", random(16).into());
    put("ver", if v2 { "2.0" } else { "1.0" }.into());
    match subject {
        Subject::User { user, scopes } => {
            put("sub", pairwise(user.id, api.client_id).into());
            put("name", user.display_name.clone().into());
            put("scp", scopes.join(" ").into());
            match v2 {
                true => put("preferred_username", user.user_principal_name.clone().into()),
                false => put("unique_name", user.user_principal_name.clone().into()),
            };
            if !v2 {
                put("upn", user.user_principal_name.clone().into());
            }
            let roles = user.roles_at(api.client_id);
            if !roles.is_empty() {
                put("roles", json!(roles));
            }
        }
        Subject::App { roles, .. } => {
            put("sub", oid.to_string().into());
            if !roles.is_empty() {
                put("roles", json!(roles));
            }
            if api.emit_idtyp {
                put("idtyp", "app".into());
            }
        }
    }
    if api.client_id == GRAPH_APP_ID && matches!(subject, Subject::User { .. }) {
        put("idtyp", "user".into());
    }
    if !v2 {
        put("idp", issuer(state, TokenVersion::V1, tenant).into());
    }
    claims
}

/// An id token (v2) for `client`.
pub(crate) fn id_token(state: &State, user: &User, client: &App, nonce: Option<&str>, email: bool) -> String {
    let now = state.clock.now();
    let mut claims = json!({
        "aud": client.client_id,
        "iss": issuer(state, TokenVersion::V2, user.tenant),
        "iat": now.0,
        "nbf": now.0,
        "exp": now.plus(ID_TOKEN_LIFE).0,
        "name": user.display_name,
        "oid": user.id,
        "preferred_username": user.user_principal_name,
        "rh": format!("1.{}.", random(18)),
        "sub": pairwise(user.id, client.client_id),
        "tid": user.tenant,
        "uti": random(16),
        "ver": "2.0",
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    if let (true, Some(mail)) = (email, &user.mail) {
        claims["email"] = mail.clone().into();
    }
    let keys = state.keys();
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": keys.signer().kid() });
    jwt::seal(&header.to_string(), &claims.to_string(), keys.signer())
}

/// `client_info`: the account's home ids, which MSAL builds its cache keys from.
pub(crate) fn client_info(user: &User) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "uid": user.id, "utid": user.tenant }).to_string())
}

/// Issuer of tokens of that version in that tenant.
pub(crate) fn issuer(state: &State, version: TokenVersion, tenant: Uuid) -> String {
    match version {
        TokenVersion::V1 => state.origins.v1_issuer.replace("{tenantid}", &tenant.to_string()),
        TokenVersion::V2 => format!("{}/{tenant}/v2.0", state.origins.authority),
    }
}

/// What the token endpoint answers as `scope`: each name with its owner, as Entra does for all but Graph's
/// bare scopes.
pub(crate) fn scope_text(asked: &ApiAsk, names: &[String], api: &App) -> String {
    let prefix = match (&asked.identifier, api.client_id) {
        (None, GRAPH_APP_ID) => String::new(),
        (Some(identifier), _) => format!("{identifier}/"),
        (None, _) => format!("{}/", api.identifier()),
    };
    names.iter().map(|n| format!("{prefix}{n}")).collect::<Vec<_>>().join(" ")
}

/// v2: always the client id. v1: the identifier as the client wrote it.
fn audience(api: &App, identifier: Option<&str>) -> String {
    match (api.requested_access_token_version, api.client_id, identifier) {
        (TokenVersion::V1, GRAPH_APP_ID, Some(_)) => GRAPH_URI.to_owned(),
        (TokenVersion::V1, _, Some(identifier)) => identifier.to_owned(),
        (TokenVersion::V1, GRAPH_APP_ID, None) | (TokenVersion::V2, ..) => api.client_id.to_string(),
        (TokenVersion::V1, _, None) => api.identifier(),
    }
}

/// `sub` differs from app to app, so that two apps cannot compare notes (OpenID Connect Core 8.1).
fn pairwise(user: Uuid, app: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(user).chain_update(app).finalize())
}

/// Object id of an app in a tenant: stable, and not its client id.
pub(crate) fn service_principal(client: Uuid, tenant: Uuid) -> Uuid {
    let digest =
        Sha256::new().chain_update("service principal").chain_update(client).chain_update(tenant).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
