//! Tokens of a downstream API for a caller with a token of Entra's: exchanged, and kept sealed until shortly before they end.

use valet_core_entra::kept::Kept;
use valet_core_entra::on_behalf_of::{Request, record_name};
use valet_core_entra::sealed::Place;
use valet_core_entra::{ExposeSecret as _, SecretString};

use crate::authority::{self, Authority, capabilities};
use crate::bindings::exports::valet::downstream::tokens::Principal;
use crate::bindings::valet::capability::token_store;
use crate::bindings::valet::identity::assertion;
use crate::bindings::wasi::clocks::wall_clock;
use crate::fault::Fault;
use crate::sealing;

pub(crate) fn acquire(of: &Principal, scopes: &[String], claims: Option<&str>) -> Result<String, Fault> {
    let caller = of.caller();
    let (assertion, record) = record_of(of, scopes);
    let place = Place { tenant_id: &caller.tenant_id, object_id: &caller.object_id, record: &record };
    let keys = sealing::keys()?;
    let now = wall_clock::now().seconds;
    // A store that cannot be read costs an exchange, not the call.
    let kept = || Kept::open(&keys, &token_store::get(&record).ok().flatten()?, place);
    if claims.is_none()
        && let Some(kept) = kept()
        && kept.is_fresh(now)
    {
        return Ok(kept.access_token.expose_secret().to_owned());
    }
    let us = Authority::read()?;
    let client = us.client(&caller.tenant_id);
    let claims = capabilities(claims)?;
    let request = Request { client, assertion: &assertion, scopes, claims: Some(&claims) };
    let token = authority::token(client.token_url(), &request.body())?;
    let access_token = token.access_token.expose_secret().to_owned();
    let kept = Kept { access_token: token.access_token, expires_at: now.saturating_add(token.expires_in) };
    let lifetime = u32::try_from(token.expires_in).unwrap_or(u32::MAX);
    // As above: a store that cannot be written costs another exchange next time.
    let _ = token_store::set(&record, &kept.seal(&keys, place, sealing::nonce()), lifetime);
    Ok(access_token)
}

pub(crate) fn forget(of: &Principal, scopes: &[String]) -> Result<(), Fault> {
    let (_, record) = record_of(of, scopes);
    token_store::delete(&record).map_err(|token_store::Failure::Unavailable(why)| Fault::Unavailable(why))
}

fn record_of(of: &Principal, scopes: &[String]) -> (SecretString, String) {
    let assertion = SecretString::from(assertion::token(of));
    let record = record_name(&assertion, scopes);
    (assertion, record)
}
