//! Token requests of clients that hold Entra's tokens themselves: the credential is added, and the answer goes back as it is.

use valet_core_entra::{ExposeSecret as _, forwarded};

use crate::authority::{Authority, setting};
use crate::bindings::exports::valet::oauth::forwarding::{Answer, Failure};
use crate::bindings::valet::capability::{egress_authority, http};
use crate::fault::Fault;

pub(crate) fn send(form: &str) -> Result<Answer, Failure> {
    let us = Authority::read()?;
    let tenant = setting("sign_in_tenant")?;
    let client = us.client(&tenant);
    let body = forwarded::body(form, client).map_err(|error| Failure::Refused(error.to_string()))?;
    let response = egress_authority::send(&http::Request {
        method: "POST".to_owned(),
        url: client.token_url(),
        headers: vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ],
        body: body.expose_secret().as_bytes().to_vec(),
    })
    .map_err(Fault::from)?;
    let retry_after = response.headers.iter().find(|(name, _)| name == "retry-after");
    Ok(Answer {
        status: response.status,
        retry_after: retry_after.map(|(_, value)| value.clone()),
        body: response.body,
    })
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Misconfigured(why) => Self::Misconfigured(why),
            Fault::Unavailable(why) | Fault::Grant(why) => Self::Unavailable(why),
            Fault::Interaction(_) | Fault::Throttled(_) => {
                Self::Unavailable("the authority asks to wait".to_owned())
            }
        }
    }
}
