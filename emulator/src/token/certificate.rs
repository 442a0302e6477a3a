//! Assertions signed with a certificate of the app registration (Entra documentation, "Certificate credentials").
//!
//! Takes what Microsoft's clients send: PS256 with `x5t#S256`, with or without padding, or RS256 with `x5t`; an `x5c` is
//! not looked at, since only registered certificates count. The life is not limited, as in Entra.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use url::Url;
use uuid::Uuid;

use super::Call;
use super::assertion::{AssertionError, audience, lifetime};
use crate::jwt::Parts;
use crate::realm::Realm;
use crate::registrations::PublicCertificate;

/// The paths behind the tenant that an `aud` may have: both token endpoints, and the issuer that older clients write.
const AUDIENCES: [&str; 3] = ["oauth2/v2.0/token", "oauth2/token", "v2.0"];

/// Checks an assertion that a client made itself.
pub(super) fn check(
    call: &Call<'_>,
    parts: &Parts<'_>,
    issuer: &str,
    subject: &str,
) -> Result<(), AssertionError> {
    if let Some(other) = parts.header("typ").filter(|t| !t.eq_ignore_ascii_case("jwt")) {
        return Err(AssertionError::Type(other.to_owned()));
    }
    let algorithm = match parts.header("alg").unwrap_or_default() {
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        other => return Err(AssertionError::Algorithm(other.to_owned())),
    };
    if issuer != subject {
        return Err(AssertionError::SubjectIssuer);
    }
    if Uuid::parse_str(issuer) != Ok(call.client.client_id) {
        return Err(AssertionError::Client { issuer: issuer.to_owned(), client: call.client.client_id });
    }
    let audience = audience(parts)?;
    if !is_here(call, audience) {
        return Err(AssertionError::Audience(audience.to_owned()));
    }
    let now = call.state.clock.now();
    lifetime(parts, now)?;
    let (certificate, key) = registered(call, parts)?;
    let refuse = |reason| AssertionError::Signature { reason, key: key.to_owned() };
    if !certificate.valid.contains(&now.0) {
        return Err(refuse("the certificate has expired or is not valid yet"));
    }
    UnparsedPublicKey::new(algorithm, &certificate.public_key)
        .verify(parts.message().as_bytes(), &parts.signature)
        .map_err(|_| refuse("the key is known, but the signature is not its own"))
}

/// The certificate that the header names, by thumbprint, and the thumbprint.
fn registered<'p>(
    call: &Call<'_>,
    parts: &'p Parts<'_>,
) -> Result<(PublicCertificate, &'p str), AssertionError> {
    let (sha256, sha1) = (parts.header("x5t#S256"), parts.header("x5t"));
    let named = sha256.or(sha1).ok_or(AssertionError::Malformed("its header names no certificate"))?;
    let bare = named.trim_end_matches('=');
    // Registrations changed while running were not checked, so one may be unreadable.
    let mut known = call.client.certificates.iter().filter_map(|c| c.read().ok());
    let found = known.find(|c| if sha256.is_some() { c.sha256 == bare } else { c.sha1 == bare });
    let unknown = || AssertionError::Signature { reason: "the key was not found", key: named.to_owned() };
    found.map(|certificate| (certificate, named)).ok_or_else(unknown)
}

/// Whether an `aud` is the endpoint the request came to: under the emulator's own name or the one in `Host`, the tenant
/// spelt as id, domain or alias.
fn is_here(call: &Call<'_>, audience: &str) -> bool {
    let Ok(url) = Url::parse(audience) else { return false };
    let origin = url.origin().ascii_serialization();
    let named = call.host.and_then(|host| Url::parse(&format!("https://{host}")).ok());
    let same_host = origin == call.state.origins.authority
        || named.is_some_and(|named| named.origin().ascii_serialization() == origin);
    let Some((tenant, endpoint)) = url.path().trim_start_matches('/').split_once('/') else { return false };
    same_host
        && url.query().is_none()
        && AUDIENCES.contains(&endpoint.trim_end_matches('/'))
        && Realm::parse(tenant, call.all).is_ok_and(|realm| realm == call.realm)
}
