//! What there is: capabilities, lists, and the check of all definitions before anyone is served. The policy that decides a
//! call decides what is listed.

use valet_core_mcp::page::{Cursor, page};
use valet_core_mcp::{Context, Definition, Fault, List, Offers, Reply, mirrored};
use valet_core_policy::{Policy, Prompt, Resource, Subject, Tool};

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
pub(crate) fn check() -> Result<Names, String> {
    let mut all = Names::default();
    for list in [List::Tools, List::Resources, List::Templates, List::Prompts] {
        // A policy names resources and templates alike.
        let names = match list {
            List::Tools => &mut all.tools,
            List::Resources | List::Templates => &mut all.resources,
            List::Prompts => &mut all.prompts,
        };
        for (index, json) in definitions(list).iter().enumerate() {
            let name =
                check_one(list, json).map_err(|why| format!("entry {index} of {}: {why}", list.method()))?;
            if names.contains(&name) {
                return Err(format!("`{name}` is twice in {}", list.method()));
            }
            names.push(name);
        }
    }
    Ok(all)
}

/// The names of what there is.
#[derive(Default)]
pub(crate) struct Names {
    tools: Vec<String>,
    /// Templates too.
    resources: Vec<String>,
    prompts: Vec<String>,
}

/// Whether everything that the policy names is there. Whoever writes a rule means something by it, and what they misspelt nobody could use.
pub(crate) fn known(policy: &Policy, there: &Names) -> Result<(), String> {
    for (subject, names) in [
        (Subject::Tool, &there.tools),
        (Subject::Resource, &there.resources),
        (Subject::Prompt, &there.prompts),
    ] {
        if let Some(unknown) = policy.names(subject).find(|named| !names.iter().any(|name| name == named)) {
            return Err(format!(
                "setting `policy`: there is no {subject} `{unknown}`, which [{}] names; {}",
                subject.section(),
                nearest(unknown, names)
            ));
        }
    }
    Ok(())
}

/// The name that may be meant, or all where there are few.
fn nearest(unknown: &str, names: &[String]) -> String {
    let unlike =
        |name: &String| strsim::osa_distance(&name.to_ascii_lowercase(), &unknown.to_ascii_lowercase());
    let close = names.iter().map(|name| (unlike(name), name)).min();
    match close {
        Some((unlike, name)) if unlike * 3 <= name.len() => format!("is `{name}` meant?"),
        Some(_) if names.len() <= 10 => format!("there are: {}", names.join(", ")),
        Some(_) => format!("there are {} others", names.len()),
        None => "there is none at all".to_owned(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn there() -> Names {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Names {
            tools: names(&["whoami", "GetUserDetailsFromGraph"]),
            resources: names(&["profile"]),
            prompts: Vec::new(),
        }
    }

    /// What is said of a policy with this in the place of its sections.
    fn said(sections: &str) -> Result<(), String> {
        let policy = Policy::parse(&format!("{{{sections}}}")).unwrap();
        known(&policy, &there())
    }

    #[test]
    fn what_the_policy_names_has_to_be_there() {
        let rule = r#"{ "scopes": ["a"] }"#;
        let good = format!(r#""tools": {{ "whoami": {rule} }}, "resources": {{ "profile": {rule} }}"#);
        assert_eq!(said(&good), Ok(()), "not all of it has to be named");
        for (sections, why) in [
            (
                format!(r#""tools": {{ "getUserDetailFromGraph": {rule} }}"#),
                "setting `policy`: there is no tool `getUserDetailFromGraph`, which [tools] names; is `GetUserDetailsFromGraph` meant?",
            ),
            (
                format!(r#""tools": {{ "whoami": {rule}, "zebra": {rule} }}"#),
                "setting `policy`: there is no tool `zebra`, which [tools] names; there are: whoami, GetUserDetailsFromGraph",
            ),
            (
                format!(r#"{good}, "prompts": {{ "profile": {rule} }}"#),
                "setting `policy`: there is no prompt `profile`, which [prompts] names; there is none at all",
            ),
        ] {
            assert_eq!(said(&sections), Err(why.to_owned()));
        }
    }
}
