//! Groups and directory roles: `memberOf`, `transitiveMemberOf`, `getMemberObjects`, `/groups`.

use axum::http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::collection::{Collection, entity};
use super::error::GraphError;
use super::kinds::GROUP;
use super::people::{Owner, texts};
use super::permissions::{GROUPS, MEMBERSHIP};
use crate::registrations::{Group, Membership, groups_of};

/// `GET /me/memberOf` and the transitive form; the emulated groups do not nest, so both are the same.
pub(super) fn member_of(
    call: &Call<'_>,
    owner: &Owner,
    cast: Option<&str>,
    raw_count: bool,
) -> Result<Reply, GraphError> {
    let user = owner.find(call, &MEMBERSHIP)?;
    let mut groups = groups_of(call.registrations, user);
    match cast.map(str::to_ascii_lowercase).as_deref() {
        None => {}
        Some("microsoft.graph.group") => groups.retain(|g| g.role_template.is_none()),
        Some("microsoft.graph.directoryrole") => groups.retain(|g| g.role_template.is_some()),
        Some(_) => return Err(call.no_such_path(cast.unwrap_or_default())),
    }
    let full = call.caller.has(&GROUPS, false);
    let rows = groups.iter().map(|group| shown(group, full)).collect();
    Collection::new("directoryObjects", &GROUP, rows).answer(call, raw_count)
}

/// `POST /me/getMemberObjects`: the ids alone.
pub(super) fn member_objects(call: &Call<'_>, owner: &Owner) -> Result<Reply, GraphError> {
    call.only(&Method::POST, "POST")?;
    let user = owner.find(call, &MEMBERSHIP)?;
    let body = call.object()?;
    let security_only = match body.get("securityEnabledOnly") {
        None => {
            let text = "The parameter 'securityEnabledOnly' is missing.";
            return Err(GraphError::DirectoryRequest(text.into()));
        }
        Some(value) => {
            let wrong =
                || GraphError::DirectoryRequest("'securityEnabledOnly' must be true or false.".into());
            value.as_bool().ok_or_else(wrong)?
        }
    };
    let mut groups = groups_of(call.registrations, user);
    // Directory roles are not security groups.
    groups.retain(|g| !security_only || g.role_template.is_none());
    Ok(texts(call, groups.iter().map(|g| g.id.to_string()).collect()))
}

/// `GET /groups`: those registered, without directory roles, as Graph lists those apart.
pub(super) fn list(call: &Call<'_>, raw_count: bool) -> Result<Reply, GraphError> {
    call.caller.need(&GROUPS, false)?;
    let rows = groups(call).map(|g| without_type(shown(&g, true))).collect();
    Collection::new("groups", &GROUP, rows).answer(call, raw_count)
}

/// `GET /groups/{id}`.
pub(super) fn one(call: &Call<'_>, id: &str) -> Result<Reply, GraphError> {
    call.only(&Method::GET, "GET")?;
    call.caller.need(&GROUPS, false)?;
    let wanted = Uuid::parse_str(id).ok();
    let found = groups(call).find(|g| Some(g.id) == wanted);
    let group = found.ok_or_else(|| GraphError::NoSuchObject(id.to_owned()))?;
    entity(call, &GROUP, "groups", without_type(shown(&group, true)))
}

fn groups(call: &Call<'_>) -> impl Iterator<Item = Membership> {
    let tenant = call.caller.tenant();
    let here = move |g: &&Group| Some(g.tenant) == tenant && g.role_template.is_none();
    call.registrations.groups.iter().filter(here).map(Membership::from)
}

/// In a list of one type the type is not said.
fn without_type(mut group: Value) -> Value {
    if let Value::Object(map) = &mut group {
        map.remove("@odata.type");
    }
    group
}

/// Without a permission to read groups only type and id are shown (Graph documentation, "Limited information returned
/// for inaccessible member objects").
fn shown(group: &Membership, full: bool) -> Value {
    let own = match group.role_template {
        None => json!({
            "@odata.type": "#microsoft.graph.group",
            "id": group.id,
            "createdDateTime": "2024-01-15T08:00:00Z",
            "deletedDateTime": null,
            "description": null,
            "displayName": group.display_name,
            "groupTypes": [],
            "mail": null,
            "mailEnabled": false,
            "mailNickname": group.id.simple().to_string()[..10].to_owned(),
            "securityEnabled": true,
            "visibility": null,
        }),
        Some(template) => json!({
            "@odata.type": "#microsoft.graph.directoryRole",
            "id": group.id,
            "deletedDateTime": null,
            "description": null,
            "displayName": group.display_name,
            "roleTemplateId": template,
        }),
    };
    let Value::Object(all) = own else { return own };
    let kept = |name: &str| full || name == "@odata.type" || name == "id";
    let blank = |value: Value| if value.is_array() { json!([]) } else { Value::Null };
    let shown: Map<String, Value> =
        all.into_iter().map(|(n, v)| if kept(&n) { (n, v) } else { (n, blank(v)) }).collect();
    Value::Object(shown)
}
