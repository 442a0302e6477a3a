//! The page to sign out everywhere.

use valet_core_oauth::account;
use valet_core_oauth::http::Response;
use valet_core_oauth::sign_out;
use valet_core_oauth::user::User;

use crate::exchange::Exchange;
use crate::{accounts, audit, browser, grants};

/// Asks, and does it.
pub(crate) fn sign_out(exchange: &Exchange<'_>) -> Response {
    let cookies = exchange.cookies();
    let known = browser::user(&cookies);
    if exchange.request.method != "POST" {
        return match &known {
            None => sign_out::ask(None),
            Some((user, sealed)) => match accounts::read(user) {
                Ok(account) => sign_out::ask(Some((user, &account, sealed))),
                Err(why) => exchange.failed("store", why),
            },
        };
    }
    let checked = sign_out::check(
        exchange.field("content-type"),
        &exchange.request.body,
        exchange.field("origin"),
        exchange.field("sec-fetch-site"),
        known.as_ref().map(|(_, sealed)| *sealed),
        &exchange.settings,
    );
    if let Err(error) = checked {
        audit::denied(exchange.id(), "sign_out_form", None, error.to_string());
        return error.response(exchange.id());
    }
    match known.map(|(user, _)| everywhere(&user).map(|()| user)) {
        None => sign_out::done(),
        Some(Ok(user)) => {
            audit::allowed(exchange.id(), "signed_out", &user, "");
            sign_out::done()
        }
        Some(Err(why)) => exchange.failed("sign_out", why),
    }
}

/// Ends all sessions of a user and forgets what they permitted. The record goes last, so that what fails can be tried again.
fn everywhere(user: &User) -> Result<(), String> {
    for kept in accounts::read(user)?.sessions() {
        accounts::end(&kept.session, &kept.family)?;
    }
    grants::delete(&account::record_name(user))
}
