//! The broker step: a service of the system that holds the person's sign-in and gives out tokens without ever showing a password.
//!
//! Linux has one on the session bus. Windows has its Web Account Manager, and macOS one for signed application bundles; both are reported
//! as not offered here, and the browser comes next.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod message;

#[cfg(target_os = "linux")]
pub(crate) use linux::sign_in;

#[cfg(not(target_os = "linux"))]
pub(crate) async fn sign_in(
    _: &crate::settings::Settings,
    _: &crate::ask::Ask,
) -> Result<crate::grant::Grant, crate::error::Halt> {
    Err(crate::error::Halt::Skip(format!("not offered on {}", std::env::consts::OS)))
}
