//! The order of the steps: one turn of asking for one token, from the cache to the device code.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use valet_core_entra::answer::{self, Failure};
use valet_core_entra::claims::with_capabilities;
use valet_core_entra::{SecretString, refresh};

use crate::account::{Account, AccountId};
use crate::ask::Ask;
use crate::authority::Authority;
use crate::cache::schema::{Cache, Owner};
use crate::cache::{Locked, Store};
use crate::choice::Choice;
use crate::error::{Halt, SignInError, Skip, Step};
use crate::grant::{AccessToken, Grant, with_openid};
use crate::limits::{LAST_RESORT, MAX_TOLD, RENEW_BEFORE};
use crate::prompts::Prompts;
use crate::settings::Settings;
use crate::{broker, browser, device};

/// Who is in use.
pub(crate) enum Who {
    /// An account with something in the cache.
    SignedIn(Account),
    /// One that has to sign in again: nobody else may take its place unasked.
    SignedOut(AccountId),
    /// Whoever signs in first.
    Nobody,
}

impl Who {
    pub(crate) fn id(&self) -> Option<AccountId> {
        match self {
            Self::SignedIn(account) => Some(account.id.clone()),
            Self::SignedOut(id) => Some(id.clone()),
            Self::Nobody => None,
        }
    }
}

/// Everything that the steps work with.
pub(crate) struct Desk {
    pub(crate) settings: Settings,
    pub(crate) owner: Owner,
    pub(crate) authority: Authority,
    pub(crate) store: Store,
    pub(crate) choice: Choice,
    pub(crate) prompts: Box<dyn Prompts>,
    /// One sign-in at a time: a person answers one question at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// What the broker may be showing.
    pub(crate) curtain: broker::Curtain,
    /// What was told already, by its kind.
    pub(crate) told: Mutex<HashSet<(Step, String)>>,
}

impl Desk {
    /// A cached token for `account`, if there is one that lasts.
    pub(crate) fn cached(&self, cache: &Cache, account: &Account, ask: &Ask) -> Option<AccessToken> {
        let until = self.settings.now().saturating_add(RENEW_BEFORE);
        cache.access_token(&self.owner, account, &ask.scopes, until)
    }

