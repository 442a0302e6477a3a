//! Conditional Access, for clients that can send their user to a page: what a policy wants is satisfied there, and the session goes on.

use std::time::{Duration, Instant};

use entra_emulator::{Control, Endpoint, Fault, Operation, ids};
use serde_json::{Value, json};
use valet_suite::browser::{Browser, Page};
use valet_suite::config::CLIENT;
use valet_suite::oauth::{self, ISSUER, Tokens, refresh, session_id, sign_in};
use valet_suite::rig::policy_for_graph;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Answer, Ask, Rig, log, run};

use crate::claims::{
    emulator_with_a_tool_of_its_own_scopes, rig_with_a_tool_of_its_own_scopes, sign_in_scopes,
};

const HOST: &str = "valet.example";
pub(crate) const TOOL: &str = "GetUserDetailsFromGraph";

/// A call of the tool by a client that can send its user to a page.
pub(crate) fn ask(tokens: &Tokens) -> Ask {
    let abilities = json!({ "elicitation": { "url": {} } });
    Ask::tool(TOOL).bearer(&tokens.access).meta("io.modelcontextprotocol/clientCapabilities", abilities)
}

/// The call again, as the client makes it when its user has been to the page.
fn retry(tokens: &Tokens, action: &str) -> Ask {
    let mut params = json!({ "name": TOOL, "arguments": {} });
    params["inputResponses"] = json!({ "sign-in": { "action": action } });
    let abilities = json!({ "elicitation": { "url": {} } });
    Ask::modern("tools/call", params)
        .bearer(&tokens.access)
        .meta("io.modelcontextprotocol/clientCapabilities", abilities)
}

/// Sends a call that is answered with a link. What is sealed is random, so that the beginning of a token could be in it by chance: it is not searched for one.
pub(crate) async fn send(rig: &Rig, ask: Ask) -> Answer {
    Answer::read(rig.open(ask).await).await
}

/// The page that an answer sends the user to.
pub(crate) fn link(rig: &Rig, answer: &Answer) -> String {
    let result = answer.result();
    assert_eq!(result["resultType"], "input_required", "{result}");
    assert!(result["requestState"].is_null(), "the session knows what was done: {result}");
    let requests = result["inputRequests"].as_object().unwrap();
    assert_eq!(requests.keys().collect::<Vec<_>>(), ["sign-in"]);
    let request = &requests["sign-in"];
    assert_eq!(
        (&request["method"], &request["params"]["mode"]),
        (&json!("elicitation/create"), &json!("url"))
    );
    assert!(request["params"]["message"].as_str().unwrap().contains("same account"), "{request}");
    let url = request["params"]["url"].as_str().unwrap().to_owned();
    let sealed = url.strip_prefix(&format!("{ISSUER}/oauth/step-up?link=")).unwrap();
    // The log and the pages must not have it, nor it what it stands for.
    rig.keep_secret(sealed);
    url
}

/// A session of Adele's in a browser, then a policy, and the link that the next call is answered with.
pub(crate) async fn challenged(rig: &Rig) -> (Browser, Tokens, String) {
    let mut browser = Browser::new(rig, ids::ADELE_UPN);
    let tokens = sign_in(rig, &mut browser).await;
    policy_for_graph(&rig.emulator, Control::Mfa);
    let mark = rig.log().mark();
    let url = link(rig, &send(rig, ask(&tokens)).await);
    let found = audited(rig, mark).await;
    assert_eq!(found, "failed interaction_required: the user is sent to a page");
    (browser, tokens, url)
}

/// Opens the link and presses the button, as far as Entra's answer goes; it is not delivered yet.
pub(crate) async fn at_the_door(rig: &Rig, browser: &mut Browser, url: &str) -> String {
    let asked = browser.go(url).await;
    assert!(asked.asks(), "{asked:?}");
    let mut page = browser.post_decision(&asked, "allow").await;
    loop {
        let url = page.onward().unwrap_or_else(|| panic!("no way on: {page:?}"));
        if url.as_str().starts_with("https://valet.example/auth/callback") {
            let code = url.query_pairs().find(|(name, _)| name == "code");
            code.iter().for_each(|(_, code)| rig.keep_secret(code));
            return url.into();
        }
        page = browser.step(url.as_str()).await;
    }
}

