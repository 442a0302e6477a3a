//! How long the loopback listener is there: nobody comes, and its port is closed.

use std::time::Duration;

use entra_emulator::ids;
use valet_sign_in::limits::BROWSER_WAIT;
use valet_sign_in::{SignInError, Step};

use crate::browser::parameter;
use crate::person::{Does, approve};
use crate::rig::{GRAPH, Rig, ask, pass, until, until_it_fails};

#[tokio::test]
async fn the_listener_ends_after_its_five_minutes() {
    let rig = Rig::start().await;
    rig.person.will(Does::Nothing, Does::Unreachable);
    let sign_in = rig.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("a browser opens", || !rig.person.urls().is_empty()).await;
    let listener = parameter(&rig.person.urls()[0], "redirect_uri");
    let is_open = async || {
        // A client of its own: what others keep of connections is as old as the time that has passed.
        let http = reqwest::Client::builder().tls_backend_preconfigured(crate::rig::tls(&rig.emulator));
        http.no_proxy().build().unwrap().get(&listener).send().await
    };
    pass(BROWSER_WAIT - Duration::from_secs(30)).await;
    assert!(is_open().await.is_ok() && !asking.is_finished(), "a slow person is waited for");
    pass(Duration::from_secs(31)).await;
    let expected = SignInError::TimedOut { step: Step::Browser, seconds: 300 };
    assert_eq!(asking.await.unwrap().unwrap_err(), expected);
    // Its task ends with it.
    until_it_fails("the listener closes", is_open).await;
    let late = rig.person.agree(&rig.person.urls()[0], ids::ADELE_UPN).await;
    assert!(rig.person.http.post(late.0).form(&late.1).send().await.is_err(), "nobody takes a late answer");
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    sign_in.token(&[GRAPH], None).await.unwrap();
}
