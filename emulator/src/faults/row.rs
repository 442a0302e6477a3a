//! How a planned fault is spelled: the keys of `[[faults]]` in a registrations file, and of the admin API's JSON.
//!
//! | key | meaning |
//! |---|---|
//! | `endpoint` | `metadata`, `keys`, `login`, `authorize`, `token`, `device_code`, `graph`, `vault`, `managed_identity` |
//! | `kind` | `status` (default), `delay`, `drip`, `reset`, `cut_off`, `wrong_type`, `huge` |
//! | `status` | of kind `status`: 200 to 599 |
//! | `body` | of kind `status`: `service` (default), `html`, `empty`, `not_json`, `empty_keys` |
//! | `retry_after` | of kind `status`: seconds, a decimal number, any text, or `{ date_in = SECONDS }` |
//! | `seconds` | of kind `delay`: how long; of kind `drip`: pause before each byte, default 1 |
//! | `megabytes` | of kind `huge` |
//! | `times`, `every` | hits so often; hits every nth |
//! | `path`, `grant_type` | only below this path; only token requests of this grant type |

use std::time::Duration;

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};

use super::{Endpoint, Fault, FaultBody, PlannedFault, RetryAfter};

/// The longest pause, seconds.
const LONGEST: f64 = 3600.0;

/// The largest body, megabytes.
const LARGEST: u32 = 4096;

/// The keys as they are written; absent ones are None.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<Endpoint>,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<FaultBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<RetryWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    megabytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_type: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Status,
    Delay,
    Drip,
    Reset,
    CutOff,
    WrongType,
    Huge,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be a number of seconds, a text, or { date_in = SECONDS }")]
enum RetryWord {
    Seconds(u64),
    Decimal(f64),
    Text(String),
    DateIn(DateIn),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DateIn {
    date_in: u64,
}

/// A key that is missing, superfluous or has an impossible value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub(crate) struct RowError {
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

fn wrong(key: &'static str, message: impl Into<String>) -> RowError {
    RowError { key, message: message.into() }
}

impl TryFrom<Row> for PlannedFault {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let endpoint = row.endpoint.ok_or_else(|| wrong("endpoint", "is missing"))?;
        let fault = row.fault()?;
        if row.body == Some(FaultBody::EmptyKeys) && endpoint != Endpoint::Keys {
            return Err(wrong("body", "empty_keys is only for the endpoint keys"));
        }
        if row.every == Some(0) {
            return Err(wrong("every", "must be at least 1"));
        }
        if row.path.as_deref().is_some_and(|p| !p.starts_with('/')) {
            return Err(wrong("path", "must begin with /"));
        }
        if row.grant_type.is_some() && !matches!(endpoint, Endpoint::Token | Endpoint::Login) {
            return Err(wrong("grant_type", "is only for the endpoints token and login"));
        }
        let Row { path, grant_type, times, every, .. } = row;
        Ok(Self { endpoint, fault, path, grant_type, times, every: every.unwrap_or(1) })
    }
}

impl Row {
    fn fault(&self) -> Result<Fault, RowError> {
        self.nothing_superfluous()?;
        Ok(match self.kind {
            Kind::Status => self.status()?,
            Kind::Delay => Fault::Delay(self.pause()?.ok_or_else(|| wrong("seconds", "is missing"))?),
            Kind::Drip => Fault::Drip(self.pause()?.unwrap_or(Duration::from_secs(1))),
            Kind::Reset => Fault::Reset,
            Kind::CutOff => Fault::CutOff,
            Kind::WrongType => Fault::WrongType,
            Kind::Huge => match self.megabytes {
                Some(megabytes @ 1..=LARGEST) => Fault::Huge { megabytes },
                Some(_) => return Err(wrong("megabytes", format!("must be 1 to {LARGEST}"))),
                None => return Err(wrong("megabytes", "is missing")),
            },
        })
    }

    /// A key that the kind does not read is a misunderstanding.
    fn nothing_superfluous(&self) -> Result<(), RowError> {
        let status = self.kind == Kind::Status;
        let timed = matches!(self.kind, Kind::Delay | Kind::Drip);
        for (key, given, read) in [
            ("status", self.status.is_some(), status),
            ("body", self.body.is_some(), status),
            ("retry_after", self.retry_after.is_some(), status),
            ("seconds", self.seconds.is_some(), timed),
            ("megabytes", self.megabytes.is_some(), self.kind == Kind::Huge),
        ] {
            if given && !read {
                return Err(wrong(key, format!("does not go with this kind ({:?})", self.kind)));
            }
        }
        Ok(())
    }

    fn status(&self) -> Result<Fault, RowError> {
        let code = match self.status {
            Some(code @ 200..=599) => code,
            Some(_) => return Err(wrong("status", "must be 200 to 599")),
            None => return Err(wrong("status", "is missing")),
        };
        let retry_after = self.retry_after.as_ref().map(RetryWord::read).transpose()?;
        Ok(match self.body {
            Some(FaultBody::Service) | None => Fault::Status { code, retry_after },
            Some(body) => Fault::Answer { code, retry_after, body },
        })
    }

    fn pause(&self) -> Result<Option<Duration>, RowError> {
        match self.seconds {
            None => Ok(None),
            Some(s) if (0.0..=LONGEST).contains(&s) => Ok(Some(Duration::from_secs_f64(s))),
            Some(_) => Err(wrong("seconds", format!("must be 0 to {LONGEST}"))),
        }
    }
}

