//! Reading a `$filter` into the tree that [`super::filter`] judges with: words, then a parser by descent.

use super::error::{GraphError, Service};
use super::filter::{Function, Literal, Node, Operator, comparable};
use super::kinds::{Kind, Scalar};
use super::when;

/// How deep parentheses and `not` may nest, so that a hostile filter cannot exhaust the stack.
const DEPTH: usize = 20;

/// How many comparisons one filter may have.
const COMPARISONS: usize = 100;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Text(String),
    Word(String),
}

/// The tree, the paths in the order they are named, and whether the directory calls it an advanced query.
pub(super) fn parse(text: &str, kind: &Kind) -> Result<(Node, Vec<String>, bool), GraphError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0, kind, paths: vec![], advanced: false };
    let root = parser.or(0)?;
    match parser.peek() {
        None => Ok((root, parser.paths, parser.advanced)),
        Some(_) => Err(parser.unexpected()),
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
