//! The user of this machine: who they are, and tokens in their name, for `valet stdio`.
//!
//! The ways to a token are `valet-sign-in`; here they meet a client that waits for an answer. A client gives up after a minute or so, a person takes longer to sign
//! in. So a call waits a while, and if the person is not done by then it ends with words that say what to do, while the sign-in goes on: the next call
//! finds it finished.

mod prompts;
mod settings;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use valet_sign_in::{AccessToken, Account, SettingsError, SignIn, SignInError, Terminal};

pub use settings::{Local, StateDirError, state_dir};

use crate::config::Config;
use crate::limits;
use crate::parts::principal::{Caller, Kind};
use prompts::{Asked, Client, Shown};

/// Nobody in particular: who calls before anybody has signed in.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What nobody in particular is called, for who reads those zeros.
const NOBODY_NAME: &str = "(nobody is signed in yet; the first call that needs Microsoft 365 asks to)";

/// The user of this machine.
pub struct LocalUser {
    sign_in: SignIn,
    /// What the person has been asked and has not done yet.
    asked: watch::Receiver<Option<Asked>>,
    /// What their client says of them.
    client: Arc<Client>,
    /// What every caller may, so that the configured rules that ask for no role let the user of the machine through.
    scopes: Vec<String>,
    client_id: String,
    /// Permissions whose token the API refused: the cached one is not to be used again.
    refused: Mutex<BTreeSet<Vec<String>>>,
}

/// What has to happen before there is a token.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// The person has to do this.
    Action {
        /// What, in words for them.
        words: String,
        /// The page that they have to go to, where that is known.
        page: Option<String>,
    },
    /// The configuration has to change. For the log.
    Operator(String),
    /// Time. For the log.
    Patience(String),
}

/// The sign-in that `config` describes, with prompts on the terminal: for the commands of a person.
///
/// # Errors
/// A [`SettingsError`] that names the setting.
pub fn sign_in(config: &Config, local: &Local) -> Result<SignIn, SettingsError> {
    SignIn::new(local.settings(config)?, Box::new(Terminal))
}

impl LocalUser {
    /// The user whom `config` describes.
    ///
    /// # Errors
    /// A [`SettingsError`] that names the setting.
    pub fn new(config: &Config, local: &Local) -> Result<Self, SettingsError> {
        let (tell, asked) = watch::channel(None);
        let client = Arc::<Client>::default();
        let prompts = Shown { tell, client: Arc::clone(&client) };
        Ok(Self {
            sign_in: SignIn::new(local.settings(config)?, Box::new(prompts))?,
            asked,
            client,
            scopes: local.scopes.clone(),
            client_id: config.settings.get("client_id").cloned().unwrap_or_default(),
            refused: Mutex::default(),
        })
    }

    /// Who calls. Before anybody has signed in it is nobody in particular: lists are shown to them, and the first call that needs Graph signs them in.
    pub(crate) async fn caller(&self) -> Caller {
        self.as_caller(self.account().await)
    }

    /// The account in use, if that is known soon. A keychain can be missing, or ask the person to unlock it, which takes as long as they do; neither must keep a
    /// client from the lists. What is wrong is said when a token is needed.
    async fn account(&self) -> Option<Account> {
        let sign_in = self.sign_in.clone();
        // In a task of its own: the look goes on, and the next message finds what it saw.
        let look = tokio::spawn(async move { sign_in.account().await });
        match timeout(limits::ACCOUNT_TIME, look).await {
            Ok(Ok(Ok(account))) => return account,
            Ok(Ok(Err(error))) => tracing::debug!(%error, "who uses this machine is not known"),
            Ok(Err(error)) => tracing::debug!(%error, "the look at who uses this machine broke off"),
            Err(_) => {
                tracing::debug!("who uses this machine is not known yet: the keychain has not answered")
            }
        }
        None
    }

    fn as_caller(&self, account: Option<Account>) -> Caller {
        let nobody = || (NOBODY.to_owned(), NOBODY.to_owned(), Some(NOBODY_NAME.to_owned()));
        let (tenant_id, object_id, display_name) = account.map_or_else(nobody, |account| {
            (account.id.tenant_id, account.id.object_id, account.name.or(account.username))
        });
        Caller {
            tenant_id,
            object_id,
            kind: Kind::User,
            client_id: self.client_id.clone(),
            display_name,
            scopes: self.scopes.clone(),
            roles: Vec::new(),
            token_id: None,
            session_id: None,
            expires_at: u64::MAX,
        }
    }

