//! The tokens: each claim and each header parameter with each kind of value, other spellings, other signatures, and injuries.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::KeyPair as _;
use serde_json::{Value, json};
use valet_minting::dice::Dice;
use valet_minting::{
    AUDIENCE, AUTHORITY, CLIENT, FOREIGN_TENANT, KEY_ID, KeyPair, TENANT, V1_AUTHORITY, app_claims,
    base64url, claims, header, jwk, mint, mint_text, v1_claims, with, with_text,
};

/// Our key under a name whose `issuer` is another tenant's.
pub(crate) const FOREIGN_ISSUER_KEY_ID: &str = "foreign-issuer-key";

/// Our key under a name that has no `issuer`.
pub(crate) const ISSUERLESS_KEY_ID: &str = "issuerless-key";

/// Injured payloads, injured headers, and injured tokens.
const INJURED: [usize; 3] = [900, 400, 600];

/// Distance in seconds that times keep from where the verdict changes.
const MARGIN: u64 = 60;

/// A token, and what is special about it.
pub(crate) struct Token {
    pub(crate) what: String,
    pub(crate) text: String,
}

struct Corpus<'k> {
    key: &'k KeyPair,
    other: &'k KeyPair,
    now: u64,
    leeway: u64,
    tokens: Vec<Token>,
}

/// All of them, some more than once.
pub(crate) fn tokens(key: &KeyPair, other: &KeyPair, now: u64, leeway: u64) -> Vec<Token> {
    let mut corpus = Corpus { key, other, now, leeway, tokens: Vec::new() };
    for (shape, claims) in [("v2", claims(now)), ("v1", v1_claims(now)), ("app", app_claims(now))] {
        corpus.claims(shape, &claims);
    }
    corpus.origins();
    corpus.headers();
    corpus.forgeries();
    corpus.structure();
    corpus.injuries();
    corpus.tokens
}

/// A value of each kind, and the ones that parsers differ about.
fn values(now: u64) -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(2.5),
        json!(1e300),
        json!(now),
        json!(now - 7200),
        json!(now + 7200),
        json!((now + 7200).to_string()),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("x"),
        json!(TENANT),
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!([AUDIENCE, "other"]),
        json!([]),
        json!({}),
        json!({ "x": 1 }),
    ]
}

