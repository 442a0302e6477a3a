//! The handle that the host holds: tokens, accounts, signing in and out.

use std::sync::Arc;

use url::Url;

use crate::account::{Account, AccountId};
use crate::acquire::{Desk, Who};
use crate::ask::Ask;
use crate::authority::Authority;
use crate::cache::Store;
use crate::cache::schema::Owner;
use crate::choice::Choice;
use crate::error::SignInError;
use crate::flight::Flights;
use crate::grant::AccessToken;
use crate::prompts::Prompts;
use crate::settings::{Settings, SettingsError};

/// The sign-in of one application at one authority. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct SignIn {
    desk: Arc<Desk>,
    flights: Arc<Flights<Question, Result<AccessToken, SignInError>>>,
}

/// What makes two token requests the same.
type Question = (Option<AccountId>, Vec<String>, Option<String>);

/// How somebody signs in on purpose.
#[derive(Debug, Clone, Default)]
pub struct LogIn {
    /// The user name that is expected, to spare them typing it. Whoever signs in is the account in use afterwards.
    pub login_hint: Option<String>,
}

impl SignIn {
    /// A sign-in with these settings. Nothing is read or asked before it is needed.
    ///
    /// # Errors
    /// A [`SettingsError`] that names the setting.
    pub fn new(settings: Settings, prompts: Box<dyn Prompts>) -> Result<Self, SettingsError> {
        let settings = settings.checked()?;
        let host = Url::parse(&settings.authority).ok().and_then(|url| url.host_str().map(str::to_owned));
        let owner = Owner {
            environment: host
                .ok_or_else(|| SettingsError { setting: "authority", why: "it has no host".to_owned() })?,
            client_id: settings.client_id.clone(),
            tenant: settings.tenant.clone(),
        };
        let desk = Desk {
            authority: Authority::new(&settings)?,
            store: Store::new(&settings),
            choice: Choice::new(&settings),
            turn: tokio::sync::Mutex::new(()),
            curtain: Default::default(),
            told: Default::default(),
            owner,
            prompts,
            settings,
        };
        Ok(Self { desk: Arc::new(desk), flights: Arc::new(Flights::new()) })
    }

    /// A token for `scopes`, which belong to one API. `claims` is the claims challenge of that API (JSON text), if it refused the last token.
    ///
    /// However many ask for the same at once, the person is asked once, and all get the one answer. Dropping the last of the futures ends
    /// the sign-in.
    ///
    /// # Errors
    /// A [`SignInError`].
    pub async fn token(&self, scopes: &[&str], claims: Option<&str>) -> Result<AccessToken, SignInError> {
        let ask = Ask::new(scopes, claims)?;
        let cache = self.desk.store.read().await?;
        let who = self.desk.who(&cache)?;
        if let (Who::SignedIn(account), false) = (&who, ask.challenged)
            && let Some(token) = self.desk.cached(&cache, account, &ask)
        {
            return Ok(token);
        }
        let question = (who.id(), ask.scopes.clone(), claims.map(str::to_owned));
        let desk = self.desk.clone();
        let answer = self.flights.join(question, || async move { desk.acquire(ask).await });
        answer.await.unwrap_or(Err(SignInError::BrokeOff))
    }

    /// The account in use, if it is signed in.
    ///
    /// # Errors
    /// [`SignInError::SeveralAccounts`] where none was chosen; [`SignInError::Cache`].
    pub async fn account(&self) -> Result<Option<Account>, SignInError> {
        let cache = self.desk.store.read().await?;
        match self.desk.who(&cache)? {
            Who::SignedIn(account) => Ok(Some(account)),
            Who::SignedOut(_) | Who::Nobody => Ok(None),
        }
    }

    /// The accounts that are signed in, of the tenants that the settings admit.
    ///
    /// # Errors
    /// [`SignInError::Cache`].
    pub async fn accounts(&self) -> Result<Vec<Account>, SignInError> {
        Ok(self.desk.accounts(&*self.desk.store.read().await?))
    }

    /// Signs somebody in, whoever is signed in already, and puts them in use.
    ///
    /// # Errors
    /// A [`SignInError`]; nothing has changed then.
    pub async fn log_in(&self, how: LogIn) -> Result<Account, SignInError> {
        // A sign-in asks for something; this is what it brings anyway. Every call asks for what it needs.
        let mut ask = Ask::new(&["openid"], None)?;
        ask.expected.clone_from(&self.desk.settings.account);
        ask.pinned = ask.expected.is_some();
        ask.chooses = true;
        ask.login_hint = how.login_hint;
        self.desk.log_in(ask).await
    }

    /// Waits, for whoever is about to end this process, until the broker's window is gone that nobody waits for any more: it would stay. The futures that wait
    /// for the person are to be dropped before, or their prompts dismissed. It ends within [`BROKER_FAREWELL`](crate::limits::BROKER_FAREWELL), whatever the
    /// broker does.
    pub async fn settle(&self) {
        if !self.desk.curtain.falls().await {
            tracing::warn!("the broker has not taken its window away in time");
        }
    }

    /// The account that the settings have used, whatever is chosen.
    #[must_use]
    pub fn pinned(&self) -> Option<&AccountId> {
        self.desk.settings.account.as_ref()
    }

    /// Puts an account in use that is signed in.
    ///
    /// # Errors
    /// [`SignInError::Pinned`]; [`SignInError::UnknownAccount`]; [`SignInError::Cache`].
    pub async fn choose(&self, account: &AccountId) -> Result<Account, SignInError> {
        if let Some(pinned) = self.pinned().filter(|pinned| *pinned != account) {
            return Err(SignInError::Pinned { pinned: pinned.clone() });
        }
        // Held until it is written, so that nobody signs them out meanwhile.
        let locked = self.desk.store.lock().await?;
        let known = self.desk.accounts(&locked.cache);
        match known.iter().find(|known| known.id == *account) {
            Some(found) => {
                self.desk.choice.write(&found.id)?;
                Ok(found.clone())
            }
            None => Err(SignInError::UnknownAccount { wanted: account.clone(), known }),
        }
    }

    /// Signs an account out on this machine: its tokens are removed from the cache. Entra has no endpoint that would revoke them; the
    /// refresh token ends where nobody has it.
    ///
    /// # Errors
    /// [`SignInError::UnknownAccount`]; [`SignInError::Cache`].
    pub async fn log_out(&self, account: &AccountId) -> Result<Account, SignInError> {
        let desk = &self.desk;
        let mut locked = desk.store.lock().await?;
        // Also one of a tenant that is not admitted any more: its tokens are here, and nothing is done with them but this.
        let known = locked.cache.accounts(&desk.owner);
        let Some(found) = known.iter().find(|known| known.id == *account).cloned() else {
            return Err(SignInError::UnknownAccount { wanted: account.clone(), known });
        };
        locked.cache.remove_account(&desk.owner, &found);
        let (choice, gone) = (desk.choice.clone(), found.id.clone());
        let unchoose = move || match choice.read()? == Some(gone) {
            true => choice.clear(),
            false => Ok(()),
        };
        locked.write_and(unchoose).await?;
        Ok(found)
    }
}
