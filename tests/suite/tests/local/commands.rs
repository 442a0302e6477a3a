//! The commands of a person.

use entra_emulator::ids;
use valet_suite::run;

use valet_suite::desk::{Desk, PLAIN};

#[test]
fn a_person_signs_in_looks_and_signs_out() {
    run(async {
        let desk = Desk::new().await;
        assert!(desk.refused(&["whoami", PLAIN]).contains("nobody is signed in; `valet login` signs you in"));
        let output = desk.with_person(ids::ADELE_UPN, &["login", PLAIN]).await;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let who = format!("Adele Vance <{}>  {}@{}", ids::ADELE_UPN, ids::ADELE, ids::TENANT);
        assert_eq!(out, format!("Signed in: {who}\n"), "{err}");
        for token in ["eyJ", "code=", "state="] {
            assert!(!err.contains(token), "{err}");
        }
        assert_eq!(desk.done(&["whoami", PLAIN]), format!("{who}\n"));
        assert_eq!(desk.done(&["accounts", PLAIN]), format!("* {who}\n"));
        assert_eq!(desk.done(&["logout", PLAIN]), format!("Signed out: {who}\n"));
        assert!(desk.refused(&["accounts", PLAIN]).contains("nobody is signed in"));
        assert!(!std::fs::read_to_string(desk.path("state/tokens.json")).unwrap().contains("eyJ"));
    });
}

#[test]
fn of_two_accounts_one_is_used_until_another_is_chosen() {
    run(async {
        let desk = Desk::new().await;
        desk.log_in(ids::ADELE_UPN).await;
        desk.close_browser();
        desk.log_in(ids::ALEX_UPN).await;
        let (adele, alex) =
            (format!("{}@{}", ids::ADELE, ids::TENANT), format!("{}@{}", ids::ALEX, ids::TENANT));
        let star = |text: &str| text.lines().find(|line| line.starts_with('*')).unwrap().to_owned();
        assert!(star(&desk.done(&["accounts", PLAIN])).contains(&alex), "who signed in last");
        assert!(star(&desk.done(&["accounts", PLAIN, "--use", &adele])).contains(&adele));
        assert!(desk.done(&["whoami", PLAIN]).contains("Adele Vance"));
        let stranger = format!("{}@{}", ids::FARAH, ids::TENANT);
        assert!(desk.refused(&["accounts", PLAIN, "--use", &stranger]).contains("is not signed in"));
        assert!(desk.refused(&["logout", PLAIN]).contains("--account"), "which one?");
        desk.done(&["logout", PLAIN, "--account", &adele]);
        assert_eq!(desk.done(&["accounts", PLAIN]).lines().count(), 1);
        desk.done(&["logout", PLAIN, "--all"]);
        assert!(desk.refused(&["accounts", PLAIN]).contains("nobody is signed in"));
    });
}

#[test]
fn without_a_keychain_nothing_is_kept_unless_it_is_allowed() {
    run(async {
        let desk = Desk::new().await;
        let complaint = desk.refused(&["login"]);
        assert!(complaint.contains(PLAIN), "the exact way out: {complaint}");
        assert_eq!(desk.opened(), 0, "nobody is asked to sign in for nothing");
        assert!(!desk.path("state/tokens.json").exists());
        desk.log_in(ids::ADELE_UPN).await;
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(desk.path("state/tokens.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    });
}

#[test]
fn a_file_without_that_section_says_so() {
    run(async {
        let desk = Desk::with(|config| {
            config.without("local").set("server.public_url", "https://valet.example/mcp")
        })
        .await;
        for command in ["login", "logout", "accounts", "whoami"] {
            assert!(desk.refused(&[command, PLAIN]).contains("there is no [local] section"), "{command}");
        }
        assert!(
            desk.refused(&["stdio"])
                .contains("Add a [local] section for the user of this machine, or set VALET_ACCESS_TOKEN")
        );
    });
}
