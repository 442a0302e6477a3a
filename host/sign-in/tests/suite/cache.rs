//! The cache on the disk: whole whatever happens, foreign and damaged files, a full disk, and what others keep in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use entra_emulator::{Operation, ids};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use valet_sign_in::limits::LOCK_DEADLINE;
use valet_sign_in::{CacheError, LogIn, SignInError, Step};

use crate::person::{Does, approve};
use crate::rig::{GRAPH, LONG, Rig, VALET, adele, ask, not_run, passing};

#[tokio::test]
async fn files_are_for_their_owner_and_hold_the_newest_refresh_token() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    let refresh_token = |cache: &Value| {
        let tokens = cache["RefreshToken"].as_object().unwrap();
        assert_eq!(tokens.len(), 1);
        tokens.values().next().unwrap()["secret"].clone()
    };
    let before = refresh_token(&rig.on_disk());
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(rig.file()), mode(rig.state_dir())), (0o600, 0o700));
    rig.expire(&first);
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_ne!(before, refresh_token(&rig.on_disk()));
    assert_eq!(mode(rig.file()), 0o600);
    let names: Vec<_> =
        fs::read_dir(rig.state_dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "no temporary file stays: {names:?}");
}

#[tokio::test]
async fn what_others_keep_in_the_cache_stays() {
    let rig = Rig::start().await;
    let foreign = json!({
        "AccessToken": { "k": { "home_account_id": "x.y", "environment": "localhost", "client_id": "other", "secret": "theirs",
            "credential_type": "AccessToken", "realm": "r", "target": GRAPH, "expires_on": "99999999999", "cached_at": "1" } },
        "Account": { "a": { "home_account_id": "x.y", "environment": "localhost", "realm": "r", "local_account_id": "z" } },
        "Unknown": { "u": { "member": 1 } },
    });
    fs::create_dir_all(rig.state_dir()).unwrap();
    fs::write(rig.file(), foreign.to_string()).unwrap();
    let sign_in = rig.sign_in();
    assert_eq!(sign_in.accounts().await.unwrap(), [], "accounts of other applications are not ours");
    let token = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_ne!(token.token.expose_secret(), "theirs");
    sign_in.log_out(&adele()).await.unwrap();
    let after = rig.on_disk();
    for (section, entry) in [("AccessToken", "k"), ("Account", "a"), ("Unknown", "u")] {
        assert_eq!(after[section], json!({ entry: foreign[section][entry] }), "{section}");
    }
}

