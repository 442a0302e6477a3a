//! Signing keys: which are published, which signs, which is retired.
//!
//! Owns rotation. Keys are made in the background (`factory.rs`), so that the port opens at once: whoever needs one
//! waits for just that one. Does not build tokens: that is `jwt.rs` (bytes) and `tokens.rs` (claims).

mod factory;
mod kept;
mod signing_key;
mod slot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use factory::Urgency;
use kept::Keeper;
pub(crate) use signing_key::SigningKey;
pub(crate) use slot::Slot;

/// The tenant of personal Microsoft accounts, whose keys are published among the others.
pub const CONSUMER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Every `kid` begins with this, so that a production configuration can refuse the emulator's keys by sight.
pub const KID_PREFIX: &str = "emulator-";

/// How many keys are published at most: rotation beyond it retires the oldest work key.
const MOST_PUBLISHED: usize = 100;

/// Whose tokens a key may sign; becomes the per-key `issuer` of the v2 key document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyIssuer {
    /// Any work tenant: the template with `{tenantid}`.
    Work,
    /// Personal accounts: the fixed GUID.
    Consumer,
}

/// A key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// RSA key generation failed. Usual cause: none; the system's source of randomness failed.
    #[error("an RSA key could not be generated")]
    Generate,
    /// The certificate could not be written.
    #[error("the certificate of a signing key could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The file of kept keys is not what the emulator wrote.
    #[error("{file}: {message}; remove the file to get new keys")]
    Kept {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// All keys of one emulator.
pub(crate) struct KeyRing {
    /// Published, in no meaningful order (Entra documentation, "Signing key rollover").
    live: Vec<Arc<Slot>>,
    /// Which live key signs.
    signer: Arc<Slot>,
    /// The key removed last.
    removed: Option<Arc<Slot>>,
    /// Stands in for it before one was removed; made when first asked for.
    retired: OnceLock<SigningKey>,
    /// Never published; made when first asked for.
    stranger: OnceLock<SigningKey>,
    keeper: Option<Keeper>,
    /// How often the published keys changed.
    changes: u64,
}

impl KeyRing {
    /// Two work keys and one consumer key published: those kept in `folder`, or new ones, which are then in the making.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, KeyError> {
        let keeper = folder.map(Keeper::new);
        let kept = keeper.as_ref().map_or(Ok(None), Keeper::read)?;
        let live = match kept {
            Some(kept) => kept,
            None => ordered(keeper.clone()),
        };
        let (retired, stranger) = Default::default();
        Ok(Self { signer: live[0].clone(), live, removed: None, retired, stranger, keeper, changes: 0 })
    }

    /// The key that signs tokens.
    pub(crate) fn signer(&self) -> &SigningKey {
        self.signer.key()
    }

    /// A published key by name. One that is still in the making has no name that anybody could know.
    pub(crate) fn live(&self, kid: &str) -> Option<&SigningKey> {
        self.live.iter().filter_map(|slot| slot.get()).find(|k| k.kid() == kid)
    }

    /// The published key of personal accounts.
    pub(crate) fn consumer(&self) -> &SigningKey {
        let found = self.live.iter().find(|slot| slot.issuer == KeyIssuer::Consumer);
        found.expect("the consumer key is never removed").key()
    }

    /// The key removed last.
    pub(crate) fn removed(&self) -> &SigningKey {
        match &self.removed {
            Some(slot) => slot.key(),
            None => self.retired.get_or_init(made),
        }
    }

    /// The key nobody published.
    pub(crate) fn stranger(&self) -> &SigningKey {
        self.stranger.get_or_init(made)
    }

    /// Names of the published keys.
    pub(crate) fn kids(&self) -> Vec<String> {
        self.live.iter().map(|slot| slot.key().kid().to_owned()).collect()
    }

    /// The keys still in the making that a request for `path` needs: the page and key documents all published ones, metadata none,
    /// anything else at most the signer.
    pub(crate) fn awaited_by(&self, path: &str) -> Vec<Arc<Slot>> {
        let needed = match path {
            p if p == "/" || p.ends_with("/discovery/keys") || p.ends_with("/discovery/v2.0/keys") => {
                self.live.as_slice()
            }
            p if p.contains("/.well-known/") => &[],
            _ => std::slice::from_ref(&self.signer),
        };
        needed.iter().filter(|slot| slot.get().is_none()).cloned().collect()
    }

    /// Publishes `key` and lets it sign; the former signer stays published.
    pub(crate) fn rotate(&mut self, key: SigningKey) {
        self.signer = Slot::of(KeyIssuer::Work, key);
        self.live.insert(0, self.signer.clone());
        if self.live.len() > MOST_PUBLISHED
            && let Some(oldest) = self.live.iter().rposition(|slot| slot.issuer == KeyIssuer::Work)
        {
            self.removed = Some(self.live.remove(oldest));
        }
        self.keep();
    }

    /// Stops publishing a key. Returns whether it was done: not for an unknown key, the consumer key, or the
    /// last work key. If the signer goes, another work key signs.
    pub(crate) fn remove(&mut self, kid: &str) -> bool {
        let is_work = |slot: &Slot| slot.issuer == KeyIssuer::Work;
        let named = |slot: &Slot| slot.get().is_some_and(|k| k.kid() == kid);
        let Some(at) = self.live.iter().position(|slot| named(slot) && is_work(slot)) else {
            return false;
        };
        let Some(other) = self.live.iter().find(|slot| is_work(slot) && !named(slot)).cloned() else {
            return false;
        };
        if named(&self.signer) {
            self.signer = other;
        }
        self.removed = Some(self.live.remove(at));
        self.keep();
        true
    }

    /// The v1 key document.
    pub(crate) fn document_v1(&self) -> Value {
        let keys: Vec<_> = self.live.iter().map(|slot| slot.key().jwk()).collect();
        json!({ "x-emulator": true, "keys": keys })
    }

    /// The v2 key document: with the `issuer` of each key, under `authority`.
    pub(crate) fn document_v2(&self, authority: &str) -> Value {
        let with_issuer = |slot: &Arc<Slot>| {
            let tenant = match slot.issuer {
                KeyIssuer::Work => "{tenantid}",
                KeyIssuer::Consumer => CONSUMER_TENANT,
            };
            let mut jwk = slot.key().jwk();
            jwk["issuer"] = format!("{authority}/{tenant}/v2.0").into();
            jwk
        };
        json!({ "x-emulator": true, "keys": self.live.iter().map(with_issuer).collect::<Vec<_>>() })
    }

    fn keep(&mut self) {
        self.changes += 1;
        if let Some(keeper) = &self.keeper {
            let mut slots = self.live.clone();
            slots.sort_by_key(|slot| !Arc::ptr_eq(slot, &self.signer));
            // A set that was not kept costs the next start its old tokens, no more.
            let _ = keeper.write(&slots, self.changes);
        }
    }
}

