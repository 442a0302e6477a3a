//! Scopes (RFC 6749 section 3.3) as clients ask for them and as tokens have them.

use crate::limits;
use crate::settings::Settings;

/// The scope of OIDC Core section 11 that asks for a refresh token. Everybody gets one, so it may be asked for and is not granted.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// Why a `scope` parameter is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeError {
    /// Longer than [`limits::SCOPE`], more than [`limits::SCOPES`], or no scope tokens with single spaces between.
    Malformed,
    /// Not offered, or not part of what was granted before.
    Unknown {
        /// The scope, cut short.
        scope: String,
    },
    /// Only `offline_access` is left, which permits nothing.
    Nothing,
}

impl core::fmt::Display for ScopeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Malformed => f.write_str("the scope is not a list of scope tokens"),
            Self::Unknown { scope } => write!(f, "the scope `{scope}` is not offered"),
            Self::Nothing => f.write_str("the scope permits nothing"),
        }
    }
}

impl core::error::Error for ScopeError {}

/// Whether `text` is a scope token: printable ASCII without space, `"` and `\`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'))
}

/// The scopes that a request gets: those that it names, each once and without the prefix; all of `from` if it names none.
///
/// # Errors
///
/// [`ScopeError`] if it names one that is not in `from`: a client must not believe to have what it has not.
pub(crate) fn narrow(
    asked: Option<&str>,
    from: &[String],
    settings: &Settings,
) -> Result<Vec<String>, ScopeError> {
    let Some(asked) = asked else { return Ok(from.to_vec()) };
    let mut tokens = asked.split(' ');
    if asked.len() > limits::SCOPE || asked.split(' ').count() > limits::SCOPES || !tokens.all(is_token) {
        return Err(ScopeError::Malformed);
    }
    let mut scopes: Vec<String> = Vec::new();
    for scope in asked.split(' ') {
        if scope == OFFLINE_ACCESS {
            continue;
        }
        let bare = scope.strip_prefix(settings.scope_prefix.as_str());
        let known =
            [Some(scope), bare].into_iter().flatten().find_map(|name| from.iter().find(|own| *own == name));
        let known = known.ok_or_else(|| ScopeError::Unknown { scope: crate::form::shown(scope) })?;
        if !scopes.contains(known) {
            scopes.push(known.clone());
        }
    }
    if scopes.is_empty() { Err(ScopeError::Nothing) } else { Ok(scopes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    #[track_caller]
    fn check(asked: Option<&str>, expected: Result<&[&str], ScopeError>) {
        let settings = settings();
        let found = narrow(asked, &settings.scopes, &settings);
        assert_eq!(
            found,
            expected.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
            "{asked:?}"
        );
    }

    #[test]
    fn a_request_gets_what_it_names() {
        check(None, Ok(&["mcp.access", "mcp.write"]));
        check(Some("mcp.write"), Ok(&["mcp.write"]));
        check(Some("mcp.write mcp.access mcp.write"), Ok(&["mcp.write", "mcp.access"]));
        check(Some("offline_access mcp.access"), Ok(&["mcp.access"]));
        check(Some("https://valet.example/mcp/mcp.access"), Ok(&["mcp.access"]));
    }

    #[test]
    fn a_request_for_more_than_there_is_is_refused() {
        let unknown = |scope: &str| Err(ScopeError::Unknown { scope: scope.into() });
        check(Some("mcp.access openid"), unknown("openid"));
        check(Some("MCP.access"), unknown("MCP.access"));
        check(Some("https://valet.example/mcp/"), unknown("https://valet.example/mcp/"));
        check(Some("https://evil.example/mcp/mcp.access"), unknown("https://evil.example/mcp/mcp.access"));
        check(Some("offline_access"), Err(ScopeError::Nothing));
        for text in ["", " ", "a  b", " mcp.access", "mcp.access ", "a\tb", "a\"", "\u{e9}"] {
            check(Some(text), Err(ScopeError::Malformed));
        }
        check(Some(&"x".repeat(limits::SCOPE + 1)), Err(ScopeError::Malformed));
    }
}
