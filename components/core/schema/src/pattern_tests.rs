//! What of ECMA-262 is read, how, and what is refused.

use super::*;

#[track_caller]
fn check(source: &str, matching: &[&str], others: &[&str]) {
    let pattern = Pattern::new(source).unwrap();
    for text in matching {
        assert!(pattern.matches(text), "{source} {text:?}");
    }
    for text in others {
        assert!(!pattern.matches(text), "{source} {text:?}");
    }
}

#[track_caller]
fn refused(source: &str, problem: &str) {
    assert_eq!(Pattern::new(source).unwrap_err(), problem, "{source}");
    check("^a", &["ab"], &["ba"]);
}

#[test]
fn a_pattern_is_searched_for_anywhere() {
    check("b", &["abc", "b"], &["", "ac"]);
    check("^b$", &["b"], &["abc", "b\n", "\nb", "a\nb\nc"]);
    check("", &["", "a"], &[]);
}

#[test]
fn classes_are_those_of_ecma_262() {
    check(r"^\d$", &["7"], &["٧", "a"]);
    check(r"^\w$", &["a", "_", "9"], &["é", "-"]);
    check(r"^\s$", &[" ", "\u{b}", "\u{a0}", "\u{2028}", "\u{feff}"], &["a", "\u{85}"]);
    check(r"^\S$", &["a", "\u{85}"], &[" ", "\u{a0}"]);
    check(r"^[\s\d-]+$", &["1 \u{3000}-"], &["a"]);
    check("^.$", &["a", "é", "😀", "\u{85}"], &["\n", "\r", "\u{2028}", "\u{2029}", "ab"]);
    check("^[[&&~~^]+$", &["[&~^"], &["a"]);
    check(r"^[\b]$", &["\u{8}"], &["b"]);
    check("^[^a-c]$", &["d", "\n"], &["b"]);
    check(r"^[a\]\-z]$", &["]", "-", "z"], &["b", "\\"]);
    check("^[é-ü]$", &["ö"], &["e"]);
}

#[test]
fn escapes_are_those_of_ecma_262() {
    check(r"^\x41\u0042\cJ\0\t\/\-\.\^$", &["AB\n\0\t/-.^"], &["AB\n\0\t/-x^"]);
    check(r"^\<\>\@\ \_\:$", &["<>@ _:"], &["@"]);
    check(r"\bcat\b", &["a cat!"], &["concat"]);
    check(r"^\Bb", &[], &["b"]);
    check(r"^\{a\}\[\]\(\)$", &["{a}[]()"], &["a"]);
}

#[test]
fn groups_and_quantifiers_work() {
    check("^(?:a|b){2,3}?(?<name>c)?$", &["ab", "abac"], &["a", "abababc"]);
    check("^(a+)+$", &["aaaa"], &["aaab"]);
    check("^a{2}b{1,}$", &["aabb"], &["ab", "aa"]);
}

#[test]
fn what_another_meaning_could_hide_in_is_refused() {
    for source in ["a(?=b)", "a(?!b)", "(?<=a)b", "(?<!a)b", "(?i)a", "(?i:a)", "(?P<n>a)", "(?#x)"] {
        refused(source, "look-around and flags are not supported");
    }
    refused(r"(a)\1", r"`\1` is not supported");
    refused(r"\k<a>", r"`\k` is not supported");
    refused(r"\p{L}", r"`\p` is not supported");
    refused(r"[\p{L}]", r"`\p` is not supported in a class");
    refused(r"\A", r"`\A` is not supported");
    refused(r"\z", r"`\z` is not supported");
    refused(r"\a", r"`\a` is not supported");
    refused(r"[\B]", r"`\B` is not supported in a class");
    refused(r"\b{start}", r"`\b` is not supported");
    refused(r"\x{41}", r"an incomplete `\x` or `\u`");
    refused(r"\u{1F600}", r"an incomplete `\x` or `\u`");
    refused(r"\c1", r"an incomplete `\c`");
    refused("[]", "empty character classes are not supported");
    refused("[^]", "empty character classes are not supported");
    refused("[a", "a character class is not closed");
    refused("a\\", "ends with `\\`");
    refused("(?<a", "the name of a group is not closed");
    for source in ["{a}", "a{,3}", "a{ 2}", "a{+2}", "a{2", "a{1,2,3}", "a{}", "a{{2}"] {
        refused(source, "`{` is no quantifier; write `\\{` for the character");
    }
    for source in ["(a", "a)", "*a", "[b-a]", r"\ud83d\ude00", "a{3,2}"] {
        assert!(Pattern::new(source).is_err(), "{source}");
    }
}

#[test]
fn size_is_bounded_before_anything_is_built() {
    assert!(Pattern::new(&"a".repeat(limits::PATTERN)).is_ok());
    refused(&"a".repeat(limits::PATTERN + 1), "longer than 1024 bytes");
    check("^.{0,1000}$", &["a"], &[]);
    for source in [
        "(a{1000}){1000}",
        "(?:){4000000000}",
        "(?:(?:){60000}){60000}",
        "a{99999999999999999}",
        "((a{50}){50}){50}",
    ] {
        assert!(Pattern::new(source).is_err(), "{source}");
    }
    refused("(?:a{1000}b){3}", "has more than 2048 positions");
    assert!(Pattern::new(&format!("{}a{}", "(".repeat(31), ")".repeat(31))).is_ok());
    assert!(Pattern::new(&format!("{}a{}", "(".repeat(200), ")".repeat(200))).is_err());
    assert!(Pattern::new(&format!("a{}", "*".repeat(1000))).is_err());
}

#[test]
fn cost_grows_with_text_and_positions() {
    assert_eq!(Pattern::new("^a$").unwrap().cost(""), limits::SEARCH);
    assert_eq!(Pattern::new("^a$").unwrap().cost("xx"), limits::SEARCH + 6);
    // 66 positions: `a`, sixty-four of the class, `b`.
    let pattern = Pattern::new("^a[0-9]{1,64}b$").unwrap();
    assert_eq!(pattern.cost(&"x".repeat(800)), limits::SEARCH + 800 * (3 + 66 / 8));
    assert_eq!(Pattern::new("(?:ab){3}c|d").unwrap().cost("xx"), limits::SEARCH + 8);
}

#[test]
fn no_pattern_takes_exponential_time() {
    check("^(a+)+$", &[], &[&format!("{}b", "a".repeat(20_000))]);
    check("^(a|a|a?)*$", &[], &[&format!("{}b", "a".repeat(5_000))]);
}
