//! Signing out by a page: all sessions of the user whom this browser knows end, with every application, and all permissions are forgotten.

use core::fmt;
use std::fmt::Write as _;

use crate::account::Account;
use crate::cookie;
use crate::form::{Form, FormError};
use crate::html::{escape, page};
use crate::http::{ForeignForm, Response, check_same_origin};
use crate::route;
use crate::secret;
use crate::settings::Settings;
use crate::user::{self, User};

/// Why the form is refused. Nothing is ended by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOutError {
    /// Posted by a page of another site.
    Foreign(ForeignForm),
    /// The body cannot be read, or is no form.
    Unreadable(FormError),
    /// The form's token is not the page's.
    Csrf,
    /// The browser has no cookie that opens, so nobody is known here.
    Nobody,
}

impl fmt::Display for SignOutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(error) => write!(f, "{error}"),
            Self::Unreadable(error) => write!(f, "{error}"),
            Self::Csrf => f.write_str("the form's token is not the one of the page"),
            Self::Nobody => f.write_str("the browser has no cookie of a user"),
        }
    }
}

impl core::error::Error for SignOutError {}

impl SignOutError {
    /// The answer. `correlation_id` is the request's own number.
    #[must_use]
    pub fn response(&self, correlation_id: &str) -> Response {
        match self {
            Self::Nobody => done(),
            _ => crate::page::form_error(correlation_id),
        }
    }
}

/// The form's token. It follows from the value of the user's cookie, which no other site and no script can read.
fn csrf(cookie_value: &str) -> String {
    secret::digest(&format!("sign-out\n{cookie_value}"))
}

/// The page that asks. `known` is the user of the cookie, their account, and the cookie's sealed value.
#[must_use]
pub fn ask(known: Option<(&User, &Account, &str)>) -> Response {
    let Some((user, account, cookie_value)) = known else {
        return page(
            200,
            "Sign out",
            "<h1>Nobody is signed in here</h1>\n<p>There is nothing to end in this browser.</p>\n",
        );
    };
    let mut main =
        format!("<h1>Sign out {}?</h1>\n", escape(user.name.as_deref().unwrap_or("of all applications")));
    main.push_str("<p>All applications that use this server with your account lose access at once, on every device.</p>\n<dl>\n");
    let _ = writeln!(main, "<dt>Sessions</dt><dd>{}</dd>", account.sessions().len());
    main.push_str("<dt>Applications that you allowed</dt><dd><ul>");
    for consent in account.consents() {
        let (client, audience) = (escape(&consent.client_id), escape(&consent.audience));
        let _ = write!(
            main,
            "<li><code>{client}</code>, answered at {audience}: {}</li>",
            escape(&consent.scopes.join(", "))
        );
    }
    if account.consents().is_empty() {
        main.push_str("<li>none</li>");
    }
    let _ = write!(
        main,
        "</ul></dd>\n</dl>\n<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"csrf\" value=\"{}\">\n\
         <button class=\"primary\">Sign out everywhere</button>\n</form>\n",
        route::SIGN_OUT,
        csrf(cookie_value)
    );
    page(200, "Sign out", &main)
}

/// Checks the posted form. `cookie_value` is the sealed value of the user's cookie, if that opens.
///
/// # Errors
///
/// [`SignOutError`].
pub fn check(
    content_type: Option<&str>,
    body: &[u8],
    origin: Option<&str>,
    sec_fetch_site: Option<&str>,
    cookie_value: Option<&str>,
    settings: &Settings,
) -> Result<(), SignOutError> {
    check_same_origin(&settings.issuer, origin, sec_fetch_site).map_err(SignOutError::Foreign)?;
    let cookie_value = cookie_value.ok_or(SignOutError::Nobody)?;
    let form = Form::post(content_type, body).map_err(SignOutError::Unreadable)?;
    match form.get("csrf") {
        Some(found) if secret::equal(found, &csrf(cookie_value)) => Ok(()),
        _ => Err(SignOutError::Csrf),
    }
}

/// The page after it, which also ends the cookie.
#[must_use]
pub fn done() -> Response {
    let main = "<h1>Signed out</h1>\n<p>All sessions with this server have ended and your permissions are forgotten. You may still be \
                signed in at Microsoft.</p>\n";
    page(200, "Signed out", main).with_cookie(cookie::clear(user::COOKIE))
}

#[cfg(test)]
#[path = "sign_out_tests.rs"]
mod tests;
