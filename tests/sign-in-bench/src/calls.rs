//! A call with a session of ours, and the same call with a token of Entra's.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use entra_emulator::ids;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use valet_suite::Rig;
use valet_suite::ask::{MODERN, modern};
use valet_suite::browser::Browser;
use valet_suite::config::ENDPOINT;
use valet_suite::oauth::sign_in;
use valet_suite::rig::{QUIET, shared_emulator};

use crate::process::cpu_micros;
use crate::{ROUNDS, SAMPLE, median, unlimited};

const CONNECTIONS: [usize; 2] = [1, 16];

/// Tools, and what a right answer contains.
pub(crate) const TOOLS: [(&str, &str); 2] =
    [("whoami", "Adele Vance"), ("GetUserDetailsFromGraph", "adele.vance@contoso.example")];

/// What a sample saw, for each request, in µs.
pub(crate) struct Sample {
    pub(crate) cpu: f64,
    pub(crate) p50: f64,
}

pub(crate) async fn table() -> Result<String> {
    let session =
        Rig::logging(QUIET, shared_emulator().await, |config| unlimited(config.with_sessions().on_disk()))
            .await;
    let direct = Rig::logging(QUIET, shared_emulator().await, unlimited).await;
    let tokens = [
        [sign_in(&session, &mut Browser::new(&session, ids::ADELE_UPN)).await.access],
        [direct.token(ids::ADELE_UPN)],
    ];
    let mut table = format!(
        "A call with a session of ours, and the same call with a token of Entra's: two servers, taken in turn, {ROUNDS} rounds of {} s, medians; HTTPS, kept \
         connections, no audit lines; the session's store is a file. Each cell is session, direct, and session divided by direct.\n\n\
         | case | connections | CPU µs/request | p50 µs |\n| --- | ---: | ---: | ---: |\n",
        SAMPLE.as_secs()
    );
    for (tool, expected) in TOOLS {
        for connections in CONNECTIONS {
            let mut samples = [Vec::new(), Vec::new()];
            for round in 0..ROUNDS {
                // Who is first changes, so that whatever the first one pays is paid by both.
                for side in [round % 2, (round + 1) % 2] {
                    let rig = [&session, &direct][side];
                    samples[side].push(sample(rig, tool, expected, &tokens[side], connections).await?);
                }
            }
            let cell = |figure: fn(&Sample) -> f64| {
                let [session, direct] = [0, 1].map(|side| median(samples[side].iter().map(figure).collect()));
                format!("{session:.0} / {direct:.0} = {:.2}", session / direct)
            };
            let (cpu, p50) = (cell(|sample| sample.cpu), cell(|sample| sample.p50));
            table.push_str(&format!("| {tool} | {connections} | {cpu} | {p50} |\n"));
        }
    }
    Ok(table)
}

/// Calls `tool` over so many connections for as long as a sample takes, with one of `tokens` after the other.
pub(crate) async fn sample(
    rig: &Rig,
    tool: &str,
    expected: &'static str,
    tokens: &[String],
    connections: usize,
) -> Result<Sample> {
    let requests = tokens.iter().map(|token| request(tool, token)).collect::<Result<Vec<_>>>()?;
    let requests = Arc::new(requests);
    let id = u32::try_from(rig.process.id().as_raw_nonzero().get())?;
    let (began, cpu) = (Instant::now(), cpu_micros(id)?);
    let callers: Vec<_> = (0..connections)
        .map(|caller| {
            // A client for each keeps one connection for each; each begins with another token.
            let (http, requests) = (rig.client().http1_only().build(), Arc::clone(&requests));
            tokio::spawn(async move {
                let (http, mut times) = (http?, Vec::new());
                let first = caller * requests.len() / connections;
                for (headers, body) in requests.iter().cycle().skip(first) {
                    if began.elapsed() >= SAMPLE {
                        break;
                    }
                    let sent = Instant::now();
                    let request = http.post(ENDPOINT).headers(headers.clone()).body(body.clone());
                    let text = request.send().await?.text().await?;
                    times.push(sent.elapsed().as_secs_f64() * 1e6);
                    ensure!(text.contains(expected), "the answer is {text}");
                }
                Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for caller in callers {
        times.extend(caller.await.context("a caller ended")??);
    }
    Ok(Sample { cpu: (cpu_micros(id)? - cpu) / times.len() as f64, p50: median(times) })
}

/// The request that is sent again and again.
fn request(tool: &str, token: &str) -> Result<(HeaderMap, String)> {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", format!("Bearer {token}").as_str()),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", MODERN),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ] {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok((headers, modern("tools/call", json!({ "name": tool, "arguments": {} })).to_string()))
}
