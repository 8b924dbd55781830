//! Alerts that are to be looked at again by themselves: what waits for its time, and what lost its message.

use std::sync::Arc;

use jiff::SignedDuration;
use shared::queue::{AlertMessage, SendAlerts};
use shared::store::Table;
use shared::store::alerts::{Alerts, DueAlert};
use shared::store::schema::ALERT_SHARDS;

use crate::{FanOut, FanOutError};

/// Alerts looked up at once.
const AT_ONCE: i32 = 100;
/// So many of a shard are sent in one tick; the next one goes on.
const MOST: usize = 1_000;
/// One that still is due after so long is sent again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// Where alerts that are due are found, and where they go.
#[derive(Clone)]
pub struct DueAlerts {
    alerts: Alerts,
    queue: Arc<dyn SendAlerts>,
}

impl DueAlerts {
    /// From `table` to `queue`.
    #[must_use]
    pub fn new(table: &Table, queue: Arc<dyn SendAlerts>) -> Self {
        Self { alerts: Alerts::new(table.clone()), queue }
    }
}

impl FanOut {
    /// Has the alerts looked at that are due, and answers how many.
    ///
    /// # Errors
    /// The store or the queue is unavailable; the next tick finds what is left.
    pub(crate) async fn alerts(&self) -> Result<u32, FanOutError> {
        let mut sent = 0;
        for shard in 0..ALERT_SHARDS {
            let (mut position, mut of_shard) = (None, 0);
            loop {
                let (due, next) = self.alerts.alerts.due(shard, self.clock.now(), AT_ONCE, position).await?;
                self.look_at(&due).await?;
                of_shard += due.len();
                match next.filter(|_| of_shard < MOST) {
                    Some(next) => position = Some(next),
                    None => break,
                }
            }
            sent += u32::try_from(of_shard).unwrap_or(u32::MAX);
        }
        Ok(sent)
    }

    /// They are sent before they are put off: one message too many is harmless, one too few is not.
    async fn look_at(&self, due: &[DueAlert]) -> Result<(), FanOutError> {
        let message = |due: &DueAlert| AlertMessage::named(&due.partner, &due.key, due.version);
        let messages: Vec<AlertMessage> = due.iter().map(message).collect();
        self.alerts.queue.send_alerts(&messages).await?;
        let now = self.clock.now();
        for due in due {
            self.alerts.alerts.put_off(due, now.saturating_add(AGAIN_AFTER).unwrap_or(now)).await?;
        }
        Ok(())
    }
}
