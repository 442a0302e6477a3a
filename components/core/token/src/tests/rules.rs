//! Rules under which a check would be empty are refused, before the token is looked at.

use super::{AUDIENCE, CLIENT, Given, PERFECT, RULES, TENANT, accepted, refused};
use crate::{MAX_LEEWAY, Reason, Rules, TokenError};

#[track_caller]
fn unusable(name: &str, setting: &'static str, rules: Rules<'_>) {
    let error = TokenError::UnusableRules { setting };
    assert_eq!(error.reason(), Reason::UnusableConfiguration);
    refused(name, &Given { rules, ..Given::token(&*PERFECT) }, error.clone());
    refused(name, &Given { rules, ..Given::token("not a token") }, error);
}

#[test]
fn authorities_are_https_without_trailing_slash() {
    for url in [
        "",
        " ",
        "https://",
        "login.example",
        "http://login.example",
        "https://login.example/",
        "HTTPS://login.example",
    ] {
        unusable(url, "authority", Rules { authority: url, ..RULES });
        unusable(url, "v1-authority", Rules { v1_authority: url, ..RULES });
    }
}

#[test]
fn tenants_are_listed_guids() {
    let upper = TENANT.to_ascii_uppercase();
    let lists: [&[&str]; 9] = [
        &[],
        &[""],
        &["*"],
        &["common"],
        &["organizations"],
        &["contoso.onmicrosoft.com"],
        &["{tenantid}"],
        &[&upper],
        &[TENANT, ""],
    ];
    for tenants in lists {
        unusable(&format!("{tenants:?}"), "tenants", Rules { tenants, ..RULES });
    }
}

#[test]
fn audiences_are_listed() {
    let lists: [&[&str]; 4] = [&[], &[""], &[AUDIENCE, ""], &[" \t"]];
    for audiences in lists {
        unusable(&format!("{audiences:?}"), "audiences", Rules { audiences, ..RULES });
    }
}

#[test]
fn clients_are_listed_guids_or_nobody_is_named() {
    let lists: [&[&str]; 5] = [&[], &[""], &["*"], &["A1B2C3D4-E5F6-4A7B-8C9D-0E1F2A3B4C5D"], &[CLIENT, ""]];
    for clients in lists {
        unusable(&format!("{clients:?}"), "clients", Rules { clients: Some(clients), ..RULES });
    }
}

#[test]
fn leeway_has_a_limit() {
    for leeway in [MAX_LEEWAY + 1, 3600, u32::MAX] {
        unusable("leeway", "leeway", Rules { leeway, ..RULES });
    }
    accepted("limit", &Given { rules: Rules { leeway: MAX_LEEWAY, ..RULES }, ..Given::token(&*PERFECT) });
}
