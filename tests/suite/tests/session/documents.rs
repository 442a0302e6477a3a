//! Clients that are known by a document at their own URL: it is fetched over TLS, from a site of the test's that is at port 443 of a public address. Each
//! case is a perfect document with one thing wrong, and a good sign-in follows.

use entra_emulator::ids;
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::config::{REDIRECT_URI, list};
use valet_suite::oauth::{self, Authorize, Tokens, code_form, token};
use valet_suite::rig::shared_emulator;
use valet_suite::stand_in::{StandIn, http};
use valet_suite::surroundings::Surroundings;
use valet_suite::{Ask, Rig, log, run};

const SITE: &str = "site.client.example";
const INNER: &str = "inner.client.example";
const PUBLIC: &str = "198.20.0.1";
const OTHER_PUBLIC: &str = "198.20.0.2";
const JSON: (&str, &str) = ("content-type", "application/json");

/// A server that takes the documents of two hosts, and the site of the client.
struct World {
    rig: Rig,
    surroundings: Surroundings,
    site: StandIn,
}

impl World {
    async fn new() -> Option<Self> {
        let surroundings = Surroundings::new()?;
        let site = StandIn::named(SITE).await;
        surroundings.name(SITE, &[PUBLIC]);
        surroundings.at(PUBLIC, site.port());
        let rig = Rig::within(surroundings.variables(), shared_emulator().await, |config| {
            config.with_sessions().set("oauth.client_document_hosts", list(&[SITE, INNER]))
        });
        let world = Self { rig: rig.await, surroundings, site };
        world.site.answer("/client.json", good(SITE));
        Some(world)
    }

    /// Asks for a code in the name of `client_id`, which has to be refused: gives status and audit event.
    async fn refused(&self, client_id: &str) -> (u16, String) {
        let mark = self.rig.log().mark();
        let mut browser = Browser::new(&self.rig, ids::ADELE_UPN);
        let page = browser.step(&Authorize::default().set("client_id", client_id).url()).await;
        assert!(!page.headers.contains_key("location") && !page.asks(), "{client_id}: {page:?}");
        assert!(!page.text.contains("evil"), "nothing that a stranger wrote: {}", page.text);
        let event = self.rig.log().wait(mark, "audit event", log::is_refusal).await;
        (page.status, log::audit_line(&event))
    }

    /// A sign-in with the client at `url`, which works.
    async fn works(&self, url: &str) -> Tokens {
        let mut browser = Browser::new(&self.rig, ids::ADELE_UPN);
        let page = browser.go(&Authorize::default().set("client_id", url).url()).await;
        assert!(page.asks() && page.text.contains("A client by document"), "{page:?}");
        let page = browser.decide(&page, "allow").await;
        let mut form = code_form(&oauth::arrived(&self.rig, &page));
        form[1].1 = url.to_owned();
        let tokens = Tokens::read(&self.rig, &token(&self.rig, &form).await);
        assert_eq!(self.rig.call("whoami", &tokens.access).await.status, 200);
        tokens
    }
}

fn url(host: &str) -> String {
    format!("https://{host}/client.json")
}

fn document(host: &str) -> Value {
    json!({
        "client_id": url(host), "client_name": "A client by document", "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
    })
}

/// The answer of a site whose document is as it should be.
fn good(host: &str) -> String {
    http("200 OK", &[JSON], &document(host).to_string())
}

