//! `$search`, minimally: one phrase, or one `property:phrase`. Mail is searched in subject, body and people; the
//! directory only by property, as Graph does.

use serde_json::Value;

use super::error::{GraphError, Service};
use super::filter::lookup;
use super::kinds::Kind;

/// A search that was understood.
#[derive(Debug)]
pub(super) struct Search {
    paths: &'static [&'static str],
    /// Lower case.
    phrase: String,
}

const PEOPLE: [(&str, &[&str]); 5] = [
    ("displayname", &["displayName"]),
    ("givenname", &["givenName"]),
    ("surname", &["surname"]),
    ("mail", &["mail"]),
    ("userprincipalname", &["userPrincipalName"]),
];

const MAIL: [(&str, &[&str]); 3] = [
    ("subject", &["subject"]),
    ("body", &["body/content"]),
    ("from", &["from/emailAddress/address", "from/emailAddress/name"]),
];

const ANYWHERE: &[&str] = &["subject", "body/content", "from/emailAddress/address", "from/emailAddress/name"];

impl Search {
    /// Understands a search over things of this kind.
    pub(super) fn parse(text: &str, kind: &Kind) -> Result<Self, GraphError> {
        let plain = text.trim().trim_matches('"');
        let quoted = text.trim().starts_with('"') && text.trim().ends_with('"') && text.trim().len() > 2;
        let refuse = |what: &str| Err(GraphError::BadRequest(format!("Invalid '$search': {what}.")));
        let (properties, whole): (&[(&str, &'static [&'static str])], _) = match kind.service {
            Service::Directory if !quoted => return refuse("the clause must be in double quotes"),
            Service::Directory => (&PEOPLE, None),
            Service::Outlook if kind.has("isRead") => (&MAIL, Some(ANYWHERE)),
            _ => return refuse("these items cannot be searched"),
        };
        let (paths, phrase) = match (plain.split_once(':'), whole) {
            (Some((name, phrase)), _) => {
                let name = name.trim().to_lowercase();
                match (properties.iter().find(|(n, _)| *n == name), whole) {
                    (Some((_, paths)), _) => (*paths, phrase),
                    // A colon in a phrase that is no property.
                    (None, Some(anywhere)) => (anywhere, plain),
                    (None, None) => return refuse("the property cannot be searched"),
                }
            }
            (None, Some(anywhere)) => (anywhere, plain),
            (None, None) => return refuse("a clause is 'property:phrase'"),
        };
        let phrase = phrase.trim().trim_matches('"').to_lowercase();
        if phrase.is_empty() {
            return refuse("the phrase is empty");
        }
        Ok(Self { paths, phrase })
    }

    /// Whether the thing is found.
    pub(super) fn finds(&self, thing: &Value) -> bool {
        let texts = self.paths.iter().filter_map(|path| lookup(thing, path).as_str());
        texts.into_iter().any(|text| text.to_lowercase().contains(&self.phrase))
    }
}
