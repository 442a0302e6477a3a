//! `valet stdio` for the user of this machine.

use entra_emulator::{Control, Endpoint, Fault, Operation, RevocationReason, ids};
use serde_json::{Value, json};
use valet_suite::ask::{LEGACY, modern};
use valet_suite::log::is_audit;
use valet_suite::rig::policy_for_graph;
use valet_suite::run;
use valet_suite::stdio::Stdio;

use valet_suite::desk::{Desk, PLAIN};

const TOOL: &str = "GetUserDetailsFromGraph";

fn call(id: u32, tool: &str) -> Value {
    let mut message = modern("tools/call", json!({ "name": tool, "arguments": {} }));
    message["id"] = id.into();
    message
}

async fn answer(server: &mut Stdio) -> Value {
    server.line().await.expect("it has not ended")
}

/// A server whose first call has signed Adele in, by the browser.
async fn after_a_call(desk: &Desk) -> Stdio {
    let mut server = desk.stdio(true);
    server.message(&call(1, TOOL));
    desk.finish(ids::ADELE_UPN).await;
    assert_eq!(answer(&mut server).await["result"]["isError"], false);
    server
}

fn words(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn the_first_call_signs_in_by_the_browser_and_the_next_is_silent() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(true);
        // Before anybody has signed in there is a list to choose from, and nothing opens.
        server.message(&modern("tools/list", json!({})));
        let tools = answer(&mut server).await["result"]["tools"].clone();
        assert_eq!(tools.as_array().unwrap().len(), 2, "{tools}");
        server.message(&call(1, "whoami"));
        let nobody = answer(&mut server).await["result"]["structuredContent"]["name"].clone();
        assert!(nobody.as_str().unwrap().contains("nobody is signed in yet"), "{nobody}");
        assert_eq!(desk.opened(), 0);

        server.message(&call(2, TOOL));
        let page = desk.finish(ids::ADELE_UPN).await;
        assert!(page.status == 200 && page.text.contains("close"), "a page people can read: {page:?}");
        let profile = answer(&mut server).await;
        assert_eq!(
            profile["result"]["structuredContent"]["mail"], "adele.vance@contoso.example",
            "{profile}"
        );
        server.message(&call(3, "whoami"));
        assert_eq!(answer(&mut server).await["result"]["structuredContent"]["name"], "Adele Vance");
        server.message(&call(4, TOOL));
        assert_eq!(answer(&mut server).await["id"], 4);
        assert_eq!(desk.opened(), 1);
        let log = server.log().text();
        assert!(!log.contains("eyJ"), "no token is in the log");

        // Another process finds the account and its tokens.
        let mut other = desk.stdio(false);
        other.message(&call(1, TOOL));
        assert_eq!(answer(&mut other).await["result"]["structuredContent"]["displayName"], "Adele Vance");
    });
}

/// What is written down of it at its begin has zeros, as before anybody has signed in.
#[test]
fn a_call_that_nobody_began_is_written_down_as_whose_token_it_has() {
    run(async {
        let desk = Desk::new().await;
        let mut server = after_a_call(&desk).await;
        server.message(&call(2, TOOL));
        assert_eq!(answer(&mut server).await["result"]["isError"], false);
        let became = |event: &Value| is_audit(event) && event["reason"] == "signed_in";
        let event = server.log().wait(0, "event", became).await;
        assert_eq!(
            (&event["tenant"], &event["object"]),
            (&json!(ids::TENANT.to_string()), &json!(ids::ADELE.to_string())),
            "{event}"
        );
        // The second call is hers from its begin.
        assert_eq!(server.log().since(0).iter().filter(|event| became(event)).count(), 1);
    });
}

/// However few requests the remote server may have at the same time: here nobody would be told to come again.
#[test]
fn a_hundred_first_calls_open_one_browser() {
    run(async {
        let desk = Desk::with(|config| config.set("limits.concurrent_requests", 1)).await;
        let mut server = desk.stdio(true);
        for id in 0..100 {
            server.message(&call(id, TOOL));
        }
        desk.finish(ids::ALEX_UPN).await;
        for _ in 0..100 {
            let profile = answer(&mut server).await;
            assert_eq!(profile["result"]["structuredContent"]["displayName"], "Alex Wilber", "{profile}");
        }
        assert_eq!(desk.opened(), 1);
    });
}

