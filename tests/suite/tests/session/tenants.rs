//! Whose users may call, where the operator says it after they have signed in.

use entra_emulator::{SignInAudience, ids};
use valet_suite::browser::Browser;
use valet_suite::config::list;
use valet_suite::oauth::{Tokens, refresh, sign_in};
use valet_suite::rig::emulator;
use valet_suite::{Ask, Rig, log, run};

/// Stops the server, puts `new` in the place of `old` in its configuration, and starts it again.
async fn restart(rig: &mut Rig, old: &str, new: &str) {
    assert!(rig.process.stop().is_some());
    let text = std::fs::read_to_string(rig.folder.path("valet.toml")).unwrap();
    assert_eq!(text.matches(old).count(), 1, "{text}");
    rig.folder.write("valet.toml", text.replace(old, new));
    rig.restart().await;
}

#[test]
fn a_session_ends_where_its_tenant_is_taken_off_the_list() {
    run(async {
        let (own, other) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
        let both = list(&[&own, &other]);
        let emulator = emulator().await;
        emulator.change_registrations(|all| {
            all.app_mut(ids::VALET).unwrap().sign_in_audience = SignInAudience::AzureADMultipleOrgs;
        });
        let mut rig =
            Rig::start_with(emulator, |config| config.with_sessions().on_disk().set("entra.tenants", both))
                .await;
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);

        let (all, one) = (format!(r#"tenants = ["{own}", "{other}"]"#), format!(r#"tenants = ["{other}"]"#));
        restart(&mut rig, &all, &one).await;
        let mark = rig.log().mark();
        let refused = rig.send(Ask::tool("whoami").bearer(&tokens.access)).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        assert!(refused.field("www-authenticate").contains(r#"error="invalid_token""#), "{refused:?}");
        let audit = log::audit_line(&rig.log().wait(mark, "a refusal", log::is_audit).await);
        assert_eq!(audit, format!("denied foreign_tenant: tenant {own} is not on the list"));

        restart(&mut rig, &one, &all).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        let next = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
        assert_eq!(rig.call("whoami", &next.access).await.status, 200);
    });
}
