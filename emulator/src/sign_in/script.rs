//! How a test answers the pages without clicking: three headers, or `login_hint` where the emulator was started so.

use axum::http::HeaderMap;

use super::{Step, Visit};
use crate::registrations::User;

/// What the headers of a request decide.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// `x-emulator-approve: <upn>`: this user signs in, without a password, and agrees.
    pub(super) approver: Option<String>,
    /// `x-emulator-mfa: 1`, or `;mfa` behind the name: a second factor is approved where one is asked for.
    pub(super) second_factor: bool,
    /// `x-emulator-decline: 1`: the user declines.
    pub(super) declines: bool,
}

impl Script {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let value = |name| headers.get(name).and_then(|v| v.to_str().ok());
        let approve = value("x-emulator-approve");
        let (name, suffix) = approve.map_or((None, ""), |v| match v.split_once(';') {
            Some((name, suffix)) => (Some(name.trim()), suffix.trim()),
            None => (Some(v), ""),
        });
        Self {
            approver: name.map(str::to_owned),
            second_factor: suffix == "mfa" || value("x-emulator-mfa") == Some("1"),
            declines: value("x-emulator-decline") == Some("1"),
        }
    }
}

impl<'a> Visit<'a> {
    /// The user in whose name nobody has to click.
    pub(super) fn approver(&self, step: &Step<'_>) -> Option<&'a User> {
        let by_hint = self.login_hint.filter(|_| self.state.auto_approve);
        let named = self.all.user(step.script.approver.as_deref().or(by_hint)?)?;
        // Named by the home account, a guest is meant as whom this directory knows.
        Some(self.here(named).unwrap_or(named))
    }

    /// Whether that is this user.
    pub(super) fn scripted(&self, step: &Step<'_>, user: &User) -> bool {
        self.approver(step).is_some_and(|u| u.id == user.id)
    }
}