#[test]
fn a_document_that_is_not_what_it_has_to_be_is_refused() {
    run(async {
        let Some(world) = World::new().await else { return };
        let inner = StandIn::named(INNER).await;
        inner.answer("/", good(SITE));
        world.surroundings.name(INNER, &[OTHER_PUBLIC]);
        world.surroundings.at(OTHER_PUBLIC, inner.port());
        let perfect = document(SITE).to_string();
        let padded = |bytes: usize| format!("{}{perfect}", " ".repeat(bytes));
        let elsewhere = [JSON, ("location", "https://inner.client.example/client.json")];
        let with = |name: &str, value: Value| {
            let mut document = document(SITE);
            document[name] = value;
            http("200 OK", &[JSON], &document.to_string())
        };
        let invalid = "denied invalid_request: ";
        let unavailable = "denied temporarily_unavailable: the client's document cannot be fetched: ";
        for (name, answer, expected, detail) in [
            ("10 MB", http("200 OK", &[JSON], &padded(10_000_000)), unavailable, "the document is too large"),
            ("17 kB", http("200 OK", &[JSON], &padded(17_000)), unavailable, "the document is too large"),
            (
                "moved",
                http("302 Found", &elsewhere, &perfect),
                invalid,
                "the client's document was answered with status 302",
            ),
            (
                "moved for good",
                http("308 Permanent Redirect", &elsewhere, &perfect),
                invalid,
                "the client's document was answered with status 308",
            ),
            (
                "not there",
                http("404 Not Found", &[JSON], &perfect),
                invalid,
                "the client's document was answered with status 404",
            ),
            (
                "failing",
                http("500 Internal Server Error", &[JSON], &perfect),
                invalid,
                "the client's document was answered with status 500",
            ),
            (
                "of a page",
                http("200 OK", &[("content-type", "text/html")], &perfect),
                invalid,
                "the client's document has the media type `text/html`",
            ),
            (
                "of no type",
                http("200 OK", &[], &perfect),
                invalid,
                "the client's document has the media type ``",
            ),
            (
                "not JSON",
                http("200 OK", &[JSON], "<!doctype html>"),
                invalid,
                "the client's document is not the JSON that it has to be",
            ),
            (
                "empty",
                http("200 OK", &[JSON], ""),
                invalid,
                "the client's document is not the JSON that it has to be",
            ),
            (
                "cut off",
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"
                    .to_owned(),
                unavailable,
                "broken off: ",
            ),
            ("no HTTP", "SSH-2.0-OpenSSH_9.9\r\n".to_owned(), unavailable, "broken off: "),
            ("no answer", String::new(), unavailable, "broken off: "),
            (
                "about another",
                with("client_id", "https://evil.example/client.json".into()),
                invalid,
                "the client's document is about `https://evil.example/client.json`",
            ),
            (
                "with a secret",
                with("client_secret", "evil".into()),
                invalid,
                "the client's document has a secret in it",
            ),
            (
                "with a way to evil",
                with("redirect_uris", json!(["javascript:evil()"])),
                invalid,
                "in the client's document, ",
            ),
        ] {
            world.site.answer("/client.json", answer);
            let before = world.site.requests().len();
            let (status, found) = world.refused(&url(SITE)).await;
            assert_eq!(status, 502, "{name}: {found}");
            assert!(found.starts_with(&format!("{expected}{detail}")), "{name}: {found}");
            assert_eq!(world.site.requests().len(), before + 1, "{name}: asked once");
        }
        assert!(inner.requests().is_empty(), "nobody goes where a site points: {:?}", inner.requests());
        // A redirect URI that is not in it.
        world.site.answer("/client.json", with("redirect_uris", json!(["https://client.example/other"])));
        let (status, found) = world.refused(&url(SITE)).await;
        assert!(
            status == 400 && found.starts_with("denied unauthorized_client: the `redirect_uri` is"),
            "{status} {found}"
        );
    });
}

#[test]
fn a_good_document_is_fetched_once_and_carries_nothing_of_ours() {
    run(async {
        let Some(world) = World::new().await else { return };
        world.works(&url(SITE)).await;
        world.works(&url(SITE)).await;
        let requests = world.site.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        let head = requests[0].to_ascii_lowercase();
        assert!(
            head.starts_with("get /client.json http/1.1\r\n")
                && head.contains("host: site.client.example\r\n"),
            "{head}"
        );
        for field in ["cookie", "authorization", "referer", "origin", "x-", "forwarded", "via"] {
            assert!(!head.contains(&format!("\r\n{field}")), "{field}: {head}");
        }
    });
}

#[test]
fn a_site_that_says_nothing_is_waited_for_only_so_long() {
    run(async {
        let Some(world) = World::new().await else { return };
        world.site.be_silent("/client.json");
        let site = url(SITE);
        let passing = async {
            while world.site.requests().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            // The limit is five seconds. What waits looks at the clock when there is something to do.
            world.surroundings.pass(6);
            assert_eq!(world.rig.send(Ask::get("/healthz")).await.status, 200);
        };
        let ((status, found), ()) = tokio::join!(world.refused(&site), passing);
        assert_eq!(status, 502, "{found}");
        assert_eq!(
            found,
            "denied temporarily_unavailable: the client's document cannot be fetched: no answer in time"
        );
        world.site.answer("/client.json", good(SITE));
        world.works(&site).await;
    });
}

#[test]
fn a_name_leads_to_public_addresses_alone() {
    run(async {
        let Some(world) = World::new().await else { return };
        let inner = StandIn::named(SITE).await;
        inner.answer("/", good(SITE));
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
        ] {
            world.surroundings.at(address, inner.port());
            world.surroundings.name(SITE, &[address]);
            let (status, found) = world.refused(&url(SITE)).await;
            assert_eq!(status, 502, "{address}: {found}");
            let expected = format!(
                "denied temporarily_unavailable: the client's document cannot be fetched: not allowed: {SITE} resolves to private addresses only ([{address}:443])"
            );
            assert!(found.starts_with(&expected), "{address}: {found}");
        }
        for address in ["::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe"] {
            world.surroundings.name(SITE, &[address]);
            let (_, found) = world.refused(&url(SITE)).await;
            assert!(
                found.contains("not allowed: site.client.example resolves to private"),
                "{address}: {found}"
            );
        }
        assert!(inner.requests().is_empty() && world.site.requests().is_empty());
        world.surroundings.name(SITE, &[PUBLIC]);
        world.works(&url(SITE)).await;
    });
}

