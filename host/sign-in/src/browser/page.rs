//! The pages that a person sees at the end of a sign-in. No script, nothing loaded, every foreign text escaped.

use hyper::StatusCode;

/// Nothing but the style in the page; in no frame.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// What there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    /// Done.
    SignedIn {
        /// Who, as they know themselves.
        name: Option<String>,
    },
    /// Not done.
    Failed {
        /// Why, in one line.
        why: String,
    },
    /// Nothing has come yet.
    Waiting,
    /// What came belongs to another sign-in.
    NotOurs,
}

impl Page {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::SignedIn { .. } | Self::Waiting => StatusCode::OK,
            Self::Failed { .. } | Self::NotOurs => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn html(&self) -> String {
        let (title, text) = match self {
            Self::SignedIn { name: Some(name) } => (
                "You are signed in",
                format!("Signed in as {name}. You can close this window and go back to your work."),
            ),
            Self::SignedIn { name: None } => {
                ("You are signed in", "You can close this window and go back to your work.".to_owned())
            }
            Self::Failed { why } => {
                ("You are not signed in", format!("{why}. You can close this window and try again."))
            }
            Self::Waiting => ("Waiting for your sign-in", "Finish it in the other window.".to_owned()),
            Self::NotOurs => (
                "Nothing to do here",
                "This answer belongs to no sign-in that is going on. You can close this window.".to_owned(),
            ),
        };
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
             <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1rem}}</style></head>\
             <body><main><h1>{title}</h1><p>{}</p></main></body></html>\n",
            escaped(&text)
        )
    }
}

/// Text that is no markup (HTML standard, section 13.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_text() {
        let html = Page::Failed { why: "<script>alert('1')</script>&\"".to_owned() }.html();
        assert!(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }
}
