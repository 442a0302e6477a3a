//! A sign-in that is finished elsewhere: while a person is awaited here they may sign in by `valet login`, or for another client's server. Then nobody has to be
//! awaited any more.

use tokio::time::sleep;

use crate::account::AccountId;
use crate::acquire::{Desk, Who};
use crate::ask::Ask;
use crate::cache::Stamp;
use crate::error::Halt;
use crate::grant::AccessToken;
use crate::limits::ELSEWHERE_POLL;

/// What was there at some time: the cache, by its stamp, and who is in use. The one is written before the other, so both are looked at.
#[derive(PartialEq, Eq)]
pub(crate) struct Seen(Stamp, Option<AccountId>);

impl Desk {
    /// What is there now.
    pub(crate) fn seen(&self) -> Seen {
        // A choice that cannot be read is as good as none here: whoever needs it says why.
        Seen(self.store.stamp(), self.choice.read().ok().flatten())
    }

    /// A token for `ask`, as soon as something has changed since `seen` by which there is one without a person's help. Pending until then.
    ///
    /// It is of the account in use by then, as for a call that comes later: `valet login` switches, unless the settings pin an account.
    pub(crate) async fn signed_in_elsewhere(&self, ask: &Ask, mut seen: Seen) -> AccessToken {
        loop {
            sleep(ELSEWHERE_POLL).await;
            let now = self.seen();
            if now == seen {
                continue;
            }
            seen = now;
            if let Some(token) = self.without_a_person(ask.clone()).await {
                tracing::info!("somebody has signed in elsewhere, so the sign-in that waited here is over");
                return token;
            }
        }
    }

    /// A token for the account in use, where the cache or a refresh token gives one.
    async fn without_a_person(&self, mut ask: Ask) -> Option<AccessToken> {
        let cache = self.store.read().await.ok()?;
        let Who::SignedIn(account) = self.who(&cache).ok()? else { return None };
        if !ask.challenged
            && let Some(token) = self.cached(&cache, &account, &ask)
        {
            return Some(token);
        }
        match self.refresh(&account, &mut ask).await {
            Ok(token) => Some(token),
            Err(Halt::Skip(why) | Halt::Absent(why)) => {
                tracing::debug!(why, "the sign-in elsewhere is not enough here");
                None
            }
            Err(Halt::Fail(error)) => {
                tracing::debug!(%error, "the sign-in elsewhere is not enough here");
                None
            }
        }
    }
}
