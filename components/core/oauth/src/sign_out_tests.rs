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
    for text in ["Sign out Alice?", "<dd>1</dd>", "<code>web</code>", "https://app.example", "mcp.access"] {
        assert!(page.body.contains(text), "{text}");
    }
    let body = format!("csrf={}", token_of(&page));
    let check =
        |cookie| check(Some(FORM), body.as_bytes(), Some("https://valet.example"), None, cookie, &settings());
    assert_eq!(check(Some("sealed")), Ok(()));
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
    assert_eq!(check(&body, None, None), Ok(()));
    assert_eq!(SignOutError::Csrf.response("n-1").status, 403);
}

#[test]
fn nobody_has_nothing_to_end() {
    assert!(ask(None).body.contains("Nobody is signed in here"));
    let stranger = User { name: Some("<b>".into()), ..alice() };
    assert!(ask(Some((&stranger, &account(), "sealed"))).body.contains("Sign out &lt;b&gt;?"));
}
