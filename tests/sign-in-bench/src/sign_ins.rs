//! Whole sign-ins: the consent page, permission, Entra, our callback, the redemption of the code. Each in a browser that was never here.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use entra_emulator::ids;
use valet_suite::Rig;
use valet_suite::browser::Browser;
use valet_suite::oauth::sign_in;
use valet_suite::rig::{QUIET, shared_emulator};

use crate::process::cpu_micros;
use crate::{ROUNDS, SAMPLE, median};

/// People at the same time.
const PEOPLE: usize = 8;

pub(crate) async fn table() -> Result<String> {
    let change = |config: valet_suite::config::Config| config.with_sessions().on_disk();
    let rig = Arc::new(Rig::logging(QUIET, shared_emulator().await, change).await);
    let id = u32::try_from(rig.process.id().as_raw_nonzero().get())?;
    let (mut cpu, mut rate) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (began, before) = (Instant::now(), cpu_micros(id)?);
        let people: Vec<_> = (0..PEOPLE)
            .map(|_| {
                let rig = Arc::clone(&rig);
                tokio::spawn(async move {
                    let mut done = 0_u32;
                    while began.elapsed() < SAMPLE {
                        sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        let mut done = 0.0;
        for person in people {
            done += f64::from(person.await.context("a person gave up")?);
        }
        cpu.push((cpu_micros(id)? - before) / done);
        rate.push(done / began.elapsed().as_secs_f64() * 60.0);
    }
    let (cpu, rate) = (median(cpu), median(rate));
    Ok(format!(
        "Whole sign-ins, each in a new browser: consent page, permission, Entra, callback, code. {PEOPLE} people at once, {ROUNDS} rounds of {} s, medians. Browser, \
         client and Entra are in one other process, which is slower than the server.\n\n\
         | sign-ins | |\n| --- | ---: |\n| CPU of the server for one, ms | {:.2} |\n| of which one core does in a minute | {:.0} |\n\
         | in a minute, as measured | {rate:.0} |\n",
        SAMPLE.as_secs(),
        cpu / 1e3,
        60e6 / cpu,
    ))
}
