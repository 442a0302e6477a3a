//! The transport rules, as cases. Every refusal asserts the variant and the status.

use super::*;

const GOOD: &[(&str, &str)] = &[("host", "mcp.example.com"), ("content-type", "application/json")];

fn rules() -> TransportRules {
    TransportRules::parse(["mcp.example.com", "mcp.internal:8443"], ["https://app.example.com"]).unwrap()
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The good request, with fields of the same name replaced by `changes` (an empty value removes the field).
#[track_caller]
fn check(
    rules: &TransportRules,
    method: &str,
    changes: &[(&str, &str)],
    expected: Result<(), (u16, TransportFault)>,
) {
    let mut headers = owned(GOOD);
    headers.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    headers.extend(owned(changes).into_iter().filter(|(_, value)| !value.is_empty()));
    let found = rules.check(method, &headers).map_err(|fault| (fault.status(), fault));
    assert_eq!(found, expected);
}

#[track_caller]
fn accepts(changes: &[(&str, &str)]) {
    check(&rules(), "POST", changes, Ok(()));
}

#[track_caller]
fn refuses(changes: &[(&str, &str)], status: u16, fault: TransportFault) {
    check(&rules(), "POST", changes, Err((status, fault)));
}

#[test]
fn only_post_is_allowed() {
    accepts(&[]);
    for method in ["GET", "DELETE", "PUT", "OPTIONS", "TRACE", "HEAD", "post", ""] {
        let fault = TransportFault::MethodNotAllowed { method: method.to_owned() };
        check(&rules(), method, &[], Err((405, fault)));
    }
}

#[test]
fn host_is_exactly_one_of_ours() {
    accepts(&[("host", "MCP.example.com:443")]);
    accepts(&[("host", "mcp.internal:8443")]);
    refuses(&[("host", "")], 400, TransportFault::MissingHost);
    refuses(&[("host", "mcp.example.com"), ("host", "evil.example")], 400, TransportFault::RepeatedHost);
    for host in ["a/b", "mcp.example.com,evil.example", "mcp.example.com:99999", "http://mcp.example.com"] {
        refuses(&[("host", host)], 400, TransportFault::MalformedHost { host: host.to_owned() });
    }
    for host in
        ["evil.example", "mcp.example.com.evil.example", "mcp.example.com.", "mcp.internal", "localhost"]
    {
        refuses(&[("host", host)], 403, TransportFault::HostNotAllowed { host: host.to_owned() });
    }
}

#[test]
fn origin_is_absent_or_exactly_one_of_ours() {
    accepts(&[("origin", "https://app.example.com")]);
    accepts(&[("origin", "https://app.example.com:443")]);
    let twice = &[("origin", "https://app.example.com"), ("origin", "https://app.example.com")];
    refuses(twice, 403, TransportFault::RepeatedOrigin);
    for origin in [
        "null",
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com/",
        "http://localhost:3000",
        "garbage",
    ] {
        refuses(&[("origin", origin)], 403, TransportFault::OriginNotAllowed { origin: origin.to_owned() });
    }
}

#[test]
fn loopback_names_count_only_where_the_rules_say_so() {
    let local = TransportRules::loopback();
    for host in ["localhost", "localhost:6274", "127.0.0.1:80", "[::1]:9999"] {
        check(&local, "POST", &[("host", host)], Ok(()));
        check(&rules().and_loopback(), "POST", &[("host", host)], Ok(()));
        let origin = format!("http://{host}");
        check(&local, "POST", &[("host", host), ("origin", &origin)], Ok(()));
    }
    let foreign = TransportFault::HostNotAllowed { host: "mcp.example.com".to_owned() };
    check(&local, "POST", &[], Err((403, foreign)));
    let origin = "ftp://localhost";
    let fault = TransportFault::OriginNotAllowed { origin: origin.to_owned() };
    check(&local, "POST", &[("host", "localhost"), ("origin", origin)], Err((403, fault)));
}

#[test]
fn body_is_declared_as_json_once_and_uncompressed() {
    accepts(&[("content-type", "application/json; charset=utf-8")]);
    accepts(&[("content-type", "Application/JSON;x=y")]);
    accepts(&[("content-encoding", "identity")]);
    let none = TransportFault::UnsupportedMediaType { content_type: None };
    refuses(&[("content-type", "")], 415, none.clone());
    refuses(&[("content-type", "application/json"), ("content-type", "text/plain")], 415, none);
    for value in
        ["text/plain", "application/jsonx", "application/x-www-form-urlencoded", "text/json", "json", ";"]
    {
        let fault = TransportFault::UnsupportedMediaType { content_type: Some(value.to_owned()) };
        refuses(&[("content-type", value)], 415, fault);
    }
    let fault = TransportFault::UnsupportedContentEncoding { encoding: "gzip".to_owned() };
    refuses(&[("content-encoding", "gzip")], 415, fault);
}

#[test]
fn accept_must_not_exclude_json() {
    for value in [
        "application/json, text/event-stream",
        "application/json",
        "text/event-stream;q=0.1, APPLICATION/JSON;q=0.5",
        "*/*",
        "application/*;q=0.3",
        "*/*;q=0, application/json",
    ] {
        accepts(&[("accept", value)]);
    }
    accepts(&[("accept", "text/event-stream"), ("accept", "application/json")]);
    for value in [
        "text/event-stream",
        "text/html",
        "application/json;q=0",
        "application/json; q=0.000, */*",
        "application/*;q=0, */*",
        ",",
    ] {
        refuses(&[("accept", value)], 406, TransportFault::NotAcceptable { accept: value.to_owned() });
    }
}

#[test]
fn rules_that_can_match_nothing_are_refused() {
    let check = |hosts: &[&'static str], origins: &[&'static str], expected| {
        let found = TransportRules::parse(hosts.iter().copied(), origins.iter().copied());
        assert_eq!(found.err(), Some(expected));
    };
    check(&[], &[], RulesError::NoHosts);
    check(&["*"], &[], RulesError::InvalidHost("*".into()));
    check(&["https://mcp.example.com"], &[], RulesError::InvalidHost("https://mcp.example.com".into()));
    check(&["a"], &["*"], RulesError::InvalidOrigin("*".into()));
    check(&["a"], &["null"], RulesError::InvalidOrigin("null".into()));
    check(&["a"], &["https://a/"], RulesError::InvalidOrigin("https://a/".into()));
}

#[test]
fn faults_repeat_only_the_beginning_of_a_long_value() {
    let long = "x".repeat(10_000);
    let fault = TransportFault::HostNotAllowed { host: "x".repeat(limits::ECHO) };
    let headers = owned(&[("host", &long)]);
    assert_eq!(rules().check("POST", &headers), Err(TransportFault::MalformedHost { host: "x".repeat(64) }));
    assert_eq!(fault.to_string().len(), "Host not allowed (got \"\")".len() + limits::ECHO);
}

#[test]
fn event_streams_go_to_those_who_name_them() {
    let check = |accept: &[&str], expected| {
        let headers: Vec<_> = accept.iter().map(|value| ("accept", *value)).collect();
        assert_eq!(accepts_event_stream(&owned(&headers)), expected, "{accept:?}");
    };
    check(&["application/json, text/event-stream"], true);
    check(&["application/json", "TEXT/Event-Stream;q=0.5"], true);
    check(&["application/json, text/*"], true);
    check(&[], false);
    check(&["application/json"], false);
    check(&["*/*"], false);
    check(&["*/*, text/event-stream;q=0"], false);
    check(&["text/*;q=0, text/event-stream"], true);
}
