//! Time that passes, and clocks that jump: what ends does so in its time, and nobody is locked out by a clock that was wrong for a while.

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::config::Config;
use valet_suite::oauth::{self, Tokens, refresh, sign_in};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, log, run};

/// A server whose clock the test sets, with an emulator of its own.
async fn rig(change: impl FnOnce(Config) -> Config) -> Option<(Rig, Surroundings)> {
    let surroundings = Surroundings::new()?;
    let rig =
        Rig::within(surroundings.variables(), emulator().await, |config| change(config.with_sessions()));
    Some((rig.await, surroundings))
}

/// The audit event after `mark`, in one line.
async fn audited(rig: &Rig, mark: usize) -> String {
    log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await)
}

#[test]
fn a_code_is_good_for_a_minute_and_no_longer() {
    run(async {
        let Some((rig, surroundings)) = rig(|config| config).await else { return };
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let code = oauth::code(&rig, &mut browser).await;
        surroundings.set_clock(50);
        Tokens::read(&rig, &oauth::redeem(&rig, &code).await);

        let code = oauth::code(&rig, &mut browser).await;
        surroundings.set_clock(50 + 61);
        let mark = rig.log().mark();
        assert_eq!(oauth::error(&oauth::redeem(&rig, &code).await), (400, "invalid_grant".to_owned()));
        let found = audited(&rig, mark).await;
        assert!(found.starts_with("denied invalid_grant: there is no such code"), "{found}");
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn a_refresh_token_has_an_end_that_no_use_puts_off() {
    run(async {
        let ends = |config: Config| config.set("oauth.refresh_token_lifetime", 3600);
        let Some((rig, surroundings)) = rig(ends).await else { return };
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let mut tokens = sign_in(&rig, &mut browser).await;
        let advance = |seconds: i64| {
            surroundings.set_clock(seconds);
            rig.emulator.set_clock_offset(seconds);
        };
        for seconds in [1800, 3500] {
            advance(seconds);
            tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        }
        advance(3610);
        let mark = rig.log().mark();
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
        let found = audited(&rig, mark).await;
        assert_eq!(
            found, "denied invalid_grant: there is no such refresh token",
            "its record is over with it"
        );
        // An access token does not outlive it, however young.
        let answer = rig.call("whoami", &tokens.access).await;
        assert_eq!(answer.status, 401);
        assert!(answer.field("www-authenticate").contains("the session has ended"), "{answer:?}");
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
    });
}

#[test]
fn a_clock_that_jumps_ends_no_session() {
    run(async {
        let Some((rig, surroundings)) = rig(|config| config).await else { return };
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let mut tokens = sign_in(&rig, &mut browser).await;
        // By how much, why an access token is refused then, and what a refresh comes to meanwhile. By a clock that is hours ahead what Entra says is over before it arrives: it is not believed, and
        // nothing is ended by it.
        let (early, over) = ("denied not_yet_valid: nbf ", "denied expired: exp ");
        for (jump, why, status) in [
            (-600, early, 200),
            (900, over, 200),
            (3 * 3600, over, 503),
            (-3 * 3600, early, 200),
            (24 * 3600, over, 503),
        ] {
            surroundings.set_clock(jump);
            // By that clock the token is over, or not yet good. That is all that is wrong.
            let mark = rig.log().mark();
            let answer = rig.call("whoami", &tokens.access).await;
            assert_eq!(answer.status, 401, "{jump}: {answer:?}");
            let found = audited(&rig, mark).await;
            assert!(found.starts_with(why), "{jump}: {found}");
            let mark = rig.log().mark();
            let while_wrong = refresh(&rig, &tokens.refresh).await;
            assert_eq!(while_wrong.status, status, "{jump}: {while_wrong:?}");
            if status == 200 {
                tokens = Tokens::read(&rig, &while_wrong);
                assert_eq!(rig.call("whoami", &tokens.access).await.status, 200, "{jump}");
            } else {
                assert_eq!(oauth::error(&while_wrong).1, "temporarily_unavailable");
                let found = audited(&rig, mark).await;
                let refused = "failed temporarily_unavailable: not available: the ID token is refused: ";
                assert!(found.starts_with(refused) && found.contains(": exp "), "{jump}: {found}");
            }

            surroundings.set_clock(0);
            tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
            assert_eq!(profile.status, 200, "{jump}: {profile:?}");
        }
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn a_sign_in_by_a_clock_that_is_slow_is_refused_with_the_reason() {
    run(async {
        let Some((rig, surroundings)) = rig(|config| config).await else { return };
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        sign_in(&rig, &mut browser).await;
        surroundings.set_clock(-600);
        let mark = rig.log().mark();
        let page = browser.go(&oauth::Authorize::default().url()).await;
        let page = if page.asks() { browser.decide(&page, "allow").await } else { page };
        assert_eq!(page.parameter("error").as_deref(), Some("access_denied"), "{page:?}");
        assert_eq!(page.parameter("code"), None);
        let found = audited(&rig, mark).await;
        let refused = found.starts_with("denied sign_in_refused: the ID token is refused: ");
        assert!(refused && found.contains(": iat "), "{found}");
        surroundings.set_clock(0);
        sign_in(&rig, &mut browser).await;
    });
}
