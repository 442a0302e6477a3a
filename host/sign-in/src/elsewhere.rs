//! A sign-in that is finished elsewhere: while a person is awaited here they may sign in by `valet login`, or for another client's server. Then nobody has to be
//! awaited any more.

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::account::AccountId;
use crate::acquire::Desk;
use crate::ask::Ask;
use crate::cache::Stamp;
use crate::error::{Halt, SignInError};
use crate::grant::AccessToken;
use crate::limits::ELSEWHERE_POLL;

/// What was there at some time: the cache, by its stamp, and who is in use. The one is written before the other, so both are looked at.
#[derive(PartialEq, Eq)]
pub(crate) struct Seen(Stamp, Option<AccountId>);

impl Seen {
    /// Who was in use.
    pub(crate) fn chosen(&self) -> Option<&AccountId> {
        self.1.as_ref()
    }
}

impl Desk {
    /// What is there now.
    pub(crate) fn seen(&self) -> Seen {
        // A choice that cannot be read is as good as none here: whoever needs it says why.
        Seen(self.store.stamp(), self.choice.read().ok().flatten())
    }

    /// A token for `ask`, as soon as something has changed since `seen` by which there is one without a person's help. Pending until then.
    ///
    /// It is of the account in use by then, as for a call that comes later: `valet login` switches, unless the settings pin an account. None once it is `over`,
    /// since nobody has to look any more; a look that has begun goes on to its end.
    pub(crate) async fn signed_in_elsewhere(
        &self,
        ask: &Ask,
        mut seen: Seen,
        over: &Notify,
    ) -> Option<AccessToken> {
        loop {
            tokio::select! {
                biased;
                () = over.notified() => return None,
                () = sleep(ELSEWHERE_POLL) => {}
            }
            let now = self.seen();
            if now == seen {
                continue;
            }
            match self.without_a_person(&mut ask.clone()).await {
                Ok(token) => {
                    tracing::info!(
                        "somebody has signed in elsewhere, so the sign-in that waited here is over"
                    );
                    return Some(token);
                }
                // Busy, locked or out of reach for a moment: looked at again although nothing else changes.
                Err(Halt::Fail(error @ (SignInError::Cache(_) | SignInError::Unreachable { .. }))) => {
                    tracing::debug!(%error, "whether the sign-in elsewhere is enough here is not known yet");
                }
                Err(halt) => {
                    tracing::debug!(why = halt.why(), "the sign-in elsewhere is not enough here");
                    seen = now;
                }
            }
        }
    }
}
