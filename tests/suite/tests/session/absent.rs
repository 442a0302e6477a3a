//! What a test does that cannot run on a machine: nothing there, and it fails where `CI` has everything run.

use std::process::{Command, Output};

/// A test of this program that begins by looking for Redis, on a machine where no program is found.
fn without_redis(ci: Option<&str>) -> Output {
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", "shared::sessions_belong_to_no_server"])
        .env("PATH", "/nonexistent")
        .env_remove("CI");
    test.envs(ci.map(|value| ("CI", value)));
    test.output().unwrap()
}

#[test]
fn what_cannot_run_fails_under_ci_and_says_so_elsewhere() {
    let said = "there is no redis-server here (Debian: apt-get install redis-server)";
    for (ci, passes, said) in [
        (None, true, format!("NOT RUN: {said}\n")),
        (Some(""), true, format!("NOT RUN: {said}\n")),
        (Some("true"), false, format!("NOT RUN, where CI has everything run: {said}\n")),
    ] {
        let output = without_redis(ci);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains("running 1 test"), "{text}");
        assert_eq!(output.status.success(), passes, "{ci:?}: {text}");
        assert!(text.contains(&said), "{ci:?}: {text}");
    }
}
