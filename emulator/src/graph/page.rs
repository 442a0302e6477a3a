//! Pages of a list and the absolute links to the next one. Source: Graph documentation, "Paging Microsoft Graph data".
//!
//! Outlook pages with `$skip`, the directory and OneDrive with an opaque `$skiptoken`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::error::{GraphError, Service};
use super::query::Query;

/// Items of a page without `$top`, and the most that `$top` may ask for.
fn page_sizes(service: Service) -> (u64, u64) {
    match service {
        Service::Directory => (100, 999),
        Service::Outlook => (10, 1000),
        Service::Files => (200, 999),
    }
}

/// Where in the list an answer begins and how long it is.
pub(super) struct Page {
    pub(super) from: usize,
    pub(super) size: usize,
    /// Pages with `$skip` instead of a token.
    by_skip: bool,
}

impl Page {
    pub(super) fn new(call: &Call<'_>, query: &Query, service: Service) -> Result<Self, GraphError> {
        let (default, most) = page_sizes(service);
        let preferred = call.preference("odata.maxpagesize").and_then(|v| v.parse().ok());
        let size = query.top.or(preferred.filter(|n| (1..=most).contains(n))).unwrap_or(default);
        let refused = match service {
            Service::Directory if size == 0 || size > most => {
                let text = format!("Invalid page size: '{size}'. It must be between 1 and {most}.");
                Some(GraphError::DirectoryRequest(text))
            }
            Service::Outlook if size > most => {
                let text = format!("The limit of {most} for '$top' has been exceeded: {size}.");
                Some(GraphError::OutlookQuery(text))
            }
            Service::Files if size == 0 => {
                Some(GraphError::FilesRequest("The value of '$top' must be positive.".into()))
            }
            _ => None,
        };
        if let Some(refused) = refused {
            return Err(refused);
        }
        let from = match &query.skiptoken {
            Some(token) => read_token(call, token)?,
            None => usize::try_from(query.skip.unwrap_or(0)).unwrap_or(usize::MAX),
        };
        let by_skip = service == Service::Outlook && query.search.is_none();
        Ok(Self { from, size: usize::try_from(size.min(most)).unwrap_or(usize::MAX), by_skip })
    }

    /// Absolute, on Graph's origin, with every parameter of the request.
    pub(super) fn next_link(&self, call: &Call<'_>, next: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(name, _)| !pages(name)));
        match self.by_skip {
            true => query.append_pair("$skip", &next.to_string()),
            false => query.append_pair("$skiptoken", &write_token(call, next)),
        };
        let path: Vec<String> = call.segments.iter().map(|s| encode(s)).collect();
        format!("{}/{}?{}", call.root(), path.join("/"), query.finish())
    }
}

fn encode(segment: &str) -> String {
    // Letters of principal names and ids that RFC 3986 section 3.3 allows in a path segment stay as they are.
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'@')
        .remove(b'$')
        .remove(b'!');
    percent_encoding::utf8_percent_encode(segment, KEPT).to_string()
}

fn pages(name: &str) -> bool {
    name.eq_ignore_ascii_case("$skip") || name.eq_ignore_ascii_case("$skiptoken")
}

/// A token says where the next page begins and is bound to the list, the query and the caller.
fn write_token(call: &Call<'_>, next: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{next}.{}", binding(call)))
}

fn read_token(call: &Call<'_>, token: &str) -> Result<usize, GraphError> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let parsed = text.as_deref().and_then(|text| text.split_once('.'));
    match parsed {
        Some((next, bound)) if bound == binding(call) => next.parse().map_err(|_| GraphError::PageToken),
        _ => Err(GraphError::PageToken),
    }
}

fn binding(call: &Call<'_>) -> String {
    let mut hash = Sha256::new();
    for segment in &call.segments {
        hash.update(segment.to_lowercase());
        hash.update([0]);
    }
    for (name, value) in call.query.iter().filter(|(name, _)| !pages(name)) {
        hash.update(format!("{}={value}\0", name.to_lowercase()));
    }
    hash.update(call.caller.user().unwrap_or_default());
    hash.update(call.caller.tenant().unwrap_or_default());
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}
