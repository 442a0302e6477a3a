//! Why an authorization request is refused: for the log, for the client, and as a code.

use core::fmt;

use crate::client::ClientError;
use crate::document::DocumentError;
use crate::error::Code;
use crate::form::FormError;
use crate::limits;
use crate::pkce::ChallengeError;
use crate::scope::ScopeError;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeError {
    /// The parameters cannot be read.
    Form(FormError),
    /// The client or its redirect URI.
    Client(ClientError),
    /// The document of the client.
    Document(DocumentError),
    /// The document of the client could not be fetched. The text is for the log.
    DocumentUnavailable(String),
    /// Another `response_type` than `code`.
    ResponseType {
        /// What it was, cut short.
        found: String,
    },
    /// Another `response_mode` than `query`.
    ResponseMode {
        /// What it was, cut short.
        found: String,
    },
    /// A request object (RFC 9101), which is not read here, so that what it says would be lost.
    RequestObject,
    /// Longer than [`limits::STATE`], or not printable ASCII (RFC 6749 appendix A.5).
    State {
        /// Its length.
        length: usize,
    },
    /// The challenge.
    Challenge(ChallengeError),
    /// Tokens for another resource are not given here (RFC 8707 section 2).
    Resource {
        /// What the request named, cut short.
        found: String,
        /// Ours.
        own: String,
    },
    /// The scope.
    Scope(ScopeError),
    /// `prompt=none`: nobody is signed in with us without a page.
    PromptNone,
    /// All of it together does not fit into a cookie.
    TooLarge {
        /// Its size.
        size: usize,
    },
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "{error}"),
            Self::Client(error) => write!(f, "{error}"),
            Self::Document(error) => write!(f, "{error}"),
            Self::DocumentUnavailable(reason) => {
                write!(f, "the client's document cannot be fetched: {reason}")
            }
            Self::ResponseType { found } => write!(f, "the `response_type` is `{found}`, not `code`"),
            Self::ResponseMode { found } => write!(f, "the `response_mode` is `{found}`, not `query`"),
            Self::RequestObject => f.write_str("the request has a request object"),
            Self::State { length } => write!(
                f,
                "the `state` has {length} bytes; it has to be printable ASCII of at most {}",
                limits::STATE
            ),
            Self::Challenge(error) => write!(f, "{error}"),
            Self::Resource { found, own } => write!(f, "the `resource` is `{found}`, not `{own}`"),
            Self::Scope(error) => write!(f, "{error}"),
            Self::PromptNone => f.write_str("the request has `prompt=none`, and a person has to be asked"),
            Self::TooLarge { size } => write!(
                f,
                "the request takes {size} bytes to keep, at most {} fit into a cookie",
                limits::TRANSACTION
            ),
        }
    }
}

impl core::error::Error for AuthorizeError {}

impl AuthorizeError {
    /// The code that a client is told.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::ResponseType { .. } => Code::UnsupportedResponseType,
            Self::Resource { .. } => Code::InvalidTarget,
            Self::Scope(_) => Code::InvalidScope,
            Self::PromptNone => Code::LoginRequired,
            Self::Client(_) => Code::UnauthorizedClient,
            Self::DocumentUnavailable(_) => Code::TemporarilyUnavailable,
            _ => Code::InvalidRequest,
        }
    }

    /// What a client's developer is told: what the RFC requires, nothing that a stranger sent.
    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Form(_) => "the parameters cannot be read",
            Self::Client(_) | Self::Document(_) | Self::DocumentUnavailable(_) => "the client is not known",
            Self::ResponseType { .. } => "response_type has to be code",
            Self::ResponseMode { .. } => "response_mode has to be query",
            Self::RequestObject => "request objects are not supported",
            Self::State { .. } => "state is too long or not printable ASCII",
            Self::Challenge(_) => "a code_challenge with code_challenge_method S256 is required",
            Self::Resource { .. } => "resource has to be the URL of this MCP server",
            Self::Scope(_) => "a scope is not offered, see scopes_supported",
            Self::PromptNone => "the user has to be asked",
            Self::TooLarge { .. } => "the request is too large",
        }
    }
}
