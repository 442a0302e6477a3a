//! Every limit of the host in one place, with its reason. Those that operators may have to change are keys of the configuration; these are
//! their defaults.

use std::time::Duration;

/// Longest request body in bytes. MCP requests are a few kB; the largest are tool arguments with a document in them.
pub const REQUEST_BODY_BYTES: usize = 1024 * 1024;

/// Bytes that are read of a body that is too long, so that its sender gets to read the refusal. Whoever sends more does not want to know.
pub const DISCARDED_BODY_BYTES: usize = 16 * 1024 * 1024;

/// How long that goes on.
pub const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Longest request head (all fields) in bytes: a token of 16 kB and the rest.
pub const REQUEST_HEAD_BYTES: usize = 32 * 1024;

/// Time for a client to send its request head, and for the first request of a connection to come. Slower clients hold a connection for nothing. Over
/// HTTP/1.1 it is also the time that a connection may be idle between two requests.
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

/// Time from one piece of a growing answer to the next: the same as for a whole answer, since a tool may do as much between two reports as in a short call.
pub const PIECE_TIME: Duration = REQUEST_TIME;

/// Time for a growing answer from the request on. It holds one of the places for concurrent requests; the longest work that a user waits for is minutes.
pub const STREAM_TIME: Duration = Duration::from_secs(600);

/// Connections that are open at the same time; for one more, those that have been idle the longest are closed. Each was seen to take 10 kB. Fewer where the
/// system allows fewer descriptors.
pub const CONNECTIONS: usize = 16_384;

/// File descriptors that are kept from client connections: for Entra and Graph, the store, artifacts and the system's own.
pub const RESERVED_DESCRIPTORS: usize = 256;

/// Time for which a connection may have no request open. Over HTTP/1.1 [`REQUEST_HEAD_TIME`] is the shorter one; HTTP/2 connections are dearer to set up
/// again, and clients that poll do so within a minute.
pub const IDLE_TIME: Duration = Duration::from_secs(60);

/// Bytes of an answer that are given to the connection at once: an HTTP/2 frame. What has been taken is how a slow reader is known.
pub const ANSWER_CHUNK_BYTES: usize = 16 * 1024;

/// Time for a client to take one such chunk. One that takes none holds the whole answer in memory.
pub const ANSWER_CHUNK_TIME: Duration = Duration::from_secs(30);

/// Time from asking a client to close its connection (HTTP/2 GOAWAY) to closing it.
pub const CLOSE_TIME: Duration = Duration::from_secs(5);

/// How often connections are looked at for the three times above. They are that much longer at most.
pub const PATROL_TIME: Duration = Duration::from_secs(1);

/// Requests of one HTTP/2 connection at the same time. A browser sends a hundred.
pub const HTTP2_STREAMS: u32 = 100;

/// HTTP/2 requests of one connection that were reset before we looked at them. Honest clients seldom cancel that fast; more is "rapid reset"
/// (CVE-2023-44487) and closes the connection.
pub const HTTP2_RESETS: usize = 20;

/// HTTP/2 requests of one connection that we had to reset because they broke the protocol. Honest clients have none; more closes the connection.
pub const HTTP2_ERRORS: usize = 100;

/// Bytes of an HTTP/2 answer that wait for the client's window, for each request.
pub const HTTP2_SEND_BYTES: usize = 64 * 1024;

/// Bytes that an HTTP/2 client may send ahead of our reading, for each request and for the connection: with less, a request of
/// [`REQUEST_BODY_BYTES`] waits for round trips.
pub const HTTP2_WINDOW_BYTES: u32 = 256 * 1024;

/// How long an HTTP/2 connection may be silent before it is asked whether it is still there, and how long it has to answer. Finds clients that lost their
/// network in the middle of a growing answer.
pub const HTTP2_PING_TIME: Duration = Duration::from_secs(20);

/// Request bodies in memory at the same time, in bytes that have arrived; a request that needs more is answered 503. Anybody can send a body, so this is
/// what strangers can make us hold.
pub const BUFFERED_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Requests in the components at the same time; more are answered 503 at once.
pub const CONCURRENT_REQUESTS: u32 = 256;

/// Calls of one caller in a minute, and at once after a quiet minute. A model that calls tools in a loop makes some 60; this is for loops that went wrong.
pub const CALLS_PER_MINUTE: u32 = 600;

/// What the authorization server may refuse one caller in a minute: sign-ins by Entra, and at each endpoint that asks nobody who they are. So this is how often somebody can try
/// secrets, or have us send requests with our credential, who has nothing but codes that they made up. What succeeds is not counted, so that it does not matter how many
/// people are behind one address; but this many of them are answered at the same time. Behind a proxy, which has one address for all, an operator may want more.
pub const REFUSALS_PER_MINUTE: u32 = 60;

/// Callers whose calls are counted at the same time. Those who have been quiet for a minute are forgotten first; with this many busy ones, newcomers wait.
/// Each takes some 100 bytes.
pub const COUNTED_CALLERS: usize = 65_536;

