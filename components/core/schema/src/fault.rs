//! Why a document or a schema cannot be used. The texts are for whoever wrote it.

use core::fmt;

use crate::limits;

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// Longer than [`limits::TEXT`].
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// More than [`limits::DEPTH`] levels.
    TooDeep,
    /// More than [`limits::VALUES`] values.
    TooManyValues,
    /// A member occurs twice in one object (RFC 8259 section 4 leaves open which one counts).
    Duplicate {
        /// Its name, cut to [`limits::ECHO`] characters.
        name: String,
    },
    /// Not JSON, or a number that no `f64` holds.
    NotJson {
        /// Line, from one.
        line: usize,
        /// Column, from one; 0 at the end of an empty line.
        column: usize,
    },
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "has {length} bytes, at most {} are allowed", limits::TEXT)
            }
            Self::TooDeep => write!(f, "nested deeper than {} levels", limits::DEPTH),
            Self::TooManyValues => write!(f, "has more than {} values", limits::VALUES),
            Self::Duplicate { name } => write!(f, "member `{name}` occurs twice"),
            Self::NotJson { line, column } => write!(f, "not JSON at line {line}, column {column}"),
        }
    }
}

impl core::error::Error for JsonFault {}

/// Why a schema is unusable, and where: a JSON pointer into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// JSON pointer (RFC 6901) of the keyword or subschema.
    pub at: String,
    /// What is wrong there.
    pub reason: Reason,
}

/// What is wrong at one place of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Neither an object nor a boolean stands where a schema has to.
    NotASchema,
    /// A keyword's value is of the wrong type.
    WrongValue {
        /// What it should be.
        expected: &'static str,
    },
    /// A dialect other than 2020-12, or draft-07 as far as it agrees.
    UnknownDialect {
        /// `$schema`, cut.
        found: String,
    },
    /// A keyword of draft-07 that 2020-12 replaced by two others.
    Replaced {
        /// What to write instead.
        instead: &'static str,
    },
    /// A pattern outside of what is supported (see [`crate::Schema`]).
    Pattern {
        /// The pattern, cut.
        pattern: String,
        /// Why.
        problem: String,
    },
    /// A reference to another document. Nothing is fetched (MCP `basic/index#json-schema-usage`).
    Remote {
        /// The reference, cut.
        reference: String,
    },
    /// A reference to nothing.
    Dangling {
        /// The reference, cut.
        reference: String,
    },
    /// A reference that leads in a circle without going into the instance: it would never end.
    Endless {
        /// The reference, cut.
        reference: String,
    },
    /// An identifier with a fragment, which only `$anchor` makes.
    Identifier {
        /// `$id`, cut.
        id: String,
    },
    /// Two schemas with one `$id`, `$anchor` or `$dynamicAnchor`.
    SameName {
        /// The name, cut.
        name: String,
    },
    /// More than [`limits::SUBSCHEMAS`] subschemas or [`limits::NAMES`] names, or a place whose pointer has more than
    /// [`limits::POINTER`] bytes.
    TooLarge,
    /// Subschemas and references within each other beyond [`limits::EVALUATION`].
    TooDeep,
}

impl fmt::Display for SchemaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schema at `{}`: ", if self.at.is_empty() { "/" } else { &self.at })?;
        match &self.reason {
            Reason::NotASchema => f.write_str("must be an object or a boolean"),
            Reason::WrongValue { expected } => write!(f, "must be {expected}"),
            Reason::UnknownDialect { found } => {
                write!(f, "`{found}` is no supported dialect; leave `$schema` out for 2020-12")
            }
            Reason::Replaced { instead } => write!(f, "write {instead} instead"),
            Reason::Pattern { pattern, problem } => write!(f, "pattern `{pattern}`: {problem}"),
            Reason::Remote { reference } => {
                write!(f, "`{reference}` is in another document, and none is fetched: bundle it in `$defs`")
            }
            Reason::Dangling { reference } => write!(f, "`{reference}` leads nowhere"),
            Reason::Endless { reference } => write!(f, "`{reference}` leads in a circle"),
            Reason::Identifier { id } => write!(f, "`{id}` must not have a fragment"),
            Reason::SameName { name } => write!(f, "`{name}` is given to two schemas"),
            Reason::TooLarge => {
                let (schemas, names, bytes) = (limits::SUBSCHEMAS, limits::NAMES, limits::POINTER);
                write!(f, "more than {schemas} subschemas, {names} names or {bytes} bytes of a pointer")
            }
            Reason::TooDeep => {
                write!(f, "subschemas and references within each other beyond {}", limits::EVALUATION)
            }
        }
    }
}

impl core::error::Error for SchemaFault {}
