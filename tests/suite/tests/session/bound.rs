//! What one client was given, presented by another that is known here too (O-18, O-29, O-30): the client is told what it would be told of a code or a token that
//! never was, the log has the reason, and whoever it was given to keeps it. And a session is its user's, whoever signed the token that names it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::ids;
use rcgen::SigningKey as _;
use serde_json::Value;
use valet_suite::browser::Browser;
use valet_suite::config::{CLIENT, REDIRECT_URI, list};
use valet_suite::oauth::{self, Tokens, code_form, refresh, refresh_form, sign_in, token};
use valet_suite::rig::shared_emulator;
use valet_suite::{Answer, Rig, log, run};

/// A second client without a secret.
const OTHER: &str = "other-client";
/// A third, with one: it proves who it is, which makes it no more the one that was given something.
const CONFIDENTIAL: &str = "confidential-client";
const SECRET: &str = "a secret of the suite";
/// SHA-256 of it.
const SECRET_DIGEST: &str = "c1002ced66baac75973e335b351be50670f34f35e1ef6761bbe0a93eacc6d6be";

async fn rig() -> Rig {
    let rig = Rig::start_with(shared_emulator().await, |config| {
        let mut client = toml::Table::new();
        client.insert("client_id".to_owned(), CONFIDENTIAL.into());
        client.insert("redirect_uris".to_owned(), list(&["https://confidential.client.example/callback"]));
        client.insert("client_secret_sha256".to_owned(), SECRET_DIGEST.into());
        let other = (OTHER, "Another", "https://other.client.example/callback");
        config.with_clients(&[(CLIENT, "The suite", REDIRECT_URI), other]).and_client(client)
    })
    .await;
    rig.keep_secret(SECRET);
    rig
}

/// The same form from another client, which is perfect but for that.
fn from(client: &str, form: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let mut form = form.to_vec();
    form.iter_mut().find(|(name, _)| *name == "client_id").unwrap().1 = client.to_owned();
    if client == CONFIDENTIAL {
        form.push(("client_secret", SECRET.to_owned()));
    }
    form
}

/// What the token endpoint answers, and the audit event that goes with it.
async fn refused(rig: &Rig, form: &[(&'static str, String)]) -> (Answer, Value) {
    let mark = rig.log().mark();
    let answer = token(rig, form).await;
    (answer, rig.log().wait(mark, "audit event", log::is_refusal).await)
}

#[test]
fn a_code_is_worth_nothing_to_another_client() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let code = oauth::code(&rig, &mut browser).await;
        let (unknown, _) = refused(&rig, &from(OTHER, &code_form("never-given"))).await;
        for client in [OTHER, CONFIDENTIAL] {
            let (answer, event) = refused(&rig, &from(client, &code_form(&code))).await;
            assert_eq!(oauth::error(&answer), (400, "invalid_grant".to_owned()));
            assert_eq!(answer.body, unknown.body, "{client}: it does not learn that there is such a code");
            let reason = format!("denied invalid_grant: the code was not given to the client `{client}`");
            assert_eq!((log::audit_line(&event), &event["client"]), (reason, &Value::from(client)));
        }
        // RFC 6749 section 4.1.3 has the code checked against the client that authenticated itself, and section 4.1.2 ends a grant when its code is *used*
        // more than once. It was not: its client still gets its tokens.
        let tokens = Tokens::read(&rig, &token(&rig, &code_form(&code)).await);
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);

        // Now it was, and two know it, whichever of them comes second.
        let (answer, event) = refused(&rig, &from(OTHER, &code_form(&code))).await;
        assert_eq!((answer.status, &answer.body), (400, &unknown.body));
        let reason = "denied invalid_grant: the code was used before, its session has been ended";
        assert_eq!(log::audit_line(&event), reason);
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 401);
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
    });
}

