//! Configurations that are refused: each by a message that names the file and the key, before a socket is opened.

use std::time::Duration;

use entra_emulator::ids;
use valet_suite::check::like;
use valet_suite::config::{Config, Folder, list};
use valet_suite::process::Process;
use valet_suite::run;

/// A change of a perfect configuration, variables beside it, and what is said. `FILE` and `FOLDER` stand for the paths.
struct Case {
    name: &'static str,
    change: fn(Config) -> Config,
    variables: &'static [(&'static str, &'static str)],
    message: &'static str,
}

const fn case(name: &'static str, change: fn(Config) -> Config, message: &'static str) -> Case {
    Case { name, change, variables: &[], message }
}

const fn variable(
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    message: &'static str,
) -> Case {
    Case { name, change: |config| config, variables, message }
}

const CASES: &[Case] = &[
    case(
        "a rule for nobody",
        |c| c.set("tools.ghost.applications", false),
        "FILE: setting `policy`: *ghost*[tools]*",
    ),
    case(
        "applications without roles",
        |c| c.set("tools.whoami.applications", true),
        "FILE: setting `policy`: *whoami*[tools]*",
    ),
    case(
        "a rule about a tool that is none",
        |c| c.set("tools.whoam.scopes", list(&["a"])),
        "FILE: setting `policy`: there is no tool `whoam`, which [tools] names; is `whoami` meant? *",
    ),
    case(
        "a rule about a resource that is none",
        |c| c.set("resources.profiles.scopes", list(&["a"])),
        "FILE: setting `policy`: there is no resource `profiles`, which [resources] names; is `profile` meant? *",
    ),
    case(
        "a scope that is two",
        |c| c.set("tools.whoami.scopes", list(&["a b"])),
        "FILE: setting `policy`: *whoami*[tools]*",
    ),
    case(
        "a host that is a URL",
        |c| c.set("server.allowed_hosts", list(&["https://x.example"])),
        "FILE: settings `allowed_hosts`, `allowed_origins`: *x.example*",
    ),
    case(
        "unknown key",
        |c| c.set("server.bogus", 1),
        "FILE: `server.bogus`: unknown field `bogus`, expected one of *",
    ),
    case(
        "unknown section",
        |c| c.set("sever.listen", "x"),
        "FILE: `sever`: unknown field `sever`, expected one of *",
    ),
    case(
        "misspelled rule",
        |c| c.set("tools.whoami.scope", "x"),
        "FILE: `tools.whoami.scope`: unknown field `scope`, expected one of *",
    ),
    case("no section", |c| c.without("entra"), "FILE: `*`: missing field `entra`*"),
    case("no tenant", |c| c.without("entra.tenant"), "FILE: `entra*`: missing field `tenant`*"),
    case("no client id", |c| c.without("entra.client_id"), "FILE: `entra*`: missing field `client_id`*"),
    case(
        "tenant by name",
        |c| c.set("entra.tenant", "contoso.example"),
        "FILE: `entra.tenant`: has to be the tenant's GUID in lower case",
    ),
    case(
        "any tenant",
        |c| c.set("entra.tenant", "common"),
        "FILE: `entra.tenant`: has to be the tenant's GUID in lower case",
    ),
    case(
        "tenant in capitals",
        |c| c.set("entra.tenant", "7E57A000-0000-4000-8000-000000000001"),
        "FILE: `entra.tenant`: has to be the tenant's GUID in lower case",
    ),
    case(
        "no guid",
        |c| c.set("entra.client_id", "valet"),
        "FILE: `entra.client_id`: has to be the application's GUID in lower case",
    ),
    case(
        "no audience",
        |c| c.set("entra.audiences", list(&[])),
        "FILE: `entra.audiences`: is empty, which would accept no token; leave it out for the client id",
    ),
    case(
        "empty audience",
        |c| c.set("entra.audiences", list(&[""])),
        "FILE: `entra.audiences`: has an entry that is empty or contains white space",
    ),
    case(
        "two audiences in one",
        |c| c.set("entra.audiences", list(&["a b"])),
        "FILE: `entra.audiences`: has an entry that is empty or contains white space",
    ),
    case(
        "tenants empty",
        |c| c.set("entra.tenants", list(&[])),
        "FILE: `entra.tenants`: is empty, which would accept nobody; leave it out for the one in entra.tenant",
    ),
    case(
        "a tenant by an alias",
        |c| c.set("entra.tenants", list(&["organizations"])),
        "FILE: `entra.tenants`: has `organizations`, which is no GUID in lower case",
    ),
    case(
        "a tenant twice",
        |c| {
            let tenant = ids::TENANT.to_string();
            c.set("entra.tenants", list(&[&tenant, &tenant]))
        },
        "FILE: `entra.tenants`: has `7e57a000-0000-4000-8000-000000000001` twice",
    ),
    case(
        "clients empty",
        |c| c.set("entra.clients", list(&[])),
        "FILE: `entra.clients`: is empty, which would accept nobody; leave it out for any application",
    ),
    case(
        "a client by name",
        |c| c.set("entra.clients", list(&["*"])),
        "FILE: `entra.clients`: has `*`, which is no GUID in lower case",
    ),
    case(
        "no floor",
        |c| c.set("entra.keys_floor", 0),
        "FILE: `entra.keys_floor`: has to be between 1 and 3600 seconds",
    ),
    case(
        "a floor too high",
        |c| c.set("entra.keys_floor", 3601),
        "FILE: `entra.keys_floor`: has to be between 1 and 3600 seconds",
    ),
    case("leeway too big", |c| c.set("entra.leeway", 301), "FILE: `entra.leeway`: is more than 300 seconds"),
    case(
        "leeway negative",
        |c| c.set("entra.leeway", -1),
        "FILE: `entra.leeway`: invalid value: integer `-1`, expected u32",
    ),
    case(
        "plain authority",
        |c| c.set("entra.authority", "http://localhost"),
        "FILE: `entra.authority`: has to be an https URL without query, fragment and user",
    ),
    case(
        "plain graph",
        |c| c.set("graph.url", "http://localhost"),
        "FILE: `graph.url`: has to be an https URL without query, fragment and user",
    ),
    case(
        "certificate without key",
        |c| c.without("server.tls_key"),
        "FILE: `server.tls_key`: is missing beside server.tls_certificate",
    ),
    case(
        "key without certificate",
        |c| c.without("server.tls_certificate"),
        "FILE: `server.tls_certificate`: is missing beside server.tls_key",
    ),
    case(
        "certificate not there",
        |c| c.set("server.tls_certificate", "gone.pem"),
        "FOLDER/gone.pem: *No such file or directory*",
    ),
    case(
        "certificate that is none",
        |c| c.set("server.tls_certificate", "client-secret"),
        "FOLDER/client-secret: no certificate in it",
    ),
    case("key that is none", |c| c.set("server.tls_key", "server.pem"), "FOLDER/server.pem: no items found"),
    case(
        "plain HTTP for everyone",
        |c| c.set("server.listen", "0.0.0.0:0").without("server.tls_key").without("server.tls_certificate"),
        "FILE: `server.listen`: plain HTTP is served on loopback only; set server.tls_certificate and server.tls_key",
    ),
    case(
        "no address",
        |c| c.set("server.listen", "localhost"),
        "FILE: `server.listen`: invalid socket address syntax",
    ),
    case(
        "slash at the end",
        |c| c.set("server.public_url", "https://valet.example/mcp/"),
        "FILE: `server.public_url`: has to end in a path such as /mcp, without slash, query or fragment",
    ),
    case(
        "no path",
        |c| c.set("server.public_url", "https://valet.example"),
        "FILE: `server.public_url`: has to end in a path such as /mcp, without slash, query or fragment",
    ),
    case(
        "a query",
        |c| c.set("server.public_url", "https://valet.example/mcp?x"),
        "FILE: `server.public_url`: has to end in a path such as /mcp, without slash, query or fragment",
    ),
    case(
        "public and plain",
        |c| c.set("server.public_url", "http://valet.example/mcp"),
        "FILE: `server.public_url`: has to be https (http only for localhost)",
    ),
    case(
        "no tools",
        |c| c.without("tools"),
        "FILE: `tools`: names no tool, so nobody could call any; add [tools.whoami] with scopes or roles",
    ),
    case(
        "no requests",
        |c| c.set("limits.concurrent_requests", 0),
        "FILE: `limits.concurrent_requests`: has to be between 1 and 1024",
    ),
    case(
        "disk without a key",
        |c| c.set("storage.path", "store.redb"),
        "FILE: `storage.sealing_key_file`: is missing: what is kept is sealed with it. `openssl rand -base64 32` makes one",
    ),
    case(
        "sealing key too short",
        |c| c.on_disk().set("storage.sealing_key_file", "client-secret"),
        "FILE: `storage.sealing_key_file`: or VALET_SEALING_KEY has to be 32 bytes in base64, or several such keys, the current one first",
    ),
    case(
        "two stores",
        |c| c.on_disk().set("storage.redis_url_file", "client-secret"),
        "FILE: `storage.path`: and a Redis are both set; things are kept in one place",
    ),
    case(
        "Redis without a key",
        |c| c.set("storage.redis_url_file", "client-secret"),
        "FILE: `storage.sealing_key_file`: is missing: what is kept is sealed with it. `openssl rand -base64 32` makes one",
    ),
    case(
        "Redis at no URL",
        |c| c.set("storage.redis_url_file", "client-secret").set("storage.sealing_key_file", "sealing-key"),
        "storage: `storage.redis_url_file` (or VALET_REDIS_URL) or `storage.redis_ca_file`: the URL has to be rediss://*",
    ),
    case(
        "a mode that is none",
        |c| c.set("oauth.mode", "sessions"),
        "FILE: `oauth.mode`: unknown variant `sessions`, expected *",
    ),
    case(
        "clients where Entra gives the tokens",
        |c| c.with_sessions().set("oauth.mode", "direct"),
        "FILE: `oauth.clients`: does nothing where oauth.mode is \"direct\"; leave it out, or set oauth.mode to \"session\"",
    ),
    case(
        "scopes where Entra gives the tokens",
        |c| c.set("oauth.scopes", list(&["mcp.access"])),
        "FILE: `oauth.scopes`: does nothing where oauth.mode is \"direct\"; *",
    ),
    case(
        "clients of a facade",
        |c| c.with_sessions().set("oauth.mode", "facade"),
        "FILE: `oauth.clients`: does nothing where oauth.mode is \"facade\"; *",
    ),
    case(
        "sessions without TLS in the URL",
        |c| c.with_sessions().set("server.public_url", "http://localhost:8080/mcp"),
        "FILE: `server.public_url`: has to be https unless oauth.mode is \"direct\"",
    ),
    case(
        "sessions with rules for tokens of Entra",
        |c| c.with_sessions().set("entra.audiences", list(&["api://x"])),
        "FILE: `entra.audiences`: is a rule for tokens of Entra, *",
    ),
    case(
        "audiences of which no token that clients get is for one",
        |c| {
            c.set("entra.audiences", list(&["api://x", "https://valet.example/Mcp", "https://valet.example"]))
        },
        "FILE: `entra.audiences`: has neither `*`, the `aud` of tokens of version 2, nor `https://valet.example/mcp`, that of version 1: \
         nobody could call. Add the one that your registration gives, or leave entra.audiences out for the client id",
    ),
    case(
        "the public URL as an audience, where scopes begin with something else",
        |c| {
            c.set("scopes.prefix", "api://x/")
                .set("oauth.unmatched_resource", true)
                .set("entra.audiences", list(&["https://valet.example/mcp"]))
        },
        "FILE: `entra.audiences`: has neither `*`, the `aud` of tokens of version 2, nor `api://x`, that of version 1: *",
    ),
    case(
        "sessions with a prefix of scopes",
        |c| c.with_sessions().set("scopes.prefix", "api://x/"),
        "FILE: `scopes.prefix`: is for tokens of Entra; *",
    ),
    case(
        "scopes that do not begin with what clients send as `resource`",
        |c| c.set("scopes.prefix", "api://x/"),
        "FILE: `scopes.prefix`: is `api://x/`, and server.public_url is `https://valet.example/mcp`: *AADSTS9010010* \
         Leave scopes.prefix out * set oauth.unmatched_resource = true",
    ),
    case(
        "scopes that begin with the public URL and go on without a slash",
        |c| c.set("scopes.prefix", "https://valet.example/mcp"),
        "FILE: `scopes.prefix`: is `https://valet.example/mcp`, and server.public_url is `https://valet.example/mcp`: *",
    ),
    case(
        "a difference in one letter",
        |c| c.set("scopes.prefix", "https://valet.example/Mcp/"),
        "FILE: `scopes.prefix`: is `https://valet.example/Mcp/`, and server.public_url is `https://valet.example/mcp`: *",
    ),
    case(
        "a difference that is said to be meant, and is none",
        |c| c.set("oauth.unmatched_resource", true),
        "FILE: `oauth.unmatched_resource`: is true, and scopes begin with `https://valet.example/mcp/`, which is no other than \
         server.public_url; leave it out",
    ),
    case(
        "the same, written out",
        |c| c.set("scopes.prefix", "https://valet.example/mcp/").set("oauth.unmatched_resource", true),
        "FILE: `oauth.unmatched_resource`: is true, and scopes begin with `https://valet.example/mcp/`, *",
    ),
    case(
        "a difference that is said to be meant where it does not matter",
        |c| c.with_sessions().set("oauth.unmatched_resource", true),
        "FILE: `oauth.unmatched_resource`: does nothing unless oauth.mode is \"direct\": *",
    ),
    case(
        "the same in a facade",
        |c| {
            c.set("oauth.mode", "facade")
                .set("scopes.prefix", "api://x/")
                .set("oauth.unmatched_resource", true)
        },
        "FILE: `oauth.unmatched_resource`: does nothing unless oauth.mode is \"direct\": *",
    ),
    case(
        "sessions without a credential",
        |c| c.with_sessions().without("entra.client_secret_file"),
        "FILE: `entra.client_secret_file`: or VALET_CLIENT_SECRET is missing: *",
    ),
    case(
        "a number of registrations that are off",
        |c| c.with_sessions().set("oauth.registrations", 5),
        "FILE: `oauth.registrations`: does nothing without oauth.registration_redirects",
    ),
    case(
        "private addresses for documents that nobody reads",
        |c| c.set("oauth.client_documents_at_private_addresses", true),
        "FILE: `oauth.client_documents_at_private_addresses`: does nothing where oauth.mode is *",
    ),
    case(
        "sessions for no client",
        |c| c.set("oauth.mode", "session"),
        "FILE: no client can sign in: set `oauth_clients`, *",
    ),
    case(
        "sessions for no scope",
        |c| c.with_sessions().set("oauth.scopes", list(&[])),
        "FILE: `oauth.scopes`: is empty, *",
    ),
    case(
        "a lifetime that is none",
        |c| c.with_sessions().set("oauth.access_token_lifetime", 5),
        "FILE: setting `oauth_access_token_lifetime`: `5` is not a number from 60 to 3600 *",
    ),
    case(
        "store that is none",
        |c| c.on_disk().set("storage.path", "ca.pem"),
        "storage: the store is damaged, or not a store of this version: *",
    ),
    case(
        "secret not there",
        |c| c.set("entra.client_secret_file", "gone"),
        "FOLDER/gone: No such file or directory (os error 2)",
    ),
    case(
        "authorities not there",
        |c| c.set("egress.ca_file", "gone.pem"),
        "FOLDER/gone.pem: No such file or directory (os error 2)",
    ),
    case(
        "authorities that are none",
        |c| c.set("egress.ca_file", "client-secret"),
        "egress.ca_file: no certificate in it",
    ),
    case(
        "artifacts not there",
        |c| c.set("artifacts", "gone"),
        "the artifact FOLDER/gone/identity.wasm cannot be read: No such file or directory (os error 2); `cargo xtask build` makes it, and `artifacts` names the folder",
    ),
    variable(
        "both secrets",
        &[("VALET_CLIENT_SECRET", "x")],
        "FILE: `entra.client_secret_file`: and VALET_CLIENT_SECRET are both set; keep one",
    ),
    variable(
        "unknown variable",
        &[("VALET_SERVER_BOGUS", "x")],
        "VALET_SERVER_BOGUS: `server.bogus`: unknown field `bogus`, expected one of *",
    ),
    variable(
        "misspelled variable",
        &[("VALET_CLIENTSECRET", "x")],
        "VALET_CLIENTSECRET: `clientsecret`: unknown field `clientsecret`, expected one of *",
    ),
    variable(
        "bad variable",
        &[("VALET_SERVER_LISTEN", "everywhere")],
        "VALET_SERVER_LISTEN: `server.listen`: invalid socket address syntax",
    ),
    variable(
        "variable against the public URL",
        &[("VALET_SCOPES_PREFIX", "api://x/")],
        "VALET_SCOPES_PREFIX: `scopes.prefix`: is `api://x/`, and server.public_url is *",
    ),
    variable(
        "variable against a rule",
        &[("VALET_ENTRA_LEEWAY", "400")],
        "VALET_ENTRA_LEEWAY: `entra.leeway`: is more than 300 seconds",
    ),
];

