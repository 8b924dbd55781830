//! The columns of results and reconciliations as CSV files. How a file is made and bounded, `shared::api::sheet` knows.

use shared::api::sheet::{Column, Sheet};
pub(crate) use shared::api::sheet::{as_text, cell, is_wanted, record_bytes, word};
use shared::domain::line::{LinePrices, LineResult};
use shared::domain::money::{LineMoney, Money};

use crate::lines::LineView;
use crate::reconciliation::Entry;

impl Sheet for LineView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("line_id", |view| view.line.line_id.clone()),
        ("company", |view| view.line.company.to_string()),
        ("company_name", |view| view.line.company_name.clone()),
        ("product", |view| view.line.product.to_string()),
        ("account_id", |view| view.line.account_id.to_string()),
        ("contract_id", |view| view.line.contract_id.to_string()),
        ("service_id", |view| view.line.service_id.to_string()),
        ("before", |view| cell(view.line.before)),
        ("target", |view| cell(view.line.target)),
        ("after", |view| cell(view.line.after)),
        ("effective_date", |view| cell(view.line.effective_date)),
        ("status", |view| word(&view.line.status)),
        ("code", |view| view.line.code.clone()),
        ("explanation", |view| view.line.explanation.clone()),
        ("fix", |view| view.line.fix.clone()),
        ("feeds", |view| feeds(&view.line)),
        ("difference", |view| cell(view.difference)),
        ("prorated", |view| view.line.prorated.to_string()),
        ("currency", |view| currency(view.line.money.as_ref())),
        ("unit_price", |view| amount(view.line.money.as_ref(), |money| money.unit_price)),
        ("unit_cost", |view| amount(view.line.money.as_ref(), |money| money.unit_cost)),
        ("monthly_price", |view| amount(view.line.money.as_ref(), |money| money.monthly_price)),
        ("monthly_cost", |view| amount(view.line.money.as_ref(), |money| money.monthly_cost)),
        ("last_confirmed", |view| cell(view.line.last_confirmed)),
        ("last_confirmed_from", |view| cell(view.line.last_confirmed_from)),
        ("counted", |view| cell(view.counted)),
        ("rule", |view| cell(view.line.rule.as_ref())),
        ("unit_cost_before", |view| priced(view, |prices| prices.unit_cost?.before)),
        ("unit_cost_target", |view| priced(view, |prices| Some(prices.unit_cost?.target))),
        ("unit_cost_after", |view| priced(view, |prices| prices.unit_cost?.after)),
        ("unit_price_before", |view| priced(view, |prices| prices.unit_price?.before)),
        ("unit_price_target", |view| priced(view, |prices| Some(prices.unit_price?.target))),
        ("unit_price_after", |view| priced(view, |prices| prices.unit_price?.after)),
        ("approvable", |view| view.approvable.to_string()),
    ];
}

fn priced(view: &LineView, of: fn(LinePrices) -> Option<Money>) -> String {
    cell(view.line.prices.and_then(of))
}

impl Sheet for Entry {
    const COLUMNS: &'static [Column<Self>] = &[
        ("kind", |entry| word(&entry.kind)),
        ("status", |entry| entry.status.as_ref().map(word).unwrap_or_default()),
        ("code", |entry| entry.code.clone()),
        ("line_id", |entry| cell(entry.line_id.as_ref())),
        ("company", |entry| cell(entry.company.as_ref())),
        ("company_name", |entry| cell(entry.company_name.as_ref())),
        ("product", |entry| cell(entry.product.as_ref())),
        ("account_id", |entry| cell(entry.account_id.as_ref())),
        ("contract_id", |entry| cell(entry.contract_id.as_ref())),
        ("service_id", |entry| cell(entry.service_id.as_ref())),
        ("counted", |entry| cell(entry.counted)),
        ("target", |entry| cell(entry.target)),
        ("before", |entry| cell(entry.before)),
        ("last_confirmed", |entry| cell(entry.last_confirmed)),
        ("last_confirmed_from", |entry| cell(entry.last_confirmed_from)),
        ("difference", |entry| cell(entry.difference)),
        ("drift", |entry| entry.drift.to_string()),
        ("effective_date", |entry| cell(entry.effective_date)),
        ("currency", |entry| currency(entry.money.as_ref())),
        ("unit_price", |entry| amount(entry.money.as_ref(), |money| money.unit_price)),
        ("unit_cost", |entry| amount(entry.money.as_ref(), |money| money.unit_cost)),
        ("monthly_price", |entry| amount(entry.money.as_ref(), |money| money.monthly_price)),
        ("monthly_cost", |entry| amount(entry.money.as_ref(), |money| money.monthly_cost)),
        ("explanation", |entry| entry.explanation.clone()),
        ("fix", |entry| entry.fix.clone()),
    ];
}

fn feeds(line: &LineResult) -> String {
    let feeds = line.feeds.iter().map(|feed| format!("{}/{}={}", feed.company, feed.product, feed.quantity));
    feeds.collect::<Vec<_>>().join("; ")
}

fn currency(money: Option<&LineMoney>) -> String {
    cell(money.and_then(|money| money.currency.clone()).map(String::from))
}

fn amount(money: Option<&LineMoney>, of: fn(&LineMoney) -> Option<Money>) -> String {
    cell(money.and_then(of))
}
