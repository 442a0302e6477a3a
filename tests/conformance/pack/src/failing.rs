//! The tool that fails in the way that it is told to: what becomes of each failure is the gateway's business, and has to be seen.

use serde::Deserialize;

use crate::arguments;
use crate::bindings::exports::valet::mcp::tools::{Answer, Failure, Step};
use crate::steps::running;
use crate::tools::Call;

#[derive(Deserialize)]
struct Arguments {
    how: How,
    /// In a step of the call instead of at once.
    #[serde(default)]
    late: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum How {
    NotFound,
    InvalidArguments,
    Claims,
    Consent,
    Reauthentication,
    Internal,
    Trap,
}

pub(crate) fn failure(call: &Call<'_>) -> Result<Answer, Failure> {
    let Arguments { how, late } = arguments(call.arguments)?;
    if late {
        return Ok(running(std::iter::once_with(move || Step::End(Err(fail(&how))))));
    }
    Err(fail(&how))
}

fn fail(how: &How) -> Failure {
    match how {
        How::NotFound => Failure::NotFound,
        How::InvalidArguments => Failure::InvalidArguments("as the test wants it".to_owned()),
        How::Claims => Failure::InteractionRequired(Some(r#"{"access_token":{}}"#.to_owned())),
        How::Consent => Failure::InteractionRequired(None),
        How::Reauthentication => Failure::ReauthenticationRequired,
        How::Internal => Failure::Internal("what nobody outside may read".to_owned()),
        How::Trap => panic!("as the test wants it"),
    }
}