    /// A token for `scopes`, with `claims` where the API demands them. `caller` is who calls, as [`Self::caller`] knew them.
    pub(crate) async fn token(
        &self,
        caller: &Caller,
        scopes: &[String],
        claims: Option<&str>,
    ) -> Result<AccessToken, Wanted> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).remove(scopes);
        // A request with claims, even none, takes no token from the cache.
        let claims = claims.or(refused.then_some("{}")).map(str::to_owned);
        let (sign_in, scopes) = (self.sign_in.clone(), scopes.to_vec());
        // In a task of its own, which goes on when the client has its answer.
        let mut flight = tokio::spawn(async move {
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            sign_in.token(&scopes, claims.as_deref()).await
        });
        tokio::select! {
            biased;
            answer = &mut flight => match answer {
                Ok(answer) => answer.map_err(wanted).and_then(|token| of_the_caller(caller, token)),
                Err(error) => Err(Wanted::Patience(format!("the sign-in broke off: {error}"))),
            },
            asked = patience(self.asked.clone()) => Err(unfinished(asked.as_ref())),
        }
    }

    /// Their client is leaving, and with it whoever an answer would reach. What the user was asked for ends, and they are asked for nothing more: the page in
    /// their browser would lead nowhere. What needs nobody goes on.
    pub(crate) fn leave(&self) {
        self.client.leave();
    }

    /// Waits for a moment until nothing of the sign-in is left that would outlive the program. To be called after [`Self::leave`].
    pub(crate) async fn settle(&self) {
        self.sign_in.settle().await;
    }

    /// The user does not want what they are asked for. It ends, and the next call that needs them asks anew.
    pub(crate) fn decline(&self) {
        self.client.decline();
    }

    /// The API refused the token for `scopes`.
    pub(crate) fn forget(&self, scopes: &[String]) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(scopes.to_vec());
    }
}

/// Waits as long as a call waits for the person, and gives what they have to do; none where nobody has asked them anything. Someone who is sent to a browser window
/// only has to click, so the call can wait for that. A code can only be entered by who has the answer, so that is given at once; whoever calls again may have
/// entered it, and is given the time in which that is noticed.
async fn patience(mut asked: watch::Receiver<Option<Asked>>) -> Option<Asked> {
    let before = asked.borrow_and_update().clone();
    let time = match &before {
        Some(Asked::Code { .. }) => limits::CODE_ENTERED_TIME,
        _ => limits::SIGN_IN_TIME,
    };
    let new_code = |asked: &Option<Asked>| matches!(asked, Some(Asked::Code { .. })) && *asked != before;
    let found =
        timeout(time, asked.wait_for(new_code)).await.ok().and_then(Result::ok).and_then(|it| it.clone());
    found.or_else(|| asked.borrow().clone())
}

/// What the person is told of a sign-in that goes on when a call has waited long enough.
fn unfinished(asked: Option<&Asked>) -> Wanted {
    match asked {
        Some(asked) => {
            Wanted::Action { words: asked.words(Instant::now()), page: asked.page().map(str::to_owned) }
        }
        None => {
            let words = "Getting a token from Microsoft takes unusually long, and nobody has to do anything about it: the token cache is in use by another \
                         program, the keychain waits for its password, or Microsoft has not answered. Try again in a moment.";
            Wanted::Action { words: words.to_owned(), page: None }
        }
    }
}

/// A token of another account than the caller's is not used. Who calls is decided, and written down, before it is known whether there is a token, and another
/// account may be put in use meanwhile. Nobody in particular may become anybody: that is how a first call signs its user in, and the
/// keychain of who is signed in may have answered too late. What is written down of such a call has zeros, so who they are is written down here.
fn of_the_caller(caller: &Caller, token: AccessToken) -> Result<AccessToken, Wanted> {
    let found = &token.account;
    if caller.object_id == found.object_id && caller.tenant_id == found.tenant_id {
        return Ok(token);
    }
    if caller.object_id == NOBODY {
        tracing::info!(
            target: "audit",
            decision = "allowed",
            reason = "signed_in",
            tenant = found.tenant_id,
            object = found.object_id,
            client = caller.client_id,
            detail = "a call that nobody in particular began has a token of this account",
        );
        return Ok(token);
    }
    let words =
        format!("Another account, {found}, has been put in use meanwhile. Try again to call as that one.");
    Err(Wanted::Action { words, page: None })
}

/// What a person has to do about a failed sign-in.
fn wanted(error: SignInError) -> Wanted {
    tracing::warn!(%error, "no token for the user of this machine");
    match error {
        SignInError::Unreachable { .. } | SignInError::BrokeOff => Wanted::Patience(error.to_string()),
        SignInError::Scope(_) | SignInError::Claims(_) => Wanted::Operator(error.to_string()),
        error => {
            let advice =
                if says_what_to_do(&error) { "Then" } else { "Run `valet login` in a terminal, then" };
            let words = format!("Signing in with Microsoft did not work: {error}. {advice} try again.");
            Wanted::Action { words, page: None }
        }
    }
}

/// Whether the text of an error has its way out. `valet login` would end the same, or is in there already.
const fn says_what_to_do(error: &SignInError) -> bool {
    matches!(
        error,
        SignInError::WrongAccount(_)
            | SignInError::SeveralAccounts(_)
            | SignInError::UnknownTenant { .. }
            | SignInError::NoAuthority { .. }
            | SignInError::Cache(_)
    )
}

#[cfg(test)]
mod tests;
