//! The store in a file, and what can happen to files.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tempfile::TempDir;
use valet_store::limits::{DISK_RESERVE_BYTES, VALUE_BYTES};
use valet_store::{Range, Ranged, Store, StoreError, SystemClock};

use common::{Hands, LONG, Seeded, not_run};

async fn open(path: &Path) -> Result<Ranged, StoreError> {
    Ok(Store::disk(path, SystemClock).await?.range(Range::Sessions))
}

fn folder_and_path() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    (folder, path)
}

#[tokio::test]
async fn values_and_lifetimes_survive_reopening() {
    let (_folder, path) = folder_and_path();
    let hands = Hands::default();
    let range = Store::disk(&path, hands.clone()).await.unwrap().range(Range::Sessions);
    range.set("a", b"1", LONG).await.unwrap();
    range.set("short", b"2", Some(Duration::from_secs(1))).await.unwrap();
    drop(range);
    hands.forward(Duration::from_secs(1));
    let range = Store::disk(&path, hands.clone()).await.unwrap().range(Range::Sessions);
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(range.get("short").await.unwrap(), None);
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let (_folder, path) = folder_and_path();
    let _store = open(&path).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_serves_one_process() {
    let (_folder, path) = folder_and_path();
    let first = open(&path).await.unwrap();
    assert_eq!(open(&path).await.err(), Some(StoreError::InUse { path: path.clone() }));
    first.set("a", b"", LONG).await.unwrap();
    drop(first);
    assert!(open(&path).await.unwrap().exists("a").await.unwrap());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named_as_what_fails() {
    let (folder, _) = folder_and_path();
    let missing = folder.path().join("missing/store.redb");
    assert!(
        matches!(open(&missing).await, Err(StoreError::Unavailable { reason }) if reason.contains("No such file"))
    );
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let (_folder, path) = folder_and_path();
    let text = "not a store, and long enough to be looked at as one".repeat(100);
    fs::write(&path, &text).unwrap();
    assert!(matches!(open(&path).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused() {
    let (_folder, path) = filled().await;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    assert!(matches!(open(&path).await, Err(StoreError::Corrupt { .. })));
}

/// A changed byte is found when the file is opened, or was in a page that nothing needs: no value ever differs from what was written.
#[tokio::test]
async fn a_changed_byte_gives_an_error_or_changes_nothing() {
    let (_folder, path) = filled().await;
    let good = fs::read(&path).unwrap();
    let mut seeded = Seeded(6);
    let mut refused = 0;
    for _ in 0..40 {
        let mut bytes = good.clone();
        let at = usize::try_from(seeded.below(bytes.len() as u64)).unwrap();
        bytes[at] ^= 1 << seeded.below(8);
        fs::write(&path, &bytes).unwrap();
        match open(&path).await {
            Ok(range) => assert_filled(&range).await,
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt { .. }), "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "some of the bytes were in use");
    fs::write(&path, &good).unwrap();
    assert_filled(&open(&path).await.unwrap()).await;
}

fn value(number: usize) -> Vec<u8> {
    format!("value {number} ").repeat(100).into_bytes()
}

/// A closed file with a few hundred values.
async fn filled() -> (TempDir, PathBuf) {
    let (folder, path) = folder_and_path();
    let range = open(&path).await.unwrap();
    let writers: Vec<_> = (0..300)
        .map(|number| {
            let range = range.clone();
            tokio::spawn(async move { range.set(&number.to_string(), &value(number), LONG).await.unwrap() })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    drop(range);
    (folder, path)
}

async fn assert_filled(range: &Ranged) {
    for number in 0..300 {
        assert_eq!(range.get(&number.to_string()).await.unwrap(), Some(value(number)), "{number}");
    }
}

#[tokio::test]
async fn the_space_of_what_is_over_is_used_again() {
    let (_folder, path) = folder_and_path();
    let hands = Hands::default();
    let range = Store::disk(&path, hands.clone()).await.unwrap().range(Range::Grants);
    let mut sizes = Vec::new();
    for round in 0..12 {
        let writers: Vec<_> = (0..200)
            .map(|number| {
                let (range, name) = (range.clone(), format!("{round}/{number}"));
                tokio::spawn(async move {
                    range.set(&name, &[7; 4000], Some(Duration::from_secs(60))).await.unwrap()
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        hands.forward(Duration::from_secs(60));
        sizes.push(fs::metadata(&path).unwrap().len());
    }
    assert!(sizes[11] <= sizes[3], "it no longer grows: {sizes:?}");
}

/// A file system of the test's own, of so many bytes. None where one cannot be mounted.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        if let Err(error) = mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), size.as_c_str()) {
            not_run(&format!("a small file system cannot be mounted here ({error}); it takes root"));
            return None;
        }
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all space, with a file of somebody else's.
    fn fill(&self) {
        let mut file = fs::File::create(self.path().join("foreign")).unwrap();
        let zeros = vec![0; 4096];
        while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
    }

    fn clear(&self) {
        fs::remove_file(self.path().join("foreign")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(self.0.path(), UnmountFlags::DETACH).unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_used_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mount(4 * DISK_RESERVE_BYTES) else { return };
    let range = open(&disk.path().join("store.redb")).await.unwrap();
    range.set("old", b"value", LONG).await.unwrap();
    range.set("other", b"value", LONG).await.unwrap();
    disk.fill();
    for _ in 0..3 {
        assert!(matches!(range.set("new", b"value", LONG).await, Err(StoreError::Full { .. })));
        assert!(matches!(
            range.swap("old", Some(b"value"), b"new", LONG).await,
            Err(StoreError::Full { .. })
        ));
        assert_eq!(range.get("old").await.unwrap().as_deref(), Some(&b"value"[..]));
        assert_eq!(range.names("", "", 9).await.unwrap(), ["old", "other"]);
    }
    disk.clear();
    range.set("new", b"value", LONG).await.unwrap();
    drop(range);
    let range = open(&disk.path().join("store.redb")).await.unwrap();
    assert_eq!(range.names("", "", 9).await.unwrap(), ["new", "old", "other"]);
}

/// Beyond the reserve: deleting is let through to a disk without a single free byte, so redb itself fails, and refuses everything until the file has been
/// opened again.
#[tokio::test]
async fn a_disk_that_fails_under_a_commit_loses_nothing() {
    let Some(disk) = SmallDisk::mount(4 * DISK_RESERVE_BYTES) else { return };
    let range = open(&disk.path().join("store.redb")).await.unwrap();
    let names: Vec<String> = (0..400).map(|number| format!("{number:03}")).collect();
    for name in &names {
        range.set(name, &[7; 4000], LONG).await.unwrap();
    }
    disk.fill();
    let mut deleted = 0;
    let mut failures = 0;
    for name in &names {
        match range.delete(name).await {
            Ok(()) => {
                assert_eq!(failures, 0, "a deletion frees space for the next");
                deleted += 1;
            }
            Err(StoreError::Full { .. } | StoreError::Unavailable { .. }) => failures += 1,
            Err(error) => panic!("{error}"),
        }
        if failures == 3 {
            break;
        }
    }
    assert!(failures > 0, "the disk was full");
    disk.clear();
    let left = range.names("", "", 1000).await.unwrap();
    assert_eq!(left, names[deleted..], "what was said to be deleted is, and nothing else");
    range.set("new", b"value", LONG).await.unwrap();
    drop(range);
    assert_eq!(
        open(&disk.path().join("store.redb")).await.unwrap().count("", 1000).await.unwrap(),
        left.len() + 1
    );
}

#[tokio::test]
async fn the_store_fills_its_disk_up_to_the_reserve() {
    let Some(disk) = SmallDisk::mount(4 * DISK_RESERVE_BYTES) else { return };
    let range = open(&disk.path().join("store.redb")).await.unwrap();
    let mut kept = 0;
    let full = loop {
        match range.set(&format!("{kept:03}"), &vec![7; VALUE_BYTES], LONG).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    assert!(kept >= 8, "{kept} MiB");
    assert_eq!(range.count("", 1000).await.unwrap(), kept);
    for number in 0..kept / 2 {
        range.delete(&format!("{number:03}")).await.unwrap();
    }
    assert_eq!(range.count("", 1000).await.unwrap(), kept - kept / 2);
}

#[tokio::test]
async fn a_read_only_file_system_is_named_as_what_it_is() {
    let Some(disk) = SmallDisk::mount(4 * DISK_RESERVE_BYTES) else { return };
    let path = disk.path().join("store.redb");
    open(&path).await.unwrap().set("a", b"1", LONG).await.unwrap();
    mount_remount(disk.path(), MountFlags::RDONLY, "").unwrap();
    assert!(matches!(open(&path).await, Err(StoreError::ReadOnly { .. })));
    assert!(matches!(open(&disk.path().join("new.redb")).await, Err(StoreError::ReadOnly { .. })));
    mount_remount(disk.path(), MountFlags::empty(), "").unwrap();
    assert_eq!(open(&path).await.unwrap().get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
}

/// Takes from this thread, and from those that it starts from now on, what has root write any file (capabilities(7)). Others never had it.
fn obey_permissions() {
    let mut own = capabilities(None).unwrap();
    own.effective.remove(CapabilitySet::DAC_OVERRIDE);
    set_capabilities(None, own).unwrap();
}

#[tokio::test]
async fn a_read_only_file_is_named_as_what_it_is() {
    obey_permissions();
    let (_folder, path) = folder_and_path();
    open(&path).await.unwrap().set("a", b"1", LONG).await.unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(matches!(open(&path).await, Err(StoreError::ReadOnly { .. })));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(open(&path).await.unwrap().get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
}
