//! Keywords about any value: types and values, and those that apply further schemas to the same value (JSON Schema
//! Core 8.2, 10.2; Validation 6.1).

use super::seen::Seen;
use super::{GivenUp, Run, Verdict};
use crate::json::{Json, Members};
use crate::limits;
use crate::reference::Target;
use crate::schema::Schema;
use crate::violation::Problem;

impl<'d> Run<'_, 'd> {
    /// A keyword of the schema `members`; nothing if it is another one.
    pub(super) fn compose(
        &mut self,
        members: &'d Members<'d>,
        name: &str,
        value: &'d Json<'d>,
        instance: &Json<'_>,
        seen: Option<&mut Seen>,
    ) -> Result<Option<bool>, GivenUp> {
        let verdict = match (name, value) {
            ("type", types) => self.r#type(types, instance),
            ("enum", allowed) => self.r#enum(allowed, instance),
            ("const", value) => self.r#const(value, instance),
            ("$ref", reference) => match self.schema.target(reference) {
                Some(target) => self.follow(target, instance, seen),
                // Checking the schema has resolved each of its references.
                None => Ok(true),
            },
            ("$dynamicRef", reference) => match self.dynamic_target(reference) {
                Some(target) => self.follow(target, instance, seen),
                None => Ok(true),
            },
            ("allOf", Json::Array(schemas)) => self.all_of(schemas, instance, seen),
            ("anyOf", Json::Array(schemas)) => self.any_of(schemas, instance, seen),
            ("oneOf", Json::Array(schemas)) => self.one_of(schemas, instance, seen),
            ("not", schema) => {
                if self.is_valid(schema, instance, None)? {
                    self.fail("not", || Problem::Fits)
                } else {
                    Ok(true)
                }
            }
            ("if", schema) => self.branch(members, schema, instance, seen),
            ("dependentSchemas", Json::Object(schemas)) => self.dependent_schemas(schemas, instance, seen),
            _ => return Ok(None),
        };
        verdict.map(Some)
    }

    #[inline(never)]
    fn follow(&mut self, target: Target<'d>, instance: &Json<'_>, seen: Option<&mut Seen>) -> Verdict {
        let outer = self.scope.len();
        if self.schema.has_dynamic {
            self.scope.push(target.resource);
        }
        let verdict = self.value(target.schema, instance, seen);
        self.scope.truncate(outer);
        verdict
    }

    /// The outermost resource that has the anchor takes its place (Core 8.2.3.2).
    fn dynamic_target(&mut self, reference: &'d Json<'d>) -> Option<Target<'d>> {
        let target = self.schema.target(reference)?;
        let Some(name) = target.dynamic else { return Some(target) };
        let schema: &Schema<'d> = self.schema;
        let anchor = self.scope.iter().find_map(|resource| {
            schema.dynamic_anchors.iter().find(|anchor| anchor.resource == *resource && anchor.name == name)
        });
        Some(anchor.map_or(target, |anchor| Target {
            schema: anchor.schema,
            resource: anchor.resource,
            dynamic: None,
        }))
    }

    #[inline(never)]
    fn all_of(
        &mut self,
        schemas: &'d [Json<'d>],
        instance: &Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        self.every(schemas.iter(), |run, schema| run.value(schema, instance, seen.as_deref_mut()))
    }

    #[inline(never)]
    fn any_of(
        &mut self,
        schemas: &'d [Json<'d>],
        instance: &Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let start = self.found.len();
        let mut fits = false;
        for schema in schemas {
            fits |= self.alternative(schema, instance, seen.as_deref_mut(), start)?;
            // Whoever asks what was seen needs all that fit.
            if fits && seen.is_none() {
                break;
            }
        }
        if fits {
            self.found.truncate(start);
            return Ok(true);
        }
        self.none_fits("anyOf", schemas.len(), start)
    }

    #[inline(never)]
    fn one_of(
        &mut self,
        schemas: &'d [Json<'d>],
        instance: &Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let start = self.found.len();
        let mut first = None;
        for (index, schema) in schemas.iter().enumerate() {
            if !self.alternative(schema, instance, seen.as_deref_mut(), start)? {
                continue;
            }
            if let Some(first) = first {
                self.found.truncate(start);
                return self.fail("oneOf", || Problem::SeveralFit { first, second: index });
            }
            first = Some(index);
        }
        if first.is_some() {
            self.found.truncate(start);
            return Ok(true);
        }
        self.none_fits("oneOf", schemas.len(), start)
    }

    /// One of several schemas, any of which may fit. Its first failure is noted behind `start`, for a while.
    fn alternative(
        &mut self,
        schema: &'d Json<'d>,
        instance: &Json<'_>,
        seen: Option<&mut Seen>,
        start: usize,
    ) -> Verdict {
        // Room for those of the others, too, but only if there was room for one at all.
        let is_noted = start < self.limit
            && self.found.len() - start < limits::ALTERNATIVES
            && self.alternatives < limits::NESTED_ALTERNATIVES;
        let limit = self.limit;
        self.limit = self.found.len() + usize::from(is_noted);
        self.alternatives += 1;
        let verdict = self.tentative(schema, instance, seen);
        self.alternatives -= 1;
        self.limit = limit;
        verdict
    }

    /// As [`Self::value`], but `seen` is untouched if it is not valid.
    fn tentative(&mut self, schema: &'d Json<'d>, instance: &Json<'_>, seen: Option<&mut Seen>) -> Verdict {
        let Some(seen) = seen else {
            return self.value(schema, instance, None);
        };
        let mut own = self.nothing_seen(seen.size())?;
        let is_valid = self.value(schema, instance, Some(&mut own))?;
        if is_valid {
            seen.merge(&own);
        }
        Ok(is_valid)
    }

    #[inline(never)]
    fn none_fits(&mut self, keyword: &'static str, of: usize, start: usize) -> Verdict {
        let alternatives = self.found.drain(start..).collect();
        self.fail(keyword, || Problem::NoneFits { alternatives, of })
    }

    #[inline(never)]
    fn branch(
        &mut self,
        members: &'d Members<'d>,
        condition: &'d Json<'d>,
        instance: &Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let holds = self.limited(0, |run| run.tentative(condition, instance, seen.as_deref_mut()))?;
        match members.get(if holds { "then" } else { "else" }) {
            Some(schema) => self.value(schema, instance, seen),
            None => Ok(true),
        }
    }

    #[inline(never)]
    fn dependent_schemas(
        &mut self,
        schemas: &'d Members<'d>,
        instance: &Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let Json::Object(inner) = instance else { return Ok(true) };
        self.every(schemas.iter(), |run, (name, schema)| {
            run.charge(1)?;
            match inner.find(name) {
                Some(_) => run.value(schema, instance, seen.as_deref_mut()),
                None => Ok(true),
            }
        })
    }
}
