//! What one running emulator remembers: registrations, keys, codes, refresh tokens, consents, sessions, revocations.
//!
//! Plain storage behind locks, bounded. The rules about what may be stored or taken are in the endpoints.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::clock::{Clock, Instant};
use crate::device::DeviceCodes;
use crate::faults::Faults;
use crate::graph::Mailboxes;
use crate::hosts::Hosts;
use crate::journal::Journal;
use crate::keys::KeyRing;
use crate::registrations::{ApiPermission, App, Platform, Registrations};
use crate::scopes::Ask;
use crate::shelf::Shelf;
use crate::token::Throttle;
use crate::vault::Vaults;

/// How many codes, device codes and browser sessions are remembered at once.
const CODES: usize = 10_000;

/// How many refresh tokens are remembered at once; the one that ends first makes room.
const REFRESH_TOKENS: usize = 200_000;

/// How long an expired entry is kept, so that its use can be told from an invention: seconds.
const GRACE: i64 = 24 * 3600;

/// Life of a browser session, seconds.
pub(crate) const SESSION_LIFE: i64 = 24 * 3600;

/// Where the two services are reached.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// `https://host:port` of login.
    pub(crate) authority: String,
    /// `https://host:port` of Graph.
    pub(crate) graph: String,
    /// Issuer of v1 tokens with `{tenantid}`.
    pub(crate) v1_issuer: String,
}

/// When and how a user signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignIn {
    pub(crate) at: Instant,
    /// With a second factor.
    pub(crate) mfa: bool,
}

/// A browser session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    pub(crate) user: Uuid,
    pub(crate) sign_in: SignIn,
}

/// Why grants of a user are no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// An administrator, or a password reset by one.
    Sessions,
    /// The user changed the password.
    PasswordChange,
    /// The password expired.
    PasswordExpired,
}

/// From when on they are not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revocation {
    pub(crate) at: Instant,
    pub(crate) reason: RevocationReason,
}

/// What was given out and must appear nowhere else: for a search in logs and stores.
#[derive(Clone)]
pub struct Issued {
    /// Authorization codes.
    pub codes: Vec<String>,
    /// Refresh tokens.
    pub refresh_tokens: Vec<String>,
}

/// What an authorization code stands for.
#[derive(Debug, Clone)]
pub(crate) struct CodeGrant {
    pub(crate) client: Uuid,
    pub(crate) user: Uuid,
    pub(crate) tenant: Uuid,
    pub(crate) redirect_uri: String,
    pub(crate) platform: Platform,
    pub(crate) ask: Ask,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) nonce: Option<String>,
    pub(crate) sign_in: SignIn,
    /// The `claims` of the authorization request.
    pub(crate) claims: ClaimsRequest,
    pub(crate) expires: Instant,
    /// Kept after use, so that a second use can be told from an unknown code.
    pub(crate) used: bool,
}

/// PKCE (RFC 7636).
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) value: String,
    /// S256; otherwise plain, which Entra accepts too.
    pub(crate) hashed: bool,
}

/// What a refresh token stands for. Bound to user and client, not to a resource.
#[derive(Debug, Clone)]
pub(crate) struct RefreshGrant {
    pub(crate) client: Uuid,
    pub(crate) user: Uuid,
    pub(crate) platform: Option<Platform>,
    pub(crate) ask: Ask,
    pub(crate) sign_in: SignIn,
    pub(crate) issued: Instant,
    /// When it was last used, or issued: unused ones end (AADSTS700082).
    pub(crate) used: Instant,
    /// Whether it was ever used, and what became of it then.
    pub(crate) spent: Spent,
    pub(crate) expires: Instant,
}

/// Whether a refresh token was used. Entra lets it live either way; a test may end those that were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    No,
    Yes,
    /// Used, and ended by a test since.
    Ended,
}

/// Consents of users: (user, client, resource) to scopes.
type Consents = HashMap<(Uuid, Uuid, Uuid), BTreeSet<String>>;

