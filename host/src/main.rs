//! The `valet` command: arguments, configuration, run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use secrecy::SecretString;
use valet::commands::accounts::{self, AccountsError};
use valet::commands::install::{self, Client};
use valet::commands::sessions::{self, Which};
use valet::config::Config;
use valet::local::{self, Local, LocalUser};
use valet::runtime::Runtime;
use valet::server::{Server, raise_descriptor_limit};
use valet::stdio::Gateway;
use valet::telemetry::{self, LogFormat};
use valet::{artifact, config, limits};
use valet_sign_in::{AccountId, LogIn, SignIn, Step, Storage};

/// Who calls over standard input. A variable, because arguments can be read by every user of the machine.
const ACCESS_TOKEN: &str = "VALET_ACCESS_TOKEN";

/// An MCP server protected by Microsoft Entra ID, whose tools are WebAssembly components that never hold a token.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What to log: `info`, `debug`, or by part such as `info,audit=off`. Logs go to standard error.
    #[arg(long, global = true, env = "VALET_LOG", default_value = "info")]
    log: String,
    /// How to log.
    #[arg(long, global = true, env = "VALET_LOG_FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

#[derive(Subcommand)]
enum Command {
    /// Serve MCP over HTTPS.
    Serve {
        /// The configuration file; docs/configuration.md lists its keys.
        #[arg(long, env = "VALET_CONFIG", default_value = "valet.toml")]
        config: PathBuf,
    },
    /// Serve MCP on standard input and output, for the user of this machine ([local] in the configuration), or for the one whose access token is in the
    /// variable VALET_ACCESS_TOKEN.
    Stdio(LocalArguments),
    /// Sign in with Microsoft, in the browser or with a code.
    Login {
        #[command(flatten)]
        local: LocalArguments,
        /// The user name, to be spared typing it.
        #[arg(long)]
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
    /// Show or end the sign-in sessions in the store of a server, for its administrator. A store in a file is open in one process only, so its server has to be
    /// stopped for it; one in Redis need not.
    Sessions {
        /// The configuration file of the server.
        #[arg(long, env = "VALET_CONFIG", default_value = "valet.toml")]
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
    /// Check a configuration file, load what it names, and end.
    Check {
        /// The configuration file.
        #[arg(long, env = "VALET_CONFIG", default_value = "valet.toml")]
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
struct LocalArguments {
    /// The configuration file, the same as for `serve`; of [server] nothing is needed.
    #[arg(long, env = "VALET_CONFIG", default_value = "valet.toml")]
    config: PathBuf,
    /// Keep tokens in a file that whoever reads this disk can read, on a machine without a keychain.
    #[arg(long)]
    dangerously_plaintext_cache: bool,
}

impl LocalArguments {
    fn read(&self) -> Result<Config, String> {
        let mut config = read(&self.config)?;
        if let (Some(local), true) = (&mut config.local, self.dangerously_plaintext_cache) {
            local.storage = Storage::DangerouslyPlaintext;
        }
        Ok(config)
    }

    /// The configuration, and its section about the user of this machine.
    fn read_local(&self) -> Result<(Config, Local), String> {
        let config = self.read()?;
        let local = config.local.clone().ok_or_else(|| {
            format!(
                "{}: there is no [local] section, by which the user of this machine signs in",
                self.config.display()
            )
        })?;
        Ok((config, local))
    }

    /// The sign-in of a person at a terminal, by `steps` if these are given.
    fn sign_in(&self, steps: Option<Vec<Step>>) -> Result<SignIn, String> {
        let (config, mut local) = self.read_local()?;
        if let Some(steps) = steps {
            local.steps = steps;
        }
        local::sign_in(&config, &local).map_err(|error| error.to_string())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match telemetry::start(&arguments.log, arguments.log_format).and_then(|()| run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Standard error may be closed; then there is no one to tell.
            let _ = writeln!(std::io::stderr(), "valet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Serve { config } => in_tokio(serve(&config)),
        Command::Stdio(local) => in_tokio(stdio(&local)),
        Command::Login { local, user, device_code } => {
            let sign_in = local.sign_in(device_code.then(|| vec![Step::DeviceCode]))?;
            let how = LogIn { login_hint: user };
            in_tokio(told(async move { accounts::log_in(&sign_in, how, &mut io::stdout()).await }))
        }
        Command::Logout { local, account, all } => {
            let sign_in = local.sign_in(None)?;
            in_tokio(told(async move { accounts::log_out(&sign_in, account, all, &mut io::stdout()).await }))
        }
        Command::Accounts { local, choose } => {
            let sign_in = local.sign_in(None)?;
            in_tokio(told(async move { accounts::list(&sign_in, choose, &mut io::stdout()).await }))
        }
        Command::Whoami(local) => {
            let sign_in = local.sign_in(None)?;
            in_tokio(told(async move { accounts::who(&sign_in, &mut io::stdout()).await }))
        }
        Command::Sessions { config, revoke, revoke_all } => {
            let which = match revoke {
                Some(AccountId { tenant_id, object_id }) => Some(Which::Of { tenant_id, object_id }),
                None => revoke_all.then_some(Which::All),
            };
            in_tokio(administer_sessions(config, which))
        }
        Command::Install { client, print, local } => installed(client, print, &local),
        Command::Uninstall { client } => {
            install::uninstall(client, &mut io::stdout()).map_err(|error| error.to_string())
        }
        Command::Check { config } => in_tokio(async {
            let read = read(&config)?;
            if read.server.is_none() {
                tracing::warn!(
                    "no server.listen, which is fine for `valet stdio` and not enough for `valet serve`"
                );
            }
            let runtime = Runtime::new(read).await.map_err(|error| error.to_string())?;
            check(&runtime, &config).await
        }),
        Command::Compile { component, output } => {
            artifact::compile(&component, &output).map_err(|error| error.to_string())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "valet", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// An error as its text.
async fn told(work: impl Future<Output = Result<(), AccountsError>>) -> Result<(), String> {
    work.await.map_err(|error| error.to_string())
}

/// Ends sessions, or shows them.
async fn administer_sessions(config: PathBuf, which: Option<Which>) -> Result<(), String> {
    let storage = read(&config)?.storage;
    if matches!(storage, valet::config::Storage::Memory) {
        return Err(format!(
            "{}: sessions are in the memory of the server; restarting it ends them",
            config.display()
        ));
    }
    let store = valet::runtime::store(&storage).await.map_err(|error| format!("storage: {error}"))?;
    let out = &mut io::stdout();
    let done = match which {
        Some(which) => sessions::revoke(&store, &which, out).await,
        None => sessions::list(&store, out).await,
    };
    done.map_err(|error| error.to_string())
}

/// Writes only what will work: the configuration is read first.
fn installed(client: Client, print: bool, local: &LocalArguments) -> Result<(), String> {
    local.read_local()?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| error.to_string());
    let server = install::Server {
        command: std::env::current_exe().map_err(|error| error.to_string())?,
        config: absolute(&local.config)?,
        plaintext_cache: local.dangerously_plaintext_cache,
    };
    let done = if print { install::print } else { install::install };
    done(client, &server, &mut io::stdout()).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<Config, String> {
    config::read(path, std::env::vars()).map_err(|error| error.to_string())
}

fn in_tokio(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let tokio =
        tokio::runtime::Runtime::new().map_err(|error| format!("the runtime cannot start: {error}"))?;
    let done = tokio.block_on(work);
    // Not to wait for a thread that reads standard input, which nobody may ever close.
    tokio.shutdown_background();
    done
}

/// Asks the components whether they can work with their settings. What they refuse was derived from keys with other names.
async fn check(runtime: &Runtime, path: &Path) -> Result<(), String> {
    match runtime.check().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(format!(
            "{}: {why} (`policy` is made of [tools], [resources], [prompts] and [scopes], the other settings of keys of the same name)",
            path.display()
        )),
        Err(error) => Err(error.to_string()),
    }
}

async fn serve(path: &Path) -> Result<(), String> {
    let config = read(path)?;
    let Some(server) = config.server.clone() else {
        return Err(format!("{}: `server.listen`: is missing, and `valet serve` needs it", path.display()));
    };
    let concurrent_requests = config.concurrent_requests;
    let resource = config.settings.get("resource").cloned().unwrap_or_default();
    warn_of_no_secret(&config);
    raise_descriptor_limit();
    let runtime = Runtime::new(config).await.map_err(|error| error.to_string())?;
    check(&runtime, path).await?;
    let server =
        Server::bind(&server, concurrent_requests, runtime).await.map_err(|error| error.to_string())?;
    let address = server.address().map_err(|error| error.to_string())?;
    // Watched before anyone is told that we serve: a signal that comes at once must not end us the hard way.
    let stop = stop_signal();
    tracing::info!(%address, resource, "serving");
    server.serve(stop).await;
    Ok(())
}

/// Serves one client on standard input and output, which belong to the protocol alone.
async fn stdio(arguments: &LocalArguments) -> Result<(), String> {
    let mut config = arguments.read()?;
    // One client needs a small pool, which is set up faster.
    config.concurrent_requests = config.concurrent_requests.min(limits::STDIO_REQUESTS + 1);
    let bearer = std::env::var(ACCESS_TOKEN).ok().filter(|token| !token.trim().is_empty());
    let stop = stop_signal();
    let (runtime, bearer) = match (bearer, config.local.clone()) {
        (Some(token), _) => {
            warn_of_no_secret(&config);
            (Runtime::new(config).await, SecretString::from(token.trim()))
        }
        (None, Some(local)) => {
            let user = LocalUser::new(&config, &local).map_err(|error| error.to_string())?;
            (Runtime::for_local_user(config, user).await, SecretString::default())
        }
        (None, None) => {
            return Err(format!(
                "{}: who calls? Add a [local] section for the user of this machine, or set {ACCESS_TOKEN} to an access token of the user who calls",
                arguments.config.display()
            ));
        }
    };
    let runtime = runtime.map_err(|error| error.to_string())?;
    check(&runtime, &arguments.config).await?;
    tracing::info!("serving on standard input and output");
    let gateway = Gateway::new(runtime, bearer);
    let ended = valet::stdio::serve(gateway, tokio::io::stdin(), tokio::io::stdout(), stop).await;
    tracing::info!(?ended, "stopping");
    Ok(())
}

fn warn_of_no_secret(config: &Config) {
    if config.client_secret.is_none() {
        tracing::warn!(
            "no client secret, so tools that call Graph will fail: set entra.client_secret_file or VALET_CLIENT_SECRET"
        );
    }
}

/// Done at the first SIGTERM or Ctrl-C. SIGTERM is watched from the call on, not only from the first poll.
fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate());
        async {
            match terminate {
                Ok(mut terminate) => {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = tokio::signal::ctrl_c() => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "SIGTERM cannot be watched");
                    let _ = tokio::signal::ctrl_c().await;
                }
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}
