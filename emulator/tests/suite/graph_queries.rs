//! Query options of Graph: paging to the end, filters, sorting, search, counts; and their refusals.

use std::collections::BTreeSet;

use entra_emulator::{Options, Registrations, User, ids};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::graph_client::{ALL, Client, column};

#[tokio::test]
async fn pages_have_neither_gaps_nor_doubles() {
    let mut registrations = Registrations::sample();
    let adele = registrations.user(ids::ADELE_UPN).unwrap().clone();
    // Many with the same name, so that sorting alone does not tell them apart.
    registrations.users.extend((0..230_u128).map(|n| User {
        id: uuid_of(n),
        user_principal_name: format!("crowd{n}@contoso.example"),
        display_name: format!("Crowd {}", n % 7),
        ..adele.clone()
    }));
    let bench = Bench::start_with(Options { registrations, ..Default::default() }).await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    for (path, sizes) in [
        ("/users", vec![100, 100, 32]),
        ("/users?$top=90&$select=id&$orderby=displayName%20desc", vec![90, 90, 52]),
        ("/users?$top=999", vec![232]),
        ("/me/messages", vec![10, 10, 5]),
        ("/me/messages?$top=8&$skip=3&$select=subject", vec![8, 8, 6]),
        ("/me/events?$top=5&$orderby=start/dateTime", vec![5, 5, 2]),
        ("/me/mailFolders?$top=3", vec![3, 3, 1]),
        ("/me/drive/root/children?$top=2", vec![2, 2, 1]),
        ("/users/me-token-to-replace/messages?$top=13", vec![13, 12]),
    ] {
        let pages = client.pages(path).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{path}");
        let all = pages.concat();
        let ids: BTreeSet<_> = column(&all, "id").into_iter().map(Value::to_string).collect();
        assert_eq!(ids.len(), all.len(), "{path}");
    }
    let first = client.ok("/users?$top=10").await;
    let link = first["@odata.nextLink"].as_str().unwrap();
    for (bad, why) in [
        (link.replace("top=10", "top=20"), "another query"),
        (link.replace("skiptoken=", "skiptoken=x"), "no token"),
    ] {
        assert_ne!(bad, link, "{why}");
        client.refused(&bad, 400, "Directory_ExpiredPageToken").await;
    }
    let other = Client::user(&bench, ids::ALEX_UPN, &ALL);
    other.refused(link, 400, "Directory_ExpiredPageToken").await;
    assert_eq!(client.get(link).await.0, 200);
}

fn uuid_of(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x7e57_f000_0000_4000_8000_0000_0000_0000 | n)
}

