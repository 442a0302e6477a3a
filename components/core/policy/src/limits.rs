//! Every limit of a policy document, with its reason. The document is the operator's, but it is read in each fresh
//! instance, so it should stay small.

/// Bytes of the document.
pub const DOCUMENT: usize = 256 * 1024;

/// Tools. A model cannot choose among more.
pub const TOOLS: usize = 1024;

/// Scopes and roles of one rule, and scopes that one scope implies.
pub const NAMES: usize = 64;

/// Scopes that imply others.
pub const IMPLIES: usize = 256;

/// Bytes of a scope or a role. Entra's own limit for a role value is 250, for a scope 120 and the application's URI.
pub const NAME: usize = 512;

/// Bytes of a tool's name (MCP `server/tools`).
pub const TOOL_NAME: usize = 128;
