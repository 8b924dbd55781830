//! Metered charges of an MSP with Autotask: mapped, pushed, synced, and what stands of them in the PSA.

use reqwest::Method;
use serde_json::{Value, json};
use shared::store::mappings::{ChargeMapping, Expected, Mappings};
use simulators::autotask::{Asked, ChargeView, Entity};

use super::setup::Customer;
use super::{Msp, Run, Setup, name_of};
use crate::PARTNER;

/// The material billing code that every simulated tenant has.
pub const CODE: &str = "Metered usage";

/// A record of metered usage: company, meter, first day, last day, and what it comes to in EUR.
pub type Metered<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

/// The record as it is pushed, of product `cloud`.
#[must_use]
pub fn metered((company, meter, from, to, amount): Metered<'_>) -> Value {
    json!({
        "kind": "charge", "company": company, "company_name": name_of(company), "product": "cloud", "meter": meter,
        "description": format!("Cloud {meter}"), "period": {"from": from, "to": to}, "currency": "EUR", "amount": amount,
    })
}

/// One customer, `acme`, whose product `cloud` is itemised with a markup of 20 %.
pub async fn itemised() -> Msp {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.map_charges(json!({"mode": "itemised", "markup_percent": "20"})).await;
    msp
}

impl Msp {
    /// Maps the metered charges of product `cloud` from November on, with the usual billing code where none is named.
    pub async fn map_charges(&self, mut body: Value) {
        for (field, usual) in [("billing_code", CODE), ("from", "2026-11-01")] {
            if body.get(field).is_none() {
                body[field] = usual.into();
            }
        }
        self.done(Method::PUT, &format!("/v1/connections/{}/charges/cloud", self.connection), Some(body)).await;
    }

    /// Changes that mapping past the checks of the API, as if the PSA had changed since.
    ///
    /// # Panics
    /// When there is none.
    pub async fn remap_charges(&self, change: impl Fn(&mut ChargeMapping)) {
        let mappings = Mappings::new(self.parts.table.clone());
        let (partner, connection) = (PARTNER.parse().expect("an id"), self.connection.parse().expect("an id"));
        let found = mappings.get(&partner, &connection, &"cloud".parse().expect("an id")).await.expect("the store");
        let mut mapping: ChargeMapping = found.expect("a mapping");
        change(&mut mapping);
        mappings.put(&partner, &connection, mapping, Expected::Anything).await.expect("the store");
    }

    /// Pushes a complete snapshot of metered usage, as of now.
    pub async fn meter(&self, records: &[Metered<'_>]) {
        self.push_records(records.iter().copied().map(metered).collect(), true).await;
    }

    /// Every charge of a run, as its results list them.
    pub async fn charges_of(&self, run: &Run) -> Vec<Value> {
        let page = self.done(Method::GET, &format!("/v1/runs/{}/charges?limit=100", run.id), None).await;
        page["items"].as_array().cloned().unwrap_or_default()
    }

    /// The same in brief, `meter: status code before>target>after` by price.
    pub async fn charged(&self, run: &Run) -> Vec<String> {
        let price = |row: &Value, of: &str| row[of]["price"].as_str().unwrap_or("-").to_owned();
        let brief = |row: &Value| {
            let [meter, status, code] = ["meter", "status", "code"].map(|field| row[field].as_str().unwrap_or("*"));
            let prices = ["before", "target", "after"].map(|of| price(row, of)).join(">");
            format!("{meter}: {} {prices}", [status, code].join(" ").trim())
        };
        self.charges_of(run).await.iter().map(brief).collect()
    }

    /// Approves charges of a run (everything that waits, for `None`), syncs them, and answers what came of it.
    pub async fn approve_charges(&self, run: &Run, charges: Option<&[&str]>) -> Run {
        let body = charges.map_or(json!({}), |charges| json!({ "charges": charges }));
        let started = self.done(Method::POST, &format!("/v1/runs/{}/approve", run.id), Some(body)).await;
        self.drain().await;
        self.see(started["run_id"].as_str().unwrap_or_default()).await
    }

    /// What stands in the PSA, `name: cost/price`, in the order in which it was made.
    #[must_use]
    pub fn stands(&self) -> Vec<String> {
        let brief = |charge: &ChargeView| {
            let billed = if charge.billed { " billed" } else { "" };
            format!("{}: {}/{}{billed}", charge.name, charge.unit_cost.normalize(), charge.unit_price.normalize())
        };
        self.psa.charges().iter().map(brief).collect()
    }

    /// Requests to make, change or delete charges that reached the PSA since the last reset, taken or not.
    #[must_use]
    pub fn charge_requests(&self) -> usize {
        let of_charges = |asked: &&Asked| asked.entity == Some(Entity::ContractCharges);
        self.psa.requests().iter().filter(of_charges).filter(|asked| asked.kind.writes()).count()
    }
}
