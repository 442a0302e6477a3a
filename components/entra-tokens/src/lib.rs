//! The entra-tokens component: the only holder of the client credential and of Entra's tokens.
//!
//! It exchanges the caller's token for a token of a downstream API (on-behalf-of), and keeps the result sealed until shortly before it
//! ends. Requests, answers and sealing are `valet-core-entra`; this shell lends clock, randomness, network and store.

mod bindings;

use bindings::exports::valet::downstream::tokens::{Failure, Guest, Principal};
use bindings::valet::capability::{credential, egress_authority, http, settings, token_store};
use bindings::valet::identity::assertion;
use bindings::wasi::clocks::wall_clock;
use bindings::wasi::random::random;
use valet_core_entra::answer::{self, Token};
use valet_core_entra::on_behalf_of::{Request, record_name};
use valet_core_entra::sealed::{Kept, NONCE_BYTES, Place, SealingKey};
use valet_core_entra::{Client, ClientCredential, ExposeSecret as _, SecretString};

/// A token this close to its end, in seconds, is exchanged anew: what MSAL does, and enough for a slow call with retries.
const RENEW_BEFORE: u64 = 300;

struct Component;

impl Guest for Component {
    fn acquire(of: &Principal, scopes: Vec<String>) -> Result<String, Failure> {
        let caller = of.caller();
        let (assertion, record) = record_of(of, &scopes);
        let place = Place { tenant_id: &caller.tenant_id, object_id: &caller.object_id, record: &record };
        let key = sealing_key()?;
        let now = wall_clock::now().seconds;

        if let Some(kept) = kept(&key, place)
            && kept.expires_at > now.saturating_add(RENEW_BEFORE)
        {
            return Ok(kept.access_token.expose_secret().to_owned());
        }
        let token = exchange(&caller.tenant_id, &assertion, &scopes)?;
        let access_token = token.access_token.expose_secret().to_owned();
        keep(
            &key,
            place,
            Kept { access_token: token.access_token, expires_at: now.saturating_add(token.expires_in) },
        );
        Ok(access_token)
    }

    fn forget(of: &Principal, scopes: Vec<String>) {
        let (_, record) = record_of(of, &scopes);
        // By its contract a token that cannot be dropped is refused again.
        let _ = token_store::delete(&record);
    }
}

fn record_of(of: &Principal, scopes: &[String]) -> (SecretString, String) {
    let assertion = SecretString::from(assertion::token(of));
    let record = record_name(&assertion, scopes);
    (assertion, record)
}

/// The on-behalf-of exchange at the authority.
fn exchange(tenant: &str, assertion: &SecretString, scopes: &[String]) -> Result<Token, Failure> {
    let authority = setting("authority")?;
    let client_id = setting("client_id")?;
    let client_secret = SecretString::from(credential::client_secret().map_err(credential_failure)?);
    let client = Client {
        authority: &authority,
        tenant,
        client_id: &client_id,
        credential: ClientCredential::Secret(&client_secret),
    };
    let request = Request { client, assertion, scopes };
    let response = egress_authority::send(&http::Request {
        method: "POST".to_owned(),
        url: client.token_url(),
        headers: vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ],
        body: request.body().expose_secret().as_bytes().to_vec(),
    })
    .map_err(egress_failure)?;
    let retry_after =
        response.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.as_str());
    answer::read(response.status, retry_after, &response.body).map_err(answer_failure)
}

fn kept(key: &SealingKey, place: Place<'_>) -> Option<Kept> {
    // A store that cannot be read costs an exchange, not the call.
    let record = token_store::get(place.record).ok().flatten()?;
    key.open(&record, place)
}

fn keep(key: &SealingKey, place: Place<'_>, kept: Kept) {
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&random::get_random_bytes(NONCE_BYTES as u64));
    // As above: a store that cannot be written costs another exchange next time.
    let _ = token_store::set(place.record, &key.seal(&kept, place, nonce));
}

fn sealing_key() -> Result<SealingKey, Failure> {
    let bytes = credential::sealing_key().map_err(credential_failure)?;
    SealingKey::new(&bytes)
        .ok_or_else(|| Failure::Misconfigured("the sealing key is not 32 bytes long".to_owned()))
}

fn setting(name: &str) -> Result<String, Failure> {
    settings::get(name).ok_or_else(|| Failure::Misconfigured(format!("setting `{name}` is missing")))
}

fn credential_failure(failure: credential::Failure) -> Failure {
    match failure {
        credential::Failure::Missing(setting) => {
            Failure::Misconfigured(format!("no credential: set {setting}"))
        }
        credential::Failure::Unreadable(why) => {
            Failure::Misconfigured(format!("the credential cannot be read: {why}"))
        }
    }
}

fn egress_failure(failure: http::Failure) -> Failure {
    match failure {
        http::Failure::Denied(why) => Failure::Misconfigured(format!("the authority is out of reach: {why}")),
        http::Failure::Unreachable(why) => {
            Failure::Unavailable(format!("the authority cannot be reached: {why}"))
        }
        http::Failure::TimedOut => Failure::Unavailable("the authority did not answer in time".to_owned()),
        http::Failure::TooLarge => Failure::Unavailable("the authority's answer is too large".to_owned()),
        http::Failure::Protocol(why) => Failure::Unavailable(format!("the authority broke off: {why}")),
    }
}

fn answer_failure(failure: answer::Failure) -> Failure {
    match failure {
        answer::Failure::InteractionRequired { claims, .. } => Failure::InteractionRequired(claims),
        answer::Failure::GrantRefused(detail) => Failure::AssertionRefused(detail.to_string()),
        answer::Failure::Misconfigured(detail) => {
            Failure::Misconfigured(format!("the authority refused us: {detail}"))
        }
        answer::Failure::Throttled { retry_after } => Failure::Throttled(retry_after),
        answer::Failure::Unavailable(detail) => {
            Failure::Unavailable(format!("the authority failed: {detail}"))
        }
    }
}
