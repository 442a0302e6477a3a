//! The one check of refusals: status, challenge, body and audit, exactly; then a good call that works.

use std::sync::atomic::{AtomicU32, Ordering};

use entra_emulator::ids;

use crate::ask::{Answer, Ask};
use crate::log::{audit_line, is_audit};
use crate::rig::Rig;

/// What every challenge for the default policy ends with.
pub const CHALLENGE_END: &str = "scope=\"https://valet.example/mcp/mcp.access\", \
     resource_metadata=\"https://valet.example/.well-known/oauth-protected-resource/mcp\"";

/// What a refusal has to be. `*` in a text stands for anything.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The value of `WWW-Authenticate`; empty for none.
    pub challenge: String,
    /// The body.
    pub body: String,
    /// The audit events in order, joined by `; `; empty for none.
    pub audit: String,
}

impl Refusal {
    /// A refusal without a challenge.
    #[must_use]
    pub fn plain(status: u16, body: &str, audit: &str) -> Self {
        Self { status, challenge: String::new(), body: body.to_owned(), audit: audit.to_owned() }
    }

    /// A refusal with a challenge for the default policy, whose body repeats it.
    #[must_use]
    pub fn challenge(status: u16, error: &str, description: &str, audit: &str) -> Self {
        Self {
            status,
            challenge: format!(
                "Bearer error=\"{error}\", error_description=\"{description}\", {CHALLENGE_END}"
            ),
            body: format!(r#"{{"error":"{error}","error_description":"{description}"}}"#),
            audit: audit.to_owned(),
        }
    }

    /// A JSON-RPC error with the id of our requests.
    #[must_use]
    pub fn rpc(status: u16, code: i32, message: &str, audit: &str) -> Self {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"{message}"}}}}"#);
        Self::plain(status, &body, audit)
    }

    /// A JSON-RPC error without an id.
    #[must_use]
    pub fn rpc_without_id(status: u16, code: i32, message: &str, audit: &str) -> Self {
        let body = format!(r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":"{message}"}}}}"#);
        Self::plain(status, &body, audit)
    }
}

/// Sends `ask`, which has to be refused as `expected` says, and then a good call, which has to work.
pub async fn refused(rig: &Rig, name: &str, ask: Ask, expected: &Refusal) -> Answer {
    let (answer, audit) = audited(rig, rig.send(ask)).await;
    let found = Refusal {
        status: answer.status,
        challenge: answer.field("www-authenticate").to_owned(),
        body: answer.body.clone(),
        audit,
    };
    let same = found.status == expected.status
        && like(&expected.challenge, &found.challenge)
        && like(&expected.body, &found.body)
        && like(&expected.audit, &found.audit);
    assert!(same, "{name}\nexpected {expected:#?}\nfound {found:#?}");
    answer
}

/// Awaits `work` and gives what it gave, with the audit events that it caused. A good call, which has to work, follows.
pub async fn audited<T>(rig: &Rig, work: impl Future<Output = T>) -> (T, String) {
    let mark = rig.log().mark();
    let begin = barrier(rig, mark).await;
    let done = work.await;
    let good = rig.call("whoami", &rig.good()).await;
    assert_eq!(good.result()["structuredContent"]["objectId"], ids::ALEX.to_string());
    let end = barrier(rig, mark).await;
    let events = rig.log().since(mark).into_iter().filter(is_audit);
    let between =
        events.skip_while(|event| event["tool"] != begin).skip(1).take_while(|event| event["tool"] != end);
    let mut lines: Vec<String> = between.map(|event| audit_line(&event)).collect();
    assert_eq!(lines.pop().as_deref(), Some("allowed permitted"), "the good call");
    (done, lines.join("; "))
}

/// Calls a tool that nobody has, and waits until the log says so: since the log is in order, everything before has been read then. Gives the
/// tool's name, which no other call has.
async fn barrier(rig: &Rig, mark: usize) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("barrier-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    rig.call(&name, &rig.good()).await;
    rig.log().wait(mark, &name, |event| event["tool"] == *name).await;
    name
}

/// Whether `text` is `pattern`, whose `*` stand for anything.
#[must_use]
pub fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
