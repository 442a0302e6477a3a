//! What Windows' Web Account Manager is asked, and what its answers mean. The calls are in `windows.rs`; this part knows no Windows, so it is tested on every system.
//!
//! Microsoft documents the calls, and the names in requests and answers only by the source of its libraries (MSAL.NET, `WamBroker/AadPlugin.cs`), which say
//! `wam_compat` = `2.0` for the protocol of the v2.0 endpoint.

use secrecy::SecretString;
use url::Url;

use crate::account::AccountId;
use crate::ask::Ask;
use crate::error::{Halt, SignInError, Step};
use crate::grant::{self, Grant, identity, target};
use crate::limits::shown;
use crate::settings::Settings;

/// Seconds from 1601-01-01, where Windows begins to count, to 1970-01-01.
const WINDOWS_EPOCH: u64 = 11_644_473_600;

/// Where Microsoft's clouds sign people in. The provider knows no other authority, and asked for one would sign in at its own.
const CLOUDS: [&str; 3] =
    ["login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"];

/// An account as the provider describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Who, if its properties say so (`TenantId` and `OID`).
    pub(super) id: Option<AccountId>,
    pub(super) username: String,
}

/// Why the provider gave no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The person closed its window.
    Cancelled,
    /// The person wants to be somebody else.
    Switched,
    /// It has to show its window.
    InteractionRequired,
    /// It is not there after all.
    Absent,
    /// It failed.
    Failed {
        /// Its error, an `HRESULT` or one of its own.
        code: u32,
        /// What it says.
        message: String,
    },
}

/// The authority as the provider wants it, if it can sign in there.
pub(super) fn authority(settings: &Settings) -> Result<String, Halt> {
    let host = Url::parse(&settings.authority).ok().and_then(|url| url.host_str().map(str::to_owned));
    match host {
        Some(host) if CLOUDS.contains(&host.as_str()) => {
            Ok(format!("{}/{}", settings.authority, settings.tenant))
        }
        _ => Err(Halt::Skip(format!(
            "Windows signs in at Microsoft's clouds, and {} is none",
            settings.authority
        ))),
    }
}

/// Which of `accounts` is meant: the one in use; else the only one there is, unless somebody has to be chosen.
pub(super) fn known(accounts: &[Known], ask: &Ask) -> Option<usize> {
    match (&ask.expected, accounts) {
        // A guest has other ids at home, which is what the provider knows; whoever it is, what it gives is checked by the ID token.
        (Some(wanted), _) => accounts
            .iter()
            .position(|known| known.id.as_ref() == Some(wanted))
            .or_else(|| accounts.iter().position(|known| Some(&known.username) == ask.login_hint.as_ref())),
        (None, [_]) if !ask.chooses => Some(0),
        _ => None,
    }
}

/// Whether the window has to ask who signs in, rather than to take whoever Windows would.
pub(super) fn asks_who(ask: &Ask, known: Option<usize>) -> bool {
    ask.chooses || (known.is_none() && (ask.login_hint.is_some() || ask.expected.is_some()))
}

/// The properties of a request beside scope and application.
pub(super) fn properties(ask: &Ask, hinted: bool) -> Vec<(&'static str, String)> {
    let mut properties = vec![("wam_compat", "2.0".to_owned()), ("claims", ask.claims.clone())];
    if let (true, Some(hint)) = (hinted, &ask.login_hint) {
        properties.push(("LoginHint", hint.clone()));
    }
    properties
}

/// The grant in an answer, whose properties are `property`. The ID token is held to the same rules as everywhere, and says who signed in.
pub(super) fn grant(
    settings: &Settings,
    ask: &Ask,
    token: SecretString,
    property: impl Fn(&str) -> Option<String>,
) -> Result<Grant, Halt> {
    let now = settings.now();
    let Some(id_token) = property("wamcompat_id_token").map(SecretString::from) else {
        return Err(Halt::Skip("its answer does not say who signed in".to_owned()));
    };
    let Some(expires_at) = property("TokenExpiresOn").as_deref().and_then(unix_time).filter(|at| *at > now)
    else {
        return Err(Halt::Skip("its token has ended already".to_owned()));
    };
    let client_info = property("wamcompat_client_info");
    // No nonce of ours went to the authority: the broker's request is its own.
    let account = grant::account(identity(&id_token, None, settings, now)?, client_info.as_deref());
    ask.admit(&account)?;
    Ok(Grant {
        target: target(property("wamcompat_scopes").as_deref(), &ask.scopes),
        account,
        access_token: token,
        expires_at,
        extended_expires_at: expires_at,
        refresh_at: None,
        refresh_token: None,
        id_token: Some(id_token),
        client_info,
        family: None,
        source: Some("broker"),
    })
}

/// How the step ends where the provider's window was shown and gave no token.
pub(super) fn halt(refusal: Refusal, correlation: &str) -> Halt {
    Halt::Skip(match refusal {
        Refusal::Cancelled => return Halt::Fail(SignInError::Cancelled(Step::Broker)),
        Refusal::Switched => "it was asked for another account".to_owned(),
        Refusal::InteractionRequired => {
            format!("it wants to see the person, and has no window for it (correlation id {correlation})")
        }
        Refusal::Absent => "Windows has no provider for such accounts".to_owned(),
        Refusal::Failed { code, message } => {
            format!("it failed with 0x{code:08x} {} (correlation id {correlation})", shown(&message))
        }
    })
}

/// Seconds since the Unix epoch, of seconds since Windows' own.
fn unix_time(windows: &str) -> Option<u64> {
    windows.parse::<u64>().ok()?.checked_sub(WINDOWS_EPOCH)
}

#[cfg(test)]
#[path = "wam_tests.rs"]
mod tests;
