//! An authority that is not what the settings say: found out before anybody is sent there, and told by the name of the setting.

use entra_emulator::{Endpoint, Fault, ids};
use valet_sign_in::{Settings, SignInError};

use crate::person::{Does, approve};
use crate::rig::{GRAPH, Rig};

const OTHER: &str = "7e57a000-0000-4000-8000-00000000dead";

/// What a token request with changed settings fails with. Nobody is asked for it, and the next good one works.
async fn refused(rig: &Rig, change: impl FnOnce(&mut Settings)) -> SignInError {
    let error = rig.sign_in_with(change).token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(rig.person.seen(), (0, 0), "nobody was asked: {error}");
    error
}

#[tokio::test]
async fn a_tenant_that_is_none_is_told_before_anybody_is_asked() {
    let rig = Rig::start().await;
    let authority = rig.emulator.authority_url();
    let error = refused(&rig, |settings| settings.tenant = OTHER.to_owned()).await;
    assert_eq!(error, SignInError::UnknownTenant { authority, tenant: OTHER.to_owned() });
    assert!(error.to_string().contains("`entra.tenant`"), "{error}");
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_port_where_nobody_is_is_told_before_anybody_is_asked() {
    let rig = Rig::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error =
        refused(&rig, |settings| settings.authority = format!("https://localhost:{}", free.port())).await;
    assert!(matches!(error, SignInError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("`entra.authority`: https://localhost:"), "{error}");
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn an_authority_under_another_name_is_told_before_anybody_is_asked() {
    let rig = Rig::start().await;
    let named = rig.emulator.authority_url();
    let other = named.replace("localhost", "127.0.0.1");
    assert_ne!(named, other);
    match refused(&rig, |settings| settings.authority = other.clone()).await {
        SignInError::NoAuthority { authority, why } => {
            assert_eq!((authority, why.contains(&named)), (other, true))
        }
        unlike => panic!("{unlike:?}"),
    }
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_certificate_of_nobody_known_names_where_it_belongs() {
    let rig = Rig::start().await;
    let stranger = Rig::start().await;
    let error = refused(&rig, |settings| settings.authority = stranger.emulator.authority_url()).await;
    assert!(matches!(error, SignInError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("`egress.ca_file`"), "{error}");
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn an_application_that_is_none_is_told_by_the_name_of_its_setting() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, approve(ids::ADELE_UPN));
    let error = refused(&rig, |settings| settings.client_id = OTHER.to_owned()).await;
    assert!(matches!(error, SignInError::Authority(_)), "{error:?}");
    assert!(
        error.to_string().contains("AADSTS700016") && error.to_string().contains("`entra.client_id`"),
        "{error}"
    );
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn an_authority_in_trouble_is_asked_again() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    rig.emulator.faults().set_times(Endpoint::Metadata, Fault::Status { code: 503, retry_after: None }, 1);
    let error = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert!(matches!(error, SignInError::Authority(_)), "{error:?}");
    assert_eq!(rig.person.seen(), (0, 0));
    sign_in.token(&[GRAPH], None).await.unwrap();
}
