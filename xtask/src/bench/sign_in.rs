//! Tokens for the load: one sign-in at the emulator, and one refresh a token after the first.

use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::blocking::Client;
use reqwest::header::LOCATION;
use reqwest::{Certificate, redirect};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::programs::{Stage, TENANT};

/// The emulator's public client and user, and the API's scope.
const CLIENT: &str = "7e57c000-0000-4000-8000-000000000002";
const USER: &str = "adele@contoso.example";
const SCOPE: &str = "api://7e57c000-0000-4000-8000-000000000001/mcp.access offline_access";

/// Where a browser would be sent back to. Nothing listens there.
const REDIRECT: &str = "http://localhost:5173";

/// RFC 7636 wants 43 characters that nobody can guess; at an emulator on this machine there is nobody.
const VERIFIER: &str = "a-benchmark-has-no-secret-to-keep-from-itself";

/// `count` different tokens of one user.
pub(super) fn tokens(stage: &Stage, count: usize) -> Result<Vec<String>> {
    let ca = Certificate::from_pem(&std::fs::read(stage.ca_file())?)?;
    let client = Client::builder()
        .tls_certs_only([ca])
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    let base = format!("{}/{TENANT}/oauth2/v2.0", stage.authority());
    let code = authorize(&client, &base)?;
    let token = |form: &[(&str, &str)]| -> Result<(String, String)> {
        let answer: Value = client.post(format!("{base}/token")).form(form).send()?.json()?;
        let text = |name: &str| {
            answer[name].as_str().map(str::to_owned).with_context(|| format!("no {name} in {answer}"))
        };
        Ok((text("access_token")?, text("refresh_token")?))
    };
    let (first, mut refresh) = token(&[
        ("client_id", CLIENT),
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ])?;
    let mut tokens = vec![first];
    while tokens.len() < count {
        let form = [
            ("client_id", CLIENT),
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh),
            ("scope", SCOPE),
        ];
        let (next, newer) = token(&form)?;
        tokens.push(next);
        refresh = newer;
    }
    Ok(tokens)
}

fn authorize(client: &Client, base: &str) -> Result<String> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let url = Url::parse_with_params(
        &format!("{base}/authorize"),
        [
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("login_hint", USER),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ],
    )?;
    let answer = client.get(url).send()?;
    let location = answer.headers().get(LOCATION).context("the sign-in was not redirected")?.to_str()?;
    let code = Url::parse(location)?
        .query_pairs()
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned());
    code.with_context(|| format!("the redirect carries no code: {location}"))
}
