//! Several tenants with keys of their own: each one's users get in by that one's keys alone, and what a token says before its signature is verified decides nothing
//! and tells nothing.

use entra_emulator::{CONSUMER_TENANT, Operation, Signer, TokenVersion, ids};
use serde_json::{Value, json};
use valet_minting::{KeyPair, with};
use valet_suite::check::{Refusal, refused};
use valet_suite::config::{Config, list};
use valet_suite::log::{audit_line, is_refusal};
use valet_suite::rig::{emulator, shared_emulator};
use valet_suite::stand_in::{StandIn, http};
use valet_suite::{Ask, Rig, run};

/// What the targets of a tenant's documents contain: the one that says where keys are, and the keys.
type Places = [&'static str; 2];
const OURS: Places =
    ["7e57a000-0000-4000-8000-000000000001/v2.0/", "7e57a000-0000-4000-8000-000000000001/keys"];
const THEIRS: Places =
    ["7e57a000-0000-4000-8000-000000000002/v2.0/", "7e57a000-0000-4000-8000-000000000002/keys"];

/// A key and its name.
type Named = (&'static str, KeyPair);

/// The two tenants that may call.
fn both(config: Config) -> Config {
    config.set("entra.tenants", list(&[&ids::TENANT.to_string(), &ids::FOREIGN_TENANT.to_string()]))
}

/// Has `authority` show these keys as a tenant's own.
fn show(authority: &StandIn, tenant: &str, [discovery, jwks]: Places, keys: &Value) {
    let answer = |place, body: &Value| {
        authority.answer(place, http("200 OK", &[("content-type", "application/json")], &body.to_string()));
    };
    let url = authority.url();
    answer(
        discovery,
        &json!({ "issuer": format!("{url}/{tenant}/v2.0"), "jwks_uri": format!("{url}/{jwks}") }),
    );
    answer(jwks, &json!({ "keys": keys }));
}

/// Adele's claims, as if the tenant at `authority` had issued them.
fn claims(rig: &Rig, authority: &StandIn, tenant: &str) -> Value {
    let issuer = format!("{}/{tenant}/v2.0", authority.url());
    with(with(rig.claims(), "iss", json!(issuer)), "tid", json!(tenant))
}

/// Has `token` to be refused for this reason, and `good` to be taken after that.
async fn refused_for(rig: &Rig, token: &str, audit: &str, good: &str) {
    let mark = rig.log().mark();
    assert_eq!(rig.call("whoami", token).await.status, 401, "{audit}");
    let event = rig.log().wait(mark, audit, is_refusal).await;
    assert_eq!(audit_line(&event), format!("denied {audit}"));
    rig.call("whoami", good).await.result();
}

#[test]
fn users_of_each_listed_tenant_may_call_and_no_others() {
    run(async {
        let rig = Rig::start_with(emulator().await, both).await;
        let farah = rig
            .emulator
            .access_token(ids::FARAH_UPN, ids::FOREIGN_APP, ids::VALET, &[ids::VALET_SCOPE])
            .unwrap();
        let farah = rig.keep(farah);
        for (token, tenant) in [(rig.token(ids::ADELE_UPN), ids::TENANT), (farah, ids::FOREIGN_TENANT)] {
            let result = rig.call("whoami", &token).await.result();
            assert_eq!(result["structuredContent"]["tenantId"], json!(tenant.to_string()));
        }
        let fetches = rig.emulator.faults().count(Operation::Keys);
        assert_eq!(fetches, 2, "each tenant's keys were fetched by themselves");
        let claims = with(rig.claims(), "tid", json!(CONSUMER_TENANT));
        let issuer = format!("{}/{CONSUMER_TENANT}/v2.0", rig.emulator.authority_url());
        let token = rig.signed(with(claims, "iss", json!(issuer)));
        let audit =
            format!("denied foreign_tenant: tid `{CONSUMER_TENANT}` is not among the tenants that may call");
        let expected = Refusal::challenge(401, "invalid_token", "the token is of another tenant", &audit);
        refused(&rig, "a third tenant", Ask::tool("whoami").bearer(&token), &expected).await;
    });
}

/// Which tenants may call is shown to nobody (people sign in at `organizations`). Whoever can write a token, but not sign one, must not be able to ask tenant by tenant.
#[test]
fn a_forged_token_does_not_learn_which_tenants_may_call() {
    run(async {
        let rig = Rig::start_with(shared_emulator().await, both).await;
        let authority = rig.emulator.authority_url();
        let listed = [ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string()];
        let others = [CONSUMER_TENANT.to_owned(), "7e57a000-0000-4000-8000-0000000000ff".to_owned()];
        for tenant in listed.iter().chain(&others) {
            let issuer = format!("{authority}/{tenant}/v2.0");
            let claims = with(with(rig.claims(), "iss", json!(issuer)), "tid", json!(tenant));
            for (signer, audit) in [
                (Signer::Stranger, "denied bad_signature: the signature does not verify"),
                (Signer::Removed, "denied unknown_key: no key has kid `emulator-*`"),
            ] {
                let header = rig.emulator.header(TokenVersion::V2, signer);
                let token = rig.keep(rig.emulator.forge(header, claims.clone(), signer));
                let expected = Refusal::challenge(401, "invalid_token", "the token was not accepted", audit);
                refused(&rig, tenant, Ask::tool("whoami").bearer(&token), &expected).await;
            }
        }
    });
}

/// Two tenants whose documents have one `kid` for two keys: a mix-up would let one sign for the other.
#[test]
fn two_tenants_never_share_a_key() {
    run(async {
        let authority = StandIn::start().await;
        let (ours, theirs) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
        let keys = [valet_minting::key(), valet_minting::key()];
        for (tenant, places, key) in [(&ours, OURS, &keys[0]), (&theirs, THEIRS, &keys[1])] {
            show(&authority, tenant, places, &json!([valet_minting::jwk(key, "shared-name")]));
        }
        let change = |config: Config| both(config).set("entra.authority", authority.url());
        let rig = Rig::start_with(shared_emulator().await, change).await;
        let token = |tenant: &str, key| {
            let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "shared-name" });
            rig.keep(valet_minting::mint(key, &header, &claims(&rig, &authority, tenant)))
        };
        for (tenant, own, other) in [(&ours, &keys[0], &keys[1]), (&theirs, &keys[1], &keys[0])] {
            let good = token(tenant, own);
            let result = rig.call("whoami", &good).await.result();
            assert_eq!(result["structuredContent"]["tenantId"], json!(tenant));
            // Not a key that is not known: the names are the same, the keys are not.
            let mismatch = "bad_signature: the signature does not verify";
            refused_for(&rig, &token(tenant, other), mismatch, &good).await;
        }
    });
}

