//! The page to sign out, of one application or everywhere.

use valet_core_oauth::account::Kept;
use valet_core_oauth::http::Response;
use valet_core_oauth::sign_out::{self, Known, Wish};
use valet_core_oauth::user::User;

use crate::exchange::Exchange;
use crate::{accounts, audit, browser, clients};

/// Asks, and does it.
pub(crate) fn sign_out(exchange: &Exchange<'_>) -> Response {
    let cookies = exchange.cookies();
    let known = browser::user(&cookies);
    if exchange.request.method != "POST" {
        return match &known {
            None => sign_out::ask(None),
            Some((user, sealed)) => ask(exchange, user, sealed),
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
    let (client, response) = match &wish {
        Wish::Everywhere => (None, sign_out::done()),
        Wish::Client(client) => (Some(client.as_str()), sign_out::withdrawn()),
    };
    match end(exchange, &user, client) {
        Ok(()) => {
            audit::allowed(exchange.id(), "signed_out", &user, client.unwrap_or_default());
            response
        }
        Err(why) => exchange.failed("sign_out", why),
    }
}

/// The page for a user, with what their applications are called.
fn ask(exchange: &Exchange<'_>, user: &User, cookie_value: &str) -> Response {
    let account = match accounts::read(user) {
        Ok(account) => account,
        Err(why) => return exchange.failed("store", why),
    };
    let clients: Vec<_> =
        account.clients().into_iter().filter_map(|id| clients::known(id, &exchange.settings)).collect();
    sign_out::ask(Some(Known { user, account: &account, clients: &clients, cookie_value }))
}

/// Ends a user's sessions, with one client or all of them, and forgets what they permitted there. What ends is taken out of the record afterwards, so that what
/// fails can be tried again; what began in the meantime ends with it.
fn end(exchange: &Exchange<'_>, user: &User, client: Option<&str>) -> Result<(), String> {
    let concerned = |kept: &&Kept| client.is_none_or(|client| kept.client_id == client);
    for kept in accounts::read(user)?.sessions().iter().filter(concerned) {
        accounts::end(&kept.session, Some(&kept.family))?;
    }
    let forgotten = accounts::change(exchange, user, |account| match client {
        Some(client) => account.withdraw(client),
        None => account.clear(),
    });
    for kept in forgotten? {
        accounts::end(&kept.session, Some(&kept.family))?;
    }
    Ok(())
}
