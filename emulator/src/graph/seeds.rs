//! What a mailbox, a calendar and a drive hold before anybody wrote to them: invented, and for each user another,
//! because everything is derived from the user's object id.

use serde_json::{Value, json};
use uuid::Uuid;

use super::drive_items;
use super::mailboxes::Entry;
use super::outlook_items::{
    Appointment, Letter, derive, event, folder_id, item_id, message, person, user_as_person,
};
use crate::registrations::User;

const MESSAGES: u64 = 25;
/// Of these so many were sent by the user.
const SENT: u64 = 3;
const EVENTS: u64 = 12;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

const TOPICS: [&str; 10] = [
    "Budget",
    "Travel plan",
    "Supplier contract",
    "Release notes",
    "Customer visit",
    "Hiring",
    "Quarterly figures",
    "Office move",
    "Training",
    "Incident review",
];
const PROJECTS: [&str; 8] = ["Aurora", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Garnet", "Harbour"];
const COLLEAGUES: [&str; 8] = [
    "Isaiah Lange",
    "Megan Berg",
    "Nestor Wilke",
    "Lidia Holt",
    "Pradeep Gupta",
    "Grady Archer",
    "Diego Siciliano",
    "Miriam Graham",
];
const PLACES: [&str; 5] = ["Room Oak", "Room Elm", "Canteen", "Building 4", "Reception"];
const WHAT: [&str; 6] = ["Stand-up", "Review", "Planning", "One-to-one", "Workshop", "Lunch"];

fn pick<'a>(words: &[&'a str], byte: u8) -> &'a str {
    words.get(usize::from(byte) % words.len().max(1)).copied().unwrap_or_default()
}

/// Four letters that differ from user to user and from item to item.
fn reference(bytes: &[u8; 32]) -> String {
    format!("{:02X}{:02X}", bytes[30], bytes[31])
}

fn colleague(user: &User, byte: u8) -> Value {
    let name = pick(&COLLEAGUES, byte);
    let domain = user.user_principal_name.rsplit('@').next().unwrap_or("emulator.invalid");
    person(name, &format!("{}@{domain}", name.to_lowercase().replace(' ', ".")))
}

/// Messages, newest first.
pub(super) fn messages(user: &User, opened: i64) -> Vec<Value> {
    (0..MESSAGES).map(|number| letter(user, opened, number)).map(message).collect()
}

fn letter(user: &User, opened: i64, number: u64) -> Letter {
    let bytes = derive(user.id, "message", number);
    let sent = number % (MESSAGES / SENT) == 4;
    let (other, own) = (colleague(user, bytes[0]), user_as_person(user));
    let topic = pick(&TOPICS, bytes[1]);
    let project = pick(&PROJECTS, bytes[2]);
    let (from, to) = if sent { (own, other) } else { (other, own) };
    let greeting = to["emailAddress"]["name"].as_str().unwrap_or_default().to_owned();
    let content = format!(
        "<html><body><p>Hello {greeting},</p><p>here is what we know of the {} for project {project}, as of item \
         {number}.</p><p>{}</p></body></html>",
        topic.to_lowercase(),
        from["emailAddress"]["name"].as_str().unwrap_or_default(),
    );
    let ago = i64::try_from(number).unwrap_or(0) * 7 * HOUR + i64::from(bytes[3]) * 60;
    Letter {
        id: item_id(user.id, "message", number),
        folder: folder_id(user.id, if sent { "sentitems" } else { "inbox" }),
        at: opened - ago,
        subject: format!("{topic} for {project} ({})", reference(&bytes)),
        content_type: "html",
        content,
        from,
        to: json!([to]),
        cc: json!([]),
        bcc: json!([]),
        importance: if bytes[4] < 32 { "high" } else { "normal" }.into(),
        is_read: sent || number > 5,
    }
}

