//! Parameters of a query or of a body, `application/x-www-form-urlencoded` (RFC 6749 appendix B): bounded, and each at most once.

use core::fmt;

use secrecy::SecretString;

use crate::http::essence;
use crate::limits;

/// The parameters of one request. Values do not print: they may be codes, tokens or secrets.
pub struct Form(Vec<(String, String)>);

/// Why a text is not taken for parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormError {
    /// Longer than [`limits::FORM`].
    TooLong {
        /// Its length.
        length: usize,
    },
    /// More than [`limits::PARAMETERS`] parameters.
    TooMany,
    /// Not UTF-8 after decoding (RFC 6749 appendix B).
    NotUtf8,
    /// The body of a POST is not `application/x-www-form-urlencoded`.
    MediaType {
        /// What it is, cut short.
        found: String,
    },
    /// A parameter is there twice (RFC 6749 section 3.1).
    Duplicate {
        /// Its name, cut short.
        name: String,
    },
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "the parameters have {length} bytes, at most {} are read", limits::FORM)
            }
            Self::TooMany => write!(f, "there are more than {} parameters", limits::PARAMETERS),
            Self::NotUtf8 => f.write_str("the parameters are not UTF-8"),
            Self::MediaType { found } => {
                write!(f, "the body has the media type `{found}`, not application/x-www-form-urlencoded")
            }
            Self::Duplicate { name } => write!(f, "the parameter `{name}` is there twice"),
        }
    }
}

impl core::error::Error for FormError {}

impl Form {
    /// Reads a query (without its question mark) or a body.
    ///
    /// # Errors
    ///
    /// [`FormError`].
    pub fn parse(text: &[u8]) -> Result<Self, FormError> {
        if text.len() > limits::FORM {
            return Err(FormError::TooLong { length: text.len() });
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            // What the decoder writes for bytes that are no UTF-8. Nobody has a use for the character itself.
            if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                return Err(FormError::NotUtf8);
            }
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Duplicate { name: shown(&name) });
            }
            if pairs.len() == limits::PARAMETERS {
                return Err(FormError::TooMany);
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// Reads the body of a POST.
    ///
    /// # Errors
    ///
    /// [`FormError`].
    pub fn post(content_type: Option<&str>, body: &[u8]) -> Result<Self, FormError> {
        if !essence(content_type).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(FormError::MediaType { found: shown(content_type.unwrap_or_default()) });
        }
        Self::parse(body)
    }

    /// Reads the query of a GET, or else the body of a POST: for the endpoints that take both.
    ///
    /// # Errors
    ///
    /// [`FormError`].
    pub fn of_request(
        method: &str,
        query: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, FormError> {
        match method {
            "POST" => Self::post(content_type, body),
            _ => Self::parse(query.unwrap_or_default().as_bytes()),
        }
    }

    /// The value of a parameter. One without a value counts as absent (RFC 6749 section 3.1).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    }

    /// The same for a value that must not be printed.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name).map(SecretString::from)
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| shown(name))).finish()
    }
}

/// A stranger's text as it may stand in a log or a message: visible ASCII, and not much of it.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let form = Form::parse(b"a=1&b=x%20y+z&c=&d&e=%C3%A9").unwrap();
        assert_eq!(
            ["a", "b", "c", "d", "e", "f"].map(|name| form.get(name)),
            [Some("1"), Some("x y z"), None, None, Some("\u{e9}"), None]
        );
    }

    #[test]
    fn a_parameter_counts_once_however_it_is_written() {
        for text in ["a=1&a=1", "a=1&%61=2", "a&a", "x=1&a=&a=2"] {
            let found = Form::parse(text.as_bytes()).map(drop);
            assert_eq!(found, Err(FormError::Duplicate { name: "a".into() }), "{text}");
        }
    }

    #[test]
    fn what_is_no_utf8_or_too_much_is_refused() {
        assert_eq!(Form::parse(b"a=%ff").map(drop), Err(FormError::NotUtf8));
        assert_eq!(Form::parse(b"a=\xff").map(drop), Err(FormError::NotUtf8));
        let many = |count: usize| (0..count).map(|at| format!("p{at}=1&")).collect::<String>();
        assert!(Form::parse(many(limits::PARAMETERS).as_bytes()).is_ok());
        assert_eq!(Form::parse(many(limits::PARAMETERS + 1).as_bytes()).map(drop), Err(FormError::TooMany));
        let long = |length: usize| format!("a={}", "x".repeat(length - 2));
        assert!(Form::parse(long(limits::FORM).as_bytes()).is_ok());
        let length = limits::FORM + 1;
        assert_eq!(Form::parse(long(length).as_bytes()).map(drop), Err(FormError::TooLong { length }));
    }

    #[test]
    fn a_post_has_its_parameters_in_a_form() {
        let read = |method, content_type| Form::of_request(method, Some("a=query"), content_type, b"a=body");
        let value = |form: Result<Form, FormError>| form.unwrap().get("a").map(str::to_owned);
        assert_eq!(value(read("GET", None)).as_deref(), Some("query"));
        let form = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
        assert_eq!(value(read("POST", Some(form))).as_deref(), Some("body"));
        for found in [
            "",
            "text/plain",
            "application/json",
            "multipart/form-data",
            "application/x-www-form-urlencodedx",
        ] {
            let expected = FormError::MediaType { found: found.into() };
            assert_eq!(read("POST", Some(found)).map(drop), Err(expected));
        }
        assert_eq!(read("POST", None).map(drop), Err(FormError::MediaType { found: String::new() }));
    }

    #[test]
    fn no_input_makes_it_fail_otherwise() {
        let mut numbers = crate::testing::Numbers(1);
        for _ in 0..2000 {
            let alphabet = b"a=&%+2f\xff;\0b=1&";
            let text: Vec<u8> =
                (0..numbers.below(60)).map(|_| alphabet[numbers.below(alphabet.len())]).collect();
            if let Ok(form) = Form::parse(&text) {
                let names: Vec<&String> = form.0.iter().map(|(name, _)| name).collect();
                assert!(
                    names.iter().all(|name| names.iter().filter(|it| it == &name).count() == 1),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn values_do_not_print() {
        let form = Form::parse(b"code=secret&state=hidden").unwrap();
        assert_eq!(format!("{form:?}"), r#"["code", "state"]"#);
        assert_eq!(shown("a\r\nb\u{202e}c"), "a??b?c");
    }
}
