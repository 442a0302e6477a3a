//! What others fail at: Entra's token endpoint in every way, and the store. Nobody is signed out by it, and nobody is let in.

use std::time::Duration;

use entra_emulator::{Endpoint, Fault, FaultBody, Operation, ids};
use valet_suite::browser::{Browser, Page};
use valet_suite::config::list;
use valet_suite::oauth::{self, Authorize, Tokens, refresh, sign_in};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Ask, Rig, log, run};

use crate::own_rig;

fn answer(code: u16, body: FaultBody) -> Fault {
    Fault::Answer { code, retry_after: None, body }
}

/// All but those that take their time.
pub(crate) fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("503", Fault::Status { code: 503, retry_after: None }),
        ("500", Fault::Status { code: 500, retry_after: None }),
        ("429", Fault::Status { code: 429, retry_after: None }),
        ("400 with a page", answer(400, FaultBody::Html)),
        ("HTML", answer(200, FaultBody::Html)),
        ("nothing", answer(200, FaultBody::Empty)),
        ("no JSON", answer(200, FaultBody::NotJson)),
        ("JSON of something else", answer(200, FaultBody::EmptyKeys)),
        ("a reset", Fault::Reset),
        ("half an answer", Fault::CutOff),
        ("10 MB", Fault::Huge { megabytes: 10 }),
    ]
}

#[test]
fn a_sign_in_that_entra_fails_can_be_tried_again() {
    run(async {
        let rig = own_rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        for (name, fault) in faults() {
            rig.emulator.faults().set_times(Endpoint::Token, fault, 1);
            unavailable(name, &attempt(&mut browser).await);
        }
        sign_in(&rig, &mut browser).await;
    });
}

/// It comes over TLS from the one who may say so, and is read as what it has to be.
#[test]
fn the_right_answer_counts_whatever_type_it_says_it_has() {
    run(async {
        let rig = own_rig().await;
        rig.emulator.faults().set(Endpoint::Token, Fault::WrongType);
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
    });
}

/// Where a sign-in ends.
async fn attempt(browser: &mut Browser) -> Page {
    let page = browser.go(&Authorize::default().url()).await;
    if page.asks() { browser.decide(&page, "allow").await } else { page }
}

#[track_caller]
fn unavailable(name: &str, page: &Page) {
    assert_eq!(page.parameter("error").as_deref(), Some("temporarily_unavailable"), "{name}: {page:?}");
    assert_eq!(page.parameter("code"), None);
}

/// Faults of an answer that takes longer than it may, and how many seconds that is.
pub(crate) fn slow_faults() -> [(&'static str, Fault, i64); 2] {
    let long = Duration::from_secs(300);
    [("no answer", Fault::Delay(long), 16), ("an answer without end", Fault::Drip(long), 31)]
}

/// Lets the time pass that Entra's token endpoint may take, once it has been asked; how often it was before is read at once, not when this is awaited.
pub(crate) fn time_passes<'a>(
    rig: &'a Rig,
    surroundings: &'a Surroundings,
    until: i64,
) -> impl Future<Output = ()> + use<'a> {
    let before = rig.emulator.faults().count(Operation::Token);
    async move {
        while rig.emulator.faults().count(Operation::Token) == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // For the head of the answer, where there is one.
        tokio::time::sleep(Duration::from_millis(200)).await;
        surroundings.pass(until);
        // What waits looks at the clock when there is something to do.
        assert_eq!(rig.send(Ask::get("/healthz")).await.status, 200);
    }
}

#[test]
fn an_entra_that_takes_too_long_is_not_waited_for() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let rig =
            Rig::within(surroundings.variables(), emulator().await, |config| config.with_sessions()).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        sign_in(&rig, &mut browser).await;
        let mut until = 0;
        for (name, fault, limit) in slow_faults() {
            until += limit;
            rig.emulator.faults().set_times(Endpoint::Token, fault, 1);
            let passing = time_passes(&rig, &surroundings, until);
            let (page, ()) = tokio::join!(attempt(&mut browser), passing);
            unavailable(name, &page);
            sign_in(&rig, &mut browser).await;
        }
    });
}

