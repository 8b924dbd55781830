//! A loopback HTTP server whose connections can be cut.
//!
//! Owns the socket side of every simulator: binding, keeping the open connections, and dropping one (or, on stop, all) in
//! the middle of a request, as a failing network does. What is answered is the router's business.
//! A cut sets the connection's linger time to zero, so the peer sees a reset and not a polite end. While new connections are
//! refused the port is closed, and the open ones go on.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running server. Dropping it closes the port and cuts every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
    open: Arc<Mutex<Vec<Weak<Line>>>>,
    refuse: watch::Sender<bool>,
    refuses: watch::Receiver<bool>,
}

/// One client connection, as a handler sees it (`ConnectInfo<Connection>`).
#[derive(Clone, Debug)]
pub struct Connection(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    cut: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Server {
    /// Binds `address` (port 0 takes a free one) and serves `router` on the current tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr, router: Router) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        let open = Arc::new(Mutex::new(Vec::new()));
        let ((refuse, asked), (says, refuses)) = (watch::channel(false), watch::channel(false));
        let listener = Cuttable { socket: Some(socket), address, open: Arc::clone(&open), asked, says };
        let service = router.into_make_service_with_connect_info::<Connection>();
        let accepting = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "a simulator stopped serving");
            }
        });
        Ok(Self { address, accepting, open, refuse, refuses })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses new connections, or takes them again. Holds when it returns; connections that are open stay so.
    pub async fn refuse(&self, refused: bool) {
        self.refuse.send_replace(refused);
        // An error means that the server has stopped, and then everything is refused.
        self.refuses.clone().wait_for(|refuses| *refuses == refused).await.ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        for line in lock(&self.open).drain(..).filter_map(|line| line.upgrade()) {
            line.cut();
        }
    }
}

impl Connection {
    /// Drops the connection. Nothing more is read from or written to it.
    pub fn cut(&self) {
        self.0.cut();
    }
}

impl Line {
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for waker in lock(&self.waiting).drain(..) {
            waker.wake();
        }
    }

    fn check(&self, context: &Context<'_>) -> io::Result<()> {
        // Registered before the flag is read, so a cut in between still wakes the task.
        let mut waiting = lock(&self.waiting);
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.clear();
            waiting.push(context.waker().clone());
        }
        drop(waiting);
        if self.cut.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

struct Cuttable {
    /// None while connections are refused.
    socket: Option<TcpListener>,
    address: SocketAddr,
    open: Arc<Mutex<Vec<Weak<Line>>>>,
    /// Whether connections are to be refused.
    asked: watch::Receiver<bool>,
    /// Whether they are.
    says: watch::Sender<bool>,
}

impl Cuttable {
    /// The next connection that is not refused.
    async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if *self.asked.borrow_and_update() {
                self.socket = None;
            } else if self.socket.is_none() {
                match TcpListener::bind(self.address).await {
                    Ok(socket) => self.socket = Some(socket),
                    Err(error) => tracing::error!(%error, "a simulator can't have its port back"),
                }
            }
            self.says.send_replace(self.socket.is_none());
            let accepted = async {
                match &mut self.socket {
                    Some(socket) => Listener::accept(socket).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                accepted = accepted => return accepted,
                asked = self.asked.changed() => if asked.is_err() { std::future::pending::<()>().await },
            }
        }
    }
}

impl Listener for Cuttable {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = self.next().await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers on this connection may come late");
        }
        let line = Arc::new(Line::default());
        let mut open = lock(&self.open);
        open.retain(|line| line.strong_count() > 0);
        open.push(Arc::downgrade(&line));
        (CuttableStream { stream, line }, peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        Self(Arc::clone(&stream.io().line))
    }
}

struct CuttableStream {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Drop for CuttableStream {
    fn drop(&mut self) {
        if self.line.cut.load(Ordering::SeqCst)
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "a cut connection ends politely");
        }
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.check(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.line.check(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
