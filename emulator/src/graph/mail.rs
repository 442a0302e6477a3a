//! Mail: messages and folders. Source: Graph reference, "List messages", "mailFolder resource type".

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::call::{Call, Reply};
use super::collection::{Collection, entity};
use super::error::{GraphError, Service};
use super::fields;
use super::kinds::{FOLDER, MESSAGE};
use super::mailboxes::{Mailbox, has_mailbox};
use super::outlook_items as items;
use super::people::Owner;
use super::permissions::{MAIL, MAIL_WRITE, Permission};
use crate::registrations::User;

/// Well-known names of folders and what they are shown as.
const FOLDERS: [(&str, &str); 7] = [
    ("archive", "Archive"),
    ("deleteditems", "Deleted Items"),
    ("drafts", "Drafts"),
    ("inbox", "Inbox"),
    ("junkemail", "Junk Email"),
    ("outbox", "Outbox"),
    ("sentitems", "Sent Items"),
];

/// The owner of a mailbox, if the caller may do this in it.
pub(super) fn mailbox_of<'a>(
    call: &'a Call<'_>,
    owner: &Owner,
    permission: &Permission,
) -> Result<&'a User, GraphError> {
    let user = owner.find(call, permission)?;
    if has_mailbox(user) { Ok(user) } else { Err(GraphError::NoMailbox) }
}

/// Lets `act` look at the mailbox of a user.
pub(super) fn with<T>(call: &Call<'_>, user: &User, act: impl FnOnce(&mut Mailbox) -> T) -> T {
    call.state.mailboxes.with(user, call.state.clock.now(), act)
}

/// `messages` of the whole mailbox, or of a folder; `rest` follows that word.
pub(super) fn messages(
    call: &Call<'_>,
    owner: &Owner,
    folder: Option<&str>,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    match rest {
        [] => list(call, owner, folder, false),
        ["$count"] => list(call, owner, folder, true),
        [id] => one(call, owner, id),
        [_, other, ..] => Err(call.no_such_path(other)),
    }
}

fn list(call: &Call<'_>, owner: &Owner, folder: Option<&str>, raw_count: bool) -> Result<Reply, GraphError> {
    let user = mailbox_of(call, owner, &MAIL)?;
    call.only(&Method::GET, "GET")?;
    let folder = folder.map(|name| well_known(user, name)).transpose()?;
    let mut rows = with(call, user, |mailbox| mailbox.messages.clone());
    let context = match folder {
        None => format!("users('{}')/messages", user.id),
        Some(name) => {
            let id = items::folder_id(user.id, name);
            rows.retain(|m| m["parentFolderId"] == id);
            format!("users('{}')/mailFolders('{name}')/messages", user.id)
        }
    };
    rows.sort_by(|a, b| b["receivedDateTime"].as_str().cmp(&a["receivedDateTime"].as_str()));
    let finish = |message| in_preferred_format(call, message);
    Ok(preference_applied(
        call,
        Collection::new(context, &MESSAGE, rows).finished_by(&finish).answer(call, raw_count)?,
    ))
}

