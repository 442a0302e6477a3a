//! kill −9 in the middle of a refresh: afterwards the old refresh token or the new one works, never neither. Each refresh has to ask Entra, whose refresh token is
//! replaced and kept before the client has its answer: once it has, Entra's tokens that were used are ended here, which Entra itself does not do.

use std::time::Duration;

use entra_emulator::{Endpoint, Fault, Operation, ids};
use tokio::task::JoinHandle;
use valet_suite::browser::Browser;
use valet_suite::oauth::{ISSUER, Tokens, refresh, refresh_form, sign_in};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, run};

/// How often; `VALET_CRASHES` for another number.
const CRASHES: u32 = 25;

/// Seconds between two refreshes: what Entra said is older than an hour then.
const BETWEEN: i64 = 5400;

/// Refreshes of one session, which ends after 30 days.
const OF_ONE: u32 = 200;

/// Of so many crashes one comes while Entra thinks about the request, one when the client has its answer, and the others when chance has it.
const ROUND: u32 = 5;

/// Of a refresh what its client got, if it got something whole.
type Asking = JoinHandle<Option<Tokens>>;

/// Refreshes as a client does, in a task of its own.
fn ask(rig: &Rig, tokens: &Tokens) -> Asking {
    let request = rig.http.post(format!("{ISSUER}/oauth/token")).form(&refresh_form(&tokens.refresh));
    tokio::spawn(async move {
        let response = request.send().await.ok()?;
        assert_eq!(response.status(), 200, "{response:?}");
        let body: serde_json::Value = response.json().await.ok()?;
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Some(Tokens { access: text("access_token"), refresh: text("refresh_token") })
    })
}

/// Begins a refresh and waits for the moment of this crash.
async fn asked_until(rig: &Rig, crash: u32, tokens: &Tokens, by_chance: Duration) -> Asking {
    let wait = || tokio::time::sleep(Duration::from_millis(1));
    match crash % ROUND {
        0 => {
            let at_entra = || rig.emulator.faults().count(Operation::Token);
            let before = at_entra();
            rig.emulator.faults().set_times(Endpoint::Token, Fault::Delay(Duration::from_secs(1)), 1);
            let asking = ask(rig, tokens);
            while at_entra() == before {
                wait().await;
            }
            asking
        }
        1 => {
            let asking = ask(rig, tokens);
            while !asking.is_finished() {
                wait().await;
            }
            asking
        }
        _ => {
            let asking = ask(rig, tokens);
            tokio::time::sleep(by_chance).await;
            asking
        }
    }
}

#[test]
fn a_crash_in_the_middle_of_a_refresh_locks_nobody_out() {
    let crashes = std::env::var("VALET_CRASHES").map_or(CRASHES, |text| text.parse().unwrap());
    run(async move {
        let Some(surroundings) = Surroundings::new() else { return };
        let change = |config: valet_suite::config::Config| config.with_sessions().on_disk();
        let mut rig = Rig::within(surroundings.variables(), emulator().await, change).await;
        let mut held = None;
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let (mut answered, mut lost, mut now) = (0, 0, 0);
        for crash in 0..crashes {
            let tokens = match held.take().filter(|_| crash % OF_ONE != 0) {
                Some(tokens) => tokens,
                None => sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await,
            };
            now += BETWEEN;
            surroundings.set_clock(now);
            rig.emulator.set_clock_offset(now);
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let asking = asked_until(&rig, crash, &tokens, Duration::from_micros(random % 30_000)).await;
            rig.process.kill();
            let tokens = match asking.await.unwrap() {
                Some(next) => {
                    answered += 1;
                    rig.emulator.end_used_refresh_tokens();
                    next
                }
                None => {
                    lost += 1;
                    tokens
                }
            };
            assert!(rig.process.stop().is_some());
            rig.restart().await;
            let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            rig.emulator.end_used_refresh_tokens();
            for tool in ["whoami", "GetUserDetailsFromGraph"] {
                assert_eq!(rig.call(tool, &tokens.access).await.status, 200, "crash {crash}: {tool}");
            }
            held = Some(tokens);
        }
        let of_kind = |kind: u32| (0..crashes).filter(|crash| crash % ROUND == kind).count();
        assert!(lost >= of_kind(0), "{lost} answers were lost");
        assert!(answered >= of_kind(1), "{answered} answers arrived");
        let asked = rig.emulator.faults().count(Operation::Refresh);
        assert!(asked >= u64::from(crashes), "Entra was asked {asked} times in {crashes} rounds");
    });
}