#[test]
fn a_refresh_that_entra_fails_can_be_tried_again() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let rig =
            Rig::within(surroundings.variables(), emulator().await, |config| config.with_sessions()).await;
        let mut tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let (mut hours, mut until) = (0, 0);
        // What Entra said is too old after an hour or so, and it has to be asked.
        let mut time_for_entra = || {
            hours += 1;
            surroundings.set_clock(hours * 5400);
            rig.emulator.set_clock_offset(hours * 5400);
        };
        let mut slow = slow_faults().into_iter();
        let quick = faults().into_iter().map(|(name, fault)| (name, fault, 0));
        for (name, fault, limit) in quick.chain(slow.by_ref()) {
            time_for_entra();
            rig.emulator.faults().set_times(Endpoint::Token, fault, 1);
            let mark = rig.log().mark();
            let answer = if limit == 0 {
                refresh(&rig, &tokens.refresh).await
            } else {
                until += limit;
                let passing = time_passes(&rig, &surroundings, until);
                tokio::join!(refresh(&rig, &tokens.refresh), passing).0
            };
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()), "{name}");
            let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
            assert!(found.starts_with("failed temporarily_unavailable: "), "{name}: {found}");
            tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200, "{name}");
        }
    });
}

#[test]
fn a_tool_for_which_entra_fails_says_so_and_works_afterwards() {
    run(async {
        let emulator = emulator().await;
        emulator.change_registrations(|all| {
            all.app_mut(ids::VALET).unwrap().api_permissions[0].delegated.push("Mail.Read".to_owned());
        });
        // Signing in asks for another permission than the tool needs, so that the tool's token is asked for later.
        let scopes = list(&["https://graph.microsoft.com/Mail.Read"]);
        let rig =
            Rig::start_with(emulator, |config| config.with_sessions().set("oauth.sign_in_scopes", scopes))
                .await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        for (name, fault) in faults() {
            rig.emulator.faults().set(Endpoint::Token, fault);
            let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            assert_eq!(answer.json()["result"]["isError"], true, "{name}: {answer:?}");
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 200, "{name}");
            rig.emulator.faults().clear(Endpoint::Token);
        }
        let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
        assert_eq!(profile["structuredContent"]["mail"], "adele.vance@contoso.example", "{profile}");
    });
}

#[test]
fn a_refresh_does_not_need_entra_while_its_word_is_fresh() {
    run(async {
        let rig = own_rig().await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        rig.emulator.faults().set(Endpoint::Token, Fault::Status { code: 503, retry_after: None });
        let next = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        assert_eq!(rig.call("GetUserDetailsFromGraph", &next.access).await.status, 200);
        rig.emulator.faults().clear(Endpoint::Token);
        Tokens::read(&rig, &refresh(&rig, &next.refresh).await);
    });
}

#[test]
fn a_slow_entra_delays_nobody_else() {
    run(async {
        let rig = own_rig().await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
        rig.emulator.faults().set_times(Endpoint::Token, Fault::Delay(Duration::from_secs(5)), 1);
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let slow = oauth::code(&rig, &mut browser);
        let others = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            for _ in 0..20 {
                assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
            }
            Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        };
        let (code, ()) = tokio::join!(slow, others);
        Tokens::read(&rig, &oauth::redeem(&rig, &code).await);
    });
}

#[test]
fn a_store_that_is_gone_lets_nobody_in_and_comes_back() {
    run(async {
        let Some(mut redis) = valet_suite::redis::Redis::start() else { return };
        let url = redis.url();
        let emulator = valet_suite::rig::emulator().await;
        let rig =
            valet_suite::Rig::start_with(emulator, |config| config.with_sessions().with_redis(&url)).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        redis.kill();
        // Whether the session lives is not known, so it is not assumed.
        let answer = rig.call("whoami", &tokens.access).await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(refresh(&rig, &tokens.refresh).await.status, 503);
        assert_eq!(rig.send(Ask::get("/healthz")).await.status, 200);
        redis.restart();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while rig.call("whoami", &tokens.access).await.status != 200 {
            assert!(std::time::Instant::now() < deadline, "the store is back and nobody gets in");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
    });
}
