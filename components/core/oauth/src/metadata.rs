//! Authorization server metadata (RFC 8414), from what is switched on. One document serves both well-known places, so it also has the members that OpenID
//! Connect Discovery 1.0 section 3 requires; clients that read it there want the endpoints, for ID tokens are not issued.

use serde::Serialize;

use crate::http::Response;
use crate::route;
use crate::settings::Settings;

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    jwks_uri: String,
    scopes_supported: &'a [String],
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: &'a [&'static str],
    revocation_endpoint_auth_methods_supported: &'a [&'static str],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    client_id_metadata_document_supported: bool,
    protected_resources: [&'a str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// The document.
#[must_use]
pub fn response(settings: &Settings) -> Response {
    let methods: &[_] = if settings.clients.iter().any(|client| client.secret.is_some()) {
        &["none", "client_secret_basic", "client_secret_post"]
    } else {
        &["none"]
    };
    let metadata = Metadata {
        issuer: &settings.issuer,
        authorization_endpoint: settings.url(route::AUTHORIZE),
        token_endpoint: settings.url(route::TOKEN),
        revocation_endpoint: settings.url(route::REVOKE),
        registration_endpoint: settings.registration.as_ref().map(|_| settings.url(route::REGISTER)),
        jwks_uri: settings.url(route::JWKS),
        scopes_supported: &settings.scopes,
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_methods_supported: methods,
        code_challenge_methods_supported: ["S256"],
        // RFC 9207 section 3.
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: settings.document_hosts.is_some(),
        // RFC 9728 section 4.
        protected_resources: [&settings.resource],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
    };
    Response::document(serde_json::to_string(&metadata).expect("texts and lists serialise"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{settings, settings_with};

    fn document(settings: &Settings) -> Value {
        serde_json::from_str(&response(settings).body).unwrap()
    }

    #[test]
    fn the_document_has_what_clients_compare() {
        let document = document(&settings());
        assert_eq!(document["issuer"], "https://valet.example");
        assert_eq!(document["authorization_endpoint"], "https://valet.example/oauth/authorize");
        assert_eq!(document["token_endpoint"], "https://valet.example/oauth/token");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(document["grant_types_supported"], json!(["authorization_code", "refresh_token"]));
        assert_eq!(document["scopes_supported"], json!(["mcp.access", "mcp.write"]));
        assert_eq!(document["protected_resources"], json!(["https://valet.example/mcp"]));
    }

    #[test]
    fn only_what_is_on_is_advertised() {
        let all = document(&settings());
        assert_eq!(all["registration_endpoint"], "https://valet.example/oauth/register");
        assert_eq!(all["client_id_metadata_document_supported"], true);
        assert_eq!(
            all["token_endpoint_auth_methods_supported"],
            json!(["none", "client_secret_basic", "client_secret_post"])
        );
        let few = document(&settings_with(&[
            ("oauth_registration_redirects", ""),
            ("oauth_client_document_hosts", ""),
            ("oauth_clients", r#"[{"client_id":"c","redirect_uris":["https://c.example/cb"]}]"#),
        ]));
        assert_eq!(few.get("registration_endpoint"), None);
        assert_eq!(few["client_id_metadata_document_supported"], false);
        assert_eq!(few["token_endpoint_auth_methods_supported"], json!(["none"]));
    }
}
