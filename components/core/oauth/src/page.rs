//! The pages that a person sees. Semantic HTML without script; what strangers wrote is escaped, and their claims are called claims.

use std::fmt::Write as _;

use crate::authorize::AuthorizeError;
use crate::client::{Client, ClientError, Origin};
use crate::document::DocumentUrl;
use crate::html::{escape, page, page_with_head};
use crate::http::Response;
use crate::redirect::Kind;
use crate::route;
use crate::settings::Settings;
use crate::transaction::{Transaction, TransactionError};

/// What a client without a name is called.
pub(crate) const UNNAMED: &str = "An application";

/// The consent page, for a transaction that asks. The shell sets the transaction's cookie with it.
///
/// # Errors
///
/// [`TransactionError::Phase`] if the transaction does not ask.
pub fn consent(
    client: &Client,
    transaction: &Transaction,
    settings: &Settings,
) -> Result<Response, TransactionError> {
    let redirect = transaction.redirect();
    let name = client.name.as_deref().unwrap_or(UNNAMED);
    let mut main = format!("<h1>Allow {} to act for you?</h1>\n", escape(name));
    let _ = writeln!(
        main,
        "<p>{} wants to use the tools of <strong>{}</strong> with your Microsoft account. Microsoft asks you \
         to sign in next, if you have not done so yet.</p>",
        escape(name),
        escape(host(&settings.resource))
    );
    main.push_str("<dl>\n");
    let _ = writeln!(main, "<dt>Who asks</dt><dd>{}</dd>", identity(client));
    let place = match redirect.kind() {
        Kind::Web => format!("<strong>{}</strong>", escape(redirect.origin())),
        Kind::Loopback | Kind::PrivateScheme => {
            format!("a program on this computer (<code>{}</code>)", escape(redirect.origin()))
        }
    };
    let _ = writeln!(main, "<dt>Where the answer goes</dt><dd>{place}</dd>");
    main.push_str("<dt>What it may use</dt><dd><ul>");
    for scope in transaction.scopes() {
        let _ = write!(main, "<li><code>{}</code></li>", escape(scope));
    }
    main.push_str("</ul></dd>\n</dl>\n");
    if let Some(warning) = warning(client, redirect.kind()) {
        let _ = writeln!(main, "<p class=\"warning\">{warning}</p>");
    }
    push_decision(&mut main, transaction.id(), transaction.csrf()?, "Allow");
    Ok(page(200, "Allow access", &main))
}

/// The form by which a person goes on or cancels; `csrf` is its token.
pub(crate) fn push_decision(main: &mut String, transaction: &str, csrf: &str, go_on: &str) {
    let _ = write!(
        main,
        "<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"transaction\" value=\"{}\">\n\
         <input type=\"hidden\" name=\"csrf\" value=\"{}\">\n\
         <button class=\"primary\" name=\"decision\" value=\"allow\">{go_on}</button>\n\
         <button name=\"decision\" value=\"deny\">Cancel</button>\n</form>\n",
        route::CONSENT,
        escape(transaction),
        escape(csrf)
    );
}

/// Who the client is, by what is known for sure.
pub(crate) fn identity(client: &Client) -> String {
    let id = escape(&client.id);
    match (client.origin, DocumentUrl::parse(&client.id)) {
        (Origin::Document, Ok(url)) => format!("<strong>{}</strong> (<code>{id}</code>)", escape(url.host())),
        (Origin::Configured, _) => format!("<code>{id}</code>, which this server's operator set up"),
        _ => "an application that registered itself; nobody has checked its name".to_owned(),
    }
}

/// An application that the person permitted before, in two lines of a list: its name, and what is known for sure, in the words of the page on which it was allowed, and
/// always its id: names are claims, and two can have one. An application that is not configured or registered any more has nothing else.
pub(crate) fn push_who(main: &mut String, id: &str, client: Option<&Client>) {
    let name = client.and_then(|client| client.name.as_deref()).unwrap_or(UNNAMED);
    let plain = format!("<code>{}</code>", escape(id));
    let who = match client {
        None => plain,
        Some(client) if client.origin == Origin::Registered => format!("{plain}, {}", identity(client)),
        Some(client) => identity(client),
    };
    let _ = write!(main, "<dt>Application</dt><dd>{}</dd>\n<dt>Who it is</dt><dd>{who}</dd>\n", escape(name));
}

/// What a person should think of before saying yes.
fn warning(client: &Client, kind: Kind) -> Option<&'static str> {
    match (kind, client.origin) {
        (Kind::Web, Origin::Configured) => None,
        (Kind::Web, _) => Some(
            "Only allow this if you have just started it yourself and know the address where the answer goes. \
             The name is the application’s own claim.",
        ),
        _ => Some(
            "Any program on this computer can ask like this. Only allow it if you have just started signing in \
             from a program that you trust.",
        ),
    }
}

