//! `settings`: names and values from the configuration. Nothing secret is among them.

use super::Capabilities;
use crate::parts::bindings::identity::valet::capability::settings::Host;

impl Host for Capabilities {
    fn get(&mut self, name: String) -> Option<String> {
        self.lent.settings.get(&name).cloned()
    }
}
