//! Tokens for tests, made without the endpoints: perfect ones, and ones that are wrong in exactly one chosen way.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::jwt;
use crate::keys::{KeyRing, SigningKey};
use crate::registrations::{App, Registrations, TokenVersion, User};
use crate::state::{SignIn, State};
use crate::tokens::{self, AccessGrant, ClientProof, IdGrant, Subject};

/// Which key signs a forged token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The key that signs real tokens.
    Live,
    /// A key that was published once and is no longer.
    Removed,
    /// A key that was never published. [`crate::Emulator::header`] puts the `kid` of the live key beside it.
    Stranger,
    /// A published key whose `issuer` is the tenant of personal accounts.
    Consumer,
}

/// A name did not lead anywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// No user has this principal name or object id.
    #[error("no user is called {0:?}")]
    User(String),
    /// No app has this client id.
    #[error("no app has the client id {0}")]
    App(Uuid),
}

impl Signer {
    fn key(self, keys: &KeyRing) -> &SigningKey {
        match self {
            Self::Live => keys.signer(),
            Self::Removed => keys.removed(),
            Self::Stranger => keys.stranger(),
            Self::Consumer => keys.consumer(),
        }
    }
}

/// Signs exactly these texts.
pub(crate) fn sign(state: &State, header: &str, claims: &str, signer: Signer) -> String {
    jwt::seal(header, claims, signer.key(&state.keys()))
}

/// Signs as for Graph. A header that is no object is taken as an empty one.
pub(crate) fn sign_for_graph(state: &State, header: &Value, claims: &Value, signer: Signer) -> String {
    let header = header.as_object().cloned().unwrap_or_default();
    jwt::seal_graph(&header, &claims.to_string(), signer.key(&state.keys()))
}

/// The header a token signed by `signer` should carry.
pub(crate) fn header(state: &State, version: TokenVersion, signer: Signer) -> Value {
    let keys = state.keys();
    let kid = match signer {
        Signer::Stranger => keys.signer().kid(),
        _ => signer.key(&keys).kid(),
    };
    match version {
        TokenVersion::V1 => json!({ "typ": "JWT", "alg": "RS256", "x5t": kid, "kid": kid }),
        TokenVersion::V2 => json!({ "typ": "JWT", "alg": "RS256", "kid": kid }),
    }
}

/// Who asks for what, looked up.
struct Cast<'a> {
    client: &'a App,
    api: &'a App,
    proof: ClientProof,
    claims: ClaimsRequest,
}

impl<'a> Cast<'a> {
    fn grant(&'a self, state: &State, subject: &'a Subject<'a>) -> AccessGrant<'a> {
        let sign_in = Some(SignIn { at: state.clock.now(), mfa: false });
        let Self { client, api, proof, claims } = self;
        AccessGrant { subject, client, proof: *proof, api, identifier: None, sign_in, claims }
    }
}

fn cast(all: &Registrations, client: Uuid, api: Uuid) -> Result<Cast<'_>, MintError> {
    let find = |id: Uuid| all.app(id).ok_or(MintError::App(id));
    let (client, api) = (find(client)?, find(api)?);
    let proof = if client.secrets.is_empty() { ClientProof::None } else { ClientProof::Secret };
    Ok(Cast { client, api, proof, claims: ClaimsRequest::default() })
}

fn user<'a>(all: &'a Registrations, name: &str) -> Result<&'a User, MintError> {
    all.user(name).ok_or_else(|| MintError::User(name.to_owned()))
}

/// Perfect delegated claims. No consent is asked.
pub(crate) fn user_claims(
    state: &State,
    name: &str,
    client: Uuid,
    api: Uuid,
    scopes: &[&str],
) -> Result<Value, MintError> {
    let all = state.registrations();
    let cast = cast(&all, client, api)?;
    let subject = delegated(&all, name, scopes)?;
    Ok(Value::Object(tokens::access_claims(state, &cast.grant(state, &subject))))
}

/// A perfect delegated token; for Graph with Graph's signature.
pub(crate) fn user_token(
    state: &State,
    name: &str,
    client: Uuid,
    api: Uuid,
    scopes: &[&str],
) -> Result<String, MintError> {
    let all = state.registrations();
    let cast = cast(&all, client, api)?;
    let subject = delegated(&all, name, scopes)?;
    Ok(tokens::access_token(state, &cast.grant(state, &subject)).token)
}

/// A perfect app-only token in the client's home tenant.
pub(crate) fn app_token(state: &State, client: Uuid, api: Uuid, roles: &[&str]) -> Result<String, MintError> {
    let all = state.registrations();
    let cast = Cast { proof: ClientProof::Secret, ..cast(&all, client, api)? };
    let subject =
        Subject::App { tenant: cast.client.tenant, roles: roles.iter().map(|&r| r.to_owned()).collect() };
    Ok(tokens::access_token(state, &AccessGrant { sign_in: None, ..cast.grant(state, &subject) }).token)
}

/// A perfect id token for `client`.
pub(crate) fn id_token(
    state: &State,
    name: &str,
    client: Uuid,
    nonce: Option<&str>,
) -> Result<String, MintError> {
    let all = state.registrations();
    let client = all.app(client).ok_or(MintError::App(client))?;
    let (user, claims) = (user(&all, name)?, ClaimsRequest::default());
    let sign_in = SignIn { at: state.clock.now(), mfa: false };
    let grant =
        IdGrant { user, client, nonce, code: None, profile: true, email: false, sign_in, claims: &claims };
    Ok(tokens::id_token(state, &grant))
}

fn delegated<'a>(all: &'a Registrations, name: &str, scopes: &[&str]) -> Result<Subject<'a>, MintError> {
    Ok(Subject::User { user: user(all, name)?, scopes: scopes.iter().map(|&s| s.to_owned()).collect() })
}
