//! A shell as small as can be. Its seals are numbers of a table, so nothing opens that was not sealed here and for that name.

use std::collections::BTreeMap;

use valet_core_oauth::account::{self, Account};
use valet_core_oauth::callback::{self, Outcome};
use valet_core_oauth::client::{self, Client, Lookup};
use valet_core_oauth::code::{self, Decision as CodeDecision};
use valet_core_oauth::cookie::Cookies;
use valet_core_oauth::form::Form;
use valet_core_oauth::http::Response;
use valet_core_oauth::refresh::{self, Decision as RefreshDecision};
use valet_core_oauth::revoke::{self, Target};
use valet_core_oauth::settings::Settings;
use valet_core_oauth::token::{self, Presented, TokenError};
use valet_core_oauth::transaction::{self, Any, EntraSecrets, Progress, Transaction, TransactionError};
use valet_core_oauth::user::{self, Session, User};
use valet_core_oauth::{ExposeSecret as _, SecretString, authorize, consent, cookie, page, sign_out};

pub(crate) const ALICE: &str = "a11c";
pub(crate) const BOB: &str = "b0b0";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "application/x-www-form-urlencoded";

/// A cookie jar.
#[derive(Default, Clone)]
pub(crate) struct Browser(BTreeMap<String, String>);

impl Browser {
    fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}; ")).collect()
    }

    fn take(&mut self, response: &Response) {
        for (_, field) in response.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            let (name, rest) = field.split_once('=').expect("a cookie");
            let value = rest.split(';').next().expect("a value");
            if rest.contains("Max-Age=0;") {
                drop(self.0.remove(name))
            } else {
                drop(self.0.insert(name.into(), value.into()))
            }
        }
    }

    pub(crate) fn has_user(&self) -> bool {
        self.0.contains_key(user::COOKIE)
    }

    pub(crate) fn transactions(&self) -> usize {
        self.0.keys().filter(|name| name.starts_with("__Host-valet-tx-")).count()
    }
}

/// Where an answer leads: its `Location`, the link of a page that goes on by itself, or the page.
pub(crate) fn link(answer: &str) -> String {
    let Some((_, rest)) = answer.split_once("content=\"0;url=") else { return answer.to_owned() };
    rest.split('"').next().expect("a URL").replace("&amp;", "&")
}

/// A parameter of a URL's query.
pub(crate) fn field(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    Form::parse(query.as_bytes()).ok()?.get(name).map(str::to_owned)
}

