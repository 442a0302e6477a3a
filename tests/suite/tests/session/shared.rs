//! Two servers on one Redis: either answers for what the other began, and one of them asks Entra.

use std::sync::Arc;
use std::time::{Duration, Instant};

use entra_emulator::{Endpoint, Fault, Operation, ids};
use valet_suite::browser::Browser;
use valet_suite::config::Config;
use valet_suite::oauth::{self, Authorize, ISSUER, Tokens, refresh, refresh_form, sign_in};
use valet_suite::redis::Redis;
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, run};

use crate::administration::administer;
use crate::sign_out::dead;

fn on(redis: &Redis) -> impl Fn(Config) -> Config {
    let url = redis.url();
    move |config| config.with_sessions().with_redis(&url)
}

#[test]
fn sessions_belong_to_no_server() {
    run(async {
        let Some(redis) = Redis::start() else { return };
        let emulator = emulator().await;
        let first = Rig::start_with(Arc::clone(&emulator), on(&redis)).await;
        let second = Rig::start_with(Arc::clone(&emulator), on(&redis)).await;

        // The way of one sign-in, a step here and a step there.
        let mut browser = Browser::new(&first, ids::ADELE_UPN);
        let asked = browser.go(&Authorize::default().url()).await;
        let mut there = browser.clone().moved(&second);
        let page = there.decide(&asked, "allow").await;
        let tokens = oauth::finish(&first, &page).await;
        for rig in [&first, &second] {
            assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        }
        assert_eq!(emulator.faults().count(Operation::RedeemCode), 1);

        // Refreshed here and there in turn.
        let next = Tokens::read(&second, &refresh(&second, &tokens.refresh).await);
        let last = Tokens::read(&first, &refresh(&first, &next.refresh).await);
        assert_eq!(second.call("whoami", &last.access).await.status, 200);

        // An administrator ends one person's, at another console, while the servers run.
        let alex = sign_in(&first, &mut Browser::new(&first, ids::ALEX_UPN)).await;
        let user = format!("{}@{}", ids::ALEX, ids::TENANT);
        assert_eq!(administer(&first, &[]).lines().count(), 2);
        assert_eq!(administer(&first, &["--revoke", &user]), "1 sessions ended\n");
        for rig in [&first, &second] {
            assert_eq!(rig.call("whoami", &alex.access).await.status, 401);
            assert_eq!(rig.call("whoami", &last.access).await.status, 200);
        }

        // Ended here, dead there.
        let form = [("token", last.refresh.clone()), ("client_id", valet_suite::config::CLIENT.to_owned())];
        assert_eq!(oauth::post(&first, "/oauth/revoke", &form).await.status, 200);
        assert_eq!(second.call("whoami", &last.access).await.status, 401);

        // And everybody's, whose access tokens have minutes to live.
        let adele = sign_in(&first, &mut Browser::new(&first, ids::ADELE_UPN)).await;
        let alex = sign_in(&second, &mut Browser::new(&second, ids::ALEX_UPN)).await;
        for tokens in [&adele, &alex] {
            assert_eq!(second.call("whoami", &tokens.access).await.status, 200);
        }
        assert_eq!(administer(&first, &["--revoke-all"]), "2 sessions ended\n");
        for rig in [&first, &second] {
            dead(rig, &adele).await;
            dead(rig, &alex).await;
        }
        let adele = sign_in(&first, &mut Browser::new(&first, ids::ADELE_UPN)).await;
        assert_eq!(second.call("whoami", &adele.access).await.status, 200);
    });
}

#[test]
fn of_many_calls_on_two_servers_one_asks_entra() {
    run(async {
        let Some(redis) = Redis::start() else { return };
        let emulator = emulator().await;
        emulator.change_registrations(|all| {
            all.app_mut(ids::VALET).unwrap().api_permissions[0].delegated.push("Mail.Read".to_owned());
        });
        // Signing in asks for another permission than the tool needs, so that the tool's token is asked for later.
        let change = |config: Config| {
            let scopes = valet_suite::config::list(&["https://graph.microsoft.com/Mail.Read"]);
            on(&redis)(config).set("oauth.sign_in_scopes", scopes)
        };
        let first = Rig::start_with(Arc::clone(&emulator), change).await;
        let second = Rig::start_with(Arc::clone(&emulator), change).await;
        let tokens = sign_in(&first, &mut Browser::new(&first, ids::ADELE_UPN)).await;
        let calls = (0..16).map(|number| {
            let rig = if number % 2 == 0 { &first } else { &second };
            rig.call("GetUserDetailsFromGraph", &tokens.access)
        });
        let calls: Vec<_> = calls.collect();
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        assert_eq!(emulator.faults().count(Operation::Refresh), 1);
        // Either has what the other brought: the refresh tokens that were used are none any more, and Graph wants newer access tokens.
        for (round, rig) in (2..).zip([&second, &first, &second]) {
            emulator.end_used_refresh_tokens();
            emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
            let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
            assert_eq!(profile["structuredContent"]["mail"], "adele.vance@contoso.example", "{profile}");
            assert_eq!(emulator.faults().count(Operation::Refresh), round);
        }
    });
}

