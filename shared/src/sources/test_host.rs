//! A vendor's host for tests: it answers as a test says, over real HTTP, and nobody waits in real time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::registry::{Offered, Places};
use super::{Pulled, Wanted};
use crate::clock::Clock;
use crate::pause::Pause;

/// When the pulls of these tests begin.
const NOW: &str = "2026-11-23T08:00:00Z";

/// What a host was asked.
pub(super) struct Asked {
    pub(super) uri: Uri,
    /// The header `authorization`; empty without.
    pub(super) authorization: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

type Answers = Arc<dyn Fn(&Asked) -> Response + Send + Sync>;

/// A clock that goes on only while somebody waits.
#[derive(Clone, Default)]
pub(super) struct Virtual(Arc<Mutex<Timestamp>>);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl Pause for Virtual {
    async fn pause(&self, length: Duration) {
        *self.0.lock().unwrap() += length;
    }
}

/// A factory that calls a host which answers so.
pub(super) async fn serve<F: Offered>(answers: impl Fn(&Asked) -> Response + Send + Sync + 'static) -> F {
    let router = Router::new().fallback(answer).with_state(Arc::new(answers) as Answers);
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    at(&base)
}

/// A factory that calls `base`.
pub(super) fn at<F: Offered>(base: &str) -> F {
    let clock = Virtual(Arc::new(Mutex::new(NOW.parse().unwrap())));
    let (bases, allowed_hosts) = (BTreeMap::new(), String::new());
    let places = Places { bases, allowed_hosts, clock: Arc::new(clock.clone()), pause: Arc::new(clock) };
    F::from_places(&places, Some(&base.parse().unwrap())).unwrap()
}

async fn answer(State(answers): State<Answers>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let authorization = headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap()).to_owned();
    answers(&Asked { uri, authorization, headers, body })
}

/// An answer without a body.
pub(super) fn status(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

/// What is asked of a source.
pub(super) fn wanted(metrics: &[&str], companies: Option<&[&str]>) -> Wanted {
    let companies = companies.map(|companies| companies.iter().map(|id| id.parse().unwrap()).collect());
    Wanted { metrics: metrics.iter().copied().map(Into::into).collect(), companies, ..Wanted::default() }
}

/// What was counted: `company metric quantity`.
pub(super) fn told(pulled: &Pulled) -> Vec<String> {
    pulled.rows.iter().map(|row| format!("{} {} {}", row.company, row.metric, row.quantity)).collect()
}

/// Who could not be read, and the code of why.
pub(super) fn unread(pulled: &Pulled) -> Vec<String> {
    pulled.unread.iter().map(|(company, error)| format!("{company} {}", error.code)).collect()
}
