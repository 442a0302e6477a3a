//! A user of whom a policy wants more: from the link that their client was given to a session that goes on.

use valet_core_entra::claims;
use valet_core_entra::session::SessionId;
use valet_core_oauth::callback::{Answer, CallbackError, Outcome, SessionFailure};
use valet_core_oauth::consent::{self, Decision};
use valet_core_oauth::http::Response;
use valet_core_oauth::step_up::{self, Link, LinkError, StepUp, Undone};
use valet_core_oauth::transaction::{EntraRequest, Progress, Transaction};
use valet_core_oauth::user::User;
use valet_core_oauth::{SecretString, limits, page, route};

use crate::authorize::{self, to_entra};
use crate::bindings::valet::capability::request_state::{self, Refusal};
use crate::bindings::valet::oauth::sessions;
use crate::callback::{self, NotAdvanced, NotAsked, advance, failed, redeem};
use crate::entra::{Ask, Entra, words};
use crate::exchange::Exchange;
use crate::refused::limited;
use crate::{audit, browser, clients, grants, random};

/// Somebody opens a link.
pub(crate) fn open(exchange: &Exchange<'_>) -> Response {
    match opened(exchange) {
        Ok(Ok(step_up)) => ask(exchange, step_up),
        // Counted are those alone who have none that is good: who was given one gets on, whatever others do at the same address.
        Ok(Err(error)) => limited(exchange, route::STEP_UP, || {
            audit::denied(exchange.id(), "step_up_link", None, error.to_string());
            error.response(exchange.id())
        }),
        Err(why) => exchange.failed("store", why),
    }
}

/// What the link holds. The outer error is the store's.
fn opened(exchange: &Exchange<'_>) -> Result<Result<StepUp, LinkError>, String> {
    let form = match exchange.form() {
        Ok(form) => form,
        Err(error) => return Ok(Err(LinkError::Form(error))),
    };
    let Some(sealed) = form.get("link") else { return Ok(Err(LinkError::Invalid)) };
    let plain = match request_state::open_link(sealed) {
        Ok(plain) => plain,
        Err(Refusal::Expired) => return Ok(Err(LinkError::Expired)),
        Err(Refusal::Invalid) => return Ok(Err(LinkError::Invalid)),
    };
    let Some(link) = Link::from_plain(&plain) else { return Ok(Err(LinkError::Invalid)) };
    if user(&link).is_none() {
        return Ok(Err(LinkError::Invalid));
    }
    let record = grants::get(&step_up::used_record(sealed))?;
    Ok(step_up::check(record.as_deref()).map(|()| StepUp::new(link, sealed)))
}

/// Whose session a link names: the one who has to come back, by the session's id.
fn user(link: &Link) -> Option<User> {
    let id = SessionId::parse(&link.session)?;
    Some(User { tenant_id: id.tenant_id().to_owned(), object_id: id.object_id().to_owned(), name: None })
}

/// The page that says what happens, with the transaction in the browser's hands.
fn ask(exchange: &Exchange<'_>, step_up: StepUp) -> Response {
    let digest = claims::digest(&step_up.link().claims);
    let transaction = Transaction::step_up(step_up, digest, &random::bytes(), &random::bytes(), exchange.now);
    let fields = match browser::keep(exchange, &transaction) {
        Ok(fields) => fields,
        Err(error) => return exchange.failed("seal", error.words()),
    };
    let client_id = transaction.client_id();
    let client = clients::known(client_id, &exchange.settings);
    match step_up::ask(&transaction, client.as_ref(), &exchange.settings) {
        Ok(page) => fields.into_iter().fold(page, Response::with_cookie),
        Err(error) => exchange.failed("seal", error.to_string()),
    }
}

