//! Requests that need several rounds (MCP `basic/patterns/mrtr`): what the client brings, and what it is asked for.

use valet_core_mcp::input::{self, InputRequest, InputRequests, OWN_PAGE, binding, declined};
use valet_core_mcp::message::{Abilities, Input, OwnedContext};
use valet_core_mcp::{Context, Fault, Reply, Revision, limits};

use crate::audit::Audit;
use crate::bindings::valet::capability::request_state::{self, Refusal};
use crate::bindings::valet::identity::principal::Caller;
use crate::bindings::valet::mcp::interaction::{
    ClientAbilities, Context as About, Failure, GivenInput, NeededInput,
};
use crate::session::{Carrier, SERVER, Session};
use crate::step_up::Page;

/// What the next round has to repeat: the state that is sealed for it opens with this and nothing else.
pub(crate) struct Round {
    context: OwnedContext,
    abilities: Abilities,
    /// Whether the client said that it can send its user to a page, with this request or when it opened.
    has_pages: bool,
    /// Whether there is a result that words can be told in.
    is_call: bool,
    bound_to: Vec<u8>,
    /// Where the user can do what a policy wants; none where the client has to sign in anew.
    step_up: Option<Page>,
}

impl Round {
    /// The round of `method` with `name` (of a URI, the URI) and `arguments`, exactly as sent.
    pub(crate) fn new(
        session: &Session<'_>,
        context: Context<'_>,
        abilities: Abilities,
        [method, name, arguments]: [&str; 3],
    ) -> Self {
        let Caller { tenant_id, object_id, client_id, .. } = &session.caller;
        let has_pages = match session.carrier {
            Carrier::Messages { declared } if !context.revision.is_modern() => {
                declared.contains(ClientAbilities::ELICITATION_URL)
            }
            _ => abilities.elicitation_url,
        };
        let bound_to = binding(&[tenant_id, object_id, client_id, method, name, arguments]);
        let step_up = if has_pages { Page::of(session, context) } else { None };
        let is_call = method == "tools/call";
        Self { context: context.to_owned(), abilities, has_pages, is_call, bound_to, step_up }
    }

