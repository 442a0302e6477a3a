//! Refusals of Key Vault: `code`, status, inner code, and the challenge of a 401.
//!
//! Source: Azure documentation, "Key Vault REST API error codes" and "Authentication, requests and responses". The
//! numbers (AKV…) are Key Vault's, the sentences the emulator's.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::registrations::VAULT_URI;

/// Why a request was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum VaultError {
    #[error("AKV10000: The request has no bearer token")]
    NoToken,
    #[error("AKV10001: The bearer token is not valid: {0}")]
    BadToken(String),
    #[error("AKV10022: The audience must be {VAULT_URI} and is '{0}'")]
    Audience(String),
    #[error("AKV10032: The issuer is '{0}' and not that of the vault's tenant")]
    Issuer(String),
    #[error("AKV10073: The bearer token is not valid at this time")]
    Expired,
    #[error("'{caller}' has no permission '{permission}' on secrets of the vault '{vault}'")]
    Forbidden { caller: String, permission: &'static str, vault: String },
    #[error("The secret is disabled")]
    Disabled,
    #[error("The vault keeps no more secrets")]
    Full,
    #[error("No vault has this host name")]
    NoVault,
    #[error("The vault has no secret with the name or id '{0}'")]
    NoSecret(String),
    #[error("The secret '{0}' is deleted, and its name cannot be used until it is recovered or purged")]
    Deleted(String),
    #[error("The query parameter api-version is missing")]
    NoApiVersion,
    #[error("The api-version '{0}' is not known")]
    ApiVersion(String),
    #[error("{0}")]
    BadParameter(String),
    #[error("The body is too large")]
    TooLarge,
    #[error("The method is not allowed here")]
    Method,
}

impl VaultError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoToken | Self::BadToken(_) | Self::Audience(_) | Self::Issuer(_) | Self::Expired => {
                (StatusCode::UNAUTHORIZED, "Unauthorized")
            }
            Self::Forbidden { .. } | Self::Disabled | Self::Full => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::NoVault => (StatusCode::NOT_FOUND, "VaultNotFound"),
            Self::NoSecret(_) => (StatusCode::NOT_FOUND, "SecretNotFound"),
            Self::Deleted(_) => (StatusCode::CONFLICT, "Conflict"),
            Self::NoApiVersion | Self::ApiVersion(_) | Self::BadParameter(_) => {
                (StatusCode::BAD_REQUEST, "BadParameter")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn inner_code(&self) -> Option<&'static str> {
        match self {
            Self::Forbidden { .. } => Some("AccessDenied"),
            Self::Disabled => Some("SecretDisabled"),
            Self::Full => Some("QuotaExceeded"),
            Self::Deleted(_) => Some("ObjectIsDeletedButRecoverable"),
            _ => None,
        }
    }

    /// The whole answer. `authority` is that of the vault's tenant, for the challenge.
    pub(super) fn response(&self, authority: &str) -> Response {
        let (status, code) = self.status_and_code();
        let mut body = json!({ "error": { "code": code, "message": self.to_string() } });
        if let Some(inner) = self.inner_code() {
            body["error"]["innererror"] = json!({ "code": inner });
        }
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED
            && let Ok(challenge) = HeaderValue::from_str(&self.challenge(authority))
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// The clients take it apart at commas and equals signs, so what is added to it has neither.
    fn challenge(&self, authority: &str) -> String {
        let plain = format!("Bearer authorization=\"{authority}\", resource=\"{VAULT_URI}\"");
        match self {
            Self::NoToken => plain,
            _ => {
                let text: String =
                    self.to_string().chars().filter(|c| !matches!(c, '"' | ',' | '=' | '\\')).collect();
                format!("{plain}, error=\"invalid_token\", error_description=\"{text}\"")
            }
        }
    }
}
