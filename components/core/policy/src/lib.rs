//! Who may use which tool, resource and prompt: a policy document, and permits made by it.
//!
//! Owned here: the document's form, the scope hierarchy, and the one function that decides. Deliberately not here: who
//! the caller is (`core/token`; a [`Caller`] is taken at its word), what a tool does, and how a denial looks on the wire.
//!
//! Alice signed in with a client that asked for `mcp.access`, and the policy gives `get_me` to that scope: she gets a
//! permit. She also holds the app role `Mail.Admin`, but no rule of hers names roles, so it changes nothing. The nightly
//! job has no user and thus no scopes; it calls `list_users` because that rule names the role `Reports.Run`, which the job
//! holds, and says `"applications": true`. A tool that the policy does not name is nobody's, not even an administrator's.
//!
//! ```
//! use valet_core_policy::{Caller, Kind, Policy, Prompt, Reason, Tool};
//!
//! let policy = Policy::parse(r#"{
//!     "tools": {
//!         "get_me": { "scopes": ["mcp.access"] },
//!         "list_users": { "scopes": ["mcp.access"], "roles": ["Reports.Run"], "applications": true }
//!     },
//!     "implies": { "mcp.admin": ["mcp.access"] }
//! }"#)?;
//! let scopes = ["mcp.admin".to_owned()];
//! let alice = Caller { kind: Kind::User, scopes: &scopes, roles: &[] };
//! assert_eq!(policy.permit::<Tool>(&alice, "get_me")?.name(), "get_me");
//! let denial = policy.permit::<Tool>(&alice, "list_users").unwrap_err();
//! assert!(matches!(denial.reason, Reason::MissingRole { .. }));
//! assert_eq!(policy.permit::<Tool>(&alice, "format_disk").unwrap_err().reason, Reason::Unlisted);
//! assert_eq!(policy.permit::<Prompt>(&alice, "get_me").unwrap_err().reason, Reason::Unlisted);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod decision;
mod document;
mod error;
pub mod limits;
mod once;
mod subject;

pub use decision::{Caller, Denial, Kind, Permit, Reason};
pub use document::Policy;
pub use error::{Named, PolicyError};
pub use subject::{Prompt, Resource, Subject, Tool, Usable};
