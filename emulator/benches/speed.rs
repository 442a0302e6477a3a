//! How fast the emulator starts and mints: `cargo bench -p entra-emulator`. Prints figures and judges nothing.
//!
//! The command itself is started, as a user would. Where `taskset` exists the minting process has one core; the figure
//! per second of its own processor time holds on a busy machine too.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures, prints and fails loudly"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use entra_emulator::{CA_FILE, Emulator, Options, Signer, ids};

/// How often a start is measured; the median is printed.
const STARTS: usize = 15;

/// How long minting is measured.
const MINTING: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    starts("fresh keys", None).await;
    let kept = folder();
    keep_keys(&kept);
    starts("kept keys", Some(&kept)).await;
    std::fs::remove_dir_all(&kept).unwrap();
    by_library().await;
    over_https().await;
}

async fn starts(what: &str, state: Option<&Path>) {
    let (mut first, mut tokens) = (vec![], vec![]);
    for _ in 0..STARTS {
        let folder = state.map_or_else(folder, Path::to_owned);
        let before = Instant::now();
        let program = Program::start(&folder, &[]);
        // From here on the certificate authority is there, and the port is open.
        let client = program.client();
        client.get(program.url(".well-known/openid-configuration")).send().await.unwrap();
        first.push(before.elapsed());
        program.mint(&client).await;
        tokens.push(before.elapsed());
        drop(program);
        if state.is_none() {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
    for (name, mut times) in [("first answer", first), ("first token", tokens)] {
        times.sort();
        let ms = |d: Duration| d.as_secs_f64() * 1000.0;
        let (median, worst) = (ms(times[times.len() / 2]), ms(times[times.len() - 1]));
        println!("{what}: process start to {name}: median {median:.0} ms, worst {worst:.0} ms");
    }
}

/// Leaves a state folder with keys in it.
fn keep_keys(folder: &Path) {
    let _program = Program::start(folder, &[]);
    let patience = Instant::now() + Duration::from_secs(30);
    while !folder.join("emulator-keys.json").exists() {
        assert!(Instant::now() < patience, "the keys are not kept");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn by_library() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    emulator.kids();
    // What no implementation can do without: the signature.
    let (before, start, mut count) = (Instant::now(), cpu("self"), 0);
    while before.elapsed() < MINTING {
        emulator.forge_text("{}", "{}", Signer::Live);
        count += 1;
    }
    report("signature alone, one thread", count, before.elapsed(), cpu("self") - start);
    let (before, cpu, mut count) = (Instant::now(), cpu("self"), 0);
    while before.elapsed() < MINTING {
        emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
        count += 1;
    }
    report("library call, one thread", count, before.elapsed(), self::cpu("self") - cpu);
}

async fn over_https() {
    let folder = folder();
    let program = Program::start(&folder, &["taskset", "-c", "0"]);
    let client = program.client();
    program.mint(&client).await;
    let (before, cpu, mut count) = (Instant::now(), program.cpu(), 0);
    while before.elapsed() < MINTING {
        let eight = std::array::from_fn::<_, 8, _>(|_| program.mint(&client));
        let [a, b, c, d, e, f, g, h] = eight;
        tokio::join!(a, b, c, d, e, f, g, h);
        count += 8;
    }
    report("client credentials over HTTPS", count, before.elapsed(), program.cpu() - cpu);
    drop(program);
    std::fs::remove_dir_all(folder).unwrap();
}

fn report(what: &str, count: u32, wall: Duration, cpu: f64) {
    let per_second = f64::from(count) / wall.as_secs_f64();
    let per_core = f64::from(count) / cpu;
    println!("{what}: {per_second:.0} tokens a second, {per_core:.0} a second of processor time");
}

/// A running `entra-emulator`.
struct Program {
    child: Child,
    authority: String,
    folder: PathBuf,
}

impl Program {
    fn start(folder: &Path, wrapper: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_entra-emulator");
        let arguments = ["--bind", "127.0.0.1:0", "--state"];
        let wrapped = !wrapper.is_empty() && Command::new(wrapper[0]).arg("--version").output().is_ok();
        let mut command = match wrapped {
            true => {
                let mut command = Command::new(wrapper[0]);
                command.args(&wrapper[1..]).arg(program);
                command
            }
            false => Command::new(program),
        };
        let mut child =
            command.args(arguments).arg(folder).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let login = lines.find(|line| line.starts_with("Login")).unwrap();
        // The rest of the page must not meet a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let authority = login.trim_start_matches("Login").trim().to_owned();
        Self { child, authority, folder: folder.to_owned() }
    }

    fn client(&self) -> reqwest::Client {
        let pem = std::fs::read(self.folder.join(CA_FILE)).unwrap();
        let ca = reqwest::Certificate::from_pem(&pem).unwrap();
        reqwest::Client::builder().tls_certs_only([ca]).build().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{}/v2.0/{path}", self.authority, ids::TENANT)
    }

    async fn mint(&self, client: &reqwest::Client) {
        let url = format!("{}/{}/oauth2/v2.0/token", self.authority, ids::TENANT);
        let scope = format!("{}/.default", ids::VALET_URI);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &ids::DAEMON.to_string()),
            ("client_secret", ids::DAEMON_SECRET),
            ("scope", &scope),
        ];
        let answer = client.post(url).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().contains("access_token"));
    }

    fn cpu(&self) -> f64 {
        cpu(&self.child.id().to_string())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of a process, in seconds (proc(5), fields 14 and 15 of `stat`, in hundredths). NaN elsewhere.
fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    fields.map_or(f64::NAN, |f| f.map(|t| t.parse::<f64>().unwrap()).sum::<f64>() / 100.0)
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("entra-emulator-bench-{}", uuid::Uuid::new_v4()))
}
