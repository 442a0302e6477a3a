//! Which identity is meant, and the token it gets. What the two protocols around it share.

use std::collections::HashMap;

use uuid::Uuid;

use super::error::IdentityError;
use crate::claims_request::ClaimsRequest;
use crate::jwt;
use crate::registrations::{App, EXCHANGE_URI, ManagedIdentity, Registrations, exchange_api};
use crate::state::State;
use crate::tokens::{self, AccessGrant, AccessToken, ClientProof, Subject};

/// The query of a request, each parameter once.
pub(super) struct Query(HashMap<String, String>);

/// A token for an identity.
pub(super) struct Granted {
    pub(super) token: String,
    pub(super) client_id: Uuid,
    /// As the request wrote it.
    pub(super) resource: String,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    pub(super) expires_in: i64,
}

/// How one protocol calls the parameters that choose an identity.
pub(super) struct Selectors {
    pub(super) client_id: &'static str,
    pub(super) object_id: &'static [&'static str],
    pub(super) resource_id: &'static [&'static str],
}

impl Query {
    /// Reads a query string.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, IdentityError> {
        let mut params = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if params.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(IdentityError::Duplicate(name.into_owned()));
            }
        }
        Ok(Self(params))
    }

    /// A parameter, if present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }
}

/// Grants the token that `query` asks for.
pub(super) fn grant(state: &State, query: &Query, selectors: &Selectors) -> Result<Granted, IdentityError> {
    let resource = query.get("resource").ok_or(IdentityError::NoResource)?;
    let all = state.registrations();
    let identity = choose(&all, query, selectors)?;
    let unknown = IdentityError::NotFound;
    let client = all.apps.iter().find(|a| a.client_id == identity.app).ok_or(unknown)?;
    if !client.enabled {
        return Err(IdentityError::Disabled(client.client_id));
    }
    let not_before = state.clock.now().0;
    let AccessToken { token, expires_in } = token(state, &all, client, resource)?;
    Ok(Granted { token, client_id: client.client_id, resource: resource.to_owned(), not_before, expires_in })
}

/// The identity named by client id, object id or resource id; without any, the system-assigned one or else the only one.
fn choose<'a>(
    all: &'a Registrations,
    query: &Query,
    selectors: &Selectors,
) -> Result<&'a ManagedIdentity, IdentityError> {
    let first = |names: &[&str]| names.iter().find_map(|name| query.get(name));
    let given = (query.get(selectors.client_id), first(selectors.object_id), first(selectors.resource_id));
    let identities = &all.managed_identities;
    let found = match given {
        (None, None, None) => {
            let system = identities.iter().find(|m| m.system_assigned);
            match (system, identities.as_slice()) {
                (Some(system), _) => Some(system),
                (None, [only]) => Some(only),
                (None, []) => None,
                (None, _) => return Err(IdentityError::Several),
            }
        }
        (Some(id), None, None) => {
            let id = Uuid::parse_str(id).ok();
            identities.iter().find(|m| Some(m.app) == id)
        }
        (None, Some(id), None) => {
            let id = Uuid::parse_str(id).ok();
            identities.iter().find(|m| id.is_some() && object_id(all, m) == id)
        }
        (None, None, Some(id)) => {
            identities.iter().find(|m| m.resource_id.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(id)))
        }
        _ => return Err(IdentityError::Selectors),
    };
    found.ok_or(IdentityError::NotFound)
}

fn object_id(all: &Registrations, identity: &ManagedIdentity) -> Option<Uuid> {
    let app = all.app(identity.app)?;
    Some(tokens::service_principal(app.client_id, app.tenant))
}

fn token(
    state: &State,
    all: &Registrations,
    client: &App,
    resource: &str,
) -> Result<AccessToken, IdentityError> {
    let unknown = || IdentityError::UnknownResource(resource.to_owned());
    if resource == EXCHANGE_URI {
        return Ok(assertion(state, client));
    }
    // The SDKs take the resource from a scope, and some leave its last slash.
    let (identifier, api) = [resource, resource.trim_end_matches('/')]
        .into_iter()
        .find_map(|r| Some((r, all.api(r)?)))
        .filter(|(_, api)| api.visible_in(client.tenant))
        .ok_or_else(unknown)?;
    let consented =
        client.api_permissions.iter().filter(|p| p.resource == api.client_id && p.admin_consented);
    let roles = consented.flat_map(|p| p.application.iter().cloned()).collect();
    let subject = Subject::App { tenant: client.tenant, roles };
    let claims = ClaimsRequest::default();
    Ok(tokens::access_token(state, &of_identity(client, api, Some(identifier), &subject, &claims)))
}

/// A token to be presented as client assertion: its audience is the name, not the id, of the exchange (Entra
/// documentation, "Configure an application to trust a managed identity").
fn assertion(state: &State, client: &App) -> AccessToken {
    let subject = Subject::App { tenant: client.tenant, roles: vec![] };
    let (api, claims) = (exchange_api(), ClaimsRequest::default());
    let mut claims = tokens::access_claims(state, &of_identity(client, api, None, &subject, &claims));
    claims.insert("aud".into(), EXCHANGE_URI.into());
    let expires_in = claims["exp"].as_i64().unwrap_or(0) - state.clock.now().0;
    let keys = state.keys();
    let header = serde_json::Value::Object(tokens::header(keys.signer(), api)).to_string();
    let claims = serde_json::Value::Object(claims).to_string();
    AccessToken { token: jwt::seal(&header, &claims, keys.signer()), expires_in }
}

fn of_identity<'a>(
    client: &'a App,
    api: &'a App,
    identifier: Option<&'a str>,
    subject: &'a Subject<'a>,
    claims: &'a ClaimsRequest,
) -> AccessGrant<'a> {
    // Azure proves the identity with a certificate that the machine never sees.
    AccessGrant { subject, client, proof: ClientProof::Assertion, api, identifier, sign_in: None, claims }
}
