//! What a sender of the host's library refuses to send for a component (rows E-10 to E-13 of the security baseline). A good request after each one arrives.

use valet::egress::{AddressPolicy, Connector, Failure, Request, Sender, trust};
use valet_suite::certificates;
use valet_suite::stand_in::{StandIn, http};

/// A sender to an API, which answers what is allowed.
struct World {
    api: StandIn,
    sender: Sender,
}

impl World {
    async fn new() -> Self {
        // Fails if another test was first, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let api = StandIn::start().await;
        api.answer("/", http("200 OK", &[], "{}"));
        let trusted = trust(Some(certificates::ca_pem().as_bytes())).unwrap();
        let connector = Connector::new(trusted, AddressPolicy::PrivateToo);
        let sender = Sender::new(&api.url().parse().unwrap(), "graph.url", connector);
        Self { api, sender }
    }

    fn good(&self) -> Request {
        Request {
            method: "POST".to_owned(),
            url: format!("{}/v1.0/me?$select=id", self.api.url()),
            headers: vec![("authorization".to_owned(), "Bearer x".to_owned())],
            body: b"{}".to_vec(),
        }
    }

    fn with_field(&self, name: &str, value: &str) -> Request {
        let mut request = self.good();
        request.headers.push((name.to_owned(), value.to_owned()));
        request
    }

    fn by(&self, method: &str) -> Request {
        Request { method: method.to_owned(), ..self.good() }
    }

    fn to(&self, url: &str) -> Request {
        Request { url: url.to_owned(), ..self.good() }
    }

    /// `request` is denied for `why` and goes nowhere, and a good one after it arrives as it is.
    async fn denied(&self, why: &str, request: Request) {
        let name = format!("{request:?}");
        let before = self.api.requests().len();
        let expected = Failure::Denied(format!("{why} (this capability is bound to graph.url)"));
        assert_eq!(self.sender.send(request).await.unwrap_err(), expected, "{name}");
        assert_eq!(self.sender.send(self.good()).await.unwrap().status, 200, "after {name}");
        let requests = self.api.requests();
        assert_eq!(requests.len(), before + 1, "{name}");
        let head = requests.last().unwrap();
        assert!(
            head.starts_with("POST /v1.0/me?$select=id HTTP/1.1\r\nauthorization: Bearer x\r\n"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn fields_of_the_connection_are_the_senders_own() {
    let world = World::new().await;
    for (name, value) in [
        ("host", "evil.example"),
        ("Host", "localhost"),
        ("connection", "authorization"),
        ("Proxy-Connection", "keep-alive"),
        ("proxy-authorization", "Basic eDp4"),
        ("keep-alive", "timeout=600"),
        ("te", "trailers"),
        ("Transfer-Encoding", "chunked"),
        ("content-length", "0"),
        ("upgrade", "websocket"),
    ] {
        world.denied("a field that the sender sets itself", world.with_field(name, value)).await;
    }
}

#[tokio::test]
async fn nothing_that_is_sent_has_a_line_break_in_it() {
    let world = World::new().await;
    for name in ["x\r\nhost", "x\n", "\rx", "x y", "x:", "", "x\0"] {
        world.denied("a field name that is none", world.with_field(name, "1")).await;
    }
    for value in ["1\r\nhost: evil.example", "1\n2", "1\r2", "\n", "1\0"] {
        world.denied("a field value that is none", world.with_field("x-a", value)).await;
    }
    for method in ["GET\r\nhost: evil.example", "GET /x HTTP/1.1\r\n", "GET\n", "GET ", ""] {
        world.denied("not an HTTP method", world.by(method)).await;
    }
    // A parser of URLs leaves line breaks out (WHATWG URL section 4.4): what remains is one URL, of our origin.
    let url = format!("{}/a\r\nhost: evil.example\r\n\r\nGET /b", world.api.url());
    assert_eq!(world.sender.send(world.to(&url)).await.unwrap().status, 200);
    let head = world.api.requests().pop().unwrap();
    assert!(head.starts_with("POST /ahost:%20evil.exampleGET%20/b HTTP/1.1\r\nauthorization: "), "{head}");
}

#[tokio::test]
async fn a_request_names_its_authority() {
    let world = World::new().await;
    let origin = world.api.url();
    let authority = origin.trim_start_matches("https://").to_owned();
    // No field and no setting stands in for it.
    for url in ["/v1.0/me", "//localhost/v1.0/me", "v1.0/me", "?x", "", "https:/v1.0/me"] {
        world.denied("not an absolute URL", world.to(url)).await;
    }
    for url in [
        "https://evil.example/v1.0/me".to_owned(),
        "https://localhost.evil.example/".to_owned(),
        "https://localhost/v1.0/me".to_owned(),
        format!("http://{authority}/v1.0/me"),
        format!("https://{authority}@evil.example/"),
        format!("https://evil.example#@{authority}/"),
        format!("https://evil.example\\@{authority}/"),
        "https://l\u{43e}calhost/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        world.denied("another scheme, host or port", world.to(&url)).await;
    }
    world.denied("a URL with user information", world.to(&format!("https://evil@{authority}/"))).await;
}

#[tokio::test]
async fn a_method_is_for_a_resource() {
    let world = World::new().await;
    for method in ["CONNECT", "TRACE"] {
        world.denied("a method that asks for no resource", world.by(method)).await;
    }
}
