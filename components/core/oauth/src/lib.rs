//! An OAuth 2.1 authorization server for MCP clients, in front of Microsoft Entra ID: every decision, record, page and header of it.
//!
//! MCP clients want what Entra does not have: metadata by RFC 8414, clients that are known by a document or register themselves, `resource` in each request.
//! So they talk to us, we talk to Entra as one registered application, and a person at a browser goes through both. Owned here: what a request has to be, what is answered,
//! what is kept and under which name. Deliberately not here: I/O, the clock and randomness, which are arguments; sealing and signatures, which the
//! shell is lent; Entra's own requests and answers (`core/entra`); and whether an access token is good (`core/token`).
//!
//! # The whole dance
//!
//! | step | the shell does | and asks |
//! |---|---|---|
//! | `GET /oauth/authorize` | looks the client up: in the settings, in the store, or by fetching its document | [`client::look_up`], [`document`], [`registration::client`] |
//! | | reads the request; a refusal is a page or goes to the client | [`authorize::Request::read`] |
//! | | opens the browser's user cookie, reads that user's account | [`user`], [`account`] |
//! | | permission not remembered: seals a transaction that asks into a cookie, shows the page | [`consent::is_remembered`], [`transaction::Transaction::asking`], [`page::consent`] |
//! | | remembered: goes on to Entra at once | [`transaction::Transaction::remembered`] |
//! | `POST /oauth/consent` | opens the cookie that the form names; yes goes to Entra, no to the client, both by a page between | [`consent::Answer`], [`page::onward`] |
//! | `GET /auth/callback` | opens the cookie that `state` names, redeems Entra's code and opens a session | [`callback::Answer`] |
//! | | who came back has not permitted it: closes the session and asks again | [`consent::holds`], [`transaction::Transaction::asking_again`] |
//! | | writes that the answer is taken before, and that the transaction is used after it; then the account, the code; sets the user cookie; sends the code to the client | [`transaction::Progress`], [`account::Account`], [`code::issue`], [`transaction::Transaction::success`] |
//! | `GET /oauth/step-up` | opens the link that a client was given for its user, seals a transaction into a cookie, shows the page; the form and Entra's answer go the ways above, and between the two the session is renewed although something is wanted | [`step_up`], [`transaction::Transaction::step_up`], [`step_up::open_record`] |
//! | `POST /oauth/token` | a code: begins a family of refresh tokens, then marks the code spent | [`token::Request`], [`code::redeem`], [`refresh::begin`] |
//! | | a refresh token: renews the session, then replaces the family's record | [`refresh::decide`], [`refresh::Rotation::finish`] |
//! | | signs an access token | [`at_jwt`], [`token::response`] |
//! | `POST /oauth/revoke` | closes the session, forgets the permission, and deletes the family last, so that what fails can be tried again | [`revoke`], [`refresh::revoke`], [`account::Account::give_back`] |
//! | `/oauth/sign-out` | ends all sessions of the user whom the browser knows | [`sign_out`] |
//!
//! Records are written by compare and set where two can come at once: codes, families, accounts. What is written before it is answered is never lost by a
//! crash; what is answered twice is decided by [`refresh`] and [`code`].
//!
//! # Alice signs in
//!
//! ```
//! use valet_core_oauth::client::{self, Lookup};
//! use valet_core_oauth::transaction::{EntraSecrets, Transaction};
//! use valet_core_oauth::user::{Session, User};
//! use valet_core_oauth::{ExposeSecret as _, authorize, callback, code, consent, form::Form, refresh, settings::Settings};
//!
//! let settings = Settings::read(|name| match name {
//!     "resource" => Some("https://valet.example/mcp".to_owned()),
//!     "oauth_scopes" => Some("mcp.access".to_owned()),
//!     "oauth_clients" => Some(r#"[{"client_id": "app", "redirect_uris": ["https://app.example/cb"]}]"#.to_owned()),
//!     _ => None,
//! })?;
//! let (now, random, id) = (1_800_000_000, [7; 32], [7; 16]); // from a clock and a generator; never the same twice
//!
//! // Her client sends her browser here.
//! let form = Form::parse(
//!     b"client_id=app&redirect_uri=https://app.example/cb&response_type=code&state=xyz&resource=https://valet.example/mcp\
//!       &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
//! )?;
//! let Lookup::Known(app) = client::look_up(form.get("client_id"), &settings)? else { unreachable!() };
//! let request = authorize::Request::read(&form, &app, &settings).expect("nothing is wrong with it");
//! assert!(!consent::is_remembered(&request, None, &settings, now));
//! let asking = Transaction::asking(request, &id, &random, now);
//! let page = valet_core_oauth::page::consent(&app, &asking, &settings)?; // with the sealed transaction as a cookie
//!
//! // She allows it, and Entra sends her back.
//! let csrf = page.body.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap();
//! let form = format!("transaction={}&csrf={csrf}&decision=allow", asking.id());
//! let answer = consent::Answer::read(Some("application/x-www-form-urlencoded"), form.as_bytes(), None, None, &settings)?;
//! let secrets = EntraSecrets { state: [1; 32], nonce: [2; 32], verifier: [3; 32] };
//! let (_, at_entra) = answer.decide(asking, &secrets)?;
//! let state = at_entra.entra_request()?.state;
//! let form = Form::parse(format!("code=from-entra&state={}", state.expose_secret()).as_bytes())?;
//! let callback::Outcome::Redeem { .. } = callback::Answer::read(&form)?.outcome(&at_entra, &[])? else { unreachable!() };
//! let alice = User { tenant_id: "72f9…".to_owned(), object_id: "a11c…".to_owned(), name: None };
//! let session = Session { id: "session-1".to_owned(), user: alice, roles: vec![] };
//!
//! // The client gets a code, and tokens for it.
//! let issued = code::issue(&at_entra, session, &random, &id, now);
//! assert!(at_entra.success(&issued.code, &settings).ends_with("&state=xyz&iss=https%3A%2F%2Fvalet.example"));
//! let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
//! let decision = code::redeem(Some(&issued.value), "app", None, Some(&verifier), now)?;
//! let code::Decision::Redeem { grant, family, spent } = decision else { unreachable!() };
//! let tokens = refresh::begin(grant, &family, &random, &id, &settings, now);
//! assert_eq!(tokens.grant.scopes, ["mcp.access"]);
//! let again = code::redeem(Some(&spent), "app", None, Some(&verifier), now)?;
//! assert!(matches!(again, code::Decision::Replayed(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Attacks, and what excludes each
//!
//! | attack | excluded by |
//! |---|---|
//! | a client of the attacker uses the sign-in that the user has at Entra | [`consent`]: asked before Entra, for each user and client |
//! | the attacker gives permission in one browser and has the victim come back in another | [`transaction`]: `state` is only good with the cookie of the browser that was asked |
//! | login CSRF, a forged consent form, clickjacking | the cookie again, the form's token, `Origin`, and `frame-ancestors 'none'` |
//! | a code at another redirect URI, or an open redirector | [`redirect`]: character for character; errors of anybody's client are a link ([`authorize::Refusal::Link`]) |
//! | a code that was stolen, replayed, or redeemed by another client | [`code`]: S256 always, once, for a minute, bound to its client |
//! | a refresh token that was stolen | [`refresh`]: rotation, and the family ends when two have it |
//! | a link of the attacker's session that a victim is talked into opening | [`step_up`]: who comes back has to be the session's user |
//! | tokens for another resource | [`authorize`], [`token`]: `resource` is ours or refused, and `aud` is always ours |
//! | a mix-up of authorization servers | `iss` in every answer (RFC 9207), and Entra's is compared ([`callback`]) |
//! | a client's document as a way into the network | [`document`]: no address, no port, no redirection; the rest is for who dials |
//! | floods of registrations or transactions | [`registration`] is off, listed and counted; transactions are in cookies |
#![forbid(unsafe_code)]

pub mod account;
pub mod at_jwt;
pub mod authorize;
pub mod callback;
pub mod client;
pub mod code;
pub mod consent;
pub mod cookie;
pub mod document;
pub mod error;
pub mod facade;
pub mod form;
mod html;
pub mod http;
pub mod limits;
pub mod metadata;
pub mod page;
pub mod pkce;
pub mod redirect;
pub mod refresh;
pub mod refused;
pub mod registration;
pub mod revoke;
pub mod route;
pub mod scope;
pub mod secret;
pub mod settings;
pub mod sign_out;
pub mod step_up;
pub mod token;
pub mod transaction;
mod uri;
pub mod user;

#[cfg(test)]
mod testing;

pub use secrecy::{ExposeSecret, SecretString};
pub use uri::UriError;
