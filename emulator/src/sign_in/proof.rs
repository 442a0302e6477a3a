//! What a form says about earlier steps: who has signed in, and how. Sealed, because a password would otherwise be skipped
//! by naming the account on a later form.
//!
//! Nothing is kept on the server: the seal covers the request that the form belongs to, so it opens no other one.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::clock::Instant;
use crate::state::{SignIn, State};

/// How long the pages of one sign-in may take, seconds.
const LIFE: i64 = 900;

/// Who signed in, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) user: Uuid,
    pub(super) sign_in: SignIn,
}

impl Proof {
    /// As the value of a hidden field of a form that belongs to `request`.
    pub(super) fn seal(self, state: &State, request: &str) -> String {
        let SignIn { at, mfa } = self.sign_in;
        let expires = state.clock.now().plus(LIFE).0;
        let text = format!("{}.{}.{}.{expires}", self.user, at.0, u8::from(mfa));
        let seal = hmac::sign(&state.proof_key, covered(&text, request).as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(seal))
    }

    /// None for anything else than [`Self::seal`] made for `request` a while ago.
    pub(super) fn open(text: &str, state: &State, request: &str) -> Option<Self> {
        let (text, seal) = text.rsplit_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        hmac::verify(&state.proof_key, covered(text, request).as_bytes(), &seal).ok()?;
        let mut parts = text.split('.');
        let user = parts.next()?.parse().ok()?;
        let at = Instant(parts.next()?.parse().ok()?);
        let mfa = parts.next()? == "1";
        let expires = Instant(parts.next()?.parse().ok()?);
        (expires > state.clock.now()).then_some(Self { user, sign_in: SignIn { at, mfa } })
    }
}

fn covered(text: &str, request: &str) -> String {
    format!("{text}\n{request}")
}
