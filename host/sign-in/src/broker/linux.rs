//! The broker of Linux (`microsoft-identity-broker`), on the session bus. It offers no introspection, so its interface is described here.

use std::time::Duration;

use tokio::time::timeout;
use zbus::connection::Builder;
use zbus::{Connection, proxy};

use super::Raised;
use super::message::{self, Authorization, BrokerAccount, BrokerError, BrokerToken};
use crate::account::AccountId;
use crate::ask::Ask;
use crate::error::{Halt, SignInError, Step};
use crate::grant::{Grant, identity};
use crate::limits::{BROKER_SILENT, BROWSER_WAIT, shown};
use crate::random;
use crate::settings::Settings;

/// The only version of the protocol.
const PROTOCOL: &str = "0.0";

#[proxy(
    interface = "com.microsoft.identity.Broker1",
    default_service = "com.microsoft.identity.broker1",
    default_path = "/com/microsoft/identity/broker1",
    gen_blocking = false
)]
trait Broker1 {
    #[zbus(name = "acquireTokenInteractively")]
    fn acquire_token_interactively(
        &self,
        protocol: &str,
        correlation: &str,
        request: &str,
    ) -> zbus::Result<String>;
    #[zbus(name = "acquireTokenSilently")]
    fn acquire_token_silently(
        &self,
        protocol: &str,
        correlation: &str,
        request: &str,
    ) -> zbus::Result<String>;
    #[zbus(name = "getAccounts")]
    fn get_accounts(&self, protocol: &str, correlation: &str, request: &str) -> zbus::Result<String>;
    #[zbus(name = "cancelInteractiveFlow")]
    fn cancel_interactive_flow(
        &self,
        protocol: &str,
        correlation: &str,
        request: &str,
    ) -> zbus::Result<String>;
}

/// Signs in by the broker: silently for an account that it knows, else in its window. `raised` falls when there is no window any more.
pub(crate) async fn sign_in(settings: &Settings, ask: &Ask, raised: Raised) -> Result<Grant, Halt> {
    let bus = timeout(BROKER_SILENT, connect(settings)).await.map_err(|_| silent("the session bus"))??;
    let broker = Broker1Proxy::new(&bus).await.map_err(absent)?;
    let correlation = random::uuid();
    let request = message::accounts_request(settings);
    let accounts = within(BROKER_SILENT, broker.get_accounts(PROTOCOL, &correlation, &request)).await?;
    let accounts = message::read_accounts(&accounts).map_err(halt)?;
    let known = known(&accounts, ask);
    if known.is_some() {
        let request = message::token_request(settings, ask, known, Authorization::Silent);
        let answer =
            within(BROKER_SILENT, broker.acquire_token_silently(PROTOCOL, &correlation, &request)).await?;
        match message::read_token(&answer) {
            Ok(token) => return grant(settings, ask, token),
            // It wants to show its window.
            Err(BrokerError::Refused(_) | BrokerError::Cancelled) => {}
            Err(malformed) => return Err(halt(malformed)),
        }
    }
    let flow = Flow { broker: broker.clone(), correlation: correlation.clone(), raised: Some(raised) };
    let request = message::token_request(settings, ask, known, Authorization::Interactive);
    let answer =
        within(BROWSER_WAIT, broker.acquire_token_interactively(PROTOCOL, &correlation, &request)).await?;
    flow.over();
    let token = message::read_token(&answer).map_err(halt)?;
    grant(settings, ask, token)
}

async fn connect(settings: &Settings) -> Result<Connection, Halt> {
    let bus = match &settings.session_bus {
        Some(address) => Builder::address(address.as_str()),
        None => Builder::session(),
    };
    // A machine without a session bus, such as a server, has no broker either.
    let none = |error: zbus::Error| Halt::Skip(format!("no session bus: {}", shown(&error.to_string())));
    bus.map_err(none)?.build().await.map_err(none)
}

