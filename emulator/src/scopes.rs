//! What a scope string asks for: OpenID words, and permissions of one or more APIs.
//!
//! Owns parsing, resource ownership and the `resource` parameter. Whether the asker may have it is decided by
//! the endpoints with [`crate::state::State::granted`].

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::errors::Refusal;
use crate::registrations::{App, GRAPH_APP_ID, PERSONAL_TENANT, Registrations, User};
use crate::state::State;

/// The four words of OpenID Connect that belong to no resource.
const OIDC: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// A scope string, understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Among `openid profile email offline_access`.
    pub(crate) oidc: BTreeSet<String>,
    /// Per API, in order of first mention.
    pub(crate) apis: Vec<ApiAsk>,
}

/// What is asked of one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiAsk {
    /// Client id of the API.
    pub(crate) api: Uuid,
    /// The identifier as written, or None for bare Graph scopes. It becomes the `aud` of v1 tokens.
    pub(crate) identifier: Option<String>,
    /// Named scopes, spelt as registered.
    pub(crate) scopes: Vec<String>,
    /// `/.default` instead of names.
    pub(crate) default: bool,
}

impl Ask {
    /// Understands `text` as asked by `client` in `tenant` (None: an alias; then any tenant's API is found).
    pub(crate) fn parse(
        text: &str,
        client: &App,
        tenant: Option<Uuid>,
        all: &Registrations,
    ) -> Result<Self, Refusal> {
        let mut ask = Self::default();
        for word in text.split_ascii_whitespace() {
            if !word.bytes().all(is_scope_character) {
                return Err(Refusal::BadScope(format!("{word:?} has a character that no scope has")));
            }
            if OIDC.contains(&word) {
                ask.oidc.insert(word.to_owned());
                continue;
            }
            ask.add(word, client, tenant, all)?;
        }
        if let Some(mixed) = ask.apis.iter().find(|a| a.default && !a.scopes.is_empty()) {
            return Err(Refusal::BadScope(format!(
                ".default and {} cannot be combined",
                mixed.scopes.join(" ")
            )));
        }
        Ok(ask)
    }

    /// The same where a token is issued at once, to a user of `tenant`: there must be something to issue it
    /// for. `openid` is enough, `offline_access` is not.
    pub(crate) fn for_token(
        text: &str,
        client: &App,
        tenant: Uuid,
        all: &Registrations,
    ) -> Result<Self, Refusal> {
        let ask = Self::parse(text, client, Some(tenant), all)?;
        match (ask.apis.is_empty(), ask.oidc.is_empty()) {
            (true, true) => Err(Refusal::EmptyScope),
            (true, false) if !ask.has("openid") => Err(Refusal::ScopeWithoutResource(text.trim().to_owned())),
            _ => Ok(ask),
        }
    }

    fn add(
        &mut self,
        word: &str,
        client: &App,
        tenant: Option<Uuid>,
        all: &Registrations,
    ) -> Result<(), Refusal> {
        let (identifier, value) = match word.rsplit_once('/') {
            Some(("", _) | (_, "")) => return Err(Refusal::BadScope(word.to_owned())),
            Some((identifier, value)) => (Some(identifier), value),
            None => (None, word),
        };
        let api = self.owner(identifier, tenant, all)?;
        let entry = match self.apis.iter_mut().position(|a| a.api == api.client_id) {
            Some(at) => &mut self.apis[at],
            None => {
                let identifier = identifier.map(str::to_owned);
                self.apis.push(ApiAsk { api: api.client_id, identifier, scopes: vec![], default: false });
                self.apis.last_mut().expect("one was just pushed")
            }
        };
        if value == ".default" {
            entry.default = true;
            return Ok(());
        }
        let scope = api.scope(value).ok_or_else(|| Refusal::UnknownScope {
            client: client.client_id,
            scope: value.to_owned(),
            resource: api.name.clone(),
        })?;
        if !entry.scopes.contains(&scope.value) {
            entry.scopes.push(scope.value.clone());
        }
        Ok(())
    }

