//! What the browser keeps for us: cookies whose values are sealed, each bound to its name.

use valet_core_oauth::cookie::{self, Cookies};
use valet_core_oauth::transaction::{self, Any, Purpose, Transaction, TransactionError};
use valet_core_oauth::user::{self, User};
use valet_core_oauth::{ExposeSecret as _, SecretString};

use crate::bindings::valet::capability::request_state;
use crate::exchange::Exchange;
use crate::grants;

/// The user whom this browser was last signed in as, and the sealed value that says so.
pub(crate) fn user<'a>(cookies: &Cookies<'a>) -> Option<(User, &'a str)> {
    let sealed = cookies.get(user::COOKIE)?;
    let plain = open(user::COOKIE, sealed)?;
    Some((User::from_plain(plain.expose_secret())?, sealed))
}

/// The `Set-Cookie` value by which this browser is known again as `user`'s.
pub(crate) fn remember_user(exchange: &Exchange<'_>, user: &User) -> Result<String, String> {
    let lifetime = user::cookie_lifetime(&exchange.settings);
    let sealed = seal(user::COOKIE, &user.to_plain(), lifetime)?;
    Ok(cookie::set(user::COOKIE, &sealed, lifetime))
}

/// The transaction `id`, from its cookie.
pub(crate) fn transaction(exchange: &Exchange<'_>, id: &str) -> Result<Any, TransactionError> {
    Any::open(&exchange.cookies(), id, exchange.now, |sealed, name| open(name, sealed))
}

/// Why a transaction was not given to the browser.
pub(crate) enum KeepError {
    /// It takes this many bytes, too many for a cookie.
    TooLarge(usize),
    /// Sealing failed. For the log.
    Seal(String),
}

impl KeepError {
    /// What happened, for the log.
    pub(crate) fn words(self) -> String {
        match self {
            Self::TooLarge(size) => format!("a transaction of {size} bytes"),
            Self::Seal(why) => why,
        }
    }
}

/// The `Set-Cookie` values that give a transaction to the browser and end those that are too many.
pub(crate) fn keep<P: Purpose>(
    exchange: &Exchange<'_>,
    transaction: &Transaction<P>,
) -> Result<Vec<String>, KeepError> {
    let plain = transaction.to_plain().map_err(KeepError::TooLarge)?;
    let (name, lifetime) = (transaction.cookie_name(), transaction.lifetime(exchange.now));
    let sealed = seal(&name, plain.expose_secret(), lifetime).map_err(KeepError::Seal)?;
    let mut fields: Vec<String> = transaction::superfluous(&exchange.cookies())
        .iter()
        .filter(|old| **old != name)
        .map(|old| cookie::clear(old))
        .collect();
    fields.push(cookie::set(&name, &sealed, lifetime));
    Ok(fields)
}

fn seal(name: &str, plain: &str, lifetime: u64) -> Result<String, String> {
    request_state::seal(plain.as_bytes(), name.as_bytes(), grants::seconds(lifetime))
}

fn open(name: &str, sealed: &str) -> Option<SecretString> {
    let plain = request_state::open(sealed, name.as_bytes()).ok()?;
    String::from_utf8(plain).ok().map(SecretString::from)
}
