//! How a pull is stored: through the engine of pulls, into the real store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use integration::PARTNER;
use integration::msp::{Msp, Setup};
use jiff::SignedDuration;
use serde_json::Value;
use shared::domain::ids::{CompanyId, PartnerId};
use shared::pulling::{Puller, PullerParts};
use shared::queue::{PullMessage, QueueError, SendPulls};
use shared::secrets::{SecretName, WriteSecrets as _};
use shared::sources::{Filters, SourceCredentials};
use shared::store::Read;
use shared::store::sources::{LastPull, PullStatus, Setting, UsageSource, UsageSources};
use shared::store::usage::{UsageBook, UsageReader};
use shared::sync::recent_months;
use simulators::vendor::{Change, Customer as _, Fault, When};

use crate::known::Known;
use crate::world::World;

const PRODUCT: &str = "seats";

/// Messages about pulls that wait.
#[derive(Default)]
struct Waiting(Mutex<Vec<PullMessage>>);

#[async_trait]
impl SendPulls for Waiting {
    async fn send_pulls(&self, pulls: &[PullMessage]) -> Result<(), QueueError> {
        self.0.lock().unwrap().extend_from_slice(pulls);
        Ok(())
    }
}

/// A partner whose source is set up.
struct Partner<V: Known> {
    world: World<V>,
    msp: Msp,
    puller: Puller,
    waiting: Arc<Waiting>,
    sources: UsageSources,
    partner: PartnerId,
}

impl<V: Known> Partner<V> {
    async fn with(companies: usize) -> Self {
        let world = World::<V>::of(companies).await;
        let msp = Setup::of([]).start().await;
        let (table, waiting) = (&msp.parts.table, Arc::new(Waiting::default()));
        let clock = Arc::new(world.clock.clone());
        let parts = PullerParts::new(table, world.registry(), msp.parts.secrets.clone(), waiting.clone(), clock);
        let partner: PartnerId = PARTNER.parse().unwrap();
        let credentials = SourceCredentials::parse(V::SOURCE, "", V::credentials()).unwrap();
        let secret = SecretName::of_source(&partner, V::SOURCE);
        msp.parts.secrets.put(&secret, &credentials.to_secret()).await.unwrap();
        let sources = UsageSources::new(table.clone());
        let setting = Setting {
            products: [(V::METRIC.into(), PRODUCT.parse().unwrap())].into(),
            filters: Filters::default(),
            schedule: None,
            time_zone: "UTC".to_owned(),
        };
        let source = UsageSource::new(partner.clone(), V::SOURCE, setting, world.clock.time());
        assert!(sources.create(&source).await.unwrap());
        let puller = Puller::new(parts);
        Self { world, msp, puller, waiting, sources, partner }
    }

    /// Every customer was counted once: what was never counted is not asked one by one.
    async fn counted_once(&self) {
        let records: Vec<(String, u32)> = self.world.ids().into_iter().map(|id| (self.company(&id), 1)).collect();
        let records: Vec<(&str, &str, u32)> =
            records.iter().map(|(company, count)| (company.as_str(), PRODUCT, *count)).collect();
        self.msp.push(&records).await;
    }

    fn company(&self, customer: &str) -> String {
        format!("{}:{customer}", V::NAME)
    }

    /// A pull an hour later, with all of its steps.
    async fn pull(&self) -> LastPull {
        self.world.clock.advance(SignedDuration::from_hours(1));
        let asked = PullMessage::asks(&self.partner, V::SOURCE, self.world.clock.time());
        let mut next = Some(asked);
        while let Some(message) = next {
            self.puller.go_on(&message).await.unwrap();
            next = self.waiting.0.lock().unwrap().pop();
        }
        let source = self.sources.get(&self.partner, V::SOURCE, Read::Consistent).await.unwrap().unwrap();
        assert_eq!(source.going, None);
        source.last.unwrap()
    }

    async fn book(&self) -> UsageBook {
        let reader = UsageReader::new(self.msp.parts.table.clone());
        reader.load(&self.partner, recent_months(self.world.clock.time())).await.unwrap()
    }

    /// The newest count of a customer, and whether it may lower a line.
    async fn newest(&self, customer: &str) -> (u32, bool) {
        let (company, product): (CompanyId, _) = (self.company(customer).parse().unwrap(), PRODUCT.parse().unwrap());
        let book = self.book().await;
        let counts = &book.feeds[&shared::store::usage::Feed { company, product }].counts;
        let newest = counts.iter().max_by_key(|count| count.count.as_of).unwrap();
        (newest.count.units.get(), newest.count.complete)
    }
}