/// Does on the page what is wanted.
async fn satisfied(browser: &mut Browser, url: &str) -> Page {
    browser.has_second_factor = true;
    let asked = browser.go(url).await;
    assert!(asked.asks() && asked.text.contains("Microsoft wants more from you"), "{asked:?}");
    // Which application sends them, by what is known for sure.
    assert!(asked.text.contains(&format!("<code>{CLIENT}</code>")), "{asked:?}");
    browser.decide(&asked, "allow").await
}

pub(crate) fn is_page(page: &Page, status: u16, words: &str) {
    assert!(page.status == status && page.text.contains(words), "{page:?}");
    assert!(!page.headers.contains_key("location"));
}

/// The refusal after `mark`, in one line.
pub(crate) async fn audited(rig: &Rig, mark: usize) -> String {
    log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await)
}

/// The session has what it needs: the same one, with the tokens that its client had.
pub(crate) async fn goes_on(rig: &Rig, tokens: &Tokens) {
    let answer = rig.send(retry(tokens, "accept")).await.result();
    assert!(answer["isError"] != true && answer["resultType"] == "complete", "{answer}");
    let next = Tokens::read(rig, &refresh(rig, &tokens.refresh).await);
    assert_eq!(session_id(&next.access), session_id(&tokens.access), "the session was not ended");
    assert_eq!(rig.call(TOOL, &next.access).await.status, 200);
}

/// Nothing has changed, and a new link does what it is for.
pub(crate) async fn still_wanting(rig: &Rig, browser: &mut Browser, tokens: &Tokens) {
    let url = link(rig, &send(rig, ask(tokens)).await);
    is_page(&satisfied(browser, &url).await, 200, "<h1>Done</h1>");
    goes_on(rig, tokens).await;
}

#[test]
fn what_a_policy_wants_is_met_on_a_page_and_the_session_goes_on() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        for secret in [session_id(&tokens.access), ids::ADELE.to_string()] {
            assert!(!url.contains(&secret), "sealed");
        }
        // The session is not renewed while something is wanted of it, and serves the tools that need nothing.
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        // Whoever comes back too early is sent again.
        link(&rig, &send(&rig, retry(&tokens, "accept")).await);

        let mark = rig.log().mark();
        is_page(&satisfied(&mut browser, &url).await, 200, "<h1>Done</h1>");
        let stepped_up = |event: &Value| log::is_audit(event) && event["reason"] == "stepped_up";
        let event = rig.log().wait(mark, "the end", stepped_up).await;
        assert_eq!(
            (&event["decision"], &event["object"]),
            (&json!("allowed"), &json!(ids::ADELE.to_string()))
        );
        goes_on(&rig, &tokens).await;

        // What was wanted is settled: the next sign-in is not sent to Entra a second time for it.
        let mut elsewhere = Browser::new(&rig, ids::ADELE_UPN);
        elsewhere.has_second_factor = true;
        let at_entra = || rig.emulator.faults().count(Operation::Authorize);
        let before = at_entra();
        sign_in(&rig, &mut elsewhere).await;
        assert_eq!(at_entra(), before + 1);
    });
}

#[test]
fn a_page_that_is_declined_changes_nothing() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        // By the client's user.
        let mark = rig.log().mark();
        let answer = rig.send(retry(&tokens, "decline")).await.result();
        assert!(answer["isError"] == true && answer.to_string().contains("declined"), "{answer}");
        assert_eq!(audited(&rig, mark).await, "denied declined: the user does not go to the page");
        // On our page.
        let (mark, asked) = (rig.log().mark(), browser.go(&url).await);
        is_page(&browser.decide(&asked, "deny").await, 200, "You cancelled");
        assert_eq!(audited(&rig, mark).await, "denied step_up_cancelled");
        // At Entra.
        browser.declines = true;
        let (mark, asked) = (rig.log().mark(), browser.go(&url).await);
        is_page(&browser.decide(&asked, "allow").await, 403, "declined, or could not be done");
        let found = audited(&rig, mark).await;
        assert!(found.starts_with("denied entra_refused: Entra answered `access_denied`"), "{found}");
        browser.declines = false;
        assert!(browser.cookie(HOST, "__Host-valet-tx-").is_none(), "nothing is left of it");
        still_wanting(&rig, &mut browser, &tokens).await;
    });
}

