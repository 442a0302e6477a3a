//! Lists in pages (MCP `server/utilities/pagination`): which list, from where on, and how the next page is asked for.
//!
//! A cursor names the last entry of the page before it, so that it stays good when entries are added elsewhere; and only
//! an entry that the caller may see, so that nobody learns by guessing what else there is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::fault::Fault;
use crate::limits;

/// A list that a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `tools/list`.
    Tools,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    Templates,
    /// `prompts/list`.
    Prompts,
}

impl List {
    /// The method that asks for it.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Prompts => "prompts/list",
        }
    }

    /// The result's member that holds it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
        }
    }

    /// What a cursor into it begins with.
    const fn mark(self) -> char {
        match self {
            Self::Tools => 't',
            Self::Resources => 'r',
            Self::Templates => 'u',
            Self::Prompts => 'p',
        }
    }
}

/// The place in a list where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The name of the entry before it.
    after: String,
}

impl Cursor {
    /// Reads a cursor into `list`. The error is for anything that [`page`] cannot have written for this list; whether the
    /// entry is there is seen later.
    pub(crate) fn parse(list: List, text: &str) -> Result<Self, Fault> {
        if text.len() > limits::CURSOR {
            return Err(Fault::InvalidCursor);
        }
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix(list.mark()).map(|after| Self { after: after.to_owned() }))
            .ok_or(Fault::InvalidCursor)
    }
}

/// A page of `entries`, which are all that the caller may see, in their order; and the cursor of the next page, if there
/// is one. `name` gives the name of an entry.
///
/// # Errors
///
/// [`Fault::InvalidCursor`] where the entry that the cursor names is not among them.
pub fn page<'e, T>(
    list: List,
    entries: &'e [T],
    cursor: Option<&Cursor>,
    name: impl Fn(&T) -> &str,
) -> Result<(&'e [T], Option<String>), Fault> {
    let from = match cursor {
        None => 0,
        Some(cursor) => {
            entries.iter().position(|entry| name(entry) == cursor.after).ok_or(Fault::InvalidCursor)? + 1
        }
    };
    let rest = entries.get(from..).unwrap_or_default();
    let Some((page, [_, ..])) = rest.split_at_checked(limits::PAGE) else {
        return Ok((rest, None));
    };
    let next = page.last().map(|last| URL_SAFE_NO_PAD.encode(format!("{}{}", list.mark(), name(last))));
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("n{index}")).collect()
    }

    fn pages(count: usize) -> Vec<usize> {
        let entries = entries(count);
        let (mut cursor, mut sizes, mut seen) = (None, Vec::new(), Vec::new());
        loop {
            let (page, next) = page(List::Tools, &entries, cursor.as_ref(), String::as_str).unwrap();
            sizes.push(page.len());
            seen.extend_from_slice(page);
            match next {
                None => break,
                Some(next) => cursor = Some(Cursor::parse(List::Tools, &next).unwrap()),
            }
        }
        assert_eq!(seen, entries, "each entry once and in order");
        sizes
    }

    #[test]
    fn a_page_is_full_or_the_last() {
        assert_eq!(pages(0), [0]);
        assert_eq!(pages(1), [1]);
        assert_eq!(pages(limits::PAGE), [limits::PAGE]);
        assert_eq!(pages(limits::PAGE + 1), [limits::PAGE, 1]);
        assert_eq!(pages(3 * limits::PAGE), [limits::PAGE; 3]);
    }

    #[test]
    fn a_cursor_that_is_not_ours_is_refused() {
        let entries = entries(limits::PAGE + 2);
        let (_, next) = page(List::Prompts, &entries, None, String::as_str).unwrap();
        let next = next.unwrap();
        assert!(next.len() <= limits::CURSOR);
        let cursor = Cursor::parse(List::Prompts, &next).unwrap();
        // Of another list, although the same entry is there.
        for list in [List::Tools, List::Resources, List::Templates] {
            assert_eq!(Cursor::parse(list, &next), Err(Fault::InvalidCursor), "{list:?}");
        }
        for text in ["", "x", "!", "cDE=", "/w", &format!("{next}="), &"A".repeat(limits::CURSOR + 1)] {
            assert_eq!(Cursor::parse(List::Prompts, text), Err(Fault::InvalidCursor), "{text}");
        }
        // Of an entry that is not there, or that this caller may not see.
        let fewer = &entries[..5];
        assert_eq!(page(List::Prompts, fewer, Some(&cursor), String::as_str), Err(Fault::InvalidCursor));
    }

    #[test]
    fn a_cursor_at_the_last_entry_gives_an_empty_page() {
        let entries = entries(3);
        let cursor = Cursor { after: "n2".to_owned() };
        assert_eq!(page(List::Tools, &entries, Some(&cursor), String::as_str), Ok((&[][..], None)));
    }

    #[test]
    fn the_longest_name_fits_into_a_cursor() {
        let name = "x".repeat(limits::TOOL_NAME);
        let text = URL_SAFE_NO_PAD.encode(format!("t{name}"));
        assert_eq!(Cursor::parse(List::Tools, &text), Ok(Cursor { after: name }));
    }
}
