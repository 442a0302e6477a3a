//! The authorization endpoint and the consent form: from a client's request to the way to Entra.

use valet_core_oauth::account::Account;
use valet_core_oauth::authorize::{AuthorizeError, Refusal, Request};
use valet_core_oauth::client::Client;
use valet_core_oauth::consent::{self, ConsentError, Decision};
use valet_core_oauth::http::Response;
use valet_core_oauth::page;
use valet_core_oauth::transaction::{Any, Purpose, Transaction};

use crate::browser::{self, KeepError};
use crate::clients::{self, NoClient};
use crate::entra::{Ask, Entra};
use crate::exchange::Exchange;
use crate::{accounts, audit, random, step_up};

/// A client asks for a code.
pub(crate) fn authorize(exchange: &Exchange<'_>) -> Response {
    let refuse = |client_id: Option<&str>, refusal: Refusal| {
        audit::denied(exchange.id(), refusal.error().code().as_str(), client_id, refusal.error().to_string());
        refusal.response(exchange.id())
    };
    let form = match exchange.form() {
        Ok(form) => form,
        Err(error) => return refuse(None, Refusal::Page(AuthorizeError::Form(error))),
    };
    let client = match clients::of_form(&form, &exchange.settings) {
        Ok(client) => client,
        Err(NoClient::Client(error)) => return refuse(None, Refusal::Page(AuthorizeError::Client(error))),
        Err(NoClient::Document(error)) => {
            return refuse(None, Refusal::Page(AuthorizeError::Document(error)));
        }
        Err(NoClient::Fetch(why)) => {
            return refuse(None, Refusal::Page(AuthorizeError::DocumentUnavailable(why)));
        }
        Err(NoClient::Busy) => {
            let why = "as many documents are being fetched as may be".to_owned();
            return refuse(None, Refusal::Page(AuthorizeError::DocumentUnavailable(why)));
        }
        Err(NoClient::Store(why)) => return exchange.failed("store", why),
    };
    let request = match Request::read(&form, &client, &exchange.settings) {
        Ok(request) => request,
        Err(refusal) => return refuse(Some(&client.id), refusal),
    };
    match begin(exchange, &client, request.clone()) {
        Ok(response) => response,
        Err(KeepError::Seal(why)) => exchange.failed("seal", why),
        Err(KeepError::TooLarge(size)) => {
            refuse(Some(&client.id), request.too_large(size, &client, &exchange.settings))
        }
    }
}

/// Asks the person, or goes on to Entra where they were asked before.
fn begin(exchange: &Exchange<'_>, client: &Client, request: Request) -> Result<Response, KeepError> {
    let cookies = exchange.cookies();
    // A store that fails costs a question that could have been spared.
    let account: Option<Account> = browser::user(&cookies).and_then(|(user, _)| accounts::read(&user).ok());
    if consent::is_remembered(&request, account.as_ref(), &exchange.settings, exchange.now) {
        let transaction =
            Transaction::remembered(request, &random::bytes(), &random::entra_secrets(), exchange.now);
        return to_entra(exchange, &transaction, Ask::default(), Response::redirect);
    }
    let transaction = Transaction::asking(request, &random::bytes(), &random::bytes(), exchange.now);
    ask(exchange, client, &transaction)
}

/// The page that asks, with the transaction in the browser's hands.
pub(crate) fn ask(
    exchange: &Exchange<'_>,
    client: &Client,
    transaction: &Transaction,
) -> Result<Response, KeepError> {
    let fields = browser::keep(exchange, transaction)?;
    let page = page::consent(client, transaction, &exchange.settings);
    let page = page.map_err(|error| KeepError::Seal(error.to_string()))?;
    Ok(fields.into_iter().fold(page, Response::with_cookie))
}

/// On to Entra, by the kind of answer that `onward` makes of a location.
pub(crate) fn to_entra<P: Purpose>(
    exchange: &Exchange<'_>,
    transaction: &Transaction<P>,
    ask: Ask<'_>,
    onward: impl FnOnce(String) -> Response,
) -> Result<Response, KeepError> {
    let fields = browser::keep(exchange, transaction)?;
    let request = transaction.entra_request().map_err(|error| KeepError::Seal(error.to_string()))?;
    let entra = Entra::read().map_err(KeepError::Seal)?;
    let response = onward(entra.location(exchange, &request, ask));
    Ok(fields.into_iter().fold(response, Response::with_cookie))
}

/// The person has answered.
pub(crate) fn consent(exchange: &Exchange<'_>) -> Response {
    let refuse = |client_id: Option<&str>, error: ConsentError| refused(exchange, client_id, &error);
    let answer = consent::Answer::read(
        exchange.field("content-type"),
        &exchange.request.body,
        exchange.field("origin"),
        exchange.field("sec-fetch-site"),
        &exchange.settings,
    );
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return refuse(None, error),
    };
    let transaction = match browser::transaction(exchange, &answer.transaction) {
        Ok(Any::ForClient(transaction)) => transaction,
        Ok(Any::StepUp(transaction)) => return step_up::decided(exchange, &answer, transaction),
        Err(error) => return refuse(None, ConsentError::Transaction(error)),
    };
    let client_id = transaction.client_id().to_owned();
    match answer.decide(transaction, &random::entra_secrets()) {
        Err(error) => refuse(Some(&client_id), error),
        Ok((Decision::Deny, transaction)) => {
            audit::denied(exchange.id(), "consent_denied", Some(&client_id), String::new());
            consent::denied(&transaction, &exchange.settings)
        }
        Ok((Decision::Allow, transaction)) => {
            to_entra(exchange, &transaction, Ask::default(), |location| page::onward(&location))
                .unwrap_or_else(|error| exchange.failed("seal", error.words()))
        }
    }
}

/// The answer to a form that is not acted upon.
pub(crate) fn refused(exchange: &Exchange<'_>, client_id: Option<&str>, error: &ConsentError) -> Response {
    audit::denied(exchange.id(), "consent_form", client_id, error.to_string());
    error.response(exchange.id())
}
