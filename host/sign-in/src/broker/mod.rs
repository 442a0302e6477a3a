//! The broker step: a service of the system that holds the person's sign-in and gives out tokens without ever showing a password.
//!
//! | system | broker |
//! |---|---|
//! | Linux | `com.microsoft.identity.broker1` on the session bus |
//! | Windows | the Web Account Manager (WAM); type-checked for that system, and not tried on one |
//! | macOS | none: its broker answers signed application bundles, which a program of the command line is not |
//!
//! Where there is none the step is skipped, which is said once, and the browser comes next.

mod curtain;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod message;
#[cfg(any(windows, test))]
mod wam;
#[cfg(windows)]
mod windows;

pub(crate) use curtain::{Curtain, Raised};
#[cfg(target_os = "linux")]
pub(crate) use linux::sign_in;
#[cfg(windows)]
pub(crate) use windows::sign_in;

#[cfg(not(any(target_os = "linux", windows)))]
pub(crate) async fn sign_in(
    _: &crate::settings::Settings,
    _: &crate::ask::Ask,
    _: Raised,
) -> Result<crate::grant::Grant, crate::error::Halt> {
    Err(crate::error::Halt::Skip(format!("not offered on {}", std::env::consts::OS)))
}
