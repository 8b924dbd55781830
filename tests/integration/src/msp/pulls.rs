//! A usage source of an MSP, and its pulls: messages one after the other, each again until it is done, as their queue delivers
//! them.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::domain::ids::PartnerId;
use shared::pulling::{Puller, PullerParts};
use shared::queue::batch::Work as _;
use shared::queue::{PullMessage, pause_after};
use shared::secrets::{SecretName, WriteSecrets as _};
use shared::sources::{Filters, Metric, SourceCredentials, Vendor};
use shared::store::Read;
use shared::store::sources::{LastPull, Setting, UsageSource, UsageSources};

use super::{Fixture, Msp, Strikes};
use crate::{PARTNER, registry};

/// After so long a message comes again whose worker died.
const TAKEN_OVER: SignedDuration = SignedDuration::from_mins(90);

/// The source of one MSP, and who pulls it.
pub struct Pulls<'m, P: Fixture> {
    msp: &'m Msp<P>,
    vendor: Vendor,
    strikes: Arc<Strikes>,
    sources: UsageSources,
    parts: PullerParts,
    puller: Puller,
    waiting: VecDeque<(PullMessage, u32)>,
    deliveries: u32,
}

impl<'m, P: Fixture> Pulls<'m, P> {
    /// The source of `msp` whose API is simulated at `base`: not set up yet, and not struck. Waiting for a turn moves the clock on.
    ///
    /// # Panics
    /// When it can't be called.
    #[must_use]
    pub fn of(msp: &'m Msp<P>, vendor: Vendor, base: &str) -> Self {
        let registry = registry::sources(&[(vendor, base)], &msp.clock);
        let (table, secrets, queue) = (&msp.parts.table, msp.parts.secrets.clone(), msp.parts.wire.clone());
        let parts = PullerParts::new(table, registry, secrets, queue, Arc::new(msp.clock.clone()));
        let (sources, puller) = (UsageSources::new(table.clone()), Puller::new(parts.clone()));
        let (strikes, waiting) = (Strikes::none(), VecDeque::new());
        Self { msp, vendor, strikes, sources, parts, puller, waiting, deliveries: 0 }
    }

    /// The same, struck by `strikes`.
    #[must_use]
    pub fn struck(self, strikes: &Arc<Strikes>) -> Self {
        Self { strikes: strikes.clone(), ..self }
    }

    /// Sets the source up: which metrics are which products.
    ///
    /// # Panics
    /// When it is set up already, or these are no credentials of the vendor.
    pub async fn set_up(&self, credentials: Value, products: &[(&str, &str)]) {
        let credentials = SourceCredentials::parse(self.vendor, "", credentials).expect("credentials");
        let name = SecretName::of_source(&partner(), self.vendor);
        self.msp.parts.secrets.put(&name, &credentials.to_secret()).await.expect("the secrets");
        let product = |(metric, product): &(&str, &str)| (Metric::from(*metric), product.parse().expect("a product"));
        let setting = Setting {
            products: products.iter().map(product).collect(),
            filters: Filters::default(),
            schedule: None,
            time_zone: "Europe/Berlin".to_owned(),
        };
        let source = UsageSource::new(partner(), self.vendor, setting, self.msp.clock.time());
        assert!(self.sources.create(&source).await.expect("the store"), "it is set up already");
    }

    /// The source as it is stored.
    ///
    /// # Panics
    /// When it is not set up.
    pub async fn source(&self) -> UsageSource {
        self.sources.get(&partner(), self.vendor, Read::Consistent).await.expect("the store").expect("a source")
    }

    /// How its last pull ended.
    ///
    /// # Panics
    /// When none did.
    pub async fn last(&self) -> LastPull {
        self.source().await.last.expect("a pull has ended")
    }

    /// Asks for a pull at `instant`, as somebody does who does not wait for its time.
    pub fn ask(&mut self, instant: Timestamp) {
        self.waiting.push_back((PullMessage::asks(&partner(), self.vendor, instant), 0));
    }

    /// How many messages wait.
    pub fn waiting(&mut self) -> usize {
        self.take_in();
        self.waiting.len()
    }

    /// Delivers messages until none is left. A pause moves the clock on. Answers how many deliveries that took.
    pub async fn work_off(&mut self) -> u32 {
        self.deliveries = 0;
        while self.deliver().await {}
        self.deliveries
    }

    /// Delivers the message at the head a second time, as a queue may.
    ///
    /// # Panics
    /// When none waits.
    pub fn repeat(&mut self) {
        self.take_in();
        let head = self.waiting.front().expect("a message").clone();
        self.waiting.push_front(head);
    }

    fn take_in(&mut self) {
        self.waiting.extend(self.msp.parts.wire.take_pulls().into_iter().map(|message| (message, 0)));
    }

    /// One delivery of the message at the head. `false`: there is none.
    async fn deliver(&mut self) -> bool {
        self.take_in();
        let Some((message, deliveries)) = self.waiting.pop_front() else { return false };
        self.deliveries += 1;
        assert!(deliveries < Puller::MOST_DELIVERIES, "{message:?} is never done");
        let (puller, delivered) = (self.puller.clone(), message.clone());
        let ended = tokio::spawn(async move { puller.work(&delivered).await }).await;
        let is_done = matches!(ended, Ok(Ok(())));
        if !is_done {
            self.waiting.push_front((message, deliveries + 1));
        }
        if self.strikes.revive() {
            self.puller = Puller::new(self.parts.clone());
            self.msp.clock.advance(TAKEN_OVER);
            return true;
        }
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(_)) => self.msp.clock.advance(pause_after(deliveries + 1)),
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
        true
    }
}

fn partner() -> PartnerId {
    PARTNER.parse().expect("an id")
}