#[tokio::test]
async fn filters_sort_and_search() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let all = client.ok("/me/messages?$top=50").await["value"].as_array().unwrap().clone();
    let ids_of = async |path: &str| {
        let body = client.ok(path).await;
        column(body["value"].as_array().unwrap(), "id").into_iter().cloned().collect::<Vec<_>>()
    };
    let want = |keep: &dyn Fn(&Value) -> bool| {
        all.iter().filter(|m| keep(m)).map(|m| m["id"].clone()).collect::<Vec<_>>()
    };
    let unread = ids_of("/me/messages?$filter=isRead%20eq%20false&$top=50").await;
    assert_eq!(unread, want(&|m| m["isRead"] == false));
    assert!(!unread.is_empty() && unread.len() < all.len());
    let since = all[7]["receivedDateTime"].as_str().unwrap();
    let recent = ids_of(&format!("/me/messages?$top=50&$filter=receivedDateTime ge {since}")).await;
    assert_eq!(recent.len(), 8);
    let older = ids_of(&format!("/me/messages?$top=50&$filter=receivedDateTime le {since}")).await;
    assert_eq!(older.len(), 18);
    let subject = all[3]["subject"].as_str().unwrap();
    assert_eq!(ids_of(&format!("/me/messages?$filter=subject eq '{subject}'")).await, [all[3]["id"].clone()]);
    let word = subject.split(' ').next().unwrap();
    let begins = |m: &Value| m["subject"].as_str().unwrap().starts_with(word);
    assert_eq!(
        ids_of(&format!("/me/messages?$top=50&$filter=startswith(subject,'{word}')")).await,
        want(&begins)
    );
    let sorted = "/me/messages?$top=50&$filter=receivedDateTime ge 2000-01-01 and isRead eq true&\
                  $orderby=receivedDateTime asc";
    let mut expected = want(&|m| m["isRead"] == true);
    expected.reverse();
    assert_eq!(ids_of(sorted).await, expected);
    let reference = subject.split(['(', ')']).nth(1).unwrap();
    assert_eq!(ids_of(&format!("/me/messages?$search=\"{reference}\"")).await, [all[3]["id"].clone()]);
    assert!(ids_of("/me/messages?$search=\"subject:nowhere at all\"").await.is_empty());

    let counted = client.ok("/me/messages?$count=true&$top=1&$filter=isRead eq false").await;
    assert_eq!(counted["@odata.count"], unread.len());
    assert_eq!(client.ok("/me/messages/$count").await, 25);

    for filter in ["startswith(displayName,'alex')", "mail eq 'ALEX.wilber@contoso.example'"] {
        let found = client.ok(&format!("/users?$filter={filter}")).await["value"].clone();
        assert_eq!((found.as_array().unwrap().len(), &found[0]["displayName"]), (1, &json!("Alex Wilber")));
    }
    let either = "/users?$filter=userPrincipalName eq 'alex@contoso.example' or givenName eq 'Adele'";
    assert_eq!(client.ok(either).await["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn advanced_queries_of_the_directory() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    for path in [
        "/users?$count=true&$filter=displayName ne 'Adele Vance'",
        "/users?$count=true&$filter=not startswith(displayName,'Ad')",
        "/users?$count=true&$filter=endswith(mail,'wilber@contoso.example')",
        "/users?$count=true&$filter=startswith(displayName,'Al')&$orderby=displayName",
        "/users?$count=true&$search=\"displayName:wilber\"",
    ] {
        client.refused(path, 400, "Request_UnsupportedQuery").await;
        let (status, body) = client.eventual(path).await;
        assert_eq!((status, &body["@odata.count"]), (200, &json!(1)), "{path}: {body}");
        assert_eq!(body["value"][0]["displayName"], "Alex Wilber");
    }
    let (status, body) = client.eventual("/users?$filter=displayName ne 'Adele Vance'").await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (400, Some("Request_UnsupportedQuery")),
        "no $count"
    );
    client.refused("/users/$count", 400, "Request_UnsupportedQuery").await;
    assert_eq!(client.eventual("/users/$count").await, (200, json!(2)));
    assert_eq!(client.ok("/users?$count=true").await.get("@odata.count"), None, "ignored without the header");
}

