//! The command `entra-emulator`: reads its arguments, does what they say, and turns the outcome into an exit code.
//!
//! 0: done, or ended by a signal. 1: could not start, or the file checked is wrong. 2: wrong usage (clap's own).

mod command;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match command::run(command::Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; then there is no one to tell.
            let _ = writeln!(std::io::stderr(), "entra-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}
