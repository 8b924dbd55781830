//! A bare client for vendors that hand out tokens.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

/// A status and a body.
pub type Told = (u16, Value);

/// Somebody who holds a token.
pub struct Caller {
    pub http: Client,
    pub base: String,
    pub token: String,
}

impl Caller {
    /// The one whom the answer to `request` gives a token.
    pub async fn let_in_by(base: String, request: RequestBuilder) -> Self {
        let (status, told) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{told}");
        Self { http: Client::new(), base, token: told["access_token"].as_str().unwrap().to_owned() }
    }

    /// A request that is not sent yet.
    pub fn asking(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Told {
        read(self.asking(path).send().await.unwrap()).await
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.asking(path).send().await.unwrap().status().as_u16()
    }
}

/// Without the byte order mark that it may begin with; no body is null.
pub async fn read(answer: Response) -> Told {
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&body);
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() };
    (status, body)
}

/// A form, as browsers encode it.
pub fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// One member of each row, as text.
pub fn each<'v>(rows: &'v Value, member: &str) -> Vec<&'v str> {
    rows.as_array().unwrap().iter().map(|row| row[member].as_str().unwrap()).collect()
}
