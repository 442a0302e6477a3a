//! The commands of a person.

use entra_emulator::ids;
use valet_suite::config::list;
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
        let (begin, end) =
            ("Next: `valet install --client vscode --config ", format!(" {PLAIN}` (or claude, "));
        assert!(err.contains(begin) && err.contains(&end), "{err}");
        for word in ["eyJ", "code=", "state="] {
            assert!(!err.contains(word), "no secret: {err}");
        }
        let skipped: Vec<&str> = err.lines().filter(|line| line.starts_with("Signing in without")).collect();
        let [broker] = skipped.as_slice() else { panic!("one step is skipped, and told once: {err}") };
        assert!(broker.starts_with("Signing in without the broker: no session bus: "), "{err}");
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

#[test]
fn a_variable_does_as_well_as_the_flag() {
    run(async {
        let desk = Desk::new().await;
        let complaint = |value: &str| {
            let output = desk.command(&["whoami"]).env("VALET_DANGEROUSLY_PLAINTEXT_CACHE", value).output();
            String::from_utf8(output.unwrap().stderr).unwrap()
        };
        assert!(
            complaint("0").contains("there is no keychain to keep tokens in: no session bus"),
            "{}",
            complaint("0")
        );
        for value in ["1", "true", "yes"] {
            assert_eq!(complaint(value), "valet: nobody is signed in; `valet login` signs you in\n");
        }
    });
}

#[test]
fn a_wrong_tenant_or_port_is_told_before_a_browser_opens() {
    run(async {
        let desk =
            Desk::with(|config| config.set("entra.tenant", "7e57a000-0000-4000-8000-00000000dead")).await;
        let complaint = desk.refused(&["login", PLAIN]);
        assert!(complaint.contains("`entra.tenant`") && complaint.contains("00000000dead"), "{complaint}");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let port = Desk::with(|config| config.set("entra.authority", format!("https://{nobody}"))).await;
        for way in [&["login", PLAIN][..], &["login", "--device-code", PLAIN]] {
            let complaint = port.refused(way);
            assert!(
                complaint.contains("`entra.authority`") && complaint.contains("cannot be reached"),
                "{complaint}"
            );
        }
        assert_eq!((desk.opened(), port.opened()), (0, 0));
    });
}

#[test]
fn certificates_of_nobody_known_name_their_setting() {
    run(async {
        let desk = Desk::with(|config| config.without("egress.ca_file")).await;
        let complaint = desk.refused(&["login", PLAIN]);
        assert!(complaint.contains("UnknownIssuer") && complaint.contains("`egress.ca_file`"), "{complaint}");
    });
}

#[test]
fn an_application_that_is_none_names_its_setting() {
    run(async {
        let desk =
            Desk::with(|config| config.set("entra.client_id", "7e57c000-0000-4000-8000-00000000dead")).await;
        let complaint = desk.refused(&["login", "--device-code", PLAIN]);
        assert!(complaint.contains("AADSTS700016") && complaint.contains("`entra.client_id`"), "{complaint}");
    });
}

#[test]
fn a_pinned_account_is_told_by_name_and_without_a_circle() {
    run(async {
        let alex = format!("{}@{}", ids::ALEX, ids::TENANT);
        let desk = Desk::with(|config| config.set("local.account", alex.as_str())).await;
        let complaint = desk.refused(&["whoami", PLAIN]);
        assert!(complaint.contains(&format!("`local.account` is {alex}")), "{complaint}");
        let output = desk.with_person(ids::ADELE_UPN, &["login", PLAIN]).await;
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains(ids::ADELE_UPN) && complaint.contains("`local.account`"), "{complaint}");
        assert!(!complaint.contains("`valet login` switches"), "it would end the same: {complaint}");
        desk.close_browser();
        desk.log_in(ids::ALEX_UPN).await;
        let adele = format!("{}@{}", ids::ADELE, ids::TENANT);
        assert!(desk.refused(&["accounts", PLAIN, "--use", &adele]).contains("change it there"));
        assert!(desk.done(&["whoami", PLAIN]).contains("Alex Wilber"));
    });
}

#[test]
fn a_damaged_cache_is_mentioned_and_the_next_sign_in_is_good() {
    run(async {
        let desk = Desk::new().await;
        desk.log_in(ids::ADELE_UPN).await;
        std::fs::write(desk.path("state/tokens.json"), "{ broken").unwrap();
        let complaint = desk.refused(&["whoami", PLAIN]);
        assert!(complaint.contains("tokens.json") && complaint.contains("damaged"), "{complaint}");
        desk.close_browser();
        desk.log_in(ids::ADELE_UPN).await;
        assert!(desk.done(&["whoami", PLAIN]).contains("Adele Vance"));
    });
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_flag() {
    let output = std::process::Command::new(valet_suite::config::command())
        .args(["check", "--config", "/nowhere/valet.toml"])
        .output();
    let complaint = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(complaint.contains("/nowhere/valet.toml") && complaint.contains("--config"), "{complaint}");
}

#[test]
fn a_check_ends_with_what_is_in_the_file() {
    run(async {
        let desk = Desk::new().await;
        let said = desk.done(&["check"]);
        assert!(said.contains("valet.toml is good for `valet stdio`"), "{said}");
        for name in ["GetUserDetailsFromGraph, whoami", "profile", "introduce-me", ids::VALET_SCOPE] {
            assert!(said.contains(name), "{name} is not in {said}");
        }
        let scopes = list(&["mcp.acess"]);
        let doubted = Desk::with(|config| config.set("tools.whoami.scopes", scopes)).await;
        let output = doubted.run(&["check"]);
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && log.contains("`mcp.acess`") && log.contains("misspelt"), "{log}");
    });
}

#[test]
fn a_rule_about_a_tool_that_is_none_is_refused() {
    run(async {
        let scopes = list(&[ids::VALET_SCOPE]);
        let desk = Desk::with(|config| config.set("tools.GetUserDetailFromGraph.scopes", scopes)).await;
        for command in [&["check"][..], &["stdio", PLAIN]] {
            let complaint = desk.refused(command);
            assert!(complaint.contains("no tool `GetUserDetailFromGraph`"), "{complaint}");
            assert!(complaint.contains("is `GetUserDetailsFromGraph` meant?"), "{complaint}");
        }
    });
}

#[test]
fn an_access_token_that_is_none_names_the_variable() {
    run(async {
        let desk = Desk::new().await;
        let output = desk.command(&["stdio"]).env("VALET_ACCESS_TOKEN", "abc").output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "{complaint}");
        assert!(complaint.contains("VALET_ACCESS_TOKEN") && !complaint.contains("abc"), "{complaint}");
    });
}
