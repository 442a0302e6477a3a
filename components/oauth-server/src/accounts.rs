//! The records of users: what they permitted, and which sessions they have.

use valet_core_oauth::account::{self, Account};
use valet_core_oauth::refresh;
use valet_core_oauth::user::{Grant, User};

use crate::bindings::valet::oauth::sessions;
use crate::exchange::Exchange;
use crate::grants::{self, Change};

pub(crate) fn read(user: &User) -> Result<Account, String> {
    Ok(Account::read(grants::get(&account::record_name(user))?.as_deref()))
}

/// Changes the record of `user`.
pub(crate) fn change<T>(
    exchange: &Exchange<'_>,
    user: &User,
    mut change: impl FnMut(&mut Account) -> T,
) -> Result<T, String> {
    let lifetime = account::lifetime(&exchange.settings);
    grants::change(&account::record_name(user), |record| {
        let mut account = Account::read(record);
        let outcome = change(&mut account);
        Change::Replace(account.to_record(), lifetime, outcome)
    })
}

/// Ends a session with its family of refresh tokens, where that is known: without its session it is refused in any case. The error is for the log; a session that could
/// not be closed still lives.
pub(crate) fn end(session: &str, family: Option<&str>) -> Result<(), String> {
    sessions::close(session).map_err(|failure| crate::entra::words(&failure))?;
    family.map_or(Ok(()), end_family)
}

/// Ends a family of refresh tokens.
pub(crate) fn end_family(family: &str) -> Result<(), String> {
    grants::delete(&refresh::record_name(family))
}

/// Ends what a client presented, as [`end`] does, and takes it out of its user's record.
pub(crate) fn end_granted(
    exchange: &Exchange<'_>,
    grant: &Grant,
    family: Option<&str>,
) -> Result<(), String> {
    end(&grant.session.id, family)?;
    change(exchange, &grant.session.user, |account| account.end(&grant.session.id))
}
