//! The middleware: a verified caller or a refusal, before anything of MCP is looked at.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::Arguments;
use crate::keys::Key;

/// Seconds that clocks may differ, as in Valet's default.
const LEEWAY: u64 = 60;

/// What is read of a token.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Claims {
    pub(crate) tid: String,
    pub(crate) oid: String,
    pub(crate) iss: String,
    #[serde(alias = "appid")]
    pub(crate) azp: String,
    pub(crate) name: Option<String>,
    pub(crate) scp: String,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

/// The caller of one request, as the tools find it in the request's extensions.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Arc<Verified>);

/// A verified token and what is known of the request.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    pub(crate) token: String,
    pub(crate) request_id: String,
}

/// What tokens are checked against.
pub(crate) struct Guard {
    keys: HashMap<String, Key>,
    validation: Validation,
    tenant: String,
    scope: String,
    /// What each challenge ends in.
    pointer: String,
}

/// Why a request is turned away.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    reason: &'static str,
    detail: String,
}

impl Guard {
    pub(crate) fn new(arguments: &Arguments, keys: HashMap<String, Key>) -> Result<Self> {
        let Arguments { public_url, authority, tenant, client_id, scope, .. } = arguments;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[client_id]);
        validation.set_issuer(&[format!("{authority}/{tenant}/v2.0"), format!("{authority}/sts/{tenant}/")]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        let mut metadata = public_url.clone();
        metadata.set_path(&format!("/.well-known/oauth-protected-resource{}", public_url.path()));
        metadata.host_str().context("the public URL has no host")?;
        let pointer = format!("scope=\"api://{client_id}/{scope}\", resource_metadata=\"{metadata}\"");
        Ok(Self { keys, validation, tenant: tenant.clone(), scope: scope.clone(), pointer })
    }

    /// The caller that `token` stands for, for a transport whose messages carry none.
    pub(crate) fn caller(&self, token: &str) -> anyhow::Result<Caller> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
        self.check(&headers, request_id())
            .map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.reason, refusal.detail))
    }

    fn check(&self, headers: &HeaderMap, request_id: String) -> Result<Caller, Refusal> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| invalid("no_token", String::new()))?;
        let header = decode_header(token).map_err(|error| invalid("malformed", error.to_string()))?;
        let kid = header.kid.unwrap_or_default();
        let key = self.keys.get(&kid).ok_or_else(|| invalid("unknown_key", kid))?;
        let claims = decode::<Claims>(token, &key.decoding, &self.validation)
            .map_err(|error| invalid("refused", error.to_string()))?
            .claims;
        if claims.tid != self.tenant {
            return Err(invalid("foreign_tenant", claims.tid));
        }
        if let Some(issuer) = &key.issuer
            && issuer.replace("{tenantid}", &claims.tid) != claims.iss
        {
            return Err(invalid("key_issuer_mismatch", claims.iss));
        }
        if !claims.scp.split(' ').any(|scope| scope == self.scope) {
            return Err(Refusal {
                status: StatusCode::FORBIDDEN,
                error: "insufficient_scope",
                description: "the tool needs more permissions",
                reason: "insufficient_scope",
                detail: claims.scp,
            });
        }
        Ok(Caller(Arc::new(Verified { claims, token: token.to_owned(), request_id })))
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let Refusal { status, error, description, .. } = refusal;
        let challenge =
            format!("Bearer error=\"{error}\", error_description=\"{description}\", {}", self.pointer);
        let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
        let headers = [(CONTENT_TYPE, "application/json".to_owned()), (WWW_AUTHENTICATE, challenge)];
        (*status, headers, body).into_response()
    }
}

fn invalid(reason: &'static str, detail: String) -> Refusal {
    Refusal {
        status: StatusCode::UNAUTHORIZED,
        error: "invalid_token",
        description: "the token was not accepted",
        reason,
        detail,
    }
}

/// Lets verified callers through.
pub(crate) async fn require(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let request_id = request_id();
    match guard.check(request.headers(), request_id.clone()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => {
            let (reason, detail) = (refusal.reason, &refusal.detail);
            tracing::info!(target: "audit", request = request_id, decision = "denied", reason, detail);
            guard.refuse(&refusal)
        }
    }
}

fn request_id() -> String {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
    format!("{:016x}", u64::from_ne_bytes(bytes))
}
