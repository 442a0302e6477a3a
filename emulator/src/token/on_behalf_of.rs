//! On-behalf-of: an API exchanges the token it was called with for one of a further API, for the same user.
//!
//! The order of checks matters to callers: form, client, signature, lifetime, audience, user, consent.

use serde_json::{Map, Value};

use super::answer::{self, UserGrant};
use super::{Call, client_auth};
use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::jwt::{self, JwtError};
use crate::registrations::App;
use crate::scopes::Ask;
use crate::tokens;

/// Exchanges an assertion. The answer has a refresh token only if `offline_access` was asked.
pub(super) fn exchange(call: &Call<'_>) -> Result<Value, Refusal> {
    let wanted = call.params.need("requested_token_use")?;
    if wanted != "on_behalf_of" {
        return Err(Refusal::BadParameter { name: "requested_token_use", value: wanted.to_owned() });
    }
    let assertion = call.params.need("assertion")?;
    let scope = call.params.need("scope")?;
    let proof = client_auth::prove(call, None)?;
    let claims = open(call, assertion)?;
    let user = claims.get("oid").and_then(Value::as_str).and_then(|oid| call.all.user(oid));
    let user = user.ok_or(Refusal::BadAssertion("its user does not exist"))?;
    // Unlike a refresh token, an assertion is good in its own tenant only.
    call.realm.check_account(call.client, user)?;
    let ask = Ask::for_token(scope, call.client, user.tenant, call.all)?;
    ask.check_resource(call.params.get("resource"), call.all)?;
    ask.check_for(call.state, call.client, user, call.all)?;
    let sign_in = tokens::sign_in_of(&claims);
    let claims = ClaimsRequest::default();
    answer::for_user(
        call,
        &UserGrant {
            user,
            ask: &ask,
            proof,
            platform: None,
            refresh_until: None,
            nonce: None,
            sign_in,
            claims,
        },
    )
}

fn open(call: &Call<'_>, assertion: &str) -> Result<Map<String, Value>, Refusal> {
    let claims = jwt::open(assertion, &call.state.keys()).map_err(|e| {
        Refusal::BadAssertion(match e {
            JwtError::Malformed => "it is not a token",
            JwtError::Algorithm => "its algorithm is not RS256",
            JwtError::UnknownKey => "no published key signed it",
            JwtError::Signature => "its signature does not verify",
        })
    })?;
    let now = call.state.clock.now().0;
    match claims.get("exp").and_then(Value::as_i64) {
        None => return Err(Refusal::BadAssertion("it has no exp")),
        Some(exp) if exp <= now => return Err(Refusal::AssertionExpired),
        Some(_) => {}
    }
    let audience = claims.get("aud").and_then(Value::as_str).unwrap_or_default();
    if !is_called(call.client, audience) {
        return Err(Refusal::AssertionAudience {
            audience: audience.to_owned(),
            client: call.client.client_id,
        });
    }
    match claims.contains_key("scp") {
        true => Ok(claims),
        // An id token has the right audience too, but nobody granted it anything.
        false if claims.contains_key("preferred_username") => Err(Refusal::IdTokenAssertion),
        false => Err(Refusal::AppOnlyAssertion(call.client.client_id)),
    }
}

fn is_called(app: &App, audience: &str) -> bool {
    audience == app.client_id.to_string() || app.identifier_uris.iter().any(|u| u == audience)
}
