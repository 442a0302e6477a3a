//! Refresh tokens: the rule by example, and then by many random histories.

use super::*;
use crate::testing::{NOW, Numbers, grant, secret, session, settings};

const FAMILY: &str = "BQUFBQUFBQUFBQUFBQUFBQ";

fn first() -> Issued {
    begin(grant(), FAMILY, &[9; 32], &[1; 16], &settings(), NOW)
}

/// What comes of presenting a token to a record: the next token and record, or what was decided instead.
fn present(
    record: &[u8],
    token: &SecretString,
    random: u8,
    now: u64,
) -> Result<Issued, Option<RefreshError>> {
    let presented = Presented::parse(token).unwrap();
    match decide(Some(record), &presented, "web", None, &[random; 16], &settings(), now) {
        Ok(Decision::Rotate(rotation)) => {
            assert_eq!(rotation.session(), "session-1");
            Ok(rotation.finish(session(), now))
        }
        Ok(Decision::Reused { grant }) => {
            assert_eq!(grant.session.id, "session-1");
            Err(None)
        }
        Err(error) => Err(Some(error)),
    }
}

#[track_caller]
fn reused(record: &[u8], token: &SecretString, now: u64) {
    assert_eq!(present(record, token, 99, now).map(drop), Err(None));
}

#[test]
fn a_token_is_kept_as_a_digest() {
    let first = first();
    let (family, token) = first.token.expose_secret().split_once('.').unwrap();
    assert_eq!((family, token.len()), (FAMILY, 43));
    assert_eq!(first.record, format!("refresh/{FAMILY}"));
    assert_eq!(first.lifetime, 30 * 24 * 3600);
    assert!(!String::from_utf8(first.value).unwrap().contains(token));
    assert_eq!(Presented::parse(&first.token).unwrap().record_name(), first.record);
}

/// O-28, C9.
#[test]
fn a_token_is_good_until_its_successor_is_used() {
    let (a, t) = (first(), NOW + 10);
    let b = present(&a.value, &a.token, 2, t).unwrap();
    let c = present(&b.value, &b.token, 3, t).unwrap();
    assert_ne!(b.token.expose_secret(), a.token.expose_secret());
    // `a` after its successor `b` was used.
    reused(&c.value, &a.token, t);
    assert!(present(&c.value, &c.token, 4, t).is_ok());
}

/// A lost answer, or a crash between writing the record and answering.
#[test]
fn a_token_is_taken_again_while_its_successor_is_unused() {
    let (a, t) = (first(), NOW + 10);
    let b = present(&a.value, &a.token, 2, t).unwrap();
    let b2 = present(&b.value, &a.token, 3, t + 599).unwrap();
    // Both successors are good; the first that is used is the one.
    let c = present(&b2.value, &b.token, 4, t + 599).unwrap();
    reused(&c.value, &b2.token, t + 599);
    let c2 = present(&b2.value, &b2.token, 4, t + 599).unwrap();
    reused(&c2.value, &b.token, t + 599);
    // Not for longer than an access token lives, however often it is taken.
    reused(&b.value, &a.token, t + 600);
    reused(&b2.value, &a.token, t + 600);
    assert!(present(&b.value, &b.token, 5, t + 6000).is_ok());
}

#[test]
fn successors_of_one_token_are_bounded() {
    let a = first();
    let mut successors = vec![present(&a.value, &a.token, 2, NOW).unwrap()];
    for at in 0..limits::SUCCESSORS {
        let last = successors.last().unwrap();
        let dice = 10 + u8::try_from(at).unwrap();
        successors.push(present(&last.value, &a.token, dice, NOW).unwrap());
    }
    let record = &successors.last().unwrap().value;
    reused(record, &successors[0].token, NOW);
    for (at, successor) in successors.iter().enumerate().skip(1) {
        assert!(present(record, &successor.token, 50, NOW).is_ok(), "{at}");
    }
}

/// Who knows a family's id, or has the token of another, ends nothing by making one up.
#[test]
fn a_token_that_was_never_given_out_ends_nothing() {
    let first = first();
    let (_, secret) = first.token.expose_secret().split_once('.').unwrap();
    let another = begin(grant(), "AAAAAAAAAAAAAAAAAAAAAA", &[8; 32], &[1; 16], &settings(), NOW);
    let (_, foreign) = another.token.expose_secret().split_once('.').unwrap();
    let second = begin(grant(), "AAAAAAAAAAAAAAAAAAAAAA", &[9; 32], &[1; 16], &settings(), NOW);
    let (_, of_another_family) = second.token.expose_secret().split_once('.').unwrap();
    let changed = format!("{}{}", &secret[..42], if secret.ends_with('A') { 'Q' } else { 'A' });
    for made_up in ["A".repeat(43).as_str(), foreign, of_another_family, &changed, &secret.replace('A', "B")]
    {
        let token = SecretString::from(format!("{FAMILY}.{made_up}"));
        assert_eq!(
            present(&first.value, &token, 2, NOW).map(drop),
            Err(Some(RefreshError::Forged)),
            "{made_up}"
        );
        let presented = Presented::parse(&token).unwrap();
        assert_eq!(revoke(Some(&first.value), &presented, "web"), Err(RefreshError::Forged));
    }
    // The whole token of the family still does.
    let next = present(&first.value, &first.token, 2, NOW).unwrap();
    let third = present(&next.value, &next.token, 3, NOW).unwrap();
    reused(&third.value, &first.token, NOW);
}

