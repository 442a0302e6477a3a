//! The command `entra-emulator`: options from the command line, one page of facts on start, Ctrl-C ends.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use entra_emulator::{CA_FILE, Emulator, Options, Registrations, SAMPLE_TOML, ids};

/// Where the command listens unless told otherwise.
const DEFAULT_BIND: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8444));

/// An emulator of Microsoft Entra ID and Microsoft Graph for tests and demos. Not Microsoft, and not secure:
/// anybody who reaches it can sign in as anybody.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8444; 127.0.0.1:443 with --real-names]
    #[arg(long)]
    bind: Option<SocketAddr>,
    /// Allow an address that is not loopback
    #[arg(long)]
    allow_remote: bool,
    /// Tenants, users and apps (TOML); without it the built-in sample
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// URL of an MCP endpoint, added to the sample API's identifier URIs
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    mcp_url: Option<String>,
    /// Folder that keeps the certificate authority and the signing keys, so that clients can trust them across restarts
    #[arg(long, value_name = "FOLDER", default_value = "emulator-state")]
    state: PathBuf,
    #[command(flatten)]
    names: Names,
    /// Address of the managed identity endpoints (IMDS, App Service), in plain HTTP; without it there are none
    #[arg(long, value_name = "ADDRESS")]
    managed_identity: Option<SocketAddr>,
    /// Folder for the key files of Azure Arc; its clients insist on /var/opt/azcmagent/tokens
    #[arg(long, value_name = "FOLDER", requires = "managed_identity")]
    arc_keys: Option<PathBuf>,
    /// Approve requests with a known login_hint without showing a page
    #[arg(long)]
    auto_approve: bool,
    /// One line per request to standard error
    #[arg(long)]
    log: bool,
    /// Print the sample configuration and exit
    #[arg(long)]
    print_sample_config: bool,
}

/// Under which names the parts of the service are reached.
#[derive(Debug, clap::Args)]
struct Names {
    /// Host name of the login service
    #[arg(long, default_value = "localhost")]
    login_host: String,
    /// Further host name of the login service; may be repeated
    #[arg(long, value_name = "HOST")]
    login_alias: Vec<String>,
    /// Host name of Graph; if it differs, each host serves only its own paths
    #[arg(long, default_value = "localhost")]
    graph_host: String,
    /// Further host name of Graph; may be repeated
    #[arg(long, value_name = "HOST")]
    graph_alias: Vec<String>,
    /// Host name of the v1 issuer, which is then https://HOST/{tenantid}/
    #[arg(long, value_name = "HOST")]
    sts_host: Option<String>,
    /// Parent of the vaults' host names, NAME.HOST [default: vault.LOGIN-HOST]
    #[arg(long, value_name = "HOST")]
    vault_host: Option<String>,
    /// Issuer of v1 tokens, with {tenantid}; default https://LOGIN:PORT/sts/{tenantid}/
    #[arg(long, value_name = "URL")]
    v1_issuer: Option<String>,
    /// Use the names of Microsoft's services, on loopback only: for a network namespace whose hosts file leads them there
    #[arg(
        long,
        conflicts_with_all = ["login_host", "login_alias", "graph_host", "graph_alias", "sts_host", "vault_host", "v1_issuer"]
    )]
    real_names: bool,
}

impl Names {
    /// Options with these names, and the address they are usually served at.
    fn options(self) -> Options {
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

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "entra-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    if arguments.print_sample_config {
        std::io::stdout().write_all(SAMPLE_TOML.as_bytes())?;
        return Ok(());
    }
    let registrations = match (&arguments.config, &arguments.mcp_url) {
        (Some(file), _) => Registrations::from_file(file)?,
        (None, Some(url)) => Registrations::sample_with_mcp_url(url),
        (None, None) => Registrations::sample(),
    };
    let ca_file = arguments.state.join(CA_FILE);
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
    std::io::stdout().write_all(facts(&emulator, &ca_file, sample).as_bytes())?;
    tokio::signal::ctrl_c().await?;
    emulator.stop().await;
    Ok(())
}

fn facts(emulator: &Emulator, ca_file: &std::path::Path, sample: bool) -> String {
    let authority = emulator.authority_url();
    let mut facts = format!(
        "This is an EMULATOR of Microsoft Entra ID and Microsoft Graph. It is not Microsoft.\n\
         Never let a production service trust it: anybody who reaches it can sign in as anybody.\n\n\
         Login    {authority}\n\
         Graph    {}/v1.0\n\
         CA file  {}\n",
        emulator.graph_url(),
        ca_file.display(),
    );
    if let (Some(imds), Some(app_service), Some(secret)) =
        (emulator.imds_url(), emulator.identity_endpoint(), emulator.identity_header())
    {
        facts.push_str(&format!(
            "IMDS     {imds} (AZURE_POD_IDENTITY_AUTHORITY_HOST)\n\
             App Svc  IDENTITY_ENDPOINT={app_service} IDENTITY_HEADER={secret}\n"
        ));
    }
    for identity in &emulator.registrations().managed_identities {
        if let Some(app) = emulator.registrations().app(identity.app) {
            let object_id = emulator.object_id(app.client_id, app.tenant);
            facts.push_str(&format!("Identity {}  {}, object id {object_id}\n", app.client_id, app.name));
        }
    }
    for vault in &emulator.registrations().vaults {
        facts.push_str(&format!("Vault    {}\n", emulator.vault_url(&vault.name)));
    }
    for tenant in &emulator.registrations().tenants {
        let metadata = format!("{authority}/{}/v2.0/.well-known/openid-configuration", tenant.id);
        facts.push_str(&format!("Tenant   {} ({})\n         {metadata}\n", tenant.id, tenant.name));
    }
    if sample {
        facts.push_str(&format!(
            "API      {}  Valet, scope {}/{}, secret {}\n\
             Client   {}  Valet demo client, redirect http://localhost (any port)\n\
             Users    {}, {}; no password\n",
            ids::VALET,
            ids::VALET_URI,
            ids::VALET_SCOPE,
            ids::VALET_SECRET,
            ids::DEMO_CLIENT,
            ids::ADELE_UPN,
            ids::ALEX_UPN,
        ));
    }
    facts.push_str("\nCtrl-C ends it.\n");
    facts
}
