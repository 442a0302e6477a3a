//! The policy document: read once, checked completely, and kept in the form in which it is asked. What follows from it for
//! a caller is in `decision`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::{Named, PolicyError};
use crate::limits;
use crate::once::{Object, Once};
use crate::subject::Subject;

/// Which callers may use which tools, resources and prompts. Immutable; what it does not name is denied to everybody.
///
/// ```json
/// {
///   "tools": {
///     "get_me":     { "scopes": ["mcp.access"] },
///     "list_users": { "scopes": ["mcp.access"], "roles": ["Directory.Reader", "Reports.Run"], "applications": true }
///   },
///   "resources": { "profile": { "scopes": ["mcp.access"] } },
///   "prompts":   { "introduce-me": { "scopes": ["mcp.access"] } },
///   "implies": { "mcp.admin": ["mcp.access"] }
/// }
/// ```
///
/// At least one tool has to be there. A rule has the same members in each section:
///
/// * `scopes`: a user's token needs **all** of them.
/// * `roles`: the caller needs **one** of them; users too, where a rule names roles.
/// * `applications`: whether callers without a user are admitted, by role alone. Default `false`.
/// * `implies`: whoever holds the scope on the left also holds those on the right, and what they imply (MCP
///   `basic/authorization` asks servers to honour such hierarchies). Applies to scopes only.
///
/// A rule names scopes or roles or both. Names are compared whole and with case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// In the order of [`Subject::ALL`].
    rules: [BTreeMap<String, Rule>; 3],
    /// For each scope that is implied by others: all those others, direct and indirect.
    implied_by: BTreeMap<String, BTreeSet<String>>,
}

/// What one tool, resource or prompt asks of its callers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// All of them, for users.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// Any of them.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    /// Whether applications are admitted.
    #[serde(default)]
    pub(crate) applications: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    tools: Once<Object<Rule>>,
    #[serde(default)]
    resources: Once<Object<Rule>>,
    #[serde(default)]
    prompts: Once<Object<Rule>>,
    #[serde(default)]
    implies: Once<Vec<String>>,
}

impl Policy {
    /// Reads and checks a document.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for anything that is not plainly a policy: no default accepts, and nothing is ignored.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        if json.len() > limits::DOCUMENT {
            return Err(PolicyError::TooLong { length: json.len() });
        }
        let Object(Document { tools, resources, prompts, implies: Once(implies) }) =
            serde_json::from_str(json).map_err(|error| PolicyError::Syntax(error.to_string()))?;
        if tools.0.is_empty() {
            return Err(PolicyError::NoTools);
        }
        let rules = [tools, resources, prompts].map(|Once(rules)| -> BTreeMap<_, _> {
            rules.into_iter().map(|(name, Object(rule))| (name, rule)).collect()
        });
        for (subject, rules) in Subject::ALL.into_iter().zip(&rules) {
            at_most(limits::RULES, rules.len(), || format!("`{}`", subject.section()))?;
            for (name, rule) in rules {
                check_rule(&Named { subject, name: name.clone() }, rule)?;
            }
        }
        at_most(limits::IMPLIES, implies.len(), || "`implies`".to_owned())?;
        for (scope, implied) in &implies {
            check_scope(scope, || "`implies`".to_owned())?;
            check_scopes(implied, || format!("the list of `{scope}` in `implies`"))?;
        }
        Ok(Self { rules, implied_by: invert(&implies)? })
    }

    /// All scopes that any rule asks of users, sorted: what to publish as `scopes_supported` (RFC 9728 section 2).
    /// Scopes that only imply these are not among them: a client should ask for no more than it needs.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let scopes: BTreeSet<_> =
            self.rules.iter().flat_map(BTreeMap::values).flat_map(|rule| &rule.scopes).collect();
        scopes.into_iter().map(String::as_str)
    }

    /// The tools, resources or prompts that the policy names, sorted. For a check against what there is.
    pub fn names(&self, subject: Subject) -> impl Iterator<Item = &str> {
        self.section(subject).keys().map(String::as_str)
    }

    /// The rule about something, with the document's own copy of its name.
    pub(crate) fn rule(&self, subject: Subject, name: &str) -> Option<(&str, &Rule)> {
        self.section(subject).get_key_value(name).map(|(name, rule)| (name.as_str(), rule))
    }

    fn section(&self, subject: Subject) -> &BTreeMap<String, Rule> {
        let [tools, resources, prompts] = &self.rules;
        match subject {
            Subject::Tool => tools,
            Subject::Resource => resources,
            Subject::Prompt => prompts,
        }
    }

    /// Whether `held` has `needed`, itself or by something that implies it.
    pub(crate) fn has_scope(&self, held: &[String], needed: &str) -> bool {
        held.iter().any(|scope| scope == needed)
            || self
                .implied_by
                .get(needed)
                .is_some_and(|by| held.iter().any(|scope| by.contains(scope.as_str())))
    }
}

