//! How a page is put together: one frame, one style sheet, no script, everything escaped.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::http::Response;

/// The style sheet of all pages. The policy allows it by its digest.
const STYLE: &str = include_str!("style.css");

/// A text as it may stand between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A page with what is between `<main>` and `</main>`, in which everything is escaped already.
pub(crate) fn page(status: u16, title: &str, main: &str) -> Response {
    page_with_head(status, title, "", main)
}

/// The same with more in its head.
pub(crate) fn page_with_head(status: u16, title: &str, head: &str, main: &str) -> Response {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{head}<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{main}</main>\n</body>\n</html>\n",
        escape(title)
    );
    Response { status, headers: headers(), body }
}

/// What each page says to the browser.
///
/// `form-action 'self'` holds for redirections after a form too, so no form is answered with one: [`crate::page::onward`] stands between, and it does not
/// matter by which further servers a company's sign-in leads.
fn headers() -> Vec<(&'static str, String)> {
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    vec![
        ("content-type", "text/html; charset=utf-8".to_owned()),
        ("content-security-policy", policy),
        ("x-frame-options", "DENY".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        // Not `no-referrer`: with that browsers send `Origin: null` with our own forms (Fetch, section 3.2).
        ("referrer-policy", "same-origin".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(escape("plain"), "plain");
        assert_eq!(escape("<a href='x' b=\"y\">&"), "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;");
    }

    #[test]
    fn a_page_loads_nothing_and_is_framed_by_nobody() {
        let page = page(200, "A & B", "<p>x</p>\n");
        assert!(page.body.contains("<title>A &amp; B</title>"));
        let policy = &page.headers.iter().find(|(name, _)| *name == "content-security-policy").unwrap().1;
        let style = page.body.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
        assert_eq!(
            *policy,
            format!(
                "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; \
                 base-uri 'none'"
            )
        );
        for forbidden in ["<script", "style=", "onclick", "http://", "https://"] {
            assert!(!page.body.contains(forbidden), "{forbidden}");
        }
    }
}
