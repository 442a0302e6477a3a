//! The way to Entra and back: the authorization request, and what its answer came to.

use valet_core_entra::authorize::{Prompt, Request, ResponseMode};
use valet_core_entra::{Client, ClientCredential, ExposeSecret as _, pkce, with_openid};
use valet_core_oauth::route;
use valet_core_oauth::transaction::EntraRequest;
use valet_core_oauth::user::{Session, User};

use crate::bindings::valet::capability::settings;
use crate::bindings::valet::oauth::sessions::{self, Failure};
use crate::exchange::Exchange;

/// What Entra is to ask of a person beside who they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    /// A claims request.
    pub(crate) claims: Option<&'a str>,
    /// Which of their accounts, also where one is signed in.
    pub(crate) account: bool,
}

/// What is known of Entra here: public, all of it.
pub(crate) struct Entra {
    authority: String,
    client_id: String,
    /// Where people sign in: one tenant, or `organizations`.
    tenant: String,
    /// Whose answers are taken.
    tenants: Vec<String>,
    scopes: Vec<String>,
}

impl Entra {
    /// The error names the setting that is missing.
    pub(crate) fn read() -> Result<Self, String> {
        let list = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let tenants = list(settings::get("tenants").unwrap_or_default());
        Ok(Self {
            authority: required("authority")?,
            client_id: required("client_id")?,
            tenant: required("sign_in_tenant")?,
            tenants: if tenants.is_empty() { vec![required("tenant")?] } else { tenants },
            scopes: list(required("sign_in_scopes")?),
        })
    }

    /// Where the browser is sent.
    pub(crate) fn location(&self, exchange: &Exchange<'_>, request: &EntraRequest, ask: Ask<'_>) -> String {
        let client = Client {
            authority: &self.authority,
            tenant: &self.tenant,
            client_id: &self.client_id,
            credential: ClientCredential::Public,
        };
        let request = Request {
            client,
            redirect_uri: &exchange.settings.url(route::CALLBACK),
            scopes: &with_openid(&self.scopes),
            state: &request.state,
            nonce: &request.nonce,
            challenge: &pkce::challenge(&request.verifier),
            response_mode: ResponseMode::Query,
            // Whoever has a session at Entra with another account alone would not get to choose.
            prompt: ask.account.then_some(Prompt::SelectAccount),
            login_hint: None,
            domain_hint: None,
            claims: ask.claims,
        };
        request.url().expose_secret().to_owned()
    }

    /// The issuers that an answer may name (RFC 9207).
    pub(crate) fn issuers(&self) -> Vec<String> {
        self.tenants.iter().map(|tenant| format!("{}/{tenant}/v2.0", self.authority)).collect()
    }
}

/// The value of a setting, or an error that names it.
pub(crate) fn required(name: &str) -> Result<String, String> {
    settings::get(name).ok_or_else(|| format!("setting `{name}` is missing"))
}

impl From<sessions::Session> for Session {
    fn from(session: sessions::Session) -> Self {
        let user =
            User { tenant_id: session.tenant_id, object_id: session.object_id, name: session.display_name };
        Self { id: session.id, user, roles: session.roles }
    }
}

/// A failure of a session, for the log.
pub(crate) fn words(failure: &Failure) -> String {
    match failure {
        Failure::Ended(why) | Failure::Misconfigured(why) | Failure::Unavailable(why) => why.clone(),
        Failure::InteractionRequired(_) => "Entra wants the user to do something first".to_owned(),
        Failure::Throttled(Some(seconds)) => format!("Entra asks to wait {seconds} s"),
        Failure::Throttled(None) => "Entra asks to wait".to_owned(),
    }
}
