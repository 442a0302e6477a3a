//! Every limit of the sign-in, each with its reason.

use std::time::Duration;

/// A cached token with fewer seconds left is renewed: what MSAL does, and enough for a slow call with retries.
pub const RENEW_BEFORE: u64 = 300;

/// A cached token with at least so many seconds left is still given out where renewing it failed for want of the authority: one call.
pub const LAST_RESORT: u64 = 30;

/// Seconds by which the authority's clock may differ from ours in an ID token: clocks of people's machines are minutes off at times, and
/// five minutes is what Microsoft's own validators grant.
pub const CLOCK_LEEWAY: u64 = 300;

/// For a request to the authority, from connecting to the last byte. Token requests of Entra take below a second.
pub const AUTHORITY_DEADLINE: Duration = Duration::from_secs(30);

/// Longest answer of the authority that is read, in bytes. With 200 groups in each of two tokens an answer has about 30 kB.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// For a person in the browser: a password, a second factor and a page of consent.
pub const BROWSER_WAIT: Duration = Duration::from_secs(300);

/// Longest body that the loopback listener reads, in bytes. A code has about 1.5 kB.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;

/// For a request to the loopback listener to arrive whole. It comes from a browser on the same machine.
pub const REPLY_DEADLINE: Duration = Duration::from_secs(10);

/// Connections to the loopback listener at a time. A browser opens two to six.
pub const MAX_CONNECTIONS: usize = 16;

/// Between two tries to take a connection where the system gives none, which it says at once: most often there are too many open files.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Tries in a row without a connection, after which the loopback listener gives up: ten seconds. A browser shows an error long before.
pub const ACCEPTS_TRIED: usize = 100;

/// Ports tried for a listener on both addresses of `localhost`. One is nearly always enough; more than a few are somebody's attack.
pub const PORTS_TRIED: usize = 16;

/// For the last page to reach the browser before the listener closes.
pub const FAREWELL: Duration = Duration::from_secs(3);

/// Longest interval between two polls of a device code, whatever the authority asks: past it nobody would wait.
pub const MAX_POLL_INTERVAL: u64 = 60;

/// Longest life of a device code that is waited for, in seconds. Entra's is 900.
pub const MAX_CODE_LIFE: u64 = 1800;

/// Between two looks whether somebody has signed in elsewhere, while a person is awaited here. A look reads two small files, and nobody notices a second.
pub const ELSEWHERE_POLL: Duration = Duration::from_secs(1);

/// For the broker to answer where nobody has to do anything.
pub const BROKER_SILENT: Duration = Duration::from_secs(30);

/// For the broker to take its window away when a program ends. It has nobody to ask about that, and MCP clients kill after two seconds or more.
pub const BROKER_FAREWELL: Duration = Duration::from_secs(2);

/// Longest answer of the broker that is read, in bytes, as for [`MAX_ANSWER_BYTES`].
pub const MAX_BROKER_BYTES: usize = 256 * 1024;

/// For the keychain, which may ask the person to unlock it.
pub const KEYCHAIN_DEADLINE: Duration = Duration::from_secs(120);

/// For another process to let go of the cache. It holds it for one request to the authority at most.
pub const LOCK_DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks whether another process has let go of the cache.
pub const LOCK_POLL: Duration = Duration::from_millis(20);

/// Largest cache that is read, in bytes: about a thousand tokens.
pub const MAX_CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// Largest cache that is kept in the keychain itself, in bytes; a larger one is a sealed file whose key is in the keychain. Windows has a
/// limit of 2560; on other systems keychains are made for passwords, and some grow slow.
pub const MAX_KEYCHAIN_BYTES: usize = if cfg!(windows) { 2560 } else { 256 * 1024 };

/// Reasons to skip a step that are told in a process, each once. There are a dozen; texts of the system or the broker that are another at each time must not fill a
/// log and the memory.
pub const MAX_TOLD: usize = 64;

/// Characters of a foreign text that an error or a page shows.
pub const SHOWN: usize = 200;

/// The part of a foreign text that may stand in a log, an error or a page: short, one line, ASCII.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
