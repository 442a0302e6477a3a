//! Registrations that contradict themselves: each is the sample with one change, and the error names the key.

use entra_emulator::{Registrations, SAMPLE_TOML};

const CONTOSO: &str = "7e57a000-0000-4000-8000-000000000001";
const FABRIKAM: &str = "7e57a000-0000-4000-8000-000000000002";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const ADELE: &str = "7e57b000-0000-4000-8000-000000000001";
const FARAH: &str = "7e57b000-0000-4000-8000-000000000003";
const GUEST: &str = "7e57b000-0000-4000-8000-000000000004";
const NOBODY: &str = "7e57b000-0000-4000-8000-00000000ffff";

/// The error of the sample with the first `from` replaced.
fn error(from: &str, to: &str) -> String {
    assert!(SAMPLE_TOML.contains(from), "the sample has changed: {from}");
    Registrations::from_toml(&SAMPLE_TOML.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn errors_of_people_name_the_key() {
    let home = format!("home = \"{FARAH}\"");
    let personal_id = "id = \"00000000-0000-0000-7e57-b00000000001\"";
    let personal_mail = "mail = \"pia@outlook.example\"";
    let guest_upn = "user_principal_name = \"farah_fabrikam.example#EXT#@contoso.example\"";
    for (from, to, key) in [
        (home.as_str(), format!("home = \"{NOBODY}\""), "users[3].home: no user"),
        (&home, format!("home = \"{ADELE}\""), "users[3].home: adele@contoso.example is of the same tenant"),
        (&home, format!("home = \"{GUEST}\""), "users[3].home: farah_fabrikam"),
        (personal_id, format!("id = \"{NOBODY}\""), "users[5].id: "),
        (personal_id, format!("{personal_id}\nhome = \"{ADELE}\""), "users[5].home: "),
        (personal_mail, format!("{personal_mail}\nfurther_groups = 1"), "users[5].further_groups: "),
        (
            personal_mail,
            format!(
                "{personal_mail}\napp_roles = [{{ app = \"7e57c000-0000-4000-8000-000000000001\", roles = [] }}]"
            ),
            "users[5].app_roles: ",
        ),
        (
            guest_upn,
            "user_principal_name = \"ADELE@contoso.example\"".into(),
            "users[3].user_principal_name: ",
        ),
    ] {
        let error = error(from, &to);
        assert!(error.contains(&format!("<text>: {key}")), "{error}");
    }
    let chain = SAMPLE_TOML.replacen(
        "mail = \"farah.nadim@fabrikam.example\"\n\n#",
        &format!("mail = \"farah.nadim@fabrikam.example\"\nhome = \"{ADELE}\"\n\n#"),
        1,
    );
    let error = Registrations::from_toml(&chain).unwrap_err().to_string();
    assert!(error.contains("users[3].home: farah@fabrikam.example is a guest too"), "{error}");
}

#[test]
fn errors_of_tenants_and_groups_name_the_key() {
    let members = format!("members = [\"{ADELE}\", ");
    let group = "id = \"7e57d000-0000-4000-8000-000000000002\"";
    for (from, to, key) in [
        (format!("id = \"{FABRIKAM}\""), format!("id = \"{PERSONAL}\""), "tenants[1].id: "),
        (members.clone(), format!("members = [\"{NOBODY}\", "), "groups[0].members[0]: no user"),
        (
            members,
            format!("members = [\"{FARAH}\", "),
            "groups[0].members[0]: farah@fabrikam.example belongs",
        ),
        (group.into(), "id = \"7e57d000-0000-4000-8000-000000000001\"".into(), "groups[1].id: "),
        (
            format!("{group}\ntenant = \"{CONTOSO}\""),
            format!("{group}\ntenant = \"{PERSONAL}\""),
            "groups[1].tenant: ",
        ),
    ] {
        let error = error(&from, &to);
        assert!(error.contains(&format!("<text>: {key}")), "{error}");
    }
}

#[test]
fn errors_of_what_shapes_tokens_name_the_key() {
    let valet = "emit_idtyp = true";
    let ledger = "requested_access_token_version = 1";
    for (from, to, key) in [
        (
            valet,
            "optional_claims = { access_token = [\"shoe_size\"] }",
            "apps[0].optional_claims.access_token: \"shoe_size\"",
        ),
        (
            valet,
            "optional_claims = { id_token = [\"idtyp\"] }",
            "apps[0].optional_claims.id_token: \"idtyp\"",
        ),
        (
            valet,
            "optional_claims = { access_token = [\"include_user_token\"] }",
            "apps[0].optional_claims.access_token: ",
        ),
        (valet, "token_life = { min = 60, max = 59 }", "apps[0].token_life: "),
        (valet, "token_life = { min = 0, max = 59 }", "apps[0].token_life: "),
        (
            ledger,
            "sign_in_audience = \"AzureADandPersonalMicrosoftAccount\"",
            "apps[2].requested_access_token_version: ",
        ),
        (
            valet,
            "known_client_applications = [\"7e57c000-0000-4000-8000-00000000ffff\"]",
            "apps[0].known_client_applications[0]: ",
        ),
        (valet, "group_membership_claims = \"Some\"", ""),
        (valet, "optional_claims = { saml2_token = [] }", ""),
    ] {
        let error = error(from, to);
        assert!(error.starts_with(&format!("<text>: {key}")), "{error}");
    }
    for good in [
        "optional_claims = { access_token = [\"idtyp\", \"include_user_token\", \"xms_cc\", \"use_guid\", \"amr\"] }",
        "optional_claims = { id_token = [\"acrs\", \"auth_time\", \"upn\"] }\ntoken_life = { min = 60, max = 60 }",
        "sign_in_audience = \"PersonalMicrosoftAccount\"",
    ] {
        Registrations::from_toml(&SAMPLE_TOML.replacen(valet, good, 1)).unwrap();
    }
}
