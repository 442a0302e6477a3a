//! Microsoft's own runtime (pymsalruntime, from the wheel as published) signs in through the fake of the Linux broker: silently, in the window, and not at all.
//! So what passes between the fake and us is what passes between the fake and that runtime.
//!
//! What it says of other answers than the fake's: an error without `status`, `errorCode` or `tag` is `Key 'tag' not found in the json object`, and a name in
//! place of the number is `Failed to convert value for key 'status' to an integer.`, both with the status `Unexpected`, and no window. `context`, `subStatus`
//! and `diagnostics` may be missing. After a silent call it opens the window for `InteractionRequired` alone.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use entra_emulator::ids;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::bus::Keyring;
use crate::fake_broker::{Desktop, Mood};
use crate::rig::{GRAPH, PATIENCE, ask, not_run, until};

/// A desktop that the runtime can sign in on.
struct Theirs {
    desktop: Desktop,
    python: PathBuf,
    /// The runtime keeps accounts of its own in the keychain.
    _keyring: Keyring,
}

impl Theirs {
    async fn start(mood: Mood) -> Option<Self> {
        let what = "Microsoft's runtime";
        let Some(python) = crate::msal::runtime().await else {
            not_run(
                what,
                "pymsalruntime cannot be installed or loaded (apt-get install libwebkit2gtk-4.1-0 libsecret-1-0)",
            );
            return None;
        };
        let desktop = Desktop::start(mood).await?;
        std::fs::write(desktop.rig.folder.path().join("ca.pem"), desktop.rig.emulator.ca_pem()).unwrap();
        let Some(keyring) = desktop.bus.keyring().await else {
            not_run(what, "there is no gnome-keyring-daemon (apt-get install gnome-keyring)");
            return None;
        };
        Some(Self { desktop, python, _keyring: keyring })
    }

    /// Starts the script beside this file.
    fn begin(&self, doing: &str) -> Child {
        let rig = &self.desktop.rig;
        let home = rig.folder.path();
        let (tenant, client) = (ids::TENANT.to_string(), ids::DEMO_CLIENT.to_string());
        Command::new(&self.python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/msal_broker.py"))
            .args([doing, &rig.emulator.authority_url(), &tenant, &client, GRAPH])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.desktop.bus.address)
            .env("REQUESTS_CA_BUNDLE", home.join("ca.pem"))
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// The line that it prints.
    async fn end(&self, child: Child) -> String {
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let output = ended.expect("the runtime ends in time").unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{:?}", self.desktop.called());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    async fn sign_in(&self) -> String {
        self.end(self.begin("sign-in")).await
    }

    /// From here on, what was called before is forgotten.
    fn forget(&self) {
        self.desktop.calls.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn microsofts_runtime_signs_in_through_the_fake_with_the_members_that_we_send() {
    let window = ["getAccounts", "acquireTokenSilently", "acquireTokenInteractively"];
    for (mood, calls) in
        [(Mood::Silent, &window[..2]), (Mood::Window, &window[..]), (Mood::Empty, &window[..])]
    {
        let Some(theirs) = Theirs::start(mood).await else { return };
        assert_eq!(theirs.sign_in().await, "signed in");
        assert_eq!(theirs.desktop.called(), calls);
        let last = calls[calls.len() - 1];
        let asked = theirs.desktop.request(last);
        theirs.forget();
        theirs.desktop.sign_in().token(&[GRAPH], None).await.unwrap();
        alike(&theirs.desktop.request(last)["authParameters"], &asked["authParameters"]);
    }
}

/// Each member of ours is one of theirs, and says what theirs says wherever the two ask for the same.
fn alike(ours: &Value, theirs: &Value) {
    let kind = std::mem::discriminant::<Value>;
    for (member, value) in ours.as_object().unwrap() {
        let Some(known) = theirs.get(member) else { panic!("the runtime sends no {member}: {theirs}") };
        // MSAL for Python names no account to the window.
        let unsaid = member == "account" && known.is_null();
        assert!(unsaid || kind(value) == kind(known), "{member}: {value} {known}");
    }
    for member in ["authorizationType", "clientId", "redirectUri", "requestedScopes", "uxContextHandle"] {
        assert_eq!(ours[member], theirs[member], "{member}");
    }
    if ours["account"].is_null() == theirs["account"].is_null() {
        assert_eq!(ours["username"], theirs["username"]);
    }
    // An account goes back as the broker gave it; what theirs has beside that was not given.
    if let (Some(ours), Some(theirs)) = (ours["account"].as_object(), theirs["account"].as_object()) {
        for (member, value) in ours {
            assert_eq!(theirs.get(member), Some(value), "{member}");
        }
    }
}

#[tokio::test]
async fn microsofts_runtime_reports_each_refusal_of_the_fake_as_what_it_is() {
    for (mood, status) in [(Mood::Cancelled, "UserCanceled"), (Mood::Refuses, "ApiContractViolation")] {
        let Some(theirs) = Theirs::start(mood).await else { return };
        let expected = format!("a context. Status: Response_Status.Status_{status}, Error code: 7, Tag: 9");
        assert_eq!(theirs.sign_in().await, expected);
        let calls = theirs.desktop.called();
        assert_eq!(calls, ["getAccounts", "acquireTokenSilently", "acquireTokenInteractively"], "{status}");
    }
}

/// Its call has a correlation id of its own, ours that of the sign-in which it ends.
#[tokio::test]
async fn microsofts_runtime_takes_the_window_away_with_the_members_that_we_send() {
    let Some(theirs) = Theirs::start(Mood::Waits).await else { return };
    let desktop = &theirs.desktop;
    let opened = || desktop.called().contains(&"acquireTokenInteractively");
    let mut giving_up = theirs.begin("give-up");
    until("its window is open", opened).await;
    giving_up.stdin.as_mut().unwrap().write_all(b"\n").await.unwrap();
    let expected = "a context. Status: Response_Status.Status_UserCanceled, Error code: 7, Tag: 9";
    assert_eq!(theirs.end(giving_up).await, expected);
    assert_eq!(desktop.called(), ["acquireTokenInteractively", "cancelInteractiveFlow"]);
    let asked = desktop.request("cancelInteractiveFlow");

    theirs.forget();
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("our window is open", opened).await;
    asking.abort();
    sign_in.settle().await;
    let ours = desktop.request("cancelInteractiveFlow");
    let members = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(members(&ours), members(&asked));
    assert_eq!(members(&ours["error"]), members(&asked["error"]));
    assert_eq!(ours["error"]["status"], asked["error"]["status"]);
}
