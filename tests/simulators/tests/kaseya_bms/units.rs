//! Posting services: the two readings, what is refused, and the truth afterwards.

use jiff::civil::date;
use serde_json::{Value, json};
use simulators::kaseya_bms::{Change, ContractKind, ContractSpec, LineSemantics, MissingPrice};

use crate::support::*;

#[tokio::test]
async fn posting_a_service_again_adds_a_second_line_whose_units_come_on_top() {
    let sim = start(tenant()).await;
    let (status, body) = post_units(&sim, 3, "2026-11-10").await;
    assert_eq!(status, 200, "{body}");
    let result = &body["result"];
    assert_eq!(
        (&result["id"], &result["units"]),
        (&json!(60_001), &json!(3.0)),
        "a whole number comes back as a double"
    );
    assert_eq!((&result["contractName"], &result["totalPrice"]), (&json!("Security"), &json!(69.3)));
    assert_eq!(each(&related(&sim).await, "id"), [LINE, 60_001]);
    let units = |day| sim.units(CONTRACT, SERVICE, day);
    assert_eq!((units(date(2026, 11, 9)), units(date(2026, 11, 10))), (Some(10), Some(13)));
    assert_eq!(post_units(&sim, -5, "2026-11-12").await.0, 200);
    assert_eq!(units(TODAY), Some(8));
    assert_eq!((units(date(2025, 12, 31)), units(date(2027, 1, 1))), (None, None), "outside the contract");
    let writes = sim.writes();
    assert_eq!(
        writes.iter().map(|write| (write.line_id, write.change, write.units_sent, write.units)).collect::<Vec<_>>(),
        [(60_001, Change::Added, Some(3), 13), (60_002, Change::Added, Some(-5), 8)]
    );
    assert_eq!((&writes[0].body, writes[0].effective_date), (&item(3, "2026-11-10"), date(2026, 11, 10)));
    assert_eq!(writes[0].by, "tallyline.api");
}

#[tokio::test]
async fn or_it_replaces_the_line_from_its_date_on() {
    let sim = start(tenant()).await;
    sim.switch(|switches| switches.line_semantics = LineSemantics::Replaces);
    let (_, body) = post_units(&sim, 12, "2026-11-10").await;
    assert_eq!((&body["result"]["id"], &body["result"]["units"]), (&json!(LINE), &json!(12.0)));
    let rows = related(&sim).await;
    assert_eq!((each(&rows, "id"), &rows[0]["effectiveDate"]), (vec![&json!(LINE)], &json!("2026-11-10T00:00:00")));
    let units = |day| sim.units(CONTRACT, SERVICE, day);
    assert_eq!((units(date(2026, 11, 9)), units(date(2026, 11, 10))), (Some(10), Some(12)));
    post_units(&sim, 7, "2026-11-01").await;
    assert_eq!((units(date(2026, 10, 31)), units(TODAY)), (Some(10), Some(7)), "later changes are gone");
    assert_eq!(sim.writes()[1].change, Change::Replaced);
    assert_eq!(sim.line_ids(CONTRACT, SERVICE), [LINE]);
}

#[tokio::test]
async fn a_service_that_is_not_on_the_contract_becomes_a_line_under_either_reading() {
    for semantics in [LineSemantics::Adds, LineSemantics::Replaces] {
        let sim = start(tenant().contract(ContractSpec::recurring("Other").id(43))).await;
        sim.switch(|switches| switches.line_semantics = semantics);
        let body = json!([item(4, "2026-11-01")]);
        assert_eq!(post(&sim, "/v2/finance/contracts/recurringservices/43/services", body).await.0, 200);
        assert_eq!(sim.units(43, SERVICE, TODAY), Some(4));
        assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(10));
    }
}

#[tokio::test]
async fn the_body_is_an_array_and_is_taken_whole_or_not_at_all() {
    let sim = start(tenant()).await;
    let two = json!([item(1, "2026-11-01"), item(2, "2026-11-02")]);
    let (status, body) = post(&sim, &services_path(), two).await;
    assert_eq!((status, &body["result"]["units"]), (200, &json!(1.0)), "one object, of the first");
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(13));
    let mut strange = item(1, "2026-11-01");
    strange["ServiceId"] = json!(99);
    for body in [item(1, "2026-11-01"), json!([]), json!([item(1, "2026-11-01"), strange])] {
        assert_ne!(post(&sim, &services_path(), body).await.0, 200);
    }
    assert_eq!(sim.writes().len(), 2);
}

#[tokio::test]
async fn units_are_whole_numbers_of_32_bits() {
    let sim = start(tenant()).await;
    for units in [json!(1.5), json!(2.0), json!("3"), json!(2_147_483_648_i64), Value::Null] {
        let mut sent = item(1, "2026-11-01");
        sent["Units"] = units.clone();
        let (status, body) = post(&sim, &services_path(), json!([sent])).await;
        assert_eq!((status, &body["success"]), (400, &json!(false)), "{units}");
    }
    let mut undated = item(1, "2026-11-01");
    undated.as_object_mut().unwrap().remove("EffectiveDate");
    assert_eq!(post(&sim, &services_path(), json!([undated])).await.0, 400);
    let lower = json!([{"serviceId": SERVICE, "units": 1, "effectiveDate": "2026-11-01"}]);
    assert_eq!(post(&sim, &services_path(), lower).await.0, 200);
    assert_eq!(sim.writes().len(), 1);
}