/// The account that is meant: the one in use; else the only one there is, unless somebody has to be chosen.
fn known<'a>(accounts: &'a [BrokerAccount], ask: &Ask) -> Option<&'a BrokerAccount> {
    match (&ask.expected, accounts) {
        (Some(wanted), _) => accounts.iter().find(|known| known.id == *wanted),
        (None, [only]) if !ask.chooses => Some(only),
        _ => None,
    }
}

/// The token as any other: for a person of an admitted tenant, who is the one that was asked for.
fn grant(settings: &Settings, ask: &Ask, token: BrokerToken) -> Result<Grant, Halt> {
    let now = settings.now();
    let mut account = token.account;
    if let Some(id_token) = &token.id_token {
        // No nonce of ours went to the authority: the broker's request is its own.
        let named = identity(id_token, None, settings, now)?;
        account.id = AccountId::new(&named.tenant_id, &named.object_id);
        account.username = named.username.or(account.username);
        account.name = named.name.or(account.name);
    } else if !settings.tenants.contains(&account.id.tenant_id) {
        let why = format!("its account is of tenant {}, which is not admitted", account.id.tenant_id);
        return Err(Halt::Skip(why));
    }
    ask.admit(&account)?;
    if token.expires_at <= now {
        return Err(Halt::Skip("its token has ended already".to_owned()));
    }
    Ok(Grant {
        target: crate::grant::target(token.scopes.as_deref(), &ask.scopes),
        account,
        access_token: token.access_token,
        expires_at: token.expires_at,
        extended_expires_at: token.expires_at,
        refresh_at: None,
        refresh_token: None,
        id_token: token.id_token,
        client_info: token.client_info,
        family: None,
        source: Some("broker"),
    })
}

/// A call that ends in time. A broker that goes away in the middle is one that is not there.
async fn within(limit: Duration, call: impl Future<Output = zbus::Result<String>>) -> Result<String, Halt> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(absent),
        Err(_) => Err(silent("the broker")),
    }
}

fn absent(error: zbus::Error) -> Halt {
    match error {
        zbus::Error::MethodError(name, _, _)
            if matches!(
                name.as_str(),
                "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner"
            ) =>
        {
            Halt::Skip("com.microsoft.identity.broker1 is not on the session bus".to_owned())
        }
        error => Halt::Skip(format!("no answer on the session bus: {}", shown(&error.to_string()))),
    }
}

fn silent(who: &str) -> Halt {
    Halt::Skip(format!("{who} did not answer in time"))
}

fn halt(error: BrokerError) -> Halt {
    match error {
        BrokerError::Malformed(what) => Halt::Skip(format!("its answer makes no sense: {what}")),
        BrokerError::Refused(why) => Halt::Skip(format!("it refused: {why}")),
        BrokerError::Cancelled => Halt::Fail(SignInError::Cancelled(Step::Broker)),
    }
}

/// Takes the broker's window away where nobody waits for it any more.
struct Flow<'a> {
    broker: Broker1Proxy<'a>,
    correlation: String,
    /// None once the broker has answered: it has taken its window away then.
    raised: Option<Raised>,
}

impl Flow<'_> {
    fn over(mut self) {
        self.raised = None;
    }
}

impl Drop for Flow<'_> {
    fn drop(&mut self) {
        let Some(raised) = self.raised.take() else { return };
        let connection = self.broker.inner().connection().clone();
        let correlation = std::mem::take(&mut self.correlation);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let request = message::cancel_request();
            runtime.spawn(async move {
                let cancelled = async {
                    Broker1Proxy::new(&connection)
                        .await?
                        .cancel_interactive_flow(PROTOCOL, &correlation, &request)
                        .await
                };
                if let Err(halt) = within(BROKER_SILENT, cancelled).await {
                    tracing::debug!(?halt, "the broker was not told that nobody waits for its window");
                }
                drop(raised);
            });
        }
    }
}
