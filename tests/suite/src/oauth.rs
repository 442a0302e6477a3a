//! An OAuth client that does everything right until a test changes one thing.

use serde_json::Value;

use crate::Rig;
use crate::ask::Answer;
use crate::browser::{Browser, Page};
use crate::config::{CLIENT, ENDPOINT, REDIRECT_URI};

/// The origin of the server under test: its issuer.
pub const ISSUER: &str = "https://valet.example";

/// A verifier (RFC 7636 appendix B) and its challenge.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// See [`VERIFIER`].
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The parameters of an authorization request, in order.
#[derive(Clone, Debug)]
pub struct Authorize(Vec<(String, String)>);

impl Default for Authorize {
    fn default() -> Self {
        let parameters = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "client-state"),
            ("scope", "mcp.access"),
            ("resource", ENDPOINT),
        ];
        Self(parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

impl Authorize {
    /// The same with a parameter set.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// The same without a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The address.
    #[must_use]
    pub fn url(&self) -> String {
        let base = format!("{ISSUER}/oauth/authorize");
        reqwest::Url::parse_with_params(&base, &self.0).unwrap().into()
    }
}

/// Tokens of ours.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Tokens {
    /// Reads the answer of the token endpoint; panics at an error.
    pub fn read(rig: &Rig, answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json();
        let text = |name: &str| json[name].as_str().unwrap().to_owned();
        let refresh = text("refresh_token");
        rig.keep_secret(refresh.rsplit_once('.').unwrap().1);
        Self { access: rig.keep(text("access_token")), refresh }
    }
}

/// The `kid` of a token (RFC 7515 section 4.1.4).
#[must_use]
pub fn key_id(token: &str) -> String {
    said(token, 0, "kid")
}

/// The `sid` of a token: its session.
#[must_use]
pub fn session_id(token: &str) -> String {
    said(token, 1, "sid")
}

/// What a token's segment says under `name`.
fn said(token: &str, segment: usize, name: &str) -> String {
    use base64::Engine as _;
    let segment = token.split('.').nth(segment).unwrap_or_default();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(segment).unwrap();
    serde_json::from_slice::<Value>(&json).unwrap()[name].as_str().unwrap().to_owned()
}

/// Signs in: the consent page, Entra, and back with a code.
pub async fn code(rig: &Rig, browser: &mut Browser) -> String {
    let page = browser.go(&Authorize::default().url()).await;
    let page = if page.asks() { browser.decide(&page, "allow").await } else { page };
    arrived(rig, &page)
}

/// The code that arrived at the client.
pub fn arrived(rig: &Rig, page: &Page) -> String {
    let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {page:?}"));
    rig.keep_secret(&code);
    assert_eq!(page.parameter("state").as_deref(), Some("client-state"));
    assert_eq!(page.parameter("iss").as_deref(), Some(ISSUER));
    code
}

/// Redeems the code that arrived at the client.
pub async fn finish(rig: &Rig, page: &Page) -> Tokens {
    Tokens::read(rig, &redeem(rig, &arrived(rig, page)).await)
}

/// Signs in and redeems the code.
pub async fn sign_in(rig: &Rig, browser: &mut Browser) -> Tokens {
    let code = code(rig, browser).await;
    Tokens::read(rig, &redeem(rig, &code).await)
}

/// The same for a person whose permission is not known, or not any more: they have to be asked.
pub async fn sign_in_asked(rig: &Rig, browser: &mut Browser) -> Tokens {
    let page = browser.go(&Authorize::default().url()).await;
    assert!(page.asks(), "{page:?}");
    let page = browser.decide(&page, "allow").await;
    finish(rig, &page).await
}

/// Redeems a code.
pub async fn redeem(rig: &Rig, code: &str) -> Answer {
    token(rig, &code_form(code)).await
}

/// The form by which a code is redeemed.
#[must_use]
pub fn code_form(code: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", CLIENT.to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", REDIRECT_URI.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
        ("resource", ENDPOINT.to_owned()),
    ]
}

/// Uses a refresh token.
pub async fn refresh(rig: &Rig, refresh: &str) -> Answer {
    token(rig, &refresh_form(refresh)).await
}

/// The form by which a refresh token is used.
#[must_use]
pub fn refresh_form(refresh: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", CLIENT.to_owned()),
        ("refresh_token", refresh.to_owned()),
    ]
}

/// Posts to the token endpoint.
pub async fn token(rig: &Rig, form: &[(&'static str, String)]) -> Answer {
    post(rig, "/oauth/token", form).await
}

/// Posts a form to an endpoint of the authorization server.
pub async fn post(rig: &Rig, path: &str, form: &[(&'static str, String)]) -> Answer {
    Answer::read(rig.http.post(format!("{ISSUER}{path}")).form(form).send().await.unwrap()).await
}

/// The error of an answer of the token endpoint, and its status.
#[must_use]
pub fn error(answer: &Answer) -> (u16, String) {
    let error: Value = answer.json();
    (answer.status, error["error"].as_str().unwrap_or_default().to_owned())
}
