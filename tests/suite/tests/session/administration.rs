//! `valet sessions` beside a running server whose store is a file, and who else finds the socket for that.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use entra_emulator::ids;
use serde_json::Value;
use valet_suite::browser::Browser;
use valet_suite::oauth::{Tokens, refresh, sign_in};
use valet_suite::process::Process;
use valet_suite::rig::shared_emulator;
use valet_suite::stranger::{STRANGER, as_stranger};
use valet_suite::{Rig, log, run};

use crate::sign_out::dead;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

async fn rig() -> Rig {
    Rig::start_with(shared_emulator().await, |config| config.with_sessions().on_disk()).await
}

fn socket(rig: &Rig) -> PathBuf {
    rig.folder.path("store.redb.socket")
}

/// `valet sessions`, with the configuration of the server.
fn sessions(rig: &Rig, arguments: &[&str]) -> Output {
    let mut command = Command::new(valet_suite::config::command());
    command.args(["sessions", "--config"]).arg(rig.folder.path("valet.toml"));
    command.args(arguments).env_clear().output().unwrap()
}

/// What `valet sessions` says of what it did.
pub(crate) fn administer(rig: &Rig, arguments: &[&str]) -> String {
    let output = sessions(rig, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it says of what it could not do. Nothing is said of what it did.
fn refused(rig: &Rig, arguments: &[&str]) -> String {
    let output = sessions(rig, arguments);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap().trim_end().to_owned()
}

async fn adele(rig: &Rig) -> Tokens {
    sign_in(rig, &mut Browser::new(rig, ids::ADELE_UPN)).await
}

async fn alex(rig: &Rig) -> Tokens {
    sign_in(rig, &mut Browser::new(rig, ids::ALEX_UPN)).await
}

async fn lives(rig: &Rig, tokens: &Tokens) {
    assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
}

/// The audit event after `mark` that has this reason.
async fn audited(rig: &Rig, mark: usize, reason: &str) -> Value {
    let of_it = |event: &Value| log::is_audit(event) && event["reason"] == reason;
    rig.log().wait(mark, reason, of_it).await
}

#[test]
fn sessions_of_a_running_server_are_ended() {
    run(async {
        let rig = rig().await;
        let (first, second, other) = (adele(&rig).await, adele(&rig).await, alex(&rig).await);
        let account = |object| format!("{object}@{}", ids::TENANT);
        let line = |object, count| format!("{}  {count}\n", account(object));
        let mark = rig.log().mark();
        let mut both = [line(ids::ADELE, 2), line(ids::ALEX, 1)];
        both.sort();
        assert_eq!(administer(&rig, &[]), both.concat());
        assert_eq!(audited(&rig, mark, "sessions_listed").await["decision"], "allowed");

        // One user's: the access token still has minutes to live, and is refused all the same.
        let mark = rig.log().mark();
        assert_eq!(administer(&rig, &["--revoke", &account(ids::ALEX)]), "1 sessions ended\n");
        let event = audited(&rig, mark, "sessions_revoked").await;
        let own = rustix::process::geteuid().as_raw();
        let detail = event["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("1 session ended; asked by user {own}, process ")), "{detail}");
        assert_eq!(event["decision"], "allowed");
        assert_eq!(event["tenant"], ids::TENANT.to_string());
        assert_eq!(event["object"], ids::ALEX.to_string());
        dead(&rig, &other).await;
        lives(&rig, &first).await;
        let second = Tokens::read(&rig, &refresh(&rig, &second.refresh).await);
        let other = alex(&rig).await;
        lives(&rig, &other).await;

        // All of them.
        let mark = rig.log().mark();
        assert_eq!(administer(&rig, &["--revoke-all"]), "3 sessions ended\n");
        let event = audited(&rig, mark, "sessions_revoked").await;
        let detail = event["detail"].as_str().unwrap();
        assert!(detail.starts_with("3 sessions ended; asked by user "), "{detail}");
        assert!(event["tenant"].is_null() && event["object"].is_null(), "{event}");
        for tokens in [&first, &second, &other] {
            dead(&rig, tokens).await;
        }
        assert_eq!(administer(&rig, &[]), "");
        lives(&rig, &adele(&rig).await).await;
        lives(&rig, &alex(&rig).await).await;
    });
}

/// Sends `bytes` and gives the line that comes back; none at the end of the connection.
fn told(rig: &Rig, bytes: &[u8]) -> Option<String> {
    let mut stream = UnixStream::connect(socket(rig)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    BufReader::new(stream).lines().next().map(Result::unwrap)
}

#[test]
fn what_cannot_be_read_at_the_socket_ends_nothing() {
    run(async {
        let rig = rig().await;
        let tokens = adele(&rig).await;
        let user = format!("{}@{}", ids::ADELE, ids::TENANT);
        let more = format!(r#"{{"operation":"revoke-all","user":"{user}"}}{}"#, "\n");
        let unknown = "what is asked for is not known here: ";
        let unread = "what is asked for cannot be read: ";
        for (bytes, why) in [
            (&b"\x00\xff\xfe garbage\n"[..], format!("{unknown}expected value")),
            (b"GET / HTTP/1.1\r\n\r\n", format!("{unknown}expected value")),
            (b"{\"operation\":\"stop\"}\n", format!("{unknown}unknown variant `stop`")),
            (
                b"{\"operation\":\"revoke\",\"user\":\"\"}\n",
                format!("{unknown}`` is not OBJECT-ID@TENANT-ID"),
            ),
            // Less than all may have been meant.
            (more.as_bytes(), format!("{unknown}unknown field `user`")),
            (&[b' '; 600], format!("{unread}a line is longer than 512 bytes")),
            (b"{\"operation\":\"revoke-all\"}", format!("{unread}the connection ended within a line")),
            (b"", format!("{unread}the connection ended within a line")),
        ] {
            let mark = rig.log().mark();
            let line = told(&rig, bytes).unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            let failed = answer["failed"].as_str().unwrap();
            assert!(failed.starts_with(&why), "{failed} is not {why}");
            let event = audited(&rig, mark, "administration").await;
            assert_eq!(event["decision"], "denied");
            assert!(event["detail"].as_str().unwrap().starts_with(failed), "{event}");
            lives(&rig, &tokens).await;
        }
        // Somebody who says nothing and does not leave keeps nobody out for long, and the server serves meanwhile.
        let mark = rig.log().mark();
        let silent = UnixStream::connect(socket(&rig)).unwrap();
        lives(&rig, &tokens).await;
        assert_eq!(administer(&rig, &["--revoke-all"]), "1 sessions ended\n");
        drop(silent);
        let denied = audited(&rig, mark, "administration").await;
        let detail = denied["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("{unread}there was no whole line within 5 s")), "{detail}");
        // Behind it in the log.
        audited(&rig, mark, "sessions_revoked").await;
        dead(&rig, &tokens).await;
        adele(&rig).await;
    });
}

#[test]
fn the_socket_is_its_owners_and_goes_with_the_server() {
    run(async {
        let mut rig = rig().await;
        let tokens = adele(&rig).await;
        let metadata = std::fs::symlink_metadata(socket(&rig)).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);

        // What a killed server leaves behind is replaced.
        rig.process.kill();
        assert!(rig.process.end(PATIENCE).is_some());
        assert!(socket(&rig).exists(), "a killed server removes nothing");
        rig.restart().await;
        lives(&rig, &tokens).await;
        assert_eq!(administer(&rig, &[]).lines().count(), 1);

        // And without a server the store is opened.
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        assert!(!socket(&rig).exists(), "it is there, and nobody listens");
        assert_eq!(administer(&rig, &["--revoke-all"]), "1 sessions ended\n");
        rig.restart().await;
        dead(&rig, &tokens).await;
        adele(&rig).await;
    });
}

/// Starts the server of `rig` on its files, and gives what it says when it does not start.
fn not_started(rig: &Rig) -> String {
    let mut process = Process::start(&["serve"], &rig.folder.path("valet.toml"), &[]);
    let ended = process.end(PATIENCE).expect("it does not start");
    assert!(!ended.success());
    process.log().text()
}

#[test]
fn what_is_somebody_elses_in_the_place_of_the_socket_is_left_alone() {
    run(async {
        let mut rig = rig().await;
        let tokens = adele(&rig).await;
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        let place = socket(&rig);
        let here = format!("{}: here the server listens for `valet sessions`, and this ", place.display());

        std::fs::write(&place, "dear to somebody").unwrap();
        let said = not_started(&rig);
        assert!(said.contains(&format!("{here}is no socket; move it away")), "{said}");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "dear to somebody");
        std::fs::remove_file(&place).unwrap();

        if as_stranger(|| ()).is_some() {
            // Its listener lives, so that whoever connects is heard.
            let theirs = UnixListener::bind(&place).unwrap();
            std::os::unix::fs::chown(&place, Some(STRANGER), None).unwrap();
            let said = not_started(&rig);
            assert!(said.contains(&format!("{here}is a socket of user {STRANGER}; move it away")), "{said}");
            assert!(place.exists());
            drop(theirs);
            std::fs::remove_file(&place).unwrap();
        }
        rig.restart().await;
        lives(&rig, &tokens).await;
        assert_eq!(administer(&rig, &["--revoke-all"]), "1 sessions ended\n");
        dead(&rig, &tokens).await;
    });
}

#[test]
fn another_user_ends_no_sessions() {
    run(async {
        let rig = rig().await;
        let tokens = adele(&rig).await;
        let place = socket(&rig);
        let ask = || UnixStream::connect(&place).map_err(|error| error.kind());
        let Some(connected) = as_stranger(ask) else { return };
        assert_eq!(connected.err(), Some(std::io::ErrorKind::PermissionDenied));

        // Where the system lets them through, who they are is asked.
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o666)).unwrap();
        let mark = rig.log().mark();
        let ask = || BufReader::new(UnixStream::connect(&place).unwrap()).lines().next();
        let line = as_stranger(ask).unwrap().unwrap().unwrap();
        assert_eq!(line, r#"{"failed":"sessions are ended by the user of the server and by root"}"#);
        let detail = audited(&rig, mark, "administration").await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("asked by user {STRANGER}, process ")), "{detail}");
        lives(&rig, &tokens).await;

        // And whoever listens in the server's place is told nothing.
        std::fs::remove_file(&place).unwrap();
        std::fs::set_permissions(rig.folder.path("."), std::fs::Permissions::from_mode(0o777)).unwrap();
        let theirs = as_stranger(|| UnixListener::bind(&place).unwrap()).unwrap();
        let said = refused(&rig, &["--revoke-all"]);
        let whose = format!("user {STRANGER} listens at {}, who is neither", place.display());
        assert!(said.contains(&whose), "{said}");
        theirs.set_nonblocking(true).unwrap();
        let (mut heard, _) = theirs.accept().unwrap();
        heard.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut heard, &mut bytes).unwrap();
        assert_eq!(bytes, b"");
        lives(&rig, &tokens).await;
    });
}

