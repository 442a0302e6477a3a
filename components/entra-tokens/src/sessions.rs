//! Sign-in sessions: opened with a code, renewed with the refresh token, closed. Their records are the session store's only content.

use valet_core_entra::claims;
use valet_core_entra::id_token::{self, IdTokenError, Identity};
use valet_core_entra::kept::Kept;
use valet_core_entra::redeem::Request;
use valet_core_entra::sealed::{Place, SealingKeys};
use valet_core_entra::session::{Session, SessionId, wanted_claims_name};
use valet_core_entra::{ExposeSecret as _, SecretString, with_openid};

use crate::authority::{self, Authority, capabilities, setting};
use crate::bindings::exports::valet::oauth::sessions as oauth;
use crate::bindings::valet::capability::session_store;
use crate::bindings::wasi::clocks::wall_clock;
use crate::fault::Fault;
use crate::sealing;
use crate::session_tokens::refresh;

/// How long, in seconds, claims that were wanted of a user are asked for: as long as a session lasts at most, after which they sign in anew anyway.
const WANTED_LIFETIME: u32 = 30 * 24 * 3600;

pub(crate) fn open(of: oauth::SignIn) -> Result<oauth::Session, Fault> {
    let records = Records::open()?;
    let claims = of.claims.clone();
    let signed_in = SignedIn::redeem(of)?;
    let (tenant_id, object_id) = (&signed_in.identity.tenant_id, &signed_in.identity.object_id);
    settle_wanted(&records, tenant_id, object_id, claims.as_deref())?;

    let id = SessionId::new(tenant_id, object_id, sealing::bytes())
        .map_err(|error| Fault::Grant(format!("the ID token was refused: {error}")))?;
    let ends_at = signed_in.at.saturating_add(session_lifetime()?);
    let session = signed_in.session(ends_at);
    records.put(&id, &session)?;
    Ok(described(&id, session))
}

/// Goes on with a session with the tokens of a new sign-in of its user; false if somebody else signed in.
pub(crate) fn step_up(id: &str, of: oauth::SignIn) -> Result<bool, Fault> {
    let id = parsed(id)?;
    let records = Records::open()?;
    // As with a refresh one at a time changes a session, and the authority is not asked for one that has ended.
    let _turn = records.take_turn(&id)?;
    let mut held = records.get(&id)?;
    let claims = of.claims.clone();
    let signed_in = SignedIn::redeem(of)?;
    if !id.is_of(&signed_in.identity.tenant_id, &signed_in.identity.object_id) {
        return Ok(false);
    }
    // All of it is new: what was given before, the API or a policy may have had enough of. But no sign-in puts off the end of the session.
    held.session = signed_in.session(held.session.ends_at);
    records.replace(&id, &held)?;
    match settle_wanted(&records, id.tenant_id(), id.object_id(), claims.as_deref()) {
        // Other claims are wanted by now. Whatever needs them asks for them again.
        Err(Fault::Interaction(_)) => Ok(true),
        settled => settled.map(|()| true),
    }
}

/// What a code brought.
struct SignedIn {
    identity: Identity,
    /// When, in seconds since the Unix epoch.
    at: u64,
    scopes: Vec<String>,
    access_token: SecretString,
    /// The lifetime of the access token in seconds.
    expires_in: u64,
    refresh_token: SecretString,
}

impl SignedIn {
    /// Redeems the code, and reads who signed in.
    fn redeem(of: oauth::SignIn) -> Result<Self, Fault> {
        let us = Authority::read()?;
        let tenant = setting("sign_in_tenant")?;
        let scopes = api_scopes()?;
        let (code, verifier, nonce) = (of.code.into(), of.verifier.into(), SecretString::from(of.nonce));
        let client = us.client(&tenant);
        let request = Request {
            client,
            code: &code,
            redirect_uri: &of.redirect_uri,
            verifier: &verifier,
            scopes: &with_openid(&scopes),
            claims: Some(&capabilities(None)?),
        };
        let at = wall_clock::now().seconds;
        let tokens = authority::tokens(client.token_url(), &request.body())?;
        let missing = |what| Fault::Misconfigured(format!("the authority gave no {what}"));
        let token = tokens.id_token.ok_or_else(|| missing("ID token"))?;
        let identity = identity(&us, &token, Some(&nonce), at, |error| Fault::Grant(error.to_string()))?;
        let refresh_token = tokens.refresh_token.ok_or_else(|| missing("refresh token"))?;
        let (access_token, expires_in) = (tokens.access_token, tokens.expires_in);
        Ok(Self { identity, at, scopes, access_token, expires_in, refresh_token })
    }

