//! What the loopback listener takes, and everything that it refuses while the sign-in goes on.

use std::io::{Read as _, Write as _};

use entra_emulator::ids;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN};
use url::Url;
use valet_core_entra::id_token::IdTokenError;
use valet_sign_in::{AccessToken, SignInError, Step};

use crate::person::{Does, approve, form};
use crate::rig::{GRAPH, Rig, ask, until};

/// A sign-in whose listener is open and whose person does nothing.
struct Waiting {
    rig: Rig,
    url: String,
    listener: String,
    asking: tokio::task::JoinHandle<Result<AccessToken, SignInError>>,
}

impl Waiting {
    async fn start() -> Self {
        let rig = Rig::start().await;
        rig.person.will(Does::Nothing, Does::Unreachable);
        let asking = ask(&rig.sign_in(), GRAPH);
        until("a browser opens", || !rig.person.urls().is_empty()).await;
        let url = rig.person.urls().remove(0);
        Self { listener: parameter(&url, "redirect_uri"), url, rig, asking }
    }

    /// The answer of the authority for Adele, as the browser would post it.
    async fn answer(&self, url: &str) -> Vec<(String, String)> {
        let http = &self.rig.person.http;
        let page = http.get(url).header("x-emulator-approve", ids::ADELE_UPN).send().await.unwrap();
        let (action, fields) = form(&page.text().await.unwrap());
        assert_eq!(action.trim_end_matches('/'), self.listener);
        fields
    }

    /// The good answer is still taken.
    async fn finish(self) {
        let fields = self.answer(&self.url).await;
        let http = &self.rig.person.http;
        let origin = self.rig.emulator.authority_url();
        let page = http.post(&self.listener).header(ORIGIN, origin).form(&fields).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let headers = page.headers().clone();
        let text = page.text().await.unwrap();
        assert!(text.contains("You are signed in") && text.contains(ids::ADELE_UPN), "{text}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(headers[name], value);
        }
        assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        self.asking.await.unwrap().unwrap();
        assert!(http.get(&self.listener).send().await.is_err(), "the listener is closed");
    }
}

pub(crate) fn parameter(url: &str, name: &str) -> String {
    Url::parse(url).unwrap().query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned()
}

#[tokio::test]
async fn the_request_has_what_makes_the_answer_ours() {
    let waiting = Waiting::start().await;
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "form_post"),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
    ] {
        assert_eq!(parameter(&waiting.url, name), value);
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(parameter(&waiting.url, name).len(), 43, "{name} has 256 bits");
    }
    assert!(waiting.listener.starts_with("http://localhost:"), "{}", waiting.listener);
    waiting.finish().await;
}

#[tokio::test]
async fn other_methods_paths_hosts_origins_and_content_types_are_refused() {
    let waiting = Waiting::start().await;
    let http = &waiting.rig.person.http;
    let fields = waiting.answer(&waiting.url).await;
    let at = |path: &str| format!("{}{path}", waiting.listener);
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::HEAD, Method::PATCH] {
        let refused = http.request(method.clone(), at("/")).send().await.unwrap();
        assert_eq!(refused.status(), 405, "{method}");
    }
    assert_eq!(http.get(at("/elsewhere")).send().await.unwrap().status(), 404);
    assert_eq!(http.post(at("/elsewhere")).form(&fields).send().await.unwrap().status(), 404);
    for host in ["evil.example", "localhost", "localhost:1", "127.0.0.2"] {
        let refused = http.post(at("/")).header(HOST, host).form(&fields).send().await.unwrap();
        assert_eq!(refused.status(), 421, "{host}");
    }
    for origin in ["https://evil.example", "http://localhost", "https://localhost:1", ""] {
        let refused = http.post(at("/")).header(ORIGIN, origin).form(&fields).send().await.unwrap();
        assert_eq!(refused.status(), 403, "{origin}");
    }
    for kind in ["text/plain", "application/json", "multipart/form-data; boundary=x", ""] {
        let body = form_urlencoded(&fields);
        let refused = http.post(at("/")).header(CONTENT_TYPE, kind).body(body).send().await.unwrap();
        assert_eq!(refused.status(), 415, "{kind}");
    }
    waiting.finish().await;
}

fn form_urlencoded(fields: &[(String, String)]) -> String {
    let mut url = Url::parse("http://x").unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_in_a_query_is_refused_and_what_browsers_ask_by_themselves_is_harmless() {
    let waiting = Waiting::start().await;
    let http = &waiting.rig.person.http;
    let fields = form_urlencoded(&waiting.answer(&waiting.url).await);
    let refused = http.get(format!("{}/?{fields}", waiting.listener)).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(http.get(format!("{}/favicon.ico", waiting.listener)).send().await.unwrap().status(), 204);
    assert_eq!(http.get(format!("{}/", waiting.listener)).send().await.unwrap().status(), 200);
    waiting.finish().await;
}

#[tokio::test]
async fn an_answer_with_another_state_is_refused_and_ours_is_still_awaited() {
    let waiting = Waiting::start().await;
    let http = &waiting.rig.person.http;
    let state = parameter(&waiting.url, "state");
    for fields in [
        vec![("code", "x")],
        vec![("code", "x"), ("state", "other")],
        vec![("code", "x"), ("state", &state), ("state", &state)],
        vec![("error", "access_denied"), ("state", "other")],
        vec![],
    ] {
        let refused = http.post(&waiting.listener).form(&fields).send().await.unwrap();
        assert_eq!(refused.status(), 400, "{fields:?}");
    }
    waiting.finish().await;
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let waiting = Waiting::start().await;
    let http = &waiting.rig.person.http;
    let large = "a".repeat(valet_sign_in::limits::MAX_REPLY_BYTES + 1);
    let refused = http.post(&waiting.listener).form(&[("code", &large)]).send().await.unwrap();
    assert_eq!(refused.status(), 413);
    // Without a length in front it is counted on the way.
    let address = waiting.listener.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let listener = waiting.listener.clone();
    let status = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let host = listener.trim_start_matches("http://");
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
            large.len()
        )
        .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        String::from_utf8(status.to_vec()).unwrap()
    });
    assert_eq!(status.await.unwrap(), "HTTP/1.1 413");
    waiting.finish().await;
}

