//! What happened lately: the last requests with their verdict, and the last tokens issued. For the page at `/`.
//!
//! Holds claims, never a whole token: the page is open to everybody who reaches the emulator, and a token that can be
//! copied from it would make the emulator's own refusals meaningless.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use uuid::Uuid;

use crate::clock::Instant;

/// How many requests and how many tokens are remembered.
const KEPT: usize = 200;

/// What decided an answer, told by whoever decided: an extension of the response, which never reaches the client.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// E.g. `AADSTS65001`, `InvalidAuthenticationToken`.
    pub(crate) code: String,
    /// The id that is also in the error body.
    pub(crate) correlation_id: Option<Uuid>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: String,
    /// Host and path, without the query.
    pub(crate) target: String,
    /// 0: the connection ended without an answer, as planned.
    pub(crate) status: u16,
    /// What decided, e.g. `AADSTS65001`, `InvalidAuthenticationToken`, a planned fault; empty where all went well.
    pub(crate) verdict: String,
    /// The id that is also in the error body.
    pub(crate) correlation_id: Option<Uuid>,
}

/// One issued token.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) at: Instant,
    /// `access token`, `id token`.
    pub(crate) kind: &'static str,
    pub(crate) claims: Value,
}

/// Two rings.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    seen: Mutex<VecDeque<Seen>>,
    issued: Mutex<VecDeque<Issued>>,
}

impl Journal {
    /// Records a request.
    pub(crate) fn saw(&self, seen: Seen) {
        push(&self.seen, seen);
    }

    /// Records a token.
    pub(crate) fn issued(&self, issued: Issued) {
        push(&self.issued, issued);
    }

    /// The last requests, newest first.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        newest_first(&self.seen)
    }

    /// The last tokens, newest first.
    pub(crate) fn tokens(&self) -> Vec<Issued> {
        newest_first(&self.issued)
    }
}

fn push<T>(ring: &Mutex<VecDeque<T>>, entry: T) {
    let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
    if ring.len() == KEPT {
        ring.pop_front();
    }
    ring.push_back(entry);
}

fn newest_first<T: Clone>(ring: &Mutex<VecDeque<T>>) -> Vec<T> {
    ring.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
}
