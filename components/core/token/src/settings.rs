//! [`crate::Rules`] from named settings, the same way in every component that verifies.

use std::fmt;

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
        let required = |name: &'static str| lookup(name).ok_or(Unset(name));
        let list = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        // A host may declare a variable that nobody sets; its value is then blank.
        let optional = |name: &str| lookup(name).map(list).filter(|list| !list.is_empty());
        Ok(Self {
            authority: required("authority")?,
            v1_authority: required("v1_authority")?,
            tenants: optional("tenants").map_or_else(|| required("tenant").map(list), Ok)?,
            audiences: list(required("audiences")?),
            clients: optional("clients"),
            leeway: required("leeway")?.parse().map_err(|_| Unset("leeway"))?,
        })
    }
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
        }
    }

    #[test]
    fn a_leeway_that_is_no_number_is_refused() {
        let settings = read(|name, value| Some(if name == "leeway" { "1m" } else { value }.to_owned()));
        assert_eq!(settings, Err(Unset("leeway")));
    }
}