/// One tenant's document with a key that says to be another's, and tokens that are of one tenant by one claim and of another by the next.
#[test]
fn a_key_in_one_tenants_document_signs_for_no_other() {
    run(async {
        let authority = StandIn::start().await;
        let url = authority.url();
        let (ours, theirs) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
        let issuer = |tenant: &str| format!("{url}/{tenant}/v2.0");
        let keys = ["own", "planted", "their-own"].map(|kid| (kid, valet_minting::key()));
        let [own, planted, their_own] = &keys;
        let jwk =
            |(kid, key): &Named, of: &str| with(valet_minting::jwk(key, kid), "issuer", json!(issuer(of)));
        show(&authority, &ours, OURS, &json!([jwk(own, "{tenantid}"), jwk(planted, &theirs)]));
        show(&authority, &theirs, THEIRS, &json!([jwk(their_own, "{tenantid}")]));
        let change = |config: Config| both(config).set("entra.authority", url.as_str());
        let rig = Rig::start_with(shared_emulator().await, change).await;

        let of_ours = claims(&rig, &authority, &ours);
        let of_theirs = claims(&rig, &authority, &theirs);
        let token = |(kid, key): &Named, claims: &Value| {
            let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
            rig.keep(valet_minting::mint(key, &header, claims))
        };
        let good = [token(own, &of_ours), token(their_own, &of_theirs)];
        for (key, claims, audit) in [
            // A perfect token of theirs, but for whose document the key is in.
            (planted, of_theirs.clone(), "unknown_key: no key has kid `planted`".to_owned()),
            (own, of_theirs.clone(), "unknown_key: no key has kid `own`".to_owned()),
            (their_own, of_ours.clone(), "unknown_key: no key has kid `their-own`".to_owned()),
            (
                planted,
                of_ours.clone(),
                format!(
                    "key_issuer_mismatch: the key signs for `{}`, not for `{}`",
                    issuer(&theirs),
                    issuer(&ours)
                ),
            ),
            // By `iss` of one tenant, by `tid` of the other: the latter says whose keys are meant.
            (
                own,
                with(of_ours.clone(), "iss", json!(issuer(&theirs))),
                format!("wrong_issuer: iss `{}` is not `{}`", issuer(&theirs), issuer(&ours)),
            ),
            (
                own,
                with(of_theirs.clone(), "iss", json!(issuer(&ours))),
                "unknown_key: no key has kid `own`".to_owned(),
            ),
        ] {
            for good in &good {
                refused_for(&rig, &token(key, &claims), &audit, good).await;
            }
        }
    });
}
