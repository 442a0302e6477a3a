//! What a pack may ask of a client, and what a state is bound to.

use super::*;

const FORM: InputRequest<'_> = InputRequest { key: "f", method: "elicitation/create", params: "{}" };
const PAGE: InputRequest<'_> =
    InputRequest { key: "p", method: "elicitation/create", params: r#"{"mode":"url","url":"https://a"}"# };
const SAMPLING: InputRequest<'_> = InputRequest { key: "s", method: "sampling/createMessage", params: "{}" };
const ROOTS: InputRequest<'_> = InputRequest { key: "r", method: "roots/list", params: "{}" };

const NONE: Abilities =
    Abilities { elicitation_form: false, elicitation_url: false, sampling: false, roots: false };

#[test]
fn a_client_is_asked_for_what_it_declared() {
    let all = Abilities { elicitation_form: true, elicitation_url: true, sampling: true, roots: true };
    for (request, needed) in [
        (FORM, Abilities { elicitation_form: true, ..NONE }),
        (InputRequest { params: r#"{"mode":"form"}"#, ..FORM }, Abilities { elicitation_form: true, ..NONE }),
        (PAGE, Abilities { elicitation_url: true, ..NONE }),
        (SAMPLING, Abilities { sampling: true, ..NONE }),
        (ROOTS, Abilities { roots: true, ..NONE }),
    ] {
        let requests = InputRequests::check(vec![request]).unwrap();
        assert_eq!(requests.missing(NONE), Some(needed), "{request:?}");
        assert_eq!(requests.missing(needed), None, "{request:?}");
        assert_eq!(requests.missing(all), None, "{request:?}");
    }
    let requests = InputRequests::check(vec![FORM, PAGE, SAMPLING, ROOTS]).unwrap();
    assert_eq!(requests.missing(NONE), Some(all), "all that is missing at once");
    let has = Abilities { sampling: true, elicitation_form: true, ..NONE };
    let lacks = Abilities { elicitation_url: true, roots: true, ..NONE };
    assert_eq!(requests.missing(has), Some(lacks));
    assert_eq!(InputRequests::check(vec![]).unwrap().missing(NONE), None);
}

#[test]
fn what_a_pack_may_not_ask_is_refused() {
    let check = |requests: Vec<InputRequest<'_>>, expected: PackFault| {
        assert_eq!(InputRequests::check(requests), Err(expected));
    };
    let unusable = |reason: &str| PackFault::Unusable { reason: reason.to_owned() };
    let keys: Vec<_> = (0..=limits::INPUT_REQUESTS).map(|index| index.to_string()).collect();
    let many: Vec<_> = keys.iter().map(|key| InputRequest { key, ..ROOTS }).collect();
    assert!(InputRequests::check(many[1..].to_vec()).is_ok());
    check(many, unusable("9 input requests, at most 8 are allowed"));
    check(vec![InputRequest { key: "", ..ROOTS }], unusable("an input request's key has 0 bytes"));
    let long = "k".repeat(limits::INPUT_KEY + 1);
    check(vec![InputRequest { key: &long, ..ROOTS }], unusable("an input request's key has 129 bytes"));
    check(vec![ROOTS, FORM, ROOTS], PackFault::Duplicate { member: "r".to_owned() });
    let method = InputRequest { method: "tools/call", ..ROOTS };
    check(vec![FORM, method], unusable("the input request `r` is `tools/call`"));
    check(vec![InputRequest { params: "[]", ..ROOTS }], PackFault::NotAnObject);
    check(vec![InputRequest { params: "", ..FORM }], PackFault::NotAnObject);
    let mode = InputRequest { params: r#"{"mode":"voice"}"#, ..FORM };
    check(vec![mode], unusable(r#"an elicitation of mode "voice""#));
    let params = format!(r#"{{"message":"{}"}}"#, "m".repeat(limits::INPUT_REQUEST));
    check(vec![InputRequest { params: &params, ..FORM }], unusable("the input request `f` has 16398 bytes"));
}

#[test]
fn pages_alone_can_be_asked_of_older_clients() {
    let pages = |requests| InputRequests::check(requests).unwrap().pages();
    let with_id = r#"{"elicitationId":"x","mode":"url"}"#;
    assert_eq!(
        pages(vec![PAGE, InputRequest { key: "q", params: with_id, ..PAGE }]),
        Some(vec![r#"{"elicitationId":"p","mode":"url","url":"https://a"}"#.to_owned(), with_id.to_owned()])
    );
    for requests in [vec![], vec![FORM], vec![PAGE, FORM], vec![PAGE, ROOTS], vec![SAMPLING]] {
        assert_eq!(pages(requests), None);
    }
}

#[test]
fn a_page_is_an_elicitation_that_can_be_asked_of_anybody_who_has_pages() {
    let params = page("Enter \"AB\" there.", "https://a/?b=c");
    assert_eq!(params, r#"{"mode":"url","message":"Enter \"AB\" there.","url":"https://a/?b=c"}"#);
    let requests = InputRequests::check(vec![InputRequest { params: &params, ..PAGE }]).unwrap();
    assert_eq!(requests.missing(Abilities { elicitation_url: true, ..NONE }), None);
    assert_eq!(requests.pages().map(|pages| pages.len()), Some(1));
}

#[test]
fn only_a_refusal_is_a_refusal() {
    for (result, is_refusal) in [
        (r#"{"action":"decline"}"#, true),
        (r#"{"content":{},"action":"cancel"}"#, true),
        (r#"{"action":"accept"}"#, false),
        (r#"{"action":"declined"}"#, false),
        (r#"{"action":{"action":"decline"}}"#, false),
        ("{}", false),
        ("[]", false),
        ("", false),
    ] {
        assert_eq!(declined(result), is_refusal, "{result}");
    }
}

#[test]
fn no_two_requests_have_the_same_binding() {
    let bindings = [
        binding(&["t", "o", "c", "tools/call", "a", "{}"]),
        binding(&["t", "o", "c", "tools/call", "a", "{} "]),
        binding(&["t", "o", "c", "tools/call", "b", "{}"]),
        binding(&["t", "o", "c", "prompts/get", "a", "{}"]),
        binding(&["t", "o", "d", "tools/call", "a", "{}"]),
        binding(&["t", "p", "c", "tools/call", "a", "{}"]),
        binding(&["u", "o", "c", "tools/call", "a", "{}"]),
        binding(&["to", "", "c", "tools/call", "a", "{}"]),
        binding(&["", "to", "c", "tools/call", "a", "{}"]),
        binding(&["t", "o", "c", "tools/calla", "", "{}"]),
    ];
    for (index, one) in bindings.iter().enumerate() {
        for other in &bindings[index + 1..] {
            assert_ne!(one, other);
        }
    }
    assert_eq!(binding(&["ab"]), [0, 0, 0, 0, 0, 0, 0, 2, b'a', b'b']);
}
