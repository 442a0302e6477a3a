//! What an app registration accepts in place of a secret: certificates, and tokens of other issuers.

use serde::Deserialize;

/// A certificate uploaded to the app registration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// PEM text of the certificate, without private key.
    pub pem: String,
}

/// Trust in tokens of another issuer (workload identity federation). At most 20 an app, as in Entra.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// Shown on the page of registrations.
    pub name: String,
    /// `iss` of the assertion, compared character for character.
    pub issuer: String,
    /// `sub` of the assertion, compared character for character.
    pub subject: String,
    /// `aud` of the assertion.
    #[serde(default = "exchange_audience")]
    pub audience: String,
    /// The issuer's public keys (RFC 7517), as JSON text. Absent: the issuer is this emulator, e.g. for the token of a
    /// managed identity. Nothing is fetched: the emulator reaches no network.
    pub jwks: Option<String>,
}

/// The audience Entra proposes for the public cloud.
fn exchange_audience() -> String {
    "api://AzureADTokenExchange".into()
}

/// By hand: a certificate is public, but long.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}
