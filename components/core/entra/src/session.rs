//! A sign-in session: who signed in, and the tokens that Entra gave for it, in one record that is sealed as a whole.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::answer::Detail;
use crate::kept::Kept;
use crate::limits::shown;
use crate::sealed::{NONCE_BYTES, Place, SealingKeys};

/// Random bytes in an id.
pub const ID_BYTES: usize = 32;

/// Tokens that a session keeps, one for each set of permissions that a tool asked for. The one that ends first makes room.
const TOKENS: usize = 8;

/// What a session is known by: tenant, user, and 256 random bits.
///
/// Tenant and user are in it so that all sessions of a user have one beginning, and so that the record's seal is bound to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(String);

/// Why there can be no such session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionIdError {
    /// The tenant is no GUID in lower case.
    Tenant {
        /// What it is, shortened.
        found: String,
    },
    /// The user's object id is no GUID in lower case.
    User {
        /// What it is, shortened.
        found: String,
    },
}

impl fmt::Display for SessionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant { found } => write!(f, "the tenant `{found}` is no GUID in lower case"),
            Self::User { found } => write!(f, "the object id `{found}` is no GUID in lower case"),
        }
    }
}

impl std::error::Error for SessionIdError {}

impl SessionId {
    /// A new one. `random` is used once.
    ///
    /// # Errors
    /// A [`SessionIdError`] where the two are not of the form that the parts of an id are told apart by.
    pub fn new(tenant_id: &str, object_id: &str, random: [u8; ID_BYTES]) -> Result<Self, SessionIdError> {
        if !is_guid(tenant_id) {
            return Err(SessionIdError::Tenant { found: shown(tenant_id) });
        }
        if !is_guid(object_id) {
            return Err(SessionIdError::User { found: shown(object_id) });
        }
        Ok(Self(format!("{tenant_id}.{object_id}.{}", URL_SAFE_NO_PAD.encode(random))))
    }

    /// Reads one; none if it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [tenant_id, object_id, random] = parts[..] else { return None };
        let random = URL_SAFE_NO_PAD.decode(random).ok()?.try_into().ok()?;
        Self::new(tenant_id, object_id, random).ok()
    }

    /// Whether it is a session of this user of this tenant.
    #[must_use]
    pub fn is_of(&self, tenant_id: &str, object_id: &str) -> bool {
        (self.tenant_id(), self.object_id()) == (tenant_id, object_id)
    }

    /// The text, which is also the record's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tenant of the user.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.0[..36]
    }

    /// Object id of the user.
    #[must_use]
    pub fn object_id(&self) -> &str {
        &self.0[37..73]
    }

    fn place(&self) -> Place<'_> {
        Place { tenant_id: self.tenant_id(), object_id: self.object_id(), record: &self.0 }
    }
}

/// Whether a text is a GUID as Entra writes them: hexadecimal digits in lower case, in groups of 8, 4, 4, 4 and 12.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// What is kept of a session.
#[derive(Debug)]
pub struct Session {
    /// `name` of the ID token.
    pub display_name: Option<String>,
    /// `roles` of the ID token that was issued last.
    pub roles: Vec<String>,
    /// The refresh token that was issued last.
    pub refresh_token: SecretString,
    /// Access tokens by the permissions that they were asked for with.
    pub tokens: Vec<(Vec<String>, Kept)>,
    /// The permissions for which claims are wanted that this sign-in did not bring, if there are some: the session goes on, and is not renewed.
    pub short_of: Option<Vec<String>>,
    /// Until when roles are taken as they are, in seconds since the Unix epoch. After that the authority is asked again.
    pub known_until: u64,
    /// When the session ends, whatever is done with it.
    pub ends_at: u64,
}

#[derive(Serialize, Deserialize)]
struct Plain {
    name: Option<String>,
    roles: Vec<String>,
    refresh: String,
    tokens: Vec<(Vec<String>, String, u64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    short_of: Option<Vec<String>>,
    known_until: u64,
    ends_at: u64,
}

impl Session {
    /// The token for `scopes`, if one is there that can still be used at `now`.
    #[must_use]
    pub fn token(&self, scopes: &[String], now: u64) -> Option<&SecretString> {
        let fitting = self.tokens.iter().find(|(known, kept)| known == scopes && kept.is_fresh(now));
        fitting.map(|(_, kept)| &kept.access_token)
    }

