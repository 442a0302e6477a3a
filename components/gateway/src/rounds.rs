//! Requests that need several rounds (MCP `basic/patterns/mrtr`): what the client brings, and what it is asked for.

use valet_core_mcp::input::{InputRequest, InputRequests, binding};
use valet_core_mcp::message::{Abilities, Input, OwnedContext};
use valet_core_mcp::{Context, Fault, Reply, Revision, limits};

use crate::audit::Audit;
use crate::bindings::valet::capability::request_state::{self, Refusal};
use crate::bindings::valet::identity::principal::Caller;
use crate::bindings::valet::mcp::interaction::{ClientAbilities, Context as About, GivenInput, NeededInput};
use crate::session::SERVER;

/// What the next round has to repeat: the state that is sealed for it opens with this and nothing else.
pub(crate) struct Round {
    context: OwnedContext,
    abilities: Abilities,
    bound_to: Vec<u8>,
}

impl Round {
    /// The round of `method` with `name` (of a URI, the URI) and `arguments`, exactly as sent.
    pub(crate) fn new(
        caller: &Caller,
        context: Context<'_>,
        abilities: Abilities,
        request: [&str; 3],
    ) -> Self {
        let [method, name, arguments] = request;
        let parts = [&caller.tenant_id, &caller.object_id, &caller.client_id].map(String::as_str);
        let bound_to = binding(&[parts[0], parts[1], parts[2], method, name, arguments]);
        Self { context: context.to_owned(), abilities, bound_to }
    }

    /// What the request is.
    pub(crate) fn context(&self) -> Context<'_> {
        self.context.borrow()
    }

    /// What the pack is told beside the parameters. A state that is there has to open. One that is not there proves nothing,
    /// which the pack sees: whoever can send answers without one could as well get one first.
    pub(crate) fn about(&self, audit: &Audit, input: &Input<'_>) -> Result<About, Fault> {
        let state = match &input.state {
            None => None,
            Some(sealed) => Some(request_state::open(sealed, &self.bound_to).map_err(|refusal| {
                let (reason, detail) = match refusal {
                    Refusal::Invalid => {
                        ("invalid_state", "the request state is not of this request, or none of ours")
                    }
                    Refusal::Expired => ("expired_state", "the request state is too old"),
                };
                audit.denied(reason, detail.to_owned());
                Fault::InvalidRequestState
            })?),
        };
        let responses = input.responses.as_ref().map(|responses| {
            responses
                .iter()
                .map(|(key, answer)| (key.clone().into_owned(), answer.get().to_owned()))
                .collect()
        });
        let given = (state.is_some() || responses.is_some()).then(|| GivenInput {
            responses: responses.unwrap_or_default(),
            state: state.unwrap_or_default(),
        });
        Ok(About { client: abilities(input.abilities), input: given })
    }

    /// Asks the client for `needed`, if it can give that.
    pub(crate) fn ask(&self, audit: &Audit, needed: &NeededInput) -> Reply {
        let context = self.context();
        let requests = needed.requests.iter().map(|request| InputRequest {
            key: &request.key,
            method: &request.method,
            params: &request.params,
        });
        let bad = |why: String| {
            audit.failed("bad_result", why);
            Reply::failure(context, &Fault::Internal)
        };
        let requests = match InputRequests::check(requests.collect()) {
            Ok(requests) => requests,
            Err(fault) => return bad(fault.to_string()),
        };
        if needed.state.len() > limits::INPUT_STATE {
            return bad(format!("a request state of {} bytes", needed.state.len()));
        }
        if !context.revision.is_modern() {
            return self.ask_legacy(audit, &requests);
        }
        if let Some(missing) = requests.missing(self.abilities) {
            audit.denied("missing_capability", format!("{missing:?}"));
            return Reply::failure(context, &Fault::MissingCapabilities { missing });
        }
        match request_state::seal(&needed.state, &self.bound_to, limits::INPUT_LIFETIME) {
            Ok(state) => SERVER.input_required(context, &requests, &state),
            Err(why) => {
                audit.failed("misconfigured", why);
                Reply::failure(context, &Fault::Internal)
            }
        }
    }

    /// A legacy client could only be asked in a session. A page it can be sent to in 2025-11-25, whose error for that needs
    /// no answer: the client tries again when the user is done.
    fn ask_legacy(&self, audit: &Audit, requests: &InputRequests<'_>) -> Reply {
        let context = self.context();
        audit.denied("missing_capability", format!("revision {}", context.revision.as_str()));
        match requests.pages() {
            Some(elicitations) if context.revision == Revision::V2025_11_25 => {
                Reply::failure(context, &Fault::UrlElicitationRequired { elicitations })
            }
            _ => SERVER.tool_error(
                context,
                "This needs an answer from the user, or from the client, for which this client's version of MCP has no way \
                 here. A client that speaks 2026-07-28 can do it.",
            ),
        }
    }
}

fn abilities(abilities: Abilities) -> ClientAbilities {
    let Abilities { elicitation_form, elicitation_url, sampling, roots } = abilities;
    [
        (elicitation_form, ClientAbilities::ELICITATION_FORM),
        (elicitation_url, ClientAbilities::ELICITATION_URL),
        (sampling, ClientAbilities::SAMPLING),
        (roots, ClientAbilities::ROOTS),
    ]
    .into_iter()
    .filter_map(|(has, flag)| has.then_some(flag))
    .fold(ClientAbilities::empty(), |all, flag| all | flag)
}
