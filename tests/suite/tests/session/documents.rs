//! Clients that are known by a document at their own URL: what is fetched there, over TLS. Each case is a perfect document with one thing wrong, and a good
//! sign-in follows.

use serde_json::{Value, json};
use valet_suite::stand_in::{StandIn, http};
use valet_suite::{Ask, run};

use crate::site::{INNER, JSON, OTHER_PUBLIC, SITE, World, document, good, url};

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
