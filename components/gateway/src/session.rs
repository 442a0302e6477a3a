//! A verified caller with one request: what they may use, how often, and which part of the gateway answers.

use valet_core_mcp::challenge::Challenge;
use valet_core_mcp::{Call, Context, Fault, Reply, Request, Server};
use valet_core_policy::{Caller as Judged, Denial, Kind as JudgedKind, Permit, Reason, Usable};

use crate::audit::Audit;
use crate::bindings::valet::capability::rate_limit;
use crate::bindings::valet::identity::principal::{Caller, Kind, Principal};
use crate::bindings::valet::mcp::interaction::ClientAbilities;
use crate::http::challenge_for;
use crate::lists;
use crate::settings::Settings;
use crate::stream::Stream;

/// How long a client may keep lists, in milliseconds. They change with a deployment or a change of roles.
const LIST_TTL_MS: u64 = 5 * 60 * 1000;

/// A key and its ring, in the size and the one colour in which most menus show it.
const ICONS: &str = r##"[{"src":"data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAyNCAyNCIgZmlsbD0ibm9uZSIgc3Ryb2tlPSIjMmY2ZjRmIiBzdHJva2Utd2lkdGg9IjIiPjxjaXJjbGUgY3g9IjgiIGN5PSIxNiIgcj0iNSIvPjxwYXRoIGQ9Ik0xMiAxMiAyMSAzbTAgNC0zIDMiLz48L3N2Zz4=","mimeType":"image/svg+xml","sizes":["any"]}]"##;

pub(crate) const SERVER: Server<'static> = Server {
    name: "valet",
    title: Some("Valet"),
    version: env!("CARGO_PKG_VERSION"),
    instructions: Some(
        "Tools for the signed-in user's Microsoft 365 account. Every call is made as that user, with that user's permissions only. \
         Use whoami to see who that is.",
    ),
    icons: Some(ICONS),
    ttl_ms: LIST_TTL_MS,
};

/// What carries a request and its answer, as far as that shows in the answer.
#[derive(Clone, Copy)]
pub(crate) enum Carrier<'s> {
    /// HTTP, with the request's header fields.
    Http {
        headers: &'s [(String, String)],
        /// Whether the client takes server-sent events.
        events: bool,
    },
    /// Single messages.
    Messages {
        /// What the client declared when it opened; a legacy request does not repeat it.
        declared: ClientAbilities,
    },
}

/// An answer to a request.
pub(crate) enum Answer {
    Whole(Reply),
    /// Of a tool that takes long: the head, and what gives the pieces. There is a first one.
    Growing(Reply, Box<Stream>),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Whole(reply)
    }
}

/// Whether a request is answered alike whoever sends it. Nothing of such a one is in the audit trail.
pub(crate) fn is_for_anybody(call: &Call<'_>) -> bool {
    matches!(call, Call::Discover | Call::Initialize(_) | Call::Ping | Call::SetLogLevel)
}

/// The answer to such a request.
pub(crate) fn to_anybody(request: &Request<'_>) -> Reply {
    let context = request.context;
    match &request.call {
        Call::Discover => SERVER.discover(context, lists::offers()),
        Call::Initialize(initialize) => SERVER.initialize(context, initialize, lists::offers()),
        _ => SERVER.empty(context),
    }
}

pub(crate) struct Session<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) carrier: Carrier<'s>,
    pub(crate) principal: Principal,
    pub(crate) caller: Caller,
    pub(crate) audit: Audit,
}

impl<'s> Session<'s> {
    pub(crate) fn new(
        settings: &'s Settings,
        carrier: Carrier<'s>,
        principal: Principal,
        mut audit: Audit,
    ) -> Self {
        let caller = principal.caller();
        audit.caller(caller.clone());
        Self { settings, carrier, principal, caller, audit }
    }

    /// Answers `request`.
    pub(crate) fn answer(mut self, request: &Request<'_>) -> Answer {
        let context = request.context;
        self.audit.method(request.call.method());
        match &request.call {
            Call::CallTool(call) => return self.call_tool(context, call),
            Call::List(list, cursor) => self.list(context, *list, cursor.as_ref()),
            Call::ReadResource(read) => self.read_resource(context, read),
            Call::Subscribe(uri) | Call::Unsubscribe(uri) => {
                self.subscribe(context, uri, request.call.method())
            }
            Call::GetPrompt(get) => self.get_prompt(context, get),
            Call::Complete(complete) => self.complete(context, complete),
            Call::Discover | Call::Initialize(_) | Call::Ping | Call::SetLogLevel => to_anybody(request),
        }
        .into()
    }

    /// Whether this caller may use something: the same decision for a call and for a list.
    pub(crate) fn permit<U: Usable>(&self, name: &str) -> Result<Permit<'s, U>, Denial> {
        let kind = match self.caller.kind {
            Kind::User => JudgedKind::User,
            Kind::Application => JudgedKind::Application,
        };
        let judged = Judged { kind, scopes: &self.caller.scopes, roles: &self.caller.roles };
        self.settings.policy.permit(&judged, name)
    }

    /// A permit that costs one of the calls that the caller has left (MCP `server/tools#security-considerations`). The error
    /// answers the request; `unknown` is for what the caller may not even know of.
    pub(crate) fn admit<U: Usable>(
        &mut self,
        context: Context<'_>,
        name: &str,
        unknown: impl FnOnce() -> Fault,
    ) -> Result<Permit<'s, U>, Reply> {
        self.audit.subject(name);
        let permit = self.permit(name).map_err(|denial| self.deny(context, &denial, unknown))?;
        let caller = format!("{}/{}", self.caller.tenant_id, self.caller.object_id);
        match rate_limit::take(&caller) {
            Ok(()) => {
                self.audit.allowed();
                Ok(permit)
            }
            Err(retry_after) => {
                self.audit.denied("rate_limited", format!("again in {retry_after} s"));
                Err(Reply::failure(context, &Fault::RateLimited { retry_after }))
            }
        }
    }

    fn deny(&self, context: Context<'_>, denial: &Denial, unknown: impl FnOnce() -> Fault) -> Reply {
        let detail = denial.to_string();
        match &denial.reason {
            // Not told apart from what does not exist.
            Reason::Unlisted => {
                self.audit.denied(&format!("unlisted_{}", denial.subject), detail);
                Reply::failure(context, &unknown())
            }
            Reason::MissingScopes { needed, .. } => {
                self.audit.denied("insufficient_scope", detail);
                let scopes: Vec<String> = needed.iter().map(|scope| self.settings.qualified(scope)).collect();
                let text = format!("the {} needs more permissions", denial.subject);
                match self.carrier {
                    Carrier::Http { .. } => {
                        challenge_for(self.settings, Challenge::insufficient_scope(&text), &scopes)
                    }
                    Carrier::Messages { .. } => Reply::failure(context, &Fault::Forbidden),
                }
            }
            Reason::MissingRole { .. } | Reason::ApplicationNotAllowed => {
                self.audit.denied("missing_role", detail);
                Reply::failure(context, &Fault::Forbidden)
            }
        }
    }
}
