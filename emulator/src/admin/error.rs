//! Errors of the admin API, and the reading of bodies that makes most of them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::faults::RowError;
use crate::journal::Verdict;

/// Why the admin API did not do it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AdminError {
    #[error("a web page of another origin ({0}) must not do this")]
    Origin(String),
    #[error("the content type must be application/json")]
    ContentType,
    #[error("this path does not take this method")]
    Method,
    #[error("there is no such path in the admin API")]
    NoSuchPath,
    #[error("{message}")]
    Invalid { field: String, message: String },
    #[error("{message}")]
    NotFound { field: &'static str, message: String },
    #[error("{message}")]
    Conflict { field: &'static str, message: String },
    #[error("{0}")]
    Failed(String),
}

impl AdminError {
    /// A field with an impossible value.
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.to_owned(), message: message.into() }
    }

    fn parts(&self) -> (StatusCode, &'static str, Option<&str>) {
        match self {
            Self::Origin(_) => (StatusCode::FORBIDDEN, "foreign_origin", None),
            Self::ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", None),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method", None),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "no_such_path", None),
            Self::Invalid { field, .. } => (StatusCode::BAD_REQUEST, "invalid", Some(field)),
            Self::NotFound { field, .. } => (StatusCode::NOT_FOUND, "not_found", Some(field)),
            Self::Conflict { field, .. } => (StatusCode::CONFLICT, "conflict", Some(field)),
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed", None),
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (status, code, field) = self.parts();
        let body = json!({ "error": { "code": code, "field": field, "message": self.to_string() } });
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(Verdict { code: code.to_owned(), correlation_id: None });
        response
    }
}

impl From<RowError> for AdminError {
    fn from(error: RowError) -> Self {
        Self::invalid(error.key, error.message)
    }
}

/// A JSON body; nothing counts as `{}`.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AdminError> {
        let body =
            Bytes::from_request(request, state).await.map_err(|e| AdminError::invalid("", e.body_text()))?;
        read(&body).map(Self)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AdminError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json)
        .map_err(|e| AdminError::invalid(&e.path().to_string(), e.inner().to_string()))?;
    json.end().map_err(|e| AdminError::invalid("", e.to_string()))?;
    Ok(read)
}

/// The value of a field that must be there.
pub(super) fn need<T>(field: &str, value: Option<T>) -> Result<T, AdminError> {
    value.ok_or_else(|| AdminError::invalid(field, format!("{field} is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Body {
        number: Option<u32>,
    }

    #[test]
    fn fields_are_named() {
        let field = |text: &str| match read::<Body>(text.as_bytes()) {
            Err(AdminError::Invalid { field, .. }) => field,
            other => format!("{other:?}"),
        };
        assert_eq!(field("{\"number\":\"one\"}"), "number");
        assert_eq!(field("{\"colour\":1}"), "colour");
        assert_eq!(field("{\"number\":1} {}"), "");
        assert!(read::<Body>(b"").is_ok());
    }
}
