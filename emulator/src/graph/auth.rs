//! How Graph checks its tokens: the nonce signature, lifetime, audience, revocation; then scope or role.
//!
//! Which permission a resource needs is in [`super::permissions`].

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::{GraphError, Service};
use super::permissions::Permission;
use crate::jwt;
use crate::registrations::{GRAPH_APP_ID, GRAPH_URI};
use crate::state::State;

/// How far a client's clock may be ahead, seconds.
const SKEW: i64 = 300;

/// Who calls Graph. Made only by [`caller`].
pub(super) struct Caller {
    claims: Map<String, Value>,
}

/// Opens the bearer token of a request.
pub(super) fn caller(state: &State, headers: &HeaderMap) -> Result<Caller, GraphError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => token.trim(),
        _ => return Err(GraphError::NoToken),
    };
    let claims = jwt::open_graph(token, &state.keys()).map_err(|e| GraphError::BadToken(e.to_string()))?;
    let now = state.clock.now().0;
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| exp <= now) {
        return Err(GraphError::Expired);
    }
    if claims.get("nbf").is_some_and(|nbf| nbf.as_i64().is_none_or(|nbf| nbf > now.saturating_add(SKEW))) {
        return Err(GraphError::NotYetValid);
    }
    match claims.get("aud").and_then(Value::as_str) {
        Some(aud) if aud == GRAPH_URI || aud == GRAPH_APP_ID.to_string() => {}
        _ => return Err(GraphError::Audience),
    }
    let caller = Caller { claims };
    caller.not_revoked(state)?;
    Ok(caller)
}

impl Caller {
    /// Continuous access evaluation: only for clients that said they understand the challenge. The token of any other
    /// client is good until it expires (Entra documentation, "Continuous access evaluation").
    fn not_revoked(&self, state: &State) -> Result<(), GraphError> {
        if !self.words("xms_cc").any(|word| word.eq_ignore_ascii_case("cp1")) {
            return Ok(());
        }
        let Ok(user) = self.user() else { return Ok(()) };
        let revoked = state.revocation(user).map(|revocation| revocation.at);
        let since = revoked.max(state.outdated(user));
        let issued = self.claims.get("iat").and_then(Value::as_i64).unwrap_or(0);
        match since {
            Some(at) if at.0 > issued => Err(GraphError::Revoked { at }),
            _ => Ok(()),
        }
    }

    /// The user's object id; app-only tokens have none.
    pub(super) fn user(&self) -> Result<Uuid, GraphError> {
        match (self.claims.get("scp"), self.claims.get("oid").and_then(Value::as_str)) {
            (Some(_), Some(oid)) => Uuid::parse_str(oid).map_err(|_| GraphError::NotDelegated),
            _ => Err(GraphError::NotDelegated),
        }
    }

    /// The caller's directory.
    pub(super) fn tenant(&self) -> Option<Uuid> {
        self.id("tid")
    }

    /// The application that got the token.
    pub(super) fn client(&self) -> Option<Uuid> {
        self.id("appid")
    }

    /// Passes if the token carries a scope, or without a user a role, that the permission names. `own`: what is asked
    /// for belongs to the caller.
    pub(super) fn need(&self, permission: &Permission, own: bool) -> Result<(), GraphError> {
        match self.has(permission, own) {
            true => Ok(()),
            false => Err(GraphError::Denied(permission.service)),
        }
    }

    /// The same as an answer.
    pub(super) fn has(&self, permission: &Permission, own: bool) -> bool {
        if self.claims.get("scp").is_none() {
            return self.words("roles").any(|role| permission.application.contains(&role));
        }
        self.words("scp")
            .any(|scope| permission.others.contains(&scope) || (own && permission.own.contains(&scope)))
    }

    /// Passes if the token carries this OpenID word.
    pub(super) fn need_openid(&self) -> Result<(), GraphError> {
        match self.holds_scope("openid") {
            true => Ok(()),
            false => Err(GraphError::Denied(Service::Directory)),
        }
    }

