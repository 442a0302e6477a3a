//! Tokens that are refused, each wrong in one way, and credentials that are no token.

use std::time::Duration;

use entra_emulator::{CONSUMER_TENANT, GRAPH_APP_ID, Signer, TokenVersion, ids};
use serde_json::{Value, json};
use valet::limits::REQUEST_HEAD_BYTES;
use valet_suite::check::{CHALLENGE_END, Refusal, refused};
use valet_suite::wire::Wire;
use valet_suite::{Ask, Rig, run};

/// What most refused tokens are told, with the reason for the log.
fn not_accepted(audit: &str) -> Refusal {
    Refusal::challenge(401, "invalid_token", "the token was not accepted", &format!("denied {audit}"))
}

fn told(description: &str, audit: &str) -> Refusal {
    Refusal::challenge(401, "invalid_token", description, &format!("denied {audit}"))
}

/// Claims with some of them changed; `null` removes one.
fn with(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

async fn check(rig: &Rig, name: &str, token: String, expected: &Refusal) {
    let ask = Ask::tool("whoami").bearer(&rig.keep(token));
    refused(rig, name, ask, expected).await;
}

#[test]
fn requests_without_a_token_learn_where_to_get_one() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        let bad = |status, error, text: &str| {
            Refusal::challenge(status, error, text, &format!("denied bad_credentials: {text}"))
        };
        let nothing = Refusal {
            challenge: format!("Bearer {CHALLENGE_END}"),
            ..Refusal::plain(401, r#"{"error":"unauthorized"}"#, "denied no_token")
        };
        refused(&rig, "nothing", Ask::tool("whoami"), &nothing).await;
        let discover = Ask::modern("server/discover", json!({}));
        refused(&rig, "discovery is for callers too", discover, &nothing).await;
        refused(&rig, "nothing, and no body", Ask::post(""), &nothing).await;
        for (name, value, expected) in [
            (
                "basic",
                "Basic YWRlbGU6cGFzc3dvcmQ=".to_owned(),
                bad(401, "invalid_token", "only the Bearer scheme is accepted"),
            ),
            ("token alone", token.clone(), bad(401, "invalid_token", "only the Bearer scheme is accepted")),
            (
                "dpop",
                format!("DPoP {token}"),
                bad(401, "invalid_token", "only the Bearer scheme is accepted"),
            ),
            ("scheme alone", "Bearer".to_owned(), bad(401, "invalid_token", "the access token is empty")),
            ("empty", String::new(), bad(401, "invalid_token", "the access token is empty")),
            (
                "in quotes",
                format!("Bearer \"{token}\""),
                bad(401, "invalid_token", "the access token is malformed"),
            ),
            (
                "two words",
                format!("Bearer {token} {token}"),
                bad(401, "invalid_token", "the access token is malformed"),
            ),
        ] {
            refused(&rig, name, Ask::tool("whoami").header("authorization", &value), &expected).await;
        }
        let twice =
            Ask::tool("whoami").bearer(&token).and("authorization", format!("Bearer {token}").as_bytes());
        refused(&rig, "twice", twice, &bad(400, "invalid_request", "more than one Authorization header"))
            .await;
        let in_query = bad(400, "invalid_request", "an access token must not be sent in the query");
        for query in [format!("access_token={token}"), format!("x=1&%61ccess_token={token}")] {
            let ask = Ask::tool("whoami").path(&format!("/mcp?{query}"));
            refused(&rig, "in the query", ask.clone(), &in_query).await;
            refused(&rig, "in both places", ask.bearer(&token), &in_query).await;
        }
        let long = Ask::tool("whoami").bearer(&"a".repeat(16 * 1024 + 1));
        let audit = "denied bad_credentials: the access token is too long (16385 bytes, at most 16384)";
        let expected = Refusal::challenge(400, "invalid_request", "the access token is too long", audit);
        refused(&rig, "too long", long, &expected).await;
    });
}

