//! Finding a client: in the settings, in the store, or at the URL that its id is.

use valet_core_oauth::client::{Client, ClientError, Lookup, look_up};
use valet_core_oauth::document::{self, DocumentError, DocumentUrl};
use valet_core_oauth::form::Form;
use valet_core_oauth::limits;
use valet_core_oauth::registration;
use valet_core_oauth::settings::Settings;

use crate::bindings::valet::capability::{egress_metadata, http};
use crate::grants;

/// Why there is no client.
pub(crate) enum NoClient {
    /// The request is at fault.
    Client(ClientError),
    /// The client's document is.
    Document(DocumentError),
    /// The document cannot be fetched. For the log.
    Fetch(String),
    /// As many documents are being fetched as may be.
    Busy,
    /// The store failed. For the log.
    Store(String),
}

/// The client that a form names.
pub(crate) fn of_form(form: &Form, settings: &Settings) -> Result<Client, NoClient> {
    find(form.get("client_id"), settings)
}

/// The client with this id.
pub(crate) fn find(client_id: Option<&str>, settings: &Settings) -> Result<Client, NoClient> {
    match look_up(client_id, settings).map_err(NoClient::Client)? {
        Lookup::Known(client) => Ok(*client),
        Lookup::Document(url) => described(&url),
        Lookup::Registered { record, client_id } => {
            let found = grants::get(&record).map_err(NoClient::Store)?;
            settings
                .registration
                .as_ref()
                .and_then(|rules| registration::client(&client_id, &found?, rules))
                .ok_or(NoClient::Client(ClientError::Unknown { client_id }))
        }
    }
}

/// The client with this id, as far as the token endpoint has to know it. What a code or a refresh token was given for is in its record, so the document
/// of a client is not asked for again.
pub(crate) fn of_token(client_id: &str, settings: &Settings) -> Result<Client, NoClient> {
    match look_up(Some(client_id), settings).map_err(NoClient::Client)? {
        Lookup::Document(url) => Ok(url.public_client()),
        _ => find(Some(client_id), settings),
    }
}

/// The client with this id as far as it is known here, to be shown: nobody is asked for a document. None if there is nothing but the id.
pub(crate) fn known(client_id: &str, settings: &Settings) -> Option<Client> {
    match look_up(Some(client_id), settings).ok()? {
        Lookup::Document(url) => Some(kept(&url).unwrap_or_else(|| url.public_client())),
        _ => find(Some(client_id), settings).ok(),
    }
}

/// Keeps a client that registered itself for good, now that somebody has signed in with it. If that fails it can register again.
pub(crate) fn keep_registered(client_id: &str) {
    let record = registration::record_name(client_id);
    if registration::is_id(client_id)
        && let Ok(Some(value)) = grants::get(&record)
    {
        let _ = grants::swap(&record, Some(&value), &value, limits::REGISTRATION_LIFETIME);
    }
}

/// The client that the document at `url` describes: the one that is kept, else fetched.
fn described(url: &DocumentUrl) -> Result<Client, NoClient> {
    if let Some(client) = kept(url) {
        return Ok(client);
    }
    let failure = url.failure_name();
    if let Ok(Some(why)) = grants::get(&failure) {
        let why = String::from_utf8_lossy(&why);
        return Err(NoClient::Fetch(format!("a moment ago: {why}")));
    }
    let fetched = fetched(url);
    match &fetched {
        Ok((_, body, lifetime)) => grants::keep_bounded("document/", &url.record_name(), body, *lifetime),
        Err(NoClient::Document(error)) => remember_failure(&failure, &error.to_string()),
        Err(NoClient::Fetch(why)) => remember_failure(&failure, why),
        // Ours, or of the moment.
        Err(NoClient::Busy | NoClient::Client(_) | NoClient::Store(_)) => {}
    }
    fetched.map(|(client, _, _)| client)
}

/// The client whose document is kept.
fn kept(url: &DocumentUrl) -> Option<Client> {
    let document = grants::get(&url.record_name()).ok()??;
    document::read(url, &document).ok()
}

fn remember_failure(name: &str, why: &str) {
    grants::keep_bounded("no-document/", name, why.as_bytes(), limits::DOCUMENT_FAILURE_LIFETIME);
}

/// The client, its document, and for how long that is kept.
fn fetched(url: &DocumentUrl) -> Result<(Client, Vec<u8>, u64), NoClient> {
    let answer = egress_metadata::get(url.as_str()).map_err(|failure| match failure {
        egress_metadata::Failure::Busy => NoClient::Busy,
        egress_metadata::Failure::Failed(failure) => NoClient::Fetch(words(failure)),
    })?;
    let field =
        |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    document::check_answer(answer.status, field("content-type")).map_err(NoClient::Document)?;
    let client = document::read(url, &answer.body).map_err(NoClient::Document)?;
    let lifetime = document::lifetime(field("cache-control"));
    Ok((client, answer.body, lifetime))
}

fn words(failure: http::Failure) -> String {
    match failure {
        http::Failure::Denied(why) => format!("not allowed: {why}"),
        http::Failure::Unreachable(why) => format!("unreachable: {why}"),
        http::Failure::TimedOut => "no answer in time".to_owned(),
        http::Failure::TooLarge => "the document is too large".to_owned(),
        http::Failure::Protocol(why) => format!("broken off: {why}"),
    }
}