fn at_most(limit: usize, count: usize, list: impl FnOnce() -> String) -> Result<(), PolicyError> {
    if count <= limit { Ok(()) } else { Err(PolicyError::TooMany { list: list(), count, limit }) }
}

fn check_rule(named: &Named, rule: &Rule) -> Result<(), PolicyError> {
    let well_formed = (1..=limits::RULE_NAME).contains(&named.name.len())
        && named.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    if !well_formed {
        return Err(PolicyError::InvalidName(named.clone()));
    }
    if rule.scopes.is_empty() && rule.roles.is_empty() {
        return Err(PolicyError::EmptyRule(named.clone()));
    }
    if rule.applications && rule.roles.is_empty() {
        return Err(PolicyError::ApplicationsWithoutRoles(named.clone()));
    }
    check_scopes(&rule.scopes, || format!("the `scopes` of {named}"))?;
    let place = || format!("the `roles` of {named}");
    at_most(limits::NAMES, rule.roles.len(), place)?;
    for role in &rule.roles {
        if role.is_empty() || role.trim() != role || role.len() > limits::NAME {
            return Err(PolicyError::InvalidRole { named: named.clone(), role: role.clone() });
        }
    }
    check_repeated(&rule.roles, place)
}

fn check_scopes(scopes: &[String], place: impl Fn() -> String) -> Result<(), PolicyError> {
    at_most(limits::NAMES, scopes.len(), &place)?;
    for scope in scopes {
        check_scope(scope, &place)?;
    }
    check_repeated(scopes, place)
}

/// `scope-token` of RFC 6749 section 3.3. In particular no space: `scp` is split at spaces, so such an entry could never
/// match, and a reader would take it for two.
fn check_scope(scope: &str, place: impl Fn() -> String) -> Result<(), PolicyError> {
    let well_formed = (1..=limits::NAME).contains(&scope.len())
        && scope.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'));
    if well_formed {
        Ok(())
    } else {
        Err(PolicyError::InvalidScope { place: place(), scope: scope.to_owned() })
    }
}

fn check_repeated(names: &[String], place: impl Fn() -> String) -> Result<(), PolicyError> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        None => Ok(()),
        Some(name) => Err(PolicyError::Repeated { place: place(), name: name.clone() }),
    }
}

/// The hierarchy the other way round and closed, so that a decision is one look-up.
fn invert(
    implies: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, BTreeSet<String>>, PolicyError> {
    let mut implied_by: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for top in implies.keys() {
        let mut reached = BTreeSet::new();
        let mut open = vec![top];
        while let Some(scope) = open.pop() {
            for below in implies.get(scope).into_iter().flatten() {
                if below == top {
                    return Err(PolicyError::Cycle { scope: top.clone() });
                }
                if reached.insert(below) {
                    open.push(below);
                }
            }
        }
        for below in reached {
            implied_by.entry(below.clone()).or_default().insert(top.clone());
        }
    }
    Ok(implied_by)
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