#[tokio::test]
async fn nobody_else_gets_the_other_address_of_localhost() {
    let waiting = Waiting::start().await;
    let port: u16 = waiting.listener.rsplit_once(':').unwrap().1.parse().unwrap();
    for address in ["127.0.0.1", "::1"] {
        let address: std::net::IpAddr = address.parse().unwrap();
        if std::net::TcpListener::bind((address, 0)).is_err() {
            crate::rig::not_run("one address of localhost", "this machine has no IPv6");
            continue;
        }
        let taken = std::net::TcpListener::bind((address, port)).unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse, "{address}");
    }
    waiting.finish().await;
}

#[tokio::test]
async fn idle_connections_keep_nobody_out_for_long() {
    let waiting = Waiting::start().await;
    let address = waiting.listener.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    // More than are served at a time; each ends when its headers do not come.
    let idle: Vec<_> = (0..valet_sign_in::limits::MAX_CONNECTIONS + 4)
        .map(|_| std::net::TcpStream::connect(&address).unwrap())
        .collect();
    waiting.finish().await;
    drop(idle);
}

#[tokio::test]
async fn a_declined_sign_in_ends_there_and_the_page_says_so() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let asking = {
        rig.person.will(Does::Nothing, Does::Unreachable);
        ask(&sign_in, GRAPH)
    };
    until("a browser opens", || !rig.person.urls().is_empty()).await;
    let url = rig.person.urls().remove(0);
    let fields = [
        ("state", parameter(&url, "state")),
        ("error", "access_denied".to_owned()),
        ("error_description", "AADSTS65004: <b>User declined</b> to consent.".to_owned()),
    ];
    let page = rig.person.http.post(parameter(&url, "redirect_uri")).form(&fields).send().await.unwrap();
    assert_eq!(page.status(), 400);
    let text = page.text().await.unwrap();
    assert!(
        text.contains("You are not signed in") && text.contains("&lt;b&gt;") && !text.contains("<b>"),
        "{text}"
    );
    let detail = "access_denied: AADSTS65004: <b>User declined</b> to consent.".to_owned();
    assert_eq!(asking.await.unwrap().unwrap_err(), SignInError::Declined { step: Step::Browser, detail });
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_code_of_another_sign_in_fails_for_want_of_the_verifier() {
    let (ours, theirs) = (Waiting::start().await, Waiting::start().await);
    // Their code, from the same authority, behind our state.
    let mut url = Url::parse(&theirs.url).unwrap();
    let redirect = ours.listener.clone();
    let pairs: Vec<_> = url
        .query_pairs()
        .map(|(name, value)| {
            (name.to_string(), if name == "redirect_uri" { redirect.clone() } else { value.to_string() })
        })
        .collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    let mut url = url.to_string();
    url = url.replace(&theirs.rig.emulator.authority_url(), &ours.rig.emulator.authority_url());
    let mut fields = ours.answer(&url).await;
    for (name, value) in &mut fields {
        if name == "state" {
            *value = parameter(&ours.url, "state");
        }
    }
    let page = ours.rig.person.http.post(&ours.listener).form(&fields).send().await.unwrap();
    assert_eq!(page.status(), 400);
    let failed = ours.asking.await.unwrap().unwrap_err();
    let SignInError::Authority(valet_core_entra::answer::Failure::GrantRefused(detail)) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(detail.codes, [501_481]);
    assert!(!ours.rig.file().exists(), "nothing was kept");
    theirs.asking.abort();
}

#[tokio::test]
async fn a_code_issued_for_another_nonce_is_refused() {
    let waiting = Waiting::start().await;
    let nonce = parameter(&waiting.url, "nonce");
    let fields = waiting.answer(&waiting.url.replace(&nonce, "other")).await;
    let page = waiting.rig.person.http.post(&waiting.listener).form(&fields).send().await.unwrap();
    assert_eq!(page.status(), 400);
    assert_eq!(waiting.asking.await.unwrap().unwrap_err(), SignInError::IdToken(IdTokenError::Nonce));
    assert!(!waiting.rig.file().exists(), "nothing was kept");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let waiting = Waiting::start().await;
    let mut fields = waiting.answer(&waiting.url).await;
    fields.push(("iss".to_owned(), "https://evil.example/t/v2.0".to_owned()));
    let page = waiting.rig.person.http.post(&waiting.listener).form(&fields).send().await.unwrap();
    assert_eq!(page.status(), 400);
    let failed = waiting.asking.await.unwrap().unwrap_err();
    let authority = waiting.rig.emulator.authority_url();
    let found = "https://evil.example/t/v2.0".to_owned();
    let expected = valet_core_entra::authorize::ReplyError::Issuer { found, authority };
    assert_eq!(failed, SignInError::Reply(expected));
}
