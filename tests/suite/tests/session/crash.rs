//! kill −9 in the middle of a refresh, at seeded moments: afterwards the old refresh token or the new one works, never neither. Each refresh has to ask Entra, whose
//! refresh token is replaced and kept before the client has its answer.

use std::time::Duration;

use entra_emulator::{Operation, ids};
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
            let asked = rig.http.post(format!("{ISSUER}/oauth/token")).form(&refresh_form(&tokens.refresh));
            let asking = tokio::spawn(asked.send());
            tokio::time::sleep(Duration::from_micros(random % 30_000)).await;
            rig.process.kill();
            let tokens = match asking.await.unwrap() {
                Ok(response) if response.status() == 200 => {
                    match response.json::<serde_json::Value>().await {
                        Ok(body) => {
                            let text = |name: &str| body[name].as_str().unwrap().to_owned();
                            answered += 1;
                            Tokens { access: text("access_token"), refresh: text("refresh_token") }
                        }
                        Err(_) => {
                            lost += 1;
                            tokens
                        }
                    }
                }
                Ok(response) => panic!("crash {crash}: {response:?}"),
                Err(_) => {
                    lost += 1;
                    tokens
                }
            };
            assert!(rig.process.stop().is_some());
            rig.restart().await;
            let tokens = Tokens::read(&rig, &refresh(&rig, &tokens.refresh).await);
            for tool in ["whoami", "GetUserDetailsFromGraph"] {
                assert_eq!(rig.call(tool, &tokens.access).await.status, 200, "crash {crash}: {tool}");
            }
            held = Some(tokens);
        }
        assert!(lost > 0, "no crash was early enough to lose an answer ({answered} were answered)");
        assert!(
            answered > 0 || crashes < CRASHES,
            "no crash was late enough for an answer ({lost} were lost)"
        );
        let asked = rig.emulator.faults().count(Operation::Refresh);
        assert!(asked >= u64::from(crashes), "Entra was asked {asked} times in {crashes} rounds");
    });
}
