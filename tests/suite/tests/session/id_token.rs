//! Entra's ID token as its token endpoint gives it: an authority in front of the emulator changes one claim on the way.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::{Emulator, ids};
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::oauth::{Authorize, sign_in};
use valet_suite::rig::shared_emulator;
use valet_suite::stand_in::{Answering, Asked, StandIn, http};
use valet_suite::{Rig, log, run};

/// What becomes of the claims, which are otherwise true.
type Lie = fn(&mut Value);

/// An authority of its own name: what the emulator publishes and answers, with its own address in it.
#[derive(Clone)]
struct Authority {
    emulator: Arc<Emulator>,
    http: reqwest::Client,
    lie: Arc<Mutex<Lie>>,
}

impl Authority {
    async fn answer(self, asked: Asked) -> Vec<u8> {
        let own = asked.head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let (own, theirs) = (format!("https://{own}"), self.emulator.authority_url());
        let mut words = asked.head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let url = format!("{theirs}{path}");
        if path.contains("/authorize") {
            return http("302 Found", &[("location", &url)], "").into();
        }
        let request = match method {
            "POST" => self.http.post(url).header("content-type", "application/x-www-form-urlencoded"),
            _ => self.http.get(url),
        };
        let response = request.body(asked.body).send().await.unwrap();
        let status = response.status();
        let mut body: Value =
            serde_json::from_str(&response.text().await.unwrap().replace(&theirs, &own)).unwrap();
        if let Some(token) = body["id_token"].as_str() {
            body["id_token"] = self.changed(token, &theirs, &own).into();
        }
        let status = status.to_string();
        http(&status, &[("content-type", "application/json")], &body.to_string()).into()
    }

    fn changed(&self, token: &str, theirs: &str, own: &str) -> String {
        let parts: Vec<&str> = token.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let mut claims: Value = serde_json::from_str(&claims.replace(theirs, own)).unwrap();
        (self.lie.lock().unwrap())(&mut claims);
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2])
    }
}

#[test]
fn an_id_token_of_another_sign_in_application_or_tenant_is_refused() {
    run(async {
        let emulator = shared_emulator().await;
        let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
        let lie: Arc<Mutex<Lie>> = Arc::new(Mutex::new(|_| ()));
        let authority = Authority { emulator: Arc::clone(&emulator), http, lie: Arc::clone(&lie) };
        let front =
            StandIn::answering(move |asked| -> Answering { Box::pin(authority.clone().answer(asked)) }).await;
        let url = front.url();
        let rig =
            Rig::start_with(emulator, |config| config.with_sessions().set("entra.authority", url.as_str()))
                .await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        sign_in(&rig, &mut browser).await;
        let (tenant, other) = (ids::TENANT, "7e57d000-0000-4000-8000-00000000ffff");
        let nonce = || "nonce is not that of this sign-in".to_owned();
        let lies: [(&str, Lie, String); 9] = [
            ("nonce", |claims| claims["nonce"] = "of-another-sign-in".into(), nonce()),
            ("no nonce", |claims| drop(claims.as_object_mut().unwrap().remove("nonce")), nonce()),
            (
                "audience",
                |claims| claims["aud"] = ids::DEMO_CLIENT.to_string().into(),
                format!("aud or azp `{}` is not `{}`", ids::DEMO_CLIENT, ids::VALET),
            ),
            (
                // Entra writes one string, and a list that names us is not it.
                "audiences",
                |claims| claims["aud"] = json!([claims["aud"], "another"]),
                "its payload is not a JSON object of claims".to_owned(),
            ),
            (
                "tenant",
                |claims| claims["tid"] = "7e57d000-0000-4000-8000-00000000ffff".into(),
                format!("iss `{url}/{tenant}/v2.0` is not `{url}/{other}/v2.0`"),
            ),
            (
                "tenant and its issuer",
                |claims| {
                    let (issuer, tenant) =
                        (claims["iss"].as_str().unwrap().to_owned(), ids::TENANT.to_string());
                    let other = "7e57d000-0000-4000-8000-00000000ffff";
                    claims["iss"] = issuer.replace(&tenant, other).into();
                    claims["tid"] = other.into();
                },
                format!("tid `{other}` is not among the tenants [\"{tenant}\"]"),
            ),
            (
                "issuer",
                |claims| claims["iss"] = "https://evil.example/v2.0".into(),
                format!("iss `https://evil.example/v2.0` is not `{url}/{tenant}/v2.0`"),
            ),
            (
                "over",
                |claims| claims["exp"] = json!(1_000_000_000),
                "exp 1000000000 is not after ".to_owned(),
            ),
            (
                "nobody",
                |claims| drop(claims.as_object_mut().unwrap().remove("oid")),
                "`oid` is missing".to_owned(),
            ),
        ];
        for (name, told, why) in lies {
            *lie.lock().unwrap() = told;
            let mark = rig.log().mark();
            let page = browser.go(&Authorize::default().url()).await;
            assert_eq!(page.parameter("code"), None, "{name}: {page:?}");
            assert_eq!(page.parameter("error").as_deref(), Some("access_denied"), "{name}: {page:?}");
            let event = rig.log().wait(mark, "audit event", log::is_refusal).await;
            let found = log::audit_line(&event);
            let expected = format!("denied sign_in_refused: the ID token is refused: {why}");
            assert!(found.starts_with(&expected), "{name}: {found}");
            *lie.lock().unwrap() = |_| ();
            sign_in(&rig, &mut browser).await;
        }
    });
}
