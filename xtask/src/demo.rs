//! `cargo xtask demo`: emulator and server as a user would start them, a real sign-in, a real call, told step by step.

mod client;
mod config;
mod process;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::artifacts;
use crate::demo::client::Client;
use crate::demo::process::Process;
use crate::workspace::{Workspace, say};

/// Whom the demo signs in: a user of the emulator's sample.
const USER: &str = "adele@contoso.example";

/// What Graph has to say of them.
const EXPECTED_NAME: &str = "Adele Vance";

/// How long the programs may take to be ready.
const START: Duration = Duration::from_secs(30);

/// Runs the demo; `once` ends it after the call.
pub(crate) fn run(workspace: &Workspace, once: bool) -> Result<()> {
    say("Valet demo: an MCP server protected by (an emulator of) Microsoft Entra ID.\n");
    let built = artifacts::build(workspace, false)?;
    let folder = workspace.artifacts().join("demo");
    std::fs::create_dir_all(&folder)?;

    say("\n1. Starting the emulator of Entra and Graph, and Valet, on free ports.");
    let ports = config::free_ports()?;
    let mcp_url = format!("https://localhost:{}/mcp", ports.valet);
    let emulator = Process::start(
        "entra-emulator",
        &built.emulator,
        &[
            "--bind",
            &format!("127.0.0.1:{}", ports.emulator),
            "--mcp-url",
            &mcp_url,
            "--state",
            "emulator",
            "--log",
        ],
        &[],
        &folder,
    )?;
    let files = config::write(&folder, &built.native, ports).context("writing the configuration")?;
    let emulator_ca = files.emulator_ca(START)?;
    let valet = Process::start(
        "valet",
        &built.valet,
        &["serve", "--config", "valet.toml"],
        &[("VALET_CLIENT_SECRET", config::CLIENT_SECRET)],
        &folder,
    )?;
    let client = Client::new(&[emulator_ca, files.certificate.clone()])?;
    let authority = format!("https://localhost:{}", ports.emulator);
    client.wait_for(
        &format!("{authority}/common/v2.0/.well-known/openid-configuration"),
        START,
        &[&emulator],
    )?;
    client.wait_for(&mcp_url.replace("/mcp", "/readyz"), START, &[&emulator, &valet])?;
    say(&format!("   emulator  {authority}\n   valet     {mcp_url}"));

    let outcome = exchange(&client, &mcp_url, &emulator);
    if let Err(error) = outcome {
        for process in [&emulator, &valet] {
            say(&process.last_lines());
        }
        return Err(error);
    }
    say(
        "\nDone: a token went from the client to Valet and stayed there; the tool saw the profile and no token.",
    );
    if once {
        return Ok(());
    }
    say(&how_to_connect(&mcp_url, &authority, &files));
    process::wait_until_interrupted(&[&emulator, &valet])
}

/// The sign-in and the calls, hop by hop.
fn exchange(client: &Client, mcp_url: &str, emulator: &Process) -> Result<()> {
    say("\n2. A client calls without a token, and is told where to get one.");
    let challenge = client.challenge(mcp_url)?;
    say(&format!(
        "   client -> valet     POST /mcp\n   valet  -> client    401, metadata at {}",
        challenge.metadata_url
    ));
    let resource = client.resource_metadata(&challenge)?;
    say(&format!(
        "   client -> valet     GET the metadata (RFC 9728): sign in at {}",
        resource.authorization_server
    ));

    say(&format!("\n3. {USER} signs in: authorization code with PKCE."));
    let token = client.sign_in(&resource, USER)?;
    for hop in &token.hops {
        say(&format!("   {hop}"));
    }

    say("\n4. The client calls GetUserDetailsFromGraph with the token.");
    let before = emulator.lines().len();
    let profile = client.call_tool(mcp_url, &token.access_token, "GetUserDetailsFromGraph")?;
    say("   client -> valet     POST /mcp tools/call");
    // What the emulator really saw, not what should have happened.
    for line in &emulator.lines()[before..] {
        let line = line.trim_start_matches("entra-emulator: ");
        match line.contains("/v1.0/") {
            true => say(&format!("   valet  -> Graph     {line}")),
            false => say(&format!("   valet  -> Entra     {line}   (on behalf of the user)")),
        }
    }
    say("   valet  -> client    the profile:\n");
    for line in profile.text.lines() {
        say(&format!("       {line}"));
    }
    let name = profile.structured["displayName"].as_str().unwrap_or_default();
    ensure!(name == EXPECTED_NAME, "the profile is of {name:?} and should be of {EXPECTED_NAME:?}");

    say("\n5. And whoami, which calls nobody.");
    let who = client.call_tool(mcp_url, &token.access_token, "whoami")?;
    say(&format!("   scopes {}, roles {}", who.structured["scopes"], who.structured["roles"]));
    ensure!(who.structured["name"] == EXPECTED_NAME, "whoami names someone else: {}", who.structured);
    Ok(())
}

fn how_to_connect(mcp_url: &str, authority: &str, files: &config::Files) -> String {
    format!(
        "\nBoth keep running. To connect a client of your own:\n\
         \x20  URL            {mcp_url}\n\
         \x20  client id      {client}   (public client, redirect http://localhost on any port)\n\
         \x20  users          adele@contoso.example, alex@contoso.example, no password\n\
         \x20  authority      {authority}/{tenant}/v2.0\n\
         \x20  trust          {bundle}\n\
         \x20  for example    NODE_EXTRA_CA_CERTS={bundle} npx @modelcontextprotocol/inspector\n\
         \x20  the log        {log}\n\
         Ctrl-C ends it.",
        client = config::DEMO_CLIENT,
        tenant = config::TENANT,
        bundle = files.bundle.display(),
        log = files.log.display(),
    )
}
