//! `valet stdio` from outside: the real command with the real artifacts, and the emulator behind it.

use std::sync::Arc;
use std::time::Duration;

use entra_emulator::{Emulator, Endpoint, Fault, Operation, ids};
use serde_json::{Value, json};
use valet_suite::ask::modern;
use valet_suite::config::{Config, Folder};
use valet_suite::process::Process;
use valet_suite::rig::{emulator, search, shared_emulator};
use valet_suite::run;
use valet_suite::stdio::Stdio;

const TOOL: &str = "GetUserDetailsFromGraph";
const TOKEN: &str = "VALET_ACCESS_TOKEN";

/// A client of the command, which ends with a search of the log for what must not be in it.
struct Client {
    stdio: Stdio,
    token: String,
    /// Holds the files that the command may still read.
    _folder: Folder,
}

impl Client {
    fn start(emulator: &Arc<Emulator>) -> Self {
        Self::start_by(emulator, Stdio::start)
    }

    fn start_by(emulator: &Arc<Emulator>, start: fn(&std::path::Path, &[(&str, &str)]) -> Stdio) -> Self {
        let (folder, file) = configured(emulator);
        let scopes = [ids::VALET_SCOPE];
        let token = emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &scopes).unwrap();
        let stdio = start(&file, &[(TOKEN, &token)]);
        Self { stdio, token, _folder: folder }
    }

    fn ask(&mut self, id: u64, method: &str, params: Value) {
        let mut message = modern(method, params);
        message["id"] = id.into();
        self.stdio.message(&message);
    }

    fn call(&mut self, id: u64, tool: &str) {
        self.ask(id, "tools/call", json!({ "name": tool, "arguments": {} }));
    }

    async fn answer(&mut self, id: u64) -> Value {
        let answer = self.stdio.line().await.expect("an answer");
        assert_eq!((answer["jsonrpc"].as_str(), answer["id"].as_u64()), (Some("2.0"), Some(id)), "{answer}");
        answer["result"].clone()
    }

    /// The next good call works.
    async fn well(&mut self) {
        self.call(99, "whoami");
        let answer = self.answer(99).await;
        assert_eq!(answer["structuredContent"]["objectId"], ids::ADELE.to_string());
    }

    /// Ends the input; nothing more comes, and the end is a good one.
    async fn close(mut self) {
        self.stdio.close_input();
        assert_eq!(self.stdio.line().await, None);
        assert_eq!(self.stdio.end().await.code(), Some(0));
        let signature = self.token.rsplit('.').next().unwrap().to_owned();
        search(&[signature, ids::VALET_SECRET.to_owned()], "the log", &self.stdio.log().text());
    }
}

/// A file for standard input and output alone.
fn configured(emulator: &Emulator) -> (Folder, std::path::PathBuf) {
    let folder = Folder::new();
    let config = Config::for_emulator(emulator).without("server.listen");
    let config = config.without("server.tls_certificate").without("server.tls_key");
    let file = config.write(&folder, emulator.ca_pem());
    (folder, file)
}

/// The code and the text of a JSON-RPC error, and that it has no id.
fn refused_without_id(answer: &Value) -> (i64, &str) {
    assert_eq!(answer.get("id"), None, "{answer}");
    (answer["error"]["code"].as_i64().unwrap(), answer["error"]["message"].as_str().unwrap())
}

#[test]
fn tools_are_listed_and_called() {
    run(async {
        let mut client = Client::start(&shared_emulator().await);
        client.ask(1, "server/discover", json!({}));
        assert_eq!(client.answer(1).await["supportedVersions"][0], "2026-07-28");
        client.ask(2, "tools/list", json!({}));
        let list = client.answer(2).await;
        let names: Vec<_> =
            list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
        assert!(names.contains(&TOOL.into()) && names.contains(&"whoami".into()), "{names:?}");
        client.call(3, TOOL);
        assert_eq!(client.answer(3).await["structuredContent"]["displayName"], "Adele Vance");
        client.stdio.message(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client.well().await;
        client.close().await;
    });
}

#[test]
fn a_legacy_client_is_answered() {
    run(async {
        let mut client = Client::start(&shared_emulator().await);
        client.stdio.message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "suite", "version": "1" },
        } }));
        assert_eq!(client.answer(1).await["protocolVersion"], "2025-11-25");
        client.stdio.message(&json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }));
        assert_eq!(client.answer(2).await, json!({}));
        client.close().await;
    });
}

#[test]
fn a_cancelled_call_ends_and_nothing_more_is_sent_for_it() {
    run(async {
        let emulator = emulator().await;
        let mut client = Client::start(&emulator);
        client.well().await;
        emulator.faults().set_times(Endpoint::Graph, Fault::Delay(Duration::from_secs(3600)), 1);
        client.call(1, TOOL);
        while emulator.faults().count(Operation::Graph) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        client.well().await;
        client.stdio.message(&json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1, "reason": "as asked" },
        }));
        client.well().await;
        // Were the call still open, its end would be waited for, and its answer would come before the end.
        client.close().await;
    });
}

