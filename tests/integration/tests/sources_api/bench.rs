//! The service, a simulated Huntress that it reads, and what a test says of both.

use std::collections::BTreeMap;
use std::sync::Arc;

use integration::{Harness, PARTNER, registry};
use jiff::Timestamp;
use local::sealed_secrets::SealedSecrets;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use shared::pulling::{Puller, PullerParts};
use shared::secrets::{ReadSecrets as _, SecretName};
use shared::sources::Vendor;
use shared::store::sources::{Going, Tally, UsageSources};
use simulators::Huntress;
use simulators::huntress::{Api, ApiKey, Counts, Organization};

pub const HUNTRESS: &str = "/v1/sources/huntress";
pub const KEY: &str = "canary-31d0-key";
pub const SECRET: &str = "canary-c4f7-secret";
/// May log in and read nothing that is counted.
pub const BLIND: &str = "canary-90ab-blind";

/// The service, and the Huntress that it reads.
pub async fn start() -> (Harness, Huntress) {
    let agents = |agents| Counts { agents, ..Counts::default() };
    let customers = [Organization::new(7, "Acme").with(agents(42)), Organization::new(9, "Bolt").with(agents(3))];
    let keys = [ApiKey::new(KEY, SECRET), ApiKey::new(BLIND, SECRET).without_organizations()];
    let huntress = Huntress::setup(customers).api(Api::of(keys)).start().await.unwrap();
    (Harness::reading(&[(Vendor::Huntress, &huntress.base())]).await, huntress)
}

pub fn credentials(key: &str) -> Value {
    json!({ "key": key, "secret": SECRET })
}

pub fn body() -> Value {
    json!({ "credentials": credentials(KEY), "products": { "agents": "edr" } })
}

pub async fn set_up(h: &Harness) -> Value {
    let answer = h.put(HUNTRESS, body()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json
}

/// The credentials as they are kept.
pub async fn kept(h: &Harness) -> Option<Value> {
    let secrets = SealedSecrets::open(h.data()).unwrap();
    let name = SecretName::of_source(&PARTNER.parse().unwrap(), Vendor::Huntress);
    let kept = secrets.read(&name).await.unwrap()?;
    serde_json::from_str(kept.expose_secret()).ok()
}

/// Has `moved_at` be when the pull that is going on has moved last.
pub async fn is_going(h: &Harness, moved_at: Timestamp) -> Timestamp {
    let pull = "2026-11-21T09:00:00Z".parse().unwrap();
    let going = Going {
        pull,
        as_of: "2026-11-21T09:00:30Z".parse().unwrap(),
        attempt: 1,
        step: 1,
        begun: true,
        moved_at,
        after: None,
        products: BTreeMap::new(),
        tally: Tally::default(),
    };
    let sources = UsageSources::new(h.table.clone());
    let edited = sources.edit(&PARTNER.parse().unwrap(), Vendor::Huntress, |source| {
        source.going = Some(going.clone());
        true
    });
    edited.await.unwrap().unwrap();
    pull
}

/// Does what was asked for.
pub async fn pull(h: &Harness, huntress: &Huntress) {
    let sources = registry::sources(&[(Vendor::Huntress, &huntress.base())], &h.clock);
    let secrets = Arc::new(SealedSecrets::open(h.data()).unwrap());
    let puller = Puller::new(PullerParts::new(&h.table, sources, secrets, h.wire.clone(), Arc::new(h.clock.clone())));
    for message in h.wire.take_pulls() {
        puller.go_on(&message).await.unwrap();
    }
}
