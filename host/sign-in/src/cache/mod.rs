//! The token cache: where it lies, and how it is read and changed without losing anything.
//!
//! Owns places, locking and sealing; what is in the cache is `schema.rs`. Readers take no lock, since whatever lies there is whole.
//! Whoever changes it holds the lock from reading to writing, so two processes at once lose nothing.

pub(crate) mod file;
mod keychain;
mod lock;
pub(crate) mod schema;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use valet_core_entra::ExposeSecret as _;
use valet_core_entra::sealed::{KEY_BYTES, NONCE_BYTES, SealingKeys};
use zeroize::Zeroizing;

use crate::flight::Flights;
use crate::limits::{KEYCHAIN_DEADLINE, MAX_KEYCHAIN_BYTES};
use crate::random;
use crate::settings::{Settings, Storage};
use keychain::{Keychain, KeychainError};
use schema::Cache;

/// What the sealed file is bound to: its format and its use.
const SEAL_CONTEXT: &[u8] = b"valet/1 token cache";

/// Why the cache cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// A file cannot be read.
    #[error("the token cache {} cannot be read: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A file cannot be written. What was there before is still there, whole.
    #[error("the token cache {} cannot be written: {why}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another process holds the cache.
    #[error("another process has held {} for {seconds} s", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// There is no keychain.
    #[error(
        "there is no keychain to keep tokens in: {why}. Start one (on Linux a Secret Service such as gnome-keyring), or let them lie readable on the disk \
         with `--dangerously-plaintext-cache` or VALET_DANGEROUSLY_PLAINTEXT_CACHE=1"
    )]
    NoKeychain {
        /// What the system said.
        why: String,
    },
    /// The keychain is locked and was not unlocked.
    #[error("the keychain is locked: {why}. Unlock it and try again")]
    KeychainLocked {
        /// What the system said.
        why: String,
    },
}

/// The cache, and what was last seen of it.
pub(crate) struct Store {
    place: Place,
    lock: PathBuf,
    seen: Mutex<Option<Seen>>,
    /// Looks that are under way, by what was to be seen: a keychain that asks its owner is asked once.
    looks: Flights<Stamp, Result<Option<Arc<Cache>>, CacheError>>,
}

/// The cache as it was when it had this stamp.
#[derive(Clone)]
struct Seen {
    stamp: Stamp,
    cache: Arc<Cache>,
    /// What lies there is no cache.
    damaged: bool,
}

/// Tells whether the cache has changed: our own stamp, and the file's for what other programs write.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Stamp(String, Option<(SystemTime, u64)>);

impl Stamp {
    fn read(file: &Path, lock: &Path) -> Self {
        let file = file.metadata().ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        Self(lock::stamp(lock), file)
    }
}

impl Store {
    pub(crate) fn new(settings: &Settings) -> Self {
        let folder = &settings.state_dir;
        let plain = settings.storage == Storage::DangerouslyPlaintext;
        let place = Place {
            storage: settings.storage,
            file: folder.join(if plain { "tokens.json" } else { "tokens.sealed" }),
            // Two folders are two caches, also in the keychain.
            name: format!("token cache of {}", folder.display()),
        };
        Self { place, lock: folder.join("tokens.lock"), seen: Mutex::new(None), looks: Flights::new() }
    }

    /// The cache as it is now; from memory if it has not changed.
    pub(crate) async fn read(&self) -> Result<Arc<Cache>, CacheError> {
        Ok(self.look().await?.cache)
    }

