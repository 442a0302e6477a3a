//! Client assertions: what Microsoft's clients send is taken, and each thing wrong with one has its number.

use std::time::Duration;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use aws_lc_rs::{digest, encoding};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use entra_emulator::{
    Certificate, FederatedCredential, Registrations, SAMPLE_TOML, Signer, TokenVersion, ids,
};
use serde_json::{Value, json};

use crate::bench::{Bench, claims};

const EXCHANGE: &str = "api://AzureADTokenExchange";

/// A key with a self-signed certificate, as a client holds it.
struct Holder {
    pair: KeyPair,
    pem: String,
    der: Vec<u8>,
}

impl Holder {
    fn new(from: i32, until: i32) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let der = rustls::pki_types::PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec());
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        Self { pair, pem: certificate.pem(), der: certificate.der().to_vec() }
    }

    fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der))
    }

    fn sha1(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }

    /// A JWT signed as its header says; anything but PS256 is signed RS256.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        match header["alg"].as_str() {
            Some("PS256") => self.pair.sign(&RSA_PSS_SHA256, &random, message.as_bytes(), &mut signature),
            _ => self.pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature),
        }
        .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn jwks(&self) -> String {
        let key: PublicKeyComponents<Vec<u8>> = self.pair.public_key().into();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "keys": [{ "kty": "RSA", "kid": "k1", "n": part(&key.n), "e": part(&key.e) }] }).to_string()
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Client credentials of the daemon with this assertion.
async fn present(bench: &Bench, assertion: &str) -> (u16, Value) {
    let (client, scope) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", &client),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
        ("scope", &scope),
    ];
    bench.token(&grant).await
}

async fn refused(bench: &Bench, assertion: &str, number: u32) {
    let (status, body) = present(bench, assertion).await;
    assert_eq!(body["error_codes"], json!([number]), "{body}");
    let requests = [50027, 5_002_727, 5_002_738, 70021].contains(&number);
    let expected = if requests { (400, "invalid_request") } else { (401, "invalid_client") };
    assert_eq!((status, body["error"].as_str().unwrap()), expected, "{body}");
}

async fn taken(bench: &Bench, assertion: &str) {
    let (status, body) = present(bench, assertion).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["azpacr"], "2");
}

async fn with_certificate(holder: &Holder) -> Bench {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        let daemon = all.app_mut(ids::DAEMON).unwrap();
        daemon.certificates.push(Certificate { pem: holder.pem.clone() });
    });
    bench
}

/// The clean form that the documentation shows.
fn clean(bench: &Bench, holder: &Holder) -> (Value, Value) {
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": holder.sha256() });
    let claims = json!({
        "aud": bench.login("oauth2/v2.0/token"),
        "iss": ids::DAEMON,
        "sub": ids::DAEMON,
        "jti": "one",
        "nbf": now(),
        "iat": now(),
        "exp": now() + 600,
    });
    (header, claims)
}

fn changed(of: &Value, name: &str, value: Value) -> Value {
    let mut changed = of.clone();
    match value {
        Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
        value => changed[name] = value,
    }
    changed
}