/// Shared by all connections.
pub(crate) struct State {
    pub(crate) origins: Origins,
    pub(crate) auto_approve: bool,
    pub(crate) hosts: Hosts,
    pub(crate) log: bool,
    pub(crate) clock: Clock,
    pub(crate) faults: Arc<Faults>,
    registrations: RwLock<Arc<Registrations>>,
    keys: RwLock<KeyRing>,
    pub(crate) journal: Journal,
    /// Seals what a sign-in form says about earlier steps.
    pub(crate) proof_key: hmac::Key,
    pub(crate) devices: DeviceCodes,
    pub(crate) mailboxes: Mailboxes,
    /// Secrets of the key vaults.
    pub(crate) vaults: Vaults,
    codes: Mutex<Shelf<CodeGrant>>,
    refresh: Mutex<Shelf<RefreshGrant>>,
    consents: Mutex<Consents>,
    sessions: Mutex<Shelf<Session>>,
    revocations: Mutex<HashMap<Uuid, Revocation>>,
    /// Since when Graph wants newer tokens of a user.
    outdated: Mutex<HashMap<Uuid, Instant>>,
    pub(crate) throttle: Throttle,
}

impl State {
    pub(crate) fn new(origins: Origins, hosts: Hosts, options: crate::Options, keys: KeyRing) -> Self {
        let faults = Arc::new(Faults::default());
        faults.load(&options.registrations.faults);
        Self {
            origins,
            hosts,
            auto_approve: options.auto_approve,
            log: options.log,
            clock: Clock::default(),
            faults,
            registrations: RwLock::new(Arc::new(options.registrations)),
            keys: RwLock::new(keys),
            journal: Journal::default(),
            proof_key: hmac::Key::new(hmac::HMAC_SHA256, random(32).as_bytes()),
            devices: DeviceCodes::new(CODES),
            mailboxes: Mailboxes::new(),
            vaults: Vaults::default(),
            codes: Mutex::new(Shelf::new(CODES)),
            refresh: Mutex::new(Shelf::new(REFRESH_TOKENS)),
            consents: Mutex::default(),
            sessions: Mutex::new(Shelf::new(CODES)),
            revocations: Mutex::default(),
            outdated: Mutex::default(),
            throttle: Throttle::default(),
        }
    }

