//! The unified cache schema that MSAL's libraries share: sections of entries, each under a key made of its own members.
//!
//! What we do not know we keep: entries of other applications, members of other libraries. Keys are in lower case and joined with `-`;
//! times are strings of seconds; the scopes of a token are sorted and separated by spaces.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::account::{Account, AccountId, is_guid};
use crate::grant::{AccessToken, Grant};

/// Names under which Microsoft's public cloud is known; MSAL's libraries differ in which one they write.
const PUBLIC_CLOUD: [&str; 4] =
    ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];

/// The sections whose entries are those of accounts.
const CREDENTIALS: [&str; 3] = ["AccessToken", "RefreshToken", "IdToken"];

/// Whose entries are read and written.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// Host of the authority, as MSAL has it: without port.
    pub(crate) environment: String,
    /// The application.
    pub(crate) client_id: String,
    /// The tenant as it is set up, which MSAL for Python writes as realm.
    pub(crate) tenant: String,
}

/// All that is cached. It holds secrets, so it does not print.
#[derive(Clone, Default)]
pub(crate) struct Cache(Map<String, Value>);

impl Cache {
    /// Reads a cache: a JSON object of sections, which are objects of entries, which are objects.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let sections: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
        let is_section = |section: &Value| {
            section.as_object().is_some_and(|entries| entries.values().all(Value::is_object))
        };
        sections.values().all(is_section).then_some(Self(sections))
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(&self.0).expect("JSON serialises"))
    }

    /// The accounts with which this application has tokens, whatever their tenant: which of them may be used is decided by `Desk::accounts`.
    pub(crate) fn accounts(&self, owner: &Owner) -> Vec<Account> {
        let mut accounts: Vec<Account> = Vec::new();
        for entry in self.entries("Account").filter(|entry| owner.shares_environment(entry)) {
            let Some(account) = account(entry) else { continue };
            let ours = |section| self.entries(section).any(|token| owner.owns(token, &account));
            if CREDENTIALS.into_iter().any(ours) && !accounts.iter().any(|known| known.id == account.id) {
                accounts.push(account);
            }
        }
        accounts
    }

    /// The youngest token of `account` for all of `scopes` that is good beyond `until`.
    pub(crate) fn access_token(
        &self,
        owner: &Owner,
        account: &Account,
        scopes: &[String],
        until: u64,
    ) -> Option<AccessToken> {
        self.entries("AccessToken")
            .filter(|entry| owner.owns(entry, account) && owner.is_realm_of(entry, account))
            // Bound to a key, or to parameters that we did not send.
            .filter(|entry| ["key_id", "ext_cache_key"].iter().all(|name| text(entry, name).is_empty()))
            .filter(|entry| ["", "bearer"].contains(&text(entry, "token_type").to_ascii_lowercase().as_str()))
            .filter(|entry| seconds(entry, "expires_on").is_some_and(|end| end > until))
            .filter(|entry| covers(text(entry, "target"), scopes))
            .max_by_key(|entry| seconds(entry, "cached_at"))
            .map(|entry| AccessToken {
                token: SecretString::from(text(entry, "secret")),
                expires_at: seconds(entry, "expires_on").unwrap_or_default(),
                account: account.id.clone(),
            })
    }

    /// The refresh token of `account`; it belongs to no API and no tenant.
    pub(crate) fn refresh_token(&self, owner: &Owner, account: &Account) -> Option<SecretString> {
        self.entries("RefreshToken")
            .filter(|entry| owner.owns(entry, account))
            .max_by_key(|entry| seconds(entry, "last_modification_time"))
            .map(|entry| SecretString::from(text(entry, "secret")))
    }

    /// Puts what a step brought. A refresh token takes the place of every earlier one of the account.
    pub(crate) fn put(&mut self, owner: &Owner, grant: &Grant, now: u64) {
        let (environment, client_id) = (&owner.environment, &owner.client_id);
        let (home, realm) = (&grant.account.home_account_id, &grant.account.id.tenant_id);
        let of_client =
            json!({ "home_account_id": home, "environment": environment, "client_id": client_id });

        let mut access = entry(&of_client, "AccessToken", &grant.access_token);
        access.extend(members(json!({
            "realm": realm, "target": grant.target, "token_type": "Bearer", "cached_at": now.to_string(),
            "expires_on": grant.expires_at.to_string(), "extended_expires_on": grant.extended_expires_at.to_string(),
        })));
        if let Some(at) = grant.refresh_at {
            access.insert("refresh_on".to_owned(), at.to_string().into());
        }
        self.insert(
            "AccessToken",
            &[home, environment, "accesstoken", client_id, realm, &grant.target],
            access,
        );

        if let Some(secret) = &grant.refresh_token {
            self.remove("RefreshToken", |entry| owner.owns(entry, &grant.account));
            let mut refresh = entry(&of_client, "RefreshToken", secret);
            refresh.insert("last_modification_time".to_owned(), now.to_string().into());
            if let Some(family) = &grant.family {
                refresh.insert("family_id".to_owned(), family.as_str().into());
            }
            self.insert("RefreshToken", &[home, environment, "refreshtoken", client_id, "", ""], refresh);
        }
        if let Some(secret) = &grant.id_token {
            let mut id = entry(&of_client, "IdToken", secret);
            id.insert("realm".to_owned(), realm.as_str().into());
            self.insert("IdToken", &[home, environment, "idtoken", client_id, realm, ""], id);
        }
        self.put_account(owner, grant);
        let metadata = members(json!({ "client_id": client_id, "environment": environment }));
        self.insert("AppMetadata", &["appmetadata", environment, client_id], metadata);
    }

    fn put_account(&mut self, owner: &Owner, grant: &Grant) {
        let Account { id, username, name, home_account_id } = &grant.account;
        let key = [home_account_id.as_str(), &owner.environment, &id.tenant_id];
        // What another library knows about the account stays.
        let mut account = self.get("Account", &key).cloned().unwrap_or_default();
        account.extend(members(json!({
            "home_account_id": home_account_id, "environment": owner.environment, "realm": id.tenant_id,
            "local_account_id": id.object_id, "authority_type": "MSSTS",
            "username": username.as_deref().unwrap_or_default(),
        })));
        for (member, value) in [
            ("name", name.as_deref()),
            ("client_info", grant.client_info.as_deref()),
            ("account_source", grant.source),
        ] {
            if let Some(value) = value {
                account.insert(member.to_owned(), value.into());
            }
        }
        self.insert("Account", &key, account);
    }

    /// Removes what this application has of `account`, and the account itself where no other application has anything of it.
    pub(crate) fn remove_account(&mut self, owner: &Owner, account: &Account) {
        for section in CREDENTIALS {
            self.remove(section, |entry| owner.owns(entry, account));
        }
        let of_others = |entry: &Map<String, Value>| {
            owner.shares_environment(entry) && text(entry, "home_account_id") == account.home_account_id
        };
        if !CREDENTIALS.into_iter().any(|section| self.entries(section).any(of_others)) {
            self.remove("Account", of_others);
        }
    }

    /// Removes a refresh token that was refused, unless another one has taken its place.
    pub(crate) fn remove_refresh_token(&mut self, owner: &Owner, account: &Account, refused: &SecretString) {
        self.remove("RefreshToken", |entry| {
            owner.owns(entry, account) && text(entry, "secret") == refused.expose_secret()
        });
    }

    /// Removes the tokens for `scopes` that a claims challenge has made worthless.
    pub(crate) fn remove_access_tokens(&mut self, owner: &Owner, account: &Account, scopes: &[String]) {
        self.remove("AccessToken", |entry| {
            owner.owns(entry, account) && covers(text(entry, "target"), scopes)
        });
    }

    /// Removes the tokens of this application that have ended.
    pub(crate) fn remove_expired(&mut self, owner: &Owner, now: u64) {
        self.remove("AccessToken", |entry| {
            owner.shares_environment(entry)
                && text(entry, "client_id").eq_ignore_ascii_case(&owner.client_id)
                && seconds(entry, "expires_on").is_some_and(|end| end <= now)
        });
    }

    fn entries(&self, section: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.0
            .get(section)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values)
            .filter_map(Value::as_object)
    }

    fn get(&self, section: &str, key: &[&str]) -> Option<&Map<String, Value>> {
        self.0.get(section)?.get(key.join("-").to_lowercase())?.as_object()
    }

    fn insert(&mut self, section: &str, key: &[&str], entry: Map<String, Value>) {
        let entries = self.0.entry(section).or_insert_with(|| json!({}));
        if let Some(entries) = entries.as_object_mut() {
            entries.insert(key.join("-").to_lowercase(), Value::Object(entry));
        }
    }

    fn remove(&mut self, section: &str, which: impl Fn(&Map<String, Value>) -> bool) {
        if let Some(entries) = self.0.get_mut(section).and_then(Value::as_object_mut) {
            entries.retain(|_, entry| !entry.as_object().is_some_and(&which));
        }
    }
}

