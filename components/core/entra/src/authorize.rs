//! The authorization request (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1) and what comes back to the redirect URI.

use std::fmt;

use form_urlencoded::Serializer;
use secrecy::{ExposeSecret as _, SecretString};

use crate::credential::Client;
use crate::limits::shown;

/// How the answer travels to the redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the body of a POST, where no log, history or `Referer` sees the code (OAuth 2.0 Form Post Response Mode).
    FormPost,
    /// In the query.
    Query,
}

/// What the person has to be shown, whatever session their browser has (OpenID Connect Core section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// The accounts, to choose from.
    SelectAccount,
    /// The password again.
    Login,
    /// The consent page again.
    Consent,
    /// Nothing: what cannot be done silently fails.
    None,
}

/// One authorization request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks. A credential is not part of this request: it passes through a browser.
    pub client: Client<'a>,
    /// Where the answer goes, as registered.
    pub redirect_uri: &'a str,
    /// Scopes of one API, and the OpenID words (`openid profile offline_access`) where tokens for a user are wanted.
    pub scopes: &'a [&'a str],
    /// Random, unguessable: ties the answer to this request (RFC 6749 section 10.12).
    pub state: &'a SecretString,
    /// Random: ties the ID token to this request.
    pub nonce: &'a SecretString,
    /// [`crate::pkce::challenge`] of the verifier that will redeem the code.
    pub challenge: &'a str,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// What has to be shown.
    pub prompt: Option<Prompt>,
    /// The account that is expected: a user name, or the `login_hint` of an earlier ID token.
    pub login_hint: Option<&'a str>,
    /// Where that account lives (`organizations`, `consumers` or a domain): skips the question of the user name.
    pub domain_hint: Option<&'a str>,
    /// A claims request, JSON text: of a claims challenge, or our capabilities.
    pub claims: Option<&'a str>,
}

impl Request<'_> {
    /// The URL to open in a browser. It is not secret, but whoever has it can answer in the person's place, so it belongs in no log.
    #[must_use]
    pub fn url(&self) -> SecretString {
        let mut query = Serializer::new(String::new());
        query
            .append_pair("client_id", self.client.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("response_mode", self.response_mode.as_str())
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("state", self.state.expose_secret())
            .append_pair("nonce", self.nonce.expose_secret())
            .append_pair("code_challenge", self.challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("client_info", "1");
        let optional = [
            ("prompt", self.prompt.map(Prompt::as_str)),
            ("login_hint", self.login_hint),
            ("domain_hint", self.domain_hint),
            ("claims", self.claims),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        SecretString::from(format!("{}?{}", self.client.authorize_url(), query.finish()))
    }
}

impl ResponseMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::FormPost => "form_post",
            Self::Query => "query",
        }
    }
}

impl Prompt {
    fn as_str(self) -> &'static str {
        match self {
            Self::SelectAccount => "select_account",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::None => "none",
        }
    }
}

/// An answer that did not bring a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyError {
    /// `state` is absent, there twice, or not that of the request: somebody else's answer. The request may still be answered.
    State,
    /// A parameter is there twice (RFC 6749 section 3.1).
    Duplicate {
        /// Its name.
        parameter: &'static str,
    },
    /// `iss` is not an issuer of the authority: another server answered (RFC 9207 section 2.4).
    Issuer {
        /// What came, shortened.
        found: String,
        /// The authority that was asked.
        authority: String,
    },
    /// The authority refused, or the person did (RFC 6749 section 4.1.2.1).
    Refused {
        /// `error`, shortened.
        error: String,
        /// `error_description`, shortened. For the person.
        description: String,
    },
    /// Neither `code` nor `error`.
    Nothing,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => write!(f, "the answer belongs to another sign-in (state differs)"),
            Self::Duplicate { parameter } => write!(f, "`{parameter}` is there twice"),
            Self::Issuer { found, authority } => write!(f, "iss `{found}` is not an issuer of {authority}"),
            Self::Refused { error, description } => write!(f, "{error}: {description}"),
            Self::Nothing => write!(f, "neither code nor error"),
        }
    }
}

impl std::error::Error for ReplyError {}

/// Reads the parameters that came to the redirect URI, `application/x-www-form-urlencoded` text, and gives the code.
///
/// `state` is compared first: until it is right, nothing else says anything about our request.
///
/// # Errors
/// A [`ReplyError`] for everything but one code for this request.
pub fn read(form: &[u8], authority: &str, state: &SecretString) -> Result<SecretString, ReplyError> {
    let one = |name: &'static str| {
        let mut values = form_urlencoded::parse(form).filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(|(_, value)| value)),
            _ => Err(ReplyError::Duplicate { parameter: name }),
        }
    };
    match one("state") {
        Ok(Some(found)) if same(&found, state) => {}
        _ => return Err(ReplyError::State),
    }
    if let Some(found) = one("iss")?
        && !is_issuer_of(&found, authority)
    {
        return Err(ReplyError::Issuer { found: shown(&found), authority: authority.to_owned() });
    }
    match (one("error")?, one("code")?) {
        (Some(error), _) => {
            let description = one("error_description")?.unwrap_or_default();
            Err(ReplyError::Refused { error: shown(&error), description: described(&description) })
        }
        (None, Some(code)) if !code.is_empty() => Ok(SecretString::from(code.into_owned())),
        _ => Err(ReplyError::Nothing),
    }
}

