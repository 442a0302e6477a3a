//! Links, the transactions that begin with them, and their pages.

use super::*;
use crate::callback::{self, CallbackError, Outcome};
use crate::consent::{self, ConsentError, Decision};
use crate::cookie::Cookies;
use crate::form::Form;
use crate::testing::{NOW, asking, at_entra, secret, secrets, settings};
use crate::transaction::{self, Any, ForClient};

const SEALED: &str = "sealed-link";
const CLAIMS: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;

fn link() -> Link {
    let (session, client_id) = ("session-1".to_owned(), "web".to_owned());
    Link { session, client_id, claims: CLAIMS.to_owned() }
}

fn opened() -> Transaction<StepUp> {
    let claims = secret::digest(CLAIMS);
    Transaction::step_up(StepUp::new(link(), SEALED), claims, &[7; 16], &[8; 32], NOW)
}

fn posted(csrf: &str, decision: &str) -> consent::Answer {
    let form = format!("transaction={}&csrf={csrf}&decision={decision}", opened().id());
    let content_type = Some("application/x-www-form-urlencoded");
    consent::Answer::read(content_type, form.as_bytes(), None, None, &settings()).unwrap()
}

fn is_cleared(response: &Response) -> bool {
    let name = opened().cookie_name();
    let cleared = |(field, value): &(&str, String)| {
        *field == "set-cookie" && value.starts_with(&name) && value.contains("Max-Age=0")
    };
    response.headers.iter().any(cleared)
}

#[test]
fn a_link_is_read_back_and_has_a_limit() {
    assert!(Link::from_plain(&link().to_plain().unwrap()) == Some(link()));
    for text in ["", "{}", r#"{"s":"x"}"#] {
        assert!(Link::from_plain(text.as_bytes()).is_none(), "{text}");
    }
    let room = limits::LINK - link().to_plain().unwrap().len();
    let with = |more: usize| Link { claims: format!("{CLAIMS}{}", " ".repeat(more)), ..link() };
    assert_eq!(with(room).to_plain().map(|plain| plain.len()), Some(limits::LINK));
    assert_eq!(with(room + 1).to_plain(), None);
    assert_eq!(url("https://valet.example", SEALED), "https://valet.example/oauth/step-up?link=sealed-link");
}

/// A pack passes on what an API of its own wants.
#[test]
fn there_is_no_link_for_what_is_no_claims_request() {
    for claims in ["", "c1", "[]", "7", "{", r#"{"access_token":{}} x"#] {
        assert_eq!(Link { claims: claims.to_owned(), ..link() }.to_plain(), None, "{claims}");
    }
    assert!(Link { claims: "{}".to_owned(), ..link() }.to_plain().is_some());
}

