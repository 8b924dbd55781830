//! The one way to change units, and everything it refuses.

use jiff::civil::date;
use serde_json::{Value, json};
use simulators::autotask::{
    Autotask, ContractSpec, DateForm, LineSpec, Period, PostedPeriod, ServiceSpec, SplitEnd, SplitPrice, Verdict, World,
};

use crate::support::*;

const DUPLICATE: &str = "Attempt to insert duplicate data into contract_service_period";
const OUTSIDE: &str = "ContractServiceAdjustment effectiveDate must be between the start date and end date of the \
                       Contract referenced by contractID.";
const POSTED: &str = "Unable to make changes as it would result in the deletion/modification of an already approved \
                      and posted contract period";

async fn adjust(sim: &Autotask, change: i64, day: &str) -> (u16, Value) {
    post(
        sim,
        "/ContractServiceAdjustments",
        json!({"contractServiceID": LINE, "unitChange": change, "effectiveDate": day}),
    )
    .await
}

fn row(start: &str, end: &str, units: i64) -> (String, String, i64) {
    (start.to_owned(), end.to_owned(), units)
}

#[tokio::test]
async fn success_names_no_id_and_the_delta_lasts_from_its_date_on() {
    let sim = start(tenant()).await;
    assert_eq!(adjust(&sim, 5, "2026-11-10T00:00:00").await, (200, json!({"itemId": null})));
    let rows = timeline(&sim).await;
    assert_eq!(rows[9], row("2026-10-01", "2026-10-31", 10));
    assert_eq!(rows[10], row("2026-11-01", "2026-11-09", 10));
    assert_eq!(rows[11], row("2026-11-10", "2026-11-30", 15));
    assert_eq!(rows[12], row("2026-12-01", "2026-12-31", 15));
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 11, 9)), Some(10));
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 11, 10)), Some(15));
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2027, 1, 1)), None);
    let write = &sim.writes()[0];
    assert_eq!((write.contract_service_id, write.unit_change, write.units), (LINE, 5, 15));
    assert_eq!((write.effective_date, write.into_posted, write.created_line), (date(2026, 11, 10), false, false));
}

#[tokio::test]
async fn a_change_on_the_first_day_of_a_period_splits_nothing() {
    let sim = start(tenant()).await;
    adjust(&sim, -3, "2026-11-01").await;
    let rows = timeline(&sim).await;
    assert_eq!(rows.len(), 12);
    assert_eq!(
        rows[9..],
        [row("2026-10-01", "2026-10-31", 10), row("2026-11-01", "2026-11-30", 7), row("2026-12-01", "2026-12-31", 7)]
    );
}

#[tokio::test]
async fn later_dated_changes_stay_on_top_of_an_earlier_one() {
    let world = World::builder()
        .company("Acme")
        .contract(ContractSpec::recurring("C").id(CONTRACT))
        .service(ServiceSpec::named("EDR").id(SERVICE))
        .line(LineSpec::of(SERVICE).id(LINE).units(10).change(date(2026, 12, 1), 2));
    let sim = start(world).await;
    assert!(sim.writes().is_empty(), "what was seeded is nobody's write");
    adjust(&sim, 5, "2026-11-20").await;
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 11, 30)), Some(15));
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 12, 1)), Some(17));
    assert_eq!(adjust(&sim, 1, "2026-12-01").await, (500, errors(DUPLICATE)), "the seeded change used that date");
}

#[tokio::test]
async fn the_time_of_day_and_zone_are_discarded_not_converted() {
    let sim = start(tenant()).await;
    for day in ["2026-11-10T23:30:00", "2026-11-11T00:30:00Z", "2026-11-12T00:00:00+02:00"] {
        assert_eq!(adjust(&sim, 1, day).await.0, 200);
    }
    let days: Vec<_> = sim.writes().iter().map(|write| write.effective_date).collect();
    assert_eq!(days, [date(2026, 11, 10), date(2026, 11, 11), date(2026, 11, 12)]);
}

