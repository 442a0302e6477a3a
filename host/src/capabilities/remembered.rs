//! Whom tokens were verified as, for some seconds: a model that works makes several calls with one token.
//!
//! The verdict is the identity artifact's, which judges each token anew after [`limits::REMEMBERED_TOKEN_TIME`]. It is remembered by the SHA-256 of the token, which is not kept, by this
//! process for its one configuration, until the token ends or the keys change. What was refused is not remembered, so nothing grows with it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};

use crate::limits;

/// Seconds since 1970, by the clock that tokens are judged by.
pub type Seconds = u64;

/// Verified tokens, each with whom it is of.
pub struct RememberedTokens<T> {
    kept: RwLock<Kept<T>>,
}

struct Kept<T> {
    tokens: HashMap<[u8; 32], Verified<T>>,
    /// When the keys changed for the last time, if they did.
    changed: Option<Seconds>,
}

/// When a token was checked.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// When the check began.
    pub began: Seconds,
    /// When the instance began to use the keys that it has, or before that.
    pub keys_read: Seconds,
}

struct Verified<T> {
    who: T,
    at: Seconds,
    until: Seconds,
}

impl<T> Default for RememberedTokens<T> {
    fn default() -> Self {
        Self { kept: RwLock::new(Kept { tokens: HashMap::new(), changed: None }) }
    }
}

impl<T: Clone> RememberedTokens<T> {
    /// Whom `token` was verified as, a moment before `now`. The lower bound is for a clock that was set back.
    pub fn recall(&self, token: &str, now: Seconds) -> Option<T> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        // Most of a server's first requests find nothing, and should not pay for the digest.
        if kept.tokens.is_empty() || token.len() > limits::REMEMBERED_TOKEN_BYTES {
            return None;
        }
        let verified = kept.tokens.get(&name(token))?;
        (verified.at..verified.until).contains(&now).then(|| verified.who.clone())
    }

    /// Remembers that `token`, which ends at `expires_at`, was verified as `who` by a `check`.
    ///
    /// For as long as the instance that checked it would go on with the keys that it has, so that a verdict outlives no key by more than an instance does. Not if these keys can be from before
    /// their last change here.
    pub fn keep(&self, token: &str, who: T, check: Check, expires_at: Seconds) {
        let Check { began, keys_read } = check;
        let time = limits::REMEMBERED_TOKEN_TIME;
        if token.len() > limits::REMEMBERED_TOKEN_BYTES {
            return;
        }
        let verified = Verified { who, at: began, until: expires_at.min(keys_read.saturating_add(time)) };
        // Before the lock, for which everybody waits.
        let name = name(token);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.changed.is_some_and(|changed| began < changed.saturating_add(time)) {
            return;
        }
        // Forgetting all at once is crude and costs each live token one check.
        if kept.tokens.len() >= limits::REMEMBERED_TOKENS {
            kept.tokens.clear();
        }
        kept.tokens.insert(name, verified);
    }

    /// Forgets all, since the keys changed at `now`.
    pub fn keys_changed(&self, now: Seconds) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.tokens.clear();
        kept.changed = Some(now);
    }
}

fn name(token: &str) -> [u8; 32] {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Seconds = limits::REMEMBERED_TOKEN_TIME;
    const LONG: Seconds = 1_000_000;

    /// A check at `began` with keys that were read then.
    fn at(began: Seconds) -> Check {
        Check { began, keys_read: began }
    }

    #[test]
    fn a_token_is_remembered_for_seconds_and_never_past_its_end() {
        let tokens = RememberedTokens::default();
        assert_eq!(tokens.recall("token", 1000), None);
        tokens.keep("token", "who", at(1000), LONG);
        for (now, expected) in [
            (999, None),
            (1000, Some("who")),
            (1000 + TIME - 1, Some("who")),
            (1000 + TIME, None),
            (LONG, None),
        ] {
            assert_eq!(tokens.recall("token", now), expected, "{now}");
        }
        assert_eq!(tokens.recall("tokem", 1000), None, "another token");

        tokens.keep("old keys", "who", Check { began: 1000, keys_read: 1001 - TIME }, LONG);
        assert_eq!(tokens.recall("old keys", 1000), Some("who"));
        assert_eq!(tokens.recall("old keys", 1001), None, "the instance reads its keys again");

        tokens.keep("short", "who", at(1000), 1002);
        assert_eq!(tokens.recall("short", 1001), Some("who"));
        assert_eq!(
            tokens.recall("short", 1002),
            None,
            "the leeway after its end is for whoever judges tokens"
        );
        tokens.keep("ended", "who", at(1000), 999);
        assert_eq!(tokens.recall("ended", 1000), None);
    }

    #[test]
    fn new_keys_end_what_was_verified_with_old_ones() {
        let tokens = RememberedTokens::default();
        tokens.keep("token", "who", at(1000), LONG);
        tokens.keys_changed(1001);
        assert_eq!(tokens.recall("token", 1001), None);

        // Checks that began before the change, or so soon after it that the instance may have had the old keys, whenever they end.
        for began in [0, 1000, 1001, 1001 + TIME - 1] {
            tokens.keep("token", "who", at(began), LONG);
            assert_eq!(tokens.recall("token", began), None, "{began}");
        }
        tokens.keep("token", "who", at(1001 + TIME), LONG);
        assert_eq!(tokens.recall("token", 1001 + TIME), Some("who"));
    }

    #[test]
    fn what_is_remembered_of_tokens_is_bounded() {
        let tokens = RememberedTokens::default();
        let size = |tokens: &RememberedTokens<()>| tokens.kept.read().unwrap().tokens.len();
        for number in 0..limits::REMEMBERED_TOKENS {
            tokens.keep(&number.to_string(), (), at(1000), LONG);
        }
        assert_eq!(size(&tokens), limits::REMEMBERED_TOKENS);
        tokens.keep("one more", (), at(1000), LONG);
        assert_eq!((size(&tokens), tokens.recall("one more", 1000)), (1, Some(())));

        let longest = "t".repeat(limits::REMEMBERED_TOKEN_BYTES);
        tokens.keep(&longest, (), at(1000), LONG);
        assert_eq!(tokens.recall(&longest, 1000), Some(()));
        tokens.keep(&format!("{longest}t"), (), at(1000), LONG);
        assert_eq!((size(&tokens), tokens.recall(&format!("{longest}t"), 1000)), (2, None));
    }

    #[test]
    fn verdicts_are_kept_for_as_long_as_an_instance_keeps_keys() {
        assert_eq!(limits::REMEMBERED_TOKEN_TIME, valet_core_token::settings::CHECKS_KEPT);
    }
}
