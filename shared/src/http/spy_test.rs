//! What the tests of this module call: a host on loopback and a name server, both of which count.
//!
//! The policy for it differs from the shipped one in scheme, port and the addresses that are permitted, and in nothing
//! else.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::policy::{Place, Policy};
use super::resolver::Lookup;
use super::{AllowList, Client, KASEYA_BMS, Settings};

pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Time-outs that no test waits for.
pub(super) const PATIENT: Settings = Settings {
    connect_timeout: Duration::from_secs(20),
    request_timeout: Duration::from_secs(30),
    longest_answer: 1024 * 1024,
};

/// How the host answers a request.
#[derive(Clone)]
pub(super) enum Manner {
    /// With these bytes; then the connection ends.
    Says(Vec<u8>),
    /// With this head, and a body until nobody reads any more.
    SaysOn(&'static str),
    /// With 204 to each request, on a connection that it keeps.
    Keeps,
    /// Never.
    Silent,
}

/// A host on loopback.
#[derive(Clone)]
pub(super) struct Spy {
    pub(super) port: u16,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<Mutex<usize>>,
    hung_up: Arc<tokio::sync::Notify>,
}

impl Spy {
    pub(super) async fn listen(manner: Manner) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let spy = Self {
            port: listener.local_addr().unwrap().port(),
            requests: Arc::default(),
            connections: Arc::default(),
            hung_up: Arc::default(),
        };
        let host = spy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *host.connections.lock().unwrap() += 1;
                tokio::spawn(host.clone().serve(stream, manner.clone()));
            }
        });
        spy
    }

    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// The requests as they came in, as text.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// Returns once a client has gone away in the middle of an endless answer.
    pub(super) async fn hung_up(&self) {
        self.hung_up.notified().await;
    }

    async fn serve(self, mut stream: TcpStream, manner: Manner) {
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap_or(0);
        request.truncate(length);
        self.requests.lock().unwrap().push(request);
        match manner {
            Manner::Says(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                // What the client still sends is read, so that it is not told of a reset before our answer.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            Manner::SaysOn(head) => {
                let mut more = stream.write_all(head.as_bytes()).await;
                while more.is_ok() {
                    more = stream.write_all(&[b'x'; 64 * 1024]).await;
                }
                self.hung_up.notify_one();
            }
            Manner::Keeps => {
                let mut next = 1;
                while next > 0 && stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_ok() {
                    next = stream.read(&mut [0; 4096]).await.unwrap_or(0);
                }
            }
            Manner::Silent => {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    }
}

/// A name server: the first look-up gets the first answer, and so on; the last one stays.
pub(super) struct Names {
    answers: Vec<Vec<IpAddr>>,
    looked_up: Mutex<Vec<String>>,
}

impl Names {
    pub(super) fn answering(answers: Vec<Vec<IpAddr>>) -> Arc<Self> {
        Arc::new(Self { answers, looked_up: Mutex::default() })
    }

    pub(super) fn looked_up(&self) -> Vec<String> {
        self.looked_up.lock().unwrap().clone()
    }
}

#[async_trait]
impl Lookup for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut looked_up = self.looked_up.lock().unwrap();
        looked_up.push(name.to_owned());
        let answer = self.answers.get(looked_up.len() - 1).or(self.answers.last());
        answer.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The shipped client, but for the scheme, the port and the permitted addresses.
pub(super) fn client(
    place: (&'static str, &Spy),
    permits: fn(IpAddr) -> bool,
    names: &Arc<Names>,
    settings: Settings,
) -> Client {
    let (scheme, spy) = place;
    let allowed = AllowList::new(KASEYA_BMS).unwrap();
    let policy = Policy { allowed, permits, place: Place::Named { scheme, port: spy.port } };
    Client::with(policy, Arc::clone(names) as Arc<dyn Lookup>, settings).unwrap()
}

/// A client whose every name leads to `spy`.
pub(super) fn client_of(spy: &Spy) -> Client {
    client(("http", spy), |address| address.is_loopback(), &Names::answering(vec![vec![LOOPBACK]]), PATIENT)
}
