//! Assertions of another issuer, which a federated credential of the app registration trusts (Entra documentation,
//! "Workload identity federation"): a Kubernetes service account, a build job, or a managed identity of this emulator.

use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use serde_json::Value;

use super::Call;
use super::assertion::{AssertionError, lifetime};
use crate::jwt::Parts;
use crate::registrations::FederatedCredential;

/// Checks an assertion against the federated credentials: issuer, subject and audience all equal, case included.
pub(super) fn check(
    call: &Call<'_>,
    parts: &Parts<'_>,
    issuer: &str,
    subject: &str,
) -> Result<(), AssertionError> {
    let audience = audience(parts)?;
    let credential = matching(&call.client.federated_credentials, issuer, subject, audience)?;
    match parts.header("alg").unwrap_or_default() {
        "RS256" => {}
        other => return Err(AssertionError::Algorithm(other.to_owned())),
    }
    signed(call, parts, credential)?;
    lifetime(parts, call.state.clock.now())?;
    // An issuer without keys of its own is the emulator, and Entra trusts only app-only tokens of Entra.
    match credential.jwks.is_none() && parts.claims.contains_key("scp") {
        true => Err(AssertionError::UserToken),
        false => Ok(()),
    }
}

fn matching<'a>(
    known: &'a [FederatedCredential],
    issuer: &str,
    subject: &str,
    audience: &str,
) -> Result<&'a FederatedCredential, AssertionError> {
    let exact =
        |c: &&FederatedCredential| c.issuer == issuer && c.subject == subject && c.audience == audience;
    if let Some(found) = known.iter().find(exact) {
        return Ok(found);
    }
    let of_issuer: Vec<_> = known.iter().filter(|c| c.issuer == issuer).collect();
    let by_subject = |c: &&&FederatedCredential| c.subject == subject;
    Err(match () {
        () if of_issuer.is_empty() && known.iter().any(|c| c.subject == subject) => {
            AssertionError::FederatedIssuer(issuer.to_owned())
        }
        () if of_issuer.is_empty() => AssertionError::NoFederation {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: audience.to_owned(),
        },
        () if of_issuer.iter().any(|c| by_subject(&c)) => {
            AssertionError::FederatedAudience(audience.to_owned())
        }
        () if of_issuer.iter().any(|c| c.subject.eq_ignore_ascii_case(subject)) => {
            AssertionError::FederatedSubjectCase(subject.to_owned())
        }
        () => AssertionError::FederatedSubject(subject.to_owned()),
    })
}

fn signed(
    call: &Call<'_>,
    parts: &Parts<'_>,
    credential: &FederatedCredential,
) -> Result<(), AssertionError> {
    let kid = parts.header("kid").unwrap_or_default();
    let refuse = |reason| AssertionError::Signature { reason, key: kid.to_owned() };
    let unknown = || refuse("the key was not found");
    let message = parts.message();
    let verified = match credential.keys().map_err(|_| refuse("the issuer's keys cannot be read"))? {
        None => call.state.keys().live(kid).ok_or_else(unknown)?.verify(message.as_bytes(), &parts.signature),
        Some(keys) => {
            let key = keys.into_iter().find(|k| k.kid.as_deref() == Some(kid)).ok_or_else(unknown)?;
            let key = key.components().ok_or_else(unknown)?;
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &parts.signature).is_ok()
        }
    };
    if verified { Ok(()) } else { Err(refuse("the key is known, but the signature is not its own")) }
}

/// One audience, as text or, from Kubernetes, as a list of one.
fn audience<'a>(parts: &'a Parts<'_>) -> Result<&'a str, AssertionError> {
    let one = match parts.claims.get("aud") {
        Some(Value::Array(list)) if list.len() == 1 => list.first(),
        other => other,
    };
    one.and_then(Value::as_str).ok_or(AssertionError::Malformed("its aud is not one text"))
}
