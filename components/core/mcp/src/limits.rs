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

/// Bytes of a header value that we compare with the body. `Mcp-Name` of the longest URI in its Base64 form takes 2748.
pub const HEADER_VALUE: usize = 4096;

/// Bytes of a resource's URI, as long as a URL that Graph takes.
pub const URI: usize = 2048;

/// Entries of one page of a list. More than a model can choose among, so that the many clients that never ask for a
/// second page miss nothing.
pub const PAGE: usize = 128;

/// Bytes of a cursor. Ours name an entry: a letter and a name, in Base64.
pub const CURSOR: usize = 256;

/// Bytes of the value that is to be completed, and of each that is known beside it: what a person types into a field.
pub const COMPLETION_VALUE: usize = 1024;

/// Arguments that are known beside the one that is to be completed.
pub const COMPLETION_KNOWN: usize = 32;

/// Values of one completion (MCP `server/utilities/completion`).
pub const COMPLETIONS: usize = 100;

/// Things that a result may ask of the client, and thus of its user, at once.
pub const INPUT_REQUESTS: usize = 8;

/// Bytes of one of them. A form with a field for everything has about two thousand.
pub const INPUT_REQUEST: usize = 16 * 1024;

/// Bytes of the key of one of them.
pub const INPUT_KEY: usize = 128;

/// Answers that one request may bring. Keys that were not asked for are ignored (MCP `basic/patterns/mrtr`), so there may
/// be more than were asked.
pub const INPUT_RESPONSES: usize = 32;

/// Bytes that a pack may want back with the answers.
pub const INPUT_STATE: usize = 8 * 1024;

/// Bytes of `requestState`: the same, sealed and in Base64.
pub const REQUEST_STATE: usize = 12 * 1024;

/// Seconds in which answers have to be there. A person reads, thinks and types; a state that was overheard should not be
/// worth much.
pub const INPUT_LIFETIME: u32 = 10 * 60;

/// Bytes of an `Accept`, `Content-Type`, `Host` or `Origin` value. Longer ones are not from a client of ours.
pub const NEGOTIATION_VALUE: usize = 1024;

/// Bytes of a bearer token. Entra's tokens with groups stay below 8 KiB, and few servers take larger headers.
pub const BEARER: usize = 16 * 1024;

/// Members of a definition or a result that a tool pack hands over, at the top level. A `Tool` has nine.
pub const TOOL_MEMBERS: usize = 64;

/// Characters of a caller's text that are repeated in an error message.
pub const ECHO: usize = 64;
