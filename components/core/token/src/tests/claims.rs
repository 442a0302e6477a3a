//! Claims: which are required, of which type, and what makes a user or an application.

use serde_json::{Value, json};

use super::{
    AUDIENCE, AUDIENCE_URI, CLIENT, Given, RULES, TENANT, USER, accepted, app_claims, claims, header,
    malformed, mint, missing, no_permissions, perfect_caller, refused, v1_claims, with, without,
};
use crate::{Caller, Kind, TokenError};

fn with_claims(claims: &Value) -> Given<'static> {
    Given::token(mint(&header(), claims))
}

/// Values of every JSON type.
fn types() -> [(&'static str, Value); 8] {
    [
        ("null", Value::Null),
        ("bool", json!(true)),
        ("number", json!(2)),
        ("float", json!(2.5)),
        ("string", json!("2")),
        ("array of strings", json!(["2"])),
        ("array of numbers", json!([2])),
        ("object", json!({ "2": 2 })),
    ]
}

#[test]
fn every_required_claim_is_required() {
    for name in ["ver", "iss", "aud", "nbf", "iat", "exp", "tid", "oid", "azp"] {
        refused(name, &with_claims(&without(claims(), name)), missing(name));
    }
    refused("appid", &with_claims(&without(v1_claims(), "appid")), missing("appid"));
    refused("no claims", &with_claims(&json!({})), missing("ver"));
}

#[test]
fn a_claim_of_another_type_is_refused() {
    let strings = ["ver", "iss", "aud", "tid", "oid", "azp", "scp", "name", "uti", "idtyp", "sub", "jti"];
    for name in strings {
        for (kind, value) in types().into_iter().filter(|(kind, _)| *kind != "string") {
            let error = malformed(name, &value);
            refused(&format!("{name} as {kind}"), &with_claims(&with(claims(), name, value)), error);
        }
    }
    for name in ["nbf", "iat", "exp"] {
        for (kind, value) in types().into_iter().filter(|(kind, _)| *kind != "number") {
            let error = malformed(name, &value);
            refused(&format!("{name} as {kind}"), &with_claims(&with(claims(), name, value)), error);
        }
    }
    for (kind, value) in types().into_iter().filter(|(kind, _)| *kind != "array of strings") {
        let error = malformed("roles", &value);
        refused(&format!("roles as {kind}"), &with_claims(&with(claims(), "roles", value)), error);
    }
    for (name, value) in [("roles", json!(["a", 1])), ("scp", json!(["Mail.Read"]))] {
        let error = malformed(name, &value);
        refused(name, &with_claims(&with(claims(), name, value)), error);
    }
}

#[test]
fn names_of_claims_are_exact() {
    for name in ["ver", "iss", "aud", "exp", "tid", "oid", "azp"] {
        let shouted = with(without(claims(), name), &name.to_ascii_uppercase(), claims()[name].clone());
        refused(name, &with_claims(&shouted), missing(name));
    }
}

#[test]
fn a_guid_has_one_spelling() {
    let spellings: [fn(&str) -> String; 9] = [
        str::to_ascii_uppercase,
        |guid| format!("{{{guid}}}"),
        |guid| guid.replace('-', ""),
        |guid| format!("{guid} "),
        |guid| guid[..35].to_owned(),
        |guid| format!("{guid}0"),
        |guid| format!("{}g", &guid[..35]),
        |_| String::new(),
        |guid| guid.replace('-', "0"),
    ];
    for (name, good) in [("tid", TENANT), ("oid", USER), ("azp", CLIENT)] {
        for spell in spellings {
            let odd = json!(spell(good));
            let error = malformed(name, &odd);
            refused(&format!("{name} {odd}"), &with_claims(&with(claims(), name, odd)), error);
        }
    }
    let error = malformed("appid", &json!(""));
    refused("appid", &with_claims(&with(v1_claims(), "appid", json!(""))), error);
}

#[test]
fn versions_are_one_and_two() {
    for other in ["", "1", "2", "3.0", "1.1", "2.00", " 2.0", "v2.0"] {
        let version = other.replace(' ', "?");
        refused(other, &with_claims(&with(claims(), "ver", json!(other))), TokenError::Version { version });
    }
    let v1 = accepted("v1", &with_claims(&v1_claims()));
    assert_eq!(v1, perfect_caller(), "both versions name the same caller");
}

#[test]
fn each_version_names_the_client_in_its_own_claim() {
    let v2_with_appid = with(without(claims(), "azp"), "appid", json!(CLIENT));
    refused("v2", &with_claims(&v2_with_appid), missing("azp"));
    let v1_with_azp = with(without(v1_claims(), "appid"), "azp", json!(CLIENT));
    refused("v1", &with_claims(&v1_with_azp), missing("appid"));
}

#[test]
fn optional_claims_may_be_absent() {
    let bare = without(without(claims(), "name"), "uti");
    let caller = accepted("bare", &with_claims(&bare));
    assert_eq!(caller, Caller { display_name: None, token_id: None, ..perfect_caller() });
}

#[test]
fn an_application_has_roles_and_no_scopes() {
    let expected = Caller {
        kind: Kind::Application,
        display_name: None,
        scopes: vec![],
        roles: vec!["Files.Read.All".into()],
        ..perfect_caller()
    };
    assert_eq!(accepted("stated", &with_claims(&app_claims())), expected);
    assert_eq!(accepted("not stated", &with_claims(&without(app_claims(), "idtyp"))), expected);
}

/// As Entra writes one where the API asked for v1: `appid`, the URI that the client asked for as `aud`, and no `idtyp`.
#[test]
fn an_application_of_v1_is_one_by_its_roles() {
    let v1 = with(without(without(v1_claims(), "scp"), "name"), "roles", json!(["Files.Read.All"]));
    assert_eq!(v1["aud"], AUDIENCE_URI);
    let expected = accepted("v2", &with_claims(&app_claims()));
    assert_eq!(accepted("v1", &with_claims(&v1)), expected);
    assert_eq!(accepted("stated", &with_claims(&with(v1.clone(), "idtyp", json!("app")))), expected);
    let with_azp = with(without(v1.clone(), "appid"), "azp", json!(CLIENT));
    let v2_issuer = format!("{}/{TENANT}/v2.0", RULES.authority);
    let issuer = TokenError::Issuer {
        found: v2_issuer.clone(),
        expected: format!("{}/{TENANT}/", RULES.v1_authority),
    };
    let slash = format!("{AUDIENCE_URI}/");
    let audience =
        TokenError::Audience { found: slash.clone(), expected: vec![AUDIENCE.into(), AUDIENCE_URI.into()] };
    for (name, claims, error) in [
        ("no roles", without(v1.clone(), "roles"), no_permissions(0, 0, None)),
        ("a role without name", with(v1.clone(), "roles", json!([" "])), no_permissions(0, 0, None)),
        ("said to be a user", with(v1.clone(), "idtyp", json!("user")), no_permissions(0, 1, Some("user"))),
        (
            "scopes as well",
            with(with(v1.clone(), "scp", json!("a")), "idtyp", json!("app")),
            no_permissions(1, 1, Some("app")),
        ),
        ("the client as in v2", with_azp, missing("appid")),
        ("the version of v2", with(v1.clone(), "ver", json!("2.0")), missing("azp")),
        ("the issuer of v2", with(v1.clone(), "iss", json!(v2_issuer)), issuer),
        ("the audience with a slash", with(v1, "aud", json!(slash)), audience),
    ] {
        refused(name, &with_claims(&claims), error);
    }
}

#[test]
fn a_user_has_scopes_and_may_have_roles() {
    let admin = with(with(claims(), "roles", json!(["Admin", "Reader"])), "idtyp", json!("user"));
    let expected = Caller { roles: vec!["Admin".into(), "Reader".into()], ..perfect_caller() };
    assert_eq!(accepted("admin", &with_claims(&admin)), expected);
}

#[test]
fn neither_scopes_nor_roles_is_no_access_token() {
    let none = without(claims(), "scp");
    refused("absent", &with_claims(&none), no_permissions(0, 0, None));
    for blank in ["", " ", "    "] {
        refused("blank scp", &with_claims(&with(claims(), "scp", json!(blank))), no_permissions(0, 0, None));
    }
    for roles in [json!([]), json!([""]), json!([" ", "\t"])] {
        refused("blank roles", &with_claims(&with(none.clone(), "roles", roles)), no_permissions(0, 0, None));
        refused(
            "blank roles of an application",
            &with_claims(&with(app_claims(), "roles", json!([""]))),
            no_permissions(0, 0, Some("app")),
        );
    }
}

#[test]
fn a_scope_is_printable_ascii() {
    for scp in
        ["\t", "\n", "Mail.Read\tFiles.Read", "Mail.Read\u{a0}", "\u{3000}", "Mail.Read\0", "Mäil.Read"]
    {
        let error = malformed("scp", &json!(scp));
        refused(scp, &with_claims(&with(claims(), "scp", json!(scp))), error);
    }
    // All of RFC 6749's, and the two that it leaves out.
    let all: String = ('!'..='~').filter(|c| !['"', '\\'].contains(c)).collect();
    assert_eq!(accepted("all", &with_claims(&with(claims(), "scp", json!(all)))).scopes, [all]);
    for scp in ["Mail.Read \"", "Mail.Read\"", "\\", "a\\b Mail.Read"] {
        let error = malformed("scp", &json!(scp));
        refused(scp, &with_claims(&with(claims(), "scp", json!(scp))), error);
    }
    let spaced = accepted("spaces", &with_claims(&with(claims(), "scp", json!("  a.b   c  "))));
    assert_eq!(spaced.scopes, ["a.b", "c"]);
}

#[test]
fn idtyp_may_confirm_but_not_contradict() {
    let cases = [
        ("app on a user", with(claims(), "idtyp", json!("app")), (2, 0, "app")),
        ("user on an application", with(app_claims(), "idtyp", json!("user")), (0, 1, "user")),
        ("app with both", with(with(claims(), "roles", json!(["r"])), "idtyp", json!("app")), (2, 1, "app")),
        ("app without roles", without(app_claims(), "roles"), (0, 0, "app")),
        ("user without scopes", with(without(claims(), "scp"), "idtyp", json!("user")), (0, 0, "user")),
        ("case", with(claims(), "idtyp", json!("User")), (2, 0, "User")),
        ("case", with(app_claims(), "idtyp", json!("APP")), (0, 1, "APP")),
        ("device", with(claims(), "idtyp", json!("a device")), (2, 0, "a?device")),
        ("blank", with(claims(), "idtyp", json!("")), (2, 0, "")),
    ];
    for (name, claims, (scopes, roles, kind)) in cases {
        refused(name, &with_claims(&claims), no_permissions(scopes, roles, Some(kind)));
    }
    accepted("user", &with_claims(&with(claims(), "idtyp", json!("user"))));
}

#[test]
fn an_id_token_is_refused_also_when_it_carries_roles() {
    let id_token = with(without(without(claims(), "scp"), "azp"), "nonce", json!("678910"));
    refused("plain", &with_claims(&id_token), no_permissions(0, 0, None));
    refused("with app roles", &with_claims(&with(id_token, "roles", json!(["Admin"]))), missing("azp"));
}

#[test]
fn a_bound_token_is_refused_before_anything_it_says() {
    for cnf in
        [json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }), json!({}), json!(""), Value::Null]
    {
        refused("cnf", &with_claims(&with(claims(), "cnf", cnf)), TokenError::BoundToken);
    }
}

#[test]
fn claims_without_a_rule_do_not_matter() {
    let many = with(with(claims(), "email", json!(["x"])), "wids", json!(7));
    let many = without(with(many, "acrs", json!(null)), "sub");
    let many = with(many, "_claim_names", json!({ "groups": "src1" }));
    assert_eq!(accepted("many", &with_claims(&many)), perfect_caller());
}
