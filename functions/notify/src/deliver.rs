//! One notice to one webhook: an attempt, what is noted of it, and what it means for the webhook.
//!
//! At least once: a process that dies between the receiver's answer and the note sends the same notice again, under the same
//! id. What is noted as over is not sent again.

use jiff::Timestamp;
use shared::domain::ids::PartnerId;
use shared::store::Read;
use shared::store::StoreError;
use shared::store::webhooks::{Delivery, DeliveryStatus, SwitchedOff, Webhook};
use shared::webhooks::{Dispatch, Outcome, SWITCHED_OFF_AFTER, pause_after};

use crate::{Notify, NotifyError};

/// Why a webhook is switched off that has failed for too long.
const FAILING: &str = "webhook_failing";
/// What is noted of a notice that a webhook did not want any more when its turn came.
const NOT_WANTED: &str = "not_wanted";
/// What is noted of a notice whose messages came to nothing.
const GIVEN_UP: &str = "given_up";

impl Notify {
    /// Makes one attempt at a delivery, if one is due.
    ///
    /// # Errors
    /// It was not taken and is to be tried again, or the store or the secrets are unavailable.
    pub async fn deliver(&self, dispatch: &Dispatch) -> Result<(), NotifyError> {
        let Dispatch { webhook, notice } = dispatch;
        let Some(partner) = notice.partner() else { return Ok(()) };
        let webhooks = self.webhooks.all(&partner, Read::Consistent).await?;
        let Some(webhook) = webhooks.get(webhook) else { return Ok(()) };
        let before = self.webhooks.delivery(&partner, &webhook.id, notice).await?;
        if before.as_ref().is_some_and(|before| before.status != DeliveryStatus::Retrying) {
            return Ok(());
        }
        let (attempts, now) = (before.map_or(0, |before| before.attempt), self.clock.now());
        if !webhook.wants(notice) {
            let dropped = Delivery::of(notice, attempts, now, DeliveryStatus::Dropped);
            let dropped = Delivery { code: Some(NOT_WANTED.to_owned()), ..dropped };
            return Ok(self.webhooks.note(&partner, &webhook.id, &dropped).await?);
        }
        let outcome = self.sender.send(&partner, webhook, notice).await?;
        let attempt = attempts + 1;
        let (status, pause) = match outcome {
            Outcome::Delivered(_) => (DeliveryStatus::Delivered, None),
            Outcome::Gone => (DeliveryStatus::GivenUp, None),
            Outcome::Refused(_) | Outcome::Unanswered(_) | Outcome::Unsigned => match pause_after(attempt) {
                Some(pause) => (DeliveryStatus::Retrying, Some(pause)),
                None => (DeliveryStatus::GivenUp, None),
            },
        };
        let made = Delivery {
            http_status: outcome.http_status(),
            code: outcome.code().map(str::to_owned),
            next_try_at: pause.and_then(|pause| now.saturating_add(pause).ok()),
            ..Delivery::of(notice, attempt, now, status)
        };
        self.webhooks.note(&partner, &webhook.id, &made).await?;
        self.judge(&partner, webhook, outcome, now).await?;
        match (status, outcome.code()) {
            (DeliveryStatus::Retrying, Some(code)) => Err(NotifyError::NotTaken(code)),
            (_, code) => {
                tracing::info!(?status, attempt, code, http_status = outcome.http_status(), "a delivery is over");
                Ok(())
            }
        }
    }

    /// Notes that nothing came of a delivery.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn give_up(&self, dispatch: &Dispatch) -> Result<(), NotifyError> {
        let Dispatch { webhook, notice } = dispatch;
        let Some(partner) = notice.partner() else { return Ok(()) };
        let before = self.webhooks.delivery(&partner, webhook, notice).await?;
        let attempts = before.map_or(0, |before| before.attempt);
        let over = Delivery::of(notice, attempts, self.clock.now(), DeliveryStatus::GivenUp);
        let over = Delivery { code: Some(GIVEN_UP.to_owned()), ..over };
        Ok(self.webhooks.note(&partner, webhook, &over).await?)
    }

    /// What an attempt means for the webhook itself. Writes only where that is something new.
    async fn judge(
        &self,
        partner: &PartnerId,
        webhook: &Webhook,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if matches!(outcome, Outcome::Delivered(_)) && webhook.failing_since.is_none() {
            return Ok(());
        }
        let judged = self.webhooks.edit(partner, |webhooks| {
            // One that was made anew, or sent elsewhere, meanwhile is another one.
            let same = |found: &&mut Webhook| found.url == webhook.url && found.created_at == webhook.created_at;
            let Some(found) = webhooks.get_mut(&webhook.id).filter(same) else { return Ok::<_, StoreError>(None) };
            match outcome {
                Outcome::Delivered(_) => found.failing_since = None,
                Outcome::Gone => switch_off(found, now, "webhook_gone"),
                Outcome::Refused(_) | Outcome::Unanswered(_) | Outcome::Unsigned => {
                    let since = *found.failing_since.get_or_insert(now);
                    if now.duration_since(since) >= SWITCHED_OFF_AFTER {
                        switch_off(found, now, FAILING);
                    }
                }
            }
            Ok(found.switched_off.clone())
        });
        if let Some(SwitchedOff { code, .. }) = judged.await?.filter(|off| off.at == now) {
            tracing::warn!(code, "a webhook was switched off");
        }
        Ok(())
    }
}

fn switch_off(webhook: &mut Webhook, at: Timestamp, code: &str) {
    if webhook.enabled {
        webhook.enabled = false;
        webhook.switched_off = Some(SwitchedOff { at, code: code.to_owned() });
    }
}
