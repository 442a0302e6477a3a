//! Patterns: what of ECMA-262 can be searched for in linear time, handed to a library that does so.
//!
//! JSON Schema Core 6.4 asks authors for a subset that is common to most libraries. What the two sides read differently
//! is re-written; what only one of them has is refused, so that no pattern silently means something else.

use regex_lite::{Regex, RegexBuilder};

use crate::limits;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    positions: u64,
}

impl Pattern {
    /// Compiles a pattern of a schema.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        if source.len() > limits::PATTERN {
            return Err(format!("longer than {} bytes", limits::PATTERN));
        }
        let mut translation = Translation::default();
        translation.pattern(source)?;
        let regex = RegexBuilder::new(&translation.out)
            .size_limit(limits::COMPILED)
            .nest_limit(limits::GROUPS)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { regex, positions: translation.positions })
    }

    /// What a search in `text` costs at most, in steps.
    pub(crate) fn cost(&self, text: &str) -> u64 {
        let each = limits::SEARCH_BYTE + self.positions / limits::SEARCH_POSITIONS;
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        limits::SEARCH.saturating_add(length.saturating_mul(each))
    }

    /// Whether it matches anywhere in `text` (JSON Schema Validation 6.3.3).
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// ECMA-262 `WhiteSpace` and `LineTerminator`, inside of a class. The library's `\s` is ASCII.
const SPACE: &str = r"\t\n\x0B\x0C\r \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF";

/// A pattern on its way into the library's syntax, and how many positions it has.
#[derive(Default)]
struct Translation {
    out: String,
    /// Positions outside of the open groups and of `last`.
    positions: u64,
    /// Positions of what was read last: what a quantifier would repeat.
    last: u64,
    /// `positions` of each group that encloses the current one.
    groups: Vec<u64>,
}

