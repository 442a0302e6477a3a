//! What the tests share: an emulator, a client that trusts it, and a verifier that knows nothing of Entra.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::{Emulator, Options, ids};
use reqwest::header::HeaderMap;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(crate) const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";
pub(crate) const REDIRECT: &str = "http://localhost:49152";
pub(crate) const OBO: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) http: reqwest::Client,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        // Fails if another test was first, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let emulator = Emulator::start(options).await.unwrap();
        let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { emulator, http }
    }

    pub(crate) fn login(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.emulator.authority_url(), ids::TENANT)
    }

    pub(crate) async fn json(&self, url: &str) -> Value {
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// The authorize request of the demo client, as parameters to be changed.
    pub(crate) fn authorize<'a>(&self, scope: &'a str) -> Vec<(&'static str, &'a str)> {
        vec![
            ("client_id", "7e57c000-0000-4000-8000-000000000002"),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", "st-1"),
            ("nonce", "no-1"),
            ("code_challenge", "pending"),
            ("code_challenge_method", "S256"),
        ]
    }

    /// Sends an authorize request approved as `upn`, and returns status, headers and body.
    pub(crate) async fn approve(&self, upn: &str, mut params: Vec<(&str, &str)>) -> (u16, HeaderMap, String) {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        for (name, value) in &mut params {
            if *name == "code_challenge" {
                *value = &challenge;
            }
        }
        let url = self.login("oauth2/v2.0/authorize");
        let mut request = self.http.get(url).query(&params);
        if !upn.is_empty() {
            request = request.header("x-emulator-approve", upn);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
    }

    /// A code of the demo client for Adele.
    pub(crate) async fn code(&self, scope: &str) -> String {
        let (status, headers, body) = self.approve(ids::ADELE_UPN, self.authorize(scope)).await;
        assert_eq!(status, 302, "{body}");
        answer(&headers)["code"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn token(&self, params: &[(&str, &str)]) -> (u16, Value) {
        self.token_at(&ids::TENANT.to_string(), params).await
    }

    pub(crate) async fn token_at(&self, tenant: &str, params: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.emulator.authority_url());
        let response = self.http.post(url).form(params).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Redeems a code of the demo client.
    pub(crate) async fn redeem(&self, code: &str) -> (u16, Value) {
        self.token(&redeem(code)).await
    }

    pub(crate) async fn graph(&self, path: &str, token: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.emulator.graph_url());
        self.http.get(url).bearer_auth(token).send().await.unwrap()
    }

    /// Verifies RS256 by the published keys and nothing else.
    pub(crate) async fn verifies(&self, token: &str) -> bool {
        let keys = self.json(&self.login("discovery/v2.0/keys")).await;
        let kid = header(token)["kid"].clone();
        let Some(key) = keys["keys"].as_array().unwrap().iter().find(|k| k["kid"] == kid) else {
            return false;
        };
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        PublicKeyComponents { n: part("n"), e: part("e") }
            .verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message.as_bytes(),
                &URL_SAFE_NO_PAD.decode(signature).unwrap(),
            )
            .is_ok()
    }
}

pub(crate) fn redeem(code: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", "7e57c000-0000-4000-8000-000000000002"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ]
}

/// The parameters of a `Location`.
pub(crate) fn answer(headers: &HeaderMap) -> Value {
    let location = headers["location"].to_str().unwrap();
    let query = location.split_once(['?', '#']).unwrap().1;
    form_urlencoded::parse(query.as_bytes())
        .map(|(k, v)| (k.into_owned(), Value::from(v.into_owned())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

pub(crate) fn header(token: &str) -> Value {
    segment(token, 0)
}

pub(crate) fn claims(token: &str) -> Value {
    segment(token, 1)
}

fn segment(token: &str, at: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}

/// `params` with one value replaced, or the parameter removed where `value` is empty.
pub(crate) fn with<'a>(
    params: &[(&'a str, &'a str)],
    name: &'a str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let mut changed: Vec<_> = params.iter().copied().filter(|(n, _)| *n != name).collect();
    if !value.is_empty() {
        changed.push((name, value));
    }
    changed
}

pub(crate) fn valet_scope() -> String {
    format!("openid profile offline_access {}/{}", ids::VALET_URI, ids::VALET_SCOPE)
}
