//! What is written to Graph can be read back; and what it refuses to write.

use entra_emulator::ids;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::graph_client::{ALL, Client, read};

fn letter(subject: &str, to: &str) -> Value {
    json!({ "message": {
        "subject": subject,
        "body": { "contentType": "HTML", "content": "<p>See you &amp; bring it</p>" },
        "toRecipients": [{ "emailAddress": { "address": to } }],
        "bccRecipients": [{ "emailAddress": { "address": "nobody@elsewhere.example" } }],
    } })
}

#[tokio::test]
async fn mail_arrives() {
    let bench = Bench::start().await;
    let (adele, alex) =
        (Client::user(&bench, ids::ADELE_UPN, &ALL), Client::user(&bench, ids::ALEX_UPN, &ALL));
    let post =
        async |client: &Client<'_>, path: &str, body: &Value| client.send(Method::POST, path, body).await;
    let (status, body) = post(&adele, "/me/sendMail", &letter("Lunch", "ALEX@contoso.example")).await;
    assert_eq!((status, body), (202, Value::Null));
    let first = async |client: &Client<'_>, folder: &str| {
        client.ok(&format!("/me/mailFolders/{folder}/messages")).await["value"][0].clone()
    };
    let (sent, received) = (first(&adele, "sentitems").await, first(&alex, "inbox").await);
    for (message, is_read, blind) in [(&sent, true, 1), (&received, false, 0)] {
        assert_eq!((&message["subject"], &message["isRead"]), (&json!("Lunch"), &json!(is_read)));
        assert_eq!(message["bodyPreview"], "See you & bring it");
        assert_eq!(message["from"]["emailAddress"]["address"], "adele.vance@contoso.example");
        assert_eq!(message["bccRecipients"].as_array().unwrap().len(), blind);
    }
    assert_ne!(sent["id"], received["id"]);

    let mut unsaved = letter("Unsaved", "alex@contoso.example");
    unsaved["saveToSentItems"] = false.into();
    assert_eq!(post(&adele, "/me/sendMail", &unsaved).await.0, 202);
    assert_eq!(first(&adele, "sentitems").await["subject"], "Lunch");
    assert_eq!(first(&alex, "inbox").await["subject"], "Unsaved");

    let path = format!("/me/messages/{}", received["id"].as_str().unwrap());
    let (status, changed) = alex.send(Method::PATCH, &path, &json!({ "isRead": true })).await;
    assert_eq!((status, &changed["isRead"]), (200, &json!(true)), "{changed}");
    assert_ne!(changed["@odata.etag"], received["@odata.etag"]);
    let stale =
        alex.request(Method::DELETE, &path).header("If-Match", received["@odata.etag"].as_str().unwrap());
    assert_eq!(read(stale).await.0.0, 412);
    assert_eq!(read(alex.request(Method::DELETE, &path)).await.0.0, 204);
    assert_eq!(first(&alex, "deleteditems").await["id"], received["id"]);
    assert_eq!(read(alex.request(Method::DELETE, &path)).await.0.0, 204);
    alex.refused(&path, 404, "ErrorItemNotFound").await;

    let daemon = Client::app(&bench, &["Mail.Send"]);
    let path = format!("/users/{}/sendMail", ids::ALEX_UPN);
    assert_eq!(post(&daemon, &path, &letter("From a program", "adele@contoso.example")).await.0, 202);
    assert_eq!(first(&adele, "inbox").await["from"]["emailAddress"]["name"], "Alex Wilber");
}

