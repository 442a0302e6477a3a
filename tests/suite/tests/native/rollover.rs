//! Drills with the authority's keys: floods, an endpoint in trouble, and several tenants with keys of their own.

use std::time::{Duration, Instant};

use entra_emulator::{Endpoint, Fault, FaultBody, Operation, ids};
use serde_json::{Value, json};
use valet_minting::base64url;
use valet_suite::check::{Refusal, refused};
use valet_suite::config::{Config, list};
use valet_suite::log::is_audit;
use valet_suite::rig::{QUIET, emulator};
use valet_suite::stand_in::{StandIn, http};
use valet_suite::surroundings::Surroundings;
use valet_suite::{Ask, Rig, run};

fn fetches(rig: &Rig) -> u64 {
    rig.emulator.faults().count(Operation::Keys)
}

fn not_accepted(audit: &str) -> Refusal {
    Refusal::challenge(401, "invalid_token", "the token was not accepted", &format!("denied {audit}"))
}

/// A server that asks for keys again after `floor` seconds.
async fn with_floor(floor: i64) -> Rig {
    Rig::start_with(emulator().await, |config| config.set("entra.keys_floor", floor)).await
}

/// A token with a `kid` that nobody has. Its signature is another token's; it is not reached.
fn of_unknown_key(good: &str, number: usize) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": format!("invented-{number}") });
    let rest = good.split_once('.').unwrap().1;
    format!("{}.{rest}", base64url(header.to_string()))
}

#[test]
fn ten_thousand_unknown_keys_cost_one_fetch_a_floor() {
    const FLOOR: u64 = 3;
    run(async {
        let rig = Rig::logging(QUIET, emulator().await, |config| config.set("entra.keys_floor", 3)).await;
        let good = rig.token(ids::ADELE_UPN);
        rig.call("whoami", &good).await.result();
        assert_eq!(fetches(&rig), 1);
        let (rig, begin) = (std::sync::Arc::new(rig), Instant::now());
        let mut flood = tokio::task::JoinSet::new();
        for lane in 0..20 {
            let (rig, good) = (std::sync::Arc::clone(&rig), good.clone());
            flood.spawn(async move {
                for number in 0..500 {
                    let token = of_unknown_key(&good, lane * 500 + number);
                    assert_eq!(rig.call("whoami", &token).await.status, 401);
                }
                assert_eq!(rig.call("whoami", &good).await.status, 200);
            });
        }
        flood.join_all().await;
        let (took, fetched) = (begin.elapsed().as_secs(), fetches(&rig));
        assert!(fetched <= 1 + took / FLOOR + 1, "{fetched} fetches in {took} s");
        // Past the floor the next one has them fetched, and only that.
        tokio::time::sleep(Duration::from_secs(FLOOR + 1)).await;
        assert_eq!(rig.call("whoami", &of_unknown_key(&good, 10_000)).await.status, 401);
        assert_eq!(fetches(&rig), fetched + 1);
    });
}

/// Whoever shows an unknown key has the keys fetched, once a floor. If leaving broke that off, a stranger could keep everybody from a new key, floor by floor.
#[test]
fn who_leaves_breaks_no_renewal_off() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let rig = Rig::within(surroundings.variables(), emulator().await, |config| config).await;
        let good = rig.token(ids::ADELE_UPN);
        rig.call("whoami", &good).await.result();
        rig.emulator.rotate_keys().unwrap();
        rig.emulator.faults().set_times(Endpoint::Keys, Fault::Delay(Duration::from_secs(1)), 1);
        // Past the floor, so that an unknown key is reason to fetch.
        surroundings.set_clock(301);
        rig.emulator.set_clock_offset(301);
        let unknown = of_unknown_key(&good, 1);
        asks_and_leaves(&rig, Ask::tool("whoami").bearer(&unknown)).await;
        // An hour later they are fetched whoever asks, be it whether the server is ready.
        rig.emulator.rotate_keys().unwrap();
        rig.emulator.faults().set_times(Endpoint::Keys, Fault::Delay(Duration::from_secs(1)), 1);
        surroundings.set_clock(4000);
        rig.emulator.set_clock_offset(4000);
        asks_and_leaves(&rig, Ask::get("/readyz")).await;
    });
}