impl Corpus<'_> {
    fn push(&mut self, what: impl Into<String>, text: String) {
        self.tokens.push(Token { what: what.into(), text });
    }

    /// A signed token of these texts, unless its times lie where the verdict changes with the second.
    fn signed(&mut self, what: impl Into<String>, header: &[u8], payload: &[u8]) {
        if !self.is_on_an_edge(payload) {
            let text = mint_text(self.key, header, payload);
            self.push(what, text);
        }
    }

    fn is_on_an_edge(&self, payload: &[u8]) -> bool {
        // Text, because a payload may be no JSON and say one thing twice; a float is a time to some.
        let text = String::from_utf8_lossy(payload);
        let numbers = text.split(|c: char| !(c.is_ascii_digit() || ".eE+-".contains(c)));
        let edges = [self.now - self.leeway, self.now + self.leeway];
        let is_near = |time: f64| edges.iter().any(|&edge| (time - edge as f64).abs() < MARGIN as f64);
        numbers.filter_map(|number| number.parse().ok()).any(is_near)
    }

    fn claims(&mut self, shape: &str, base: &Value) {
        let good = header().to_string();
        self.signed(format!("{shape}: good"), good.as_bytes(), base.to_string().as_bytes());
        let own: Vec<String> = base.as_object().expect("an object").keys().cloned().collect();
        let more = ["jti", "cnf", "nonce", "groups", "roles", "idtyp", "unknown"].map(str::to_owned);
        for name in own.iter().chain(&more) {
            for value in values(self.now) {
                let what = format!("{shape}: {name} = {value}");
                self.signed(what, good.as_bytes(), with(base.clone(), name, value).to_string().as_bytes());
            }
        }
        for name in &own {
            let mut without = base.clone();
            without.as_object_mut().expect("an object").remove(name);
            self.signed(format!("{shape}: {name} missing"), good.as_bytes(), without.to_string().as_bytes());
            let twice = with_text(base, &format!(r#""{name}":{}"#, base[name]));
            self.signed(format!("{shape}: {name} twice"), good.as_bytes(), twice.as_bytes());
            let shouted = with_text(base, &format!(r#""{}":1"#, name.to_uppercase()));
            self.signed(format!("{shape}: {name} in capitals as well"), good.as_bytes(), shouted.as_bytes());
        }
        for (what, exp, nbf) in [
            ("within the leeway after the end", self.now - 30, self.now - 7200),
            ("past the leeway", self.now - 300, self.now - 7200),
            ("within the leeway before the start", self.now + 7200, self.now + 30),
            ("before the leeway", self.now + 7200, self.now + 300),
            ("valid at no time", self.now - 30, self.now + 30),
        ] {
            let claims = with(with(base.clone(), "exp", json!(exp)), "nbf", json!(nbf));
            let text = mint(self.key, &header(), &claims);
            self.push(format!("{shape}: {what}"), text);
        }
    }

    /// Where a token is from: issuers of either version under either `ver`, another tenant, and keys that may sign for somebody else.
    fn origins(&mut self) {
        // With the client under both names, so that nothing but the issuer is odd.
        let either = with(claims(self.now), "appid", json!(CLIENT));
        for version in ["1.0", "2.0"] {
            for tenant in [TENANT, FOREIGN_TENANT] {
                let issuers = [format!("{V1_AUTHORITY}/{tenant}/"), format!("{AUTHORITY}/{tenant}/v2.0")];
                for issuer in issuers {
                    let what = format!("ver {version}, tid {tenant}, iss {issuer}");
                    let claims = with(with(either.clone(), "ver", json!(version)), "tid", json!(tenant));
                    let text = mint(self.key, &header(), &with(claims, "iss", json!(issuer)));
                    self.push(what, text);
                }
            }
        }
        for kid in [FOREIGN_ISSUER_KEY_ID, ISSUERLESS_KEY_ID] {
            for (shape, claims) in [("v2", claims(self.now)), ("v1", v1_claims(self.now))] {
                let text = mint(self.key, &with(header(), "kid", json!(kid)), &claims);
                self.push(format!("{shape}: by {kid}"), text);
            }
        }
    }

    /// What anybody can make who knows the public key, or none.
    fn forgeries(&mut self) {
        let public = self.key.public_key();
        let der: PublicKeyX509Der<'_> = public.as_der().expect("an RSA key has a DER form");
        let modulus = public.modulus().big_endian_without_leading_zero();
        let jwk = jwk(self.key, KEY_ID);
        let n = jwk["n"].as_str().expect("a modulus is text");
        let input = |algorithm: &str| {
            let header = with(header(), "alg", json!(algorithm)).to_string();
            format!("{}.{}", base64url(header), base64url(claims(self.now).to_string()))
        };
        let mut forged = Vec::new();
        for (spelling, secret) in [
            ("PKCS #1", public.as_ref()),
            ("SubjectPublicKeyInfo", der.as_ref()),
            ("modulus", modulus),
            ("n", n.as_bytes()),
            ("JWK", jwk.to_string().as_bytes()),
        ] {
            for algorithm in ["HS256", "RS256"] {
                let input = input(algorithm);
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
                let what = format!("HMAC with the public key as {spelling}, said to be {algorithm}");
                forged.push((what, format!("{input}.{}", base64url(tag))));
            }
        }
        for algorithm in ["none", "None", "NONE", ""] {
            forged.push((format!("unsigned, alg {algorithm:?}"), format!("{}.", input(algorithm))));
        }
        for (what, text) in forged {
            self.push(what, text);
        }
    }

    fn headers(&mut self) {
        let payload = claims(self.now).to_string();
        let names = [
            "alg", "kid", "typ", "cty", "crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "enc", "zip",
            "nonce", "unknown",
        ];
        let mut all = values(self.now);
        for text in ["none", "HS256", "RS384", "PS256", "rs256", "JWT", "at+jwt", "other-key", "../x"] {
            all.push(json!(text));
        }
        all.extend([json!(["exp"]), json!(["b64"]), json!(KEY_ID)]);
        for name in names {
            for value in &all {
                let what = format!("header {name} = {value}");
                let header = with(header(), name, value.clone()).to_string();
                self.signed(what, header.as_bytes(), payload.as_bytes());
            }
            let twice = with_text(&header(), &format!(r#""{name}":"x""#));
            self.signed(format!("header {name} = x, before the rest"), twice.as_bytes(), payload.as_bytes());
        }
        for name in ["alg", "kid", "typ"] {
            let mut without = header();
            without.as_object_mut().expect("an object").remove(name);
            self.signed(format!("header {name} missing"), without.to_string().as_bytes(), payload.as_bytes());
        }
        let text = mint(self.other, &header(), &claims(self.now));
        self.push("another key under our kid", text);
        let text = mint(self.other, &with(header(), "kid", json!("other-key")), &claims(self.now));
        self.push("the other key under its own kid", text);
    }

    fn structure(&mut self) {
        let good = mint(self.key, &header(), &claims(self.now));
        let parts: Vec<&str> = good.split('.').collect();
        let standard = good.replace('-', "+").replace('_', "/");
        let respelled = |last: char| format!("{}{last}", &good[..good.len() - 1]);
        let mut texts = vec![
            ("empty", String::new()),
            ("no signature", format!("{}.{}.", parts[0], parts[1])),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("four parts", format!("{good}.x")),
            ("five parts", format!("{good}.x.y")),
            ("empty header", format!(".{}.{}", parts[1], parts[2])),
            ("empty payload", format!("{}..{}", parts[0], parts[2])),
            ("padded", format!("{good}==")),
            ("the other alphabet", standard),
            ("a space before", format!(" {good}")),
            ("a line break behind", format!("{good}\n")),
            (
                "a line break in the signature",
                format!("{}\n{}", &good[..good.len() - 9], &good[good.len() - 9..]),
            ),
            (
                "payload of another",
                format!("{}.{}.{}", parts[0], base64url(app_claims(self.now).to_string()), parts[2]),
            ),
        ];
        let (_, last) = good.split_at(good.len() - 1);
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            if !last.starts_with(other) {
                texts.push(("another last character", respelled(other)));
            }
        }
        for (what, text) in texts {
            self.push(what, text);
        }
        for payload in ["", "null", "1", "\"x\"", "[]", "{}", "{\"a\":1}x", "\u{feff}{}"] {
            self.signed(format!("payload {payload:?}"), header().to_string().as_bytes(), payload.as_bytes());
        }
    }

    fn injuries(&mut self) {
        let mut dice = Dice::new(0x5eed);
        let shapes =
            [claims(self.now), v1_claims(self.now), app_claims(self.now)].map(|claims| claims.to_string());
        let good_header = header().to_string();
        for round in 0..INJURED[0] {
            let mut payload = dice.injure(shapes[round % 3].as_bytes());
            if round % 2 == 0 {
                payload = dice.injure(&payload);
            }
            self.signed(format!("injured payload {round}"), good_header.as_bytes(), &payload);
        }
        for round in 0..INJURED[1] {
            let injured = dice.injure(good_header.as_bytes());
            self.signed(format!("injured header {round}"), &injured, shapes[round % 3].as_bytes());
        }
        let good = mint(self.key, &header(), &claims(self.now));
        for round in 0..INJURED[2] {
            let injured = dice.injure(good.as_bytes());
            self.push(format!("injured token {round}"), String::from_utf8_lossy(&injured).into_owned());
        }
    }
}
