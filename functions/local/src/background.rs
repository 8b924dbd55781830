//! What runs beside the HTTP service: the tick, the queues' workers, and the sweep of rows whose time is over.
//!
//! On AWS these are EventBridge Scheduler, Lambda on SQS, and DynamoDB itself. All of it ends on request: nothing new is
//! begun, and what is being worked on may end. What is cut off then comes again at the next start.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::embedded::Embedded;

/// How often due connections are looked for.
const TICK: Duration = Duration::from_mins(15);
/// How long work that is going on may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Running tasks. Dropping it cuts them off.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl App {
    /// Starts ticking and working. The first tick is at once: it finds what was missed while nothing ran.
    #[must_use]
    pub fn run_background(&self) -> Background {
        let (stop, _) = watch::channel(false);
        let stopped = || {
            let mut stopped = stop.subscribe();
            async move {
                // An error means that the sender is gone, which is a stop as well.
                stopped.wait_for(|stop| *stop).await.ok();
            }
        };
        let working = tokio::spawn(self.work_until(stopped()));
        let notifying = tokio::spawn(self.notify_until(stopped()));
        let ticketing = tokio::spawn(self.ticket_until(stopped()));
        let pulling = tokio::spawn(self.pull_until(stopped()));
        let (fan_out, store) = (self.fan_out().clone(), Arc::clone(self.store()));
        let stopped = stopped();
        let ticking = tokio::spawn(async move {
            let mut stopped = std::pin::pin!(stopped);
            loop {
                match fan_out.tick().await {
                    Ok(ticked) if ticked.started > 0 => {
                        tracing::info!(started = ticked.started, "connections were due")
                    }
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "a tick failed; the next one finds what it did not"),
                }
                sweep(&store).await;
                tokio::select! {
                    () = tokio::time::sleep(TICK) => {}
                    () = &mut stopped => return,
                }
            }
        });
        Background { stop, tasks: vec![ticking, working, notifying, ticketing, pulling] }
    }
}

async fn sweep(store: &Arc<Embedded>) {
    let store = Arc::clone(store);
    match tokio::task::spawn_blocking(move || store.remove_expired()).await {
        Ok(Ok(0)) | Err(_) => {}
        Ok(Ok(rows)) => tracing::info!(rows, "rows whose time is over were removed"),
        Ok(Err(error)) => tracing::warn!(%error, "rows whose time is over were not removed"),
    }
}

impl Background {
    /// Ends it: begins nothing new, and waits up to half a minute for what is going on.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async {
            for task in &mut self.tasks {
                // A task that panicked has ended.
                task.await.ok();
            }
        };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!("work that is going on is cut off; it goes on at the next start");
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
