//! The day's usage, pushed as a vendor's back end and a person with a file would: of all customers, whichever PSA bills them.

use jiff::{Timestamp, ToSpan as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::demo::client::Client;
use crate::demo::customers::{Customer, Role};
use crate::demo::huntress;
use crate::demo::terminal::Terminal;

/// Pushes yesterday's and today's lists, one that broke off, and a CSV file.
pub(super) async fn push(
    client: &Client,
    customers: &[&Customer],
    now: Timestamp,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let yesterday = now.checked_sub(24.hours())?;
    let named = |wanted: fn(Role) -> bool| customers.iter().copied().filter(move |customer| wanted(customer.role));
    let lists = [
        ("yesterday", yesterday, true, huntress::pages(named(|role| role != Role::OnlyIncomplete))),
        ("today", now, true, huntress::pages(named(|role| ![Role::OnlyIncomplete, Role::Absent].contains(&role)))),
        ("broken-off", now, false, huntress::pages(named(|role| role == Role::OnlyIncomplete))),
    ];
    for (name, as_of, complete, pages) in lists {
        let records = huntress::records(&pages);
        if records.is_empty() {
            continue;
        }
        let body = json!({ "as_of": as_of.to_string(), "complete": complete, "records": records });
        let _: Value = client.send(Method::PUT, &format!("/v1/usage/snapshots/huntress-{name}"), &body).await?;
    }
    let path = format!("/v1/usage/snapshots.csv?snapshot_id=sat-today&as_of={now}&complete=true");
    client.send_csv(&path, learners(customers)?).await?;
    terminal.step("pushed usage: lists of organisations as Huntress gives them (edr, itdr), and a CSV file (sat)");
    for customer in customers {
        let text = match customer.role {
            Role::Absent => "is missing from today's list: its last counts stand",
            Role::OnlyIncomplete => "is only in a list that broke off: that may raise its units and not lower them",
            _ => continue,
        };
        terminal.note(&format!("\"{}\" {text}", customer.name));
    }
    Ok(())
}

/// The third product as a CSV file.
fn learners(customers: &[&Customer]) -> Result<String, Failure> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["company", "company_name", "product", "quantity"])?;
    for customer in customers {
        let [_, _, count] = customer.counts;
        table.write_record([&customer.organization.to_string(), &customer.name, "sat", &count.to_string()])?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}