async fn refusal(arguments: &[&str], case: &Case) -> String {
    let rig = shared().await;
    let folder = Folder::new();
    let file = (case.change)(Config::for_emulator(&rig)).write(&folder, rig.ca_pem());
    ended(arguments, &file, case.variables)
        .replace(&file.display().to_string(), "FILE")
        .replace(&folder.path("").display().to_string(), "FOLDER/")
}

async fn shared() -> std::sync::Arc<entra_emulator::Emulator> {
    valet_suite::rig::shared_emulator().await
}

/// What a command says that ends with an error.
fn ended(arguments: &[&str], file: &std::path::Path, variables: &[(&str, &str)]) -> String {
    let mut process = Process::start(arguments, file, variables);
    let status = process
        .end(Duration::from_secs(10))
        .unwrap_or_else(|| panic!("it goes on: {}", process.log().text()));
    assert_eq!(status.code(), Some(1), "{}", process.log().text());
    assert!(!process.log().text().contains("serving"));
    process.log().text()
}

#[test]
fn configurations_that_are_refused() {
    run(async {
        let mut wrong = Vec::new();
        for case in CASES {
            let found = refusal(&["serve"], case).await;
            if !like(&format!("valet: {}", case.message), &found) {
                wrong.push(format!("{}\n  expected {}\n  found    {found}", case.name, case.message));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn files_that_are_no_configuration() {
    let folder = Folder::new();
    let gone = folder.path("gone.toml");
    let said = ended(&["serve"], &gone, &[]);
    let words = "there is no such configuration file; name one with --config or VALET_CONFIG (docs/configuration.md has its keys)";
    assert_eq!(said, format!("valet: {}: {words}", gone.display()));
    let half = folder.write("half.toml", "[server]\nlisten = ");
    let said = ended(&["serve"], &half, &[]);
    assert!(
        said.starts_with(&format!("valet: {}: TOML parse error at line 2, column ", half.display())),
        "{said}"
    );
}

#[test]
fn a_check_says_the_same_and_serves_nothing() {
    run(async {
        for case in
            CASES.iter().filter(|case| !case.name.contains("certificate") && case.name != "key that is none")
        {
            let found = refusal(&["check"], case).await;
            assert!(like(&format!("valet: {}", case.message), &found), "{}: {found}", case.name);
        }
        let emulator = shared().await;
        let folder = Folder::new();
        let file = Config::for_emulator(&emulator).write(&folder, emulator.ca_pem());
        let mut process = Process::start(&["check"], &file, &[]);
        assert_eq!(process.end(Duration::from_secs(10)).and_then(|status| status.code()), Some(0));
        assert_eq!(process.log().text(), "");
    });
}

#[test]
fn scopes_may_begin_otherwise_where_that_is_said() {
    run(async {
        let emulator = shared().await;
        let changes: [fn(Config) -> Config; 6] = [
            |c| c.set("scopes.prefix", "api://x/").set("oauth.unmatched_resource", true),
            |c| c.set("scopes.prefix", "https://valet.example/mcp/"),
            // Entra gets no `resource` here.
            |c| c.set("scopes.prefix", "api://x/").set("oauth.mode", "facade"),
            // What `aud` is in version 2, in version 1, and in version 1 where that is another URI.
            |c| c.set("entra.audiences", list(&["api://x", &ids::VALET.to_string()])),
            |c| c.set("entra.audiences", list(&["https://valet.example/mcp"])),
            |c| {
                c.set("scopes.prefix", "api://x/")
                    .set("oauth.unmatched_resource", true)
                    .set("entra.audiences", list(&["api://x"]))
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let folder = Folder::new();
            let file = change(Config::for_emulator(&emulator)).write(&folder, emulator.ca_pem());
            let mut process = Process::start(&["check"], &file, &[]);
            let status = process.end(Duration::from_secs(10)).and_then(|status| status.code());
            assert_eq!((status, process.log().text()), (Some(0), String::new()), "{number}");
        }
    });
}

#[test]
fn variables_replace_keys_of_the_file() {
    run(async {
        let emulator = shared().await;
        let folder = Folder::new();
        let config =
            Config::for_emulator(&emulator).set("entra.leeway", 400).without("entra.client_secret_file");
        let file = config.write(&folder, emulator.ca_pem());
        let variables = [
            ("VALET_ENTRA_LEEWAY", "30"),
            ("VALET_SERVER_ALLOWED_HOSTS", r#"["a.example", "b.example"]"#),
            ("VALET_EGRESS_ALLOW_PRIVATE_ADDRESSES", "true"),
            ("VALET_CLIENT_SECRET", ids::VALET_SECRET),
            ("VALET_LOG_FORMAT", "json"),
        ];
        let mut process = Process::start(&["serve"], &file, &variables);
        process.address().await;
        assert_eq!(process.stop().and_then(|status| status.code()), Some(0));
        assert!(!process.log().text().contains(ids::VALET_SECRET));
    });
}
