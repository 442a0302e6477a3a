//! Clients that register themselves, without end.

use entra_emulator::ids;
use serde_json::json;
use valet_suite::browser::Browser;
use valet_suite::config::{Config, list};
use valet_suite::oauth::{self, Authorize, ISSUER, Tokens, code_form, refresh_form, token};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Answer, Rig, log, run};

/// As many as may be registered at once.
const MOST: usize = 40;
const LOOPBACK: &str = "http://127.0.0.1:4711/callback";

fn with_registration(config: Config) -> Config {
    config
        .with_sessions()
        .on_disk()
        .set("oauth.registration_redirects", list(&["loopback"]))
        .set("oauth.registrations", i64::try_from(MOST).unwrap())
}

async fn register(rig: &Rig) -> Answer {
    let body = json!({
        "client_name": "x".repeat(10_000), "redirect_uris": [LOOPBACK], "application_type": "native",
        "logo_uri": "https://evil.example/logo.svg",
    });
    Answer::read(rig.http.post(format!("{ISSUER}/oauth/register")).json(&body).send().await.unwrap()).await
}

async fn registered(rig: &Rig) -> String {
    let answer = register(rig).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

/// Signs in with a client that registered itself.
async fn sign_in(rig: &Rig, client: &str) -> Tokens {
    let mut browser = Browser::new(rig, ids::ADELE_UPN);
    let asked =
        browser.go(&Authorize::default().set("client_id", client).set("redirect_uri", LOOPBACK).url()).await;
    assert!(asked.asks(), "{asked:?}");
    let mut page = browser.post_decision(&asked, "allow").await;
    // Nobody is at the loopback address.
    while let Some(next) = page.onward() {
        if next.as_str().starts_with(LOOPBACK) {
            let code = next.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
            rig.keep_secret(&code);
            let mut form = code_form(&code);
            form[1].1 = client.to_owned();
            form[3].1 = LOOPBACK.to_owned();
            return Tokens::read(rig, &token(rig, &form).await);
        }
        page = browser.step(next.as_str()).await;
    }
    panic!("no way on: {page:?}");
}

#[test]
fn a_flood_of_registrations_ends_at_the_limit_and_passes() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let rig = Rig::within(surroundings.variables(), emulator().await, with_registration).await;
        let client = registered(&rig).await;
        let tokens = sign_in(&rig, &client).await;
        let mut last = String::new();
        for _ in 1..MOST {
            last = registered(&rig).await;
        }
        let size = || std::fs::metadata(rig.folder.path("store.redb")).unwrap().len();
        let full = size();
        for _ in 0..5 * MOST {
            let mark = rig.log().mark();
            let answer = register(&rig).await;
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
            let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
            let expected = format!(
                "denied registration: {MOST} clients are registered, as many as `oauth_registrations` allows"
            );
            assert_eq!(found, expected);
        }
        assert_eq!(size(), full, "what is refused takes no room");
        // Whoever is registered already, and everybody else, goes on.
        sign_in(&rig, &last).await;
        oauth::sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;

        // Nobody signed in with the others: they are gone after an hour. The two that were used stay.
        surroundings.set_clock(3700);
        rig.emulator.set_clock_offset(3700);
        for _ in 2..MOST {
            registered(&rig).await;
        }
        assert_eq!(register(&rig).await.status, 503);
        let mut form = refresh_form(&tokens.refresh);
        form[1].1 = client.clone();
        Tokens::read(&rig, &token(&rig, &form).await);
        sign_in(&rig, &client).await;
    });
}
