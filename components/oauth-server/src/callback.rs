//! Entra's answer: from its code to ours.

use valet_core_entra::claims;
use valet_core_oauth::callback::{self, Answer, CallbackError, Outcome, SessionFailure};
use valet_core_oauth::code;
use valet_core_oauth::consent;
use valet_core_oauth::cookie;
use valet_core_oauth::error::Code;
use valet_core_oauth::http::Response;
use valet_core_oauth::transaction::{
    Any, Basis, EntraRequest, Progress, Purpose, Transaction, TransactionError,
};
use valet_core_oauth::user::Session;
use valet_core_oauth::{ExposeSecret as _, SecretString, limits, route};

use crate::authorize::{ask, to_entra};
use crate::bindings::valet::capability::rate_limit;
use crate::bindings::valet::oauth::sessions::{self, Failure, SignIn};
use crate::browser::{self, KeepError};
use crate::clients;
use crate::entra::{Ask, Entra, words};
use crate::exchange::Exchange;
use crate::grants::Change;
use crate::{accounts, audit, grants, random, step_up};

/// What went wrong once the sign-in was known to be this browser's.
enum Trouble {
    /// The client is told.
    Client { code: Code, description: &'static str, reason: &'static str, detail: String },
    /// The person is told, since no client waits for this any more.
    Person(TransactionError),
    /// Ours. The person gets a number.
    Ours(String),
}

/// Entra's answer arrives.
pub(crate) fn callback(exchange: &Exchange<'_>) -> Response {
    let refuse = |error: &CallbackError| refuse(exchange, error);
    let form = exchange.form().map_err(CallbackError::Form);
    let answer = match form.and_then(|form| Answer::read(&form)) {
        Ok(answer) => answer,
        Err(error) => return refuse(&error),
    };
    let transaction = match browser::transaction(exchange, &answer.transaction) {
        Ok(transaction) => transaction,
        Err(error) => return refuse(&CallbackError::Transaction(error)),
    };
    let entra = match Entra::read() {
        Ok(entra) => entra,
        Err(why) => return exchange.failed("misconfigured", why),
    };
    let transaction = match transaction {
        Any::ForClient(transaction) => transaction,
        Any::StepUp(transaction) => return step_up::answered(exchange, &entra, answer, &transaction),
    };
    match answer.outcome(&transaction, &entra.issuers()) {
        Err(error) => refuse(&error),
        Ok(Outcome::Refused { reason, code, description }) => {
            audit::denied(exchange.id(), "entra_refused", Some(transaction.client_id()), reason.to_string());
            callback::refused(&transaction, code, description, &exchange.settings)
        }
        Ok(Outcome::Redeem { code, request }) => match signed_in(exchange, &transaction, &code, request) {
            Ok(response) => response,
            Err(Trouble::Client { code, description, reason, detail }) => {
                audit::denied(exchange.id(), reason, Some(transaction.client_id()), detail);
                callback::refused(&transaction, code, description, &exchange.settings)
            }
            Err(Trouble::Person(error)) => refuse(&CallbackError::Transaction(error)),
            Err(Trouble::Ours(why)) => {
                exchange.failed("sign_in", why).with_cookie(cookie::clear(&transaction.cookie_name()))
            }
        },
    }
}

/// The answer to what is no answer of Entra's for this browser.
pub(crate) fn refuse(exchange: &Exchange<'_>, error: &CallbackError) -> Response {
    audit::denied(exchange.id(), "callback", None, error.to_string());
    error.response(exchange.id())
}

fn signed_in(
    exchange: &Exchange<'_>,
    transaction: &Transaction,
    code: &SecretString,
    request: EntraRequest,
) -> Result<Response, Trouble> {
    let opened = match redeem(exchange, transaction, code, &request, Progress::take, sessions::open) {
        Ok(opened) => opened,
        Err(NotAsked::TooMany(detail)) => {
            return Err(told(SessionFailure::TooMany, "rate_limited", detail));
        }
        Err(NotAsked::Step(why)) => return Err(why.into()),
    };
    let session = match opened {
        Ok(session) => session,
        // A policy or the API wants more of this user. Once: whoever was asked for it and comes back without gets no further.
        Err(Failure::InteractionRequired(Some(claims))) if transaction.claims().is_none() => {
            let digest = claims::digest(&claims);
            let again = transaction.clone().with_more_claims(digest, &random::entra_secrets());
            let ask = Ask { claims: Some(&claims), account: false };
            return to_entra(exchange, &again, ask, Response::redirect).map_err(keeping);
        }
        Err(failure) => return Err(not_opened(&failure)),
    };
    let session = Session::from(session);
    let (opened, user) = (session.id.clone(), session.user.clone());
    let finished = finish(exchange, transaction, session);
    if !matches!(finished, Ok(Finished::Signed(_))) {
        // Nobody has a token of it. Should this fail, it ends with its lifetime.
        let _ = sessions::close(&opened);
    }
    let response = match finished? {
        Finished::Signed(response) => {
            audit::allowed(exchange.id(), "signed_in", &user, transaction.client_id());
            response
        }
        Finished::Asked(response) => response,
    };
    let known = browser::remember_user(exchange, &user).map_err(Trouble::Ours)?;
    Ok(response.with_cookie(known))
}

/// Why Entra was not asked about a code.
pub(crate) enum NotAsked {
    /// Too many were refused. For the log.
    TooMany(String),
    /// The step could not be taken.
    Step(NotAdvanced),
}

