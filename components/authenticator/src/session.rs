//! Tokens of our own authorization server, each of a session that can be ended before its tokens end.

use valet_core_token::settings::OwnSettings;

use crate::bindings::exports::valet::identity::authenticator::{Failure, Principal};
use crate::bindings::valet::capability::{live_sessions, own_keys};
use crate::bindings::valet::identity::refusals::{Reason, Refusal};
use crate::bindings::valet::identity::validator;

/// What tokens are checked with.
pub(crate) struct Checks {
    rules: validator::AtJwtRules,
    /// Whose users may call.
    tenants: Vec<String>,
    keys: String,
}

impl Checks {
    pub(crate) fn new(settings: &OwnSettings) -> Result<Self, String> {
        let OwnSettings { issuer, audience, tenants, leeway } = settings;
        let rules =
            validator::AtJwtRules { issuer: issuer.clone(), audience: audience.clone(), leeway: *leeway };
        Ok(Self { rules, tenants: tenants.clone(), keys: own_keys::key_set()? })
    }

    pub(crate) fn authenticate(&self, token: &str, now: u64) -> Result<Principal, Failure> {
        let principal =
            validator::validate_at_jwt(token, &self.keys, &self.rules, now).map_err(Failure::Refused)?;
        let caller = principal.caller();
        let refused = |reason, detail| Err(Failure::Refused(Refusal { reason, detail }));
        if !self.tenants.contains(&caller.tenant_id) {
            return refused(Reason::ForeignTenant, format!("tenant {} is not on the list", caller.tenant_id));
        }
        let session = caller.session_id.unwrap_or_default();
        // A session's id begins with its tenant and its user. Whoever signs for us writes all three from one record; a token in which they differ speaks of nobody's session.
        if !session.starts_with(&format!("{}.{}.", caller.tenant_id, caller.object_id)) {
            let detail = format!("session {session} is not one of user {}", caller.object_id);
            return refused(Reason::SessionEnded, detail);
        }
        match live_sessions::is_live(&session) {
            Ok(true) => Ok(principal),
            Ok(false) => refused(Reason::SessionEnded, format!("session {session} has ended")),
            Err(why) => Err(Failure::Unavailable(format!("whether a session lives is not known: {why}"))),
        }
    }
}
