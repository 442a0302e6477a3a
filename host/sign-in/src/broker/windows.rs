//! The broker of Windows: the Web Account Manager (WAM), in whose window the person signs in with Windows' own account.
//!
//! The application needs the redirect URI `ms-appx-web://Microsoft.AAD.BrokerPlugin/<application id>`. What is asked and what the answers mean is `wam.rs`.
//!
//! This is compiled for Windows in every test run, and was not run on Windows.
#![allow(unsafe_code, reason = "four functions of Windows that take or give handles")]

use std::sync::OnceLock;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;
use windows::Security::Authentication::Web::Core::{
    FindAllWebAccountsStatus, WebAuthenticationCoreManager, WebTokenRequest, WebTokenRequestPromptType,
    WebTokenRequestResult, WebTokenRequestStatus,
};
use windows::Security::Credentials::{WebAccount, WebAccountProvider};
use windows::Win32::Foundation::HWND;
use windows::Win32::System::Com::CoIncrementMTAUsage;
use windows::Win32::System::Console::GetConsoleWindow;
use windows::Win32::System::WinRT::IWebAuthenticationCoreManagerInterop;
use windows::Win32::UI::WindowsAndMessaging::{
    GA_ROOTOWNER, GetAncestor, GetDesktopWindow, GetForegroundWindow,
};
use windows::core::{HSTRING, RuntimeType, factory};
use windows_future::IAsyncOperation;

use super::Raised;
use super::wam::{self, Known, Refusal};
use crate::account::{AccountId, is_guid};
use crate::ask::Ask;
use crate::error::{Halt, SignInError, Step};
use crate::grant::{Grant, with_openid};
use crate::limits::{BROKER_SILENT, BROWSER_WAIT, shown};
use crate::random;
use crate::settings::Settings;

/// What Windows calls the provider of Entra's accounts.
const PROVIDER: &str = "https://login.microsoft.com";

/// Signs in by the broker: silently for an account that it knows, else in its window.
///
/// `_raised` lives as long as this does: whatever is cancelled on the way is cancelled before it falls.
pub(crate) async fn sign_in(settings: &Settings, ask: &Ask, _raised: Raised) -> Result<Grant, Halt> {
    let authority = wam::authority(settings)?;
    join_apartment()?;
    let correlation = random::uuid();
    let find = WebAuthenticationCoreManager::FindAccountProviderWithAuthorityAsync(
        &HSTRING::from(PROVIDER),
        &HSTRING::from(authority),
    );
    let provider = within(BROKER_SILENT, find, silent).await?;
    let accounts = accounts(&provider, settings).await?;
    let known: Vec<Known> = accounts.iter().map(describe).collect();
    let known = wam::known(&known, ask);
    let account = known.map(|at| &accounts[at]);
    if let Some(account) = account {
        let request = request(&provider, settings, ask, &correlation, false, false).map_err(absent)?;
        let call = WebAuthenticationCoreManager::GetTokenSilentlyWithWebAccountAsync(&request, account);
        let answer = within(BROKER_SILENT, call, silent).await?;
        // Whatever hinders it, its window may help.
        if refusal(&answer).map_err(absent)?.is_none() {
            return grant(settings, ask, &answer);
        }
    }
    let asks_who = wam::asks_who(ask, known);
    let request =
        request(&provider, settings, ask, &correlation, asks_who, account.is_none()).map_err(absent)?;
    let call = in_window(&request, account.filter(|_| !asks_who));
    let nobody = || SignInError::TimedOut { step: Step::Broker, seconds: BROWSER_WAIT.as_secs() }.into();
    let answer = within(BROWSER_WAIT, call, nobody).await?;
    match refusal(&answer).map_err(absent)? {
        None => grant(settings, ask, &answer),
        Some(refusal) => Err(wam::halt(refusal, &correlation)),
    }
}

/// Makes every thread of this process one that may call the broker, for as long as it runs.
fn join_apartment() -> Result<(), Halt> {
    static JOINED: OnceLock<Result<(), String>> = OnceLock::new();
    let joined = JOINED.get_or_init(|| {
        // SAFETY: it only counts up; the count is never taken back, so no thread loses its apartment.
        unsafe { CoIncrementMTAUsage() }.map(drop).map_err(|error| error.message())
    });
    joined.clone().map_err(|why| Halt::Skip(format!("Windows' runtime cannot be used: {}", shown(&why))))
}

/// The accounts that the provider shows to this application; none where it shows none.
async fn accounts(provider: &WebAccountProvider, settings: &Settings) -> Result<Vec<WebAccount>, Halt> {
    let client_id = HSTRING::from(&settings.client_id);
    let find = WebAuthenticationCoreManager::FindAllAccountsWithClientIdAsync(provider, &client_id);
    let found = within(BROKER_SILENT, find, silent).await?;
    if found.Status().map_err(absent)? != FindAllWebAccountsStatus::Success {
        return Ok(Vec::new());
    }
    Ok(found.Accounts().map_err(absent)?.into_iter().collect())
}