    /// Whether this word is among the scopes, whole.
    pub(super) fn holds_scope(&self, scope: &str) -> bool {
        self.words("scp").any(|held| held == scope)
    }

    fn id(&self, claim: &str) -> Option<Uuid> {
        self.claims.get(claim).and_then(Value::as_str).and_then(|t| Uuid::parse_str(t).ok())
    }

    /// The words of a claim that is an array of texts, or one text with spaces.
    fn words(&self, claim: &str) -> impl Iterator<Item = &str> {
        let value = self.claims.get(claim);
        let several = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let one = value.and_then(Value::as_str).into_iter().flat_map(|text| text.split(' '));
        several.chain(one)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::HeaderValue;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::super::call::{Ids, Reply};
    use super::*;
    use crate::forge::{self, Signer};
    use crate::keys::KeyRing;
    use crate::registrations::ids;
    use crate::state::{Origins, RevocationReason};

    fn state() -> State {
        let host = "https://localhost:1".to_owned();
        let origins = Origins { authority: host.clone(), graph: host, v1_issuer: "{tenantid}".into() };
        let options = crate::Options::default();
        let hosts = crate::hosts::Hosts::new(&options, 1);
        State::new(origins, hosts, options, KeyRing::open(None).unwrap())
    }

    fn judged(state: &State, capabilities: Value, issued: i64) -> Result<(), GraphError> {
        let mut claims =
            forge::user_claims(state, ids::ADELE_UPN, ids::VALET, GRAPH_APP_ID, &["User.Read"]).unwrap();
        claims["xms_cc"] = capabilities;
        claims["iat"] = issued.into();
        let header = json!({ "alg": "RS256", "nonce": "n", "kid": state.keys().signer().kid() });
        let token = forge::sign_for_graph(state, &header, &claims, Signer::Live);
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        headers.insert(header::AUTHORIZATION, value);
        caller(state, &headers).map(|_| ())
    }

    #[test]
    fn a_revoked_session_challenges_clients_that_understand() {
        let state = state();
        let before = state.clock.now().0;
        state.clock.advance(Duration::from_secs(10));
        assert_eq!(judged(&state, json!(["cp1"]), before), Ok(()));
        state.revoke(ids::ADELE, RevocationReason::Sessions);
        let at = state.revocation(ids::ADELE).unwrap().at;
        let revoked = Err(GraphError::Revoked { at });
        assert_eq!(judged(&state, json!(["cp1"]), before), revoked);
        assert_eq!(judged(&state, json!("CP1"), before), revoked);
        assert_eq!(judged(&state, json!(["cp1"]), at.0), Ok(()), "a token of the new sign-in");
        assert_eq!(judged(&state, json!([]), before), Ok(()), "without cp1 a token lives on");
        assert_eq!(judged(&state, Value::Null, before), Ok(()));
    }

    #[test]
    fn the_challenge_says_from_when_on() {
        let state = state();
        let error = GraphError::Revoked { at: crate::clock::Instant(1_702_682_181) };
        let reply = Reply::refusal(&state, &error, &Ids::new(&HeaderMap::new()));
        let challenge = &reply.headers.iter().find(|(name, _)| *name == "www-authenticate").unwrap().1;
        assert!(challenge.starts_with("Bearer realm=\"\", authorization_uri=\"https://localhost:1/common/"));
        assert!(challenge.contains("error=\"insufficient_claims\""));
        let claims = challenge.split("claims=\"").nth(1).unwrap().trim_end_matches('"');
        let claims: Value = serde_json::from_slice(&STANDARD.decode(claims).unwrap()).unwrap();
        let expected = json!({ "access_token": { "nbf": { "essential": true, "value": "1702682181" } } });
        assert_eq!((reply.status.as_u16(), claims), (401, expected));
    }
}
