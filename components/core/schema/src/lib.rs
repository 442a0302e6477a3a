//! JSON Schema 2020-12 as a pure function: a schema and an instance in, nothing or violations out.
//!
//! Owned here: what a tool's `inputSchema` and `outputSchema` say of arguments and results (MCP
//! `basic/index#json-schema-usage`), at a cost that is bounded whatever they are. Deliberately not here: where schemas
//! come from, when they are applied and how a violation travels. Nothing is fetched.
//!
//! Decision 0005 says why this is not a library.
//!
//! ```
//! use valet_core_schema::{Json, Schema};
//!
//! let document = Json::parse(r#"{
//!     "type": "object",
//!     "properties": { "user": { "type": "string" }, "limit": { "type": "integer", "maximum": 50 } },
//!     "required": ["user"],
//!     "additionalProperties": false
//! }"#)?;
//! let schema = Schema::check(&document)?;
//!
//! assert_eq!(schema.validate(&Json::parse(r#"{ "user": "adele", "limit": 50 }"#)?), Ok(()));
//! let violations = schema.validate(&Json::parse(r#"{ "usr": "adele", "limit": 900 }"#)?).unwrap_err();
//! assert_eq!(
//!     violations.to_string(),
//!     "`/usr`: is not known here; did you mean `user`?; `/limit`: must be at most 50, is 900; `/`: `user` is required"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod fault;
mod json;
mod keyword;
pub mod limits;
mod number;
mod pattern;
mod reference;
mod schema;
mod text;
mod uri;
mod validate;
mod violation;

pub use fault::{JsonFault, Reason, SchemaFault};
pub use json::{Json, Members};
pub use number::Number;
pub use schema::Schema;
pub use violation::{Problem, Stop, Violation, Violations};
