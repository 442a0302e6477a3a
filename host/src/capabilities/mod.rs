//! What the components are lent, one file a capability. `wit/host/worlds.wit` lists which artifact gets which; `parts` grants them.

mod clocks;
mod credential;
mod egress;
mod rate_limit;
mod remembered;
mod request_state;
mod settings;
mod signature;
mod signing;
mod stores;
mod telemetry;

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use wasmtime::component::ResourceTable;

use crate::egress::{Documents, Sender};
use crate::parts::principal::Caller;
use crate::seal::SealingKeys;
use crate::signing_key::SigningKey;

pub(crate) use clocks::now;
pub use rate_limit::Calls;
pub use remembered::{Check, RememberedTokens, Seconds};
pub use request_state::RequestState;
pub use signature::{SignatureChecks, SignatureFailure};
pub use stores::{Ranges, SessionTurn, Turn, Turns};

/// What lives as long as the host, and stands behind the capabilities.
pub struct Lent {
    /// Settings by name. Nothing secret.
    pub settings: BTreeMap<String, String>,
    /// The client secret.
    pub client_secret: Option<SecretString>,
    /// The keys that seal what is kept.
    pub sealing_keys: SealingKeys,
    /// To the authority's key documents.
    pub keys: Sender,
    /// To the authority's token endpoint.
    pub authority: Sender,
    /// To Microsoft Graph.
    pub graph: Sender,
    /// To client metadata documents.
    pub documents: Documents,
    /// Where things are kept, a range for each capability.
    pub ranges: Ranges,
    /// What our own authorization server signs with.
    pub signing_key: SigningKey,
    /// Who renews which entry of the key cache.
    pub turns: Turns,
    /// The native signature check.
    pub signatures: SignatureChecks,
    /// The callers whose tokens were verified a moment ago.
    pub(crate) verified: RememberedTokens<Caller>,
    /// The calls that callers have left.
    pub calls: Calls,
    /// What the authorization server may still refuse callers.
    pub refusals: Calls,
    /// What request states are sealed with.
    pub request_state: RequestState,
    /// What the cookies of our authorization server are sealed with.
    pub browser_state: RequestState,
    /// Seals links that lead a client's user to the authorization server.
    pub link_state: RequestState,
}

/// The view of [`Lent`] that the capabilities are implemented on. Which of them an artifact gets is decided where it is linked, in `parts`.
pub(crate) struct Capabilities {
    lent: Arc<Lent>,
    /// The turns that the guest holds.
    turns: ResourceTable,
    /// Whether what is sealed here is carried by browsers.
    for_browsers: bool,
    /// What the clock said when the guest first looked at it, after this was emptied.
    pub(crate) first_look: Option<Seconds>,
}

impl Capabilities {
    pub(crate) fn new(lent: Arc<Lent>) -> Self {
        Self { lent, turns: ResourceTable::new(), for_browsers: false, first_look: None }
    }

    /// For the authorization server.
    pub(crate) fn for_browsers(lent: Arc<Lent>) -> Self {
        Self { for_browsers: true, ..Self::new(lent) }
    }
}
