//! Token requests of clients that hold Entra's tokens themselves: the credential is added, and the answer goes back as it is.

use valet_core_entra::forwarded;

use crate::authority::{self, Authority, setting};
use crate::bindings::exports::valet::oauth::forwarding::{Answer, Failure};
use crate::fault::Fault;

pub(crate) fn send(form: &str) -> Result<Answer, Failure> {
    let us = Authority::read()?;
    let tenant = setting("sign_in_tenant")?;
    let client = us.client(&tenant);
    let body = forwarded::body(form, client).map_err(|error| Failure::Refused(error.to_string()))?;
    let answer = authority::ask(client.token_url(), &body, |status, retry_after, body| {
        Ok(Answer { status, retry_after: retry_after.map(str::to_owned), body: body.to_vec() })
    })?;
    match forwarded::judge(answer.status, &answer.body) {
        forwarded::Answer::Ours(detail) => {
            Err(Failure::Misconfigured(format!("the authority refused us: {detail}")))
        }
        forwarded::Answer::Tokens | forwarded::Answer::Refused(_) | forwarded::Answer::Nothing(_) => {
            Ok(answer)
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Misconfigured(why) => Self::Misconfigured(why),
            Fault::Unavailable(why) | Fault::Grant(why) => Self::Unavailable(why),
            Fault::Refused(detail) => Self::Unavailable(detail.to_string()),
            Fault::Interaction(_) | Fault::Throttled(_) => {
                Self::Unavailable("the authority asks to wait".to_owned())
            }
        }
    }
}
