//! Keywords about objects (JSON Schema Core 10.2.2.4, 10.3.2, 11.3; Validation 6.5).

use std::borrow::Cow;

use super::seen::Seen;
use super::{Run, Verdict};
use crate::json::{Json, Members};
use crate::text::{clip, push_token, similar};
use crate::violation::{Problem, Stop, Violation};

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
            ("minProperties", _) => self.at_least("minProperties", value, inner.len(), "members"),
            ("maxProperties", _) => self.at_most("maxProperties", value, inner.len(), "members"),
            ("required", Json::Array(names)) => self.required("required", names, inner, None),
            ("dependentRequired", Json::Object(lists)) => self.dependent_required(lists, inner),
            ("properties", Json::Object(schemas)) => self.properties(schemas, inner, seen),
            ("patternProperties", Json::Object(schemas)) => self.pattern_properties(schemas, inner, seen),
            ("additionalProperties", schema) => self.additional_properties(members, schema, inner, seen),
            ("propertyNames", schema) => self.property_names(schema, inner),
            _ => Ok(true),
        }
    }

    fn required(
        &mut self,
        keyword: &'static str,
        names: &'d [Json<'d>],
        inner: &Members<'_>,
        with: Option<&str>,
    ) -> Verdict {
        let mut is_valid = true;
        for name in names.iter().filter_map(Json::as_str) {
            self.charge(1)?;
            if inner.find(name).is_none() {
                let with = with.map(clip);
                is_valid = self.fail(keyword, || Problem::Missing { name: clip(name), with })?;
                if self.is_full() {
                    break;
                }
            }
        }
        Ok(is_valid)
    }

    fn dependent_required(&mut self, lists: &'d Members<'d>, inner: &Members<'_>) -> Verdict {
        let mut is_valid = true;
        for (with, names) in lists.iter() {
            self.charge(1)?;
            if inner.find(with).is_some() {
                let names = names.as_array().unwrap_or_default();
                is_valid &= self.required("dependentRequired", names, inner, Some(with))?;
            }
        }
        Ok(is_valid)
    }

    fn properties(
        &mut self,
        schemas: &'d Members<'d>,
        inner: &Members<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let mut is_valid = true;
        for (name, schema) in schemas.iter() {
            self.charge(1)?;
            let Some((index, value)) = inner.find(name) else { continue };
            if let Some(seen) = seen.as_deref_mut() {
                seen.add(index);
            }
            is_valid &= self.member(schema, name, value)?;
            if !is_valid && self.is_full() {
                break;
            }
        }
        Ok(is_valid)
    }

    fn pattern_properties(
        &mut self,
        schemas: &'d Members<'d>,
        inner: &Members<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let mut is_valid = true;
        for (source, schema) in schemas.iter() {
            for (index, (name, value)) in inner.iter().enumerate() {
                if !self.matches(source, name)? {
                    continue;
                }
                if let Some(seen) = seen.as_deref_mut() {
                    seen.add(index);
                }
                is_valid &= self.member(schema, name, value)?;
                if !is_valid && self.is_full() {
                    return Ok(false);
                }
            }
        }
        Ok(is_valid)
    }

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
        let mut is_valid = true;
        for (name, value) in inner.iter() {
            self.charge(1)?;
            if known.is_some_and(|known| known.find(name).is_some()) || self.matches_any(patterns, name)? {
                continue;
            }
            is_valid &= match schema {
                Json::Bool(false) => self.unknown_member("additionalProperties", name, known, inner)?,
                schema => self.member(schema, name, value)?,
            };
            if !is_valid && self.is_full() {
                break;
            }
        }
        Ok(is_valid)
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

    pub(super) fn unevaluated_properties(
        &mut self,
        schema: &'d Json<'d>,
        inner: &Members<'_>,
        seen: &Seen,
    ) -> Verdict {
        let mut is_valid = true;
        for index in seen.rest() {
            let Some((name, value)) = inner.nth(index) else { break };
            is_valid &= match schema {
                Json::Bool(false) => self.unknown_member("unevaluatedProperties", name, None, inner)?,
                schema => self.member(schema, name, value)?,
            };
            if !is_valid && self.is_full() {
                break;
            }
        }
        Ok(is_valid)
    }

    /// Notes a member that is not allowed, and which of the `known` ones that are not in `inner` was probably meant.
    fn unknown_member(
        &mut self,
        keyword: &'static str,
        name: &str,
        known: Option<&'d Members<'d>>,
        inner: &Members<'_>,
    ) -> Result<bool, Stop> {
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

    fn property_names(&mut self, schema: &'d Json<'d>, inner: &Members<'_>) -> Verdict {
        let mut is_valid = true;
        for (name, _) in inner.iter() {
            let start = self.found.len();
            let instance = Json::String(Cow::Borrowed(name));
            if self.limited(1, |run| run.value(schema, &instance, None))? {
                continue;
            }
            is_valid = false;
            // Empty if nobody is interested.
            if let Some(reason) = self.found.get(start).cloned() {
                self.found.truncate(start);
                let problem = Problem::Name { name: clip(name), reason: Box::new(reason) };
                self.found.push(Violation::new(&self.path, "propertyNames", problem));
            }
            if self.is_full() {
                break;
            }
        }
        Ok(is_valid)
    }
}
