//! Id tokens. Only the v2 shape exists here: its version follows the endpoint, not the application.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::person::Person;
use super::{Claims, issuer, pairwise, sign_in, signer};
use crate::claims_request::ClaimsRequest;
use crate::journal::Issued;
use crate::jwt;
use crate::registrations::{App, TokenVersion, User};
use crate::state::{SignIn, State, random};

/// Life of id tokens, seconds.
const LIFE: i64 = 3600;

/// Everything that shapes an id token.
pub(crate) struct IdGrant<'a> {
    pub(crate) user: &'a User,
    /// Whose token it is: the `aud`, and whose optional claims and group claims count.
    pub(crate) client: &'a App,
    pub(crate) nonce: Option<&'a str>,
    /// The code that travels beside it.
    pub(crate) code: Option<&'a str>,
    /// Whether the scope `profile` was asked: without it the token names nobody.
    pub(crate) profile: bool,
    /// Whether the scope `email` was asked.
    pub(crate) email: bool,
    pub(crate) sign_in: SignIn,
    /// The `claims` of the request.
    pub(crate) claims: &'a ClaimsRequest,
}

/// Mints an id token.
pub(crate) fn id_token(state: &State, grant: &IdGrant<'_>) -> String {
    let claims = Value::Object(id_claims(state, grant).0);
    let keys = state.keys();
    let key = signer(&keys, grant.user.tenant);
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": key.kid() });
    let token = jwt::seal(&header.to_string(), &claims.to_string(), key);
    state.journal.issued(Issued { at: state.clock.now(), kind: "id token", claims });
    token
}

fn id_claims(state: &State, grant: &IdGrant<'_>) -> Claims {
    let IdGrant { user, client, .. } = *grant;
    let (now, all) = (state.clock.now(), state.registrations());
    let person = Person::new(&all, user);
    let mut claims = Claims::default();
    claims.put("aud", client.client_id.to_string());
    claims.put("iss", issuer(state, TokenVersion::V2, user.tenant));
    claims.put("iat", now.0);
    claims.put("nbf", now.0);
    claims.put("exp", now.plus(LIFE).0);
    claims.put("aio", sign_in::remember(Some(grant.sign_in)));
    claims.put("rh", format!("1.{}.", random(18)));
    claims.put("sub", pairwise(user.id, client.client_id));
    claims.put("tid", user.tenant.to_string());
    claims.put("uti", random(16));
    claims.put("ver", "2.0");
    claims.put_some("nonce", grant.nonce);
    // OpenID Connect Core section 3.3.2.11: the left half of the hash.
    let half = |code: &str| URL_SAFE_NO_PAD.encode(&Sha256::digest(code)[..16]);
    claims.put_some("c_hash", grant.code.map(half));
    person.provider(state, TokenVersion::V2, &mut claims);
    person.roles(client, &mut claims);
    person.groups(client.group_membership_claims, &mut claims);
    // "The profile scope is required to receive this claim": said of name, preferred_username and oid.
    if grant.profile {
        claims.put("oid", user.id.to_string());
        person.names(TokenVersion::V2, &mut claims);
    }
    let wanted = &client.optional_claims.id_token;
    if grant.email {
        claims.put_some("email", user.mail.clone());
    }
    person.optional(wanted, Some(grant.sign_in), &mut claims);
    if wanted.iter().any(|n| n == "acrs") && !grant.claims.contexts.is_empty() {
        claims.put("acrs", json!(grant.claims.contexts));
    }
    claims
}