/// A customer that has something, and whose count the vendor tells.
fn somebody<V: Known>(world: &World<V>) -> V::Customer {
    let mut customers = world.vendor.customers().into_iter();
    customers.find(|customer| V::has(customer, V::METRIC).is_some_and(|count| count > 1)).unwrap()
}

pub async fn lowers_only_what_was_read_whole<V: Known>() {
    let partner = Partner::<V>::with(1_230).await;
    partner.counted_once().await;
    let customer = somebody(&partner.world);
    let (id, had) = (customer.id().to_string(), V::has(&customer, V::METRIC).unwrap());
    let last = partner.pull().await;
    assert_eq!((last.status, last.complete, last.tally.companies), (PullStatus::Succeeded, true, 1_230), "{last:?}");
    assert_eq!(partner.newest(&id).await, (had, true));
    let first = partner.book().await.newest_complete[&PRODUCT.parse().unwrap()].clone();

    let counts = V::nothing(&customer);
    partner.world.vendor.change(Change::Count { id: customer.id(), counts }).unwrap();
    partner.world.vendor.reset_counts();
    for request in 3..=6 {
        partner.world.vendor.plan_fault(When::Request(V::LIST, request), Fault::answer(503, ""));
    }
    let last = partner.pull().await;
    assert!(!last.complete && last.status != PullStatus::Succeeded, "{last:?}");
    assert_eq!(last.tally.fault.unwrap().code, "source_unavailable");
    let newest = partner.newest(&id).await;
    assert!(newest == (had, true) || !newest.1, "{newest:?} could lower a line");
    let still = partner.book().await.newest_complete[&PRODUCT.parse().unwrap()].clone();
    assert_eq!(still, first, "nobody is absent from what was not read");

    partner.world.vendor.clear_faults();
    let last = partner.pull().await;
    assert!(last.complete, "{last:?}");
    assert!(partner.book().await.newest_complete[&PRODUCT.parse().unwrap()].as_of > first.as_of);
    println!("{}: {} pages, {} counts", V::NAME, last.tally.pages, last.tally.counts);
}

pub async fn takes_an_empty_list_for_a_fault<V: Known>() {
    let partner = Partner::<V>::with(20).await;
    partner.counted_once().await;
    assert!(partner.pull().await.complete);
    let before = partner.book().await;
    for customer in partner.world.vendor.customers() {
        partner.world.vendor.change(Change::Delete(customer.id())).unwrap();
    }
    let last = partner.pull().await;
    assert_eq!((last.complete, last.tally.fault.unwrap().code.as_str()), (false, "source_lists_nobody"));
    assert_eq!(partner.book().await, before);
}

pub async fn keeps_its_secrets<V: Known>() {
    let partner = Partner::<V>::with(20).await;
    partner.counted_once().await;
    let mut shown = vec![format!("{:?}", partner.pull().await)];
    for fault in [Fault::answer(401, ""), Fault::answer(403, ""), Fault::unparsable_after(), Fault::ResetBefore] {
        partner.world.vendor.plan_fault(When::EveryRequest(V::LIST), fault);
        let last = partner.pull().await;
        assert!(last.tally.fault.is_some(), "{last:?}");
        shown.push(format!("{last:?} {}", serde_json::to_string(&last).unwrap()));
        partner.world.vendor.clear_faults();
    }
    shown.push(integration::logs::text());
    shown.extend(partner.msp.parts.rows().await.into_iter().map(|(key, row)| format!("{key} {row}")));
    let secrets: Vec<Value> = V::credentials().as_object().unwrap().iter().filter_map(secret).collect();
    assert!(!secrets.is_empty());
    assert!(shown.iter().any(|text| text.contains(V::NAME)), "something is searched");
    for secret in secrets.iter().filter_map(Value::as_str).chain(["simulated_live_token"]) {
        let leak = shown.iter().find(|text| text.contains(secret));
        assert!(leak.is_none(), "{secret} is in {:.200}", leak.unwrap());
    }
}

/// The fields that are secrets: not the names of a host, a tenant or an application.
fn secret((name, value): (&String, &Value)) -> Option<Value> {
    let is_open = ["host", "tenant_id", "client_id", "provider_id", "region"].contains(&name.as_str());
    (!is_open).then(|| value.clone())
}
