//! Metadata and key documents: exactly what Entra publishes, and nothing it does not.
//!
//! Left out on purpose, as Entra does: `code_challenge_methods_supported`, `registration_endpoint`,
//! `grant_types_supported`. Added on purpose: `x-emulator`, so that a production configuration can refuse.

use axum::Json;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use url::Url;

use crate::errors::{Refusal, Trace};
use crate::realm::Realm;
use crate::registrations::PERSONAL_TENANT;
use crate::server::Shared;
use crate::state::State;

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) async fn metadata_v2(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    document(&state, &headers, &tenant, |realm| {
        let (authority, segment) = (&state.origins.authority, &realm.segment);
        // An alias has no issuer of its own: the template stands literally.
        let issuer = realm.tenant.map_or("{tenantid}".to_owned(), |t| t.to_string());
        let mut document = common(&state, realm);
        document["issuer"] = format!("{authority}/{issuer}/v2.0").into();
        document["authorization_endpoint"] = format!("{authority}/{segment}/oauth2/v2.0/authorize").into();
        document["token_endpoint"] = format!("{authority}/{segment}/oauth2/v2.0/token").into();
        document["device_authorization_endpoint"] =
            format!("{authority}/{segment}/oauth2/v2.0/devicecode").into();
        document["end_session_endpoint"] = format!("{authority}/{segment}/oauth2/v2.0/logout").into();
        document["jwks_uri"] = format!("{authority}/{segment}/discovery/v2.0/keys").into();
        document["userinfo_endpoint"] = format!("{}/oidc/userinfo", state.origins.graph).into();
        document["response_types_supported"] = json!(["code", "id_token", "code id_token", "id_token token"]);
        document["scopes_supported"] = json!(["openid", "profile", "email", "offline_access"]);
        document["claims_supported"] =
            claims(&["nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"]);
        document
    })
}

/// `/{tenant}/.well-known/openid-configuration`.
pub(crate) async fn metadata_v1(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    document(&state, &headers, &tenant, |realm| {
        let (authority, segment) = (&state.origins.authority, &realm.segment);
        let mut document = common(&state, realm);
        document["issuer"] = match realm.tenant {
            Some(tenant) => state.origins.v1_issuer.replace("{tenantid}", &tenant.to_string()).into(),
            None => state.origins.v1_issuer.clone().into(),
        };
        document["authorization_endpoint"] = format!("{authority}/{segment}/oauth2/authorize").into();
        document["token_endpoint"] = format!("{authority}/{segment}/oauth2/token").into();
        document["device_authorization_endpoint"] = format!("{authority}/{segment}/oauth2/devicecode").into();
        document["end_session_endpoint"] = format!("{authority}/{segment}/oauth2/logout").into();
        document["jwks_uri"] = format!("{authority}/{segment}/discovery/keys").into();
        document["userinfo_endpoint"] = format!("{authority}/{segment}/openid/userinfo").into();
        document["response_types_supported"] =
            json!(["code", "id_token", "code id_token", "token id_token", "token"]);
        document["scopes_supported"] = json!(["openid"]);
        document["claims_supported"] =
            claims(&["amr", "nonce", "email", "given_name", "family_name", "nickname"]);
        document["microsoft_multi_refresh_token"] = true.into();
        document["check_session_iframe"] = format!("{authority}/{segment}/oauth2/checksession").into();
        document
    })
}

/// `/{tenant}/discovery/v2.0/keys`.
pub(crate) async fn keys_v2(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    document(&state, &headers, &tenant, |_| state.keys().document_v2(&state.origins.authority))
}

/// `/{tenant}/discovery/keys`.
pub(crate) async fn keys_v1(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    document(&state, &headers, &tenant, |_| state.keys().document_v1())
}

/// `/{tenant}/discovery/instance`: whether a host is one of this cloud's, and under which names. This host is
/// its own cloud, so a client that asks here needs no further switch.
pub(crate) async fn instance(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Realm::parse(&tenant, &state.registrations())
        .and_then(|_| InstanceQuery::parse(query.as_deref().unwrap_or_default()));
    answer(&state, &headers, asked.and_then(|asked| instance_document(&state, &asked)))
}

