//! What there is: capabilities, lists, and the check of all definitions before anyone is served. The policy that decides a
//! call decides what is listed.

use valet_core_mcp::page::{Cursor, page};
use valet_core_mcp::{Context, Definition, Fault, List, Offers, Reply, mirrored};
use valet_core_policy::{Prompt, Resource, Tool};

use crate::bindings::valet::mcp::{prompts, resources, tools};
use crate::schema;
use crate::session::{SERVER, Session};

/// The definitions of a list, as the pack hands them over.
pub(crate) fn definitions(list: List) -> Vec<String> {
    match list {
        List::Tools => tools::definitions(),
        List::Resources => resources::definitions(),
        List::Templates => resources::templates(),
        List::Prompts => prompts::definitions(),
    }
}

/// Whether the pack has any resources or templates.
pub(crate) fn has_resources() -> bool {
    !definitions(List::Resources).is_empty() || !definitions(List::Templates).is_empty()
}

/// What the pack has beside tools. Who may use it is another question: a list can be empty for a caller.
pub(crate) fn offers() -> Offers {
    Offers { resources: has_resources(), prompts: !definitions(List::Prompts).is_empty() }
}

impl Session<'_> {
    /// One page of a list.
    pub(crate) fn list(&self, context: Context<'_>, list: List, cursor: Option<&Cursor>) -> Reply {
        self.audit.allowed();
        let definitions = definitions(list);
        // A method behind a capability that is not announced does not exist (MCP `basic/index#error-codes`).
        let exists = match list {
            List::Tools => true,
            List::Resources | List::Templates => !definitions.is_empty() || has_resources(),
            List::Prompts => !definitions.is_empty(),
        };
        if !exists {
            return Reply::failure(context, &Fault::MethodNotFound { method: list.method().to_owned() });
        }
        let parsed: Result<Vec<Definition<'_>>, _> =
            definitions.iter().map(|json| Definition::parse(list, json)).collect();
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(fault) => return self.bad_definition(context, &fault),
        };
        let visible: Vec<&Definition<'_>> =
            parsed.iter().filter(|definition| self.may_see(list, definition.name())).collect();
        match page(list, &visible, cursor, |definition| definition.name()) {
            Ok((page, next)) => SERVER.list(context, list, page, next.as_deref()),
            Err(fault) => Reply::failure(context, &fault),
        }
    }

    fn may_see(&self, list: List, name: &str) -> bool {
        match list {
            List::Tools => self.permit::<Tool>(name).is_ok(),
            List::Resources | List::Templates => self.permit::<Resource>(name).is_ok(),
            List::Prompts => self.permit::<Prompt>(name).is_ok(),
        }
    }

    /// The pack's fault; the caller is told of an internal error.
    pub(crate) fn bad_definition(&self, context: Context<'_>, fault: &dyn core::fmt::Display) -> Reply {
        self.audit.failed("bad_definition", fault.to_string());
        Reply::failure(context, &Fault::Internal)
    }
}

/// Whether all definitions can be used. The text names the one at fault. Not asked for each request: what a call needs, it
/// looks at again.
pub(crate) fn check() -> Result<(), String> {
    let mut resource_names = Vec::new();
    for list in [List::Tools, List::Resources, List::Templates, List::Prompts] {
        let mut names = Vec::new();
        for (index, json) in definitions(list).iter().enumerate() {
            let name =
                check_one(list, json).map_err(|why| format!("entry {index} of {}: {why}", list.method()))?;
            // A policy names resources and templates alike.
            let names = if matches!(list, List::Resources | List::Templates) {
                &mut resource_names
            } else {
                &mut names
            };
            if names.contains(&name) {
                return Err(format!("`{name}` is twice in {}", list.method()));
            }
            names.push(name);
        }
    }
    Ok(())
}

fn check_one(list: List, json: &str) -> Result<String, String> {
    let definition = Definition::parse(list, json).map_err(|fault| fault.to_string())?;
    let name = definition.name().to_owned();
    if list == List::Tools {
        let of = |schema: &str, why: String| format!("`{schema}` of `{name}`: {why}");
        let input = definition.input_schema();
        schema::check(input).map_err(|why| of("inputSchema", why))?;
        mirrored::check(input).map_err(|why| of("inputSchema", why.to_string()))?;
        if !definition.takes_an_object() {
            return Err(of("inputSchema", "`type` has to be \"object\"".to_owned()));
        }
        if let Some(output) = definition.output_schema() {
            schema::check(output).map_err(|why| of("outputSchema", why))?;
        }
    }
    Ok(name)
}
