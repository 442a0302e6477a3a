//! Walking schema and instance together. There is nothing between them: no compiled form, since each request has a
//! fresh instance of the component and validates once.
//!
//! Here is what all keywords share: cost, depth, violations, and the order in which they are looked at. The keywords
//! are next door, by what they are about. Functions that a recursion does not pass through are kept out of those that
//! it does, or each level would pay for the locals of all keywords: `inline(never)`.

mod array;
mod compose;
mod object;
mod scalar;
mod seen;

use crate::json::{Json, Members};
use crate::limits;
use crate::schema::Schema;
use crate::text::{push_index, push_token};
use crate::violation::{Problem, Stop, Violation, Violations};
use seen::Seen;

/// Whether a value is valid, unless there is a reason to give up. One byte, so that it is returned in a register: half of
/// what a level of evaluation takes of a component's stack would otherwise be places for results.
type Verdict = Result<bool, GivenUp>;

/// The validation is over; [`Run::stop`] says why.
#[derive(Debug, Clone, Copy)]
struct GivenUp;

impl Schema<'_> {
    /// Whether `instance` is valid.
    ///
    /// # Errors
    ///
    /// [`Violations`], if it is not or if it cannot be told within the limits.
    pub fn validate(&self, instance: &Json<'_>) -> Result<(), Violations> {
        let mut run = Run {
            schema: self,
            path: String::new(),
            scope: if self.has_dynamic { vec![0] } else { Vec::new() },
            steps: limits::STEPS,
            depth: 0,
            limit: limits::VIOLATIONS,
            alternatives: 0,
            found: Vec::new(),
            stop: None,
        };
        match run.value(self.root, instance, None) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let stopped = (run.found.len() >= run.limit).then_some(Stop::Enough);
                Err(Violations { found: run.found, stopped })
            }
            // What was found may be of an alternative that nobody needed.
            Err(GivenUp) => Err(Violations { found: Vec::new(), stopped: run.stop }),
        }
    }
}

/// A validation on its way.
struct Run<'s, 'd> {
    schema: &'s Schema<'d>,
    /// Where in the instance it is: a JSON pointer.
    path: String,
    /// The resources that were entered and not yet left, outermost first, if anybody asks (Core 7.1).
    scope: Vec<usize>,
    /// Steps that are left.
    steps: u64,
    depth: usize,
    /// As soon as `found` is of this length, the first failure ends the search for others.
    limit: usize,
    /// Levels of `anyOf` and `oneOf` that it is in.
    alternatives: usize,
    found: Vec<Violation>,
    stop: Option<Stop>,
}