/// MCP `client/elicitation`: whoever opens the page has to be the user whom the call was for.
#[test]
fn a_page_is_for_the_user_of_the_session_alone() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let mut alex = Browser::new(&rig, ids::ALEX_UPN);
        let own = sign_in(&rig, &mut alex).await;
        let (mut adele, tokens, url) = challenged(&rig).await;
        let mark = rig.log().mark();
        is_page(&satisfied(&mut alex, &url).await, 403, "another account");
        let found = audited(&rig, mark).await;
        assert_eq!(found, "denied other_user: somebody else signed in than the session's user");
        // Neither session is other than it was: hers wants what it wanted, and his is his.
        let who = rig.call("whoami", &tokens.access).await.result()["structuredContent"]["objectId"].clone();
        assert_eq!(who, ids::ADELE.to_string());
        link(&rig, &send(&rig, ask(&own)).await);
        // Nor is the link spent.
        is_page(&satisfied(&mut adele, &url).await, 200, "<h1>Done</h1>");
        goes_on(&rig, &tokens).await;
    });
}

/// Entra lets whoever is signed in there go on, with any account, unless it is told to have them choose.
#[test]
fn who_is_signed_in_at_entra_with_another_account_alone_picks_the_right_one() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let mut browser = Browser::new(&rig, ids::ALEX_UPN);
        sign_in(&rig, &mut browser).await;
        let (_, tokens, url) = challenged(&rig).await;
        browser.by_hand = true;
        let asked = browser.go(&url).await;
        let picker = browser.decide(&asked, "allow").await;
        is_page(&picker, 200, "Pick an account");
        let factor = browser.press(&picker, "account", &ids::ADELE.to_string()).await;
        is_page(&browser.press(&factor, "decision", "approve").await, 200, "<h1>Done</h1>");
        goes_on(&rig, &tokens).await;
    });
}

#[test]
fn a_link_is_used_once() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        browser.has_second_factor = true;
        // Opened twice, before either of the two comes to its end.
        let mut second = browser.clone();
        let first = at_the_door(&rig, &mut browser, &url).await;
        let late = at_the_door(&rig, &mut second, &url).await;
        is_page(&browser.go(&first).await, 200, "<h1>Done</h1>");
        let mark = rig.log().mark();
        is_page(&second.go(&late).await, 400, "This step was taken already.");
        assert_eq!(audited(&rig, mark).await, "denied callback: the sign-in is not at this step");
        let mark = rig.log().mark();
        is_page(&browser.go(&url).await, 400, "This link was used already.");
        assert_eq!(audited(&rig, mark).await, "denied step_up_link: the link was used before");
        goes_on(&rig, &tokens).await;
    });
}

/// By one at a time, also of those who come back at once; and what Entra fails at leaves it as it was.
#[test]
fn a_link_is_claimed_before_entra_is_asked() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        browser.has_second_factor = true;
        let (mut second, mut third) = (browser.clone(), browser.clone());
        let first = at_the_door(&rig, &mut browser, &url).await;
        let late = at_the_door(&rig, &mut second, &url).await;
        let failing = at_the_door(&rig, &mut third, &url).await;
        let faults = rig.emulator.faults();
        faults.set_times(Endpoint::Token, Fault::Status { code: 503, retry_after: None }, 1);
        let mark = rig.log().mark();
        is_page(&third.go(&failing).await, 503, "The server cannot do this now.");
        let found = audited(&rig, mark).await;
        assert!(found.starts_with("denied entra_unavailable"), "{found}");

        // The first is at Entra, which takes its time, when the second comes.
        faults.set_times(Endpoint::Token, Fault::Delay(Duration::from_secs(2)), 1);
        let before = faults.count(Operation::Token);
        let meanwhile = async {
            let deadline = Instant::now() + Duration::from_secs(20);
            while faults.count(Operation::Token) == before {
                assert!(Instant::now() < deadline, "Entra is not asked");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mark = rig.log().mark();
            is_page(&second.go(&late).await, 400, "This step was taken already.");
            assert_eq!(audited(&rig, mark).await, "denied callback: the sign-in is not at this step");
        };
        let (page, ()) = tokio::join!(browser.go(&first), meanwhile);
        is_page(&page, 200, "<h1>Done</h1>");
        assert_eq!(faults.count(Operation::Token), before + 1, "Entra was asked once");
        goes_on(&rig, &tokens).await;
    });
}

