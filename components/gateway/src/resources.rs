//! `resources/read`, and the subscriptions of legacy clients.

use valet_core_mcp::message::ReadResource;
use valet_core_mcp::pack::ResultMembers;
use valet_core_mcp::{Context, Fault, Reply};
use valet_core_policy::Resource;

use crate::bindings::valet::mcp::interaction::Outcome;
use crate::bindings::valet::mcp::resources;
use crate::lists;
use crate::rounds::Round;
use crate::session::{SERVER, Session};

impl Session<'_> {
    pub(crate) fn read_resource(&mut self, context: Context<'_>, read: &ReadResource<'_>) -> Reply {
        let uri = read.uri.as_ref();
        let unknown = || Fault::UnknownResource { uri: uri.to_owned() };
        let name = match self.find(context, uri, "resources/read") {
            Ok(name) => name,
            Err(reply) => return reply,
        };
        if let Err(reply) = self.admit::<Resource>(context, &name, unknown) {
            return reply;
        }
        let round = Round::new(self, context, read.input.abilities, ["resources/read", uri, ""]);
        let about = match round.about(&self.audit, &read.input) {
            Ok(about) => about,
            Err(reply) => return reply,
        };
        match resources::read(&self.principal, uri, &about) {
            Ok(Outcome::Complete(result)) => match ResultMembers::resource(&result) {
                Ok(members) => SERVER.resource(context, members),
                Err(fault) => self.bad_result(context, &fault),
            },
            Ok(Outcome::InputRequired(needed)) => round.ask(&self.audit, &needed),
            Err(failure) => round
                .mend(&self.audit, failure)
                .unwrap_or_else(|failure| self.failure(context, failure, unknown)),
        }
    }

    /// `resources/subscribe` and `resources/unsubscribe`: taken for what the caller may read, and without effect. Nothing
    /// announces that there is one: a server without sessions has no channel to notify on.
    pub(crate) fn subscribe(&mut self, context: Context<'_>, uri: &str, method: &str) -> Reply {
        let name = match self.find(context, uri, method) {
            Ok(name) => name,
            Err(reply) => return reply,
        };
        match self.admit::<Resource>(context, &name, || Fault::UnknownResource { uri: uri.to_owned() }) {
            Ok(_) => SERVER.empty(context),
            Err(reply) => reply,
        }
    }

    /// What policies call the resource of that URI. Without any resources the method does not exist.
    fn find(&self, context: Context<'_>, uri: &str, method: &str) -> Result<String, Reply> {
        resources::find(uri).ok_or_else(|| {
            self.audit.denied("unknown_resource", "the pack has no resource of that URI".to_owned());
            let fault = if lists::has_resources() {
                Fault::UnknownResource { uri: uri.to_owned() }
            } else {
                Fault::MethodNotFound { method: method.to_owned() }
            };
            Reply::failure(context, &fault)
        })
    }

    /// A result that is none. Nothing of it leaves.
    pub(crate) fn bad_result(&self, context: Context<'_>, fault: &dyn core::fmt::Display) -> Reply {
        self.audit.failed("bad_result", fault.to_string());
        Reply::failure(context, &Fault::Internal)
    }
}