#[tokio::test]
async fn a_second_adjustment_on_one_date_is_a_duplicate_period() {
    let sim = start(tenant()).await;
    adjust(&sim, 1, "2026-11-10").await;
    assert_eq!(adjust(&sim, 1, "2026-11-10T05:00:00").await, (500, errors(DUPLICATE)));
    assert_eq!(sim.writes().len(), 1);
    assert_eq!(adjust(&sim, 1, "2026-11-11").await.0, 200);
}

#[tokio::test]
async fn the_effective_date_must_lie_within_the_contract() {
    let sim = start(tenant()).await;
    for day in ["2025-12-31", "2027-01-01T00:00:00"] {
        assert_eq!(adjust(&sim, 1, day).await, (500, errors(OUTSIDE)), "{day}");
    }
    assert_eq!(adjust(&sim, 1, "2026-01-01").await.0, 200);
    assert_eq!(adjust(&sim, 1, "2026-12-31").await.0, 200);
}

#[tokio::test]
async fn an_unknown_line_is_refused_but_an_unmatched_service_makes_a_new_billed_line() {
    let sim = start(tenant().service(ServiceSpec::named("ITDR").id(6).price("3.00"))).await;
    let refused =
        errors("Reference value on field: contractServiceID of type: ContractService does not exist or is invalid.");
    let body = json!({"contractServiceID": 999, "unitChange": 1, "effectiveDate": "2026-11-10"});
    assert_eq!(post(&sim, "/ContractServiceAdjustments", body).await, (500, refused));

    let path = format!("/Contracts/{CONTRACT}/ServiceAdjustments");
    let known = json!({"contractID": CONTRACT, "serviceID": SERVICE, "unitChange": 1, "effectiveDate": "2026-11-10"});
    assert_eq!(post(&sim, &path, known).await.0, 200);
    assert!(sim.auto_created().is_empty());
    let stale = json!({"serviceID": 6, "unitChange": 4, "effectiveDate": "2026-11-10"});
    assert_eq!(post(&sim, &path, stale).await, (200, json!({"itemId": null})));
    let created = sim.auto_created();
    assert_eq!((created.len(), created[0].service_id, created[0].units), (1, 6, 4));
    assert_eq!(sim.units(CONTRACT, 6, date(2026, 11, 9)), None);
    assert_eq!(sim.units(CONTRACT, 6, date(2026, 12, 9)), Some(4));
    let late = json!({"serviceID": 6, "unitChange": 4, "effectiveDate": "2027-01-01", "allowRepeatService": true});
    assert_eq!(post(&sim, &path, late).await, (500, errors(OUTSIDE)));
    let unknown = json!({"serviceID": 66, "unitChange": 4, "effectiveDate": "2026-11-10"});
    assert_eq!(post(&sim, &path, unknown).await.0, 500);
}

#[tokio::test]
async fn allow_repeat_service_makes_a_second_line_of_the_same_service() {
    let sim = start(tenant()).await;
    let body = json!({"contractID": CONTRACT, "serviceID": SERVICE, "unitChange": 4, "effectiveDate": "2026-11-10",
                      "allowRepeatService": true});
    post(&sim, "/ContractServiceAdjustments", body).await;
    assert_eq!(sim.auto_created().len(), 1);
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(14), "both lines count");
}

#[tokio::test]
async fn missing_and_mistyped_values_are_refused_before_anything_changes() {
    let sim = start(tenant()).await;
    for (body, text) in [
        (
            json!({"contractServiceID": LINE, "unitChange": 1}),
            "Value does not exist for the required field effectiveDate",
        ),
        (
            json!({"contractID": CONTRACT, "unitChange": 1, "effectiveDate": "2026-11-10"}),
            "Value does not exist for the required field contractServiceID",
        ),
        (
            json!({"contractServiceID": LINE, "unitChange": true, "effectiveDate": "2026-11-10"}),
            "Unexpected character encountered while parsing value: t",
        ),
        (
            json!({"contractServiceID": LINE, "unitChange": 1.5, "effectiveDate": "2026-11-10"}),
            "Unexpected character encountered while parsing value: 1",
        ),
        (
            json!({"id": "0", "contractServiceID": LINE, "unitChange": 1, "effectiveDate": "2026-11-10"}),
            "Unexpected character encountered while parsing value: 0",
        ),
    ] {
        assert_eq!(post(&sim, "/ContractServiceAdjustments", body).await, (500, errors(text)));
    }
    assert!(sim.writes().is_empty());
}

