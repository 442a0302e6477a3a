//! What tokens say of a person: names, roles, groups, where the account is at home, optional claims.
//!
//! Example: Farah works at Fabrikam and is a guest of Contoso. In a token of Contoso, `tid` and `oid` are
//! Contoso's, `idp` is Fabrikam's issuer, and her user name is the one she signs in with at home.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Claims, issuer, sign_in};
use crate::registrations::{
    App, GroupClaims, Membership, PERSONAL_TENANT, Registrations, TokenVersion, User, groups_of,
};
use crate::state::{SignIn, State};

/// More groups than this are left out of a token (Entra documentation, "Groups overage claim").
const MOST_GROUPS: usize = 200;

/// Where an overage still points: an API that was retired. Callers are to ask Microsoft Graph by `oid`
/// instead.
const OVERAGE_HOST: &str = "https://graph.windows.net";

/// A user, and the same person at home if the user is a guest.
pub(super) struct Person<'a> {
    pub(super) user: &'a User,
    home: Option<&'a User>,
    all: &'a Registrations,
}

impl<'a> Person<'a> {
    pub(super) fn new(all: &'a Registrations, user: &'a User) -> Self {
        Self { user, home: all.home_of(user), all }
    }

    /// The name the person signs in with.
    fn sign_in_name(&self) -> String {
        self.home.unwrap_or(self.user).user_principal_name.clone()
    }

    /// Display names. v1 tokens always carry some that v2 tokens have as optional claims.
    pub(super) fn names(&self, version: TokenVersion, claims: &mut Claims) {
        claims.put("name", self.user.display_name.clone());
        match version {
            TokenVersion::V2 => claims.put("preferred_username", self.sign_in_name()),
            TokenVersion::V1 => {
                claims.put("unique_name", self.unique_name());
                claims.put_some("given_name", self.user.given_name.clone());
                claims.put_some("family_name", self.user.surname.clone());
                if self.home.is_none() {
                    claims.put("upn", self.sign_in_name());
                }
            }
        }
    }

    /// v1 marks personal accounts in a work tenant.
    fn unique_name(&self) -> String {
        match self.home {
            Some(home) if home.tenant == PERSONAL_TENANT => format!("live.com#{}", self.sign_in_name()),
            _ => self.sign_in_name(),
        }
    }

    /// `idp`, and for guests `email`, which they have unasked. "Use the value of `iss` if the claim isn't
    /// present": v1 tokens have it always, v2 tokens where it differs.
    pub(super) fn provider(&self, state: &State, version: TokenVersion, claims: &mut Claims) {
        match (self.home, version) {
            (Some(home), _) => {
                claims.put(
                    "idp",
                    match home.tenant {
                        PERSONAL_TENANT => "live.com".to_owned(),
                        work => issuer(state, TokenVersion::V1, work),
                    },
                );
                claims.put_some("email", self.user.mail.clone());
            }
            (None, TokenVersion::V1) => claims.put("idp", issuer(state, TokenVersion::V1, self.user.tenant)),
            (None, TokenVersion::V2) => {}
        }
    }

    /// `roles`: those assigned at the app that reads the token.
    pub(super) fn roles(&self, app: &App, claims: &mut Claims) {
        let roles = self.user.roles_at(app.client_id);
        if !roles.is_empty() {
            claims.put("roles", json!(roles));
        }
    }

    /// `groups` or its overage, and `wids`.
    pub(super) fn groups(&self, shown: GroupClaims, claims: &mut Claims) {
        if shown == GroupClaims::None {
            return;
        }
        let (roles, groups): (Vec<_>, Vec<_>) =
            groups_of(self.all, self.user).into_iter().partition(|m| m.role_template.is_some());
        if shown != GroupClaims::SecurityGroup {
            let templates: Vec<Uuid> = roles.iter().filter_map(|r| r.role_template).collect();
            if !templates.is_empty() {
                claims.put("wids", json!(templates));
            }
        }
        if shown != GroupClaims::DirectoryRole && !groups.is_empty() {
            self.group_ids(&groups, claims);
        }
    }

    fn group_ids(&self, groups: &[Membership], claims: &mut Claims) {
        if groups.len() <= MOST_GROUPS {
            claims.put("groups", groups.iter().map(|g| Value::from(g.id.to_string())).collect::<Vec<_>>());
            return;
        }
        let User { id, tenant, .. } = self.user;
        let endpoint = format!("{OVERAGE_HOST}/{tenant}/users/{id}/getMemberObjects");
        claims.put("_claim_names", json!({ "groups": "src1" }));
        claims.put("_claim_sources", json!({ "src1": { "endpoint": endpoint } }));
    }

    /// The optional claims about a person. Those about client and token are where they are decided.
    pub(super) fn optional(&self, wanted: &[String], sign_in: Option<SignIn>, claims: &mut Claims) {
        let user = self.user;
        for name in wanted.iter().map(String::as_str) {
            match name {
                "acct" => claims.put(name, u8::from(self.home.is_some())),
                "amr" => claims.put_some(name, sign_in.map(sign_in::methods)),
                "auth_time" => claims.put_some(name, sign_in.map(|s| s.at.0)),
                "email" => claims.put_some(name, user.mail.clone()),
                "family_name" => claims.put_some(name, user.surname.clone()),
                "given_name" => claims.put_some(name, user.given_name.clone()),
                "preferred_username" | "upn" => claims.put(name, self.sign_in_name()),
                "xms_pl" => claims.put_some(name, user.preferred_language.as_ref().map(|l| l.to_lowercase())),
                _ => {}
            }
        }
    }
}
