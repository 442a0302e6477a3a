//! Header fields as the shell hands them over: names in lower case, values as received. It finds fields and strips
//! what RFC 9110 section 5.5 says is not part of a value; it does not know what any field means.

/// How often a field occurs, with its value where that is once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// Not there.
    Absent,
    /// Once; without surrounding spaces and tabs.
    Once(&'a str),
    /// More than once. Two parties may pick different ones, so no singleton field is read then.
    Repeated,
}

/// The field `name` (in lower case).
pub(crate) fn field<'a>(headers: &'a [(String, String)], name: &str) -> Field<'a> {
    let mut values = all(headers, name);
    match (values.next(), values.next()) {
        (None, _) => Field::Absent,
        (Some(value), None) => Field::Once(value),
        (Some(_), Some(_)) => Field::Repeated,
    }
}

/// Each value of the field `name` (in lower case), in the order received.
pub(crate) fn all<'a>(headers: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    // The shell hands over lower case; comparing without case costs little and keeps a slip there from hiding a
    // second `Host`.
    headers
        .iter()
        .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches([' ', '\t']))
}

/// Whether `value` holds only what a field value may hold: visible ASCII, space and tab (MCP
/// `basic/transports/streamable-http#value-encoding`).
pub(crate) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}
