//! Decisions as a table: who, which tool, what comes out.

use super::*;

const POLICY: &str = r#"{
    "tools": {
        "read": { "scopes": ["mcp.access"] },
        "write": { "scopes": ["mcp.access", "mcp.write"] },
        "report": { "roles": ["Reports.Run", "Reports.Admin"], "applications": true },
        "audit": { "scopes": ["mcp.access"], "roles": ["Auditor"] },
        "sync": { "scopes": ["mcp.access"], "roles": ["Sync"], "applications": true }
    },
    "implies": { "mcp.admin": ["mcp.write"], "mcp.write": ["mcp.access"] }
}"#;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[track_caller]
fn check(kind: Kind, scopes: &[&str], roles: &[&str], tool: &str, expected: Result<(), Denial>) {
    let policy = Policy::parse(POLICY).unwrap();
    let (scopes, roles) = (names(scopes), names(roles));
    let caller = Caller { kind, scopes: &scopes, roles: &roles };
    let found = policy.permit(&caller, tool);
    if let Ok(permit) = &found {
        assert_eq!(permit.tool(), tool);
    }
    assert_eq!(
        policy.visible(&caller, [tool]).count(),
        usize::from(found.is_ok()),
        "the list follows the decision"
    );
    assert_eq!(found.map(|_| ()), expected);
}

fn missing_scopes(needed: &[&str], held: &[&str]) -> Result<(), Denial> {
    Err(Denial::MissingScopes { needed: names(needed), held: names(held) })
}

fn missing_role(any_of: &[&str], held: &[&str]) -> Result<(), Denial> {
    Err(Denial::MissingRole { any_of: names(any_of), held: names(held) })
}

use Kind::{Application, User};

#[test]
fn a_tool_missing_from_the_policy_is_denied_to_everybody() {
    let everything = ["mcp.admin", "mcp.access", "*"];
    for kind in [User, Application] {
        for tool in ["other", "", "READ", "read ", "rea", "*"] {
            check(kind, &everything, &["Auditor", "Reports.Admin"], tool, Err(Denial::UnlistedTool));
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
    check(Application, &["mcp.access"], &["Auditor"], "audit", Err(Denial::ApplicationNotAllowed));
    check(Application, &["mcp.admin"], &["Auditor"], "read", Err(Denial::ApplicationNotAllowed));
}

#[test]
fn the_list_keeps_the_order_it_is_given() {
    let policy = Policy::parse(POLICY).unwrap();
    let scopes = names(&["mcp.write"]);
    let caller = Caller { kind: User, scopes: &scopes, roles: &[] };
    let shown: Vec<_> = policy.visible(&caller, ["write", "nothing", "sync", "read"]).collect();
    assert_eq!(shown, ["write", "read"]);
}

#[test]
fn a_denial_tells_the_log_both_sides() {
    let Err(denial) = missing_scopes(&["a", "b"], &["c"]) else { unreachable!() };
    assert_eq!(denial.to_string(), r#"the tool needs the scopes ["a", "b"], the token has ["c"]"#);
}
