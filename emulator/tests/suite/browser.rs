//! A browser for the tests of pages: keeps the cookie, reads forms, presses buttons.

use reqwest::header::HeaderMap;

use crate::bench::Bench;

/// One browser.
pub(crate) struct Browser<'a> {
    bench: &'a Bench,
    cookie: Option<String>,
    /// Headers of the scripts, e.g. `x-emulator-approve`.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What it shows.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(bench: &'a Bench) -> Self {
        Self { bench, cookie: None, headers: vec![] }
    }

    pub(crate) fn script(bench: &'a Bench, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        Self { bench, cookie: None, headers }
    }

    pub(crate) async fn get(&mut self, url: &str, query: &[(&str, &str)]) -> Shown {
        self.send(self.bench.http.get(url).query(query)).await
    }

    pub(crate) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Shown {
        self.send(self.bench.http.post(url).form(form)).await
    }

    /// Submits the first form of a page, with these fields in place of or beside its own.
    pub(crate) async fn submit(&mut self, page: &Shown, fields: &[(&str, &str)]) -> Shown {
        let (action, hidden) = page.form();
        let own = hidden.iter().filter(|(name, _)| !fields.iter().any(|(f, _)| f == name));
        let mut form: Vec<(&str, &str)> = own.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        form.extend(fields);
        let url = format!("{}{action}", self.bench.emulator.authority_url());
        self.post(&url, &form).await
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Shown {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if let Some(set) = headers.get("set-cookie") {
            self.cookie = Some(set.to_str().unwrap().split(';').next().unwrap().to_owned());
        }
        Shown { status, headers, html: response.text().await.unwrap() }
    }
}

impl Shown {
    /// Action and inputs of the first form.
    pub(crate) fn form(&self) -> (String, Vec<(String, String)>) {
        let html = &self.html;
        let start = html.find("<form").unwrap_or_else(|| panic!("no form in {html}"));
        let form = &html[start..start + html[start..].find("</form>").unwrap()];
        let fields =
            form.split("<input").skip(1).map(|tag| (attribute(tag, "name"), attribute(tag, "value")));
        (attribute(form, "action"), fields.collect())
    }

    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, 302, "{}", self.html);
        self.headers["location"].to_str().unwrap().to_owned()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.html.contains(text)
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let start = tag.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
    let raw = &tag[start..start + tag[start..].find('"').unwrap()];
    raw.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
