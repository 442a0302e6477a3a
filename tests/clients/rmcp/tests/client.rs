//! The official SDK for Rust against the real command, in both eras and over both transports: what it lists, calls, is told
//! when something is wrong, and what happens when it leaves in the middle of a call.
#![allow(clippy::unwrap_used, reason = "a test that panics fails, which is what it should do")]

use std::process::Stdio;
use std::time::Duration;

use entra_emulator::{Endpoint, Fault, Operation, ids};
use rmcp::model::{CallToolRequestParams, ErrorCode, ProtocolVersion};
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientServiceExt as _, RoleClient};
use serde_json::{Value, json};
use valet_suite::config::{self, ENDPOINT};
use valet_suite::rig::emulator;
use valet_suite::{Rig, run};

const PROFILE: &str = "GetUserDetailsFromGraph";

/// Longer than the server waits for Graph.
const LATE: Duration = Duration::from_secs(60);

/// Requests that the server works on at the same time: few, so that a client which has left and keeps its place is noticed.
const PLACES: i64 = 4;

type Session = RunningService<RoleClient, ()>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Era {
    Modern,
    Legacy,
    /// Whichever the client finds: the modern one here.
    Found,
}

impl Era {
    const ALL: [Self; 3] = [Self::Modern, Self::Legacy, Self::Found];

    fn lifecycle(self) -> ClientLifecycleMode {
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        match self {
            Self::Modern => ClientLifecycleMode::Discover { preferred_versions },
            Self::Legacy => ClientLifecycleMode::Initialize,
            Self::Found => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        }
    }

    fn revision(self) -> ProtocolVersion {
        match self {
            Self::Legacy => ProtocolVersion::V_2025_11_25,
            Self::Modern | Self::Found => ProtocolVersion::V_2026_07_28,
        }
    }
}

/// A server with an emulator of its own, whose faults disturb nobody else.
async fn rig() -> Rig {
    Rig::start_with(emulator().await, |config| config.set("limits.concurrent_requests", PLACES)).await
}

async fn connect(rig: &Rig, era: Era, token: &str) -> Result<Session, ClientInitializeError> {
    let config = StreamableHttpClientTransportConfig::with_uri(ENDPOINT).auth_header(token);
    let transport = StreamableHttpClientTransport::with_client(rig.http.clone(), config);
    ().serve_with_lifecycle(transport, era.lifecycle()).await
}

async fn call(session: &Session, tool: &'static str) -> Result<Value, ServiceError> {
    let result = session.call_tool(CallToolRequestParams::new(tool)).await?;
    Ok(serde_json::to_value(result).unwrap())
}

fn adele() -> Value {
    json!({
        "id": ids::ADELE.to_string(),
        "displayName": "Adele Vance",
        "givenName": "Adele",
        "surname": "Vance",
        "userPrincipalName": ids::ADELE_UPN,
        "mail": "adele.vance@contoso.example",
        "jobTitle": "Retail Manager",
        "department": "Retail",
        "officeLocation": "18/2111",
        "mobilePhone": "+49 151 0000001",
        "businessPhones": ["+49 30 000001"],
        "preferredLanguage": "en-GB",
    })
}

fn whoami() -> Value {
    json!({
        "kind": "user",
        "tenantId": ids::TENANT.to_string(),
        "objectId": ids::ADELE.to_string(),
        "clientId": ids::DEMO_CLIENT.to_string(),
        "name": "Adele Vance",
        "scopes": [ids::VALET_SCOPE],
        "roles": ["Operator"],
    })
}

/// Both tools, with what they say of Adele.
async fn serves(session: &Session) {
    let about = call(session, "whoami").await.unwrap();
    assert_eq!(about["structuredContent"], whoami());
    assert_eq!(serde_json::from_str::<Value>(text(&about)).unwrap(), whoami(), "the text says the same");
    let profile = call(session, PROFILE).await.unwrap();
    assert_eq!(profile["structuredContent"], adele());
    for fact in ["Name: Adele Vance\n", "Office: 18/2111\n", "Business phones: +49 30 000001"] {
        assert!(text(&profile).contains(fact), "{profile}");
    }
    assert_ne!(profile["isError"], true);
}

