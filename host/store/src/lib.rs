//! Where state lives: named byte strings with a lifetime, in memory, in one file, or in Redis or Valkey.
//!
//! A host opens one [`Store`] and gives each capability a [`Ranged`], which reads and writes one [`Range`] and cannot name another.
//!
//! ```
//! use std::time::Duration;
//! use valet_store::{Range, Store, SystemClock, Term};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let store = Store::memory(SystemClock);
//! let sessions = store.range(Range::Sessions);
//! sessions.set("alice", b"sealed", Some(Duration::from_secs(3600))).await?;
//!
//! // Whoever refreshes the session holds its lease, and replaces only what it has read.
//! let term = Term { lifetime: Duration::from_secs(30), patience: Duration::from_secs(10) };
//! let lease = sessions.lease("alice", term).await?;
//! let old = sessions.get("alice").await?;
//! assert!(sessions.swap("alice", old.as_deref(), b"renewed", Some(Duration::from_secs(3600))).await?);
//! lease.release().await?;
//!
//! // A code is redeemed once, whoever else tries.
//! let grants = store.range(Range::Grants);
//! grants.set("code", b"whose", Some(Duration::from_secs(60))).await?;
//! assert_eq!(grants.take("code").await?.as_deref(), Some(&b"whose"[..]));
//! assert_eq!(grants.take("code").await?, None);
//! # Ok::<(), valet_store::StoreError>(())
//! # }).unwrap();
//! ```
//!
//! # Which one
//!
//! | | [`Store::memory`] | [`Store::disk`] | [`Store::redis`] |
//! |---|---|---|---|
//! | survives the process | no | yes | yes |
//! | shared by several processes | no | no, the file is locked | yes |
//! | holds | [`limits::MEMORY_RANGE_BYTES`] a range | what the disk holds, in little memory | what `maxmemory` allows |
//! | a write is kept once it has returned | until the process ends | also after kill −9 and power loss | as the server's `appendfsync` says |
//!
//! Memory is for trying things out and for servers that keep no sessions. 100,000 sessions belong on disk or in Redis.
//!
//! # What holds for all of them
//!
//! - An operation is atomic: others see it whole or not at all, and so does a process that starts after a crash.
//! - A value whose lifetime is over is never given out. Its space is reclaimed later, some with each write.
//! - Names and values are bounded ([`limits`]); so is the work of one operation.
//! - A write whose future is dropped may still happen. A write that fails with [`StoreError::Unavailable`] may have happened.
//! - No operation blocks the executor.
//! - What fails is told apart ([`StoreError`]) and works again once its cause is gone, without a restart.
//!
//! Values are stored as they are: whoever keeps secrets seals them first.

mod clock;
mod disk;
mod error;
mod lease;
pub mod limits;
mod memory;
mod range;
mod ranged;
mod redis;
mod store;

pub use self::redis::RedisSettings;
pub use clock::{Clock, SystemClock};
pub use error::{Part, StoreError};
pub use lease::{Lease, Term};
pub use range::Range;
pub use ranged::Ranged;
pub use store::Store;
