//! Signing out by a page.

use super::*;
use crate::testing::{NOW, alice, at_entra, grant, settings};

const FORM: &str = "application/x-www-form-urlencoded";

fn account() -> Account {
    let mut account = Account::default();
    account.permit(&at_entra(), NOW);
    account.begin(&grant(), "f", 100, NOW);
    account
}

fn token_of(page: &Response) -> String {
    let rest = page.body.split_once("name=\"csrf\" value=\"").unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn the_page_shows_what_will_end_and_its_form_is_taken() {
    let page = ask(Some((&alice(), &account(), "sealed")));
    for text in [
        "Sign out Alice?",
        "<dt>Sessions</dt><dd>1</dd>",
        "<code>web</code>",
        "https://app.example",
        "mcp.access",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    let body = format!("csrf={}", token_of(&page));
    let check =
        |cookie| check(Some(FORM), body.as_bytes(), Some("https://valet.example"), None, cookie, &settings());
    assert_eq!(check(Some("sealed")), Ok(Wish::Everywhere));
    assert_eq!(check(Some("another")), Err(SignOutError::Csrf));
    assert_eq!(check(None), Err(SignOutError::Nobody));
    assert!(
        done()
            .headers
            .iter()
            .any(|(name, value)| *name == "set-cookie" && value.starts_with("__Host-valet-user=; Max-Age=0"))
    );
}

#[test]
fn a_forged_form_ends_nothing() {
    let body = format!("csrf={}", token_of(&ask(Some((&alice(), &account(), "sealed")))));
    let check = |body: &str, origin, site| {
        check(Some(FORM), body.as_bytes(), origin, site, Some("sealed"), &settings())
    };
    let foreign = |field, value: &str| Err(SignOutError::Foreign(ForeignForm { field, value: value.into() }));
    assert_eq!(check(&body, Some("https://evil.example"), None), foreign("Origin", "https://evil.example"));
    assert_eq!(check(&body, None, Some("cross-site")), foreign("Sec-Fetch-Site", "cross-site"));
    for forged in ["", "csrf=", "csrf=x", "other=y"] {
        assert_eq!(check(forged, None, None), Err(SignOutError::Csrf), "{forged}");
    }
    assert_eq!(check(&body, None, None), Ok(Wish::Everywhere));
    assert_eq!(check(&format!("{body}&client=web"), None, None), Ok(Wish::Client("web".into())));
    assert_eq!(SignOutError::Csrf.response("n-1").status, 403);
}

#[test]
fn nobody_has_nothing_to_end() {
    assert!(ask(None).body.contains("Nobody is signed in here"));
    let empty = ask(Some((&alice(), &Account::default(), "sealed")));
    assert!(empty.body.contains("Sign out everywhere") && !empty.body.contains("End and forget"));
    let stranger = User { name: Some("<b>".into()), ..alice() };
    assert!(ask(Some((&stranger, &account(), "sealed"))).body.contains("Sign out &lt;b&gt;?"));
}

#[test]
fn one_application_can_be_ended_alone() {
    let mut account = account();
    let other = crate::user::Grant { client_id: "<other>".into(), ..grant() };
    account.begin(&other, "g", 100, NOW);
    assert_eq!(account.clients(), ["<other>", "web"]);
    let page = ask(Some((&alice(), &account, "sealed"))).body;
    assert!(
        page.contains("name=\"client\" value=\"web\"")
            && page.contains("name=\"client\" value=\"&lt;other&gt;\"")
    );
    let ended = account.withdraw("web");
    assert_eq!(ended.iter().map(|kept| kept.family.as_str()).collect::<Vec<_>>(), ["f"]);
    assert_eq!((account.clients(), account.consents().len()), (vec!["<other>"], 0));
    assert_eq!(withdrawn().headers[0], ("location", "/oauth/sign-out".into()));
}