#[tokio::test]
async fn totals_below_zero_are_refused_anywhere_ahead_and_zero_is_a_switch() {
    let world = World::builder()
        .company("Acme")
        .contract(ContractSpec::recurring("C").id(CONTRACT))
        .service(ServiceSpec::named("EDR").id(SERVICE))
        .line(LineSpec::of(SERVICE).id(LINE).units(10).change(date(2026, 12, 1), -4));
    let sim = start(world).await;
    assert_eq!(adjust(&sim, -7, "2026-11-10").await.0, 500, "December would fall to -1");
    assert!(sim.writes().is_empty());
    sim.switch(|switches| switches.zero_units = Verdict::Reject);
    assert_eq!(adjust(&sim, -6, "2026-11-10").await.0, 500);
    sim.switch(|switches| switches.zero_units = Verdict::Accept);
    assert_eq!(adjust(&sim, -6, "2026-11-10").await.0, 200);
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 12, 1)), Some(0));
}

#[tokio::test]
async fn a_posted_period_takes_a_change_and_bills_the_rest_anew_or_refuses_it() {
    let sim = start(tenant()).await;
    assert_eq!(sim.post_through(CONTRACT, date(2026, 11, 30)), 11);
    sim.switch(|switches| switches.posted_period = PostedPeriod::Reject);
    assert_eq!(adjust(&sim, 2, "2026-11-10").await, (500, errors(POSTED)));
    assert_eq!(adjust(&sim, 2, "2026-12-01").await.0, 200);
    sim.switch(|switches| switches.posted_period = PostedPeriod::Accept);
    assert_eq!(adjust(&sim, 2, "2026-11-10").await.0, 200);
    let flags: Vec<_> = sim.writes().iter().map(|write| write.into_posted).collect();
    assert_eq!(flags, [false, true]);
    let november = json!({"op": "and", "items": [
        {"op": "eq", "field": "contractID", "value": CONTRACT},
        {"op": "gte", "field": "startDate", "value": "2026-11-01"},
        {"op": "lt", "field": "startDate", "value": "2026-12-01"},
    ]});
    let posted: Vec<bool> = rows(&sim, "ContractServiceUnits", november)
        .await
        .iter()
        .map(|row| !row["approveAndPostDate"].is_null())
        .collect();
    assert_eq!(posted, [true, false]);
}

#[tokio::test]
async fn posting_leaves_a_billing_item_for_each_row() {
    let sim = start(tenant()).await;
    assert_eq!(sim.post_period(CONTRACT, date(2026, 10, 5)), 1);
    let items = rows(&sim, "BillingItems", json!({"op": "eq", "field": "contractServiceID", "value": LINE})).await;
    assert_eq!(items.len(), 1);
    assert_eq!((&items[0]["quantity"], &items[0]["extendedPrice"]), (&json!(10.0), &json!(231.0)));
    let period = items[0]["contractServicePeriodID"].as_i64().unwrap();
    let (_, row) = get(&sim, &format!("/ContractServiceUnits/{period}")).await;
    assert_eq!(row["item"]["startDate"], "2026-10-01T00:00:00Z");
    assert_eq!(row["item"]["approveAndPostDate"], "2026-10-05T00:00:00Z");
}

#[tokio::test]
async fn a_price_or_cost_in_an_adjustment_counts_from_its_date() {
    let sim = start(tenant()).await;
    let body = json!({"contractServiceID": LINE, "effectiveDate": "2026-12-01", "adjustedUnitPrice": 20.5, "adjustedUnitCost": 9.99});
    assert_eq!(post(&sim, "/ContractServiceAdjustments", body).await.0, 200);
    let all = rows(&sim, "ContractServiceUnits", json!({"op": "eq", "field": "contractID", "value": CONTRACT})).await;
    let amounts = |row: &Value| (row["price"].clone(), row["cost"].clone());
    assert_eq!(amounts(&all[10]), (json!(231.0), json!(110.5)));
    assert_eq!(amounts(&all[11]), (json!(205.0), json!(99.9)));
    let (_, line) = get(&sim, &format!("/ContractServices/{LINE}")).await;
    assert_eq!(line["item"]["internalCurrencyAdjustedPrice"], json!(20.5));
    assert_eq!(line["item"]["unitPrice"], json!(23.1));
}

