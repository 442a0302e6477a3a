//! How an answer travels back to the client: query, fragment, or a form posted by the browser.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::page;
use crate::errors::{Refusal, Trace, no_store};

/// `response_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the query.
    Query,
    /// Behind `#`.
    Fragment,
    /// OAuth 2.0 Form Post Response Mode.
    FormPost,
}

/// A checked way back.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// As the client wrote it.
    pub(super) redirect_uri: String,
    pub(super) mode: Mode,
    pub(super) state: Option<String>,
}

impl Reply {
    /// Sends `answer`, with `state` added.
    pub(super) fn send(&self, mut answer: Vec<(&'static str, String)>) -> Response {
        if let Some(state) = &self.state {
            answer.push(("state", state.clone()));
        }
        let Ok(mut target) = Url::parse(&self.redirect_uri) else {
            // Registered URIs are URIs, but a test may have changed the registrations.
            return page::message("Redirect URI", "The redirect URI is not a URI.");
        };
        let encoded = || form_urlencoded::Serializer::new(String::new()).extend_pairs(&answer).finish();
        match self.mode {
            Mode::FormPost => return page::form_post(&target, &answer),
            Mode::Fragment => target.set_fragment(Some(&encoded())),
            Mode::Query => {
                target.query_pairs_mut().extend_pairs(&answer);
            }
        }
        let mut response = StatusCode::FOUND.into_response();
        if let Ok(location) = HeaderValue::from_str(target.as_str()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        no_store(response.headers_mut());
        response
    }

    /// Sends a refusal: `error`, `error_description`, `error_uri`.
    pub(super) fn refuse(&self, trace: &Trace, refusal: &Refusal, authority: &str) -> Response {
        let (code, error) = refusal.code();
        // `invalid_grant` has no place here; without a grant yet, consent is a matter of interaction.
        let error = match refusal {
            Refusal::NoConsent { .. } => "interaction_required",
            _ => error,
        };
        let mut answer = vec![("error", error.to_owned()), ("error_description", trace.describe(refusal))];
        if matches!(refusal, Refusal::ConsentDeclined) {
            answer.push(("error_subcode", "cancel".to_owned()));
        }
        answer.push(("error_uri", format!("{authority}/error?code={code}")));
        let mut response = self.send(answer);
        trace.mark(&mut response, refusal);
        response
    }
}
