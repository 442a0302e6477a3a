//! How an answer travels back to the client: query, fragment, or a form posted by the browser.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use crate::errors::{Refusal, Trace, no_store};
use crate::html::form_post;
use crate::sign_in::{Prompt, pages};

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
    /// Sends `answer`, with `state` added. A bare host gets its trailing slash from the URL parser, as Entra does it.
    pub(super) fn send(&self, mut answer: Vec<(&'static str, String)>) -> Response {
        if let Some(state) = &self.state {
            answer.push(("state", state.clone()));
        }
        let Ok(mut target) = Url::parse(&self.redirect_uri) else {
            // Registered URIs are URIs, but a test may have changed the registrations.
            return pages::message("Redirect URI", "The redirect URI is not a URI.");
        };
        let encoded = || form_urlencoded::Serializer::new(String::new()).extend_pairs(&answer).finish();
        match self.mode {
            Mode::FormPost => return form_post(&target, &answer),
            Mode::Fragment => target.set_fragment(Some(&encoded())),
            Mode::Query => {
                target.query_pairs_mut().extend_pairs(&answer);
            }
        }
        redirect(&target)
    }

    /// Sends a refusal: `error`, `error_description`, `error_uri`, and `claims` where a policy wants more.
    pub(super) fn refuse(
        &self,
        trace: &Trace,
        refusal: &Refusal,
        prompt: Prompt,
        authority: &str,
    ) -> Response {
        let error = error(refusal, prompt);
        let mut answer = vec![("error", error.to_owned()), ("error_description", trace.describe(refusal))];
        if matches!(refusal, Refusal::ConsentDeclined) {
            answer.push(("error_subcode", "cancel".to_owned()));
        }
        answer.push(("error_uri", format!("{authority}/error?code={}", refusal.code().0)));
        if let Some(claims) = refusal.claims() {
            answer.push(("claims", claims.to_owned()));
        }
        let mut response = self.send(answer);
        trace.mark(&mut response, refusal);
        response
    }
}

/// The `error` of this endpoint. `invalid_grant` has no place here: without a grant yet, what a person could do is
/// `interaction_required` (OpenID Connect Core section 3.1.2.6), and what nobody can do is `access_denied`.
fn error(refusal: &Refusal, prompt: Prompt) -> &'static str {
    match (refusal, refusal.code().1) {
        (Refusal::PolicyBlock { .. } | Refusal::AdminConsentNeeded(_) | Refusal::NotAssigned { .. }, _)
            if prompt == Prompt::None =>
        {
            "interaction_required"
        }
        (_, "invalid_grant") => "interaction_required",
        (_, error) => error,
    }
}

/// 302, not to be stored.
pub(super) fn redirect(target: &Url) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(target.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    no_store(response.headers_mut());
    response
}