    /// As a session that ends at `ends_at`.
    fn session(self, ends_at: u64) -> Session {
        let expires_at = self.at.saturating_add(self.expires_in);
        Session {
            display_name: self.identity.name,
            roles: self.identity.roles,
            refresh_token: self.refresh_token,
            tokens: vec![(self.scopes, Kept { access_token: self.access_token, expires_at })],
            short_of: None,
            known_until: known_until(self.at, self.expires_in),
            ends_at,
        }
    }
}

/// How long, in seconds, roles and the right to sign in are taken as they were: an hour, what Entra's tokens live where nobody can revoke them. Those for
/// Graph live for a day, since Graph can.
const KNOWN: u64 = 3600;

/// Until when the authority's word about a user is taken, that came with a token of this lifetime.
pub(crate) fn known_until(now: u64, expires_in: u64) -> u64 {
    now.saturating_add(expires_in.min(KNOWN))
}

pub(crate) fn renew(id: &str) -> Result<oauth::Session, Fault> {
    let id = parsed(id)?;
    let records = Records::open()?;
    let known = |held: &Held| held.session.known_until > wall_clock::now().seconds;
    let mut held = records.get(&id)?;
    if held.session.short_of.is_some() {
        // A client would come back with a token that does not do either. Refused, it has the person sign in.
        return Err(Fault::Interaction(None));
    }
    if !known(&held) {
        let _turn = records.take_turn(&id)?;
        held = records.get(&id)?;
        if !known(&held) {
            refresh(&records, &id, &mut held, &api_scopes()?, None)?;
        }
    }
    Ok(described(&id, held.session))
}

pub(crate) fn close(id: &str) -> Result<(), Fault> {
    Records::open()?.delete(&parsed(id)?)
}

fn parsed(id: &str) -> Result<SessionId, Fault> {
    SessionId::parse(id).ok_or_else(|| Fault::Grant("a session id of another form".to_owned()))
}

fn described(id: &SessionId, session: Session) -> oauth::Session {
    oauth::Session {
        id: id.as_str().to_owned(),
        tenant_id: id.tenant_id().to_owned(),
        object_id: id.object_id().to_owned(),
        display_name: session.display_name,
        roles: session.roles,
    }
}

/// The permissions of the API that a sign-in asks for.
pub(crate) fn api_scopes() -> Result<Vec<String>, Fault> {
    Ok(setting("sign_in_scopes")?.split_whitespace().map(str::to_owned).collect())
}

fn session_lifetime() -> Result<u64, Fault> {
    let text = setting("oauth_refresh_token_lifetime")?;
    text.parse()
        .map_err(|_| Fault::Misconfigured("setting `oauth_refresh_token_lifetime` is no number".to_owned()))
}

/// Who signed in, by the authority's ID token, which carries `nonce` where there was one. `refused` is for a token that is not taken.
pub(crate) fn identity(
    us: &Authority,
    token: &SecretString,
    nonce: Option<&SecretString>,
    now: u64,
    refused: impl FnOnce(IdTokenError) -> Fault,
) -> Result<Identity, Fault> {
    let tenants = tenants()?;
    let leeway = setting("leeway")?.parse();
    let leeway = leeway.map_err(|_| Fault::Misconfigured("setting `leeway` is no number".to_owned()))?;
    let tenants: Vec<&str> = tenants.split_whitespace().collect();
    let rules =
        id_token::Rules { authority: &us.url, client_id: &us.client_id, tenants: &tenants, nonce, leeway };
    id_token::read(token, &rules, now).map_err(refused)
}

/// Whose users may sign in, separated by white space.
fn tenants() -> Result<String, Fault> {
    match setting("tenants") {
        Ok(tenants) if !tenants.trim().is_empty() => Ok(tenants),
        _ => setting("tenant"),
    }
}