    /// Keeps `token` for `scopes` in place of the one before. What was wanted for these scopes is satisfied with it.
    pub fn keep(&mut self, scopes: &[String], token: Kept) {
        self.forget(scopes);
        self.short_of = self.short_of.take().filter(|wanting| wanting != scopes);
        if self.tokens.len() == TOKENS
            && let Some((first, _)) =
                self.tokens.iter().enumerate().min_by_key(|(_, (_, kept))| kept.expires_at)
        {
            self.tokens.remove(first);
        }
        self.tokens.push((scopes.to_vec(), token));
    }

    /// Drops the token for `scopes`.
    pub fn forget(&mut self, scopes: &[String]) {
        self.tokens.retain(|(known, _)| known != scopes);
    }

    /// The record of `id`.
    ///
    /// # Panics
    /// Never: texts and numbers serialise.
    #[must_use]
    pub fn seal(&self, keys: &SealingKeys, id: &SessionId, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let tokens = self.tokens.iter();
        let plain = Plain {
            name: self.display_name.clone(),
            roles: self.roles.clone(),
            refresh: self.refresh_token.expose_secret().to_owned(),
            tokens: tokens
                .map(|(scopes, kept)| {
                    (scopes.clone(), kept.access_token.expose_secret().to_owned(), kept.expires_at)
                })
                .collect(),
            short_of: self.short_of.clone(),
            known_until: self.known_until,
            ends_at: self.ends_at,
        };
        keys.seal(&serde_json::to_vec(&plain).expect("texts and numbers serialise"), id.place(), nonce)
    }

    /// What was sealed as the record of `id`; none for anything else.
    #[must_use]
    pub fn open(keys: &SealingKeys, record: &[u8], id: &SessionId) -> Option<Self> {
        let plain = keys.open(record, id.place())?;
        let plain: Plain = serde_json::from_slice(plain.expose_secret()).ok()?;
        let tokens = plain.tokens.into_iter();
        Some(Self {
            display_name: plain.name,
            roles: plain.roles,
            refresh_token: plain.refresh.into(),
            tokens: tokens
                .map(|(scopes, token, expires_at)| (scopes, Kept { access_token: token.into(), expires_at }))
                .collect(),
            short_of: plain.short_of,
            known_until: plain.known_until,
            ends_at: plain.ends_at,
        })
    }
}

/// What the authority's refusal of a session's refresh token comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The sign-in is over: the token is not taken any more, or not for what the session was opened with.
    Over,
    /// The token may still be good: ask for what the session was opened with. Refused for that, it is over.
    Doubtful,
}

/// What it comes to that the authority refused a session's refresh token (`detail`) when it was asked for `scopes`; `opened_with` is what the session was opened
/// with. That the scopes of one tool are refused ends nobody's session.
#[must_use]
pub fn refusal(detail: &Detail, scopes: &[String], opened_with: &[String]) -> Refusal {
    if detail.is_about_the_grant() || scopes == opened_with { Refusal::Over } else { Refusal::Doubtful }
}