#[test]
fn without_a_browser_the_answer_has_a_code_to_enter() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(false);
        server.message(&call(1, TOOL));
        let first = answer(&mut server).await;
        assert_eq!(first["result"]["isError"], true, "{first}");
        let told = words(&first).to_owned();
        assert!(told.contains("enter the code") && told.contains("Then try again."), "{told}");
        let code = code_in(&told);
        assert!(server.log().text().contains(&code), "and standard error has it");
        let logged = server.log().since(0);
        assert!(!logged.iter().any(|event| event.to_string().contains(&code)), "but no event of the log");

        // Whoever looked away finds the same code again.
        server.message(&call(2, TOOL));
        let again = answer(&mut server).await;
        assert!(again["result"]["isError"] == true && words(&again).contains(&code), "{again}");

        desk.enter(&code, ids::ADELE_UPN).await;
        // The sign-in goes on meanwhile, and polls every few seconds.
        let mut id = 2;
        let profile = loop {
            id += 1;
            server.message(&call(id, TOOL));
            let answer = answer(&mut server).await;
            if answer["result"]["isError"] != true {
                break answer;
            }
            assert!(id < 60, "{answer}");
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        };
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
    });
}

/// A call by a client that can send its user to a page.
fn call_with_pages(id: u32) -> Value {
    let mut message = call(id, TOOL);
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "elicitation": { "url": {} } });
    message
}

/// The code in what the user is told.
fn code_in(words: &str) -> String {
    words.split_whitespace().skip_while(|word| *word != "code").nth(1).unwrap().to_owned()
}

#[test]
fn a_client_that_has_pages_sends_its_user_to_the_one_for_the_code() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(false);
        server.message(&call_with_pages(1));
        let first = answer(&mut server).await;
        assert_eq!(first["result"]["resultType"], "input_required", "{first}");
        assert!(first["result"].get("requestState").is_none(), "{first}");
        let asked = &first["result"]["inputRequests"]["sign-in"];
        assert_eq!(
            (&asked["method"], &asked["params"]["mode"]),
            (&json!("elicitation/create"), &json!("url"))
        );
        assert!(asked["params"]["url"].as_str().unwrap().starts_with("https://"), "{asked}");
        let code = code_in(asked["params"]["message"].as_str().unwrap());
        desk.enter(&code, ids::ADELE_UPN).await;
        let mut accepted = call_with_pages(2);
        accepted["params"]["inputResponses"] = json!({ "sign-in": { "action": "accept" } });
        let profile = loop {
            server.message(&accepted);
            let answer = answer(&mut server).await;
            if answer["result"]["resultType"] == "complete" {
                break answer;
            }
            // Not noticed yet: the same page, with the same code.
            assert!(answer.to_string().contains(&code), "{answer}");
        };
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
    });
}

#[test]
fn whoever_declines_the_page_for_a_code_ends_that_code_and_is_asked_anew_by_the_next_call() {
    run(async {
        let desk = Desk::own().await;
        let codes = || desk.emulator.faults().count(Operation::DeviceCode);
        let mut server = desk.stdio(false);
        let mut ended = Vec::new();
        for (round, action) in [(1, "decline"), (2, "cancel")] {
            server.message(&call_with_pages(round * 10));
            let asked = answer(&mut server).await;
            let message = asked["result"]["inputRequests"]["sign-in"]["params"]["message"].clone();
            let code = code_in(message.as_str().unwrap_or_else(|| panic!("{asked}")));
            // With the sign-in before still under way it would be that one's.
            assert!(!ended.contains(&code) && codes() == u64::from(round), "{action}: {asked}");

            // Whoever does not want to is not asked again in the same call.
            let mut declined = call_with_pages(round * 10 + 1);
            declined["params"]["inputResponses"] = json!({ "sign-in": { "action": action } });
            server.message(&declined);
            let told = answer(&mut server).await;
            assert_eq!(told["result"]["isError"], true, "{told}");
            assert_eq!(words(&told), "The user declined to sign in with Microsoft, which this needs.");
            ended.push(code);
        }
        // Who declines once and then wants to, can.
        server.message(&call_with_pages(30));
        let asked = answer(&mut server).await;
        let message = asked["result"]["inputRequests"]["sign-in"]["params"]["message"].clone();
        desk.enter(&code_in(message.as_str().unwrap_or_else(|| panic!("{asked}"))), ids::ADELE_UPN).await;
        let profile = loop {
            server.message(&call_with_pages(31));
            let answer = answer(&mut server).await;
            if answer["result"]["resultType"] == "complete" {
                break answer;
            }
        };
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
    });
}

