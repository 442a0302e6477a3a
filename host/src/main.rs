//! The `valet` command: arguments, configuration, run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use secrecy::SecretString;
use valet::config::Config;
use valet::runtime::Runtime;
use valet::server::{Server, raise_descriptor_limit};
use valet::stdio::Gateway;
use valet::telemetry::{self, LogFormat};
use valet::{artifact, config, limits};

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
    /// Serve MCP on standard input and output, for one user, whose access token is in the variable VALET_ACCESS_TOKEN.
    Stdio {
        /// The configuration file, the same as for `serve`; `server.listen` may be left out.
        #[arg(long, env = "VALET_CONFIG", default_value = "valet.toml")]
        config: PathBuf,
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
        Command::Stdio { config } => in_tokio(stdio(&config)),
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
async fn stdio(path: &Path) -> Result<(), String> {
    let mut config = read(path)?;
    let bearer = match std::env::var(ACCESS_TOKEN) {
        Ok(token) if !token.trim().is_empty() => SecretString::from(token.trim()),
        _ => {
            return Err(format!(
                "{ACCESS_TOKEN} is not set; it has to hold an access token of the user who calls"
            ));
        }
    };
    // One client needs a small pool, which is set up faster.
    config.concurrent_requests = config.concurrent_requests.min(limits::STDIO_REQUESTS + 1);
    warn_of_no_secret(&config);
    let stop = stop_signal();
    let runtime = Runtime::new(config).await.map_err(|error| error.to_string())?;
    check(&runtime, path).await?;
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
