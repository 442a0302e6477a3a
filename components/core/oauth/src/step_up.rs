//! Step-up: a policy wants more of a user than their session has, and the client can send them to a page (MCP `client/elicitation`, URL mode).
//!
//! The link to that page is sealed: it names the session, the client, and the claims that Entra has to be asked with. Whoever opens it is told what happens and goes on to
//! Entra as with any sign-in, and has to come back as the session's user: a link that somebody else was talked into opening does nothing
//! (`client/elicitation#identifying-the-user`). Then the session goes on with what that sign-in brought. No client gets anything new, so no permission is asked for.

use core::fmt;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::callback::SessionFailure;
use crate::client::Client;
use crate::cookie;
use crate::form::FormError;
use crate::html::{escape, page};
use crate::http::Response;
use crate::limits;
use crate::page::{self, host};
use crate::route;
use crate::secret;
use crate::settings::Settings;
use crate::transaction::{Progress, Purpose, Transaction, TransactionError};

/// What a link says, before it is sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The session, whose id says whose it is.
    #[serde(rename = "s")]
    pub session: String,
    /// The client that was told.
    #[serde(rename = "c")]
    pub client_id: String,
    /// The claims request (OpenID Connect Core section 5.5) that Entra is asked with.
    #[serde(rename = "w")]
    pub claims: String,
}

impl Link {
    /// What is sealed; none if it is longer than [`limits::LINK`], or the claims are no JSON object, which Entra would refuse: then the user has to sign in anew.
    ///
    /// # Panics
    /// Never: texts serialise.
    #[must_use]
    pub fn to_plain(&self) -> Option<Vec<u8>> {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&self.claims).ok()?;
        let plain = serde_json::to_vec(self).expect("texts serialise");
        (plain.len() <= limits::LINK).then_some(plain)
    }

    /// Reads what was sealed; none for anything else.
    #[must_use]
    pub fn from_plain(plain: &[u8]) -> Option<Self> {
        serde_json::from_slice(plain).ok()
    }
}

/// The address of the page at our `issuer`, for a sealed link.
#[must_use]
pub fn url(issuer: &str, sealed: &str) -> String {
    format!("{issuer}{}?link={sealed}", route::STEP_UP)
}

/// Name of the record ([`Progress`]) that says whether a sealed link has been used.
#[must_use]
pub fn used_record(sealed: &str) -> String {
    crate::transaction::used_record(&secret::digest(sealed))
}

/// Name of the record that is there while the user of a session is at Entra to do what is wanted: from the button of our page to the answer, and for
/// [`limits::TRANSACTION_LIFETIME`] at most. Meanwhile the session is renewed as it is, since a client that was given a link waits for its user; one that was answered 401 has no such
/// page, and has to sign in anew.
#[must_use]
pub fn open_record(session: &str) -> String {
    format!("step-up/{session}")
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// The query cannot be read.
    Form(FormError),
    /// There is none, or it does not open.
    Invalid,
    /// It was made more than [`limits::LINK_LIFETIME`] ago.
    Expired,
    /// Its session has got what it was for.
    Used,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "{error}"),
            Self::Invalid => f.write_str("the link is none of ours"),
            Self::Expired => f.write_str("the link is too old"),
            Self::Used => f.write_str("the link was used before"),
        }
    }
}

impl core::error::Error for LinkError {}

impl LinkError {
    /// The answer. `correlation_id` is the request's own number.
    #[must_use]
    pub fn response(&self, correlation_id: &str) -> Response {
        let what = match self {
            Self::Form(_) | Self::Invalid => "This link is not one that this server made.",
            Self::Expired => "This link is too old.",
            Self::Used => "This link was used already.",
        };
        let advice =
            "Go back to your application and try again there. It gives you a new link if one is needed.";
        page::problem(400, what, advice, None, correlation_id)
    }
}

/// Whether a link can still be used, by the record under [`used_record`].
///
/// # Errors
///
/// [`LinkError::Used`].
pub fn check(record: Option<&[u8]>) -> Result<(), LinkError> {
    Progress::read(record).finish().map(drop).map_err(|_| LinkError::Used)
}