    /// An unqualified scope belongs to Graph.
    fn owner<'a>(
        &self,
        identifier: Option<&str>,
        tenant: Option<Uuid>,
        all: &'a Registrations,
    ) -> Result<&'a App, Refusal> {
        let Some(identifier) = identifier else {
            return Ok(all.app(GRAPH_APP_ID).expect("Graph is built in"));
        };
        // `https://host//.default` is the documented spelling where the identifier ends in a slash.
        let found = all.api(identifier).or_else(|| all.api(&format!("{identifier}/")));
        let api = found.ok_or_else(|| Refusal::UnknownResource(identifier.to_owned()))?;
        reachable(api, identifier, tenant)?;
        Ok(api)
    }

    /// What can only be said once the user is known: each API must serve the user's tenant, and `.default`
    /// needs that the client was configured with permissions there, or has some by consent or by the API's
    /// trust.
    pub(crate) fn check_for(
        &self,
        state: &State,
        client: &App,
        user: &User,
        all: &Registrations,
    ) -> Result<(), Refusal> {
        for asked in &self.apis {
            let api = all.app(asked.api).ok_or_else(|| Refusal::UnknownResource(asked.api.to_string()))?;
            let name = asked.identifier.clone().unwrap_or_else(|| api.identifier());
            reachable(api, &name, Some(user.tenant))?;
            let configured = client.api_permissions.iter().any(|p| p.resource == api.client_id);
            if asked.default && !configured && state.granted(user.id, client, api).is_empty() {
                let listed = client.api_permissions.iter().map(|p| p.resource.to_string());
                return Err(Refusal::ResourceNotConfigured {
                    client: client.client_id,
                    name: client.name.clone(),
                    resource: name,
                    api: api.client_id,
                    configured: listed.collect::<Vec<_>>().join(", "),
                });
            }
        }
        Ok(())
    }

    /// The one API asked for, None if only OpenID words were; refuses two (the token endpoint's rule).
    pub(crate) fn single(&self, all: &Registrations) -> Result<Option<&ApiAsk>, Refusal> {
        match self.apis.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => {
                let names: Vec<_> =
                    several.iter().filter_map(|a| all.app(a.api)).map(|a| a.name.as_str()).collect();
                Err(Refusal::TwoResources(names.join(", ")))
            }
        }
    }

    /// RFC 8707 as Entra does it: `resource` must equal an identifier URI of the API that owns the scopes,
    /// and the scopes must be written with their owner. Anything else is AADSTS9010010.
    pub(crate) fn check_resource(&self, resource: Option<&str>, all: &Registrations) -> Result<(), Refusal> {
        let Some(resource) = resource else { return Ok(()) };
        let refuse = |owner: String| Refusal::ResourceMismatch { resource: resource.to_owned(), owner };
        if self.apis.is_empty() {
            return Err(refuse("no API is asked for".into()));
        }
        for asked in &self.apis {
            let api = all.app(asked.api).ok_or_else(|| Refusal::UnknownResource(asked.api.to_string()))?;
            if asked.identifier.is_none() || !api.identifier_uris.iter().any(|u| u == resource) {
                return Err(refuse(api.identifier_uris.join(" ")));
            }
        }
        Ok(())
    }

    /// Whether this OpenID word was asked.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.oidc.contains(word)
    }
}

/// RFC 6749 section 3.3: `scope-token`.
fn is_scope_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// Passes if `tenant` (None: not known yet) can get tokens for `api`, which the client called `name`.
fn reachable(api: &App, name: &str, tenant: Option<Uuid>) -> Result<(), Refusal> {
    match tenant {
        Some(PERSONAL_TENANT) if !api.visible_in(PERSONAL_TENANT) => {
            Err(Refusal::WorkOnlyApp(name.to_owned()))
        }
        Some(tenant) if !api.visible_in(tenant) => Err(Refusal::UnknownResource(name.to_owned())),
        _ if !api.enabled => Err(Refusal::DisabledResource(name.to_owned())),
        _ => Ok(()),
    }
}

impl ApiAsk {
    /// The named scopes; with `.default`, those the client was configured with at this API, or already has.
    pub(crate) fn names(&self, client: &App, granted: &BTreeSet<String>) -> Vec<String> {
        if !self.default {
            return self.scopes.clone();
        }
        let configured =
            client.api_permissions.iter().filter(|p| p.resource == self.api).flat_map(|p| &p.delegated);
        configured.chain(granted).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registrations::ids;

    fn parse(text: &str) -> Result<Ask, Refusal> {
        let all = Registrations::sample();
        let client = all.app(ids::DEMO_CLIENT).unwrap();
        Ask::parse(text, client, Some(ids::TENANT), &all)
    }

    #[test]
    fn scopes_find_their_owner() {
        let ask = parse("openid api://7e57c000-0000-4000-8000-000000000001/mcp.access User.Read").unwrap();
        assert!(ask.has("openid"));
        assert_eq!(ask.apis[0].api, ids::VALET);
        assert_eq!(ask.apis[1].api, GRAPH_APP_ID);
        assert_eq!(ask.apis[1].identifier, None);
        let by_id = parse(&format!("{}/mcp.access", ids::VALET)).unwrap();
        assert_eq!(by_id.apis[0].api, ids::VALET);
    }

    #[test]
    fn refusals() {
        let code = |text: &str| parse(text).unwrap_err().code().0;
        assert_eq!(code("mcp.access"), 650_053);
        assert_eq!(code("api://ledger.contoso.example/none"), 650_053);
        assert_eq!(code("api://nobody/x"), 500_011);
        assert_eq!(code("api://portal.fabrikam.example/portal.use"), 500_011);
        assert_eq!(code("User.Read https://graph.microsoft.com/.default"), 70011);
        assert_eq!(code("/x"), 70011);
    }

    #[test]
    fn the_resource_parameter_must_name_the_owner() {
        let all = Registrations::sample();
        let check = |scope: &str, resource: &str| parse(scope).unwrap().check_resource(Some(resource), &all);
        let mcp = "https://localhost:8443/mcp";
        assert_eq!(check(&format!("{mcp}/mcp.access"), mcp), Ok(()));
        assert_eq!(check(&format!("{}/mcp.access", ids::VALET_URI), mcp), Ok(()));
        for (scope, resource) in [
            (format!("{mcp}/mcp.access"), "https://localhost:8443/mcp/"),
            (format!("{mcp}/mcp.access"), ids::LEDGER_URI),
            ("User.Read".into(), "https://graph.microsoft.com"),
            ("openid".into(), mcp),
        ] {
            assert_eq!(check(&scope, resource).unwrap_err().code().0, 9_010_010, "{scope} {resource}");
        }
    }
}