#[tokio::test]
async fn mail_that_is_refused() {
    let bench = Bench::start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let good = letter("Lunch", "alex@contoso.example");
    let with = |name: &str, value: Value| {
        let mut message = good.clone();
        message["message"][name] = value;
        message
    };
    let mut none = with("toRecipients", json!([]));
    none["message"]["bccRecipients"] = json!([]);
    for (body, code) in [
        (json!({}), "UnableToDeserializePostBody"),
        (json!({ "message": "hello" }), "UnableToDeserializePostBody"),
        (json!([good.clone()]), "BadRequest"),
        (none, "ErrorInvalidRecipients"),
        (with("toRecipients", json!([{ "emailAddress": { "address": "alex" } }])), "ErrorInvalidRecipients"),
        (with("toRecipients", json!(["alex@contoso.example"])), "UnableToDeserializePostBody"),
        (with("toRecipient", json!([])), "RequestBodyRead"),
        (with("subject", json!(7)), "UnableToDeserializePostBody"),
        (with("body", json!({ "contentType": "rtf", "content": "" })), "UnableToDeserializePostBody"),
        (with("body", json!("hello")), "UnableToDeserializePostBody"),
        (with("importance", json!("urgent")), "UnableToDeserializePostBody"),
    ] {
        let (status, answer) = adele.send(Method::POST, "/me/sendMail", &body).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some(code)), "{body}");
    }
    let other = with("from", json!({ "emailAddress": { "address": "alex@contoso.example" } }));
    let (status, answer) = adele.send(Method::POST, "/me/sendMail", &other).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (403, Some("ErrorAccessDenied")));

    let raw = async |kind: Option<&str>, body: Vec<u8>| {
        let request = adele.request(Method::POST, "/me/sendMail").body(body);
        let request = kind.into_iter().fold(request, |r, kind| r.header("content-type", kind));
        let ((status, answer), _) = read(request).await;
        (status, answer["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let text = good.to_string().into_bytes();
    assert_eq!(raw(Some("application/json"), b"{\"message\":".to_vec()).await, (400, "BadRequest".into()));
    assert_eq!(raw(Some("application/json"), vec![0xff, 0xfe]).await, (400, "BadRequest".into()));
    assert_eq!(raw(Some("application/xml"), text.clone()).await, (415, "UnsupportedMediaType".into()));
    assert_eq!(raw(None, text.clone()).await, (400, "BadRequest".into()));
    let deep = "[".repeat(100_000).into_bytes();
    assert_eq!(raw(Some("application/json"), deep).await, (400, "BadRequest".into()));
    assert_eq!(raw(Some("application/json; charset=utf-8"), text).await.0, 202);
    adele.refused("/me/sendMail", 405, "Request_BadRequest").await;
    let (status, _) = adele.send(Method::PUT, "/me/messages", &json!({})).await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn a_body_may_be_four_mebibytes() {
    let bench = Bench::start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let put = async |size: usize| {
        let request = adele.request(Method::PUT, "/me/drive/root:/big.bin:/content").body(vec![7; size]);
        read(request).await.0
    };
    let (status, answer) = put((4 << 20) + 1).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (413, Some("RequestEntityTooLarge")));
    let (status, answer) = put(4 << 20).await;
    assert_eq!((status, &answer["size"]), (201, &json!(4 << 20)));
}

#[tokio::test]
async fn events_live_and_die() {
    let bench = Bench::start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let event = json!({
        "subject": "Board",
        "body": { "contentType": "text", "content": "Agenda" },
        "start": { "dateTime": "2026-07-01T12:00:00", "timeZone": "W. Europe Standard Time" },
        "end": { "dateTime": "2026-07-01T13:30:00", "timeZone": "Europe/Berlin" },
        "location": { "displayName": "Attic" },
        "attendees": [{ "emailAddress": { "address": "alex@contoso.example", "name": "Alex" }, "type": "optional" }],
        "isOnlineMeeting": true,
        "showAs": "Tentative",
    });
    let request = adele.request(Method::POST, "/me/events").json(&event);
    let ((status, made), headers) = read(request).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/me/events/{}", made["id"].as_str().unwrap());
    assert!(headers["location"].to_str().unwrap().ends_with(made["id"].as_str().unwrap()));
    assert_eq!(made["start"], json!({ "dateTime": "2026-07-01T10:00:00.0000000", "timeZone": "UTC" }));
    assert_eq!(made["originalStartTimeZone"], "W. Europe Standard Time");
    assert_eq!((&made["location"]["displayName"], &made["showAs"]), (&json!("Attic"), &json!("tentative")));
    assert_eq!(made["attendees"][0]["type"], "optional");
    assert!(made["onlineMeeting"]["joinUrl"].is_string());
    let window = "startDateTime=2026-07-01T11:00:00Z&endDateTime=2026-07-01T11:05:00Z";
    let seen = adele.ok(&format!("/me/calendarView?{window}")).await;
    assert_eq!(seen["value"][0]["id"], made["id"]);

    let (status, changed) = adele.send(Method::PATCH, &path, &json!({ "subject": "Board II" })).await;
    assert_eq!((status, &changed["subject"], &changed["end"]), (200, &json!("Board II"), &made["end"]));
    assert_ne!(changed["changeKey"], made["changeKey"]);
    assert_eq!(adele.ok(&path).await["subject"], "Board II");
    let alex = Client::user(&bench, ids::ALEX_UPN, &ALL);
    alex.refused(&path, 404, "ErrorItemNotFound").await;
    assert_eq!(read(adele.request(Method::DELETE, &path)).await.0.0, 204);
    adele.refused(&path, 404, "ErrorItemNotFound").await;

    let with = |name: &str, value: Value| {
        let mut event = event.clone();
        event[name] = value;
        event
    };
    for (body, code) in [
        (json!({ "subject": "no time" }), "ErrorPropertyValidationFailure"),
        (
            with("end", json!({ "dateTime": "2026-07-01T11:00:00", "timeZone": "Europe/Berlin" })),
            "ErrorPropertyValidationFailure",
        ),
        (with("end", json!({ "dateTime": "late", "timeZone": "UTC" })), "UnableToDeserializePostBody"),
        (with("start", json!("2026-07-01")), "UnableToDeserializePostBody"),
        (
            with("start", json!({ "dateTime": "2026-07-01T12:00", "timeZone": "Mars" })),
            "TimeZoneNotSupportedException",
        ),
        (with("isAllDay", json!(true)), "ErrorPropertyValidationFailure"),
        (with("isAllDay", json!("yes")), "UnableToDeserializePostBody"),
        (with("attendees", json!([{ "emailAddress": { "address": "alex" } }])), "ErrorInvalidRecipients"),
        (with("recurrence", json!({ "pattern": {} })), "ErrorPropertyValidationFailure"),
        (with("organizer", json!({})), "ErrorPropertyValidationFailure"),
        (with("colour", json!("blue")), "RequestBodyRead"),
        (with("reminderMinutesBeforeStart", json!(-1)), "UnableToDeserializePostBody"),
    ] {
        let (status, answer) = adele.send(Method::POST, "/me/events", &body).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some(code)), "{body}");
    }
    assert_eq!(adele.send(Method::POST, "/me/calendar/events", &event).await.0, 201);
}