#[tokio::test]
async fn a_certificate_in_every_form_that_clients_send() {
    let holder = Holder::new(2020, 2090);
    let bench = with_certificate(&holder).await;
    let (header, claims) = clean(&bench, &holder);
    taken(&bench, &holder.sign(&header, &claims)).await;
    // MSAL for Python: padding, a certificate in lines, fractions of seconds.
    let padded = URL_SAFE.encode(digest::digest(&digest::SHA256, &holder.der));
    assert!(padded.ends_with('='));
    let lines = STANDARD.encode(&holder.der).as_bytes().chunks(64).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let lines = String::from_utf8(lines.join(&b'\n')).unwrap();
    let python = changed(&changed(&header, "x5t#S256", padded.into()), "x5c", json!([lines]));
    let fractions = json!({ "exp": now() as f64 + 600.25, "iat": now() as f64 + 0.75 });
    let mut fractional = changed(&claims, "nbf", Value::Null);
    fractional.as_object_mut().unwrap().extend(fractions.as_object().unwrap().clone());
    taken(&bench, &holder.sign(&python, &fractional)).await;
    // azure-identity for Python: RS256 with the older thumbprint.
    let older = json!({ "alg": "RS256", "typ": "JWT", "x5t": holder.sha1() });
    taken(&bench, &holder.sign(&older, &claims)).await;
    let base = bench.emulator.authority_url();
    let other_name = base.replace("localhost", "127.0.0.1");
    for audience in [
        bench.login("oauth2/token"),
        bench.login("v2.0"),
        format!("{base}/{}/oauth2/v2.0/token", ids::DOMAIN),
    ] {
        let claims = changed(&claims, "aud", audience.into());
        taken(&bench, &holder.sign(&header, &claims)).await;
    }
    // Under another name only where the client calls it so.
    let there = changed(&claims, "aud", bench.login("oauth2/v2.0/token").replace(&base, &other_name).into());
    refused(&bench, &holder.sign(&header, &there), 700_023).await;
    let there = holder.sign(&header, &there);
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", ids::DAEMON.to_string()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
        ("client_assertion", there),
        ("scope", format!("{}/.default", ids::VALET_URI)),
    ];
    let url = bench.login("oauth2/v2.0/token").replace(&base, &other_name);
    assert_eq!(bench.http.post(url).form(&form).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_certificate_assertion_wrong_in_one_way() {
    let holder = Holder::new(2020, 2090);
    let bench = with_certificate(&holder).await;
    let (header, claims) = clean(&bench, &holder);
    let foreign = format!("{}/{}/oauth2/v2.0/token", bench.emulator.authority_url(), ids::FOREIGN_TENANT);
    for (number, name, value) in [
        (50048, "sub", json!(ids::VALET)),
        (700_021, "iss", json!(ids::VALET)),
        (700_023, "aud", json!("https://login.microsoftonline.com/common/oauth2/v2.0/token")),
        (700_023, "aud", json!(foreign)),
        (700_023, "aud", json!(bench.login("oauth2/v2.0/authorize"))),
        (50027, "aud", json!([bench.login("oauth2/v2.0/token")])),
        (50027, "aud", Value::Null),
        (700_024, "exp", json!(now() - 1)),
        (700_024, "nbf", json!(now() + 1000)),
        (50027, "exp", Value::Null),
        (50027, "exp", json!("soon")),
        (50027, "sub", Value::Null),
        (50027, "iss", Value::Null),
    ] {
        let mut claims = changed(&claims, name, value);
        if number == 700_021 {
            claims["sub"] = claims["iss"].clone();
        }
        refused(&bench, &holder.sign(&header, &claims), number).await;
    }
    for (number, name, value) in [
        (50027, "x5t#S256", Value::Null),
        (700_027, "x5t#S256", json!(holder.sha1())),
        (5_002_727, "typ", json!("at+jwt")),
        (5_002_738, "alg", json!("HS256")),
        (5_002_738, "alg", json!("none")),
        (5_002_738, "alg", Value::Null),
    ] {
        refused(&bench, &holder.sign(&changed(&header, name, value), &claims), number).await;
    }
    let stranger = Holder::new(2020, 2090);
    refused(&bench, &stranger.sign(&header, &claims), 700_027).await;
    let good = holder.sign(&header, &claims);
    let (message, signature) = good.rsplit_once('.').unwrap();
    refused(&bench, &format!("{message}."), 700_027).await;
    // The right signature under the other algorithm's name.
    let renamed = changed(&header, "alg", json!("RS256"));
    let renamed =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(renamed.to_string()), message.split_once('.').unwrap().1);
    refused(&bench, &format!("{renamed}.{signature}"), 700_027).await;
    for text in ["x", "a.b.c", "..", &format!("{good}.more")] {
        refused(&bench, text, 50027).await;
    }
    taken(&bench, &good).await;
    bench.emulator.advance_clock(Duration::from_secs(601));
    refused(&bench, &good, 700_024).await;
}

