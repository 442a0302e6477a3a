//! The answer for a user: consent is checked, then access token, id token, refresh token and client_info as asked.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Call, limits};
use crate::claims_request::ClaimsRequest;
use crate::clock::Instant;
use crate::conditional_access::{self, Question};
use crate::errors::Refusal;
use crate::registrations::{GRAPH_APP_ID, Platform, User};
use crate::scopes::{ApiAsk, Ask};
use crate::state::{RefreshGrant, SignIn, Spent};
use crate::tokens::{self, AccessGrant, ClientProof, IdGrant, Subject};

/// Life of refresh tokens: 90 days, 24 hours for single-page applications (Entra documentation, "Refresh tokens").
const REFRESH_LIFE: i64 = 90 * 24 * 3600;
const SPA_REFRESH_LIFE: i64 = 24 * 3600;

/// A grant that was found valid, for a user.
pub(super) struct UserGrant<'a> {
    pub(super) user: &'a User,
    pub(super) ask: &'a Ask,
    pub(super) proof: ClientProof,
    pub(super) platform: Option<Platform>,
    /// When the next refresh token ends, where that was fixed when the first was issued.
    pub(super) refresh_until: Option<Instant>,
    pub(super) nonce: Option<&'a str>,
    pub(super) sign_in: SignIn,
    /// The `claims` of the request before this one, where there was one.
    pub(super) claims: ClaimsRequest,
}

/// Issues what the grant's scopes ask for, or refuses for want of consent or for scopes of two resources.
pub(super) fn for_user(call: &Call<'_>, grant: &UserGrant<'_>) -> Result<Value, Refusal> {
    let (state, client, user) = (call.state, call.client, grant.user);
    limits::equal_request(call, user.id)?;
    // Only OpenID words: Entra gives a token for Graph that carries just them.
    let oidc_only = ApiAsk { api: GRAPH_APP_ID, identifier: None, scopes: vec![], default: false };
    let asked = grant.ask.single(call.all)?;
    let api_id = asked.unwrap_or(&oidc_only).api;
    let api = call.all.app(api_id).ok_or_else(|| Refusal::UnknownResource(api_id.to_string()))?;
    let claims = claims(call, &grant.claims)?;
    let question =
        Question { user, sign_in: grant.sign_in, client, resources: &[api.client_id], claims: &claims };
    conditional_access::check(state, &question)?;
    let mut scopes = match asked {
        Some(asked) => consented(call, user, asked)?,
        None => vec![],
    };
    let asked = asked.unwrap_or(&oidc_only);
    let mut scope = tokens::scope_text(asked, &scopes, api);
    if api_id == GRAPH_APP_ID {
        // Graph's userinfo endpoint is why its tokens carry the OpenID words; they are never qualified.
        for word in grant.ask.oidc.iter().filter(|w| *w != "offline_access") {
            scope.push(' ');
            scope.push_str(word);
            scopes.push(word.clone());
        }
    }
    let scope = scope.trim_start();
    let subject = Subject::User { user, scopes };
    let access = tokens::access_token(
        state,
        &AccessGrant {
            subject: &subject,
            client,
            proof: grant.proof,
            api,
            identifier: asked.identifier.as_deref(),
            sign_in: Some(grant.sign_in),
            claims: &claims,
        },
    );
    let mut body = json!({
        "token_type": "Bearer",
        "scope": scope,
        "expires_in": access.expires_in,
        "ext_expires_in": access.expires_in,
        "access_token": access.token,
    });
    if grant.ask.has("openid") {
        let id = IdGrant {
            user,
            client,
            nonce: grant.nonce,
            code: None,
            profile: grant.ask.has("profile"),
            email: grant.ask.has("email"),
            sign_in: grant.sign_in,
            claims: &claims,
        };
        body["id_token"] = tokens::id_token(state, &id).into();
    }
    if grant.ask.has("offline_access") {
        body["refresh_token"] = refresh_token(call, grant).into();
    }
    if call.params.get("client_info") == Some("1") {
        body["client_info"] = tokens::client_info(call.all, user).into();
    }
    Ok(body)
}

/// Everything granted at the API, if that includes everything asked: Entra puts earlier consents in `scp` too.
fn consented(call: &Call<'_>, user: &User, asked: &ApiAsk) -> Result<Vec<String>, Refusal> {
    let api = call.all.app(asked.api).ok_or_else(|| Refusal::UnknownResource(asked.api.to_string()))?;
    let granted = call.state.granted(user.id, call.client, api);
    let names = asked.names(call.client, &granted);
    if names.is_empty() || names.iter().any(|n| !granted.contains(n)) {
        return Err(Refusal::NoConsent {
            client: call.client.client_id,
            name: call.client.name.clone(),
            resource: api.name.clone(),
        });
    }
    let all: BTreeSet<_> = names.into_iter().chain(granted).collect();
    Ok(all.into_iter().collect())
}

/// The `claims` of this request, else those of the authorization request. An `nbf` asks for a token issued later than
/// that, which every new one is; that the sign-in behind it is still good is the policies' affair.
fn claims(call: &Call<'_>, earlier: &ClaimsRequest) -> Result<ClaimsRequest, Refusal> {
    match call.params.get("claims") {
        Some(text) => ClaimsRequest::parse(Some(text)),
        None => Ok(earlier.clone()),
    }
}

fn refresh_token(call: &Call<'_>, grant: &UserGrant<'_>) -> String {
    let now = call.state.clock.now();
    let life = if grant.platform == Some(Platform::Spa) { SPA_REFRESH_LIFE } else { REFRESH_LIFE };
    call.state.new_refresh(RefreshGrant {
        client: call.client.client_id,
        user: grant.user.id,
        platform: grant.platform,
        ask: grant.ask.clone(),
        sign_in: grant.sign_in,
        issued: now,
        used: now,
        spent: Spent::No,
        expires: grant.refresh_until.unwrap_or(now.plus(life)),
    })
}

/// The user of a grant in the realm of the request: a grant is bound to a person, not to a tenant, so the same person's
/// account as a guest of the realm will do, and from there the one at home.
pub(super) fn user<'a>(call: &Call<'a>, id: Uuid) -> Result<&'a User, Refusal> {
    let user = call.all.user(&id.to_string()).ok_or(Refusal::BadGrant("its user no longer exists"))?;
    let user = call.realm.account(user, call.all);
    call.realm.check_account(call.client, user)?;
    Ok(user)
}

/// The scopes of this request, if it names any, in place of those remembered; `resource` is checked either way.
pub(super) fn ask(call: &Call<'_>, user: &User, remembered: &Ask) -> Result<Ask, Refusal> {
    let mut ask = match call.params.get("scope") {
        Some(text) => Ask::for_token(text, call.client, user.tenant, call.all)?,
        None => remembered.clone(),
    };
    if call.params.get("scope").is_none() {
        // The authorize endpoint may ask for several APIs, the token endpoint answers for one: the first.
        ask.apis.truncate(1);
    }
    ask.single(call.all)?;
    ask.check_resource(call.params.get("resource"), call.all)?;
    ask.check_for(call.state, call.client, user, call.all)?;
    Ok(ask)
}
