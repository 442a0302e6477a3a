//! The tenant segment of a path: a directory by id or domain, or one of the aliases for "any work account".

use uuid::Uuid;

use crate::errors::Refusal;
use crate::registrations::{App, Registrations};

/// A tenant segment, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Realm {
    /// The directory, or None for an alias.
    pub(crate) tenant: Option<Uuid>,
    /// What URLs are built with: the directory's id, or the alias itself.
    pub(crate) segment: String,
}

impl Realm {
    /// Understands a segment. Personal accounts (`consumers`) are not emulated and count as unknown.
    pub(crate) fn parse(segment: &str, all: &Registrations) -> Result<Self, Refusal> {
        if matches!(segment, "common" | "organizations") {
            return Ok(Self { tenant: None, segment: segment.to_owned() });
        }
        let tenant = all.tenant(segment).ok_or_else(|| Refusal::UnknownTenant(segment.to_owned()))?;
        Ok(Self { tenant: Some(tenant.id), segment: tenant.id.to_string() })
    }

    /// The client of that id, if this realm knows it.
    pub(crate) fn client<'a>(&self, client_id: &str, all: &'a Registrations) -> Result<&'a App, Refusal> {
        let unknown = || Refusal::UnknownApp { client: client_id.to_owned(), tenant: self.segment.clone() };
        let id = Uuid::parse_str(client_id).map_err(|_| unknown())?;
        // Not through `app()`: Graph is a resource, never a client.
        let client = all.apps.iter().find(|a| a.client_id == id).ok_or_else(unknown)?;
        match self.tenant {
            _ if !client.enabled => Err(Refusal::AppDisabled(id)),
            Some(tenant) if !client.visible_in(tenant) => Err(unknown()),
            None if client.sign_in_audience == crate::registrations::SignInAudience::AzureADMyOrg => {
                Err(Refusal::SingleTenant(id))
            }
            _ => Ok(client),
        }
    }

    /// Whether a user of `tenant` may sign in here.
    pub(crate) fn admits(&self, tenant: Uuid) -> bool {
        self.tenant.is_none_or(|t| t == tenant)
    }
}