fn describe(account: &WebAccount) -> Known {
    let properties = account.Properties();
    let property = |name: &str| {
        let properties = properties.as_ref().ok()?;
        let value = properties.Lookup(&HSTRING::from(name)).ok()?.to_string();
        is_guid(&value).then_some(value)
    };
    let id = property("TenantId").zip(property("OID"));
    Known {
        id: id.map(|(tenant, object)| AccountId::new(&tenant, &object)),
        username: account.UserName().map(|name| name.to_string()).unwrap_or_default(),
    }
}

fn request(
    provider: &WebAccountProvider,
    settings: &Settings,
    ask: &Ask,
    correlation: &str,
    asks_who: bool,
    hinted: bool,
) -> windows::core::Result<WebTokenRequest> {
    let prompt = match asks_who {
        true => WebTokenRequestPromptType::ForceAuthentication,
        false => WebTokenRequestPromptType::Default,
    };
    let scopes = HSTRING::from(with_openid(&ask.scopes).join(" "));
    let client_id = HSTRING::from(&settings.client_id);
    let request = WebTokenRequest::CreateWithPromptType(provider, &scopes, &client_id, prompt)?;
    let properties = request.Properties()?;
    for (name, value) in wam::properties(ask, hinted) {
        properties.Insert(&HSTRING::from(name), &HSTRING::from(value))?;
    }
    // Windows before version 1803 has a property instead.
    let correlation = HSTRING::from(correlation);
    if request.SetCorrelationId(&correlation).is_err() {
        properties.Insert(&HSTRING::from("correlationId"), &correlation)?;
    }
    Ok(request)
}

/// Asks in a window of the broker that belongs to the one the person is looking at.
fn in_window(
    request: &WebTokenRequest,
    account: Option<&WebAccount>,
) -> windows::core::Result<IAsyncOperation<WebTokenRequestResult>> {
    let broker = factory::<WebAuthenticationCoreManager, IWebAuthenticationCoreManagerInterop>()?;
    let window = window();
    // SAFETY: the handle comes from the system, which refuses one that has ended since.
    match account {
        Some(account) => unsafe { broker.RequestTokenWithWebAccountForWindowAsync(window, request, account) },
        None => unsafe { broker.RequestTokenForWindowAsync(window, request) },
    }
}

/// The terminal's window; where there is none, since a client started us, the one in front; else the desktop.
fn window() -> HWND {
    // SAFETY: they take a handle of the system, or none, and give one, or none.
    unsafe {
        // The window of a console can be one that nobody sees; its owner is the terminal.
        let terminal = GetAncestor(GetConsoleWindow(), GA_ROOTOWNER);
        let candidates = [terminal, GetForegroundWindow()];
        candidates.into_iter().find(|window| !window.is_invalid()).unwrap_or_else(|| GetDesktopWindow())
    }
}

/// Why an answer has no token; none if it has one.
fn refusal(answer: &WebTokenRequestResult) -> windows::core::Result<Option<Refusal>> {
    Ok(Some(match answer.ResponseStatus()? {
        WebTokenRequestStatus::Success => return Ok(None),
        WebTokenRequestStatus::UserCancel => Refusal::Cancelled,
        WebTokenRequestStatus::AccountSwitch => Refusal::Switched,
        WebTokenRequestStatus::UserInteractionRequired => Refusal::InteractionRequired,
        WebTokenRequestStatus::AccountProviderNotAvailable => Refusal::Absent,
        _ => match answer.ResponseError() {
            Ok(error) => Refusal::Failed {
                code: error.ErrorCode()?,
                message: error.ErrorMessage().map(|text| text.to_string()).unwrap_or_default(),
            },
            Err(_) => Refusal::Failed { code: 0, message: "and does not say why".to_owned() },
        },
    }))
}

fn grant(settings: &Settings, ask: &Ask, answer: &WebTokenRequestResult) -> Result<Grant, Halt> {
    let response = answer.ResponseData().and_then(|all| all.GetAt(0)).map_err(absent)?;
    // Windows' own copies of the token are not ours to wipe.
    let token = response.Token().map_err(absent)?;
    let token = SecretString::from(token.to_string());
    let properties = response.Properties().map_err(absent)?;
    let property = |name: &str| properties.Lookup(&HSTRING::from(name)).ok().map(|text| text.to_string());
    wam::grant(settings, ask, token, property)
}

/// An operation that ends in time. One that nobody waits for any more is cancelled, and with it its window.
async fn within<T: RuntimeType + Send + 'static>(
    limit: Duration,
    operation: windows::core::Result<IAsyncOperation<T>>,
    late: impl FnOnce() -> Halt,
) -> Result<T, Halt> {
    let operation = Operation(operation.map_err(absent)?);
    match timeout(limit, operation.0.clone().into_future()).await {
        Ok(answer) => answer.map_err(absent),
        Err(_) => Err(late()),
    }
}

/// Cancels an operation when dropped; one that has ended already does not mind.
struct Operation<T: RuntimeType + 'static>(IAsyncOperation<T>);

impl<T: RuntimeType + 'static> Drop for Operation<T> {
    fn drop(&mut self) {
        let _ = self.0.Cancel();
    }
}

fn silent() -> Halt {
    Halt::Skip("it did not answer in time".to_owned())
}

/// A call that Windows refuses: it has no such broker, or none for this authority.
fn absent(error: windows::core::Error) -> Halt {
    Halt::Skip(format!("no answer of Windows' account manager: {}", shown(&error.message())))
}
