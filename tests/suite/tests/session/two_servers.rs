//! A token of one server at another that has the same keys and the same sessions: only its issuer and its audience tell.

use valet_suite::browser::Browser;
use valet_suite::certificates::OTHER_NAME;
use valet_suite::config::Folder;
use valet_suite::oauth::sign_in;
use valet_suite::rig::shared_emulator;
use valet_suite::{Ask, Rig, log, run};

use entra_emulator::ids;

#[test]
fn a_token_of_one_server_is_none_at_another() {
    run(async {
        let emulator = shared_emulator().await;
        let mut first = Rig::start_with(emulator.clone(), |config| config.with_sessions().on_disk()).await;
        let tokens = sign_in(&first, &mut Browser::new(&first, ids::ADELE_UPN)).await;
        assert!(first.process.stop().is_some_and(|status| status.success()));
        for (url, audit) in [
            // Another resource of one issuer.
            (
                "https://valet.example/other",
                "denied wrong_audience: aud `https://valet.example/mcp` is none of ",
            ),
            // Another issuer.
            ("https://other.example/mcp", "denied wrong_issuer: iss `https://valet.example` is "),
        ] {
            // The first server's store in another place, with its signing key and its sessions.
            let folder = Folder::new();
            let store = folder.write("store.redb", std::fs::read(first.folder.path("store.redb")).unwrap());
            let second = Rig::start_with(emulator.clone(), |config| {
                let config = config.with_sessions().on_disk();
                config.set("server.public_url", url).set("storage.path", store.display().to_string())
            })
            .await;
            let http = second.client().resolve(OTHER_NAME, second.address).build().unwrap();
            let mark = second.log().mark();
            let refused = second.send_with(&http, Ask::tool("whoami").at(url).bearer(&tokens.access)).await;
            assert_eq!(refused.status, 401, "{url}: {refused:?}");
            let event = second.log().wait(mark, "audit event", log::is_refusal).await;
            let found = log::audit_line(&event);
            assert!(found.starts_with(audit), "{url}: {found}");
        }
        // The same copy serves the tokens of the server that it is.
        first.restart().await;
        assert_eq!(first.call("whoami", &tokens.access).await.status, 200);
    });
}
