//! What a client can do while its user is at Entra, where a link to the page of a step-up has led them: its session is renewed until they are back, and no longer.

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::oauth::{self, Tokens, refresh, session_id, sign_in};
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, run};

use crate::claims::{
    emulator_with_a_tool_of_its_own_scopes, rig_with_a_tool_of_its_own_scopes, sign_in_scopes,
};
use crate::step_up::{ask, at_the_door, challenged, goes_on, is_page, link, send, still_wanting};

async fn not_renewed(rig: &Rig, tokens: &Tokens) {
    assert_eq!(oauth::error(&refresh(rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
}

#[test]
fn a_session_is_renewed_while_its_user_is_at_entra() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let other = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        link(&rig, &send(&rig, ask(&other)).await);
        // Programs look at links too, so that to look at our page is nothing yet.
        assert!(browser.go(&url).await.asks());
        not_renewed(&rig, &tokens).await;

        browser.has_second_factor = true;
        let door = at_the_door(&rig, &mut browser, &url).await;
        let next = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        assert_eq!(session_id(&next.access), session_id(&tokens.access));
        assert_eq!(rig.call("whoami", &next.access).await.status, 200);
        // What was wanted still is; and with the user's other session, for which nobody is at Entra, all is as it was.
        link(&rig, &send(&rig, ask(&next)).await);
        not_renewed(&rig, &other).await;
        is_page(&browser.go(&door).await, 200, "<h1>Done</h1>");
        goes_on(&rig, &next).await;
    });
}

#[test]
fn a_session_is_not_renewed_once_its_user_is_back_or_the_time_is_over() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let emulator = emulator_with_a_tool_of_its_own_scopes().await;
        let rig = Rig::within(surroundings.variables(), emulator, sign_in_scopes).await;
        let (mut browser, tokens, url) = challenged(&rig).await;
        browser.declines = true;
        let door = at_the_door(&rig, &mut browser, &url).await;
        let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        is_page(&browser.go(&door).await, 403, "declined, or could not be done");
        not_renewed(&rig, &tokens).await;

        browser.declines = false;
        browser.has_second_factor = true;
        at_the_door(&rig, &mut browser, &url).await;
        let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        surroundings.set_clock(601);
        not_renewed(&rig, &tokens).await;
        surroundings.set_clock(0);
        still_wanting(&rig, &mut browser, &tokens).await;
    });
}
