//! The pages a person sees: accounts, consent, errors. Plain forms without script.
//!
//! The one script is that of `form_post`, which submits the form as Entra's page does; it is admitted by its hash,
//! and a button stands beside it. Every value from outside goes through [`text`].

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::request::Authorize;
use crate::errors::{Refusal, Trace, no_store};
use crate::registrations::{App, ExposedScope, Registrations, User};

const CSS: &str = include_str!("page.css");
const SUBMIT: &str = "document.forms[0].submit()";

/// Account choice: one button for each user of the realm.
pub(super) fn accounts(client: &App, request: &Authorize, all: &Registrations, query: &str) -> Response {
    let buttons: String = all
        .users
        .iter()
        .filter(|u| request.realm.admits(u.tenant))
        .map(|u| {
            format!(
                "<button name=\"account\" value=\"{}\"><span class=\"face\" aria-hidden=\"true\">{}</span>\
                 <span><b>{}</b><br><small>{}</small></span></button>",
                u.id,
                text(u.display_name.get(..1).unwrap_or_default()),
                text(&u.display_name),
                text(&u.user_principal_name),
            )
        })
        .collect();
    let body = format!(
        "<h1>Pick an account</h1><p>to continue to <b>{}</b></p>{}<div class=\"accounts\">{buttons}</div></form>",
        text(&client.name),
        form_start(request, query),
    );
    document("Sign in", &body, Some(&request.reply.redirect_uri))
}

/// Consent: who asks for what, Accept or Cancel.
pub(super) fn consent(
    client: &App,
    request: &Authorize,
    user: &User,
    missing: &[(&App, &ExposedScope)],
    query: &str,
) -> Response {
    let mut wants: String = missing
        .iter()
        .map(|(api, s)| {
            format!(
                "<li>{}<br><small>{} &middot; <code>{}</code></small></li>",
                text(&s.description),
                text(&api.name),
                text(&s.value),
            )
        })
        .collect();
    if request.ask.has("openid") || request.ask.has("profile") {
        wants
            .push_str("<li>Sign you in and see your name<br><small><code>openid profile</code></small></li>");
    }
    if request.ask.has("offline_access") {
        wants.push_str(
            "<li>Keep access while you are away<br><small><code>offline_access</code></small></li>",
        );
    }
    let body = format!(
        "<p class=\"who\">{}</p><h1>Permissions requested</h1><p><b>{}</b><br><small>App id <code>{}</code></small></p>\
         <p>This app would like to:</p><ul>{wants}</ul>{}\
         <input type=\"hidden\" name=\"account\" value=\"{}\"><div class=\"buttons\">\
         <button name=\"decision\" value=\"cancel\">Cancel</button>\
         <button class=\"main\" name=\"decision\" value=\"accept\">Accept</button></div></form>",
        text(&user.user_principal_name),
        text(&client.name),
        client.client_id,
        form_start(request, query),
        user.id,
    );
    document("Permissions requested", &body, Some(&request.reply.redirect_uri))
}

/// A refusal that must not be redirected. Status 400.
pub(super) fn refusal(trace: &Trace, refusal: &Refusal) -> Response {
    let described = trace.describe(refusal);
    let body =
        format!("<h1>Sorry, but we cannot sign you in</h1><p class=\"error\">{}</p>", text(&described));
    let mut response = document("Error", &body, None);
    *response.status_mut() = StatusCode::BAD_REQUEST;
    trace.mark(&mut response, refusal);
    response
}

/// A heading and a sentence.
pub(super) fn message(title: &str, sentence: &str) -> Response {
    document(title, &format!("<h1>{}</h1><p>{}</p>", text(title), text(sentence)), None)
}

/// The answer to the client, posted by the browser.
pub(super) fn form_post(target: &Url, answer: &[(&'static str, String)]) -> Response {
    let fields: String = answer
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", text(value)))
        .collect();
    let body = format!(
        "<form method=\"post\" action=\"{}\">{fields}<div class=\"buttons\"><button class=\"main\">Continue</button>\
         </div></form><script>{SUBMIT}</script>",
        text(target.as_str()),
    );
    document("Working", &body, Some(target.as_str()))
}

fn form_start(request: &Authorize, query: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/{}/oauth2/v2.0/authorize/continue\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\">",
        text(&request.realm.segment),
        text(query),
    )
}

/// A whole page. `form_target`: browsers apply `form-action` to the redirect after a form as well, so the client's
/// origin must be allowed, or the last click would be blocked.
fn document(title: &str, body: &str, form_target: Option<&str>) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{CSS}</style></head>\
         <body><main>{body}</main><footer>Entra emulator: this is not Microsoft</footer></body></html>",
        text(title),
    );
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    no_store(headers);
    if let Ok(policy) = HeaderValue::from_str(&policy(form_target)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn policy(form_target: Option<&str>) -> String {
    static HASHES: LazyLock<(String, String)> = LazyLock::new(|| {
        let hash = |s: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(s)));
        (hash(CSS), hash(SUBMIT))
    });
    let (style, script) = &*HASHES;
    let target = form_target.and_then(|t| Url::parse(t).ok()).map(|url| match url.host_str() {
        Some(host) if matches!(url.scheme(), "http" | "https") => {
            let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
            format!(" {}://{host}{port}", url.scheme())
        }
        _ => format!(" {}:", url.scheme()),
    });
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; form-action 'self'{}; \
         frame-ancestors 'none'; base-uri 'none'",
        target.unwrap_or_default(),
    )
}

/// Text that cannot leave its element or attribute.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(text("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
    }

    #[test]
    fn the_policy_admits_the_clients_origin_only() {
        assert!(
            policy(Some("http://localhost:1234/cb?x=1"))
                .contains("form-action 'self' http://localhost:1234;")
        );
        assert!(policy(None).contains("form-action 'self';"));
    }
}
