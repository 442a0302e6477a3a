//! The command line: options, their groups and their help.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  entra-emulator
      https://localhost:8444 with the built-in tenants, users and apps
  entra-emulator --print-sample-config > registrations.toml
  entra-emulator --check-config registrations.toml
  entra-emulator --config registrations.toml --log
      your own tenants, users and apps, one line per request
  entra-emulator --bind 127.0.0.1:0 --ready-file ready.json --auto-approve
      in a test job: a free port, told in ready.json as soon as it is open
  entra-emulator --completions bash > /etc/bash_completion.d/entra-emulator

Tests in any language drive it through https://localhost:8444/emulator/ (faults, clock, keys, tokens).

Exit codes: 0 done or ended by a signal, 1 could not start or the file is wrong, 2 wrong usage.";

/// An emulator of Microsoft Entra ID and Microsoft Graph for tests and demos
///
/// It is not Microsoft, and not secure: anybody who reaches it can sign in as anybody. It listens on loopback only,
/// speaks HTTPS with a certificate authority of its own, and runs until Ctrl-C or SIGTERM.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8444", help_heading = "Network")]
    pub(crate) bind: SocketAddr,
    /// Allow an address that is not loopback
    #[arg(long, help_heading = "Network")]
    pub(crate) allow_remote: bool,
    /// Host name of the login service
    #[arg(long, value_name = "HOST", default_value = "localhost", help_heading = "Network")]
    pub(crate) login_host: String,
    /// Host name of Graph; if it differs, each host serves only its own paths
    #[arg(long, value_name = "HOST", default_value = "localhost", help_heading = "Network")]
    pub(crate) graph_host: String,
    /// Issuer of v1 tokens, with {tenantid}; default https://LOGIN:PORT/sts/{tenantid}/
    #[arg(long, value_name = "URL", help_heading = "Network")]
    pub(crate) v1_issuer: Option<String>,

    /// Tenants, users, apps and planned faults (TOML); without it the built-in sample
    #[arg(long, value_name = "FILE", help_heading = "Registrations")]
    pub(crate) config: Option<PathBuf>,
    /// URL of an MCP endpoint, added to the sample API's identifier URIs
    #[arg(long, value_name = "URL", conflicts_with = "config", help_heading = "Registrations")]
    pub(crate) mcp_url: Option<String>,
    /// Read and check a registrations file, print what it holds, and end
    #[arg(long, value_name = "FILE", exclusive = true, help_heading = "Registrations")]
    pub(crate) check_config: Option<PathBuf>,
    /// Print the sample registrations and end
    #[arg(long, exclusive = true, help_heading = "Registrations")]
    pub(crate) print_sample_config: bool,

    /// Approve requests with a known login_hint without showing a page
    #[arg(long, help_heading = "Running")]
    pub(crate) auto_approve: bool,
    /// Folder that keeps the certificate authority, so that clients can trust it across restarts
    #[arg(long, value_name = "FOLDER", default_value = "emulator-state", help_heading = "Running")]
    pub(crate) state: PathBuf,
    /// One line per request to standard error: time, method, host and path, status, verdict, milliseconds
    #[arg(long, help_heading = "Running")]
    pub(crate) log: bool,
    /// Write URLs, CA file and process id to this file (JSON) once listening; it is removed at the end
    #[arg(long, value_name = "FILE", help_heading = "Running")]
    pub(crate) ready_file: Option<PathBuf>,

    /// Print completions for a shell and end
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,
}
