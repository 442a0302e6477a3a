//! The steps between a request and a signed-in user who agreed: account, password, second factor, policies, consent.
//!
//! Shared by the authorize endpoint and the device code page, which own what a request is and what its answer looks like.
//! No step is kept on the server: each form carries the original request, which is checked again every time, and a
//! sealed [`proof`] of what was done. Who the person is, is found out in `identity.rs`; HTML is in `pages.rs`.

mod identity;
pub(crate) mod pages;
mod proof;
mod script;
pub(crate) mod session;

use std::collections::HashMap;

use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::conditional_access::{self, Question};
use crate::errors::{Refusal, Trace};
use crate::realm::Realm;
use crate::registrations::{App, ExposedScope, Registrations, User};
use crate::scopes::Ask;
use crate::state::{Session, SignIn, State};
use proof::Proof;
use script::Script;

/// What the client wants the user to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Whatever is needed.
    AsNeeded,
    /// Nothing; fail instead.
    None,
    /// Sign in again.
    Login,
    /// Choose an account.
    SelectAccount,
    /// Consent again.
    Consent,
    /// Ask before a device is let in, even where nothing is new (device code flow).
    Confirm,
}

/// A checked request for a signed-in user.
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a State,
    pub(crate) all: &'a Registrations,
    pub(crate) trace: &'a Trace,
    pub(crate) client: &'a App,
    pub(crate) realm: &'a Realm,
    pub(crate) ask: &'a Ask,
    pub(crate) claims: &'a ClaimsRequest,
    pub(crate) prompt: Prompt,
    pub(crate) login_hint: Option<&'a str>,
    /// Where the forms go.
    pub(crate) action: &'a str,
    /// The request as the forms carry it.
    pub(crate) request: &'a str,
    /// Where the last form's answer leads.
    pub(crate) target: Option<&'a str>,
}

/// What came with this step.
pub(crate) struct Step<'a> {
    session: Option<Session>,
    form: Option<&'a HashMap<String, String>>,
    script: Script,
}

/// What follows.
pub(crate) enum Outcome<'a> {
    /// The person is asked something, or told what cannot be told to the client.
    Page(Box<Response>),
    /// The user is signed in and agreed.
    Done(&'a User, SignIn),
    /// The client is told.
    Refused(Refusal),
}

impl Outcome<'_> {
    /// Boxed, because it is also the other half of results.
    fn page(response: Response) -> Self {
        Self::Page(Box::new(response))
    }
}

/// Who signed in, with the question of whether that was just now.
struct Identity<'a> {
    user: &'a User,
    sign_in: SignIn,
    /// Taken from the browser's session, so it may be too old for a policy.
    remembered: bool,
}

impl<'a> Step<'a> {
    /// The first step: no form was filled in yet.
    pub(crate) fn first(state: &State, headers: &HeaderMap) -> Self {
        Self { session: session::of(state, headers), form: None, script: Script::of(headers) }
    }

    /// A step by one of the forms.
    pub(crate) fn form(state: &State, headers: &HeaderMap, form: &'a HashMap<String, String>) -> Self {
        Self { form: Some(form), ..Self::first(state, headers) }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.form?.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    fn decision(&self) -> Option<&str> {
        self.field("decision")
    }

    /// The form speaks about this account.
    fn account(&self) -> Option<Uuid> {
        self.field("account").and_then(|id| Uuid::parse_str(id).ok())
    }

    /// Whether a button was pressed that gives up and goes back to the client.
    fn returns(&self) -> bool {
        self.decision() == Some("return")
    }
}

impl<'a> Visit<'a> {
    /// Takes one step.
    pub(crate) fn advance(&self, step: &Step<'_>) -> Outcome<'a> {
        if step.script.declines || step.decision() == Some("cancel") {
            return Outcome::Refused(Refusal::ConsentDeclined);
        }
        let mut identity = match self.identify(step, step.session) {
            Ok(identity) => identity,
            Err(outcome) => return outcome,
        };
        let mut verdict = self.policies(step, &mut identity);
        let outlived = identity.remembered && verdict.as_ref().is_err_and(may_pass_afresh);
        if outlived && self.prompt != Prompt::None {
            // Too old for a policy, or revoked: as if there were no session.
            identity = match self.identify(step, None) {
                Ok(identity) => identity,
                Err(outcome) => return outcome,
            };
            verdict = self.policies(step, &mut identity);
        }
        match verdict {
            Ok(()) => self.consent(step, &identity),
            Err(refusal) => self.stopped(step, &identity, refusal),
        }
    }

    /// Asks the policies; an approved second factor counts from here on.
    fn policies(&self, step: &Step<'_>, identity: &mut Identity<'_>) -> Result<(), Refusal> {
        let resources: Vec<Uuid> = self.ask.apis.iter().map(|asked| asked.api).collect();
        let user = identity.user;
        satisfy(step, &mut identity.sign_in, |sign_in| {
            let (client, claims) = (self.client, self.claims);
            let question = Question { user, sign_in, client, resources: &resources, claims };
            conditional_access::check(self.state, &question)
        })
    }

    /// A policy or the account stands in the way.
    fn stopped(&self, step: &Step<'_>, identity: &Identity<'_>, refusal: Refusal) -> Outcome<'a> {
        // What a second factor did not satisfy, no button here will.
        let hopeless = identity.sign_in.mfa;
        match refusal {
            refusal if self.prompt == Prompt::None || step.returns() => Outcome::Refused(refusal),
            // Entra keeps problems of the account on its own page.
            Refusal::UserDisabled(_) | Refusal::NotAssigned { .. } => {
                Outcome::page(pages::refusal(self.trace, &refusal))
            }
            Refusal::StepUp { control, .. } if !hopeless => {
                Outcome::page(pages::second_factor(self, identity.user, self.proof(identity), control))
            }
            Refusal::PolicyBlock { .. } if step.script.approver.is_none() => {
                Outcome::page(pages::blocked(self, identity.user, self.proof(identity), &refusal))
            }
            refusal => Outcome::Refused(refusal),
        }
    }

