//! The tenant segment of a path, and whom it lets in: a directory by id or domain, the tenant of personal
//! accounts, or one of the aliases for "any account".
//!
//! | segment | accounts | applications refused |
//! |---|---|---|
//! | a tenant | its own, guests among them | of another tenant (700016), for personal accounts alone (9002346) |
//! | `organizations` | of every tenant | of one tenant (50194), for personal accounts alone (9002331) |
//! | `common` | of every tenant, and personal ones | the same |
//! | `consumers`, or its id | personal ones | for work accounts alone (9002332) |

use uuid::Uuid;

use crate::errors::Refusal;
use crate::registrations::{App, PERSONAL_TENANT, Registrations, SignInAudience, User};

/// A tenant segment, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Realm {
    /// The directory, or None for `common` and `organizations`.
    pub(crate) tenant: Option<Uuid>,
    /// What URLs are built with: the directory's id, or the alias itself.
    pub(crate) segment: String,
}

impl Realm {
    /// Understands a segment, letters of any case.
    pub(crate) fn parse(segment: &str, all: &Registrations) -> Result<Self, Refusal> {
        let lower = segment.to_ascii_lowercase();
        match lower.as_str() {
            "common" | "organizations" => return Ok(Self { tenant: None, segment: lower }),
            "consumers" => return Ok(Self { tenant: Some(PERSONAL_TENANT), segment: lower }),
            _ => {}
        }
        let tenant = match all.tenant(segment) {
            Some(tenant) => tenant.id,
            None if Uuid::parse_str(segment) == Ok(PERSONAL_TENANT) => PERSONAL_TENANT,
            None if is_name(segment) => return Err(Refusal::UnknownTenant(segment.to_owned())),
            None => return Err(Refusal::BadTenant(segment.to_owned())),
        };
        Ok(Self { tenant: Some(tenant), segment: tenant.to_string() })
    }

    /// The client of that id, if this realm serves it.
    pub(crate) fn client<'a>(&self, client_id: &str, all: &'a Registrations) -> Result<&'a App, Refusal> {
        let unknown = || match self.tenant {
            Some(_) => Refusal::UnknownApp { client: client_id.to_owned(), tenant: self.segment.clone() },
            None => Refusal::UnknownAppAtAlias(client_id.to_owned()),
        };
        let id = Uuid::parse_str(client_id).map_err(|_| unknown())?;
        // Not through `app()`: Graph is a resource, never a client.
        let client = all.apps.iter().find(|a| a.client_id == id).ok_or_else(unknown)?;
        if let Some(refusal) = self.mismatch(client) {
            return Err(refusal);
        }
        match self.tenant {
            Some(tenant) if !client.visible_in(tenant) => Err(unknown()),
            _ if !client.enabled => Err(Refusal::DisabledApp(id)),
            _ => Ok(client),
        }
    }

    /// What is wrong between the kind of realm and the audience of the client.
    fn mismatch(&self, client: &App) -> Option<Refusal> {
        use SignInAudience::{AzureADMultipleOrgs, AzureADMyOrg, PersonalMicrosoftAccount};
        let id = client.client_id;
        match (self.tenant, client.sign_in_audience) {
            (None, AzureADMyOrg) => Some(Refusal::SingleTenant(id)),
            (None, PersonalMicrosoftAccount) => Some(Refusal::PersonalAppAtAlias(id)),
            (Some(PERSONAL_TENANT), AzureADMyOrg | AzureADMultipleOrgs) => {
                Some(Refusal::WorkOnlyApp(id.to_string()))
            }
            (Some(PERSONAL_TENANT), _) => None,
            (Some(_), PersonalMicrosoftAccount) => Some(Refusal::PersonalAppInTenant(id)),
            _ => None,
        }
    }

    /// Whether a user of `tenant` may sign in here.
    pub(crate) fn admits(&self, tenant: Uuid) -> bool {
        match self.tenant {
            Some(mine) => mine == tenant,
            None => self.segment == "common" || tenant != PERSONAL_TENANT,
        }
    }

    /// Passes if the account may sign in here to that client. At an alias an account signs in at home, so a
    /// guest object is not found there.
    pub(crate) fn check_account(&self, client: &App, user: &User) -> Result<(), Refusal> {
        let guest_at_alias = self.tenant.is_none() && user.home.is_some();
        match self.admits(user.tenant) && client.visible_in(user.tenant) && !guest_at_alias {
            true => Ok(()),
            false => Err(Refusal::ForeignUser(self.segment.clone())),
        }
    }

    /// The object that stands here for the person that a refresh token or an assertion was issued to: in a
    /// tenant that invited them the guest, at an alias the account at home. Refresh tokens are not bound to a
    /// tenant (Entra documentation, "Refresh tokens").
    pub(crate) fn account<'a>(&self, user: &'a User, all: &'a Registrations) -> &'a User {
        let home = all.home_of(user).unwrap_or(user);
        match self.tenant {
            None => home,
            Some(tenant) if tenant == user.tenant => user,
            Some(tenant) if tenant == home.tenant => home,
            Some(tenant) => {
                let guest = all.users.iter().find(|u| u.tenant == tenant && u.home == Some(home.id));
                guest.unwrap_or(user)
            }
        }
    }

    /// The directory of a grant that has no user to tell it.
    pub(crate) fn directory(&self) -> Result<Uuid, Refusal> {
        match self.tenant {
            None => Err(Refusal::NoTenant),
            Some(PERSONAL_TENANT) => Err(Refusal::GrantWithoutDirectory),
            Some(tenant) => Ok(tenant),
        }
    }
}

/// Whether a segment could be a tenant's: an id, or a domain name.
fn is_name(segment: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Uuid::parse_str(segment).is_ok() || (segment.contains('.') && segment.split('.').all(label))
}
