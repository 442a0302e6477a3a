//! `valet-yardstick`: a native MCP server that does the work of `valet serve`, to measure Valet against.
//!
//! It is written the way a careful team would write it today: axum, the official SDK, one middleware that checks the token. It does not
//! aim at beating or flattering anybody, so it has no trick that axum and rmcp do not offer by themselves. It is not a product: it has
//! no policy file, no TLS, no bounds on anything, and its tools can read every token.

mod bearer;
mod graph;
mod keys;
mod tools;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::middleware;
use axum::serve::ListenerExt as _;
use clap::Parser;
use rmcp::ServiceExt as _;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use url::Url;

use crate::bearer::Guard;
use crate::graph::Graph;
use crate::tools::Tools;

/// A native MCP server behind Entra, for comparison.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
    /// Serve standard input and output instead, for the party that the token in VALET_ACCESS_TOKEN stands for
    #[arg(long)]
    stdio: bool,
    /// URL of the MCP endpoint, as clients use it
    #[arg(long)]
    public_url: Url,
    /// Base URL of the authority
    #[arg(long)]
    authority: String,
    /// Tenant
    #[arg(long)]
    tenant: String,
    /// Our client id, which is the audience
    #[arg(long)]
    client_id: String,
    /// Our client secret
    #[arg(long, env = "VALET_CLIENT_SECRET", hide_env_values = true)]
    client_secret: String,
    /// The scope that the tools want
    #[arg(long)]
    scope: String,
    /// Base URL of Microsoft Graph
    #[arg(long)]
    graph_url: String,
    /// The authority's and Graph's certificate authority, PEM
    #[arg(long)]
    ca_file: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        // rmcp tells each request's life at `info`. Valet writes one line a request, so that is what is compared.
        .with_env_filter("info,rmcp=warn")
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .init();
    jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default().ok();
    let pem = std::fs::read(&arguments.ca_file)
        .with_context(|| format!("reading {}", arguments.ca_file.display()))?;
    let client = reqwest::Client::builder()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(&pem)?)
        .tcp_nodelay(true)
        // As many as Valet keeps (`limits::EGRESS_IDLE_CONNECTIONS`).
        .pool_max_idle_per_host(32)
        .build()?;
    let keys = keys::fetch(&client, &arguments.authority, &arguments.tenant).await?;
    let guard = Arc::new(Guard::new(&arguments, keys)?);
    let tools = Tools::new(Arc::new(Graph::new(&arguments, client)))?;
    if arguments.stdio {
        let token = std::env::var("VALET_ACCESS_TOKEN").context("VALET_ACCESS_TOKEN")?;
        let tools = tools.of(guard.caller(&token)?);
        tools.serve(rmcp::transport::stdio()).await?.waiting().await?;
        return Ok(());
    }
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_sse_keep_alive(None);
    let service = StreamableHttpService::new(
        move || Ok(tools.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let app = Router::new()
        .nest_service(arguments.public_url.path(), service)
        .layer(middleware::from_fn_with_state(guard, bearer::require));
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?.tap_io(|stream| {
        // A connection without it is slower and still right.
        let _ = stream.set_nodelay(true);
    });
    tracing::info!(address = %arguments.listen, "serving");
    axum::serve(listener, app).await?;
    Ok(())
}
