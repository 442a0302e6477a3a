//! Grant `client_credentials`: the application itself, with the app roles an administrator consented to.

use serde_json::{Value, json};

use super::{Call, client_auth, limits};
use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::scopes::Ask;
use crate::tokens::{self, AccessGrant, Subject};

/// Issues an app-only token. The scope must be one resource with `/.default`.
pub(super) fn issue(call: &Call<'_>) -> Result<Value, Refusal> {
    let tenant = call.realm.directory()?;
    let proof = client_auth::prove(call, None)?;
    limits::app_request(call)?;
    let text = call.params.need("scope")?;
    if text.split_ascii_whitespace().any(|word| !word.ends_with("/.default")) {
        return Err(Refusal::NotDefaultScope(text.to_owned()));
    }
    let ask = Ask::parse(text, call.client, Some(tenant), call.all)?;
    let asked = ask.single(call.all)?.ok_or(Refusal::Missing("scope"))?;
    ask.check_resource(call.params.get("resource"), call.all)?;
    let api = call.all.app(asked.api).ok_or_else(|| Refusal::UnknownResource(asked.api.to_string()))?;
    let consented =
        call.client.api_permissions.iter().filter(|p| p.resource == api.client_id && p.admin_consented);
    let roles: Vec<_> = consented.flat_map(|p| p.application.iter().cloned()).collect();
    // For applications, being assigned is having a role (Entra documentation, "Assign a managed identity to a role").
    if api.assignment_required && roles.is_empty() {
        return Err(Refusal::AppNotAssigned { client: call.client.client_id, resource: api.client_id });
    }
    let subject = Subject::App { tenant, roles };
    let claims = ClaimsRequest::parse(call.params.get("claims"))?;
    let access = tokens::access_token(
        call.state,
        &AccessGrant {
            subject: &subject,
            client: call.client,
            proof,
            api,
            identifier: asked.identifier.as_deref(),
            sign_in: None,
            claims: &claims,
        },
    );
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": access.expires_in,
        "ext_expires_in": access.expires_in,
        "access_token": access.token,
    }))
}