/// Name of the record of the claims that the API or a policy wants of a user at the next sign-in.
#[must_use]
pub fn wanted_claims_name(tenant_id: &str, object_id: &str) -> String {
    format!("claims.{tenant_id}.{object_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
    const USER: &str = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";

    fn id(byte: u8) -> SessionId {
        SessionId::new(TENANT, USER, [byte; ID_BYTES]).unwrap()
    }

    fn scopes(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn kept(token: &str, expires_at: u64) -> Kept {
        Kept { access_token: token.to_owned().into(), expires_at }
    }

    fn session() -> Session {
        Session {
            display_name: Some("Abe".into()),
            roles: vec!["Operator".into()],
            refresh_token: "r-1".to_owned().into(),
            tokens: vec![(scopes("a b"), kept("t-1", 5000))],
            short_of: Some(scopes("c")),
            known_until: 4000,
            ends_at: 9000,
        }
    }

    #[test]
    fn a_session_opens_under_its_id_alone_and_prints_no_token() {
        let keys = SealingKeys::new(&[[1; 32]]).unwrap();
        let record = session().seal(&keys, &id(1), [7; NONCE_BYTES]);
        let opened = Session::open(&keys, &record, &id(1)).unwrap();
        assert_eq!(opened.refresh_token.expose_secret(), "r-1");
        assert_eq!(opened.token(&scopes("a b"), 1000).map(ExposeSecret::expose_secret), Some("t-1"));
        assert_eq!((opened.display_name.as_deref(), opened.roles[0].as_str()), (Some("Abe"), "Operator"));
        assert_eq!((opened.known_until, opened.ends_at), (4000, 9000));
        assert_eq!(opened.short_of, Some(scopes("c")));
        assert!(Session::open(&keys, &record, &id(2)).is_none());
        let shown = format!("{opened:?}");
        assert!(!shown.contains("r-1") && !shown.contains("t-1"), "{shown}");
    }

    #[test]
    fn a_token_is_for_its_scopes_and_its_time() {
        let mut session = session();
        assert!(session.token(&scopes("a"), 1000).is_none());
        assert!(session.token(&scopes("a b"), 4700).is_none(), "five minutes before its end");
        session.keep(&scopes("a b"), kept("t-2", 8000));
        assert_eq!(session.tokens.len(), 1);
        assert!(session.token(&scopes("a b"), 4700).is_some());
        session.forget(&scopes("a b"));
        assert!(session.token(&scopes("a b"), 1000).is_none());
    }

    #[test]
    fn what_is_wanted_for_some_scopes_is_settled_by_a_token_for_these() {
        let mut session = session();
        session.keep(&scopes("a b"), kept("t", 8000));
        assert_eq!(session.short_of, Some(scopes("c")));
        session.keep(&scopes("c"), kept("t", 8000));
        assert_eq!(session.short_of, None);
    }

    #[test]
    fn the_token_that_ends_first_makes_room() {
        let mut session = session();
        for number in 0..TOKENS as u64 {
            session.keep(&scopes(&format!("s{number}")), kept("t", 6000 + number));
        }
        assert_eq!(session.tokens.len(), TOKENS);
        assert!(
            session.token(&scopes("a b"), 1000).is_none() && session.token(&scopes("s0"), 1000).is_some()
        );
    }

    #[test]
    fn a_refusal_of_a_tools_scopes_ends_no_session() {
        let detail =
            |suberror: Option<&str>| Detail { suberror: suberror.map(Into::into), ..Detail::default() };
        let (tool, sign_in) = (scopes("Mail.Read"), scopes("User.Read"));
        assert_eq!(refusal(&detail(None), &tool, &sign_in), Refusal::Doubtful);
        assert_eq!(refusal(&detail(Some("client_mismatch")), &tool, &sign_in), Refusal::Doubtful);
        assert_eq!(refusal(&detail(Some("bad_token")), &tool, &sign_in), Refusal::Over);
        assert_eq!(refusal(&detail(None), &sign_in, &sign_in), Refusal::Over);
    }

    /// The parts are found by their lengths: what is no GUID could be read as another user's.
    #[test]
    fn tenant_and_user_are_guids() {
        let new = |tenant: &str, user: &str| SessionId::new(tenant, user, [1; ID_BYTES]).map(drop);
        let odd = [
            "",
            "common",
            &TENANT.to_uppercase(),
            &TENANT.replace('-', "."),
            &TENANT.replace('-', "0"),
            &format!("{{{TENANT}}}"),
            &format!("{TENANT} "),
            "é0aa00aa-bb11-cc22-dd33-44ee44ee44e",
        ];
        for found in odd {
            let found = found.to_owned();
            assert_eq!(new(&found, USER), Err(SessionIdError::Tenant { found: shown(&found) }));
            assert_eq!(new(TENANT, &found), Err(SessionIdError::User { found: shown(&found) }));
        }
        assert_eq!(new(TENANT, USER), Ok(()));
    }

    #[test]
    fn an_id_has_one_form() {
        assert_eq!(SessionId::parse(id(3).as_str()), Some(id(3)));
        let text = id(3).as_str().to_owned();
        for odd in [
            "",
            "a.b.c",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}.x"),
            &text.to_uppercase(),
            &text.replace("8eaef023", "8eaef02."),
            &wanted_claims_name(TENANT, USER),
        ] {
            assert_eq!(SessionId::parse(odd), None, "{odd}");
        }
    }
}