#[test]
fn a_legacy_client_that_has_pages_is_told_of_the_one_by_an_error() {
    run(async {
        let desk = Desk::new().await;
        for (capabilities, has_pages) in [(json!({ "elicitation": { "url": {} } }), true), (json!({}), false)]
        {
            let mut server = desk.stdio(false);
            server.message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25", "capabilities": capabilities,
                "clientInfo": { "name": "suite", "version": "1" },
            }}));
            answer(&mut server).await;
            server.message(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
            server.message(
                &json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": TOOL } }),
            );
            let told = answer(&mut server).await;
            if !has_pages {
                assert!(words(&told).contains("enter the code"), "{told}");
                continue;
            }
            assert_eq!(told["error"]["code"], -32042, "{told}");
            let page = &told["error"]["data"]["elicitations"][0];
            assert_eq!(page["mode"], "url", "{page}");
            assert!(page["elicitationId"].as_str().unwrap().starts_with("sign-in-"), "{page}");
            desk.enter(&code_in(page["message"].as_str().unwrap()), ids::ADELE_UPN).await;
            let profile = loop {
                server.message(
                    &json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": { "name": TOOL } }),
                );
                let answer = answer(&mut server).await;
                if answer.get("error").is_none() {
                    break answer;
                }
            };
            assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
            desk.done(&["logout", PLAIN]);
        }
    });
}

#[test]
fn whoever_declines_is_told_and_can_try_again() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(true);
        server.message(&call(1, TOOL));
        desk.decline(ids::ADELE_UPN).await;
        let refused = answer(&mut server).await;
        assert_eq!(refused["result"]["isError"], true, "{refused}");
        assert!(words(&refused).contains("declined"), "{refused}");
        desk.close_browser();
        server.message(&call(2, TOOL));
        desk.finish(ids::ADELE_UPN).await;
        assert_eq!(answer(&mut server).await["result"]["structuredContent"]["displayName"], "Adele Vance");
    });
}

#[test]
fn an_account_is_not_chosen_by_a_tool() {
    run(async {
        let desk = Desk::new().await;
        drop(after_a_call(&desk).await);
        let mut server = desk.stdio(false);
        let mut message = call(1, TOOL);
        message["params"]["arguments"] = json!({ "user": ids::ALEX_UPN });
        server.message(&message);
        let refused = answer(&mut server).await;
        assert_eq!(refused["result"]["isError"], true, "{refused}");
        assert!(words(&refused).starts_with("The arguments do not fit the tool's input schema"), "{refused}");
        server.message(&call(2, "whoami"));
        assert_eq!(answer(&mut server).await["result"]["structuredContent"]["name"], "Adele Vance");
        // Nor beside the arguments.
        let alex = || json!({ "user": ids::ALEX_UPN, "account": ids::ALEX.to_string(), "login_hint": ids::ALEX_UPN });
        for id in [3, 4] {
            let mut message = call(id, TOOL);
            match id {
                3 => message["params"]["_meta"]["account"] = alex(),
                _ => {
                    message["params"]["inputResponses"] =
                        json!({ "sign-in": { "action": "accept", "content": alex() } })
                }
            }
            server.message(&message);
            let profile = answer(&mut server).await;
            assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
        }
        // Nor by who opens.
        let mut legacy = desk.stdio(false);
        legacy.message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": LEGACY, "capabilities": { "experimental": { "account": alex() } }, "_meta": alex(),
            "clientInfo": { "name": "suite", "version": "1", "user": ids::ALEX_UPN }, "user": ids::ALEX_UPN,
        }}));
        assert!(answer(&mut legacy).await["result"].is_object());
        legacy.message(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        legacy.message(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
            "name": TOOL, "arguments": {}, "_meta": { "account": alex() },
        }}));
        let profile = answer(&mut legacy).await;
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
    });
}

