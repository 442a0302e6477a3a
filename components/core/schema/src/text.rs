//! Text that goes into messages: short, and told apart from the words around it.

use crate::json::Json;
use crate::limits;

/// The first [`limits::ECHO`] characters.
pub(crate) fn clip(text: &str) -> String {
    clip_to(text, limits::ECHO)
}

pub(crate) fn clip_to(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value as a message names it: scalars as JSON, cut short; of the others, what they are.
pub(crate) fn shown(value: &Json<'_>) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// As a JSON string, so that no control character of a caller reaches a log or a terminal.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::String(clip(text)).to_string()
}

/// Appends a token to a JSON pointer (RFC 6901 section 3).
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    if token.bytes().any(|byte| matches!(byte, b'~' | b'/')) {
        pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(token);
    }
}

/// Appends an index to a JSON pointer.
pub(crate) fn push_index(pointer: &mut String, index: usize) {
    use core::fmt::Write as _;
    write!(pointer, "/{index}").expect("a String takes all text");
}

/// That one of `names` which `name` was probably meant to be: at most two letters inserted, left out or replaced, and
/// no more than a third of them.
pub(crate) fn similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let tolerance = (name.len() / 3).min(2);
    names
        .map(|candidate| (distance(name, candidate, tolerance), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, or more than `tolerance` as soon as that is sure.
fn distance(one: &str, other: &str, tolerance: usize) -> usize {
    if one.len() > limits::ECHO || one.len().abs_diff(other.len()) > tolerance {
        return tolerance + 1;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let (mut diagonal, mut left) = (index, index + 1);
        for (above, candidate) in row.iter_mut().skip(1).zip(other.bytes()) {
            let replaced = diagonal + usize::from(letter != candidate);
            diagonal = *above;
            left = replaced.min(*above + 1).min(left + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(tolerance + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(clip(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(clip(&"é".repeat(65)), format!("{}…", "é".repeat(64)));
        assert_eq!(quoted("a\n\u{1b}\"b"), r#""a\n\u001b\"b""#);
    }

    #[test]
    fn a_slip_is_recognised_and_nothing_is_guessed() {
        let names = ["user", "limit", "x", "order_by"];
        let guess = |name| similar(name, names.into_iter());
        assert_eq!(guess("usr"), Some("user"));
        assert_eq!(guess("limits"), Some("limit"));
        assert_eq!(guess("orderBy"), Some("order_by"));
        assert_eq!(guess("uuser"), Some("user"));
        assert_eq!(guess("usar"), Some("user"));
        assert_eq!(guess("us"), None, "too short to tell");
        assert_eq!(guess("y"), None);
        assert_eq!(guess("ordering"), None);
        assert_eq!(guess(&"u".repeat(1000)), None);
    }
}
