//! Clients that register themselves, without end.

use std::time::Instant;

use entra_emulator::ids;
use futures_util::future::join_all;
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::config::{Config, list};
use valet_suite::oauth::{self, Authorize, ISSUER, Tokens, code_form, refresh_form, token};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Answer, Rig, log, run};

/// As many as may be registered at once. An address may register 60 clients in a minute, which has to do for a test.
const MOST: usize = 20;
const LOOPBACK: &str = "http://127.0.0.1:4711/callback";

/// What an address has left at once, if nothing else is said. One comes back in a second.
const AT_ONCE: usize = 60;

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
    post(rig, &body).await
}

/// Sends a registration.
pub(crate) async fn post(rig: &Rig, body: &Value) -> Answer {
    Answer::read(rig.http.post(format!("{ISSUER}/oauth/register")).json(body).send().await.unwrap()).await
}

async fn registered(rig: &Rig) -> String {
    id(&register(rig).await)
}

/// The id of the client that was registered.
pub(crate) fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["client_id"].as_str().unwrap().to_owned()
}

/// Signs in with a client that registered itself.
async fn sign_in(rig: &Rig, client: &str) -> Tokens {
    sign_in_at(rig, client, LOOPBACK).await
}

/// The same, with the answer at this loopback address.
pub(crate) async fn sign_in_at(rig: &Rig, client: &str, redirect_uri: &str) -> Tokens {
    let mut browser = Browser::new(rig, ids::ADELE_UPN);
    let request = Authorize::default().set("client_id", client).set("redirect_uri", redirect_uri);
    let asked = browser.go(&request.url()).await;
    assert!(asked.asks(), "{asked:?}");
    let mut page = browser.post_decision(&asked, "allow").await;
    // Nobody is at the loopback address.
    while let Some(next) = page.onward() {
        if next.as_str().starts_with(&format!("{redirect_uri}?")) {
            let code = next.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
            rig.keep_secret(&code);
            let mut form = code_form(&code);
            form[1].1 = client.to_owned();
            form[3].1 = redirect_uri.to_owned();
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

/// Each of them sees room before the others have written what they are registered as.
#[test]
fn of_those_who_come_at_once_no_more_are_registered_than_may_be() {
    run(async {
        let rig = Rig::start_with(emulator().await, with_registration).await;
        let answers = join_all((0..2 * MOST).map(|_| register(&rig))).await;
        let (mut clients, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        for answer in refused {
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
        }
        assert!(clients.len() <= MOST, "{} are registered", clients.len());
        // Places that two of them left to each other are there for the next.
        while clients.len() < MOST {
            let answer = register(&rig).await;
            assert_eq!(answer.status, 201, "{} are registered: {answer:?}", clients.len());
            clients.push(answer);
        }
        assert_eq!(oauth::error(&register(&rig).await), (503, "temporarily_unavailable".to_owned()));
        for answer in [&clients[0], &clients[MOST - 1]] {
            sign_in(&rig, &id(answer)).await;
        }
    });
}

#[test]
fn who_registers_without_end_is_stopped_by_address_and_keeps_nobody_out() {
    run(async {
        // Room for all of them.
        let many = |config| with_registration(config).without("oauth.registrations");
        let rig = Rig::start_with(emulator().await, many).await;
        let mark = rig.log().mark();
        let began = Instant::now();
        let answers = join_all((0..2 * AT_ONCE).map(|_| register(&rig))).await;
        let came_back = usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
        let (clients, stopped): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
        assert!((AT_ONCE..=AT_ONCE + came_back).contains(&clients.len()), "{} are registered", clients.len());
        for answer in &stopped {
            assert_eq!(oauth::error(answer), (429, "temporarily_unavailable".to_owned()));
            assert!(answer.body.contains("too many registrations from this address"), "{answer:?}");
        }
        let limited = |event: &Value| log::is_audit(event) && event["reason"] == "rate_limited";
        let line = log::audit_line(&rig.log().wait(mark, "somebody who is stopped", limited).await);
        assert!(
            line.starts_with("denied rate_limited: /oauth/register, address 127.0.0.1: again in "),
            "{line}"
        );
        // Those who are registered go on, and everybody else.
        sign_in(&rig, &id(clients[0])).await;
        oauth::sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
        // Whoever comes back when they were told to is registered.
        let seconds = stopped[0].field("retry-after").parse().unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        sign_in(&rig, &registered(&rig).await).await;
    });
}
