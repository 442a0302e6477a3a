//! What becomes of sessions when their store is lost, is full, or cannot be written.

use entra_emulator::{Operation, ids};
use valet_suite::browser::Browser;
use valet_suite::config::CLIENT;
use valet_suite::oauth::{
    self, Authorize, Tokens, code_form, refresh, refresh_form, sign_in, sign_in_asked, token,
};
use valet_suite::process::Process;
use valet_suite::redis::Redis;
use valet_suite::rig::{emulator, shared_emulator};
use valet_suite::small_disk::SmallDisk;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, log, run};

/// A server whose store is on a disk of its own.
async fn rig_on(disk: &SmallDisk) -> Rig {
    let store = disk.path("store.redb").display().to_string();
    Rig::start_with(shared_emulator().await, |config| {
        config.with_sessions().on_disk().set("storage.path", store)
    })
    .await
}

/// What was given out before a store was lost is good for nothing: the access and refresh tokens of `signed_in`, and a code.
async fn nobody_gets_in(rig: &Rig, signed_in: [&Tokens; 2], code: &str) {
    let invalid_grant = (400, "invalid_grant".to_owned());
    for tokens in signed_in {
        let answer = rig.call("whoami", &tokens.access).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.field("www-authenticate").contains("resource_metadata="), "{answer:?}");
        assert_eq!(oauth::error(&refresh(rig, &tokens.refresh).await), invalid_grant);
    }
    assert_eq!(oauth::error(&oauth::redeem(rig, code).await), invalid_grant);
}

#[test]
fn a_store_that_is_lost_signs_everybody_out_and_nobody_in() {
    run(async {
        let emulator = shared_emulator().await;
        let mut rig = Rig::start_with(emulator, |config| config.with_sessions().on_disk()).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let adele = sign_in(&rig, &mut browser).await;
        let alex = sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
        let unused = oauth::code(&rig, &mut browser).await;
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        std::fs::remove_file(rig.folder.path("store.redb")).unwrap();
        rig.restart().await;
        nobody_gets_in(&rig, [&adele, &alex], &unused).await;
        let mut browser = browser.moved(&rig);
        // Permissions are lost too, so people are asked.
        let tokens = sign_in_asked(&rig, &mut browser).await;
        let who = rig.call("whoami", &tokens.access).await.result();
        assert_eq!(who["structuredContent"]["name"], "Adele Vance");
    });
}

#[test]
fn a_full_disk_ends_no_session_and_is_used_again() {
    run(async {
        let Some(disk) = SmallDisk::mount(32) else { return };
        let mut rig = rig_on(&disk).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        disk.fill();
        for _ in 0..3 {
            // What is there is there.
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
            assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
            // What would have to be kept cannot be given out.
            let mark = rig.log().mark();
            let answer = refresh(&rig, &tokens.refresh).await;
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
            let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
            assert!(found.starts_with("failed ") && found.contains("bytes are free on the disk"), "{found}");
            let page = browser.go(&Authorize::default().url()).await;
            // Told to the client, or shown on a page of ours, whose address has Entra's code.
            let arrived = page.url.host_str() == Some("client.example");
            assert!(!arrived || page.parameter("code").is_none(), "{page:?}");
            assert!(arrived || page.status >= 500, "{page:?}");
        }
        disk.clear();
        let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        sign_in(&rig, &mut browser).await;
        assert!(rig.process.stop().is_some_and(|status| status.success()));
    });
}

/// RFC 7009 section 2.2.1: a client that hears 503 has to take the token for good, and tries again.
#[test]
fn what_could_not_be_given_back_for_want_of_room_is_given_back_at_the_next_try() {
    run(async {
        let Some(disk) = SmallDisk::mount(32) else { return };
        let rig = rig_on(&disk).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        disk.fill();
        // As full as others can make it that keep our reserve free: deleting goes on, and no value is taken.
        let foreign = std::fs::File::options().write(true).open(disk.path("foreign")).unwrap();
        foreign.set_len(foreign.metadata().unwrap().len() - (4 << 20)).unwrap();
        // An open file keeps its room when its name goes.
        drop(foreign);
        let form = [("token", tokens.refresh.clone()), ("client_id", CLIENT.to_owned())];
        for _ in 0..2 {
            let mark = rig.log().mark();
            let answer = oauth::post(&rig, "/oauth/revoke", &form).await;
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
            let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
            let begins =
                found.starts_with("failed temporarily_unavailable: not available: the store is full: ");
            assert!(begins && found.contains("bytes are free on the disk"), "{found}");
        }
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 401, "the session is over all the same");
        // A client of several parts refreshes before it tries again, while there is no room and when there is.
        not_now(&rig, &refresh_form(&tokens.refresh), "the store is full").await;
        disk.clear();
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
        assert_eq!(oauth::post(&rig, "/oauth/revoke", &form).await.status, 200);
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
        // The permission went with it: who signs in is asked.
        let tokens = sign_in_asked(&rig, &mut browser).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
    });
}

