//! The calendar: events, `calendarView`. Source: Graph reference, "List events", "List calendarView", "Create event".
//!
//! Recurring events are refused: the emulator has no calendar arithmetic for them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::collection::{Collection, entity, with_context};
use super::error::GraphError;
use super::event_input;
use super::kinds::EVENT;
use super::mail::{find, found, in_preferred_format, mailbox_of, preference_applied, unchanged, with};
use super::outlook_items as items;
use super::people::Owner;
use super::permissions::{CALENDAR, CALENDAR_WRITE};
use super::query::Query;
use super::when;
use super::zones::Zone;
use crate::registrations::User;

/// `events`; `within` is what stands before that word, empty or `calendar/`; `rest` follows it.
pub(super) fn events(
    call: &Call<'_>,
    owner: &Owner,
    within: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    match (rest, &call.method) {
        ([], &Method::POST) => create(call, owner),
        ([], _) => list(call, owner, within, false),
        (["$count"], _) => list(call, owner, within, true),
        ([id], _) => one(call, owner, id),
        ([_, other, ..], _) => Err(call.no_such_path(other)),
    }
}

fn list(call: &Call<'_>, owner: &Owner, within: &str, raw_count: bool) -> Result<Reply, GraphError> {
    let user = mailbox_of(call, owner, &CALENDAR)?;
    if call.method != Method::GET {
        return Err(call.not_allowed("GET, POST"));
    }
    let mut rows = with(call, user, |mailbox| mailbox.events.clone());
    // Graph shows what was created last first.
    rows.sort_by(|a, b| b["createdDateTime"].as_str().cmp(&a["createdDateTime"].as_str()));
    let context = format!("users('{}')/{within}events", user.id);
    show(call, Collection::new(context, &EVENT, rows), raw_count)
}

/// `calendarView`: what happens within a window, by start.
pub(super) fn view(
    call: &Call<'_>,
    owner: &Owner,
    within: &str,
    raw_count: bool,
) -> Result<Reply, GraphError> {
    call.only(&Method::GET, "GET")?;
    let user = mailbox_of(call, owner, &CALENDAR)?;
    let (from, until) = (bound(call, "startDateTime")?, bound(call, "endDateTime")?);
    if from > until {
        return Err(GraphError::Parameter("The window ends before it begins.".into()));
    }
    let mut rows = with(call, user, |mailbox| mailbox.events.clone());
    rows.retain(|event| instant(event, "start") < until && instant(event, "end") > from);
    rows.sort_by_key(|event| instant(event, "start"));
    let context = format!("users('{}')/{within}calendarView", user.id);
    show(call, Collection::new(context, &EVENT, rows), raw_count)
}

fn bound(call: &Call<'_>, name: &str) -> Result<i64, GraphError> {
    let missing = || {
        let text = "The request needs a time window: the parameters startDateTime and endDateTime.";
        GraphError::Parameter(text.into())
    };
    let text = call.parameter(name).filter(|v| !v.is_empty()).ok_or_else(missing)?;
    let invalid =
        || GraphError::Parameter(format!("The value '{text}' of the parameter '{name}' is invalid."));
    let (seconds, zoned) = when::parse(text).ok_or_else(invalid)?;
    Ok(match preferred_zone(call)? {
        Some((zone, _)) if !zoned => zone.instant(seconds),
        _ => seconds,
    })
}

/// Events are kept in UTC.
fn instant(event: &Value, side: &str) -> i64 {
    event[side]["dateTime"].as_str().and_then(when::parse).map_or(0, |(seconds, _)| seconds)
}

fn preferred_zone(call: &Call<'_>) -> Result<Option<(Zone, String)>, GraphError> {
    let Some(name) = call.preference("outlook.timezone") else { return Ok(None) };
    match Zone::named(&name) {
        Some(zone) => Ok(Some((zone, name))),
        None => Err(GraphError::TimeZone(name)),
    }
}

fn show(call: &Call<'_>, list: Collection<'_>, raw_count: bool) -> Result<Reply, GraphError> {
    let zone = preferred_zone(call)?;
    let finish = |event| in_zone(in_preferred_format(call, event), zone.as_ref());
    Ok(preference_applied(call, list.finished_by(&finish).answer(call, raw_count)?))
}

fn in_zone(mut event: Value, zone: Option<&(Zone, String)>) -> Value {
    if let Some((zone, name)) = zone {
        for side in ["start", "end"] {
            let wall = zone.wall(instant(&event, side));
            event[side] = json!({ "dateTime": when::wall(wall), "timeZone": name });
        }
    }
    event
}

fn create(call: &Call<'_>, owner: &Owner) -> Result<Reply, GraphError> {
    let user = mailbox_of(call, owner, &CALENDAR_WRITE)?;
    Query::of_entity(call)?;
    let now = call.state.clock.now().0;
    let mut event = items::event(items::Appointment {
        id: items::item_id(Uuid::new_v4(), "event", 0),
        created: now,
        start: 0,
        end: 0,
        subject: String::new(),
        place: String::new(),
        organizer: items::user_as_person(user),
        attendees: json!([]),
    });
    let given = call.object()?;
    if !given.contains_key("start") || !given.contains_key("end") {
        return Err(GraphError::PropertyValidation("an event needs a start and an end"));
    }
    event_input::apply(&mut event, given)?;
    with(call, user, |mailbox| {
        items::stamp(&mut event, mailbox.change(), now);
        mailbox.add_event(event.clone());
    });
    let location = format!("{}/users/{}/events/{}", call.root(), user.id, items::id(&event));
    let zone = preferred_zone(call)?;
    let context = call.context(&format!("users('{}')/events/$entity", user.id));
    let body = with_context(context, in_zone(event, zone.as_ref()));
    Ok(Reply::json_with(StatusCode::CREATED, body).with("location", location))
}

fn one(call: &Call<'_>, owner: &Owner, id: &str) -> Result<Reply, GraphError> {
    let permission = if call.method == Method::GET { &CALENDAR } else { &CALENDAR_WRITE };
    let user = mailbox_of(call, owner, permission)?;
    let event = found(with(call, user, |mailbox| find(&mailbox.events, id)), id)?;
    match call.method {
        Method::GET => shown(call, user, event),
        Method::PATCH => {
            unchanged(call, &event)?;
            let mut event = event;
            event_input::apply(&mut event, call.object()?)?;
            let event = with(call, user, |mailbox| {
                items::stamp(&mut event, mailbox.change(), call.state.clock.now().0);
                mailbox.replace(event.clone());
                event
            });
            shown(call, user, event)
        }
        Method::DELETE => {
            unchanged(call, &event)?;
            with(call, user, |mailbox| mailbox.remove(id));
            Ok(Reply::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(call.not_allowed("GET, PATCH, DELETE")),
    }
}

fn shown(call: &Call<'_>, user: &User, event: Value) -> Result<Reply, GraphError> {
    let zone = preferred_zone(call)?;
    let event = in_zone(in_preferred_format(call, event), zone.as_ref());
    let reply = entity(call, &EVENT, &format!("users('{}')/events", user.id), event)?;
    Ok(preference_applied(call, reply))
}
