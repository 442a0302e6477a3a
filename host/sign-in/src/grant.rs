//! What a step that ends well brings.

use secrecy::SecretString;
use valet_core_entra::OPENID_SCOPES;
use valet_core_entra::answer::{ClientInfo, Tokens};
use valet_core_entra::id_token::{self, Identity, Rules};

use crate::account::{Account, AccountId};
use crate::error::SignInError;
use crate::limits::CLOCK_LEEWAY;
use crate::settings::Settings;

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token. It is for the API of its scopes and for nobody else.
    pub token: SecretString,
    /// When it ends, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// Whose it is: the account in use when it was found, who may be another one than when it was asked for.
    pub account: AccountId,
}

/// Tokens, and who they are for.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) account: Account,
    pub(crate) access_token: SecretString,
    pub(crate) expires_at: u64,
    pub(crate) extended_expires_at: u64,
    pub(crate) refresh_at: Option<u64>,
    pub(crate) refresh_token: Option<SecretString>,
    pub(crate) id_token: Option<SecretString>,
    /// The scopes that the token is good for, separated by spaces.
    pub(crate) target: String,
    pub(crate) client_info: Option<String>,
    pub(crate) family: Option<String>,
    /// The kind of grant, for those that make an account known: MSAL keeps it.
    pub(crate) source: Option<&'static str>,
}

impl Grant {
    /// Reads an answer of the token endpoint. `nonce` is that of the authorization request, where there was one.
    pub(crate) fn read(
        tokens: Tokens,
        scopes: &[String],
        nonce: Option<&SecretString>,
        settings: &Settings,
    ) -> Result<Self, SignInError> {
        let now = settings.now();
        let id_token = tokens.id_token.ok_or(SignInError::NoIdToken)?;
        let identity = identity(&id_token, nonce, settings, now)?;
        let target = target(tokens.scope.as_deref(), scopes);
        Ok(Self {
            account: account(identity, tokens.client_info.as_deref()),
            access_token: tokens.access_token,
            expires_at: now.saturating_add(tokens.expires_in),
            extended_expires_at: now
                .saturating_add(tokens.ext_expires_in.unwrap_or(tokens.expires_in).max(tokens.expires_in)),
            refresh_at: tokens.refresh_in.map(|seconds| now.saturating_add(seconds)),
            refresh_token: tokens.refresh_token,
            id_token: Some(id_token),
            target,
            client_info: tokens.client_info,
            family: tokens.foci,
            source: None,
        })
    }

    pub(crate) fn access_token(&self) -> AccessToken {
        let account = self.account.id.clone();
        AccessToken { token: self.access_token.clone(), expires_at: self.expires_at, account }
    }
}

/// Who an ID token names, if it is good.
pub(crate) fn identity(
    id_token: &SecretString,
    nonce: Option<&SecretString>,
    settings: &Settings,
    now: u64,
) -> Result<Identity, SignInError> {
    let tenants: Vec<&str> = settings.tenants.iter().map(String::as_str).collect();
    let rules = Rules {
        authority: &settings.authority,
        client_id: &settings.client_id,
        tenants: &tenants,
        nonce,
        leeway: CLOCK_LEEWAY,
    };
    id_token::read(id_token, &rules, now).map_err(SignInError::IdToken)
}

/// The account that an ID token names.
pub(crate) fn account(identity: Identity, client_info: Option<&str>) -> Account {
    // Without `client_info` the account is at home where it signed in, as far as can be known.
    let home = client_info
        .and_then(ClientInfo::read)
        .unwrap_or_else(|| ClientInfo { uid: identity.object_id.clone(), utid: identity.tenant_id.clone() });
    Account {
        id: AccountId::new(&identity.tenant_id, &identity.object_id),
        username: identity.username,
        name: identity.name,
        home_account_id: format!("{}.{}", home.uid, home.utid),
    }
}

/// The scopes that were granted, sorted as MSAL keeps them; those asked for where the answer names none (RFC 6749 section 5.1).
/// `.default` stands for scopes that the answer names instead of it, so it is kept beside them to be found again.
pub(crate) fn target(granted: Option<&str>, asked: &[String]) -> String {
    let mut target: Vec<&str> = match granted {
        Some(granted) => granted.split(' ').filter(|scope| !scope.is_empty()).collect(),
        None => asked.iter().map(String::as_str).collect(),
    };
    target.extend(asked.iter().map(String::as_str).filter(|scope| scope.ends_with("/.default")));
    target.sort_unstable();
    target.dedup();
    target.join(" ")
}

/// The scopes of a request: those asked for, and those by which the person and a refresh token are asked for.
pub(crate) fn with_openid(scopes: &[String]) -> Vec<&str> {
    let asked = scopes.iter().map(String::as_str);
    asked.filter(|scope| !OPENID_SCOPES.contains(scope)).chain(OPENID_SCOPES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_what_was_granted() {
        let asked = ["b".to_owned(), "a".to_owned()];
        assert_eq!(target(None, &asked), "a b");
        assert_eq!(target(Some("openid  b"), &asked), "b openid", "fewer than asked for stay fewer");
        let default = ["https://g/.default".to_owned()];
        assert_eq!(target(Some("https://g/x"), &default), "https://g/.default https://g/x");
    }
}
