//! Links that files are downloaded from without a token, as OneDrive gives them: signed, and good for an hour.

use aws_lc_rs::hmac;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::call::{Call, Ids, Reply};
use super::drive_items::media_type;
use super::error::{GraphError, Service};
use crate::registrations::User;
use crate::server::Shared;
use crate::state::State;

/// Where the links point to, on Graph's host.
pub(super) const PREFIX: &str = "/emulated-files/";

/// Life of a link, seconds.
const LIFE: i64 = 3600;

/// The link to one file of a user.
pub(super) fn link(call: &Call<'_>, user: &User, item: &str) -> String {
    let until = call.state.clock.now().plus(LIFE).0;
    let text = format!("{} {item} {until}", user.id);
    let tag = hmac::sign(&call.state.mailboxes.links, text.as_bytes());
    let (text, tag) = (URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(tag.as_ref()));
    format!("{}{PREFIX}{text}.{tag}", call.state.origins.graph)
}

/// `GET /emulated-files/{link}`.
pub(super) async fn file(state: Shared, Path(link): Path<String>, headers: HeaderMap) -> Response {
    let ids = Ids::new(&headers);
    let reply = content(&state, &link).unwrap_or_else(|error| Reply::refusal(&state, &error, &ids));
    reply.into_response(&ids)
}

fn content(state: &State, link: &str) -> Result<Reply, GraphError> {
    let missing = || GraphError::NoSuchItem(Service::Files);
    let text = open(state, link).ok_or_else(missing)?;
    let mut words = text.split(' ');
    let (user, item, until) = (words.next(), words.next(), words.next());
    let until: i64 = until.and_then(|u| u.parse().ok()).ok_or_else(missing)?;
    let user = user.and_then(|u| Uuid::parse_str(u).ok()).ok_or_else(missing)?;
    if until < state.clock.now().0 {
        return Err(missing());
    }
    let all = state.registrations();
    let user = all.user(&user.to_string()).ok_or_else(missing)?;
    let found = state.mailboxes.with(user, state.clock.now(), |mailbox| {
        let entry = mailbox.files.iter().find(|entry| entry.item["id"].as_str() == item)?;
        Some((entry.item["name"].as_str().unwrap_or_default().to_owned(), entry.content.clone()?))
    });
    let (name, content) = found.ok_or_else(missing)?;
    Ok(Reply::bytes(media_type(&name), content))
}

fn open(state: &State, link: &str) -> Option<String> {
    let (text, tag) = link.split_once('.')?;
    let (text, tag) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
    hmac::verify(&state.mailboxes.links, &text, &tag).ok()?;
    String::from_utf8(text).ok()
}
