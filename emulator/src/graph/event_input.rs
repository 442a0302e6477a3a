//! What a client may write into an event, field by field.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::fields;
use super::kinds::EVENT;
use super::outlook_items as items;
use super::when;
use super::zones::Zone;

const DAY: i64 = 24 * 3600;

/// Puts what was given into the event, then checks it as a whole.
pub(super) fn apply(event: &mut Value, given: Map<String, Value>) -> Result<(), GraphError> {
    let mut midnights = true;
    for (name, value) in given.into_iter().filter(|(name, _)| !name.starts_with('@')) {
        match name.as_str() {
            "start" | "end" => {
                let (instant, zone, wall) = moment(&name, &value)?;
                midnights &= wall.rem_euclid(DAY) == 0;
                event[name.as_str()] = json!({ "dateTime": when::wall(instant), "timeZone": "UTC" });
                let original = if name == "start" { "originalStartTimeZone" } else { "originalEndTimeZone" };
                event[original] = zone.into();
            }
            "body" => {
                let (content_type, content) = fields::body(value)?;
                event["bodyPreview"] = items::preview(content_type, &content).into();
                event["body"] = json!({ "contentType": content_type, "content": content });
            }
            "attendees" => event["attendees"] = attendees(value)?,
            "location" => {
                let name = value["displayName"].as_str().ok_or_else(|| wrong("location"))?;
                event["location"] = items::place(name);
                event["locations"] = json!([items::place(name)]);
            }
            "recurrence" if value.is_null() => {}
            "recurrence" => {
                return Err(GraphError::PropertyValidation("the emulator has no recurring events"));
            }
            name => event[name] = plain(name, value)?,
        }
    }
    whole(event, midnights)
}

fn wrong(name: &str) -> GraphError {
    GraphError::Deserialize(name.to_owned())
}

/// A field that depends on no other.
fn plain(name: &str, value: Value) -> Result<Value, GraphError> {
    match name {
        "subject" | "transactionId" if value.is_null() || value.is_string() => Ok(value),
        "subject" | "transactionId" => Err(wrong(name)),
        "isAllDay"
        | "isReminderOn"
        | "responseRequested"
        | "allowNewTimeProposals"
        | "isOnlineMeeting"
        | "hideAttendees" => fields::flag(name, value),
        "importance" => fields::one_of(name, value, &["low", "normal", "high"]),
        "sensitivity" => fields::one_of(name, value, &["normal", "personal", "private", "confidential"]),
        "showAs" => {
            let allowed = ["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"];
            fields::one_of(name, value, &allowed)
        }
        "onlineMeetingProvider" => {
            let allowed = ["unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"];
            fields::one_of(name, value, &allowed)
        }
        "reminderMinutesBeforeStart"
            if value.as_i64().is_some_and(|n| (0..=i64::from(i32::MAX)).contains(&n)) =>
        {
            Ok(value)
        }
        "reminderMinutesBeforeStart" => Err(wrong(name)),
        "categories" => fields::texts(name, value),
        "locations" if value.is_array() => Ok(value),
        "locations" => Err(wrong(name)),
        name if EVENT.has(name) => Err(GraphError::PropertyValidation("a property of an event is read-only")),
        name => Err(fields::unknown(name, &EVENT)),
    }
}

/// `dateTime` in `timeZone`: the instant, the zone's name and the wall clock. A `dateTime` that says its own zone
/// is taken at its word.
fn moment(name: &str, value: &Value) -> Result<(i64, String, i64), GraphError> {
    let text = value["dateTime"].as_str().ok_or_else(|| wrong(name))?;
    let (seconds, zoned) = when::parse(text).ok_or_else(|| wrong(name))?;
    let zone = match &value["timeZone"] {
        Value::Null => "UTC".to_owned(),
        Value::String(zone) => zone.clone(),
        _ => return Err(wrong(name)),
    };
    let known = Zone::named(&zone).ok_or_else(|| GraphError::TimeZone(zone.clone()))?;
    match zoned {
        true => Ok((seconds, zone, known.wall(seconds))),
        false => Ok((known.instant(seconds), zone, seconds)),
    }
}

fn attendees(value: Value) -> Result<Value, GraphError> {
    let Value::Array(list) = &value else { return Err(wrong("attendees")) };
    let made = list.iter().map(|entry| {
        let mut person = fields::one_person("attendees", entry)?;
        person["type"] = match &entry["type"] {
            Value::Null => json!("required"),
            kind => fields::one_of("attendees", kind.clone(), &["required", "optional", "resource"])?,
        };
        person["status"] = json!({ "response": "none", "time": "0001-01-01T00:00:00Z" });
        Ok(person)
    });
    made.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn whole(event: &mut Value, midnights: bool) -> Result<(), GraphError> {
    let at = |side: &str| event[side]["dateTime"].as_str().and_then(when::parse).map_or(0, |(s, _)| s);
    let (start, end) = (at("start"), at("end"));
    if end < start {
        return Err(GraphError::PropertyValidation("the event ends before it begins"));
    }
    if event["isAllDay"] == true && (!midnights || end - start < DAY) {
        return Err(GraphError::PropertyValidation("an event of all day lasts from midnight to midnight"));
    }
    if event["isOnlineMeeting"] == true && event["onlineMeeting"].is_null() {
        event["onlineMeetingProvider"] = "teamsForBusiness".into();
        let id = items::id(event).to_owned();
        event["onlineMeeting"] = json!({ "joinUrl": format!("https://meet.emulator.invalid/{id}") });
    }
    Ok(())
}
