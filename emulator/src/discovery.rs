//! Metadata and key documents: exactly what Entra publishes, and nothing it does not.
//!
//! Left out on purpose, as Entra does: `code_challenge_methods_supported`, `registration_endpoint`,
//! `grant_types_supported`. Added on purpose: `x-emulator`, so that a production configuration can refuse.

use axum::Json;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::errors::{Refusal, Trace};
use crate::realm::Realm;
use crate::server::Shared;
use crate::state::State;

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) async fn metadata_v2(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    answer(&state, &headers, &tenant, |realm| {
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
        document["scopes_supported"] = json!(["openid", "profile", "email", "offline_access"]);
        document
    })
}

/// `/{tenant}/.well-known/openid-configuration`.
pub(crate) async fn metadata_v1(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    answer(&state, &headers, &tenant, |realm| {
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
        document["scopes_supported"] = json!(["openid"]);
        document["microsoft_multi_refresh_token"] = true.into();
        document["check_session_iframe"] = format!("{authority}/{segment}/oauth2/checksession").into();
        document
    })
}

/// `/{tenant}/discovery/v2.0/keys`.
pub(crate) async fn keys_v2(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    answer(&state, &headers, &tenant, |_| state.keys().document_v2(&state.origins.authority))
}

/// `/{tenant}/discovery/keys`.
pub(crate) async fn keys_v1(state: Shared, Path(tenant): Path<String>, headers: HeaderMap) -> Response {
    answer(&state, &headers, &tenant, |_| state.keys().document_v1())
}

/// `/common/discovery/instance`: this host is its own cloud, so a client that asks here needs no further switch.
pub(crate) async fn instance(state: Shared) -> Response {
    let authority = &state.origins.authority;
    let host = authority.trim_start_matches("https://");
    Json(json!({
        "x-emulator": true,
        "tenant_discovery_endpoint": format!("{authority}/common/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    }))
    .into_response()
}

fn common(state: &State, realm: &Realm) -> Value {
    let graph = state.origins.graph.trim_start_matches("https://");
    json!({
        "x-emulator": true,
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid",
            "ver", "at_hash", "c_hash", "email",
        ],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "userinfo_endpoint": format!("{}/oidc/userinfo", state.origins.graph),
        "kerberos_endpoint": format!("{}/{}/kerberos", state.origins.authority, realm.segment),
        "tenant_region_scope": realm.tenant.map(|_| "EU"),
        "cloud_instance_name": "emulator.invalid",
        "cloud_graph_host_name": graph,
        "msgraph_host": graph,
        "rbac_url": "https://rbac.emulator.invalid",
    })
}

fn answer(
    state: &State,
    headers: &HeaderMap,
    tenant: &str,
    document: impl FnOnce(&Realm) -> Value,
) -> Response {
    let result: Result<Value, Refusal> =
        Realm::parse(tenant, &state.registrations()).map(|realm| document(&realm));
    match result {
        Ok(document) => {
            // Browser clients read these across origins.
            (
                [("access-control-allow-origin", "*"), ("cache-control", "max-age=86400, private")],
                Json(document),
            )
                .into_response()
        }
        Err(refusal) => Trace::new(headers, state.clock.now()).response(&refusal, &state.origins.authority),
    }
}