impl Owner {
    fn shares_environment(&self, entry: &Map<String, Value>) -> bool {
        let found = text(entry, "environment");
        let public = |name: &str| PUBLIC_CLOUD.iter().any(|known| name.eq_ignore_ascii_case(known));
        found.eq_ignore_ascii_case(&self.environment) || public(found) && public(&self.environment)
    }

    fn owns(&self, entry: &Map<String, Value>, account: &Account) -> bool {
        self.shares_environment(entry)
            && text(entry, "client_id").eq_ignore_ascii_case(&self.client_id)
            && text(entry, "home_account_id").eq_ignore_ascii_case(&account.home_account_id)
    }

    /// A token of another tenant speaks for another account of the same person.
    fn is_realm_of(&self, entry: &Map<String, Value>, account: &Account) -> bool {
        let realm = text(entry, "realm");
        realm.eq_ignore_ascii_case(&account.id.tenant_id)
            // An alias or a domain names the tenant only together with its home account.
            || !is_guid(realm)
                && realm.eq_ignore_ascii_case(&self.tenant)
                && account.home_account_id.ends_with(&account.id.tenant_id)
    }
}

fn account(entry: &Map<String, Value>) -> Option<Account> {
    let home = text(entry, "home_account_id");
    let realm = text(entry, "realm");
    // MSAL for Python writes the alias or domain that it asked; then the tenant is the one at home.
    let tenant = if is_guid(realm) { realm } else { home.rsplit_once('.')?.1 };
    let object = text(entry, "local_account_id");
    let shown = |name| Some(text(entry, name)).filter(|text| !text.is_empty()).map(str::to_owned);
    (is_guid(tenant) && is_guid(object)).then(|| Account {
        id: AccountId::new(tenant, object),
        username: shown("username"),
        name: shown("name"),
        home_account_id: home.to_owned(),
    })
}

/// Whether a token with these scopes is good for those: scopes are compared without case, as Entra does.
fn covers(target: &str, scopes: &[String]) -> bool {
    scopes.iter().all(|scope| target.split(' ').any(|granted| granted.eq_ignore_ascii_case(scope)))
}

fn text<'a>(entry: &'a Map<String, Value>, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A time: a string by the schema, a number with some libraries.
fn seconds(entry: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = entry.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn members(object: Value) -> Map<String, Value> {
    if let Value::Object(members) = object { members } else { Map::new() }
}

fn entry(of: &Value, kind: &str, secret: &SecretString) -> Map<String, Value> {
    let mut entry = members(of.clone());
    entry.insert("credential_type".to_owned(), kind.into());
    entry.insert("secret".to_owned(), secret.expose_secret().into());
    entry
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
