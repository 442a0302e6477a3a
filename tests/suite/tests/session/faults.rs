//! What others fail at: Entra's token endpoint in every way, and the store. Nobody is signed out by it, and nobody is let in.

use std::time::Duration;

use entra_emulator::{Endpoint, Fault, FaultBody, ids};
use valet_suite::browser::Browser;
use valet_suite::oauth::{self, Authorize, Tokens, refresh, sign_in};
use valet_suite::{Ask, run};

use crate::own_rig;

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("503", Fault::Status { code: 503, retry_after: None }),
        ("500", Fault::Status { code: 500, retry_after: None }),
        ("429", Fault::Status { code: 429, retry_after: None }),
        ("HTML", Fault::Answer { code: 200, retry_after: None, body: FaultBody::Html }),
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
            let page = browser.go(&Authorize::default().url()).await;
            let page = if page.asks() { browser.decide(&page, "allow").await } else { page };
            assert_eq!(
                page.parameter("error").as_deref(),
                Some("temporarily_unavailable"),
                "{name}: {page:?}"
            );
            assert_eq!(page.parameter("code"), None);
        }
        sign_in(&rig, &mut browser).await;
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
