//! What the account manager is asked, who is meant, and each answer that is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;
use valet_core_entra::id_token::IdTokenError;

use super::*;
use crate::settings::tests::trusting_nobody;

const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
const OBJECT: &str = "7e57b000-0000-4000-8000-000000000001";
const CLIENT: &str = "7e57c000-0000-4000-8000-000000000002";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const NOW: u64 = 1_800_000_000;

fn settings() -> Settings {
    let settings = Settings::new(AUTHORITY, TENANT, CLIENT, "/x".into(), trusting_nobody());
    let mut settings = settings.checked().unwrap();
    settings.clock = Arc::new(|| NOW);
    settings
}

fn ask() -> Ask {
    Ask::new(&["https://graph.microsoft.com/User.Read"], None).unwrap()
}

fn adele() -> AccountId {
    AccountId::new(TENANT, OBJECT)
}

fn id_token(tenant: &str) -> String {
    let claims = serde_json::json!({
        "iss": format!("{AUTHORITY}/{tenant}/v2.0"), "aud": CLIENT, "tid": tenant, "oid": OBJECT, "sub": "s",
        "iat": NOW, "nbf": NOW, "exp": NOW + 3600, "ver": "2.0", "preferred_username": "adele@contoso.example", "name": "Adele Vance",
    });
    format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn answer() -> BTreeMap<&'static str, String> {
    let client_info = serde_json::json!({ "uid": "u", "utid": "t" }).to_string();
    BTreeMap::from([
        ("TokenExpiresOn", (NOW + 3600 + WINDOWS_EPOCH).to_string()),
        ("wamcompat_id_token", id_token(TENANT)),
        ("wamcompat_client_info", URL_SAFE_NO_PAD.encode(client_info)),
        ("wamcompat_scopes", "openid https://graph.microsoft.com/User.Read".to_owned()),
    ])
}

fn read(ask: &Ask, answer: &BTreeMap<&str, String>) -> Result<Grant, Halt> {
    grant(&settings(), ask, SecretString::from("secret"), |name| answer.get(name).cloned())
}

/// Why the step is skipped for the perfect answer with one property changed.
fn skipped(name: &'static str, value: Option<String>) -> String {
    let mut answer = answer();
    match value {
        Some(value) => drop(answer.insert(name, value)),
        None => drop(answer.remove(name)),
    }
    match read(&ask(), &answer) {
        Err(Halt::Skip(why)) => why,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_perfect_answer_is_a_grant_of_whom_the_id_token_names() {
    let grant = read(&Ask { expected: Some(adele()), ..ask() }, &answer()).unwrap();
    assert_eq!((grant.access_token.expose_secret(), grant.expires_at), ("secret", NOW + 3600));
    assert_eq!((&grant.account.id, grant.account.home_account_id.as_str()), (&adele(), "u.t"));
    assert_eq!(grant.target, "https://graph.microsoft.com/User.Read openid");
    assert!(grant.refresh_token.is_none(), "Windows keeps it");
}

#[test]
fn an_answer_without_a_person_or_a_future_is_skipped() {
    assert_eq!(skipped("wamcompat_id_token", None), "its answer does not say who signed in");
    for ended in
        [None, Some("soon".to_owned()), Some("7".to_owned()), Some((NOW + WINDOWS_EPOCH).to_string())]
    {
        assert_eq!(skipped("TokenExpiresOn", ended), "its token has ended already");
    }
}

#[test]
fn a_person_of_another_tenant_or_another_person_is_refused() {
    let other = "7e57a000-0000-4000-8000-000000000002";
    let stranger = BTreeMap::from([("wamcompat_id_token", id_token(other))]);
    let refused = read(&ask(), &answer().into_iter().chain(stranger).collect());
    assert!(
        matches!(refused, Err(Halt::Fail(SignInError::IdToken(IdTokenError::Tenant { .. })))),
        "{refused:?}"
    );
    let expected = AccountId::new(TENANT, other);
    match read(&Ask { expected: Some(expected.clone()), ..ask() }, &answer()) {
        Err(Halt::Fail(SignInError::WrongAccount(wrong))) => {
            assert_eq!((wrong.expected, wrong.found.id), (expected, adele()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_microsofts_clouds_are_asked() {
    assert_eq!(authority(&settings()).unwrap(), format!("{AUTHORITY}/{TENANT}"));
    let elsewhere =
        Settings { authority: "https://login.microsoftonline.com.example".to_owned(), ..settings() };
    let why = "Windows signs in at Microsoft's clouds, and https://login.microsoftonline.com.example is none";
    assert!(matches!(authority(&elsewhere), Err(Halt::Skip(said)) if said == why));
}

#[test]
fn the_account_is_the_one_in_use_or_the_only_one() {
    let account = |id: Option<AccountId>, username: &str| Known { id, username: username.to_owned() };
    let (here, guest) = (account(Some(adele()), "adele"), account(None, "guest"));
    let in_use = Ask { expected: Some(adele()), ..ask() };
    let both = [guest.clone(), here.clone()];
    assert_eq!(known(&both, &in_use), Some(1));
    assert_eq!(known(std::slice::from_ref(&guest), &in_use), None, "nobody stands in for the account in use");
    let hinted = Ask { login_hint: Some("guest".to_owned()), ..in_use };
    assert_eq!(known(&[guest], &hinted), Some(0), "a guest has other ids at home");
    assert_eq!(known(std::slice::from_ref(&here), &ask()), Some(0));
    assert_eq!(known(&both, &ask()), None, "one of several is nobody's choice");
    assert_eq!(known(&[here], &Ask { chooses: true, ..ask() }), None);
}

#[test]
fn who_signs_in_is_asked_where_it_is_to_be_chosen_or_is_somebody_unknown() {
    assert!(asks_who(&Ask { chooses: true, ..ask() }, Some(0)));
    assert!(asks_who(&Ask { expected: Some(adele()), ..ask() }, None));
    assert!(!asks_who(&Ask { expected: Some(adele()), ..ask() }, Some(0)));
    assert!(!asks_who(&ask(), None));
}

#[test]
fn a_request_has_the_claims_and_the_hint_where_one_helps() {
    let challenged = Ask {
        login_hint: Some("adele".to_owned()),
        ..Ask::new(&["a"], Some(r#"{"access_token":{"nbf":{"essential":true}}}"#)).unwrap()
    };
    let with = properties(&challenged, true);
    assert!(
        with.iter().any(|(name, value)| *name == "claims" && value.contains("nbf") && value.contains("cp1"))
    );
    assert!(
        with.contains(&("wam_compat", "2.0".to_owned())) && with.contains(&("LoginHint", "adele".to_owned()))
    );
    assert!(!properties(&challenged, false).iter().any(|(name, _)| *name == "LoginHint"));
}

#[test]
fn a_refusal_goes_on_to_the_browser_and_a_closed_window_does_not() {
    assert!(matches!(halt(Refusal::Cancelled, "c"), Halt::Fail(SignInError::Cancelled(Step::Broker))));
    for refusal in [Refusal::Switched, Refusal::InteractionRequired, Refusal::Absent] {
        assert!(matches!(halt(refusal.clone(), "c"), Halt::Skip(_)), "{refusal:?}");
    }
    let failed = Refusal::Failed { code: 0xcaa2_0005, message: "line\nbreak".to_owned() };
    match halt(failed, "7e57") {
        Halt::Skip(why) => assert_eq!(why, "it failed with 0xcaa20005 line?break (correlation id 7e57)"),
        other => panic!("{other:?}"),
    }
}
