//! What the command does: print something and end, check a file and end, or run until a signal comes.
//!
//! Options are in `arguments.rs`, the page of facts at the start in `banner.rs`, the ready file in `ready.rs`.

mod arguments;
mod banner;
mod ready;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use entra_emulator::{CA_FILE, Emulator, Options, Registrations, SAMPLE_TOML};

pub(crate) use arguments::Arguments;
use ready::ReadyFile;

/// Does what the arguments say.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.print_sample_config {
        return print(SAMPLE_TOML.as_bytes());
    }
    if let Some(shell) = arguments.completions {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "entra-emulator", &mut script);
        return print(&script);
    }
    if let Some(file) = &arguments.check_config {
        let summary = banner::summary(file, &Registrations::from_file(file)?);
        return print(summary.as_bytes());
    }
    serve(arguments).await
}

fn print(text: &[u8]) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().write_all(text)?)
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let registrations = match (&arguments.config, &arguments.mcp_url) {
        (Some(file), _) => Registrations::from_file(file)?,
        (None, Some(url)) => Registrations::sample_with_mcp_url(url),
        (None, None) => Registrations::sample(),
    };
    let ready = arguments.ready_file.as_deref().map(ReadyFile::claim).transpose()?;
    let signals = Signals::listen()?;
    let ca_file = absolute(&arguments.state.join(CA_FILE));
    let sample = arguments.config.is_none();
    let names = arguments.names.options();
    let emulator = Emulator::start(Options {
        bind: arguments.bind.unwrap_or(names.bind),
        allow_remote: arguments.allow_remote,
        registrations,
        auto_approve: arguments.auto_approve,
        managed_identity: arguments.managed_identity,
        arc_keys: arguments.arc_keys,
        state: Some(arguments.state),
        log: arguments.log,
        ..names
    })
    .await?;
    // Nobody may be reading; the emulator is wanted all the same.
    let _ = std::io::stdout().write_all(banner::facts(&emulator, &ca_file, sample).as_bytes());
    if let Some(ready) = &ready {
        ready.write(&emulator, &ca_file)?;
    }
    signals.wait().await;
    drop(ready);
    emulator.stop().await;
    Ok(())
}

/// Clients are started in other folders.
fn absolute(file: &Path) -> std::path::PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

/// Ctrl-C, and where it exists SIGTERM: what a service manager or a test job sends.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Before the start, so that a signal during it is not lost.
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn wait(mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(self) {
        // It fails only where no handler can be set; then the process ends as it is used to.
        let _ = tokio::signal::ctrl_c().await;
    }
}
