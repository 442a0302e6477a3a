//! A whole page and the headers it is sent with: no script, no frame, nothing from elsewhere.
//!
//! The one script is that of `form_post`, which submits the form as Entra's page does; it is admitted by its hash,
//! and a button stands beside it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{Markup, html};
use crate::errors::no_store;

/// A card in the middle of the window: sign-in, messages.
const CARD: &str = concat!(include_str!("base.css"), include_str!("card.css"));

/// A page of the window's width.
const BOARD: &str = concat!(include_str!("base.css"), include_str!("board.css"));

const SUBMIT: &str = "document.forms[0].submit()";

/// A page to be sent.
pub(crate) struct Document<'a> {
    title: &'a str,
    style: &'static str,
    body: Markup,
    status: StatusCode,
    form_target: Option<&'a str>,
    scripted: bool,
}

impl<'a> Document<'a> {
    /// A card. `title` is the window's.
    pub(crate) fn card(title: &'a str, body: Markup) -> Self {
        let body =
            html!("<main>{}</main><footer>Entra emulator &middot; this is not Microsoft</footer>", body);
        Self { title, style: CARD, body, status: StatusCode::OK, form_target: None, scripted: false }
    }

    /// A page of the window's width.
    pub(crate) fn board(title: &'a str, body: Markup) -> Self {
        Self { title, style: BOARD, body, status: StatusCode::OK, form_target: None, scripted: false }
    }

    /// Browsers apply `form-action` to the redirect after a form as well, so the client's origin must be allowed, or the
    /// last click would be blocked.
    pub(crate) fn leading_to(mut self, target: Option<&'a str>) -> Self {
        self.form_target = target;
        self
    }

    /// With another status than 200.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The answer.
    pub(crate) fn send(self) -> Response {
        let page = html!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{}</style></head>\
             <body>{}</body></html>",
            self.title,
            Markup::made(self.style.to_owned()),
            self.body,
        );
        let mut response = (self.status, axum::response::Html(page.into_string())).into_response();
        let headers = response.headers_mut();
        no_store(headers);
        if let Ok(policy) = HeaderValue::from_str(&policy(self.style, self.form_target, self.scripted)) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

/// The answer to a client, posted by the browser (OAuth 2.0 Form Post Response Mode).
pub(crate) fn form_post(target: &Url, answer: &[(&'static str, String)]) -> Response {
    let fields: Markup = answer
        .iter()
        .map(|(name, value)| html!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", name, value))
        .collect();
    let body = html!(
        "<h1>One moment</h1><p>Your answer goes back to the application.</p>\
         <form method=\"post\" action=\"{}\">{}<div class=\"buttons\"><button class=\"main\">Continue</button>\
         </div></form><script>{}</script>",
        target.as_str(),
        fields,
        Markup::made(SUBMIT.to_owned()),
    );
    let mut document = Document::card("Working", body).leading_to(Some(target.as_str()));
    document.scripted = true;
    document.send()
}

fn policy(style: &str, form_target: Option<&str>, scripted: bool) -> String {
    let hash = |s: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(s)));
    let script = if scripted { hash(SUBMIT) } else { "'none'".to_owned() };
    let target = form_target.and_then(|t| Url::parse(t).ok()).map(|url| match url.host_str() {
        Some(host) if matches!(url.scheme(), "http" | "https") => {
            let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
            format!(" {}://{host}{port}", url.scheme())
        }
        _ => format!(" {}:", url.scheme()),
    });
    format!(
        "default-src 'none'; style-src {}; script-src {script}; form-action 'self'{}; frame-ancestors 'none'; \
         base-uri 'none'",
        hash(style),
        target.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_admits_the_clients_origin_only() {
        let policy = |target| policy(CARD, target, false);
        assert!(
            policy(Some("http://localhost:1234/cb?x=1"))
                .contains("form-action 'self' http://localhost:1234;")
        );
        assert!(policy(Some("msal7e57://auth")).contains("form-action 'self' msal7e57:;"));
        assert!(policy(None).contains("form-action 'self';"));
        assert!(policy(None).contains("script-src 'none';"));
    }
}
