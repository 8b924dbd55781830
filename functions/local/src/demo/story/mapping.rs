//! Connecting a PSA, and mapping products to its services and customers to its accounts and contracts, by name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::Failure;
use crate::demo::client::Client;
use crate::demo::customers::{Customer, PRODUCTS, Role};
use crate::demo::stages::Stage;
use crate::demo::terminal::Terminal;

/// Mappings sent at once: each asks the PSA, which allows three requests of a kind at once.
const MAPPINGS_AT_ONCE: usize = 2;

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct ListedContract {
    id: String,
    account_id: String,
    start: Date,
    end: Date,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// Answers with the connection's id.
pub(super) async fn connect(client: &Client, stage: &Stage, terminal: &Terminal) -> Result<String, Failure> {
    let name = stage.psa.name();
    let body = json!({
        "psa": stage.psa.psa().as_str(),
        "name": format!("Nordwind IT: {name}"),
        "time_zone": "Europe/Berlin",
        "credentials": stage.psa.credentials(),
    });
    let made: Id = client.send(Method::POST, "/v1/connections", &body).await?;
    terminal.step(&format!("connected: {name} let us in with every right that a sync needs"));
    Ok(made.id)
}

/// Maps each product to the service of its name.
pub(super) async fn map_products(
    client: &Client,
    path: &str,
    stage: &Stage,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let services: Vec<Named> = client.list(&format!("{path}/catalog/services")).await?;
    for (product, name) in PRODUCTS.iter().zip(&stage.services) {
        let service = services.iter().find(|service| service.name == *name);
        let service = service.ok_or_else(|| format!("the catalogue has no service \"{name}\""))?;
        let body = json!({ "service_id": service.id, "rule": { "counting": "latest" } });
        let _: Value = client.send(Method::PUT, &format!("{path}/products/{product}"), &body).await?;
    }
    terminal.step(&format!("mapped {} products to services of the catalogue", PRODUCTS.len()));
    Ok(())
}

/// Finds each customer's account by its name and its contract by its account, and maps it. `company` is what usage calls it.
pub(super) async fn map_companies(
    client: &Client,
    path: &str,
    stage: &Stage,
    company: impl Fn(&Customer) -> String,
    now: Timestamp,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let accounts: Vec<Named> = client.list(&format!("{path}/catalog/accounts")).await?;
    let accounts: BTreeMap<String, String> = accounts.into_iter().map(|account| (account.name, account.id)).collect();
    let contracts: Vec<ListedContract> = client.list(&format!("{path}/catalog/contracts")).await?;
    let running = contracts.into_iter().filter(|contract| (contract.start..=contract.end).contains(&today));
    let contracts: BTreeMap<String, String> = running.map(|contract| (contract.account_id, contract.id)).collect();

    let customers = &stage.customers;
    let bar = terminal.bar("mapping customers", u64::try_from(customers.len())?);
    let mut refused = Vec::new();
    for some in customers.chunks(MAPPINGS_AT_ONCE) {
        let mut sent = Vec::with_capacity(some.len());
        for customer in some {
            let account =
                accounts.get(&customer.account).ok_or_else(|| format!("no account \"{}\"", customer.account))?;
            // Where the catalogue offers no recurring contract, somebody tries the one that there is.
            let contract = contracts.get(account).cloned().unwrap_or_else(|| customer.contract.to_string());
            let mut body = json!({ "account_id": account, "contract_id": contract });
            if !stage.psa.shows_units() {
                body["overrides"] = stated(customer);
            }
            let (client, path) = (client.clone(), format!("{path}/companies/{}", company(customer)));
            let put = async move { client.try_send::<Value>(Method::PUT, &path, &body).await };
            sent.push((customer, tokio::spawn(put)));
        }
        for (customer, put) in sent {
            if let Err(refusal) = put.await?? {
                // With any other one something has gone wrong, and more of them would only repeat it.
                if customer.role != Role::FixedPrice {
                    return Err(format!("\"{}\" was not mapped: {refusal}", customer.name).into());
                }
                refused.push((customer, refusal));
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    terminal.step(&format!("mapped {} customers to accounts and contracts by name", customers.len() - refused.len()));
    if !stage.psa.shows_units() {
        let name = stage.psa.name();
        terminal.note(&format!(
            "{name} shows no line's units: each mapping states them once, as opening_units, and from then on Tallyline goes \
             by what it has changed"
        ));
    }
    for customer in customers {
        let Customer { name, account, .. } = customer;
        match customer.role {
            Role::SecondSite => terminal.note(&format!("\"{name}\" is billed on the contract of \"{account}\"")),
            Role::Unstated(place) => {
                let product = PRODUCTS.get(place).copied().unwrap_or_default();
                terminal.note(&format!("somebody forgot to state those of \"{name}\" for {product}"));
            }
            _ => {}
        }
    }
    for (customer, refusal) in refused {
        terminal.note(&format!("\"{}\" was not mapped: {refusal}", customer.name));
    }
    Ok(())
}

/// The units that each of the customer's lines has, as a person states them.
fn stated(customer: &Customer) -> Value {
    let lines = PRODUCTS.iter().zip(customer.units).enumerate();
    let stated = lines.filter(|(place, _)| customer.has_line(*place) && customer.role != Role::Unstated(*place));
    stated
        .map(|(_, (product, units))| ((*product).to_owned(), json!({ "opening_units": units })))
        .collect::<Map<_, _>>()
        .into()
}
