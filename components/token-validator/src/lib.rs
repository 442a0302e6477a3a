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
use bindings::exports::valet::identity::validator::{Guest as Validator, Rules};
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
            expires_at: caller.expires_at,
        }
    }
}

thread_local! {
    /// The last key set that was read, beside its text. Where an instance lives long, the same text comes with each call; reading it again would
    /// give the same set.
    static LAST_READ: RefCell<Option<(String, core::KeySet<'static>)>> = const { RefCell::new(None) };
}

impl Validator for Component {
    fn validate(token: String, keys: String, rules: Rules, now: u64) -> Result<OwnedPrincipal, Refusal> {
        LAST_READ.with_borrow_mut(|last| {
            if last.as_ref().is_none_or(|(text, _)| *text != keys) {
                let set = core::KeySet::parse(&keys)
                    .map_err(|error| Refusal {
                        reason: Reason::UnusableConfiguration,
                        detail: error.to_string(),
                    })?
                    .into_owned();
                *last = Some((keys, set));
            }
            let (_, set) = last.as_ref().expect("it was just put there");
            validate(token, set, &rules, now)
        })
    }
}

fn validate(
    token: String,
    keys: &core::KeySet<'_>,
    rules: &Rules,
    now: u64,
) -> Result<OwnedPrincipal, Refusal> {
    let tenants: Vec<&str> = rules.tenants.iter().map(String::as_str).collect();
    let audiences: Vec<&str> = rules.audiences.iter().map(String::as_str).collect();
    let rules = core::Rules {
        authority: &rules.authority,
        v1_authority: &rules.v1_authority,
        tenants: &tenants,
        audiences: &audiences,
        leeway: rules.leeway,
    };
    let verified = core::verify(&token, keys, &rules, now, &ImportedCheck)
        .map_err(|error| Refusal { reason: reason(error.reason()), detail: error.to_string() })?;
    Ok(OwnedPrincipal::new(Principal { verified, token }))
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
        core::Reason::WrongAudience => Reason::WrongAudience,
        core::Reason::Expired => Reason::Expired,
        core::Reason::NotYetValid => Reason::NotYetValid,
        core::Reason::NotAnAccessToken => Reason::NotAnAccessToken,
        core::Reason::BoundToken => Reason::BoundToken,
        core::Reason::UnusableConfiguration => Reason::UnusableConfiguration,
    }
}
