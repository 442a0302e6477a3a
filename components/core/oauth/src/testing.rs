//! What the tests of several files share.

use secrecy::SecretString;

use crate::authorize::Request;
use crate::client::{self, Client, Lookup};
use crate::form::Form;
use crate::settings::Settings;
use crate::transaction::{EntraSecrets, Transaction};
use crate::user::{Grant, Session, User};

/// A time.
pub(crate) const NOW: u64 = 1_800_000_000;

/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// An authorization request of the configured client `web` with nothing wrong in it.
pub(crate) const QUERY: &str = "client_id=web&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code&state=s-1\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=mcp.access\
    &resource=https%3A%2F%2Fvalet.example%2Fmcp";

const SETTINGS: [(&str, &str); 6] = [
    ("resource", "https://valet.example/mcp"),
    ("oauth_scopes", "mcp.access mcp.write"),
    ("scope_prefix", "https://valet.example/mcp/"),
    // The secret is `s3cret`.
    (
        "oauth_clients",
        r#"[{"client_id":"web","client_name":"Web App","redirect_uris":["https://app.example/cb"]},
            {"client_id":"cli","redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb"]},
            {"client_id":"secret","redirect_uris":["https://s.example/cb"],
             "client_secret_sha256":"1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"}]"#,
    ),
    ("oauth_client_document_hosts", "*"),
    ("oauth_registration_redirects", "https://listed.example/cb loopback"),
];

/// Settings with everything on.
pub(crate) fn settings() -> Settings {
    settings_with(&[])
}

/// The same with some of them changed.
pub(crate) fn settings_with(changes: &[(&str, &str)]) -> Settings {
    Settings::read(lookup(changes)).unwrap()
}

/// The same before they are read.
pub(crate) fn lookup(changes: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let found = changes.iter().chain(&SETTINGS).find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

/// A configured client.
pub(crate) fn client(id: &str) -> Client {
    match client::look_up(Some(id), &settings()).unwrap() {
        Lookup::Known(client) => *client,
        other => panic!("{other:?}"),
    }
}

/// [`QUERY`], read.
pub(crate) fn request() -> Request {
    Request::read(&Form::parse(QUERY.as_bytes()).unwrap(), &client("web"), &settings()).unwrap()
}

/// Secrets for Entra, told apart by their bytes.
pub(crate) fn secrets() -> EntraSecrets {
    EntraSecrets { state: [1; 32], nonce: [2; 32], verifier: [3; 32] }
}

/// [`QUERY`] at Entra, by permission.
pub(crate) fn at_entra() -> Transaction {
    asking().permitted(&secrets())
}

/// [`QUERY`] on the consent page.
pub(crate) fn asking() -> Transaction {
    Transaction::asking(request(), &[7; 16], &[8; 32], NOW)
}

/// A user.
pub(crate) fn alice() -> User {
    User {
        tenant_id: "72f988bf-86f1-41af-91ab-2d7cd011db47".into(),
        object_id: "00000000-0000-0000-0000-00000000a11c".into(),
        name: Some("Alice".into()),
    }
}

/// A session of hers.
pub(crate) fn session() -> Session {
    Session { id: "session-1".into(), user: alice(), roles: vec!["Reader".into()] }
}

/// What she permitted.
pub(crate) fn grant() -> Grant {
    Grant {
        client_id: "web".into(),
        scopes: vec!["mcp.access".into(), "mcp.write".into()],
        session: session(),
    }
}

/// A secret.
pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// Numbers that look random and are the same each time (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn id(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}
