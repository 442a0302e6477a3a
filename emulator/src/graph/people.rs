//! People and their directory: `/me`, `/users`, `/organization`, and the OpenID claims of `/oidc/userinfo`.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, Reply};
use super::collection::{Collection, entity, with_context};
use super::error::GraphError;
use super::kinds::{ORGANIZATION, USER};
use super::permissions::Permission;
use super::permissions::{FULL_PROFILE, ORGANIZATION as ALL_OF_IT, ORGANIZATION_BASIC, PROFILE};
use crate::registrations::User;
use crate::tokens;

/// Properties that `User.ReadBasic.All` shows; the others are null.
const BASIC: [&str; 7] =
    ["displayName", "givenName", "id", "mail", "surname", "userPrincipalName", "mailNickname"];

/// Whose things a path speaks of.
pub(super) enum Owner {
    /// `/me`.
    Me,
    /// `/users/{id or principal name}`.
    Named(String),
}

impl Owner {
    /// The user, if the caller may have what `permission` protects and the caller's directory knows the user.
    pub(super) fn find<'a>(
        &self,
        call: &'a Call<'_>,
        permission: &Permission,
    ) -> Result<&'a User, GraphError> {
        let caller = call.caller;
        let name = match self {
            Self::Me => caller.user()?.to_string(),
            Self::Named(name) => name.clone(),
        };
        let found = call.registrations.user(&name).filter(|u| Some(u.tenant) == caller.tenant());
        let own = found.is_some_and(|u| caller.user() == Ok(u.id));
        caller.need(permission, own || matches!(self, Self::Me))?;
        found.ok_or(GraphError::NoSuchObject(name))
    }
}

/// `GET /me`, `GET /users/{id}`.
pub(super) fn profile(call: &Call<'_>, owner: &Owner) -> Result<Reply, GraphError> {
    call.only(&Method::GET, "GET")?;
    let user = owner.find(call, &PROFILE)?;
    entity(call, &USER, "users", shown(call, user))
}

/// `GET /users`.
pub(super) fn list(call: &Call<'_>, raw_count: bool) -> Result<Reply, GraphError> {
    call.caller.need(&PROFILE, false)?;
    let tenant = call.caller.tenant();
    let mut users: Vec<&User> =
        call.registrations.users.iter().filter(|u| Some(u.tenant) == tenant).collect();
    users.sort_by_key(|u| (u.display_name.to_lowercase(), u.id));
    let rows = users.into_iter().map(|u| shown(call, u)).collect();
    Collection::new("users", &USER, rows).answer(call, raw_count)
}

/// All properties that the caller may see; those that the emulator has no values for are null.
fn shown(call: &Call<'_>, user: &User) -> Value {
    let own = call.caller.user() == Ok(user.id);
    let full = call.caller.has(&FULL_PROFILE, own);
    let mut all = properties(user);
    for name in USER.properties {
        let value = all.entry(*name).or_insert(Value::Null);
        if !full && !BASIC.contains(name) {
            *value = if value.is_array() { json!([]) } else { Value::Null };
        }
    }
    Value::Object(all)
}

fn properties(user: &User) -> Map<String, Value> {
    let nickname = user.user_principal_name.split('@').next().unwrap_or_default();
    let addresses: Vec<String> = user.mail.iter().map(|mail| format!("SMTP:{mail}")).collect();
    let Value::Object(map) = json!({
        "accountEnabled": !user.disabled,
        "businessPhones": user.business_phones,
        "department": user.department,
        "displayName": user.display_name,
        "givenName": user.given_name,
        "id": user.id,
        "jobTitle": user.job_title,
        "mail": user.mail,
        "mailNickname": nickname,
        "mobilePhone": user.mobile_phone,
        "officeLocation": user.office_location,
        "otherMails": [],
        "preferredLanguage": user.preferred_language,
        "proxyAddresses": addresses,
        "surname": user.surname,
        "userPrincipalName": user.user_principal_name,
        "userType": if user.home.is_some() { "Guest" } else { "Member" },
    }) else {
        return Map::new();
    };
    map
}

/// `GET /organization`, and with an id the one.
pub(super) fn organization(call: &Call<'_>, id: Option<&str>, raw_count: bool) -> Result<Reply, GraphError> {
    call.only(&Method::GET, "GET")?;
    call.caller.need(&ORGANIZATION_BASIC, false)?;
    let tenant = call.registrations.tenants.iter().find(|t| Some(t.id) == call.caller.tenant());
    let full = call.caller.has(&ALL_OF_IT, false);
    let shown = tenant.map(|tenant| {
        let mut all = Map::new();
        for name in ORGANIZATION.properties {
            let value = match *name {
                "id" => json!(tenant.id),
                "displayName" => json!(tenant.name),
                "tenantType" if full => json!("AAD"),
                "businessPhones" | "technicalNotificationMails" => json!([]),
                "verifiedDomains" => json!([{
                    "capabilities": "Email, OfficeCommunicationsOnline",
                    "isDefault": true,
                    "isInitial": true,
                    "name": tenant.domain,
                    "type": "Managed",
                }]),
                _ => Value::Null,
            };
            all.insert((*name).to_owned(), value);
        }
        Value::Object(all)
    });
    match id {
        None => {
            let rows = shown.into_iter().collect();
            Collection::new("organization", &ORGANIZATION, rows).answer(call, raw_count)
        }
        Some(id) => {
            let same = shown.filter(|o| o["id"].as_str().is_some_and(|o| o.eq_ignore_ascii_case(id)));
            let found = same.ok_or_else(|| GraphError::NoSuchObject(id.to_owned()))?;
            entity(call, &ORGANIZATION, "organization", found)
        }
    }
}

/// `/oidc/userinfo` (OpenID Connect Core section 5.3). `sub` must equal that of the id token, which the client got.
pub(super) fn userinfo(call: &Call<'_>) -> Result<Reply, GraphError> {
    if call.method != Method::GET && call.method != Method::POST {
        return Err(call.not_allowed("GET, POST"));
    }
    let id = call.caller.user()?;
    call.caller.need_openid()?;
    let user = call.registrations.user(&id.to_string()).ok_or(GraphError::NoSuchObject(id.to_string()))?;
    let mut claims = Map::new();
    claims
        .insert("sub".into(), tokens::pairwise(user.id, call.caller.client().unwrap_or(Uuid::nil())).into());
    if call.caller.holds_scope("profile") {
        claims.insert("name".into(), user.display_name.clone().into());
        for (claim, value) in [("given_name", &user.given_name), ("family_name", &user.surname)] {
            if let Some(value) = value {
                claims.insert(claim.into(), value.clone().into());
            }
        }
        let picture = format!("{}/v1.0/me/photo/$value", call.state.origins.graph);
        claims.insert("picture".into(), picture.into());
    }
    if let (true, Some(mail)) = (call.caller.holds_scope("email"), &user.mail) {
        claims.insert("email".into(), mail.clone().into());
    }
    Ok(Reply::json_with(StatusCode::OK, Value::Object(claims)))
}

/// An answer of an action that returns texts.
pub(super) fn texts(call: &Call<'_>, texts: Vec<String>) -> Reply {
    let context = call.context("Collection(Edm.String)");
    Reply::json(with_context(context, json!({ "value": texts })))
}