/// Longest value, in bytes, that is sealed for a client to carry. It comes back in a request, whose head and body have limits of their own.
pub const REQUEST_STATE_BYTES: usize = 64 * 1024;

/// Messages from standard input in the components at the same time; more wait. One user's client seldom has ten.
pub const STDIO_REQUESTS: u32 = 32;

/// Messages from standard input in memory, in bytes; with more, reading waits. A message counts for [`STDIO_MESSAGE_BYTES`] at least.
pub const STDIO_BUFFER_BYTES: u32 = 16 * 1024 * 1024;

/// What a waiting message takes beside its text: a task and its place in a queue.
pub const STDIO_MESSAGE_BYTES: u32 = 16 * 1024;

/// Time for open requests to end after the end of standard input. Clients wait a few seconds before they kill.
pub const STDIO_DRAIN_TIME: Duration = Duration::from_secs(10);

/// Artifacts that one request can have alive: request or authorization, identity and custodian.
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

/// Time to fetch a client's metadata document, which a person waits for.
pub const DOCUMENT_TIME: Duration = Duration::from_secs(5);

/// Metadata documents that are being fetched at the same time. Strangers choose what is fetched, and each fetch holds one of the places for requests for as long as
/// [`DOCUMENT_TIME`]; documents are kept, so honest ones are seldom fetched.
pub const DOCUMENT_FETCHES: usize = 16;

/// Those of one host: two, so that a first sign-in does not wait for another's, and a slow host holds no more than that.
pub const DOCUMENT_FETCHES_OF_HOST: usize = 2;

/// Longest metadata document in bytes. Real ones are below 2 kB.
pub const DOCUMENT_BYTES: usize = 16 * 1024;

/// How long whoever renews a session is alone, and how long others wait for that: longer than [`EGRESS_TOTAL_TIME`], so that it ends by itself only if its
/// process is gone.
pub const SESSION_TURN_TIME: Duration = Duration::from_secs(35);

/// How long a message waits until it is known who uses this machine; `initialize` and what else is answered alike whoever asks does not. A keychain that is open answers in a few milliseconds; one that asks for its password does not
/// answer before its owner does, and clients give up on a server that is silent for so long.
pub const ACCOUNT_TIME: Duration = Duration::from_millis(250);

/// How long a call waits for the user of this machine to sign in, before it answers with what they have to do. Clients give up after a minute.
pub const SIGN_IN_TIME: Duration = Duration::from_secs(45);

/// Idle connections kept to one host.
pub const EGRESS_IDLE_CONNECTIONS: usize = 32;

/// Parsed public keys that are kept. A tenant has 4 to 10.
pub const PARSED_KEYS: usize = 64;

/// Signatures that are remembered as good. Each takes 32 bytes.
pub const REMEMBERED_SIGNATURES: usize = 8192;

/// Verified tokens that are remembered. Each takes what its claims do, some 500 bytes.
pub const REMEMBERED_TOKENS: usize = 4096;

/// The longest of them in bytes: the most that one can take. Longer tokens, of users with very many roles, are judged each time.
pub const REMEMBERED_TOKEN_BYTES: usize = 4096;

/// Seconds for which one is remembered: as long as an instance of the identity artifact keeps its keys, which are looked at after that.
pub const REMEMBERED_TOKEN_TIME: u64 = 10;

/// Longest key and longest value in bytes of `wasi:keyvalue`: what the strictest hosted service takes, so that what works here works there.
pub const KEY_VALUE_KEY_BYTES: usize = 255;

/// See [`KEY_VALUE_KEY_BYTES`].
pub const KEY_VALUE_VALUE_BYTES: usize = 1_000_000;

/// Keys that `wasi:keyvalue` lists at once.
pub const KEY_VALUE_PAGE: usize = 1000;

/// Buckets of `wasi:keyvalue` that one instance may hold open. Our components hold one.
pub const KEY_VALUE_BUCKETS: usize = 64;

/// How long a call waits that comes while a device code is before the person: two polls of the authority (RFC 8628 section 3.2 has five seconds between them), so
/// that a code which was entered is noticed.
pub const CODE_ENTERED_TIME: Duration = Duration::from_secs(11);

/// Longest line in bytes that an administrator's program sends to a running server. The longest that it has is a user, of 73.
pub const ADMINISTRATION_LINE_BYTES: usize = 512;

/// Longest line in bytes that it is sent back: a user with a number, or an error of the store.
pub const ADMINISTRATION_ANSWER_BYTES: usize = 4096;

/// Time for such a line to arrive. It is on the same machine.
pub const ADMINISTRATION_LINE_TIME: Duration = Duration::from_secs(5);

/// Time for the whole of what an administrator wants: a hundred thousand sessions and permissions are some 800 commits of the file, on a slow disk 100 ms each.
pub const ADMINISTRATION_TIME: Duration = Duration::from_secs(120);
