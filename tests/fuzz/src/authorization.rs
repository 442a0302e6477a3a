//! The `Authorization` field, and the query beside it.

use valet_core_mcp::bearer::{Bearer, bearer};
use valet_core_mcp::limits;

/// The request's target, then each field's value, a line each.
pub(crate) fn authorization(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let target = lines.next().unwrap_or_default();
    let fields: Vec<_> = lines.map(|value| ("authorization".to_owned(), value.to_owned())).collect();
    match bearer(target, &fields) {
        Bearer::None => assert!(fields.is_empty(), "a field is not passed over"),
        Bearer::Token(token) => {
            assert_eq!(fields.len(), 1);
            assert!((1..=limits::BEARER).contains(&token.len()));
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)));
            // RFC 9110 section 5.5: white space around a field's value is no part of it.
            let (scheme, rest) = fields[0].1.trim_matches([' ', '\t']).split_once(' ').expect("a scheme");
            assert!(scheme.eq_ignore_ascii_case("bearer") && rest.trim_start_matches(' ') == token);
            let query = target.split_once('?').map_or("", |(_, query)| query);
            let names = query.split(['&', ';']).map(|pair| pair.split('=').next().unwrap_or_default());
            assert!(!names.into_iter().any(|name| name == "access_token"));
        }
        Bearer::Refused(fault) => {
            assert!((400..=401).contains(&fault.challenge().status()));
            let shown = fault.to_string();
            assert!(shown.len() < 100 && shown.is_ascii(), "{shown:?}");
        }
    }
}
