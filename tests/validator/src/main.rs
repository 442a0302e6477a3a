//! Microseconds for one check of a token: in the component with each back end, and by jsonwebtoken with aws-lc in this process.
//!
//! CPU time of this thread, which neighbours disturb less than they do a clock. It measures and judges nothing but one thing: that every check
//! gives what it should.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::json;
use valet::capabilities::{Check, RememberedTokens, SignatureChecks};
use valet_minting::{AUDIENCE, AUTHORITY, KEY_ID, TENANT, V1_AUTHORITY, claims, header, jwk, mint, with};
use valet_validator_rig::{BackEnd, Instance, Rig, Rules, components};
use wasmtime::error::Context as _;
use wasmtime::{Result, ensure};

/// Distinct tokens in a round, and rounds, of which the median is taken.
const TOKENS: usize = 200;
const ROUNDS: usize = 15;

/// What a server written today would read of a token.
#[derive(Deserialize)]
struct Claims {
    tid: String,
    oid: String,
    azp: String,
    scp: String,
}

struct Bench {
    rig: Rig,
    tokens: Vec<String>,
    keys: String,
    rules: Rules,
    now: u64,
}

/// What is measured, and how a round of it is run; each gives CPU nanoseconds for [`TOKENS`] checks.
type Case = (&'static str, fn(&Bench) -> Result<u64>);

const CASES: [Case; 9] = [
    ("native back end, fresh instance", |bench| bench.fresh(&native())),
    ("native back end, reused instance", |bench| bench.reused(&native())),
    ("remembered signature, fresh instance", |bench| {
        let back_end = native();
        bench.reused(&back_end)?;
        bench.fresh(&back_end)
    }),
    ("remembered signature, reused instance", |bench| {
        let back_end = native();
        bench.reused(&back_end)?;
        bench.reused(&back_end)
    }),
    ("remembered token", Bench::remembered),
    ("portable back end, fresh instances", |bench| bench.fresh(&BackEnd::Portable)),
    ("portable back end, reused instances", |bench| bench.reused(&BackEnd::Portable)),
    ("refused by its header, reused instance", Bench::refused),
    ("a new instance, without a check", Bench::instances),
];

fn main() -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let key = valet_minting::key();
    let tokens = (0..TOKENS)
        .map(|number| mint(&key, &header(), &with(claims(now), "uti", json!(format!("token-{number}")))))
        .collect();
    let rules = Rules {
        authority: AUTHORITY.into(),
        v1_authority: V1_AUTHORITY.into(),
        tenants: vec![TENANT.into()],
        audiences: vec![AUDIENCE.into()],
        clients: None,
        leeway: 60,
    };
    let public = jwk(&key, KEY_ID);
    let keys = json!({ "keys": [public] }).to_string();
    let bench = Bench { rig: Rig::new(&components())?, tokens, keys, rules, now };
    let n = public["n"].as_str().context("a modulus")?;
    let bare = DecodingKey::from_rsa_components(n, "AQAB")?;

    // Interleaved, so that a neighbour's load falls on all.
    let mut taken = vec![Vec::new(); CASES.len() + 1];
    for _ in 0..ROUNDS {
        taken[0].push(bench.bare(&bare)?);
        for (at, (name, case)) in CASES.iter().enumerate() {
            taken[at + 1].push(case(&bench).with_context(|| (*name).to_owned())?);
        }
    }
    let micros = |mut rounds: Vec<u64>| {
        rounds.sort_unstable();
        rounds[rounds.len() / 2] as f64 / 1000.0 / TOKENS as f64
    };
    let figures: Vec<f64> = taken.into_iter().map(micros).collect();
    let names =
        std::iter::once("jsonwebtoken with aws-lc, no component").chain(CASES.iter().map(|(name, _)| *name));
    let mut out = String::from("| one check | CPU µs | against the first |\n| --- | ---: | ---: |\n");
    for (name, figure) in names.zip(&figures) {
        out.push_str(&format!("| {name} | {figure:.1} | {:.2} |\n", figure / figures[0]));
    }
    let mut standard = std::io::stdout();
    std::io::Write::write_all(&mut standard, out.as_bytes())?;
    Ok(())
}

fn native() -> BackEnd {
    BackEnd::Native(Arc::new(SignatureChecks::default()))
}

/// CPU nanoseconds that `work` takes on this thread.
fn cpu(work: impl FnOnce() -> Result<()>) -> Result<u64> {
    let read = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime));
    let before = read()?;
    work()?;
    Ok(u64::try_from((read()? - before).as_nanos())?)
}

impl Bench {
    fn check(&self, instance: &mut Instance, token: &str) -> Result<()> {
        let caller = instance.validate(token, &self.keys, &self.rules, self.now)?;
        ensure!(caller.is_ok_and(|caller| caller.tenant_id == TENANT), "a good token was refused");
        Ok(())
    }

    fn fresh(&self, back_end: &BackEnd) -> Result<u64> {
        cpu(|| self.tokens.iter().try_for_each(|token| self.check(&mut self.rig.instance(back_end)?, token)))
    }

    fn reused(&self, back_end: &BackEnd) -> Result<u64> {
        let mut instance = self.rig.instance(back_end)?;
        cpu(|| self.tokens.iter().try_for_each(|token| self.check(&mut instance, token)))
    }

    /// As the host asks before it asks the component, for a token that was verified a moment ago.
    fn remembered(&self) -> Result<u64> {
        let mut instance = self.rig.instance(&native())?;
        let verified = RememberedTokens::default();
        for token in &self.tokens {
            let caller = instance.validate(token, &self.keys, &self.rules, self.now)?;
            let caller = caller.ok().context("a good token was refused")?;
            let ends = caller.expires_at;
            let check = Check { began: self.now, keys_read: self.now };
            verified.keep(token, caller, check, ends);
        }
        cpu(|| {
            self.tokens.iter().try_for_each(|token| {
                let caller = verified.recall(token, self.now);
                ensure!(caller.is_some_and(|caller| caller.tenant_id == TENANT), "a token was forgotten");
                Ok(())
            })
        })
    }

    fn refused(&self) -> Result<u64> {
        let mut instance = self.rig.instance(&native())?;
        cpu(|| {
            self.tokens.iter().try_for_each(|token| {
                let forged = format!("e30{}", &token[token.find('.').unwrap_or_default()..]);
                let verdict = instance.validate(&forged, &self.keys, &self.rules, self.now)?;
                ensure!(verdict.is_err(), "a token without an algorithm was accepted");
                Ok(())
            })
        })
    }

    fn instances(&self) -> Result<u64> {
        let back_end = native();
        cpu(|| self.tokens.iter().try_for_each(|_| self.rig.instance(&back_end).map(drop)))
    }

    /// The same rules, as far as the library has them.
    fn bare(&self, key: &DecodingKey) -> Result<u64> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[format!("{AUTHORITY}/{TENANT}/v2.0")]);
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
        cpu(|| {
            self.tokens.iter().try_for_each(|token| {
                let header = jsonwebtoken::decode_header(token)?;
                ensure!(header.kid.as_deref() == Some(KEY_ID), "another key");
                let Claims { tid, oid, azp, scp } = decode::<Claims>(token, key, &validation)?.claims;
                ensure!(
                    tid == TENANT && !oid.is_empty() && !azp.is_empty() && !scp.is_empty(),
                    "another caller"
                );
                Ok(())
            })
        })
    }
}
