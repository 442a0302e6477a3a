//! What an instance violates, in values for tests and logs and in sentences for a model.

use core::fmt;

use crate::limits;
use crate::text::clip_to;

/// Why an instance was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    /// At most [`limits::VIOLATIONS`], in the order in which they were found. Empty if the validation was given up, for
    /// then nothing is known.
    pub found: Vec<Violation>,
    /// Why the validation ended early, if it did.
    pub stopped: Option<Stop>,
}

/// Why a validation ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// There were [`limits::VIOLATIONS`] violations; there may be more.
    Enough,
    /// It took more than [`limits::STEPS`] steps.
    TooCostly,
    /// Schemas were evaluated within each other beyond [`limits::EVALUATION`].
    TooDeep,
}

/// One keyword that one value violates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where in the instance: a JSON pointer (RFC 6901), cut to [`limits::LOCATION`] characters.
    pub at: String,
    /// The keyword. `false` for a schema that is `false`.
    pub keyword: &'static str,
    /// What was asked for and what was there.
    pub problem: Problem,
}

/// What was asked for and what was there. Values, names and patterns are cut to [`limits::ECHO`] characters, and values
/// are written as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A value of another type.
    Type {
        /// The types that are allowed.
        expected: Vec<&'static str>,
        /// The type that is there.
        found: &'static str,
    },
    /// None of the values that are allowed.
    Value {
        /// The first [`limits::ENUM`] of them.
        allowed: Vec<String>,
        /// How many there are.
        of: usize,
        /// The value.
        found: String,
    },
    /// A number outside of its bounds.
    Bound {
        /// `at least`, `more than`, `at most`, `less than` or `a multiple of`.
        relation: &'static str,
        /// The bound.
        bound: String,
        /// The number.
        found: String,
    },
    /// Too many or too few.
    Count {
        /// `at least` or `at most`.
        relation: &'static str,
        /// The bound.
        bound: u64,
        /// How many there are.
        found: usize,
        /// Of what: characters, items, members, fitting items.
        what: &'static str,
    },
    /// A string that a pattern does not match.
    Pattern {
        /// The pattern.
        pattern: String,
        /// The string.
        found: String,
    },
    /// Two equal items.
    Repeated {
        /// Index of one.
        first: usize,
        /// Index of another.
        second: usize,
    },
    /// A member is missing.
    Missing {
        /// Its name.
        name: String,
        /// The member that it has to go with, for `dependentRequired`.
        with: Option<String>,
    },
    /// A member or item that no keyword knows, where others are not allowed. The location is its own.
    Unknown {
        /// A known name that is not far from this one.
        similar: Option<String>,
    },
    /// The schema is `false`.
    Forbidden,
    /// A member's name is not allowed.
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: Box<Violation>,
    },
    /// None of several schemas fits.
    NoneFits {
        /// The first violation of each of the first [`limits::ALTERNATIVES`] of them.
        alternatives: Vec<Violation>,
        /// How many there are.
        of: usize,
    },
    /// More than one of several schemas fits.
    SeveralFit {
        /// Index of one.
        first: usize,
        /// Index of another.
        second: usize,
    },
    /// A schema fits that must not.
    Fits,
}

impl fmt::Display for Violations {
    /// Sentences for a model, cut to [`limits::SENTENCE`] characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences: Vec<_> = self.found.iter().map(Violation::to_string).collect();
        f.write_str(&clip_to(&sentences.join("; "), limits::SENTENCE))?;
        match self.stopped {
            None => Ok(()),
            Some(Stop::Enough) => f.write_str("; there may be more"),
            Some(Stop::TooCostly) => f.write_str("takes too long to check: send less"),
            Some(Stop::TooDeep) => f.write_str("is nested too deeply to check"),
        }
    }
}

impl core::error::Error for Violations {}

impl fmt::Display for Violation {
    /// A sentence that says what to change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`: {}",
            if self.at.is_empty() { Printable("/") } else { Printable(&self.at) },
            self.problem
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => {
                f.write_str("must be ")?;
                list(f, expected, expected.len())?;
                write!(f, ", is {found}")
            }
            Self::Value { of: 0, found, .. } => write!(f, "no value is allowed, is {found}"),
            Self::Value { allowed, of, found } => {
                f.write_str("must be ")?;
                list(f, allowed, *of)?;
                write!(f, ", is {found}")
            }
            Self::Bound { relation, bound, found } => write!(f, "must be {relation} {bound}, is {found}"),
            Self::Count { relation, bound, found, what } => {
                write!(f, "must have {relation} {bound} {what}, has {found}")
            }
            Self::Pattern { pattern, found } => write!(f, "must match the pattern `{pattern}`, is {found}"),
            Self::Repeated { first, second } => {
                write!(f, "must not have equal items, but {first} and {second} are")
            }
            Self::Missing { name, with: None } => write!(f, "`{name}` is required"),
            Self::Missing { name, with: Some(with) } => write!(f, "`{name}` is required beside `{with}`"),
            Self::Unknown { similar: None } => f.write_str("is not known here"),
            Self::Unknown { similar: Some(similar) } => {
                write!(f, "is not known here; did you mean `{similar}`?")
            }
            Self::Forbidden => f.write_str("must not be there"),
            Self::Name { name, reason } => write!(f, "the name `{}` {}", Printable(name), reason.problem),
            Self::NoneFits { alternatives, of } => {
                write!(f, "fits none of {of} alternatives")?;
                if alternatives.is_empty() {
                    return Ok(());
                }
                f.write_str(" (")?;
                for (index, violation) in alternatives.iter().enumerate() {
                    write!(f, "{}{violation}", if index > 0 { "; or " } else { "" })?;
                }
                f.write_str(if alternatives.len() < *of { "; …)" } else { ")" })
            }
            Self::SeveralFit { first, second } => {
                write!(f, "fits alternatives {} and {}, must fit exactly one", first + 1, second + 1)
            }
            Self::Fits => f.write_str("has a form that is not allowed"),
        }
    }
}

/// A caller's text without its control characters, which could start a line of their own in a log.
struct Printable<'t>(&'t str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character.is_control() {
            true => write!(f, "{}", character.escape_unicode()),
            false => write!(f, "{character}"),
        })
    }
}

/// `a, b or c`, with an ellipsis where there are more.
fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, entries: &[T], of: usize) -> fmt::Result {
    for (index, entry) in entries.iter().enumerate() {
        let separator = match index {
            0 => "",
            _ if index + 1 == of => " or ",
            _ => ", ",
        };
        write!(f, "{separator}{entry}")?;
    }
    f.write_str(if entries.len() < of { ", …" } else { "" })
}

impl Violation {
    pub(crate) fn new(at: &str, keyword: &'static str, problem: Problem) -> Self {
        Self { at: clip_to(at, limits::LOCATION), keyword, problem }
    }
}
