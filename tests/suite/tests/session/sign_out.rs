//! The ends of a session: revoked by the client, or by its user, everywhere.

use entra_emulator::{RevocationReason, ids};
use valet_suite::browser::Browser;
use valet_suite::config::{CLIENT, list};
use valet_suite::oauth::{self, Authorize, Tokens, post, refresh, sign_in};
use valet_suite::{Rig, log, run};

use crate::step_up::audited;
use crate::{own_rig, rig};

pub(crate) async fn dead(rig: &Rig, tokens: &Tokens) {
    let mark = rig.log().mark();
    assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
    let refused = rig.log().wait(mark, "a refusal", log::is_refusal).await;
    let session = oauth::session_id(&tokens.access);
    assert_eq!(log::audit_line(&refused), format!("denied session_ended: session {session} has ended"));
    assert_eq!(oauth::error(&refresh(rig, &tokens.refresh).await), (400, "invalid_grant".to_owned()));
}

async fn revoke(rig: &Rig, token: &str, client: &str) -> valet_suite::Answer {
    post(rig, "/oauth/revoke", &[("token", token.to_owned()), ("client_id", client.to_owned())]).await
}

#[test]
fn a_client_gives_its_token_back() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let (first, second) = (sign_in(&rig, &mut browser).await, sign_in(&rig, &mut browser).await);
        // What is not ours is as good as revoked (RFC 7009 section 2.2); another client's is not touched.
        assert_eq!(revoke(&rig, "never-given", CLIENT).await.status, 200);
        assert_eq!(revoke(&rig, &first.refresh, "another").await.status, 401);
        assert_eq!(rig.call("whoami", &first.access).await.status, 200);

        assert_eq!(revoke(&rig, &first.refresh, CLIENT).await.status, 200);
        dead(&rig, &first).await;
        assert_eq!(revoke(&rig, &first.refresh, CLIENT).await.status, 200, "a second time");
        assert_eq!(rig.call("whoami", &second.access).await.status, 200, "the other session lives");
        Tokens::read(&rig, &refresh(&rig, &second.refresh).await);
        // The authorization grant goes with its token (RFC 7009 section 1).
        assert!(browser.go(&Authorize::default().url()).await.asks(), "the client has to ask again");
        sign_in(&rig, &mut browser).await;
        assert_eq!(revoke(&rig, &first.refresh, CLIENT).await.status, 200, "a third time");
        assert!(!browser.go(&Authorize::default().url()).await.asks(), "a new permission is another");
    });
}

/// The client may have noticed that the session is over, and its permission is still there to be given back.
#[test]
fn a_client_gives_a_token_back_whose_session_has_ended() {
    run(async {
        let rig = own_rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        rig.emulator.revoke(ids::ADELE_UPN, RevocationReason::PasswordChange).unwrap();
        let mark = rig.log().mark();
        assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 401);
        assert_eq!(audited(&rig, mark).await, "failed assertion_refused");
        dead(&rig, &tokens).await;
        assert!(!browser.go(&Authorize::default().url()).await.asks(), "that takes no permission back");
        assert_eq!(revoke(&rig, &tokens.refresh, CLIENT).await.status, 200);
        assert!(browser.go(&Authorize::default().url()).await.asks(), "this does");
        sign_in(&rig, &mut browser).await;
    });
}

