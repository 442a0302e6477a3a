//! The claims of access tokens.
//!
//! The API decides their shape (version, optional claims, groups, life), the client and the subject their
//! content.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::person::Person;
use super::{AccessGrant, Claims, ClientProof, Subject, issuer, pairwise, sign_in};
use crate::registrations::{App, GRAPH_APP_ID, GRAPH_URI, TokenLife, TokenVersion};
use crate::state::{State, random};

/// "A random value between 60 and 90 minutes" (Entra documentation, "Configurable token lifetimes").
const LIFE: TokenLife = TokenLife { min: 3600, max: 5399 };

/// "Up to 28 hours" where API and client can revoke at once (Entra documentation, "Continuous access
/// evaluation").
const CONTINUOUS_LIFE: TokenLife = TokenLife { min: 20 * 3600, max: 28 * 3600 };

/// All claims of an access token.
pub(crate) fn access_claims(state: &State, grant: &AccessGrant<'_>) -> Map<String, Value> {
    let mut claims = Claims::default();
    envelope(state, grant, &mut claims);
    match grant.subject {
        Subject::User { user, scopes } => {
            let all = state.registrations();
            let person = Person::new(&all, user);
            delegated(state, grant, &person, scopes, &mut claims);
        }
        Subject::App { tenant, roles } => app_only(state, grant, *tenant, roles, &mut claims),
    }
    if handles_challenges(grant) {
        claims.put("xms_cc", json!(["cp1"]));
    }
    claims.0
}

/// What every access token has: for whom it is, who asked, when, and where it came from.
fn envelope(state: &State, grant: &AccessGrant<'_>, claims: &mut Claims) {
    let AccessGrant { subject, client, proof, api, .. } = *grant;
    let now = state.clock.now();
    let version = api.requested_access_token_version;
    let (app, acr, ver) = match version {
        TokenVersion::V1 => ("appid", "appidacr", "1.0"),
        TokenVersion::V2 => ("azp", "azpacr", "2.0"),
    };
    let proven = match proof {
        ClientProof::None => "0",
        ClientProof::Secret => "1",
        ClientProof::Assertion => "2",
    };
    claims.put("aud", audience(grant));
    claims.put("iss", issuer(state, version, subject.tenant()));
    claims.put("iat", now.0);
    claims.put("nbf", now.0);
    claims.put("exp", now.plus(life(grant)).0);
    claims.put("aio", sign_in::remember(grant.sign_in));
    claims.put(app, client.client_id.to_string());
    claims.put(acr, proven);
    claims.put("rh", format!("1.{}.", random(18)));
    claims.put("tid", subject.tenant().to_string());
    claims.put("uti", random(16));
    claims.put("ver", ver);
}

fn delegated(
    state: &State,
    grant: &AccessGrant<'_>,
    person: &Person<'_>,
    scopes: &[String],
    claims: &mut Claims,
) {
    let api = grant.api;
    claims.put("oid", person.user.id.to_string());
    claims.put("sub", pairwise(person.user.id, api.client_id));
    claims.put("scp", scopes.join(" "));
    person.names(api.requested_access_token_version, claims);
    person.provider(state, api.requested_access_token_version, claims);
    person.roles(api, claims);
    person.groups(api.group_membership_claims, claims);
    if api.requested_access_token_version == TokenVersion::V1 {
        // `acr` 1: the sign-in met ISO/IEC 29115.
        claims.put("acr", "1");
        claims.put_some("amr", grant.sign_in.map(sign_in::methods));
    }
    person.optional(&api.optional_claims.access_token, grant.sign_in, claims);
    if !grant.claims.contexts.is_empty() {
        // Whoever mints has asked the policies; that the token is minted at all says that they are satisfied.
        claims.put("acrs", json!(grant.claims.contexts));
    }
    if api.client_id == GRAPH_APP_ID || api.wants("include_user_token") {
        claims.put("idtyp", "user");
    }
}

fn app_only(state: &State, grant: &AccessGrant<'_>, tenant: Uuid, roles: &[String], claims: &mut Claims) {
    let api = grant.api;
    let oid = service_principal(grant.client.client_id, tenant).to_string();
    claims.put("sub", oid.clone());
    claims.put("oid", oid);
    if !roles.is_empty() {
        claims.put("roles", json!(roles));
    }
    if api.emit_idtyp || api.wants("idtyp") {
        claims.put("idtyp", "app");
    }
    if api.requested_access_token_version == TokenVersion::V1 {
        claims.put("idp", issuer(state, TokenVersion::V1, tenant));
    }
}

/// v2: always the client id. v1: the identifier as the client wrote it, unless the API asked for its client
/// id.
fn audience(grant: &AccessGrant<'_>) -> String {
    let api = grant.api;
    match (api.requested_access_token_version, api.client_id, grant.identifier) {
        (TokenVersion::V1, GRAPH_APP_ID, Some(_)) => GRAPH_URI.to_owned(),
        (TokenVersion::V1, GRAPH_APP_ID, None) | (TokenVersion::V2, ..) => api.client_id.to_string(),
        (TokenVersion::V1, ..) if api.wants("use_guid") => api.client_id.to_string(),
        (TokenVersion::V1, _, Some(identifier)) => identifier.to_owned(),
        (TokenVersion::V1, _, None) => api.identifier(),
    }
}

fn life(grant: &AccessGrant<'_>) -> i64 {
    let continuous = grant.api.client_id == GRAPH_APP_ID && grant.claims.handles_challenges();
    let TokenLife { min, max } =
        grant.api.token_life.unwrap_or(if continuous { CONTINUOUS_LIFE } else { LIFE });
    let spread = i64::from(max.saturating_sub(min)) + 1;
    i64::from(min) + i64::from(Uuid::new_v4().as_u128() as u32) % spread
}

/// The resource decides whether its tokens tell the client's capability; Graph always does.
fn handles_challenges(grant: &AccessGrant<'_>) -> bool {
    grant.claims.handles_challenges() && (grant.api.client_id == GRAPH_APP_ID || grant.api.wants("xms_cc"))
}

/// Object id of an app in a tenant: stable, and not its client id.
pub(crate) fn service_principal(client: Uuid, tenant: Uuid) -> Uuid {
    let digest =
        Sha256::new().chain_update("service principal").chain_update(client).chain_update(tenant).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

impl App {
    /// Whether access tokens for this API shall have that optional claim.
    fn wants(&self, name: &str) -> bool {
        self.optional_claims.access_token.iter().any(|n| n == name)
    }
}
