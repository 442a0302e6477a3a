//! The decision, for one caller and one tool, and its proof. It does not know how a caller was identified.

use core::fmt;

use crate::document::{Policy, Rule};

/// Who is calling, as far as a policy asks. Borrowed from the verified principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// With or without a user.
    pub kind: Kind,
    /// Delegated permissions (`scp`), each whole. Looked at for users only.
    pub scopes: &'a [String],
    /// App roles (`roles`).
    pub roles: &'a [String],
}

/// What kind of party a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A signed-in user, through an application.
    User,
    /// An application on its own behalf.
    Application,
}

/// Proof that a policy lets the caller at hand use one tool. Whatever runs a tool takes a permit as its argument, and so
/// cannot be reached without a decision.
///
/// There is no way to make one but [`Policy::permit`]:
///
/// ```compile_fail,E0451
/// let forged = valet_core_policy::Permit { tool: "format_disk" };
/// ```
///
/// ```compile_fail,E0599
/// let forged: valet_core_policy::Permit<'static> = Default::default();
/// let forged = valet_core_policy::Permit::new("format_disk");
/// ```
///
/// It is not `Clone`: one decision, one call.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit<'p> {
    tool: &'p str,
}

impl<'p> Permit<'p> {
    /// The tool, by the policy's own copy of its name: run this one, not the name that the caller sent.
    #[must_use]
    pub const fn tool(&self) -> &'p str {
        self.tool
    }
}

/// Why a caller may not use a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The policy does not name the tool. To allow it, add it to `tools`. Tell the caller that there is no such tool.
    UnlistedTool,
    /// A user without all of the rule's scopes. Answer 403 `insufficient_scope` and name **all** of `needed` (MCP
    /// `basic/authorization`).
    MissingScopes {
        /// What the rule asks for.
        needed: Vec<String>,
        /// What the token has.
        held: Vec<String>,
    },
    /// A caller with none of the rule's roles. An administrator has to assign one; asking for other scopes is no help.
    MissingRole {
        /// What the rule asks for, any one of them.
        any_of: Vec<String>,
        /// What the token has.
        held: Vec<String>,
    },
    /// An application, where the rule is for users (`"applications": true` is missing).
    ApplicationNotAllowed,
}

impl fmt::Display for Denial {
    /// For the log: what was asked for and what was there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnlistedTool => f.write_str("the policy does not name the tool"),
            Self::MissingScopes { needed, held } => {
                write!(f, "the tool needs the scopes {needed:?}, the token has {held:?}")
            }
            Self::MissingRole { any_of, held } => {
                write!(f, "the tool needs one of the roles {any_of:?}, the token has {held:?}")
            }
            Self::ApplicationNotAllowed => f.write_str("the tool is not for applications"),
        }
    }
}

impl core::error::Error for Denial {}

impl Policy {
    /// Whether `caller` may use `tool`.
    ///
    /// # Errors
    ///
    /// [`Denial`], with scopes before roles: a client can ask for a scope, a role only an administrator can give.
    pub fn permit(&self, caller: &Caller<'_>, tool: &str) -> Result<Permit<'_>, Denial> {
        let (tool, rule) = self.rule(tool).ok_or(Denial::UnlistedTool)?;
        match caller.kind {
            Kind::User => {
                if !rule.scopes.iter().all(|needed| self.has_scope(caller.scopes, needed)) {
                    return Err(Denial::MissingScopes {
                        needed: rule.scopes.clone(),
                        held: caller.scopes.to_vec(),
                    });
                }
                // A rule without roles asks for none; it has scopes then, or it would not have been read.
                if !rule.roles.is_empty() {
                    check_roles(rule, caller)?;
                }
            }
            Kind::Application => {
                // Scopes are a user's consent. An application that shows some has them by a fault elsewhere.
                if !rule.applications {
                    return Err(Denial::ApplicationNotAllowed);
                }
                check_roles(rule, caller)?;
            }
        }
        Ok(Permit { tool })
    }

    /// Those of `tools` that `caller` may use, in their order: what `tools/list` shows. The same decision as for a call,
    /// so that a client sees what it can use and nothing else.
    pub fn visible<'t>(
        &self,
        caller: &Caller<'_>,
        tools: impl IntoIterator<Item = &'t str>,
    ) -> impl Iterator<Item = &'t str> {
        tools.into_iter().filter(|tool| self.permit(caller, tool).is_ok())
    }
}

fn check_roles(rule: &Rule, caller: &Caller<'_>) -> Result<(), Denial> {
    if rule.roles.iter().any(|role| caller.roles.contains(role)) {
        Ok(())
    } else {
        Err(Denial::MissingRole { any_of: rule.roles.clone(), held: caller.roles.to_vec() })
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