/// O-29.
#[test]
fn a_token_is_for_its_client_and_ends() {
    let first = first();
    let presented = Presented::parse(&first.token).unwrap();
    let other = decide(Some(&first.value), &presented, "other", None, &[2; 16], &settings(), NOW);
    assert_eq!(other.map(drop), Err(RefreshError::Client { found: "other".into() }));
    let end = NOW + 30 * 24 * 3600;
    let expired = RefreshError::Expired { expires_at: end, now: end };
    assert_eq!(present(&first.value, &first.token, 2, end).map(drop), Err(Some(expired)));
    assert!(present(&first.value, &first.token, 2, end - 1).is_ok());
    // Rotation does not put off the end.
    let next = present(&first.value, &first.token, 2, end - 1).unwrap();
    assert_eq!(next.lifetime, 1);
    for record in [None, Some(&b""[..]), Some(b"{}")] {
        let found = decide(record, &presented, "web", None, &[2; 16], &settings(), NOW);
        assert_eq!(found.map(drop), Err(RefreshError::Unknown));
    }
}

#[test]
fn a_scope_is_narrowed_for_one_access_token() {
    let first = first();
    let presented = Presented::parse(&first.token).unwrap();
    let with = |record: &[u8], presented, scope| {
        decide(Some(record), presented, "web", Some(scope), &[2; 16], &settings(), NOW)
    };
    let Ok(Decision::Rotate(rotation)) = with(&first.value, &presented, "mcp.write") else { panic!() };
    let next = rotation.finish(session(), NOW);
    assert_eq!(next.grant.scopes, ["mcp.write"]);
    let again = present(&next.value, &next.token, 3, NOW).unwrap();
    assert_eq!(again.grant.scopes, ["mcp.access", "mcp.write"], "the family has what was granted");
    let more = with(&first.value, &presented, "mcp.write admin");
    let unknown = ScopeError::Unknown { scope: "admin".into() };
    assert_eq!(more.map(drop), Err(RefreshError::Scope(unknown)));
    assert!(present(&first.value, &first.token, 2, NOW).is_ok());
}

#[test]
fn a_session_may_have_changed() {
    let first = first();
    let presented = Presented::parse(&first.token).unwrap();
    let decision = decide(Some(&first.value), &presented, "web", None, &[2; 16], &settings(), NOW);
    let Ok(Decision::Rotate(rotation)) = decision else { panic!() };
    let changed = Session { roles: vec![], ..session() };
    let next = rotation.finish(changed.clone(), NOW);
    assert_eq!(next.grant.session, changed);
}

#[test]
fn what_was_never_a_token_is_none() {
    let good = first().token.expose_secret().to_owned();
    for text in [
        "",
        ".",
        "x",
        &good[1..],
        &good[..good.len() - 1],
        &format!("{good}x"),
        &good.replace('.', "/"),
        &good.replace('B', "+"),
    ] {
        assert!(Presented::parse(&secret(text)).is_none(), "{text}");
    }
    assert!(Presented::parse(&first().token).is_some());
}

/// O-30.
#[test]
fn only_its_client_revokes_it() {
    let first = first();
    let presented = Presented::parse(&first.token).unwrap();
    let revoke = |record: &Issued, client| {
        revoke(Some(&record.value), &presented, client).map(|grant| grant.session.id)
    };
    assert_eq!(revoke(&first, "web"), Ok("session-1".into()));
    assert_eq!(revoke(&first, "other"), Err(RefreshError::Client { found: "other".into() }));
    assert_eq!(super::revoke(None, &presented, "web"), Err(RefreshError::Unknown));
    // One that is not in force any more was given to this client all the same.
    let next = present(&first.value, &first.token, 2, NOW).unwrap();
    let third = present(&next.value, &next.token, 3, NOW).unwrap();
    assert_eq!(revoke(&third, "web"), Ok("session-1".into()));
}

/// An honest client whose answers are lost now and then, and who asks again with what it has, is never shut out.
#[test]
fn lost_answers_shut_nobody_out() {
    let mut numbers = Numbers(7);
    for _ in 0..100 {
        let (mut held, mut record, mut now) = (first().token, first().value, NOW);
        for _ in 0..20 {
            now += numbers.next() % 100_000;
            let attempts = 1 + numbers.below(6);
            for attempt in 1..=attempts {
                let presented = Presented::parse(&held).unwrap();
                let decision =
                    decide(Some(&record), &presented, "web", None, &numbers.id(), &settings(), now);
                let Ok(Decision::Rotate(rotation)) = decision else {
                    panic!("shut out at attempt {attempt}: {decision:?}")
                };
                let next = rotation.finish(session(), now);
                record = next.value;
                if attempt == attempts {
                    held = next.token;
                }
                now += numbers.next() % 100;
            }
        }
    }
}

/// Two who hold copies of one token: after both have used what they got for it, the family has ended.
#[test]
fn a_thief_and_the_owner_meet() {
    let mut numbers = Numbers(11);
    for _ in 0..500 {
        let mut record = first().value;
        let mut now = NOW;
        // The owner rotates a few times, then the thief has a copy of what the owner holds.
        let mut held = [first().token, first().token];
        let mut uses = [0, 0];
        let mut ended = false;
        for _ in 0..20 {
            let who = numbers.below(2);
            now += numbers.next() % 400;
            let presented = Presented::parse(&held[who]).unwrap();
            match decide(Some(&record), &presented, "web", None, &numbers.id(), &settings(), now) {
                Ok(Decision::Rotate(rotation)) => {
                    let next = rotation.finish(session(), now);
                    (record, held[who]) = (next.value, next.token);
                    uses[who] += 1;
                    assert!(
                        uses[0] < 2 || uses[1] < 2,
                        "both have used a token that followed from the stolen one: {uses:?}"
                    );
                }
                Ok(Decision::Reused { .. }) => {
                    ended = true;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(ended || uses[0] == 0 || uses[1] == 0, "{uses:?}");
    }
}