#[test]
fn the_longest_link_fits_into_its_transaction() {
    let room = limits::LINK - link().to_plain().unwrap().len();
    let quotes = |many: usize| Link { claims: format!(r#"{{"a":"{}"}}"#, "\\\"".repeat(many)), ..link() };
    let few = limits::LINK - quotes(0).to_plain().unwrap().len();
    for link in [
        Link { claims: format!("{CLAIMS}{}", " ".repeat(room)), ..link() },
        quotes(few / 4),
        // The client's id is there twice, and has a limit of its own.
        Link {
            client_id: "c".repeat(limits::CLIENT_ID),
            claims: format!("{CLAIMS}{}", " ".repeat(room - limits::CLIENT_ID + 3)),
            ..link()
        },
    ] {
        assert!(link.to_plain().is_some());
        let claims = secret::digest(&link.claims);
        let asking =
            Transaction::step_up(StepUp::new(link, SEALED), claims, &[7; 16], &[8; 32], NOW + 0xffff);
        asking.to_plain().unwrap();
        asking.permitted(&secrets()).to_plain().unwrap();
    }
}

/// Each is taken for what it is, whatever the browser says of it.
#[test]
fn the_two_kinds_are_told_apart() {
    let open = |id: &str, plain: &secrecy::SecretString| {
        let header = format!("{}=v", crate::transaction::cookie_name(id));
        Any::open(&Cookies::parse([header.as_str()]), id, NOW, |_, _| Some(plain.clone()))
    };
    for client in [asking(), at_entra()] {
        let found = open(client.id(), &client.to_plain().unwrap());
        assert!(matches!(found, Ok(Any::ForClient(found)) if found == client));
    }
    for step_up in [opened(), opened().permitted(&secrets())] {
        let plain = step_up.to_plain().unwrap();
        assert!(matches!(open(step_up.id(), &plain), Ok(Any::StepUp(found)) if found == step_up));
        let as_clients = transaction::read::<ForClient>(Some(&plain), step_up.id(), NOW);
        assert_eq!(as_clients.map(drop), Err(TransactionError::Foreign), "no code comes of it");
    }
    let refused = |id: &str, plain: &str| open(id, &secret(plain)).map(drop);
    assert_eq!(refused("1.x", "{}"), Err(TransactionError::Foreign));
    let plain = opened().to_plain().unwrap();
    assert_eq!(open("1.x", &plain).map(drop), Err(TransactionError::Foreign));
    let header = format!("{}=v", opened().cookie_name());
    let late =
        Any::open(&Cookies::parse([header.as_str()]), opened().id(), NOW + 601, |_, _| Some(plain)).map(drop);
    assert_eq!(late, Err(TransactionError::Expired { begun: NOW, now: NOW + 601 }));
}

#[test]
fn a_link_is_used_once_by_however_many_transactions() {
    let other =
        Transaction::step_up(StepUp::new(link(), SEALED), secret::digest(CLAIMS), &[9; 16], &[9; 32], NOW);
    assert_ne!(other.id(), opened().id());
    assert_eq!((opened().used_record(), other.used_record()), (used_record(SEALED), used_record(SEALED)));
    assert_ne!(used_record("another"), used_record(SEALED));
    assert!(!used_record(SEALED).contains(SEALED));
    assert_eq!(asking().used_record(), crate::transaction::used_record(asking().id()));

    assert_eq!(check(None), Ok(()));
    let request = opened().permitted(&secrets()).entra_request().unwrap();
    let taken = Progress::read(None).take(&request).unwrap();
    assert_eq!(check(Some(&taken.to_record())), Ok(()), "nothing came of it yet");
    let finished = taken.finish().unwrap().to_record();
    assert_eq!(check(Some(&finished)), Err(LinkError::Used));
    assert_eq!(Progress::read(Some(&finished)).take(&request), Err(TransactionError::Phase));
}

#[test]
fn the_form_and_the_answer_of_entra_are_judged_as_at_a_sign_in() {
    let csrf = opened().csrf().unwrap().to_owned();
    let (decision, at_entra) = posted(&csrf, "allow").decide(opened(), &secrets()).unwrap();
    assert_eq!((decision, at_entra.claims()), (Decision::Allow, Some(secret::digest(CLAIMS).as_str())));
    let refused = posted("x", "allow").decide(opened(), &secrets()).map(drop);
    assert_eq!(refused, Err(ConsentError::Transaction(TransactionError::Csrf)));
    assert!(matches!(posted(&csrf, "deny").decide(opened(), &secrets()), Ok((Decision::Deny, _))));

    let answer = |state: &str| {
        let form = Form::parse(format!("code=c&state={state}").as_bytes()).unwrap();
        callback::Answer::read(&form).unwrap().outcome(&at_entra, &[])
    };
    use secrecy::ExposeSecret as _;
    let state = at_entra.entra_request().unwrap().state;
    assert!(matches!(answer(state.expose_secret()), Ok(Outcome::Redeem { .. })));
    let foreign = answer(&format!("{}.x", opened().id())).map(drop);
    assert_eq!(foreign, Err(CallbackError::Transaction(TransactionError::State)));
}

#[test]
fn the_page_says_what_happens_and_to_whom() {
    let web = crate::testing::client("web");
    let page = ask(&opened(), Some(&web), &settings()).unwrap();
    assert_eq!(page.status, 200);
    // Which application, in the words of the page to sign out.
    let name = web.name.as_deref().unwrap();
    let known = format!("<dt>Application</dt><dd>{name}</dd>\n<dt>Who it is</dt><dd><code>web</code>, which");
    assert!(page.body.contains(&known), "{}", page.body);
    let unknown = ask(&opened(), None, &settings()).unwrap();
    let known = "<dt>Application</dt><dd>An application</dd>\n<dt>Who it is</dt><dd><code>web</code></dd>";
    assert!(unknown.body.contains(known), "{}", unknown.body);
    for text in ["valet.example", "same account", "no new permission", "Close the window", ">Continue<"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    // Neither whose session it is nor what is asked of Entra: the link may be in other hands.
    for text in [&link().session, "acrs", SEALED] {
        assert!(!page.body.contains(text), "{text}");
    }
    assert_eq!(
        ask(&opened().permitted(&secrets()), None, &settings()).map(drop),
        Err(TransactionError::Phase)
    );
}

#[test]
fn every_end_is_told_with_what_to_do() {
    let finished = done(&opened());
    assert!(finished.status == 200 && is_cleared(&finished), "{finished:?}");
    for (undone, status, text) in [
        (Undone::Cancelled, 200, "You cancelled"),
        (Undone::Declined, 403, "declined, or could not be done"),
        (Undone::OtherUser, 403, "another account"),
        (Undone::Session(SessionFailure::Refused), 403, "signed out meanwhile"),
        (Undone::Session(SessionFailure::TooMany), 429, "Wait a minute"),
        (Undone::Session(SessionFailure::Unavailable), 503, "Try again"),
        (Undone::Session(SessionFailure::Misconfigured), 503, "operator"),
    ] {
        let page = undone.response(&opened(), "n-1");
        assert_eq!(page.status, status, "{undone:?}");
        assert!(page.body.contains(text) && page.body.contains("<code>n-1</code>"), "{}", page.body);
        assert!(is_cleared(&page), "{undone:?}");
    }
    for (error, text) in [
        (LinkError::Invalid, "not one that this server made"),
        (LinkError::Expired, "too old"),
        (LinkError::Used, "used already"),
    ] {
        let page = error.response("n-1");
        assert!(page.status == 400 && page.body.contains(text), "{error}: {}", page.body);
    }
}
