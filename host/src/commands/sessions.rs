//! `valet sessions`: an administrator's view of the sign-in sessions in a store, and their end.
//!
//! A session that is not in the store has ended, for refresh tokens at once and for access tokens with the next request: servers ask the store each time.
//! A store in a file is its server's alone, which is asked to do the same ([`crate::administration`]).

use std::io::Write;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
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

/// What an administrator can want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// To see who has sessions.
    List,
    /// To end sessions.
    Revoke(Which),
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

/// A user with sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// `OBJECT-ID@TENANT-ID`.
    pub account: String,
    /// How many sessions they have.
    pub sessions: usize,
}

impl User {
    /// Shows the user in a line.
    ///
    /// # Errors
    /// What the output says.
    pub fn show(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "{}  {}", self.account, self.sessions)
    }
}

/// Says how many sessions have ended.
///
/// # Errors
/// What the output says.
pub fn say_ended(ended: usize, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{ended} sessions ended")
}

/// Does what is wanted in `store`, and says what came of it.
///
/// # Errors
/// [`SessionsError`].
pub async fn carry_out(
    store: &Store,
    operation: &Operation,
    out: &mut impl Write,
) -> Result<(), SessionsError> {
    match operation {
        Operation::List => {
            let mut users = Users::of(store);
            while let Some(some) = users.next().await? {
                some.iter().try_for_each(|user| user.show(out))?;
            }
        }
        Operation::Revoke(which) => say_ended(revoke(store, which).await?, out)?,
    }
    Ok(())
}

/// Ends sessions, gives how many, and forgets what their users permitted: who signs in again is asked again.
///
/// # Errors
/// [`StoreError`]. Then some may have ended; running it again ends the others.
pub async fn revoke(store: &Store, which: &Which) -> Result<usize, StoreError> {
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
    Ok(ended)
}

/// The users with sessions, in the order of their tenants and ids.
pub struct Users {
    sessions: Ranged,
    after: String,
    /// Whose sessions may not all have been counted.
    last: Option<User>,
}

impl Users {
    /// Those of `store`.
    #[must_use]
    pub fn of(store: &Store) -> Self {
        Self { sessions: store.range(Range::Sessions), after: String::new(), last: None }
    }

    /// The next users, which may be none yet; no list at the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next(&mut self) -> Result<Option<Vec<User>>, StoreError> {
        let Some(names) = page(&self.sessions, "", &mut self.after).await? else {
            return Ok(self.last.take().map(|user| vec![user]));
        };
        let mut counted = Vec::new();
        // In the order of names, so a user's are together.
        for account in names.iter().filter_map(|name| account(name)) {
            match &mut self.last {
                Some(user) if user.account == account => user.sessions += 1,
                last => counted.extend(last.replace(User { account, sessions: 1 })),
            }
        }
        Ok(Some(counted))
    }
}

/// Whose session has this name: `TENANT-ID.OBJECT-ID.` and what is its own.
fn account(name: &str) -> Option<String> {
    let (tenant_id, object_id) = name.rsplit_once('.')?.0.split_once('.')?;
    Some(format!("{object_id}@{tenant_id}"))
}

/// The sessions among the next names that begin with `prefix` and come after `after`, which moves on; none at the end.
async fn page(of: &Ranged, prefix: &str, after: &mut String) -> Result<Option<Vec<String>>, StoreError> {
    let mut names = of.names(prefix, after, PAGE).await?;
    let Some(last) = names.last() else { return Ok(None) };
    after.clone_from(last);
    names.retain(|name| is_session(name));
    Ok(Some(names))
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
        carry_out(store, &Operation::List, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[tokio::test]
    async fn sessions_are_shown_by_user_and_ended_by_user() {
        let store = store().await;
        assert_eq!(text(&store).await, "a@t  2\nb@t  1\na@u  1\n");
        let which = Which::Of { tenant_id: "t".to_owned(), object_id: "a".to_owned() };
        let mut out = Vec::new();
        carry_out(&store, &Operation::Revoke(which), &mut out).await.unwrap();
        assert_eq!(out, b"2 sessions ended\n");
        assert_eq!(text(&store).await, "b@t  1\na@u  1\n");
        let grants = store.range(Range::Grants);
        let all = async || grants.names("", "", PAGE).await.unwrap();
        assert_eq!(all().await, ["account/t/ab", "account/u/a", "client/x"]);
        assert_eq!(revoke(&store, &Which::All).await, Ok(2));
        assert_eq!(text(&store).await, "");
        assert!(store.range(Range::Sessions).exists("claims.t.a").await.unwrap());
        assert_eq!(all().await, ["client/x"]);
    }

    /// A user's sessions can be on two pages.
    #[tokio::test]
    async fn sessions_are_counted_across_pages() {
        let store = Store::memory(SystemClock);
        let sessions = store.range(Range::Sessions);
        for number in 0..PAGE + 2 {
            sessions.set(&format!("t.b.{number:04}"), b"sealed", None).await.unwrap();
        }
        sessions.set("t.a.1", b"sealed", None).await.unwrap();
        assert_eq!(text(&store).await, format!("a@t  1\nb@t  {}\n", PAGE + 2));
    }
}
