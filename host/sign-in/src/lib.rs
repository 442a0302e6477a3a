//! Signs a person in with Microsoft Entra ID, as a public client: an application on their own machine that holds no secret.
//!
//! Owns the order of the ways to a token, the ways themselves, the cache between them and the choice of the account. What is sent and what
//! answers mean is `valet-core-entra`. It does not call Graph, and it prints nothing: what a person has to see goes through [`Prompts`].
//!
//! | step | what it needs | when it is skipped |
//! |---|---|---|
//! | [`Step::Cache`] | a token in the cache with five minutes left | there is none for these scopes, or a claims challenge came |
//! | [`Step::Refresh`] | a refresh token in the cache | there is none, or the authority wants to see the person |
//! | [`Step::Broker`] | the system's broker (Linux: `com.microsoft.identity.broker1`; Windows: WAM) | it is not there |
//! | [`Step::Browser`] | a browser on this machine | [`Prompts`] cannot open one |
//! | [`Step::DeviceCode`] | a browser anywhere | [`Prompts`] cannot show a code |
//!
//! An account is a tenant and an object id, never a name. One is chosen when somebody signs in, and stays chosen until they choose another:
//! no token request can change it.
//!
//! ```no_run
//! # async fn example(settings: valet_sign_in::Settings) -> Result<(), Box<dyn std::error::Error>> {
//! use valet_sign_in::{SignIn, Terminal};
//!
//! let sign_in = SignIn::new(settings, Box::new(Terminal))?;
//! let token = sign_in.token(&["https://graph.microsoft.com/User.Read"], None).await?;
//! # let _ = token; Ok(()) }
//! ```
// The broker of Windows is called through functions that are unsafe by their nature; nothing else is.
#![cfg_attr(not(windows), forbid(unsafe_code))]

mod account;
mod acquire;
mod ask;
mod authority;
mod broker;
mod browser;
mod cache;
mod choice;
mod device;
mod elsewhere;
mod error;
mod flight;
mod grant;
pub mod limits;
mod open;
mod prompts;
mod random;
mod settings;
mod sign_in;

pub use account::{Account, AccountId};
pub use cache::CacheError;
pub use error::{SignInError, Skip, Step, WrongAccount};
pub use grant::AccessToken;
pub use prompts::{DeviceCode, DismissedFuture, PromptError, PromptFuture, Prompts, Terminal};
pub use settings::{Clock, Settings, SettingsError, Storage};
pub use sign_in::{LogIn, SignIn};
