//! A person who signs in as they were told: in a browser of theirs, which is an HTTP client here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use tokio::sync::Notify;
use valet_sign_in::{DeviceCode, DismissedFuture, PromptError, PromptFuture, Prompts};

/// What the person does with what they are shown.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Signs in with this account and agrees; `;mfa` behind it approves a second factor.
    Approve(String),
    /// Declines.
    Decline,
    /// Dismisses the prompt.
    Dismiss,
    /// Dismisses the prompt when they are nudged.
    DismissLater(Arc<Notify>),
    /// Nothing at all.
    Nothing,
    /// Cannot be reached this way.
    Unreachable,
}

pub(crate) fn approve(upn: &str) -> Does {
    Does::Approve(upn.to_owned())
}

/// What a person was shown, and what they do. Clones are one person.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) http: reqwest::Client,
    script: Arc<Mutex<(Does, Does)>>,
    browsers: Arc<AtomicUsize>,
    codes: Arc<AtomicUsize>,
    urls: Arc<Mutex<Vec<String>>>,
    pages: Arc<Mutex<Vec<String>>>,
    shown: Arc<Mutex<Option<DeviceCode>>>,
    leaves: Arc<Notify>,
}

impl Person {
    pub(crate) fn new(http: reqwest::Client, browser: Does, device_code: Does) -> Self {
        Self {
            http,
            script: Arc::new(Mutex::new((browser, device_code))),
            browsers: Arc::default(),
            codes: Arc::default(),
            urls: Arc::default(),
            pages: Arc::default(),
            shown: Arc::default(),
            leaves: Arc::default(),
        }
    }

    /// From here on they do this.
    pub(crate) fn will(&self, browser: Does, device_code: Does) {
        *self.script.lock().unwrap() = (browser, device_code);
    }

    /// How many browsers were opened, and how many codes shown.
    pub(crate) fn seen(&self) -> (usize, usize) {
        (self.browsers.load(Ordering::SeqCst), self.codes.load(Ordering::SeqCst))
    }

    /// The URLs that were opened.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.urls.lock().unwrap().clone()
    }

    /// The last page of the sign-in number `n`, when the browser has it.
    pub(crate) async fn page(&self, n: usize) -> String {
        loop {
            if let Some(page) = self.pages.lock().unwrap().get(n) {
                return page.clone();
            }
            tokio::task::yield_now().await;
        }
    }

    /// The code that was shown last.
    pub(crate) fn last_code(&self) -> String {
        self.shown.lock().unwrap().clone().expect("a code was shown").user_code
    }

    /// Enters the code that was shown last.
    pub(crate) async fn enter_last(&self, does: Does) {
        let code = self.shown.lock().unwrap().clone().expect("a code was shown");
        let header = header(does).await.unwrap().expect("they do something");
        self.clone().enter(code, header).await;
    }

    /// They do not want what a window asks that is none of ours.
    pub(crate) fn leave(&self) {
        self.leaves.notify_one();
    }

    /// Signs in on the authority's page and agrees. What their browser would send back is given, and not sent yet.
    pub(crate) async fn agree(&self, url: &str, upn: &str) -> (String, Vec<(String, String)>) {
        let page = self.http.get(url).header("x-emulator-approve", upn).send().await.unwrap();
        form(&page.text().await.unwrap())
    }

    /// Sends it back to the listener.
    pub(crate) async fn send_back(&self, (action, fields): (String, Vec<(String, String)>)) {
        let back = self.http.post(action).form(&fields).send().await.unwrap();
        assert_eq!(back.status(), StatusCode::OK);
    }

    async fn sign_in(self, url: String, header: (&'static str, String)) {
        let page = self.http.get(url).header(header.0, header.1).send().await.unwrap().text().await.unwrap();
        let (action, fields) = form(&page);
        let back = self.http.post(action).form(&fields).send().await.unwrap();
        let page = back.text().await.unwrap();
        self.pages.lock().unwrap().push(page);
    }

    async fn enter(self, code: DeviceCode, header: (&'static str, String)) {
        let page = self.http.get(code.verification_uri.clone()).send().await.unwrap();
        let address = page.headers()["location"].to_str().unwrap().to_owned();
        let address = code.verification_uri.join(&address).unwrap();
        let answer = self
            .http
            .post(address)
            .header(header.0, header.1)
            .form(&[("user_code", code.user_code)])
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

impl Prompts for Person {
    fn browser<'a>(&'a self, url: &'a url::Url) -> PromptFuture<'a> {
        let does = self.script.lock().unwrap().0.clone();
        if !matches!(does, Does::Unreachable) {
            self.browsers.fetch_add(1, Ordering::SeqCst);
            self.urls.lock().unwrap().push(url.to_string());
        }
        Box::pin(async move {
            if let Some(header) = header(does).await? {
                tokio::spawn(self.clone().sign_in(url.to_string(), header));
            }
            Ok(())
        })
    }

    fn device_code<'a>(&'a self, code: &'a DeviceCode) -> PromptFuture<'a> {
        let does = self.script.lock().unwrap().1.clone();
        if !matches!(does, Does::Unreachable) {
            *self.shown.lock().unwrap() = Some(code.clone());
            self.codes.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(async move {
            if let Some(header) = header(does).await? {
                tokio::spawn(self.clone().enter(code.clone(), header));
            }
            Ok(())
        })
    }

    fn dismissed(&self) -> DismissedFuture<'_> {
        Box::pin(self.leaves.notified())
    }
}

/// How the emulator is told what the person does.
async fn header(does: Does) -> Result<Option<(&'static str, String)>, PromptError> {
    match does {
        Does::Approve(upn) => Ok(Some(("x-emulator-approve", upn))),
        Does::Decline => Ok(Some(("x-emulator-decline", "1".to_owned()))),
        Does::Nothing => {
            if crate::processes::told().is_some() {
                crate::processes::tell("asked");
            }
            Ok(None)
        }
        Does::Dismiss => Err(PromptError::Cancelled),
        Does::DismissLater(nudge) => {
            nudge.notified().await;
            Err(PromptError::Cancelled)
        }
        Does::Unreachable => Err(PromptError::Unavailable("nobody is here".to_owned())),
    }
}

/// Address and fields of the form on a page.
pub(crate) fn form(page: &str) -> (String, Vec<(String, String)>) {
    let attribute = |from: &str, name: &str| {
        let value = from.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {page}")).1;
        unescaped(value.split_once('"').unwrap().0)
    };
    let form = page.split_once("<form").unwrap_or_else(|| panic!("no form in {page}")).1;
    let inputs = form.split("<input").skip(1);
    (
        attribute(form, "action"),
        inputs.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect(),
    )
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
