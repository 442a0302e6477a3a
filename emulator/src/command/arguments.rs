//! The command line: options, their groups and their help.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

use clap::Parser;
use clap_complete::Shell;
use entra_emulator::Options;

/// Where the command listens unless told otherwise.
const DEFAULT_BIND: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8444));

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
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8444; 127.0.0.1:443 with --real-names]
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    pub(crate) bind: Option<SocketAddr>,
    /// Allow an address that is not loopback
    #[arg(long, help_heading = "Network")]
    pub(crate) allow_remote: bool,
    #[command(flatten)]
    pub(crate) names: Names,
    /// Address of the managed identity endpoints (IMDS, App Service), in plain HTTP; without it there are none
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    pub(crate) managed_identity: Option<SocketAddr>,
    /// Folder for the key files of Azure Arc; its clients insist on /var/opt/azcmagent/tokens
    #[arg(long, value_name = "FOLDER", requires = "managed_identity", help_heading = "Network")]
    pub(crate) arc_keys: Option<PathBuf>,

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
    /// Folder that keeps the certificate authority and the signing keys, so that clients can trust them across restarts
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

/// Under which names the parts of the service are reached.
#[derive(Debug, clap::Args)]
pub(crate) struct Names {
    /// Host name of the login service
    #[arg(long, help_heading = "Names", default_value = "localhost")]
    login_host: String,
    /// Further host name of the login service; may be repeated
    #[arg(long, help_heading = "Names", value_name = "HOST")]
    login_alias: Vec<String>,
    /// Host name of Graph; if it differs, each host serves only its own paths
    #[arg(long, help_heading = "Names", default_value = "localhost")]
    graph_host: String,
    /// Further host name of Graph; may be repeated
    #[arg(long, help_heading = "Names", value_name = "HOST")]
    graph_alias: Vec<String>,
    /// Host name of the v1 issuer, which is then https://HOST/{tenantid}/
    #[arg(long, help_heading = "Names", value_name = "HOST")]
    sts_host: Option<String>,
    /// Parent of the vaults' host names, NAME.HOST [default: vault.LOGIN-HOST]
    #[arg(long, help_heading = "Names", value_name = "HOST")]
    vault_host: Option<String>,
    /// Issuer of v1 tokens, with {tenantid}; default https://LOGIN:PORT/sts/{tenantid}/
    #[arg(long, help_heading = "Names", value_name = "URL")]
    v1_issuer: Option<String>,
    /// Use the names of Microsoft's services, on loopback only: for a network namespace whose hosts file leads them there
    #[arg(
        long,
        help_heading = "Names",
        conflicts_with_all = ["login_host", "login_alias", "graph_host", "graph_alias", "sts_host", "vault_host", "v1_issuer"]
    )]
    real_names: bool,
}

impl Names {
    /// Options with these names, and the address they are usually served at.
    pub(crate) fn options(self) -> Options {
        if self.real_names {
            return Options::real_names();
        }
        Options {
            bind: DEFAULT_BIND,
            login_host: self.login_host,
            login_aliases: self.login_alias,
            graph_host: self.graph_host,
            graph_aliases: self.graph_alias,
            sts_host: self.sts_host,
            vault_host: self.vault_host,
            v1_issuer: self.v1_issuer,
            ..Options::default()
        }
    }
}
