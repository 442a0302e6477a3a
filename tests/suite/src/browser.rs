//! A browser without a screen: it keeps cookies, follows redirections, and presses the buttons of pages. The emulator is told by a header who is sitting
//! there.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Url};

use crate::Rig;

/// Where navigation ended.
#[derive(Debug)]
pub struct Page {
    /// The address.
    pub url: Url,
    /// Status code; 0 where nothing was asked for, because the address is that of a client's, which is not there.
    pub status: u16,
    /// Header fields.
    pub headers: reqwest::header::HeaderMap,
    /// The text.
    pub text: String,
}

impl Page {
    /// A parameter of the address.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The value of a hidden field.
    #[must_use]
    pub fn hidden(&self, name: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\" value=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    /// The form of the page: where it goes, and its hidden fields.
    #[must_use]
    pub fn form(&self) -> Option<(String, Vec<(String, String)>)> {
        let plain = |text: &str| {
            text.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\"").replace("&#x2F;", "/")
        };
        let (_, rest) = self.text.split_once("<form")?;
        let (_, action) = rest.split_once("action=\"")?;
        let action = plain(action.split_once('"')?.0);
        let mut fields = Vec::new();
        for field in rest.split("<input").skip(1) {
            let value =
                |name: &str| Some(plain(field.split_once(&format!("{name}=\""))?.1.split_once('"')?.0));
            fields.extend(value("name").zip(value("value")));
        }
        Some((self.url.join(&action).unwrap().into(), fields))
    }

    /// Whether this is the page on which a person is asked about a client.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.status == 200 && self.text.contains("name=\"decision\"")
    }

    /// Where this page sends the browser by itself.
    #[must_use]
    pub fn onward(&self) -> Option<Url> {
        if let Some(location) = self.headers.get(LOCATION).filter(|_| (300..400).contains(&self.status)) {
            return Some(self.url.join(location.to_str().unwrap()).unwrap());
        }
        let (_, rest) = self.text.split_once("http-equiv=\"refresh\" content=\"0;url=")?;
        let location = rest.split_once('"')?.0.replace("&amp;", "&").replace("&#39;", "'");
        Some(self.url.join(&location).unwrap())
    }
}

