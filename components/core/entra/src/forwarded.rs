//! A token request that somebody else wrote, for our application: the credential is added to a code or refresh grant and to nothing else.

use std::fmt;

use secrecy::SecretString;

use crate::answer::{Detail, detail, read_tokens};
use crate::credential::{Client, finish};
use crate::limits::shown;

/// Parameters that such a request may have beside `grant_type` and `client_id`.
const PARAMETERS: [&str; 5] = ["code", "redirect_uri", "code_verifier", "refresh_token", "scope"];

/// Why a request is not forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardError {
    /// Neither of the two grants.
    Grant {
        /// What it was, shortened.
        found: String,
    },
    /// Another application's.
    Client {
        /// Whose, shortened.
        found: String,
    },
    /// A parameter that has no place in it, or is there twice.
    Parameter {
        /// Its name, shortened.
        name: String,
    },
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant { found } => write!(f, "the grant `{found}` is not forwarded"),
            Self::Client { found } => write!(f, "a request for the application `{found}` is not forwarded"),
            Self::Parameter { name } => {
                write!(f, "the parameter `{name}` is not forwarded, or is there twice")
            }
        }
    }
}

impl std::error::Error for ForwardError {}

/// The body for [`Client::token_url`]: `form`, with the credential of `client`.
///
/// # Errors
/// A [`ForwardError`].
pub fn body(form: &str, client: Client<'_>) -> Result<SecretString, ForwardError> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(form.as_bytes()).into_owned() {
        let known =
            PARAMETERS.contains(&name.as_str()) || matches!(name.as_str(), "grant_type" | "client_id");
        if !known || found.iter().any(|(other, _)| *other == name) {
            return Err(ForwardError::Parameter { name: shown(&name) });
        }
        found.push((name, value));
    }
    let value = |wanted: &str| {
        found.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    if value("client_id") != client.client_id {
        return Err(ForwardError::Client { found: shown(value("client_id")) });
    }
    let grant = value("grant_type");
    if !matches!(grant, "authorization_code" | "refresh_token") {
        return Err(ForwardError::Grant { found: shown(grant) });
    }
    let mut out = client.form(grant);
    for (name, value) in found.iter().filter(|(name, _)| PARAMETERS.contains(&name.as_str())) {
        out.append_pair(name, value);
    }
    Ok(finish(out, None))
}

/// What an answer to such a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Tokens.
    Tokens,
    /// What the client presented, or what its user has to do: the answer is for the client as it is.
    Refused(Detail),
    /// Our application: its credential, or what it asks for. Only an operator can do anything about it, and the words of the authority are theirs.
    Ours(Detail),
    /// None of the authority's: neither tokens nor an error (RFC 6749 sections 5.1 and 5.2). A page of what stands before it, perhaps, which is nothing for a client.
    Nothing(Detail),
}

/// Errors that are about the application that asks and not about what it presents. The form was written by us, for scopes of ours.
const OURS: [&str; 6] = [
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "invalid_resource",
];

/// Reads an answer as far as it has to be known whom it is for.
#[must_use]
pub fn judge(status: u16, body: &[u8]) -> Answer {
    let detail = detail(status, body);
    match status {
        200 if read_tokens(status, None, body).is_ok() => Answer::Tokens,
        200 => Answer::Nothing(detail),
        _ if detail.error.is_empty() => Answer::Nothing(detail),
        _ if OURS.contains(&detail.error.as_str()) => Answer::Ours(detail),
        _ => Answer::Refused(detail),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::credential::ClientCredential;
    use crate::credential::tests::client;

    fn check(form: &str) -> Result<String, ForwardError> {
        let secret = SecretString::from("s&cret");
        body(form, client(ClientCredential::Secret(&secret))).map(|body| body.expose_secret().to_owned())
    }

    fn form_of(client_id: &str) -> String {
        format!(
            "grant_type=authorization_code&client_id={client_id}&code=c&redirect_uri=r&code_verifier=v&scope=a+b"
        )
    }

    fn perfect() -> String {
        form_of(client(ClientCredential::Public).client_id)
    }

    #[test]
    fn the_two_grants_get_the_credential() {
        let sent = check(&perfect()).unwrap();
        assert!(
            sent.contains("client_secret=s%26cret")
                && sent.contains("code=c&redirect_uri=r&code_verifier=v&scope=a+b"),
            "{sent}"
        );
        let refresh =
            perfect().replace("authorization_code", "refresh_token").replace("code=c", "refresh_token=t");
        assert!(check(&refresh).unwrap().contains("refresh_token=t"));
    }

    #[test]
    fn what_is_said_about_our_application_is_not_the_clients() {
        let answered =
            |error: &str| judge(401, format!(r#"{{"error":"{error}","error_codes":[7000215]}}"#).as_bytes());
        let detail = |error: &str| Detail {
            status: 401,
            error: error.into(),
            codes: vec![7_000_215],
            ..Detail::default()
        };
        for error in OURS {
            assert_eq!(answered(error), Answer::Ours(detail(error)));
        }
        for error in ["invalid_grant", "invalid_request", "interaction_required", "temporarily_unavailable"] {
            assert_eq!(answered(error), Answer::Refused(detail(error)));
        }
    }

    #[test]
    fn what_is_neither_tokens_nor_an_error_is_no_answer() {
        let tokens = r#"{"token_type":"Bearer","access_token":"t","expires_in":60}"#;
        assert_eq!(judge(200, tokens.as_bytes()), Answer::Tokens);
        let nothing = |status| Answer::Nothing(Detail { status, ..Detail::default() });
        for body in [
            "",
            "<html><body>Sign in to the network</body></html>",
            "null",
            "[]",
            "\"t\"",
            "{}",
            r#"{"keys":[]}"#,
        ] {
            for status in [200, 302, 400, 502] {
                assert_eq!(judge(status, body.as_bytes()), nothing(status), "{status} {body}");
            }
        }
        for (whole, other) in [("}", ""), ("Bearer", "pop"), ("access_token", "id_token"), ("60", "\"soon\"")]
        {
            assert_eq!(judge(200, tokens.replace(whole, other).as_bytes()), nothing(200), "{other}");
        }
        // Tokens count with the status of tokens alone.
        assert_eq!(judge(400, tokens.as_bytes()), nothing(400));
    }

    #[test]
    fn nothing_else_does() {
        for grant in ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer", ""] {
            let form = perfect().replace("authorization_code", grant);
            assert_eq!(check(&form), Err(ForwardError::Grant { found: grant.into() }));
        }
        assert_eq!(check(&form_of("other")), Err(ForwardError::Client { found: "other".into() }));
        for name in [
            "client_secret",
            "client_assertion",
            "assertion",
            "resource",
            "requested_token_use",
            "code",
            "claims",
        ] {
            let form = format!("{}&{name}=x", perfect());
            assert_eq!(check(&form), Err(ForwardError::Parameter { name: name.into() }), "{name}");
        }
        assert!(check(&perfect()).is_ok());
    }
}
