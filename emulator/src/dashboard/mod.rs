//! The page at `/`: what is registered, and what happened lately. Read only, without script.
//!
//! Shows no secret and no whole token: the page is open to everybody who reaches the emulator. What is registered is
//! laid out in `directory.rs` and `apps.rs`, what happened in `activity.rs`.

mod activity;
mod apps;
mod directory;

use axum::response::Response;

use crate::html::{Document, Markup, Show, html};
use crate::server::Shared;
use crate::state::State;

/// `GET /`.
pub(crate) async fn show(state: Shared) -> Response {
    let all = state.registrations();
    let (tokens, requests) = (state.journal.tokens(), state.journal.requests());
    let sections = [
        ("tokens", "Tokens", tokens.len(), activity::tokens(&tokens, &all)),
        ("requests", "Requests", requests.len(), activity::requests(&requests)),
        ("people", "People", all.users.len(), directory::people(&all)),
        ("apps", "Apps", all.apps.len(), apps::apps(&all)),
        ("policies", "Policies", all.conditional_access.len(), directory::policies(&all)),
        ("machines", "Machines", all.managed_identities.len() + all.vaults.len(), directory::machines(&all)),
    ];
    let links: Markup =
        sections.iter().map(|(id, title, _, _)| html!("<a href=\"#{}\">{}</a>", id, title)).collect();
    let sections: Markup = sections
        .iter()
        .map(|(id, title, count, content)| {
            html!(
                "<section id=\"{}\"><h2>{} <span class=\"count\">{}</span></h2>\
                 <div class=\"content\">{}</div></section>",
                id,
                title,
                count,
                content
            )
        })
        .collect();
    let body = html!(
        "<header><h1>Entra emulator</h1><p>This is not Microsoft. Anybody who reaches it can sign in as anybody; \
         nothing real may trust it.</p>{}<nav>{}</nav></header><main>{}</main>",
        facts(&addresses(&state)),
        links,
        sections,
    );
    Document::board("Entra emulator", body).send()
}

fn addresses(state: &State) -> Vec<(&'static str, Markup)> {
    let kids = state.keys().kids();
    let signer = state.keys().signer().kid().to_owned();
    let keys = kids.iter().map(|kid| match *kid == signer {
        true => html!("{} {}", code(kid), tag("signs")),
        false => code(kid),
    });
    vec![
        ("Login", code(&state.origins.authority)),
        ("Graph", code(&state.origins.graph)),
        ("Device code", html!("<a href=\"/devicelogin\">{}/devicelogin</a>", state.origins.authority)),
        ("Keys", lines(keys)),
        ("Clock", html!("{}", state.clock.now().entra())),
    ]
}

/// Name and value pairs; those without a value are left out.
fn facts(pairs: &[(&'static str, Markup)]) -> Markup {
    let rows: Markup = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| html!("<div><dt>{}</dt><dd>{}</dd></div>", name, value))
        .collect();
    html!("<dl>{}</dl>", rows)
}

/// One under the other.
fn lines(parts: impl IntoIterator<Item = Markup>) -> Markup {
    parts.into_iter().map(|part| html!("<span class=\"line\">{}</span>", part)).collect()
}

fn code(text: impl Show) -> Markup {
    html!("<code>{}</code>", text)
}

fn tag(text: &str) -> Markup {
    html!("<span class=\"tag\">{}</span>", text)
}

/// Those that apply.
fn tags(marks: &[(bool, &str)]) -> Markup {
    marks.iter().filter(|(applies, _)| *applies).map(|(_, text)| html!(" {}", tag(text))).collect()
}

fn nothing(sentence: &str) -> Markup {
    html!("<p class=\"nothing\">{}</p>", sentence)
}
