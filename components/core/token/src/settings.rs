//! [`crate::Rules`] from named settings, the same way in every component that verifies.

use std::fmt;

use crate::key_cache::RETRY_FLOOR;

/// The settings of a verifier, as `docs/configuration.md` lists them. Lists are separated by white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `authority`.
    pub authority: String,
    /// `v1_authority`.
    pub v1_authority: String,
    /// `tenants`, whose users may call; `tenant` alone if that is not set.
    pub tenants: Vec<String>,
    /// `audiences`.
    pub audiences: Vec<String>,
    /// `clients`, the applications that may call; none for any, if that is not set.
    pub clients: Option<Vec<String>>,
    /// `leeway`, in seconds.
    pub leeway: u32,
}

/// A setting that is missing or is not what it has to be. There are no defaults here: a default would accept something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unset(pub &'static str);

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setting `{}` is missing or malformed", self.0)
    }
}

impl std::error::Error for Unset {}

impl Settings {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// The first setting that is missing or malformed.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Unset> {
        let lookup = Lookup(lookup);
        Ok(Self {
            authority: lookup.required("authority")?,
            v1_authority: lookup.required("v1_authority")?,
            tenants: lookup.tenants()?,
            audiences: list(&lookup.required("audiences")?),
            clients: lookup.list("clients"),
            leeway: lookup.leeway()?,
        })
    }
}

/// The settings of a verifier for tokens of an authorization server of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSettings {
    /// `issuer`: the server's issuer identifier.
    pub issuer: String,
    /// `resource`: this server's public URL, which tokens have to be for.
    pub audience: String,
    /// As in [`Settings`]: a session of another tenant's user has ended.
    pub tenants: Vec<String>,
    /// `leeway`, in seconds.
    pub leeway: u32,
}

/// Who issues the tokens that callers present. One of the two, never both: a server that takes either takes the weaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// Entra: `oauth_mode` is `direct` or `facade`.
    Entra(Settings),
    /// An authorization server of ours: `oauth_mode` is `session`.
    Ours(OwnSettings),
}

impl Issuer {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// The first setting that is missing or malformed.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Unset> {
        match lookup("oauth_mode").as_deref() {
            Some("direct" | "facade") => Settings::read(lookup).map(Self::Entra),
            Some("session") => {
                let lookup = Lookup(lookup);
                Ok(Self::Ours(OwnSettings {
                    issuer: lookup.required("issuer")?,
                    audience: lookup.required("resource")?,
                    tenants: lookup.tenants()?,
                    leeway: lookup.leeway()?,
                }))
            }
            _ => Err(Unset("oauth_mode")),
        }
    }
}

/// The settings of whoever fetches keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// `authority`.
    pub authority: String,
    /// As in [`Settings`]: whose keys may be fetched.
    pub tenants: Vec<String>,
    /// `keys_floor`, in seconds; [`RETRY_FLOOR`] if that is not set.
    pub floor: u64,
    /// `emulator`: `true`, or anything else for no.
    pub may_be_emulator: bool,
}

/// What `keys_floor` may be, in seconds. None would let a flood of invented names reach the authority; more than an hour is a rollover that
/// nobody notices.
pub const FLOORS: std::ops::RangeInclusive<u64> = 1..=3600;

/// How long, in seconds, whoever checks tokens uses rules and keys before they are asked for again. A token with an unknown key does not wait for it.
pub const CHECKS_KEPT: u64 = 10;

impl KeySettings {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    /// The first setting that is missing or malformed.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Unset> {
        let lookup = Lookup(lookup);
        let floor = match lookup.0("keys_floor") {
            None => RETRY_FLOOR,
            Some(text) => {
                text.parse().ok().filter(|floor| FLOORS.contains(floor)).ok_or(Unset("keys_floor"))?
            }
        };
        Ok(Self {
            authority: lookup.required("authority")?,
            tenants: lookup.tenants()?,
            floor,
            may_be_emulator: lookup.0("emulator").as_deref() == Some("true"),
        })
    }
}

struct Lookup<F>(F);

impl<F: Fn(&str) -> Option<String>> Lookup<F> {
    fn required(&self, name: &'static str) -> Result<String, Unset> {
        self.0(name).ok_or(Unset(name))
    }

    fn leeway(&self) -> Result<u32, Unset> {
        self.required("leeway")?.parse().map_err(|_| Unset("leeway"))
    }

    /// A list that may be absent. A host may declare a variable that nobody sets, whose value is then blank.
    fn list(&self, name: &str) -> Option<Vec<String>> {
        self.0(name).map(|text| list(&text)).filter(|list| !list.is_empty())
    }

    /// Whose users may call: the list, else the one tenant.
    fn tenants(&self) -> Result<Vec<String>, Unset> {
        match self.list("tenants") {
            Some(tenants) => Ok(tenants),
            None => Ok(list(&self.required("tenant")?)),
        }
    }
}

