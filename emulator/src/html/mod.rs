//! HTML in which text cannot become markup by accident.
//!
//! [`html!`] is `format!` with two differences: every value is escaped unless it is [`Markup`] already, and names
//! cannot be captured inside the literal, so that no value slips past the first rule. Whole pages and their headers are
//! in `document.rs`.

mod document;

use std::borrow::Cow;

use uuid::Uuid;

pub(crate) use document::{Document, form_post};

/// Finished HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Markup(String);

/// What [`html!`] can show.
pub(crate) trait Show {
    /// As HTML that stays within its element or quoted attribute.
    fn show(&self) -> Cow<'_, str>;
}

/// `html!("<b>{}</b>", value)`. The literal goes through `concat!`, because the compiler refuses captured names in
/// literals that a macro made.
macro_rules! html {
    ($format:literal $(, $value:expr)* $(,)?) => {
        $crate::html::Markup::made(format!(concat!($format) $(, $crate::html::Show::show(&$value))*))
    };
}
pub(crate) use html;

impl Markup {
    /// For [`html!`] and for text that stands in the sources.
    pub(crate) fn made(text: String) -> Self {
        Self(text)
    }

    /// The bytes to send.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Markup> for Markup {
    fn from_iter<T: IntoIterator<Item = Markup>>(parts: T) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

impl Show for Markup {
    fn show(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl Show for str {
    fn show(&self) -> Cow<'_, str> {
        if !self.contains(['&', '<', '>', '"', '\'']) {
            return Cow::Borrowed(self);
        }
        let mut out = String::with_capacity(self.len() + 16);
        for c in self.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
        }
        Cow::Owned(out)
    }
}

impl Show for String {
    fn show(&self) -> Cow<'_, str> {
        self.as_str().show()
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self) -> Cow<'_, str> {
        (**self).show()
    }
}

impl Show for Uuid {
    fn show(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

impl Show for usize {
    fn show(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_text_and_markup_is_not_escaped_twice() {
        let inner = html!("<b title=\"{}\">{}</b>", "\"x'", "<a>&".to_owned());
        assert_eq!(
            html!("<p>{}</p>", inner).into_string(),
            "<p><b title=\"&quot;x&#39;\">&lt;a&gt;&amp;</b></p>"
        );
    }
}
