//! A request as a vendor reads it.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use url::form_urlencoded;

use super::answer::Refusal;

/// A request and the instant at which it came.
#[derive(Debug)]
pub struct Ask<'r> {
    /// By the simulator's clock.
    pub now: Timestamp,
    method: &'r str,
    path: Vec<&'r str>,
    query: Vec<(String, String)>,
    headers: &'r HeaderMap,
    body: &'r [u8],
}

impl<'r> Ask<'r> {
    pub(crate) fn of(parts: &'r Parts, body: &'r [u8], now: Timestamp) -> Self {
        Self {
            now,
            method: parts.method.as_str(),
            path: parts.uri.path().trim_matches('/').split('/').collect(),
            query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            headers: &parts.headers,
            body,
        }
    }

    /// The parts of its path, as they were sent.
    #[must_use]
    pub fn path(&self) -> &[&'r str] {
        &self.path
    }

    /// One part of its path, the first being 0; empty where there are fewer.
    #[must_use]
    pub fn segment(&self, nth: usize) -> &'r str {
        self.path.get(nth).copied().unwrap_or_default()
    }

    /// Holds it to a method.
    ///
    /// # Errors
    /// It has another.
    pub fn by(&self, method: &str) -> Result<(), Refusal> {
        if self.method == method { Ok(()) } else { Err(Refusal::method_not_allowed()) }
    }

    /// The first parameter of a name in its address.
    #[must_use]
    pub fn sent(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// The same as a number.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let number = self.sent(name).map(str::parse).transpose();
        number.map_err(|_| Refusal::invalid(format!("{name} does not have a valid value")))
    }

    /// A header; empty where there is none that is text.
    #[must_use]
    pub fn header(&self, name: &str) -> &'r str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The user and the password of Basic authentication.
    #[must_use]
    pub fn basic(&self) -> Option<(String, String)> {
        let pair = STANDARD.decode(self.authorization("basic")?).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        pair.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    }

    /// The token of Bearer authentication.
    #[must_use]
    pub fn bearer(&self) -> Option<&'r str> {
        self.authorization("bearer")
    }

    fn authorization(&self, scheme: &str) -> Option<&'r str> {
        let (sent, rest) = self.header("authorization").split_once(' ')?;
        sent.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    /// The body as it was sent.
    #[must_use]
    pub fn body(&self) -> &'r [u8] {
        self.body
    }

    /// The first field of a name in a body that is a form; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        pairs(self.body).into_iter().find(|(sent, _)| sent == name).map(|(_, value)| value).unwrap_or_default()
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(uri: &str, authorization: &str) -> Parts {
        Request::get(uri).header("authorization", authorization).body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_is_taken_apart() {
        let parts = parts("/v1/organizations/7/?limit=5&name=M%C3%BCller+%26+Sons&limit=6", "Bearer of news");
        let ask = Ask::of(&parts, b"grant_type=password&username=a%2Bb", Timestamp::UNIX_EPOCH);
        assert_eq!((ask.path(), ask.segment(2), ask.segment(3)), (&["v1", "organizations", "7"][..], "7", ""));
        assert_eq!(
            (ask.sent("name"), ask.number("limit"), ask.number("skip")),
            (Some("Müller & Sons"), Ok(Some(5)), Ok(None))
        );
        assert_eq!(ask.number("name").unwrap_err().status, 400);
        assert_eq!((ask.by("GET"), ask.by("DELETE").unwrap_err().status), (Ok(()), 405));
        assert_eq!((ask.bearer(), ask.basic()), (Some("of news"), None));
        assert_eq!((ask.field("username").as_str(), ask.field("password").as_str()), ("a+b", ""));
    }

    #[test]
    fn a_user_and_a_password_are_read_from_what_basic_authentication_sends() {
        let read = |sent: &str| Ask::of(&parts("/", sent), b"", Timestamp::UNIX_EPOCH).basic();
        // The example of RFC 7617.
        let pair = Some(("Aladdin".to_owned(), "open sesame".to_owned()));
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair);
        assert_eq!(read("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair);
        for sent in ["", "Basic", "Basic !", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbg=="] {
            assert_eq!(read(sent), None, "{sent}");
        }
    }
}
