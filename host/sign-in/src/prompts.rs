//! How a sign-in reaches the person: the terminal and the system's browser here, the MCP client where the host lends its own.

use std::io::Write as _;
use std::pin::Pin;

use url::Url;

use crate::error::Skip;
use crate::open::open_in_browser;

/// What a prompt ends with. `Ok` says that the person was shown it, not that they did it.
pub type PromptFuture<'a> = Pin<Box<dyn Future<Output = Result<(), PromptError>> + Send + 'a>>;

/// What ends when nobody wants to finish a sign-in any more.
pub type DismissedFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Why a prompt did not reach anybody, or was not wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// It cannot be shown here; the next step is tried.
    #[error("{0}")]
    Unavailable(String),
    /// The person dismissed it; the sign-in ends.
    #[error("dismissed")]
    Cancelled,
}

/// A device code as a person needs it. It is no secret, but whoever enters it decides who signs in: it belongs before the person's eyes
/// and in no log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// What they enter.
    pub user_code: String,
    /// Where they enter it.
    pub verification_uri: Url,
    /// How long it can be entered, in seconds.
    pub expires_in: u64,
}

/// Shows people what they have to do. While a prompt's future is pending the sign-in already goes on; `Cancelled` ends it at any time.
pub trait Prompts: Send + Sync + 'static {
    /// Brings `url` before the person, in a browser on this machine. It is https, and good for this one sign-in.
    fn browser<'a>(&'a self, url: &'a Url) -> PromptFuture<'a>;

    /// Shows a code to be entered in any browser.
    fn device_code<'a>(&'a self, code: &'a DeviceCode) -> PromptFuture<'a>;

    /// Done once the person does not want what another program asks them: the broker, whose window is no prompt of ours.
    fn dismissed(&self) -> DismissedFuture<'_> {
        Box::pin(std::future::pending())
    }

    /// Says, once, that a step cannot be gone. Nobody has to do anything about it: the next one comes. To the log, unless there is somebody who reads along.
    fn skipped(&self, skip: &Skip) {
        tracing::info!(step = %skip.step, why = skip.why, "a step of the sign-in is skipped");
    }
}

/// The system's browser, and standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl Prompts for Terminal {
    fn browser<'a>(&'a self, url: &'a Url) -> PromptFuture<'a> {
        Box::pin(async move {
            let url = url.clone();
            let opened = tokio::task::spawn_blocking(move || open_in_browser(&url)).await;
            let failure = match opened {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(why) = failure {
                return Err(PromptError::Unavailable(why));
            }
            // The window says it too, so nothing is lost where standard error is closed.
            let _ = say(
                "Continue in the browser window that has just opened. If there is none to be seen, use a device code: `valet login --device-code`.",
            );
            Ok(())
        })
    }

    fn device_code<'a>(&'a self, code: &'a DeviceCode) -> PromptFuture<'a> {
        Box::pin(async move {
            let minutes = code.expires_in / 60;
            let text = format!(
                "To sign in, open {} in any browser and enter the code {} (within {minutes} minutes).",
                code.verification_uri, code.user_code
            );
            say(&text)
        })
    }

    fn skipped(&self, Skip { step, why }: &Skip) {
        // Standard error may be closed; then there is nobody to tell.
        let _ = say(&format!("Signing in without the {step}: {why}."));
    }
}

/// One line to standard error: standard output belongs to the protocol.
fn say(text: &str) -> Result<(), PromptError> {
    writeln!(std::io::stderr(), "{text}")
        .map_err(|error| PromptError::Unavailable(format!("standard error: {error}")))
}
