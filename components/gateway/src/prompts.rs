//! `prompts/get` and `completion/complete`.

use valet_core_mcp::message::{Complete, GetPrompt, Reference};
use valet_core_mcp::pack::ResultMembers;
use valet_core_mcp::{Context, Definition, Fault, List, Reply};
use valet_core_policy::{Prompt, Resource};

use crate::bindings::valet::mcp::interaction::{Failure, Outcome};
use crate::bindings::valet::mcp::{prompts, resources};
use crate::lists;
use crate::rounds::Round;
use crate::session::{SERVER, Session};

impl Session<'_> {
    pub(crate) fn get_prompt(&mut self, context: Context<'_>, get: &GetPrompt<'_>) -> Reply {
        let definitions = lists::definitions(List::Prompts);
        if definitions.is_empty() {
            return Reply::failure(context, &Fault::MethodNotFound { method: "prompts/get".to_owned() });
        }
        let unknown = || Fault::UnknownPrompt { name: get.name.clone().into_owned() };
        let permit = match self.admit::<Prompt>(context, &get.name, unknown) {
            Ok(permit) => permit,
            Err(reply) => return reply,
        };
        let definition = match Definition::find(List::Prompts, &definitions, permit.name()) {
            Ok(Some(definition)) => definition,
            Ok(None) => return self.not_in_the_pack(context, unknown()),
            Err(fault) => return self.bad_definition(context, &fault),
        };
        let arguments = get.arguments_json();
        if let Err(fault) = definition.check_arguments(arguments) {
            return Reply::failure(context, &fault);
        }
        let request = ["prompts/get", permit.name(), arguments];
        let round = Round::new(self, context, get.input.abilities, request);
        let about = match round.about(&self.audit, &get.input) {
            Ok(about) => about,
            Err(reply) => return reply,
        };
        match prompts::get(&self.principal, permit.name(), arguments, &about) {
            Ok(Outcome::Complete(result)) => match ResultMembers::prompt(&result) {
                Ok(members) => SERVER.complete(context, members),
                Err(fault) => self.bad_result(context, &fault),
            },
            Ok(Outcome::InputRequired(needed)) => round.ask(&self.audit, &needed),
            Err(Failure::NotFound) => self.not_in_the_pack(context, unknown()),
            Err(failure) => round
                .mend(&self.audit, failure)
                .unwrap_or_else(|failure| self.failure(context, failure, unknown)),
        }
    }

    /// Completes an argument of what the caller may use.
    pub(crate) fn complete(&mut self, context: Context<'_>, complete: &Complete<'_>) -> Reply {
        let offers = lists::offers();
        if !offers.resources && !offers.prompts {
            return Reply::failure(
                context,
                &Fault::MethodNotFound { method: "completion/complete".to_owned() },
            );
        }
        let (argument, value) = (complete.argument.as_ref(), complete.value.as_ref());
        let known: Vec<(String, String)> = complete
            .known
            .iter()
            .map(|(name, value)| (name.clone().into_owned(), value.clone().into_owned()))
            .collect();
        let completed = match &complete.reference {
            Reference::Prompt(name) => {
                let unknown = || Fault::UnknownPrompt { name: name.clone().into_owned() };
                match self.admit::<Prompt>(context, name, unknown) {
                    Ok(permit) => prompts::complete(&self.principal, permit.name(), argument, value, &known),
                    Err(reply) => return reply,
                }
            }
            Reference::Template(template) => {
                let unknown = || Fault::UnknownResource { uri: template.clone().into_owned() };
                let name = match self.template(context, template) {
                    Ok(name) => name,
                    Err(reply) => return reply,
                };
                match self.admit::<Resource>(context, &name, unknown) {
                    Ok(_) => resources::complete(&self.principal, template, argument, value, &known),
                    Err(reply) => return reply,
                }
            }
        };
        match completed {
            Ok(found) => SERVER.completion(context, &found.values, found.total, found.has_more),
            // What is referred to is there, so that it is the argument which is not.
            Err(failure) => self.failure(context, failure, || Fault::InvalidArgument),
        }
    }

    /// What policies call the template with that text.
    fn template(&self, context: Context<'_>, template: &str) -> Result<String, Reply> {
        for json in &lists::definitions(List::Templates) {
            match Definition::parse(List::Templates, json) {
                Ok(definition) if definition.uri() == template => return Ok(definition.name().to_owned()),
                Ok(_) => {}
                Err(fault) => return Err(self.bad_definition(context, &fault)),
            }
        }
        self.audit.denied("unknown_resource", "the pack has no template of that text".to_owned());
        Err(Reply::failure(context, &Fault::UnknownResource { uri: template.to_owned() }))
    }
}
