//! The configuration of the server under test: a perfect one, to be changed key by key, and its folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use entra_emulator::{Emulator, ids};
use toml::{Table, Value};

use crate::certificates::{self, OTHER_NAME, SERVER_NAME};

/// The client of the authorization server under test.
pub const CLIENT: &str = "suite-client";
/// Where its answers go. Nobody is there: what arrives is read from the redirection.
pub const REDIRECT_URI: &str = "https://client.example/callback";

/// The URL of the MCP endpoint under test.
pub const ENDPOINT: &str = "https://valet.example/mcp";

/// A folder of its own, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty one.
    #[must_use]
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("valet-suite-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder, where others clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A configuration that is being made.
#[derive(Clone)]
pub struct Config {
    table: Table,
    /// Further files that it names.
    files: Vec<(&'static str, String)>,
}

impl Config {
    /// A perfect one for `emulator`. The files that it names are written by [`Config::write`].
    #[must_use]
    pub fn for_emulator(emulator: &Emulator) -> Self {
        let authority = emulator.authority_url();
        Self { table: Table::new(), files: Vec::new() }
            .set("server.listen", "127.0.0.1:0")
            .set("server.public_url", ENDPOINT)
            .set("server.tls_certificate", "server.pem")
            .set("server.tls_key", "server.key")
            .set("entra.v1_authority", format!("{authority}/sts"))
            .set("entra.authority", authority)
            .set("entra.tenant", ids::TENANT.to_string())
            .set("entra.client_id", ids::VALET.to_string())
            .set("entra.client_secret_file", "client-secret")
            .set("entra.emulator", true)
            .set("graph.url", emulator.graph_url())
            .set("egress.ca_file", "ca.pem")
            .set("egress.allow_private_addresses", true)
            .set("tools.whoami.scopes", list(&[ids::VALET_SCOPE]))
            .set("tools.GetUserDetailsFromGraph.scopes", list(&[ids::VALET_SCOPE]))
            .set("resources.profile.scopes", list(&[ids::VALET_SCOPE]))
            .set("prompts.introduce-me.scopes", list(&[ids::VALET_SCOPE]))
            .set("artifacts", artifacts().display().to_string())
    }

    /// The same with the fixtures of the conformance suite in the place of the tools, all of them for everybody with the usual scope.
    #[must_use]
    pub fn with_fixtures(self) -> Self {
        let lists = [
            ("tools", include_str!("../../conformance/pack/src/tools.json")),
            ("resources", include_str!("../../conformance/pack/src/resources.json")),
            ("resources", include_str!("../../conformance/pack/src/templates.json")),
            ("prompts", include_str!("../../conformance/pack/src/prompts.json")),
        ];
        let mut config = self.without("tools").without("resources").without("prompts");
        for (kind, json) in lists {
            let definitions: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
            for definition in definitions {
                let key = format!("{kind}.{}.scopes", definition["name"].as_str().unwrap());
                config = config.set(&key, list(&[ids::VALET_SCOPE]));
            }
        }
        config.set("artifacts", found(artifacts().with_file_name("conformance")).display().to_string())
    }

    /// The same with a key, given with its section, set.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let (sections, name) =
            key.rsplit_once('.').map_or((None, key), |(sections, name)| (Some(sections), name));
        let mut table = &mut self.table;
        for section in sections.into_iter().flat_map(|sections| sections.split('.')) {
            table =
                table.entry(section).or_insert_with(|| Value::Table(Table::new())).as_table_mut().unwrap();
        }
        table.insert(name.to_owned(), value.into());
        self
    }

    /// The same without a key or a whole section.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        let removed = match key.split_once('.') {
            Some((section, name)) => self.table[section].as_table_mut().unwrap().remove(name),
            None => self.table.remove(key),
        };
        assert!(removed.is_some(), "{key} was not there");
        self
    }

    /// Our own authorization server, with one client that the operator knows.
    #[must_use]
    pub fn with_sessions(self) -> Self {
        self.with_clients(&[(CLIENT, "The suite", REDIRECT_URI)])
    }

    /// Our own authorization server, with these clients: id, name, redirect URI.
    #[must_use]
    pub fn with_clients(self, clients: &[(&str, &str, &str)]) -> Self {
        let client = |&(id, name, redirect_uri): &(&str, &str, &str)| {
            let mut client = Table::new();
            client.insert("client_id".to_owned(), id.into());
            client.insert("client_name".to_owned(), name.into());
            client.insert("redirect_uris".to_owned(), list(&[redirect_uri]));
            Value::Table(client)
        };
        self.set("oauth.mode", "session")
            .set("oauth.clients", Value::Array(clients.iter().map(client).collect()))
    }

    /// The same with one more client, in the words of the configuration.
    #[must_use]
    pub fn and_client(mut self, client: Table) -> Self {
        self.table["oauth"]["clients"].as_array_mut().unwrap().push(client.into());
        self
    }

    /// The same with a further file in its folder.
    #[must_use]
    pub fn with_file(mut self, name: &'static str, text: String) -> Self {
        self.files.push((name, text));
        self
    }

    /// A store in Redis.
    #[must_use]
    pub fn with_redis(self, url: &str) -> Self {
        let config =
            self.set("storage.redis_url_file", "redis-url").set("storage.sealing_key_file", "sealing-key");
        Self { files: vec![("redis-url", url.to_owned())], ..config }
    }

    /// A store on disk.
    #[must_use]
    pub fn on_disk(self) -> Self {
        self.set("storage.path", "store.redb").set("storage.sealing_key_file", "sealing-key")
    }

    /// Writes it and every file that it names; gives its path.
    pub fn write(&self, folder: &Folder, emulator_ca: &str) -> PathBuf {
        let leaf = certificates::leaf(&[SERVER_NAME, OTHER_NAME]);
        folder.write("server.pem", leaf.certificate);
        folder.write("server.key", leaf.key);
        folder.write("ca.pem", format!("{emulator_ca}{}", certificates::ca_pem()));
        folder.write("client-secret", format!("{}\n", ids::VALET_SECRET));
        // 32 bytes in base64; what they are does not matter.
        folder.write("sealing-key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
        for (name, text) in &self.files {
            folder.write(name, text);
        }
        folder.write("valet.toml", self.table.to_string())
    }
}

/// A list of strings.
#[must_use]
pub fn list(entries: &[&str]) -> Value {
    Value::Array(entries.iter().map(|&entry| entry.into()).collect())
}

/// The command under test: `VALET_BIN`, or what `cargo xtask build` made.
#[must_use]
pub fn command() -> PathBuf {
    found(std::env::var_os("VALET_BIN").map_or_else(|| target().join("debug/valet"), PathBuf::from))
}

/// The folder of the native layout: `VALET_ARTIFACTS`, or what `cargo xtask build` made.
#[must_use]
pub fn artifacts() -> PathBuf {
    found(std::env::var_os("VALET_ARTIFACTS").map_or_else(|| target().join("valet/native"), PathBuf::from))
}

fn found(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is not there: run `cargo xtask build` first", path.display());
    path
}

/// cargo's target folder: this program is in `PROFILE/deps` of it.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).map(Path::to_owned).unwrap()
}
