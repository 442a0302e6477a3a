//! The manifests' own rules: who is granted what, and that they say what the host's sample configuration says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use url::Url;
use valet::config::{self, Config};
use valet_core_policy::Policy;

use crate::bench::{SEALING_KEY, Scratch};
use crate::manifest::{Given, Manifest, Route, root};

const CUSTODIAN: &str = "http://custodian.spin.internal";
const SECRETS: [&str; 2] = ["client_secret", "sealing_key"];
/// A secret of the public part, for tools that need it; what it protects is of no use elsewhere.
const STATE_KEY: &str = "state_key";

fn both() -> [Manifest; 2] {
    [Manifest::read("spin.toml"), Manifest::read("deploy/spin/single.toml")]
}

/// The routes that the manifest sends to `component`.
fn routes<'m>(manifest: &'m Manifest, component: &str) -> BTreeSet<&'m Route> {
    let triggers = manifest.trigger.http.iter().filter(|trigger| trigger.component == component);
    triggers.map(|trigger| &trigger.route).collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

#[test]
fn only_the_custodian_is_granted_secrets_the_store_and_the_network() {
    let manifest = Manifest::read("spin.toml");
    assert_eq!(set(manifest.component.keys().map(String::as_str)), set(["server", "custodian"]));
    let (server, custodian) = (&manifest.component["server"], &manifest.component["custodian"]);

    assert_eq!(server.allowed_outbound_hosts, [CUSTODIAN]);
    assert_eq!(server.key_value_stores, [""; 0]);
    assert_eq!(custodian.allowed_outbound_hosts, ["{{ authority }}", "{{ graph_url }}"]);
    assert_eq!(custodian.key_value_stores, ["default"]);

    for secret in SECRETS {
        let template = format!("{{{{ {secret} }}}}");
        assert_eq!(custodian.variables[secret], template);
        assert!(!server.variables.values().any(|value| value.contains(secret)), "{secret}");
        let elsewhere = custodian.variables.values().filter(|value| value.contains(secret)).count();
        assert_eq!(elsewhere, 1, "{secret}");
    }
    assert_eq!(server.variables[STATE_KEY], "{{ state_key }}");
    assert!(!custodian.variables.values().any(|value| value.contains(STATE_KEY)));
    assert_eq!(routes(&manifest, "custodian"), BTreeSet::from([&Route::Private { private: true }]));
    assert!(!routes(&manifest, "server").contains(&Route::Private { private: true }));
}

#[test]
fn secrets_are_required_and_have_no_default() {
    for manifest in both() {
        assert_eq!(manifest.spin_manifest_version, 2);
        assert_eq!(manifest.application.version, env!("CARGO_PKG_VERSION"), "{}", manifest.application.name);
        for (name, variable) in &manifest.variables {
            assert_eq!(variable.secret, SECRETS.contains(&name.as_str()) || name == STATE_KEY, "{name}");
            // Spin's own rule.
            assert_eq!(variable.required, variable.default.is_none(), "{name}");
            assert!(
                !variable.secret || variable.required || variable.default.as_deref() == Some(""),
                "{name}"
            );
            assert_eq!(variable.secret && !variable.required, name == STATE_KEY, "{name}");
            assert!(
                !variable.required || variable.description.is_some(),
                "{name}: who has to set it is told what it is"
            );
            let used = manifest.component.values().any(|component| {
                component.variables.values().any(|value| value.contains(&format!("{{{{ {name} }}}}")))
            });
            assert!(used, "{name}");
        }
    }
}

