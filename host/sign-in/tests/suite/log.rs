//! What the log says: each skipped step once, and no secret ever.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use entra_emulator::ids;
use secrecy::ExposeSecret as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

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
        let mut line = Line(String::new());
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
    }
    rig.emulator.revoke(ids::ADELE_UPN, entra_emulator::RevocationReason::Sessions).unwrap();
    rig.advance(LONG);
    rig.nobody_home();
    for _ in 0..2 {
        sign_in.token(&[GRAPH], None).await.unwrap_err();
    }
    let cache = rig.on_disk();
    for section in ["AccessToken", "IdToken"] {
        secrets.extend(
            cache[section].as_object().unwrap().values().map(|e| e["secret"].as_str().unwrap().to_owned()),
        );
    }
    let lines = log.0.lock().unwrap().clone();
    let told = |step: &str, why: &str| {
        lines.iter().filter(|line| line.contains(&format!("step={step} ")) && line.contains(why)).count()
    };
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
