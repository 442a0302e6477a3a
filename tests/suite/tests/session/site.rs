//! The site of a client that is known by a document there: at port 443 of a public address, as far as the server can tell.

use std::sync::atomic::{AtomicI64, Ordering};

use entra_emulator::ids;
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::config::{REDIRECT_URI, list};
use valet_suite::oauth::{self, Authorize, Tokens, code_form, token};
use valet_suite::rig::shared_emulator;
use valet_suite::stand_in::{StandIn, http};
use valet_suite::surroundings::Surroundings;
use valet_suite::{Rig, log};

pub(crate) const SITE: &str = "site.client.example";
pub(crate) const INNER: &str = "inner.client.example";
pub(crate) const PUBLIC: &str = "198.20.0.1";
pub(crate) const OTHER_PUBLIC: &str = "198.20.0.2";
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// A server that takes the documents of two hosts, and the site of the client.
pub(crate) struct World {
    pub(crate) rig: Rig,
    pub(crate) surroundings: Surroundings,
    pub(crate) site: StandIn,
    /// How far ahead the server's clock is.
    ahead: AtomicI64,
}

impl World {
    pub(crate) async fn new() -> Option<Self> {
        let surroundings = Surroundings::new()?;
        let site = StandIn::named(SITE).await;
        Some(Self::with(surroundings, site, &[]).await)
    }

    /// The same, with more variables in the server's environment.
    pub(crate) async fn with(surroundings: Surroundings, site: StandIn, more: &[(&str, String)]) -> Self {
        surroundings.name(SITE, &[PUBLIC]);
        surroundings.at(PUBLIC, site.port());
        site.answer("/client.json", good(SITE));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let variables = surroundings.variables().into_iter().chain(more).collect();
        let rig = Rig::within(variables, shared_emulator().await, |config| {
            config.with_sessions().set("oauth.client_document_hosts", list(&[SITE, INNER]))
        });
        Self { rig: rig.await, surroundings, site, ahead: AtomicI64::new(0) }
    }

    /// Lets so many seconds pass.
    pub(crate) fn advance(&self, seconds: i64) {
        let ahead = self.ahead.fetch_add(seconds, Ordering::Relaxed) + seconds;
        self.surroundings.set_clock(ahead);
    }

    /// Asks for a code in the name of `client_id`, which has to be refused: gives status and audit event.
    pub(crate) async fn refused(&self, client_id: &str) -> (u16, String) {
        let mark = self.rig.log().mark();
        let mut browser = Browser::new(&self.rig, ids::ADELE_UPN);
        let page = browser.step(&Authorize::default().set("client_id", client_id).url()).await;
        assert!(!page.headers.contains_key("location") && !page.asks(), "{client_id}: {page:?}");
        assert!(!page.text.contains("evil"), "nothing that a stranger wrote: {}", page.text);
        let event = self.rig.log().wait(mark, "audit event", log::is_refusal).await;
        // For half a minute it is remembered that a document could not be had.
        self.advance(31);
        (page.status, log::audit_line(&event))
    }

    /// A sign-in with the client at `url`, which works.
    pub(crate) async fn works(&self, url: &str) -> Tokens {
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

pub(crate) fn url(host: &str) -> String {
    format!("https://{host}/client.json")
}

pub(crate) fn document(host: &str) -> Value {
    json!({
        "client_id": url(host), "client_name": "A client by document", "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
    })
}

/// The answer of a site whose document is as it should be.
pub(crate) fn good(host: &str) -> String {
    http("200 OK", &[JSON], &document(host).to_string())
}
