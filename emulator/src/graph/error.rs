//! The table of Graph's refusals: HTTP status, `code` and sentence of each, and the body they are wrapped in.
//!
//! Graph is a gateway before three services that do not agree on codes: the directory, Outlook and files. Source:
//! Graph documentation, "Microsoft Graph error responses and resource types". The sentences are the emulator's own.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::call::Ids;
use crate::clock::Instant;

/// The service behind the gateway that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Users, groups, the organization.
    Directory,
    /// Mail, calendar and photos.
    Outlook,
    /// OneDrive.
    Files,
}

/// Why Graph would not answer a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GraphError {
    #[error("Access token is empty.")]
    NoToken,
    #[error("Access token validation failure: {0}")]
    BadToken(String),
    #[error("Lifetime validation failed, the token is expired.")]
    Expired,
    #[error("Lifetime validation failed, the token is not valid yet.")]
    NotYetValid,
    #[error("Access token validation failure. Invalid audience.")]
    Audience,
    #[error("The sessions of the user were revoked after the token was issued.")]
    Revoked { at: Instant },
    #[error("Insufficient privileges to complete the operation.")]
    Denied(Service),
    #[error("/me request is only valid with delegated authentication flow.")]
    NotDelegated,
    #[error(
        "Resource '{0}' does not exist or one of its queried reference-property objects are not present."
    )]
    NoSuchObject(String),
    #[error("The specified item was not found.")]
    NoSuchItem(Service),
    #[error("The id is malformed.")]
    MalformedId,
    #[error("The user has no mailbox in this directory.")]
    NoMailbox,
    #[error("The user has no drive in this directory.")]
    NoDrive,
    #[error("There is no such photo.")]
    NoPhoto,
    #[error("Resource not found for the segment '{0}'.")]
    NoSuchPath(String),
    #[error("The method {method} is not allowed here; allowed: {allowed}.")]
    Method { method: String, allowed: &'static str },
    #[error("Could not find a property named '{name}' on type '{kind}'.")]
    NoSuchProperty { name: String, kind: &'static str },
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    UnsupportedQuery(String),
    #[error("{0}")]
    DirectoryRequest(String),
    #[error("{0}")]
    Parameter(String),
    #[error("{0}")]
    OutlookQuery(String),
    #[error("The restriction or the sort order is too complex: what is sorted by must be filtered by first.")]
    InefficientFilter,
    #[error("The query option '{option}' cannot be combined with '$search'.")]
    WithSearch { code: &'static str, option: &'static str },
    #[error("{0}")]
    FilesRequest(String),
    #[error("The page token belongs to another query, or is none.")]
    PageToken,
    #[error("The body is not valid JSON.")]
    BadJson,
    #[error("{0}")]
    BodyRead(String),
    #[error("The property '{0}' has a value of the wrong type.")]
    Deserialize(String),
    #[error("At least one property is not valid: {0}.")]
    PropertyValidation(&'static str),
    #[error("At least one recipient is not valid: {0}.")]
    Recipients(String),
    #[error("The time zone '{0}' is not one the emulator knows.")]
    TimeZone(String),
    #[error("The item was changed since it was read.")]
    Changed,
    #[error("The body is larger than {0} bytes.")]
    TooLarge(usize),
    #[error("The content type '{0}' is not supported here.")]
    MediaType(String),
    #[error("A request this one depends on has failed.")]
    FailedDependency,
    #[error("The emulator was told to fail.")]
    Planned(StatusCode),
}

impl GraphError {
    /// HTTP status and `code`.
    pub(super) fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        let bad = S::BAD_REQUEST;
        match self {
            Self::NoToken
            | Self::BadToken(_)
            | Self::Expired
            | Self::NotYetValid
            | Self::Audience
            | Self::Revoked { .. } => (S::UNAUTHORIZED, "InvalidAuthenticationToken"),
            Self::Denied(Service::Directory) => (S::FORBIDDEN, "Authorization_RequestDenied"),
            Self::Denied(Service::Outlook) => (S::FORBIDDEN, "ErrorAccessDenied"),
            Self::Denied(Service::Files) => (S::FORBIDDEN, "accessDenied"),
            Self::NotDelegated | Self::NoSuchProperty { .. } | Self::BadRequest(_) | Self::BadJson => {
                (bad, "BadRequest")
            }
            Self::NoSuchObject(_) | Self::NoSuchItem(Service::Directory) => {
                (S::NOT_FOUND, "Request_ResourceNotFound")
            }
            Self::NoSuchItem(Service::Outlook) => (S::NOT_FOUND, "ErrorItemNotFound"),
            Self::NoSuchItem(Service::Files) => (S::NOT_FOUND, "itemNotFound"),
            Self::MalformedId => (bad, "ErrorInvalidIdMalformed"),
            Self::NoMailbox => (S::NOT_FOUND, "MailboxNotEnabledForRESTAPI"),
            Self::NoPhoto => (S::NOT_FOUND, "ImageNotFound"),
            Self::NoDrive | Self::NoSuchPath(_) => (S::NOT_FOUND, "ResourceNotFound"),
            Self::Method { .. } => (S::METHOD_NOT_ALLOWED, "Request_BadRequest"),
            Self::UnsupportedQuery(_) => (bad, "Request_UnsupportedQuery"),
            Self::DirectoryRequest(_) => (bad, "Request_BadRequest"),
            Self::Parameter(_) => (bad, "ErrorInvalidParameter"),
            Self::OutlookQuery(_) => (bad, "ErrorInvalidUrlQuery"),
            Self::InefficientFilter => (bad, "InefficientFilter"),
            Self::WithSearch { code, .. } => (bad, code),
            Self::FilesRequest(_) => (bad, "invalidRequest"),
            Self::PageToken => (bad, "Directory_ExpiredPageToken"),
            Self::BodyRead(_) => (bad, "RequestBodyRead"),
            Self::Deserialize(_) => (bad, "UnableToDeserializePostBody"),
            Self::PropertyValidation(_) => (bad, "ErrorPropertyValidationFailure"),
            Self::Recipients(_) => (bad, "ErrorInvalidRecipients"),
            Self::TimeZone(_) => (bad, "TimeZoneNotSupportedException"),
            Self::Changed => (S::PRECONDITION_FAILED, "ErrorIrresolvableConflict"),
            Self::TooLarge(_) => (S::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
            Self::MediaType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
            Self::FailedDependency => (S::FAILED_DEPENDENCY, "FailedDependency"),
            Self::Planned(status) => (*status, planned(*status)),
        }
    }

    /// The body every refusal has.
    pub(super) fn body(&self, ids: &Ids, now: Instant) -> Value {
        json!({ "error": {
            "code": self.status_and_code().1,
            "message": self.to_string(),
            "innerError": {
                "date": now.graph(),
                "request-id": ids.request,
                "client-request-id": ids.client,
            },
        } })
    }
}

fn planned(status: StatusCode) -> &'static str {
    match status.as_u16() {
        429 => "TooManyRequests",
        503 => "serviceNotAvailable",
        504 => "GatewayTimeout",
        _ => "UnknownError",
    }
}