    /// A token for the account in use: silently if that can be, else with the person's help.
    pub(crate) async fn acquire(&self, mut ask: Ask) -> Result<AccessToken, SignInError> {
        let mut skipped = Vec::new();
        // Before the cache is read, so that no change is missed.
        let mut seen = self.seen();
        match self.without_a_person(&mut ask).await {
            Ok(token) => return Ok(token),
            Err(Halt::Fail(error)) => return Err(error),
            Err(skip) => self.skip(&mut skipped, Step::Refresh, &skip),
        }
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => {
                let turn = self.turn.lock().await;
                // Asked again, since whoever had the turn before may have signed in for us.
                seen = self.seen();
                match self.without_a_person(&mut ask).await {
                    Ok(token) => return Ok(token),
                    Err(Halt::Fail(error)) => return Err(error),
                    Err(_) => turn,
                }
            }
        };
        let chosen = seen.chosen().cloned();
        let over = Notify::new();
        let elsewhere = self.signed_in_elsewhere(&ask, seen, &over);
        tokio::pin!(elsewhere);
        let grant = tokio::select! {
            biased;
            Some(token) = &mut elsewhere => return Ok(token),
            grant = self.interactive(&ask, &mut skipped) => {
                // A refresh may be under way there, by which the authority replaces a refresh token: it ends before.
                over.notify_one();
                match (elsewhere.await, grant) {
                    (Some(token), Err(_)) => return Ok(token),
                    (_, grant) => grant?,
                }
            }
        };
        // Whoever was put in use meanwhile stays it: the person was asked for a token here, not for an account.
        let undecided = move |now: Option<AccountId>| now == chosen;
        // The token is good whether it can be kept or not; whoever cannot keep it is told in the log.
        if let Err(error) = self.keep(&ask, &grant, undecided).await {
            tracing::warn!(%error, "the sign-in cannot be kept, so it will be asked for again");
        }
        Ok(grant.access_token())
    }

    /// A token for the account in use, where the cache or a refresh token gives one. Nobody's turn has to be waited for. Where there is none, `ask` is for that
    /// account's person then.
    pub(crate) async fn without_a_person(&self, ask: &mut Ask) -> Result<AccessToken, Halt> {
        let cache = self.store.read().await?;
        let who = self.who(&cache)?;
        ask.expected = who.id();
        ask.pinned = self.settings.account.is_some();
        let Who::SignedIn(account) = &who else { return Err(Halt::Skip("nobody is signed in".to_owned())) };
        ask.login_hint.clone_from(&account.username);
        if !ask.challenged
            && let Some(token) = self.cached(&cache, account, ask)
        {
            return Ok(token);
        }
        self.refresh(account, ask).await
    }

    /// Signs somebody in, whoever was before, and keeps it or fails.
    pub(crate) async fn log_in(&self, ask: Ask) -> Result<Account, SignInError> {
        let _turn = self.turn.lock().await;
        // Tokens that could not be kept would be worth nothing to the next process. That is found out before anybody is asked.
        self.store.lock().await?.rehearse().await?;
        let grant = self.interactive(&ask, &mut Vec::new()).await?;
        self.keep(&ask, &grant, |_| true).await?;
        Ok(grant.account)
    }

    /// The steps that need a broker or a person, in their order.
    async fn interactive(&self, ask: &Ask, skipped: &mut Vec<Skip>) -> Result<Grant, SignInError> {
        let (settings, authority, prompts) = (&self.settings, &self.authority, &*self.prompts);
        for step in [Step::Broker, Step::Browser, Step::DeviceCode] {
            if !settings.steps.contains(&step) {
                // As the person wants it, so not worth a line.
                skipped.push(Skip { step, why: "switched off".to_owned() });
                continue;
            }
            // Nobody is sent to a page or given a code before it is known that the authority is there and knows the tenant.
            if step != Step::Broker {
                authority.meet(settings).await?;
            }
            let ended = match step {
                Step::Broker => tokio::select! {
                    biased;
                    () = prompts.dismissed() => Err(SignInError::Cancelled(step).into()),
                    ended = broker::sign_in(settings, ask, self.curtain.raise()) => ended,
                },
                Step::Browser => browser::sign_in(settings, authority, prompts, ask).await,
                _ => device::sign_in(settings, authority, prompts, ask).await,
            };
            match ended {
                Ok(grant) => return ask.admit(&grant.account).map(|()| grant),
                Err(Halt::Fail(error)) => return Err(error),
                Err(skip) => self.skip(skipped, step, &skip),
            }
        }
        Err(SignInError::NoStepLeft(std::mem::take(skipped)))
    }

    /// The silent step. The lock is held over the request, so that of two processes one refreshes and the other finds the result.
    async fn refresh(&self, account: &Account, ask: &mut Ask) -> Result<AccessToken, Halt> {
        let locked = self.store.lock().await?;
        let Some(refresh_token) = locked.cache.refresh_token(&self.owner, account) else {
            return Err(Halt::Skip("there is no refresh token".to_owned()));
        };
        if !ask.challenged
            && let Some(token) = self.cached(&locked.cache, account, ask)
        {
            return Ok(token);
        }
        match self.refreshed(account, ask, &refresh_token).await {
            Ok(grant) => Ok(self.keep_refreshed(locked, account, ask, grant).await),
            Err(error) => self.not_refreshed(locked, account, ask, &refresh_token, error).await,
        }
    }

    async fn refreshed(
        &self,
        account: &Account,
        ask: &Ask,
        refresh_token: &SecretString,
    ) -> Result<Grant, SignInError> {
        let client = self.settings.client();
        let request = refresh::Request {
            client,
            refresh_token,
            scopes: &with_openid(&ask.scopes),
            claims: Some(&ask.claims),
        };
        let answer = self.authority.post(client.token_url(), request.body()).await?;
        let tokens = answer::read_tokens(answer.status, answer.retry_after.as_deref(), &answer.body)
            .map_err(SignInError::Authority)?;
        let grant = Grant::read(tokens, &ask.scopes, None, &self.settings)?;
        // OpenID Connect Core section 12.2: the same person as before.
        Ask { expected: Some(account.id.clone()), ..ask.clone() }.admit(&grant.account)?;
        Ok(grant)
    }

    /// The new refresh token is on disk before the access token is given out, so it cannot be lost.
    async fn keep_refreshed(
        &self,
        mut locked: Locked<'_>,
        account: &Account,
        ask: &Ask,
        grant: Grant,
    ) -> AccessToken {
        let now = self.settings.now();
        if ask.challenged {
            locked.cache.remove_access_tokens(&self.owner, account, &ask.scopes);
        }
        locked.cache.remove_expired(&self.owner, now);
        locked.cache.put(&self.owner, &grant, now);
        if let Err(error) = locked.write().await {
            tracing::warn!(%error, "renewed tokens cannot be kept; they hold for this process");
        }
        grant.access_token()
    }

    async fn not_refreshed(
        &self,
        mut locked: Locked<'_>,
        account: &Account,
        ask: &mut Ask,
        refresh_token: &SecretString,
        error: SignInError,
    ) -> Result<AccessToken, Halt> {
        match error {
            SignInError::Authority(Failure::InteractionRequired { claims, detail }) => {
                // What the authority asks for now goes before what the API asked for: it was told that.
                if let Some(claims) = claims {
                    ask.claims = with_capabilities(Some(&claims)).map_err(SignInError::Claims)?;
                }
                Err(Halt::Refused { what: "the authority wants to see the person", detail: Box::new(detail) })
            }
            SignInError::Authority(Failure::GrantRefused(detail)) => {
                locked.cache.remove_refresh_token(&self.owner, account, refresh_token);
                if let Err(error) = locked.write().await {
                    tracing::warn!(%error, "a refused refresh token cannot be removed");
                }
                Err(Halt::Refused { what: "the refresh token was refused", detail: Box::new(detail) })
            }
            SignInError::Unreachable { .. }
            | SignInError::Authority(Failure::Throttled { .. } | Failure::Unavailable(_))
                if !ask.challenged =>
            {
                let until = self.settings.now().saturating_add(LAST_RESORT);
                match locked.cache.access_token(&self.owner, account, &ask.scopes, until) {
                    Some(token) => {
                        tracing::warn!(%error, "the token cannot be renewed and is used to its end");
                        Ok(token)
                    }
                    None => Err(Halt::Fail(error)),
                }
            }
            error => Err(Halt::Fail(error)),
        }
    }

    /// Keeps what a person's sign-in brought, and puts them in use where `chooses` says so of who is; not where the settings say who that is.
    async fn keep(
        &self,
        ask: &Ask,
        grant: &Grant,
        chooses: impl FnOnce(Option<AccountId>) -> bool + Send + 'static,
    ) -> Result<(), SignInError> {
        let now = self.settings.now();
        let mut locked = self.store.lock().await?;
        if ask.challenged {
            locked.cache.remove_access_tokens(&self.owner, &grant.account, &ask.scopes);
        }
        locked.cache.remove_expired(&self.owner, now);
        locked.cache.put(&self.owner, grant, now);
        let (choice, account) = (self.choice.clone(), grant.account.id.clone());
        let pinned = self.settings.account.is_some();
        let choose = move || match !pinned && chooses(choice.read().ok().flatten()) {
            true => choice.write(&account),
            false => Ok(()),
        };
        Ok(locked.write_and(choose).await?)
    }

    /// The accounts in `cache` that may be used. Settings with other tenants can have the same folder and application, and so the same cache: what
    /// they admitted is not admitted here.
    pub(crate) fn accounts(&self, cache: &Cache) -> Vec<Account> {
        let known = cache.accounts(&self.owner).into_iter();
        known.filter(|account| self.admits(&account.id)).collect()
    }

    fn admits(&self, account: &AccountId) -> bool {
        self.settings.tenants.contains(&account.tenant_id)
    }

    /// Who is in use: who the settings say, or the chosen one, or the only one. Several of whom none was chosen are nobody's choice.
    pub(crate) fn who(&self, cache: &Cache) -> Result<Who, SignInError> {
        let mut known = self.accounts(cache);
        let wanted = match &self.settings.account {
            Some(pinned) => Some(pinned.clone()),
            // Other settings have the same folder, and admit whoever was chosen; here that is nobody's choice.
            None => self.choice.read()?.filter(|chosen| self.admits(chosen)),
        };
        if let Some(wanted) = wanted {
            let found = known.into_iter().find(|account| account.id == wanted);
            return Ok(found.map_or(Who::SignedOut(wanted), Who::SignedIn));
        }
        match known.len() {
            0 => Ok(Who::Nobody),
            1 => Ok(Who::SignedIn(known.remove(0))),
            _ => Err(SignInError::SeveralAccounts(known)),
        }
    }

    fn skip(&self, skipped: &mut Vec<Skip>, step: Step, halt: &Halt) {
        let skip = Skip { step, why: halt.why() };
        if self.tells(step, halt.kind()) {
            self.prompts.skipped(&skip);
        }
        skipped.push(skip);
    }

    /// Whether this is worth a line: at its first time.
    fn tells(&self, step: Step, kind: String) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MAX_TOLD && told.insert((step, kind))
    }
}
