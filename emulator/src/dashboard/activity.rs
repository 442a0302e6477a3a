//! What happened lately: tokens, decoded, and requests with their verdict. Newest first.

use serde_json::Value;

use super::{nothing, tag};
use crate::html::{Markup, html};
use crate::journal::{Issued, Seen};
use crate::registrations::Registrations;

/// How many of each are shown.
const SHOWN: usize = 50;

/// The claims of each token behind one line.
pub(super) fn tokens(tokens: &[Issued], all: &Registrations) -> Markup {
    match tokens {
        [] => nothing("No token was issued yet."),
        tokens => tokens.iter().take(SHOWN).map(|issued| token(issued, all)).collect(),
    }
}

fn token(issued: &Issued, all: &Registrations) -> Markup {
    let claims = serde_json::to_string_pretty(&issued.claims).unwrap_or_default();
    html!(
        "<details class=\"row\"><summary><time>{}</time><b>{}</b><span class=\"sub\">{}</span></summary>\
         <pre>{}</pre></details>",
        clock(issued.at.entra()),
        issued.kind,
        gist(&issued.claims, all),
        claims
    )
}

/// For whom, at what, with which permissions; by name where a name is known.
fn gist(claims: &Value, all: &Registrations) -> String {
    let get = |name: &str| claims[name].as_str();
    let named = |id: &str| all.api(id).map_or_else(|| id.to_owned(), |app| app.name.clone());
    let user = ["preferred_username", "upn", "unique_name"].into_iter().find_map(get).map(str::to_owned);
    let client = || get("azp").or(get("appid")).map(named);
    let roles = claims["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let may: Vec<&str> = get("scp").into_iter().chain(roles).collect();
    let whom = user.or_else(client).unwrap_or_default();
    let mut gist = format!("{whom} at {}", get("aud").map(named).unwrap_or_default());
    if !may.is_empty() {
        gist.push_str(": ");
        gist.push_str(&may.join(" "));
    }
    gist
}

/// One line each.
pub(super) fn requests(requests: &[Seen]) -> Markup {
    match requests {
        [] => nothing("No request was recorded yet."),
        requests => requests.iter().take(SHOWN).map(request).collect(),
    }
}

fn request(seen: &Seen) -> Markup {
    // Without a status the connection was cut on purpose.
    let (class, status) = match seen.status {
        0 => ("status bad", "cut".to_owned()),
        status if status >= 400 => ("status bad", status.to_string()),
        status => ("status", status.to_string()),
    };
    let verdict = if seen.verdict.is_empty() { Markup::default() } else { html!(" {}", tag(&seen.verdict)) };
    let correlation = seen
        .correlation_id
        .map(|id| html!("<span class=\"sub\">correlation id <code>{}</code></span>", id))
        .unwrap_or_default();
    html!(
        "<div class=\"row\"><time>{}</time><b class=\"{}\">{}</b> <span class=\"what\">{} <code>{}</code>{}{}</span></div>",
        clock(seen.at.entra()),
        class,
        status,
        seen.method,
        seen.target,
        verdict,
        correlation
    )
}

/// The time of day; the date is at the top of the page.
fn clock(stamp: String) -> String {
    stamp.split_once(' ').map(|(_, time)| time.trim_end_matches('Z').to_owned()).unwrap_or(stamp)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Instant;
    use crate::registrations::ids;

    #[test]
    fn a_token_is_summed_up_by_names_and_its_claims_are_text() {
        let claims = json!({
            "aud": ids::VALET, "azp": ids::DEMO_CLIENT, "preferred_username": "<b>adele", "scp": "mcp.access",
            "roles": ["Operator"],
        });
        let issued = Issued { at: Instant(1_795_438_800), kind: "access token", claims };
        let shown = tokens(&[issued], &Registrations::sample()).into_string();
        assert!(shown.contains("13:00:00"), "{shown}");
        assert!(shown.contains("&lt;b&gt;adele at Valet: mcp.access Operator"), "{shown}");
        assert!(
            shown.contains("&quot;scp&quot;: &quot;mcp.access&quot;") && !shown.contains("<b>adele"),
            "{shown}"
        );
    }

    #[test]
    fn an_app_stands_for_itself() {
        let claims = json!({ "aud": ids::VALET, "azp": ids::DAEMON, "roles": ["Tools.Call.All"] });
        assert_eq!(gist(&claims, &Registrations::sample()), "Valet daemon at Valet: Tools.Call.All");
        assert_eq!(gist(&json!([]), &Registrations::sample()), " at ");
    }

    #[test]
    fn a_request_shows_its_verdict() {
        let seen = Seen {
            at: Instant(0),
            method: "POST".into(),
            target: "localhost/<x>".into(),
            status: 400,
            verdict: "AADSTS65001".into(),
            correlation_id: None,
        };
        let shown = requests(&[seen]).into_string();
        assert!(shown.contains("AADSTS65001") && shown.contains("status bad"), "{shown}");
        assert!(shown.contains("localhost/&lt;x&gt;"), "{shown}");
    }
}