    /// What the request is.
    pub(crate) fn context(&self) -> Context<'_> {
        self.context.borrow()
    }

    /// What the pack is told beside the parameters. A state that is there has to open. One that is not there proves nothing,
    /// which the pack sees: whoever can send answers without one could as well get one first.
    pub(crate) fn about(&self, audit: &Audit, input: &Input<'_>) -> Result<About, Reply> {
        let state = match &input.state {
            None => None,
            Some(sealed) => Some(self.open(audit, sealed)?),
        };
        let responses: Option<Vec<(String, String)>> = input.responses.as_ref().map(|responses| {
            responses
                .iter()
                .map(|(key, answer)| (key.clone().into_owned(), answer.get().to_owned()))
                .collect()
        });
        let client = flags(input.abilities);
        if let (None, Some([(key, answer)])) = (&state, responses.as_deref())
            && key == OWN_PAGE
        {
            if declined(answer) {
                audit.denied("declined", "the user does not go to the page".to_owned());
                return Err(self.told("The user declined to sign in with Microsoft, which this needs."));
            }
            return Ok(About { client, input: None });
        }
        let given = (state.is_some() || responses.is_some()).then(|| GivenInput {
            responses: responses.unwrap_or_default(),
            state: state.unwrap_or_default(),
        });
        Ok(About { client, input: given })
    }

    fn open(&self, audit: &Audit, sealed: &str) -> Result<Vec<u8>, Reply> {
        request_state::open(sealed, &self.bound_to).map_err(|refusal| {
            let (reason, detail) = match refusal {
                Refusal::Invalid => {
                    ("invalid_state", "the request state is not of this request, or none of ours")
                }
                Refusal::Expired => ("expired_state", "the request state is too old"),
            };
            audit.denied(reason, detail.to_owned());
            Reply::failure(self.context(), &Fault::InvalidRequestState)
        })
    }

    /// Asks the client for `needed`, if it can give that.
    pub(crate) fn ask(&self, audit: &Audit, needed: &NeededInput) -> Reply {
        let requests = needed.requests.iter().map(|request| InputRequest {
            key: &request.key,
            method: &request.method,
            params: &request.params,
        });
        let requests = match InputRequests::check(requests.collect()) {
            Ok(requests) => requests,
            Err(fault) => return self.bad(audit, fault.to_string()),
        };
        if needed.state.len() > limits::INPUT_STATE {
            return self.bad(audit, format!("a request state of {} bytes", needed.state.len()));
        }
        if !self.context().revision.is_modern() {
            return self.ask_legacy(audit, &requests);
        }
        if let Some(missing) = requests.missing(self.abilities) {
            audit.denied("missing_capability", format!("{missing:?}"));
            return Reply::failure(self.context(), &Fault::MissingCapabilities { missing });
        }
        match request_state::seal(&needed.state, &self.bound_to, limits::INPUT_LIFETIME) {
            Ok(state) => SERVER.input_required(self.context(), &requests, Some(&state)),
            Err(why) => {
                audit.failed("misconfigured", why);
                Reply::failure(self.context(), &Fault::Internal)
            }
        }
    }

    /// Has the user do what `words` say. A client that can send them to `page` is asked to, and comes back when they are done; to others the words are told.
    fn act(&self, audit: &Audit, words: &str, page: Option<&str>) -> Reply {
        audit.failed("action_required", String::new());
        let Some(page) = page.filter(|_| self.has_pages) else { return self.told(words) };
        let is_modern = self.context().revision.is_modern();
        // The key of a legacy page tells it apart from every other: it becomes the `elicitationId`.
        let key = if is_modern { OWN_PAGE.to_owned() } else { format!("{OWN_PAGE}-{}", audit.request_id()) };
        let params = input::page(words, page);
        let request = InputRequest { key: &key, method: "elicitation/create", params: &params };
        match InputRequests::check(vec![request]) {
            // No state: it would have to open for somebody who has signed in meanwhile, and proves nothing.
            Ok(requests) if is_modern => SERVER.input_required(self.context(), &requests, None),
            Ok(requests) => match requests.pages() {
                Some(elicitations) => {
                    Reply::failure(self.context(), &Fault::UrlElicitationRequired { elicitations })
                }
                None => self.told(words),
            },
            Err(fault) => self.bad(audit, fault.to_string()),
        }
    }

    /// Has the user do what a pack's `failure` wants of them; it comes back where they cannot be asked, or can do nothing.
    pub(crate) fn mend(&self, audit: &Audit, failure: Failure) -> Result<Reply, Failure> {
        match failure {
            Failure::ActionRequired((words, page)) => Ok(self.act(audit, &words, page.as_deref())),
            failure => self.step_up(audit, &failure).ok_or(failure),
        }
    }

    /// Has the user satisfy the claims that `failure` wants, where the client can send them to a page: then its session goes on, and it comes back when they are done. None where
    /// it has to sign in anew, and for every other failure.
    pub(crate) fn step_up(&self, audit: &Audit, failure: &Failure) -> Option<Reply> {
        let Failure::InteractionRequired(Some(claims)) = failure else { return None };
        let params = self.step_up.as_ref()?.params(audit, claims)?;
        let request = InputRequest { key: OWN_PAGE, method: "elicitation/create", params: &params };
        // What is too long for a client is a 401, as for those without pages.
        let requests = InputRequests::check(vec![request]).ok()?;
        audit.failed("interaction_required", "the user is sent to a page".to_owned());
        // No state, for the same reason as with every page of ours: what was done there is known to the session.
        Some(SERVER.input_required(self.context(), &requests, None))
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
            _ => self.told(
                "This needs an answer from the user, or from the client, for which this client's version of MCP has no way \
                 here. A client that speaks 2026-07-28 can do it.",
            ),
        }
    }

    /// Words for the caller: in the result of a tool, where a model can act on them, else in an error.
    fn told(&self, words: &str) -> Reply {
        match self.is_call {
            true => SERVER.tool_error(self.context(), words),
            false => Reply::failure(self.context(), &Fault::Unavailable { reason: words.to_owned() }),
        }
    }

    fn bad(&self, audit: &Audit, why: String) -> Reply {
        audit.failed("bad_result", why);
        Reply::failure(self.context(), &Fault::Internal)
    }
}

/// What packs and hosts are told of a client's abilities.
pub(crate) fn flags(abilities: Abilities) -> ClientAbilities {
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
