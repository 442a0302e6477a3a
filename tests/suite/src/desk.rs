//! A machine with a user: a home, a configuration, and a browser that opens when a program asks for it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::browser::{Browser, Page};
use crate::config::{self, Config, Folder};
use crate::rig::{emulator, shared_emulator};
use crate::stdio::Stdio as Server;
use entra_emulator::{Emulator, ids};

/// Without a keychain, as most test machines are.
pub const PLAIN: &str = "--dangerously-plaintext-cache";

/// How long a browser that has to open may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The machine.
pub struct Desk {
    /// Entra and Graph.
    pub emulator: Arc<Emulator>,
    folder: Folder,
    config: PathBuf,
    /// The session bus, where there is one.
    bus: Option<String>,
}

impl Desk {
    /// One with the usual configuration.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    /// With a changed configuration.
    pub async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        Self::at(shared_emulator().await, change)
    }

    /// With an Entra and a Graph of its own, for faults, counts and policies.
    pub async fn own() -> Self {
        Self::at(emulator().await, |config| config)
    }

    /// With an Entra and a Graph of the caller's, and a changed configuration.
    pub fn at(emulator: Arc<Emulator>, change: impl FnOnce(Config) -> Config) -> Self {
        let config = Config::for_emulator(&emulator)
            .without("server")
            .without("entra.client_secret_file")
            .set("entra.client_id", ids::DEMO_CLIENT.to_string())
            .set("local.state_dir", "state");
        let folder = Folder::new();
        let config = change(config).write(&folder, emulator.ca_pem());
        std::fs::create_dir(folder.path("bin")).unwrap();
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", folder.path("opened").display());
        let browser = folder.write("bin/xdg-open", script);
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(browser, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { emulator, folder, config, bus: None }
    }

    /// The same machine with a session bus.
    #[must_use]
    pub fn on_bus(self, bus: &str) -> Self {
        Self { bus: Some(bus.to_owned()), ..self }
    }

    /// The path of a file of this machine.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    /// What every program here finds in its environment; `graphical` is whether there is a screen.
    fn variables(&self, graphical: bool) -> Vec<(&'static str, String)> {
        let no_bus = || format!("unix:path={}", self.folder.path("no-bus").display());
        let mut variables = vec![
            ("HOME", self.folder.path("home").display().to_string()),
            ("PATH", format!("{}:/usr/bin:/bin", self.folder.path("bin").display())),
            // Without it the bus of whoever runs the tests is found, with their keychain and broker.
            ("DBUS_SESSION_BUS_ADDRESS", self.bus.clone().unwrap_or_else(no_bus)),
        ];
        variables.extend(graphical.then(|| ("DISPLAY", ":0".to_owned())));
        variables
    }

    /// Starts `valet ARGUMENTS --config …` at a machine with a screen.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(config::command());
        command.args(arguments).env_clear().envs(self.variables(true));
        if arguments[0] != "uninstall" {
            command.arg("--config").arg(&self.config);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it to its end; gives what it printed. Panics unless it succeeded.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it to its end; gives what it complained of. Panics if it succeeded, or printed anything.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Starts it, has `user` finish in the browser, and gives what it printed.
    pub async fn with_person(&self, user: &str, arguments: &[&str]) -> Output {
        let child = self.command(arguments).spawn().unwrap();
        self.finish(user).await;
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends once the person is done").unwrap()
    }

    /// Signs `user` in by `valet login`.
    pub async fn log_in(&self, user: &str) {
        self.log_in_with(&[PLAIN], user).await;
    }

    /// The same with other arguments.
    pub async fn log_in_with(&self, arguments: &[&str], user: &str) {
        let output = self.with_person(user, &[&["login"], arguments].concat()).await;
        assert!(output.status.success(), "{output:?}");
    }

    /// `valet stdio`, at a machine with or without a screen.
    pub fn stdio(&self, graphical: bool) -> Server {
        self.stdio_with(&[PLAIN], graphical)
    }

    /// The same with other arguments.
    pub fn stdio_with(&self, arguments: &[&str], graphical: bool) -> Server {
        let variables = self.variables(graphical);
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Server::start_with(arguments, &self.config, &variables)
    }

    /// `valet stdio` that keeps tokens in the keychain of a session bus.
    pub fn stdio_on_bus(&self, bus: &str) -> Server {
        let mut variables = self.variables(true);
        variables.push(("DBUS_SESSION_BUS_ADDRESS", bus.to_owned()));
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Server::start_with(&[], &self.config, &variables)
    }

    /// How often a browser has opened.
    pub fn opened(&self) -> usize {
        std::fs::read_to_string(self.path("opened")).unwrap_or_default().lines().count()
    }

    /// Waits for the browser to open, signs `user` in there, and gives the page at the end.
    pub async fn finish(&self, user: &str) -> Page {
        self.answer(user, |_| {}).await
    }

    /// The same for somebody who has their second factor at hand.
    pub async fn finish_with_second_factor(&self, user: &str) -> Page {
        self.answer(user, |browser| browser.has_second_factor = true).await
    }

    /// The same for somebody who declines.
    pub async fn decline(&self, user: &str) {
        self.answer(user, |browser| browser.declines = true).await;
    }

    async fn answer(&self, user: &str, how: impl FnOnce(&mut Browser)) -> Page {
        let url = self.url().await;
        let mut browser = Browser::of(&self.emulator, user);
        how(&mut browser);
        let page = browser.go(&url).await;
        browser.submit(&page).await
    }

    /// Enters a device code at the emulator.
    pub async fn enter(&self, code: &str, user: &str) {
        let mut browser = Browser::of(&self.emulator, user);
        let url = format!("{}/common/oauth2/deviceauth", self.emulator.authority_url());
        let page = browser.post(&url, &[("user_code", code)]).await;
        assert!(page.status == 200, "{page:?}");
    }

    /// Where the browser is sent, once it is.
    pub async fn url(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let opened = std::fs::read_to_string(self.path("opened")).unwrap_or_default();
            if let Some(url) = opened.lines().last().filter(|_| opened.ends_with('\n')) {
                return url.to_owned();
            }
            assert!(Instant::now() < deadline, "no browser has opened");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Forgets where the browser was, before it opens again.
    pub fn close_browser(&self) {
        // It may never have been open.
        let _ = std::fs::remove_file(self.path("opened"));
    }
}
