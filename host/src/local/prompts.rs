//! How a sign-in reaches the person behind an MCP client: the system's browser, standard error, and the answer of the call that waits.

use tokio::sync::watch;
use url::Url;
use valet_sign_in::{DeviceCode, PromptFuture, Prompts, Terminal};

/// Shows what [`Terminal`] shows, and tells the calls that wait what a person has to do that needs more than a click.
pub(super) struct Shown(pub(super) watch::Sender<Option<String>>);

impl Prompts for Shown {
    fn browser<'a>(&'a self, url: &'a Url) -> PromptFuture<'a> {
        Terminal.browser(url)
    }

    fn device_code<'a>(&'a self, code: &'a DeviceCode) -> PromptFuture<'a> {
        let DeviceCode { user_code, verification_uri, expires_in } = code;
        let minutes = expires_in / 60;
        self.0.send_replace(Some(format!(
            "To sign in with Microsoft, open {verification_uri} in a browser and enter the code {user_code} within {minutes} minutes. Then try again."
        )));
        Terminal.device_code(code)
    }
}
