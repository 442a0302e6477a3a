//! The operator's keys for access tokens: the newest signs, the others are still good, and what is taken out is refused.

use entra_emulator::ids;
use serde_json::Value;
use valet_suite::browser::Browser;
use valet_suite::oauth::{self, Tokens, refresh, sign_in};
use valet_suite::rig::shared_emulator;
use valet_suite::{Ask, Rig, certificates, log, run};

const FILE: &str = "signing-keys.pem";

async fn restart(rig: &mut Rig, keys: &[&str]) {
    assert!(rig.process.stop().is_some());
    rig.folder.write(FILE, keys.concat());
    rig.restart().await;
}

async fn published(rig: &Rig) -> Vec<String> {
    let set = rig.send(Ask::get("/oauth/jwks.json")).await.json();
    let ids = set["keys"].as_array().unwrap().iter();
    ids.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn keys_are_changed_one_behind_the_other() {
    run(async {
        let (old, new) = (certificates::rsa_key(), certificates::rsa_key());
        let mut rig = Rig::start_with(shared_emulator().await, |config| {
            config.with_sessions().on_disk().set("oauth.signing_key_file", FILE).with_file(FILE, old.clone())
        })
        .await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let first = sign_in(&rig, &mut browser).await;
        let [old_id] = &published(&rig).await[..] else { panic!() };

        restart(&mut rig, &[&new, &old]).await;
        let [new_id, second_id] = &published(&rig).await[..] else { panic!() };
        assert!(second_id == old_id && new_id != old_id);
        assert_eq!(rig.call("whoami", &first.access).await.status, 200, "what the old one signed is good");
        let second = Tokens::read(&rig, &refresh(&rig, &first.refresh).await);
        assert_eq!(oauth::key_id(&second.access), *new_id, "the newest signs");
        assert_eq!(oauth::key_id(&first.access), *old_id);
        assert_eq!(rig.call("whoami", &second.access).await.status, 200);

        restart(&mut rig, &[&new]).await;
        assert_eq!(published(&rig).await, [new_id.clone()]);
        let mark = rig.log().mark();
        assert_eq!(rig.call("whoami", &first.access).await.status, 401);
        let refused = rig.log().wait(mark, "a refusal", log::is_audit).await;
        assert_eq!(
            (&refused["decision"], &refused["reason"]),
            (&"denied".into(), &Value::from("unknown_key"))
        );
        assert_eq!(rig.call("whoami", &second.access).await.status, 200);
        // A session does not end with a key.
        let third = Tokens::read(&rig, &refresh(&rig, &second.refresh).await);
        assert_eq!(rig.call("whoami", &third.access).await.status, 200);
    });
}
