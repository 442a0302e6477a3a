//! `deploy/entra/register.sh`, as docs/entra-setup.md says that it is called, makes what the page says by hand; with a stand-in for `az` (`az/az`), which refuses what
//! azure-cli and Microsoft Graph refuse.

#[path = "../../src/absent/mod.rs"]
mod absent;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use valet_suite::config::Folder;

use crate::documented::{check, page};

const PUBLIC_URL: &str = "https://mcp.example.com/mcp";
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// The delegated permissions of Microsoft Graph that the page lists, in its words, with the ids that Graph publishes for them.
const PERMISSIONS: [(&str, &str); 4] = [
    ("openid", "37f7f235-527c-4136-accd-4a02d197296e"),
    ("profile", "14dad69e-099b-42c9-810b-d002981feec1"),
    ("offline_access", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"),
    ("User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"),
];

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where `az` is the stand-in, and nobody sleeps; none if a program that the script needs is not here.
fn path() -> Option<String> {
    let usual = std::env::var("PATH").unwrap();
    for program in ["bash", "uuidgen", "python3"] {
        if !std::env::split_paths(&usual).any(|folder| folder.join(program).exists()) {
            absent::not_run(&format!("there is no {program} here (register.sh; its stand-in for az)"));
            return None;
        }
    }
    Some(format!("{}:{usual}", here().join("tests/native/az").display()))
}

/// A tenant and a folder in which the script is run.
struct Desk {
    folder: Folder,
    path: String,
}

impl Desk {
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut script = Command::new("bash");
        script.arg(here().join("../../deploy/entra/register.sh")).args(arguments);
        script.current_dir(self.folder.path(".")).env_clear().env("PATH", &self.path);
        script.env("AZ_STATE", self.state_file()).envs(variables.iter().copied());
        script.output().unwrap()
    }

    fn state_file(&self) -> PathBuf {
        self.folder.path("state.json")
    }

    /// All that is in the tenant.
    fn state(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state_file()).unwrap()).unwrap()
    }
}

/// What the script is called with on the page, one for each mode.
fn calls(page: &str) -> Vec<Vec<&str>> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("deploy/entra/register.sh "));
    let calls: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(calls.iter().map(|call| call[0]).collect::<Vec<_>>(), ["session", "facade", "direct"]);
    calls
}

/// The values of `member` in a list of objects.
fn each<'v>(list: &'v Value, member: &str) -> Vec<&'v Value> {
    list.as_array().unwrap().iter().map(|entry| &entry[member]).collect()
}

/// Compares an application with what the page says by hand.
fn judge(page: &str, call: &[&str], state: &Value) {
    let (mode, rest) = (call[0], &call[2..]);
    let (application, principal) = (&state["applications"][0], &state["principals"][0]);
    assert_eq!(application["signInAudience"], "AzureADMyOrg", "this organizational directory only");
    assert!(page.contains("`api.requestedAccessTokenVersion` is `2`"));
    assert_eq!(application["api"]["requestedAccessTokenVersion"], 2);

    let names = PERMISSIONS.map(|(name, _)| format!("`{name}`")).join(", ");
    assert!(page.contains(&format!("*Microsoft Graph → Delegated*: {names}. Then *Grant admin consent*")));
    let access = PERMISSIONS.map(|(_, id)| json!({ "id": id, "type": "Scope" }));
    let required = json!([{ "resourceAppId": GRAPH, "resourceAccess": access }]);
    assert_eq!(application["requiredResourceAccess"], required);
    assert_eq!(each(&state["grants"], "scope"), [&json!(PERMISSIONS.map(|(name, _)| name).join(" "))]);
    assert_eq!(each(&state["grants"], "consentType"), [&json!("AllPrincipals")]);

    assert!(page.contains("allowed member types *Users/Groups*, a **value** such as `Operator`"));
    assert_eq!(each(&application["appRoles"], "value"), [&json!("Operator")]);
    assert_eq!(each(&application["appRoles"], "allowedMemberTypes"), [&json!(["User"])]);
    assert!(page.contains("*Properties → Assignment required: Yes*"));
    assert_eq!(principal["appRoleAssignmentRequired"], true);
    assert_eq!(each(&state["assignments"], "appRoleId"), each(&application["appRoles"], "id"));
    assert_eq!(application["passwordCredentials"], json!([{ "displayName": "valet", "years": 1 }]));

    let callback = "https://mcp.example.com/auth/callback";
    let suggested = format!("api://{}", application["appId"].as_str().unwrap());
    let (redirects, identifiers, scopes) = match mode {
        "session" => (json!([callback]), json!([]), json!([])),
        "facade" => (json!(rest), json!([suggested]), json!(["mcp.access"])),
        _ => (json!([]), json!([PUBLIC_URL]), json!(["mcp.access"])),
    };
    assert_eq!(application["web"], json!({ "redirectUris": redirects }), "{mode}");
    assert_eq!(application["identifierUris"], identifiers, "{mode}");
    let exposed = &application["api"]["oauth2PermissionScopes"];
    assert_eq!(json!(each(exposed, "value")), scopes, "{mode}");
    for scope in exposed.as_array().unwrap() {
        assert_eq!((&scope["type"], &scope["isEnabled"]), (&json!("User"), &json!(true)), "Admins and users");
    }
    let known = if mode == "direct" { rest } else { &[] };
    let clients: Vec<Value> = known
        .iter()
        .map(|client| json!({ "appId": client, "delegatedPermissionIds": each(exposed, "id") }))
        .collect();
    assert_eq!(application["api"]["preAuthorizedApplications"], json!(clients), "{mode}");
}

