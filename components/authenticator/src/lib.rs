//! The authenticator component: from a bearer token to a principal, with the configured rules and the keys of whoever issues the tokens.
//!
//! It joins parts that do not know each other: settings, `signing-keys` and `token-validator`, or, where an authorization server of ours issues the
//! tokens, its keys and its sessions. It decides nothing about a token; its rules are which keys a token is judged by, when a refusal justifies a look
//! at newer ones, and that a session has to live.

mod bindings;
mod entra;
mod session;

use std::cell::RefCell;

use bindings::exports::valet::identity::authenticator::{Failure, Guest, Principal};
use bindings::valet::capability::settings;
use bindings::wasi::clocks::wall_clock;
use valet_core_token::settings::{CHECKS_KEPT, Issuer};

struct Component;

/// What tokens are checked with. One issuer's or the other's: no token is ever judged by the rules of both.
enum Checks {
    Entra(entra::Checks),
    Session(session::Checks),
}

/// The checks, and until when they are used.
struct Kept {
    checks: Checks,
    until: u64,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

impl Guest for Component {
    fn authenticate(token: String) -> Result<Principal, Failure> {
        let now = wall_clock::now().seconds;
        KEPT.with_borrow_mut(|kept| {
            let kept = match kept {
                // The lower bound is for a clock that was set back.
                Some(kept) if (kept.until.saturating_sub(CHECKS_KEPT)..kept.until).contains(&now) => kept,
                _ => {
                    let checks = Checks::read().map_err(Failure::Unavailable)?;
                    kept.insert(Kept { checks, until: now.saturating_add(CHECKS_KEPT) })
                }
            };
            match &mut kept.checks {
                Checks::Entra(checks) => checks.authenticate(&token, now),
                Checks::Session(checks) => checks.authenticate(&token, now),
            }
        })
    }

    fn ready() -> Result<(), String> {
        match Checks::read()? {
            Checks::Entra(checks) => checks.ready(),
            // Reading them has loaded the keys.
            Checks::Session(_) => Ok(()),
        }
    }
}

impl Checks {
    fn read() -> Result<Self, String> {
        let unset = |unset: valet_core_token::settings::Unset| unset.to_string();
        Ok(match Issuer::read(settings::get).map_err(unset)? {
            Issuer::Entra(settings) => Self::Entra(entra::Checks::new(settings)),
            Issuer::Ours(settings) => Self::Session(session::Checks::new(&settings)?),
        })
    }
}
