//! The pages around a device's sign-in: entering the code, and the two ends.

use axum::http::StatusCode;
use axum::response::Response;

use crate::html::{Document, html};
use crate::registrations::App;

/// Where the forms go.
pub(super) fn action(tenant: &str) -> String {
    format!("/{tenant}/oauth2/deviceauth")
}

/// Entering the code; `wrong` says what was wrong with the last one.
pub(super) fn enter(tenant: &str, code: &str, wrong: Option<&str>) -> Response {
    let said = wrong.map(|text| html!("<p class=\"error\" role=\"alert\">{}</p>", text)).unwrap_or_default();
    let body = html!(
        "<h1>Enter code</h1><p>Enter the code shown by your application or device.</p>{}\
         <form method=\"post\" action=\"{}\"><label for=\"code\">Code</label>\
         <input id=\"code\" class=\"code\" name=\"user_code\" value=\"{}\" maxlength=\"16\" autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\" autofocus>\
         <div class=\"buttons\"><button class=\"main\">Next</button></div></form>",
        said,
        action(tenant),
        code,
    );
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Document::card("Enter code", body).status(status).send()
}

/// The person agreed.
pub(super) fn approved(client: &App) -> Response {
    let body = html!(
        "<h1>You are signed in</h1><p>You have signed in to <b>{}</b> on your device. You may now close this window.</p>",
        client.name
    );
    Document::card("Signed in", body).send()
}

/// The person declined.
pub(super) fn declined(client: &App) -> Response {
    let body = html!(
        "<h1>You declined</h1><p>Nobody was signed in to <b>{}</b>. You may now close this window.</p>",
        client.name
    );
    Document::card("Declined", body).send()
}
