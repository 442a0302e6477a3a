//! The operator's sealing keys, changed while people are signed in: the first seals, the others still open, and nobody is signed out for a key that is missing.

use std::time::Duration;

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::oauth::{self, Authorize, Tokens, refresh, sign_in};
use valet_suite::process::Process;
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, log, run};

/// The key that `Config` writes.
const OLD: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";
const NEW: &str = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n";

async fn restart(rig: &mut Rig, keys: &[&str]) {
    assert!(rig.process.stop().is_some_and(|status| status.success()));
    rig.folder.write("sealing-key", keys.concat());
    rig.restart().await;
}

/// Sets both clocks.
fn at(rig: &Rig, surroundings: &Surroundings, seconds: i64) {
    surroundings.set_clock(seconds);
    rig.emulator.set_clock_offset(seconds);
}

/// Uses a refresh token, and what comes of it for a tool that needs Entra's token.
async fn goes_on(rig: &Rig, tokens: &Tokens) -> Tokens {
    let next = Tokens::read(rig, &refresh(rig, &tokens.refresh).await);
    called(rig, &next).await;
    next
}

async fn called(rig: &Rig, tokens: &Tokens) {
    let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
    assert!(answer["structuredContent"]["mail"].is_string(), "{answer}");
}

/// What becomes of a session whose key is not here: refused as ours to mend, and not ended.
async fn does_not_open(rig: &Rig, tokens: &Tokens) {
    const WHY: &str = "a session does not open with the sealing keys that are here";
    let mark = rig.log().mark();
    let answer = refresh(rig, &tokens.refresh).await;
    assert_eq!(oauth::error(&answer), (500, "server_error".to_owned()));
    let event = rig.log().wait(mark, "audit event", log::is_refusal).await;
    assert_eq!(log::audit_line(&event), format!("failed server_error: misconfigured: {WHY}"));
    let mark = rig.log().mark();
    let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
    assert_eq!(answer.json()["error"]["code"], -32603, "{answer:?}");
    let event = rig.log().wait(mark, "audit event", log::is_refusal).await;
    assert_eq!(log::audit_line(&event), format!("failed internal: {WHY}"));
    // What needs nothing of Entra's goes on.
    assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
}

#[test]
fn keys_are_changed_while_people_are_signed_in() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let on_disk = |config: valet_suite::config::Config| config.with_sessions().on_disk();
        let mut rig = Rig::within(surroundings.variables(), emulator().await, on_disk).await;
        let mut hers = Browser::new(&rig, ids::ADELE_UPN);
        let mut adele = sign_in(&rig, &mut hers).await;
        called(&rig, &adele).await;
        // Alex later, so that what Entra said of him is fresh when what it said of Adele is over after an hour.
        at(&rig, &surroundings, 3000);
        let mut his = Browser::new(&rig, ids::ALEX_UPN);
        let mut alex = sign_in(&rig, &mut his).await;
        adele = goes_on(&rig, &adele).await;

        // The new one in front: whatever there is opens, the cookie too by which it is known who was here.
        restart(&mut rig, &[NEW, OLD]).await;
        for tokens in [&mut adele, &mut alex] {
            called(&rig, tokens).await;
            *tokens = goes_on(&rig, tokens).await;
        }
        let mut hers = hers.moved(&rig);
        assert!(!hers.go(&Authorize::default().url()).await.asks(), "the permission is remembered");
        // Entra has to be asked about Adele, and her session is sealed anew with what it says.
        at(&rig, &surroundings, 4200);
        adele = goes_on(&rig, &adele).await;
        alex = goes_on(&rig, &alex).await;

        // The new one alone: it sealed Adele's session and the signing key, and not yet Alex's.
        restart(&mut rig, &[NEW]).await;
        called(&rig, &adele).await;
        adele = goes_on(&rig, &adele).await;
        does_not_open(&rig, &alex).await;
        // Signing in again works. The cookie does not open either, so he is asked.
        let mut his = his.moved(&rig);
        called(&rig, &oauth::sign_in_asked(&rig, &mut his).await).await;

        // Put back, the old one opens what it sealed: nothing was ended for want of it.
        restart(&mut rig, &[NEW, OLD]).await;
        goes_on(&rig, &alex).await;
        goes_on(&rig, &adele).await;

        // The old one alone opens nothing that counts, and there is no start without the signing key.
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        rig.folder.write("sealing-key", OLD);
        let mut process = Process::start(&["serve"], &rig.folder.path("valet.toml"), &[]);
        let ended = process.end(Duration::from_secs(20)).expect("it does not start");
        assert!(!ended.success());
        let said = process.log().text();
        let wanted = "the signing key does not open with the sealing keys; add the one that it was made with to storage.sealing_key_file";
        assert!(said.contains(wanted), "{said}");
    });
}
