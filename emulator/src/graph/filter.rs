//! `$filter`: a small part of OData's expression language (OData 4.01, "URL Conventions", section 5.1.1), enough for
//! what clients ask of people, mail, events and files. What is outside is refused, never ignored.
//! This file judges; `filter_parser.rs` reads.
//!
//! Grammar: `or`, `and`, `not`, parentheses, `eq ne gt ge lt le in`, `startswith endswith contains`.

use serde_json::Value;

use super::error::{GraphError, Service};
use super::kinds::{Kind, Scalar};
use super::{filter_parser, when};

/// A filter that was understood.
#[derive(Debug)]
pub(super) struct Filter {
    root: Node,
    /// Paths in the order they are named.
    pub(super) paths: Vec<String>,
    /// Uses what the directory answers only with `ConsistencyLevel: eventual`.
    pub(super) advanced: bool,
}

#[derive(Debug)]
pub(super) enum Node {
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(String, Operator, Literal),
    In(String, Vec<Literal>),
    Call(Function, String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Text(String),
    Flag(bool),
    Number(f64),
    /// Seconds since 1970.
    Time(i64),
}

impl Filter {
    /// Understands a filter over things of this kind.
    pub(super) fn parse(text: &str, kind: &Kind) -> Result<Self, GraphError> {
        let (root, paths, advanced) = filter_parser::parse(text, kind)?;
        Ok(Self { root, paths, advanced })
    }

    /// Whether a thing passes.
    pub(super) fn passes(&self, thing: &Value) -> bool {
        self.root.passes(thing)
    }
}

/// What lies under a path such as `from/emailAddress/address`.
pub(super) fn lookup<'a>(thing: &'a Value, path: &str) -> &'a Value {
    path.split('/').fold(thing, |value, part| &value[part])
}

impl Node {
    fn passes(&self, thing: &Value) -> bool {
        match self {
            Self::Or(a, b) => a.passes(thing) || b.passes(thing),
            Self::And(a, b) => a.passes(thing) && b.passes(thing),
            Self::Not(a) => !a.passes(thing),
            Self::Compare(path, operator, literal) => compare(lookup(thing, path), *operator, literal),
            Self::In(path, literals) => {
                let value = lookup(thing, path);
                literals.iter().any(|literal| compare(value, Operator::Eq, literal))
            }
            Self::Call(function, path, text) => {
                let value = lookup(thing, path).as_str().unwrap_or_default().to_lowercase();
                match function {
                    Function::StartsWith => value.starts_with(text),
                    Function::EndsWith => value.ends_with(text),
                    Function::Contains => value.contains(text),
                }
            }
        }
    }
}

fn compare(value: &Value, operator: Operator, literal: &Literal) -> bool {
    use std::cmp::Ordering;
    let order = match (value, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        // The directory and Exchange compare texts without regard to case.
        (Value::String(a), Literal::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        (Value::String(a), Literal::Time(b)) => when::parse(a).map(|(a, _)| a.cmp(b)),
        (Value::Bool(a), Literal::Flag(b)) => Some(a.cmp(b)),
        (Value::Number(a), Literal::Number(b)) => a.as_f64().and_then(|a| a.partial_cmp(b)),
        _ => None,
    };
    match operator {
        Operator::Eq => order == Some(Ordering::Equal),
        Operator::Ne => order != Some(Ordering::Equal),
        Operator::Gt => order == Some(Ordering::Greater),
        Operator::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Operator::Lt => order == Some(Ordering::Less),
        Operator::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// How a path of this kind is compared, or the refusal of the service that owns it.
pub(super) fn comparable(kind: &Kind, path: &str) -> Result<Scalar, GraphError> {
    if let Some(scalar) = kind.scalar(path) {
        return Ok(scalar);
    }
    let first = path.split('/').next().unwrap_or_default();
    if !kind.has(first) {
        return Err(GraphError::NoSuchProperty { name: first.to_owned(), kind: kind.name });
    }
    let text = format!("The property '{path}' of '{}' can be neither filtered nor sorted by.", kind.name);
    Err(match kind.service {
        Service::Directory => GraphError::UnsupportedQuery(text),
        Service::Outlook => GraphError::OutlookQuery(text),
        Service::Files => GraphError::FilesRequest(text),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kinds::{MESSAGE, USER};
    use super::*;

    #[test]
    fn what_passes() {
        let message = json!({
            "subject": "It's Monday", "isRead": false, "receivedDateTime": "2026-11-23T13:00:00Z",
            "from": { "emailAddress": { "address": "Alex@contoso.example" } },
        });
        let passes = |text: &str| Filter::parse(text, &MESSAGE).unwrap().passes(&message);
        for yes in [
            "isRead eq false",
            "subject eq 'it''s monday'",
            "startswith(subject, 'It') and not (isRead eq true)",
            "receivedDateTime ge 2026-11-23T13:00:00Z and receivedDateTime lt 2026-11-24",
            "from/emailAddress/address eq 'alex@contoso.example'",
            "isRead eq true or contains(subject,'MON') and isRead eq false",
            "subject in ('x', 'it''s Monday')",
            "importance eq null",
        ] {
            assert!(passes(yes), "{yes}");
        }
        for no in ["isRead eq true", "isRead ne false", "receivedDateTime gt 2026-11-23T14:00:00+01:00"] {
            assert!(!passes(no), "{no}");
        }
    }

    #[test]
    fn what_is_refused() {
        let deep = "(".repeat(1000);
        let long = vec!["isRead eq true"; 200].join(" or ");
        for bad in [
            "",
            "isRead",
            "isRead eq",
            "isRead eq 'no'",
            "isRead like true",
            "shoeSize eq 1",
            "subject eq 'open",
            "(isRead eq true",
            "isRead eq true)",
            "tolower(subject) eq 'x'",
            "contains(isRead,'x')",
            "not",
            "and",
            "subject in ()",
            "body eq 'x'",
            "receivedDateTime ge yesterday",
            "''",
            "é eq 'é'",
            &deep,
            &long,
        ] {
            assert!(Filter::parse(bad, &MESSAGE).is_err(), "{bad}");
        }
        let contains = Filter::parse("contains(displayName,'a')", &USER).unwrap_err();
        assert!(matches!(contains, GraphError::UnsupportedQuery(_)));
    }

    #[test]
    fn advanced_queries_are_known_as_such() {
        let advanced = |text: &str| Filter::parse(text, &USER).unwrap().advanced;
        assert!(!advanced("startswith(displayName,'A') and accountEnabled eq true"));
        for text in ["displayName ne 'A'", "not startswith(mail,'a')", "endswith(mail,'.example')"] {
            assert!(advanced(text), "{text}");
        }
    }
}
