//! Messages and events as Graph writes them, from the few things that differ between one and another.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::when;
use crate::registrations::User;

/// How the ids of items begin; the service tells a malformed one by less.
const ID: &str = "AAMk";

/// What makes a message.
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) folder: String,
    pub(super) at: i64,
    pub(super) subject: String,
    /// `html` or `text`.
    pub(super) content_type: &'static str,
    pub(super) content: String,
    pub(super) from: Value,
    pub(super) to: Value,
    pub(super) cc: Value,
    pub(super) bcc: Value,
    pub(super) importance: String,
    pub(super) is_read: bool,
}

/// What makes an event.
pub(super) struct Appointment {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) subject: String,
    pub(super) place: String,
    pub(super) organizer: Value,
    pub(super) attendees: Value,
}

/// Bytes that depend on the user, a word and a number, and on nothing else.
pub(super) fn derive(user: Uuid, what: &str, number: u64) -> [u8; 32] {
    Sha256::new().chain_update(user).chain_update(what).chain_update(number.to_be_bytes()).finalize().into()
}

/// An id of an item, of the form Exchange gives.
pub(super) fn item_id(user: Uuid, what: &str, number: u64) -> String {
    let bytes = [derive(user, what, number), derive(user, "store", 0)].concat();
    format!("{ID}{}=", URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text could be an id.
pub(super) fn is_id(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_=".contains(c);
    text.starts_with(ID) && text.chars().all(letters)
}

/// The id of an item.
pub(super) fn id(item: &Value) -> &str {
    item["id"].as_str().unwrap_or_default()
}

/// The id of a folder of a user's mailbox.
pub(super) fn folder_id(user: Uuid, well_known: &str) -> String {
    item_id(user, well_known, u64::MAX)
}

/// Etag and change key of the `change`th version of an item.
pub(super) fn stamp(item: &mut Value, change: u64, at: i64) {
    let digest = Sha256::new().chain_update(id(item)).chain_update(change.to_be_bytes()).finalize();
    let key = format!("CQAAABYAAAB{}", STANDARD.encode(&digest[..15]));
    item["@odata.etag"] = format!("W/\"{key}\"").into();
    item["changeKey"] = key.into();
    item["lastModifiedDateTime"] = when::zulu(at).into();
}

/// A person as mail names them.
pub(super) fn person(name: &str, address: &str) -> Value {
    json!({ "emailAddress": { "name": name, "address": address } })
}

/// The same for a user of the directory.
pub(super) fn user_as_person(user: &User) -> Value {
    person(&user.display_name, user.mail.as_deref().unwrap_or(&user.user_principal_name))
}

/// A message. Without cc or bcc those are `[]`.
pub(super) fn message(letter: Letter) -> Value {
    let at = when::zulu(letter.at);
    let digest = Sha256::digest(&letter.id);
    let number = URL_SAFE_NO_PAD.encode(&digest[..12]);
    let mut message = json!({
        "id": letter.id,
        "createdDateTime": at,
        "categories": [],
        "receivedDateTime": at,
        "sentDateTime": at,
        "hasAttachments": false,
        "internetMessageId": format!("<{number}@mail.emulator.invalid>"),
        "subject": letter.subject,
        "bodyPreview": preview(letter.content_type, &letter.content),
        "importance": letter.importance,
        "parentFolderId": letter.folder,
        "conversationId": format!("AAQk{number}="),
        // Binary in Graph's model, so clients decode it.
        "conversationIndex": STANDARD.encode([[1, 1, 218, 0].as_slice(), &digest[..18]].concat()),
        "isDeliveryReceiptRequested": false,
        "isReadReceiptRequested": false,
        "isRead": letter.is_read,
        "isDraft": false,
        "webLink": format!("https://outlook.emulator.invalid/owa/?ItemID={number}"),
        "inferenceClassification": "focused",
        "body": { "contentType": letter.content_type, "content": letter.content },
        "sender": letter.from,
        "from": letter.from,
        "toRecipients": letter.to,
        "ccRecipients": letter.cc,
        "bccRecipients": letter.bcc,
        "replyTo": [],
        "flag": { "flagStatus": "notFlagged" },
    });
    stamp(&mut message, 0, letter.at);
    message
}

/// An event of one occurrence with the values that events have when nothing is said.
pub(super) fn event(made: Appointment) -> Value {
    let number = URL_SAFE_NO_PAD.encode(&Sha256::digest(&made.id)[..16]);
    let mut event = json!({
        "id": made.id,
        "createdDateTime": when::zulu(made.created),
        "categories": [],
        "transactionId": null,
        "originalStartTimeZone": "UTC",
        "originalEndTimeZone": "UTC",
        "iCalUId": format!("040000008200E00074C5B7101A82E008{}", number.to_uppercase()),
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": true,
        "hasAttachments": false,
        "subject": made.subject,
        "bodyPreview": "",
        "importance": "normal",
        "sensitivity": "normal",
        "isAllDay": false,
        "isCancelled": false,
        "isOrganizer": true,
        "responseRequested": true,
        "seriesMasterId": null,
        "showAs": "busy",
        "type": "singleInstance",
        "webLink": format!("https://outlook.emulator.invalid/owa/?itemid={number}"),
        "onlineMeetingUrl": null,
        "isOnlineMeeting": false,
        "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": true,
        "isDraft": false,
        "hideAttendees": false,
        "recurrence": null,
        "onlineMeeting": null,
        "responseStatus": { "response": "organizer", "time": "0001-01-01T00:00:00Z" },
        "body": { "contentType": "html", "content": "" },
        "start": { "dateTime": when::wall(made.start), "timeZone": "UTC" },
        "end": { "dateTime": when::wall(made.end), "timeZone": "UTC" },
        "location": place(&made.place),
        "locations": [],
        "attendees": made.attendees,
        "organizer": made.organizer,
    });
    if !made.place.is_empty() {
        event["locations"] = json!([place(&made.place)]);
    }
    stamp(&mut event, 0, made.created);
    event
}

/// A location known by its name alone.
pub(super) fn place(name: &str) -> Value {
    match name {
        "" => json!({ "displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {},
            "coordinates": {} }),
        name => json!({ "displayName": name, "locationType": "default", "uniqueId": name,
            "uniqueIdType": "private" }),
    }
}

/// The first 255 letters of a body, without tags.
pub(super) fn preview(content_type: &str, content: &str) -> String {
    let text = if content_type == "html" { plain(content) } else { content.to_owned() };
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(255).collect()
}

/// HTML without its tags; enough for bodies that people and programs write.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let Some((tag, after)) = after.split_once('>') else {
            rest = "";
            break;
        };
        if tag.starts_with("br") || tag.starts_with("/p") || tag.starts_with("/div") {
            text.push_str("\r\n");
        }
        rest = after;
    }
    text.push_str(rest);
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", " "), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, letter)| text.replace(entity, letter)).trim().to_owned()
}
