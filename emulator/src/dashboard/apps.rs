//! App registrations: addresses, permissions, and credentials by kind. No secret is shown.

use super::directory::app_name;
use super::{code, facts, lines, nothing, tag, tags};
use crate::html::{Markup, html};
use crate::registrations::{
    App, GroupClaims, MemberType, RedirectUris, Registrations, SignInAudience, TokenVersion,
};

/// One card for each app.
pub(super) fn apps(all: &Registrations) -> Markup {
    match all.apps.as_slice() {
        [] => nothing("No app is registered."),
        apps => apps.iter().map(|app| one(all, app)).collect(),
    }
}

fn one(all: &Registrations, app: &App) -> Markup {
    let marks = tags(&[
        (!app.enabled, "disabled"),
        (app.is_fallback_public_client, "public client flows"),
        (app.assignment_required, "assignment required"),
        (app.enable_id_token_issuance, "id tokens"),
    ]);
    let tenant = all.tenants.iter().find(|t| t.id == app.tenant).map(|t| t.name.as_str()).unwrap_or_default();
    let is_api = !(app.identifier_uris.is_empty() && app.scopes.is_empty() && app.app_roles.is_empty());
    let RedirectUris { web, spa, public_client } = &app.redirect_uris;
    let redirects = web.len() + spa.len() + public_client.len();
    let is_client = redirects > 0 || !app.api_permissions.is_empty();
    html!(
        "<article><h3>{}{}</h3><p class=\"sub\">{}</p>{}{}{}</article>",
        app.name,
        marks,
        code(app.client_id),
        facts(&[
            ("Tenant", html!("{}, {}", tenant, audience(app.sign_in_audience))),
            ("Credentials", lines(credentials(app))),
        ]),
        folded(is_api, "As an API", || as_api(all, app)),
        folded(is_client, "As a client", || as_client(all, app)),
    )
}

/// Behind a line, if there is anything to say.
fn folded(applies: bool, title: &str, pairs: impl FnOnce() -> Vec<(&'static str, Markup)>) -> Markup {
    match applies {
        true => html!("<details><summary>{}</summary>{}</details>", title, facts(&pairs())),
        false => Markup::default(),
    }
}

fn audience(audience: SignInAudience) -> &'static str {
    match audience {
        SignInAudience::AzureADMyOrg => "this directory only",
        SignInAudience::AzureADMultipleOrgs => "any directory",
        SignInAudience::AzureADandPersonalMicrosoftAccount => "any directory and personal accounts",
        SignInAudience::PersonalMicrosoftAccount => "personal accounts only",
    }
}

fn credentials(app: &App) -> Vec<Markup> {
    let counted = |n: usize, one: &str, many: &str| match n {
        0 => None,
        1 => Some(html!("1 {}", one)),
        n => Some(html!("{} {}", n, many)),
    };
    let mut credentials: Vec<Markup> = [
        counted(app.secrets.len(), "secret", "secrets"),
        counted(app.expired_secrets.len(), "expired secret", "expired secrets"),
        counted(app.certificates.len(), "certificate", "certificates"),
    ]
    .into_iter()
    .flatten()
    .collect();
    credentials.extend(
        app.federated_credentials
            .iter()
            .map(|f| html!("federated: {}, {} from {}", f.name, code(&f.subject), code(&f.issuer))),
    );
    if credentials.is_empty() {
        credentials.push(html!("none"));
    }
    credentials
}

fn as_api(all: &Registrations, app: &App) -> Vec<(&'static str, Markup)> {
    let scopes = app.scopes.iter().map(|s| {
        let admin = if s.admin_consent_required { html!(" {}", tag("admin")) } else { Markup::default() };
        html!("{}{} {}", code(&s.value), admin, s.description)
    });
    let roles = app.app_roles.iter().map(|r| {
        let holders: Markup = r.member_types.iter().map(|t| html!(" {}", tag(holder(*t)))).collect();
        html!("{}{} {}", code(&r.value), holders, r.description)
    });
    let trusted = app
        .pre_authorized_applications
        .iter()
        .map(|p| html!("{}: {}", app_name(all, p.client_id), code(p.scopes.join(" "))));
    let version = match app.requested_access_token_version {
        TokenVersion::V1 => "version 1",
        TokenVersion::V2 => "version 2",
    };
    vec![
        ("Access tokens", html!("{}", version)),
        ("Identifier URIs", lines(app.identifier_uris.iter().map(code))),
        ("Scopes", lines(scopes)),
        ("App roles", lines(roles)),
        ("Pre-authorised", lines(trusted)),
        ("Known clients", lines(app.known_client_applications.iter().map(|id| app_name(all, *id)))),
        ("Group claims", groups(app.group_membership_claims)),
        ("Optional claims", lines(app.optional_claims.access_token.iter().map(code))),
        ("Token life", life(app)),
    ]
}

fn as_client(all: &Registrations, app: &App) -> Vec<(&'static str, Markup)> {
    let uris = |uris: &[String]| lines(uris.iter().map(code));
    let permissions = app.api_permissions.iter().map(|p| {
        let consent =
            if p.admin_consented { html!(" {}", tag("admin consented")) } else { Markup::default() };
        let names: Vec<&str> = p.delegated.iter().chain(&p.application).map(String::as_str).collect();
        html!("{}: {}{}", app_name(all, p.resource), code(names.join(" ")), consent)
    });
    vec![
        ("Redirect, web", uris(&app.redirect_uris.web)),
        ("Redirect, spa", uris(&app.redirect_uris.spa)),
        ("Redirect, public", uris(&app.redirect_uris.public_client)),
        ("Permissions", lines(permissions)),
        ("Id token claims", lines(app.optional_claims.id_token.iter().map(code))),
    ]
}

fn holder(member: MemberType) -> &'static str {
    match member {
        MemberType::User => "users",
        MemberType::Application => "applications",
    }
}

fn groups(claims: GroupClaims) -> Markup {
    match claims {
        GroupClaims::None => Markup::default(),
        GroupClaims::SecurityGroup => html!("security groups"),
        GroupClaims::DirectoryRole => html!("directory roles"),
        GroupClaims::All => html!("security groups and directory roles"),
    }
}

fn life(app: &App) -> Markup {
    app.token_life
        .map(|life| html!("{} to {} seconds", life.min as usize, life.max as usize))
        .unwrap_or_default()
}
