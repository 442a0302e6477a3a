//! Drives, files and folders as Graph writes them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::outlook_items::derive;
use super::when;
use crate::registrations::User;

/// How ids of items begin.
const ID: &str = "01";

/// The id of a user's drive.
pub(super) fn drive_id(user: Uuid) -> String {
    format!("b!{}", URL_SAFE_NO_PAD.encode([derive(user, "drive", 0), derive(user, "drive", 1)].concat()))
}

/// The id of the item that a word names.
pub(super) fn item_id(user: Uuid, word: &str) -> String {
    let hex: String = derive(user, word, 2).iter().take(16).map(|byte| format!("{byte:02X}")).collect();
    format!("{ID}{hex}")
}

/// The id of the root folder.
pub(super) fn root_id(user: Uuid) -> String {
    item_id(user, "drive root")
}

/// A file, or a folder without content; its path is said when it is shown.
pub(super) fn item(
    user: &User,
    id: &str,
    parent: &str,
    name: &str,
    at: i64,
    content: Option<&[u8]>,
) -> Value {
    let at = when::zulu(at);
    let tag = format!("\"{{{}}},1\"", &id[ID.len()..]);
    let mut item = json!({
        "@odata.etag": tag,
        "createdDateTime": at,
        "eTag": tag,
        "id": id,
        "lastModifiedDateTime": at,
        "name": name,
        "webUrl": web_url(user, name),
        "cTag": format!("\"c:{{{}}},1\"", &id[ID.len()..]),
        "size": content.map_or(0, <[u8]>::len),
        "createdBy": { "user": identity(user) },
        "lastModifiedBy": { "user": identity(user) },
        "parentReference": { "driveType": "business", "driveId": drive_id(user.id), "id": parent },
        "fileSystemInfo": { "createdDateTime": at, "lastModifiedDateTime": at },
    });
    if let Some(content) = content {
        let hash = STANDARD.encode(&Sha256::digest(content)[..20]);
        item["file"] = json!({ "mimeType": media_type(name), "hashes": { "quickXorHash": hash } });
    }
    item
}

/// A drive that holds `used` bytes.
pub(super) fn drive(user: &User, at: i64, used: usize) -> Value {
    const TOTAL: usize = 1 << 40;
    let at = when::zulu(at);
    let mut owner = identity(user);
    owner["email"] = user.mail.clone().into();
    json!({
        "createdDateTime": at,
        "description": "",
        "id": drive_id(user.id),
        "lastModifiedDateTime": at,
        "name": "OneDrive",
        "webUrl": web_url(user, ""),
        "driveType": "business",
        "createdBy": { "user": { "displayName": "System Account" } },
        "lastModifiedBy": { "user": identity(user) },
        "owner": { "user": owner },
        "quota": { "deleted": 0, "remaining": TOTAL.saturating_sub(used), "state": "normal", "total": TOTAL,
            "used": used },
    })
}

fn identity(user: &User) -> Value {
    json!({ "displayName": user.display_name, "id": user.id, "email": user.mail })
}

fn web_url(user: &User, name: &str) -> String {
    let person = user.user_principal_name.replace(['@', '.'], "_");
    let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("https://files.emulator.invalid/personal/{person}/Documents/{name}")
}

/// The media type by the end of the name.
pub(super) fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("txt") => "text/plain",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
