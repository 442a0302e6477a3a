//! The user of this machine, from outside: `valet login`, `logout`, `accounts`, `whoami`, `install` and `valet stdio`, against the emulator.
//!
//! The system's browser is a script that writes down where it was sent; who sits at it is a browser without a screen. How each step of the sign-in behaves, and how it
//! fails, is tested in `host/sign-in`; here it is what a person and an MCP client see of it.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod commands;
mod install;
mod stdio;
