//! Every limit of this crate, with its reason. A schema comes from a tool pack and an instance from a caller or from a
//! pack: neither is trusted with the time or the stack of a request.

/// Levels of objects and arrays in a document, the document itself being the first. As for a message (`core/mcp`).
pub const DEPTH: usize = 64;

/// Bytes of a document. Arguments end at 1 MiB before they come here, so this is for results.
pub const TEXT: usize = 4 * 1024 * 1024;

/// Values in a document, member names not counted. One takes up to 56 bytes, so a document costs at most some 7 MiB,
/// while `[0,0,0…` would otherwise turn two bytes into thirty-two.
pub const VALUES: usize = 128 * 1024;

/// Subschemas of a schema. Each is looked at once when the schema is checked, which is once for each call.
pub const SUBSCHEMAS: usize = 4096;

/// `$id`, `$anchor` and `$dynamicAnchor` of a schema. Each reference looks through them.
pub const NAMES: usize = 256;

/// Bytes of a JSON pointer into a schema. Each reference has one for its fault, and member names may be long.
pub const POINTER: usize = 2048;

/// Schemas that are being evaluated within each other: three for each level of the deepest instance. In a component each
/// takes 110 to 170 bytes of the stack, so that all of them take half of its 64 KiB (`.cargo/config.toml`) at most. Reading
/// a document of [`DEPTH`] levels takes a third, at another time.
pub const EVALUATION: usize = 192;

/// What one validation may cost, in steps: a keyword, a value, an entry of an `enum`, a compared value, 64 bytes of a
/// compared text are one each. A list of 100,000 numbers with three keywords takes 500,000. A step took 20 ns at most
/// where it was measured, natively, so this is 40 ms.
pub const STEPS: u64 = 2_000_000;

/// Steps of one search for a pattern, before its length counts: the search allocates.
pub const SEARCH: u64 = 32;

/// Steps of a search for each byte of the text.
pub const SEARCH_BYTE: u64 = 3;

/// As many positions of a pattern cost one step more for each byte. If all of them could match at the same time, it would
/// be three steps each; in `^[a-z]{1,64}$` and its like it is one position or two. Patterns made for it can thus take
/// twenty times longer than [`STEPS`] says, and no more than that.
pub const SEARCH_POSITIONS: u64 = 8;

/// Violations that are reported. A model mends a few at a time, and each takes room in its context.
pub const VIOLATIONS: usize = 8;

/// Alternatives of an `anyOf` or `oneOf` whose first violation is reported, if none fits.
pub const ALTERNATIVES: usize = 4;

/// Levels of `anyOf` and `oneOf` within each other that are reported so; each multiplies what is said.
pub const NESTED_ALTERNATIVES: usize = 2;

/// Characters of all violations together as a sentence.
pub const SENTENCE: usize = 4096;

/// Entries of an `enum` that are named in a violation.
pub const ENUM: usize = 16;

/// Characters of a value, a name or a pattern that are repeated in a message.
pub const ECHO: usize = 64;

/// Characters of a location in a message. Deep ones are rare; long member names are the caller's.
pub const LOCATION: usize = 256;

/// Bytes of a pattern. The regular-expression library recurses over what it reads.
pub const PATTERN: usize = 1024;

/// Positions of a pattern, counted repetitions written out: what each byte of a string may cost. `^.{1,1000}$` has 1002.
pub const POSITIONS: u64 = 2048;

/// Bytes of a compiled pattern, as a second guard. A position with a character class takes about a hundred.
pub const COMPILED: usize = 1024 * 1024;

/// Groups within groups of a pattern, for the stack as [`EVALUATION`].
pub const GROUPS: u32 = 32;