#[test]
fn tokens_with_a_bad_form_or_header_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let good = rig.token(ids::ADELE_UPN);
        let claims = rig.claims();
        let header = rig.emulator.header(TokenVersion::V2, Signer::Live);
        let parts: Vec<&str> = good.split('.').collect();
        for (name, token, audit) in [
            ("no jwt", "nonsense".to_owned(), "malformed: not a compact JWS: not three segments"),
            (
                "two segments",
                format!("{}.{}", parts[0], parts[1]),
                "malformed: not a compact JWS: not three segments",
            ),
            ("five segments", format!("{good}.a.b"), "malformed: not a compact JWS: not three segments"),
            (
                "no signature",
                format!("{}.{}.", parts[0], parts[1]),
                "malformed: not a compact JWS: signature is not base64url",
            ),
            ("padded", format!("{good}="), "malformed: not a compact JWS: signature is not base64url"),
            (
                "header is no json",
                format!("AAAA.{}.{}", parts[1], parts[2]),
                "malformed: not a compact JWS: header is not one JSON object",
            ),
        ] {
            check(&rig, name, token, &not_accepted(audit)).await;
        }
        for (name, changes, audit) in [
            ("none", json!({ "alg": "none" }), "unsupported: alg `none` is not RS256"),
            ("None", json!({ "alg": "None" }), "unsupported: alg `None` is not RS256"),
            ("hmac", json!({ "alg": "HS256" }), "unsupported: alg `HS256` is not RS256"),
            ("pss", json!({ "alg": "PS256" }), "unsupported: alg `PS256` is not RS256"),
            ("no alg", json!({ "alg": null }), "unsupported: alg `` is not RS256"),
            ("no kid", json!({ "kid": null }), "unsupported: header parameter `kid` is missing"),
            (
                "unknown kid",
                json!({ "kid": "../../etc/passwd" }),
                "unknown_key: no key has kid `../../etc/passwd`",
            ),
            (
                "crit",
                json!({ "crit": ["exp"] }),
                "unsupported: header parameter `crit` is not accepted: `[\"exp\"]`",
            ),
            (
                "jku",
                json!({ "jku": "https://evil.example/keys" }),
                "unsupported: header parameter `jku` is not accepted: `\"https://evil.example/keys\"`",
            ),
            ("jwk", json!({ "jwk": {} }), "unsupported: header parameter `jwk` is not accepted: `{...}`"),
            (
                "x5u",
                json!({ "x5u": "https://evil.example/" }),
                "unsupported: header parameter `x5u` is not accepted: `\"https://evil.example/\"`",
            ),
            ("typ", json!({ "typ": "id+jwt" }), "unsupported: typ `id+jwt` is not that of an access token"),
            (
                "nested",
                json!({ "cty": "JWT" }),
                "unsupported: header parameter `cty` is not accepted: `\"JWT\"`",
            ),
        ] {
            let token = rig.emulator.forge(with(header.clone(), changes), claims.clone(), Signer::Live);
            check(&rig, name, token, &not_accepted(audit)).await;
        }
        let none =
            rig.emulator.forge(with(header.clone(), json!({ "alg": "none" })), claims.clone(), Signer::Live);
        let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
        check(
            &rig,
            "none without a signature",
            unsigned,
            &not_accepted("unsupported: alg `none` is not RS256"),
        )
        .await;
        let doubled = r#"{"typ":"JWT","alg":"RS256","alg":"RS256","kid":"x"}"#;
        let token = rig.emulator.forge_text(doubled, &claims.to_string(), Signer::Live);
        check(&rig, "alg twice", token, &not_accepted("malformed: member `alg` occurs twice")).await;
    });
}

#[test]
fn tokens_by_the_wrong_key_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let claims = rig.claims();
        let forged = |signer, claims: &Value| {
            rig.emulator.forge(rig.emulator.header(TokenVersion::V2, signer), claims.clone(), signer)
        };
        let good = rig.token(ids::ADELE_UPN);
        let at = good.rfind('.').unwrap() + 20;
        let flipped = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{flipped}{}", &good[..at], &good[at + 1..]);
        let mismatch = "bad_signature: the signature does not verify";
        check(&rig, "one character changed", changed, &not_accepted(mismatch)).await;
        let other = rig.token(ids::ALEX_UPN);
        let swapped = format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
        check(&rig, "signature of another token", swapped, &not_accepted(mismatch)).await;
        check(&rig, "stranger", forged(Signer::Stranger, &claims), &not_accepted(mismatch)).await;
        let removed = forged(Signer::Removed, &claims);
        check(&rig, "removed", removed, &not_accepted("unknown_key: no key has kid `emulator-*`")).await;
        let authority = rig.emulator.authority_url();
        let expected = format!(
            "key_issuer_mismatch: the key signs for `{authority}/{CONSUMER_TENANT}/v2.0`, not for `{authority}/{}/v2.0`",
            ids::TENANT
        );
        check(&rig, "consumer key", forged(Signer::Consumer, &claims), &not_accepted(&expected)).await;
        let consumer = with(
            claims,
            json!({ "tid": CONSUMER_TENANT, "iss": format!("{authority}/{CONSUMER_TENANT}/v2.0") }),
        );
        let audit = format!("foreign_tenant: tid `{CONSUMER_TENANT}` is not among the tenants that may call");
        let expected = told("the token is of another tenant", &audit);
        check(&rig, "a consumer", forged(Signer::Consumer, &consumer), &expected).await;
    });
}

