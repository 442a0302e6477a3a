//! Requests that are refused, without end, at the endpoints that ask nobody who they are.

use std::time::Instant;

use entra_emulator::{Operation, ids};
use futures_util::future::join_all;
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::config::list;
use valet_suite::oauth::{self, ISSUER, Tokens, code_form, post, refresh_form, sign_in, token};
use valet_suite::rig::shared_emulator;
use valet_suite::{Answer, Ask, Rig, log, run};

use crate::claims::rig_with_a_tool_of_its_own_scopes;
use crate::facade::{self, form};
use crate::rig;
use crate::step_up::challenged;

/// More than an address has left in a minute.
const FLOOD: usize = 100;

/// What an address has left at once. One comes back in a second.
const AT_ONCE: usize = 60;

/// Sends a form very often at once.
async fn flood(rig: &Rig, path: &str, form: &[(&'static str, String)]) -> Vec<Answer> {
    join_all((0..FLOOD).map(|_| post(rig, path, form))).await
}

/// How many were refused as one alone would be. The others have to have been stopped, and to say when to come back.
fn refused(answers: &[Answer], alone: (u16, &str)) -> usize {
    let (stopped, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
    for answer in &refused {
        assert_eq!(oauth::error(answer), (alone.0, alone.1.to_owned()));
    }
    for answer in &stopped {
        assert_eq!(oauth::error(answer), (429, "temporarily_unavailable".to_owned()));
        assert_eq!(answer.field("cache-control"), "no-store");
        let seconds: u32 = answer.field("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{answer:?}");
    }
    assert!(!stopped.is_empty(), "all {} were answered", answers.len());
    refused.len()
}

/// The first audit event after `mark` about somebody who was stopped, in a line.
async fn stopped(rig: &Rig, mark: usize) -> String {
    let limited = |event: &Value| log::is_audit(event) && event["reason"] == "rate_limited";
    log::audit_line(&rig.log().wait(mark, "somebody who is stopped", limited).await)
}

/// An address that has used up what it had left at the token endpoint, and the last time at which that was seen.
struct UsedUp(Instant);

impl UsedUp {
    /// Uses it up.
    async fn at_once(rig: &Rig) -> Self {
        let began = Instant::now();
        let made_up = flood(rig, "/oauth/token", &code_form("made-up")).await;
        assert!(refused(&made_up, (400, "invalid_grant")) >= AT_ONCE);
        Self(began)
    }

    /// Tries `form` again and again: no more of them are looked at than have come back meanwhile, one in a second.
    async fn is_still(&mut self, rig: &Rig, form: &[(&'static str, String)], alone: (u16, &str)) {
        let began = Instant::now();
        let answers = flood(rig, "/oauth/token", form).await;
        let looked_at = refused(&answers, alone);
        let came_back = usize::try_from(self.0.elapsed().as_secs()).unwrap() + 1;
        assert!(looked_at <= came_back, "{looked_at} were looked at, {came_back} had come back");
        self.0 = began;
    }

    async fn is_still_for_made_up_codes(&mut self, rig: &Rig) {
        self.is_still(rig, &code_form("made-up"), (400, "invalid_grant")).await;
    }
}

#[test]
fn who_tries_codes_and_tokens_is_stopped_and_keeps_nobody_out_who_has_one() {
    run(async {
        let rig = rig().await;
        let mut tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let mark = rig.log().mark();
        let mut address = UsedUp::at_once(&rig).await;
        let line = stopped(&rig, mark).await;
        assert!(
            line.starts_with("denied rate_limited: /oauth/token, address 127.0.0.1: again in "),
            "{line}"
        );

        // By the token that each has, which nobody else knows. They succeed, so that it does not matter how many there are.
        for _ in 0..10 {
            tokens = Tokens::read(&rig, &oauth::refresh(&rig, &tokens.refresh).await);
            address.is_still_for_made_up_codes(&rig).await;
        }
        // By the code, after a sign-in, which is counted by itself.
        for _ in 0..3 {
            sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
            address.is_still_for_made_up_codes(&rig).await;
        }

        // A token in the right form that was never given out is no way on.
        let never = format!("{}.{}", "A".repeat(22), "B".repeat(43));
        address.is_still(&rig, &refresh_form(&never), (400, "invalid_grant")).await;
        // Nor is a real one for whoever tries secrets.
        let mut guess = refresh_form(&tokens.refresh);
        guess.push(("client_secret", "guess".to_owned()));
        address.is_still(&rig, &guess, (401, "invalid_client")).await;

        // Nor without end for the one who has it.
        let mut more = refresh_form(&tokens.refresh);
        more.push(("scope", "mcp.admin".to_owned()));
        let more = flood(&rig, "/oauth/token", &more).await;
        assert!(refused(&more, (400, "invalid_scope")) >= AT_ONCE);
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
    });
}

/// Whether a token was given out is not known then: its owner is told to come back, and not that they tried too often.
#[test]
fn a_store_that_is_gone_is_not_blamed_on_whoever_has_a_token() {
    run(async {
        let Some(mut redis) = valet_suite::redis::Redis::start() else { return };
        let url = redis.url();
        let rig =
            Rig::start_with(shared_emulator().await, |config| config.with_sessions().with_redis(&url)).await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        UsedUp::at_once(&rig).await;
        redis.kill();
        let mark = rig.log().mark();
        // More at once than can have come back, so that not all of them are counted by the address.
        let form = refresh_form(&tokens.refresh);
        for answer in flood(&rig, "/oauth/token", &form).await {
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
        }
        // Those who were stopped before may still be on their way into the log.
        let of_the_store = |event: &Value| log::is_audit(event) && event["reason"] == "store";
        let event = rig.log().wait(mark, "failure of the store", of_the_store).await;
        assert_eq!(event["decision"], "failed");
        redis.restart();
        let deadline = Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let answer = token(&rig, &form).await;
            if answer.status != 503 {
                Tokens::read(&rig, &answer);
                return;
            }
            assert!(Instant::now() < deadline, "the store is back and nobody gets in");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn a_flood_at_one_endpoint_keeps_nobody_from_another() {
    run(async {
        let rig = Rig::start_with(shared_emulator().await, |config| {
            config.with_sessions().set("oauth.registration_redirects", list(&["loopback"]))
        })
        .await;
        let register = async || {
            let body = json!({ "redirect_uris": ["https://evil.example/callback"] });
            let request = rig.http.post(format!("{ISSUER}/oauth/register")).json(&body);
            Answer::read(request.send().await.unwrap()).await
        };
        let mark = rig.log().mark();
        let registrations = join_all((0..FLOOD).map(|_| register())).await;
        assert!(refused(&registrations, (400, "invalid_redirect_uri")) >= AT_ONCE);
        let line = stopped(&rig, mark).await;
        assert!(line.starts_with("denied rate_limited: /oauth/register, address 127.0.0.1: "), "{line}");

        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let nobodys = vec![("token", "x".to_owned())];
        let mark = rig.log().mark();
        assert!(refused(&flood(&rig, "/oauth/revoke", &nobodys).await, (401, "invalid_client")) >= AT_ONCE);
        let line = stopped(&rig, mark).await;
        assert!(line.starts_with("denied rate_limited: /oauth/revoke, address 127.0.0.1: "), "{line}");

        // A token that was given out is given back all the same; what is over is as good as revoked.
        let revoke =
            vec![("client_id", valet_suite::config::CLIENT.to_owned()), ("token", tokens.refresh.clone())];
        assert_eq!(post(&rig, "/oauth/revoke", &revoke).await.status, 200);
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
        sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
    });
}

#[test]
fn what_is_made_up_is_not_asked_of_entra_without_end() {
    run(async {
        let rig = facade::rig().await;
        let (_, refresh) = facade::sign_in(&rig).await;
        let again = |refresh: &str| {
            let mut form = refresh_form(refresh);
            form[1].1 = ids::VALET.to_string();
            form
        };

        // At the authorization endpoint there is a person, who reads it.
        let nobodys = oauth::Authorize::default().set("client_id", "another").url();
        let pages = join_all(
            (0..FLOOD).map(|_| async { Answer::read(rig.http.get(&nobodys).send().await.unwrap()).await }),
        )
        .await;
        let stopped: Vec<_> = pages.iter().filter(|page| page.status == 429).collect();
        assert!(!stopped.is_empty() && pages.len() - stopped.len() >= AT_ONCE, "{}", stopped.len());
        for page in stopped {
            assert!(page.body.contains("Too many requests from your address were refused."), "{page:?}");
            assert!(page.field("content-type").starts_with("text/html"), "{page:?}");
            assert!(page.field("retry-after").parse::<u32>().is_ok(), "{page:?}");
        }
        // Those who have been there go on.
        let (_, refresh) = facade::tokens(&rig, &token(&rig, &again(&refresh)).await);

        let asked = || rig.emulator.faults().count(Operation::RedeemCode);
        let before = asked();
        let codes = flood(&rig, "/oauth/token", &form("made-up")).await;
        let refused = refused(&codes, (400, "invalid_grant"));
        assert!(refused >= AT_ONCE);
        assert_eq!(asked() - before, refused as u64, "the others did not reach Entra");
        // Whoever comes back when they were told to gets in.
        loop {
            let answer = token(&rig, &again(&refresh)).await;
            if answer.status != 429 {
                facade::tokens(&rig, &answer);
                return;
            }
            let seconds = answer.field("retry-after").parse().unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        }
    });
}

#[test]
fn who_makes_links_up_is_stopped_and_keeps_nobody_from_a_good_one() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, _, url) = challenged(&rig).await;
        let mark = rig.log().mark();
        let answers = join_all((0..FLOOD).map(|_| rig.send(Ask::get("/oauth/step-up?link=made-up")))).await;
        let (stopped, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
        assert!(refused.len() >= AT_ONCE && refused.iter().all(|answer| answer.status == 400));
        let stopped_well = |answer: &&Answer| {
            (1..=60).contains(&answer.field("retry-after").parse::<u32>().unwrap())
                && answer.body.contains("Too many requests")
        };
        assert!(!stopped.is_empty() && stopped.iter().all(stopped_well));
        let line = self::stopped(&rig, mark).await;
        assert!(line.starts_with("denied rate_limited: /oauth/step-up, address 127.0.0.1: "), "{line}");
        assert!(browser.go(&url).await.asks());
    });
}