/// Nobody keeps a list of access tokens, so one ends with its session (RFC 7009 section 2.1).
#[test]
fn a_client_gives_an_access_token_back() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let (first, second) = (sign_in(&rig, &mut browser).await, sign_in(&rig, &mut browser).await);
        let revoke = async |token: &str, hint: &str| {
            let form = [
                ("token", token.to_owned()),
                ("client_id", CLIENT.to_owned()),
                ("token_type_hint", hint.to_owned()),
            ];
            post(&rig, "/oauth/revoke", &form).await.status
        };
        // One that says it is of the other session, with the signature of the first: it ends neither.
        let (head, signature) = first.access.rsplit_once('.').unwrap();
        let (said, _) = second.access.rsplit_once('.').unwrap();
        for forged in
            [format!("{said}.{signature}"), format!("{head}."), format!("{head}.{}", "A".repeat(342))]
        {
            assert_eq!(revoke(&forged, "access_token").await, 200);
        }
        // Entra's is not ours.
        assert_eq!(revoke(&rig.good(), "access_token").await, 200);
        for tokens in [&first, &second] {
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        }

        // The hint is no more than that (section 2.1).
        assert_eq!(revoke(&first.access, "refresh_token").await, 200);
        dead(&rig, &first).await;
        assert_eq!(revoke(&first.access, "access_token").await, 200, "a second time");
        assert_eq!(rig.call("whoami", &second.access).await.status, 200, "the other session lives");
        assert_eq!(revoke(&second.access, "access_token").await, 200);
        dead(&rig, &second).await;
        sign_in(&rig, &mut browser).await;
        assert_eq!(revoke(&second.access, "access_token").await, 200, "a second time");
        assert!(!browser.go(&Authorize::default().url()).await.asks(), "a new permission is another");
    });
}

#[test]
fn an_access_token_is_given_back_by_its_client() {
    run(async {
        let rig = Rig::start_with(valet_suite::rig::shared_emulator().await, |config| {
            let mut client = toml::Table::new();
            client.insert("client_id".to_owned(), "another".into());
            client.insert("redirect_uris".to_owned(), list(&["https://another.example/callback"]));
            config.with_sessions().and_client(client)
        })
        .await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let refused = revoke(&rig, &tokens.access, "another").await;
        assert_eq!(oauth::error(&refused), (400, "invalid_grant".to_owned()));
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        assert_eq!(revoke(&rig, &tokens.access, CLIENT).await.status, 200);
        dead(&rig, &tokens).await;
    });
}

/// The way in which a person takes one application's permission back.
#[test]
fn a_person_ends_one_application() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        assert!(!browser.go(&Authorize::default().url()).await.asks(), "it is permitted");
        let url = "https://valet.example/oauth/sign-out";
        let page = browser.go(url).await;
        // Configured as `CLIENT`, and called so by the operator.
        let shown = format!("<dd>The suite</dd>\n<dt>Who it is</dt><dd><code>{CLIENT}</code>");
        assert!(page.text.contains(&shown), "{}", page.text);
        let csrf = page.hidden("csrf").unwrap();
        // Another application's end is not this one's.
        browser.post(url, &[("csrf", &csrf), ("client", "another")]).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        browser.post(url, &[("csrf", &csrf), ("client", CLIENT)]).await;
        dead(&rig, &tokens).await;
        assert!(browser.go(&Authorize::default().url()).await.asks(), "the permission is taken back");
        let page = browser.go(url).await;
        assert!(page.text.contains("Adele Vance") && !page.text.contains(CLIENT), "{}", page.text);
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn a_person_signs_out_everywhere() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let mut phone = Browser::new(&rig, ids::ADELE_UPN);
        let mut other = Browser::new(&rig, ids::ALEX_UPN);
        let (first, second) = (sign_in(&rig, &mut browser).await, sign_in(&rig, &mut phone).await);
        let alex = sign_in(&rig, &mut other).await;

        let url = "https://valet.example/oauth/sign-out";
        let page = browser.go(url).await;
        assert!(page.text.contains("Adele Vance") && page.text.contains(CLIENT), "{}", page.text);
        let csrf = page.hidden("csrf").unwrap();
        let forged = browser.post(url, &[("csrf", "guess")]).await;
        assert_eq!(forged.status, 403);
        assert_eq!(other.post(url, &[("csrf", &csrf)]).await.status, 403, "with another person's page");
        assert_eq!(rig.call("whoami", &first.access).await.status, 200);

        let done = browser.post(url, &[("csrf", &csrf)]).await;
        assert!(done.status == 200 && done.text.contains("Signed out"), "{}", done.text);
        dead(&rig, &first).await;
        dead(&rig, &second).await;
        assert_eq!(rig.call("whoami", &alex.access).await.status, 200, "nobody else is signed out");
        assert!(browser.go(&Authorize::default().url()).await.asks(), "the permission is forgotten too");
        sign_in(&rig, &mut browser).await;
    });
}