#[test]
fn the_script_makes_what_the_page_says_by_hand() {
    let Some(path) = path() else { return };
    let page = page("entra-setup.md");
    for call in calls(&page) {
        let desk = Desk { folder: Folder::new(), path: path.clone() };
        let output = desk.run(&call, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{call:?}: {said}");
        let state = desk.state();
        judge(&page, &call, &state);
        assert!(said.contains("try 1 of 6"), "what is not there for every server yet is tried again: {said}");

        let secret = format!("secret~of.{}", state["applications"][0]["appId"].as_str().unwrap());
        let file = desk.folder.path("client-secret.txt");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{secret}\n"));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let configuration = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains(&secret) && !configuration.contains(&secret), "the secret was printed");

        // What it prints is a part of a configuration, with what clients have to be known by.
        assert!(configuration.ends_with(&format!("\n[oauth]\nmode = \"{}\"\n", call[0])), "{configuration}");
        let known = if call[0] == "session" { "client_document_hosts = [\"claude.ai\"]\n" } else { "" };
        check(&format!("{configuration}{known}"));
    }
}

#[test]
fn the_script_makes_nothing_a_second_time() {
    let Some(path) = path() else { return };
    let page = page("entra-setup.md");
    for call in calls(&page) {
        let desk = Desk { folder: Folder::new(), path: path.clone() };
        assert!(desk.run(&call, &[]).status.success());
        let before = desk.state();
        let made = |state: &Value| {
            ["applications", "principals", "assignments", "grants"].map(|kind| state[kind].clone())
        };
        let another = [("VALET_SECRET_FILE", "another.txt"), ("VALET_APP_NAME", "Another Valet")];
        let id = before["applications"][0]["appId"].as_str().unwrap();
        let named = format!("there is an application 'Valet' already: {id}. Delete it in Entra");
        for (variables, why) in
            [(&[][..], "client-secret.txt is there already; move it away".to_owned()), (&another[..1], named)]
        {
            let output = desk.run(&call, variables);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.starts_with(&format!("register.sh: {why}")), "{said}");
            assert_eq!((made(&desk.state()), output.stdout), (made(&before), Vec::new()));
            assert!(!desk.folder.path("another.txt").exists());
        }
        // Another name is another application, and the first stays as it was.
        assert!(desk.run(&call, &another).status.success());
        let after = desk.state();
        assert_eq!(after["applications"][0], before["applications"][0]);
        assert_eq!(each(&after["applications"], "displayName"), [&json!("Valet"), &json!("Another Valet")]);
    }
}