#[test]
fn a_client_that_dies_in_the_middle_of_a_sign_in_leaves_nothing_behind() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(true);
        server.message(&call(1, TOOL));
        desk.url().await;
        ends_at_once(&mut server, 1, "browser)").await;
        desk.close_browser();
        let mut server = desk.stdio(true);
        server.message(&call(1, TOOL));
        desk.finish(ids::ADELE_UPN).await;
        assert_eq!(answer(&mut server).await["result"]["structuredContent"]["displayName"], "Adele Vance");
    });
}

#[test]
fn a_log_in_in_a_terminal_ends_the_sign_in_that_waits() {
    run(async {
        let desk = Desk::own().await;
        // Adele consents to what the tool needs, and signs out in a terminal.
        let mut server = after_a_call(&desk).await;
        desk.done(&["logout", PLAIN]);
        desk.close_browser();
        server.message(&call(2, TOOL));
        desk.url().await;
        // The window is closed and forgotten.
        desk.close_browser();
        desk.log_in(ids::ADELE_UPN).await;
        let profile = answer(&mut server).await;
        assert_eq!(profile["id"], 2, "{profile}");
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
        assert_eq!(desk.opened(), 1, "for `valet login` alone");
    });
}

/// Who calls is written down when the call begins. So a call that was Adele's does not bring what is Alex's.
#[test]
fn a_call_that_waits_ends_where_another_account_is_put_in_use() {
    run(async {
        let desk = Desk::own().await;
        let mut server = desk.stdio(true);
        // Both have consented to what the tool needs. Adele is in use.
        server.message(&call(1, TOOL));
        desk.finish(ids::ALEX_UPN).await;
        assert_eq!(answer(&mut server).await["result"]["structuredContent"]["displayName"], "Alex Wilber");
        desk.close_browser();
        desk.log_in(ids::ADELE_UPN).await;
        desk.close_browser();
        server.message(&call(2, TOOL));
        desk.finish(ids::ADELE_UPN).await;
        assert_eq!(answer(&mut server).await["result"]["structuredContent"]["displayName"], "Adele Vance");
        desk.close_browser();
        // She has to sign in again, and somebody chooses Alex instead.
        desk.emulator.revoke(ids::ADELE_UPN, RevocationReason::Sessions).unwrap();
        desk.emulator.faults().set_times(Endpoint::Graph, Fault::Status { code: 401, retry_after: None }, 1);
        server.message(&call(3, TOOL));
        desk.url().await;
        desk.close_browser();
        let alex = format!("{}@{}", ids::ALEX, ids::TENANT);
        desk.done(&["accounts", PLAIN, "--use", &alex]);
        let ended = answer(&mut server).await;
        assert_eq!((&ended["id"], &ended["result"]["isError"]), (&json!(3), &json!(true)), "{ended}");
        let expected = format!("Another account, {alex}, has been put in use meanwhile.");
        assert!(words(&ended).contains(&expected), "{ended}");
        server.message(&call(4, TOOL));
        let profile = answer(&mut server).await;
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Alex Wilber", "{profile}");
        assert_eq!(desk.opened(), 0, "without a browser");
    });
}

/// The client closes the input while a call waits for its user. It has its answer, and with it the server ends: what is ended for want of time has none. `step` is
/// empty where the call may not have come to one yet.
async fn ends_at_once(server: &mut Stdio, id: u32, step: &str) {
    server.close_input();
    let cancelled = answer(server).await;
    assert_eq!(
        (&cancelled["id"], &cancelled["result"]["isError"]),
        (&json!(id), &json!(true)),
        "{cancelled}"
    );
    let expected = format!("the sign-in was cancelled ({step}");
    assert!(words(&cancelled).contains(&expected), "{cancelled}");
    assert_eq!(server.line().await, None);
    assert!(server.end().await.success());
    let log = server.log().text();
    assert!(!log.contains("some requests did not end in time"), "{log}");
}