#[test]
fn sources_are_what_compose_writes() {
    for manifest in both() {
        for (name, component) in &manifest.component {
            assert_eq!(component.build.command, "cargo xtask compose", "{name}");
            let source = manifest.source(component);
            assert!(source.is_file(), "{}: `cargo xtask compose` makes it", source.display());
            let folder = source.parent().unwrap().canonicalize().unwrap();
            assert_eq!(folder, root().join("deploy/spin/artifacts").canonicalize().unwrap(), "{name}");
        }
    }
    // `spin build` runs the command in this folder, relative to the manifest.
    let [split, single] = both();
    assert_eq!(split.component["server"].build.workdir, Path::new(""));
    assert_eq!(single.component["valet"].build.workdir, Path::new("../.."));
    let ignored = std::fs::read_to_string(root().join(".gitignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "/deploy/spin/artifacts"));
}

#[test]
fn single_is_split_in_one_component() {
    let [split, single] = both();
    assert_eq!(split.variables, single.variables);
    let (server, custodian) = (&split.component["server"], &split.component["custodian"]);
    let valet = &single.component["valet"];
    let mut joined: BTreeMap<_, _> = server.variables.clone();
    for (name, value) in &custodian.variables {
        let before = joined.insert(name.clone(), value.clone());
        assert!(before.is_none_or(|before| before == *value), "the two parts differ in {name}");
    }
    joined.remove("custodian_url");
    assert_eq!(valet.variables, joined);
    assert_eq!(valet.allowed_outbound_hosts, custodian.allowed_outbound_hosts);
    assert_eq!(valet.key_value_stores, custodian.key_value_stores);
    assert_eq!(routes(&single, "valet"), routes(&split, "server"));
}

const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
const CLIENT: &str = "7e57c000-0000-4000-8000-000000000001";

/// The sample configuration with its placeholders filled in, as `valet check` reads it.
fn sample(change: impl Fn(String) -> String) -> Result<Config, config::ConfigError> {
    let text = std::fs::read_to_string(root().join("deploy/valet.sample.toml")).unwrap();
    let text = change(text.replace("<tenant id>", TENANT).replace("<client id>", CLIENT));
    let folder = Scratch::new();
    folder.write("client-secret.txt", "secret\n");
    folder.write("sealing-key.txt", SEALING_KEY);
    folder.write("ca.pem", "");
    config::read(&folder.write("valet.toml", text), std::iter::empty())
}

/// The settings that Spin's components get from the manifests, where the operator gives what the sample gives.
fn on_spin(manifest: &Manifest, resource: &str) -> (BTreeMap<String, String>, Given) {
    let given: Given = [
        ("resource", resource),
        ("tenant", TENANT),
        ("client_id", CLIENT),
        ("client_secret", "s"),
        ("sealing_key", "k"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let mut settings = BTreeMap::new();
    for component in manifest.component.values() {
        settings.extend(manifest.settings(component, &given));
    }
    for elsewhere in ["client_secret", "sealing_key", STATE_KEY, "custodian_url"] {
        settings.remove(elsewhere);
    }
    (settings, given)
}

#[test]
fn manifests_and_the_hosts_sample_agree() {
    let mut config = sample(|text| text).unwrap();
    let policy = Policy::parse(&config.settings.remove("policy").unwrap()).unwrap();
    let resource = config.settings["resource"].clone();
    let path = resource.strip_prefix("https://valet.example.com").unwrap();
    for manifest in both() {
        let (mut settings, given) = on_spin(&manifest, &resource);
        assert_eq!(
            Policy::parse(&settings.remove("policy").unwrap()).unwrap(),
            policy,
            "{}",
            manifest.application.name
        );
        // A list, whose second entry is empty here.
        if let Some(audiences) = settings.get_mut("audiences") {
            *audiences = audiences.trim().to_owned();
        }
        assert_eq!(settings, config.settings, "{}", manifest.application.name);

        let with_network =
            manifest.component.values().find(|component| !component.key_value_stores.is_empty()).unwrap();
        let hosts: Vec<Url> =
            manifest.hosts(with_network, &given).iter().map(|host| host.parse().unwrap()).collect();
        assert_eq!(hosts, [config.egress.authority.clone(), config.egress.graph.clone()]);

        let public: BTreeSet<_> = manifest.trigger.http.iter().map(|trigger| &trigger.route).collect();
        let discovery = "/.well-known/oauth-protected-resource";
        for route in [path, discovery, &format!("{discovery}{path}")] {
            assert!(public.contains(&Route::Public(route.to_owned())), "{route}");
        }
        let public = public.iter().filter(|route| matches!(route, Route::Public(_))).count();
        assert_eq!(public, 3);
    }
}

/// A commented line that could not be put to use is worse than none.
#[test]
fn every_key_of_the_sample_is_one() {
    let enabled = |text: String| {
        let key = |line: &str| {
            let name = line.split(['=', ' ', ']']).next().unwrap_or_default().trim_start_matches('[');
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                && (line.contains(" = ") || line.starts_with('['))
        };
        let line = |line: &str| match line.strip_prefix("# ") {
            Some(commented) if key(commented) => commented.to_owned(),
            _ => line.to_owned(),
        };
        text.lines().map(|text| line(text) + "\n").collect::<String>()
    };
    let error = sample(enabled).err().map(|error| error.to_string());
    assert_eq!(error, None);
    // What is shown as a default is the default.
    let (plain, enabled) = (sample(|text| text).unwrap(), sample(enabled).unwrap());
    for name in ["authority", "v1_authority", "audiences", "leeway", "graph_url", "scope_prefix"] {
        assert_eq!(plain.settings[name], enabled.settings[name], "{name}");
    }
    assert_eq!(plain.concurrent_requests, enabled.concurrent_requests);
    assert_eq!(plain.egress.allow_private_addresses, enabled.egress.allow_private_addresses);
}

#[test]
fn the_sample_is_refused_until_it_is_filled_in() {
    let placeholders = |text: String| text.replace(TENANT, "<tenant id>");
    let error = sample(placeholders).unwrap_err().to_string();
    assert!(error.contains("`entra.tenant`"), "{error}");
}

#[test]
fn a_misspelled_key_is_refused() {
    let text = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    for (right, wrong) in [
        ("key_value_stores", "key_value_store"),
        ("allowed_outbound_hosts", "allowed_hosts"),
        (
            "[component.server.variables]",
            "[component.server.environment]\nX = \"1\"\n[component.server.variables]",
        ),
        ("secret = true", "secrets = true"),
    ] {
        let changed = text.replacen(right, wrong, 1);
        assert_ne!(changed, text, "{right}");
        assert!(toml::from_str::<Manifest>(&changed).is_err(), "{wrong}");
    }
}
