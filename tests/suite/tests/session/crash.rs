//! kill −9 in the middle of a refresh, at seeded moments: afterwards the old refresh token or the new one works, never neither.

use std::time::Duration;

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::oauth::{ISSUER, Tokens, refresh, refresh_form, sign_in};
use valet_suite::rig::shared_emulator;
use valet_suite::{Rig, run};

/// How often; `VALET_CRASHES` for another number.
const CRASHES: u32 = 25;

#[test]
fn a_crash_in_the_middle_of_a_refresh_locks_nobody_out() {
    let crashes = std::env::var("VALET_CRASHES").map_or(CRASHES, |text| text.parse().unwrap());
    run(async move {
        let mut rig =
            Rig::start_with(shared_emulator().await, |config| config.with_sessions().on_disk()).await;
        let mut held = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let (mut answered, mut lost) = (0, 0);
        for crash in 0..crashes {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let asked = rig.http.post(format!("{ISSUER}/oauth/token")).form(&refresh_form(&held.refresh));
            let asking = tokio::spawn(asked.send());
            tokio::time::sleep(Duration::from_micros(random % 12_000)).await;
            rig.process.kill();
            match asking.await.unwrap() {
                Ok(response) if response.status() == 200 => {
                    match response.json::<serde_json::Value>().await {
                        Ok(body) => {
                            let text = |name: &str| body[name].as_str().unwrap().to_owned();
                            held = Tokens { access: text("access_token"), refresh: text("refresh_token") };
                            answered += 1;
                        }
                        Err(_) => lost += 1,
                    }
                }
                Ok(response) => panic!("crash {crash}: {response:?}"),
                Err(_) => lost += 1,
            }
            assert!(rig.process.stop().is_some());
            rig.restart().await;
            held = Tokens::read(&rig, &refresh(&rig, &held.refresh).await);
            assert_eq!(rig.call("whoami", &held.access).await.status, 200, "crash {crash}");
        }
        assert!(lost > 0, "no crash was early enough to lose an answer ({answered} were answered)");
    });
}