#[tokio::test]
async fn a_certificate_counts_only_within_its_time() {
    for (from, until) in [(2020, 2021), (2080, 2090)] {
        let holder = Holder::new(from, until);
        let bench = with_certificate(&holder).await;
        let (header, claims) = clean(&bench, &holder);
        refused(&bench, &holder.sign(&header, &claims), 700_027).await;
        let current = Holder::new(2020, 2090);
        bench.emulator.change_registrations(|all| {
            let daemon = all.app_mut(ids::DAEMON).unwrap();
            daemon.certificates.push(Certificate { pem: current.pem.clone() });
        });
        let (header, claims) = clean(&bench, &current);
        taken(&bench, &current.sign(&header, &claims)).await;
    }
}

#[tokio::test]
async fn how_an_assertion_is_presented() {
    let holder = Holder::new(2020, 2090);
    let bench = with_certificate(&holder).await;
    let (header, claims) = clean(&bench, &holder);
    let good = holder.sign(&header, &claims);
    let (client, scope) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let bare = [("grant_type", "client_credentials"), ("client_id", &client), ("scope", &scope)];
    let jwt = ("client_assertion", good.as_str());
    let kind = |text| ("client_assertion_type", text);
    let right = kind("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    for (number, more) in [
        (900_144, vec![jwt]),
        (900_144, vec![right]),
        (90023, vec![jwt, kind("urn:ietf:params:oauth:client-assertion-type:saml2-bearer")]),
        (9_002_313, vec![jwt, right, ("client_secret", ids::DAEMON_SECRET)]),
    ] {
        let (status, body) = bench.token(&[bare.as_slice(), &more].concat()).await;
        assert_eq!((status, &body["error_codes"]), (400, &json!([number])), "{body}");
    }
    // A public client must not prove itself at all.
    let code = bench.code("openid User.Read").await;
    let redeem = [crate::bench::redeem(&code).as_slice(), &[jwt, right]].concat();
    let (status, body) = bench.token(&redeem).await;
    assert_eq!((status, &body["error_codes"]), (401, &json!([700_025])), "{body}");
    assert_eq!(bench.redeem(&code).await.0, 200);
    assert_eq!(bench.token(&[bare.as_slice(), &[jwt, right]].concat()).await.0, 200);
}

#[tokio::test]
async fn tokens_of_another_issuer() {
    let holder = Holder::new(2020, 2090);
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::DAEMON).unwrap().federated_credentials.push(FederatedCredential {
            name: "cluster".into(),
            issuer: "https://cluster.example/".into(),
            subject: "system:serviceaccount:valet:valet".into(),
            audience: EXCHANGE.into(),
            jwks: Some(holder.jwks()),
        });
    });
    let header = json!({ "alg": "RS256", "kid": "k1" });
    let claims = json!({
        "iss": "https://cluster.example/",
        "sub": "system:serviceaccount:valet:valet",
        "aud": [EXCHANGE],
        "exp": now() + 3600,
    });
    let good = holder.sign(&header, &claims);
    taken(&bench, &good).await;
    taken(&bench, &holder.sign(&header, &changed(&claims, "aud", EXCHANGE.into()))).await;
    for (number, name, value) in [
        (700_211, "iss", json!("https://cluster.example")),
        (700_213, "sub", json!("system:serviceaccount:valet:other")),
        (7_002_138, "sub", json!("System:ServiceAccount:valet:valet")),
        (700_212, "aud", json!("api://other")),
        (50027, "aud", json!([EXCHANGE, "api://other"])),
        (700_024, "exp", json!(now() - 1)),
    ] {
        refused(&bench, &holder.sign(&header, &changed(&claims, name, value)), number).await;
    }
    for (number, name, value) in
        [(700_027, "kid", json!("k2")), (700_027, "kid", Value::Null), (5_002_738, "alg", json!("PS256"))]
    {
        refused(&bench, &holder.sign(&changed(&header, name, value), &claims), number).await;
    }
    refused(&bench, &Holder::new(2020, 2090).sign(&header, &claims), 700_027).await;
    taken(&bench, &good).await;
}