/// Remembers that a claims challenge is open for a user.
pub(crate) fn record_wanted(
    records: &Records,
    tenant_id: &str,
    object_id: &str,
    claims: &str,
) -> Result<(), Fault> {
    let name = wanted_claims_name(tenant_id, object_id);
    let place = Place { tenant_id, object_id, record: &name };
    let record = records.keys.seal(claims.as_bytes(), place, sealing::nonce());
    session_store::set(&name, &record, WANTED_LIFETIME).map_err(unavailable)
}

/// Settled is what the authority was asked with, and gave a code for. That is no proof that it was met: the authority and the API look again, and what is wanted still is wanted
/// anew. Whoever was asked for others, or for none, is sent once more.
fn settle_wanted(
    records: &Records,
    tenant_id: &str,
    object_id: &str,
    asked: Option<&str>,
) -> Result<(), Fault> {
    let name = wanted_claims_name(tenant_id, object_id);
    let place = Place { tenant_id, object_id, record: &name };
    // Each round but the last means that another session of the user has got further.
    loop {
        let Some(record) = session_store::get(&name).map_err(unavailable)? else { return Ok(()) };
        let wanted = records.keys.open(&record, place);
        let wanted = wanted.and_then(|plain| String::from_utf8(plain.expose_secret().to_vec()).ok());
        // What was settled, or was sealed with a key that is gone.
        let Some(wanted) = wanted else { return Ok(()) };
        if !claims::settles(asked, &wanted) {
            return Err(Fault::Interaction(Some(wanted)));
        }
        // By an empty record, not by deleting: others may be wanted by now.
        if session_store::replace(&name, &record, &[], 1).map_err(unavailable)? {
            return Ok(());
        }
    }
}

/// A session, and the record that it was read from.
pub(crate) struct Held {
    pub(crate) session: Session,
    record: Vec<u8>,
}

/// The records of sessions.
pub(crate) struct Records {
    keys: SealingKeys,
}

impl Records {
    pub(crate) fn open() -> Result<Self, Fault> {
        Ok(Self { keys: sealing::keys()? })
    }

    pub(crate) fn take_turn(&self, id: &SessionId) -> Result<session_store::Turn, Fault> {
        session_store::take_turn(id.as_str()).map_err(unavailable)
    }

    /// The session, and its record as it is now. One that is not there, or whose time is over, has ended for whoever asks.
    pub(crate) fn get(&self, id: &SessionId) -> Result<Held, Fault> {
        let ended = || Fault::Grant("the session has ended".to_owned());
        let record = session_store::get(id.as_str()).map_err(unavailable)?.ok_or_else(ended)?;
        // Sealed with a key that is not here (any more), which says nothing about the session: nothing may be ended for it.
        let session = Session::open(&self.keys, &record, id).ok_or_else(|| {
            Fault::Misconfigured("a session does not open with the sealing keys that are here".to_owned())
        })?;
        if session.ends_at <= wall_clock::now().seconds {
            return Err(ended());
        }
        // Whose tenant was taken off the list has no session any more.
        if !tenants()?.split_whitespace().any(|tenant| tenant == id.tenant_id()) {
            return Err(ended());
        }
        Ok(Held { session, record })
    }

    fn put(&self, id: &SessionId, session: &Session) -> Result<(), Fault> {
        let (record, lifetime) = self.sealed(id, session);
        session_store::set(id.as_str(), &record, lifetime).map_err(unavailable)
    }

    /// Keeps what was made of a session. One that was ended in the meantime stays ended.
    pub(crate) fn replace(&self, id: &SessionId, held: &Held) -> Result<(), Fault> {
        let (record, lifetime) = self.sealed(id, &held.session);
        match session_store::replace(id.as_str(), &held.record, &record, lifetime).map_err(unavailable)? {
            true => Ok(()),
            false => {
                self.get(id)?;
                Err(Fault::Unavailable("the session was changed by another process".to_owned()))
            }
        }
    }

    fn sealed(&self, id: &SessionId, session: &Session) -> (Vec<u8>, u32) {
        let left = session.ends_at.saturating_sub(wall_clock::now().seconds);
        (session.seal(&self.keys, id, sealing::nonce()), u32::try_from(left).unwrap_or(u32::MAX))
    }

    pub(crate) fn delete(&self, id: &SessionId) -> Result<(), Fault> {
        session_store::delete(id.as_str()).map_err(unavailable)
    }
}

fn unavailable(session_store::Failure::Unavailable(why): session_store::Failure) -> Fault {
    Fault::Unavailable(format!("the session store: {why}"))
}
