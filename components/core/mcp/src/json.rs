//! Writing JSON by appending text. It does not read any.

/// Appends `text` as a JSON string (RFC 8259 section 7).
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (index, byte) in text.bytes().enumerate() {
        // All bytes of interest are ASCII, so that each cut below is between characters.
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(text.get(plain..index).unwrap_or_default());
        if escape.is_empty() {
            out.push_str("\\u00");
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        } else {
            out.push_str(escape);
        }
        plain = index + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// Appends JSON text on one line. A line break in valid JSON is white space between tokens, and stdio ends a message
/// at a line break (MCP `basic/transports/stdio`).
pub(crate) fn push_raw(out: &mut String, json: &str) {
    // Packs rarely break lines, and this way of looking costs a sixteenth of a step for each byte.
    if !json.bytes().fold(false, |found, byte| found | (byte == b'\n') | (byte == b'\r')) {
        out.push_str(json);
        return;
    }
    for (index, line) in json.split(['\n', '\r']).enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(line);
    }
}

/// Appends an array of strings.
pub(crate) fn push_strings<'a>(out: &mut String, texts: impl IntoIterator<Item = &'a str>) {
    out.push('[');
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(out, text);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_back_as_written() {
        let all: String = (0..0x250_u32).filter_map(char::from_u32).collect();
        for text in ["", "plain", "\"", "\\", "a\nb", "\u{0}\u{1f}\u{7f}", "世界", "😀\"😀", &all] {
            let mut out = String::new();
            push_string(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn raw_json_becomes_one_line() {
        let mut out = String::new();
        push_raw(&mut out, "{\r\n\"a\" : \"b\\n\"\n}");
        assert_eq!(out, "{  \"a\" : \"b\\n\" }");
    }
}
