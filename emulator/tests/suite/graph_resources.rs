//! Graph's resources, field by field; and that no two users look alike.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entra_emulator::{Group, Options, Registrations, ids};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::graph_client::{ALL, Client, column, read};

const GROUP: &str = "7e57d000-0000-4000-8000-000000000001";
const ROLE: &str = "7e57d000-0000-4000-8000-000000000002";
const TEMPLATE: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The sample with a group and a directory role for Adele, and derived groups for Alex.
pub(crate) async fn start() -> Bench {
    let mut registrations = Registrations::sample();
    let group = |id: &str, name: &str, role: Option<&str>| Group {
        id: id.parse().unwrap(),
        tenant: ids::TENANT,
        display_name: name.into(),
        members: vec![ids::ADELE],
        role_template: role.map(|r| r.parse().unwrap()),
    };
    registrations.groups = vec![group(GROUP, "Retail", None), group(ROLE, "Global Admin", Some(TEMPLATE))];
    let alex = registrations.users.iter_mut().find(|u| u.id == ids::ALEX).unwrap();
    alex.further_groups = 230;
    Bench::start_with(Options { registrations, ..Default::default() }).await
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn set(names: &str) -> BTreeSet<&str> {
    names.split_whitespace().collect()
}

#[tokio::test]
async fn people_and_their_directory() {
    let bench = start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let me = adele.ok("/me").await;
    let expected = "@odata.context businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation \
                    preferredLanguage surname userPrincipalName";
    assert_eq!(names(&me), set(expected));
    assert_eq!(me, adele.ok(&format!("/users/{}", ids::ADELE_UPN)).await);
    assert_eq!(me, adele.ok(&format!("/users('{}')", ids::ADELE)).await);
    let more = "/me?$select=department,accountEnabled,userType,mailNickname,proxyAddresses,city";
    let more = adele.ok(more).await;
    assert_eq!((&more["department"], &more["accountEnabled"]), (&json!("Retail"), &json!(true)));
    assert_eq!((&more["userType"], &more["mailNickname"]), (&json!("Member"), &json!("adele")));
    assert_eq!(more["proxyAddresses"], json!(["SMTP:adele.vance@contoso.example"]));
    assert_eq!((more.get("city"), names(&more).len()), (Some(&Value::Null), 7));

    let users = adele.ok("/users").await;
    let list = users["value"].as_array().unwrap();
    assert_eq!(column(list, "displayName"), ["Adele Vance", "Alex Wilber"], "no user of the other tenant");
    assert_eq!(list[0]["id"], me["id"]);
    assert!(users["@odata.context"].as_str().unwrap().ends_with("/v1.0/$metadata#users"));
    assert!(adele.ok("/users?$select=id").await["value"][0].get("displayName").is_none());
    adele.refused("/users/nobody@contoso.example", 404, "Request_ResourceNotFound").await;

    let organization = adele.ok("/organization").await["value"][0].clone();
    assert_eq!((&organization["id"], &organization["displayName"]), (&json!(ids::TENANT), &json!("Contoso")));
    assert_eq!(organization["verifiedDomains"][0]["name"], ids::DOMAIN);
    assert_eq!(organization["tenantType"], Value::Null, "User.Read shows little of it");
    let admin = Client::user(&bench, ids::ADELE_UPN, &["Organization.Read.All"]);
    assert_eq!(admin.ok(&format!("/organization/{}", ids::TENANT)).await["tenantType"], "AAD");
    admin.refused(&format!("/organization/{}", ids::FOREIGN_TENANT), 404, "Request_ResourceNotFound").await;
}

#[tokio::test]
async fn only_names_and_addresses_of_others_with_the_basic_permission() {
    let bench = Bench::start().await;
    let basic = Client::user(&bench, ids::ADELE_UPN, &["User.ReadBasic.All"]);
    let alex = basic.ok(&format!("/users/{}", ids::ALEX)).await;
    assert_eq!(
        (&alex["displayName"], &alex["mail"]),
        (&json!("Alex Wilber"), &json!("alex.wilber@contoso.example"))
    );
    assert_eq!((&alex["jobTitle"], &alex["businessPhones"]), (&Value::Null, &json!([])));
    let full = Client::user(&bench, ids::ADELE_UPN, &["User.Read.All"]);
    assert_eq!(full.ok(&format!("/users/{}", ids::ALEX)).await["jobTitle"], "Marketing Assistant");
}

#[tokio::test]
async fn groups_and_roles() {
    let bench = start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let list = adele.ok("/me/memberOf").await["value"].as_array().unwrap().clone();
    assert_eq!(column(&list, "id"), [GROUP, ROLE]);
    assert_eq!(column(&list, "@odata.type"), ["#microsoft.graph.group", "#microsoft.graph.directoryRole"]);
    assert_eq!((&list[0]["displayName"], &list[0]["securityEnabled"]), (&json!("Retail"), &json!(true)));
    assert_eq!((&list[1]["roleTemplateId"], list[1].get("securityEnabled")), (&json!(TEMPLATE), None));
    assert_eq!(adele.ok("/me/transitiveMemberOf").await["value"], json!(list));
    let cast = adele.ok("/me/memberOf/microsoft.graph.directoryRole").await;
    assert_eq!(column(cast["value"].as_array().unwrap(), "id"), [ROLE]);

    let limited = Client::user(&bench, ids::ADELE_UPN, &["User.Read"]);
    let list = limited.ok("/me/memberOf").await["value"].clone();
    assert_eq!((&list[0]["id"], &list[0]["displayName"]), (&json!(GROUP), &Value::Null));
    limited.refused("/groups", 403, "Authorization_RequestDenied").await;
    limited.refused(&format!("/users/{}/memberOf", ids::ALEX), 403, "Authorization_RequestDenied").await;

    let groups = adele.ok("/groups").await["value"].as_array().unwrap().clone();
    assert_eq!((column(&groups, "id"), groups[0].get("@odata.type")), (vec![&json!(GROUP)], None));
    assert_eq!(adele.ok(&format!("/groups/{GROUP}")).await["displayName"], "Retail");
    adele.refused(&format!("/groups/{ROLE}"), 404, "Request_ResourceNotFound").await;
}

#[tokio::test]
async fn member_objects_agree_with_member_of() {
    let bench = start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let ask = async |path: &str, security: bool| {
        let body = json!({ "securityEnabledOnly": security });
        let (status, answer) = adele.send(reqwest::Method::POST, path, &body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let all = ask("/me/getMemberObjects", false).await;
    assert!(all["@odata.context"].as_str().unwrap().ends_with("$metadata#Collection(Edm.String)"));
    assert_eq!(all["value"], json!([GROUP, ROLE]));
    assert_eq!(ask("/me/getMemberObjects", true).await["value"], json!([GROUP]));
    let alex = ask(&format!("/users/{}/getMemberObjects", ids::ALEX_UPN), true).await;
    let alex: Vec<_> = alex["value"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    let pages = adele.pages(&format!("/users/{}/memberOf", ids::ALEX)).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 30]);
    let listed: Vec<_> = pages.concat().iter().map(|g| g["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, alex);
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 230);
    for (body, code) in [
        (json!({}), "Request_BadRequest"),
        (json!({ "securityEnabledOnly": "yes" }), "Request_BadRequest"),
        (json!([]), "BadRequest"),
    ] {
        let (status, answer) = adele.send(reqwest::Method::POST, "/me/getMemberObjects", &body).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some(code)));
    }
    adele.refused("/me/getMemberObjects", 405, "Request_BadRequest").await;
}

#[tokio::test]
async fn mail_calendar_and_photo() {
    let bench = start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let list = adele.ok("/me/messages").await;
    assert_eq!(list["value"].as_array().unwrap().len(), 10, "Outlook pages by ten");
    let context = format!("/v1.0/$metadata#users('{}')/messages", ids::ADELE);
    assert!(list["@odata.context"].as_str().unwrap().ends_with(&context));
    let first = &list["value"][0];
    let expected = "@odata.etag bccRecipients body bodyPreview categories ccRecipients changeKey conversationId \
        conversationIndex createdDateTime flag from hasAttachments id importance inferenceClassification \
        internetMessageId isDeliveryReceiptRequested isDraft isRead isReadReceiptRequested lastModifiedDateTime \
        parentFolderId receivedDateTime replyTo sender sentDateTime subject toRecipients webLink";
    assert_eq!(names(first), set(expected));
    assert_eq!(first["toRecipients"][0]["emailAddress"]["address"], "adele.vance@contoso.example");
    let binary = STANDARD.decode(first["conversationIndex"].as_str().unwrap());
    assert_eq!(binary.unwrap().len(), 22, "Microsoft's Python SDK decodes it");
    assert_eq!((&first["body"]["contentType"], &first["isRead"]), (&json!("html"), &json!(false)));
    let one = adele.ok(&format!("/me/messages/{}", first["id"].as_str().unwrap())).await;
    assert_eq!((&one["subject"], &one["body"]), (&first["subject"], &first["body"]));
    let text = adele.request(reqwest::Method::GET, "/me/messages?$top=1");
    let ((_, text), headers) = read(text.header("Prefer", "outlook.body-content-type=\"text\"")).await;
    assert_eq!(text["value"][0]["body"]["contentType"], "text");
    assert!(!text["value"][0]["body"]["content"].as_str().unwrap().contains('<'));
    assert!(headers.contains_key("preference-applied"));

    let inbox = adele.ok("/me/mailFolders/inbox").await;
    assert_eq!((&inbox["displayName"], &inbox["totalItemCount"]), (&json!("Inbox"), &json!(22)));
    assert_eq!(inbox["id"], first["parentFolderId"]);
    assert_eq!(adele.ok("/me/mailFolders").await["value"].as_array().unwrap().len(), 7);
    let by_id = format!("/me/mailFolders/{}/messages?$top=50", inbox["id"].as_str().unwrap());
    assert_eq!(adele.ok(&by_id).await["value"].as_array().unwrap().len(), 22);
    adele.refused("/me/mailFolders/attic", 400, "ErrorInvalidIdMalformed").await;
    adele.refused("/me/messages/42", 400, "ErrorInvalidIdMalformed").await;
    adele.refused("/me/messages/AAMkADEAAA=", 404, "ErrorItemNotFound").await;

    let events = adele.ok("/me/events?$top=50").await["value"].as_array().unwrap().clone();
    assert_eq!(events.len(), 12);
    let expected = "@odata.etag allowNewTimeProposals attendees body bodyPreview categories changeKey createdDateTime \
        end hasAttachments hideAttendees iCalUId id importance isAllDay isCancelled isDraft isOnlineMeeting \
        isOrganizer isReminderOn lastModifiedDateTime location locations onlineMeeting onlineMeetingProvider \
        onlineMeetingUrl organizer originalEndTimeZone originalStartTimeZone recurrence reminderMinutesBeforeStart \
        responseRequested responseStatus sensitivity seriesMasterId showAs start subject transactionId type webLink";
    assert_eq!(names(&events[0]), set(expected));
    assert_eq!(events[0]["start"]["timeZone"], "UTC");
    let calendar = adele.ok("/me/calendar/events?$top=50").await;
    assert_eq!(calendar["value"], json!(events));

    let photo = adele.ok("/me/photo").await;
    assert_eq!((&photo["id"], &photo["width"]), (&json!("648x648"), &json!(648)));
    assert_eq!(photo["@odata.mediaContentType"], "image/png");
    for (path, side) in [("photo/$value", 648_u32), ("photos/64x64/$value", 64), ("photo/50x70/$value", 48)] {
        let response = adele.request(reqwest::Method::GET, &format!("/me/{path}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "image/png");
        let png = response.bytes().await.unwrap();
        assert_eq!((&png[..8], &png[16..20]), (b"\x89PNG\r\n\x1a\n".as_slice(), &side.to_be_bytes()[..]));
    }
    adele.refused("/me/photos/10x10", 404, "ImageNotFound").await;
    adele.refused("/me/photos/big", 404, "ImageNotFound").await;
}

#[tokio::test]
async fn files() {
    let bench = start().await;
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let drive = adele.ok("/me/drive").await;
    assert_eq!(
        (&drive["driveType"], &drive["owner"]["user"]["id"]),
        (&json!("business"), &json!(ids::ADELE))
    );
    assert!(drive["quota"]["used"].as_u64().unwrap() > 0);
    let children = adele.ok("/me/drive/root/children").await["value"].as_array().unwrap().clone();
    assert_eq!(children.len(), 5);
    let folder = children.iter().find(|c| c["folder"]["childCount"] == 3).unwrap();
    let file = children.iter().find(|c| c["name"] == "notes.txt").unwrap();
    let expected = "@microsoft.graph.downloadUrl @odata.etag cTag createdBy createdDateTime eTag file fileSystemInfo id \
        lastModifiedBy lastModifiedDateTime name parentReference size webUrl";
    assert_eq!(names(file), set(expected));
    assert_eq!(file["file"]["mimeType"], "text/plain");
    let id = folder["id"].as_str().unwrap();
    let inside =
        adele.ok(&format!("/me/drive/items/{id}/children")).await["value"].as_array().unwrap().clone();
    assert_eq!(column(&inside, "name"), ["figures.csv", "minutes.txt", "plan.md"]);
    assert_eq!(inside[0]["parentReference"]["id"], folder["id"]);
    let by_drive = format!("/drives/{}/items/root/children", drive["id"].as_str().unwrap());
    assert_eq!(adele.ok(&by_drive).await["value"].as_array().unwrap().len(), 5);
    let by_path = adele.ok("/me/drive/root:/notes.txt").await;
    assert_eq!(by_path["id"], file["id"]);

    let path = format!("/me/drive/items/{}/content", file["id"].as_str().unwrap());
    let ((status, _), headers) = read(adele.request(reqwest::Method::GET, &path)).await;
    assert_eq!(status, 302);
    let link = headers["location"].to_str().unwrap();
    let bytes = bench.http.get(link).send().await.unwrap().text().await.unwrap();
    assert_eq!(bytes, "Notes of Adele Vance.\n", "without a token");
    let forged = format!("{}A", &link[..link.len() - 1]);
    assert_eq!(bench.http.get(forged + "A").send().await.unwrap().status(), 404);
    bench.emulator.advance_clock(std::time::Duration::from_secs(3700));
    assert_eq!(bench.http.get(link).send().await.unwrap().status(), 404, "the link has expired");
    let adele = Client::user(&bench, ids::ADELE_UPN, &ALL);
    adele.refused("/me/drive/items/01NOTHING", 404, "itemNotFound").await;
    adele.refused(&format!("/me/drive/items/{id}/content"), 400, "invalidRequest").await;
    adele.refused("/me/drive/root:/no/such.txt", 404, "itemNotFound").await;
    adele.refused("/drives/b!none", 404, "itemNotFound").await;
}

#[tokio::test]
async fn no_two_users_look_alike() {
    let bench = start().await;
    let (adele, alex) =
        (Client::user(&bench, ids::ADELE_UPN, &ALL), Client::user(&bench, ids::ALEX_UPN, &ALL));
    for path in [
        "/me",
        "/me/photo",
        "/me/messages?$top=50",
        "/me/mailFolders?$top=50",
        "/me/events?$top=50",
        "/me/calendar/events?$top=50",
        "/me/drive",
        "/me/drive/root",
        "/me/drive/root/children",
        "/me/drive/root:/notes.txt",
        "/me/memberOf?$top=300",
    ] {
        let (a, b) = (adele.ok(path).await, alex.ok(path).await);
        let rows = |v: &Value| v["value"].as_array().cloned().unwrap_or_else(|| vec![v.clone()]);
        let key = if path == "/me/photo" { "@odata.mediaEtag" } else { "id" };
        let (a, b) = (rows(&a), rows(&b));
        let keys = |rows: &[Value]| rows.iter().map(|r| r[key].to_string()).collect::<BTreeSet<_>>();
        assert!(!a.is_empty() && !b.is_empty(), "{path}");
        assert_eq!(keys(&a).len(), a.len(), "{path}: unique");
        assert!(keys(&a).is_disjoint(&keys(&b)), "{path}");
    }
    let bytes = async |client: &Client<'_>, path: &str| {
        client.request(reqwest::Method::GET, path).send().await.unwrap().bytes().await.unwrap()
    };
    assert_ne!(bytes(&adele, "/me/photo/$value").await, bytes(&alex, "/me/photo/$value").await);
    let again = bytes(&adele, "/me/photo/$value").await;
    let other = bytes(&alex, &format!("/users/{}/photo/$value", ids::ADELE)).await;
    assert_eq!(again, other, "whoever looks");
}