pub(crate) struct Shell {
    settings: Settings,
    pub(crate) store: BTreeMap<String, Vec<u8>>,
    pub(crate) sessions: BTreeMap<String, User>,
    seals: Vec<(String, String)>,
    count: u8,
    now: u64,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let settings = Settings::read(|name| {
            let value = match name {
                "resource" => "https://valet.example/mcp",
                "oauth_scopes" => "mcp.access mcp.write",
                "oauth_clients" => {
                    r#"[{"client_id":"web","redirect_uris":["https://app.example/cb"]},
                        {"client_id":"other","redirect_uris":["https://other.example/cb"]}]"#
                }
                _ => return None,
            };
            Some(value.to_owned())
        });
        let (store, sessions) = (BTreeMap::new(), BTreeMap::new());
        Self {
            settings: settings.expect("settings"),
            store,
            sessions,
            seals: vec![],
            count: 0,
            now: 1_800_000_000,
        }
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        self.count = self.count.checked_add(1).expect("never the same twice");
        self.now += 1;
        [self.count; N]
    }

    fn secrets(&mut self) -> EntraSecrets {
        EntraSecrets { state: self.random(), nonce: self.random(), verifier: self.random() }
    }

    fn seal(&mut self, plain: &str, bound_to: &str, lifetime: u64) -> String {
        self.seals.push((bound_to.to_owned(), plain.to_owned()));
        cookie::set(bound_to, &format!("{}", self.seals.len() - 1), lifetime)
    }

    fn unseal(&self, value: &str, bound_to: &str) -> Option<SecretString> {
        let (name, plain) = self.seals.get(value.parse::<usize>().ok()?)?;
        (name == bound_to).then(|| plain.as_str().into())
    }

    /// The transaction of a client, from its cookie.
    fn opened(&self, cookies: &Cookies<'_>, id: &str) -> Result<Transaction, TransactionError> {
        match Any::open(cookies, id, self.now, |value, name| self.unseal(value, name))? {
            Any::ForClient(transaction) => Ok(transaction),
            other => panic!("{other:?}"),
        }
    }

    fn client(&self, id: &str) -> Client {
        match client::look_up(Some(id), &self.settings) {
            Ok(Lookup::Known(client)) => *client,
            other => panic!("{other:?}"),
        }
    }

    fn account(&self, user: &User) -> Account {
        Account::read(self.store.get(&account::record_name(user)).map(Vec::as_slice))
    }

    /// The user whom the browser knows.
    fn known(&self, browser: &Browser) -> Option<(User, String)> {
        let value = browser.0.get(user::COOKIE)?;
        let plain = self.unseal(value, user::COOKIE)?;
        Some((User::from_plain(plain.expose_secret())?, value.clone()))
    }

    /// Sends an answer to a browser, which keeps its cookies; gives where it leads.
    fn answer(browser: &mut Browser, response: Response) -> String {
        browser.take(&response);
        let location = response.headers.into_iter().find(|(name, _)| *name == "location");
        location.map_or(response.body, |(_, location)| location)
    }

    fn with_transaction(&mut self, response: Response, transaction: &Transaction) -> Response {
        let plain = transaction.to_plain().expect("it fits");
        let lifetime = transaction.lifetime(self.now);
        response.with_cookie(self.seal(plain.expose_secret(), &transaction.cookie_name(), lifetime))
    }

    /// Entra's authorization endpoint, with what is of interest here.
    fn entra(transaction: &Transaction) -> String {
        let state = transaction.entra_request().expect("permission was given").state;
        format!("https://entra.example/?state={}", state.expose_secret())
    }

    pub(crate) fn authorize(&mut self, browser: &mut Browser, client_id: &str, more: &str) -> String {
        let client = self.client(client_id);
        let query = format!(
            "client_id={client_id}&redirect_uri={}&response_type=code&state=s-1&code_challenge={CHALLENGE}\
             &code_challenge_method=S256{}",
            client.redirect_uris[0].as_str(),
            if more.is_empty() { "&scope=mcp.access" } else { more }
        );
        let form = Form::parse(query.as_bytes()).expect("a query");
        let request = authorize::Request::read(&form, &client, &self.settings).expect("a good request");
        let account = self.known(browser).map(|(user, _)| self.account(&user));
        let header = browser.header();
        let superfluous = transaction::superfluous(&Cookies::parse([header.as_str()]));
        let mut response = if consent::is_remembered(&request, account.as_ref(), &self.settings, self.now) {
            let (id, secrets) = (self.random(), self.secrets());
            let transaction = Transaction::remembered(request, &id, &secrets, self.now);
            self.with_transaction(Response::redirect(Self::entra(&transaction)), &transaction)
        } else {
            let transaction = Transaction::asking(request, &self.random(), &self.random(), self.now);
            let page = page::consent(&client, &transaction, &self.settings).expect("it asks");
            self.with_transaction(page, &transaction)
        };
        for name in superfluous {
            response = response.with_cookie(cookie::clear(&name));
        }
        Self::answer(browser, response)
    }

    /// Posts the form of a page.
    pub(crate) fn consent(&mut self, browser: &mut Browser, page: &str, decision: &str) -> String {
        let value = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("a field");
            rest.split('"').next().expect("a value").to_owned()
        };
        let body = format!("transaction={}&csrf={}&decision={decision}", value("transaction"), value("csrf"));
        let origin = Some("https://valet.example");
        let secrets = self.secrets();
        let answer =
            consent::Answer::read(Some(FORM), body.as_bytes(), origin, None, &self.settings).expect("a form");
        let header = browser.header();
        let cookies = Cookies::parse([header.as_str()]);
        let opened = self.opened(&cookies, &answer.transaction);
        let decided =
            opened.map_err(consent::ConsentError::Transaction).and_then(|it| answer.decide(it, &secrets));
        let response = match decided {
            Err(error) => error.response("n-1"),
            Ok((consent::Decision::Allow, transaction)) => {
                self.with_transaction(page::onward(&Self::entra(&transaction)), &transaction)
            }
            Ok((consent::Decision::Deny, transaction)) => consent::denied(&transaction, &self.settings),
        };
        Self::answer(browser, response)
    }

    /// Entra sends the browser back, signed in as `who`.
    pub(crate) fn callback(&mut self, browser: &mut Browser, entra: &str, who: &str) -> String {
        let state = field(entra, "state").expect("a state");
        let form = Form::parse(format!("code=entra&state={state}").as_bytes()).expect("a query");
        let answer = callback::Answer::read(&form).expect("an answer");
        let header = browser.header();
        let cookies = Cookies::parse([header.as_str()]);
        let opened = self.opened(&cookies, &answer.transaction);
        let transaction = match opened {
            Ok(transaction) => transaction,
            Err(error) => return callback::CallbackError::Transaction(error).response("n-1").body,
        };
        let Ok(Outcome::Redeem { request, .. }) = answer.outcome(&transaction, &[]) else {
            panic!("no code")
        };
        if let Err(error) = self.advance(&transaction, |progress| progress.take(&request)) {
            return callback::CallbackError::Transaction(error).response("n-1").body;
        }
        let random: [u8; 1] = self.random();
        let user = User { tenant_id: "t".into(), object_id: who.into(), name: None };
        let session = Session { id: format!("session-{}", random[0]), user: user.clone(), roles: vec![] };
        self.sessions.insert(session.id.clone(), user.clone());
        let response = self.finish(&transaction, session);
        let lifetime = user::cookie_lifetime(&self.settings);
        let known = self.seal(&user.to_plain(), user::COOKIE, lifetime);
        link(&Self::answer(browser, response.with_cookie(known)))
    }

    fn advance(
        &mut self,
        transaction: &Transaction,
        step: impl FnOnce(Progress) -> Result<Progress, TransactionError>,
    ) -> Result<(), TransactionError> {
        let name = transaction::used_record(transaction.id());
        let progress = step(Progress::read(self.store.get(&name).map(Vec::as_slice)))?;
        self.store.insert(name, progress.to_record());
        Ok(())
    }

    fn finish(&mut self, transaction: &Transaction, session: Session) -> Response {
        let mut account = self.account(&session.user);
        if !consent::holds(transaction, &account, &self.settings, self.now).expect("it is at Entra") {
            self.sessions.remove(&session.id);
            let client = self.client(transaction.client_id());
            let asking = transaction.clone().asking_again(&self.random());
            let page = page::consent(&client, &asking, &self.settings).expect("it asks");
            return self.with_transaction(page, &asking);
        }
        if let Err(error) = self.advance(transaction, Progress::finish) {
            self.sessions.remove(&session.id);
            return callback::CallbackError::Transaction(error).response("n-1");
        }
        let issued = code::issue(transaction, session, &self.random(), &self.random(), self.now);
        if transaction.basis() == Ok(transaction::Basis::Given) {
            account.permit(transaction, self.now);
        }
        account.begin(&issued.grant, &issued.family, self.settings.refresh_token_lifetime, self.now);
        self.store.insert(account::record_name(&issued.grant.session.user), account.to_record());
        self.store.insert(issued.record, issued.value);
        callback::finished(transaction, &issued.code, &self.settings)
    }

    fn end(&mut self, session: &str, family: &str) {
        self.sessions.remove(session);
        self.store.remove(&refresh::record_name(family));
    }

    pub(crate) fn token(&mut self, body: &str) -> (u16, serde_json::Value) {
        let response = self.tokens(body).unwrap_or_else(|error| error.response());
        (response.status, serde_json::from_str(&response.body).expect("JSON"))
    }

    fn tokens(&mut self, body: &str) -> Result<Response, TokenError> {
        let request = token::Request::read(Some(FORM), None, body.as_bytes(), &self.settings)?;
        let client = self.client(&request.authentication.client_id);
        request.authentication.check(&client)?;
        let random = self.random();
        let issued = match request.presented {
            Presented::Code { code, redirect_uri, verifier } => {
                let name = code::record_name(&code);
                let record = self.store.get(&name).map(Vec::as_slice);
                let redirect_uri = redirect_uri.as_deref();
                match code::redeem(record, &client.id, redirect_uri, verifier.as_ref(), self.now) {
                    Err(error) => return Err(TokenError::Code(error)),
                    Ok(CodeDecision::Replayed(spent)) => {
                        self.end(&spent.grant.session.id, &spent.family);
                        return Err(TokenError::CodeReplayed);
                    }
                    Ok(CodeDecision::Redeem { grant, family, spent }) => {
                        self.store.insert(name, spent);
                        refresh::begin(grant, &family, &[random[0]; 32], &random, &self.settings, self.now)
                    }
                }
            }
            Presented::Refresh { token, scope } => {
                let presented = refresh::Presented::parse(&token)
                    .ok_or(TokenError::Refresh(refresh::RefreshError::Unknown))?;
                let record = self.store.get(&presented.record_name()).map(Vec::as_slice);
                let scope = scope.as_deref();
                match refresh::decide(
                    record,
                    &presented,
                    &client.id,
                    scope,
                    &random,
                    &self.settings,
                    self.now,
                ) {
                    Err(error) => return Err(TokenError::Refresh(error)),
                    Ok(RefreshDecision::Reused { grant }) => {
                        self.end(&grant.session.id, presented.family());
                        return Err(TokenError::RefreshReused);
                    }
                    Ok(RefreshDecision::Rotate(rotation)) => {
                        let id = rotation.session().to_owned();
                        let user =
                            self.sessions.get(&id).cloned().ok_or(TokenError::SessionEnded("gone".into()))?;
                        rotation.finish(Session { id, user, roles: vec![] }, self.now)
                    }
                }
            }
        };
        self.store.insert(issued.record, issued.value);
        let access_token = "at".into();
        Ok(token::response(&access_token, &issued.token, &issued.grant.scopes, &self.settings))
    }

    pub(crate) fn revoke(&mut self, body: &str) -> u16 {
        let request = revoke::Request::read(Some(FORM), None, body.as_bytes()).expect("a form");
        let client = self.client(&request.authentication.client_id);
        request.authentication.check(&client).expect("a public client");
        let Target::Refresh(presented) = request.target() else { return revoke::done().status };
        let record = self.store.get(&presented.record_name()).map(Vec::as_slice);
        match refresh::revoke(record, &presented, &client.id) {
            Err(error) => revoke::refused(&error).unwrap_or_else(revoke::done).status,
            Ok(grant) => {
                self.end(&grant.session.id, presented.family());
                let mut account = self.account(&grant.session.user);
                account.give_back(&grant.session.id, &client.id);
                self.store.insert(account::record_name(&grant.session.user), account.to_record());
                revoke::done().status
            }
        }
    }

    pub(crate) fn sign_out(&mut self, browser: &mut Browser) {
        let (user, value) = self.known(browser).expect("a user");
        let account = self.account(&user);
        let known = sign_out::Known { user: &user, account: &account, clients: &[], cookie_value: &value };
        let page = sign_out::ask(Some(known));
        let (_, rest) = page.body.split_once("name=\"csrf\" value=\"").expect("a field");
        let body = format!("csrf={}", rest.split('"').next().expect("a value"));
        let wish = sign_out::check(Some(FORM), body.as_bytes(), None, None, Some(&value), &self.settings);
        assert_eq!(wish, Ok(sign_out::Wish::Everywhere));
        for kept in account.sessions() {
            self.end(&kept.session, &kept.family);
        }
        self.store.remove(&account::record_name(&user));
        Self::answer(browser, sign_out::done());
    }
}
