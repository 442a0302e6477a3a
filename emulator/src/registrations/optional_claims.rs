//! Which optional claims a registration may name (Entra documentation, "Optional claims reference").
//!
//! The two "additional properties" that matter to an API are names of their own here: `include_user_token`
//! beside `idtyp`, and `use_guid`, which the documentation hangs on `aud`.

use super::app::{App, OptionalClaims, SignInAudience, TokenVersion};

/// Of both kinds of token.
const BOTH: [&str; 9] = [
    "acct",
    "acrs",
    "auth_time",
    "email",
    "family_name",
    "given_name",
    "preferred_username",
    "upn",
    "xms_pl",
];

/// Of access tokens alone. `amr` is none of Entra's optional claims: it is how a test asks for it in v2
/// tokens.
const ACCESS_ONLY: [&str; 5] = ["amr", "idtyp", "include_user_token", "use_guid", "xms_cc"];

/// Checks the parts of an app that shape tokens. Errors name the key below `key`.
pub(super) fn check(app: &App, key: &str) -> Result<(), (String, String)> {
    let OptionalClaims { access_token, id_token } = &app.optional_claims;
    let known = |name: &str, more: &[&str]| BOTH.contains(&name) || more.contains(&name);
    let refuse = |kind: &str, name: &str| {
        Err((
            format!("{key}.optional_claims.{kind}"),
            format!("{name:?} is no optional claim the emulator knows"),
        ))
    };
    if let Some(name) = access_token.iter().find(|n| !known(n, &ACCESS_ONLY)) {
        return refuse("access_token", name);
    }
    if let Some(name) = id_token.iter().find(|n| !known(n, &[])) {
        return refuse("id_token", name);
    }
    let has = |name: &str| access_token.iter().any(|n| n == name);
    if has("include_user_token") && !has("idtyp") && !app.emit_idtyp {
        let message = "\"include_user_token\" is a property of \"idtyp\", which is not asked for";
        return Err((format!("{key}.optional_claims.access_token"), message.into()));
    }
    if let Some(life) = app.token_life
        && (life.min == 0 || life.min > life.max)
    {
        let message = "it must hold 0 < min <= max".to_owned();
        return Err((format!("{key}.token_life"), message));
    }
    // Entra documentation, "App manifest": an app for personal accounts must accept version 2.
    let work_only =
        matches!(app.sign_in_audience, SignInAudience::AzureADMyOrg | SignInAudience::AzureADMultipleOrgs);
    match app.requested_access_token_version {
        TokenVersion::V1 if !work_only => Err((
            format!("{key}.requested_access_token_version"),
            "an app for personal accounts must have version 2".into(),
        )),
        _ => Ok(()),
    }
}
