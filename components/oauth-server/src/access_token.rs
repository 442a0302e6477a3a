//! Access tokens of our own that come back to us, held to the same rules as at the MCP endpoint.

use valet_core_entra::session::SessionId;
use valet_core_oauth::token::TokenError;
use valet_core_oauth::user::User;
use valet_core_token::{AtJwtRules, KeySet, RsaKey, SignatureCheck, SignatureFailure, verify_at_jwt};

use crate::bindings::valet::capability::own_keys;
use crate::bindings::valet::crypto::signature;
use crate::entra::required;
use crate::exchange::Exchange;

/// What a good token says.
pub(crate) struct Verified {
    pub(crate) client_id: String,
    pub(crate) user: User,
    pub(crate) session: String,
}

/// What `token` says; none for one that is not ours, was changed, or is over.
pub(crate) fn verify(token: &str, exchange: &Exchange<'_>) -> Result<Option<Verified>, TokenError> {
    let keys = own_keys::key_set().map_err(TokenError::Misconfigured)?;
    let keys = KeySet::parse(&keys).map_err(|error| TokenError::Misconfigured(error.to_string()))?;
    let leeway = required("leeway").map_err(TokenError::Misconfigured)?;
    let leeway =
        leeway.parse().map_err(|_| TokenError::Misconfigured("setting `leeway` is no number".to_owned()))?;
    let (issuer, audience) = (&exchange.settings.issuer, &exchange.settings.resource);
    let rules = AtJwtRules { issuer, audience, leeway };
    let Ok(verified) = verify_at_jwt(token, &keys, &rules, exchange.now, &HostCheck) else { return Ok(None) };
    let caller = verified.caller();
    let is_callers = |id: &SessionId| id.is_of(&caller.tenant_id, &caller.object_id);
    let session = caller.session_id.as_deref().and_then(SessionId::parse).filter(is_callers);
    Ok(session.map(|session| Verified {
        client_id: caller.client_id.clone(),
        user: User {
            tenant_id: caller.tenant_id.clone(),
            object_id: caller.object_id.clone(),
            name: caller.display_name.clone(),
        },
        session: session.as_str().to_owned(),
    }))
}

/// The signature check that the host lends.
struct HostCheck;

impl SignatureCheck for HostCheck {
    fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
        let key = signature::RsaPublicKey { n: key.n.clone(), e: key.e.clone() };
        signature::verify(signature::Algorithm::Rs256, &key, message, signature).map_err(|failure| {
            match failure {
                signature::Failure::UnsupportedKey => SignatureFailure::UnsupportedKey,
                signature::Failure::Mismatch => SignatureFailure::Mismatch,
            }
        })
    }
}