fn list(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, &str); 5] = [
        ("authority", "https://login.example"),
        ("v1_authority", "https://sts.example"),
        ("tenant", "t"),
        ("audiences", "a  b"),
        ("leeway", "60"),
    ];

    fn read(change: impl Fn(&str, &str) -> Option<String>) -> Result<Settings, Unset> {
        Settings::read(|name| {
            ALL.iter().find(|(known, _)| *known == name).and_then(|(name, value)| change(name, value))
        })
    }

    #[test]
    fn lists_are_split_at_white_space() {
        let settings = read(|_, value| Some(value.to_owned())).unwrap();
        assert_eq!((settings.audiences, settings.leeway), (vec!["a".to_owned(), "b".to_owned()], 60));
    }

    #[test]
    fn tenants_stand_in_place_of_the_one() {
        let with = |extra: &'static [(&str, &str)]| {
            Settings::read(|name| {
                ALL.iter()
                    .chain(extra)
                    .rev()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            })
            .unwrap()
        };
        assert_eq!((with(&[]).tenants, with(&[]).clients), (vec!["t".to_owned()], None));
        let more = with(&[("tenants", "u  v"), ("clients", "c")]);
        assert_eq!(more.tenants, ["u", "v"]);
        assert_eq!(more.clients, Some(vec!["c".to_owned()]));
        // A blank list is one that nobody set, which gives nobody more than the one tenant.
        let blank = with(&[("tenants", " "), ("clients", "")]);
        assert_eq!((blank.tenants, blank.clients), (vec!["t".to_owned()], None));
    }

    #[test]
    fn each_setting_is_required() {
        for (missing, _) in ALL {
            let settings = read(|name, value| (name != missing).then(|| value.to_owned()));
            assert_eq!(settings, Err(Unset(missing)));
            assert!(Unset(missing).to_string().contains(&format!("`{missing}`")));
        }
    }

    #[test]
    fn a_leeway_that_is_no_number_is_refused() {
        let settings = read(|name, value| Some(if name == "leeway" { "1m" } else { value }.to_owned()));
        assert_eq!(settings, Err(Unset("leeway")));
    }

    #[test]
    fn one_issuer_is_named_and_nobody_is_it_by_default() {
        let read = |mode: Option<&'static str>, missing: &'static str| {
            Issuer::read(|name| match name {
                name if name == missing => None,
                "oauth_mode" => mode.map(str::to_owned),
                "issuer" => Some("https://valet.example".into()),
                "resource" => Some("https://valet.example/mcp".into()),
                name => ALL.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
            })
        };
        for mode in ["direct", "facade"] {
            assert!(matches!(read(Some(mode), ""), Ok(Issuer::Entra(_))), "{mode}");
        }
        let (issuer, audience) = ("https://valet.example".into(), "https://valet.example/mcp".into());
        assert_eq!(
            read(Some("session"), ""),
            Ok(Issuer::Ours(OwnSettings { issuer, audience, tenants: vec!["t".into()], leeway: 60 }))
        );
        for missing in ["issuer", "resource", "tenant", "leeway"] {
            assert_eq!(read(Some("session"), missing), Err(Unset(missing)));
        }
        for mode in [None, Some(""), Some("Session"), Some("both")] {
            assert_eq!(read(mode, ""), Err(Unset("oauth_mode")), "{mode:?}");
        }
    }

    #[test]
    fn keys_are_fetched_for_the_same_tenants_with_a_floor() {
        let read = |extra: &'static [(&str, &str)]| {
            KeySettings::read(|name| {
                let all = ALL.iter().chain(extra).rev();
                all.clone().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let plain = KeySettings {
            authority: "https://login.example".into(),
            tenants: vec!["t".into()],
            floor: RETRY_FLOOR,
            may_be_emulator: false,
        };
        assert_eq!(read(&[]), Ok(plain.clone()));
        let all = [("tenants", "u v"), ("keys_floor", "1"), ("emulator", "true")];
        let tenants = vec!["u".into(), "v".into()];
        let expected = KeySettings { tenants, floor: 1, may_be_emulator: true, ..plain.clone() };
        assert_eq!(
            KeySettings::read(|name| {
                let value = all.iter().chain(&ALL).find(|(known, _)| *known == name);
                value.map(|(_, value)| (*value).to_owned())
            }),
            Ok(expected)
        );
        assert_eq!(read(&[("keys_floor", "3600")]), Ok(KeySettings { floor: 3600, ..plain.clone() }));
        assert_eq!(read(&[("emulator", "yes")]), Ok(plain));
        for floor in [
            &[("keys_floor", "0")],
            &[("keys_floor", "3601")],
            &[("keys_floor", "5m")],
            &[("keys_floor", "")],
        ] {
            assert_eq!(read(floor), Err(Unset("keys_floor")));
        }
        assert_eq!(KeySettings::read(|_| None), Err(Unset("authority")));
    }
}