    fn consent(&self, step: &Step<'_>, identity: &Identity<'a>) -> Outcome<'a> {
        let user = identity.user;
        if let Err(refusal) = self.ask.check_for(self.state, self.client, user, self.all) {
            return Outcome::Refused(refusal);
        }
        let missing = self.missing(user);
        if let Some((_, scope)) = missing.iter().find(|(_, s)| s.admin_consent_required) {
            let refusal = Refusal::AdminConsentNeeded(scope.value.clone());
            let told = step.returns() || self.prompt == Prompt::None || self.scripted(step, user);
            return match told {
                true => Outcome::Refused(refusal),
                false => Outcome::page(pages::admin_needed(self, user, self.proof(identity), &missing)),
            };
        }
        let must_ask = !missing.is_empty() || matches!(self.prompt, Prompt::Consent | Prompt::Confirm);
        let agreed = step.decision() == Some("accept") || self.scripted(step, user);
        match (must_ask && !agreed, self.prompt) {
            (true, Prompt::None) => Outcome::Refused(Refusal::NoConsent {
                client: self.client.client_id,
                name: self.client.name.clone(),
                resource: missing.first().map(|(api, _)| api.name.clone()).unwrap_or_default(),
            }),
            (true, _) => Outcome::page(pages::consent(self, user, self.proof(identity), &missing)),
            (false, _) => {
                for (api, scope) in &missing {
                    let scope = std::slice::from_ref(&scope.value);
                    self.state.consent(user.id, self.client.client_id, api, scope);
                }
                Outcome::Done(user, identity.sign_in)
            }
        }
    }

    /// Scopes that were asked and nobody has consented to yet.
    fn missing(&self, user: &User) -> Vec<(&'a App, &'a ExposedScope)> {
        let mut missing = Vec::new();
        for asked in &self.ask.apis {
            let Some(api) = self.all.app(asked.api) else { continue };
            let granted = self.state.granted(user.id, self.client, api);
            let names = asked.names(self.client, &granted);
            let new = names.iter().filter(|n| !granted.contains(*n)).filter_map(|n| api.scope(n));
            missing.extend(new.map(|scope| (api, scope)));
        }
        missing
    }

    fn proof(&self, identity: &Identity<'_>) -> String {
        Proof { user: identity.user.id, sign_in: identity.sign_in }.seal(self.state, self.request)
    }
}

/// Whether the refusal is about the time of the sign-in, so that a new one may pass.
fn may_pass_afresh(refusal: &Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::StepUp { .. }
            | Refusal::PolicyBlock { .. }
            | Refusal::UserDisabled(_)
            | Refusal::NotAssigned { .. }
    )
}

/// Lets the sign-in be stronger by a second factor, if one is asked for and was approved.
fn satisfy(
    step: &Step<'_>,
    sign_in: &mut SignIn,
    check: impl Fn(SignIn) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let approved = step.script.second_factor || step.decision() == Some("approve");
    match check(*sign_in) {
        Err(Refusal::StepUp { .. }) if approved && !sign_in.mfa => {
            sign_in.mfa = true;
            check(*sign_in)
        }
        verdict => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Instant;
    use crate::registrations::Control;

    fn step_up() -> Refusal {
        Refusal::StepUp { resource: "Valet".into(), control: Control::Mfa, guest: false, claims: "{}".into() }
    }

    /// What a policy that wants a second factor says.
    fn policy(sign_in: SignIn) -> Result<(), Refusal> {
        if sign_in.mfa { Ok(()) } else { Err(step_up()) }
    }

    fn satisfied(
        decision: &str,
        check: impl Fn(SignIn) -> Result<(), Refusal>,
    ) -> (Result<(), Refusal>, bool) {
        let form = HashMap::from([("decision".to_owned(), decision.to_owned())]);
        let step = Step { session: None, form: Some(&form), script: Script::default() };
        let mut sign_in = SignIn { at: Instant(0), mfa: false };
        let verdict = satisfy(&step, &mut sign_in, check);
        (verdict, sign_in.mfa)
    }

    #[test]
    fn an_approved_second_factor_counts_where_one_is_asked_for() {
        assert_eq!(satisfied("approve", policy), (Ok(()), true));
        assert_eq!(satisfied("accept", policy), (Err(step_up()), false));
        assert_eq!(satisfied("approve", |_| Ok(())), (Ok(()), false), "nobody asked");
        assert_eq!(satisfied("approve", |_| Err(step_up())), (Err(step_up()), true), "it was not enough");
        let block = || Refusal::PolicyBlock { resource: "Valet".into(), control: Control::Block };
        assert_eq!(satisfied("approve", |_| Err(block())), (Err(block()), false));
    }
}
