//! Why a managed identity got no token, and the shapes of IMDS and App Service for it.
//!
//! Source: Entra documentation, "How to use managed identities to get an access token", section error handling.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use uuid::Uuid;

/// Api versions of IMDS, newest first; a refusal names them.
pub(super) const IMDS_VERSIONS: [&str; 3] = ["2021-12-13", "2019-08-15", "2018-02-01"];

/// The reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum IdentityError {
    #[error("The header Metadata must be there and be true")]
    NoMetadata,
    #[error("A request that was forwarded (X-Forwarded-For) is not answered")]
    Forwarded,
    #[error("The api-version is missing or not known")]
    ApiVersion,
    #[error("The parameter 'resource' is missing")]
    NoResource,
    #[error("The parameter '{0}' is duplicated")]
    Duplicate(String),
    #[error("More than one parameter chooses an identity")]
    Selectors,
    #[error("The machine has no such identity")]
    NotFound,
    #[error("The machine has several identities, so the request must name one")]
    Several,
    #[error("AADSTS500011: The resource principal '{0}' was not found in the tenant")]
    UnknownResource(String),
    #[error("AADSTS7000112: The application '{0}' is disabled")]
    Disabled(Uuid),
    #[error("The header X-IDENTITY-HEADER is missing or wrong")]
    IdentityHeader,
    #[error("The header Authorization does not hold what is in the file that the challenge named")]
    ArcKey,
}

impl IdentityError {
    fn status(&self) -> StatusCode {
        match self {
            Self::IdentityHeader => StatusCode::UNAUTHORIZED,
            Self::ArcKey => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer of IMDS and of Arc.
    pub(super) fn imds(&self) -> Response {
        let code = match self {
            Self::ApiVersion => {
                let body = json!({ "error": self.to_string(), "newest-versions": IMDS_VERSIONS });
                return (self.status(), Json(body)).into_response();
            }
            Self::NoMetadata => "bad_request_102",
            Self::UnknownResource(_) => "invalid_resource",
            Self::Disabled(_) | Self::ArcKey => "unauthorized_client",
            _ => "invalid_request",
        };
        let body = json!({ "error": code, "error_description": self.to_string() });
        (self.status(), Json(body)).into_response()
    }

    /// The answer of App Service.
    pub(super) fn app_service(&self) -> Response {
        let status = self.status();
        (status, Json(json!({ "statusCode": status.as_u16(), "message": self.to_string() }))).into_response()
    }
}
