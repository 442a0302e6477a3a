//! The form of a token: segments, base64url, size, and JSON that all parsers read alike.

use serde_json::json;

use super::{
    Given, PERFECT, TENANT, accepted, base64url, claims, header, mint, mint_text, refused, sign, with,
    with_text,
};
use crate::{MAX_DEPTH, MAX_TOKEN_BYTES, TokenError};

const HEADER_ENCODING: TokenError = TokenError::Malformed { what: "header is not base64url" };
const PAYLOAD_ENCODING: TokenError = TokenError::Malformed { what: "payload is not base64url" };
const SIGNATURE_ENCODING: TokenError = TokenError::Malformed { what: "signature is not base64url" };
const SEGMENTS: TokenError = TokenError::Malformed { what: "not three segments" };
const HEADER_JSON: TokenError = TokenError::Malformed { what: "header is not one JSON object" };
const PAYLOAD_JSON: TokenError = TokenError::Malformed { what: "payload is not one JSON object" };

/// A way to spoil a text, with its name.
type Spoil<T> = (&'static str, fn(&str) -> T);

/// Header, payload and signature of the perfect token.
fn parts() -> [&'static str; 3] {
    let parts: Vec<_> = PERFECT.split('.').collect();
    parts.try_into().unwrap()
}

#[test]
fn there_are_exactly_three_segments() {
    let [header, payload, signature] = parts();
    let jwe_header = base64url(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let cases = [
        String::new(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!(".{header}.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        format!("{jwe_header}.{signature}.{header}.{payload}.{header}"),
        json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
        "....".into(),
    ];
    for token in cases {
        refused(&token, &Given::token(token.clone()), SEGMENTS);
    }
}

#[test]
fn no_segment_is_empty() {
    let [header, payload, signature] = parts();
    refused("header", &Given::token(format!(".{payload}.{signature}")), HEADER_ENCODING);
    refused("payload", &Given::token(sign(&format!("{header}."))), PAYLOAD_ENCODING);
    refused("signature", &Given::token(format!("{header}.{payload}.")), SIGNATURE_ENCODING);
    refused("all", &Given::token(".."), HEADER_ENCODING);
}

#[test]
fn each_segment_has_one_spelling() {
    let respell: [Spoil<String>; 8] = [
        ("one pad", |segment| format!("{segment}=")),
        ("two pads", |segment| format!("{segment}==")),
        ("trailing space", |segment| format!("{segment} ")),
        ("leading space", |segment| format!(" {segment}")),
        ("line feed", |segment| format!("{segment}\n")),
        ("nul", |segment| format!("{segment}\0")),
        ("percent", |segment| format!("{segment}%3D")),
        ("not ascii", |segment| format!("{segment}é")),
    ];
    for (name, respell) in respell {
        let [header, payload, signature] = parts();
        // Header and payload are signed anew in the odd spelling, so that nothing but the spelling is wrong.
        let cases = [
            (sign(&format!("{}.{payload}", respell(header))), HEADER_ENCODING),
            (sign(&format!("{header}.{}", respell(payload))), PAYLOAD_ENCODING),
            (format!("{header}.{payload}.{}", respell(signature)), SIGNATURE_ENCODING),
        ];
        for (token, error) in cases {
            refused(name, &Given::token(token), error);
        }
    }
}

#[test]
fn the_standard_alphabet_is_refused() {
    // The tilde makes a `-` and the question mark a `_` in base64url, whatever the position.
    let marked = with(claims(), "aio", json!("~~~~~~~~???????>>>>>>>"));
    let good = mint(&header(), &marked);
    let [header, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    assert!(payload.contains(['-', '_']), "the payload has to show the alphabet: {payload}");
    accepted("url-safe", &Given::token(&*good));
    let standard = payload.replace('-', "+").replace('_', "/");
    refused("payload", &Given::token(sign(&format!("{header}.{standard}"))), PAYLOAD_ENCODING);
    let signature = format!("+{}", &signature[1..]);
    refused("signature", &Given::token(format!("{header}.{payload}.{signature}")), SIGNATURE_ENCODING);
}

#[test]
fn unused_bits_of_the_last_character_are_zero() {
    let next = |segment: &str| {
        let last = segment.chars().last().unwrap();
        format!("{}{}", &segment[..segment.len() - 1], char::from_u32(last as u32 + 1).unwrap())
    };
    // 256 bytes end in a character with four unused bits, which honest encoders leave zero: A, Q, g or w.
    let [header, payload, signature] = parts();
    assert!(signature.ends_with(['A', 'Q', 'g', 'w']));
    refused(
        "signature",
        &Given::token(format!("{header}.{payload}.{}", next(signature))),
        SIGNATURE_ENCODING,
    );
    let spaced = |text: String| {
        (0..3).map(|n| format!("{text}{}", " ".repeat(n))).find(|text| text.len() % 3 == 1).unwrap()
    };
    let payload = base64url(spaced(claims().to_string()));
    accepted("canonical", &Given::token(sign(&format!("{header}.{payload}"))));
    refused("payload", &Given::token(sign(&format!("{header}.{}", next(&payload)))), PAYLOAD_ENCODING);
    let header = base64url(spaced(super::header().to_string()));
    refused("header", &Given::token(sign(&format!("{}.{payload}", next(&header)))), HEADER_ENCODING);
}

#[test]
fn nothing_stands_around_the_token() {
    let token = &*PERFECT;
    for (around, error) in [
        (format!(" {token}"), HEADER_ENCODING),
        (format!("\u{feff}{token}"), HEADER_ENCODING),
        (format!("Bearer {token}"), HEADER_ENCODING),
        (format!("\"{token}\""), HEADER_ENCODING),
        (format!("{token} "), SIGNATURE_ENCODING),
        (format!("{token}\r\n"), SIGNATURE_ENCODING),
        (format!("{token},{token}"), SEGMENTS),
    ] {
        refused(&around, &Given::token(around.clone()), error);
    }
}

#[test]
fn sixteen_kilobytes_are_the_limit() {
    let filled = |bytes: usize| mint(&header(), &with(claims(), "groups", json!("g".repeat(bytes))));
    let filling = (0..MAX_TOKEN_BYTES).rev().find(|&bytes| {
        let claims = with(claims(), "groups", json!("g".repeat(bytes))).to_string().len();
        PERFECT.len() - parts()[1].len() + (claims * 4).div_ceil(3) <= MAX_TOKEN_BYTES
    });
    let largest = filled(filling.unwrap());
    assert_eq!(largest.len(), MAX_TOKEN_BYTES);
    accepted("largest", &Given::token(largest));
    for bytes in [MAX_TOKEN_BYTES + 1, 1 << 20] {
        let error = TokenError::TooLarge { bytes, limit: MAX_TOKEN_BYTES };
        let mut token = filled(bytes);
        token.truncate(bytes);
        refused("too large", &Given::token(token), error);
    }
}

#[test]
fn header_and_payload_are_one_json_object_each() {
    let (header, claims) = (header().to_string(), claims().to_string());
    let spoil: [Spoil<Vec<u8>>; 14] = [
        ("empty object cut", |json| json.as_bytes()[..json.len() - 1].to_vec()),
        ("trailing object", |json| format!("{json}{{}}").into_bytes()),
        ("trailing comma", |json| json.replace('}', ",}").into_bytes()),
        ("comment", |json| format!("{json}//").into_bytes()),
        ("byte order mark", |json| format!("\u{feff}{json}").into_bytes()),
        ("nul at the end", |json| format!("{json}\0").into_bytes()),
        ("array", |json| format!("[{json}]").into_bytes()),
        ("string", |json| json!(json).to_string().into_bytes()),
        ("number", |_| b"1".to_vec()),
        ("null", |_| b"null".to_vec()),
        ("blank", |_| b" ".to_vec()),
        ("single quotes", |json| json.replace('"', "'").into_bytes()),
        ("utf-16", |json| json.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("invalid utf-8", |json| [&json.as_bytes()[..json.len() - 2], b"\xff\"}"].concat()),
    ];
    for (name, spoil) in spoil {
        refused(name, &Given::token(mint_text(spoil(&header), &claims)), HEADER_JSON);
        refused(name, &Given::token(mint_text(&header, spoil(&claims))), PAYLOAD_JSON);
    }
    accepted("white space", &Given::token(mint_text(format!(" \r\n\t{header}\n"), format!("\n{claims} "))));
}

#[test]
fn a_nested_token_is_no_payload() {
    let inner = mint(&header(), &claims());
    refused("bare", &Given::token(mint_text(header().to_string(), &inner)), PAYLOAD_JSON);
    refused("quoted", &Given::token(mint_text(header().to_string(), json!(inner).to_string())), PAYLOAD_JSON);
}

#[test]
fn no_member_occurs_twice_in_any_spelling() {
    let duplicate_in_header =
        [r#""alg":"RS256""#, r#""alg":"none""#, r#""ALG":"none""#, r#""Kid":"x""#, r#""\u0061lg":"none""#];
    for member in duplicate_in_header {
        let token = mint_text(with_text(&header(), member), claims().to_string());
        refused(member, &Given::token(token), twice(&written(member).to_ascii_lowercase()));
    }
    let tenant = format!(r#""TID":"{TENANT}""#);
    let duplicate_in_payload = [
        &tenant,
        r#""tid":"0f7a9c11-5d39-4f3e-9d43-c3f2d3b9c0ab""#,
        r#""Tid":"0f7a9c11-5d39-4f3e-9d43-c3f2d3b9c0ab""#,
        r#""\u0074id":"0f7a9c11-5d39-4f3e-9d43-c3f2d3b9c0ab""#,
        r#""aud":"api://other""#,
        r#""exp":4102444800"#,
        r#""aio":"decides nothing""#,
    ];
    for member in duplicate_in_payload {
        let front = mint_text(header().to_string(), with_text(&claims(), member));
        refused(member, &Given::token(front), twice(&written(member).to_ascii_lowercase()));
        let last = claims().to_string().replace('}', &format!(",{member}}}"));
        refused(member, &Given::token(mint_text(header().to_string(), last)), twice(&written(member)));
    }
}

/// The name of a member that is given as text.
fn written(member: &str) -> String {
    let object: serde_json::Map<_, _> = serde_json::from_str(&format!("{{{member}}}")).unwrap();
    object.keys().next().unwrap().clone()
}

fn twice(member: &str) -> TokenError {
    TokenError::DuplicateMember { member: member.into() }
}

#[test]
fn a_name_that_occurs_twice_is_shown_shortened_and_printable() {
    let name = json!(format!("n\u{7}\u{e9}{}", "x".repeat(200)));
    let member = format!("{name}:1,{name}:2");
    let shown = format!("n??{}", "x".repeat(125));
    let token = mint_text(header().to_string(), with_text(&claims(), &member));
    refused("payload", &Given::token(token), twice(&shown));
    assert_eq!(twice(&shown).to_string(), format!("member `{shown}` occurs twice"));
}

/// What is no JSON is called that, whatever else is wrong with it.
#[test]
fn a_name_that_occurs_twice_in_no_object_is_not_what_is_told() {
    for (name, behind) in [("trailing", "}x"), ("cut", ""), ("no value", r#","b"}"#)] {
        let text = format!(r#"{{"a":1,"a":2{behind}"#);
        refused(name, &Given::token(mint_text(&text, claims().to_string())), HEADER_JSON);
        refused(name, &Given::token(mint_text(header().to_string(), text)), PAYLOAD_JSON);
    }
    let more = mint_text(header().to_string(), r#"{"a":1,"a":2,"b":[1,{}],"b":3}"#);
    refused("members behind it", &Given::token(more), twice("a"));
}

#[test]
fn members_are_limited_in_number() {
    let many =
        |count: usize| (0..count).fold(claims(), |object, at| with(object, &format!("x{at}"), json!(at)));
    let parameters =
        |count: usize| (0..count).fold(header(), |object, at| with(object, &format!("x{at}"), json!(at)));
    let error = || TokenError::TooManyMembers { limit: 128 };
    let own = claims().as_object().unwrap().len();
    accepted("128", &Given::token(mint(&header(), &many(128 - own))));
    refused("129", &Given::token(mint(&header(), &many(129 - own))), error());
    refused("300", &Given::token(mint(&header(), &many(300 - own))), error());
    let own = header().as_object().unwrap().len();
    accepted("128 in the header", &Given::token(mint(&parameters(128 - own), &claims())));
    refused("129 in the header", &Given::token(mint(&parameters(129 - own), &claims())), error());
    assert_eq!(error().to_string(), "more than 128 members");
}

/// An array of `levels` levels.
fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn thirty_two_levels_are_the_limit() {
    let too_deep = |levels| TokenError::TooDeep { levels, limit: MAX_DEPTH };
    let claim = |member: &str| Given::token(mint_text(header().to_string(), with_text(&claims(), member)));
    let parameter =
        |member: &str| Given::token(mint_text(with_text(&header(), member), claims().to_string()));
    // The object itself is the first level.
    for levels in [1, MAX_DEPTH - 1] {
        let member = format!(r#""x":{}"#, nested(levels));
        accepted("in a claim", &claim(&member));
        accepted("in the header", &parameter(&member));
    }
    for levels in [MAX_DEPTH, MAX_DEPTH + 1, 4000] {
        let member = format!(r#""x":{}"#, nested(levels));
        refused("in a claim", &claim(&member), too_deep(levels + 1));
        refused("in the header", &parameter(&member), too_deep(levels + 1));
    }
    let roles = format!(r#""roles":{}"#, nested(MAX_DEPTH - 1));
    let found = Some(nested(MAX_DEPTH - 1));
    refused("where roles are read", &claim(&roles), TokenError::Claim { claim: "roles", found });
    let open = mint_text(header().to_string(), format!(r#"{{"x":{}"#, "[".repeat(4000)));
    refused("never closed", &Given::token(open), too_deep(4001));
    let objects = mint_text(header().to_string(), r#"{"a":"#.repeat(1500));
    refused("objects", &Given::token(objects), too_deep(1500));
    let in_turns = format!(r#""x":{}1{}"#, r#"[{"a":"#.repeat(16), "}]".repeat(16));
    refused("in turns", &claim(&in_turns), too_deep(33));
}

#[test]
fn only_brackets_that_are_open_at_the_same_time_are_counted() {
    let claim = |member: &str| Given::token(mint_text(header().to_string(), with_text(&claims(), member)));
    let beside = vec!["[[]]"; 200].join(",");
    for member in [
        format!(r#""x":[{beside}]"#),
        format!(r#""x":"{}""#, "[{".repeat(200)),
        format!(r#""x":"\"{}""#, "[".repeat(200)),
        format!(r#""x":"\\\"{}""#, "[".repeat(200)),
        format!(r#""{}":1"#, "[".repeat(200)),
    ] {
        accepted(&member, &claim(&member));
    }
    // The string ends before the brackets: its last character is a backslash that is itself escaped.
    let behind = format!(r#""x":["\\",{}]"#, nested(MAX_DEPTH));
    let error = TokenError::TooDeep { levels: MAX_DEPTH + 2, limit: MAX_DEPTH };
    refused("behind a backslash", &claim(&behind), error);
    // What closes more than it opens is no JSON, and buys no depth.
    let closed = format!(r#""x":1{}{}"#, "]".repeat(100), nested(50));
    let error = TokenError::TooDeep { levels: 50, limit: MAX_DEPTH };
    refused("closed before", &claim(&closed), error);
}