    /// Takes the cache for changing it.
    pub(crate) async fn lock(&self) -> Result<Locked<'_>, CacheError> {
        if let Some(folder) = self.lock.parent() {
            file::make_folder(folder)?;
        }
        let held = lock::acquire(&self.lock).await?;
        let Seen { cache, damaged, .. } = self.look().await?;
        Ok(Locked { store: self, held, cache: Cache::clone(&cache), damaged })
    }

    async fn look(&self) -> Result<Seen, CacheError> {
        let stamp = self.stamp();
        if let Some(seen) = &*self.seen()
            && seen.stamp == stamp
        {
            return Ok(seen.clone());
        }
        let place = self.place.clone();
        let look = self.looks.join(stamp.clone(), || async move {
            blocking(move || place.read()).await.map(|found| found.map(Arc::new))
        });
        let broke_off = || CacheError::NoKeychain { why: "the look at it broke off".to_owned() };
        let found = look.await.ok_or_else(broke_off)??;
        if found.is_none() {
            tracing::warn!(
                place = %self.place, "the token cache is damaged or not ours, so nobody is signed in by it; the next sign-in begins it anew"
            );
        }
        let seen = Seen { stamp, damaged: found.is_none(), cache: found.unwrap_or_default() };
        *self.seen() = Some(seen.clone());
        Ok(seen)
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::read(&self.place.file, &self.lock)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Option<Seen>> {
        // Each critical section is one assignment.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cache, held by us alone.
pub(crate) struct Locked<'a> {
    store: &'a Store,
    held: lock::Held,
    pub(crate) cache: Cache,
    damaged: bool,
}

impl Locked<'_> {
    /// Writes the changed cache and lets go of it. Where writing fails the change holds in this process, until another process makes one.
    pub(crate) async fn write(self) -> Result<(), CacheError> {
        self.write_and(|| Ok(())).await
    }

    /// The same, and does what belongs to the change before it lets go, if that was written.
    pub(crate) async fn write_and(
        self,
        then: impl FnOnce() -> Result<(), CacheError> + Send + 'static,
    ) -> Result<(), CacheError> {
        let Self { store, mut held, cache, damaged } = self;
        let cache = Arc::new(cache);
        let (place, lock, bytes) = (store.place.clone(), store.lock.clone(), cache.to_bytes());
        // The lock goes with the work, which ends even if whoever asked for it is gone.
        let work = move || {
            let written = replace(&place, &mut held, &bytes, damaged);
            let damaged = damaged && written.is_err();
            let written = written.and_then(|()| then());
            // While the lock is still held: a stamp of the next one's change would make ours pass for theirs.
            Ok((Stamp::read(&place.file, &lock), damaged, written))
        };
        let (stamp, damaged, written) = match blocking(work).await {
            Ok(done) => done,
            Err(error) => (store.stamp(), damaged, Err(error)),
        };
        *store.seen() = Some(Seen { stamp, cache, damaged });
        written
    }

    /// Finds out whether the cache can be written, by writing what is there. Something damaged stays where it is, since nobody has anything to put in its place yet:
    /// there only its folder is tried, and the keychain has just been read.
    pub(crate) async fn rehearse(self) -> Result<(), CacheError> {
        if !self.damaged {
            return self.write().await;
        }
        let file = self.store.place.file.clone();
        // The lock goes with the work here too.
        let held = self.held;
        blocking(move || {
            let tried = file::try_folder(&file);
            drop(held);
            tried
        })
        .await
    }
}

/// Writes `bytes` where the cache lies. The stamp is renewed before as well: if we are killed in between, nobody takes what they have seen for what is there.
fn replace(place: &Place, held: &mut lock::Held, bytes: &[u8], damaged: bool) -> Result<(), CacheError> {
    if damaged {
        place.set_aside()?;
    }
    held.changed()?;
    place.write(bytes)?;
    held.changed()
}

/// Where the cache lies.
#[derive(Clone)]
struct Place {
    storage: Storage,
    file: PathBuf,
    name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.exists() {
            true => self.file.display().fmt(f),
            false => write!(f, "`{}` in the keychain", self.name),
        }
    }
}

impl Place {
    /// The cache that lies there; an empty one where nothing does; none where it is something else, or damaged.
    fn read(&self) -> Result<Option<Cache>, CacheError> {
        if self.storage == Storage::DangerouslyPlaintext {
            let bytes = file::read(&self.file)?;
            return Ok(bytes.map_or(Some(Cache::default()), |bytes| Cache::parse(&bytes)));
        }
        self.read_beside(&Keychain::open().map_err(keychain_error)?)
    }

