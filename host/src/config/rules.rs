//! What the rules of a configuration name, for the person who wrote them: the components decide by these names, and a misspelt one decides as it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::OauthMode;
use super::file::{File, Rule};
use super::oauth::named_scopes;

/// The names in `[tools]`, `[resources]`, `[prompts]` and their rules, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Tools.
    pub tools: Vec<String>,
    /// Resources and templates.
    pub resources: Vec<String>,
    /// Prompts.
    pub prompts: Vec<String>,
    /// Scopes that some rule asks for.
    pub scopes: Vec<String>,
    /// Roles that some rule asks for.
    pub roles: Vec<String>,
    /// What is allowed and was probably not meant, a sentence each.
    pub doubts: Vec<String>,
}

impl Rules {
    pub(super) fn of(file: &File) -> Self {
        let names = |rules: &BTreeMap<String, Rule>| rules.keys().cloned().collect();
        let all = file.tools.values().chain(file.resources.values()).chain(file.prompts.values());
        let roles: BTreeSet<&String> = all.flat_map(|rule| &rule.roles).collect();
        let scopes = named_scopes(file);
        let mut doubts = alike(file, &scopes);
        doubts.extend(unreachable(file, &scopes));
        Self {
            tools: names(&file.tools),
            resources: names(&file.resources),
            prompts: names(&file.prompts),
            roles: roles.into_iter().cloned().collect(),
            scopes,
            doubts,
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("tools", &self.tools),
            ("resources", &self.resources),
            ("prompts", &self.prompts),
            ("scopes that they ask for", &self.scopes),
            ("roles that they ask for", &self.roles),
        ];
        let named = lists.iter().filter(|(_, names)| !names.is_empty());
        let lines: Vec<String> =
            named.map(|(what, names)| format!("  {what}: {}", names.join(", "))).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Two scopes that differ by one letter or by case are one scope and a misspelling of it, more often than not. Which scopes there are only Entra knows.
fn alike(file: &File, named: &[String]) -> Vec<String> {
    let implied =
        file.scopes.implies.iter().flat_map(|(scope, implied)| std::iter::once(scope).chain(implied));
    let offered = file.oauth.scopes.iter().flatten();
    let all: BTreeSet<&String> = named.iter().chain(implied).chain(offered).collect();
    let all: Vec<&String> = all.into_iter().collect();
    let pairs =
        all.iter().enumerate().flat_map(|(at, one)| all[at + 1..].iter().map(move |other| (*one, *other)));
    pairs
        .filter(|(one, other)| one.eq_ignore_ascii_case(other) || strsim::osa_distance(one, other) == 1)
        .map(|(one, other)| {
            format!("the scopes `{one}` and `{other}` differ by so little that one may be misspelt")
        })
        .collect()
}

/// Scopes that a rule asks for and no client can get, where it is us who give them.
fn unreachable(file: &File, named: &[String]) -> Vec<String> {
    let (Some(offered), OauthMode::Session | OauthMode::Facade) = (&file.oauth.scopes, file.oauth.mode)
    else {
        return Vec::new();
    };
    let mut reachable: BTreeSet<&String> = offered.iter().collect();
    let mut open: Vec<&String> = offered.iter().collect();
    while let Some(scope) = open.pop() {
        for implied in file.scopes.implies.get(scope).into_iter().flatten() {
            if reachable.insert(implied) {
                open.push(implied);
            }
        }
    }
    let lost = named.iter().filter(|scope| !reachable.contains(scope));
    lost.map(|scope| {
        format!("rules ask for the scope `{scope}`, which is not in `oauth.scopes` and implied by none of them: no client can get it")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A perfect file with this at its end.
    fn rules(rest: &str) -> Rules {
        let text = format!(
            "[entra]\ntenant = \"t\"\nclient_id = \"c\"\n[tools.whoami]\nscopes = [\"mcp.access\"]\n[tools.list]\nroles = [\"Reader\"]\n{rest}"
        );
        Rules::of(&toml::from_str(&text).unwrap())
    }

    #[test]
    fn what_is_named_is_shown() {
        let rules = rules("[prompts.hello]\nscopes = [\"mcp.read\"]\n");
        assert_eq!(
            rules.to_string(),
            "  tools: list, whoami\n  prompts: hello\n  scopes that they ask for: mcp.access, mcp.read\n  roles that they ask for: Reader"
        );
        assert_eq!(rules.doubts, [""; 0]);
    }

    #[test]
    fn scopes_that_are_nearly_alike_are_doubted() {
        for misspelt in ["mcp.acess", "mcp.accses", "MCP.Access"] {
            let doubts = rules(&format!("[prompts.hello]\nscopes = [\"{misspelt}\"]\n")).doubts;
            assert!(doubts.len() == 1 && doubts[0].contains(&format!("`{misspelt}`")), "{doubts:?}");
        }
        assert_eq!(rules("[scopes.implies]\n\"mcp.admin\" = [\"mcp.acces\"]\n").doubts.len(), 1);
    }

    #[test]
    fn scopes_that_nobody_can_get_are_doubted() {
        let session =
            |scopes: &str| rules(&format!("[oauth]\nmode = \"session\"\nscopes = [{scopes}]\n")).doubts;
        assert_eq!(session("\"mcp.access\""), [""; 0]);
        let doubts = session("\"mcp.admin\"");
        assert!(doubts.len() == 1 && doubts[0].contains("`mcp.access`"), "{doubts:?}");
        let implied = rules(
            "[oauth]\nmode = \"session\"\nscopes = [\"mcp.root\"]\n[scopes.implies]\n\"mcp.root\" = [\"mcp.admin\"]\n\"mcp.admin\" = [\"mcp.access\"]\n",
        );
        assert_eq!(implied.doubts, [""; 0]);
    }
}
