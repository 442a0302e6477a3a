//! What a call is told that waits for a person, or for nobody, and whose token it is given.

use secrecy::SecretString;
use valet_sign_in::{AccountId, Prompts as _};

use super::*;

const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
const ADELE: &str = "7e57b000-0000-4000-8000-000000000001";
const ALEX: &str = "7e57b000-0000-4000-8000-000000000002";

fn caller(object_id: &str) -> Caller {
    Caller {
        tenant_id: if object_id == NOBODY { NOBODY } else { TENANT }.to_owned(),
        object_id: object_id.to_owned(),
        kind: Kind::User,
        client_id: String::new(),
        display_name: None,
        scopes: Vec::new(),
        roles: Vec::new(),
        token_id: None,
        session_id: None,
        expires_at: u64::MAX,
    }
}

fn token_of(object_id: &str) -> AccessToken {
    AccessToken {
        token: SecretString::from("t"),
        expires_at: u64::MAX,
        account: AccountId::new(TENANT, object_id),
    }
}

fn words(wanted: Wanted) -> String {
    match wanted {
        Wanted::Action { words, .. } => words,
        other => panic!("{other:?}"),
    }
}

/// Another program holds the cache, or the authority is slow: there is no window to finish anything in.
#[tokio::test(start_paused = true)]
async fn who_was_asked_nothing_is_sent_to_no_window() {
    let (_tell, asked) = watch::channel(None);
    let begun = Instant::now();
    let found = patience(asked).await;
    assert_eq!(found, None);
    assert!(begun.elapsed() >= limits::SIGN_IN_TIME, "{:?}", begun.elapsed());
    let said = words(unfinished(found.as_ref()));
    assert!(said.contains("nobody has to do anything about it"), "{said}");
    assert!(!said.contains("window") && !said.contains("browser"), "{said}");
}

/// The broker's window is no prompt of ours, so it is known by the wait for whoever dismisses it.
#[tokio::test(start_paused = true)]
async fn who_may_be_before_the_brokers_window_is_sent_there_and_the_window_is_forgotten_with_it() {
    let (tell, asked) = watch::channel(None);
    let client = Arc::<Client>::default();
    let shown = Shown { tell, client: Arc::clone(&client) };
    let step = async {
        tokio::select! {
            () = shown.dismissed() => "dismissed",
            found = patience(asked.clone()) => {
                assert_eq!(found, Some(Asked::Window(None)));
                let said = words(unfinished(found.as_ref()));
                assert!(said.contains("Finish it in the window that was opened"), "{said}");
                "waited"
            }
        }
    };
    assert_eq!(step.await, "waited");
    assert_eq!(*asked.borrow(), None);
    // And it is dismissed as before.
    let dismissed = async {
        tokio::task::yield_now().await;
        client.decline();
    };
    tokio::join!(shown.dismissed(), dismissed);
    assert_eq!(*asked.borrow(), None);
}

#[test]
fn a_call_is_not_made_with_the_token_of_another_account_than_it_is_audited_under() {
    of_the_caller(&caller(ADELE), token_of(ADELE)).expect("her own");
    of_the_caller(&caller(NOBODY), token_of(ADELE)).expect("a first call signs its user in");
    let refused = words(of_the_caller(&caller(ADELE), token_of(ALEX)).expect_err("somebody else's"));
    let expected = format!(
        "Another account, {ALEX}@{TENANT}, has been put in use meanwhile. Try again to call as that one."
    );
    assert_eq!(refused, expected);
    // The same object id in another tenant is another account.
    let guest = AccessToken { account: AccountId::new(ALEX, ADELE), ..token_of(ADELE) };
    words(of_the_caller(&caller(ADELE), guest).expect_err("elsewhere"));
}
