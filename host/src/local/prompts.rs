//! How a sign-in reaches the person behind an MCP client: the system's browser, standard error, and the answer of the call that waits.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Duration, Instant};
use url::Url;
use valet_sign_in::{DeviceCode, DismissedFuture, PromptError, PromptFuture, Prompts, Terminal};

/// What a person was asked to do and has not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// To finish in a window: of the browser, where this address is open, or of the system's broker.
    Window(Option<Url>),
    /// To enter this code.
    Code {
        /// The code, and where.
        code: DeviceCode,
        /// When it ends.
        until: Instant,
    },
}

impl Asked {
    /// What they have to do, for the answer of a call.
    pub(super) fn words(&self, now: Instant) -> String {
        match self {
            Self::Window(Some(url)) => format!(
                "The sign-in with Microsoft is not finished yet. Finish it in the browser window that was opened, then try again. \
                 If it is closed, open this address in a browser on this machine: {url}"
            ),
            Self::Window(None) => {
                "The sign-in with Microsoft is not finished yet. Finish it in the window that was opened, then try again. If there is none \
                 to be seen, run `valet login --device-code` in a terminal."
                    .to_owned()
            }
            Self::Code { code, until } => format!(
                "To sign in with Microsoft, open {} in a browser and enter the code {} within {} minutes. Then try again.",
                code.verification_uri,
                code.user_code,
                (until.saturating_duration_since(now).as_secs() / 60).max(1)
            ),
        }
    }

    /// The page that a client can send them to. The sign-in that waits is finished there, also by who has closed its window.
    pub(super) fn page(&self) -> Option<&str> {
        match self {
            Self::Window(url) => url.as_ref().map(Url::as_str),
            Self::Code { code, .. } => Some(code.verification_uri.as_str()),
        }
    }
}

/// What the client has said of its user.
#[derive(Default)]
pub(super) struct Client {
    /// The user does not want what they are asked now. What they are asked later is another matter.
    declined: watch::Sender<()>,
    /// It is leaving. Nothing takes that back.
    gone: watch::Sender<bool>,
}

impl Client {
    /// The user does not want what they are asked now.
    pub(super) fn decline(&self) {
        self.declined.send_replace(());
    }

    /// It is leaving.
    pub(super) fn leave(&self) {
        self.gone.send_replace(true);
    }

    /// Done once the user does not finish what they are asked from here on.
    fn dismissed(&self) -> impl Future<Output = ()> + Send {
        // Both at once: from here on nothing is missed.
        let (mut declined, mut gone) = (self.declined.subscribe(), self.gone.subscribe());
        async move {
            // An error would be the end of a sender, which is ours.
            tokio::select! {
                _ = declined.changed() => {}
                _ = gone.wait_for(|gone| *gone) => {}
            }
        }
    }
}

/// Shows what [`Terminal`] shows, and tells the calls that wait what a person has been asked, while that counts.
pub(super) struct Shown {
    pub(super) tell: watch::Sender<Option<Asked>>,
    pub(super) client: Arc<Client>,
}

/// Takes back what was asked when the sign-in drops the prompt, however it ended.
struct WhileAsked<'a>(&'a watch::Sender<Option<Asked>>);

impl Drop for WhileAsked<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

impl Shown {
    async fn while_asked(&self, asked: Asked, shown: PromptFuture<'_>) -> Result<(), PromptError> {
        let dismissed = self.client.dismissed();
        let _while = WhileAsked(&self.tell);
        self.tell.send_replace(Some(asked));
        let ask = async {
            shown.await?;
            pending::<Result<(), PromptError>>().await
        };
        tokio::select! {
            // First, so that nothing is shown to somebody who is gone.
            biased;
            () = dismissed => {
                tracing::info!("the sign-in is not waited for any more: its user declined, or the client is leaving");
                Err(PromptError::Cancelled)
            }
            ended = ask => ended,
        }
    }
}

/// What is shown beside the answer of a call, which has the code too. Some clients close standard error, and then the answer is enough.
async fn also_answered(shown: PromptFuture<'_>) -> Result<(), PromptError> {
    match shown.await {
        Err(PromptError::Unavailable(why)) => {
            tracing::debug!(why, "the code is in the answer of the call alone");
            Ok(())
        }
        shown => shown,
    }
}

impl Prompts for Shown {
    fn browser<'a>(&'a self, url: &'a Url) -> PromptFuture<'a> {
        Box::pin(self.while_asked(Asked::Window(Some(url.clone())), Terminal.browser(url)))
    }

    fn device_code<'a>(&'a self, code: &'a DeviceCode) -> PromptFuture<'a> {
        let until = Instant::now() + Duration::from_secs(code.expires_in);
        let asked = Asked::Code { code: code.clone(), until };
        Box::pin(self.while_asked(asked, Box::pin(also_answered(Terminal.device_code(code)))))
    }

    /// The broker is asked as long as this is waited for, so they may be before its window.
    fn dismissed(&self) -> DismissedFuture<'_> {
        Box::pin(async {
            // It ends in no other way.
            let _ = self.while_asked(Asked::Window(None), Box::pin(async { Ok(()) })).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As where standard error is closed.
    #[tokio::test]
    async fn a_code_that_is_in_the_answer_needs_no_standard_error() {
        let broken =
            || Box::pin(async { Err(PromptError::Unavailable("standard error: broken".to_owned())) });
        assert_eq!(also_answered(broken()).await, Ok(()));
        let dismissed = Box::pin(async { Err(PromptError::Cancelled) });
        assert_eq!(also_answered(dismissed).await, Err(PromptError::Cancelled));
    }
}
