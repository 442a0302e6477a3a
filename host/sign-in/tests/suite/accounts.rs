//! Accounts: pinned by tenant and object id, chosen, switched and signed out, and never changed by a token request.

use std::io::Write as _;

use entra_emulator::{Operation, ids};
use secrecy::ExposeSecret as _;
use valet_core_entra::id_token::IdTokenError;
use valet_sign_in::{LogIn, SignInError};

use crate::person::{Does, approve};
use crate::rig::{GRAPH, LONG, Rig, adele, alex, wrong};

fn browser(rig: &Rig, upn: &str) {
    rig.person.will(approve(upn), Does::Unreachable);
}

#[tokio::test]
async fn people_sign_in_switch_and_sign_out() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    assert_eq!(sign_in.account().await.unwrap(), None);
    let first = sign_in.log_in(LogIn::default()).await.unwrap();
    assert_eq!((first.id.clone(), first.username.as_deref()), (adele(), Some(ids::ADELE_UPN)));
    browser(&rig, ids::ALEX_UPN);
    let second = sign_in.log_in(LogIn::default()).await.unwrap();
    assert_eq!(second.id, alex());
    assert_eq!(sign_in.accounts().await.unwrap().len(), 2);
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, alex(), "who signed in last is in use");

    let of_alex = sign_in.token(&[GRAPH], None).await.unwrap();
    sign_in.choose(&adele()).await.unwrap();
    browser(&rig, ids::ADELE_UPN);
    let of_adele = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_ne!(of_alex.token.expose_secret(), of_adele.token.expose_secret());
    assert_eq!(rig.sign_in().account().await.unwrap().unwrap().id, adele(), "other processes see the choice");

    sign_in.log_out(&adele()).await.unwrap();
    assert_eq!(sign_in.accounts().await.unwrap(), [second], "the other one stays");
    let text = std::fs::read_to_string(rig.file()).unwrap();
    assert!(
        !text.contains(of_adele.token.expose_secret()) && !text.contains(&ids::ADELE.to_string()),
        "nothing is left"
    );
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, alex());
    let unknown = sign_in.log_out(&adele()).await.unwrap_err();
    assert!(
        matches!(unknown, SignInError::UnknownAccount { ref wanted, .. } if *wanted == adele()),
        "{unknown:?}"
    );
    let unknown = sign_in.choose(&adele()).await.unwrap_err();
    assert!(matches!(unknown, SignInError::UnknownAccount { .. }), "{unknown:?}");
}

#[tokio::test]
async fn somebody_else_does_not_take_the_place_of_the_account_in_use() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    rig.adele_was_here(&sign_in).await;
    browser(&rig, ids::ALEX_UPN);
    let refused = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(wrong(&refused), (adele(), alex()));
    assert!(rig.person.page(1).await.contains("You are not signed in"));
    assert!(
        !std::fs::read_to_string(rig.file()).unwrap().contains(&ids::ALEX.to_string()),
        "nothing of theirs is kept"
    );
    browser(&rig, ids::ADELE_UPN);
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn who_is_wrong_is_told_by_name_and_without_a_circle() {
    let rig = Rig::start().await;
    rig.sign_in().log_in(LogIn::default()).await.unwrap();
    let pinned = rig.sign_in_with(|settings| settings.account = Some(alex()));
    let refused = pinned.log_in(LogIn::default()).await.unwrap_err();
    assert_eq!(wrong(&refused), (alex(), adele()));
    let text = refused.to_string();
    assert!(text.contains(ids::ADELE_UPN) && text.contains("`local.account`"), "{text}");
    assert!(!text.contains("valet login"), "it would end the same: {text}");
    assert_eq!(pinned.choose(&adele()).await, Err(SignInError::Pinned { pinned: alex() }));
    browser(&rig, ids::ALEX_UPN);
    pinned.log_in(LogIn::default()).await.unwrap();
    pinned.choose(&alex()).await.unwrap();
}

#[tokio::test]
async fn the_settings_pin_an_account_whatever_was_chosen() {
    let rig = Rig::start().await;
    let open = rig.sign_in();
    open.log_in(LogIn::default()).await.unwrap();
    let pinned = rig.sign_in_with(|settings| settings.account = Some(alex()));
    assert_eq!(pinned.account().await.unwrap(), None, "Alex is not signed in");
    let refused = pinned.token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(wrong(&refused), (alex(), adele()));
    browser(&rig, ids::ALEX_UPN);
    pinned.token(&[GRAPH], None).await.unwrap();
    assert_eq!(pinned.account().await.unwrap().unwrap().id, alex());
    assert_eq!(open.account().await.unwrap().unwrap().id, adele(), "the choice is untouched");
}

