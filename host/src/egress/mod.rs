//! Outbound HTTP: a [`Sender`] a capability, bound to one origin; and [`Documents`], for URLs that strangers choose.
//!
//! A sender checks the URL against its origin, the connector checks the address behind the name and dials exactly that address. There are no
//! redirects and no retries: those are decisions of the components.

mod address;
mod connector;
mod documents;
mod sender;

pub use address::AddressPolicy;
pub use connector::{ConnectError, Connector, trust};
pub use documents::Documents;
pub use sender::{Failure, Request, Response, Sender};