#[tokio::test]
async fn what_graph_does_not_understand_is_refused() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let long = "x".repeat(3000);
    let deep = "(".repeat(500);
    for (path, code) in [
        ("/me?$select=shoeSize", "BadRequest"),
        ("/me?$expand=manager", "BadRequest"),
        ("/me?$top=1", "BadRequest"),
        ("/users?$filter=", "BadRequest"),
        ("/users?$filter=shoeSize eq 1", "BadRequest"),
        ("/users?$filter=displayName eq", "BadRequest"),
        ("/users?$filter=displayName like 'a'", "BadRequest"),
        ("/users?$filter=displayName eq true", "BadRequest"),
        ("/users?$filter=contains(displayName,'a')", "Request_UnsupportedQuery"),
        ("/users?$filter=city eq 'Rome'", "Request_UnsupportedQuery"),
        ("/users?$orderby=displayName sideways", "BadRequest"),
        ("/users?$skip=1", "Request_BadRequest"),
        ("/users?$top=0", "Request_BadRequest"),
        ("/users?$top=1000", "Request_BadRequest"),
        ("/users?$top=18446744073709551615", "Request_BadRequest"),
        ("/users?$top=99999999999999999999999", "BadRequest"),
        ("/users?$top=-1", "BadRequest"),
        ("/users?$top=ten", "BadRequest"),
        ("/users?$top=1&$top=2", "BadRequest"),
        ("/users?$count=perhaps", "BadRequest"),
        ("/users?$apply=aggregate", "BadRequest"),
        ("/users?$skiptoken=%FF%00", "Directory_ExpiredPageToken"),
        ("/users?$format=xml", "BadRequest"),
        ("/me/messages?$top=1001", "ErrorInvalidUrlQuery"),
        ("/me/messages?$filter=body eq 'x'", "ErrorInvalidUrlQuery"),
        ("/me/messages?$filter=isRead eq false&$orderby=receivedDateTime", "InefficientFilter"),
        ("/me/messages?$search=\"x\"&$orderby=subject", "SearchWithOrderBy"),
        ("/me/messages?$search=\"x\"&$filter=isRead eq true", "SearchWithFilter"),
        ("/me/messages?$search=\"\"", "BadRequest"),
        ("/me/events?$search=\"x\"", "BadRequest"),
        ("/me/drive/root/children?$skip=1", "invalidRequest"),
        ("/me/calendarView", "ErrorInvalidParameter"),
        ("/me/calendarView?startDateTime=2026-01-01", "ErrorInvalidParameter"),
        ("/me/calendarView?startDateTime=yesterday&endDateTime=today", "ErrorInvalidParameter"),
        ("/me/calendarView?startDateTime=2026-02-01&endDateTime=2026-01-01", "ErrorInvalidParameter"),
        // The plus of an offset is a space unless it is encoded.
        (
            "/me/calendarView?startDateTime=2026-01-01T00:00:00+01:00&endDateTime=2026-02-01",
            "ErrorInvalidParameter",
        ),
        ("/%FF%FE", "BadRequest"),
    ] {
        client.refused(path, 400, code).await;
    }
    for path in [
        &*format!("/users?$filter={deep}"),
        &format!("/users?$filter=mail eq '{long}"),
        "/users?$filter='%FF",
    ] {
        client.refused(path, 400, "BadRequest").await;
    }
    for path in ["", "/", "/planets", "/me/planets", "/me/messages/x/y", "/users/a/b/c/d", "/me/photo/1/2/3"]
    {
        let (status, body) = client.get(path).await;
        assert_eq!((status, body["error"]["code"].as_str()), (404, Some("ResourceNotFound")), "{path}");
    }
    assert_eq!(client.get("/me/messages?$skip=18446744073709551615").await.0, 200);
    assert_eq!(client.get("/me/messages?$top=0").await.1["value"], json!([]));
    assert_eq!(client.get("/me?cachebuster=1").await.0, 200, "only options with a dollar are Graph's");
    assert_eq!(client.get("/ME/Messages?%24TOP=1").await.0, 200);
}

#[tokio::test]
async fn the_calendar_view_shows_what_touches_the_window() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let mut events = client.ok("/me/events?$top=50").await["value"].as_array().unwrap().clone();
    events.sort_by_key(|e| e["start"]["dateTime"].to_string());
    let text = |v: &Value| v["dateTime"].as_str().unwrap().to_owned();
    let (from, until) = (text(&events[2]["end"]), text(&events[6]["start"]));
    let window = format!("startDateTime={from}&endDateTime={until}Z");
    let path = format!("/me/calendarView?{window}&$top=2&$select=subject");
    let pages = client.pages(&path).await;
    let found = pages.concat();
    assert_eq!(column(&found, "id"), column(&events[3..6], "id"), "touching at the edge is not inside");
    let folder = client.ok(&format!("/me/calendar/calendarView?{window}")).await;
    assert_eq!(folder["value"].as_array().unwrap().len(), 3);
    let request = client.request(reqwest::Method::GET, "/me/events?$top=1&$orderby=start/dateTime");
    let zoned = request.header("Prefer", "outlook.timezone=\"Tokyo Standard Time\"").send().await.unwrap();
    let zoned: Value = zoned.json().await.unwrap();
    assert_eq!(zoned["value"][0]["start"]["timeZone"], "Tokyo Standard Time");
    assert_ne!(zoned["value"][0]["start"]["dateTime"], events[0]["start"]["dateTime"]);
    let mars =
        client.request(reqwest::Method::GET, "/me/events").header("Prefer", "outlook.timezone=\"Mars\"");
    let mars: Value = mars.send().await.unwrap().json().await.unwrap();
    assert_eq!(mars["error"]["code"], "TimeZoneNotSupportedException");
}
