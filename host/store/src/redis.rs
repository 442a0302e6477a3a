//! The store in Redis or Valkey, which several processes share.
//!
//! Of each range there are, in one slot of a cluster (the braces), the values `valet:{sessions}=NAME`, the sorted set of their names
//! `valet:{sessions}:names`, the set of their ends `valet:{sessions}:ends`, and the leases `valet:{sessions}:lease=NAME`. Redis removes a value whose lifetime is over by itself;
//! its name goes with one of the next writes. Whatever changes more than one key is a script, since those are atomic.

mod connection;
mod scripts;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;

use self::connection::Connection;
use self::scripts::Scripts;
pub use self::settings::RedisSettings;
use crate::clock::milliseconds;
use crate::error::StoreError;
use crate::limits::LIFETIME;
use crate::range::Range;

/// A store in a server.
pub(crate) struct Redis {
    connection: Arc<Connection>,
    scripts: Arc<Scripts>,
}

impl Redis {
    pub(crate) async fn open(settings: &RedisSettings) -> Result<Self, StoreError> {
        let connection = Connection::open(settings).await?;
        Ok(Self { connection: Arc::new(connection), scripts: Arc::default() })
    }

    pub(crate) async fn get(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(value_key(range, name));
        self.connection.query(&command).await
    }

    pub(crate) async fn exists(&self, range: Range, name: &str) -> Result<bool, StoreError> {
        let mut command = redis::cmd("EXISTS");
        command.arg(value_key(range, name));
        self.connection.query(&command).await
    }

    pub(crate) async fn set(
        &self,
        range: Range,
        name: &str,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        let mut script = keyed(&self.scripts.set, range, name);
        script.arg(name).arg(value).arg(lasting(lifetime));
        self.connection.invoke(&script).await
    }

    pub(crate) async fn delete(&self, range: Range, name: &str) -> Result<(), StoreError> {
        let mut script = keyed(&self.scripts.delete, range, name);
        script.arg(name);
        self.connection.invoke(&script).await
    }

    pub(crate) async fn take(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut script = keyed(&self.scripts.take, range, name);
        script.arg(name);
        self.connection.invoke(&script).await
    }

    pub(crate) async fn swap(
        &self,
        range: Range,
        name: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        let mut script = keyed(&self.scripts.swap, range, name);
        let present = if expected.is_some() { "present" } else { "absent" };
        script.arg(name).arg(value).arg(lasting(lifetime)).arg(present).arg(expected.unwrap_or_default());
        self.connection.invoke(&script).await
    }

    pub(crate) async fn names(
        &self,
        range: Range,
        prefix: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        let mut from = if after < prefix { format!("[{prefix}") } else { format!("({after}") };
        // No UTF-8 has the byte 0xff, so it comes after every name with the prefix.
        let to = [b"(", prefix.as_bytes(), b"\xff"].concat();
        let mut names = Vec::new();
        loop {
            let mut script = self.scripts.names.prepare_invoke();
            script.key(names_key(range)).key(value_key(range, ""));
            script.arg(&from).arg(&to).arg(most - names.len());
            let (read, last, live): (usize, String, Vec<String>) = self.connection.invoke(&script).await?;
            let wanted = most - names.len();
            names.extend(live);
            if names.len() == most || read < wanted {
                return Ok(names);
            }
            from = format!("({last}");
        }
    }

    /// The lease, unless another has it.
    pub(crate) async fn lease(
        &self,
        range: Range,
        name: &str,
        lifetime: Duration,
    ) -> Result<Option<RedisLease>, StoreError> {
        let key = format!("valet:{{{}}}:lease={name}", range.name());
        let mut token = [0; 16];
        aws_lc_rs::rand::fill(&mut token).expect("the system has random numbers");
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(&token).arg("NX").arg("PX").arg(milliseconds(lifetime).max(1));
        let taken: Option<String> = self.connection.query(&command).await?;
        let lease = RedisLease {
            connection: Arc::clone(&self.connection),
            scripts: Arc::clone(&self.scripts),
            key,
            token,
        };
        Ok(taken.map(|_| lease))
    }
}

/// A lease that we took, known by a random number that only we have.
pub(crate) struct RedisLease {
    connection: Arc<Connection>,
    scripts: Arc<Scripts>,
    key: String,
    token: [u8; 16],
}

impl RedisLease {
    /// Whether it was still ours.
    pub(crate) async fn release(self) -> Result<bool, StoreError> {
        let mut script = self.scripts.release.prepare_invoke();
        script.key(&self.key).arg(&self.token);
        self.connection.invoke(&script).await
    }
}

fn value_key(range: Range, name: &str) -> String {
    format!("valet:{{{}}}={name}", range.name())
}

fn names_key(range: Range) -> String {
    format!("valet:{{{}}}:names", range.name())
}

/// A script with the three keys that all changes are made to.
fn keyed<'s>(script: &'s redis::Script, range: Range, name: &str) -> redis::ScriptInvocation<'s> {
    let mut invocation = script.key(value_key(range, name));
    invocation.key(names_key(range)).key(format!("valet:{{{}}}:ends", range.name()));
    invocation
}

/// A lifetime as the scripts take it: milliseconds, or −1 for one without end.
fn lasting(lifetime: Option<Duration>) -> i64 {
    let most = |lifetime: Duration| milliseconds(lifetime.min(LIFETIME));
    lifetime.map_or(-1, |lifetime| i64::try_from(most(lifetime)).unwrap_or(i64::MAX))
}

/// The texts of Redis name scripts and settings, no keys, no values and no passwords.
fn failed(error: &RedisError) -> StoreError {
    let reason = error.to_string();
    match error.code() {
        Some("OOM") => StoreError::Full { reason },
        Some("READONLY" | "MISCONF" | "NOREPLICAS") => StoreError::ReadOnly { reason },
        Some("WRONGTYPE") => StoreError::Corrupt { reason },
        _ => StoreError::Unavailable { reason },
    }
}
