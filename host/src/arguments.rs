//! The command line of `valet`, and its help.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _};
use valet::commands::install::Client;
use valet::config::Config;
use valet::local::{self, Local};
use valet::telemetry::LogFormat;
use valet_sign_in::{AccountId, SignIn, Step, Storage};

/// The configuration file that is read where none is named.
const CONFIG: &str = "valet.toml";

/// What the help calls the commands that belong together. Each command is in one group.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Server", &["serve", "stdio", "check"]),
    ("Account of this machine's user", &["login", "logout", "accounts", "whoami"]),
    ("MCP clients", &["install", "uninstall"]),
    ("For operators", &["sessions", "compile", "completions"]),
];

/// An MCP server protected by Microsoft Entra ID, whose tools are WebAssembly components that never hold a token.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What to log: `info`, `debug`, or by part such as `info,audit=off`. Logs go to standard error.
    #[arg(long, global = true, env = "VALET_LOG", default_value = "info")]
    pub(crate) log: String,
    /// How to log.
    #[arg(long, global = true, env = "VALET_LOG_FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve MCP over HTTPS.
    Serve {
        /// The configuration file; docs/configuration.md lists its keys.
        #[arg(long, env = "VALET_CONFIG", default_value = CONFIG)]
        config: PathBuf,
    },
    /// Serve MCP on standard input and output, to the client that starts it.
    ///
    /// It serves the user of this machine ([local] in the configuration), or the one whose access token is in the variable VALET_ACCESS_TOKEN.
    Stdio(LocalArguments),
    /// Sign in with Microsoft, in the browser or with a code.
    Login {
        #[command(flatten)]
        local: LocalArguments,
        /// The user name of who signs in, such as adele@contoso.com: the sign-in page has it filled in.
        #[arg(long, value_name = "USER-NAME")]
        user: Option<String>,
        /// Do not open a browser here: show a code to be entered in any browser.
        #[arg(long)]
        device_code: bool,
    },
    /// Sign out on this machine.
    Logout {
        #[command(flatten)]
        local: LocalArguments,
        /// The account, OBJECT-ID@TENANT-ID as `valet accounts` shows it; not needed if there is one.
        #[arg(long)]
        account: Option<AccountId>,
        /// All accounts.
        #[arg(long, conflicts_with = "account")]
        all: bool,
    },
    /// Show who is signed in; the one with the star is used.
    Accounts {
        #[command(flatten)]
        local: LocalArguments,
        /// Use this account, OBJECT-ID@TENANT-ID, from now on.
        #[arg(long = "use", value_name = "ACCOUNT")]
        choose: Option<AccountId>,
    },
    /// Show the account that is used.
    Whoami(LocalArguments),
    /// Show or end the sign-in sessions in the store of a server.
    ///
    /// A server that runs goes on. Where its store is a file it does this itself, for its own user and root; on Windows it has to be stopped for it.
    Sessions {
        /// The configuration file of the server.
        #[arg(long, env = "VALET_CONFIG", default_value = CONFIG)]
        config: PathBuf,
        /// End the sessions of this user, OBJECT-ID@TENANT-ID, and forget what they permitted.
        #[arg(long, value_name = "USER")]
        revoke: Option<AccountId>,
        /// End all sessions, and forget what was permitted.
        #[arg(long, conflicts_with = "revoke")]
        revoke_all: bool,
    },
    /// Add this server to the configuration of an MCP client.
    Install {
        /// The client.
        #[arg(long, value_enum)]
        client: Client,
        /// Show what would be written and write nothing.
        #[arg(long)]
        print: bool,
        #[command(flatten)]
        local: LocalArguments,
    },
    /// Remove this server from the configuration of an MCP client.
    Uninstall {
        /// The client.
        #[arg(long, value_enum)]
        client: Client,
    },
    /// Check a configuration file, load what it names, say what it found, and end.
    Check {
        /// The configuration file.
        #[arg(long, env = "VALET_CONFIG", default_value = CONFIG)]
        config: PathBuf,
    },
    /// Compile a composed component ahead of time for this machine.
    Compile {
        /// The component, a `.wasm` file.
        component: PathBuf,
        /// Where to write native code, a `.cwasm` file.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Print completions for a shell, for example `valet completions bash > /etc/bash_completion.d/valet`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What every command about the user of this machine takes.
#[derive(clap::Args)]
pub(crate) struct LocalArguments {
    /// The configuration file, the same as for `serve`; of [server] nothing is needed.
    #[arg(long, env = "VALET_CONFIG", default_value = CONFIG)]
    pub(crate) config: PathBuf,
    /// Keep tokens in a file that whoever reads this disk can read, on a machine without a keychain.
    #[arg(long, env = "VALET_DANGEROUSLY_PLAINTEXT_CACHE", value_parser = BoolishValueParser::new())]
    pub(crate) dangerously_plaintext_cache: bool,
}

impl LocalArguments {
    pub(crate) fn read(&self) -> Result<Config, String> {
        let mut config = crate::read(&self.config)?;
        if let (Some(local), true) = (&mut config.local, self.dangerously_plaintext_cache) {
            local.storage = Storage::DangerouslyPlaintext;
        }
        Ok(config)
    }

    /// The configuration, and its section about the user of this machine.
    pub(crate) fn read_local(&self) -> Result<(Config, Local), String> {
        let config = self.read()?;
        let local = config.local.clone().ok_or_else(|| {
            format!(
                "{}: there is no [local] section, by which the user of this machine signs in",
                self.config.display()
            )
        })?;
        Ok((config, local))
    }

    /// What a person who has just signed in does next, as they have to type it.
    pub(crate) fn after_login(&self) -> String {
        let names = |client: &Client| client.to_possible_value().map(|value| value.get_name().to_owned());
        let clients: Vec<String> = Client::value_variants().iter().filter_map(names).collect();
        let mut install = format!("valet install --client {}", clients[0]);
        // The client starts the server with what this command was started with.
        if self.config != Path::new(CONFIG) {
            install += &format!(" --config {}", self.config.display());
        }
        if self.dangerously_plaintext_cache {
            install += " --dangerously-plaintext-cache";
        }
        format!(
            "Next: `{install}` (or {}) adds Valet to that MCP client. Restart it, and ask it for your profile.",
            clients[1..].join(", ")
        )
    }

    /// The sign-in of a person at a terminal, by `steps` if these are given.
    pub(crate) fn sign_in(&self, steps: Option<Vec<Step>>) -> Result<SignIn, String> {
        let (config, mut local) = self.read_local()?;
        if let Some(steps) = steps {
            local.steps = steps;
        }
        local::sign_in(&config, &local).map_err(|error| error.to_string())
    }
}

impl Arguments {
    /// Reads the command line. What is wrong with it is told, and the process ends.
    pub(crate) fn read() -> Self {
        let matches = command().get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The command line, with the commands of its help in groups.
pub(crate) fn command() -> clap::Command {
    let command = Arguments::command();
    let header = command.get_styles().get_header();
    let list: String = GROUPS
        .iter()
        .map(|(heading, names)| {
            let lines: String = names.iter().map(|name| line(&command, name)).collect();
            format!("{header}{heading}:{header:#}\n{lines}\n")
        })
        .collect();
    let options = format!("{header}Options:{header:#}");
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}{options}\n{{options}}\n\n\
         `valet help COMMAND` has the options of a command.\n"
    ))
}

