//! Keywords about arrays (JSON Schema Core 10.3.1, 11.2; Validation 6.4).

use core::cmp::Ordering;

use super::seen::Seen;
use super::{Run, Verdict, cost_of};
use crate::json::{Json, Members};
use crate::text::push_index;
use crate::violation::Problem;

impl<'d> Run<'_, 'd> {
    /// A keyword of the schema `members`, on an array.
    pub(super) fn array(
        &mut self,
        members: &'d Members<'d>,
        name: &str,
        value: &'d Json<'d>,
        items: &[Json<'_>],
        seen: Option<&mut Seen>,
    ) -> Verdict {
        match name {
            "minItems" => self.count("minItems", value, items.len(), "items"),
            "maxItems" => self.count("maxItems", value, items.len(), "items"),
            "uniqueItems" if *value == Json::Bool(true) => self.unique(items),
            "prefixItems" => self.prefix_items(value.as_array().unwrap_or_default(), items, seen),
            "items" => {
                let prefix = members.get("prefixItems").and_then(Json::as_array).map_or(0, <[_]>::len);
                self.rest_of_items(value, prefix, items, seen)
            }
            "contains" => self.contains(members, value, items, seen),
            _ => Ok(true),
        }
    }

    #[inline(never)]
    fn prefix_items(
        &mut self,
        schemas: &'d [Json<'d>],
        items: &[Json<'_>],
        seen: Option<&mut Seen>,
    ) -> Verdict {
        if let Some(seen) = seen {
            seen.add_until(schemas.len());
        }
        let pairs = schemas.iter().zip(items).enumerate();
        self.every(pairs, |run, (index, (schema, item))| run.item(schema, index, item))
    }

    #[inline(never)]
    fn rest_of_items(
        &mut self,
        schema: &'d Json<'d>,
        start: usize,
        items: &[Json<'_>],
        seen: Option<&mut Seen>,
    ) -> Verdict {
        if let Some(seen) = seen {
            seen.add_all();
        }
        self.every(items.iter().enumerate().skip(start), |run, (index, item)| run.item(schema, index, item))
    }

    #[inline(never)]
    fn contains(
        &mut self,
        members: &'d Members<'d>,
        schema: &'d Json<'d>,
        items: &[Json<'_>],
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let mut fitting = 0;
        for (index, item) in items.iter().enumerate() {
            if self.is_valid(schema, item, None)? {
                fitting += 1;
                if let Some(seen) = seen.as_deref_mut() {
                    seen.add(index);
                }
            }
        }
        let is_enough = match members.get("minContains") {
            Some(bound) => self.count("minContains", bound, fitting, "fitting items")?,
            None if fitting == 0 => self.fail("contains", || Problem::Count {
                relation: "at least",
                bound: 1,
                found: 0,
                what: "fitting items",
            })?,
            None => true,
        };
        match members.get("maxContains") {
            Some(bound) if is_enough => self.count("maxContains", bound, fitting, "fitting items"),
            _ => Ok(is_enough),
        }
    }

    /// Sorts, because comparing each with each would take the square of their number.
    #[inline(never)]
    fn unique(&mut self, items: &[Json<'_>]) -> Verdict {
        let weight = items.iter().map(weight).fold(0, u64::saturating_add);
        self.charge(weight.saturating_mul(u64::from(items.len().max(1).ilog2()) + 1))?;
        let mut sorted: Vec<(usize, &Json<'_>)> = items.iter().enumerate().collect();
        sorted.sort_unstable_by(|(index, one), (other_index, other)| {
            compare(one, other).then_with(|| index.cmp(other_index))
        });
        let equal = sorted
            .iter()
            .zip(sorted.iter().skip(1))
            .filter(|((_, one), (_, other))| compare(one, other) == Ordering::Equal)
            .map(|((first, _), (second, _))| (*first, *second))
            .min();
        match equal {
            None => Ok(true),
            Some((first, second)) => self.fail("uniqueItems", || Problem::Repeated { first, second }),
        }
    }

    #[inline(never)]
    pub(super) fn unevaluated_items(
        &mut self,
        schema: &'d Json<'d>,
        items: &[Json<'_>],
        seen: &Seen,
    ) -> Verdict {
        let unseen = seen.rest().filter_map(|index| Some((index, items.get(index)?)));
        self.every(unseen, |run, (index, item)| match schema {
            Json::Bool(false) => run.unknown_item(index),
            schema => run.item(schema, index, item),
        })
    }

    #[inline(never)]
    fn unknown_item(&mut self, index: usize) -> Verdict {
        let length = self.path.len();
        push_index(&mut self.path, index);
        let verdict = self.fail("unevaluatedItems", || Problem::Unknown { similar: None });
        self.path.truncate(length);
        verdict
    }
}

/// What comparing a value with others costs, in steps.
fn weight(value: &Json<'_>) -> u64 {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 1,
        Json::String(text) => 1 + cost_of(text),
        Json::Array(items) => items.iter().map(weight).fold(1, u64::saturating_add),
        Json::Object(members) => {
            let each = |(name, value): (&str, _)| cost_of(name).saturating_add(weight(value));
            members.iter().map(each).fold(1, u64::saturating_add)
        }
    }
}

/// An order of all values in which equal ones, and no others, are equal.
fn compare(one: &Json<'_>, other: &Json<'_>) -> Ordering {
    match (one, other) {
        (Json::Bool(one), Json::Bool(other)) => one.cmp(other),
        (Json::Number(one), Json::Number(other)) => one.compare(*other),
        (Json::String(one), Json::String(other)) => one.cmp(other),
        (Json::Array(one), Json::Array(other)) => {
            let by_items = one.iter().zip(other).map(|(one, other)| compare(one, other));
            by_items.fold(one.len().cmp(&other.len()), Ordering::then)
        }
        (Json::Object(one), Json::Object(other)) => {
            let by_members = one.iter().zip(other.iter());
            let by_members = by_members.map(|((name, one), (other_name, other))| {
                name.cmp(other_name).then_with(|| compare(one, other))
            });
            by_members.fold(one.len().cmp(&other.len()), Ordering::then)
        }
        _ => rank(one).cmp(&rank(other)),
    }
}

fn rank(value: &Json<'_>) -> u8 {
    match value {
        Json::Null => 0,
        Json::Bool(_) => 1,
        Json::Number(_) => 2,
        Json::String(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    }
}
