//! A server that answers as a test says, and remembers what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, Response};
use serde_json::{Value, json};

/// One request, as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The client's end of the connection it came over.
    pub peer: SocketAddr,
    pub method: Method,
    /// With its query.
    pub path: String,
    pub headers: HeaderMap,
    /// Null where there was none.
    pub body: Value,
}

/// Status, headers, body.
pub type Reply = (u16, Vec<(&'static str, String)>, String);

/// 200 with `body`.
pub fn ok(body: &Value) -> Reply {
    (200, vec![], body.to_string())
}

/// `status` with `body` as it stands.
pub fn status(status: u16, body: &str) -> Reply {
    (status, vec![], body.to_owned())
}

/// A page that is the last one.
pub fn last_page(items: &Value) -> Reply {
    ok(&json!({"items": items, "pageDetails": {"nextPageUrl": null}}))
}

/// The running server. It ends with the test's runtime.
pub struct Responder {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    at_once: Arc<AtomicUsize>,
}

impl Responder {
    pub async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (seen, at_once, open) = <(Arc<Mutex<Vec<Seen>>>, Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (answer, seen_by_it, most) = (Arc::new(answer), Arc::clone(&seen), Arc::clone(&at_once));
        let router =
            axum::Router::new().fallback(move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
                let (answer, seen, open, most) =
                    (Arc::clone(&answer), Arc::clone(&seen_by_it), Arc::clone(&open), Arc::clone(&most));
                async move {
                    most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let (parts, body) = request.into_parts();
                    let body = to_bytes(body, usize::MAX).await.unwrap();
                    let request = Seen {
                        peer,
                        method: parts.method,
                        path: parts.uri.to_string(),
                        headers: parts.headers,
                        body: serde_json::from_slice(&body).unwrap_or_default(),
                    };
                    let (status, headers, body) = answer(&request);
                    seen.lock().unwrap().push(request);
                    // Lets every other request that may be under way arrive.
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                    let mut response = Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    response.body(Body::from(body)).unwrap()
                }
            });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { base, seen, at_once }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The most requests that were under way at one time.
    pub fn at_once(&self) -> usize {
        self.at_once.load(Ordering::SeqCst)
    }
}

/// What a broken server does with a connection.
#[derive(Debug, Clone, Copy)]
pub enum Broken {
    /// Closes it before reading.
    Closes,
    /// Reads the request and closes without a word.
    ReadsAndCloses,
    /// Reads the request and never answers.
    Hangs,
    /// Promises a hundred bytes of a good answer and sends fourteen.
    AnswersHalf,
}

/// A server that breaks each connection so; its address, and how many connections it has taken.
pub fn broken(how: Broken) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    std::thread::spawn(move || {
        let mut kept = vec![];
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            if !matches!(how, Broken::Closes) {
                let _ = stream.read(&mut [0; 4096]);
            }
            if matches!(how, Broken::AnswersHalf) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"itemId\":null");
            }
            if matches!(how, Broken::Hangs) {
                kept.push(stream);
            }
        }
    });
    (base, taken)
}
