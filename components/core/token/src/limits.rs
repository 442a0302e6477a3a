//! Every limit of a token, with its reason. What a limit refuses costs a look at its size and no more.

/// Longest token that is looked at, in bytes. Entra's access tokens are 1.2 to 3 kB; with 200 group ids about 9 kB. What is
/// longer would only cost time.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Deepest nesting of objects and arrays in header or payload, the object itself being the first level. Entra's deepest claim is
/// `_claim_sources` with three; RFC 8259 section 9 leaves a limit to the reader, and no reader of what passes this one needs more stack than it has.
pub const MAX_DEPTH: usize = 32;

/// Most members that a header or claims object may have. Entra sends at most about 40.
pub(crate) const MAX_MEMBERS: usize = 128;

/// Longest `kid` that is compared, in bytes. Entra's are 27 or 43 characters.
pub(crate) const MAX_KEY_ID_BYTES: usize = 256;

/// Longest `client_id` of a token of ours, in bytes: a client that is known by a metadata document has its URL for a name.
pub(crate) const MAX_CLIENT_ID_BYTES: usize = 1024;

/// Longest `sid` of a token of ours, in bytes: tenant, user and 256 random bits in base64url.
pub(crate) const MAX_SESSION_ID_BYTES: usize = 128;

/// Largest clock difference that may be configured, in seconds: what Microsoft's own validators tolerate.
pub const MAX_LEEWAY: u32 = 300;

/// Most keys that a set may hold. Entra's tenants have 4 to 10; its guidance is to be able to hold 10 to 1000 (Microsoft identity platform, signing key rollover).
pub const MAX_KEYS: usize = 1000;

/// Longest value that an error shows, in characters: an issuer with its tenant and what follows it. Far less than any token.
pub(crate) const MAX_SHOWN: usize = 128;