/// The purpose of a transaction that began with a link. Several can: a link is used once, however often it was opened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUp {
    #[serde(rename = "l")]
    link: Link,
    /// Digest of the sealed link.
    #[serde(rename = "d")]
    digest: String,
}

impl StepUp {
    /// What `sealed` holds.
    #[must_use]
    pub fn new(link: Link, sealed: &str) -> Self {
        Self { link, digest: secret::digest(sealed) }
    }

    /// The link.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }
}

impl Purpose for StepUp {
    fn is_sound(&self) -> bool {
        true
    }

    fn counted<'a>(&'a self, _: &'a str) -> &'a str {
        &self.digest
    }
}

/// The page that says what happens, for a transaction that asks; `client` is what is known of its application. That is named, since whoever has got hold of an access token can
/// be given a link too, and send it to the user. The shell sets the transaction's cookie with it. Nothing is done by opening it, since programs open links to
/// look at them.
///
/// # Errors
///
/// [`TransactionError::Phase`] if the transaction does not ask.
pub fn ask(
    transaction: &Transaction<StepUp>,
    client: Option<&Client>,
    settings: &Settings,
) -> Result<Response, TransactionError> {
    let mut main = "<h1>Microsoft wants more from you</h1>\n".to_owned();
    let _ = writeln!(
        main,
        "<p>A tool of <strong>{}</strong> that your application has just used needs more than you signed in with, for \
         example a second factor. Your organization’s policy says so.</p>\n<p>Microsoft asks you for it next. Sign in with the \
         same account as in your application, which gets no new permission by this.</p>",
        escape(host(&settings.resource))
    );
    main.push_str("<dl>\n");
    page::push_who(&mut main, transaction.client_id(), client);
    main.push_str("</dl>\n");
    main.push_str(
        "<p class=\"warning\">Only go on if you use this application and it has just sent you here. Did somebody send you this link? Close the \
         window.</p>\n",
    );
    page::push_decision(&mut main, transaction.id(), transaction.csrf()?, "Continue");
    Ok(page(200, "Microsoft wants more from you", &main))
}

/// The answer at the end. The cookie ends.
#[must_use]
pub fn done(transaction: &Transaction<StepUp>) -> Response {
    let main = "<h1>Done</h1>\n<p>Go back to your application, which can go on now. You can close this window.</p>\n";
    page(200, "Done", main).with_cookie(cookie::clear(&transaction.cookie_name()))
}

/// Why the session is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// The person left by the button of our page.
    Cancelled,
    /// Entra said no, or answered as somebody else.
    Declined,
    /// Somebody else came back.
    OtherUser,
    /// The session has no new tokens.
    Session(SessionFailure),
}

impl Undone {
    /// The answer. The cookie ends.
    #[must_use]
    pub fn response(self, transaction: &Transaction<StepUp>, correlation_id: &str) -> Response {
        let again =
            "Nothing was changed. Use the tool in your application again if you want to try once more.";
        let (status, what, advice) = match self {
            Self::Cancelled => (200, "You cancelled.", again),
            Self::Declined => (403, "Microsoft says that this was declined, or could not be done.", again),
            Self::OtherUser => (
                403,
                "You signed in with another account than the one of your application.",
                "Nothing was changed. Use the tool again, and sign in with the account that your application uses. If you did not \
                 start this yourself, close this window.",
            ),
            Self::Session(SessionFailure::Refused) => (
                403,
                "Microsoft did not confirm this, or your application was signed out meanwhile.",
                "Nothing was changed. Go back to your application. It asks you to sign in if it has to.",
            ),
            Self::Session(SessionFailure::TooMany) => {
                (429, "Too many sign-ins were refused.", "Wait a minute, then use the tool again.")
            }
            Self::Session(SessionFailure::Misconfigured | SessionFailure::Unavailable) => (
                503,
                "The server cannot do this now.",
                "Try again in a few minutes. If it stays so, tell this server’s operator the number below.",
            ),
        };
        let page = page::problem(status, what, advice, None, correlation_id);
        page.with_cookie(cookie::clear(&transaction.cookie_name()))
    }
}

#[cfg(test)]
#[path = "step_up_tests.rs"]
mod tests;
