//! Spin's manifest, version 2, as far as ours use it. Like Spin, it refuses keys that it does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What an operator gives: application variables by name.
pub(crate) type Given = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) spin_manifest_version: u32,
    pub(crate) application: Application,
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) trigger: Triggers,
    pub(crate) component: BTreeMap<String, Component>,
    /// Where the manifest lies; sources are relative to it.
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) version: String,
    #[expect(dead_code, reason = "there so that it may be in the file")]
    pub(crate) description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) secret: bool,
    pub(crate) description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Triggers {
    pub(crate) http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTrigger {
    pub(crate) route: Route,
    pub(crate) component: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
pub(crate) enum Route {
    Public(String),
    Private { private: bool },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Component {
    #[serde(default)]
    #[expect(dead_code, reason = "there so that it may be in the file")]
    pub(crate) description: String,
    pub(crate) source: PathBuf,
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) build: Build,
    // Files, environment, databases and the rest of Spin's keys are refused by their absence here.
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Build {
    pub(crate) command: String,
    #[serde(default)]
    pub(crate) workdir: PathBuf,
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

impl Manifest {
    /// Reads the manifest at `path` below the root of the repository.
    pub(crate) fn read(path: &str) -> Self {
        let path = root().join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut manifest: Self =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        manifest.folder = path.parent().unwrap().to_owned();
        manifest
    }

    /// Where the component is, in the folder of the manifest.
    pub(crate) fn source(&self, component: &Component) -> PathBuf {
        self.folder.join(&component.source)
    }

    /// `template` with the variables in it filled in: what was given, else the default.
    pub(crate) fn fill(&self, template: &str, given: &Given) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").expect("an expression ends");
            filled.push_str(literal);
            filled.push_str(&self.variable(name.trim(), given));
            rest = after;
        }
        filled + rest
    }

    fn variable(&self, name: &str, given: &Given) -> String {
        let variable = self.variables.get(name).unwrap_or_else(|| panic!("no variable `{name}`"));
        let value = given.get(name).or(variable.default.as_ref());
        value.unwrap_or_else(|| panic!("`{name}` is required")).clone()
    }

    /// What `component` reads through `wasi:config`.
    pub(crate) fn settings(&self, component: &Component, given: &Given) -> BTreeMap<String, String> {
        component.variables.iter().map(|(name, value)| (name.clone(), self.fill(value, given))).collect()
    }

    /// The origins that `component` may reach.
    pub(crate) fn hosts(&self, component: &Component, given: &Given) -> Vec<String> {
        component.allowed_outbound_hosts.iter().map(|host| self.fill(host, given)).collect()
    }
}
