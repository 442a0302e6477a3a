//! What the log says: each skipped step once, and no secret ever.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use entra_emulator::ids;
use secrecy::ExposeSecret as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use valet_sign_in::Step;

use crate::person::{Does, approve};
use crate::rig::{GRAPH, LONG, Rig, VALET};

/// Keeps every event of ours as text, whatever its level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("valet")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{} ", event.metadata().level()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

/// How often the log says that a step is skipped, at the level that is shown unless somebody asks for less.
fn told(lines: &[String], step: &str, why: &str) -> usize {
    let step = format!("step={step} ");
    let says = |line: &&String| line.starts_with("INFO ") && line.contains(&step) && line.contains(why);
    lines.iter().filter(says).count()
}

/// On most machines of Linux there is none: whoever wonders where its window is can read why.
#[tokio::test]
async fn a_broker_that_the_machine_has_not_got_is_told_once() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let rig = Rig::start().await;
    let sign_in = rig.sign_in_with(|settings| {
        settings.steps.insert(0, Step::Broker);
        settings.session_bus = Some("unix:path=/nowhere".to_owned());
    });
    for scope in [GRAPH, VALET] {
        sign_in.token(&[scope], None).await.unwrap();
    }
    assert_eq!(rig.person.seen(), (2, 0), "each of them went past the broker");
    let lines = log.0.lock().unwrap().clone();
    assert_eq!(told(&lines, "broker", "no session bus: "), 1, "{lines:#?}");
}

/// The secrets in a section of the cache.
fn cached(rig: &Rig, section: &str) -> Vec<String> {
    let cache = rig.on_disk();
    let entries = cache[section].as_object().unwrap().values();
    entries.map(|entry| entry["secret"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_skipped_step_is_told_once_and_no_secret_ever() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, approve(ids::ADELE_UPN));
    let sign_in = rig.sign_in();
    let mut secrets = Vec::new();
    for scope in [GRAPH, VALET] {
        secrets.push(sign_in.token(&[scope], None).await.unwrap().token.expose_secret().to_owned());
        // The one that the next step replaces, and the one that it is replaced by.
        secrets.extend(cached(&rig, "RefreshToken"));
        rig.advance(LONG);
        sign_in.token(&[scope], None).await.unwrap();
        secrets.extend(cached(&rig, "RefreshToken"));
    }
    secrets.dedup();
    let refresh_tokens = 4;
    assert!(secrets.len() >= 2 + refresh_tokens, "each refresh brought another one");
    rig.emulator.revoke(ids::ADELE_UPN, entra_emulator::RevocationReason::Sessions).unwrap();
    rig.advance(LONG);
    rig.nobody_home();
    for _ in 0..2 {
        sign_in.token(&[GRAPH], None).await.unwrap_err();
    }
    for section in ["AccessToken", "IdToken"] {
        secrets.extend(cached(&rig, section));
    }
    let lines = log.0.lock().unwrap().clone();
    let told = |step: &str, why: &str| told(&lines, step, why);
    assert_eq!(told("silent refresh", "nobody is signed in"), 1, "{lines:#?}");
    assert_eq!(told("silent refresh", "the refresh token was refused"), 1, "{lines:#?}");
    assert_eq!(told("silent refresh", "there is no refresh token"), 1, "{lines:#?}");
    assert_eq!(told("broker", "switched off"), 0, "as the person wants it: {lines:#?}");
    assert_eq!(told("browser", "nobody is here"), 1, "however often it is tried: {lines:#?}");
    let code = rig.person.last_code();
    for secret in secrets.iter().chain([&code]) {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{secret}");
    }
}

/// Each refusal of the authority has a correlation id of its own.
#[tokio::test]
async fn a_refusal_that_is_repeated_is_told_once() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    rig.nobody_home();
    // She has not consented to this one.
    let mut refused = Vec::new();
    for _ in 0..2 {
        refused.push(sign_in.token(&[VALET], None).await.unwrap_err().to_string());
    }
    assert!(refused[0].contains("correlation id") && refused[0] != refused[1], "{refused:#?}");
    let lines = log.0.lock().unwrap().clone();
    assert_eq!(told(&lines, "silent refresh", "the authority wants to see the person"), 1, "{lines:#?}");
}
