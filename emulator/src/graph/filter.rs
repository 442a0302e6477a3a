//! `$filter`: a small part of OData's expression language (OData 4.01, "URL Conventions", section 5.1.1), enough for
//! what clients ask of people, mail, events and files. What is outside is refused, never ignored.
//!
//! Grammar: `or`, `and`, `not`, parentheses, `eq ne gt ge lt le in`, `startswith endswith contains`.

use serde_json::Value;

use super::error::{GraphError, Service};
use super::kinds::{Kind, Scalar};
use super::when;

/// How deep parentheses and `not` may nest, so that a hostile filter cannot exhaust the stack.
const DEPTH: usize = 20;

/// How many comparisons one filter may have.
const COMPARISONS: usize = 100;

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
enum Node {
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(String, Operator, Literal),
    In(String, Vec<Literal>),
    Call(Function, String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Null,
    Text(String),
    Flag(bool),
    Number(f64),
    /// Seconds since 1970.
    Time(i64),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Text(String),
    Word(String),
}

impl Filter {
    /// Understands a filter over things of this kind.
    pub(super) fn parse(text: &str, kind: &Kind) -> Result<Self, GraphError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, at: 0, kind, paths: vec![], advanced: false };
        let root = parser.or(0)?;
        match parser.peek() {
            None => Ok(Self { root, paths: parser.paths, advanced: parser.advanced }),
            Some(_) => Err(parser.unexpected()),
        }
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

fn invalid(what: impl std::fmt::Display) -> GraphError {
    GraphError::BadRequest(format!("Invalid filter clause: {what}."))
}

fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    let mut tokens = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => quoted(rest)?,
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "(),'".contains(c)).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A quoted text, in which two quotes stand for one, and its length in bytes.
fn quoted(text: &str) -> Result<(Token, usize), GraphError> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
            '\'' => return Ok((Token::Text(value), at + 1)),
            c => value.push(c),
        }
    }
    Err(invalid("a text is not closed"))
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    kind: &'a Kind,
    paths: Vec<String>,
    advanced: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn unexpected(&self) -> GraphError {
        match self.peek() {
            None => invalid("it ends too early"),
            Some(token) => invalid(format_args!("{token:?} is not expected at its place")),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w == word);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Result<(), GraphError> {
        match self.peek() == Some(token) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(self.unexpected()),
        }
    }

    fn or(&mut self, depth: usize) -> Result<Node, GraphError> {
        let mut node = self.and(depth)?;
        while self.word("or") {
            node = Node::Or(Box::new(node), Box::new(self.and(depth)?));
        }
        Ok(node)
    }

    fn and(&mut self, depth: usize) -> Result<Node, GraphError> {
        let mut node = self.unary(depth)?;
        while self.word("and") {
            node = Node::And(Box::new(node), Box::new(self.unary(depth)?));
        }
        Ok(node)
    }

    fn unary(&mut self, depth: usize) -> Result<Node, GraphError> {
        if depth > DEPTH || self.paths.len() > COMPARISONS {
            return Err(invalid("it is too long or too deep"));
        }
        if self.word("not") {
            self.advanced = true;
            return Ok(Node::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let node = self.or(depth + 1)?;
            self.expect(&Token::Close)?;
            return Ok(node);
        }
        match self.next() {
            Some(Token::Word(word)) if self.peek() == Some(&Token::Open) => self.call(&word),
            Some(Token::Word(path)) => self.comparison(path),
            _ => {
                self.at -= 1;
                Err(self.unexpected())
            }
        }
    }

    fn call(&mut self, name: &str) -> Result<Node, GraphError> {
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => return Err(invalid(format_args!("the function '{name}' is not supported"))),
        };
        self.expect(&Token::Open)?;
        let Some(Token::Word(path)) = self.next() else { return Err(invalid("a property name is needed")) };
        if self.scalar(&path)? != Scalar::Text {
            return Err(invalid(format_args!("'{path}' is not a text")));
        }
        self.expect(&Token::Comma)?;
        let Some(Token::Text(text)) = self.next() else { return Err(invalid("a text is needed")) };
        self.expect(&Token::Close)?;
        if self.kind.service == Service::Directory && function == Function::Contains {
            return Err(GraphError::UnsupportedQuery(
                "The directory does not filter with 'contains'.".into(),
            ));
        }
        self.advanced |= function == Function::EndsWith;
        Ok(Node::Call(function, path, text.to_lowercase()))
    }

    fn comparison(&mut self, path: String) -> Result<Node, GraphError> {
        let scalar = self.scalar(&path)?;
        if self.word("in") {
            self.expect(&Token::Open)?;
            let mut literals = vec![self.literal(&path, scalar)?];
            while self.peek() == Some(&Token::Comma) {
                self.at += 1;
                literals.push(self.literal(&path, scalar)?);
            }
            self.expect(&Token::Close)?;
            return Ok(Node::In(path, literals));
        }
        let operator = match self.next() {
            Some(Token::Word(word)) => match word.as_str() {
                "eq" => Operator::Eq,
                "ne" => Operator::Ne,
                "gt" => Operator::Gt,
                "ge" => Operator::Ge,
                "lt" => Operator::Lt,
                "le" => Operator::Le,
                other => return Err(invalid(format_args!("the operator '{other}' is not supported"))),
            },
            _ => return Err(invalid("an operator is needed")),
        };
        self.advanced |= operator == Operator::Ne;
        let literal = self.literal(&path, scalar)?;
        Ok(Node::Compare(path, operator, literal))
    }

    /// How the property is compared; refuses one that does not exist or cannot be filtered by.
    fn scalar(&mut self, path: &str) -> Result<Scalar, GraphError> {
        let known = comparable(self.kind, path)?;
        self.paths.push(path.to_owned());
        Ok(known)
    }

    fn literal(&mut self, path: &str, scalar: Scalar) -> Result<Literal, GraphError> {
        let found = match self.next() {
            Some(Token::Text(text)) => Literal::Text(text),
            Some(Token::Word(word)) => match word.as_str() {
                "null" => Literal::Null,
                "true" => Literal::Flag(true),
                "false" => Literal::Flag(false),
                word => match (when::parse(word), word.parse::<f64>()) {
                    (_, Ok(number)) if number.is_finite() => Literal::Number(number),
                    (Some((seconds, _)), _) => Literal::Time(seconds),
                    _ => return Err(invalid(format_args!("'{word}' is no literal"))),
                },
            },
            _ => return Err(invalid("a literal is needed")),
        };
        match (&found, scalar) {
            (Literal::Null, _)
            | (Literal::Text(_), Scalar::Text)
            | (Literal::Flag(_), Scalar::Flag)
            | (Literal::Number(_), Scalar::Number)
            | (Literal::Time(_), Scalar::Time) => Ok(found),
            _ => Err(invalid(format_args!("'{path}' is compared with a value of another type"))),
        }
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