#[tokio::test]
async fn among_several_accounts_none_is_guessed() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    for upn in [ids::ADELE_UPN, ids::ALEX_UPN] {
        browser(&rig, upn);
        sign_in.log_in(LogIn::default()).await.unwrap();
    }
    std::fs::remove_file(rig.state_dir().join("account.json")).unwrap();
    let refused = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert!(matches!(refused, SignInError::SeveralAccounts(ref all) if all.len() == 2), "{refused:?}");
    assert!(refused.to_string().contains("valet accounts --use"), "{refused}");
    sign_in.choose(&alex()).await.unwrap();
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_foreign_tenant_is_not_admitted() {
    let rig = Rig::start().await;
    rig.emulator.change_registrations(|all| {
        let demo = all.apps.iter_mut().find(|app| app.client_id == ids::DEMO_CLIENT).unwrap();
        demo.sign_in_audience = entra_emulator::SignInAudience::AzureADMultipleOrgs;
    });
    browser(&rig, ids::FARAH_UPN);
    let organizations = |tenants: Vec<String>| {
        rig.sign_in_with(|settings| {
            settings.tenant = "organizations".to_owned();
            settings.tenants = tenants;
        })
    };
    let refused = organizations(vec![ids::TENANT.to_string()]).token(&[GRAPH], None).await.unwrap_err();
    let (found, expected) = (ids::FOREIGN_TENANT.to_string(), vec![ids::TENANT.to_string()]);
    assert_eq!(refused, SignInError::IdToken(IdTokenError::Tenant { found: found.clone(), expected }));
    assert!(!rig.file().exists(), "nothing was kept");
    let sign_in = organizations(vec![ids::TENANT.to_string(), found.clone()]);
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(sign_in.account().await.unwrap().unwrap().id.tenant_id, found);
}

/// Two configurations of one application and one folder, whose tenants differ, have one cache.
#[tokio::test]
async fn a_foreign_tenant_that_is_cached_for_other_settings_is_not_admitted() {
    let rig = Rig::start().await;
    rig.emulator.change_registrations(|all| {
        let demo = all.apps.iter_mut().find(|app| app.client_id == ids::DEMO_CLIENT).unwrap();
        demo.sign_in_audience = entra_emulator::SignInAudience::AzureADMultipleOrgs;
    });
    let foreign = ids::FOREIGN_TENANT.to_string();
    let wide = rig.sign_in_with(|settings| {
        settings.tenant = "organizations".to_owned();
        settings.tenants = vec![ids::TENANT.to_string(), foreign.clone()];
    });
    browser(&rig, ids::FARAH_UPN);
    wide.token(&[GRAPH], None).await.unwrap();
    let farah = wide.account().await.unwrap().unwrap().id;
    assert_eq!(farah.tenant_id, foreign);

    rig.nobody_home();
    let narrow = rig.sign_in();
    assert_eq!((narrow.account().await.unwrap(), narrow.accounts().await.unwrap()), (None, Vec::new()));
    for claims in [None, Some("{}")] {
        let refused = narrow.token(&[GRAPH], claims).await.unwrap_err();
        assert!(matches!(refused, SignInError::NoStepLeft(_)), "{refused:?}");
    }
    assert_eq!(rig.count(Operation::Refresh), 0, "her refresh token goes nowhere either");
    let unknown = narrow.choose(&farah).await.unwrap_err();
    assert_eq!(unknown, SignInError::UnknownAccount { wanted: farah.clone(), known: Vec::new() });
    let pinned = rig.sign_in_with(|settings| settings.account = Some(farah.clone()));
    assert_eq!(pinned.account().await.unwrap(), None, "a pin does not admit her tenant");
    let refused = pinned.token(&[GRAPH], None).await.unwrap_err();
    assert!(matches!(refused, SignInError::NoStepLeft(_)), "{refused:?}");

    // Her choice elsewhere keeps nobody out here, and stays hers to sign out from.
    browser(&rig, ids::ADELE_UPN);
    narrow.token(&[GRAPH], None).await.unwrap();
    assert_eq!(narrow.account().await.unwrap().unwrap().id, adele());
    narrow.log_out(&farah).await.unwrap();
    assert_eq!(wide.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_guest_is_who_they_are_in_this_tenant() {
    let rig = Rig::start().await;
    browser(&rig, ids::FARAH_GUEST_UPN);
    let sign_in = rig.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    let id = sign_in.account().await.unwrap().unwrap().id;
    assert_eq!((id.tenant_id, id.object_id), (ids::TENANT.to_string(), ids::FARAH_GUEST.to_string()));
    rig.nobody_home();
    rig.advance(LONG);
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.count(Operation::Refresh), 1);
}

/// A log-in beside it would write its choice with the lock, and that one would be cleared.
#[tokio::test]
async fn a_log_out_takes_the_choice_back_before_it_lets_go_of_the_lock() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.log_in(LogIn::default()).await.unwrap();
    let (choice, lock) = (rig.state_dir().join("account.json"), rig.state_dir().join("tokens.lock"));
    let chosen = std::fs::read(&choice).unwrap();
    std::fs::remove_file(&choice).unwrap();
    // Whoever reads the choice waits until it is written, so the lock can be looked at meanwhile.
    assert!(std::process::Command::new("mkfifo").arg(&choice).status().unwrap().success());
    let looks = std::thread::spawn({
        let choice = choice.clone();
        move || {
            let mut writer = std::fs::OpenOptions::new().write(true).open(choice).unwrap();
            let taken = std::fs::File::open(lock).unwrap().try_lock();
            writer.write_all(&chosen).unwrap();
            matches!(taken, Err(std::fs::TryLockError::WouldBlock))
        }
    });
    sign_in.log_out(&adele()).await.unwrap();
    assert!(looks.join().unwrap(), "the lock is held");
    assert!(!choice.exists());
}
