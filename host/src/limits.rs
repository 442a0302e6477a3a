//! Every limit of the host in one place, with its reason. Those that operators may have to change are keys of the configuration; these are
//! their defaults.

use std::time::Duration;

/// Longest request body in bytes. MCP requests are a few kB; the largest are tool arguments with a document in them.
pub const REQUEST_BODY_BYTES: usize = 1024 * 1024;

/// Longest request head (all fields) in bytes: a token of 16 kB and the rest.
pub const REQUEST_HEAD_BYTES: usize = 32 * 1024;

/// Time for a client to send its request head. Slower clients hold a connection for nothing.
pub const REQUEST_HEAD_TIME: Duration = Duration::from_secs(10);

/// Time for a client to send its request body.
pub const REQUEST_BODY_TIME: Duration = Duration::from_secs(15);

/// Time for a TLS handshake.
pub const TLS_HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Time for one request in the components, calls to Entra and Graph included.
pub const REQUEST_TIME: Duration = Duration::from_secs(60);

/// Computing time for one request in the components. The most that a good request was seen to take is 3 ms.
pub const REQUEST_COMPUTE_TIME: Duration = Duration::from_secs(1);

/// How often running components are interrupted, to count their time and let others run.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Linear memory of one component in bytes. The most that a good request was seen to use is 2 MiB.
pub const COMPONENT_MEMORY_BYTES: usize = 16 * 1024 * 1024;

/// Connections that are open at the same time; more wait in the system's queue.
pub const CONNECTIONS: usize = 4096;

/// Request bodies in memory at the same time, in bytes that have arrived; a request that needs more is answered 503. Anybody can send a body, so this is
/// what strangers can make us hold.
pub const BUFFERED_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Requests in the components at the same time; more are answered 503 at once.
pub const CONCURRENT_REQUESTS: u32 = 256;

/// Artifacts that one request can have alive: request, identity and custodian.
pub const ARTIFACTS_PER_REQUEST: u32 = 3;

/// Linear memories of those three together: one for each of their seven components.
pub const MEMORIES_PER_REQUEST: u32 = 8;

/// Core instances, and tables, of those three together: a component is a module and two small adapters.
pub const CORE_INSTANCES_PER_REQUEST: u32 = 24;

/// Identity instances that are kept between requests.
pub const IDLE_IDENTITIES: u32 = 16;

/// Time for open requests to end after a signal to stop.
pub const DRAIN_TIME: Duration = Duration::from_secs(30);

/// Time to resolve a name, connect and shake hands with Entra or Graph.
pub const EGRESS_CONNECT_TIME: Duration = Duration::from_secs(5);

/// Time until the head of an answer from Entra or Graph.
pub const EGRESS_FIRST_BYTE_TIME: Duration = Duration::from_secs(15);

/// Time until the end of an answer from Entra or Graph.
pub const EGRESS_TOTAL_TIME: Duration = Duration::from_secs(30);

/// Longest answer from Entra or Graph in bytes.
pub const EGRESS_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Idle connections kept to one host.
pub const EGRESS_IDLE_CONNECTIONS: usize = 32;

/// Parsed public keys that are kept. A tenant has 4 to 10.
pub const PARSED_KEYS: usize = 64;

/// Signatures that are remembered as good. Each takes 32 bytes.
pub const REMEMBERED_SIGNATURES: usize = 8192;

/// Entries of the in-memory store; past it the store refuses new names.
pub const MEMORY_STORE_ENTRIES: usize = 100_000;

/// Longest key and longest value in bytes of `wasi:keyvalue`: what the strictest hosted service takes, so that what works here works there.
pub const KEY_VALUE_KEY_BYTES: usize = 255;

/// See [`KEY_VALUE_KEY_BYTES`].
pub const KEY_VALUE_VALUE_BYTES: usize = 1_000_000;

/// Keys that `wasi:keyvalue` lists at once.
pub const KEY_VALUE_PAGE: usize = 1000;

/// Buckets of `wasi:keyvalue` that one instance may hold open. Our components hold one.
pub const KEY_VALUE_BUCKETS: usize = 64;
