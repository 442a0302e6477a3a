//! The revocation endpoint (RFC 7009). Revoking a token of either kind ends its session: the family of its refresh tokens, and the access tokens that still live.
//!
//! Nobody keeps a list of access tokens: with each request the session of one is looked up, so that what ends one at once is the end of its session (section 2.1 allows that the
//! refresh token goes with it). A token that is made up, of another server or over is as good as revoked (section 2.2), and ends nothing.

use secrecy::SecretString;

use crate::error::Code;
use crate::form::{Form, shown};
use crate::http::Response;
use crate::refresh::{Presented, RefreshError};
use crate::token::{Authentication, TokenError, required_secret};

/// A revocation request.
#[derive(Debug)]
pub struct Request {
    /// Who it is from, to be checked with [`Authentication::check`].
    pub authentication: Authentication,
    token: SecretString,
}

/// What is to be revoked.
#[derive(Debug)]
pub enum Target {
    /// A refresh token: see [`crate::refresh::revoke`].
    Refresh(Presented),
    /// An access token by its form, to be verified like any other. Nothing that it says is to be believed before.
    Access(SecretString),
    /// Nothing of ours: the answer is the same as for what was revoked (section 2.2).
    Unknown,
}

impl Request {
    /// Reads a request. `token_type_hint` is ignored: the two kinds cannot be mistaken for each other.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn read(
        content_type: Option<&str>,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<Self, TokenError> {
        let form = Form::post(content_type, body).map_err(TokenError::Form)?;
        let authentication = Authentication::read(&form, authorization)?;
        // An access token is longer than any secret of ours.
        let token = match form.secret("token") {
            Some(token) if is_jwt(&token) => token,
            _ => required_secret(&form, "token")?,
        };
        Ok(Self { authentication, token })
    }

    /// What it is about.
    #[must_use]
    pub fn target(&self) -> Target {
        match Presented::parse(&self.token) {
            Some(presented) => Target::Refresh(presented),
            None if is_jwt(&self.token) => Target::Access(self.token.clone()),
            None => Target::Unknown,
        }
    }
}

fn is_jwt(token: &SecretString) -> bool {
    use secrecy::ExposeSecret as _;
    token.expose_secret().split('.').count() == 3
}

/// The answer once it is revoked, or was never there.
#[must_use]
pub fn done() -> Response {
    Response::empty(200)
}

/// Checks that a verified access token, which was issued to `issued_to`, is given back by its client.
///
/// # Errors
///
/// [`RefreshError::Client`], to be answered with [`refused`].
pub fn check_access(issued_to: &str, client_id: &str) -> Result<(), RefreshError> {
    match issued_to == client_id {
        true => Ok(()),
        false => Err(RefreshError::Client { found: shown(client_id) }),
    }
}

/// The answer for another client's token; none for one that is unknown or made up, which is [`done`] (section 2.2).
#[must_use]
pub fn refused(error: &RefreshError) -> Option<Response> {
    match error {
        RefreshError::Unknown | RefreshError::Forged => None,
        // Section 2.1: the request is refused; section 2.2.1 leaves the code to RFC 6749 section 5.2.
        _ => Some(Response::error(400, Code::InvalidGrant, "the token was not given to this client")),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

    fn read(body: &str) -> Result<Request, TokenError> {
        Request::read(Some("application/x-www-form-urlencoded"), None, body.as_bytes())
    }

    #[test]
    fn tokens_are_told_by_their_form() {
        let target = |token: &str| read(&format!("client_id=c&token={token}")).unwrap().target();
        assert!(
            matches!(target(TOKEN), Target::Refresh(found) if found.family() == "AAAAAAAAAAAAAAAAAAAAAA")
        );
        let jwt = format!("a.{}.c", "b".repeat(2000));
        assert!(matches!(target(&jwt), Target::Access(found) if found.expose_secret() == jwt));
        assert!(matches!(target("nothing"), Target::Unknown));
        assert!(matches!(target(&TOKEN[1..]), Target::Unknown));
        assert!(matches!(read("client_id=c").map(drop), Err(TokenError::Parameter("token"))));
        let long = format!("client_id=c&token={}", "x".repeat(1000));
        assert!(matches!(read(&long).map(drop), Err(TokenError::Parameter("token"))));
    }

    #[test]
    fn an_unknown_token_is_as_good_as_revoked() {
        assert_eq!(refused(&RefreshError::Unknown), None);
        assert_eq!(refused(&RefreshError::Forged), None);
        assert_eq!((done().status, done().body.as_str()), (200, ""));
        let foreign = refused(&RefreshError::Client { found: "c".into() }).unwrap();
        assert_eq!(foreign.status, 400);
        assert_eq!(check_access("web", "other"), Err(RefreshError::Client { found: "other".into() }));
        assert_eq!(check_access("web", "web"), Ok(()));
    }
}