#[test]
fn a_client_that_leaves_while_a_code_is_awaited_is_not_kept() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(false);
        server.message(&call(1, TOOL));
        assert!(words(&answer(&mut server).await).contains("enter the code"));
        // This one waits for the code to be entered.
        server.message(&call(2, TOOL));
        ends_at_once(&mut server, 2, "").await;
    });
}

#[test]
fn whoever_sends_a_call_and_leaves_is_asked_nothing() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio(true);
        server.message(&call(1, TOOL));
        ends_at_once(&mut server, 1, "").await;
        assert_eq!(desk.opened(), 0, "no browser has opened for nobody");
    });
}

#[test]
fn without_a_keychain_lists_are_answered_and_calls_say_what_to_do() {
    run(async {
        let desk = Desk::new().await;
        let mut server = desk.stdio_with(&[], true);
        server.message(&modern("tools/list", json!({})));
        let tools = answer(&mut server).await;
        assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 2, "{tools}");
        server.message(&call(2, TOOL));
        let refused = answer(&mut server).await;
        assert_eq!(refused["result"]["isError"], true, "{refused}");
        assert!(words(&refused).contains("keychain") && words(&refused).contains(PLAIN), "{refused}");
        assert_eq!(desk.opened(), 0);
    });
}

#[test]
fn a_keychain_that_waits_for_its_owner_keeps_no_client_waiting() {
    run(async {
        let desk = Desk::new().await;
        let socket = desk.path("bus");
        // It takes connections, as the kernel does for it, and never says a word.
        let silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let mut server = desk.stdio_on_bus(&format!("unix:path={}", socket.display()));
        silent.set_nonblocking(true).unwrap();
        // A client that opens is answered without a look at who there is.
        for opening in [
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
                "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "suite", "version": "1" },
            }}),
            json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }),
            modern("server/discover", json!({})),
        ] {
            server.message(&opening);
            let answered = answer(&mut server).await;
            assert!(answered["result"].is_object(), "{answered}");
        }
        assert_eq!(
            silent.accept().unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock,
            "the keychain was looked for"
        );
        for _ in 0..3 {
            server.message(&modern("tools/list", json!({})));
            let tools = answer(&mut server).await;
            assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 2, "{tools}");
        }
        assert!(silent.accept().is_ok(), "the keychain was looked for");
        assert_eq!(
            silent.accept().unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock,
            "once, for all three"
        );
        server.close_input();
        assert!(server.end().await.success(), "and it ends while the keychain is still silent");
    });
}

#[test]
fn a_token_that_graph_refused_is_replaced_without_a_person() {
    run(async {
        let desk = Desk::own().await;
        desk.log_in(ids::ADELE_UPN).await;
        desk.close_browser();
        let mut server = after_a_call(&desk).await;
        let faults = desk.emulator.faults();
        faults.reset_counts();
        faults.set_times(Endpoint::Graph, Fault::Status { code: 401, retry_after: None }, 1);
        server.message(&call(2, TOOL));
        let profile = answer(&mut server).await;
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
        assert_eq!((faults.count(Operation::Refresh), faults.count(Operation::Graph)), (1, 2));
        assert_eq!(desk.opened(), 1, "and no browser has opened again");
    });
}

#[test]
fn what_a_policy_wants_the_person_does_in_the_browser() {
    run(async {
        let desk = Desk::own().await;
        let mut server = after_a_call(&desk).await;
        policy_for_graph(&desk.emulator, Control::Mfa);
        // Graph wants another token, and Entra gives none without a second factor.
        desk.emulator.faults().set_times(Endpoint::Graph, Fault::Status { code: 401, retry_after: None }, 1);
        desk.close_browser();
        server.message(&call(2, TOOL));
        desk.finish_with_second_factor(ids::ADELE_UPN).await;
        let profile = answer(&mut server).await;
        assert_eq!(profile["result"]["structuredContent"]["displayName"], "Adele Vance", "{profile}");
        assert_eq!(desk.opened(), 1);
        server.message(&call(3, TOOL));
        assert_eq!(answer(&mut server).await["id"], 3);
        assert_eq!(desk.opened(), 1, "once satisfied, it is not asked again");
    });
}
