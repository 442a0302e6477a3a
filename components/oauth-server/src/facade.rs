//! The façade: metadata of ours, and tokens from Entra by way of us. Nothing is kept.

use valet_core_entra::forwarded::{Answer as Verdict, judge};
use valet_core_entra::{Client, ClientCredential};
use valet_core_oauth::ExposeSecret as _;
use valet_core_oauth::authorize::{AuthorizeError, Refusal};
use valet_core_oauth::facade::Facade;
use valet_core_oauth::http::Response;
use valet_core_oauth::route::{self, Route};
use valet_core_oauth::token::TokenError;

use crate::bindings::exports::valet::oauth::authorization::Request;
use crate::bindings::valet::capability::settings;
use crate::bindings::valet::oauth::forwarding::{self, Answer, Failure};
use crate::entra::required;
use crate::exchange::{Exchange, misconfigured};
use crate::refused::limited;
use crate::token;
use crate::{audit, register};

/// Whether this is how the server is set up.
pub(crate) fn is_on() -> bool {
    settings::get("oauth_mode").as_deref() == Some("facade")
}

/// Whether the settings are complete.
pub(crate) fn check() -> Result<(), String> {
    Facade::read(settings::get).map_err(|error| error.to_string())?;
    authorize_url("").map(drop)
}

/// Answers a request to one of the endpoints; none for one that this mode does not have.
pub(crate) fn answer(route: Route, request: &Request) -> Option<Response> {
    let facade = match Facade::read(settings::get) {
        Ok(facade) => facade,
        Err(error) => return Some(misconfigured(request, &error)),
    };
    let exchange = &Exchange::with(request, facade.settings.clone());
    Some(match route {
        Route::Metadata => facade.metadata(),
        Route::Authorize => limited(exchange, route::AUTHORIZE, || authorize(&facade, exchange)),
        // Here too: what is made up is asked of Entra, with our credential.
        Route::Token => limited(exchange, route::TOKEN, || tokens(&facade, exchange)),
        Route::Register => limited(exchange, route::REGISTER, || registered(&facade, exchange)),
        Route::Consent | Route::Callback | Route::StepUp | Route::Revoke | Route::Jwks | Route::SignOut => {
            return None;
        }
    })
}

/// A client wants an id, which is that of the one application.
fn registered(facade: &Facade, exchange: &Exchange<'_>) -> Response {
    let content_type = exchange.field("content-type");
    match facade.register(content_type, &exchange.request.body, exchange.now) {
        Ok(response) => {
            audit::granted(exchange.id(), "registered", Some(&facade.client_id));
            response
        }
        Err(error) => register::refused(exchange, &error),
    }
}

/// On to Entra, which answers the client itself.
fn authorize(facade: &Facade, exchange: &Exchange<'_>) -> Response {
    let endpoint = match authorize_url(&facade.client_id) {
        Ok(endpoint) => endpoint,
        Err(why) => return exchange.failed("misconfigured", why),
    };
    let form = exchange.form().map_err(AuthorizeError::Form);
    match form.and_then(|form| facade.authorize(&form, &endpoint)) {
        Ok(location) => {
            audit::granted(exchange.id(), "sent_to_entra", Some(&facade.client_id));
            Response::redirect(location)
        }
        Err(error) => {
            audit::denied(exchange.id(), error.code().as_str(), None, error.to_string());
            Refusal::Page(error).response(exchange.id())
        }
    }
}

fn authorize_url(client_id: &str) -> Result<String, String> {
    let (authority, tenant) = (required("authority")?, required("sign_in_tenant")?);
    let credential = ClientCredential::Public;
    Ok(Client { authority: &authority, tenant: &tenant, client_id, credential }.authorize_url())
}

/// A code or a refresh token, for Entra's tokens.
fn tokens(facade: &Facade, exchange: &Exchange<'_>) -> Response {
    let refused = |error: &TokenError| {
        token::record(exchange, error, None);
        error.response()
    };
    let form = match facade.token(exchange.field("content-type"), &exchange.request.body) {
        Ok(form) => form,
        Err(error) => return refused(&error),
    };
    match forwarding::send(form.expose_secret()) {
        Ok(answer) => {
            let client = Some(facade.client_id.as_str());
            match judge(answer.status, &answer.body) {
                Verdict::Tokens => audit::granted(exchange.id(), "token_issued", client),
                Verdict::Refused(detail) | Verdict::Ours(detail) => {
                    audit::denied(exchange.id(), "entra_refused", client, detail.to_string());
                }
                Verdict::Nothing(detail) => {
                    let mut response =
                        refused(&TokenError::Unavailable(format!("no answer of Entra's: {detail}")));
                    response.headers.extend(answer.retry_after.map(|seconds| ("retry-after", seconds)));
                    return response;
                }
            }
            forwarded(answer)
        }
        Err(Failure::Misconfigured(why) | Failure::Refused(why)) => refused(&TokenError::Misconfigured(why)),
        Err(Failure::Unavailable(why)) => refused(&TokenError::Unavailable(why)),
    }
}

/// Entra's answer as it is, kept by nobody (RFC 6749 section 5.1).
fn forwarded(answer: Answer) -> Response {
    let mut response = Response::empty(answer.status);
    response.headers.push(("content-type", "application/json".to_owned()));
    response.headers.push(("pragma", "no-cache".to_owned()));
    response.headers.extend(answer.retry_after.map(|seconds| ("retry-after", seconds)));
    response.body = String::from_utf8_lossy(&answer.body).into_owned();
    response
}