/// A browser, and who sits at it.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    /// User name at Entra.
    pub user: String,
    /// Whether they decline at Entra.
    pub declines: bool,
    /// Whether they have their second factor at hand.
    pub has_second_factor: bool,
    /// Whether they press the buttons of Entra's pages themselves ([`Browser::press`]), with what cookies they have there, and nothing is said for them.
    pub by_hand: bool,
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    /// A new one, at which `user` sits.
    #[must_use]
    pub fn new(rig: &Rig, user: &str) -> Self {
        Self::with(rig.client(), user)
    }

    /// One that reaches the emulator and programs of this machine.
    #[must_use]
    pub fn of(emulator: &entra_emulator::Emulator, user: &str) -> Self {
        let authority = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([authority]);
        Self::with(client.redirect(reqwest::redirect::Policy::none()), user)
    }

    fn with(client: reqwest::ClientBuilder, user: &str) -> Self {
        Self {
            http: client.build().unwrap(),
            user: user.to_owned(),
            declines: false,
            has_second_factor: false,
            by_hand: false,
            cookies: BTreeMap::new(),
        }
    }

    /// The same browser, whose requests now reach `rig`: another server behind one address.
    #[must_use]
    pub fn moved(self, rig: &Rig) -> Self {
        Self { http: rig.client().build().unwrap(), ..self }
    }

    /// The value of a cookie whose name begins with `prefix`, with its name.
    #[must_use]
    pub fn cookie(&self, host: &str, prefix: &str) -> Option<(String, String)> {
        let mut found = self.cookies.iter().filter(|((at, name), _)| at == host && name.starts_with(prefix));
        found.next().map(|((_, name), value)| (name.clone(), value.clone()))
    }

    /// Sets a cookie, as somebody who has got hold of its value would.
    pub fn set_cookie(&mut self, host: &str, name: &str, value: &str) {
        self.cookies.insert((host.to_owned(), name.to_owned()), value.to_owned());
    }

    /// Forgets all cookies.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Goes to an address and on, until there is a page or a client's address.
    pub async fn go(&mut self, url: &str) -> Page {
        let mut url = Url::parse(url).unwrap();
        for _ in 0..20 {
            if is_clients(&url) {
                return Page { url, status: 0, headers: Default::default(), text: String::new() };
            }
            let page = self.one(Method::GET, url, None).await;
            match page.onward() {
                Some(next) => url = next,
                None => return page,
            }
        }
        panic!("more than twenty redirections");
    }

    /// Goes one step.
    pub async fn step(&mut self, url: &str) -> Page {
        self.one(Method::GET, Url::parse(url).unwrap(), None).await
    }

    /// Presses a button of the page that asks, and goes on.
    pub async fn decide(&mut self, page: &Page, decision: &str) -> Page {
        let next = self.post_decision(page, decision).await;
        match next.onward() {
            Some(url) => self.go(url.as_str()).await,
            None => next,
        }
    }

    /// Presses a button of the page that asks, and goes no further.
    pub async fn post_decision(&mut self, page: &Page, decision: &str) -> Page {
        let field = |name| page.hidden(name).unwrap_or_else(|| panic!("no {name} in {}", page.text));
        let form = [
            ("transaction", field("transaction")),
            ("csrf", field("csrf")),
            ("decision", decision.to_owned()),
        ];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post(page.url.join("/oauth/consent").unwrap().as_str(), &form).await
    }

    /// Posts a form as a page of the same site would.
    pub async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let url = Url::parse(url).unwrap();
        let from = url.clone();
        self.one(Method::POST, url, Some((from, encoded(form)))).await
    }

    /// Sends the form of a page where it goes, as the browser does that is on that page.
    pub async fn submit(&mut self, page: &Page) -> Page {
        let (action, form) = page.form().unwrap_or_else(|| panic!("no form: {page:?}"));
        self.one(Method::POST, Url::parse(&action).unwrap(), Some((page.url.clone(), encoded(&form)))).await
    }

    /// Presses a button of the page's form, as the browser does that is on that page, and goes on.
    pub async fn press(&mut self, page: &Page, name: &str, value: &str) -> Page {
        let (action, mut form) = page.form().unwrap_or_else(|| panic!("no form: {page:?}"));
        form.push((name.to_owned(), value.to_owned()));
        let form = Some((page.url.clone(), encoded(&form)));
        let next = self.one(Method::POST, Url::parse(&action).unwrap(), form).await;
        match next.onward() {
            Some(url) => self.go(url.as_str()).await,
            None => next,
        }
    }

    /// `form` is the page that it is on, and what it holds.
    async fn one(&mut self, method: Method, url: Url, form: Option<(Url, String)>) -> Page {
        let host = url.host_str().unwrap().to_owned();
        let mut request = self.http.request(method, url.clone());
        if !self.by_hand {
            request = request.header("x-emulator-approve", &self.user);
        }
        if self.declines {
            request = request.header("x-emulator-decline", "1");
        }
        if self.has_second_factor {
            request = request.header("x-emulator-mfa", "1");
        }
        let jar = self.cookies.iter().filter(|((at, _), _)| *at == host);
        let jar: Vec<String> = jar.map(|((_, name), value)| format!("{name}={value}")).collect();
        if !jar.is_empty() {
            request = request.header(COOKIE, jar.join("; "));
        }
        if let Some((from, form)) = form {
            let site = if from.origin() == url.origin() { "same-origin" } else { "cross-site" };
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", from.origin().ascii_serialization())
                .header("sec-fetch-site", site)
                .body(form);
        }
        let response = request.send().await.unwrap();
        for field in response.headers().get_all(SET_COOKIE) {
            self.keep(&host, field.to_str().unwrap());
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Page { url, status, headers, text: response.text().await.unwrap() }
    }

    fn keep(&mut self, host: &str, field: &str) {
        let (pair, attributes) = field.split_once(';').unwrap_or((field, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let key = (host.to_owned(), name.trim().to_owned());
        let over = attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0"));
        if over {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }
}

/// Clients of tests are at hosts where nobody is.
fn is_clients(url: &Url) -> bool {
    url.host_str().unwrap_or_default().ends_with("client.example")
}

/// The fields as the body of a request.
fn encoded(form: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let url = Url::parse_with_params("https://x/", form).unwrap();
    url.query().unwrap_or_default().to_owned()
}
