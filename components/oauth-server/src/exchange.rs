//! One request, and what every endpoint needs beside it.

use valet_core_oauth::cookie::Cookies;
use valet_core_oauth::form::{Form, FormError};
use valet_core_oauth::http;
use valet_core_oauth::page;
use valet_core_oauth::settings::{Settings, SettingsError};

use crate::audit;
use crate::bindings::exports::valet::oauth::authorization::Request;
use crate::bindings::valet::capability::settings;
use crate::bindings::wasi::clocks::wall_clock;

/// A request with the settings and the time.
pub(crate) struct Exchange<'a> {
    pub(crate) request: &'a Request,
    pub(crate) settings: Settings,
    /// Seconds since the Unix epoch.
    pub(crate) now: u64,
}

impl<'a> Exchange<'a> {
    /// The error is the answer where the settings are at fault.
    pub(crate) fn new(request: &'a Request) -> Result<Self, http::Response> {
        match Settings::read(settings::get) {
            Ok(settings) => Ok(Self::with(request, settings)),
            Err(error) => Err(misconfigured(request, &error)),
        }
    }

    pub(crate) fn with(request: &'a Request, settings: Settings) -> Self {
        Self { request, settings, now: wall_clock::now().seconds }
    }

    /// The number that a person quotes.
    pub(crate) fn id(&self) -> &str {
        &self.request.request_id
    }

    /// The value of a header field; none if it is not there exactly once, so that no two readers see two values.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.request.headers.iter().filter(|(known, _)| known == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The parameters: the body of a form, else the query.
    pub(crate) fn form(&self) -> Result<Form, FormError> {
        let query = self.request.target.split_once('?').map(|(_, query)| query);
        Form::of_request(&self.request.method, query, self.field("content-type"), &self.request.body)
    }

    pub(crate) fn cookies(&self) -> Cookies<'_> {
        let fields = self.request.headers.iter().filter(|(name, _)| name == "cookie");
        Cookies::parse(fields.map(|(_, value)| value.as_str()))
    }

    /// Something of ours failed: the log says what, the person gets a number.
    pub(crate) fn failed(&self, reason: &str, detail: String) -> http::Response {
        audit::failed(self.id(), reason, detail);
        page::server_error(self.id())
    }
}

/// The answer where the settings are at fault.
pub(crate) fn misconfigured(request: &Request, error: &SettingsError) -> http::Response {
    audit::failed(&request.request_id, "misconfigured", error.to_string());
    page::server_error(&request.request_id)
}
