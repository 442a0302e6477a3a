//! What one running emulator remembers: registrations, keys, codes, refresh tokens, consents, sessions.
//!
//! Plain storage behind locks. The rules about what may be stored or taken are in the endpoints.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::clock::{Clock, Instant};
use crate::faults::Faults;
use crate::keys::KeyRing;
use crate::registrations::{ApiPermission, App, Platform, Registrations};
use crate::scopes::Ask;

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
    pub(crate) expires: Instant,
}

/// Consents of users: (user, client, resource) to scopes.
type Consents = HashMap<(Uuid, Uuid, Uuid), BTreeSet<String>>;

/// Shared by all connections.
pub(crate) struct State {
    pub(crate) origins: Origins,
    pub(crate) auto_approve: bool,
    pub(crate) split_hosts: Option<(String, String)>,
    pub(crate) log: bool,
    pub(crate) clock: Clock,
    pub(crate) faults: Arc<Faults>,
    registrations: RwLock<Arc<Registrations>>,
    keys: RwLock<KeyRing>,
    codes: Mutex<HashMap<String, CodeGrant>>,
    refresh: Mutex<HashMap<String, RefreshGrant>>,
    consents: Mutex<Consents>,
    sessions: Mutex<HashMap<String, Uuid>>,
}

impl State {
    pub(crate) fn new(
        origins: Origins,
        split_hosts: Option<(String, String)>,
        options: crate::Options,
        keys: KeyRing,
    ) -> Self {
        Self {
            origins,
            split_hosts,
            auto_approve: options.auto_approve,
            log: options.log,
            clock: Clock::default(),
            faults: Arc::default(),
            registrations: RwLock::new(Arc::new(options.registrations)),
            keys: RwLock::new(keys),
            codes: Mutex::default(),
            refresh: Mutex::default(),
            consents: Mutex::default(),
            sessions: Mutex::default(),
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

    pub(crate) fn keys_mut(&self) -> RwLockWriteGuard<'_, KeyRing> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a code and returns its text.
    pub(crate) fn new_code(&self, grant: CodeGrant) -> String {
        let code = format!("1.{}", random(48));
        lock(&self.codes).insert(code.clone(), grant);
        code
    }

    /// Lets `judge` look at a code while nobody else can use it.
    pub(crate) fn with_code<T>(&self, code: &str, judge: impl FnOnce(Option<&mut CodeGrant>) -> T) -> T {
        judge(lock(&self.codes).get_mut(code))
    }

    /// Stores a refresh token and returns its text.
    pub(crate) fn new_refresh(&self, grant: RefreshGrant) -> String {
        let token = format!("1.{}", random(64));
        lock(&self.refresh).insert(token.clone(), grant);
        token
    }

    /// What a refresh token stands for. Using it does not revoke it (Entra documentation, "Refresh tokens").
    pub(crate) fn refresh(&self, token: &str) -> Option<RefreshGrant> {
        lock(&self.refresh).get(token).cloned()
    }

    /// Starts a browser session and returns the cookie's value.
    pub(crate) fn new_session(&self, user: Uuid) -> String {
        let id = random(32);
        lock(&self.sessions).insert(id.clone(), user);
        id
    }

    /// The user of a browser session.
    pub(crate) fn session(&self, id: &str) -> Option<Uuid> {
        lock(&self.sessions).get(id).copied()
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
