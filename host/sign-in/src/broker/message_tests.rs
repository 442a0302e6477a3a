//! What is read from the broker, and each answer that is refused.

use secrecy::ExposeSecret as _;

use super::*;

const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
const OBJECT: &str = "7e57b000-0000-4000-8000-000000000001";

fn perfect() -> Value {
    json!({
        "accessToken": "secret", "accessTokenType": 0, "idToken": "i", "clientInfo": "c", "expiresOn": 1_800_000_000_123_u64,
        "grantedScopes": "a b",
        "account": { "homeAccountId": "h.t", "localAccountId": OBJECT, "realm": TENANT, "username": "adele@contoso.example" },
    })
}

fn read(response: &Value) -> Result<BrokerToken, BrokerError> {
    read_token(&json!({ "brokerTokenResponse": response }).to_string())
}

#[test]
fn a_perfect_answer_is_read_and_does_not_print_its_token() {
    let token = read(&perfect()).unwrap();
    assert_eq!((token.access_token.expose_secret(), token.expires_at), ("secret", 1_800_000_000));
    assert_eq!(
        (token.account.id.clone(), token.account.home_account_id.as_str()),
        (AccountId::new(TENANT, OBJECT), "h.t")
    );
    assert_eq!((token.scopes.as_deref(), token.client_info.as_deref()), (Some("a b"), Some("c")));
    assert!(!format!("{token:?}").contains("secret"));
}

#[test]
fn answers_of_another_shape_are_refused() {
    for text in ["", "[]", "7", "not json"] {
        assert_eq!(
            read_token(text).unwrap_err(),
            BrokerError::Malformed("it is not a JSON object"),
            "{text}"
        );
    }
    assert_eq!(read_token("{}").unwrap_err(), BrokerError::Malformed("no `brokerTokenResponse`"));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BROKER_BYTES));
    assert_eq!(read_token(&long).unwrap_err(), BrokerError::Malformed("it is too long"));
    for member in ["accessToken", "account", "expiresOn"] {
        let mut response = perfect();
        response.as_object_mut().unwrap().remove(member);
        let expected = BrokerError::Malformed("`brokerTokenResponse` lacks a token or an account");
        assert_eq!(read(&response).unwrap_err(), expected, "{member}");
    }
    let mut response = perfect();
    response["accessTokenType"] = 1.into();
    assert_eq!(read(&response).unwrap_err(), BrokerError::Malformed("the token is not a bearer token"));
    for member in ["realm", "localAccountId"] {
        let mut response = perfect();
        response["account"][member] = "x".into();
        let expected = BrokerError::Malformed("`account` names no tenant or object");
        assert_eq!(read(&response).unwrap_err(), expected, "{member}");
    }
}

#[test]
fn errors_are_told_in_one_line_wherever_they_stand() {
    let error = json!({
        "status": 3, "subStatus": 0, "errorCode": 4, "tag": 5, "context": "a\nb", "diagnostics": { "exception_type": "x" },
    });
    let expected = BrokerError::Refused("NoNetwork 4 a?b".to_owned());
    assert_eq!(read(&json!({ "error": error })).unwrap_err(), expected);
    assert_eq!(read_token(&json!({ "error": error }).to_string()).unwrap_err(), expected);
    assert_eq!(read_token(r#"{"error":"no"}"#).unwrap_err(), BrokerError::Refused("no".to_owned()));
    let mut response = perfect();
    response["error"] = Value::Null;
    assert!(read(&response).is_ok(), "null is no error");
}

#[test]
fn a_status_is_a_number_and_only_its_own_is_a_dismissed_window() {
    let refused = |status: Value| read(&json!({ "error": { "status": status } })).unwrap_err();
    let named = |name: &str| BrokerError::Refused(name.to_owned());
    assert_eq!(refused(7.into()), BrokerError::Cancelled);
    assert_eq!(refused("7".into()), BrokerError::Cancelled);
    assert_eq!(refused(0.into()), named("Unexpected"));
    assert_eq!(refused(2.into()), named("InteractionRequired"));
    assert_eq!(refused(8.into()), named("ApplicationCanceled"));
    assert_eq!(refused(21.into()), named("FallbackToNativeMsal"));
    // No number that is known: as it came.
    assert_eq!(refused(22.into()), named("22"));
    assert_eq!(refused((-7).into()), named("-7"));
    assert_eq!(refused("UserCanceled".into()), named("UserCanceled"));
    // Words decide nothing.
    let error = json!({ "error": { "status": 0, "context": "UserCanceled" } });
    assert_eq!(read(&error).unwrap_err(), named("Unexpected UserCanceled"));
}

#[test]
fn accounts_without_tenant_or_object_are_left_out() {
    let account = json!({ "localAccountId": OBJECT, "realm": TENANT });
    let text = json!({ "accounts": [account, { "realm": TENANT }, 7] }).to_string();
    assert_eq!(read_accounts(&text).unwrap().len(), 1);
    assert!(read_accounts("{}").unwrap().is_empty());
    assert!(matches!(read_accounts(r#"{"accounts":7}"#), Err(BrokerError::Malformed(_))));
    assert!(matches!(read_accounts(r#"{"error":"no"}"#), Err(BrokerError::Refused(_))));
}