/// Sends `ask`, leaves while the keys are fetched for it, and waits for a token of the new key to be good.
async fn asks_and_leaves(rig: &Rig, ask: Ask) {
    let before = fetches(rig);
    let mut left = Box::pin(rig.send(ask));
    while fetches(rig) == before {
        tokio::select! {
            answer = &mut left => panic!("answered before the keys were asked for: {answer:?}"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
    drop(left);
    // The server's clock stands still in this floor, so the new key is known by what that fetch brings or not at all.
    let new = rig.token(ids::ADELE_UPN);
    let end = Instant::now() + Duration::from_secs(20);
    while rig.call("whoami", &new).await.status != 200 {
        assert!(Instant::now() < end, "the fetch was broken off");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(fetches(rig), before + 1);
}

/// What happens to the key endpoint, and what the operator then reads; nothing where it answers after all.
fn troubles() -> Vec<(&'static str, Fault, Option<&'static str>)> {
    let answer = |body| Fault::Answer { code: 200, retry_after: None, body };
    vec![
        ("down", Fault::Status { code: 503, retry_after: None }, Some("answered with status 503")),
        ("reset", Fault::Reset, Some("broke off")),
        ("cut off", Fault::CutOff, Some("broke off")),
        ("HTML", answer(FaultBody::Html), Some("not a JSON Web Key Set")),
        ("no JSON", answer(FaultBody::NotJson), Some("not a JSON Web Key Set")),
        ("empty", answer(FaultBody::Empty), Some("not a JSON Web Key Set")),
        ("an empty set", answer(FaultBody::EmptyKeys), Some("the key set has no keys")),
        ("10 MB, good but for that", Fault::Huge { megabytes: 10 }, Some("answered with too much")),
        ("slow", Fault::Delay(Duration::from_millis(1500)), None),
        ("silent", Fault::Delay(Duration::from_secs(30)), Some("did not answer in time")),
    ]
}

#[test]
fn an_endpoint_in_trouble_leaves_known_keys_alone_and_is_left_alone() {
    run(async {
        let rig = std::sync::Arc::new(with_floor(1).await);
        let old = rig.token(ids::ADELE_UPN);
        rig.call("whoami", &old).await.result();
        for (name, fault, why) in troubles() {
            rig.emulator.rotate_keys().unwrap();
            let new = rig.token(ids::ADELE_UPN);
            rig.emulator.faults().set(Endpoint::Keys, fault.clone());
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let (before, mark) = (fetches(&rig), rig.log().mark());
            let unknown = tokio::spawn({
                let (rig, new) = (std::sync::Arc::clone(&rig), new.clone());
                async move { rig.call("whoami", &new).await.status }
            });
            while fetches(&rig) == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // While that one waits for the endpoint, known keys serve.
            assert_eq!(rig.call("whoami", &old).await.status, 200, "{name}");
            if matches!(fault, Fault::Delay(_)) {
                assert!(!unknown.is_finished(), "{name}: the known key did not wait");
            }
            assert_eq!(unknown.await.unwrap(), if why.is_some() { 401 } else { 200 }, "{name}");
            assert_eq!(fetches(&rig), before + 1, "{name}: tried once");
            if let Some(why) = why {
                let told = |event: &Value| event["why"].as_str().is_some_and(|text| text.contains(why));
                let event = rig.log().wait(mark, why, told).await;
                assert_eq!(event["level"], "WARN", "{name}: {event}");
            }
            rig.emulator.faults().clear_all();
            tokio::time::sleep(Duration::from_millis(1100)).await;
            rig.call("whoami", &new).await.result();
            rig.call("whoami", &old).await.result();
        }
    });
}

#[test]
fn users_of_each_listed_tenant_may_call_and_no_others() {
    run(async {
        let emulator = emulator().await;
        let tenants = [ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string()];
        let both = list(&[&tenants[0], &tenants[1]]);
        let rig = Rig::start_with(emulator, |config| config.set("entra.tenants", both)).await;
        let farah = rig
            .emulator
            .access_token(ids::FARAH_UPN, ids::FOREIGN_APP, ids::VALET, &[ids::VALET_SCOPE])
            .unwrap();
        let farah = rig.keep(farah);
        for (token, tenant) in [(rig.token(ids::ADELE_UPN), &tenants[0]), (farah, &tenants[1])] {
            let result = rig.call("whoami", &token).await.result();
            assert_eq!(result["structuredContent"]["tenantId"], json!(tenant));
        }
        assert_eq!(fetches(&rig), 2, "each tenant's keys were fetched by themselves");
        let personal = entra_emulator::CONSUMER_TENANT;
        let claims = with(rig.claims(), "tid", json!(personal));
        let issuer = format!("{}/{personal}/v2.0", rig.emulator.authority_url());
        let token = rig.signed(with(claims, "iss", json!(issuer)));
        let audit = format!("denied foreign_tenant: tid `{personal}` is not among the tenants that may call");
        let expected = Refusal::challenge(401, "invalid_token", "the token is of another tenant", &audit);
        refused(&rig, "a third tenant", Ask::tool("whoami").bearer(&token), &expected).await;
    });
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

/// Two tenants whose documents have one `kid` for two keys: a mix-up would let one sign for the other.
#[test]
fn two_tenants_never_share_a_key() {
    run(async {
        let emulator = emulator().await;
        let stand_in = StandIn::start().await;
        let url = stand_in.url();
        let (ours, theirs) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
        let keys = [valet_minting::key(), valet_minting::key()];
        let json_answer =
            |body: &Value| http("200 OK", &[("content-type", "application/json")], &body.to_string());
        for (tenant, key, discovery, jwks) in [
            (
                &ours,
                &keys[0],
                "7e57a000-0000-4000-8000-000000000001/v2.0/",
                "7e57a000-0000-4000-8000-000000000001/keys",
            ),
            (
                &theirs,
                &keys[1],
                "7e57a000-0000-4000-8000-000000000002/v2.0/",
                "7e57a000-0000-4000-8000-000000000002/keys",
            ),
        ] {
            let issuer = format!("{url}/{tenant}/v2.0");
            stand_in.answer(
                discovery,
                json_answer(&json!({ "issuer": issuer, "jwks_uri": format!("{url}/{jwks}") })),
            );
            stand_in.answer(jwks, json_answer(&json!({ "keys": [valet_minting::jwk(key, "shared-name")] })));
        }
        let both = list(&[&ours, &theirs]);
        let change = |config: Config| config.set("entra.authority", url.as_str()).set("entra.tenants", both);
        let rig = Rig::start_with(emulator, change).await;
        let token = |tenant: &str, key| {
            let claims = with(rig.claims(), "iss", json!(format!("{url}/{tenant}/v2.0")));
            let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "shared-name" });
            rig.keep(valet_minting::mint(key, &header, &with(claims, "tid", json!(tenant))))
        };
        for (tenant, own, other) in [(&ours, &keys[0], &keys[1]), (&theirs, &keys[1], &keys[0])] {
            let result = rig.call("whoami", &token(tenant, own)).await.result();
            assert_eq!(result["structuredContent"]["tenantId"], json!(tenant));
            let mark = rig.log().mark();
            let answer = rig.call("whoami", &token(tenant, other)).await;
            assert_eq!(answer.status, 401, "a key of the other tenant");
            // Not a key that is not known: the names are the same, the keys are not.
            rig.log()
                .wait(mark, "bad_signature", |event| is_audit(event) && event["reason"] == "bad_signature")
                .await;
            rig.call("whoami", &token(tenant, own)).await.result();
        }
    });
}

#[test]
fn only_listed_clients_may_call() {
    run(async {
        let daemon = ids::DAEMON.to_string();
        let rig =
            Rig::changed(|config| config.set("entra.clients", list(&[&ids::DEMO_CLIENT.to_string()]))).await;
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        let other = rig.signed(with(rig.claims(), "azp", json!(daemon)));
        let audit = format!("foreign_client: client `{daemon}` is not among the applications that may call");
        refused(&rig, "another client", Ask::tool("whoami").bearer(&other), &not_accepted(&audit)).await;
    });
}
