//! Whether the directory's policies let a token be issued: the account, its assignment, Conditional Access.
//!
//! Asked by the authorize endpoint, which can still show a page, and by every grant for a user, which can only refuse.
//! A refusal that a person can satisfy carries the `claims` with which the client sends the user to sign in again;
//! they name the policy, so that it also applies where the new sign-in is for another API (an on-behalf-of refusal comes
//! back that way).

use serde_json::json;
use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::clock::Instant;
use crate::errors::Refusal;
use crate::registrations::{App, ConditionalAccess, Control, Registrations, User};
use crate::state::{SignIn, State};

/// One question to the policies: this user, who signed in so, through this client, at these APIs.
pub(crate) struct Question<'a> {
    pub(crate) user: &'a User,
    pub(crate) sign_in: SignIn,
    pub(crate) client: &'a App,
    /// Client ids of the APIs asked for.
    pub(crate) resources: &'a [Uuid],
    pub(crate) claims: &'a ClaimsRequest,
}

/// Passes, or says which policy is not satisfied.
pub(crate) fn check(state: &State, question: &Question<'_>) -> Result<(), Refusal> {
    let all = state.registrations();
    account(state, question)?;
    assignment(&all, question)?;
    policies(&all, state.clock.now(), question)
}

fn policies(all: &Registrations, now: Instant, question: &Question<'_>) -> Result<(), Refusal> {
    let policies: Vec<_> = all.conditional_access.iter().filter(|p| applies(p, question)).collect();
    // A block first: asking for a second factor and then blocking would waste the user's time.
    if let Some(policy) = policies.iter().find(|p| blocks(p.control)) {
        return Err(Refusal::PolicyBlock { resource: resource(all, question), control: policy.control });
    }
    let age = now.0.saturating_sub(question.sign_in.at.0);
    let mut allowed = policies.iter().filter_map(|p| p.sign_in_frequency_minutes);
    if allowed.any(|minutes| age > i64::from(minutes) * 60) {
        return Err(Refusal::SignInTooOld);
    }
    match policies.iter().find(|p| p.control != Control::None) {
        Some(policy) if !question.sign_in.mfa => Err(Refusal::StepUp {
            resource: resource(all, question),
            control: policy.control,
            guest: question.user.home.is_some(),
            claims: challenge(policy),
        }),
        _ => Ok(()),
    }
}

/// The account is not blocked, and nothing was revoked since it signed in: here, or at home if it is a guest.
fn account(state: &State, question: &Question<'_>) -> Result<(), Refusal> {
    let user = question.user;
    if user.disabled {
        return Err(Refusal::UserDisabled(user.user_principal_name.clone()));
    }
    let revocations = [Some(user.id), user.home].into_iter().flatten().filter_map(|id| state.revocation(id));
    match revocations.into_iter().find(|r| question.sign_in.at < r.at) {
        Some(revocation) => Err(Refusal::Revoked(revocation.reason)),
        None => Ok(()),
    }
}

/// Both the client and the APIs may want the user to be assigned (Entra documentation, "Restrict access to a tenant").
fn assignment(all: &Registrations, question: &Question<'_>) -> Result<(), Refusal> {
    let apis = question.resources.iter().filter_map(|&id| all.app(id));
    let mut apps = apis.chain([question.client]).filter(|app| app.assignment_required);
    match apps.find(|app| !question.user.assigned_to(app.client_id)) {
        None => Ok(()),
        Some(app) => {
            Err(Refusal::NotAssigned { user: question.user.user_principal_name.clone(), app: app.client_id })
        }
    }
}

fn applies(policy: &ConditionalAccess, question: &Question<'_>) -> bool {
    let Question { user, client, resources, claims, .. } = question;
    let names = |ids: &[Uuid], id: Uuid| ids.is_empty() || ids.contains(&id);
    if policy.tenant != user.tenant
        || !names(&policy.users, user.id)
        || !names(&policy.clients, client.client_id)
    {
        return false;
    }
    // The client brings a challenge of this policy back, whatever API it now asks for.
    if claims.policies.iter().any(|id| Uuid::parse_str(id) == Ok(policy.id())) {
        return true;
    }
    match &policy.context {
        Some(context) => claims.contexts.contains(context),
        None => policy.resources.is_empty() || resources.iter().any(|id| policy.resources.contains(id)),
    }
}

/// Whether nothing a person does here and now satisfies it.
fn blocks(control: Control) -> bool {
    match control {
        Control::None
        | Control::Mfa
        | Control::MfaRegistration
        | Control::StrongAuthentication
        | Control::ExternalChallenge => false,
        Control::CompliantDevice
        | Control::DomainJoinedDevice
        | Control::ApprovedApp
        | Control::Block
        | Control::SecurityPolicy => true,
    }
}

