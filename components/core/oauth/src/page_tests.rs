//! Pages: what is on them, and that nothing on them is anybody's markup.

use super::*;
use crate::client::display_name;
use crate::document::DocumentError;
use crate::testing::{NOW, asking, at_entra, client, request, settings};

fn consent_of(client: &Client, transaction: &Transaction) -> String {
    consent(client, transaction, &settings()).unwrap().body
}

#[test]
fn consent_names_who_asks_and_where_the_answer_goes() {
    let body = consent_of(&client("web"), &asking());
    for text in [
        "Allow Web App to act for you?",
        "https://app.example",
        "mcp.access",
        "valet.example",
        "<code>web</code>",
    ] {
        assert!(body.contains(text), "{text}");
    }
    assert!(body.contains(&format!("name=\"transaction\" value=\"{}\"", asking().id())));
    assert!(body.contains(&format!("name=\"csrf\" value=\"{}\"", asking().csrf().unwrap())));
    assert!(body.contains("method=\"post\" action=\"/oauth/consent\""));
    assert!(!body.contains("class=\"warning\""), "the operator vouches for it");
    assert_eq!(consent(&client("web"), &at_entra(), &settings()), Err(TransactionError::Phase));
}

/// O-7.
#[test]
fn consent_is_not_framed_and_not_kept() {
    let page = consent(&client("web"), &asking(), &settings()).unwrap();
    let field =
        |name: &str| page.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let policy = field("content-security-policy").unwrap();
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]
    {
        assert!(policy.contains(directive), "{directive}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!((field("x-frame-options"), field("cache-control")), (Some("DENY"), Some("no-store")));
    assert_eq!(field("referrer-policy"), Some("same-origin"));
}

/// O-15, Q3.
#[test]
fn a_name_is_text_wherever_it_stands() {
    let evil = "</title><script>alert(1)</script>\"'&";
    let evil = Client { name: display_name(evil), origin: Origin::Registered, ..client("web") };
    let body = consent_of(&evil, &asking());
    assert!(body.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
    assert!(!body.contains("<script"));
    let nameless = Client { name: None, ..client("web") };
    assert!(consent_of(&nameless, &asking()).contains("Allow An application to act for you?"));
}

#[test]
fn a_client_that_nobody_vouches_for_is_told_as_such() {
    let registered = Client { origin: Origin::Registered, ..client("web") };
    let body = consent_of(&registered, &asking());
    assert!(body.contains("nobody has checked its name") && body.contains("class=\"warning\""));
    let id = "https://client.example/oauth.json".to_owned();
    let document = Client { id, origin: Origin::Document, ..client("web") };
    let body = consent_of(&document, &asking());
    assert!(body.contains("<strong>client.example</strong>") && body.contains("class=\"warning\""));
    let mut loopback = request();
    loopback.redirect = client("cli").redirect(Some("http://127.0.0.1:5000/cb")).unwrap();
    let loopback = Transaction::asking(loopback, &[7; 16], &[8; 32], NOW);
    let body = consent_of(&client("cli"), &loopback);
    assert!(
        body.contains("a program on this computer") && body.contains("Any program on this computer can ask")
    );
}

#[test]
fn going_on_needs_no_script_and_no_click() {
    let page = onward("https://login.example/authorize?a=b&c=\"d'");
    assert_eq!(page.status, 200);
    let escaped = "https://login.example/authorize?a=b&amp;c=&quot;d&#39;";
    assert!(page.body.contains(&format!("<meta http-equiv=\"refresh\" content=\"0;url={escaped}\">")));
    assert!(page.body.contains(&format!("<a href=\"{escaped}\">Continue</a>")));
}

#[test]
fn an_error_says_what_happened_and_what_to_do() {
    let unknown = AuthorizeError::Client(ClientError::Unknown { client_id: "<b>".into() });
    for (error, status, text) in [
        (unknown, 400, "does not know the application"),
        (AuthorizeError::Client(ClientError::DocumentsOff), 403, "has not allowed"),
        (AuthorizeError::Document(DocumentError::Json), 502, "description could not be read"),
        (AuthorizeError::DocumentUnavailable("10.0.0.1 refused".into()), 502, "Try again"),
        (AuthorizeError::PromptNone, 400, "something that this server does not do"),
    ] {
        let page = authorize_error(&error, None, "n-1<");
        assert_eq!(page.status, status, "{error}");
        assert!(page.body.contains(text) && page.body.contains("<code>n-1&lt;</code>"), "{}", page.body);
        assert!(!page.body.contains("<b>") && !page.body.contains("10.0.0.1"));
    }
    assert_eq!(server_error("n-1").status, 503);
    assert_eq!(form_error("n-1").status, 403);
}