/// What Entra says of a refusal, and the id by which its logs find it. The stamps behind the words go, so that this one is not cut off.
fn described(text: &str) -> String {
    let stamp = text.split_once("Correlation ID:").and_then(|(_, rest)| rest.split_whitespace().next());
    match stamp {
        Some(id) => {
            let words = text.split("Trace ID:").next().unwrap_or_default();
            format!("{} (correlation id {})", shown(words.trim()), shown(id))
        }
        None => shown(text),
    }
}

/// In a time that does not depend on where the two differ.
fn same(found: &str, wanted: &SecretString) -> bool {
    let (found, wanted) = (found.as_bytes(), wanted.expose_secret().as_bytes());
    found.len() == wanted.len() && found.iter().zip(wanted).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// `{authority}/{tenant}/v2.0`; which tenant answers is known only from the ID token.
fn is_issuer_of(found: &str, authority: &str) -> bool {
    found
        .strip_prefix(authority)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|rest| rest.strip_suffix("/v2.0"))
        .is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::ClientCredential;
    use crate::credential::tests::client;

    const AUTHORITY: &str = "https://login.example";

    #[test]
    fn a_url_carries_every_parameter_and_no_credential() {
        let (state, nonce) = (SecretString::from("st"), SecretString::from("no"));
        let secret = SecretString::from("hidden");
        let request = Request {
            client: client(ClientCredential::Secret(&secret)),
            redirect_uri: "http://localhost:5000",
            scopes: &["User.Read", "openid"],
            state: &state,
            nonce: &nonce,
            challenge: "ch",
            response_mode: ResponseMode::FormPost,
            prompt: Some(Prompt::SelectAccount),
            login_hint: Some("a@b.example"),
            domain_hint: Some("organizations"),
            claims: Some(r#"{"a":1}"#),
        };
        assert_eq!(
            request.url().expose_secret(),
            "https://login.example/t/oauth2/v2.0/authorize?client_id=c&response_type=code\
             &redirect_uri=http%3A%2F%2Flocalhost%3A5000&response_mode=form_post&scope=User.Read+openid&state=st&nonce=no\
             &code_challenge=ch&code_challenge_method=S256&client_info=1&prompt=select_account\
             &login_hint=a%40b.example&domain_hint=organizations&claims=%7B%22a%22%3A1%7D"
        );
    }

    fn reply(form: &str) -> Result<String, ReplyError> {
        read(form.as_bytes(), AUTHORITY, &SecretString::from("st"))
            .map(|code| code.expose_secret().to_owned())
    }

    #[test]
    fn a_code_is_read() {
        assert_eq!(reply("code=abc&state=st&session_state=x").as_deref(), Ok("abc"));
        assert_eq!(
            reply("code=abc&state=st&iss=https%3A%2F%2Flogin.example%2Ft%2Fv2.0").as_deref(),
            Ok("abc")
        );
    }

    #[test]
    fn state_is_compared_before_anything_else() {
        for form in [
            "code=abc",
            "code=abc&state=",
            "code=abc&state=sT",
            "code=abc&state=st&state=st",
            "error=x&state=y",
        ] {
            assert_eq!(reply(form), Err(ReplyError::State), "{form}");
        }
    }

    #[test]
    fn parameters_come_once() {
        assert_eq!(reply("state=st&code=a&code=a"), Err(ReplyError::Duplicate { parameter: "code" }));
        assert_eq!(reply("state=st&error=a&error=a"), Err(ReplyError::Duplicate { parameter: "error" }));
    }

    #[test]
    fn another_issuer_is_refused() {
        for found in [
            "https://evil.example/t/v2.0",
            "https://login.example.evil/t/v2.0",
            "https://login.example/t/u/v2.0",
            "https://login.example//v2.0",
            "https://login.example/t",
        ] {
            let expected = ReplyError::Issuer { found: found.to_owned(), authority: AUTHORITY.to_owned() };
            assert_eq!(reply(&format!("state=st&code=a&iss={found}")), Err(expected));
        }
    }

    #[test]
    fn a_refusal_is_told_in_one_line() {
        let found = reply("state=st&error=access_denied&error_description=no%0Away").unwrap_err();
        let expected = ReplyError::Refused { error: "access_denied".into(), description: "no?way".into() };
        assert_eq!(found, expected);
        assert_eq!(found.to_string(), "access_denied: no?way");
    }

    #[test]
    fn the_id_by_which_a_refusal_is_found_is_not_cut_off() {
        let id = "7e57c0de-0000-4000-8000-000000000001";
        let long = "x".repeat(200);
        let text = format!(
            "state=st&error=e&error_description={long}.%0D%0ATrace ID: t Correlation ID: {id} Timestamp: now"
        );
        let found = reply(&text).unwrap_err().to_string();
        assert_eq!(found, format!("e: {} (correlation id {id})", &long[..128]));
    }

    #[test]
    fn an_empty_answer_is_none() {
        assert_eq!(reply("state=st"), Err(ReplyError::Nothing));
        assert_eq!(reply("state=st&code="), Err(ReplyError::Nothing));
    }
}
