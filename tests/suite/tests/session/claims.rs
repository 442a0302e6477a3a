//! Conditional Access: what a policy wants of a user is asked for at the next sign-in, and then it works.

use std::sync::Arc;

use entra_emulator::{Control, RevocationReason, ids};
use serde_json::Value;
use valet_suite::browser::Browser;
use valet_suite::config::list;
use valet_suite::oauth::{self, Tokens, refresh, sign_in};
use valet_suite::rig::{emulator, policy_for_graph};
use valet_suite::{Rig, log, run};

/// Signing in asks for another permission than the tool needs, so that the tool's token is asked for later.
async fn rig_with_a_tool_of_its_own_scopes() -> Rig {
    let emulator = emulator().await;
    emulator.change_registrations(|all| {
        let valet = all.app_mut(ids::VALET).unwrap();
        valet.api_permissions[0].delegated.push("Mail.Read".to_owned());
    });
    let scopes = list(&["https://graph.microsoft.com/Mail.Read"]);
    Rig::start_with(Arc::clone(&emulator), |config| {
        config.with_sessions().set("oauth.sign_in_scopes", scopes)
    })
    .await
}

#[test]
fn what_a_policy_wants_is_met_by_signing_in_again() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;

        policy_for_graph(&rig.emulator, Control::Mfa);
        let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
        let challenge = answer.field("www-authenticate");
        assert!(answer.status == 401 && challenge.contains("insufficient_claims"), "{answer:?}");
        // For other tools the session goes on. It is not renewed, so that the client signs in anew rather than refreshing what would not do.
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        let mark = rig.log().mark();
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
        let refused = rig.log().wait(mark, "a refusal", log::is_audit).await;
        assert_eq!(
            log::audit_line(&refused),
            "denied invalid_grant: the session is not renewed: Entra wants the user to do something first"
        );
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200, "nor does that end it");

        browser.has_second_factor = true;
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        let signed_in = |event: &Value| log::is_audit(event) && event["reason"] == "signed_in";
        rig.log().wait(0, "a sign-in", signed_in).await;
    });
}

#[test]
fn what_one_tool_needs_and_does_not_get_ends_no_session() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let mut tokens = sign_in(&rig, &mut browser).await;
        let refused = async |tokens: &Tokens| {
            let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await.result();
            assert_eq!(answer["isError"], true, "{answer}");
        };
        // AADSTS65001, `consent_required`: nobody has agreed to what the tool needs (any more).
        let consented = |scopes: &[&str]| {
            rig.emulator.change_registrations(|all| {
                let valet = all.app_mut(ids::VALET).unwrap();
                valet.api_permissions[0].delegated = scopes.iter().map(|&scope| scope.to_owned()).collect();
            });
        };
        consented(&["Mail.Read"]);
        refused(&tokens).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        // AADSTS53003, `message_only`: a policy lets nobody in there.
        consented(&["Mail.Read", "User.Read"]);
        policy_for_graph(&rig.emulator, Control::Block);
        refused(&tokens).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);

        // AADSTS50173, `bad_token`: the refresh token itself is refused, whatever it is asked for.
        rig.emulator.change_registrations(|all| all.conditional_access.clear());
        let tokens = sign_in(&rig, &mut browser).await;
        rig.emulator.revoke(ids::ADELE_UPN, RevocationReason::PasswordChange).unwrap();
        let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
    });
}