impl<'d> Run<'_, 'd> {
    /// Pays for what is about to be done.
    fn charge(&mut self, steps: u64) -> Result<(), GivenUp> {
        match self.steps.checked_sub(steps) {
            Some(left) => self.steps = left,
            None => return self.give_up(Stop::TooCostly),
        }
        Ok(())
    }

    #[cold]
    fn give_up<T>(&mut self, stop: Stop) -> Result<T, GivenUp> {
        self.stop = Some(stop);
        Err(GivenUp)
    }

    /// Notes a failure, if anybody is interested.
    fn fail(&mut self, keyword: &'static str, problem: impl FnOnce() -> Problem) -> Verdict {
        if self.found.len() < self.limit {
            self.found.push(Violation::new(&self.path, keyword, problem()));
        }
        Ok(false)
    }

    /// Whether a failure is the end of it.
    fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }

    /// Whether all of `all` are valid; looks no further than somebody is interested in failures.
    fn every<T>(
        &mut self,
        all: impl Iterator<Item = T>,
        mut judge: impl FnMut(&mut Self, T) -> Verdict,
    ) -> Verdict {
        let mut is_valid = true;
        for each in all {
            is_valid &= judge(self, each)?;
            if !is_valid && self.is_full() {
                break;
            }
        }
        Ok(is_valid)
    }

    /// Does something with at most `more` failures noted.
    fn limited<T>(&mut self, more: usize, act: impl FnOnce(&mut Self) -> T) -> T {
        let limit = self.limit;
        self.limit = limit.min(self.found.len() + more);
        let result = act(self);
        self.limit = limit;
        result
    }

    /// Whether `instance` is valid, with no failure noted.
    fn is_valid(&mut self, schema: &'d Json<'d>, instance: &Json<'_>, seen: Option<&mut Seen>) -> Verdict {
        self.limited(0, |run| run.value(schema, instance, seen))
    }

    /// Whether the member `name`, whose value is `instance`, is valid.
    fn member(&mut self, schema: &'d Json<'d>, name: &str, instance: &Json<'_>) -> Verdict {
        // Writing the path is slower than looking.
        self.charge(4 * cost_of(name))?;
        let length = self.path.len();
        push_token(&mut self.path, name);
        let verdict = self.value(schema, instance, None);
        self.path.truncate(length);
        verdict
    }

    /// Whether the item at `index` is valid.
    fn item(&mut self, schema: &'d Json<'d>, index: usize, instance: &Json<'_>) -> Verdict {
        let length = self.path.len();
        push_index(&mut self.path, index);
        let verdict = self.value(schema, instance, None);
        self.path.truncate(length);
        verdict
    }

    /// Whether `instance` is valid. `seen` takes note of what has been evaluated inside of it; it means nothing if the
    /// instance turns out invalid.
    fn value(&mut self, schema: &'d Json<'d>, instance: &Json<'_>, seen: Option<&mut Seen>) -> Verdict {
        self.charge(1)?;
        match schema {
            Json::Object(members) if self.depth < limits::EVALUATION => {
                self.depth += 1;
                let outer = self.enter(members);
                let verdict = if self.schema.has_unevaluated {
                    self.with_unevaluated(members, instance, seen)
                } else {
                    self.keywords(members, instance, None)
                };
                self.scope.truncate(outer);
                self.depth -= 1;
                verdict
            }
            Json::Object(_) => self.give_up(Stop::TooDeep),
            Json::Bool(true) => Ok(true),
            _ => self.fail("false", || Problem::Forbidden),
        }
    }

    /// Enters the resource of a schema with an `$id`; gives how many were entered before.
    fn enter(&mut self, members: &'d Members<'d>) -> usize {
        let outer = self.scope.len();
        if self.schema.has_dynamic {
            let own = members.get("$id").and_then(|id| self.schema.target(id));
            self.scope.extend(own.map(|own| own.resource));
        }
        outer
    }

    /// All keywords, those that depend on what others have seen last.
    fn with_unevaluated(
        &mut self,
        members: &'d Members<'d>,
        instance: &Json<'_>,
        outer: Option<&mut Seen>,
    ) -> Verdict {
        let (name, size) = match instance {
            Json::Object(inner) => ("unevaluatedProperties", inner.len()),
            Json::Array(inner) => ("unevaluatedItems", inner.len()),
            _ => return self.keywords(members, instance, None),
        };
        let Some(unevaluated) = members.get(name) else {
            return self.keywords(members, instance, outer);
        };
        // It sees what its own subschemas have seen, not what those beside it have (Core 11.2, 11.3).
        let mut seen = self.nothing_seen(size)?;
        let mut is_valid = self.keywords(members, instance, Some(&mut seen))?;
        if is_valid {
            is_valid = match instance {
                Json::Object(inner) => self.unevaluated_properties(unevaluated, inner, &seen)?,
                Json::Array(inner) => self.unevaluated_items(unevaluated, inner, &seen)?,
                _ => true,
            };
        }
        if let Some(outer) = outer {
            outer.add_all();
        }
        Ok(is_valid)
    }

    fn nothing_seen(&mut self, size: usize) -> Result<Seen, GivenUp> {
        self.charge(u64::try_from(size / 64).unwrap_or(u64::MAX))?;
        Ok(Seen::nothing(size))
    }

    /// All keywords but `unevaluatedProperties` and `unevaluatedItems`.
    fn keywords(
        &mut self,
        members: &'d Members<'d>,
        instance: &Json<'_>,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        self.every(members.iter(), |run, (name, value)| {
            run.charge(1)?;
            if let Some(verdict) = run.compose(members, name, value, instance, seen.as_deref_mut())? {
                return Ok(verdict);
            }
            match instance {
                Json::Object(inner) => run.object(members, name, value, inner, seen.as_deref_mut()),
                Json::Array(inner) => run.array(members, name, value, inner, seen.as_deref_mut()),
                Json::String(text) => run.string(name, value, text),
                Json::Number(number) => run.number(name, value, *number),
                Json::Null | Json::Bool(_) => Ok(true),
            }
        })
    }
}

/// Steps for looking at a text once.
fn cost_of(text: &str) -> u64 {
    u64::try_from(text.len() / 64).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "../validate_tests/mod.rs"]
mod tests;
