//! Checking a schema once, before it judges anything: every keyword has a value of its form, every pattern compiles,
//! every reference leads to a schema of the same document and none leads in a circle.

use std::collections::BTreeMap;

use crate::fault::{Reason, SchemaFault};
use crate::json::{Json, Members};
use crate::keyword::{self, Form};
use crate::limits;
use crate::pattern::Pattern;
use crate::reference::{self, Anchor, Pending, Resource, Target};
use crate::text::{clip, push_index, push_token};
use crate::uri;

/// A schema that can be used, borrowed from its document. It holds what is found out about references and patterns, so
/// that nothing of that fails later; the keywords themselves are read from the document as they are needed.
///
/// The dialect is JSON Schema 2020-12, without vocabularies of others. `format` and unknown keywords are annotations.
/// A document that says it is draft-07 is read the same way, which differs in this: `$ref` does not hide the keywords
/// beside it, keywords that came later count, and `items` with a list and `dependencies` are refused for being written
/// differently now.
///
/// Patterns are ECMA-262 as far as it can be searched in linear time: no look-around, no back-references, no `\p`, no
/// flags, no characters beyond U+FFFF by escapes.
#[derive(Debug)]
pub struct Schema<'d> {
    pub(crate) root: &'d Json<'d>,
    /// Where references lead, by the address of the reference; and `$id` to their own schema.
    pub(crate) targets: BTreeMap<usize, Target<'d>>,
    pub(crate) patterns: BTreeMap<&'d str, Pattern>,
    /// Anchors that `$dynamicRef` may end at.
    pub(crate) dynamic_anchors: Vec<Anchor<'d>>,
    /// Whether `unevaluatedProperties` or `unevaluatedItems` occur at all.
    pub(crate) has_unevaluated: bool,
    /// Whether `$dynamicRef` occurs at all.
    pub(crate) has_dynamic: bool,
}

impl<'d> Schema<'d> {
    /// Checks a schema.
    ///
    /// # Errors
    ///
    /// [`SchemaFault`], the first that is found.
    pub fn check(root: &'d Json<'d>) -> Result<Self, SchemaFault> {
        let mut check = Check::default();
        check.resources.push(Resource { uri: String::new(), root });
        check.schema(root, 0).map_err(|fault| *fault)?;
        let targets = check.resolve().map_err(|fault| *fault)?;
        check.anchors.retain(|anchor| anchor.is_dynamic);
        let schema = Self {
            root,
            targets,
            patterns: check.patterns,
            dynamic_anchors: check.anchors,
            has_unevaluated: check.has_unevaluated,
            has_dynamic: check.has_dynamic,
        };
        reference::refuse_circles(&schema, &check.pending)?;
        Ok(schema)
    }

    /// Where a checked reference leads.
    pub(crate) fn target(&self, reference: &Json<'_>) -> Option<Target<'d>> {
        self.targets.get(&reference.address()).copied()
    }

    /// A checked pattern.
    pub(crate) fn pattern(&self, source: &str) -> Option<&Pattern> {
        self.patterns.get(source)
    }
}

/// What one step of a check comes to. In a box, because each level of a recursion has room for it.
type Checked = Result<(), Box<SchemaFault>>;

/// A check on its way through a document.
#[derive(Default)]
pub(crate) struct Check<'d> {
    /// Where it is.
    path: String,
    depth: usize,
    is_draft_07: bool,
    /// Subschemas with the resource that each is part of, by address.
    pub(crate) schemas: Vec<(usize, usize)>,
    /// The document, and each of its subschemas with an `$id`.
    pub(crate) resources: Vec<Resource<'d>>,
    pub(crate) anchors: Vec<Anchor<'d>>,
    pub(crate) pending: Vec<Pending<'d>>,
    patterns: BTreeMap<&'d str, Pattern>,
    has_unevaluated: bool,
    has_dynamic: bool,
}

impl<'d> Check<'d> {
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse<T>(&self, reason: Reason) -> Result<T, Box<SchemaFault>> {
        Err(Box::new(SchemaFault { at: self.path.clone(), reason }))
    }

