//! An entry in a client's configuration: what it starts works, and everything else stays.

use serde_json::Value;
use valet_suite::run;

use valet_suite::desk::{Desk, PLAIN};

#[test]
fn what_is_installed_starts_and_goes_again() {
    run(async {
        let desk = Desk::new().await;
        let file = desk.path("home/.config/Code/User/mcp.json");
        let printed = desk.run(&["install", "--client", "vscode", "--print", PLAIN]);
        let note = String::from_utf8(printed.stderr).unwrap();
        assert!(note.contains(file.to_str().unwrap()), "it says where that belongs: {note}");
        assert!(printed.stdout.ends_with(b"}\n"), "the prompt comes in a line of its own");
        let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
        assert!(!file.exists(), "printing writes nothing");
        assert!(desk.done(&["uninstall", "--client", "vscode"]).contains("there is no such file"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let before = "{\n  // mine\n  \"servers\": {\n    \"other\": { \"command\": \"other\" }\n  }\n}\n";
        std::fs::write(&file, before).unwrap();
        assert!(desk.done(&["install", "--client", "vscode", PLAIN]).contains("mcp.json: added `valet`"));
        assert!(desk.done(&["install", "--client", "vscode", PLAIN]).contains("already, the same"));
        assert!(desk.done(&["install", "--client", "vscode"]).contains("mcp.json: replaced `valet`"));
        desk.done(&["install", "--client", "vscode", PLAIN]);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("// mine") && text.contains("\"other\""), "{text}");
        let entry = &printed["servers"]["valet"];
        assert_eq!(entry["type"], "stdio");
        let mut command = std::process::Command::new(entry["command"].as_str().unwrap());
        command.args(entry["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()));
        let output = command
            .env_clear()
            .env("HOME", desk.path("home"))
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "it serves, and ends with its input: {output:?}");

        assert!(desk.done(&["uninstall", "--client", "vscode"]).contains("removed `valet`"));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("valet") && text.contains("// mine") && text.contains("\"other\""), "{text}");
        assert!(desk.done(&["uninstall", "--client", "vscode"]).contains("there is no `valet` in it"));
    });
}

#[test]
fn each_client_has_its_place_and_a_broken_file_is_left_alone() {
    run(async {
        let desk = Desk::new().await;
        for (client, file, section) in [
            ("cursor", "home/.cursor/mcp.json", "mcpServers"),
            ("claude", "home/.config/Claude/claude_desktop_config.json", "mcpServers"),
            ("claude-code", "home/.claude.json", "mcpServers"),
        ] {
            desk.done(&["install", "--client", client, PLAIN]);
            let json: Value =
                serde_json::from_str(&std::fs::read_to_string(desk.path(file)).unwrap()).unwrap();
            assert!(json[section]["valet"]["args"].is_array(), "{client}: {json}");
        }
        std::fs::write(desk.path("home/.cursor/mcp.json"), "{ broken").unwrap();
        let complaint = desk.refused(&["install", "--client", "cursor", PLAIN]);
        assert!(complaint.contains("nothing was changed"), "{complaint}");
        assert_eq!(std::fs::read_to_string(desk.path("home/.cursor/mcp.json")).unwrap(), "{ broken");
    });
}
