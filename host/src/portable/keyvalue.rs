//! `wasi:keyvalue/store@0.2.0-draft2`, over a [`Store`].
//!
//! A host knows some labels ([`Stores`]); a component is granted some of them ([`KeyValue`]). Labels share one store and never mix: each is a
//! range of names of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::bindings::wasi::keyvalue::store as generated;
use crate::limits::{KEY_VALUE_BUCKETS, KEY_VALUE_KEY_BYTES, KEY_VALUE_PAGE, KEY_VALUE_VALUE_BYTES};
use crate::store::{Range, Ranged, Store, StoreError};

use generated::{Error, KeyResponse};

/// A label that cannot be one: it is empty, or contains `/`, which separates labels from keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a label of a key-value store: it is empty or contains `/`")]
pub struct LabelError(String);

/// The key-value stores that a host has, whoever is granted them.
pub struct Stores {
    range: Ranged,
    labels: BTreeSet<String>,
}

impl Stores {
    /// Stores under `labels`, all kept in `store`.
    ///
    /// # Errors
    /// The first label that cannot be one.
    pub fn new<L: Into<String>>(
        store: &Store,
        labels: impl IntoIterator<Item = L>,
    ) -> Result<Self, LabelError> {
        let labels: BTreeSet<String> = labels.into_iter().map(Into::into).collect();
        match labels.iter().find(|label| label.is_empty() || label.contains('/')) {
            Some(label) => Err(LabelError(label.clone())),
            None => Ok(Self { range: store.range(Range::Portable), labels }),
        }
    }
}

/// What one instance of a component may open, and has open.
pub struct KeyValue {
    stores: Arc<Stores>,
    granted: BTreeSet<String>,
    open: ResourceTable,
}

impl KeyValue {
    /// The right to open the stores under `granted`. None is a fine grant.
    pub fn new<L: Into<String>>(stores: Arc<Stores>, granted: impl IntoIterator<Item = L>) -> Self {
        let mut open = ResourceTable::new();
        open.set_max_capacity(KEY_VALUE_BUCKETS);
        Self { stores, granted: granted.into_iter().map(Into::into).collect(), open }
    }

    /// The labels that are granted.
    pub fn granted(&self) -> impl Iterator<Item = &str> {
        self.granted.iter().map(String::as_str)
    }
}

/// An open store. Holding one is the permission to use it.
pub struct Bucket {
    /// The label and the separator: what every name of this store begins with.
    prefix: String,
}

impl Bucket {
    fn name(&self, key: &str) -> Result<String, Error> {
        if key.len() > KEY_VALUE_KEY_BYTES {
            return Err(Error::Other(format!("the key is longer than {KEY_VALUE_KEY_BYTES} bytes")));
        }
        Ok(format!("{}{key}", self.prefix))
    }
}

/// The view of [`KeyValue`] that the interface is implemented on.
pub struct KeyValueView<'a>(&'a mut KeyValue);

impl<'a> KeyValueView<'a> {
    /// A view of `state`.
    #[must_use]
    pub fn new(state: &'a mut KeyValue) -> Self {
        Self(state)
    }

    fn range(&self) -> &Ranged {
        &self.0.stores.range
    }

    fn bucket(&self, handle: &Resource<Bucket>) -> &Bucket {
        self.0.open.get(handle).expect("wasmtime checks handles before it calls the host")
    }
}

/// The text reaches the component, which logs it; it names no key and no value.
fn failed(error: StoreError) -> Error {
    tracing::warn!(%error, "a key-value store failed");
    Error::Other(error.to_string())
}

impl generated::Host for KeyValueView<'_> {
    fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Error> {
        if !self.0.stores.labels.contains(&identifier) {
            return Err(Error::NoSuchStore);
        }
        if !self.0.granted.contains(&identifier) {
            return Err(Error::AccessDenied);
        }
        let bucket = Bucket { prefix: format!("{identifier}/") };
        let full = |_| Error::Other(format!("more than {KEY_VALUE_BUCKETS} stores are open"));
        self.0.open.push(bucket).map_err(full)
    }
}

impl generated::HostBucket for KeyValueView<'_> {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, Error> {
        let name = self.bucket(&bucket).name(&key)?;
        self.range().get(&name).await.map_err(failed)
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), Error> {
        let name = self.bucket(&bucket).name(&key)?;
        if value.len() > KEY_VALUE_VALUE_BYTES {
            return Err(Error::Other(format!("the value is longer than {KEY_VALUE_VALUE_BYTES} bytes")));
        }
        self.range().set(&name, &value, None).await.map_err(failed)
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<(), Error> {
        let name = self.bucket(&bucket).name(&key)?;
        self.range().delete(&name).await.map_err(failed)
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<bool, Error> {
        let name = self.bucket(&bucket).name(&key)?;
        self.range().exists(&name).await.map_err(failed)
    }

    /// The cursor is the last key of the page before, so a page is right even if keys came and went meanwhile.
    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<KeyResponse, Error> {
        let bucket = self.bucket(&bucket);
        let after = bucket.name(&cursor.unwrap_or_default())?;
        let names = self.range().names(&bucket.prefix, &after, KEY_VALUE_PAGE).await.map_err(failed)?;
        let keys: Vec<String> = names.iter().map(|name| name[bucket.prefix.len()..].to_owned()).collect();
        let cursor = if keys.len() == KEY_VALUE_PAGE { keys.last().cloned() } else { None };
        Ok(KeyResponse { keys, cursor })
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.0.open.delete(bucket)?;
        Ok(())
    }
}

/// Adds `wasi:keyvalue/store` to `linker`.
///
/// # Errors
/// When the linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> wasmtime::Result<()> {
    generated::add_to_linker::<T, Has>(linker, view)
}

