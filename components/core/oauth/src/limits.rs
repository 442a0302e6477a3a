//! Every limit of the authorization server, with its reason. All sizes are in bytes, all times in seconds.

/// A query or a form. Longer ones are no authorization request that a browser's address line would carry.
pub const FORM: usize = 16 * 1024;

/// Parameters of a query or a form. OAuth and OIDC together define fewer than thirty for one request.
pub const PARAMETERS: usize = 48;

/// A `client_id`. One that is a URL is the longest; the validator of our access tokens takes 1024 at most.
pub const CLIENT_ID: usize = 512;

/// A redirect URI. It is sealed into a cookie with the rest of the transaction.
pub const REDIRECT_URI: usize = 512;

/// Redirect URIs of one client.
pub const REDIRECT_URIS: usize = 16;

/// The client's own `state`. It is kept in a cookie too, and returned unchanged.
pub const STATE: usize = 1024;

/// Scopes of one request.
pub const SCOPES: usize = 32;

/// A `scope` parameter.
pub const SCOPE: usize = 1024;

/// A transaction before it is sealed. Browsers keep cookies of 4096 bytes with name and attributes; sealing adds a third and a
/// little.
pub const TRANSACTION: usize = 2800;

/// Transactions that one browser may have open, in as many tabs. Each is sent with every request, and servers read
/// 16 kB of header fields at least.
pub const TRANSACTIONS: usize = 3;

/// How long signing in may take, from our first page to the answer of Entra (MCP security best practices: 10 minutes at most).
pub const TRANSACTION_LIFETIME: u64 = 600;

/// How long a browser keeps a transaction. Whoever comes back within the hour is told that it took too long, and not that the sign-in is another's.
pub const TRANSACTION_KEPT: u64 = 3600;

/// Answers of Entra that are taken for one transaction, each of which is a request to its token endpoint: the first, one after the person was asked who really
/// came back, one with claims that a policy wants, and one more for a back button in between.
pub const REDEMPTIONS: usize = 4;

/// A link before it is sealed. With a client's longest id there are a thousand bytes for claims, of which Entra's have some hundreds; all of it has to fit into the
/// transaction.
pub const LINK: usize = 1800;

/// How long a link is good: as long as signing in may take, since the person may have to find their second factor before they open it.
pub const LINK_LIFETIME: u32 = 600;

/// How long an authorization code is good. RFC 6749 section 4.1.2 recommends 10 minutes at most, OWASP ASVS 10.4.3 one minute.
pub const CODE_LIFETIME: u64 = 60;

/// How long a spent code is remembered, so that its second use ends what the first one began (RFC 6749 section 4.1.2).
pub const SPENT_CODE_LIFETIME: u64 = 600;

/// Refresh tokens that may have been given for one and the same predecessor: parallel requests and repeated ones after a lost answer. Of as many
/// requests at once a client may keep whichever answer it likes; of more, one of the last. Each takes 46 bytes until one of them is used.
pub const SUCCESSORS: usize = 16;

/// Characters of a `code_verifier` (RFC 7636 section 4.1).
pub const VERIFIER: core::ops::RangeInclusive<usize> = 43..=128;

/// A secret that a client sends: its own, a code, a refresh token. Ours are 43 to 66 characters.
pub const SECRET: usize = 512;

/// A client metadata document. Real ones have one or two kilobytes; the draft recommends a limit of 5.
pub const DOCUMENT: usize = 16 * 1024;

/// How long a client metadata document is kept at least. A document must not make us fetch it with each request.
pub const DOCUMENT_LIFETIME_LEAST: u64 = 300;

/// How long a client metadata document is kept at most: a client that was taken over can be corrected within a day.
pub const DOCUMENT_LIFETIME_MOST: u64 = 24 * 3600;

/// How long it is remembered that a client metadata document could not be had or is none, so that repeating a request does not repeat the fetch. As short as that:
/// whoever mends their document tries again.
pub const DOCUMENT_FAILURE_LIFETIME: u64 = 30;

/// A registration request (RFC 7591 section 3.1).
pub const REGISTRATION: usize = 16 * 1024;

/// How long a registered client stays registered before anybody signs in with it. Clients register when they begin a sign-in.
pub const REGISTRATION_UNUSED_LIFETIME: u64 = 3600;

/// How long a registered client stays registered; longer than any of its refresh tokens can live.
pub const REGISTRATION_LIFETIME: u64 = 91 * 24 * 3600;

/// Characters of a client's name that are shown. It is the client's own claim, so it gets one line.
pub const CLIENT_NAME: usize = 60;

/// Clients that one user can have permitted; the oldest permission is forgotten for the next.
pub const CONSENTS: usize = 64;

/// Sessions of one user; the oldest ends when there is one more.
pub const SESSIONS: usize = 64;

/// Length of access tokens' lives that can be set. Shorter ones only make traffic, longer ones outlive a withdrawn permission in
/// servers that check no session.
pub const ACCESS_TOKEN_LIFETIME: core::ops::RangeInclusive<u64> = 60..=3600;

/// Length of a family of refresh tokens that can be set, counted from the sign-in.
pub const REFRESH_TOKEN_LIFETIME: core::ops::RangeInclusive<u64> = 3600..=90 * 24 * 3600;

/// How long a permission can be remembered.
pub const CONSENT_LIFETIME: core::ops::RangeInclusive<u64> = 0..=366 * 24 * 3600;

/// Clients that can be registered at the same time, as a setting: as far as stores count.
pub const REGISTRATIONS: core::ops::RangeInclusive<u64> = 1..=10_000;
