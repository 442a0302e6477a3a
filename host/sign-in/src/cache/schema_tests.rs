//! What is found in a cache, and what is not.

use super::*;

const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
const OBJECT: &str = "7e57b000-0000-4000-8000-000000000001";
const CLIENT: &str = "7e57c000-0000-4000-8000-000000000002";
const NOW: u64 = 1_800_000_000;

fn owner() -> Owner {
    Owner {
        environment: "login.microsoftonline.com".into(),
        client_id: CLIENT.into(),
        tenant: "contoso.example".into(),
    }
}

fn adele() -> Account {
    Account {
        id: AccountId::new(TENANT, OBJECT),
        username: Some("adele@contoso.example".into()),
        name: Some("Adele".into()),
        home_account_id: format!("{OBJECT}.{TENANT}"),
    }
}

fn grant(refresh_token: &str) -> Grant {
    Grant {
        account: adele(),
        access_token: SecretString::from("access"),
        expires_at: NOW + 3600,
        extended_expires_at: NOW + 7200,
        refresh_at: Some(NOW + 1800),
        refresh_token: Some(SecretString::from(refresh_token)),
        id_token: Some(SecretString::from("id")),
        target: "A openid".into(),
        client_info: Some("info".into()),
        family: None,
        source: Some("authorization_code"),
    }
}

fn filled() -> Cache {
    let mut cache = Cache::default();
    cache.put(&owner(), &grant("refresh"), NOW);
    cache
}

/// Whether the token of `filled` is found after its entry was changed so; null removes a member.
fn found_with(member: &str, value: Value) -> bool {
    let mut cache = filled();
    let entries = cache.0["AccessToken"].as_object_mut().unwrap();
    let entry = entries.values_mut().next().unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(entry.remove(member)),
        value => drop(entry.insert(member.to_owned(), value)),
    }
    cache.access_token(&owner(), &adele(), &["A".to_owned()], NOW).is_some()
}

#[test]
fn entries_have_the_keys_and_members_of_the_unified_schema() {
    let Value::Object(expected) = json!({
        "AccessToken": { format!("{OBJECT}.{TENANT}-login.microsoftonline.com-accesstoken-{CLIENT}-{TENANT}-a openid"): {
            "credential_type": "AccessToken", "secret": "access", "home_account_id": format!("{OBJECT}.{TENANT}"),
            "environment": "login.microsoftonline.com", "client_id": CLIENT, "realm": TENANT, "target": "A openid",
            "token_type": "Bearer", "cached_at": "1800000000", "expires_on": "1800003600",
            "extended_expires_on": "1800007200", "refresh_on": "1800001800",
        } },
        "RefreshToken": { format!("{OBJECT}.{TENANT}-login.microsoftonline.com-refreshtoken-{CLIENT}--"): {
            "credential_type": "RefreshToken", "secret": "refresh", "home_account_id": format!("{OBJECT}.{TENANT}"),
            "environment": "login.microsoftonline.com", "client_id": CLIENT, "last_modification_time": "1800000000",
        } },
        "IdToken": { format!("{OBJECT}.{TENANT}-login.microsoftonline.com-idtoken-{CLIENT}-{TENANT}-"): {
            "credential_type": "IdToken", "secret": "id", "home_account_id": format!("{OBJECT}.{TENANT}"),
            "environment": "login.microsoftonline.com", "client_id": CLIENT, "realm": TENANT,
        } },
        "Account": { format!("{OBJECT}.{TENANT}-login.microsoftonline.com-{TENANT}"): {
            "home_account_id": format!("{OBJECT}.{TENANT}"), "environment": "login.microsoftonline.com", "realm": TENANT,
            "local_account_id": OBJECT, "username": "adele@contoso.example", "authority_type": "MSSTS", "name": "Adele",
            "client_info": "info", "account_source": "authorization_code",
        } },
        "AppMetadata": { format!("appmetadata-login.microsoftonline.com-{CLIENT}"): {
            "client_id": CLIENT, "environment": "login.microsoftonline.com",
        } },
    }) else {
        unreachable!("an object")
    };
    assert_eq!(filled().0, expected);
}

