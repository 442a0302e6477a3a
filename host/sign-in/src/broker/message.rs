//! The JSON that the Linux broker takes and gives (`com.microsoft.identity.Broker1`, protocol version 0.0).

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use valet_core_entra::OPENID_SCOPES;

use crate::account::{Account, AccountId, is_guid};
use crate::ask::Ask;
use crate::limits::{MAX_BROKER_BYTES, shown};
use crate::settings::Settings;

/// The redirect URI of native clients; the broker uses it in its own window.
const REDIRECT_URI: &str = "https://login.microsoftonline.com/common/oauth2/nativeclient";

/// The names of an error's `status`, which is the number of its place here. Microsoft's runtime (pymsalruntime 0.20.7) reports each by this name, except 12,
/// which it takes for no error.
const STATUSES: [&str; 22] = [
    "Unexpected",
    "Reserved",
    "InteractionRequired",
    "NoNetwork",
    "NetworkTemporarilyUnavailable",
    "ServerTemporarilyUnavailable",
    "ApiContractViolation",
    "UserCanceled",
    "ApplicationCanceled",
    "IncorrectConfiguration",
    "InsufficientBuffer",
    "AuthorityUntrusted",
    "UserSwitch",
    "AccountUnusable",
    "UserDataRemovalRequired",
    "TransientError",
    "AccountSwitch",
    "DeviceNotRegistered",
    "KeyNotFound",
    "AccountNotFound",
    "RequiredBrokerMissing",
    "FallbackToNativeMsal",
];

/// The place of `UserCanceled` among them: the person dismissed the window.
const USER_CANCELED: u64 = 7;

/// Where a token is to come from: `authorizationType`, by the numbers of Microsoft's runtime.
#[derive(Clone, Copy)]
pub(super) enum Authorization {
    /// From what the broker keeps.
    Silent = 1,
    /// From a sign-in in its window.
    Interactive = 6,
}

/// What was wrong with the broker's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BrokerError {
    /// It is no JSON of the shape that is known.
    Malformed(&'static str),
    /// It says that the person dismissed its window.
    Cancelled,
    /// It says that it cannot, shortened.
    Refused(String),
}

/// A token of the broker, and whom it says it is for.
#[derive(Debug)]
pub(super) struct BrokerToken {
    pub(super) account: Account,
    pub(super) access_token: SecretString,
    pub(super) id_token: Option<SecretString>,
    pub(super) client_info: Option<String>,
    /// Seconds since the Unix epoch.
    pub(super) expires_at: u64,
    pub(super) scopes: Option<String>,
}

/// An account of the broker, as it came: it goes back the same.
pub(super) struct BrokerAccount {
    pub(super) id: AccountId,
    pub(super) raw: Map<String, Value>,
}

/// The request for accounts.
pub(super) fn accounts_request(settings: &Settings) -> String {
    json!({ "clientId": settings.client_id, "redirectUri": REDIRECT_URI }).to_string()
}

/// The request for a token.
pub(super) fn token_request(
    settings: &Settings,
    ask: &Ask,
    account: Option<&BrokerAccount>,
    authorization: Authorization,
) -> String {
    // Whose account it is; else whom the window begins with.
    let username = match account {
        Some(account) => account.raw.get("username").and_then(Value::as_str),
        None => ask.login_hint.as_deref(),
    };
    json!({ "authParameters": {
        "account": account.map(|account| &account.raw),
        "additionalQueryParametersForAuthorization": {},
        "authority": format!("{}/{}", settings.authority, settings.tenant),
        "authorizationType": authorization as u8,
        "clientId": settings.client_id,
        "decodedClaims": ask.claims,
        "redirectUri": REDIRECT_URI,
        // The broker asks for the OpenID words by itself.
        "requestedScopes": ask.scopes.iter().filter(|scope| !OPENID_SCOPES.contains(&scope.as_str())).collect::<Vec<_>>(),
        "username": username.unwrap_or_default(),
        "uxContextHandle": -1,
    } })
    .to_string()
}

