//! The paths that Graph serves, and who answers each.

use super::call::{Call, Reply};
use super::error::GraphError;
use super::people::Owner;
use super::{calendar, drive, mail, membership, people, photo, send};

/// Answers a request whose token is good. Names of segments do not mind the case of letters.
pub(super) fn answer(call: &Call<'_>) -> Result<Reply, GraphError> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let Some((first, rest)) = segments.split_first() else { return Err(call.no_such_path("")) };
    match (first.to_ascii_lowercase().as_str(), rest) {
        ("me", rest) => of_user(call, &Owner::Me, rest),
        ("users", []) => people::list(call, false),
        ("users", ["$count"]) => people::list(call, true),
        ("users", [name, rest @ ..]) => of_user(call, &Owner::Named((*name).to_owned()), rest),
        ("groups", []) => membership::list(call, false),
        ("groups", ["$count"]) => membership::list(call, true),
        ("groups", [id]) => membership::one(call, id),
        ("organization", []) => people::organization(call, None, false),
        ("organization", ["$count"]) => people::organization(call, None, true),
        ("organization", [id]) => people::organization(call, Some(id), false),
        ("drives", [id, rest @ ..]) => drive::by_drive_id(call, id, rest),
        ("groups" | "organization", [_, other, ..]) => Err(call.no_such_path(other)),
        _ => Err(call.no_such_path(first)),
    }
}

fn of_user(call: &Call<'_>, owner: &Owner, path: &[&str]) -> Result<Reply, GraphError> {
    let Some((first, rest)) = path.split_first() else { return people::profile(call, owner) };
    match (first.to_ascii_lowercase().as_str(), rest) {
        ("photo", rest) => photo::answer(call, owner, false, rest),
        ("photos", rest) => photo::answer(call, owner, true, rest),
        ("messages", rest) => mail::messages(call, owner, None, rest),
        ("mailfolders", rest) => mail::folders(call, owner, rest),
        ("sendmail" | "microsoft.graph.sendmail", []) => send::send_mail(call, owner),
        ("events", rest) => calendar::events(call, owner, "", rest),
        ("calendarview", []) => calendar::view(call, owner, "", false),
        ("calendarview", ["$count"]) => calendar::view(call, owner, "", true),
        ("calendar", [word, rest @ ..]) => in_calendar(call, owner, word, rest),
        ("drive", rest) => drive::answer(call, owner, rest),
        ("memberof" | "transitivememberof", rest) => memberships(call, owner, rest),
        ("getmemberobjects" | "microsoft.graph.getmemberobjects", []) => {
            membership::member_objects(call, owner)
        }
        _ => Err(call.no_such_path(first)),
    }
}

fn in_calendar(call: &Call<'_>, owner: &Owner, word: &str, rest: &[&str]) -> Result<Reply, GraphError> {
    match (word.to_ascii_lowercase().as_str(), rest) {
        ("events", rest) => calendar::events(call, owner, "calendar/", rest),
        ("calendarview", []) => calendar::view(call, owner, "calendar/", false),
        ("calendarview", ["$count"]) => calendar::view(call, owner, "calendar/", true),
        _ => Err(call.no_such_path(word)),
    }
}

fn memberships(call: &Call<'_>, owner: &Owner, rest: &[&str]) -> Result<Reply, GraphError> {
    match rest {
        [] => membership::member_of(call, owner, None, false),
        ["$count"] => membership::member_of(call, owner, None, true),
        [cast] => membership::member_of(call, owner, Some(cast), false),
        [cast, "$count"] => membership::member_of(call, owner, Some(cast), true),
        [_, other, ..] => Err(call.no_such_path(other)),
    }
}
