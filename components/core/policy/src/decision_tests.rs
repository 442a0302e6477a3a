//! Decisions as a table: who, what, and what comes out.

use super::*;
use crate::subject::{Prompt, Resource, Tool};

const POLICY: &str = r#"{
    "tools": {
        "read": { "scopes": ["mcp.access"] },
        "write": { "scopes": ["mcp.access", "mcp.write"] },
        "report": { "roles": ["Reports.Run", "Reports.Admin"], "applications": true },
        "audit": { "scopes": ["mcp.access"], "roles": ["Auditor"] },
        "sync": { "scopes": ["mcp.access"], "roles": ["Sync"], "applications": true }
    },
    "resources": { "profile": { "scopes": ["mcp.access"] }, "write": { "roles": ["Auditor"] } },
    "prompts": { "introduce": { "scopes": ["mcp.write"] } },
    "implies": { "mcp.admin": ["mcp.write"], "mcp.write": ["mcp.access"] }
}"#;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn check_any<U: Usable>(
    kind: Kind,
    scopes: &[&str],
    roles: &[&str],
    name: &str,
    expected: Result<(), Reason>,
) {
    let policy = Policy::parse(POLICY).unwrap();
    let (scopes, roles) = (names(scopes), names(roles));
    let caller = Caller { kind, scopes: &scopes, roles: &roles };
    let found = policy.permit::<U>(&caller, name);
    if let Ok(permit) = &found {
        assert_eq!(permit.name(), name);
    }
    assert_eq!(found.map(drop), expected.map_err(|reason| Denial { subject: U::SUBJECT, reason }));
}

#[track_caller]
fn check(kind: Kind, scopes: &[&str], roles: &[&str], tool: &str, expected: Result<(), Reason>) {
    check_any::<Tool>(kind, scopes, roles, tool, expected);
}

fn missing_scopes(needed: &[&str], held: &[&str]) -> Result<(), Reason> {
    Err(Reason::MissingScopes { needed: names(needed), held: names(held) })
}

fn missing_role(any_of: &[&str], held: &[&str]) -> Result<(), Reason> {
    Err(Reason::MissingRole { any_of: names(any_of), held: names(held) })
}

use Kind::{Application, User};

#[test]
fn a_tool_missing_from_the_policy_is_denied_to_everybody() {
    let everything = ["mcp.admin", "mcp.access", "*"];
    for kind in [User, Application] {
        for tool in ["other", "", "READ", "read ", "rea", "*"] {
            check(kind, &everything, &["Auditor", "Reports.Admin"], tool, Err(Reason::Unlisted));
        }
    }
}

#[test]
fn a_user_needs_all_scopes_whole() {
    check(User, &["mcp.access"], &[], "read", Ok(()));
    check(User, &["openid", "mcp.write", "mcp.access"], &[], "write", Ok(()));
    check(User, &["mcp.access"], &[], "write", missing_scopes(&["mcp.access", "mcp.write"], &["mcp.access"]));
    for held in
        ["mcp.acces", "mcp.access2", "MCP.Access", "mcp", "api://x/mcp.access", "mcp.access mcp.write", ""]
    {
        check(User, &[held], &[], "read", missing_scopes(&["mcp.access"], &[held]));
    }
    check(User, &[], &[], "read", missing_scopes(&["mcp.access"], &[]));
}

#[test]
fn a_higher_scope_holds_the_lower_ones_and_not_the_reverse() {
    check(User, &["mcp.admin"], &[], "read", Ok(()));
    check(User, &["mcp.admin"], &[], "write", Ok(()));
    check(User, &["mcp.write"], &[], "write", Ok(()));
    check(User, &["mcp.access"], &[], "write", missing_scopes(&["mcp.access", "mcp.write"], &["mcp.access"]));
}

#[test]
fn a_user_needs_one_role_where_the_rule_names_roles() {
    check(User, &["mcp.access"], &["Auditor"], "audit", Ok(()));
    check(User, &["mcp.access"], &["auditor"], "audit", missing_role(&["Auditor"], &["auditor"]));
    check(User, &[], &["Auditor"], "audit", missing_scopes(&["mcp.access"], &[]));
    check(User, &[], &["Reports.Admin"], "report", Ok(()));
    check(User, &["mcp.admin"], &[], "report", missing_role(&["Reports.Run", "Reports.Admin"], &[]));
}

#[test]
fn a_role_is_no_scope_and_a_scope_is_no_role() {
    check(User, &[], &["mcp.access"], "read", missing_scopes(&["mcp.access"], &[]));
    check(User, &["mcp.access", "Auditor"], &[], "audit", missing_role(&["Auditor"], &[]));
}

#[test]
fn an_application_is_judged_by_roles_alone_and_only_where_admitted() {
    check(Application, &[], &["Reports.Run"], "report", Ok(()));
    check(Application, &[], &["Sync"], "sync", Ok(()));
    check(Application, &["mcp.access"], &[], "sync", missing_role(&["Sync"], &[]));
    check(
        Application,
        &[],
        &["Other"],
        "report",
        missing_role(&["Reports.Run", "Reports.Admin"], &["Other"]),
    );
    check(Application, &["mcp.access"], &["Auditor"], "audit", Err(Reason::ApplicationNotAllowed));
    check(Application, &["mcp.admin"], &["Auditor"], "read", Err(Reason::ApplicationNotAllowed));
}

#[test]
fn each_kind_has_its_own_rules() {
    check_any::<Resource>(User, &["mcp.access"], &[], "profile", Ok(()));
    check_any::<Resource>(User, &[], &[], "profile", missing_scopes(&["mcp.access"], &[]));
    check_any::<Resource>(User, &["mcp.access"], &["Auditor"], "write", Ok(()));
    check_any::<Resource>(User, &["mcp.write"], &[], "write", missing_role(&["Auditor"], &[]));
    check_any::<Resource>(Application, &[], &["Auditor"], "write", Err(Reason::ApplicationNotAllowed));
    check_any::<Prompt>(User, &["mcp.admin"], &[], "introduce", Ok(()));
    check_any::<Prompt>(
        User,
        &["mcp.access"],
        &[],
        "introduce",
        missing_scopes(&["mcp.write"], &["mcp.access"]),
    );
    // A name in one section says nothing about the others.
    let everything = ["mcp.admin", "mcp.access"];
    check_any::<Tool>(User, &everything, &["Auditor"], "profile", Err(Reason::Unlisted));
    check_any::<Prompt>(User, &everything, &["Auditor"], "profile", Err(Reason::Unlisted));
    check_any::<Prompt>(User, &everything, &["Auditor"], "write", Err(Reason::Unlisted));
    check_any::<Resource>(User, &everything, &["Auditor"], "read", Err(Reason::Unlisted));
    check_any::<Resource>(User, &everything, &["Auditor"], "introduce", Err(Reason::Unlisted));
}

#[test]
fn a_denial_tells_the_log_both_sides() {
    let check =
        |subject, reason, expected: &str| assert_eq!(Denial { subject, reason }.to_string(), expected);
    let Err(scopes) = missing_scopes(&["a", "b"], &["c"]) else { unreachable!() };
    let expected = r#"the tool needs the scopes ["a", "b"], the token has ["c"]"#;
    check(Subject::Tool, scopes, expected);
    let Err(role) = missing_role(&["a"], &[]) else { unreachable!() };
    check(Subject::Prompt, role, r#"the prompt needs one of the roles ["a"], the token has []"#);
    check(Subject::Resource, Reason::Unlisted, "the policy does not name the resource");
    check(Subject::Resource, Reason::ApplicationNotAllowed, "the resource is not for applications");
}
