//! `wasi:config/store@0.2.0-draft-2024-09-27`: names and values that one component may read.
//!
//! It does not decide who may read what: give each component [`Variables`] of its own, as Spin's manifests do.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use wasmtime::component::{HasData, Linker};

use super::bindings::wasi::config::store as generated;

/// The variables of one component. Their values never print, because some are secrets and the interface does not tell them apart.
#[derive(Debug, Default)]
pub struct Variables(BTreeMap<String, SecretString>);

impl Variables {
    /// No variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name`, replacing what it was.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<SecretString>) -> &mut Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The names that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<SecretString>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// The view of [`Variables`] that the interface is implemented on.
pub struct VariablesView<'a>(&'a Variables);

impl<'a> VariablesView<'a> {
    /// A view of `variables`.
    #[must_use]
    pub fn new(variables: &'a Variables) -> Self {
        Self(variables)
    }
}

impl generated::Host for VariablesView<'_> {
    fn get(&mut self, key: String) -> Result<Option<String>, generated::Error> {
        Ok(self.0.0.get(&key).map(|value| value.expose_secret().to_owned()))
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, generated::Error> {
        Ok(self.0.0.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect())
    }
}

/// Adds `wasi:config/store` to `linker`.
///
/// # Errors
/// When the linker has it already.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> VariablesView<'_>,
) -> wasmtime::Result<()> {
    generated::add_to_linker::<T, Has>(linker, view)
}

struct Has;

impl HasData for Has {
    type Data<'a> = VariablesView<'a>;
}

#[cfg(test)]
mod tests {
    use super::generated::Host as _;
    use super::*;

    #[test]
    fn a_component_reads_its_own_variables_and_no_others() {
        let mut variables = Variables::from_iter([("tenant", "t"), ("leeway", "60")]);
        variables.insert("leeway", "0");
        let mut view = VariablesView::new(&variables);
        assert_eq!(view.get("leeway".to_owned()).unwrap().as_deref(), Some("0"));
        assert_eq!(view.get("client_secret".to_owned()).unwrap(), None);
        let all = [("leeway", "0"), ("tenant", "t")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(view.get_all().unwrap(), all);
    }

    #[test]
    fn values_do_not_print() {
        let variables = Variables::from_iter([("client_secret", "hunter2")]);
        let printed = format!("{variables:?}");
        assert!(printed.contains("client_secret") && !printed.contains("hunter2"), "{printed}");
    }
}