#[test]
fn a_token_is_found_for_its_owner_account_scopes_and_time_only() {
    let cache = filled();
    let find = |owner: &Owner, account: &Account, scopes: &[&str], until| {
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        cache.access_token(owner, account, &scopes, until).is_some()
    };
    assert!(find(&owner(), &adele(), &["a"], NOW + 3599), "scopes are compared without case");
    assert!(!find(&owner(), &adele(), &["A"], NOW + 3600));
    assert!(!find(&owner(), &adele(), &["A", "B"], NOW));
    assert!(!find(&owner(), &adele(), &["open"], NOW), "a part of a scope is none");
    let alias = Owner { environment: "login.windows.net".into(), ..owner() };
    assert!(find(&alias, &adele(), &["A"], NOW), "the public cloud has several names");
    let elsewhere = Owner { environment: "login.microsoftonline.us".into(), ..owner() };
    assert!(!find(&elsewhere, &adele(), &["A"], NOW));
    let other = Owner { client_id: "other".into(), ..owner() };
    assert!(!find(&other, &adele(), &["A"], NOW));
    let stranger = Account { home_account_id: "x.y".into(), ..adele() };
    assert!(!find(&owner(), &stranger, &["A"], NOW));
    let guest = Account { id: AccountId::new("7e57a000-0000-4000-8000-000000000002", OBJECT), ..adele() };
    assert!(!find(&owner(), &guest, &["A"], NOW), "the same person in another tenant is another account");
}

#[test]
fn tokens_that_are_bound_or_of_another_kind_are_not_found() {
    assert!(found_with("x", "y".into()), "the perfect one is");
    for (member, value) in [
        ("token_type", "pop"),
        ("key_id", "k"),
        ("ext_cache_key", "e"),
        ("expires_on", "soon"),
        ("realm", "fabrikam.example"),
        ("environment", ""),
    ] {
        assert!(!found_with(member, value.into()), "{member}");
    }
    assert!(!found_with("expires_on", Value::Null));
    assert!(found_with("token_type", Value::Null), "an early library writes none");
    assert!(found_with("expires_on", (NOW + 9).into()), "some libraries write numbers");
    assert!(found_with("realm", "contoso.example".into()), "MSAL for Python writes what it asked");
}

#[test]
fn a_new_refresh_token_takes_the_place_of_every_earlier_one() {
    let mut cache = filled();
    let entry = json!({ "home_account_id": format!("{OBJECT}.{TENANT}"), "environment": "login.windows.net", "client_id": CLIENT,
        "secret": "older", "credential_type": "RefreshToken", "target": "A" });
    cache.0["RefreshToken"].as_object_mut().unwrap().insert("k".into(), entry);
    cache.put(&owner(), &grant("newest"), NOW);
    let left: Vec<_> = cache.entries("RefreshToken").map(|entry| text(entry, "secret")).collect();
    assert_eq!(left, ["newest"]);
}

#[test]
fn a_refused_refresh_token_goes_unless_another_has_taken_its_place() {
    let mut cache = filled();
    cache.remove_refresh_token(&owner(), &adele(), &SecretString::from("older"));
    assert!(cache.refresh_token(&owner(), &adele()).is_some());
    cache.remove_refresh_token(&owner(), &adele(), &SecretString::from("refresh"));
    assert!(cache.refresh_token(&owner(), &adele()).is_none());
}

#[test]
fn an_account_stays_while_another_application_has_something_of_it() {
    let other = Owner { client_id: "other".into(), ..owner() };
    let mut cache = filled();
    cache.put(&other, &grant("theirs"), NOW);
    cache.remove_account(&owner(), &adele());
    assert!(cache.accounts(&owner()).is_empty());
    assert_eq!(cache.accounts(&other), [adele()]);
    cache.remove_account(&other, &adele());
    assert_eq!(cache.entries("Account").count(), 0);
}

#[test]
fn accounts_without_a_tenant_or_an_object_are_left_out() {
    for (member, value) in [("local_account_id", "x"), ("home_account_id", "x")] {
        let mut cache = filled();
        let entries = cache.0["Account"].as_object_mut().unwrap();
        let entry = entries.values_mut().next().unwrap();
        entry["realm"] = "contoso.example".into();
        entry[member] = value.into();
        assert!(cache.accounts(&owner()).is_empty(), "{member}");
    }
}

#[test]
fn what_is_no_cache_is_none() {
    for text in
        ["", "[]", "7", "{", r#"{"AccessToken":[]}"#, r#"{"AccessToken":{"k":7}}"#, r#"{"Unknown":"x"}"#]
    {
        assert!(Cache::parse(text.as_bytes()).is_none(), "{text}");
    }
    assert!(Cache::parse(b"{}").is_some());
    assert_eq!(Cache::parse(&filled().to_bytes()).map(|cache| cache.0), Some(filled().0));
}
