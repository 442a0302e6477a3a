//! How a sign-in reaches the person behind an MCP client: the system's browser, standard error, and the answer of the call that waits.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::{Duration, Instant};
use url::Url;
use valet_sign_in::{DeviceCode, PromptFuture, Prompts, Terminal};

/// What a person was asked to do and has not done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// To finish in a browser window.
    Browser,
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
            Self::Browser => "The sign-in with Microsoft is not finished yet. Finish it in the browser window that was opened, then try again. \
                 If there is none to be seen, run `valet login --device-code` in a terminal."
                .to_owned(),
            Self::Code { code, until } => format!(
                "To sign in with Microsoft, open {} in a browser and enter the code {} within {} minutes. Then try again.",
                code.verification_uri,
                code.user_code,
                (until.saturating_duration_since(now).as_secs() / 60).max(1)
            ),
        }
    }

    /// The page that a client can send them to. A window that is open already is not opened again.
    pub(super) fn page(&self) -> Option<&str> {
        match self {
            Self::Browser => None,
            Self::Code { code, .. } => Some(code.verification_uri.as_str()),
        }
    }
}

/// Shows what [`Terminal`] shows, and tells the calls that wait what a person has been asked, while that counts.
pub(super) struct Shown(pub(super) watch::Sender<Option<Asked>>);

/// Takes back what was asked when the sign-in drops the prompt, however it ended.
struct WhileAsked<'a>(&'a watch::Sender<Option<Asked>>);

impl Drop for WhileAsked<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

impl Shown {
    async fn while_asked<T>(
        &self,
        asked: Asked,
        shown: PromptFuture<'_>,
    ) -> Result<T, valet_sign_in::PromptError> {
        let _while = WhileAsked(&self.0);
        self.0.send_replace(Some(asked));
        shown.await?;
        pending().await
    }
}

impl Prompts for Shown {
    fn browser<'a>(&'a self, url: &'a Url) -> PromptFuture<'a> {
        Box::pin(self.while_asked(Asked::Browser, Terminal.browser(url)))
    }

    fn device_code<'a>(&'a self, code: &'a DeviceCode) -> PromptFuture<'a> {
        let until = Instant::now() + Duration::from_secs(code.expires_in);
        let asked = Asked::Code { code: code.clone(), until };
        Box::pin(self.while_asked(asked, Terminal.device_code(code)))
    }
}