    /// The registrations as they are now.
    pub(crate) fn registrations(&self) -> Arc<Registrations> {
        self.registrations.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the registrations; requests under way keep what they have seen.
    pub(crate) fn change_registrations(&self, change: impl FnOnce(&mut Registrations)) {
        let mut held = self.registrations.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
    }

    pub(crate) fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the keys still in the making that a request for `path` needs, without holding a thread.
    pub(crate) async fn keys_for(&self, path: &str) {
        let awaited = self.keys().awaited_by(path);
        for slot in awaited {
            slot.ready().await;
        }
    }

    pub(crate) fn keys_mut(&self) -> RwLockWriteGuard<'_, KeyRing> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a code and returns its text.
    pub(crate) fn new_code(&self, grant: CodeGrant) -> String {
        let code = format!("1.{}", random(48));
        let kept_until = grant.expires.plus(GRACE);
        lock(&self.codes).insert(self.clock.now(), code.clone(), grant, kept_until);
        code
    }

    /// Lets `judge` look at a code while nobody else can use it.
    pub(crate) fn with_code<T>(&self, code: &str, judge: impl FnOnce(Option<&mut CodeGrant>) -> T) -> T {
        judge(lock(&self.codes).get_mut(code))
    }

    /// Stores a refresh token and returns its text.
    pub(crate) fn new_refresh(&self, grant: RefreshGrant) -> String {
        let token = format!("1.{}", random(64));
        let kept_until = grant.expires.plus(GRACE);
        lock(&self.refresh).insert(self.clock.now(), token.clone(), grant, kept_until);
        token
    }

    /// Lets `judge` look at a refresh token while nobody else can use it. Using it does not revoke it (Entra
    /// documentation, "Refresh tokens").
    pub(crate) fn with_refresh<T>(
        &self,
        token: &str,
        judge: impl FnOnce(Option<&mut RefreshGrant>) -> T,
    ) -> T {
        judge(lock(&self.refresh).get_mut(token))
    }

    /// Ends each refresh token that was used until now.
    pub(crate) fn end_used_refresh(&self) {
        lock(&self.refresh).each(|grant| {
            if grant.spent == Spent::Yes {
                grant.spent = Spent::Ended;
            }
        });
    }

    /// The codes and the refresh tokens that are remembered, used and ended ones among them.
    pub(crate) fn issued(&self) -> Issued {
        let (codes, refresh_tokens) = (lock(&self.codes).keys(), lock(&self.refresh).keys());
        Issued { codes, refresh_tokens }
    }

    /// Starts a browser session and returns the cookie's value.
    pub(crate) fn new_session(&self, session: Session) -> String {
        let (id, now) = (random(32), self.clock.now());
        lock(&self.sessions).insert(now, id.clone(), session, now.plus(SESSION_LIFE));
        id
    }

    /// A browser session by its cookie.
    pub(crate) fn session(&self, id: &str) -> Option<Session> {
        lock(&self.sessions).get(id).copied()
    }

    /// Ends a browser session.
    pub(crate) fn end_session(&self, id: &str) {
        lock(&self.sessions).remove(id);
    }

    /// Ends what `user` was granted until now: browser sessions at once, refresh tokens when next used, access tokens
    /// where the API evaluates access continuously.
    pub(crate) fn revoke(&self, user: Uuid, reason: RevocationReason) {
        // The clock counts seconds: without this, a sign-in just before could not be told from one just after.
        self.clock.advance(Duration::from_secs(1));
        lock(&self.revocations).insert(user, Revocation { at: self.clock.now(), reason });
        lock(&self.sessions).retain(|s| s.user != user);
    }

    /// The last revocation of a user's grants.
    pub(crate) fn revocation(&self, user: Uuid) -> Option<Revocation> {
        lock(&self.revocations).get(&user).copied()
    }

    /// Has Graph want tokens of `user` that are newer than this moment. Nothing else ends.
    pub(crate) fn outdate(&self, user: Uuid) {
        // As in `revoke`.
        self.clock.advance(Duration::from_secs(1));
        lock(&self.outdated).insert(user, self.clock.now());
    }

    /// Since when Graph wants newer tokens of a user, if it does.
    pub(crate) fn outdated(&self, user: Uuid) -> Option<Instant> {
        lock(&self.outdated).get(&user).copied()
    }

    /// Records that a user agreed. Combined consent: where the API names the client as known, its own
    /// delegated permissions are agreed to as well.
    pub(crate) fn consent(&self, user: Uuid, client: Uuid, api: &App, scopes: &[String]) {
        let mut consents = lock(&self.consents);
        consents.entry((user, client, api.client_id)).or_default().extend(scopes.iter().cloned());
        if api.known_client_applications.contains(&client) {
            for ApiPermission { resource, delegated, .. } in &api.api_permissions {
                consents
                    .entry((user, api.client_id, *resource))
                    .or_default()
                    .extend(delegated.iter().cloned());
            }
        }
    }

    /// Every scope of `api` that `client` may have for `user` without asking: pre-authorised, consented by an
    /// administrator, or consented by the user.
    pub(crate) fn granted(&self, user: Uuid, client: &App, api: &App) -> BTreeSet<String> {
        let mut granted: BTreeSet<String> =
            lock(&self.consents).get(&(user, client.client_id, api.client_id)).cloned().unwrap_or_default();
        for p in &api.pre_authorized_applications {
            if p.client_id == client.client_id {
                granted.extend(p.scopes.iter().cloned());
            }
        }
        for p in &client.api_permissions {
            if p.resource == api.client_id && p.admin_consented {
                granted.extend(p.delegated.iter().cloned());
            }
        }
        granted
    }

    /// Forgets what users agreed to.
    pub(crate) fn forget_consents(&self) {
        lock(&self.consents).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each critical section is one map operation, so a panic leaves no half-made state.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `bytes` random bytes in base64url.
pub(crate) fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    rand::fill(&mut buffer).expect("the system's random source works, or RSA keys could not have been made");
    URL_SAFE_NO_PAD.encode(buffer)
}
