//! Configuration: a TOML file and the environment in, a [`Config`] that can be acted on out.
//!
//! Everything is read once, at start. Unknown keys, contradictions and missing values are errors that name the file and the key, before a
//! socket is opened. `docs/configuration.md` is the reference for people.

mod derive;
mod file;
mod local;
mod oauth;
mod read;
mod rules;
mod secrets;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;
use valet_store::RedisSettings;

use crate::local::Local;
use crate::seal::SealingKeys;
use crate::signing_key::OwnKeys;

pub use read::{ConfigError, read};
pub use rules::Rules;

/// A complete configuration.
#[derive(Debug)]
pub struct Config {
    /// Where and how to listen; none in a file for standard input and output alone.
    pub server: Option<Server>,
    /// The folder with the artifacts to run.
    pub artifacts: PathBuf,
    /// The settings that components may read, by name. Nothing secret.
    pub settings: BTreeMap<String, String>,
    /// The client secret, where one is configured.
    pub client_secret: Option<SecretString>,
    /// The keys that seal what is kept.
    pub sealing_keys: SealingKeys,
    /// The keys that tokens of ours are signed with, where the operator has them.
    pub own_keys: Option<OwnKeys>,
    /// What may be reached.
    pub egress: Egress,
    /// Where tokens and keys are kept.
    pub storage: Storage,
    /// Where clients get their tokens.
    pub oauth_mode: OauthMode,
    /// The user of this machine, if they may be the caller.
    pub local: Option<Local>,
    /// What the rules name, for people.
    pub rules: Rules,
    /// Most requests in the components at the same time.
    pub concurrent_requests: u32,
    /// Calls of one caller in a minute.
    pub calls_per_minute: NonZeroU32,
    /// Requests of one address that the authorization server may refuse in a minute.
    pub refusals_per_minute: NonZeroU32,
}

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate chain and private key, PEM files; none for plain HTTP on loopback.
    pub tls: Option<TlsFiles>,
}

/// Certificate chain and private key.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// PEM file with the certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// What may be reached.
#[derive(Debug)]
pub struct Egress {
    /// The authority: keys and tokens.
    pub authority: Url,
    /// Microsoft Graph.
    pub graph: Url,
    /// Certificates trusted beside Mozilla's roots, a PEM bundle.
    pub ca: Option<Vec<u8>>,
    /// Whether private and loopback addresses may be dialled.
    pub allow_private_addresses: bool,
    /// The same for the metadata documents of clients, whose URLs strangers choose.
    pub documents_at_private_addresses: bool,
}

/// Where tokens and keys are kept.
#[derive(Debug, Clone)]
pub enum Storage {
    /// In memory, gone when the process ends.
    Memory,
    /// In a file.
    Disk(PathBuf),
    /// In Redis or Valkey, which several processes share.
    Redis(RedisSettings),
}

/// Where clients get their tokens, and whose tokens are accepted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OauthMode {
    /// From Entra.
    #[default]
    Direct,
    /// From our own authorization server, which signs users in at Entra.
    Session,
    /// From Entra, by way of us: what stands between MCP clients and Entra is taken out of their requests.
    Facade,
}
