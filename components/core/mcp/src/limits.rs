//! Every limit of this crate, with its reason. The size of a body is not among them: the host bounds it before a
//! component sees it.

/// Levels of objects and arrays in a message, the message itself being the first. Real calls stay below ten; each
/// level costs a stack frame of the reader, and `serde_json` itself gives up at 128.
pub const DEPTH: usize = 64;

/// Bytes of a JSON-RPC id as JSON text, quotes included. It is echoed into every answer and every audit record.
/// UUIDs take 38.
pub const ID: usize = 256;

/// Bytes of a tool's name (MCP `server/tools`: 1 to 128 characters, all ASCII).
pub const TOOL_NAME: usize = 128;

/// Bytes of the `arguments` of a tool call. Enough for a long mail with its text; attachments go another way.
pub const ARGUMENTS: usize = 1024 * 1024;

/// Bytes of a protocol version, in the header or in `_meta`. Ours have ten; it is echoed in the error.
pub const VERSION: usize = 64;

/// Bytes of a header value that we compare with the body. `Mcp-Name` of the longest tool name in its Base64 form
/// takes 185.
pub const HEADER_VALUE: usize = 1024;

/// Bytes of an `Accept`, `Content-Type`, `Host` or `Origin` value. Longer ones are not from a client of ours.
pub const NEGOTIATION_VALUE: usize = 1024;

/// Bytes of a bearer token. Entra's tokens with groups stay below 8 KiB, and few servers take larger headers.
pub const BEARER: usize = 16 * 1024;

/// Members of a definition or a result that a tool pack hands over, at the top level. A `Tool` has nine.
pub const TOOL_MEMBERS: usize = 64;

/// Characters of a caller's text that are repeated in an error message.
pub const ECHO: usize = 64;
