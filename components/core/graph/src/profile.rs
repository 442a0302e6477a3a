//! The signed-in user's profile: `GET /v1.0/me` (Microsoft Graph, get user).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::error::GraphError;

/// Path below the API's root.
pub const PATH: &str = "/v1.0/me";

/// The fields that are asked for, and all that come back. Without `$select` Graph sends a default set that may change.
pub const SELECT: &str = "id,displayName,givenName,surname,userPrincipalName,mail,jobTitle,department,officeLocation,\
                          mobilePhone,businessPhones,preferredLanguage";

/// A user as Graph gives it. Fields that an organisation leaves empty are `null` there and absent here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "the fields are Graph's `user` properties of the same names, documented there"
)]
pub struct Profile {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_principal_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office_location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_phone: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_phones: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
}

impl Profile {
    /// Reads Graph's answer.
    ///
    /// # Errors
    /// [`GraphError`] for every status but 200 and for a body that is not a user.
    pub fn read(status: u16, body: &[u8]) -> Result<Self, GraphError> {
        if status != 200 {
            return Err(GraphError::read(status, body));
        }
        serde_json::from_slice(body).map_err(|_| GraphError::Unreadable)
    }

    /// The profile in words, one fact a line, for clients that show text only.
    #[must_use]
    pub fn text(&self) -> String {
        let facts = [
            ("Name", self.display_name.as_deref()),
            ("Sign-in name", self.user_principal_name.as_deref()),
            ("Mail", self.mail.as_deref()),
            ("Job title", self.job_title.as_deref()),
            ("Department", self.department.as_deref()),
            ("Office", self.office_location.as_deref()),
            ("Mobile phone", self.mobile_phone.as_deref()),
            ("Language", self.preferred_language.as_deref()),
            ("Object id", Some(self.id.as_str())),
        ];
        let mut text = String::new();
        for (label, value) in facts {
            if let Some(value) = value {
                writeln!(text, "{label}: {value}").expect("a String takes all text");
            }
        }
        if !self.business_phones.is_empty() {
            writeln!(text, "Business phones: {}", self.business_phones.join(", "))
                .expect("a String takes all text");
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADELE: &[u8] = br#"{"@odata.context":"x","id":"1","displayName":"Adele Vance","mail":null,"businessPhones":["+1 425"]}"#;

    #[test]
    fn null_fields_are_left_out() {
        let profile = Profile::read(200, ADELE).unwrap();
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(json, r#"{"id":"1","displayName":"Adele Vance","businessPhones":["+1 425"]}"#);
        assert_eq!(profile.text(), "Name: Adele Vance\nObject id: 1\nBusiness phones: +1 425");
    }

    #[test]
    fn a_body_that_is_no_user_is_unreadable() {
        assert_eq!(Profile::read(200, b"[]"), Err(GraphError::Unreadable));
    }
}
