//! Waiting, injected so that tests don't.

use std::time::Duration;

use async_trait::async_trait;

/// Waits.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Returns after so long.
    async fn pause(&self, length: Duration);
}

/// Waits in real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealPause;

#[async_trait]
impl Pause for RealPause {
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}
