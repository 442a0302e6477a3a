//! The way of a person, and what their client gets.

use entra_emulator::ids;
use serde_json::json;
use valet_suite::browser::Browser;
use valet_suite::config::{Config, list};
use valet_suite::oauth::{self, Authorize, Tokens, refresh, sign_in};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, run};

use crate::rig;

#[test]
fn a_person_signs_in_once_and_the_tools_work() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let page = browser.go(&Authorize::default().url()).await;
        assert!(page.asks(), "{page:?}");
        for expected in ["The suite", "https://client.example", "mcp.access"] {
            assert!(page.text.contains(expected), "{expected} is not in {}", page.text);
        }
        let page = browser.decide(&page, "allow").await;
        let tokens = oauth::finish(&rig, &page).await;

        let who = rig.call("whoami", &tokens.access).await.result();
        assert_eq!(who["structuredContent"]["name"], "Adele Vance", "{who}");
        let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
        assert_eq!(profile["structuredContent"]["mail"], "adele.vance@contoso.example", "{profile}");

        // The second time nobody is asked: the permission is remembered, and Entra knows the browser.
        let page = browser.go(&Authorize::default().url()).await;
        oauth::finish(&rig, &page).await;
    });
}

#[test]
fn tokens_are_refreshed_and_carry_what_entra_says_now() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let for_operators = |config: Config| {
            config.with_sessions().set("tools.GetUserDetailsFromGraph.roles", list(&[ids::VALET_ROLE]))
        };
        let rig = Rig::within(surroundings.variables(), emulator().await, for_operators).await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        has_roles(&rig, &tokens, &[ids::VALET_ROLE]).await;
        let answer = refresh(&rig, &tokens.refresh).await;
        assert_eq!(answer.field("cache-control"), "no-store");
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["scope"]), (&json!("Bearer"), &json!("mcp.access")));
        assert_eq!(body["expires_in"], 600);
        let mut tokens = Tokens::read(&rig, &answer);
        has_roles(&rig, &tokens, &[ids::VALET_ROLE]).await;
        // An administrator takes the role and gives it back; Entra is asked again when what it said is an hour old.
        for (hour, roles) in [(1, &[][..]), (2, &[ids::VALET_ROLE][..]), (3, &["Other"][..])] {
            rig.emulator.change_registrations(|all| {
                let adele = all.users.iter_mut().find(|user| user.id == ids::ADELE).unwrap();
                let assigned =
                    adele.app_roles.iter_mut().find(|assigned| assigned.app == ids::VALET).unwrap();
                assigned.roles = roles.iter().map(|&role| role.to_owned()).collect();
            });
            surroundings.set_clock(hour * 5400);
            rig.emulator.set_clock_offset(hour * 5400);
            tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            has_roles(&rig, &tokens, roles).await;
        }
    });
}

/// These, by the token; and the tool that takes one of them is there for those who have it.
async fn has_roles(rig: &Rig, tokens: &Tokens, roles: &[&str]) {
    let who = rig.call("whoami", &tokens.access).await.result();
    let said = who["structuredContent"]["roles"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(said, roles, "{who}");
    let status = rig.call("GetUserDetailsFromGraph", &tokens.access).await.status;
    assert_eq!(status, if roles.contains(&ids::VALET_ROLE) { 200 } else { 403 }, "{roles:?}");
}

#[test]
fn two_people_get_their_own() {
    run(async {
        let rig = rig().await;
        let adele = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let alex = sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
        for (tokens, mail) in [
            (&adele, "adele.vance@contoso.example"),
            (&alex, "alex.wilber@contoso.example"),
            (&adele, "adele.vance@contoso.example"),
        ] {
            let profile = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
            assert_eq!(profile["structuredContent"]["mail"], mail);
        }
    });
}

#[test]
fn tabs_do_not_disturb_each_other() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ALEX_UPN);
        let first = browser.go(&Authorize::default().set("state", "tab-1").url()).await;
        let second = browser.go(&Authorize::default().set("state", "tab-2").url()).await;
        let first = browser.decide(&first, "allow").await;
        let second = browser.decide(&second, "allow").await;
        for (page, state) in [(first, "tab-1"), (second, "tab-2")] {
            assert_eq!(page.parameter("state").as_deref(), Some(state));
            let code = page.parameter("code").unwrap();
            rig.keep_secret(&code);
            assert_eq!(oauth::redeem(&rig, &code).await.status, 200);
        }
    });
}
