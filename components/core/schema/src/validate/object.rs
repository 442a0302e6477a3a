//! Keywords about objects (JSON Schema Core 10.2.2.4, 10.3.2, 11.3; Validation 6.5).

use std::borrow::Cow;

use super::seen::Seen;
use super::{Run, Verdict};
use crate::json::{Json, Members};
use crate::text::{clip, push_token, similar};
use crate::violation::{Problem, Violation};

impl<'d> Run<'_, 'd> {
    /// A keyword of the schema `members`, on an object with the members `inner`.
    pub(super) fn object(
        &mut self,
        members: &'d Members<'d>,
        name: &str,
        value: &'d Json<'d>,
        inner: &Members<'_>,
        seen: Option<&mut Seen>,
    ) -> Verdict {
        match (name, value) {
            ("minProperties", _) => self.count("minProperties", value, inner.len(), "members"),
            ("maxProperties", _) => self.count("maxProperties", value, inner.len(), "members"),
            ("required", Json::Array(names)) => self.required("required", names, inner, None),
            ("dependentRequired", Json::Object(lists)) => self.dependent_required(lists, inner),
            ("properties", Json::Object(schemas)) => self.properties(schemas, inner, seen),
            ("patternProperties", Json::Object(schemas)) => self.pattern_properties(schemas, inner, seen),
            ("additionalProperties", schema) => self.additional_properties(members, schema, inner, seen),
            ("propertyNames", schema) => self.property_names(schema, inner),
            _ => Ok(true),
        }
    }

    #[inline(never)]
    fn required(
        &mut self,
        keyword: &'static str,
        names: &'d [Json<'d>],
        inner: &Members<'_>,
        with: Option<&str>,
    ) -> Verdict {
        self.every(names.iter().filter_map(Json::as_str), |run, name| {
            run.charge(1)?;
            match inner.find(name) {
                Some(_) => Ok(true),
                None => run.fail(keyword, || Problem::Missing { name: clip(name), with: with.map(clip) }),
            }
        })
    }

    #[inline(never)]
    fn dependent_required(&mut self, lists: &'d Members<'d>, inner: &Members<'_>) -> Verdict {
        self.every(lists.iter(), |run, (with, names)| {
            run.charge(1)?;
            match inner.find(with) {
                Some(_) => {
                    let names = names.as_array().unwrap_or_default();
                    run.required("dependentRequired", names, inner, Some(with))
                }
                None => Ok(true),
            }
        })
    }

    #[inline(never)]
    fn properties(
        &mut self,
        schemas: &'d Members<'d>,
        inner: &Members<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        self.every(schemas.iter(), |run, (name, schema)| {
            run.charge(1)?;
            let Some((index, value)) = inner.find(name) else { return Ok(true) };
            if let Some(seen) = seen.as_deref_mut() {
                seen.add(index);
            }
            run.member(schema, name, value)
        })
    }

    #[inline(never)]
    fn pattern_properties(
        &mut self,
        schemas: &'d Members<'d>,
        inner: &Members<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let pairs =
            schemas.iter().flat_map(|schema| inner.iter().enumerate().map(move |member| (schema, member)));
        self.every(pairs, |run, ((source, schema), (index, (name, value)))| {
            if !run.matches(source, name)? {
                return Ok(true);
            }
            if let Some(seen) = seen.as_deref_mut() {
                seen.add(index);
            }
            run.member(schema, name, value)
        })
    }

    #[inline(never)]
    fn additional_properties(
        &mut self,
        members: &'d Members<'d>,
        schema: &'d Json<'d>,
        inner: &Members<'_>,
        seen: Option<&mut Seen>,
    ) -> Verdict {
        let known = members.get("properties").and_then(Json::as_object);
        let patterns = members.get("patternProperties").and_then(Json::as_object);
        if let Some(seen) = seen {
            // What `properties` and `patternProperties` leave over, which makes it all.
            seen.add_all();
        }
        self.every(inner.iter(), |run, (name, value)| {
            run.charge(1)?;
            if known.is_some_and(|known| known.find(name).is_some()) || run.matches_any(patterns, name)? {
                return Ok(true);
            }
            match schema {
                Json::Bool(false) => run.unknown_member("additionalProperties", name, known, inner),
                schema => run.member(schema, name, value),
            }
        })
    }

    fn matches_any(&mut self, patterns: Option<&'d Members<'d>>, name: &str) -> Verdict {
        let Some(patterns) = patterns else { return Ok(false) };
        for (source, _) in patterns.iter() {
            if self.matches(source, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[inline(never)]
    pub(super) fn unevaluated_properties(
        &mut self,
        schema: &'d Json<'d>,
        inner: &Members<'_>,
        seen: &Seen,
    ) -> Verdict {
        let unseen = seen.rest().filter_map(|index| inner.nth(index));
        self.every(unseen, |run, (name, value)| match schema {
            Json::Bool(false) => run.unknown_member("unevaluatedProperties", name, None, inner),
            schema => run.member(schema, name, value),
        })
    }

    /// Notes a member that is not allowed, and which of the `known` ones that are not in `inner` was probably meant.
    #[inline(never)]
    fn unknown_member(
        &mut self,
        keyword: &'static str,
        name: &str,
        known: Option<&'d Members<'d>>,
        inner: &Members<'_>,
    ) -> Verdict {
        if self.is_full() {
            return Ok(false);
        }
        self.charge(u64::try_from(known.map_or(0, Members::len)).unwrap_or(u64::MAX))?;
        let length = self.path.len();
        push_token(&mut self.path, name);
        let verdict = self.fail(keyword, || {
            let unused = known.into_iter().flat_map(Members::iter).map(|(name, _)| name);
            let unused = unused.filter(|name| inner.find(name).is_none());
            Problem::Unknown { similar: similar(name, unused).map(clip) }
        });
        self.path.truncate(length);
        verdict
    }

    #[inline(never)]
    fn property_names(&mut self, schema: &'d Json<'d>, inner: &Members<'_>) -> Verdict {
        self.every(inner.iter(), |run, (name, _)| {
            let start = run.found.len();
            let instance = Json::String(Cow::Borrowed(name));
            let is_valid = run.limited(1, |run| run.value(schema, &instance, None))?;
            // There is none if nobody is interested.
            if let Some(reason) = run.found.get(start).cloned() {
                run.found.truncate(start);
                let problem = Problem::Name { name: clip(name), reason: Box::new(reason) };
                run.found.push(Violation::new(&run.path, "propertyNames", problem));
            }
            Ok(is_valid)
        })
    }
}
