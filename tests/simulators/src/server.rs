//! A loopback HTTP server whose connections can be cut.
//!
//! Owns the socket side of every simulator: binding, keeping the open connections, and dropping one (or, on stop, all) in
//! the middle of a request, as a failing network does. What is answered is the router's business.
//! A cut sets the connection's linger time to zero, so the peer sees a reset and not a polite end.

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
use tokio::task::JoinHandle;

/// A running server. Dropping it closes the port and cuts every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
    open: Arc<Mutex<Vec<Weak<Line>>>>,
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
        let listener = Cuttable { socket, open: Arc::clone(&open) };
        let service = router.into_make_service_with_connect_info::<Connection>();
        let accepting = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "a simulator stopped serving");
            }
        });
        Ok(Self { address, accepting, open })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
    socket: TcpListener,
    open: Arc<Mutex<Vec<Weak<Line>>>>,
}

impl Listener for Cuttable {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.socket).await;
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
        self.socket.local_addr()
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
