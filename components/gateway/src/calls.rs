//! One MCP request of a verified caller: permit, call, answer.

use valet_core_mcp::challenge::Challenge;
use valet_core_mcp::tool::Definition;
use valet_core_mcp::{Call, CallTool, Context, Fault, Reply, Request, Server};
use valet_core_policy::{Caller as Judged, Denial, Kind as JudgedKind, Permit};

use crate::audit::Audit;
use crate::bindings::valet::identity::principal::{Caller, Kind, Principal};
use crate::bindings::valet::mcp::interaction::{self, ClientAbilities, Failure};
use crate::bindings::valet::mcp::tools::{self, Answer};
use crate::http::{challenge, challenge_for};
use crate::settings::Settings;

/// How long a client may keep lists, in milliseconds. They change with a deployment or a change of roles.
const LIST_TTL_MS: u64 = 5 * 60 * 1000;

const SERVER: Server<'static> = Server {
    name: "valet",
    title: Some("Valet"),
    version: env!("CARGO_PKG_VERSION"),
    instructions: Some(
        "Tools for the signed-in user's Microsoft 365 account. Every call is made as that user, with that user's permissions only. \
         Use whoami to see who that is.",
    ),
    ttl_ms: LIST_TTL_MS,
};

/// A verified caller and what is needed to answer them.
pub(crate) struct Session<'s, 'a> {
    settings: &'s Settings,
    principal: &'s Principal,
    caller: Caller,
    audit: &'s mut Audit<'a>,
}

impl<'s, 'a> Session<'s, 'a> {
    pub(crate) fn new(settings: &'s Settings, principal: &'s Principal, audit: &'s mut Audit<'a>) -> Self {
        let caller = principal.caller();
        audit.caller(caller.clone());
        Self { settings, principal, caller, audit }
    }

    /// Answers `request`.
    pub(crate) fn answer(&mut self, request: &Request<'_>) -> Reply {
        let context = request.context;
        self.audit.method(request.call.method());
        match &request.call {
            Call::CallTool(call) => self.call_tool(context, call),
            Call::ListTools => {
                self.audit.allowed();
                self.list_tools(context)
            }
            Call::Discover => SERVER.discover(context),
            Call::Initialize(initialize) => SERVER.initialize(context, initialize),
            Call::Ping => SERVER.pong(context),
        }
    }

    /// The tools that this caller may use: the same policy that decides a call decides what is listed.
    fn list_tools(&self, context: Context<'_>) -> Reply {
        let definitions = tools::definitions();
        let parsed: Result<Vec<Definition<'_>>, _> =
            definitions.iter().map(|json| Definition::parse(json)).collect();
        match parsed {
            Ok(tools) => SERVER.tools(context, tools.iter().filter(|tool| self.permit(tool.name()).is_ok())),
            Err(fault) => {
                self.audit.failed("bad_definition", format!("{fault:?}"));
                Reply::failure(context, &Fault::Internal)
            }
        }
    }

    fn permit(&self, tool: &str) -> Result<Permit<'_>, Denial> {
        let kind = match self.caller.kind {
            Kind::User => JudgedKind::User,
            Kind::Application => JudgedKind::Application,
        };
        let judged = Judged { kind, scopes: &self.caller.scopes, roles: &self.caller.roles };
        self.settings.policy.permit(&judged, tool)
    }

    fn call_tool(&mut self, context: Context<'_>, call: &CallTool<'_>) -> Reply {
        self.audit.tool(&call.name);
        match self.permit(&call.name) {
            Ok(permit) => {
                self.audit.allowed();
                self.run(context, &permit, call.arguments_json())
            }
            Err(denial) => self.deny(context, &call.name, &denial),
        }
    }

    /// Runs a tool. The permit is the argument, so there is no way here without one.
    fn run(&self, context: Context<'_>, permit: &Permit<'_>, arguments: &str) -> Reply {
        let tool = permit.tool();
        let about = interaction::Context { client: ClientAbilities::empty(), input: None };
        match tools::call(self.principal, tool, arguments, &about) {
            Ok(Answer::InputRequired(_) | Answer::Running(_)) => {
                self.audit.failed("internal", "the tool asks for more than one step".to_owned());
                Reply::failure(context, &Fault::Internal)
            }
            Ok(Answer::Complete(result)) => SERVER.tool_result(context, &result).unwrap_or_else(|fault| {
                self.audit.failed("bad_result", format!("{fault:?}"));
                Reply::failure(context, &Fault::Internal)
            }),
            // MCP server/tools: what a model can mend is a result, not a protocol error.
            Err(Failure::InvalidArguments(why)) => SERVER
                .tool_error(context, &format!("The arguments do not fit the tool's input schema: {why}")),
            Err(Failure::InteractionRequired(Some(claims))) => {
                self.audit.failed("interaction_required", String::new());
                challenge(self.settings, Challenge::insufficient_claims(&claims))
            }
            Err(Failure::InteractionRequired(None)) => {
                self.audit.failed("consent_required", String::new());
                SERVER.tool_error(
                    context,
                    "Microsoft Entra wants the user to act first: to sign in again, or to consent to what this tool needs. An administrator can \
                     consent for everyone.",
                )
            }
            Err(Failure::ReauthenticationRequired) => {
                self.audit.failed("assertion_refused", String::new());
                challenge(self.settings, Challenge::invalid_token("sign in again"))
            }
            Err(Failure::NotFound) => {
                self.audit.failed("unknown_tool", "the policy names a tool that no pack has".to_owned());
                Reply::failure(context, &Fault::UnknownTool { name: tool.to_owned() })
            }
            Err(Failure::Internal(detail)) => {
                self.audit.failed("internal", detail);
                Reply::failure(context, &Fault::Internal)
            }
        }
    }

    fn deny(&self, context: Context<'_>, tool: &str, denial: &Denial) -> Reply {
        let detail = denial.to_string();
        match denial {
            // Not told apart from a tool that does not exist.
            Denial::UnlistedTool => {
                self.audit.denied("unlisted_tool", detail);
                Reply::failure(context, &Fault::UnknownTool { name: tool.to_owned() })
            }
            Denial::MissingScopes { needed, .. } => {
                self.audit.denied("insufficient_scope", detail);
                let scopes: Vec<String> = needed.iter().map(|scope| self.settings.qualified(scope)).collect();
                challenge_for(
                    self.settings,
                    Challenge::insufficient_scope("the tool needs more permissions"),
                    &scopes,
                )
            }
            Denial::MissingRole { .. } | Denial::ApplicationNotAllowed => {
                self.audit.denied("missing_role", detail);
                Reply::failure(context, &Fault::Forbidden)
            }
        }
    }
}
