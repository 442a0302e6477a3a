//! Definitions without the white space that makes them readable as files, taken out when they are compiled.

/// The JSON file at a path beside the caller, on one line, as `&'static str`.
macro_rules! definition {
    ($file:literal) => {{
        const TEXT: &str = include_str!($file);
        const BYTES: [u8; $crate::minified::length(TEXT)] = $crate::minified::minify(TEXT);
        match core::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("only ASCII is taken out of the text"),
        }
    }};
}

pub(crate) use definition;

/// Bytes that are left of `text`.
pub(crate) const fn length(text: &str) -> usize {
    walk(text.as_bytes(), &mut [])
}

/// What is left of `text`; `N` is its [`length`].
pub(crate) const fn minify<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    walk(text.as_bytes(), &mut out);
    out
}

/// Writes all of `bytes` but white space outside of strings to `out`, as far as there is room, and counts it.
const fn walk(bytes: &[u8], out: &mut [u8]) -> usize {
    let (mut from, mut to, mut in_string) = (0, 0, false);
    while from < bytes.len() {
        let byte = bytes[from];
        if in_string || !byte.is_ascii_whitespace() {
            if to < out.len() {
                out[to] = byte;
            }
            to += 1;
        }
        if byte == b'"' {
            in_string = !in_string;
        } else if byte == b'\\' {
            // Only in strings, and what it escapes is one byte as far as quotes are concerned.
            from += 1;
            if to < out.len() {
                out[to] = bytes[from];
            }
            to += 1;
        }
        from += 1;
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_outside_of_strings_alone() {
        const TEXT: &str = "{ \"a b\" :\n\t[ 1, \"\\\" \\\\\" , \"é \" ] }\n";
        const SHORT: [u8; length(TEXT)] = minify(TEXT);
        assert_eq!(str::from_utf8(&SHORT).unwrap(), "{\"a b\":[1,\"\\\" \\\\\",\"é \"]}");
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(TEXT).unwrap(), serde_json::from_slice(&SHORT).unwrap());
        assert_eq!(before, after);
    }
}