#[tokio::test]
async fn a_managed_identity_stands_in_for_a_secret() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let issuer = emulator.issuer(TokenVersion::V2, ids::TENANT);
    // Any app-only token of the emulator has the form that a managed identity's has.
    let mut claims = crate::bench::claims(&emulator.app_token(ids::VALET, ids::VALET, &[]).unwrap());
    claims["aud"] = EXCHANGE.into();
    emulator.change_registrations(|all| {
        all.app_mut(ids::DAEMON).unwrap().federated_credentials.push(FederatedCredential {
            name: "machine".into(),
            issuer,
            subject: claims["sub"].as_str().unwrap().into(),
            audience: EXCHANGE.into(),
            jwks: None,
        });
    });
    let header = |signer| emulator.header(TokenVersion::V2, signer);
    taken(&bench, &emulator.forge(header(Signer::Live), claims.clone(), Signer::Live)).await;
    for signer in [Signer::Removed, Signer::Stranger] {
        refused(&bench, &emulator.forge(header(signer), claims.clone(), signer), 700_027).await;
    }
    let for_graph = json!({ "alg": "RS256", "typ": "JWT", "nonce": "n", "kid": emulator.signing_kid() });
    refused(&bench, &emulator.forge_for_graph(&for_graph, &claims, Signer::Live), 700_027).await;
    claims["scp"] = "mcp.access".into();
    refused(&bench, &emulator.forge(header(Signer::Live), claims, Signer::Live), 700_229).await;
}

#[test]
fn what_a_file_may_hold() {
    let holder = Holder::new(2020, 2090);
    let daemon = "secrets = [\"daemon-sample-secret\"]";
    let with = |lines: &str| Registrations::from_toml(&SAMPLE_TOML.replacen(daemon, lines, 1));
    let certificate = format!("certificates = [{{ pem = '''{}''' }}]", holder.pem);
    assert!(with(&certificate).is_ok());
    let credential = |n: usize| format!("{{ name = 'n', issuer = 'https://i.example', subject = 's{n}' }}");
    let credentials = |n: usize| {
        let all: Vec<_> = (0..n).map(credential).collect();
        format!("federated_credentials = [{}]", all.join(", "))
    };
    assert!(with(&credentials(20)).is_ok());
    let twice = format!("federated_credentials = [{}, {}]", credential(1), credential(1));
    for (lines, key) in [
        ("certificates = [{ pem = 'nothing' }]".to_owned(), "apps[3].certificates[0].pem"),
        (certificate.replace("CERTIFICATE", "PRIVATE KEY"), "apps[3].certificates[0].pem"),
        (credentials(21), "apps[3].federated_credentials"),
        (twice, "apps[3].federated_credentials[1].subject"),
        (credentials(1).replace(" }", ", jwks = '{}' }"), "apps[3].federated_credentials[0].jwks"),
        (credentials(1).replace(" }", ", jwks = '{\"keys\":[]}' }"), "apps[3].federated_credentials[0].jwks"),
    ] {
        let error = with(&lines).unwrap_err().to_string();
        assert!(error.contains(&format!("{key}: ")), "{error}");
    }
    for (lines, key) in [
        ("[limits]\napp_requests_in_a_minute = 0", "limits.app_requests_in_a_minute"),
        ("[[conditional_access]]\nname = 'n'\ntenant = 'T'", "conditional_access[0].control"),
        (
            "[[conditional_access]]\nname = 'n'\ntenant = 'T'\ncontrol = 'mfa'\nusers = ['T']",
            "conditional_access[0].users",
        ),
        (
            "[[conditional_access]]\nname = 'n'\ntenant = 'T'\ncontrol = 'mfa'\nclients = ['T']",
            "conditional_access[0].clients",
        ),
        (
            "[[conditional_access]]\nname = 'n'\ntenant = 'T'\ncontrol = 'mfa'\ncontext = 'c1'\nresources = ['V']",
            "conditional_access[0].context",
        ),
    ] {
        let lines =
            lines.replace("'T'", &format!("'{}'", ids::TENANT)).replace("'V'", &format!("'{}'", ids::VALET));
        let error = Registrations::from_toml(&format!("{SAMPLE_TOML}\n{lines}\n")).unwrap_err().to_string();
        assert!(error.contains(&format!("{key}: ")), "{error}");
    }
}
