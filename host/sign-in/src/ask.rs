//! What a token is asked for, checked once.

use valet_core_entra::claims::with_capabilities;

use crate::account::{Account, AccountId};
use crate::error::{SignInError, WrongAccount};
use crate::limits::shown;

/// What a token is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Scopes of one API, sorted: nothing that the call does not need.
    pub(crate) scopes: Vec<String>,
    /// Whether a claims challenge has made the cached tokens worthless.
    pub(crate) challenged: bool,
    /// The claims request: the challenge, and what we can do.
    pub(crate) claims: String,
    /// Who has to sign in, where that is decided.
    pub(crate) expected: Option<AccountId>,
    /// Whether the settings decide that, so that nobody can switch.
    pub(crate) pinned: bool,
    /// Whether the person chooses who signs in, whoever is known.
    pub(crate) chooses: bool,
    /// How the authority knows them.
    pub(crate) login_hint: Option<String>,
}

impl Ask {
    pub(crate) fn new(scopes: &[&str], challenge: Option<&str>) -> Result<Self, SignInError> {
        let mut scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        // RFC 6749 section 3.3.
        let is_scope = |scope: &String| {
            !scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        match scopes.iter().find(|scope| !is_scope(scope)) {
            Some(scope) => return Err(SignInError::Scope(shown(scope))),
            None if scopes.is_empty() => return Err(SignInError::Scope(String::new())),
            None => {}
        }
        let claims = with_capabilities(challenge).map_err(SignInError::Claims)?;
        Ok(Self {
            scopes,
            challenged: challenge.is_some(),
            claims,
            expected: None,
            pinned: false,
            chooses: false,
            login_hint: None,
        })
    }

    /// Whether whoever signed in may be the one that was asked for.
    pub(crate) fn admit(&self, found: &Account) -> Result<(), SignInError> {
        match &self.expected {
            Some(expected) if *expected != found.id => {
                Err(SignInError::WrongAccount(Box::new(WrongAccount {
                    expected: expected.clone(),
                    username: self.login_hint.clone().filter(|_| !self.chooses),
                    found: found.clone(),
                    pinned: self.pinned,
                })))
            }
            _ => Ok(()),
        }
    }
}