#[test]
fn a_link_is_ours_and_whole() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        let (base, sealed) = url.split_once("?link=").unwrap();
        let at = sealed.len() / 2;
        let other = if &sealed[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{base}?link={}{other}{}", &sealed[..at], &sealed[at + 1..]);
        // What is sealed for browsers is no link, and what is sealed for clients is none either.
        browser.step(&oauth::Authorize::default().url()).await;
        let (_, cookie) = browser.cookie(HOST, "__Host-valet-").unwrap();
        let cookie = format!("{base}?link={cookie}");
        for wrong in [base, &format!("{base}?link="), &format!("{base}?link=x"), &changed, &cookie] {
            let mark = rig.log().mark();
            is_page(&browser.step(wrong).await, 400, "not one that this server made");
            assert_eq!(audited(&rig, mark).await, "denied step_up_link: the link is none of ours");
        }
        is_page(&satisfied(&mut browser, &url).await, 200, "<h1>Done</h1>");
        goes_on(&rig, &tokens).await;
    });
}

#[test]
fn the_browser_that_was_asked_is_the_browser_that_comes_back() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        browser.has_second_factor = true;
        let door = at_the_door(&rig, &mut browser, &url).await;
        let mut other = Browser::new(&rig, ids::ADELE_UPN);
        // Also one that opened the same link.
        for opens in [false, true] {
            if opens {
                other.go(&url).await;
            }
            let mark = rig.log().mark();
            is_page(&other.step(&door).await, 403, "not begun in this browser");
            let found = audited(&rig, mark).await;
            assert_eq!(found, "denied callback: the browser has no cookie of this sign-in");
        }
        // Nor does the form of one page count in another browser.
        let page = other.go(&url).await;
        other.forget();
        let mark = rig.log().mark();
        is_page(&other.post_decision(&page, "allow").await, 403, "not begun in this browser");
        let found = audited(&rig, mark).await;
        assert_eq!(found, "denied consent_form: the browser has no cookie of this sign-in");
        is_page(&browser.go(&door).await, 200, "<h1>Done</h1>");
        goes_on(&rig, &tokens).await;
    });
}

#[test]
fn a_session_that_has_ended_meanwhile_stays_ended() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        browser.has_second_factor = true;
        let door = at_the_door(&rig, &mut browser, &url).await;
        let form = [("token", tokens.refresh.clone()), ("client_id", CLIENT.to_owned())];
        assert_eq!(oauth::post(&rig, "/oauth/revoke", &form).await.status, 200);
        let mark = rig.log().mark();
        is_page(&browser.go(&door).await, 403, "signed out meanwhile");
        assert_eq!(audited(&rig, mark).await, "denied sign_in_refused: the session has ended");
        assert_eq!(rig.send(ask(&tokens)).await.status, 401);
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.call(TOOL, &tokens.access).await.status, 200);
    });
}

#[test]
fn a_link_is_good_for_minutes() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let emulator = emulator_with_a_tool_of_its_own_scopes().await;
        let rig = Rig::within(surroundings.variables(), emulator, sign_in_scopes).await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        surroundings.set_clock(500);
        assert!(browser.go(&url).await.asks());
        surroundings.set_clock(601);
        let mark = rig.log().mark();
        is_page(&browser.go(&url).await, 400, "This link is too old.");
        assert_eq!(audited(&rig, mark).await, "denied step_up_link: the link is too old");
        surroundings.set_clock(0);
        still_wanting(&rig, &mut browser, &tokens).await;
    });
}