/// Events from three days before to nine days after, on working hours of UTC.
pub(super) fn events(user: &User, opened: i64) -> Vec<Value> {
    let midnight = opened - opened.rem_euclid(DAY);
    let days = (0..EVENTS).map(|number| i64::try_from(number).unwrap_or(0) - 3);
    days.zip(0..EVENTS)
        .map(|(day, number)| {
            let bytes = derive(user.id, "event", number);
            let start = midnight + day * DAY + (8 + i64::from(bytes[0] % 9)) * HOUR;
            let guest = colleague(user, bytes[1]);
            event(Appointment {
                id: item_id(user.id, "event", number),
                created: opened - 10 * DAY,
                start,
                end: start + [HOUR / 2, HOUR, 2 * HOUR][usize::from(bytes[2] % 3)],
                subject: format!(
                    "{} {} ({})",
                    pick(&PROJECTS, bytes[3]),
                    pick(&WHAT, bytes[4]),
                    reference(&bytes)
                ),
                place: pick(&PLACES, bytes[5]).to_owned(),
                organizer: user_as_person(user),
                attendees: json!([{
                    "type": "required",
                    "status": { "response": "none", "time": "0001-01-01T00:00:00Z" },
                    "emailAddress": guest["emailAddress"],
                }]),
            })
        })
        .collect()
}

/// Two folders, one of which has files, and files beside them: eight items.
pub(super) fn files(user: &User, opened: i64) -> Vec<Entry> {
    let project = pick(&PROJECTS, derive(user.id, "drive", 0)[0]);
    let root = drive_items::root_id(user.id);
    let folder = drive_items::item_id(user.id, "Project");
    let mut entries = vec![
        seed(user, opened, &root, ("Project", &format!("Project {project}")), None),
        seed(user, opened, &root, ("Archive", "Archive"), None),
    ];
    let texts = [
        (&folder, "plan.md", format!("# Project {project}\n\nPlan of {}.\n", user.display_name)),
        (&folder, "figures.csv", figures(user.id)),
        (&folder, "minutes.txt", format!("Minutes of project {project}, kept by {}.\n", user.display_name)),
        (&root, "notes.txt", format!("Notes of {}.\n", user.display_name)),
        (&root, "contacts.csv", format!("name,mail\n{},{}\n", user.display_name, user.user_principal_name)),
        (&root, "read me.md", format!("# Files of {}\n\nInvented by the emulator.\n", user.display_name)),
    ];
    for (parent, name, text) in texts {
        entries.push(seed(user, opened, parent, (name, name), Some(text.into_bytes())));
    }
    entries
}

/// `named` is the word the id is derived from, and the name.
fn seed(user: &User, opened: i64, parent: &str, named: (&str, &str), content: Option<Vec<u8>>) -> Entry {
    let age = i64::from(derive(user.id, named.0, 1)[0]) * HOUR;
    let id = drive_items::item_id(user.id, named.0);
    let item = drive_items::item(user, &id, parent, named.1, opened - age, content.as_deref());
    Entry { item, content }
}

fn figures(user: Uuid) -> String {
    let rows = (1..=6).map(|month| {
        let bytes = derive(user, "figures", month);
        format!("2026-{month:02},{}\n", u16::from_be_bytes([bytes[0], bytes[1]]))
    });
    format!("month,amount\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::when;
    use super::*;
    use crate::registrations::{Registrations, ids};

    #[test]
    fn the_same_user_gets_the_same_and_another_user_another() {
        let all = Registrations::sample();
        let (adele, alex) = (all.user(ids::ADELE_UPN).unwrap(), all.user(ids::ALEX_UPN).unwrap());
        let at = 1_795_438_800;
        assert_eq!(messages(adele, at), messages(adele, at));
        assert_eq!((messages(adele, at).len(), events(adele, at).len(), files(adele, at).len()), (25, 12, 8));
        for (a, b) in messages(adele, at).iter().zip(&messages(alex, at)) {
            assert_ne!(a["id"], b["id"]);
            assert_ne!(a["subject"], b["subject"]);
        }
        let sent = folder_id(adele.id, "sentitems");
        assert_eq!(messages(adele, at).iter().filter(|m| m["parentFolderId"] == sent).count(), 3);
        let newest = messages(adele, at)[0]["receivedDateTime"].as_str().unwrap().to_owned();
        assert!(newest <= when::zulu(at));
    }
}
