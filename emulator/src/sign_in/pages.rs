//! The pages of a sign-in: accounts, password, second factor, consent, and why it does not go on. Plain forms.

use axum::http::StatusCode;
use axum::response::Response;

use super::{Prompt, Visit};
use crate::errors::{Refusal, Trace};
use crate::html::{Document, Markup, html};
use crate::registrations::{App, Control, ExposedScope, Tenant, User};

/// Account choice: one button for each user of the realm.
pub(super) fn accounts(visit: &Visit<'_>) -> Response {
    let hinted = visit.login_hint.and_then(|hint| visit.all.user(hint)).map(|u| u.id);
    let mut users: Vec<&User> = visit.accounts().collect();
    // The hinted account first; the others in the order of the registrations.
    users.sort_by_key(|u| Some(u.id) != hinted);
    let buttons: Markup = users.iter().map(|u| account(visit, u)).collect();
    let buttons = match buttons.is_empty() {
        true => html!("<p>No account is registered in this directory.</p>"),
        false => html!("<div class=\"accounts\">{}</div>", buttons),
    };
    let body = html!(
        "<h1>Pick an account</h1><p>to continue to <b>{}</b></p>{}{}{}</form>",
        visit.client.name,
        form(visit),
        buttons,
        choices(&[("cancel", "Cancel")], None),
    );
    send(visit, "Sign in", body)
}

/// The password of an account that has one.
pub(super) fn password(visit: &Visit<'_>, user: &User, wrong: Option<&Refusal>) -> Response {
    let wrong = wrong.map(|refusal| problem(visit.trace, refusal)).unwrap_or_default();
    let body = html!(
        "{}<h1>Enter password</h1>{}{}<input type=\"hidden\" name=\"account\" value=\"{}\">\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" value=\"\" autocomplete=\"current-password\" \
         autofocus>{}</form>{}",
        who(user),
        wrong,
        form(visit),
        user.id,
        html!("<div class=\"buttons\"><button class=\"main\">Sign in</button></div>"),
        another(visit),
    );
    send(visit, "Enter password", body)
}

/// The second factor: one button stands for the telephone.
pub(super) fn second_factor(visit: &Visit<'_>, user: &User, proof: String, control: Control) -> Response {
    let (title, sentence) = match control {
        Control::MfaRegistration => (
            "More information needed",
            "A policy of the organisation asks for a second factor, and you have none yet. Registering one and \
             approving with it is one step here.",
        ),
        Control::ExternalChallenge => (
            "One more check",
            "A policy of the organisation sends you to another provider. Approving stands for what would happen there.",
        ),
        _ => (
            "Approve sign-in",
            "A policy of the organisation asks for a second factor. Approving stands for the prompt on your telephone.",
        ),
    };
    let approve = if control == Control::MfaRegistration { "Register and approve" } else { "Approve" };
    let body = html!(
        "{}<h1>{}</h1><p>{}</p>{}{}{}</form>",
        who(user),
        title,
        sentence,
        form(visit),
        proven(user, proof),
        choices(&[("cancel", "Cancel")], Some(("approve", approve))),
    );
    send(visit, title, body)
}

/// Consent: who asks for what, Accept or Cancel.
pub(super) fn consent(
    visit: &Visit<'_>,
    user: &User,
    proof: String,
    missing: &[(&App, &ExposedScope)],
) -> Response {
    let (title, heading, accept) = match (visit.prompt, missing) {
        (Prompt::Confirm, []) => {
            ("Confirm", html!("Signing in to {} on another device?", visit.client.name), "Continue")
        }
        _ => ("Permissions requested", html!("Permissions requested"), "Accept"),
    };
    let warning = match visit.prompt {
        Prompt::Confirm => html!(
            "<p>Go on only if you started this on a device of your own. The code came from the application below.</p>"
        ),
        _ => Markup::default(),
    };
    let body = html!(
        "{}<h1>{}</h1>{}{}<p>This app would like to:</p><ul>{}</ul>{}{}{}</form>",
        who(user),
        heading,
        warning,
        app(visit),
        wants(visit, missing),
        form(visit),
        proven(user, proof),
        choices(&[("cancel", "Cancel")], Some(("accept", accept))),
    );
    send(visit, title, body)
}

/// Only an administrator may agree (AADSTS90094).
pub(super) fn admin_needed(
    visit: &Visit<'_>,
    user: &User,
    proof: String,
    missing: &[(&App, &ExposedScope)],
) -> Response {
    let scopes: Markup =
        missing.iter().filter(|(_, s)| s.admin_consent_required).map(|(api, s)| want(api, s)).collect();
    let body = html!(
        "{}<h1>Approval needed</h1>{}<p>This app asks for permissions that only an administrator can give:</p>\
         <ul>{}</ul><p><small>AADSTS90094. In the registrations, <code>admin_consented = true</code> in the app's \
         <code>api_permissions</code> is the administrator's consent.</small></p>{}{}{}</form>",
        who(user),
        app(visit),
        scopes,
        form(visit),
        proven(user, proof),
        choices(&[("return", "Return to the application without consent")], None),
    );
    send(visit, "Approval needed", body)
}

/// A policy forbids this, whatever the person does (53000 to 53003, 530032).
pub(super) fn blocked(visit: &Visit<'_>, user: &User, proof: String, refusal: &Refusal) -> Response {
    let body = html!(
        "{}<h1>You cannot access this right now</h1><p>The sign-in was successful, but a policy of the organisation \
         does not let it go on.</p>{}{}{}{}</form>",
        who(user),
        problem(visit.trace, refusal),
        form(visit),
        proven(user, proof),
        choices(&[("return", "Return to the application")], None),
    );
    send(visit, "Access blocked", body)
}

