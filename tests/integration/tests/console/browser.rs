//! A browser: it keeps the console's cookies, goes where it is led if it is asked to, and runs no script.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use reqwest::{Method, redirect};

/// A browser that has been nowhere yet.
pub struct Browser {
    base: String,
    client: reqwest::Client,
    /// The cookies of the console.
    pub cookies: BTreeMap<String, String>,
}

/// What came back.
pub struct Seen {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// The cookies that it sets, whole.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// What stands in the attribute that follows `before`.
    pub fn after(&self, before: &str) -> &str {
        let (_, rest) = self.text.split_once(before).unwrap_or_else(|| panic!("no {before} in {}", self.text));
        rest.split('"').next().unwrap()
    }
}

impl Browser {
    pub fn at(base: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { base: base.to_owned(), client, cookies: BTreeMap::new() }
    }

    /// One request, with what `with` adds to it. An address that is not whole is the console's.
    pub async fn send(
        &mut self,
        method: Method,
        address: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Seen {
        let whole = if address.starts_with('/') { format!("{}{address}", self.base) } else { address.to_owned() };
        let is_ours = whole.starts_with(&self.base);
        let mut request = self.client.request(method, &whole);
        if is_ours && !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        let answer = with(request).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let seen = Seen { status, headers, text: answer.text().await.unwrap() };
        for cookie in seen.set_cookies().into_iter().filter(|_| is_ours) {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            match cookie.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        seen
    }

    pub async fn get(&mut self, address: &str) -> Seen {
        self.send(Method::GET, address, |request| request).await
    }

    /// As [`Browser::get`], and on to wherever it is led.
    pub async fn visit(&mut self, address: &str) -> Seen {
        let mut seen = self.get(address).await;
        for _ in 0..10 {
            if !(300..400).contains(&seen.status) {
                return seen;
            }
            seen = self.get(seen.location()).await;
        }
        panic!("{address} leads round in a circle");
    }

    /// Sends a form.
    pub async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Seen {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        self.send(Method::POST, address, |request| request.header("content-type", kind).body(body)).await
    }
}
