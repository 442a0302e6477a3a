//! Nothing that is kept of sessions is of use to whoever has the store alone: no token, no code, no cookie, of Entra's or of ours, is in its bytes. That none is in
//! the log is searched at the end of every test (`Rig::inspect`).

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::oauth::{self, Authorize, Tokens, refresh, sign_in};
use valet_suite::redis::Redis;
use valet_suite::rig::emulator;
use valet_suite::{Rig, run};

use crate::own_rig;

const HOST: &str = "valet.example";

/// So much of the beginning and of the end of a secret is searched for.
const ENOUGH: usize = 20;

/// How tokens begin: `{"alg":`, `{"typ":`, `{"kid":` and `{"nonce":` in Base64url. The three letters that they have in common are in any megabyte by chance.
const JWT: [&str; 4] = ["eyJhbGci", "eyJ0eXAi", "eyJraWQi", "eyJub25j"];

fn is_in(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Signs in, calls and refreshes, and leaves one code unused and one sign-in under way. Gives what must be kept nowhere, with what it is.
async fn lived(rig: &Rig) -> Vec<(&'static str, String)> {
    let mut browser = Browser::new(rig, ids::ADELE_UPN);
    let first = sign_in(rig, &mut browser).await;
    let second = Tokens::read(rig, &refresh(rig, &first.refresh).await);
    assert_eq!(rig.call("GetUserDetailsFromGraph", &second.access).await.status, 200);
    // Entra is asked once more, so that there is a second refresh token of its own.
    rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
    assert_eq!(rig.call("GetUserDetailsFromGraph", &second.access).await.status, 200);
    let code = oauth::code(rig, &mut browser).await;
    let (_, user_cookie) = browser.cookie(HOST, "__Host-valet-user").unwrap();
    let mut other = Browser::new(rig, ids::ALEX_UPN);
    assert!(other.go(&Authorize::default().url()).await.asks());
    let (_, cookie) = other.cookie(HOST, "__Host-valet-tx-").unwrap();

    let issued = rig.emulator.issued();
    assert!(issued.codes.len() >= 2 && issued.refresh_tokens.len() >= 3, "Entra gave less than was used");
    let mut secrets = vec![("a code", code), ("a cookie", user_cookie), ("a cookie", cookie)];
    secrets.extend(issued.codes.into_iter().map(|code| ("a code of Entra's", code)));
    secrets.extend(issued.refresh_tokens.into_iter().map(|token| ("a refresh token of Entra's", token)));
    for tokens in [first, second] {
        secrets.extend([("a refresh token", tokens.refresh), ("an access token", tokens.access)]);
    }
    secrets
}

/// Panics if one of `secrets`, or any token, is in what a store has kept.
fn holds_none(bytes: &[u8], secrets: &[(&'static str, String)]) {
    // Whose sessions there are is no secret, and shows that these are the records.
    assert!(is_in(bytes, &ids::ADELE.to_string()), "this is not where sessions are");
    for start in JWT {
        assert!(!is_in(bytes, start), "a token that begins with {start}");
    }
    for (what, secret) in secrets {
        // What is before a point names a record or a version, and is no secret.
        let secret = secret.rsplit('.').next().unwrap();
        assert!(secret.len() >= ENOUGH, "{what} of {} characters", secret.len());
        for part in [&secret[..ENOUGH], &secret[secret.len() - ENOUGH..]] {
            assert!(!is_in(bytes, part), "{what}: {part:.6}…");
        }
    }
}

#[test]
fn the_file_of_a_store_holds_no_token_no_code_and_no_cookie() {
    run(async {
        let emulator = emulator().await;
        let mut rig = Rig::start_with(emulator, |config| config.with_sessions().on_disk()).await;
        let secrets = lived(&rig).await;
        let file = rig.folder.path("store.redb");
        holds_none(&std::fs::read(&file).unwrap(), &secrets);
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        holds_none(&std::fs::read(&file).unwrap(), &secrets);
    });
}

/// Redis writes down each command that changes something, also what was replaced or deleted since.
#[test]
fn nothing_that_redis_was_ever_told_holds_a_token_a_code_or_a_cookie() {
    run(async {
        let Some(redis) = Redis::start() else { return };
        let url = redis.url();
        let rig = Rig::start_with(emulator().await, |config| config.with_sessions().with_redis(&url)).await;
        let secrets = lived(&rig).await;
        holds_none(&redis.bytes(), &secrets);
    });
}

/// Entra's codes and refresh tokens are seen by the emulator and the server alone. The emulator tells, so that the log of every test is searched for them; this shows that the
/// search would find one.
#[test]
fn the_search_of_the_log_finds_what_entra_gave_out() {
    run(async {
        let rig = own_rig().await;
        sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let issued = rig.emulator.issued();
        assert!(!issued.codes.is_empty() && !issued.refresh_tokens.is_empty());
        for secret in issued.codes.iter().chain(&issued.refresh_tokens) {
            for line in [format!("a line with {secret} in it"), format!("cut short: {secret:.40}")] {
                assert!(rig.gives_away(&line), "{line}");
            }
        }
        assert!(!rig.gives_away(
            "HTTP/1.1 200 after 1.5 seconds from 127.0.0.1:443, 1.0123456789abcdefghijklmnopqrstuvwxyz"
        ));
        assert!(!rig.gives_away(&rig.log().text()));
    });
}
