//! Every limit of a policy document, with its reason. The document is the operator's, but it is read in each fresh
//! instance, so it should stay small.

/// Bytes of the document.
pub const DOCUMENT: usize = 256 * 1024;

/// Tools, and as many resources and prompts. A model cannot choose among more.
pub const RULES: usize = 1024;

/// Scopes and roles of one rule, and scopes that one scope implies.
pub const NAMES: usize = 64;

/// Scopes that imply others.
pub const IMPLIES: usize = 256;

/// Bytes of a scope or a role. Entra's own limit for a role value is 250, for a scope 120 and the application's URI.
pub const NAME: usize = 512;

/// Bytes of the name of a tool (MCP `server/tools`), a resource or a prompt.
pub const RULE_NAME: usize = 128;
