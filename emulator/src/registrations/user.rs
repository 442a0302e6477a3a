//! One person in one directory.

use serde::Deserialize;
use uuid::Uuid;

use super::Registrations;

/// The directory of personal Microsoft accounts. It is built in: users may have it as their `tenant`.
pub const PERSONAL_TENANT: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// One person. The profile fields are what Graph answers.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Object id, the `oid` of tokens and the `id` of Graph.
    pub id: Uuid,
    /// Directory the user belongs to; [`PERSONAL_TENANT`] makes it a personal account.
    pub tenant: Uuid,
    /// User principal name, the sign-in name.
    pub user_principal_name: String,
    /// Full name.
    pub display_name: String,
    /// First name.
    pub given_name: Option<String>,
    /// Family name.
    pub surname: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// Mobile number.
    pub mobile_phone: Option<String>,
    /// Business numbers.
    #[serde(default)]
    pub business_phones: Vec<String>,
    /// Department.
    pub department: Option<String>,
    /// Office.
    pub office_location: Option<String>,
    /// Language tag, e.g. `en-GB`.
    pub preferred_language: Option<String>,
    /// App roles assigned to this user.
    #[serde(default)]
    pub app_roles: Vec<RoleAssignment>,
    /// Asked on a page of its own when the user signs in by hand. None: the account's button is enough.
    pub password: Option<String>,
    /// The account is blocked (AADSTS50057).
    #[serde(default)]
    pub disabled: bool,
    /// Makes this a guest: the object id of the same person in the home directory, who signs in with that
    /// account.
    pub home: Option<Uuid>,
    /// So many further groups, whose ids are derived from the user's: for tokens with more groups than fit.
    #[serde(default)]
    pub further_groups: u16,
}

/// Roles of one API held by one user.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleAssignment {
    /// Client id of the API.
    pub app: Uuid,
    /// Values of its `app_roles`. Empty: assigned, without a role.
    pub roles: Vec<String>,
}

impl User {
    /// Values of the roles this user holds at `api`.
    pub fn roles_at(&self, api: Uuid) -> Vec<&str> {
        self.app_roles.iter().filter(|a| a.app == api).flat_map(|a| &a.roles).map(String::as_str).collect()
    }

    /// Whether the user is assigned to `app`, with or without a role.
    pub fn assigned_to(&self, app: Uuid) -> bool {
        self.app_roles.iter().any(|a| a.app == app)
    }

    /// Whether this is a personal Microsoft account.
    pub fn is_personal(&self) -> bool {
        self.tenant == PERSONAL_TENANT
    }

    pub(super) fn check(&self, all: &Registrations, key: &str) -> Result<(), (String, String)> {
        if self.is_personal() {
            self.check_personal(key)?;
        }
        let Some(home) = self.home else { return Ok(()) };
        let refuse = |message: String| Err((format!("{key}.home"), message));
        match all.users.iter().find(|u| u.id == home) {
            None => refuse(format!("no user has the id {home}")),
            Some(_) if self.is_personal() => refuse("a personal account is nowhere a guest's".into()),
            Some(person) if person.tenant == self.tenant => {
                refuse(format!("{} is of the same tenant", person.user_principal_name))
            }
            Some(person) if person.home.is_some() => {
                refuse(format!("{} is a guest too", person.user_principal_name))
            }
            Some(_) => Ok(()),
        }
    }

    /// Personal accounts are in no directory that could assign them roles or groups, and their object ids
    /// have a shape of their own.
    fn check_personal(&self, key: &str) -> Result<(), (String, String)> {
        if self.id.as_u64_pair().0 != 0 {
            let message = "the id of a personal account begins with 00000000-0000-0000-";
            return Err((format!("{key}.id"), message.into()));
        }
        if !self.app_roles.is_empty() {
            return Err((format!("{key}.app_roles"), "a personal account is assigned no roles".into()));
        }
        match self.further_groups {
            0 => Ok(()),
            _ => Err((format!("{key}.further_groups"), "a personal account is in no groups".into())),
        }
    }
}

/// By hand: passwords must not reach a log.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("user_principal_name", &self.user_principal_name)
            .finish_non_exhaustive()
    }
}
