//! Conditional Access: what a policy wants of a user is asked for at the next sign-in, and then it works.

use std::sync::Arc;

use entra_emulator::{ConditionalAccess, Control, GRAPH_APP_ID, ids};
use serde_json::Value;
use valet_suite::browser::Browser;
use valet_suite::config::list;
use valet_suite::oauth::{self, refresh, sign_in};
use valet_suite::rig::emulator;
use valet_suite::{Rig, log, run};

#[test]
fn what_a_policy_wants_is_met_by_signing_in_again() {
    run(async {
        let emulator = emulator().await;
        emulator.change_registrations(|all| {
            let valet = all.app_mut(ids::VALET).unwrap();
            valet.api_permissions[0].delegated.push("Mail.Read".to_owned());
        });
        // Signing in asks for another permission than the tool needs, so that the tool's token is asked for later.
        let scopes = list(&["https://graph.microsoft.com/Mail.Read"]);
        let rig = Rig::start_with(Arc::clone(&emulator), |config| {
            config.with_sessions().set("oauth.sign_in_scopes", scopes)
        })
        .await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;

        emulator.change_registrations(|all| {
            all.conditional_access.push(ConditionalAccess {
                name: "A second factor for Graph".to_owned(),
                tenant: ids::TENANT,
                users: Vec::new(),
                resources: vec![GRAPH_APP_ID],
                clients: Vec::new(),
                context: None,
                control: Control::Mfa,
                sign_in_frequency_minutes: None,
            });
        });
        let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
        let challenge = answer.field("www-authenticate");
        assert!(answer.status == 401 && challenge.contains("insufficient_claims"), "{answer:?}");
        // The session is over, so that the client signs in anew rather than refreshing what would not do.
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));

        browser.has_second_factor = true;
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        let signed_in = |event: &Value| log::is_audit(event) && event["reason"] == "signed_in";
        rig.log().wait(0, "a sign-in", signed_in).await;
    });
}
