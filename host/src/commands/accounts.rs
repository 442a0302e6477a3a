//! `valet login`, `logout`, `accounts` and `whoami`: the accounts of the user of this machine.

use std::io::Write;

use valet_sign_in::{Account, AccountId, LogIn, SignIn, SignInError};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The sign-in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// Nobody is signed in.
    #[error("nobody is signed in; `valet login` signs you in")]
    Nobody,
    /// The account that the configuration pins is not signed in.
    #[error("`local.account` is {pinned}, and that account is not signed in; `valet login` signs it in{}", others(.known))]
    PinnedAway {
        /// The account in the configuration.
        pinned: AccountId,
        /// Who is signed in.
        known: Vec<Account>,
    },
    /// Several are, and none was named.
    #[error("several accounts are signed in; name one with --account, or all with --all:\n{}", lines(.0, None))]
    Which(Vec<Account>),
    /// Standard output.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

/// Signs somebody in and says who.
///
/// # Errors
/// [`AccountsError`].
pub async fn log_in(sign_in: &SignIn, how: LogIn, out: &mut impl Write) -> Result<(), AccountsError> {
    let account = sign_in.log_in(how).await?;
    writeln!(out, "Signed in: {}", line(&account))?;
    Ok(())
}

/// Signs one account out on this machine, or all.
///
/// # Errors
/// [`AccountsError`].
pub async fn log_out(
    sign_in: &SignIn,
    account: Option<AccountId>,
    all: bool,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    let known = sign_in.accounts().await?;
    let chosen: Vec<AccountId> = match (account, known.as_slice()) {
        (Some(account), _) => vec![account],
        (None, []) => return Err(AccountsError::Nobody),
        (None, _) if all => known.into_iter().map(|account| account.id).collect(),
        (None, [only]) => vec![only.id.clone()],
        (None, _) => return Err(AccountsError::Which(known)),
    };
    for account in chosen {
        let account = sign_in.log_out(&account).await?;
        writeln!(out, "Signed out: {}", line(&account))?;
    }
    Ok(())
}

/// Shows the accounts that are signed in, and which one is in use; with `choose`, puts that one in use first.
///
/// # Errors
/// [`AccountsError`].
pub async fn list(
    sign_in: &SignIn,
    choose: Option<AccountId>,
    out: &mut impl Write,
) -> Result<(), AccountsError> {
    if let Some(account) = choose {
        sign_in.choose(&account).await?;
    }
    let known = sign_in.accounts().await?;
    if known.is_empty() {
        return Err(AccountsError::Nobody);
    }
    let in_use = match sign_in.account().await {
        Ok(account) => account.map(|account| account.id),
        Err(SignInError::SeveralAccounts(_)) => None,
        Err(error) => return Err(error.into()),
    };
    writeln!(out, "{}", lines(&known, in_use.as_ref()))?;
    Ok(())
}

/// Shows the account in use.
///
/// # Errors
/// [`AccountsError`].
pub async fn who(sign_in: &SignIn, out: &mut impl Write) -> Result<(), AccountsError> {
    let Some(account) = sign_in.account().await? else {
        return Err(match sign_in.pinned() {
            Some(pinned) => {
                AccountsError::PinnedAway { pinned: pinned.clone(), known: sign_in.accounts().await? }
            }
            None => AccountsError::Nobody,
        });
    };
    writeln!(out, "{}", line(&account))?;
    Ok(())
}

fn others(known: &[Account]) -> String {
    match known {
        [] => String::new(),
        known => format!(". Signed in:\n{}", lines(known, None)),
    }
}

fn lines(accounts: &[Account], in_use: Option<&AccountId>) -> String {
    let line = |account: &Account| {
        let mark = if in_use == Some(&account.id) { '*' } else { ' ' };
        format!("{mark} {}", line(account))
    };
    accounts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Name, user name, and what the account is pinned by.
fn line(account: &Account) -> String {
    let Account { id, username, name, .. } = account;
    let name = name.as_deref().unwrap_or("(no name)");
    let username = username.as_deref().map(|username| format!(" <{username}>")).unwrap_or_default();
    format!("{name}{username}  {id}")
}
