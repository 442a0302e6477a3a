//! Conditional Access: what a policy wants of a user is asked for at the next sign-in, and then it works. For clients that can send their user to a page there is `step_up`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entra_emulator::{Control, Emulator, Operation, RevocationReason, ids};
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::config::{Config, list};
use valet_suite::oauth::{self, Tokens, refresh, sign_in};
use valet_suite::rig::{emulator, policy_for_graph};
use valet_suite::{Ask, Rig, log, run};

use crate::step_up::{TOOL, ask, audited, challenged};
use crate::{facade, own_rig};

/// Signing in asks for another permission than the tool needs, so that the tool's token is asked for later.
pub(crate) async fn rig_with_a_tool_of_its_own_scopes() -> Rig {
    Rig::start_with(emulator_with_a_tool_of_its_own_scopes().await, sign_in_scopes).await
}

pub(crate) async fn emulator_with_a_tool_of_its_own_scopes() -> Arc<Emulator> {
    let emulator = emulator().await;
    emulator.change_registrations(|all| {
        let valet = all.app_mut(ids::VALET).unwrap();
        valet.api_permissions[0].delegated.push("Mail.Read".to_owned());
    });
    emulator
}

pub(crate) fn sign_in_scopes(config: Config) -> Config {
    config.with_sessions().set("oauth.sign_in_scopes", list(&["https://graph.microsoft.com/Mail.Read"]))
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

/// RFC 6750 section 3: what cannot be asked for in any other way is a 401.
#[test]
fn who_cannot_be_sent_to_a_page_signs_in_again() {
    run(async {
        let rig = rig_with_a_tool_of_its_own_scopes().await;
        let (mut browser, tokens, _) = challenged(&rig).await;
        let legacy = |version: &str| {
            Ask::legacy(version, "tools/call", json!({ "name": TOOL, "arguments": {} }))
                .bearer(&tokens.access)
        };
        let forms = json!({ "elicitation": { "form": {} } });
        let forms = ask(&tokens).meta("io.modelcontextprotocol/clientCapabilities", forms);
        let none = Ask::tool(TOOL).bearer(&tokens.access);
        for ask in [none, forms, legacy("2025-11-25"), legacy("2025-06-18")] {
            let mark = rig.log().mark();
            let answer = rig.send(ask).await;
            let challenge = answer.field("www-authenticate");
            assert!(answer.status == 401 && challenge.contains("insufficient_claims"), "{answer:?}");
            assert_eq!(audited(&rig, mark).await, "failed interaction_required");
        }
        browser.has_second_factor = true;
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.send(ask(&tokens)).await.result()["resultType"], "complete");
    });
}

/// There the client holds Entra's tokens, and no page of ours could change them.
#[test]
fn with_tokens_of_entra_it_is_the_client_that_has_to_come_again() {
    run(async {
        let rig = facade::rig().await;
        let (access, _) = facade::sign_in(&rig).await;
        let tokens = Tokens { access, refresh: String::new() };
        policy_for_graph(&rig.emulator, Control::Mfa);
        let mark = rig.log().mark();
        let answer = rig.send(ask(&tokens)).await;
        let challenge = answer.field("www-authenticate");
        assert!(answer.status == 401 && challenge.contains("insufficient_claims"), "{answer:?}");
        assert_eq!(audited(&rig, mark).await, "failed interaction_required");
        // Nor is there such a page.
        assert_eq!(rig.send(Ask::get("/oauth/step-up?link=x")).await.status, 404);
        rig.emulator.change_registrations(|all| all.conditional_access.clear());
        assert_eq!(rig.send(ask(&tokens)).await.status, 200);
    });
}

/// Who the tool says the caller is.
async fn mail(rig: &Rig, token: &str) -> Value {
    rig.call(TOOL, token).await.result()["structuredContent"]["mail"].clone()
}

/// The claims of the 401 that the tool is answered with.
async fn claims_wanted(rig: &Rig, token: &str) -> String {
    let answer = rig.call(TOOL, token).await;
    let challenge = answer.field("www-authenticate");
    assert!(answer.status == 401 && challenge.contains("error=\"insufficient_claims\""), "{answer:?}");
    let (_, rest) = challenge.split_once(" claims=\"").unwrap_or_else(|| panic!("{challenge}"));
    let claims = rest.split('"').next().unwrap();
    String::from_utf8(STANDARD.decode(claims).unwrap()).unwrap()
}

const ADELES: &str = "adele.vance@contoso.example";

/// Continuous access evaluation: Graph does not take a token any more that is good for hours, and says what it wants.
#[test]
fn a_challenge_of_graph_is_met_by_a_refresh_with_its_claims_or_by_the_person() {
    run(async {
        let rig = own_rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        let asked = || rig.emulator.faults().count(Operation::Refresh);
        assert_eq!(mail(&rig, &tokens.access).await, ADELES);
        assert_eq!(asked(), 0);

        rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
        assert_eq!(mail(&rig, &tokens.access).await, ADELES, "the call that was challenged succeeds itself");
        assert_eq!(mail(&rig, &tokens.access).await, ADELES);
        assert_eq!(asked(), 1, "what it brought is kept");

        // Now a policy wants the person before there is a newer token.
        policy_for_graph(&rig.emulator, Control::Mfa);
        assert_eq!(
            mail(&rig, &tokens.access).await,
            ADELES,
            "the token that is there is good until it is challenged"
        );
        rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
        claims_wanted(&rig, &tokens.access).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        assert_eq!(oauth::error(&refresh(&rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
        browser.has_second_factor = true;
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(mail(&rig, &tokens.access).await, ADELES);
    });
}

/// The same where the client holds Entra's tokens: ours for Graph is got on behalf of the user.
#[test]
fn a_challenge_of_graph_is_met_on_behalf_of_the_user_or_by_the_client() {
    run(async {
        let rig = facade::rig().await;
        let (access, _) = facade::sign_in(&rig).await;
        let asked = || rig.emulator.faults().count(Operation::Token);
        assert_eq!(mail(&rig, &access).await, ADELES);
        let before = asked();
        assert_eq!(mail(&rig, &access).await, ADELES);
        assert_eq!(asked(), before, "the token for Graph is kept");
        rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
        assert_eq!(mail(&rig, &access).await, ADELES, "the call that was challenged succeeds itself");
        assert_eq!(asked(), before + 1);

        policy_for_graph(&rig.emulator, Control::Mfa);
        rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
        let claims = claims_wanted(&rig, &access).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        browser.has_second_factor = true;
        let (access, _) = facade::sign_in_at(&rig, &mut browser, Some(&claims)).await;
        assert_eq!(mail(&rig, &access).await, ADELES);
    });
}
