//! Groups and directory roles: what `memberOf`, the `groups` claim and the `wids` claim show.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Registrations, User};

/// One group, or one directory role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Object id, the value in the `groups` claim.
    pub id: Uuid,
    /// Directory it belongs to.
    pub tenant: Uuid,
    /// Shown by Graph.
    pub display_name: String,
    /// Object ids of the users in it.
    #[serde(default)]
    pub members: Vec<Uuid>,
    /// Makes it a directory role, with this template id in the `wids` claim and none in `groups`.
    pub role_template: Option<Uuid>,
}

/// One group or directory role that a user is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Object id.
    pub(crate) id: Uuid,
    /// Shown by Graph.
    pub(crate) display_name: String,
    /// Of a directory role.
    pub(crate) role_template: Option<Uuid>,
}

impl From<&Group> for Membership {
    fn from(group: &Group) -> Self {
        let Group { id, display_name, role_template, .. } = group;
        Self { id: *id, display_name: display_name.clone(), role_template: *role_template }
    }
}

/// Everything `user` is in: what the file lists, in its order, then the user's `further_groups`.
pub(crate) fn groups_of(all: &Registrations, user: &User) -> Vec<Membership> {
    let listed = all.groups.iter().filter(|g| g.tenant == user.tenant && g.members.contains(&user.id));
    let listed = listed.map(Membership::from);
    let further = (1..=user.further_groups).map(|n| Membership {
        id: further_group(user.id, n),
        display_name: format!("Further group {n}"),
        role_template: None,
    });
    listed.chain(further).collect()
}

/// The same id in every run, so that a test can write it down.
fn further_group(user: Uuid, number: u16) -> Uuid {
    let digest =
        Sha256::new().chain_update("group").chain_update(user).chain_update(number.to_be_bytes()).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

impl Group {
    pub(super) fn check(&self, all: &Registrations, key: &str) -> Result<(), (String, String)> {
        for (i, member) in self.members.iter().enumerate() {
            let key = format!("{key}.members[{i}]");
            match all.users.iter().find(|u| u.id == *member) {
                None => return Err((key, format!("no user has the id {member}"))),
                Some(user) if user.tenant != self.tenant => {
                    let message = format!("{} belongs to another tenant", user.user_principal_name);
                    return Err((key, message));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registrations::ids;

    #[test]
    fn further_groups_have_the_same_ids_in_every_run_and_are_all_different() {
        let all = Registrations::sample();
        let gerda = all.user(ids::GERDA_UPN).unwrap();
        let groups = groups_of(&all, gerda);
        assert_eq!(groups, groups_of(&Registrations::sample(), gerda));
        let distinct: std::collections::HashSet<_> = groups.iter().map(|g| g.id).collect();
        assert_eq!((groups.len(), distinct.len()), (250, 250));
        assert_eq!(groups[0].id.to_string(), "4966cf6a-b659-4f70-815f-0479faef678e");
    }
}