#[test]
fn a_store_that_cannot_be_written_stops_the_start_and_is_not_harmed() {
    run(async {
        let Some(disk) = SmallDisk::mount(32) else { return };
        let mut rig = rig_on(&disk).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        disk.set_read_only(true);
        let file = rig.folder.path("valet.toml");
        let mut process = Process::start(&["serve"], &file, &[]);
        let ended = process.end(std::time::Duration::from_secs(20)).expect("it does not start");
        assert!(!ended.success());
        let said = process.log().text();
        assert!(said.contains("storage: the store is read-only"), "{said}");
        disk.set_read_only(false);
        rig.restart().await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        sign_in(&rig, &mut browser.moved(&rig)).await;
        assert!(rig.process.stop().is_some_and(|status| status.success()));
    });
}

/// What the token endpoint answers where something cannot be kept: that it may be tried again, and why, to the log alone.
async fn not_now(rig: &Rig, form: &[(&'static str, String)], why: &str) {
    let mark = rig.log().mark();
    let answer = token(rig, form).await;
    assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()));
    assert!(!answer.body.contains("read-only"), "{answer:?}");
    let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
    assert!(found.starts_with(&format!("failed temporarily_unavailable: not available: {why}: ")), "{found}");
}

/// A Redis that was made a replica, by whoever watches over it, while we have a connection to it.
#[test]
fn a_store_that_turns_read_only_ends_no_session_and_what_was_refused_works_afterwards() {
    run(async {
        let (Some(redis), Some(surroundings)) = (Redis::start(), Surroundings::new()) else { return };
        let url = redis.url();
        let on_redis = |config: valet_suite::config::Config| config.with_sessions().with_redis(&url);
        let rig = Rig::within(surroundings.variables(), emulator().await, on_redis).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        let code = oauth::code(&rig, &mut browser).await;

        redis.set_read_only(true);
        // Twice: what was refused once has changed nothing.
        for _ in 0..2 {
            not_now(&rig, &refresh_form(&tokens.refresh), "the store is read-only").await;
            not_now(&rig, &code_form(&code), "the store is read-only").await;
        }
        // Nobody signs in, and Entra's code is not redeemed for nothing.
        let redeemed = rig.emulator.faults().count(Operation::RedeemCode);
        let mark = rig.log().mark();
        let page = browser.go(&Authorize::default().url()).await;
        assert!(page.status == 503 && page.url.host_str() == Some("valet.example"), "{page:?}");
        let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
        assert!(found.starts_with("failed sign_in: the store is read-only: "), "{found}");
        assert_eq!(rig.emulator.faults().count(Operation::RedeemCode), redeemed);
        // What is there is there.
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
        assert_eq!(profile["structuredContent"]["mail"], "adele.vance@contoso.example", "{profile}");

        redis.set_read_only(false);
        let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        let others = Tokens::read(&rig, &oauth::redeem(&rig, &code).await);

        // An hour later Entra would have to be asked. It is not, since its new refresh token could not be kept.
        surroundings.set_clock(5400);
        rig.emulator.set_clock_offset(5400);
        redis.set_read_only(true);
        let why = "the session store: the store is read-only";
        not_now(&rig, &refresh_form(&tokens.refresh), why).await;
        assert_eq!(rig.emulator.faults().count(Operation::Refresh), 0);
        redis.set_read_only(false);
        for tokens in [&tokens, &others] {
            let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        }
        sign_in(&rig, &mut browser).await;
    });
}

/// A Redis that somebody empties, or that comes back without its disk.
#[test]
fn a_store_that_is_lost_while_the_server_runs_signs_everybody_out_and_nobody_in() {
    run(async {
        let Some(redis) = Redis::start() else { return };
        let url = redis.url();
        let on_redis = |config: valet_suite::config::Config| config.with_sessions().with_redis(&url);
        let rig = Rig::start_with(shared_emulator().await, on_redis).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let adele = sign_in(&rig, &mut browser).await;
        let alex = sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
        let unused = oauth::code(&rig, &mut browser).await;
        redis.flush();
        nobody_gets_in(&rig, [&adele, &alex], &unused).await;
        // Permissions are lost too, so people are asked.
        let tokens = sign_in_asked(&rig, &mut browser).await;
        assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
    });
}
