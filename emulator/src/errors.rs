//! The table of refusals: AADSTS number, OAuth `error`, HTTP status and text of each, and the body Entra wraps them in.
//!
//! Sources: Entra documentation "Microsoft Entra authentication and authorization error codes" for numbers and
//! meaning, RFC 6749 section 5.2 for `error`. The sentences are the emulator's own: clients must branch on
//! `error` and `suberror`, never on text.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Instant;
use crate::journal::Verdict;
use crate::registrations::Control;
use crate::state::RevocationReason;
use crate::token::AssertionError;

/// What a throttled client is told to wait, seconds (MSAL.NET documentation, "Throttling").
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// Why Entra would not answer a request. The number in each text is the AADSTS code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("The reply address '{0}' is not registered for the application")]
    RedirectNotRegistered(String),
    #[error("'{0}' cannot be a reply address: it is not an absolute URI, or has a fragment")]
    RedirectInvalid(String),
    #[error("The reply address '{given}' differs from '{used}', which the code was asked with")]
    RedirectDiffers { given: String, used: String },
    #[error("The application '{client}' was not found in the directory '{tenant}'")]
    UnknownApp { client: String, tenant: String },
    #[error("The application '{0}' was not found in any directory")]
    UnknownAppAtAlias(String),
    #[error("The application '{0}' is disabled")]
    DisabledApp(Uuid),
    #[error("The application '{0}' serves personal accounts only; use the consumers endpoint")]
    PersonalAppAtAlias(Uuid),
    #[error("The application '{0}' serves personal accounts only, not those of a tenant")]
    PersonalAppInTenant(Uuid),
    #[error("The application '{0}' serves work accounts only, which the consumers endpoint has none of")]
    WorkOnlyApp(String),
    #[error("The tenant '{0}' was not found")]
    UnknownTenant(String),
    #[error("'{0}' can be neither a tenant's id nor a domain name")]
    BadTenant(String),
    #[error("This grant needs a directory, which personal accounts have none of")]
    GrantWithoutDirectory,
    #[error("The instance is unknown")]
    UnknownInstance,
    #[error("The discovery request is malformed: {0}")]
    BadDiscovery(&'static str),
    #[error("The application '{0}' serves one tenant and cannot be used through an alias endpoint")]
    SingleTenant(Uuid),
    #[error("The request names no tenant, and this grant needs one")]
    NoTenant,
    #[error("The resource principal '{0}' was not found in the tenant")]
    UnknownResource(String),
    #[error("The resource '{0}' is disabled")]
    DisabledResource(String),
    #[error(
        "The resource '{resource}' ({api}) is not among the permissions that the application '{client}' ({name}) was \
         configured with ({configured})"
    )]
    ResourceNotConfigured { client: Uuid, name: String, resource: String, api: Uuid, configured: String },
    #[error("The value of the parameter 'scope' is not valid: {0}")]
    BadScope(String),
    #[error("The parameter 'scope' is empty")]
    EmptyScope,
    #[error("The scope '{0}' names nothing that a token could be issued for")]
    ScopeWithoutResource(String),
    #[error("The application '{client}' asked for the scope '{scope}', which does not exist at '{resource}'")]
    UnknownScope { client: Uuid, scope: String, resource: String },
    #[error("The scopes belong to more than one resource: {0}")]
    TwoResources(String),
    #[error("With client credentials the scope must be a resource followed by /.default, not '{0}'")]
    NotDefaultScope(String),
    #[error(
        "The parameter 'resource' is '{resource}', which does not name the owner of the scopes ({owner})"
    )]
    ResourceMismatch { resource: String, owner: String },
    #[error(
        "The user or an administrator has not consented to the use of '{client}' ({name}) at '{resource}'"
    )]
    NoConsent { client: Uuid, name: String, resource: String },
    #[error("An administrator must consent to the scope '{0}'")]
    AdminConsentNeeded(String),
    #[error("The user declined to consent")]
    ConsentDeclined,
    #[error("There is no session, and prompt=none forbids to ask")]
    NoSession,
    #[error("The user belongs to another directory than '{0}'")]
    ForeignUser(String),
    #[error("The account '{0}' is disabled")]
    UserDisabled(String),
    #[error("The user name or the password is wrong")]
    WrongPassword,
    #[error("'{user}' is not assigned to a role for the application '{app}'")]
    NotAssigned { user: String, app: Uuid },
    #[error("The application '{client}' is not assigned to a role for the application '{resource}'")]
    AppNotAssigned { client: Uuid, resource: Uuid },
    #[error("The grant was revoked ({0:?}), so the user must sign in again")]
    Revoked(RevocationReason),
    #[error("A policy of '{resource}' asks for more than the sign-in was made with: {control:?}")]
    StepUp {
        resource: String,
        control: Control,
        /// The user is a guest of the tenant.
        guest: bool,
        /// What a client sends back as `claims` to satisfy it; JSON.
        claims: String,
    },
    #[error("Access to '{resource}' is blocked by a policy: {control:?}")]
    PolicyBlock { resource: String, control: Control },
    #[error("The sign-in is older than a policy allows")]
    SignInTooOld,
    #[error("The device code was not approved yet")]
    DevicePending,
    /// Entra's documentation does not list it; RFC 8628 section 3.5 does, and clients must know it.
    #[error("The device code is asked for too often")]
    DeviceSlowDown,
    #[error("The user declined the device code")]
    DeviceDeclined,
    #[error("The device code is unknown or was used")]
    DeviceCodeUnknown,
    #[error("The device code has expired")]
    DeviceCodeExpired,
    #[error("A wrong client secret was given for the application '{0}'")]
    WrongSecret(Uuid),
    #[error("The request must carry 'client_secret' or 'client_assertion'")]
    SecretMissing,
    #[error("The client '{0}' is public, so a secret must not be presented")]
    PublicClientSecret(Uuid),
    #[error("The client secret of the application '{0}' has expired")]
    ExpiredSecret(Uuid),
    #[error(transparent)]
    ClientAssertion(#[from] AssertionError),
    #[error("A code of a single-page application can only be redeemed with an Origin header")]
    SpaWithoutOrigin,
    #[error("Only a single-page application may redeem with an Origin header")]
    OriginWithoutSpa,
    #[error("The code or refresh token is not valid: {0}")]
    BadGrant(&'static str),
    #[error("The code has already been redeemed")]
    CodeReused,
    #[error("The code was issued by another tenant")]
    CodeOfOtherTenant,
    #[error("The code_verifier does not match the code_challenge of the authorization request")]
    PkceMismatch,
    #[error("The code or refresh token has expired")]
    GrantExpired,
    #[error("The refresh token was issued at {0} and then not used for so long that it has expired")]
    GrantInactive(String),
    #[error("The refresh token of a single-page application has reached the end of its fixed life")]
    SpaGrantExpired,
    #[error("The audience '{audience}' of the assertion is not the application '{client}'")]
    AssertionAudience { audience: String, client: Uuid },
    #[error("The assertion is not valid: {0}")]
    BadAssertion(&'static str),
    #[error("The assertion has expired")]
    AssertionExpired,
    #[error("The assertion is an id token, which this grant does not take")]
    IdTokenAssertion,
    #[error("The assertion represents an application, not a user, so '{0}' cannot act on its behalf")]
    AppOnlyAssertion(Uuid),
    #[error("The same request was made so often that the client must be in a loop")]
    LoopDetected,
    #[error("There are too many requests")]
    Throttled,
    #[error("The endpoint accepts POST and OPTIONS requests only, not {0}")]
    WrongMethod(String),
    #[error("The request is malformed: {0}")]
    Malformed(&'static str),
    #[error("The parameter '{0}' is missing")]
    Missing(&'static str),
    #[error("The parameter '{0}' is duplicated")]
    Duplicate(String),
    #[error("The value '{value}' of the parameter '{name}' is not supported")]
    BadParameter { name: &'static str, value: String },
    #[error("The grant type '{0}' is not supported")]
    UnsupportedGrant(String),
    #[error("The response type '{0}' is not supported")]
    UnsupportedResponseType(String),
    #[error("The response type 'id_token' is not enabled for the application")]
    IdTokenNotEnabled,
    #[error("The response mode 'query' is not supported where a token is asked for")]
    TokenInQuery,
}

impl Refusal {
    /// AADSTS number and OAuth `error`.
    pub(crate) fn code(&self) -> (u32, &'static str) {
        match self {
            Self::RedirectNotRegistered(_) => (50011, "invalid_request"),
            Self::RedirectInvalid(_) => (70004, "invalid_request"),
            Self::RedirectDiffers { .. } => (500_112, "invalid_client"),
            Self::UnknownApp { .. } => (700_016, "unauthorized_client"),
            Self::UnknownAppAtAlias(_) => (700_011, "unauthorized_client"),
            Self::DisabledApp(_) => (7_000_112, "unauthorized_client"),
            Self::PersonalAppAtAlias(_) => (9_002_331, "invalid_request"),
            Self::PersonalAppInTenant(_) => (9_002_346, "invalid_request"),
            Self::WorkOnlyApp(_) => (9_002_332, "invalid_request"),
            Self::UnknownTenant(_) => (90002, "invalid_request"),
            Self::BadTenant(_) => (900_023, "invalid_request"),
            Self::GrantWithoutDirectory => (9_001_023, "invalid_request"),
            Self::UnknownInstance => (50049, "invalid_instance"),
            Self::BadDiscovery(_) => (50050, "invalid_request"),
            Self::SingleTenant(_) => (50194, "invalid_request"),
            Self::NoTenant => (50059, "invalid_request"),
            Self::UnknownResource(_) => (500_011, "invalid_resource"),
            Self::DisabledResource(_) => (50001, "invalid_resource"),
            Self::ResourceNotConfigured { .. } => (650_057, "invalid_resource"),
            Self::BadScope(_) => (70011, "invalid_scope"),
            Self::EmptyScope => (28003, "invalid_scope"),
            Self::ScopeWithoutResource(_) => (28002, "invalid_scope"),
            Self::UnknownScope { .. } => (650_053, "invalid_scope"),
            Self::TwoResources(_) => (700_022, "invalid_scope"),
            Self::NotDefaultScope(_) => (1_002_012, "invalid_scope"),
            Self::ResourceMismatch { .. } => (9_010_010, "invalid_target"),
            Self::NoConsent { .. } => (65001, "invalid_grant"),
            Self::AdminConsentNeeded(_) => (90094, "access_denied"),
            Self::ConsentDeclined => (65004, "access_denied"),
            Self::NoSession => (50058, "login_required"),
            Self::ForeignUser(_) => (50020, "access_denied"),
            Self::UserDisabled(_) => (50057, "invalid_grant"),
            Self::WrongPassword => (50126, "invalid_grant"),
            Self::NotAssigned { .. } => (50105, "access_denied"),
            Self::AppNotAssigned { .. } => (501_051, "invalid_grant"),
            Self::Revoked(reason) => (revoked(*reason), "invalid_grant"),
            Self::StepUp { control, guest, .. } => (step_up(*control, *guest), "interaction_required"),
            Self::PolicyBlock { control, .. } => (block(*control), "access_denied"),
            Self::SignInTooOld => (70043, "invalid_grant"),
            Self::DevicePending => (70016, "authorization_pending"),
            Self::DeviceSlowDown => (70016, "slow_down"),
            Self::DeviceDeclined => (65004, "authorization_declined"),
            Self::DeviceCodeUnknown => (70018, "bad_verification_code"),
            Self::DeviceCodeExpired => (70019, "expired_token"),
            Self::WrongSecret(_) => (7_000_215, "invalid_client"),
            Self::SecretMissing => (7_000_218, "invalid_client"),
            Self::PublicClientSecret(_) => (700_025, "invalid_client"),
            Self::ExpiredSecret(_) => (7_000_222, "invalid_client"),
            Self::ClientAssertion(why) => why.code(),
            Self::SpaWithoutOrigin => (9_002_327, "invalid_request"),
            Self::OriginWithoutSpa => (9_002_326, "invalid_request"),
            Self::BadGrant(_) => (70000, "invalid_grant"),
            Self::CodeReused => (54005, "invalid_grant"),
            Self::CodeOfOtherTenant => (700_005, "invalid_grant"),
            Self::PkceMismatch => (501_481, "invalid_grant"),
            Self::GrantExpired => (70008, "invalid_grant"),
            Self::GrantInactive(_) => (700_082, "invalid_grant"),
            Self::SpaGrantExpired => (700_084, "invalid_grant"),
            Self::AssertionAudience { .. } => (500_131, "invalid_grant"),
            Self::BadAssertion(_) => (50013, "invalid_grant"),
            Self::AssertionExpired => (500_133, "invalid_grant"),
            Self::IdTokenAssertion => (240_002, "invalid_request"),
            Self::AppOnlyAssertion(_) => (7_000_114, "invalid_grant"),
            Self::LoopDetected => (50196, "invalid_grant"),
            Self::Throttled => (90055, "temporarily_unavailable"),
            Self::WrongMethod(_) => (900_561, "invalid_request"),
            Self::Malformed(_) => (9_002_313, "invalid_request"),
            Self::Missing(_) => (900_144, "invalid_request"),
            Self::Duplicate(_) => (9_000_411, "invalid_request"),
            Self::BadParameter { .. } => (90023, "invalid_request"),
            Self::UnsupportedGrant(_) => (70003, "unsupported_grant_type"),
            Self::UnsupportedResponseType(_) => (70005, "unsupported_response_type"),
            Self::IdTokenNotEnabled => (700_054, "unsupported_response_type"),
            Self::TokenInQuery => (70007, "invalid_request"),
        }
    }

    /// 401 where client authentication failed (RFC 6749 section 5.2), 400 nearly everywhere else.
    fn status(&self) -> StatusCode {
        match self.code().1 {
            _ if matches!(self, Self::Throttled) => StatusCode::TOO_MANY_REQUESTS,
            _ if matches!(self, Self::WrongMethod(_)) => StatusCode::METHOD_NOT_ALLOWED,
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The finer word MSAL acts on.
    fn suberror(&self) -> Option<&'static str> {
        match self {
            Self::NoConsent { .. } => Some("consent_required"),
            Self::GrantExpired | Self::SignInTooOld => Some("token_expired"),
            Self::BadGrant(_) | Self::Revoked(_) | Self::GrantInactive(_) | Self::SpaGrantExpired => {
                Some("bad_token")
            }
            Self::StepUp { .. } => Some("basic_action"),
            Self::PolicyBlock { .. } => Some("message_only"),
            _ => None,
        }
    }

    /// The `claims` member: what the client sends back to satisfy a policy.
    pub(crate) fn claims(&self) -> Option<&str> {
        match self {
            Self::StepUp { claims, .. } => Some(claims),
            _ => None,
        }
    }
}

/// The number of a revocation.
fn revoked(reason: RevocationReason) -> u32 {
    match reason {
        RevocationReason::Sessions => 50173,
        RevocationReason::PasswordExpired => 50132,
        RevocationReason::PasswordChange => 50133,
    }
}

/// The number of a policy that a person can satisfy.
fn step_up(control: Control, guest: bool) -> u32 {
    match control {
        Control::MfaRegistration if guest => 50072,
        Control::MfaRegistration => 50079,
        Control::StrongAuthentication => 50074,
        Control::ExternalChallenge => 50158,
        _ => 50076,
    }
}

/// The number of a policy that nobody can satisfy here and now.
fn block(control: Control) -> u32 {
    match control {
        Control::CompliantDevice => 53000,
        Control::DomainJoinedDevice => 53001,
        Control::ApprovedApp => 53002,
        Control::SecurityPolicy => 530_032,
        _ => 53003,
    }
}

/// What every refusal is stamped with.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// New for each refusal.
    pub(crate) trace_id: Uuid,
    /// The client's `client-request-id`, or new.
    pub(crate) correlation_id: Uuid,
    /// When.
    pub(crate) at: Instant,
}

impl Trace {
    /// For a request with these headers. A `client-request-id` that is no GUID is ignored, as Entra does.
    pub(crate) fn new(headers: &HeaderMap, at: Instant) -> Self {
        Self::of_request(headers, None, at)
    }

    /// The same for a request with this query: MSAL for Node puts `client-request-id` there.
    pub(crate) fn of_request(headers: &HeaderMap, query: Option<&str>, at: Instant) -> Self {
        let in_header = headers.get("client-request-id").and_then(|v| v.to_str().ok()).map(Cow::Borrowed);
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let given = in_header.or_else(|| pairs.find(|(name, _)| name == "client-request-id").map(|(_, v)| v));
        let correlation_id = given.and_then(|v| Uuid::parse_str(&v).ok()).unwrap_or_else(Uuid::new_v4);
        Self { trace_id: Uuid::new_v4(), correlation_id, at }
    }

    /// `error_description`: code, text and the three stamps.
    pub(crate) fn describe(&self, refusal: &Refusal) -> String {
        format!(
            "AADSTS{}: {refusal}. Trace ID: {} Correlation ID: {} Timestamp: {}",
            refusal.code().0,
            self.trace_id,
            self.correlation_id,
            self.at.entra(),
        )
    }

    /// The JSON body of the token endpoint. `authority` is where `error_uri` points.
    pub(crate) fn body(&self, refusal: &Refusal, authority: &str) -> Value {
        let (code, error) = refusal.code();
        let mut body = json!({
            "error": error,
            "error_description": self.describe(refusal),
            "error_codes": [code],
            "timestamp": self.at.entra(),
            "trace_id": self.trace_id,
            "correlation_id": self.correlation_id,
            "error_uri": format!("{authority}/error?code={code}"),
        });
        if let Some(suberror) = refusal.suberror() {
            body["suberror"] = suberror.into();
        }
        if let Some(claims) = refusal.claims() {
            body["claims"] = claims.into();
        }
        body
    }

    /// The whole answer of the token and metadata endpoints.
    pub(crate) fn response(&self, refusal: &Refusal, authority: &str) -> Response {
        let mut response = (refusal.status(), Json(self.body(refusal, authority))).into_response();
        if matches!(refusal, Refusal::Throttled) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if matches!(refusal, Refusal::WrongMethod(_)) {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        }
        no_store(response.headers_mut());
        self.mark(&mut response, refusal);
        response
    }

    /// Tells the journal what decided `response`, however the refusal is written.
    pub(crate) fn mark(&self, response: &mut Response, refusal: &Refusal) {
        let code = format!("AADSTS{}", refusal.code().0);
        response.extensions_mut().insert(Verdict { code, correlation_id: Some(self.correlation_id) });
    }
}

/// RFC 6749 section 5.1: answers with tokens or reasons are never stored.
pub(crate) fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
