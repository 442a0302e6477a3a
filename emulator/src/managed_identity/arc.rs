//! The proof that Azure Arc asks for: who can read a file that only local users can read, is local.
//!
//! Source: Azure documentation, "Authenticate against Azure resources with Azure Arc-enabled servers".

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use super::identity::Selectors;
use crate::clock::Instant;
use crate::state::random;
use crate::tls::write_private;

/// Api versions of Arc.
pub(super) const VERSIONS: [&str; 2] = ["2020-06-01", "2019-11-01"];

/// It has one identity, so a request names none.
pub(super) const SELECTORS: Selectors = Selectors { client_id: "", object_id: &[], resource_id: &[] };

/// How many challenges are open at once, the oldest making room, and for how many seconds.
const OPEN: usize = 100;
const LIFE: i64 = 600;

/// The folder of key files, and what is in them. Clients insist on `/var/opt/azcmagent/tokens` on Linux.
pub(super) struct ArcKeys {
    folder: PathBuf,
    /// Oldest first.
    open: Mutex<VecDeque<KeyFile>>,
}

/// What became of a request's proof.
pub(super) enum Admission {
    /// It knows the content of a file.
    Admitted,
    /// It said nothing, and this is the answer that tells of a new file.
    Challenged(Response),
    /// It said something else.
    Refused,
}

/// A file that lies in the folder, for as long as this lives.
struct KeyFile {
    content: String,
    file: PathBuf,
    expires: Instant,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // If somebody else took it away, so much the better.
        let _ = std::fs::remove_file(&self.file);
    }
}

impl ArcKeys {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::default() }
    }

    /// Looks at the proof of a request; one without is told of a new file.
    pub(super) fn admit(&self, headers: &HeaderMap, now: Instant) -> Admission {
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return Admission::Challenged(self.challenge(now));
        };
        let content = given.to_str().ok().and_then(|v| v.strip_prefix("Basic ")).unwrap_or_default();
        let mut open = self.open();
        let found = open.iter().position(|k| k.content == content && k.expires > now);
        // Taken out, because each is good for one request.
        match found.and_then(|at| open.remove(at)) {
            Some(_) => Admission::Admitted,
            None => Admission::Refused,
        }
    }

    fn open(&self) -> MutexGuard<'_, VecDeque<KeyFile>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn challenge(&self, now: Instant) -> Response {
        let (content, file) = (random(48), self.folder.join(format!("{}.key", Uuid::new_v4())));
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| write_private(&file, &content));
        let realm = HeaderValue::from_str(&format!("Basic realm={}", file.display()));
        let (Ok(()), Ok(realm)) = (&written, realm) else {
            let reason = written.err().map_or_else(|| "its name fits no header".into(), |e| e.to_string());
            let text = format!("the key file {} cannot be made: {reason}\n", file.display());
            return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
        };
        let mut open = self.open();
        while open.len() >= OPEN || open.front().is_some_and(|k| k.expires <= now) {
            open.pop_front();
        }
        open.push_back(KeyFile { content, file, expires: now.plus(LIFE) });
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, realm)]).into_response()
    }
}