/// The `claims` that a client brings back (Entra documentation, "Developer guidance for Conditional Access" and "for
/// authentication context").
fn challenge(policy: &ConditionalAccess) -> String {
    let wanted = match &policy.context {
        Some(context) => json!({ "acrs": { "essential": true, "value": context } }),
        None => json!({ "polids": { "essential": true, "values": [policy.id()] } }),
    };
    json!({ "access_token": wanted }).to_string()
}

/// The first API of the question by name, for the sentence.
fn resource(all: &Registrations, question: &Question<'_>) -> String {
    let api = question.resources.first().and_then(|&id| all.app(id));
    api.unwrap_or(question.client).name.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registrations::{GRAPH_APP_ID, ids};

    const NOW: Instant = Instant(1_000_000);

    fn policy(name: &str, control: Control) -> ConditionalAccess {
        ConditionalAccess {
            name: name.into(),
            tenant: ids::TENANT,
            users: vec![],
            resources: vec![],
            clients: vec![],
            context: None,
            control,
            sign_in_frequency_minutes: None,
        }
    }

    /// Adele through the demo client at Valet, with these claims.
    fn ask(policies: Vec<ConditionalAccess>, claims: &str, mfa: bool) -> Result<(), Refusal> {
        let all = Registrations { conditional_access: policies, ..Registrations::sample() };
        let question = Question {
            user: all.user(ids::ADELE_UPN).unwrap(),
            sign_in: SignIn { at: Instant(NOW.0 - 3600), mfa },
            client: all.app(ids::DEMO_CLIENT).unwrap(),
            resources: &[ids::VALET],
            claims: &ClaimsRequest::parse(Some(claims)).unwrap(),
        };
        super::policies(&all, NOW, &question)
    }

    fn number(result: Result<(), Refusal>) -> u32 {
        result.map_or_else(|refusal| refusal.code().0, |()| 0)
    }

    #[test]
    fn a_policy_applies_where_everything_it_names_matches() {
        let change = |change: fn(&mut ConditionalAccess)| {
            let mut policy = policy("p", Control::Mfa);
            change(&mut policy);
            number(ask(vec![policy], "{}", false))
        };
        assert_eq!(change(|_| {}), 50076);
        assert_eq!(change(|p| p.users = vec![ids::ADELE]), 50076);
        assert_eq!(change(|p| p.users = vec![ids::ALEX]), 0);
        assert_eq!(change(|p| p.clients = vec![ids::DEMO_CLIENT]), 50076);
        assert_eq!(change(|p| p.clients = vec![ids::DAEMON]), 0);
        assert_eq!(change(|p| p.resources = vec![ids::LEDGER, ids::VALET]), 50076);
        assert_eq!(change(|p| p.resources = vec![GRAPH_APP_ID]), 0);
        assert_eq!(change(|p| p.tenant = ids::FOREIGN_TENANT), 0);
        assert_eq!(change(|p| p.context = Some("c1".into())), 0);
    }

    #[test]
    fn a_challenge_brought_back_is_met_by_a_second_factor_at_any_api() {
        let mut for_graph = policy("p", Control::ExternalChallenge);
        for_graph.resources = vec![GRAPH_APP_ID];
        let claims = challenge(&for_graph);
        assert_eq!(number(ask(vec![for_graph.clone()], &claims, false)), 50158);
        assert_eq!(number(ask(vec![for_graph], &claims, true)), 0);
        let mut context = policy("p", Control::StrongAuthentication);
        context.context = Some("c1".into());
        let claims = challenge(&context);
        assert_eq!(claims, r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#);
        let Err(Refusal::StepUp { claims: again, .. }) = ask(vec![context.clone()], &claims, false) else {
            panic!("the policy must apply");
        };
        assert_eq!(again, claims);
        assert_eq!(number(ask(vec![context], &claims, true)), 0);
    }

    #[test]
    fn no_second_factor_opens_a_block_and_a_block_comes_first() {
        let mut old = policy("old", Control::None);
        old.sign_in_frequency_minutes = Some(59);
        let both = vec![policy("factor", Control::Mfa), old.clone(), policy("block", Control::Block)];
        assert_eq!(number(ask(both, "{}", true)), 53003);
        assert_eq!(number(ask(vec![policy("factor", Control::Mfa), old.clone()], "{}", true)), 70043);
        old.sign_in_frequency_minutes = Some(60);
        assert_eq!(number(ask(vec![old], "{}", true)), 0);
    }
}