fn text(result: &Value) -> &str {
    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

/// Everything that a client does on an ordinary day, mistakes included.
async fn everyday(session: &Session, era: Era) {
    let server = session.peer_info().unwrap();
    assert_eq!(server.protocol_version, era.revision(), "{era:?}");
    assert_eq!(server.server_info.as_ref().unwrap().name, "valet");

    let tools = session.list_all_tools().await.unwrap();
    assert_eq!(tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), [PROFILE, "whoami"]);
    for tool in &tools {
        assert_eq!(tool.input_schema["additionalProperties"], false, "{}", tool.name);
        assert_eq!(tool.annotations.as_ref().unwrap().read_only_hint, Some(true), "{}", tool.name);
        assert!(tool.output_schema.as_ref().unwrap().contains_key("properties"), "{}", tool.name);
    }
    serves(session).await;

    match call(session, "nothing_of_that_name").await {
        Err(ServiceError::McpError(error)) => {
            assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
            assert_eq!(error.message, "Unknown tool: nothing_of_that_name");
        }
        other => panic!("{era:?}: {other:?}"),
    }
    let wrong = CallToolRequestParams::new("whoami")
        .with_arguments(json!({ "user": "somebody else" }).as_object().unwrap().clone());
    let told = serde_json::to_value(session.call_tool(wrong).await.unwrap()).unwrap();
    assert_eq!(told["isError"], true, "{told}");
    let why = text(&told);
    assert!(
        why.starts_with("The arguments do not fit the tool's input schema") && why.contains("user"),
        "{why}"
    );
    serves(session).await;
}

/// Leaves `times` calls that Graph does not answer in time, each once it is there; then the next one is served.
async fn leave(rig: &Rig, session: &Session, times: u64) {
    let faults = rig.emulator.faults();
    faults.set(Endpoint::Graph, Fault::Delay(LATE));
    let before = faults.count(Operation::Graph);
    for left in 1..=times {
        let arrived = async {
            while faults.count(Operation::Graph) < before + left {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // What loses the race is dropped, which is how this SDK cancels.
        tokio::select! {
            outcome = call(session, PROFILE) => panic!("call {left} ended by itself: {outcome:?}"),
            () = arrived => {}
        }
    }
    faults.clear(Endpoint::Graph);
    serves(session).await;
}

#[test]
fn everyday_over_http() {
    run(async {
        let rig = Rig::start().await;
        for era in Era::ALL {
            let session = connect(&rig, era, &rig.token(ids::ADELE_UPN)).await.unwrap();
            everyday(&session, era).await;
            session.cancel().await.unwrap();
        }
    });
}

#[test]
fn a_client_that_leaves_gives_its_place_back() {
    run(async {
        let rig = rig().await;
        let token = rig.token(ids::ADELE_UPN);
        // In the older era a notification cancels, which says nothing to a server without sessions: one place stays taken.
        for (era, times) in [(Era::Legacy, 1), (Era::Modern, 6)] {
            let session = connect(&rig, era, &token).await.unwrap();
            leave(&rig, &session, times).await;
            session.cancel().await.unwrap();
        }
    });
}

#[test]
fn a_refused_token_is_a_challenge() {
    run(async {
        let rig = Rig::start().await;
        let foreign = rig
            .emulator
            .access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &["entries.read"])
            .map(|token| rig.keep(token))
            .unwrap();
        for era in Era::ALL {
            for (token, error) in [("not.a.token", "invalid_token"), (&foreign, "invalid_token")] {
                let refused = connect(&rig, era, token).await.err().unwrap();
                assert!(refused.is_authorization_required(), "{era:?}: {refused}");
                let challenge = refused.auth_challenge().unwrap();
                assert!(challenge.contains(&format!(r#"error="{error}""#)), "{challenge}");
                assert!(challenge.contains("resource_metadata="), "{challenge}");
            }
            let session = connect(&rig, era, &rig.token(ids::ADELE_UPN)).await.unwrap();
            serves(&session).await;
        }
    });
}

#[test]
fn over_stdio() {
    run(async {
        let rig = rig().await;
        for era in Era::ALL {
            let mut command = tokio::process::Command::new(config::command());
            command.arg("stdio").arg("--config").arg(rig.folder.path("valet.toml"));
            command.env_clear().env("VALET_ACCESS_TOKEN", rig.token(ids::ADELE_UPN));
            let (transport, _) = TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().unwrap();
            let session = ().serve_with_lifecycle(transport, era.lifecycle()).await.unwrap();
            everyday(&session, era).await;
            // Over stdio the notification cancels in both eras.
            leave(&rig, &session, 6).await;
            session.cancel().await.unwrap();
        }
    });
}
