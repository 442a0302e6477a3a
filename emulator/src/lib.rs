//! Microsoft Entra ID and Microsoft Graph on a laptop, strict where Entra is strict.
//!
//! An emulator for tests and demos: real HTTPS with a certificate authority of its own, real RS256 tokens, real
//! refusals. It is a separate product on purpose: it shares no code with the server it tests, or one mistake would
//! be made twice and agree with itself.
//!
//! **It must never be trusted by anything real.** Anybody who reaches it can sign in as anybody. So that a production
//! configuration can refuse it, every metadata and key document carries `"x-emulator": true` and every `kid` begins
//! with [`KID_PREFIX`]; it listens on loopback only unless told otherwise.
//!
//! ```no_run
//! # async fn example() -> Result<(), entra_emulator::StartError> {
//! use entra_emulator::{Emulator, Options, ids};
//!
//! let emulator = Emulator::start(Options::default()).await?;
//! let token = emulator
//!     .access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE])
//!     .expect("these are names of the sample");
//! # Ok(()) }
//! ```

mod admin;
mod authorize;
mod claims_request;
mod clock;
mod conditional_access;
mod dashboard;
mod device;
mod discovery;
mod emulator;
mod errors;
mod exchange;
mod faults;
mod forge;
mod form;
mod graph;
mod hosts;
mod html;
mod journal;
mod jwt;
mod keys;
mod managed_identity;
mod options;
mod realm;
mod registrations;
mod scopes;
mod server;
mod shelf;
mod sign_in;
mod state;
mod tls;
mod token;
mod tokens;
mod vault;

pub use emulator::Emulator;
pub use faults::{Endpoint, Fault, FaultBody, Faults, Operation, PlannedFault, RetryAfter, TooManyFaults};
pub use forge::{MintError, Signer};
pub use keys::{CONSUMER_TENANT, KID_PREFIX, KeyError};
pub use options::{Options, StartError};
pub use registrations::{
    ApiPermission, App, AppRole, Certificate, ConditionalAccess, Control, EXCHANGE_URI, ExposedScope,
    FederatedCredential, GRAPH_APP_ID, GRAPH_URI, Group, GroupClaims, Limits, ManagedIdentity, MemberType,
    OptionalClaims, PERSONAL_TENANT, PreAuthorized, RedirectUris, Registrations, RegistrationsError,
    RoleAssignment, SAMPLE_TOML, SignInAudience, Tenant, TokenLife, TokenVersion, User, VAULT_APP_ID,
    VAULT_URI, Vault, ids,
};
pub use state::{Issued, RevocationReason};
pub use tls::{CA_FILE, TlsError};
