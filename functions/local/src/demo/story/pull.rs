//! The day's usage, pulled from a vendor's API: once as it is, and once more after somebody deleted a customer there.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::demo::client::Client;
use crate::demo::customers::{Customer, PRODUCTS};
use crate::demo::terminal::Terminal;
use crate::demo::vendor::{METRICS, Vendor, is_deleted};

/// The source, over the API.
const SOURCE: &str = "/v1/sources/huntress";
/// How often a pull is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A pull that goes on longer has gone wrong: two minutes.
const MOST_LOOKS: u32 = 2_400;

#[derive(Deserialize)]
struct Asked {
    pull: String,
}

#[derive(Deserialize)]
struct SourceView {
    last_pull: Option<LastPull>,
}

#[derive(Deserialize)]
struct LastPull {
    pull: String,
    complete: bool,
    companies: u64,
    counts: u64,
    explanation: Option<String>,
}

/// Sets the source up and has it pulled.
pub(super) async fn pull(
    client: &Client,
    vendor: &Vendor,
    customers: &[&Customer],
    terminal: &Terminal,
) -> Result<(), Failure> {
    let products: BTreeMap<&str, &str> = METRICS.into_iter().zip(PRODUCTS).collect();
    let body = json!({ "credentials": vendor.credentials(), "products": products });
    let _: Value = client.send(Method::PUT, SOURCE, &body).await?;
    let told: Vec<String> = products.iter().map(|(metric, product)| format!("{metric} is {product}")).collect();
    terminal.step(&format!("set up Huntress, simulated at {}, as a usage source: {}", vendor.base(), told.join(", ")));
    tell(&pulled(client).await?, terminal);

    let deleted: Vec<&Customer> = customers.iter().copied().filter(|customer| is_deleted(customer)).collect();
    if deleted.is_empty() {
        return Ok(());
    }
    for customer in deleted {
        vendor.delete(customer)?;
        terminal.note(&format!("somebody deleted \"{}\" there: its last counts stand", customer.name));
    }
    tell(&pulled(client).await?, terminal);
    Ok(())
}

/// Has it pulled and waits for the end.
async fn pulled(client: &Client) -> Result<LastPull, Failure> {
    let asked: Asked = client.send(Method::POST, &format!("{SOURCE}/pull"), &json!({})).await?;
    for _ in 0..MOST_LOOKS {
        let SourceView { last_pull } = client.get(SOURCE).await?;
        if let Some(last) = last_pull.filter(|last| last.pull == asked.pull) {
            return if last.complete {
                Ok(last)
            } else {
                Err(format!("the pull missed something: {}", last.explanation.unwrap_or_default()).into())
            };
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err("the pull did not end; RUST_LOG=info shows what it does".into())
}

fn tell(pull: &LastPull, terminal: &Terminal) {
    let LastPull { counts, companies, .. } = pull;
    terminal.step(&format!("pulled usage: {counts} counts of {companies} organizations, all there are"));
}
