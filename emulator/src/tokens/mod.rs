//! Access tokens and id tokens, in the v1 and the v2 shape: their sealing, and what surrounds them.
//!
//! Source: Entra documentation, "Access token claims reference" and "ID token claims reference". The decision
//! to issue is not made here. Claims of access tokens are in `access.rs`, of id tokens in `id.rs`, and what
//! both say of a person in `person.rs`.

mod access;
mod id;
mod person;
mod sign_in;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub(crate) use access::{access_claims, service_principal};
pub(crate) use id::{IdGrant, id_token};
pub(crate) use sign_in::sign_in_of;

use crate::claims_request::ClaimsRequest;
use crate::journal::Issued;
use crate::jwt;
use crate::keys::{KeyRing, SigningKey};
use crate::registrations::{App, GRAPH_APP_ID, PERSONAL_TENANT, Registrations, TokenVersion, User};
use crate::scopes::ApiAsk;
use crate::state::{SignIn, State, random};

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

impl Subject<'_> {
    /// The `tid`.
    fn tenant(&self) -> Uuid {
        match self {
            Self::User { user, .. } => user.tenant,
            Self::App { tenant, .. } => *tenant,
        }
    }
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
    let claims = access_claims(state, grant);
    let expires_in = claims["exp"].as_i64().unwrap_or(0) - state.clock.now().0;
    let keys = state.keys();
    let key = signer(&keys, grant.subject.tenant());
    let header = header(key, grant.api);
    let claims = Value::Object(claims);
    let token = match grant.api.client_id {
        GRAPH_APP_ID => jwt::seal_graph(&header, &claims.to_string(), key),
        _ => jwt::seal(&Value::Object(header).to_string(), &claims.to_string(), key),
    };
    state.journal.issued(Issued { at: state.clock.now(), kind: "access token", claims });
    AccessToken { token, expires_in }
}

/// The key of tokens of `tenant`: personal accounts have one of their own, whose published `issuer` is
/// theirs.
fn signer(keys: &KeyRing, tenant: Uuid) -> &SigningKey {
    match tenant {
        PERSONAL_TENANT => keys.consumer(),
        _ => keys.signer(),
    }
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

/// `client_info`: the ids of the account at home, which MSAL builds its cache keys from. For a guest they are
/// those of the home directory, so that one account has one key whichever directory it visits.
pub(crate) fn client_info(all: &Registrations, user: &User) -> String {
    let home = all.home_of(user).unwrap_or(user);
    URL_SAFE_NO_PAD.encode(json!({ "uid": home.id, "utid": home.tenant }).to_string())
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

/// `sub` differs from app to app, so that two apps cannot compare notes (OpenID Connect Core 8.1).
pub(crate) fn pairwise(user: Uuid, app: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(user).chain_update(app).finalize())
}

/// Claims in the making.
#[derive(Default)]
struct Claims(Map<String, Value>);

impl Claims {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// "Claims are present only if a value exists to fill it."
    fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge;
    use crate::registrations::ids;
    use crate::state::Origins;

    #[test]
    fn every_minted_token_is_recorded_by_its_claims_alone() {
        let origins = Origins {
            authority: "https://login.example".into(),
            graph: "https://graph.example".into(),
            v1_issuer: "https://sts.example/{tenantid}/".into(),
        };
        let options = crate::Options::default();
        let hosts = crate::hosts::Hosts::new(&options, 1);
        let state = State::new(origins, hosts, options, KeyRing::open(None).unwrap());
        let access = forge::user_token(&state, ids::PIA_UPN, ids::DEMO_CLIENT, ids::VALET, &["x"]).unwrap();
        let app = forge::app_token(&state, ids::DAEMON, GRAPH_APP_ID, &[]).unwrap();
        let id = forge::id_token(&state, ids::ADELE_UPN, ids::DEMO_CLIENT, None).unwrap();
        let recorded = state.journal.tokens();
        let kinds: Vec<_> = recorded.iter().map(|t| t.kind).collect();
        assert_eq!(kinds, ["id token", "access token", "access token"], "newest first");
        for (recorded, token) in recorded.iter().zip([id, app, access]) {
            let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap(), recorded.claims);
            let signature = token.rsplit('.').next().unwrap();
            assert!(!format!("{recorded:?}").contains(signature));
        }
    }
}
