//! The page to sign out, of one application or everywhere.

use valet_core_oauth::account::Account;
use valet_core_oauth::http::Response;
use valet_core_oauth::sign_out::{self, Wish};
use valet_core_oauth::user::User;

use crate::exchange::Exchange;
use crate::{accounts, audit, browser};

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
    let wish = match checked {
        Ok(wish) => wish,
        Err(error) => {
            audit::denied(exchange.id(), "sign_out_form", None, error.to_string());
            return error.response(exchange.id());
        }
    };
    let Some((user, _)) = known else { return sign_out::done() };
    let (ended, client, response) = match &wish {
        Wish::Everywhere => (everywhere(exchange, &user), "", sign_out::done()),
        Wish::Client(client) => (of_client(exchange, &user, client), client.as_str(), sign_out::withdrawn()),
    };
    match ended {
        Ok(()) => {
            audit::allowed(exchange.id(), "signed_out", &user, client);
            response
        }
        Err(why) => exchange.failed("sign_out", why),
    }
}

/// Ends a user's sessions with one client and forgets what they permitted it. Here too the record goes last; what began in the meantime ends with it.
fn of_client(exchange: &Exchange<'_>, user: &User, client: &str) -> Result<(), String> {
    for kept in accounts::read(user)?.sessions().iter().filter(|kept| kept.client_id == client) {
        accounts::end(&kept.session, &kept.family)?;
    }
    for kept in accounts::change(exchange, user, |account| account.withdraw(client))? {
        accounts::end(&kept.session, &kept.family)?;
    }
    Ok(())
}

/// Ends all sessions of a user and forgets what they permitted. What ends is taken out of the record afterwards, so that what fails can be tried again; what
/// began in the meantime ends with it.
fn everywhere(exchange: &Exchange<'_>, user: &User) -> Result<(), String> {
    for kept in accounts::read(user)?.sessions() {
        accounts::end(&kept.session, &kept.family)?;
    }
    for kept in accounts::change(exchange, user, Account::clear)? {
        accounts::end(&kept.session, &kept.family)?;
    }
    Ok(())
}
