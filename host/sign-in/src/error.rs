//! Why there is no token, and which steps were skipped on the way.

use std::fmt;

use valet_core_entra::answer::{Detail, Failure};
use valet_core_entra::claims::ClaimsError;
use valet_core_entra::id_token::IdTokenError;

use crate::account::{Account, AccountId};
use crate::cache::CacheError;

/// The ways to a token, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A token that is there already.
    Cache,
    /// A refresh token.
    Refresh,
    /// The system's broker.
    Broker,
    /// The browser of this machine.
    Browser,
    /// A code to be entered in any browser.
    DeviceCode,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cache => "cached token",
            Self::Refresh => "silent refresh",
            Self::Broker => "broker",
            Self::Browser => "browser",
            Self::DeviceCode => "device code",
        })
    }
}

/// A step that could not be gone, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Skip {
    /// The step.
    pub step: Step,
    /// The reason, for the log.
    pub why: String,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.why)
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// No scope was given, or one that no scope can be (RFC 6749 section 3.3).
    #[error("`{0}` is not a scope to ask for")]
    Scope(String),
    /// A claims challenge that cannot be passed on.
    #[error("the claims challenge is unusable: {0}")]
    Claims(ClaimsError),
    /// More than one account is signed in and none was chosen.
    #[error("several accounts are signed in ({}): choose one with `valet accounts --use`", names(.0))]
    SeveralAccounts(Vec<Account>),
    /// An account was asked for that is not signed in.
    #[error("{wanted} is not signed in; signed in: {}", names(.known))]
    UnknownAccount {
        /// Who was asked for.
        wanted: AccountId,
        /// Who there is.
        known: Vec<Account>,
    },
    /// Somebody else signed in than who was expected. Nothing of theirs was kept.
    #[error("{0}")]
    WrongAccount(Box<WrongAccount>),
    /// Another account than the one that the settings pin was to be put in use.
    #[error("`local.account` is {pinned}, so that account is used and no other; change it there")]
    Pinned {
        /// The account in the settings.
        pinned: AccountId,
    },
    /// No step was left to go.
    #[error("cannot sign in here: {}", reasons(.0))]
    NoStepLeft(Vec<Skip>),
    /// The person declined, or the authority refused them.
    #[error("the sign-in was declined ({step}): {detail}")]
    Declined {
        /// Where.
        step: Step,
        /// What the authority said, shortened.
        detail: String,
    },
    /// The person dismissed what they were shown.
    #[error("the sign-in was cancelled ({0})")]
    Cancelled(Step),
    /// Nobody finished in time.
    #[error("nobody finished the sign-in within {seconds} s ({step})")]
    TimedOut {
        /// Where.
        step: Step,
        /// How long was waited.
        seconds: u64,
    },
    /// The answer in the browser was not one of the authority we asked.
    #[error("the answer in the browser is refused: {0}")]
    Reply(valet_core_entra::authorize::ReplyError),
    /// The authority refused the application, or could not answer.
    #[error("{failure}{setting}", failure = .0, setting = setting_of(.0))]
    Authority(Failure),
    /// There is no such tenant.
    #[error("`entra.tenant`: {authority} knows no tenant {tenant}")]
    UnknownTenant {
        /// The authority's base URL.
        authority: String,
        /// The tenant in the settings.
        tenant: String,
    },
    /// What answers is no authority of Entra's kind.
    #[error("`entra.authority`: {authority} is no authority of Entra: {why}")]
    NoAuthority {
        /// The base URL in the settings.
        authority: String,
        /// What it answered.
        why: String,
    },
    /// The authority could not be reached.
    #[error("`entra.authority`: {authority} cannot be reached: {why}{}", trust_of(.why))]
    Unreachable {
        /// Its base URL.
        authority: String,
        /// What went wrong.
        why: String,
    },
    /// The authority named nobody, or not so that it can be believed.
    #[error("{0}")]
    IdToken(IdTokenError),
    /// The answer has no ID token though `openid` was asked for.
    #[error("the authority did not say who signed in (no ID token)")]
    NoIdToken,
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The task of the sign-in ended without an answer: it panicked, or the runtime stopped.
    #[error("the sign-in broke off")]
    BrokeOff,
}

/// Who signed in, and who was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongAccount {
    /// Who is in use.
    pub expected: AccountId,
    /// Their user name, if it is known.
    pub username: Option<String>,
    /// Who signed in.
    pub found: Account,
    /// Whether the settings say who is in use, so that nobody can switch.
    pub pinned: bool,
}

impl fmt::Display for WrongAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} signed in, but ", self.found)?;
        match &self.username {
            Some(username) => write!(f, "{username} ({})", self.expected)?,
            None => self.expected.fmt(f)?,
        }
        f.write_str(match self.pinned {
            true => " is the only account that `local.account` allows; sign in as that one, or change `local.account`",
            false => " is the account in use; `valet login` switches",
        })
    }
}

/// The setting behind a refusal that is known by its number. For people alone: nothing is decided by these numbers, which change.
fn setting_of(failure: &Failure) -> &'static str {
    let Failure::Misconfigured(detail) = failure else { return "" };
    let said = |code| detail.codes.contains(&code);
    if said(700_016) {
        "; `entra.client_id` is no application of that tenant"
    } else if said(90_002) {
        "; `entra.tenant` is no tenant of that authority"
    } else if said(7_000_218) {
        "; the application in `entra.client_id` does not allow public client flows"
    } else {
        ""
    }
}

/// What to do about a certificate of somebody unknown.
fn trust_of(why: &str) -> &'static str {
    // The second is what an authority of the same name and another key leads to: a file that is out of date.
    match ["UnknownIssuer", "BadSignature"].iter().any(|sign| why.contains(sign)) {
        true => "; certificate authorities beside the public ones belong into `egress.ca_file`",
        false => "",
    }
}

fn names(accounts: &[Account]) -> String {
    let names: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

fn reasons(skipped: &[Skip]) -> String {
    skipped.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How a step ends without tokens.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The next one is tried.
    Skip(String),
    /// The next one is tried, since the authority did not do this one.
    Refused {
        /// What came of it, in words.
        what: &'static str,
        /// What the authority said.
        detail: Box<Detail>,
    },
    /// The next one would not help.
    Fail(SignInError),
}

impl Halt {
    /// Why, in words.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::Skip(why) => why.clone(),
            Self::Refused { what, detail } => format!("{what} ({detail})"),
            Self::Fail(error) => error.to_string(),
        }
    }

    /// The same without what is another at each time: the correlation id names one request.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Refused { what, detail } => {
                let detail = Box::new(Detail { correlation_id: None, ..Detail::clone(detail) });
                Self::Refused { what, detail }.why()
            }
            other => other.why(),
        }
    }
}

impl From<SignInError> for Halt {
    fn from(error: SignInError) -> Self {
        Self::Fail(error)
    }
}

impl From<CacheError> for Halt {
    fn from(error: CacheError) -> Self {
        Self::Fail(error.into())
    }
}
