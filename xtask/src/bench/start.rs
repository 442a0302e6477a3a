//! Cold start: from the start of the process to its first good answer of `whoami`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::measure::{Load, median};
use super::programs::{Side, Stage};

/// How often the server is asked until it listens.
const POLL: Duration = Duration::from_micros(200);

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Medians of both sides in ms over `times` starts, taken in turn.
pub(super) fn measure(stage: &Stage, load: &Load, times: usize) -> Result<[f64; 2]> {
    let request = load.raw_whoami();
    let mut taken = [Vec::new(), Vec::new()];
    for _ in 0..times {
        for (side, taken) in [Side::Valet, Side::Yardstick].into_iter().zip(&mut taken) {
            let started = Instant::now();
            let server = stage.start_server(side)?;
            let answer = loop {
                match ask(server.address, &request) {
                    Ok(answer) => break answer,
                    Err(_) => ensure!(started.elapsed() < PATIENCE, "no answer: {}", server.last_lines()),
                }
                std::thread::sleep(POLL);
            };
            taken.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(
                answer.starts_with("HTTP/1.1 200") && answer.contains("Adele Vance"),
                "{side:?}'s first answer is wrong: {answer}"
            );
        }
    }
    Ok(taken.map(|mut taken| median(&mut taken)))
}

/// One request over a connection of its own.
fn ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.replace("{port}", &address.port().to_string()).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
