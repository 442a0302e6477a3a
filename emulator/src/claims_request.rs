//! The `claims` parameter (OpenID Connect Core section 5.5): what a client wants of its tokens beyond scopes.
//!
//! Entra reads four things from it: the client's capabilities (`xms_cc`), authentication contexts that a step-up
//! must satisfy (`acrs`), policies that refused an earlier request (`polids`), and the instant before which a token is
//! no longer good (`nbf`, continuous access evaluation).

use serde_json::Value;

use crate::errors::Refusal;

/// What was understood of `claims`; everything else in it is ignored, as Entra does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClaimsRequest {
    /// `access_token.xms_cc.values`: capabilities such as `cp1`.
    pub(crate) capabilities: Vec<String>,
    /// `access_token.acrs`: authentication contexts such as `c1`.
    pub(crate) contexts: Vec<String>,
    /// `access_token.polids`: ids of Conditional Access policies.
    pub(crate) policies: Vec<String>,
    /// `access_token.nbf.value`: seconds since 1970.
    pub(crate) not_before: Option<i64>,
}

impl ClaimsRequest {
    /// Understands the parameter; None is an empty request. What is no JSON object is refused.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text else { return Ok(Self::default()) };
        let refuse = || Refusal::BadParameter { name: "claims", value: text.to_owned() };
        let parsed: Value = serde_json::from_str(text).map_err(|_| refuse())?;
        if !parsed.is_object() {
            return Err(refuse());
        }
        let access = &parsed["access_token"];
        Ok(Self {
            capabilities: values(&access["xms_cc"]),
            contexts: values(&access["acrs"]),
            policies: values(&access["polids"]),
            not_before: access["nbf"]["value"].as_str().and_then(|v| v.parse().ok()),
        })
    }

    /// Whether the client can handle claims challenges.
    pub(crate) fn handles_challenges(&self) -> bool {
        self.capabilities.iter().any(|c| c.eq_ignore_ascii_case("cp1"))
    }
}

/// `value` or `values` of one claim; Entra's documentation of `polids` writes `Values`.
fn values(claim: &Value) -> Vec<String> {
    let several = [&claim["values"], &claim["Values"]].into_iter().filter_map(Value::as_array).flatten();
    several.chain([&claim["value"]]).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_are_read_and_others_ignored() {
        let text = r#"{"access_token":{"xms_cc":{"values":["CP1"]},"acrs":{"essential":true,"value":"c1"},
            "polids":{"essential":true,"Values":["p1"]},"nbf":{"essential":true,"value":"1702682181"},"other":null},"id_token":{"email":null}}"#;
        let claims = ClaimsRequest::parse(Some(text)).unwrap();
        assert!(claims.handles_challenges());
        assert_eq!(claims.policies, ["p1"]);
        assert_eq!((claims.contexts, claims.not_before), (vec!["c1".to_owned()], Some(1_702_682_181)));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{"] {
            assert!(matches!(
                ClaimsRequest::parse(Some(text)),
                Err(Refusal::BadParameter { name: "claims", .. })
            ));
        }
        assert_eq!(ClaimsRequest::parse(Some("{}")).unwrap(), ClaimsRequest::default());
    }
}