fn one(call: &Call<'_>, owner: &Owner, id: &str) -> Result<Reply, GraphError> {
    let permission = if call.method == Method::GET { &MAIL } else { &MAIL_WRITE };
    let user = mailbox_of(call, owner, permission)?;
    let message = found(with(call, user, |mailbox| find(&mailbox.messages, id)), id)?;
    let context = format!("users('{}')/messages", user.id);
    match call.method {
        Method::GET => {
            let reply = entity(call, &MESSAGE, &context, in_preferred_format(call, message))?;
            Ok(preference_applied(call, reply))
        }
        Method::PATCH => {
            unchanged(call, &message)?;
            let mut message = message;
            change(&mut message, call.object()?)?;
            let message = with(call, user, |mailbox| {
                items::stamp(&mut message, mailbox.change(), call.state.clock.now().0);
                mailbox.replace(message.clone());
                message
            });
            entity(call, &MESSAGE, &context, message)
        }
        Method::DELETE => {
            unchanged(call, &message)?;
            delete(call, user, message);
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(call.not_allowed("GET, PATCH, DELETE")),
    }
}

/// The item with that id.
pub(super) fn find(items: &[Value], id: &str) -> Option<Value> {
    items.iter().find(|item| item["id"] == id).cloned()
}

/// Tells an id that is none from one that leads nowhere.
pub(super) fn found(item: Option<Value>, id: &str) -> Result<Value, GraphError> {
    match item {
        Some(item) => Ok(item),
        None if items::is_id(id) => Err(GraphError::NoSuchItem(Service::Outlook)),
        None => Err(GraphError::MalformedId),
    }
}

/// `If-Match` names the version that may be changed (RFC 9110 section 13.1.1).
pub(super) fn unchanged(call: &Call<'_>, item: &Value) -> Result<(), GraphError> {
    match call.header("if-match") {
        Some(tag) if tag != "*" && item["@odata.etag"] != tag => Err(GraphError::Changed),
        _ => Ok(()),
    }
}

/// The first deletion puts a message into Deleted Items, the second ends it.
fn delete(call: &Call<'_>, user: &User, mut message: Value) {
    let bin = items::folder_id(user.id, "deleteditems");
    with(call, user, |mailbox| match message["parentFolderId"] == bin {
        true => mailbox.remove(items::id(&message)),
        false => {
            message["parentFolderId"] = bin.into();
            items::stamp(&mut message, mailbox.change(), call.state.clock.now().0);
            mailbox.replace(message);
        }
    });
}

/// What may be changed in a message that was sent or received.
fn change(message: &mut Value, given: Map<String, Value>) -> Result<(), GraphError> {
    for (name, value) in given.into_iter().filter(|(name, _)| !name.starts_with('@')) {
        let value = match name.as_str() {
            "isRead" => fields::flag(&name, value)?,
            "importance" => fields::one_of(&name, value, &["low", "normal", "high"])?,
            "inferenceClassification" => fields::one_of(&name, value, &["focused", "other"])?,
            "categories" => fields::texts(&name, value)?,
            "flag" => {
                let status = value["flagStatus"].clone();
                let allowed = ["notFlagged", "flagged", "complete"];
                json!({ "flagStatus": fields::one_of("flag", status, &allowed)? })
            }
            name if MESSAGE.has(name) => {
                return Err(GraphError::PropertyValidation("this property of a sent message cannot change"));
            }
            name => return Err(fields::unknown(name, &MESSAGE)),
        };
        message[name.as_str()] = value;
    }
    Ok(())
}

fn well_known(user: &User, name: &str) -> Result<&'static str, GraphError> {
    let same = |known: &str| known.eq_ignore_ascii_case(name) || items::folder_id(user.id, known) == name;
    match FOLDERS.iter().find(|(known, _)| same(known)) {
        Some((known, _)) => Ok(known),
        None if items::is_id(name) => Err(GraphError::NoSuchItem(Service::Outlook)),
        None => Err(GraphError::MalformedId),
    }
}

/// `mailFolders`; `rest` follows that word.
pub(super) fn folders(call: &Call<'_>, owner: &Owner, rest: &[&str]) -> Result<Reply, GraphError> {
    match rest {
        [] | ["$count"] => {
            let user = mailbox_of(call, owner, &MAIL)?;
            let rows = FOLDERS.iter().map(|(name, shown)| folder(call, user, name, shown)).collect();
            let context = format!("users('{}')/mailFolders", user.id);
            Collection::new(context, &FOLDER, rows).answer(call, !rest.is_empty())
        }
        [name] => {
            call.only(&Method::GET, "GET")?;
            let user = mailbox_of(call, owner, &MAIL)?;
            let name = well_known(user, name)?;
            let shown = FOLDERS.iter().find(|(n, _)| *n == name).map_or(name, |(_, shown)| shown);
            let context = format!("users('{}')/mailFolders", user.id);
            entity(call, &FOLDER, &context, folder(call, user, name, shown))
        }
        [name, word, rest @ ..] if word.eq_ignore_ascii_case("messages") => {
            messages(call, owner, Some(name), rest)
        }
        [_, other, ..] => Err(call.no_such_path(other)),
    }
}

fn folder(call: &Call<'_>, user: &User, name: &str, shown: &str) -> Value {
    let id = items::folder_id(user.id, name);
    let (total, unread, size) = with(call, user, |mailbox| {
        let inside = || mailbox.messages.iter().filter(|m| m["parentFolderId"] == id);
        let size: usize = inside().map(|m| m.to_string().len()).sum();
        (inside().count(), inside().filter(|m| m["isRead"] == false).count(), size)
    });
    json!({
        "id": id,
        "displayName": shown,
        "parentFolderId": items::folder_id(user.id, "root"),
        "childFolderCount": 0,
        "unreadItemCount": unread,
        "totalItemCount": total,
        "sizeInBytes": size,
        "isHidden": false,
    })
}

fn wants_text(call: &Call<'_>) -> bool {
    call.preference("outlook.body-content-type").is_some_and(|v| v.eq_ignore_ascii_case("text"))
}

/// Bodies as text where the client prefers that.
pub(super) fn in_preferred_format(call: &Call<'_>, mut item: Value) -> Value {
    if wants_text(call) && item["body"]["contentType"] == "html" {
        let text = items::plain(item["body"]["content"].as_str().unwrap_or_default());
        item["body"] = json!({ "contentType": "text", "content": text });
    }
    item
}

/// Says which preference was followed (RFC 7240 section 3).
pub(super) fn preference_applied(call: &Call<'_>, reply: Reply) -> Reply {
    match wants_text(call) {
        true => reply.with("preference-applied", "outlook.body-content-type=\"text\"".into()),
        false => reply,
    }
}