/// A command and what it does.
fn line(command: &clap::Command, name: &str) -> String {
    let literal = command.get_styles().get_literal();
    let about = command.find_subcommand(name).and_then(clap::Command::get_about);
    let about = about.map(ToString::to_string).unwrap_or_default();
    format!("  {literal}{name:<12}{literal:#} {about}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group_of_the_help() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut all: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }

    #[test]
    fn who_has_signed_in_is_told_the_command_that_comes_next() {
        let after = |arguments: &[&str]| {
            let command = ["valet", "login"].iter().chain(arguments).copied();
            match Arguments::try_parse_from(command).map(|arguments| arguments.command) {
                Ok(Command::Login { local, .. }) => local.after_login(),
                _ => panic!("these are arguments of `valet login`"),
            }
        };
        let others = "(or claude, claude-code, cursor) adds Valet to that MCP client. Restart it, and ask it for your profile.";
        let plain = &["--config", "work/valet.toml", "--dangerously-plaintext-cache"];
        assert_eq!(
            after(plain),
            format!(
                "Next: `valet install --client vscode --config work/valet.toml --dangerously-plaintext-cache` {others}"
            )
        );
        assert_eq!(after(&["--config", CONFIG]), format!("Next: `valet install --client vscode` {others}"));
    }

    #[test]
    fn the_help_has_the_groups_and_the_options() {
        let help = super::command().render_help().to_string();
        for wanted in
            ["MCP clients:\n  install ", "whoami ", "Options:\n", "--log-format", "valet help COMMAND"]
        {
            assert!(help.contains(wanted), "{wanted} is not in {help}");
        }
    }
}