/// A refresh of ours for which Entra is due.
#[test]
fn of_many_refreshes_on_two_servers_one_asks_entra() {
    run(async {
        let (Some(redis), Some(surroundings)) = (Redis::start(), Surroundings::new()) else { return };
        let emulator = emulator().await;
        let variables = || surroundings.variables();
        let first = Rig::within(variables(), Arc::clone(&emulator), on(&redis)).await;
        let second = Rig::within(variables(), Arc::clone(&emulator), on(&redis)).await;
        let tokens = sign_in(&first, &mut Browser::new(&first, ids::ADELE_UPN)).await;
        surroundings.set_clock(5400);
        emulator.set_clock_offset(5400);
        let refreshes = (0..16).map(|number| {
            let rig = if number % 2 == 0 { &first } else { &second };
            refresh(rig, &tokens.refresh)
        });
        let refreshes: Vec<_> = refreshes.collect();
        let answers = futures_util::future::join_all(refreshes).await;
        assert_eq!(emulator.faults().count(Operation::Refresh), 1);
        // Each of the answers is good, here and there, and the client may keep any of them: here the one that was answered first.
        let answers: Vec<_> = answers.iter().map(|answer| Tokens::read(&first, answer)).collect();
        for tokens in &answers {
            assert_eq!(second.call("whoami", &tokens.access).await.status, 200);
        }
        let mut next = Tokens::read(&second, &refresh(&second, &answers[0].refresh).await);
        assert_eq!(first.call("whoami", &next.access).await.status, 200);
        // And either has the refresh token of Entra's that the other got: those that were used are none any more.
        for (round, rig) in (2..).zip([&first, &second, &first]) {
            emulator.end_used_refresh_tokens();
            let now = 5400 * i64::try_from(round).unwrap();
            surroundings.set_clock(now);
            emulator.set_clock_offset(now);
            next = Tokens::read(rig, &refresh(rig, &next.refresh).await);
            assert_eq!(emulator.faults().count(Operation::Refresh), round);
        }
    });
}

/// How long the turn of a process that is gone is kept for it, at most (`host/src/limits.rs`, `SESSION_TURN_TIME`, 35 seconds), with time for what comes then. Redis counts it by its
/// own clock, so the test waits for it.
const TURN: Duration = Duration::from_secs(60);

#[test]
fn a_server_that_is_killed_while_it_refreshes_holds_up_the_other_for_a_while_and_for_good_nobody() {
    run(async {
        let (Some(redis), Some(surroundings)) = (Redis::start(), Surroundings::new()) else { return };
        let emulator = emulator().await;
        let mut first = Rig::within(surroundings.variables(), Arc::clone(&emulator), on(&redis)).await;
        let second = Rig::within(surroundings.variables(), Arc::clone(&emulator), on(&redis)).await;
        let tokens = sign_in(&first, &mut Browser::new(&first, ids::ADELE_UPN)).await;
        surroundings.set_clock(5400);
        emulator.set_clock_offset(5400);
        let asked = || emulator.faults().count(Operation::Token);
        let before = asked();
        emulator.faults().set_times(Endpoint::Token, Fault::Delay(Duration::from_secs(5)), 1);
        let request = first.http.post(format!("{ISSUER}/oauth/token")).form(&refresh_form(&tokens.refresh));
        let asking = tokio::spawn(request.send());
        while asked() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.process.kill();
        assert!(asking.await.unwrap().is_err(), "it was killed before Entra had answered");
        assert!(first.process.stop().is_some());

        let deadline = Instant::now() + TURN;
        let next = loop {
            let answer = refresh(&second, &tokens.refresh).await;
            if answer.status == 200 {
                break Tokens::read(&second, &answer);
            }
            // Whoever waits longer than they may is told to come again, and never that the session is over.
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
            assert!(Instant::now() < deadline, "nobody gets the turn of a server that is gone");
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(asked(), before + 2);
        first.restart().await;
        for rig in [&first, &second] {
            assert_eq!(rig.call("GetUserDetailsFromGraph", &next.access).await.status, 200);
        }
        Tokens::read(&first, &refresh(&first, &next.refresh).await);
    });
}