#[test]
fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    run(async {
        let Some(world) = World::new().await else { return };
        let inner = StandIn::named(INNER).await;
        inner.answer("/", good(INNER));
        let outer = StandIn::named(INNER).await;
        outer.answer("/", good(INNER));
        world.surroundings.at("127.0.0.1", inner.port());
        world.surroundings.at(OTHER_PUBLIC, outer.port());
        // Public at the first question, and inside from the second on.
        world.surroundings.name(INNER, &[OTHER_PUBLIC, "127.0.0.1"]);
        world.works(&url(INNER)).await;
        assert_eq!((outer.requests().len(), inner.requests().len()), (1, 0));
        // Once the document has to be fetched again, the name is asked about again.
        world.surroundings.set_clock(301);
        let (status, found) = world.refused(&url(INNER)).await;
        assert!(status == 502 && found.contains("resolves to private addresses only"), "{status} {found}");
        assert!(inner.requests().is_empty());
        world.works(&url(SITE)).await;
    });
}

#[test]
fn a_site_without_its_certificate_is_not_the_site() {
    run(async {
        let Some(world) = World::new().await else { return };
        let other = StandIn::named("evil.example").await;
        other.answer("/", good(SITE));
        world.surroundings.at(PUBLIC, other.port());
        let (status, found) = world.refused(&url(SITE)).await;
        assert_eq!(status, 502);
        assert!(
            found.contains("cannot be fetched: unreachable: no TLS session: invalid peer certificate"),
            "{found}"
        );
        world.surroundings.name(SITE, &["198.20.0.99"]);
        world.surroundings.at("198.20.0.99", 1);
        let (_, found) = world.refused(&url(SITE)).await;
        assert!(found.contains("cannot be fetched: unreachable: no connection"), "{found}");
        assert!(other.requests().is_empty());
        world.surroundings.name(SITE, &[PUBLIC]);
        world.surroundings.at(PUBLIC, world.site.port());
        world.works(&url(SITE)).await;
    });
}

#[test]
fn a_url_that_is_no_clients_is_not_fetched() {
    run(async {
        let Some(world) = World::new().await else { return };
        // All names lead to the site, which would answer.
        let evil = ["evil.example", "site.client.example.evil.example", "client.example"];
        for host in evil {
            world.surroundings.name(host, &[PUBLIC]);
        }
        let url = "denied unauthorized_client: the `client_id` is a URL, but ";
        let host = "denied unauthorized_client: ";
        for (client_id, audit) in [
            // Hosts that are not listed.
            ("https://evil.example/client.json", host),
            ("https://site.client.example.evil.example/client.json", host),
            ("https://client.example/client.json", host),
            ("https://sub.site.client.example/client.json", host),
            // Other ports, other schemes.
            ("https://site.client.example:8443/client.json", url),
            ("https://site.client.example:443/client.json", url),
            ("https://site.client.example:22/client.json", url),
            ("http://site.client.example/client.json", url),
            ("ftp://site.client.example/client.json", host),
            // What looks like it.
            ("https://site.client.example@evil.example/client.json", url),
            ("https://evil.example#@site.client.example/client.json", url),
            ("https://evil.example\\@site.client.example/client.json", url),
            ("https://site.client.example./client.json", url),
            ("https://SITE.client.example/client.json", url),
            ("https://s\u{456}te.client.example/client.json", host),
            ("https://site%2eclient.example/client.json", url),
            ("https://site.client.example/client.json#evil", url),
            ("https://site.client.example/client.json?evil", url),
            ("https://site.client.example/x/../client.json", url),
            ("https://site.client.example/%2e%2e/client.json", url),
            ("https://site.client.example", url),
            ("https://site.client.example/", url),
            // Addresses.
            ("https://127.0.0.1/client.json", url),
            ("https://169.254.169.254/client.json", url),
            ("https://2852039166/client.json", url),
            ("https://0xa9fea9fe/client.json", url),
            ("https://0251.0376.0251.0376/client.json", url),
            ("https://[::1]/client.json", url),
            ("https://[::ffff:169.254.169.254]/client.json", url),
            ("https://localhost/client.json", url),
            ("https://localhost./client.json", url),
        ] {
            let (status, found) = world.refused(client_id).await;
            assert!(matches!(status, 400 | 403), "{client_id}: {status} {found}");
            assert!(found.starts_with(audit), "{client_id}: {found}");
        }
        assert!(world.site.requests().is_empty(), "{:?}", world.site.requests());
        world.works(&self::url(SITE)).await;
    });
}

#[test]
fn what_is_fetched_is_asked_for_without_a_proxy() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let site = StandIn::named(SITE).await;
        site.answer("/", good(SITE));
        surroundings.name(SITE, &[PUBLIC]);
        surroundings.at(PUBLIC, site.port());
        // Whoever asks a proxy waits for its answer, which does not come.
        let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.set_nonblocking(true).unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        let mut variables = surroundings.variables();
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            variables.push((name.to_owned(), address.clone()));
        }
        let rig = Rig::within(variables, shared_emulator().await, |config| {
            config.with_sessions().set("oauth.client_document_hosts", list(&[SITE]))
        });
        let world = World { rig: rig.await, surroundings, site };
        // The document, Entra's keys and tokens, and Graph.
        let tokens = world.works(&url(SITE)).await;
        assert_eq!(world.rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        let asked = proxy.accept();
        assert!(asked.is_err(), "a proxy was asked: {asked:?}");
    });
}
