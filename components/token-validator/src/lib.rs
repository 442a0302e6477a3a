//! The token-validator component: `valet-core-token` behind WIT, and the one maker of principals.
//!
//! It translates types and lends the imported signature check to the core. It has no clock, network, store or settings, so what it answers
//! depends on its arguments alone.

mod bindings;

use std::cell::RefCell;

use bindings::exports::valet::identity::assertion::Guest as Assertion;
use bindings::exports::valet::identity::principal::{
    Caller, Guest as PrincipalInterface, GuestPrincipal, Kind, Principal as OwnedPrincipal, PrincipalBorrow,
};
use bindings::exports::valet::identity::refusals::{Reason, Refusal};
use bindings::exports::valet::identity::validator::{AtJwtRules, Guest as Validator, Rules};
use bindings::valet::crypto::signature;
use valet_core_token as core;

struct Component;

/// What a principal is inside this component: the proof, and the token it was made from.
struct Principal {
    verified: core::Verified,
    token: String,
}

impl PrincipalInterface for Component {
    type Principal = Principal;
}

impl GuestPrincipal for Principal {
    fn caller(&self) -> Caller {
        let caller = self.verified.caller().clone();
        Caller {
            tenant_id: caller.tenant_id,
            object_id: caller.object_id,
            kind: match caller.kind {
                core::Kind::User => Kind::User,
                core::Kind::Application => Kind::Application,
            },
            client_id: caller.client_id,
            display_name: caller.display_name,
            scopes: caller.scopes,
            roles: caller.roles,
            token_id: caller.token_id,
            session_id: caller.session_id,
            expires_at: caller.expires_at,
        }
    }
}

/// Key sets that are kept read; past it all are dropped. One a tenant is in use.
const KEPT_SETS: usize = 16;

thread_local! {
    /// The key sets that were read last, beside their texts. Where an instance lives long, the same text comes with each call; reading it again
    /// would give the same set.
    static READ: RefCell<Vec<(String, core::KeySet<'static>)>> = const { RefCell::new(Vec::new()) };
}

impl Validator for Component {
    fn validate(token: String, keys: String, rules: Rules, now: u64) -> Result<OwnedPrincipal, Refusal> {
        let (tenants, audiences) = (texts(&rules.tenants), texts(&rules.audiences));
        let clients = rules.clients.as_deref().map(texts);
        let rules = core::Rules {
            authority: &rules.authority,
            v1_authority: &rules.v1_authority,
            tenants: &tenants,
            audiences: &audiences,
            clients: clients.as_deref(),
            leeway: rules.leeway,
        };
        judge(token, keys, |token, keys| core::verify(token, keys, &rules, now, &ImportedCheck))
    }

    fn validate_at_jwt(
        token: String,
        keys: String,
        rules: AtJwtRules,
        now: u64,
    ) -> Result<OwnedPrincipal, Refusal> {
        let AtJwtRules { issuer, audience, leeway } = &rules;
        let rules = core::AtJwtRules { issuer, audience, leeway: *leeway };
        judge(token, keys, |token, keys| core::verify_at_jwt(token, keys, &rules, now, &ImportedCheck))
    }
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// Reads `keys`, unless that was done before, and makes a principal of what `verify` finds good.
fn judge(
    token: String,
    keys: String,
    verify: impl FnOnce(&str, &core::KeySet<'_>) -> Result<core::Verified, core::TokenError>,
) -> Result<OwnedPrincipal, Refusal> {
    READ.with_borrow_mut(|read| {
        let at = match read.iter().position(|(text, _)| *text == keys) {
            Some(at) => at,
            None => {
                let set = core::KeySet::parse(&keys).map_err(|error| Refusal {
                    reason: Reason::UnusableConfiguration,
                    detail: error.to_string(),
                })?;
                let set = set.into_owned();
                if read.len() == KEPT_SETS {
                    read.clear();
                }
                read.push((keys, set));
                read.len() - 1
            }
        };
        let verified = verify(&token, &read[at].1)
            .map_err(|error| Refusal { reason: reason(error.reason()), detail: error.to_string() })?;
        Ok(OwnedPrincipal::new(Principal { verified, token }))
    })
}

impl Assertion for Component {
    fn token(of: PrincipalBorrow<'_>) -> String {
        of.get::<Principal>().token.clone()
    }
}

/// The signature check that this component was composed with, or that the host lends.
struct ImportedCheck;

impl core::SignatureCheck for ImportedCheck {
    fn rs256(
        &self,
        key: &core::RsaKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), core::SignatureFailure> {
        let key = signature::RsaPublicKey { n: key.n.clone(), e: key.e.clone() };
        signature::verify(signature::Algorithm::Rs256, &key, message, signature).map_err(|failure| {
            match failure {
                signature::Failure::UnsupportedKey => core::SignatureFailure::UnsupportedKey,
                signature::Failure::Mismatch => core::SignatureFailure::Mismatch,
            }
        })
    }
}

fn reason(reason: core::Reason) -> Reason {
    match reason {
        core::Reason::Malformed => Reason::Malformed,
        core::Reason::Unsupported => Reason::Unsupported,
        core::Reason::UnknownKey => Reason::UnknownKey,
        core::Reason::KeyIssuerMismatch => Reason::KeyIssuerMismatch,
        core::Reason::BadSignature => Reason::BadSignature,
        core::Reason::MissingClaim => Reason::MissingClaim,
        core::Reason::WrongIssuer => Reason::WrongIssuer,
        core::Reason::ForeignTenant => Reason::ForeignTenant,
        core::Reason::ForeignClient => Reason::ForeignClient,
        core::Reason::WrongAudience => Reason::WrongAudience,
        core::Reason::Expired => Reason::Expired,
        core::Reason::NotYetValid => Reason::NotYetValid,
        core::Reason::NotAnAccessToken => Reason::NotAnAccessToken,
        core::Reason::BoundToken => Reason::BoundToken,
        core::Reason::SessionEnded => Reason::SessionEnded,
        core::Reason::UnusableConfiguration => Reason::UnusableConfiguration,
    }
}
