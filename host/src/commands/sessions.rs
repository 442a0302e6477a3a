//! `valet sessions`: an administrator's view of the sign-in sessions in a store, and their end.
//!
//! A session that is not in the store has ended, for refresh tokens at once and for access tokens with the next request: servers ask the store each time.

use std::io::Write;

use futures_util::future::try_join_all;
use valet_store::{Range, Ranged, Store, StoreError};

/// Names that are read at once.
const PAGE: usize = 500;

/// Why sessions could not be shown or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// The store.
    #[error("storage: {0}")]
    Store(#[from] StoreError),
    /// Standard output.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

/// Which sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those of one user: tenant and object id, GUIDs in lower case.
    Of {
        /// The tenant.
        tenant_id: String,
        /// The user.
        object_id: String,
    },
}

impl Which {
    /// What names of these records begin with; see `valet-core-entra`, `SessionId`.
    fn prefix(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Of { tenant_id, object_id } => format!("{tenant_id}.{object_id}."),
        }
    }

    /// The same for records of what users permitted; see `valet-core-oauth`, `account::record_name`.
    fn accounts(&self) -> String {
        match self {
            Self::All => "account/".to_owned(),
            Self::Of { tenant_id, object_id } => format!("account/{tenant_id}/{object_id}"),
        }
    }
}

/// Ends sessions, says how many, and forgets what their users permitted: who signs in again is asked again.
///
/// # Errors
/// [`SessionsError`]. Then some may have ended; running it again ends the others.
pub async fn revoke(store: &Store, which: &Which, out: &mut impl Write) -> Result<(), SessionsError> {
    let sessions = store.range(Range::Sessions);
    let (prefix, mut after, mut ended) = (which.prefix(), String::new(), 0_usize);
    while let Some(names) = page(&sessions, &prefix, &mut after).await? {
        // Together, since a file commits together what comes together.
        try_join_all(names.iter().map(|name| sessions.delete(name))).await?;
        ended += names.len();
    }
    // After the sessions, which are listed in there too: whatever fails here can be tried again.
    let accounts = store.range(Range::Grants);
    let (prefix, mut after) = (which.accounts(), String::new());
    loop {
        let names = accounts.names(&prefix, &after, PAGE).await?;
        let Some(last) = names.last() else { break };
        after.clone_from(last);
        let concerned = names.iter().filter(|name| which == &Which::All || **name == prefix);
        try_join_all(concerned.map(|name| accounts.delete(name))).await?;
    }
    writeln!(out, "{ended} sessions ended")?;
    Ok(())
}

/// Shows how many sessions each user has.
///
/// # Errors
/// [`SessionsError`].
pub async fn list(store: &Store, out: &mut impl Write) -> Result<(), SessionsError> {
    let sessions = store.range(Range::Sessions);
    let (mut after, mut user, mut count) = (String::new(), String::new(), 0_usize);
    while let Some(names) = page(&sessions, "", &mut after).await? {
        // In the order of names, so a user's are together.
        for name in &names {
            let owner = name.rsplit_once('.').map_or(name.as_str(), |(owner, _)| owner);
            if owner != user {
                show(&user, count, out)?;
                (user, count) = (owner.to_owned(), 0);
            }
            count += 1;
        }
    }
    show(&user, count, out)
}

/// The sessions among the next names that begin with `prefix` and come after `after`, which moves on; none at the end.
async fn page(of: &Ranged, prefix: &str, after: &mut String) -> Result<Option<Vec<String>>, StoreError> {
    let mut names = of.names(prefix, after, PAGE).await?;
    let Some(last) = names.last() else { return Ok(None) };
    after.clone_from(last);
    names.retain(|name| is_session(name));
    Ok(Some(names))
}

fn show(user: &str, count: usize, out: &mut impl Write) -> Result<(), SessionsError> {
    if let Some((tenant_id, object_id)) = user.split_once('.') {
        writeln!(out, "{object_id}@{tenant_id}  {count}")?;
    }
    Ok(())
}

/// The range also has what policies want of users at their next sign-in, which stays.
fn is_session(name: &str) -> bool {
    !name.starts_with("claims.")
}

#[cfg(test)]
mod tests {
    use valet_store::SystemClock;

    use super::*;

    async fn store() -> Store {
        let store = Store::memory(SystemClock);
        let sessions = store.range(Range::Sessions);
        for name in ["t.a.1", "t.a.2", "t.b.1", "u.a.1", "claims.t.a"] {
            sessions.set(name, b"sealed", None).await.unwrap();
        }
        let grants = store.range(Range::Grants);
        for name in ["account/t/a", "account/t/ab", "account/u/a", "client/x"] {
            grants.set(name, b"{}", None).await.unwrap();
        }
        store
    }

    async fn text(store: &Store) -> String {
        let mut out = Vec::new();
        list(store, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[tokio::test]
    async fn sessions_are_shown_by_user_and_ended_by_user() {
        let store = store().await;
        assert_eq!(text(&store).await, "a@t  2\nb@t  1\na@u  1\n");
        let which = Which::Of { tenant_id: "t".to_owned(), object_id: "a".to_owned() };
        let mut out = Vec::new();
        revoke(&store, &which, &mut out).await.unwrap();
        assert_eq!(out, b"2 sessions ended\n");
        assert_eq!(text(&store).await, "b@t  1\na@u  1\n");
        let grants = store.range(Range::Grants);
        let all = async || grants.names("", "", PAGE).await.unwrap();
        assert_eq!(all().await, ["account/t/ab", "account/u/a", "client/x"]);
        revoke(&store, &Which::All, &mut out).await.unwrap();
        assert_eq!(text(&store).await, "");
        assert!(store.range(Range::Sessions).exists("claims.t.a").await.unwrap());
        assert_eq!(all().await, ["client/x"]);
    }
}