#[test]
fn the_end_of_the_input_waits_for_answers() {
    run(async {
        let emulator = emulator().await;
        let mut client = Client::start(&emulator);
        emulator.faults().set_times(Endpoint::Graph, Fault::Delay(Duration::from_secs(1)), 1);
        client.call(1, TOOL);
        client.stdio.close_input();
        assert_eq!(client.answer(1).await["structuredContent"]["displayName"], "Adele Vance");
        client.close().await;
    });
}

#[test]
fn input_that_is_no_message_is_refused_and_the_next_works() {
    run(async {
        let mut client = Client::start(&shared_emulator().await);
        client.well().await;
        for (name, input, code, text) in [
            ("not JSON", b"hello\n".to_vec(), -32700, "Parse error: not JSON at line 1, column 1"),
            ("no UTF-8", b"{\"a\":\"\xff\"}\n".to_vec(), -32700, "Parse error: not UTF-8 after byte 6"),
            ("a batch", b"[]\n".to_vec(), -32600, "Invalid request: batches are not supported"),
            (
                "a byte too long",
                [vec![b' '; 1024 * 1024], b"1\n".to_vec()].concat(),
                -32600,
                "the message is longer than 1 MiB",
            ),
        ] {
            client.stdio.send(input);
            let answer = client.stdio.line().await.expect(name);
            let (found_code, found_text) = refused_without_id(&answer);
            assert!(found_code == code && valet_suite::check::like(text, found_text), "{name}: {answer}");
            client.well().await;
        }
        client.stdio.send("\n \r\n");
        client.well().await;
        client.close().await;
    });
}

#[test]
fn a_line_of_a_hundred_megabytes_is_skipped() {
    run(async {
        let mut client = Client::start(&shared_emulator().await);
        let chunk = vec![b'a'; 1024 * 1024];
        for _ in 0..100 {
            client.stdio.send(&chunk);
        }
        client.stdio.send("\n");
        let answer = client.stdio.line().await.unwrap();
        assert_eq!(refused_without_id(&answer), (-32600, "the message is longer than 1 MiB"));
        client.well().await;
        client.close().await;
    });
}

#[test]
fn the_end_of_the_input_ends_a_message() {
    run(async {
        let emulator = shared_emulator().await;
        let mut whole = Client::start(&emulator);
        let mut message = modern("tools/list", json!({}));
        message["id"] = 7.into();
        whole.stdio.send(message.to_string());
        whole.stdio.close_input();
        assert!(whole.answer(7).await["tools"].is_array());
        whole.close().await;

        let mut half = Client::start(&emulator);
        half.stdio.send(&message.to_string()[..30]);
        half.stdio.close_input();
        let answer = half.stdio.line().await.unwrap();
        assert_eq!(refused_without_id(&answer).0, -32700);
        half.close().await;
    });
}

#[test]
fn closed_output_ends_it_cleanly() {
    run(async {
        let mut client = Client::start_by(&shared_emulator().await, Stdio::without_output);
        client.stdio.close_output();
        client.call(1, "whoami");
        assert_eq!(client.stdio.end().await.code(), Some(0));
        let log = client.stdio.log().text();
        assert!(!log.contains("panic"), "{log}");
    });
}

#[test]
fn a_signal_ends_it_cleanly() {
    run(async {
        let mut client = Client::start(&shared_emulator().await);
        client.well().await;
        client.stdio.terminate();
        assert_eq!(client.stdio.line().await, None);
        assert_eq!(client.stdio.end().await.code(), Some(0));
    });
}

#[test]
fn a_token_that_is_not_accepted_is_an_error_with_the_id() {
    run(async {
        let emulator = shared_emulator().await;
        let (_folder, file) = configured(&emulator);
        let mut stdio = Stdio::start(&file, &[(TOKEN, "not.a.token")]);
        let mut message = modern("tools/list", json!({}));
        message["id"] = "x".into();
        stdio.message(&message);
        let answer = stdio.line().await.unwrap();
        assert_eq!((&answer["id"], answer["result"].is_null()), (&json!("x"), true), "{answer}");
        assert!(answer["error"]["code"].is_i64(), "{answer}");
    });
}

#[test]
fn what_is_missing_is_named_before_anything_is_read() {
    run(async {
        let emulator = shared_emulator().await;
        let (_folder, file) = configured(&emulator);
        let missing = format!(
            "valet: {}: who calls? Add a [local] section for the user of this machine, or set VALET_ACCESS_TOKEN to an access token of the user who calls",
            file.display()
        );
        for variables in [vec![], vec![(TOKEN, " ")]] {
            let mut process = Process::start(&["stdio"], &file, &variables);
            assert_eq!(process.end(Duration::from_secs(10)).and_then(|status| status.code()), Some(1));
            assert_eq!((process.log().text().as_str(), process.output().as_str()), (missing.as_str(), ""));
        }
        let mut process = Process::start(&["serve"], &file, &[]);
        assert_eq!(process.end(Duration::from_secs(10)).and_then(|status| status.code()), Some(1));
        let text =
            format!("valet: {}: `server.listen`: is missing, and `valet serve` needs it", file.display());
        assert_eq!(process.log().text(), text);
    });
}