#[tokio::test]
async fn the_unconfirmed_forms_of_a_split_are_switches() {
    let sim = start(tenant()).await;
    sim.switch(|switches| {
        switches.split_end = SplitEnd::SameDay;
        switches.split_price = SplitPrice::ByDays;
        switches.date_form = DateForm::MidnightUtcFraction;
    });
    adjust(&sim, 10, "2026-11-16").await;
    let rows_now = timeline(&sim).await;
    assert_eq!(rows_now[10..12], [row("2026-11-01", "2026-11-16", 10), row("2026-11-16", "2026-11-30", 20)]);
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 11, 16)), Some(20));
    let tail = json!({"op": "eq", "field": "startDate", "value": "2026-11-16"});
    let tail = &rows(&sim, "ContractServiceUnits", tail).await[0];
    assert_eq!(tail["price"], json!(231.0), "20 units x 23.10 for 15 of 30 days");
    assert_eq!(tail["startDate"], "2026-11-16T00:00:00.000Z");
}

#[tokio::test]
async fn a_contract_from_the_31st_keeps_its_month_ends_on_the_wire() {
    let world = World::builder()
        .company("Acme")
        .contract(ContractSpec::recurring("C").id(CONTRACT).runs(date(2026, 8, 31), date(2027, 8, 30)))
        .line(LineSpec::of("EDR").units(1));
    let sim = start(world).await;
    let starts: Vec<_> = timeline(&sim).await.into_iter().map(|row| row.0).collect();
    assert_eq!(
        starts[..8],
        [
            "2026-08-31",
            "2026-09-30",
            "2026-10-31",
            "2026-11-30",
            "2026-12-31",
            "2027-01-31",
            "2027-02-28",
            "2027-03-31"
        ]
    );
}

#[tokio::test]
async fn quarters_split_like_months() {
    let world = World::builder()
        .company("Acme")
        .service(ServiceSpec::named("EDR").id(SERVICE))
        .contract(ContractSpec::recurring("C").id(CONTRACT).bills(Period::Quarterly))
        .line(LineSpec::of(SERVICE).id(LINE).units(3));
    let sim = start(world).await;
    adjust(&sim, 1, "2026-11-20").await;
    assert_eq!(timeline(&sim).await[3..], [row("2026-10-01", "2026-11-19", 3), row("2026-11-20", "2026-12-31", 4)]);
}

#[tokio::test]
async fn a_persons_edit_changes_units_is_no_api_write_and_uses_up_its_date() {
    let sim = start(tenant()).await;
    let edit = sim.edit_units(CONTRACT, SERVICE, date(2026, 11, 15), 4).unwrap();
    assert_eq!((edit.unit_change, edit.units), (-6, 4));
    sim.edit_units(CONTRACT, SERVICE, date(2026, 11, 15), 8).unwrap();
    assert!(sim.writes().is_empty());
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 12, 1)), Some(8));
    assert_eq!(adjust(&sim, 1, "2026-11-15").await, (500, errors(DUPLICATE)));
    sim.switch(|switches| switches.edits_use_their_date = false);
    sim.edit_units(CONTRACT, SERVICE, date(2026, 11, 16), 9).unwrap();
    assert_eq!(adjust(&sim, 1, "2026-11-16").await.0, 200);
    assert!(sim.edit_units(CONTRACT, 99, TODAY, 1).is_err());
}

#[tokio::test]
async fn an_inactive_contract_still_takes_changes_unless_switched() {
    let sim = start(tenant()).await;
    sim.set_contract_status(CONTRACT, 0).unwrap();
    assert_eq!(adjust(&sim, 1, "2026-11-10").await.0, 200);
    sim.switch(|switches| switches.inactive_contract = Verdict::Reject);
    assert_eq!(adjust(&sim, 1, "2026-11-11").await.0, 500);
}
