//! The page on which a user sees what has access in their name, and ends it: for one application, or for all at once.
//!
//! The user is the one whom this browser knows by its cookie. That is enough to end things, and for nothing else.

use core::fmt;
use std::fmt::Write as _;

use crate::account::Account;
use crate::client::Client;
use crate::cookie;
use crate::form::{Form, FormError};
use crate::html::{escape, page};
use crate::http::{ForeignForm, Response, check_same_origin};
use crate::page::push_who;
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
            Self::Nobody => ask(None),
            _ => crate::page::form_error(correlation_id),
        }
    }
}

/// The form's token. It follows from the value of the user's cookie, which no other site and no script can read.
fn csrf(cookie_value: &str) -> String {
    secret::digest(&format!("sign-out\n{cookie_value}"))
}

/// Who is known here, and what of them.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The user of the cookie.
    pub user: &'a User,
    /// Their account.
    pub account: &'a Account,
    /// Those of [`Account::clients`] of which more is known than the id.
    pub clients: &'a [Client],
    /// The cookie's sealed value.
    pub cookie_value: &'a str,
}

/// The page.
#[must_use]
pub fn ask(known: Option<Known<'_>>) -> Response {
    let Some(Known { user, account, clients, cookie_value }) = known else {
        let main = "<h1>Nobody is signed in here</h1>\n<p>There is nothing to end in this browser.</p>\n";
        return page(200, "Sign out", main);
    };
    let csrf = csrf(cookie_value);
    let mut main = format!("<h1>Sign out {}?</h1>\n", escape(user.name.as_deref().unwrap_or("everywhere")));
    main.push_str("<p>These applications use this server with your Microsoft account. What you end loses access at once, on every device.</p>\n");
    for id in account.clients() {
        let client = clients.iter().find(|client| client.id == id);
        push_client(&mut main, account, id, client, &csrf);
    }
    push_form(&mut main, &csrf, "", "<button class=\"primary\">Sign out everywhere</button>");
    page(200, "Sign out", &main)
}

/// What one application may do, and the button that ends it.
fn push_client(main: &mut String, account: &Account, id: &str, client: Option<&Client>, csrf: &str) {
    let sessions = account.sessions().iter().filter(|kept| kept.client_id == id).count();
    main.push_str("<dl>\n");
    push_who(main, id, client);
    for consent in account.consents().iter().filter(|consent| consent.client_id == id) {
        let (audience, scopes) = (escape(&consent.audience), consent.scopes.join(", "));
        let _ = writeln!(main, "<dt>Allowed, answered at {audience}</dt><dd>{}</dd>", escape(&scopes));
    }
    let _ = writeln!(main, "<dt>Sessions</dt><dd>{sessions}</dd>");
    let field = format!("<input type=\"hidden\" name=\"client\" value=\"{}\">\n", escape(id));
    push_form(main, csrf, &field, "<button>End and forget</button>");
    main.push_str("</dl>\n");
}

fn push_form(main: &mut String, csrf: &str, field: &str, button: &str) {
    let _ = write!(
        main,
        "<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">\n{field}{button}\n</form>\n",
        route::SIGN_OUT
    );
}

/// What is to be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// All sessions, and all permissions: [`Account::sessions`] are ended, the account's record is deleted, the answer is [`done`].
    Everywhere,
    /// Those of one client: [`Account::withdraw`], the answer is [`withdrawn`].
    Client(String),
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
) -> Result<Wish, SignOutError> {
    check_same_origin(&settings.issuer, origin, sec_fetch_site).map_err(SignOutError::Foreign)?;
    let cookie_value = cookie_value.ok_or(SignOutError::Nobody)?;
    let form = Form::post(content_type, body).map_err(SignOutError::Unreadable)?;
    match form.get("csrf") {
        Some(found) if secret::equal(found, &csrf(cookie_value)) => {}
        _ => return Err(SignOutError::Csrf),
    }
    Ok(form.get("client").map_or(Wish::Everywhere, |client| Wish::Client(client.to_owned())))
}

/// The answer after one client was ended: the page again.
#[must_use]
pub fn withdrawn() -> Response {
    Response::redirect(route::SIGN_OUT.to_owned())
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
