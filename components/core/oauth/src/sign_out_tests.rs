//! Signing out by a page.

use super::*;
use crate::client::Origin;
use crate::client::display_name;
use crate::document::{self, DocumentUrl};
use crate::testing::{NOW, alice, at_entra, client, grant, settings};

const FORM: &str = "application/x-www-form-urlencoded";

fn account() -> Account {
    let mut account = Account::default();
    account.permit(&at_entra(), NOW);
    account.begin(&grant(), "f", 100, NOW);
    account
}

/// The page of `user`, with what is known of `clients`.
fn page_of(user: &User, account: &Account, clients: &[Client]) -> Response {
    ask(Some(Known { user, account, clients, cookie_value: "sealed" }))
}

fn token_of(page: &Response) -> String {
    let rest = page.body.split_once("name=\"csrf\" value=\"").unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn the_page_shows_what_will_end_and_its_form_is_taken() {
    let page = page_of(&alice(), &account(), &[client("web")]);
    for text in [
        "Sign out Alice?",
        "<dt>Application</dt><dd>Web App</dd>",
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
    let body = format!("csrf={}", token_of(&page_of(&alice(), &account(), &[])));
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
    let empty = page_of(&alice(), &Account::default(), &[]);
    assert!(empty.body.contains("Sign out everywhere") && !empty.body.contains("End and forget"));
    let stranger = User { name: Some("<b>".into()), ..alice() };
    assert!(page_of(&stranger, &account(), &[]).body.contains("Sign out &lt;b&gt;?"));
}

#[test]
fn one_application_can_be_ended_alone() {
    let mut account = account();
    let other = crate::user::Grant { client_id: "<other>".into(), ..grant() };
    account.begin(&other, "g", 100, NOW);
    assert_eq!(account.clients(), ["<other>", "web"]);
    let page = page_of(&alice(), &account, &[]).body;
    assert!(
        page.contains("name=\"client\" value=\"web\"")
            && page.contains("name=\"client\" value=\"&lt;other&gt;\"")
    );
    let ended = account.withdraw("web");
    assert_eq!(ended.iter().map(|kept| kept.family.as_str()).collect::<Vec<_>>(), ["f"]);
    assert_eq!((account.clients(), account.consents().len()), (vec!["<other>"], 0));
    assert_eq!(withdrawn().headers[0], ("location", "/oauth/sign-out".into()));
}

/// An account with a session of each of these clients.
fn account_with(ids: &[&str]) -> Account {
    let mut account = Account::default();
    for id in ids {
        let grant = crate::user::Grant { client_id: (*id).into(), ..grant() };
        account.begin(&grant, id, 100, NOW);
    }
    account
}

#[test]
fn an_application_is_shown_as_it_was_when_it_was_allowed() {
    const URL: &str = "https://client.example/oauth.json";
    let url = DocumentUrl::parse(URL).unwrap();
    let body = format!(
        r#"{{"client_id":"{URL}","client_name":"A Site","redirect_uris":["https://client.example/cb"]}}"#
    );
    let described = document::read(&url, body.as_bytes()).unwrap();
    let registered =
        Client { id: "c-1".into(), name: display_name("Notes"), origin: Origin::Registered, ..client("web") };
    let account = account_with(&["web", URL, "c-1", "gone"]);
    let page = page_of(&alice(), &account, &[client("web"), described, registered]).body;
    for (name, who) in [
        ("Web App", "<code>web</code>, which this server's operator set up"),
        ("A Site", "<strong>client.example</strong> (<code>https://client.example/oauth.json</code>)"),
        ("Notes", "<code>c-1</code>, an application that registered itself; nobody has checked its name"),
        // Neither configured nor registered any more.
        ("An application", "<code>gone</code>"),
    ] {
        let shown = format!("<dt>Application</dt><dd>{name}</dd>\n<dt>Who it is</dt><dd>{who}</dd>");
        assert!(page.contains(&shown), "{shown}\n{page}");
    }
    // A document that is not kept is not asked for, and its host is known all the same.
    let page = page_of(&alice(), &account, &[url.public_client()]).body;
    assert!(
        page.contains(
            "<dd>An application</dd>\n<dt>Who it is</dt><dd><strong>client.example</strong> (<code>"
        )
    );
}

#[test]
fn the_name_of_an_application_is_text() {
    let evil = "</dd><script>alert(1)</script>\"'&";
    for origin in [Origin::Configured, Origin::Document, Origin::Registered] {
        let client = Client { name: display_name(evil), origin, ..client("web") };
        let page = page_of(&alice(), &account(), &[client]).body;
        assert!(
            page.contains("&lt;/dd&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"),
            "{origin:?}"
        );
        assert!(!page.contains("<script"), "{origin:?}");
    }
    let id = "<script>alert(2)</script>";
    for clients in [vec![], vec![Client { id: id.into(), origin: Origin::Registered, ..client("web") }]] {
        let page = page_of(&alice(), &account_with(&[id]), &clients).body;
        assert!(
            page.contains("<code>&lt;script&gt;alert(2)&lt;/script&gt;</code>") && !page.contains("<script")
        );
    }
}