struct Has;

impl HasData for Has {
    type Data<'a> = KeyValueView<'a>;
}

#[cfg(test)]
mod tests {
    use super::generated::{Host as _, HostBucket as _};
    use super::*;
    use crate::store::SystemClock;

    fn stores() -> Arc<Stores> {
        Arc::new(Stores::new(&Store::memory(SystemClock), ["default", "other"]).unwrap())
    }

    /// An instance that is granted `label` alone.
    fn instance(stores: &Arc<Stores>, label: &str) -> KeyValue {
        KeyValue::new(Arc::clone(stores), [label])
    }

    /// A view of it, with its store open.
    fn open(state: &mut KeyValue) -> (KeyValueView<'_>, Resource<Bucket>) {
        let label = state.granted().next().unwrap().to_owned();
        let mut view = KeyValueView::new(state);
        let bucket = view.open(label).unwrap();
        (view, bucket)
    }

    fn again(bucket: &Resource<Bucket>) -> Resource<Bucket> {
        Resource::new_borrow(bucket.rep())
    }

    async fn read(stores: &Arc<Stores>, label: &str, key: &str) -> Option<Vec<u8>> {
        let mut state = instance(stores, label);
        let (mut view, bucket) = open(&mut state);
        view.get(bucket, key.to_owned()).await.unwrap()
    }

    #[test]
    fn a_label_is_unknown_or_not_granted_or_open() {
        let mut state = KeyValue::new(stores(), ["default", "granted-but-unknown"]);
        let mut view = KeyValueView::new(&mut state);
        let mut open = |label: &str| view.open(label.to_owned()).map(drop);
        assert!(matches!(open("nowhere"), Err(Error::NoSuchStore)));
        assert!(matches!(open("granted-but-unknown"), Err(Error::NoSuchStore)));
        assert!(matches!(open("other"), Err(Error::AccessDenied)));
        assert!(open("default").is_ok());
    }

    #[tokio::test]
    async fn labels_do_not_mix_and_instances_share_them() {
        let stores = stores();
        let mut state = instance(&stores, "default");
        let (mut view, bucket) = open(&mut state);
        view.set(again(&bucket), "k".to_owned(), b"v".to_vec()).await.unwrap();
        assert_eq!(read(&stores, "default", "k").await.as_deref(), Some(&b"v"[..]));
        assert_eq!(read(&stores, "other", "k").await, None);
        assert!(view.exists(again(&bucket), "k".to_owned()).await.unwrap());
        view.delete(again(&bucket), "k".to_owned()).await.unwrap();
        assert!(!view.exists(again(&bucket), "k".to_owned()).await.unwrap());
        view.delete(bucket, "k".to_owned()).await.unwrap();
    }

    #[tokio::test]
    async fn keys_are_listed_in_pages() {
        let stores = stores();
        let mut other = instance(&stores, "other");
        let (mut view, bucket) = open(&mut other);
        view.set(bucket, "foreign".to_owned(), Vec::new()).await.unwrap();
        let mut state = instance(&stores, "default");
        let (mut view, bucket) = open(&mut state);
        let key = |number| format!("{number:05}");
        let total = 2 * KEY_VALUE_PAGE + 1;
        for number in 0..total {
            view.set(again(&bucket), key(number), Vec::new()).await.unwrap();
        }
        let (mut keys, mut cursor) = (Vec::new(), None);
        loop {
            let page = view.list_keys(again(&bucket), cursor).await.unwrap();
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(keys, (0..total).map(key).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn sizes_and_open_stores_are_bounded() {
        let stores = stores();
        let mut state = instance(&stores, "default");
        let (mut view, bucket) = open(&mut state);
        let key = "k".repeat(KEY_VALUE_KEY_BYTES + 1);
        assert!(matches!(view.set(again(&bucket), key, Vec::new()).await, Err(Error::Other(_))));
        let value = vec![0; KEY_VALUE_VALUE_BYTES + 1];
        assert!(matches!(view.set(again(&bucket), "k".to_owned(), value).await, Err(Error::Other(_))));
        let more = (0..KEY_VALUE_BUCKETS).map(|_| view.open("default".to_owned())).filter(Result::is_err);
        assert_eq!(more.count(), 1, "one was open before");
    }

    #[test]
    fn a_label_that_could_reach_into_another_is_refused() {
        for label in ["", "default/"] {
            let refused = Stores::new(&Store::memory(SystemClock), [label]).err();
            assert_eq!(refused, Some(LabelError(label.to_owned())));
        }
    }
}