/// The person has pressed a button of that page.
pub(crate) fn decided(
    exchange: &Exchange<'_>,
    answer: &consent::Answer,
    transaction: Transaction<StepUp>,
) -> Response {
    let client_id = transaction.client_id().to_owned();
    match answer.decide(transaction, &random::entra_secrets()) {
        Err(error) => authorize::refused(exchange, Some(&client_id), &error),
        Ok((Decision::Deny, transaction)) => {
            undone(exchange, &transaction, Undone::Cancelled, "step_up_cancelled", String::new())
        }
        Ok((Decision::Allow, transaction)) => {
            let Link { session, claims, .. } = transaction.purpose().link().clone();
            // Should this fail, the session is not renewed meanwhile, and nothing else is wrong.
            let _ = grants::set(&step_up::open_record(&session), &[], limits::TRANSACTION_LIFETIME);
            let wanted = Ask { claims: Some(&claims), account: true };
            to_entra(exchange, &transaction, wanted, |location| page::onward(&location))
                .unwrap_or_else(|error| exchange.failed("seal", error.words()))
        }
    }
}

/// Entra's answer arrives.
pub(crate) fn answered(
    exchange: &Exchange<'_>,
    entra: &Entra,
    answer: Answer,
    transaction: &Transaction<StepUp>,
) -> Response {
    match answer.outcome(transaction, &entra.issuers()) {
        Err(error) => callback::refuse(exchange, &error),
        Ok(Outcome::Refused { reason, .. }) => {
            undone(exchange, transaction, Undone::Declined, "entra_refused", reason.to_string())
        }
        Ok(Outcome::Redeem { code, request }) => signed_in(exchange, transaction, &code, &request),
    }
}

fn signed_in(
    exchange: &Exchange<'_>,
    transaction: &Transaction<StepUp>,
    code: &SecretString,
    request: &EntraRequest,
) -> Response {
    let link = transaction.purpose().link();
    // The link is claimed before Entra is asked: of those who come back with it at the same time, one goes on.
    let stepped = redeem(exchange, transaction, code, request, Progress::claim, |sign_in| {
        sessions::step_up(&link.session, sign_in)
    });
    if matches!(stepped, Ok(Ok(false) | Err(_))) {
        // Nothing came of it, and it is as good as before. Should this fail, the next call of the tool is answered with another.
        let _ = advance(transaction, |progress| Ok(progress.release()));
    }
    match stepped {
        Err(NotAsked::TooMany(detail)) => {
            let too_many = Undone::Session(SessionFailure::TooMany);
            undone(exchange, transaction, too_many, "rate_limited", detail)
        }
        Err(NotAsked::Step(NotAdvanced::Step(error))) => {
            callback::refuse(exchange, &CallbackError::Transaction(error))
        }
        Err(NotAsked::Step(NotAdvanced::Store(why))) => exchange.failed("store", why),
        Ok(Err(failure)) => {
            let (why, reason) = failed(&failure);
            undone(exchange, transaction, Undone::Session(why), reason, words(&failure))
        }
        Ok(Ok(false)) => {
            let detail = "somebody else signed in than the session's user".to_owned();
            undone(exchange, transaction, Undone::OtherUser, "other_user", detail)
        }
        Ok(Ok(true)) => {
            if let Some(user) = user(link) {
                audit::allowed(exchange.id(), "stepped_up", &user, &link.client_id);
            }
            left(transaction);
            step_up::done(transaction)
        }
    }
}

/// The session is as it was.
fn undone(
    exchange: &Exchange<'_>,
    transaction: &Transaction<StepUp>,
    undone: Undone,
    reason: &str,
    detail: String,
) -> Response {
    audit::denied(exchange.id(), reason, Some(transaction.client_id()), detail);
    left(transaction);
    undone.response(transaction, exchange.id())
}

/// The user is back.
fn left(transaction: &Transaction<StepUp>) {
    // Should this fail, the record ends by itself.
    let _ = grants::delete(&step_up::open_record(&transaction.purpose().link().session));
}

/// Whether the user of a session is at Entra to do what is wanted.
pub(crate) fn is_open(session: &str) -> Result<bool, String> {
    Ok(grants::get(&step_up::open_record(session))?.is_some())
}
