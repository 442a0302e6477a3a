//! Names by which transactions are found: cookies and records.

use crate::cookie::Cookies;
use crate::limits;

/// What names of its cookies begin with.
const COOKIE: &str = "__Host-valet-tx-";

/// The name of a transaction's cookie.
#[must_use]
pub fn cookie_name(id: &str) -> String {
    format!("{COOKIE}{id}")
}

/// Name of the record that says how far a transaction has come ([`super::Progress`]), so that each `state` counts once. Kept for
/// [`limits::TRANSACTION_LIFETIME`], and written first when Entra's answer is taken: who only begins sign-ins takes no room.
#[must_use]
pub fn used_record(id: &str) -> String {
    format!("used/{id}")
}

/// Whether a text has the form of an id, before it is put into a name.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= 48
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Cookies of transactions beyond [`limits::TRANSACTIONS`], counting the one that is about to be set; the oldest ones. To be cleared.
#[must_use]
pub fn superfluous(cookies: &Cookies<'_>) -> Vec<String> {
    let mut names: Vec<&str> = cookies.names(COOKIE).filter(|name| is_id(&name[COOKIE.len()..])).collect();
    // Times of this century have one length in hexadecimal, so the order of the texts is that of the times.
    names.sort_unstable();
    names.dedup();
    let most = limits::TRANSACTIONS - 1;
    names.truncate(names.len().saturating_sub(most));
    names.into_iter().map(str::to_owned).collect()
}