/// A refusal that must not be redirected. Status 400.
pub(crate) fn refusal(trace: &Trace, refusal: &Refusal) -> Response {
    let body = html!("<h1>Sorry, but we cannot sign you in</h1>{}", problem(trace, refusal));
    let mut response = Document::card("Error", body).status(StatusCode::BAD_REQUEST).send();
    trace.mark(&mut response, refusal);
    response
}

/// A heading and a sentence.
pub(crate) fn message(title: &str, sentence: &str) -> Response {
    Document::card(title, html!("<h1>{}</h1><p>{}</p>", title, sentence)).send()
}

/// The sentence first; what support would ask for, small below it.
fn problem(trace: &Trace, refusal: &Refusal) -> Markup {
    let described = trace.describe(refusal);
    let (sentence, stamps) = described.split_once(" Trace ID: ").unwrap_or((&described, ""));
    let stamps =
        stamps.replace(" Timestamp: ", "\nTimestamp: ").replace(" Correlation ID: ", "\nCorrelation ID: ");
    html!(
        "<div class=\"error\" role=\"alert\">{}<small class=\"stamps\">Trace ID: {}</small></div>",
        sentence,
        stamps
    )
}

fn send(visit: &Visit<'_>, title: &str, body: Markup) -> Response {
    Document::card(title, body).leading_to(visit.target).send()
}

/// The start of a form that carries the request.
fn form(visit: &Visit<'_>) -> Markup {
    html!(
        "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"request\" value=\"{}\">",
        visit.action,
        visit.request
    )
}

/// Who has signed in so far, sealed.
fn proven(user: &User, proof: String) -> Markup {
    html!(
        "<input type=\"hidden\" name=\"account\" value=\"{}\"><input type=\"hidden\" name=\"proof\" value=\"{}\">",
        user.id,
        proof
    )
}

/// The buttons of a form; the main one stands last.
fn choices(others: &[(&str, &str)], main: Option<(&str, &str)>) -> Markup {
    let button = |class: &str, (value, text): (&str, &str)| {
        html!("<button class=\"{}\" name=\"decision\" value=\"{}\">{}</button>", class, value, text)
    };
    let buttons: Markup =
        others.iter().map(|b| button("other", *b)).chain(main.map(|b| button("main", b))).collect();
    html!("<div class=\"buttons\">{}</div>", buttons)
}

/// Back to the choice of accounts.
fn another(visit: &Visit<'_>) -> Markup {
    html!(
        "{}<button class=\"link\" name=\"decision\" value=\"back\">Use another account</button></form>",
        form(visit)
    )
}

fn account(visit: &Visit<'_>, user: &User) -> Markup {
    let place = match (user.home, visit.realm.tenant) {
        (Some(_), _) => html!(" <span class=\"tag\">guest</span>"),
        (None, None) => tag(visit.all.tenants.iter().find(|t| t.id == user.tenant)),
        (None, Some(_)) => Markup::default(),
    };
    html!(
        "<button name=\"account\" value=\"{}\">{}<span><b>{}</b>{}<br><small>{}</small></span></button>",
        user.id,
        face(user),
        user.display_name,
        place,
        user.user_principal_name,
    )
}

fn tag(tenant: Option<&Tenant>) -> Markup {
    tenant.map(|t| html!(" <span class=\"tag\">{}</span>", t.name)).unwrap_or_default()
}

fn who(user: &User) -> Markup {
    html!("<div class=\"who\">{}<span>{}</span></div>", face(user), user.user_principal_name)
}

/// The first letters of the names, as in a contact list.
fn face(user: &User) -> Markup {
    let words = user.display_name.split_whitespace();
    let letters: String =
        words.filter_map(|w| w.chars().next()).take(2).flat_map(char::to_uppercase).collect();
    html!("<span class=\"face\" aria-hidden=\"true\">{}</span>", letters)
}

/// Who asks. Nothing verifies publishers here, as with any new app in Entra.
fn app(visit: &Visit<'_>) -> Markup {
    html!(
        "<p><b>{}</b> <span class=\"tag\">unverified</span><br><small>App id <code>{}</code></small></p>",
        visit.client.name,
        visit.client.client_id
    )
}

fn wants(visit: &Visit<'_>, missing: &[(&App, &ExposedScope)]) -> Markup {
    let apis: Markup = missing.iter().map(|(api, scope)| want(api, scope)).collect();
    let granted = match missing {
        [] => granted(visit),
        _ => Markup::default(),
    };
    let profile = match visit.ask.has("openid") || visit.ask.has("profile") {
        true => html!("<li>Sign you in and see your name<br><small><code>openid profile</code></small></li>"),
        false => Markup::default(),
    };
    let offline = match visit.ask.has("offline_access") {
        true => {
            html!("<li>Keep access while you are away<br><small><code>offline_access</code></small></li>")
        }
        false => Markup::default(),
    };
    [apis, granted, profile, offline].into_iter().collect()
}

/// Where nothing is new: everything that is asked by name.
fn granted(visit: &Visit<'_>) -> Markup {
    let named = visit.ask.apis.iter().filter_map(|asked| Some((visit.all.app(asked.api)?, &asked.scopes)));
    named.flat_map(|(api, names)| names.iter().filter_map(|n| Some(want(api, api.scope(n)?)))).collect()
}

fn want(api: &App, scope: &ExposedScope) -> Markup {
    html!(
        "<li>{}<br><small>{} &middot; <code>{}</code></small></li>",
        scope.description,
        api.name,
        scope.value
    )
}