#[test]
fn tokens_with_bad_claims_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let claims = rig.claims();
        let now = claims["iat"].as_i64().unwrap();
        let authority = rig.emulator.authority_url();
        let own = format!("{authority}/{}/v2.0", ids::TENANT);
        let foreign = format!("{authority}/{}/v2.0", ids::FOREIGN_TENANT);
        let v1 = rig.emulator.issuer(TokenVersion::V1, ids::TENANT);
        let v1_like = json!({ "ver": "1.0", "appid": claims["azp"] });
        let audience = |found: &str| {
            let audit = format!("wrong_audience: aud `{found}` is none of [\"{}\"]", ids::VALET);
            told("the token is for another resource", &audit)
        };
        let issuer = |found: &str, wanted: &str| {
            not_accepted(&format!("wrong_issuer: iss `{found}` is not `{wanted}`"))
        };
        let missing = |claim: &str| not_accepted(&format!("missing_claim: claim `{claim}` is missing"));
        let malformed = |claim: &str, found: &Value| {
            not_accepted(&format!("missing_claim: claim `{claim}` is malformed: `{found}`"))
        };
        let none = "not_an_access_token: 0 scopes, 0 roles and idtyp `none` make no access token";
        let expired = |exp: i64| told("the token has expired", &format!("expired: exp {exp} is not after *"));
        let early = |claim: &str, from: i64| {
            told("the token is not valid yet", &format!("not_yet_valid: {claim} {from} is after *"))
        };
        for (name, changes, expected) in [
            ("another api", json!({ "aud": ids::LEDGER_URI }), audience(ids::LEDGER_URI)),
            ("our uri, not our id", json!({ "aud": ids::VALET_URI }), audience(ids::VALET_URI)),
            ("graph", json!({ "aud": GRAPH_APP_ID.to_string() }), audience(&GRAPH_APP_ID.to_string())),
            ("empty aud", json!({ "aud": "" }), audience("")),
            (
                "aud as a list",
                json!({ "aud": [ids::VALET.to_string()] }),
                malformed("aud", &json!([ids::VALET.to_string()])),
            ),
            ("foreign issuer", json!({ "iss": foreign }), issuer(&foreign, &own)),
            ("v1 issuer in v2", json!({ "iss": v1 }), issuer(&v1, &own)),
            ("v2 issuer in v1", v1_like, issuer(&own, &v1)),
            ("issuer with a slash", json!({ "iss": format!("{own}/") }), issuer(&format!("{own}/"), &own)),
            ("evil issuer", json!({ "iss": "https://evil.example" }), issuer("https://evil.example", &own)),
            (
                "unknown version",
                json!({ "ver": "3.0" }),
                not_accepted("unsupported: ver `3.0` is neither 1.0 nor 2.0"),
            ),
            ("expired", json!({ "exp": now - 61, "nbf": now - 3600, "iat": now - 3600 }), expired(now - 61)),
            ("not yet valid", json!({ "nbf": now + 600 }), early("nbf", now + 600)),
            ("issued tomorrow", json!({ "iat": now + 600 }), early("iat", now + 600)),
            (
                "valid at no time",
                json!({ "nbf": now, "exp": now }),
                not_accepted(&format!("malformed: exp {now} is not after nbf {now}")),
            ),
            (
                "exp as text",
                json!({ "exp": (now + 600).to_string() }),
                malformed("exp", &json!((now + 600).to_string())),
            ),
            (
                "nbf as text",
                json!({ "nbf": (now + 600).to_string() }),
                malformed("nbf", &json!((now + 600).to_string())),
            ),
            ("exp negative", json!({ "exp": -1 }), malformed("exp", &json!(-1))),
            ("exp a fraction", json!({ "exp": 1e18 }), malformed("exp", &json!(1e18))),
            ("no scp and no roles", json!({ "scp": null, "roles": null }), not_accepted(none)),
            ("empty scp", json!({ "scp": " ", "roles": [] }), not_accepted(none)),
            (
                "user that says app",
                json!({ "idtyp": "app" }),
                not_accepted("not_an_access_token: 1 scopes, * roles and idtyp `app` make no access token"),
            ),
            (
                "bound",
                json!({ "cnf": { "jkt": "x" } }),
                not_accepted("bound_token: bound to a key (cnf) and presented as a plain bearer token"),
            ),
            (
                "tenant in capitals",
                json!({ "tid": "7E57A000-0000-4000-8000-000000000001" }),
                malformed("tid", &json!("7E57A000-0000-4000-8000-000000000001")),
            ),
            ("tenant is a path", json!({ "tid": "../common" }), malformed("tid", &json!("../common"))),
        ] {
            let token = rig.signed(with(claims.clone(), changes));
            check(&rig, name, token, &expected).await;
        }
        for claim in ["aud", "iss", "iat", "nbf", "exp", "tid", "oid", "azp", "ver"] {
            check(&rig, claim, rig.signed(with(claims.clone(), json!({ claim: null }))), &missing(claim))
                .await;
        }
        let not_json = not_accepted("malformed: not a compact JWS: payload is not one JSON object");
        let header = rig.emulator.header(TokenVersion::V2, Signer::Live).to_string();
        let text = claims.to_string();
        let twice = not_accepted("malformed: member `aud` occurs twice");
        for (name, text, expected) in [
            ("aud twice", text.replacen('{', r#"{"aud":"other","#, 1), &twice),
            ("AUD as well", text.replacen('{', r#"{"AUD":"other","#, 1), &twice),
            ("a list", format!("[{text}]"), &not_json),
            ("followed by more", format!("{text} x"), &not_json),
        ] {
            check(&rig, name, rig.emulator.forge_text(&header, &text, Signer::Live), expected).await;
        }
        let huge = text.replacen(&format!(r#""exp":{}"#, claims["exp"]), r#""exp":1e400"#, 1);
        let too_large = not_accepted("missing_claim: claim `exp` is malformed: `1e400`");
        check(&rig, "exp 1e400", rig.emulator.forge_text(&header, &huge, Signer::Live), &too_large).await;
        let nested = format!(r#"{{"x":{}{},"#, "[".repeat(4000), "]".repeat(4000));
        let nested = text.replacen('{', &nested, 1);
        let too_deep = not_accepted("malformed: nested 4001 levels deep, more than 32");
        check(&rig, "4,000 levels", rig.emulator.forge_text(&header, &nested, Signer::Live), &too_deep).await;
    });
}

#[test]
fn good_tokens_for_something_else_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let emulator = &rig.emulator;
        let foreign =
            emulator.access_token(ids::FARAH_UPN, ids::FOREIGN_APP, ids::VALET, &["mcp.access"]).unwrap();
        let audit =
            format!("foreign_tenant: tid `{}` is not among the tenants that may call", ids::FOREIGN_TENANT);
        check(&rig, "another tenant's", foreign, &told("the token is of another tenant", &audit)).await;
        let id_token = emulator.id_token(ids::ALEX_UPN, ids::VALET, None).unwrap();
        let audit = "not_an_access_token: 0 scopes, 0 roles and idtyp `none` make no access token";
        check(&rig, "id token", id_token, &not_accepted(audit)).await;
        let with_roles = emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap();
        let audit = "missing_claim: claim `azp` is missing";
        check(&rig, "id token with roles", with_roles, &not_accepted(audit)).await;
        let graph = emulator.access_token(ids::ADELE_UPN, ids::VALET, GRAPH_APP_ID, &["User.Read"]).unwrap();
        let audit = "unsupported: a Microsoft Graph token, which only Graph can accept";
        check(&rig, "graph token", graph, &not_accepted(audit)).await;
        let ledger = emulator
            .access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &[ids::LEDGER_SCOPE])
            .unwrap();
        let audit = format!("wrong_audience: aud `{}` is none of [\"{}\"]", ids::LEDGER_URI, ids::VALET);
        check(&rig, "another api's", ledger, &told("the token is for another resource", &audit)).await;
    });
}

