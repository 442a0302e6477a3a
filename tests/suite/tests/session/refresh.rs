//! Refresh tokens: a new one with each use, and what becomes of a family of which two have one.

use entra_emulator::{Operation, ids};
use valet_suite::browser::Browser;
use valet_suite::config::CLIENT;
use valet_suite::oauth::{self, Tokens, refresh, refresh_form, sign_in, token};
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, log, run};

use crate::claims::{emulator_with_a_tool_of_its_own_scopes, sign_in_scopes};
use crate::{own_rig, rig};

async fn next(rig: &Rig, tokens: &Tokens) -> Tokens {
    Tokens::read(rig, &refresh(rig, &tokens.refresh).await)
}

#[track_caller]
fn refused(answer: &valet_suite::Answer) {
    assert_eq!(oauth::error(answer), (400, "invalid_grant".to_owned()));
}

#[test]
fn an_answer_that_was_lost_locks_nobody_out() {
    run(async {
        let rig = rig().await;
        let first = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        // The client never saw the first answer, and asks again with what it has.
        next(&rig, &first).await;
        let second = next(&rig, &first).await;
        let third = next(&rig, &second).await;
        assert_eq!(rig.call("whoami", &third.access).await.status, 200);
    });
}

#[test]
fn a_token_that_is_used_after_its_successor_ends_the_family() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let first = sign_in(&rig, &mut browser).await;
        let second = next(&rig, &first).await;
        let third = next(&rig, &second).await;
        refused(&refresh(&rig, &first.refresh).await);
        for tokens in [&second, &third] {
            refused(&refresh(&rig, &tokens.refresh).await);
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 401, "access tokens die with it");
        }
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn a_refresh_token_is_its_clients_and_whole() {
    run(async {
        let rig = rig().await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let cut = &tokens.refresh[..tokens.refresh.len() - 1];
        for guess in ["", "x", cut, &format!("{}x", tokens.refresh)] {
            let status = refresh(&rig, guess).await.status;
            assert_eq!(status, 400, "{guess:.5}");
        }
        let mut foreign = refresh_form(&tokens.refresh);
        foreign[1].1 = "another".to_owned();
        assert_eq!(oauth::error(&token(&rig, &foreign).await), (401, "invalid_client".to_owned()));
        let mut more = refresh_form(&tokens.refresh);
        more.push(("scope", "mcp.access mcp.admin".to_owned()));
        assert_eq!(oauth::error(&token(&rig, &more).await), (400, "invalid_scope".to_owned()));
        next(&rig, &tokens).await;
    });
}

/// Who knows a family's id has seen a part of a token, perhaps, and none of it.
#[test]
fn a_token_that_was_never_given_out_ends_nothing() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let (first, other) = (sign_in(&rig, &mut browser).await, sign_in(&rig, &mut browser).await);
        let (family, _) = first.refresh.split_once('.').unwrap();
        let (_, foreign) = other.refresh.split_once('.').unwrap();
        let second = next(&rig, &first).await;
        let third = next(&rig, &second).await;
        for secret in ["A".repeat(43).as_str(), foreign] {
            let mark = rig.log().mark();
            let forged = format!("{family}.{secret}");
            refused(&refresh(&rig, &forged).await);
            let event = rig.log().wait(mark, "a refusal", log::is_audit).await;
            assert_eq!(
                log::audit_line(&event),
                "denied invalid_grant: the refresh token was never one of its family"
            );
            let form = [("token", forged), ("client_id", CLIENT.to_owned())];
            assert_eq!(oauth::post(&rig, "/oauth/revoke", &form).await.status, 200);
        }
        assert_eq!(rig.call("whoami", &third.access).await.status, 200);
        next(&rig, &third).await;
        next(&rig, &other).await;
    });
}

#[test]
fn parallel_refreshes_of_one_client_all_succeed() {
    run(async {
        let rig = rig().await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let (a, b, c) = tokio::join!(next(&rig, &tokens), next(&rig, &tokens), next(&rig, &tokens));
        for tokens in [&a, &b, &c] {
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        }
        next(&rig, &c).await;
    });
}

/// Entra lets a used refresh token live, which forgives a server that drops the newer ones. Here each one ends once its use was answered, and the server is killed then.
#[test]
fn entras_newest_refresh_token_is_kept_before_the_answer() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let emulator = emulator_with_a_tool_of_its_own_scopes().await;
        let on_disk = |config| sign_in_scopes(config).on_disk();
        let mut rig = Rig::within(surroundings.variables(), emulator, on_disk).await;
        let mut tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let asked = |rig: &Rig| rig.emulator.faults().count(Operation::Refresh);
        for round in 1..=3 {
            // Longer than Entra's tokens for Graph live, so that the tool needs a new one too.
            let now = i64::try_from(round * 30 * 3600).unwrap();
            surroundings.set_clock(now);
            rig.emulator.set_clock_offset(now);
            tokens = next(&rig, &tokens).await;
            assert_eq!(asked(&rig), 2 * round - 1);
            rig.emulator.end_used_refresh_tokens();
            kill(&mut rig).await;
            let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
            assert_eq!(profile["structuredContent"]["mail"], "adele.vance@contoso.example", "{profile}");
            assert_eq!(asked(&rig), 2 * round);
            rig.emulator.end_used_refresh_tokens();
            kill(&mut rig).await;
        }
    });
}

/// Ends the server as the system would, and starts it again.
async fn kill(rig: &mut Rig) {
    rig.process.kill();
    assert!(rig.process.stop().is_some());
    rig.restart().await;
}

#[test]
fn who_may_no_longer_sign_in_is_out_at_the_next_refresh() {
    run(async {
        let rig = own_rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        rig.emulator.revoke(ids::ADELE_UPN, entra_emulator::RevocationReason::Sessions).unwrap();
        // Graph tells first, long before Entra would have been asked again.
        let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
        refused(&refresh(&rig, &tokens.refresh).await);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let tokens = sign_in(&rig, &mut browser).await;
        let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    });
}
