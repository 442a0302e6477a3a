//! Outbound HTTP: a [`Sender`] a capability, bound to one origin; and [`Documents`], for URLs that strangers choose.
//!
//! A sender checks the URL against its origin, the connector checks the address behind the name and dials exactly that address. There are no
//! redirects and no retries: those are decisions of the components.

use url::Url;

mod address;
mod connector;
mod documents;
mod sender;

pub use address::AddressPolicy;
pub use connector::{ConnectError, Connector, trust};
pub use documents::Documents;
pub use sender::{Failure, Request, Response, Sender};

/// Whether a URL has user information (RFC 3986 section 3.2.1): a secret in clear, or a name that stands where people read the host.
pub(crate) fn has_user_information(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}
