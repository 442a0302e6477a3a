//! Where clients' documents are fetched from: listed hosts at public addresses, by themselves, and nowhere else (rows E of the security baseline).

use valet_suite::run;
use valet_suite::stand_in::StandIn;
use valet_suite::surroundings::Surroundings;

use crate::site::{INNER, OTHER_PUBLIC, PUBLIC, SITE, World, good, url};

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
        world.advance(301);
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
        // Whoever asks a proxy waits for its answer, which does not come.
        let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        proxy.set_nonblocking(true).unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
        let world = World::with(surroundings, site, &names.map(|name| (name, address.clone()))).await;
        // The document, Entra's keys and tokens, and Graph.
        let tokens = world.works(&url(SITE)).await;
        assert_eq!(world.rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
        let asked = proxy.accept();
        assert!(asked.is_err(), "a proxy was asked: {asked:?}");
    });
}