/// The request to take the window away. It says why, in the members of an error, as Microsoft's runtime does.
pub(super) fn cancel_request() -> String {
    json!({ "error": {
        "context": "nobody waits for this sign-in any more",
        "diagnostics": null,
        "errorCode": 0,
        "status": USER_CANCELED,
        "subStatus": 0,
        "tag": 0,
    } })
    .to_string()
}

/// Reads the answer to a request for accounts. Accounts that are not of Entra are left out.
pub(super) fn read_accounts(text: &str) -> Result<Vec<BrokerAccount>, BrokerError> {
    let answer = object(text)?;
    let accounts = match answer.get("accounts") {
        None | Some(Value::Null) => return refused(&answer).map_or(Ok(Vec::new()), Err),
        Some(accounts) => accounts.as_array().ok_or(BrokerError::Malformed("`accounts` is no list"))?,
    };
    let read = |value: &Value| {
        let raw = value.as_object()?.clone();
        Some(BrokerAccount { id: id(&raw)?, raw })
    };
    Ok(accounts.iter().filter_map(read).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenResponse {
    access_token: SecretString,
    #[serde(default)]
    access_token_type: u64,
    id_token: Option<SecretString>,
    client_info: Option<String>,
    account: Map<String, Value>,
    /// Milliseconds since the Unix epoch.
    expires_on: u64,
    granted_scopes: Option<String>,
}

/// Reads the answer to a request for a token.
pub(super) fn read_token(text: &str) -> Result<BrokerToken, BrokerError> {
    let answer = object(text)?;
    let Some(Value::Object(response)) = answer.get("brokerTokenResponse") else {
        return Err(refused(&answer).unwrap_or(BrokerError::Malformed("no `brokerTokenResponse`")));
    };
    if let Some(refused) = refused(response) {
        return Err(refused);
    }
    let response: TokenResponse = serde_json::from_value(Value::Object(response.clone()))
        .map_err(|_| BrokerError::Malformed("`brokerTokenResponse` lacks a token or an account"))?;
    // 0 is a bearer token; another type would need a proof that we cannot give.
    if response.access_token_type != 0 {
        return Err(BrokerError::Malformed("the token is not a bearer token"));
    }
    let id = id(&response.account).ok_or(BrokerError::Malformed("`account` names no tenant or object"))?;
    let text = |name| response.account.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let home =
        text("homeAccountId").map_or_else(|| format!("{}.{}", id.object_id, id.tenant_id), str::to_owned);
    Ok(BrokerToken {
        account: Account {
            username: text("username").map(str::to_owned),
            name: text("name").or(text("givenName")).map(str::to_owned),
            home_account_id: home,
            id,
        },
        access_token: response.access_token,
        id_token: response.id_token,
        client_info: response.client_info,
        expires_at: response.expires_on / 1000,
        scopes: response.granted_scopes,
    })
}

fn object(text: &str) -> Result<Map<String, Value>, BrokerError> {
    if text.len() > MAX_BROKER_BYTES {
        return Err(BrokerError::Malformed("it is too long"));
    }
    serde_json::from_str(text).map_err(|_| BrokerError::Malformed("it is not a JSON object"))
}

/// What an `error` member says: its status by name, its code and its words.
fn refused(answer: &Map<String, Value>) -> Option<BrokerError> {
    let error = answer.get("error").filter(|error| !error.is_null())?;
    let status = error.get("status").and_then(number);
    if status == Some(USER_CANCELED) {
        return Some(BrokerError::Cancelled);
    }
    let name = status.and_then(|status| STATUSES.get(usize::try_from(status).ok()?).copied());
    let said = |member: &str| error.get(member).map(text);
    let told = match error {
        Value::Object(_) => {
            let name = name.map(str::to_owned).or_else(|| said("status"));
            [name, said("errorCode"), said("context")].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        other => text(other),
    };
    Some(BrokerError::Refused(shown(&told)))
}

/// A number, which Microsoft's runtime takes as text too.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn id(account: &Map<String, Value>) -> Option<AccountId> {
    let text = |name| account.get(name).and_then(Value::as_str).filter(|text| is_guid(text));
    Some(AccountId::new(text("realm")?, text("localAccountId")?))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
