//! Why a policy document is refused: at start-up, before anyone is served. The texts name the entry to change.

use core::fmt;

use crate::limits;
use crate::subject::Subject;

/// An entry of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// What it is about.
    pub subject: Subject,
    /// By which name.
    pub name: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.subject, self.name)
    }
}

/// What is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// Longer than [`limits::DOCUMENT`].
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Not JSON, an unknown or doubled member, or a value of the wrong type. The text says where.
    Syntax(String),
    /// No tool is listed: such a server would deny every call.
    NoTools,
    /// A list has more entries than it may.
    TooMany {
        /// Which list.
        list: String,
        /// How many entries it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A rule names neither scopes nor roles: it would be for everybody or for nobody, and which one is not said.
    EmptyRule(Named),
    /// A rule admits applications but names no role. Applications have no scopes, so nobody could ever match, or, read
    /// the other way, any application of the tenant.
    ApplicationsWithoutRoles(Named),
    /// Not 1 to 128 characters of `A-Z a-z 0-9 _ . -`.
    InvalidName(Named),
    /// Not a scope token (RFC 6749 section 3.3), which no token can hold and no challenge can name; or too long.
    InvalidScope {
        /// Where it stands.
        place: String,
        /// The scope.
        scope: String,
    },
    /// Empty, with white space at an end, or too long.
    InvalidRole {
        /// Whose rule.
        named: Named,
        /// The role.
        role: String,
    },
    /// A name stands twice in one list.
    Repeated {
        /// Where it stands.
        place: String,
        /// The name.
        name: String,
    },
    /// A scope implies itself, directly or by way of others.
    Cycle {
        /// A scope on the cycle.
        scope: String,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "the policy has {length} bytes, at most {} are allowed", limits::DOCUMENT)
            }
            Self::Syntax(reason) => write!(f, "the policy cannot be read: {reason}"),
            Self::NoTools => f.write_str("the policy lists no tool in `tools`"),
            Self::TooMany { list, count, limit } => {
                write!(f, "{list} has {count} entries, at most {limit} are allowed")
            }
            Self::EmptyRule(named) => write!(f, "the rule of {named} names neither `scopes` nor `roles`"),
            Self::ApplicationsWithoutRoles(named) => {
                write!(f, "the rule of {named} admits applications, which needs `roles`")
            }
            Self::InvalidName(Named { subject, name }) => {
                write!(f, "`{name}` in `{}` is not a {subject} name", subject.section())
            }
            Self::InvalidScope { place, scope } => write!(f, "`{scope}` in {place} is not a scope"),
            Self::InvalidRole { named, role } => {
                write!(f, "`{role}` in the `roles` of {named} is not a role")
            }
            Self::Repeated { place, name } => write!(f, "`{name}` stands twice in {place}"),
            Self::Cycle { scope } => write!(f, "`{scope}` in `implies` implies itself"),
        }
    }
}

impl core::error::Error for PolicyError {}