/// Orders the three keys of a new ring, the signer first, and has them kept when they are made.
fn ordered(keeper: Option<Keeper>) -> Vec<Arc<Slot>> {
    use KeyIssuer::{Consumer, Work};
    let live: Vec<_> = [Work, Consumer, Work].map(Slot::empty).into();
    for (i, slot) in live.iter().enumerate() {
        factory::order(slot, if i == 0 { Urgency::Signer } else { Urgency::Published });
    }
    if let Some(keeper) = keeper {
        let slots = live.clone();
        // As in `keep`; no thread to be had is one more way not to keep them.
        let _ = std::thread::Builder::new().name("keep keys".into()).spawn(move || keeper.write(&slots, 0));
    }
    live
}

/// A key for a test that forges.
fn made() -> SigningKey {
    factory::one().expect(
        "the system's random source works, or the certificate of the listener could not have been made",
    )
}

/// A new key at once, e.g. to rotate to.
pub(crate) fn new_key() -> Result<SigningKey, KeyError> {
    factory::one()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_without_end_publishes_no_more_than_it_may() {
        let mut ring = KeyRing::open(None).unwrap();
        let (first, key) = (ring.kids(), new_key().unwrap());
        let (pkcs8, certificate) = (key.pkcs8().unwrap(), key.certificate());
        // The names must differ, the keys need not: a certificate is not looked into.
        for i in 0..=u8::try_from(MOST_PUBLISHED).unwrap() {
            ring.rotate(SigningKey::from_der(&pkcs8, [certificate, &[i]].concat()).unwrap());
        }
        let kids = ring.kids();
        assert_eq!(kids.len(), MOST_PUBLISHED);
        assert_eq!(kids[0], ring.signer().kid());
        assert!(kids.contains(&ring.consumer().kid().to_owned()), "the consumer key is never removed");
        assert_eq!(kids.iter().filter(|kid| first.contains(kid)).count(), 1);
    }
}