#[tokio::test]
async fn a_truncated_or_foreign_file_is_moved_away_and_the_sign_in_begins_anew() {
    let rig = Rig::start().await;
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
    let whole = fs::read(rig.file()).unwrap();
    let texts: [&[u8]; 5] = [&whole[..whole.len() / 2], b"", b"not ours", b"[]", br#"{"AccessToken":[1]}"#];
    for (n, text) in texts.into_iter().enumerate() {
        fs::write(rig.file(), text).unwrap();
        let sign_in = rig.sign_in();
        assert_eq!(sign_in.accounts().await.unwrap(), [], "{n}");
        assert_eq!(fs::read(rig.file()).unwrap(), text, "reading changes nothing");
        sign_in.token(&[GRAPH], None).await.unwrap();
        let aside = rig.state_dir().join(format!("tokens.damaged-{n}"));
        assert_eq!(fs::read(&aside).unwrap(), text, "it is kept for whoever it belongs to");
        assert_eq!(fs::metadata(&aside).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(rig.on_disk().is_object());
    }
    assert_eq!(rig.person.seen().0, 1 + texts.len());
}

/// Whoever gives up has changed nothing: it may be a cache that some other program can still read.
#[tokio::test]
async fn a_log_in_that_is_given_up_leaves_a_damaged_file_where_it_is() {
    let rig = Rig::start().await;
    fs::create_dir_all(rig.state_dir()).unwrap();
    fs::write(rig.file(), "not ours").unwrap();
    rig.person.will(Does::Dismiss, Does::Unreachable);
    let given_up = rig.sign_in().log_in(LogIn::default()).await.unwrap_err();
    assert_eq!(given_up, SignInError::Cancelled(Step::Browser));
    let names = || -> Vec<String> {
        let entries = fs::read_dir(rig.state_dir()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["tokens.json", "tokens.lock"]);
    assert_eq!(fs::read(rig.file()).unwrap(), b"not ours");
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    rig.sign_in().log_in(LogIn::default()).await.unwrap();
    assert_eq!(names(), ["account.json", "tokens.damaged-0", "tokens.json", "tokens.lock"]);
    assert_eq!(fs::read(rig.state_dir().join("tokens.damaged-0")).unwrap(), b"not ours");
}

/// Another process holds the lock, and does not let go of it.
#[tokio::test]
async fn a_cache_that_somebody_holds_is_not_waited_for_without_end() {
    let rig = Rig::start().await;
    let first = rig.sign_in().token(&[GRAPH], None).await.unwrap();
    let lock = rig.state_dir().join("tokens.lock");
    // Each opening of a file has a lock of its own, in one process too (flock(2)).
    let held = fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    rig.nobody_home();
    let busy = SignInError::Cache(CacheError::Busy { path: lock, seconds: LOCK_DEADLINE.as_secs() });
    // What is cached needs no lock.
    let sign_in = rig.sign_in();
    assert_eq!(
        sign_in.token(&[GRAPH], None).await.unwrap().token.expose_secret(),
        first.token.expose_secret()
    );
    rig.expire(&first);
    let asking = ask(&sign_in, GRAPH);
    let refused = passing(LOCK_DEADLINE, asking).await.unwrap_err();
    assert_eq!(refused, busy);
    let logging_in = tokio::spawn(async move { sign_in.log_in(LogIn::default()).await });
    assert_eq!(passing(LOCK_DEADLINE, logging_in).await.unwrap_err(), busy);
    assert_eq!((rig.person.seen(), rig.count(Operation::Refresh)), ((1, 0), 0), "nobody was asked");
    held.unlock().unwrap();
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.count(Operation::Refresh), 1);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_an_error_that_names_it() {
    let rig = Rig::start().await;
    fs::create_dir_all(rig.state_dir()).unwrap();
    let file = fs::File::create(rig.file()).unwrap();
    file.set_len(valet_sign_in::limits::MAX_CACHE_BYTES + 1).unwrap();
    let failed = rig.sign_in().token(&[GRAPH], None).await.unwrap_err();
    assert!(
        matches!(failed, SignInError::Cache(CacheError::Read { ref path, .. }) if *path == rig.file()),
        "{failed:?}"
    );
    fs::remove_file(rig.file()).unwrap();
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
}

/// A file system of 64 KiB of its own. None where this machine does not let us mount one.
pub(crate) fn small_disk(at: &std::path::Path) -> Option<SmallDisk> {
    fs::create_dir_all(at).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(at).output();
    mounted.is_ok_and(|output| output.status.success()).then(|| SmallDisk(at.to_owned()))
}

/// Goes when it is dropped.
pub(crate) struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// Nothing more fits.
    pub(crate) fn fill(&self) {
        let _ = fs::write(self.ballast(), vec![0; 64 * 1024]);
    }

    /// There is room again.
    pub(crate) fn relieve(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_says_so() {
    let rig = Rig::start().await;
    let Some(disk) = small_disk(&rig.state_dir()) else {
        return not_run("a full disk", "mounting a tmpfs is not permitted here");
    };
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    let before = fs::read(rig.file()).unwrap();
    disk.fill();
    rig.nobody_home();
    rig.expire(&first);
    let second = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_ne!(first.token.expose_secret(), second.token.expose_secret(), "the call has its token");
    assert_eq!(fs::read(rig.file()).unwrap(), before, "and the cache is what it was, whole");
    let third = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(second.token.expose_secret(), third.token.expose_secret(), "this process remembers");
    assert_eq!(rig.count(Operation::Refresh), 1);
    // A sign-in on purpose is not pretended.
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    let failed = sign_in.log_in(LogIn::default()).await.unwrap_err();
    assert!(matches!(failed, SignInError::Cache(CacheError::Write { .. })), "{failed:?}");
    disk.relieve();
    sign_in.log_in(LogIn::default()).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let rig = Rig::start().await;
    fs::write(rig.state_dir(), "a file where the folder should be").unwrap();
    let failed = rig.sign_in().log_in(LogIn::default()).await.unwrap_err();
    assert!(matches!(failed, SignInError::Cache(_)), "{failed:?}");
    assert!(failed.to_string().contains(rig.state_dir().to_str().unwrap()), "{failed}");
}

#[tokio::test]
async fn tokens_for_two_apis_live_side_by_side_and_ended_ones_go() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    sign_in.token(&[VALET], None).await.unwrap();
    assert_eq!(rig.on_disk()["AccessToken"].as_object().unwrap().len(), 2);
    rig.advance(LONG);
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.on_disk()["AccessToken"].as_object().unwrap().len(), 1);
}
