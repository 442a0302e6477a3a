//! `sendMail`. Source: Graph reference, "user: sendMail".

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::error::{GraphError, Service};
use super::fields;
use super::kinds::MESSAGE;
use super::mail::{mailbox_of, with};
use super::mailboxes::has_mailbox;
use super::outlook_items::{self as items, Letter};
use super::people::Owner;
use super::permissions::MAIL_SEND;
use crate::registrations::User;

/// `POST sendMail`: kept in Sent Items unless told otherwise, and put into the inbox of every recipient whom the
/// directory knows. Mail to others goes nowhere.
pub(super) fn send_mail(call: &Call<'_>, owner: &Owner) -> Result<Reply, GraphError> {
    call.only(&Method::POST, "POST")?;
    let user = mailbox_of(call, owner, &MAIL_SEND)?;
    let mut body = call.object()?;
    let message = match fields::take(&mut body, "message") {
        Some(Value::Object(message)) => message,
        _ => return Err(GraphError::Deserialize("message".into())),
    };
    let keep = match fields::take(&mut body, "saveToSentItems") {
        None | Some(Value::Null) => true,
        Some(value) => fields::flag("saveToSentItems", value)? == true,
    };
    let sent = compose(call, user, message)?;
    let now = call.state.clock.now().0;
    if keep {
        let letter = address(&sent, user, "sentitems", now, true);
        with(call, user, |mailbox| mailbox.add_message(items::message(letter)));
    }
    let known = call.registrations.users.iter().filter(|u| u.tenant == user.tenant && has_mailbox(u));
    for recipient in known.filter(|u| is_recipient(&sent, u)) {
        let letter = address(&sent, recipient, "inbox", now, false);
        with(call, recipient, |mailbox| mailbox.add_message(items::message(letter)));
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// What the sender wrote.
struct Composed {
    subject: String,
    content_type: &'static str,
    content: String,
    importance: String,
    from: Value,
    to: Value,
    cc: Value,
    bcc: Value,
}

fn compose(call: &Call<'_>, user: &User, message: Map<String, Value>) -> Result<Composed, GraphError> {
    let mut made = Composed {
        subject: String::new(),
        content_type: "text",
        content: String::new(),
        importance: "normal".into(),
        from: items::user_as_person(user),
        to: json!([]),
        cc: json!([]),
        bcc: json!([]),
    };
    for (name, value) in
        message.into_iter().filter(|(name, value)| !name.starts_with('@') && !value.is_null())
    {
        match name.as_str() {
            "subject" => made.subject = fields::text(&name, value)?,
            "body" => (made.content_type, made.content) = fields::body(value)?,
            "importance" => {
                let value = fields::one_of(&name, value, &["low", "normal", "high"])?;
                made.importance = fields::text(&name, value)?;
            }
            "toRecipients" => made.to = fields::people(&name, value)?,
            "ccRecipients" => made.cc = fields::people(&name, value)?,
            "bccRecipients" => made.bcc = fields::people(&name, value)?,
            "from" | "sender" => own_address(call, user, &value)?,
            name if MESSAGE.has(name) || name == "attachments" || name == "internetMessageHeaders" => {}
            name => return Err(fields::unknown(name, &MESSAGE)),
        }
    }
    let empty = [&made.to, &made.cc, &made.bcc].iter().all(|list| list.as_array().is_none_or(Vec::is_empty));
    if empty {
        return Err(GraphError::Recipients("the message has none".into()));
    }
    Ok(made)
}

/// Nobody sends in the name of another.
fn own_address(call: &Call<'_>, user: &User, person: &Value) -> Result<(), GraphError> {
    let address = person["emailAddress"]["address"].as_str().unwrap_or_default();
    let known = call.registrations.users.iter().find(|u| is_address(u, address));
    match known {
        Some(known) if known.id == user.id => Ok(()),
        _ => Err(GraphError::Denied(Service::Outlook)),
    }
}

fn is_address(user: &User, address: &str) -> bool {
    user.mail.as_deref().is_some_and(|mail| mail.eq_ignore_ascii_case(address))
        || user.user_principal_name.eq_ignore_ascii_case(address)
}

fn is_recipient(sent: &Composed, user: &User) -> bool {
    let lists = [&sent.to, &sent.cc, &sent.bcc].into_iter().filter_map(Value::as_array).flatten();
    let mut addresses = lists.filter_map(|person| person["emailAddress"]["address"].as_str());
    addresses.any(|address| is_address(user, address))
}

/// The copy that goes into one mailbox. Only the sender sees who got a blind copy.
fn address(sent: &Composed, into: &User, folder: &str, at: i64, own: bool) -> Letter {
    // Random, since the same words may be sent twice.
    let id = items::item_id(Uuid::new_v4(), "sent", 0);
    Letter {
        id,
        folder: items::folder_id(into.id, folder),
        at,
        subject: sent.subject.clone(),
        content_type: sent.content_type,
        content: sent.content.clone(),
        from: sent.from.clone(),
        to: sent.to.clone(),
        cc: sent.cc.clone(),
        bcc: if own { sent.bcc.clone() } else { json!([]) },
        importance: sent.importance.clone(),
        is_read: own,
    }
}