/// The parameters of instance discovery.
struct InstanceQuery {
    authorization_endpoint: Url,
    /// Version 1.1 adds the aliases.
    with_aliases: bool,
}

impl InstanceQuery {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let (mut endpoint, mut version) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "authorization_endpoint" => &mut endpoint,
                "api-version" => &mut version,
                // Clients add `x-client-SKU` and the like.
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Refusal::Duplicate(name.into_owned()));
            }
        }
        let with_aliases = match version.as_deref() {
            Some("1.0") => false,
            Some("1.1") => true,
            _ => return Err(Refusal::BadDiscovery("api-version must be 1.0 or 1.1")),
        };
        let endpoint = endpoint.and_then(|e| Url::parse(&e).ok());
        let endpoint = endpoint.filter(|e| e.scheme() == "https" && e.has_host());
        let authorization_endpoint =
            endpoint.ok_or(Refusal::BadDiscovery("authorization_endpoint must be an https URL"))?;
        Ok(Self { authorization_endpoint, with_aliases })
    }
}

/// The answer points to the metadata of the tenant and the version that the endpoint is of. Ports are not
/// compared: MSAL for Python leaves them out.
fn instance_document(state: &State, asked: &InstanceQuery) -> Result<Value, Refusal> {
    let aliases = state.hosts.login_aliases();
    let host = asked.authorization_endpoint.host_str().unwrap_or_default();
    let name = |alias: &str| Url::parse(&format!("https://{alias}")).ok()?.host_str().map(str::to_owned);
    if !aliases.iter().any(|alias| name(alias).as_deref() == Some(host)) {
        return Err(Refusal::UnknownInstance);
    }
    let path = asked.authorization_endpoint.path();
    let tenant = path.split('/').nth(1).filter(|t| !t.is_empty()).unwrap_or("common");
    let version = if path.contains("/v2.0/") { "/v2.0" } else { "" };
    let authority = &state.origins.authority;
    let mut document = json!({
        "x-emulator": true,
        "tenant_discovery_endpoint":
            format!("{authority}/{tenant}{version}/.well-known/openid-configuration"),
    });
    if asked.with_aliases {
        let first = aliases.first().cloned().unwrap_or_default();
        document["api-version"] = "1.1".into();
        let cache = state.hosts.preferred_cache();
        document["metadata"] =
            json!([{ "preferred_network": first, "preferred_cache": cache, "aliases": aliases }]);
    }
    Ok(document)
}

/// `claims_supported`: those of both versions, then those of one.
fn claims(of_version: &[&str]) -> Value {
    let both = [
        "sub",
        "iss",
        "cloud_instance_name",
        "cloud_instance_host_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "acr",
    ];
    both.iter().chain(of_version).copied().collect()
}

fn common(state: &State, realm: &Realm) -> Value {
    let graph = state.origins.graph.trim_start_matches("https://");
    json!({
        "x-emulator": true,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "kerberos_endpoint": format!("{}/{}/kerberos", state.origins.authority, realm.segment),
        "tenant_region_scope": realm.tenant.filter(|t| *t != PERSONAL_TENANT).map(|_| "EU"),
        "cloud_instance_name": "emulator.invalid",
        "cloud_graph_host_name": graph,
        "msgraph_host": graph,
        "rbac_url": "https://rbac.emulator.invalid",
    })
}

fn document(
    state: &State,
    headers: &HeaderMap,
    tenant: &str,
    write: impl FnOnce(&Realm) -> Value,
) -> Response {
    answer(state, headers, Realm::parse(tenant, &state.registrations()).map(|realm| write(&realm)))
}

fn answer(state: &State, headers: &HeaderMap, result: Result<Value, Refusal>) -> Response {
    let mut response = match result {
        Ok(document) => ([("cache-control", "max-age=86400, private")], Json(document)).into_response(),
        Err(refusal) => Trace::new(headers, state.clock.now()).response(&refusal, &state.origins.authority),
    };
    // Browser clients read documents and refusals across origins.
    response.headers_mut().insert("access-control-allow-origin", HeaderValue::from_static("*"));
    response
}
