//! A policy as people read it.

use shared::domain::policy::{Approval, Drift, EffectiveDate};
use shared::psa::Psa;

use crate::client::told::connection::Connection;

/// What a sync writes without anybody's word, in a sentence.
pub(super) fn writes(connection: &Connection) -> &'static str {
    if connection.policy.shadow {
        return "Shadow mode is on: syncs show what they would change, and nothing is written.";
    }
    match connection.policy.approval {
        Approval::Always => "Every change waits until a person approves its run: a sync alone writes nothing.",
        Approval::FirstRun if connection.first_run_waits() => {
            "The first run waits: nothing is written until a person has approved all of one run. From then on changes within the \
             guards are written by themselves."
        }
        Approval::FirstRun | Approval::None => {
            "Changes within the guards are written to the PSA without anybody's word; larger ones wait for approval."
        }
    }
}

/// Its parts, each with what it is set to.
pub(super) fn parts(Connection { psa, policy, .. }: &Connection) -> Vec<(&'static str, String)> {
    let guards = &policy.guards;
    let markup = |markup: Option<String>| markup.map_or_else(|| "none".to_owned(), |percent| format!("{percent} %"));
    vec![
        ("A rise counts from", from(policy.effective_date.rises).to_owned()),
        ("A fall counts from", from(policy.effective_date.falls).to_owned()),
        (
            "Units wait for approval",
            format!(
                "a fall of more than {} % and more than {} units; a rise of more than {} % and more than {} units",
                guards.fall_percent, guards.fall_units, guards.rise_percent, guards.rise_units
            ),
        ),
        (
            "Prices wait for approval",
            format!("a unit cost or price that changes by more than {} %", guards.price_percent),
        ),
        (
            "Metered charges wait for approval",
            format!(
                "a change of more than {} % and more than {} in the currency",
                guards.charge_percent, guards.charge_amount
            ),
        ),
        ("Somebody edited the contract", drift(policy.drift).to_owned()),
        ("Approval", approval(policy.approval).to_owned()),
        ("Shadow mode", if policy.shadow { "on: nothing is written" } else { "off" }.to_owned()),
        (
            "Stale usage",
            format!("after {} hours without a complete snapshot: falls wait then", u32::from(policy.stale_after_hours)),
        ),
        (
            "Requests to the PSA",
            format!("a run stops at {} % of what the PSA allows in an hour", policy.budget_percent.get()),
        ),
        (
            "Missing services",
            if policy.provision_services { "are made, each once it is approved" } else { "are not made" }.to_owned(),
        ),
        ("Markup on unit costs", markup(policy.markup.services.map(String::from))),
        ("Markup on metered charges", markup(policy.markup.products.map(String::from))),
        (
            "Currency of the PSA",
            policy.currency.as_ref().map_or_else(|| unstated(*psa).to_owned(), ToString::to_string),
        ),
        ("Metered charges are billed from", format!("day {} of each month", policy.billing_day.get())),
    ]
}

/// The currency where nobody has stated one.
fn unstated(psa: Psa) -> &'static str {
    match psa {
        Psa::Autotask => "as the PSA says",
        Psa::KaseyaBms => "not told by the PSA: amounts are shown without a currency",
    }
}

pub(super) const FROM: [(&str, &str); 3] = [
    ("period_start", "the first day of the billing period that is running"),
    ("today", "the day of the sync"),
    ("next_period_start", "the first day of the next billing period"),
];

pub(super) const DRIFT: [(&str, &str); 2] =
    [("hold", "wait until a person has looked at it"), ("overwrite", "write the target over what they set")];

pub(super) const APPROVAL: [(&str, &str); 3] = [
    ("none", "only changes beyond the guards wait"),
    ("first_run", "every change waits until all of one run was approved"),
    ("always", "every change waits, in every run"),
];

fn from(date: EffectiveDate) -> &'static str {
    let [start, today, next] = FROM;
    match date {
        EffectiveDate::PeriodStart => start.1,
        EffectiveDate::Today => today.1,
        EffectiveDate::NextPeriodStart => next.1,
    }
}

fn drift(drift: Drift) -> &'static str {
    let [hold, overwrite] = DRIFT;
    match drift {
        Drift::Hold => hold.1,
        Drift::Overwrite => overwrite.1,
    }
}

fn approval(approval: Approval) -> &'static str {
    let [none, first_run, always] = APPROVAL;
    match approval {
        Approval::None => none.1,
        Approval::FirstRun => first_run.1,
        Approval::Always => always.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_the_psas_only_where_the_psa_names_one() {
        assert_eq!(unstated(Psa::Autotask), "as the PSA says");
        assert!(unstated(Psa::KaseyaBms).starts_with("not told by the PSA"));
    }
}
