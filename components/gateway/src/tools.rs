//! `tools/call`: permit, headers, arguments, the call, its result.

use valet_core_mcp::pack::ResultMembers;
use valet_core_mcp::{CallTool, Context, Definition, Fault, List, Reply, mirrored};
use valet_core_policy::Tool;

use crate::audit::Audit;
use crate::bindings::valet::mcp::interaction::Failure;
use crate::bindings::valet::mcp::tools::{self, Answer as Called};
use crate::failure::Told;
use crate::lists;
use crate::rounds::Round;
use crate::schema;
use crate::session::{Answer, Carrier, SERVER, Session};
use crate::stream::Stream;

impl Session<'_> {
    pub(crate) fn call_tool(mut self, context: Context<'_>, call: &CallTool<'_>) -> Answer {
        let unknown = |name: &str| Fault::UnknownTool { name: name.to_owned() };
        let permit = match self.admit::<Tool>(context, &call.name, || unknown(&call.name)) {
            Ok(permit) => permit,
            Err(reply) => return reply.into(),
        };
        let tool = permit.name();
        let definitions = lists::definitions(List::Tools);
        let definition = match Definition::find(List::Tools, &definitions, tool) {
            Ok(Some(definition)) => definition,
            Ok(None) => return self.not_in_the_pack(context, unknown(tool)).into(),
            Err(fault) => return self.bad_definition(context, &fault).into(),
        };
        let arguments = call.arguments_json();
        if let Err(reply) = self.check_arguments(context, &definition, arguments) {
            return reply.into();
        }
        let request = ["tools/call", tool, arguments];
        let round = Round::new(&self, context, call.input.abilities, request);
        let about = match round.about(&self.audit, &call.input) {
            Ok(about) => about,
            Err(reply) => return reply.into(),
        };
        match tools::call(&self.principal, tool, arguments, &about) {
            Ok(Called::Complete(result)) => {
                complete(&self.audit, context, &result, definition.output_schema()).into()
            }
            Ok(Called::InputRequired(needed)) => round.ask(&self.audit, &needed).into(),
            Ok(Called::Running(running)) => {
                let output_schema = definition.output_schema().map(str::to_owned);
                Stream::start(self, call, round, running, output_schema)
            }
            Err(Failure::NotFound) => self.not_in_the_pack(context, unknown(tool)).into(),
            Err(failure) => match round.mend(&self.audit, failure) {
                Ok(reply) => reply.into(),
                Err(failure) => {
                    let told = Told::of(&self.audit, failure, || unknown(tool));
                    self.tool_failure(context, told).into()
                }
            },
        }
    }

    /// Whether the headers agree with the arguments, and those with the tool's input schema. What does not fit is a result:
    /// the model that wrote it can mend it (MCP `server/tools#error-handling`).
    fn check_arguments(
        &self,
        context: Context<'_>,
        definition: &Definition<'_>,
        arguments: &str,
    ) -> Result<(), Reply> {
        let schema = definition.input_schema();
        if let (Carrier::Http { headers, .. }, true) = (self.carrier, context.revision.is_modern())
            && let Err(fault) = mirrored::agree(schema, headers, arguments)
        {
            self.audit.denied("bad_request", fault.to_string());
            return Err(Reply::failure(context, &fault));
        }
        schema::fits(schema, arguments).map_err(|fault| match fault {
            schema::Fault::Schema(why) => self.bad_definition(context, &why),
            schema::Fault::Value(why) => SERVER
                .tool_error(context, &format!("The arguments do not fit the tool's input schema: {why}")),
        })
    }

    /// The policy promises what the pack does not hold.
    pub(crate) fn not_in_the_pack(&self, context: Context<'_>, unknown: Fault) -> Reply {
        let (reason, what) = match unknown {
            Fault::UnknownTool { .. } => ("unknown_tool", "a tool"),
            Fault::UnknownPrompt { .. } => ("unknown_prompt", "a prompt"),
            _ => ("unknown_resource", "a resource"),
        };
        self.audit.failed(reason, format!("the policy names {what} that no pack has"));
        Reply::failure(context, &unknown)
    }
}

/// A result, if it is one and fits the tool's output schema (MCP `server/tools#output-schema`). Otherwise nothing of it leaves.
pub(crate) fn complete(
    audit: &Audit,
    context: Context<'_>,
    result: &str,
    output_schema: Option<&str>,
) -> Reply {
    let bad = |why: String| {
        audit.failed("bad_result", why);
        Reply::failure(context, &Fault::Internal)
    };
    let members = match ResultMembers::tool(result) {
        Ok(members) => members,
        Err(fault) => return bad(fault.to_string()),
    };
    if let Some(schema) = output_schema {
        match members.to_validate() {
            Err(fault) => return bad(fault.to_string()),
            Ok(None) => {}
            Ok(Some(content)) => match schema::fits(schema, content) {
                Ok(()) => {}
                Err(schema::Fault::Schema(why)) => return bad(format!("the output schema: {why}")),
                Err(schema::Fault::Value(why)) => return bad(format!("the structured content: {why}")),
            },
        }
    }
    SERVER.complete(context, members)
}
