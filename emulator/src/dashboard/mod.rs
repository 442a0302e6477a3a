//! The page at `/`.
use crate::sign_in::pages;
pub(crate) async fn show() -> axum::response::Response { pages::message("Entra emulator", "x") }
