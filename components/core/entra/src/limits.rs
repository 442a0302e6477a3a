//! The sizes that this crate keeps, each with its reason.

/// Longest ID token that is read, in bytes. Entra's are 1 to 3 kB, with 200 group ids about 9 kB.
pub const MAX_ID_TOKEN_BYTES: usize = 16 * 1024;

/// Longest `client_info` that is read, in bytes. It holds two GUIDs, 130 bytes in base64url.
pub const MAX_CLIENT_INFO_BYTES: usize = 1024;

/// Longest claims request that is sent, in bytes. Those of Conditional Access are below 300; it travels in a URL, and browsers and
/// servers agree on 8 KiB.
pub const MAX_CLAIMS_BYTES: usize = 4 * 1024;

/// Characters of a foreign text that an error keeps: enough for an issuer with its tenant.
pub(crate) const SHOWN: usize = 128;

/// The part of a foreign text that may stand in an error: short, one line, ASCII.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}