/// Host and port of one of our own URLs.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// A page that goes on to `location` by itself, and by a link. It ends a chain of redirections that began with a form, to which the policy of the
/// form's page would apply.
#[must_use]
pub fn onward(location: &str) -> Response {
    let location = escape(location);
    let head = format!("<meta http-equiv=\"refresh\" content=\"0;url={location}\">\n");
    let main = format!(
        "<h1>One moment</h1>\n<p>You are being taken on. <a href=\"{location}\">Continue</a> if nothing happens.</p>\n"
    );
    page_with_head(200, "One moment", &head, &main)
}

/// An authorization request that is refused, with a link to the client where there is one.
#[must_use]
pub fn authorize_error(error: &AuthorizeError, back: Option<&str>, correlation_id: &str) -> Response {
    let (status, what, advice) = match error {
        AuthorizeError::Client(ClientError::RedirectUnknown { .. }) => (
            400,
            "The application asked for the answer at an address that it has not registered.",
            "For your safety nothing was sent there. Tell the application’s developer, or this server’s operator.",
        ),
        AuthorizeError::Client(ClientError::Unknown { .. }) => (
            400,
            "This server does not know the application.",
            "If it worked before, remove the connection in the application and add it again. Otherwise ask this \
             server’s operator to allow it.",
        ),
        AuthorizeError::Client(ClientError::DocumentsOff | ClientError::DocumentHost { .. }) => {
            (403, "This server’s operator has not allowed the application.", "Ask the operator to add it.")
        }
        AuthorizeError::Document(_) | AuthorizeError::DocumentUnavailable(_) => (
            502,
            "The application’s description could not be read.",
            "Try again in a few minutes. If it stays so, tell the application’s developer.",
        ),
        AuthorizeError::Client(_) | AuthorizeError::Form(_) => (
            400,
            "The application’s request cannot be read.",
            "Start again from the application. If it happens again, tell its developer.",
        ),
        _ => (
            400,
            "The application asked for something that this server does not do.",
            "Tell the application’s developer.",
        ),
    };
    problem(status, what, advice, back, correlation_id)
}

/// A transaction that cannot go on.
#[must_use]
pub(crate) fn transaction_error(error: &TransactionError, correlation_id: &str) -> Response {
    let (status, what, advice) = match error {
        TransactionError::Expired { .. } => {
            (400, "Signing in took too long.", "Go back to your application and start again.")
        }
        TransactionError::Attempts { .. } => {
            (400, "Signing in took too many attempts.", "Go back to your application and start again.")
        }
        TransactionError::NoCookie | TransactionError::Foreign => (
            403,
            "This sign-in was not begun in this browser, or is finished already.",
            "Go back to your application and start again, and stay in one browser. Cookies have to be allowed for this \
             address.",
        ),
        TransactionError::Phase => (
            400,
            "This step was taken already.",
            "Look into your application, which may be signed in. If not, start again from there.",
        ),
        TransactionError::State | TransactionError::Csrf => (
            403,
            "This page does not belong to your sign-in.",
            "Go back to your application and start again. If you did not start a sign-in, close this window.",
        ),
    };
    problem(status, what, advice, None, correlation_id)
}

/// A form that is none of our page's.
#[must_use]
pub(crate) fn form_error(correlation_id: &str) -> Response {
    let advice =
        "Go back to your application and start again. If you did not start anything, close this window.";
    problem(403, "The form did not come from this server’s page.", advice, None, correlation_id)
}

/// An answer of Entra that is none.
#[must_use]
pub(crate) fn callback_error(correlation_id: &str) -> Response {
    let advice = "Go back to your application and start again.";
    problem(400, "This is no answer to a sign-in of this server.", advice, None, correlation_id)
}

/// An address from which too much was refused.
#[must_use]
pub(crate) fn too_many(correlation_id: &str) -> Response {
    let advice = "Wait a minute, then go back to your application and start again.";
    problem(429, "Too many requests from your address were refused.", advice, None, correlation_id)
}

/// Something of ours that failed, where no client can be told.
#[must_use]
pub fn server_error(correlation_id: &str) -> Response {
    let advice = "Try again in a few minutes. If it stays so, tell this server’s operator the number below.";
    problem(503, "The server cannot do this now.", advice, None, correlation_id)
}

/// What happened, what to do, and the number by which an operator finds it.
pub(crate) fn problem(
    status: u16,
    what: &str,
    advice: &str,
    back: Option<&str>,
    correlation_id: &str,
) -> Response {
    let mut main = format!("<h1>Signing in did not work</h1>\n<p>{what}</p>\n<p>{advice}</p>\n");
    if let Some(back) = back {
        let origin = crate::uri::Uri::parse(back).map(|uri| uri.origin()).unwrap_or_default();
        let _ = writeln!(
            main,
            "<p>The application’s address is <a rel=\"noreferrer\" href=\"{}\">{}</a>. Only go there if you know it.</p>",
            escape(back),
            escape(&origin)
        );
    }
    let _ = writeln!(
        main,
        "<p class=\"small\">Number of this request: <code>{}</code></p>",
        escape(correlation_id)
    );
    page(status, "Signing in did not work", &main)
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
