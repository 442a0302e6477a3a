//! What a server wrote to standard error: JSON lines, gathered while it runs.

use std::io::BufRead as _;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a line that has to come may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lines so far. Cheap to clone.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Reads `source` to its end in a thread of its own.
    pub fn gather(&self, source: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in std::io::BufReader::new(source).lines().map_while(Result::ok) {
                log.lines().push(line);
            }
        })
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap()
    }

    /// How many lines there are: a mark for [`Log::since`].
    #[must_use]
    pub fn mark(&self) -> usize {
        self.lines().len()
    }

    /// Everything, as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The events after `mark`; lines that are not JSON are left out.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Value> {
        self.lines().iter().skip(mark).filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The first event after `mark` that `wanted` takes; waits for it, and panics if it does not come or `gone` says that none will.
    pub async fn wait(&self, mark: usize, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(event) = self.since(mark).into_iter().find(|event| wanted(event)) {
                return event;
            }
            assert!(Instant::now() < deadline, "no {what} in the log:\n{}", self.text());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Whether an event is an audit event.
#[must_use]
pub fn is_audit(event: &Value) -> bool {
    event["target"] == "audit"
}

/// Whether an event is an audit event of something that was not allowed. What was allowed before may still be on its way.
#[must_use]
pub fn is_refusal(event: &Value) -> bool {
    is_audit(event) && event["decision"] != "allowed"
}

/// An audit event in one line: decision, reason, and the detail if there is one.
#[must_use]
pub fn audit_line(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    match text("detail") {
        detail if detail.is_empty() => format!("{} {}", text("decision"), text("reason")),
        detail => format!("{} {}: {detail}", text("decision"), text("reason")),
    }
}