    /// Checks `schema`, which is part of `resource`.
    pub(crate) fn schema(&mut self, schema: &'d Json<'d>, resource: usize) -> Checked {
        let members = match schema {
            Json::Object(members) => members,
            Json::Bool(_) => return Ok(()),
            _ => return self.refuse(Reason::NotASchema),
        };
        let names = self.resources.len() + self.anchors.len();
        if self.schemas.len() >= limits::SUBSCHEMAS || names > limits::NAMES {
            return self.refuse(Reason::TooLarge);
        }
        self.depth += 1;
        if self.depth > limits::EVALUATION {
            return self.refuse(Reason::TooDeep);
        }
        let resource = self.identify(schema, members, resource)?;
        self.schemas.push((schema.address(), resource));
        for (name, value) in members.iter() {
            if let Some(form) = keyword::form(name) {
                self.at(name, |check| check.keyword(schema, form, name, value, resource))?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Does something with `token` added to the path.
    fn at<T>(
        &mut self,
        token: &str,
        act: impl FnOnce(&mut Self) -> Result<T, Box<SchemaFault>>,
    ) -> Result<T, Box<SchemaFault>> {
        let length = self.path.len();
        if length + token.len() > limits::POINTER {
            return self.refuse(Reason::TooLarge);
        }
        push_token(&mut self.path, token);
        let result = act(self)?;
        self.path.truncate(length);
        Ok(result)
    }

    /// The resource that `schema` is part of: one of its own, if it has an `$id`.
    #[inline(never)]
    fn identify(
        &mut self,
        schema: &'d Json<'d>,
        members: &'d Members<'d>,
        outer: usize,
    ) -> Result<usize, Box<SchemaFault>> {
        let Some(id) = members.get("$id").and_then(Json::as_str) else {
            return Ok(outer);
        };
        let (id, fragment) = uri::split_fragment(id);
        if !fragment.is_empty() {
            return self.at("$id", |check| check.refuse(Reason::Identifier { id: clip(id) }));
        }
        let base = self.resources.get(outer).map(|resource| resource.uri.as_str()).unwrap_or_default();
        let uri = uri::resolve(base, id);
        if self.schemas.is_empty() {
            // The document itself.
            self.resources.clear();
        } else if self.resources.iter().any(|resource| resource.uri == uri) {
            return self.at("$id", |check| check.refuse(Reason::SameName { name: clip(id) }));
        }
        self.resources.push(Resource { uri, root: schema });
        Ok(self.resources.len() - 1)
    }

    /// Checks a keyword, at whose place the path is.
    fn keyword(
        &mut self,
        schema: &'d Json<'d>,
        form: Form,
        name: &'d str,
        value: &'d Json<'d>,
        resource: usize,
    ) -> Checked {
        self.has_unevaluated |= name.starts_with("unevaluated");
        match form {
            Form::Schema => self.schema(value, resource),
            Form::Schemas => self.schemas(value, resource),
            Form::SchemaMap | Form::PatternMap => self.schema_map(form, value, resource),
            Form::Plain(is_good, expected) => {
                if is_good(value) {
                    Ok(())
                } else {
                    self.refuse(Reason::WrongValue { expected })
                }
            }
            Form::Dependencies if self.is_draft_07 => {
                self.refuse(Reason::Replaced { instead: "`dependentRequired` or `dependentSchemas`" })
            }
            Form::Dependencies => Ok(()),
            _ => match value.as_str() {
                Some(text) => self.text(schema, form, value, text, resource),
                None => self.refuse(Reason::WrongValue { expected: "a string" }),
            },
        }
    }

    #[inline(never)]
    fn schemas(&mut self, value: &'d Json<'d>, resource: usize) -> Checked {
        let schemas = value.as_array().unwrap_or_default();
        if schemas.is_empty() {
            return self.refuse(Reason::WrongValue { expected: "a list of schemas with one at least" });
        }
        let length = self.path.len();
        for (index, schema) in schemas.iter().enumerate() {
            push_index(&mut self.path, index);
            self.schema(schema, resource)?;
            self.path.truncate(length);
        }
        Ok(())
    }

    #[inline(never)]
    fn schema_map(&mut self, form: Form, value: &'d Json<'d>, resource: usize) -> Checked {
        let Json::Object(schemas) = value else {
            return self.refuse(Reason::WrongValue { expected: "an object of schemas" });
        };
        for (name, schema) in schemas.iter() {
            self.at(name, |check| {
                if matches!(form, Form::PatternMap) {
                    check.pattern(name)?;
                }
                check.schema(schema, resource)
            })?;
        }
        Ok(())
    }

    /// Checks a keyword whose value is `text`.
    #[inline(never)]
    fn text(
        &mut self,
        schema: &'d Json<'d>,
        form: Form,
        value: &'d Json<'d>,
        text: &'d str,
        resource: usize,
    ) -> Checked {
        match form {
            Form::Pattern => self.pattern(text)?,
            Form::Dialect => match text.trim_end_matches('#') {
                "https://json-schema.org/draft/2020-12/schema" => {}
                "http://json-schema.org/draft-07/schema" => self.is_draft_07 = true,
                _ => return self.refuse(Reason::UnknownDialect { found: clip(text) }),
            },
            Form::Anchor | Form::DynamicAnchor => {
                if self.anchors.iter().any(|anchor| anchor.resource == resource && anchor.name == text) {
                    return self.refuse(Reason::SameName { name: clip(text) });
                }
                let is_dynamic = matches!(form, Form::DynamicAnchor);
                self.anchors.push(Anchor { resource, name: text, schema, is_dynamic });
            }
            Form::Reference | Form::DynamicReference => {
                let is_dynamic = matches!(form, Form::DynamicReference);
                self.has_dynamic |= is_dynamic;
                self.pending.push(Pending { value, text, resource, at: self.path.clone(), is_dynamic });
            }
            _ => {}
        }
        Ok(())
    }

    #[inline(never)]
    fn pattern(&mut self, source: &'d str) -> Checked {
        if !self.patterns.contains_key(source) {
            match Pattern::new(source) {
                Ok(pattern) => drop(self.patterns.insert(source, pattern)),
                Err(problem) => return self.refuse(Reason::Pattern { pattern: clip(source), problem }),
            }
        }
        Ok(())
    }

    /// Checks a schema that only a reference leads to, at a place of no known keyword.
    pub(crate) fn stray(&mut self, pending: &Pending<'d>, schema: &'d Json<'d>, resource: usize) -> Checked {
        self.path.clone_from(&pending.at);
        self.depth = 0;
        self.schema(schema, resource)
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