    /// The cache where there is a keychain: the file's, if there is one.
    fn read_beside(&self, keychain: &Keychain) -> Result<Option<Cache>, CacheError> {
        let parse = |bytes: Option<&[u8]>| bytes.map_or(Some(Cache::default()), Cache::parse);
        let Some(sealed) = file::read(&self.file)? else {
            let item = keychain.get(&self.name).map_err(keychain_error)?;
            return Ok(parse(item.as_deref().map(Vec::as_slice)));
        };
        let opened = self.key(keychain)?.and_then(|key| key.open_bytes(&sealed, SEAL_CONTEXT));
        Ok(opened.and_then(|bytes| Cache::parse(bytes.expose_secret())))
    }

    /// Moves away what lies there and is no cache: it may be somebody's, and tokens are easily had again.
    fn set_aside(&self) -> Result<(), CacheError> {
        if self.file.exists() {
            let aside = file::set_aside(&self.file)?;
            tracing::warn!(
                file = %self.file.display(), moved_to = %aside.display(),
                "the token cache is damaged or not ours; it was moved away and is begun anew"
            );
        } else {
            tracing::warn!(item = self.name, "the token cache in the keychain is damaged and is begun anew");
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> Result<(), CacheError> {
        if self.storage == Storage::DangerouslyPlaintext {
            return file::write(&self.file, bytes);
        }
        self.write_beside(&Keychain::open().map_err(keychain_error)?, bytes)
    }

    /// Writes where there is a keychain. The file comes first when reading, so it has the new content before the keychain has, and goes after that: whoever is killed
    /// on the way leaves the old content or the new, and never the old one in the place of the new.
    fn write_beside(&self, keychain: &Keychain, bytes: &[u8]) -> Result<(), CacheError> {
        let fits = self.storage == Storage::Keychain && bytes.len() <= MAX_KEYCHAIN_BYTES;
        if !fits {
            return self.write_sealed(keychain, bytes);
        }
        if self.file.exists() {
            self.seal(keychain, bytes)?;
        }
        match keychain.set(&self.name, bytes) {
            Ok(()) => file::remove(&self.file),
            Err(KeychainError::TooLarge) => self.write_sealed(keychain, bytes),
            Err(error) => Err(keychain_error(error)),
        }
    }

    /// Writes the file, and takes what it replaces out of the keychain.
    fn write_sealed(&self, keychain: &Keychain, bytes: &[u8]) -> Result<(), CacheError> {
        self.seal(keychain, bytes)?;
        keychain.delete(&self.name).map_err(keychain_error)
    }

    fn seal(&self, keychain: &Keychain, bytes: &[u8]) -> Result<(), CacheError> {
        let key = match self.key(keychain)? {
            Some(key) => key,
            None => self.new_key(keychain)?,
        };
        file::write(&self.file, &key.seal_bytes(bytes, SEAL_CONTEXT, random::bytes::<NONCE_BYTES>()))
    }

    fn key(&self, keychain: &Keychain) -> Result<Option<SealingKeys>, CacheError> {
        let key = keychain.get(&self.key_name()).map_err(keychain_error)?;
        Ok(key.and_then(|bytes| SealingKeys::new(&[&*bytes])))
    }

    fn new_key(&self, keychain: &Keychain) -> Result<SealingKeys, CacheError> {
        let bytes = Zeroizing::new(random::bytes::<KEY_BYTES>());
        keychain.set(&self.key_name(), &*bytes).map_err(keychain_error)?;
        Ok(SealingKeys::new(&[&*bytes]).expect("it has the length of a key"))
    }

    fn key_name(&self) -> String {
        format!("key of the {}", self.name)
    }
}

fn keychain_error(error: KeychainError) -> CacheError {
    match error {
        KeychainError::Absent(why) => CacheError::NoKeychain { why },
        KeychainError::Locked(why) => CacheError::KeychainLocked { why },
        KeychainError::TooLarge => {
            CacheError::NoKeychain { why: "it does not take a key of 32 bytes".to_owned() }
        }
    }
}

/// Files and keychains block, and a keychain may wait for a person.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CacheError> + Send + 'static,
) -> Result<T, CacheError> {
    match timeout(KEYCHAIN_DEADLINE, spawn_blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Err(CacheError::NoKeychain { why: error.to_string() }),
        Err(_) => {
            let why = format!("nobody unlocked it within {} s", KEYCHAIN_DEADLINE.as_secs());
            Err(CacheError::KeychainLocked { why })
        }
    }
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
