//! Reading a request's target: segments of the path and pairs of the query.

use percent_encoding::percent_decode_str;

use super::error::GraphError;

/// What Microsoft's Python SDK sends after `users` instead of `/me` when its URL handler is not installed.
const ME_ALIAS: &str = "me-token-to-replace";

/// How many segments a path may have; Graph's longest are far below.
const SEGMENTS: usize = 64;

/// The segments of a path, decoded. `users('id')` is the same as `users/id` (OData 4.01, "URL Conventions", 4.3.1).
pub(super) fn segments(path: &str) -> Result<Vec<String>, GraphError> {
    let mut segments = vec![];
    for raw in path.split('/').filter(|s| !s.is_empty()) {
        let decoded = percent_decode_str(raw).decode_utf8();
        let segment = decoded.map_err(|_| GraphError::BadRequest("The path is not UTF-8.".into()))?;
        match key(&segment) {
            Some((name, key)) => segments.extend([name.to_owned(), key]),
            None => segments.push(segment.into_owned()),
        }
    }
    if let [users, alias, ..] = segments.as_slice()
        && users.eq_ignore_ascii_case("users")
        && alias.eq_ignore_ascii_case(ME_ALIAS)
    {
        segments.splice(..2, ["me".to_owned()]);
    }
    match segments.len() <= SEGMENTS {
        true => Ok(segments),
        false => Err(GraphError::BadRequest("The path is too long.".into())),
    }
}

/// `name('key')`, in which two quotes stand for one.
fn key(segment: &str) -> Option<(&str, String)> {
    let (name, rest) = segment.split_once("('")?;
    let key = rest.strip_suffix("')")?;
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    (named && !key.is_empty()).then(|| (name, key.replace("''", "'")))
}

/// The pairs of a query, decoded.
pub(super) fn query(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).map(|(n, v)| (n.into_owned(), v.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_parentheses_and_percent_encoding() {
        let read = |path: &str| segments(path).unwrap();
        assert_eq!(read("users('a%40b.example')/messages"), ["users", "a@b.example", "messages"]);
        assert_eq!(
            read("/me//drive/root:/read%20me.md:/content"),
            ["me", "drive", "root:", "read me.md:", "content"]
        );
        assert_eq!(read("users/O('x"), ["users", "O('x"]);
        assert_eq!(read("users/me-token-to-replace/messages"), ["me", "messages"]);
        assert!(segments("%FF").is_err());
        assert!(segments(&"a/".repeat(100)).is_err());
    }
}
