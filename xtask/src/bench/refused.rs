//! What refused tokens leave behind: the server's memory after some of them, and after ten times as many.

use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::measure::{Case, Load};
use super::programs::{Side, Stage};

/// How many tokens have been refused when memory is read.
pub(super) const AFTER: [usize; 2] = [2_000, 20_000];

/// Connections.
const CONNECTIONS: u16 = 16;

/// How long the server has to let go of what it needs no more.
const PAUSE: Duration = Duration::from_millis(200);

/// No token is sent twice.
pub(super) const CASE: Case = Case { name: "refused tokens, each another", ..super::REFUSED };

/// Resident memory of one server of Valet's in MiB, after each number of tokens.
pub(super) fn measure(stage: &Stage, load: &Load) -> Result<[f64; 2]> {
    let server = stage.server(Side::Valet)?;
    let mut resident = [0.0; 2];
    let mut sent = 0;
    for (after, resident) in AFTER.into_iter().zip(&mut resident) {
        let tokens: Option<Vec<String>> = (sent..after).map(|number| refused(load.token(), number)).collect();
        load.once(&CASE, CONNECTIONS, &server, &tokens.context("the good token is none")?)?;
        sent = after;
        std::thread::sleep(PAUSE);
        *resident = resident_mib(server.pid())?;
    }
    Ok(resident)
}

/// The good token made bad in a way that its number says: it names a key that nobody has, or its signature is another. None if it is no token.
fn refused(good: &str, number: usize) -> Option<String> {
    let (signed, signature) = good.rsplit_once('.')?;
    if number.is_multiple_of(2) {
        let header = format!(r#"{{"typ":"JWT","alg":"RS256","kid":"nobodys-{number}"}}"#);
        let payload = signed.split_once('.')?.1;
        return Some(format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(header)));
    }
    // As a number it begins with zeros, so that it is smaller than the modulus and the key is applied (RFC 8017 section 5.2.2).
    Some(format!("{signed}.AA{number:06}{}", signature.get(8..)?))
}

/// Resident memory of a process now (proc(5)).
fn resident_mib(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")?;
    Ok(kib / 1024.0)
}