impl Translation {
    fn pattern(&mut self, source: &str) -> Result<(), String> {
        let mut rest = source;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '\\' => self.escape(rest, false)?,
                '[' => self.class(rest)?,
                '(' => self.open(rest)?,
                ')' => self.close(),
                '{' => self.counted(rest)?,
                '.' => self.atom(r"[^\n\r\u2028\u2029]", 1),
                '*' | '+' | '?' | '|' | '^' | '$' => {
                    self.out.push(first);
                    1
                }
                _ => {
                    self.atom("", first.len_utf8());
                    self.out.push(first);
                    first.len_utf8()
                }
            };
            rest = rest.get(length..).unwrap_or_default();
            if self.positions.saturating_add(self.last) > limits::POSITIONS {
                return Err(format!("has more than {} positions", limits::POSITIONS));
            }
        }
        self.positions += self.last;
        Ok(())
    }

    /// Takes `length` bytes that stand for one character, as `text`.
    fn atom(&mut self, text: &str, length: usize) -> usize {
        self.positions += self.last;
        self.last = 1;
        self.out.push_str(text);
        length
    }

    fn open(&mut self, rest: &str) -> Result<usize, String> {
        let is_name =
            |rest: &str| rest.starts_with("(?<") && !rest.starts_with("(?<=") && !rest.starts_with("(?<!");
        if rest.starts_with("(?") && !rest.starts_with("(?:") && !is_name(rest) {
            return Err("look-around and flags are not supported".to_owned());
        }
        self.groups.push(self.positions + self.last);
        (self.positions, self.last) = (0, 0);
        // What a group captures is not asked for, and capturing costs time and memory.
        self.out.push_str("(?:");
        Ok(if rest.starts_with("(?:") {
            3
        } else if is_name(rest) {
            rest.find('>').ok_or("the name of a group is not closed")? + 1
        } else {
            1
        })
    }

    fn close(&mut self) -> usize {
        // An empty group repeated a million times is still a million steps of the compiler.
        self.last = (self.positions + self.last).max(1);
        self.positions = self.groups.pop().unwrap_or_default();
        self.out.push(')');
        1
    }

    /// `{n}`, `{n,}` or `{n,m}`.
    fn counted(&mut self, rest: &str) -> Result<usize, String> {
        let count = |text: &str| -> Option<u64> {
            let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
            if is_digits { text.parse().ok() } else { None }
        };
        let bounds = rest.split_once('}').and_then(|(bounds, _)| bounds.strip_prefix('{'));
        let times = bounds.and_then(|bounds| match bounds.split_once(',') {
            None => count(bounds),
            Some((least, "")) => count(least).map(|least| least.saturating_add(1)),
            Some((least, most)) => count(least).and(count(most)),
        });
        let (Some(bounds), Some(times)) = (bounds, times) else {
            return Err("`{` is no quantifier; write `\\{` for the character".to_owned());
        };
        self.last = self.last.saturating_mul(times.max(1));
        self.out.extend(["{", bounds, "}"]);
        Ok(bounds.len() + 2)
    }

    /// A character class; its own syntax differs more than the rest.
    fn class(&mut self, rest: &str) -> Result<usize, String> {
        self.atom("[", 1);
        let mut at = 1;
        if rest.starts_with("[^") {
            self.out.push('^');
            at = 2;
        }
        if rest.get(at..).is_some_and(|rest| rest.starts_with(']')) {
            return Err("empty character classes are not supported".to_owned());
        }
        loop {
            let inner = rest.get(at..).unwrap_or_default();
            match inner.chars().next() {
                None => return Err("a character class is not closed".to_owned()),
                Some(']') => {
                    self.out.push(']');
                    return Ok(at + 1);
                }
                Some('\\') => at += self.escape(inner, true)?,
                Some(character) => {
                    // The library gives these a meaning within a class, ECMA-262 does not.
                    if matches!(character, '[' | '&' | '~') {
                        self.out.push('\\');
                    }
                    self.out.push(character);
                    at += character.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self, rest: &str, in_class: bool) -> Result<usize, String> {
        let Some(escaped) = rest.chars().nth(1) else {
            return Err("ends with `\\`".to_owned());
        };
        let digits = |count: usize| {
            rest.get(2..2 + count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let mut length = 1 + escaped.len_utf8();
        let text = match escaped {
            'b' if in_class => r"\x08".to_owned(),
            's' if in_class => SPACE.to_owned(),
            's' => format!("[{SPACE}]"),
            'S' if !in_class => format!("[^{SPACE}]"),
            'b' | 'B' if !in_class && rest.get(2..3) != Some("{") => format!(r"\{escaped}"),
            'd' | 'D' | 'w' | 'W' | 't' | 'n' | 'v' | 'f' | 'r' => format!(r"\{escaped}"),
            'x' | 'u' => {
                let count = if escaped == 'x' { 2 } else { 4 };
                let digits = digits(count).ok_or("an incomplete `\\x` or `\\u`")?;
                length += count;
                format!(r"\{escaped}{digits}")
            }
            'c' => {
                // A letter's place in the alphabet.
                let letter =
                    rest.chars().nth(2).filter(char::is_ascii_alphabetic).ok_or("an incomplete `\\c`")?;
                length += 1;
                format!(r"\x{:02x}", u32::from(letter) & 31)
            }
            '0' if !rest
                .get(2..)
                .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit())) =>
            {
                r"\x00".to_owned()
            }
            // To the library `\<` and `\>` are ends of words.
            '<' | '>' => escaped.to_string(),
            ' ' => " ".to_owned(),
            _ if escaped.is_ascii_punctuation() => format!(r"\{escaped}"),
            other => {
                return Err(format!(
                    "`\\{other}` is not supported{}",
                    if in_class { " in a class" } else { "" }
                ));
            }
        };
        if !in_class {
            return Ok(self.atom(&text, length));
        }
        self.out.push_str(&text);
        Ok(length)
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