#[test]
fn callers_without_a_permission_learn_which() {
    run(async {
        let rig = Rig::start().await;
        for (scope, held) in
            [("mcp.admin", "mcp.admin"), ("MCP.ACCESS", "MCP.ACCESS"), ("mcp.access.more", "mcp.access.more")]
        {
            let token =
                rig.emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[scope]).unwrap();
            let audit = format!(
                "denied insufficient_scope: the tool needs the scopes [\"mcp.access\"], the token has [\"{held}\"]"
            );
            let expected =
                Refusal::challenge(403, "insufficient_scope", "the tool needs more permissions", &audit);
            check(&rig, scope, token, &expected).await;
        }
        let app = rig.emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap();
        let expected =
            Refusal::rpc(403, 403, "Not permitted", "denied missing_role: the tool is not for applications");
        check(&rig, "an application", app, &expected).await;
    });
}

#[test]
fn a_token_of_a_megabyte_is_refused_by_its_size() {
    run(async {
        let rig = Rig::start().await;
        // The server reads so much of it; what is sent after that may cost the sender the answer, so the rest is held back until it is there.
        let start = format!(
            "POST /mcp HTTP/1.1\r\nhost: valet.example\r\nauthorization: Bearer {}",
            "a".repeat(REQUEST_HEAD_BYTES)
        );
        let mut wire = Wire::open(rig.address).await;
        wire.send(start.clone()).await;
        let answer = wire.rest(Duration::from_secs(12)).await.expect("the connection is closed");
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

        let mut wire = Wire::open(rig.address).await;
        wire.send(start + &"a".repeat(1 << 20) + "\r\n\r\n").await;
        let answer = wire.rest(Duration::from_secs(12)).await.expect("the connection is closed");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
        rig.call("whoami", &rig.good()).await.result();
    });
}
