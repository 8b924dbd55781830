//! A partner's receiver on loopback: keeps what it is sent, answers as a test says, and checks signatures by itself.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// With this status.
    Says(u16),
    /// With a redirect to where it hears, too.
    Redirects(u16),
    /// With 200 and a body that never ends to come.
    Hangs,
    /// With 200 and more than anybody reads.
    Floods,
    /// Never.
    Silent,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub path: String,
    pub id: String,
    pub at_s: i64,
    pub signatures: Vec<String>,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// Whether it is signed with `secret`, reckoned without the code that ships.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(key.len(), 32);
        let text = [format!("{}.{}.", self.id, self.at_s).as_bytes(), &self.body].concat();
        self.signatures.contains(&format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &text))))
    }
}

/// RFC 2104, for keys no longer than a block.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ pad).collect() };
    let inner = Sha256::digest([&padded(0x36), text].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

/// The receiver.
#[derive(Clone)]
pub struct Receiver {
    pub base: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    manner: Arc<Mutex<Manner>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let receiver = Self { base, heard: Arc::default(), manner: Arc::new(Mutex::new(Manner::Says(204))) };
        let own = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(stream));
            }
        });
        receiver
    }

    pub fn answers(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(heard) = read(&mut stream).await else { return };
        self.heard.lock().unwrap().push(heard);
        let manner = *self.manner.lock().unwrap();
        let answer = match manner {
            Manner::Says(status) => format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Manner::Redirects(status) => {
                format!("HTTP/1.1 {status} X\r\nLocation: {}elsewhere\r\nContent-Length: 0\r\n\r\n", self.base)
            }
            Manner::Hangs => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx".to_owned(),
            Manner::Floods => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20)),
            Manner::Silent => String::new(),
        };
        // Somebody who is flooded may hang up.
        stream.write_all(answer.as_bytes()).await.ok();
        if matches!(manner, Manner::Hangs | Manner::Silent) {
            stream.read_to_end(&mut Vec::new()).await.ok();
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let header = |name: &str| {
        let found = head.lines().filter_map(|line| line.split_once(": "));
        found.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < head_end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert_eq!(header("authorization"), None);
    Some(Heard {
        path: head.split(' ').nth(1)?.to_owned(),
        id: header("webhook-id")?,
        at_s: header("webhook-timestamp")?.parse().ok()?,
        signatures: header("webhook-signature")?.split(' ').map(str::to_owned).collect(),
        body: bytes[head_end + 4..].to_vec(),
    })
}
