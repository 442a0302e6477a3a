//! The `valet` command: arguments, configuration, run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use valet::config::Config;
use valet::runtime::Runtime;
use valet::server::Server;
use valet::telemetry::{self, LogFormat};
use valet::{artifact, config};

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
        Command::Serve { config } => serve(read(&config)?),
        Command::Check { config } => {
            Runtime::new(read(&config)?).map(drop).map_err(|error| error.to_string())
        }
        Command::Compile { component, output } => {
            artifact::compile(&component, &output).map_err(|error| error.to_string())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "valet", &mut std::io::stdout());
            Ok(())
        }
    }
}

fn read(path: &std::path::Path) -> Result<Config, String> {
    config::read(path, std::env::vars()).map_err(|error| error.to_string())
}

fn serve(mut config: Config) -> Result<(), String> {
    let tokio =
        tokio::runtime::Runtime::new().map_err(|error| format!("the runtime cannot start: {error}"))?;
    tokio.block_on(async {
        let address = std::mem::replace(&mut config.server.listen, ([127, 0, 0, 1], 0).into());
        let server = config::Server { listen: address, tls: config.server.tls.take() };
        let resource = config.settings.get("resource").cloned().unwrap_or_default();
        let concurrent_requests = config.concurrent_requests;
        if config.client_secret.is_none() {
            tracing::warn!("no client secret, so tools that call Graph will fail: set entra.client_secret_file or VALET_CLIENT_SECRET");
        }
        let runtime = Runtime::new(config).map_err(|error| error.to_string())?;
        let server =
            Server::bind(&server, concurrent_requests, runtime).await.map_err(|error| error.to_string())?;
        let address = server.address().map_err(|error| error.to_string())?;
        // Watched before anyone is told that we serve: a signal that comes at once must not end us the hard way.
        let stop = stop_signal();
        tracing::info!(%address, resource, "serving");
        server.serve(stop).await;
        Ok(())
    })
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
