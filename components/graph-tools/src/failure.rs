//! What becomes of a downstream failure: a result that the model can act on, or a failure that the gateway answers.

use crate::bindings::exports::valet::mcp::interaction::Failure;
use crate::bindings::valet::downstream::requests;

/// Login and Graph are not told apart: to the reader both are Microsoft 365, and the log has the difference.
///
/// `Ok` is the text of an error result, `Err` goes to the gateway.
pub(crate) fn explain(failure: requests::Failure) -> Result<String, Failure> {
    match failure {
        requests::Failure::InteractionRequired(claims) => Err(Failure::InteractionRequired(claims)),
        requests::Failure::ActionRequired(action) => Err(Failure::ActionRequired(action)),
        requests::Failure::AssertionRefused(_) => Err(Failure::ReauthenticationRequired),
        requests::Failure::Refused(rule) => {
            Err(Failure::Internal(format!("the tool made a request that policy refuses: {rule}")))
        }
        requests::Failure::Misconfigured(detail) => Err(Failure::Internal(detail)),
        requests::Failure::Throttled(Some(seconds)) => {
            Ok(format!("Microsoft 365 is limiting requests. Try again in {seconds} seconds."))
        }
        requests::Failure::Throttled(None) => {
            Ok("Microsoft 365 is limiting requests. Try again in a minute.".to_owned())
        }
        requests::Failure::Unavailable(_) => {
            Ok("Microsoft 365 cannot be reached at the moment. Try again later.".to_owned())
        }
    }
}
