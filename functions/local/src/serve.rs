//! The app behind a port until it is asked to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::app::App;

/// How long requests may take to end. A client that keeps its connection open is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves `app` on `listener`, ticks and works, until `stop` is ready. Requests and jobs that are going on may end.
///
/// # Errors
/// The port fails.
pub async fn serve(
    app: &App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let background = app.run_background();
    // Both the server and the background begin to end at the same moment.
    let (stopping, stopped) = oneshot::channel::<()>();
    let until = async move {
        stop.await;
        drop(stopping);
    };
    let server = axum::serve(listener, app.router()).with_graceful_shutdown(until);
    let mut serving = tokio::spawn(async move { server.await });
    tokio::select! {
        // Only when the port fails: otherwise the stop comes first.
        ended = &mut serving => {
            background.stop().await;
            return ended.unwrap_or_else(|error| Err(io::Error::other(error)));
        }
        _ = stopped => {}
    }
    background.stop().await;
    match tokio::time::timeout(PATIENCE, &mut serving).await {
        Ok(ended) => ended.unwrap_or_else(|error| Err(io::Error::other(error))),
        Err(_) => {
            serving.abort();
            Ok(())
        }
    }
}

/// Ready on Ctrl-C, or when the system asks the process to end.
pub async fn stop_signal() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => {
            if interrupted.is_err() {
                // Without a way to hear of Ctrl-C there is only the other signal.
                std::future::pending::<()>().await;
            }
        }
        () = terminated => {}
    }
}