impl RetryWord {
    fn read(&self) -> Result<RetryAfter, RowError> {
        Ok(match self {
            Self::Seconds(n) => RetryAfter::Seconds(*n),
            Self::Decimal(s) => RetryAfter::Decimal(
                Duration::try_from_secs_f64(*s)
                    .map_err(|e| wrong("retry_after", format!("{e}; a text is sent as it is")))?,
            ),
            Self::DateIn(ahead) => RetryAfter::DateIn(Duration::from_secs(ahead.date_in)),
            Self::Text(text) => match HeaderValue::from_str(text) {
                Ok(_) => RetryAfter::Text(text.clone()),
                Err(_) => return Err(wrong("retry_after", "cannot be sent in a header")),
            },
        })
    }
}

impl From<&PlannedFault> for Row {
    fn from(planned: &PlannedFault) -> Self {
        let PlannedFault { endpoint, fault, path, grant_type, times, every } = planned.clone();
        let every = Some(every).filter(|&n| n > 1);
        let row = Self { endpoint: Some(endpoint), path, grant_type, times, every, ..Self::default() };
        let seconds = |d: Duration| Some(d.as_secs_f64());
        match fault {
            Fault::Status { code, retry_after } => {
                Self { status: Some(code), retry_after: retry_after.map(RetryWord::from), ..row }
            }
            Fault::Answer { code, retry_after, body } => Self {
                status: Some(code),
                retry_after: retry_after.map(RetryWord::from),
                body: Some(body),
                ..row
            },
            Fault::Delay(by) => Self { kind: Kind::Delay, seconds: seconds(by), ..row },
            Fault::Drip(pause) => Self { kind: Kind::Drip, seconds: seconds(pause), ..row },
            Fault::Reset => Self { kind: Kind::Reset, ..row },
            Fault::CutOff => Self { kind: Kind::CutOff, ..row },
            Fault::WrongType => Self { kind: Kind::WrongType, ..row },
            Fault::Huge { megabytes } => Self { kind: Kind::Huge, megabytes: Some(megabytes), ..row },
        }
    }
}

impl From<RetryAfter> for RetryWord {
    fn from(value: RetryAfter) -> Self {
        match value {
            RetryAfter::Seconds(n) => Self::Seconds(n),
            RetryAfter::Decimal(d) => Self::Decimal(d.as_secs_f64()),
            RetryAfter::DateIn(d) => Self::DateIn(DateIn { date_in: d.as_secs() }),
            RetryAfter::Text(text) => Self::Text(text),
        }
    }
}

/// In a registrations file: through `Row`, so that every value is checked when the file is read.
impl<'de> Deserialize<'de> for PlannedFault {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Row::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PlannedFault, String> {
        toml::from_str::<PlannedFault>(text).map_err(|e| e.to_string())
    }

    #[test]
    fn every_kind_survives_writing_and_reading() {
        for text in [
            "endpoint = \"graph\"\nstatus = 429\nretry_after = 7",
            "endpoint = \"graph\"\nstatus = 429\nretry_after = 1.5\ntimes = 2",
            "endpoint = \"graph\"\nstatus = 503\nretry_after = \"soon\"\nevery = 3",
            "endpoint = \"graph\"\nstatus = 503\nretry_after = { date_in = 30 }\npath = \"/v1.0/me\"",
            "endpoint = \"keys\"\nstatus = 200\nbody = \"empty_keys\"",
            "endpoint = \"token\"\nstatus = 502\nbody = \"html\"\ngrant_type = \"refresh_token\"",
            "endpoint = \"vault\"\nkind = \"delay\"\nseconds = 2",
            "endpoint = \"metadata\"\nkind = \"drip\"",
            "endpoint = \"login\"\nkind = \"reset\"",
            "endpoint = \"device_code\"\nkind = \"cut_off\"",
            "endpoint = \"authorize\"\nkind = \"wrong_type\"",
            "endpoint = \"managed_identity\"\nkind = \"huge\"\nmegabytes = 20",
        ] {
            let planned = read(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(PlannedFault::try_from(Row::from(&planned)), Ok(planned), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("status = 500", "endpoint: is missing"),
            ("endpoint = \"graph\"", "status: is missing"),
            ("endpoint = \"graph\"\nstatus = 42", "status: must be"),
            ("endpoint = \"graph\"\nstatus = 500\nevery = 0", "every: "),
            ("endpoint = \"graph\"\nstatus = 500\nseconds = 1", "seconds: does not go"),
            ("endpoint = \"graph\"\nkind = \"delay\"", "seconds: is missing"),
            ("endpoint = \"graph\"\nkind = \"delay\"\nseconds = -1", "seconds: must be"),
            ("endpoint = \"graph\"\nkind = \"huge\"\nmegabytes = 0", "megabytes: must be"),
            ("endpoint = \"graph\"\nstatus = 200\nbody = \"empty_keys\"", "body: "),
            ("endpoint = \"graph\"\nstatus = 200\ngrant_type = \"x\"", "grant_type: "),
            ("endpoint = \"graph\"\nstatus = 200\npath = \"me\"", "path: "),
            ("endpoint = \"graph\"\nstatus = 200\nretry_after = -1.5", "retry_after: "),
            ("endpoint = \"graph\"\nstatus = 200\nretry_after = { days = 1 }", "retry_after = "),
            ("endpoint = \"graph\"\nstatus = 200\ncolour = 1", "colour"),
            ("endpoint = \"moon\"\nstatus = 200", "moon"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
