//! The ends of a session: revoked by the client, or by its user, everywhere.

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::config::CLIENT;
use valet_suite::oauth::{self, Authorize, Tokens, post, refresh, sign_in};
use valet_suite::{Rig, run};

use crate::rig;

async fn dead(rig: &Rig, tokens: &Tokens) {
    assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
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