#[test]
fn a_refresh_token_is_worth_nothing_to_another_client() {
    run(async {
        let rig = rig().await;
        let first = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let (unknown, _) = refused(&rig, &from(OTHER, &refresh_form("never-given"))).await;
        let of_another = async |presented: &str| {
            for client in [OTHER, CONFIDENTIAL] {
                let (answer, event) = refused(&rig, &from(client, &refresh_form(presented))).await;
                assert_eq!(oauth::error(&answer), (400, "invalid_grant".to_owned()));
                assert_eq!(
                    answer.body, unknown.body,
                    "{client}: it does not learn that there is such a token"
                );
                let reason =
                    format!("denied invalid_grant: the refresh token was not given to the client `{client}`");
                assert_eq!((log::audit_line(&event), &event["client"]), (reason, &Value::from(client)));
            }
        };
        // RFC 6749 sections 6 and 10.4 have the binding kept, and OAuth 2.1 section 4.3.1 has the family end when a token is used that is no longer in
        // force. Nothing was used here: the same token is good for its client, and so is what it got before.
        of_another(&first.refresh).await;
        assert_eq!(rig.call("whoami", &first.access).await.status, 200);
        let second = Tokens::read(&rig, &refresh(&rig, &first.refresh).await);
        let third = Tokens::read(&rig, &refresh(&rig, &second.refresh).await);
        // Nor does one that is out of force end anything in the hands of a client that could never have used it.
        of_another(&first.refresh).await;
        // And it takes nothing back (RFC 7009 section 2.1).
        let form = [("token", third.refresh.clone()), ("client_id", OTHER.to_owned())];
        let answer = oauth::post(&rig, "/oauth/revoke", &form).await;
        assert_eq!(oauth::error(&answer), (400, "invalid_grant".to_owned()));
        assert_eq!(rig.call("whoami", &third.access).await.status, 200);
        let last = Tokens::read(&rig, &refresh(&rig, &third.refresh).await);
        assert_eq!(rig.call("whoami", &last.access).await.status, 200);
    });
}

/// `token` with `sid` in place of its session, signed anew by `key`.
fn naming(rig: &Rig, token: &str, sid: &str, key: &rcgen::KeyPair) -> String {
    let [header, claims, _] = token.split('.').collect::<Vec<_>>()[..] else { panic!("no token") };
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["sid"] = sid.into();
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).unwrap());
    rig.keep(format!("{signed}.{signature}"))
}

/// Held even against who has the signing key, or a fault of ours that mixes two people up.
#[test]
fn a_token_of_one_person_with_the_session_of_another_is_refused() {
    const FILE: &str = "signing-keys.pem";
    run(async {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let rig = Rig::start_with(shared_emulator().await, |config| {
            let pem = key.serialize_pem();
            config.with_sessions().set("oauth.signing_key_file", FILE).with_file(FILE, pem)
        })
        .await;
        let adele = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let alex = sign_in(&rig, &mut Browser::new(&rig, ids::ALEX_UPN)).await;
        let (hers, his) = (oauth::session_id(&adele.access), oauth::session_id(&alex.access));
        // Nothing but the session is wrong with it.
        let good = naming(&rig, &adele.access, &hers, &key);
        assert_eq!(rig.call("whoami", &good).await.status, 200);

        let mixed = naming(&rig, &adele.access, &his, &key);
        let mark = rig.log().mark();
        let refused = rig.call("whoami", &mixed).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        assert!(refused.field("www-authenticate").contains(r#"error="invalid_token""#), "{refused:?}");
        let found = log::audit_line(&rig.log().wait(mark, "a refusal", log::is_refusal).await);
        let user = ids::ADELE;
        assert_eq!(found, format!("denied session_ended: session {his} is not one of user {user}"));
        // Nor does it end the session that it names: it is as good as no token of ours (RFC 7009 section 2.2).
        let form = [("token", mixed), ("client_id", CLIENT.to_owned())];
        assert_eq!(oauth::post(&rig, "/oauth/revoke", &form).await.status, 200);
        for tokens in [&adele, &alex] {
            assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        }
    });
}