#[test]
fn a_server_that_does_not_answer_is_said() {
    run(async {
        let rig = rig().await;
        let tokens = adele(&rig).await;
        let (store, place) = (rig.folder.path("store.redb"), socket(&rig));
        std::fs::remove_file(&place).unwrap();
        let said = refused(&rig, &["--revoke-all"]);
        let wanted = format!(
            "valet: storage: `storage.path` {} is open in another process, and no server answers at {}: ",
            store.display(),
            place.display()
        );
        assert!(said.starts_with(&wanted), "{said}");

        // One that hangs up, and one that says what is no answer.
        let theirs = UnixListener::bind(&place).unwrap();
        for (answer, why) in [("", "the connection ended within a line"), ("ok\n", "expected value")] {
            let listener = theirs.try_clone().unwrap();
            let server = std::thread::spawn(move || {
                let (stream, _) = listener.accept().unwrap();
                let mut asked = String::new();
                BufReader::new(&stream).read_line(&mut asked).unwrap();
                (&stream).write_all(answer.as_bytes()).unwrap();
                asked
            });
            let said = refused(&rig, &["--revoke-all"]);
            assert!(said.contains(&format!("the server did not say how it ended ({why}")), "{said}");
            assert_eq!(server.join().unwrap(), "{\"operation\":\"revoke-all\"}\n");
        }
        drop(theirs);
        lives(&rig, &tokens).await;
    });
}
