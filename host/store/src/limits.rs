//! Every limit of the store, with its reason.

use std::time::Duration;

/// Longest name in bytes. Ours are ids and hashes of some 100; a name of `wasi:keyvalue` is a label and up to 255 bytes.
pub const NAME_BYTES: usize = 512;

/// Longest value in bytes: what `wasi:keyvalue` takes at most, and a bit. A sealed session is about 1.2 kB, one with large tokens 20 kB.
pub const VALUE_BYTES: usize = 1024 * 1024;

/// Longest lifetime; a longer one is cut to this. No consent or registration lives that long, and the end of it is a date that Redis takes.
pub const LIFETIME: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// Names that are listed at once: about a millisecond of Redis, whose other clients wait meanwhile.
pub const NAMES_AT_ONCE: usize = 1000;

/// Names that are counted at most. Quotas beyond need a counter of their own.
pub const COUNTED_NAMES: usize = 10_000;

/// Bytes that one range of the memory store holds, names and overhead included, so that no range starves another: 25,000 sessions of 1.2 kB.
pub const MEMORY_RANGE_BYTES: usize = 32 * 1024 * 1024;

/// What an entry of the memory store takes beside name and value: its places in two B-trees, and the heap's own.
pub const MEMORY_ENTRY_BYTES: usize = 160;

/// Entries whose lifetime is over that are removed with each write. More than one, so that a store in use does not grow by them; few, so that no write is
/// slow, nor a commit of [`WRITES_AT_ONCE`] of them.
pub const SWEPT_ENTRIES: usize = 8;

/// Memory for pages of the file. The inner pages of 100,000 sessions take 2 MB of it; the system keeps the rest of the file in its own cache.
pub const DISK_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Space on the disk below which the file takes no new values, in bytes. Deleting goes on, and needs some of it: changed pages are written beside the old ones.
pub const DISK_RESERVE_BYTES: u64 = 8 * 1024 * 1024;

/// Writes that are committed together, and that wait for the next commit; more wait outside. With values of [`VALUE_BYTES`] this is 256 MiB, with sessions 600 kB.
pub const WRITES_AT_ONCE: usize = 256;

/// Time to connect to Redis, TLS and password included. It is in the same network.
pub const REDIS_CONNECT_TIME: Duration = Duration::from_secs(3);

/// Time for an answer of Redis. Answers take less than a millisecond; a server that is silent for longer is taken for lost.
pub const REDIS_ANSWER_TIME: Duration = Duration::from_secs(3);

/// Longest lifetime of a lease, and longest wait for one; longer ones are cut to this. Nobody waits longer for a sign-in to be renewed.
pub const LEASE_TIME: Duration = Duration::from_secs(300);

/// First pause before a lease that is held is asked for again. Each pause is twice the one before. A release in the same process ends the pause.
pub const LEASE_FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Longest such pause: a renewal at Entra takes some 200 ms.
pub const LEASE_LONGEST_PAUSE: Duration = Duration::from_millis(100);