#[tokio::test]
async fn an_amount_that_is_not_sent_is_nothing_or_the_catalogues() {
    let sim = start(tenant()).await;
    let bare = json!([{"ServiceId": SERVICE, "Units": 1, "EffectiveDate": "2026-11-01"}]);
    let (_, body) = post(&sim, &services_path(), bare.clone()).await;
    assert_eq!((&body["result"]["unitPrice"], &body["result"]["originalUnitPrice"]), (&json!(0.0), &json!(23.1)));
    sim.switch(|switches| switches.missing_price = MissingPrice::Catalogue);
    let (_, body) = post(&sim, &services_path(), bare).await;
    assert_eq!((&body["result"]["unitPrice"], &body["result"]["unitCost"]), (&json!(23.1), &json!(11.05)));
}

#[tokio::test]
async fn what_may_be_refused_is_refused_only_when_its_switch_says_so() {
    let sim = start(tenant()).await;
    assert_eq!(post_units(&sim, -1, "2026-11-01").await.0, 200);
    sim.switch(|switches| switches.refuses_negative = true);
    assert_eq!(post_units(&sim, -1, "2026-11-01").await.0, 400);
    assert_eq!(post_units(&sim, 1, "2027-01-01").await.0, 200);
    sim.switch(|switches| switches.refuses_outside_contract = true);
    assert_eq!(post_units(&sim, 1, "2027-01-01").await.0, 400);
    sim.set_contract_active(CONTRACT, false).unwrap();
    assert_eq!(post_units(&sim, 1, "2026-11-01").await.0, 200);
    sim.switch(|switches| switches.refuses_inactive_contract = true);
    assert_eq!(post_units(&sim, 1, "2026-11-01").await.0, 400);
    assert_eq!(sim.writes().len(), 3);
}

#[tokio::test]
async fn a_refusal_may_come_as_200_without_success() {
    let sim = start(tenant()).await;
    sim.switch(|switches| (switches.refuses_negative, switches.fails_in_200) = (true, true));
    let (status, body) = post_units(&sim, -1, "2026-11-01").await;
    assert_eq!((status, &body["success"], &body["result"]), (200, &json!(false), &Value::Null));
    assert!(body["error"]["message"].as_str().unwrap().contains("negative"));
    let (status, body) = post(&sim, &services_path(), json!([{"ServiceId": SERVICE}])).await;
    assert_eq!((status, &body["error"]["subErrors"][0]), (200, &json!("The Units field is required.")));
    assert!(sim.writes().is_empty());
}

#[tokio::test]
async fn only_a_recurring_contract_that_exists_takes_services() {
    let other = ContractSpec::of_kind(ContractKind::FixedPrice, "Move").id(43);
    let sim = start(tenant().contract(other)).await;
    let path = |contract| format!("/v2/finance/contracts/recurringservices/{contract}/services");
    assert_eq!(post(&sim, &path(43), json!([item(1, "2026-11-01")])).await.0, 400);
    assert_eq!(post(&sim, &path(99), json!([item(1, "2026-11-01")])).await.0, 404);
}

#[tokio::test]
async fn a_person_edits_adds_and_deletes_lines_meanwhile() {
    let sim = start(tenant()).await;
    assert_eq!(sim.edit_units(CONTRACT, SERVICE, date(2026, 11, 15), 6).unwrap().units, 6);
    assert_eq!(sim.units(CONTRACT, SERVICE, date(2026, 11, 14)), Some(10));
    let added = sim.add_line(CONTRACT, SERVICE, date(2026, 11, 16), 4).unwrap();
    assert_eq!((added.line_id, added.units), (60_001, 10));
    sim.edit_units(CONTRACT, SERVICE, TODAY, 20).unwrap();
    let own: Vec<_> = sim.lines(TODAY).iter().map(|line| (line.line_id, line.units)).collect();
    assert_eq!(own, [(LINE, Some(6)), (60_001, Some(14))], "the newest line takes the difference");
    assert_eq!(sim.delete_line(LINE).unwrap().units, 0, "nothing was left of 15 November");
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(14));
    assert_eq!(each(&related(&sim).await, "id"), [60_001]);
    let edits: Vec<_> = sim.edits().iter().map(|edit| edit.change).collect();
    assert_eq!(edits, [Change::Edited, Change::Added, Change::Edited, Change::Deleted]);
    assert!(sim.writes().is_empty());
    assert!(sim.delete_line(LINE).is_err());
    assert!(sim.edit_units(CONTRACT, 99, TODAY, 1).is_err());
    post_units(&sim, 1, "2026-11-20").await;
    assert_eq!(sim.line_ids(CONTRACT, SERVICE), [60_001, 60_002], "an id is never used again");
}
