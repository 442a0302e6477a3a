//! The decision, for one caller and one tool, resource or prompt, and its proof. It does not know how a caller was identified.

use core::fmt;
use core::marker::PhantomData;

use crate::document::{Policy, Rule};
use crate::subject::{Subject, Usable};

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

/// Proof that a policy lets the caller at hand use one tool, resource or prompt. Whatever runs a tool takes a permit as its
/// argument, and so cannot be reached without a decision.
///
/// There is no way to make one but [`Policy::permit`]:
///
/// ```compile_fail,E0451
/// let forged = valet_core_policy::Permit::<valet_core_policy::Tool> { name: "format_disk", kind: std::marker::PhantomData };
/// ```
///
/// ```compile_fail,E0599
/// let forged: valet_core_policy::Permit<'static, valet_core_policy::Tool> = Default::default();
/// let forged = valet_core_policy::Permit::new("format_disk");
/// ```
///
/// And one kind is not another:
///
/// ```compile_fail,E0308
/// use valet_core_policy::{Permit, Prompt, Tool};
/// fn run(_: Permit<'_, Tool>) {}
/// fn get(permit: Permit<'_, Prompt>) {
///     run(permit);
/// }
/// ```
///
/// It is not `Clone`: one decision, one call.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit<'p, U> {
    name: &'p str,
    kind: PhantomData<U>,
}

impl<'p, U> Permit<'p, U> {
    /// What it is for, by the policy's own copy of its name: use this one, not the name that the caller sent.
    #[must_use]
    pub const fn name(&self) -> &'p str {
        self.name
    }
}

/// That a caller may not use something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was asked for.
    pub subject: Subject,
    /// Why not.
    pub reason: Reason,
}

/// Why a caller may not use something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The policy does not name it. To allow it, add it to the section. Tell the caller that there is no such thing.
    Unlisted,
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
        let subject = self.subject;
        match &self.reason {
            Reason::Unlisted => write!(f, "the policy does not name the {subject}"),
            Reason::MissingScopes { needed, held } => {
                write!(f, "the {subject} needs the scopes {needed:?}, the token has {held:?}")
            }
            Reason::MissingRole { any_of, held } => {
                write!(f, "the {subject} needs one of the roles {any_of:?}, the token has {held:?}")
            }
            Reason::ApplicationNotAllowed => write!(f, "the {subject} is not for applications"),
        }
    }
}

impl core::error::Error for Denial {}

impl Policy {
    /// Whether `caller` may use the tool, resource or prompt `name`.
    ///
    /// # Errors
    ///
    /// [`Denial`], with scopes before roles: a client can ask for a scope, a role only an administrator can give.
    pub fn permit<U: Usable>(&self, caller: &Caller<'_>, name: &str) -> Result<Permit<'_, U>, Denial> {
        let denied = |reason| Denial { subject: U::SUBJECT, reason };
        let (name, rule) = self.rule(U::SUBJECT, name).ok_or_else(|| denied(Reason::Unlisted))?;
        self.judge(rule, caller).map_err(denied)?;
        Ok(Permit { name, kind: PhantomData })
    }

    fn judge(&self, rule: &Rule, caller: &Caller<'_>) -> Result<(), Reason> {
        match caller.kind {
            Kind::User => {
                if !rule.scopes.iter().all(|needed| self.has_scope(caller.scopes, needed)) {
                    return Err(Reason::MissingScopes {
                        needed: rule.scopes.clone(),
                        held: caller.scopes.to_vec(),
                    });
                }
                // A rule without roles asks for none; it has scopes then, or it would not have been read.
                if rule.roles.is_empty() { Ok(()) } else { check_roles(rule, caller) }
            }
            // Scopes are a user's consent. An application that shows some has them by a fault elsewhere.
            Kind::Application if rule.applications => check_roles(rule, caller),
            Kind::Application => Err(Reason::ApplicationNotAllowed),
        }
    }
}

fn check_roles(rule: &Rule, caller: &Caller<'_>) -> Result<(), Reason> {
    if rule.roles.iter().any(|role| caller.roles.contains(role)) {
        Ok(())
    } else {
        Err(Reason::MissingRole { any_of: rule.roles.clone(), held: caller.roles.to_vec() })
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