/// Why a step of a transaction was not taken.
pub(crate) enum NotAdvanced {
    /// It was taken before.
    Step(TransactionError),
    /// The store failed. For the log.
    Store(String),
}

impl From<NotAdvanced> for Trouble {
    fn from(why: NotAdvanced) -> Self {
        match why {
            NotAdvanced::Step(error) => Self::Person(error),
            NotAdvanced::Store(why) => Self::Ours(why),
        }
    }
}

/// Has a code redeemed by `with`, once, and counted until Entra takes it. `take` is the step by which its transaction takes the answer.
pub(crate) fn redeem<P: Purpose, T>(
    exchange: &Exchange<'_>,
    transaction: &Transaction<P>,
    code: &SecretString,
    request: &EntraRequest,
    take: impl Fn(Progress, &EntraRequest) -> Result<Progress, TransactionError>,
    with: impl FnOnce(&SignIn) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, NotAsked> {
    let known = browser::user(&exchange.cookies());
    let caller = callback::counted_as(known.as_ref().map(|(user, _)| user), &exchange.request.peer);
    if let Err(seconds) = rate_limit::take(&caller) {
        return Err(NotAsked::TooMany(format!("{caller}: again in {seconds} s")));
    }
    // Written before Entra is asked: however often this is sent, it is asked once. And after the count, so that who makes up codes fills no store.
    if let Err(why) = advance(transaction, |progress| take(progress, request)) {
        rate_limit::give_back(&caller);
        return Err(NotAsked::Step(why));
    }
    let redeemed = with(&SignIn {
        code: code.expose_secret().to_owned(),
        redirect_uri: exchange.settings.url(route::CALLBACK),
        verifier: request.verifier.expose_secret().to_owned(),
        nonce: request.nonce.expose_secret().to_owned(),
        claims: transaction.claims().map(str::to_owned),
    });
    if matches!(redeemed, Ok(_) | Err(Failure::InteractionRequired(Some(_)))) {
        rate_limit::give_back(&caller);
    }
    Ok(redeemed)
}

/// What a sign-in came to.
enum Finished {
    /// The client has its code.
    Signed(Response),
    /// Whoever came back has to be asked about the client first.
    Asked(Response),
}

/// From a session to the client's code.
fn finish(exchange: &Exchange<'_>, transaction: &Transaction, session: Session) -> Result<Finished, Trouble> {
    let (settings, now) = (&exchange.settings, exchange.now);
    let user = session.user.clone();
    let permitted = transaction.basis().map_err(Trouble::Person)? == Basis::Given;
    if !permitted {
        let account = accounts::read(&user).map_err(Trouble::Ours)?;
        if !consent::holds(transaction, &account, settings, now).map_err(Trouble::Person)? {
            let Ok(client) = clients::find(Some(transaction.client_id()), settings) else {
                return Err(Trouble::Ours("the client is not known any more".to_owned()));
            };
            let again = transaction.clone().asking_again(&random::bytes());
            return ask(exchange, &client, &again).map(Finished::Asked).map_err(keeping);
        }
    }
    // One code for a transaction, whatever was sent in parallel.
    advance(transaction, Progress::finish)?;
    let issued = code::issue(transaction, session, &random::bytes(), &random::bytes(), now);
    let too_many = accounts::change(exchange, &user, |account| {
        if permitted {
            account.permit(transaction, now);
        }
        account.begin(&issued.grant, &issued.family, settings.refresh_token_lifetime, now)
    });
    for kept in too_many.map_err(Trouble::Ours)? {
        // The oldest of very many. If it cannot be ended now it ends by itself.
        let _ = accounts::end(&kept.session, Some(&kept.family));
    }
    grants::set(&issued.record, &issued.value, limits::CODE_LIFETIME).map_err(Trouble::Ours)?;
    clients::keep_registered(transaction.client_id());
    Ok(Finished::Signed(callback::finished(transaction, &issued.code, settings)))
}

/// Takes a step of a transaction that can be taken once.
pub(crate) fn advance<P: Purpose>(
    transaction: &Transaction<P>,
    step: impl Fn(Progress) -> Result<Progress, TransactionError>,
) -> Result<(), NotAdvanced> {
    let advanced = grants::change(&transaction.used_record(), |record| match step(Progress::read(record)) {
        Ok(progress) => Change::Replace(progress.to_record(), limits::TRANSACTION_LIFETIME, Ok(())),
        Err(error) => Change::Nothing(Err(error)),
    });
    advanced.map_err(NotAdvanced::Store)?.map_err(NotAdvanced::Step)
}

fn keeping(error: KeepError) -> Trouble {
    Trouble::Ours(error.words())
}

fn not_opened(failure: &Failure) -> Trouble {
    let (why, reason) = failed(failure);
    told(why, reason, words(failure))
}

/// What a failure comes to, and what it is called in the log.
pub(crate) fn failed(failure: &Failure) -> (SessionFailure, &'static str) {
    match failure {
        Failure::Ended(_) => (SessionFailure::Refused, "sign_in_refused"),
        Failure::InteractionRequired(_) => (SessionFailure::Refused, "interaction_required"),
        Failure::Misconfigured(_) => (SessionFailure::Misconfigured, "misconfigured"),
        Failure::Throttled(_) | Failure::Unavailable(_) => (SessionFailure::Unavailable, "entra_unavailable"),
    }
}

/// The client hears it.
fn told(why: SessionFailure, reason: &'static str, detail: String) -> Trouble {
    let (code, description) = why.told();
    Trouble::Client { code, description, reason, detail }
}
