//! The `valet` command: arguments, configuration, run.

mod arguments;
mod signals;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::SecretString;
use valet::administration::{self, Administration};
use valet::commands::accounts::{self, AccountsError};
use valet::commands::install::{self, Client};
use valet::commands::sessions::{self, Operation, Which};
use valet::config::{Config, Storage};
use valet::local::LocalUser;
use valet::runtime::Runtime;
use valet::server::{Server, raise_descriptor_limit};
use valet::stdio::Gateway;
use valet::store::StoreError;
use valet::{artifact, config, limits, telemetry};
use valet_sign_in::{AccountId, LogIn, Step};

use arguments::{Arguments, Command, LocalArguments};
use signals::stop_signal;

/// Who calls over standard input. A variable, because arguments can be read by every user of the machine.
const ACCESS_TOKEN: &str = "VALET_ACCESS_TOKEN";

fn main() -> ExitCode {
    let arguments = Arguments::read();
    match telemetry::start(&arguments.log, arguments.log_format).and_then(|()| run(arguments.command)) {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write as _;
            // Standard error may be closed; then there is no one to tell.
            let _ = writeln!(std::io::stderr(), "valet: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    let done = match command {
        Command::Serve { config } => in_tokio(serve(&config)),
        Command::Stdio(local) => in_tokio(stdio(&local)),
        Command::Login { local, user, device_code } => return log_in(&local, user, device_code),
        Command::Logout { local, account, all } => {
            let sign_in = local.sign_in(None)?;
            in_tokio(told(async move { accounts::log_out(&sign_in, account, all, &mut io::stdout()).await }))
        }
        Command::Accounts { local, choose } => {
            let sign_in = local.sign_in(None)?;
            in_tokio(told(async move { accounts::list(&sign_in, choose, &mut io::stdout()).await }))
        }
        Command::Whoami(local) => {
            let sign_in = local.sign_in(None)?;
            in_tokio(told(async move { accounts::who(&sign_in, &mut io::stdout()).await }))
        }
        Command::Sessions { config, revoke, revoke_all } => {
            let operation = match revoke {
                Some(AccountId { tenant_id, object_id }) => {
                    Operation::Revoke(Which::Of { tenant_id, object_id })
                }
                None if revoke_all => Operation::Revoke(Which::All),
                None => Operation::List,
            };
            in_tokio(administer_sessions(config, operation))
        }
        Command::Install { client, print, local } => installed(client, print, &local),
        Command::Uninstall { client } => {
            install::uninstall(client, &mut io::stdout()).map_err(|error| error.to_string())
        }
        Command::Check { config } => in_tokio(checked(&config, &mut io::stdout())),
        Command::Compile { component, output } => {
            artifact::compile(&component, &output).map_err(|error| error.to_string())
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut arguments::command(), "valet", &mut io::stdout());
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// Signs somebody in. At a signal the sign-in is given up, with whatever it has put before the person, and the exit code is what shells call that end: 128 and
/// the signal's number.
fn log_in(local: &LocalArguments, user: Option<String>, device_code: bool) -> Result<ExitCode, String> {
    use std::io::Write as _;
    let sign_in = local.sign_in(device_code.then(|| vec![Step::DeviceCode]))?;
    let how = LogIn { login_hint: user };
    let given_up = in_tokio(async move {
        let stop = stop_signal(true);
        let mut out = io::stdout();
        let ended = tokio::select! {
            biased;
            done = told(accounts::log_in(&sign_in, how, &mut out)) => done.map(|()| None),
            signal = stop => Ok(Some(signal)),
        };
        // However it ended: a broker that did not answer in time has its window still open.
        sign_in.settle().await;
        ended
    })?;
    // Not to standard output, which has the account and no more. Standard error may be closed; then there is no one to tell.
    let _ = match given_up {
        None => writeln!(io::stderr(), "{}", local.after_login()),
        Some(_) => writeln!(io::stderr(), "valet: the sign-in was given up"),
    };
    Ok(given_up.map_or(ExitCode::SUCCESS, |signal| ExitCode::from(128 | signal)))
}

/// An error as its text.
async fn told(work: impl Future<Output = Result<(), AccountsError>>) -> Result<(), String> {
    work.await.map_err(|error| error.to_string())
}

/// Ends sessions, or shows them: in the store, or through the server that has its file open.
async fn administer_sessions(config: PathBuf, operation: Operation) -> Result<(), String> {
    let storage = read(&config)?.storage;
    if matches!(storage, Storage::Memory) {
        return Err(format!(
            "{}: sessions are in the memory of the server; restarting it ends them",
            config.display()
        ));
    }
    let out = &mut io::stdout();
    let store = match valet::runtime::store(&storage).await {
        Ok(store) => store,
        Err(StoreError::InUse { path }) => {
            return administration::ask(&path, &operation, out).await.map_err(|error| error.to_string());
        }
        Err(error) => return Err(format!("storage: {error}")),
    };
    sessions::carry_out(&store, &operation, out).await.map_err(|error| error.to_string())
}

/// Writes only what will work: the configuration is read first.
fn installed(client: Client, print: bool, local: &LocalArguments) -> Result<(), String> {
    local.read_local()?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| error.to_string());
    let server = install::Server {
        command: std::env::current_exe().map_err(|error| error.to_string())?,
        config: absolute(&local.config)?,
        plaintext_cache: local.dangerously_plaintext_cache,
    };
    let out = &mut io::stdout();
    let done = match print {
        true => install::print(client, &server, out, &mut io::stderr()),
        false => install::install(client, &server, out),
    };
    done.map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<Config, String> {
    config::read(path, std::env::vars()).map_err(|error| error.to_string())
}

fn in_tokio<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let tokio =
        tokio::runtime::Runtime::new().map_err(|error| format!("the runtime cannot start: {error}"))?;
    let done = tokio.block_on(work);
    // Not to wait for a thread that reads standard input, which nobody may ever close.
    tokio.shutdown_background();
    done
}

/// Whether `valet serve` or `valet stdio` could begin; then says what is in the file, since a name that is misspelt can be a good name.
async fn checked(path: &Path, out: &mut impl io::Write) -> Result<(), String> {
    let config = read(path)?;
    let rules = config.rules.clone();
    let serves = match (&config.server, &config.local) {
        (Some(_), Some(_)) => "`valet serve` and `valet stdio`",
        (Some(_), None) => "`valet serve`",
        (None, _) => "`valet stdio`, and not for `valet serve`, which needs `server.listen`",
    };
    warn_of_doubts(&config);
    let runtime = Runtime::new(config).await.map_err(|error| error.to_string())?;
    check(&runtime, path).await?;
    let path = path.display();
    writeln!(out, "{path} is good for {serves}.\n{rules}")
        .map_err(|error| format!("standard output: {error}"))
}

fn warn_of_doubts(config: &Config) {
    for doubt in &config.rules.doubts {
        tracing::warn!("{doubt}");
    }
}

/// Asks the components whether they can work with their settings. What they refuse was derived from keys with other names.
async fn check(runtime: &Runtime, path: &Path) -> Result<(), String> {
    match runtime.check().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(format!(
            "{}: {why} (`policy` is made of [tools], [resources], [prompts] and [scopes], the other settings of keys of the same name)",
            path.display()
        )),
        Err(error) => Err(error.to_string()),
    }
}

async fn serve(path: &Path) -> Result<(), String> {
    let config = read(path)?;
    let Some(server) = config.server.clone() else {
        return Err(format!("{}: `server.listen`: is missing, and `valet serve` needs it", path.display()));
    };
    let concurrent_requests = config.concurrent_requests;
    let storage = config.storage.clone();
    let resource = config.settings.get("resource").cloned().unwrap_or_default();
    warn_of_no_secret(&config);
    warn_of_doubts(&config);
    raise_descriptor_limit();
    let runtime = Runtime::new(config).await.map_err(|error| error.to_string())?;
    check(&runtime, path).await?;
    let administration = match &storage {
        Storage::Disk(file) => Administration::open(file, runtime.store().clone()),
        Storage::Memory | Storage::Redis(_) => Ok(None),
    };
    let administration = administration.map_err(|error| error.to_string())?;
    let server =
        Server::bind(&server, concurrent_requests, runtime).await.map_err(|error| error.to_string())?;
    let address = server.address().map_err(|error| error.to_string())?;
    // Watched before anyone is told that we serve: a signal that comes at once must not end us the hard way.
    let stop = stop_signal(false);
    let (end_administration, ended) = tokio::sync::oneshot::channel::<()>();
    let administration = administration.map(|administration| {
        tokio::spawn(administration.serve(async {
            let _ = ended.await;
        }))
    });
    tracing::info!(%address, resource, "serving");
    server
        .serve(async {
            let _ = stop.await;
        })
        .await;
    drop(end_administration);
    if let Some(administration) = administration {
        // Its socket goes with it, before the store is closed and another server can open that.
        let _ = administration.await;
    }
    Ok(())
}

/// Serves one client on standard input and output, which belong to the protocol alone.
async fn stdio(arguments: &LocalArguments) -> Result<(), String> {
    let mut config = arguments.read()?;
    // What one client needs: its requests, and the look at the next message. A larger pool would be set up more slowly, and in a smaller one a request without a place
    // would fail, since nobody is turned away here.
    config.concurrent_requests = limits::STDIO_REQUESTS + 1;
    let bearer = std::env::var(ACCESS_TOKEN).ok().filter(|token| !token.trim().is_empty());
    let stop = stop_signal(true);
    let (runtime, bearer) = match (bearer, config.local.clone()) {
        (Some(token), _) => {
            if !is_compact(token.trim()) {
                return Err(format!(
                    "{ACCESS_TOKEN}: this is no access token, which has three parts between two dots; unset it to sign in as the user of this machine"
                ));
            }
            tracing::info!(
                "calls are made with the access token in {ACCESS_TOKEN}, for as long as it is good"
            );
            warn_of_no_secret(&config);
            (Runtime::new(config).await, SecretString::from(token.trim()))
        }
        (None, Some(local)) => {
            let user = LocalUser::new(&config, &local).map_err(|error| error.to_string())?;
            (Runtime::for_local_user(config, user).await, SecretString::default())
        }
        (None, None) => {
            return Err(format!(
                "{}: who calls? Add a [local] section for the user of this machine, or set {ACCESS_TOKEN} to an access token of the user who calls",
                arguments.config.display()
            ));
        }
    };
    let runtime = runtime.map_err(|error| error.to_string())?;
    check(&runtime, &arguments.config).await?;
    tracing::info!("serving on standard input and output");
    let gateway = Gateway::new(runtime, bearer);
    let ended = valet::stdio::serve(gateway, tokio::io::stdin(), tokio::io::stdout(), async {
        let _ = stop.await;
    })
    .await;
    tracing::info!(?ended, "stopping");
    Ok(())
}

/// Whether a token has the form of Entra's (RFC 7515 section 7.1). Whether it is good is for the components to say.
fn is_compact(token: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    token.split('.').count() == 3 && token.split('.').all(is_part)
}

fn warn_of_no_secret(config: &Config) {
    if config.client_secret.is_none() {
        tracing::warn!(
            "no client secret, so tools that call Graph will fail: set entra.client_secret_file or VALET_CLIENT_SECRET"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::is_compact;

    #[test]
    fn an_access_token_has_three_parts() {
        assert!(is_compact("eyJ.eyJ_-.c2ln"));
        for text in ["", "abc", "a.b", "a..c", "a.b.c.d", "a.b.c d", "a.b.c=", "Bearer a.b.c"] {
            assert!(!is_compact(text), "{text}");
        }
    }
}