#[tokio::test]
async fn files_are_kept() {
    let bench = Bench::start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let put =
        async |path: &str, text: &'static str| read(adele.request(Method::PUT, path).body(text)).await.0;
    let folder = json!({ "name": "Trip", "folder": {} });
    let (status, folder) = adele.send(Method::POST, "/me/drive/root/children", &folder).await;
    assert_eq!((status, &folder["folder"]["childCount"]), (201, &json!(0)), "{folder}");
    let (status, file) = put("/me/drive/root:/Trip/map.txt:/content", "left").await;
    assert_eq!((status, &file["size"]), (201, &json!(4)), "{file}");
    assert!(file["parentReference"]["path"].as_str().unwrap().ends_with("/root:/Trip"));
    let (status, again) = put("/me/drive/root:/trip/MAP.txt:/content", "right").await;
    assert_eq!((status, &again["id"]), (200, &file["id"]));
    let link = again["@microsoft.graph.downloadUrl"].as_str().unwrap();
    assert_eq!(bench.http.get(link).send().await.unwrap().text().await.unwrap(), "right");
    let path = format!("/me/drive/items/{}", folder["id"].as_str().unwrap());
    assert_eq!(read(adele.request(Method::DELETE, &path)).await.0.0, 204);
    adele.refused(&format!("/me/drive/items/{}", file["id"].as_str().unwrap()), 404, "itemNotFound").await;
    for path in
        ["/me/drive/root:/a%3Ab:/content", "/me/drive/root:/Archive:/content", "/me/drive/root/content"]
    {
        let (status, answer) = put(path, "x").await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("invalidRequest")), "{path}");
    }
    assert_eq!(put("/me/drive/root:/none/x.txt:/content", "x").await.0, 404);
    let root = read(adele.request(Method::DELETE, "/me/drive/root")).await.0;
    assert_eq!(root.0, 400);
}
