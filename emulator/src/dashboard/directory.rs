//! Tenants with their people and groups, policies, and the machine's identities and vaults.

use uuid::Uuid;

use super::{code, facts, lines, nothing, tag, tags};
use crate::html::{Markup, html};
use crate::registrations::{ConditionalAccess, Control, Group, Registrations, Tenant, User};

/// One card for each tenant.
pub(super) fn people(all: &Registrations) -> Markup {
    all.tenants.iter().map(|tenant| directory(all, tenant)).collect()
}

fn directory(all: &Registrations, tenant: &Tenant) -> Markup {
    let users: Markup = all.users.iter().filter(|u| u.tenant == tenant.id).map(|u| user(all, u)).collect();
    let groups: Markup = all.groups.iter().filter(|g| g.tenant == tenant.id).map(|g| group(all, g)).collect();
    let users = if users.is_empty() { nothing("Nobody.") } else { users };
    html!(
        "<article><h3>{}</h3><p class=\"sub\">{} &middot; {}</p>{}{}</article>",
        tenant.name,
        tenant.domain,
        code(tenant.id),
        users,
        groups
    )
}

fn user(all: &Registrations, user: &User) -> Markup {
    let marks = tags(&[
        (user.home.is_some(), "guest"),
        (user.disabled, "disabled"),
        (user.password.is_some(), "password"),
    ]);
    let roles = user.app_roles.iter().map(|a| match a.roles.as_slice() {
        [] => html!("assigned to {}", app_name(all, a.app)),
        roles => html!("{} at {}", roles.join(", "), app_name(all, a.app)),
    });
    let groups =
        all.groups.iter().filter(|g| g.members.contains(&user.id)).map(|g| html!("{}", g.display_name));
    let further = match user.further_groups {
        0 => None,
        n => Some(html!("{} more", usize::from(n))),
    };
    html!(
        "<details><summary><b>{}</b>{}<span class=\"sub\">{}</span></summary>{}</details>",
        user.display_name,
        marks,
        user.user_principal_name,
        facts(&[
            ("Object id", code(user.id)),
            ("Home account", user.home.map(code).unwrap_or_default()),
            ("Mail", text(user.mail.as_deref())),
            ("Job title", text(user.job_title.as_deref())),
            ("App roles", lines(roles)),
            ("Groups", lines(groups.chain(further))),
        ])
    )
}

fn group(all: &Registrations, group: &Group) -> Markup {
    let kind = if group.role_template.is_some() { "directory role" } else { "group" };
    let members = group.members.iter().map(|id| match all.user(&id.to_string()) {
        Some(user) => html!("{}", user.display_name),
        None => code(id),
    });
    html!(
        "<details><summary><b>{}</b> {}<span class=\"sub\">{}</span></summary>{}</details>",
        group.display_name,
        tag(kind),
        match group.members.len() {
            1 => html!("1 member"),
            n => html!("{} members", n),
        },
        facts(&[
            ("Object id", code(group.id)),
            ("Role template", group.role_template.map(code).unwrap_or_default()),
            ("Members", lines(members)),
        ])
    )
}

/// Conditional Access, in the order of the file.
pub(super) fn policies(all: &Registrations) -> Markup {
    match all.conditional_access.as_slice() {
        [] => nothing("No Conditional Access policy: every sign-in may go on."),
        policies => policies.iter().map(|policy| one_policy(all, policy)).collect(),
    }
}

fn one_policy(all: &Registrations, policy: &ConditionalAccess) -> Markup {
    let tenant = all.tenants.iter().find(|t| t.id == policy.tenant).map(|t| html!("{}", t.name));
    let users = policy.users.iter().map(|id| match all.user(&id.to_string()) {
        Some(user) => html!("{}", user.display_name),
        None => code(id),
    });
    let frequency = policy.sign_in_frequency_minutes;
    html!(
        "<article><h3>{}</h3><p class=\"sub\">{}</p>{}</article>",
        policy.name,
        wants(policy.control),
        facts(&[
            ("Tenant", tenant.unwrap_or_else(|| code(policy.tenant))),
            ("Users", or_all(lines(users), "everybody")),
            ("APIs", or_all(lines(policy.resources.iter().map(|id| app_name(all, *id))), "every API")),
            ("Clients", or_all(lines(policy.clients.iter().map(|id| app_name(all, *id))), "every client")),
            ("Context", policy.context.as_deref().map(code).unwrap_or_default()),
            ("Sign-in", frequency.map(|n| html!("at most {} minutes old", n as usize)).unwrap_or_default()),
        ])
    )
}

fn or_all(named: Markup, all: &str) -> Markup {
    if named.is_empty() { html!("{}", all) } else { named }
}

fn wants(control: Control) -> &'static str {
    match control {
        Control::None => "asks for nothing more",
        Control::Mfa => "asks for a second factor (AADSTS50076)",
        Control::MfaRegistration => "asks to register a second factor (AADSTS50079, guests AADSTS50072)",
        Control::StrongAuthentication => "asks for a stronger sign-in (AADSTS50074)",
        Control::ExternalChallenge => "asks for another provider's challenge (AADSTS50158)",
        Control::CompliantDevice => "asks for a compliant device (AADSTS53000)",
        Control::DomainJoinedDevice => "asks for a domain-joined device (AADSTS53001)",
        Control::ApprovedApp => "asks for an approved application (AADSTS53002)",
        Control::Block => "blocks (AADSTS53003)",
        Control::SecurityPolicy => "blocks by security policy (AADSTS530032)",
    }
}

/// Managed identities and vaults.
pub(super) fn machines(all: &Registrations) -> Markup {
    let identities = all.managed_identities.iter().map(|identity| {
        let kind = if identity.system_assigned { "system-assigned" } else { "user-assigned" };
        html!(
            "<article><h3>{} {}</h3>{}</article>",
            app_name(all, identity.app),
            tag(kind),
            facts(&[
                ("Client id", code(identity.app)),
                ("Resource id", identity.resource_id.as_deref().map(code).unwrap_or_default()),
            ])
        )
    });
    let vaults = all.vaults.iter().map(|vault| {
        let readers = vault.readers.iter().map(|id| match all.user(&id.to_string()) {
            Some(user) => html!("{}", user.display_name),
            None => app_name(all, *id),
        });
        html!(
            "<article><h3>{} {}</h3>{}</article>",
            vault.name,
            tag("key vault"),
            facts(&[("Secrets", lines(vault.secrets.keys().map(code))), ("Readers", lines(readers))])
        )
    });
    let machines: Markup = identities.chain(vaults).collect();
    if machines.is_empty() { nothing("No managed identity and no key vault.") } else { machines }
}

/// An app by its name, or by its id where it is not registered.
pub(super) fn app_name(all: &Registrations, id: Uuid) -> Markup {
    all.app(id).map_or_else(|| code(id), |app| html!("{}", app.name))
}

fn text(value: Option<&str>) -> Markup {
    value.map(|v| html!("{}", v)).unwrap_or_default()
}
