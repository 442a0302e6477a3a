//! From the file and the environment to a [`Config`], or to an error that names what to change.
//!
//! `VALET_<SECTION>_<KEY>` replaces a key of the file, for example `VALET_SERVER_LISTEN`. Secrets come from files, or from
//! variables of their own (`secrets.rs`), and never from the configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Config;
use super::derive::Reader;
use super::file::File;

/// Variables that are not keys of the file.
const OTHER_VARIABLES: [&str; 8] = [
    "VALET_ACCESS_TOKEN",
    "VALET_CLIENT_SECRET",
    "VALET_CONFIG",
    "VALET_DANGEROUSLY_PLAINTEXT_CACHE",
    "VALET_LOG",
    "VALET_LOG_FORMAT",
    "VALET_REDIS_URL",
    "VALET_SEALING_KEY",
];

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is no configuration file.
    #[error(
        "{}: there is no such configuration file; name one with --config or VALET_CONFIG (docs/configuration.md has its keys)",
        path.display()
    )]
    NoFile {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is not TOML.
    #[error("{}: {error}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// A key is unknown, missing, or has a value that is none.
    #[error("{origin}: `{key}`: {why}")]
    Key {
        /// The file, or the variable that replaced the key.
        origin: String,
        /// The key, with its section.
        key: String,
        /// What is wrong, and what would be right.
        why: String,
    },
}

/// Reads the configuration file at `path`, with `variables` (the environment) replacing keys of it.
///
/// # Errors
/// See [`ConfigError`].
pub fn read(path: &Path, variables: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ConfigError::NoFile { path: path.to_owned() },
        _ => unreadable(path, error),
    })?;
    let mut table: Table = text
        .parse()
        .map_err(|error| ConfigError::Syntax { path: path.to_owned(), error: Box::new(error) })?;
    let variables: BTreeMap<String, String> =
        variables.filter(|(name, _)| name.starts_with("VALET_")).collect();
    let replaced = replace(&mut table, &variables)?;
    let file: File = serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let key = error.path().to_string();
        ConfigError::Key {
            origin: replaced.get(&key).cloned().unwrap_or_else(|| path.display().to_string()),
            why: error.inner().message().to_owned(),
            key,
        }
    })?;
    Reader { path, variables: &variables, replaced: &replaced }.config(file)
}

/// Puts `VALET_<SECTION>_<KEY>` into `table`; gives which variable replaced which key.
fn replace(
    table: &mut Table,
    variables: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut replaced = BTreeMap::new();
    for (variable, text) in variables {
        if OTHER_VARIABLES.contains(&variable.as_str()) {
            continue;
        }
        let name = variable["VALET_".len()..].to_ascii_lowercase();
        let value = Value::from(text.as_str());
        // Numbers, booleans and lists are written as in TOML; everything else is text.
        let value = match text.parse::<Value>() {
            Ok(parsed @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_))) => parsed,
            _ => value,
        };
        let key = match name.split_once('_') {
            Some((section, key)) => {
                let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                let Some(section_table) = entry.as_table_mut() else {
                    return Err(ConfigError::Key {
                        origin: variable.clone(),
                        key: section.to_owned(),
                        why: "not a section".to_owned(),
                    });
                };
                section_table.insert(key.to_owned(), value);
                format!("{section}.{key}")
            }
            None => {
                table.insert(name.clone(), value);
                name
            }
        };
        replaced.insert(key, variable.clone());
    }
    Ok(replaced)
}

pub(super) fn unreadable(path: &Path, error: std::io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), error }
}
