//! A small MCP client that does what any client has to: read the challenge, sign in, call.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::blocking::{self, Response};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Certificate, redirect};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::config::DEMO_CLIENT;
use super::process::Process;

/// Where the browser would be sent back to. Nothing listens there: the code is read from the redirect.
const REDIRECT: &str = "http://localhost:5173";

/// The MCP revision that the demo speaks.
const REVISION: &str = "2026-07-28";

/// An HTTP client that trusts the demo's certificates and follows no redirect.
pub(crate) struct Client(blocking::Client);

/// What a 401 said.
pub(crate) struct Challenge {
    /// Where the resource's metadata is.
    pub(crate) metadata_url: String,
}

/// What the metadata said (RFC 9728).
pub(crate) struct Resource {
    /// Where to sign in.
    pub(crate) authorization_server: String,
    /// What to ask for.
    scopes: Vec<String>,
}

/// A sign-in, and what happened on the way.
pub(crate) struct SignIn {
    /// The token for Valet.
    pub(crate) access_token: String,
    /// One line a hop.
    pub(crate) hops: Vec<String>,
}

/// A tool's result.
pub(crate) struct Called {
    /// Its text block.
    pub(crate) text: String,
    /// Its structured content.
    pub(crate) structured: Value,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("hops", &self.hops).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that trusts `certificates`, PEM.
    pub(crate) fn new(certificates: &[Vec<u8>]) -> Result<Self> {
        let certificates: Result<Vec<_>, _> =
            certificates.iter().map(|pem| Certificate::from_pem(pem)).collect();
        let client = blocking::Client::builder()
            .tls_certs_only(certificates?)
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self(client))
    }

    /// Waits until `url` answers 200.
    pub(crate) fn wait_for(&self, url: &str, patience: Duration, processes: &[&Process]) -> Result<()> {
        let started = Instant::now();
        loop {
            let answer = self.0.get(url).send();
            if answer.as_ref().is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            for process in processes {
                process.check()?;
            }
            if started.elapsed() > patience {
                bail!("{url} was not ready within {} s; last answer: {answer:?}", patience.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Calls without a token.
    pub(crate) fn challenge(&self, mcp_url: &str) -> Result<Challenge> {
        let answer = self.post(mcp_url, None, "server/discover", json!({}), None)?;
        ensure!(answer.status() == 401, "a call without a token was answered with {}", answer.status());
        let field = answer.headers().get(WWW_AUTHENTICATE).context("a 401 without a challenge")?.to_str()?;
        let (_, rest) =
            field.split_once("resource_metadata=\"").context("a challenge without resource_metadata")?;
        let (metadata_url, _) = rest.split_once('"').context("a challenge that is not quoted")?;
        Ok(Challenge { metadata_url: metadata_url.to_owned() })
    }

    /// Reads the metadata.
    pub(crate) fn resource_metadata(&self, challenge: &Challenge) -> Result<Resource> {
        let metadata: Value = self.0.get(&challenge.metadata_url).send()?.error_for_status()?.json()?;
        let server =
            metadata["authorization_servers"][0].as_str().context("metadata without authorization server")?;
        let scopes = metadata["scopes_supported"].as_array().context("metadata without scopes")?;
        Ok(Resource {
            authorization_server: server.to_owned(),
            scopes: scopes.iter().filter_map(|scope| Some(scope.as_str()?.to_owned())).collect(),
        })
    }

    /// Signs `user` in: RFC 6749 section 4.1 with PKCE (RFC 7636). The emulator is told whom to approve, where a browser would show its pages.
    pub(crate) fn sign_in(&self, resource: &Resource, user: &str) -> Result<SignIn> {
        let well_known = format!("{}/.well-known/openid-configuration", resource.authorization_server);
        let server: Value = self.0.get(&well_known).send()?.error_for_status()?.json()?;
        let endpoint =
            |name: &str| server[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let (verifier, state) = (random_text()?, random_text()?);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let scope = resource.scopes.join(" ");
        let authorize = Url::parse_with_params(
            &endpoint("authorization_endpoint")?,
            [
                ("client_id", DEMO_CLIENT),
                ("response_type", "code"),
                ("redirect_uri", REDIRECT),
                ("scope", &scope),
                ("state", &state),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        )?;
        let redirected = self.0.get(authorize).header("x-emulator-approve", user).send()?;
        let location =
            redirected.headers().get(LOCATION).context("the sign-in was not redirected")?.to_str()?;
        let parameters: Vec<(String, String)> = Url::parse(location)?.query_pairs().into_owned().collect();
        let parameter = |wanted: &str| {
            parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        ensure!(
            parameter("state") == Some(state.as_str()),
            "the redirect does not carry our state: {parameters:?}"
        );
        let code =
            parameter("code").with_context(|| format!("the redirect carries no code: {parameters:?}"))?;
        let form = [
            ("client_id", DEMO_CLIENT),
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &verifier),
        ];
        let answer: Value = self.0.post(endpoint("token_endpoint")?).form(&form).send()?.json()?;
        let token = answer["access_token"]
            .as_str()
            .with_context(|| format!("no token: {}", answer["error_description"]))?;
        Ok(SignIn {
            access_token: token.to_owned(),
            hops: vec![
                format!("browser -> Entra    authorize: {user} picks the account and consents to {scope}"),
                "Entra  -> client    302 with a code that is good once".to_owned(),
                "client -> Entra     code and PKCE verifier for an access token whose audience is Valet"
                    .to_owned(),
            ],
        })
    }

    /// Calls `tool` without arguments.
    pub(crate) fn call_tool(&self, mcp_url: &str, token: &str, tool: &str) -> Result<Called> {
        let params = json!({ "name": tool, "arguments": {} });
        let answer = self.post(mcp_url, Some(token), "tools/call", params, Some(tool))?;
        let status = answer.status();
        let body: Value = answer.json().with_context(|| format!("{tool}: status {status}"))?;
        let result = &body["result"];
        ensure!(status == 200 && result["isError"] == false, "{tool}: status {status}, {body}");
        Ok(Called {
            text: result["content"][0]["text"].as_str().unwrap_or_default().to_owned(),
            structured: result["structuredContent"].clone(),
        })
    }

    fn post(
        &self,
        url: &str,
        token: Option<&str>,
        method: &str,
        mut params: Value,
        name: Option<&str>,
    ) -> Result<Response> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut request = self
            .0
            .post(url)
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .header("MCP-Protocol-Version", REVISION)
            .header("Mcp-Method", method)
            .body(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string());
        if let Some(name) = name {
            request = request.header("Mcp-Name", name);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        Ok(request.send()?)
    }
}

/// 256 random bits as 43 characters: what RFC 7636 section 4.1 asks of a verifier.
fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
