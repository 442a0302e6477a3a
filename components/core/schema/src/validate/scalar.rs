//! Keywords about numbers and strings (JSON Schema Validation 6.2, 6.3), and about any value (6.1).

use core::cmp::Ordering;

use super::{GivenUp, Run, Verdict, cost_of};
use crate::json::Json;
use crate::keyword;
use crate::limits;
use crate::number::Number;
use crate::text::{clip, quoted, shown};
use crate::violation::Problem;

impl<'d> Run<'_, 'd> {
    #[inline(never)]
    pub(super) fn r#type(&mut self, types: &'d Json<'d>, instance: &Json<'_>) -> Verdict {
        let types = types.as_array().unwrap_or(core::slice::from_ref(types));
        if types.iter().filter_map(Json::as_str).any(|name| keyword::is_of_type(instance, name)) {
            return Ok(true);
        }
        self.fail("type", || Problem::Type {
            expected: types.iter().filter_map(Json::as_str).filter_map(keyword::with_article).collect(),
            found: keyword::type_of(instance),
        })
    }

    #[inline(never)]
    pub(super) fn r#enum(&mut self, allowed: &'d Json<'d>, instance: &Json<'_>) -> Verdict {
        let allowed = allowed.as_array().unwrap_or_default();
        for value in allowed {
            if self.is_equal(value, instance)? {
                return Ok(true);
            }
        }
        self.fail("enum", || not_among(allowed, instance))
    }

    #[inline(never)]
    pub(super) fn r#const(&mut self, value: &'d Json<'d>, instance: &Json<'_>) -> Verdict {
        if self.is_equal(value, instance)? {
            return Ok(true);
        }
        self.fail("const", || not_among(core::slice::from_ref(value), instance))
    }

    /// Equality of JSON Schema (Core 4.2.2), paid for by what is looked at.
    pub(super) fn is_equal(&mut self, one: &Json<'_>, other: &Json<'_>) -> Verdict {
        self.charge(1)?;
        match (one, other) {
            (Json::String(one), Json::String(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                self.charge(cost_of(one))?;
                Ok(one == other)
            }
            (Json::Array(one), Json::Array(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                self.all_equal(one.iter().zip(other))
            }
            (Json::Object(one), Json::Object(other)) => {
                if one.len() != other.len() {
                    return Ok(false);
                }
                for ((name, _), (other, _)) in one.iter().zip(other.iter()) {
                    self.charge(1 + cost_of(name))?;
                    if name != other {
                        return Ok(false);
                    }
                }
                self.all_equal(one.iter().zip(other.iter()).map(|((_, one), (_, other))| (one, other)))
            }
            _ => Ok(one == other),
        }
    }

    fn all_equal<'j>(&mut self, mut pairs: impl Iterator<Item = (&'j Json<'j>, &'j Json<'j>)>) -> Verdict {
        pairs.try_fold(true, |equal, (one, other)| Ok(equal && self.is_equal(one, other)?))
    }

    #[inline(never)]
    pub(super) fn number(&mut self, name: &str, value: &'d Json<'d>, number: Number) -> Verdict {
        let Json::Number(bound) = value else { return Ok(true) };
        let order = || number.compare(*bound);
        let (keyword, relation, is_valid) = match name {
            "minimum" => ("minimum", "at least", order() != Ordering::Less),
            "maximum" => ("maximum", "at most", order() != Ordering::Greater),
            "exclusiveMinimum" => ("exclusiveMinimum", "more than", order() == Ordering::Greater),
            "exclusiveMaximum" => ("exclusiveMaximum", "less than", order() == Ordering::Less),
            "multipleOf" => ("multipleOf", "a multiple of", number.is_multiple_of(*bound)),
            _ => return Ok(true),
        };
        if is_valid {
            return Ok(true);
        }
        self.fail(keyword, || Problem::Bound {
            relation,
            bound: bound.to_string(),
            found: number.to_string(),
        })
    }

    #[inline(never)]
    pub(super) fn string(&mut self, name: &str, value: &'d Json<'d>, text: &str) -> Verdict {
        match (name, value) {
            ("minLength", _) => {
                let length = self.characters(text)?;
                self.count("minLength", value, length, "characters")
            }
            ("maxLength", _) => {
                let length = self.characters(text)?;
                self.count("maxLength", value, length, "characters")
            }
            ("pattern", Json::String(source)) => {
                if self.matches(source, text)? {
                    return Ok(true);
                }
                self.fail("pattern", || Problem::Pattern { pattern: clip(source), found: quoted(text) })
            }
            _ => Ok(true),
        }
    }

    /// Length in characters, which are code points (JSON Schema Validation 6.3.1).
    fn characters(&mut self, text: &str) -> Result<usize, GivenUp> {
        self.charge(cost_of(text))?;
        Ok(text.chars().count())
    }

    #[inline(never)]
    pub(super) fn matches(&mut self, source: &str, text: &str) -> Verdict {
        match self.schema.pattern(source) {
            Some(pattern) => {
                self.charge(pattern.cost(text))?;
                Ok(pattern.matches(text))
            }
            // Checking the schema has compiled each of its patterns.
            None => Ok(false),
        }
    }

    /// `min…` and `max…` of something that is counted.
    #[inline(never)]
    pub(super) fn count(
        &mut self,
        keyword: &'static str,
        bound: &'d Json<'d>,
        found: usize,
        what: &'static str,
    ) -> Verdict {
        let (Some(bound), Ok(count)) = (bound.as_count(), u64::try_from(found)) else { return Ok(true) };
        let (relation, is_valid) = if keyword.starts_with("min") {
            ("at least", count >= bound)
        } else {
            ("at most", count <= bound)
        };
        if is_valid {
            return Ok(true);
        }
        self.fail(keyword, || Problem::Count { relation, bound, found, what })
    }
}

fn not_among(allowed: &[Json<'_>], instance: &Json<'_>) -> Problem {
    Problem::Value {
        allowed: allowed.iter().take(limits::ENUM).map(shown).collect(),
        of: allowed.len(),
        found: shown(instance),
    }
}
