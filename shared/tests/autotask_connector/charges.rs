//! Charges on contracts: what is sent, how they are found again, and what each failure of a write says.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::date;
use serde_json::{Value, json};
use shared::domain::ids::{ChargeId, ContractId};
use shared::domain::money::Money;
use shared::psa::autotask::AutotaskConnector;
use shared::psa::{
    Charges as _, Connector as _, Kind, NewCharge, NewService, Provisioning as _, PsaCharge, WriteError,
};
use simulators::autotask::{
    ApiUser, Autotask as Simulator, ContractSpec, Entity, Fault, Kind as Sort, Naming, Picklists, ServiceSpec, Verdict,
    When, World,
};

use crate::open;
use crate::responder::{Reply, Responder, Seen, last_page, ok, status};
use crate::simulated::{connect, connect_with};

const CONTRACT: i64 = 29;
/// A code for material that every simulated tenant has, and one for recurring services.
const MATERIAL: &str = "29683279";
const RECURRING: &str = "29683278";

fn money(text: &str) -> Money {
    Money::new(text.parse().unwrap())
}

fn charge(reference: &str) -> NewCharge {
    NewCharge {
        contract: CONTRACT.to_string().parse().unwrap(),
        reference: reference.to_owned(),
        name: "Cloud backup, November".to_owned(),
        description: "Storage".to_owned(),
        date: date(2026, 11, 1),
        cost: money("10.07"),
        price: money("12.59"),
        billing_code: MATERIAL.parse().unwrap(),
    }
}

fn references<T: ToString>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

fn contracts(numbers: impl IntoIterator<Item = i64>) -> BTreeSet<ContractId> {
    numbers.into_iter().map(|number| number.to_string().parse().unwrap()).collect()
}

fn fields() -> Reply {
    ok(&json!({"fields": [{"name": "chargeType", "picklistValues":
        [{"value": "9", "label": "Capitalized"}, {"value": "4", "label": "Operational"}]}]}))
}

/// Describes the picklist, and answers anything else as `answer` says.
async fn responder(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Responder {
    Responder::start(move |seen| if seen.path.ends_with("/fields") { fields() } else { answer(seen) }).await
}

fn row(id: i64, reference: &str) -> Value {
    json!({"id": id, "contractID": CONTRACT, "internalPurchaseOrderNumber": reference, "name": "Cloud",
        "datePurchased": "2026-11-01T00:00:00Z", "unitCost": 10.07, "unitPrice": 12.59, "unitQuantity": 1.0,
        "isBilled": false, "billingCodeID": 5})
}

fn tenant() -> World {
    World::builder()
        .company("Müller GmbH")
        .contract(ContractSpec::recurring("Managed care").id(CONTRACT))
        .service(ServiceSpec::named("EDR").id(501))
        .build()
        .unwrap()
}

async fn found(connector: &AutotaskConnector, reference: &str) -> Option<PsaCharge> {
    let mut found = connector.charges(&contracts([]), &references([reference])).await.unwrap();
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

#[tokio::test]
async fn a_charge_is_sent_whole_with_its_amounts_as_they_are() {
    let psa = responder(|_| ok(&json!({"itemId": 77}))).await;
    let connector = open(&psa.base);
    let made = connector.create_charge(&charge("TL-1")).await.unwrap();
    connector.change_charge(&"77".parse().unwrap(), &charge("TL-1")).await.unwrap();
    connector.delete_charge(&"29".parse().unwrap(), &"77".parse().unwrap()).await.unwrap();
    assert_eq!(made, Some("77".parse().unwrap()));

    let seen = psa.seen();
    let paths: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert_eq!(
        paths,
        [
            "GET /v1.0/ContractCharges/entityInformation/fields",
            "POST /v1.0/Contracts/29/Charges",
            "PATCH /v1.0/Contracts/29/Charges",
            "DELETE /v1.0/Contracts/29/Charges/77",
        ]
    );
    let common = json!({"name": "Cloud backup, November", "description": "Storage", "unitQuantity": 1,
        "datePurchased": "2026-11-01T00:00:00", "unitCost": 10.07, "unitPrice": 12.59, "billingCodeID": 29_683_279,
        "internalPurchaseOrderNumber": "TL-1"});
    let with = |more: Value| {
        let mut body = common.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(seen[1].body, with(json!({"contractID": 29, "chargeType": 4, "isBillableToCompany": true})));
    assert_eq!(seen[2].body, with(json!({"id": 77})));
    assert_eq!(seen[3].body, Value::Null);
    assert_eq!(connector.requests_made(), 4);
}

#[tokio::test]
async fn a_charge_is_found_by_its_reference_however_the_tenant_numbers_and_answers() {
    for (picklists, written_ids) in [(Picklists::Seen, Naming::Named), (Picklists::Others, Naming::Null)] {
        let simulator = Simulator::start(tenant()).await.unwrap();
        simulator.switch(|switches| (switches.picklists, switches.written_ids) = (picklists, written_ids));
        let connector = connect(&simulator).await;
        let id = connector.create_charge(&charge("TL-1")).await.unwrap();
        let seen = found(&connector, "TL-1").await.unwrap();
        assert_eq!(id, (written_ids == Naming::Named).then(|| seen.id.clone()));
        assert_eq!((seen.cost, seen.price), (Some(money("10.07")), Some(money("12.59"))));
        assert_eq!((seen.date, seen.quantity, seen.billed), (date(2026, 11, 1), 1.into(), false));
        assert_eq!((seen.reference.as_str(), seen.name.as_str()), ("TL-1", "Cloud backup, November"));
        assert_eq!(seen.billing_code, Some(MATERIAL.parse().unwrap()));
        assert!(simulator.charges()[0].billable);

        let other = NewCharge { price: money("-3.5"), date: date(2026, 12, 1), ..charge("TL-1") };
        connector.change_charge(&seen.id, &other).await.unwrap();
        let changed = found(&connector, "TL-1").await.unwrap();
        assert_eq!((changed.price, changed.date), (Some(money("-3.50")), date(2026, 12, 1)));
        connector.delete_charge(&seen.contract, &seen.id).await.unwrap();
        assert_eq!(found(&connector, "TL-1").await, None);
        assert_eq!(simulator.row_writes().len(), 3);
    }
}

#[tokio::test]
async fn twelve_hundred_references_take_three_requests_and_none_takes_none() {
    let psa = responder(|seen| {
        let names = seen.body["Filter"][0]["items"][1]["value"].as_array().unwrap();
        let id = |name: &Value| 1 + name.as_str().unwrap()[3..].parse::<i64>().unwrap();
        last_page(&json!(names.iter().map(|name| row(id(name), name.as_str().unwrap())).collect::<Vec<_>>()))
    })
    .await;
    let connector = open(&psa.base);
    let names = references((0..1_200).map(|number| format!("TL-{number:06}")));
    let found = connector.charges(&contracts(1..=9), &names).await.unwrap();
    assert_eq!((found.len(), psa.seen().len()), (1_200, 3));
    let asked = &psa.seen()[0].body["Filter"][0]["items"];
    assert_eq!(asked[1]["value"].as_array().unwrap().len(), 500);
    assert_eq!(asked.as_array().unwrap().len(), 2, "{asked}");

    assert!(connector.charges(&contracts([]), &references::<&str>([])).await.unwrap().is_empty());
    let never_ours = references(["", "PO-7", &format!("TL-{}", "x".repeat(60))]);
    assert!(connector.charges(&contracts([]), &never_ours).await.unwrap().is_empty());
    assert_eq!(psa.seen().len(), 3);
}

#[tokio::test]
async fn charges_of_contracts_are_ours_alone_and_read_page_by_page() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let connector = connect(&simulator).await;
    for reference in ["TL-1", "TL-2"] {
        connector.create_charge(&charge(reference)).await.unwrap();
    }
    simulator.reset_counts();
    let ours = connector.charges(&contracts([CONTRACT, 30]), &references::<&str>([])).await.unwrap();
    assert_eq!(ours.iter().map(|charge| charge.reference.as_str()).collect::<Vec<_>>(), ["TL-1", "TL-2"]);
    assert_eq!(simulator.request_count(), 1);

    let pages = responder(|seen| {
        let filter = &seen.body["Filter"][0]["items"];
        assert_eq!(filter[2], json!({"op": "beginsWith", "field": "internalPurchaseOrderNumber", "value": "TL-"}));
        match filter[0]["op"].as_str() {
            Some("gte") => {
                ok(&json!({"items": [row(1, "TL-1"), row(2, "tl-other")], "pageDetails": {"nextPageUrl": "x"}}))
            }
            _ => last_page(&json!([row(3, "TL-3")])),
        }
    })
    .await;
    let ours = open(&pages.base).charges(&contracts([CONTRACT]), &references::<&str>([])).await.unwrap();
    assert_eq!((ours.len(), pages.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_charge_that_was_moved_to_another_contract_is_found_there() {
    let psa = responder(|_| {
        last_page(&json!([{"contractID": 30, "id": 5, "internalPurchaseOrderNumber": "TL-1",
        "datePurchased": "2026-11-01", "unitQuantity": 1, "isBilled": true}]))
    })
    .await;
    let found = open(&psa.base).charges(&contracts([CONTRACT]), &references(["TL-1"])).await.unwrap();
    assert_eq!((found[0].contract.as_str(), found[0].billed), ("30", true));
}

#[tokio::test]
async fn rows_that_were_not_asked_for_are_an_error_and_other_spellings_are_not_ours() {
    let psa = responder(|_| last_page(&json!([row(5, "tl-1"), row(6, "TL-1")]))).await;
    let found = open(&psa.base).charges(&contracts([]), &references(["TL-1"])).await.unwrap();
    assert_eq!(found.iter().map(|charge| charge.id.as_str()).collect::<Vec<_>>(), ["6"]);

    let psa = responder(|_| last_page(&json!([row(5, "TL-2")]))).await;
    let error = open(&psa.base).charges(&contracts([]), &references(["TL-1"])).await.unwrap_err();
    assert!(error.explanation.contains("charge 5 was not asked for"), "{error}");
    let error = open(&psa.base).charges(&contracts([7]), &references::<&str>([])).await.unwrap_err();
    assert!(error.explanation.contains("charge 5 is on a contract that was not asked for"), "{error}");
}

/// The writes that are settled by one table.
#[derive(Debug, Clone, Copy)]
enum Write {
    Create,
    Change,
    Delete,
    Service,
    Line,
}

impl Write {
    const ALL: [Self; 5] = [Self::Create, Self::Change, Self::Delete, Self::Service, Self::Line];

    async fn send(self, connector: &AutotaskConnector, known: &ChargeId) -> Result<(), WriteError> {
        let contract = CONTRACT.to_string().parse().unwrap();
        match self {
            Self::Create => connector.create_charge(&charge("TL-2")).await.map(drop),
            Self::Change => {
                connector.change_charge(known, &NewCharge { price: money("99.00"), ..charge("TL-1") }).await
            }
            Self::Delete => connector.delete_charge(&contract, known).await,
            Self::Service => connector.create_service(&service()).await.map(drop),
            Self::Line => connector.add_service(&contract, &"501".parse().unwrap(), None, None).await.map(drop),
        }
    }

    fn entity(self) -> (Entity, Sort) {
        match self {
            Self::Create => (Entity::ContractCharges, Sort::Create),
            Self::Change => (Entity::ContractCharges, Sort::Update),
            Self::Delete => (Entity::ContractCharges, Sort::Delete),
            Self::Service => (Entity::Services, Sort::Create),
            Self::Line => (Entity::ContractServices, Sort::Create),
        }
    }
}

fn service() -> NewService {
    NewService {
        name: "MDR".to_owned(),
        vendor: None,
        billing_code: RECURRING.parse().unwrap(),
        period: shared::domain::period::PeriodType::Monthly,
        unit_cost: Some(money("1.25")),
        unit_price: money("3.00"),
        description: String::new(),
    }
}

fn told(result: &Result<(), WriteError>) -> &'static str {
    match result {
        Ok(()) => "applied",
        Err(WriteError::NotSent(_)) => "not sent",
        Err(WriteError::Rejected(_)) => "rejected",
        Err(WriteError::Unknown(_)) => "unknown",
    }
}

#[tokio::test]
async fn every_fault_of_every_write_says_what_may_have_become_of_it_and_none_is_repeated() {
    let (applied, rejected, unknown) = ("applied", "rejected", "unknown");
    let cases = [
        (None, applied, 1),
        (Some(Fault::ResetBefore), unknown, 0),
        (Some(Fault::ResetAfter), unknown, 1),
        (Some(Fault::HangBefore), unknown, 0),
        (Some(Fault::HangAfter), unknown, 1),
        (Some(Fault::error_before()), unknown, 0),
        (Some(Fault::error_after()), unknown, 1),
        (Some(Fault::unparsable_after()), unknown, 1),
        (Some(Fault::answer(204, "").after()), unknown, 1),
        (Some(Fault::answer(408, "")), unknown, 0),
        (Some(Fault::answer(502, "<html>")), unknown, 0),
        (Some(Fault::answer(503, "").after()), unknown, 1),
        (Some(Fault::errors_with_200()), rejected, 0),
        (Some(Fault::answer(401, "")), rejected, 0),
        (Some(Fault::answer(404, "")), rejected, 0),
        (Some(Fault::too_many_requests(Some(60))), rejected, 0),
        (Some(Fault::redirect(307, "http://127.0.0.1:1/")), rejected, 0),
    ];
    for write in Write::ALL {
        for (fault, expected, made) in cases.clone() {
            let simulator = Simulator::start(tenant()).await.unwrap();
            // A fault that hangs is waited for; the others must not be taken for a slow answer.
            let hangs = matches!(fault, Some(Fault::HangBefore | Fault::HangAfter));
            let request_timeout = Duration::from_millis(if hangs { 40 } else { 10_000 });
            let patient = connect(&simulator).await;
            let known = patient.create_charge(&charge("TL-1")).await.unwrap().unwrap();
            simulator.reset_counts();
            if let Some(fault) = fault.clone() {
                simulator.plan_fault(When::Write(1), fault);
            }
            let connector = connect_with(&simulator, request_timeout).await;
            let mut result = write.send(&connector, &known).await;
            // A busy machine may be late with the picklist too; what was not sent may be sent again.
            while hangs && matches!(result, Err(WriteError::NotSent(_))) {
                result = write.send(&connector, &known).await;
            }
            let (entity, sort) = write.entity();
            let case = format!("{write:?} {fault:?}: {result:?}");
            assert_eq!((told(&result), simulator.row_writes().len()), (expected, made), "{case}");
            assert_eq!(simulator.count(entity, sort), 1, "{case}");
            // Whoever reads afterwards sees it.
            let seen = match write {
                Write::Create => found(&patient, "TL-2").await.is_some(),
                Write::Change => found(&patient, "TL-1").await.unwrap().price == Some(money("99")),
                Write::Delete => found(&patient, "TL-1").await.is_none(),
                Write::Service => !patient.find_services("MDR").await.unwrap().is_empty(),
                Write::Line => simulator.units(CONTRACT, 501, date(2026, 11, 1)).is_some(),
            };
            assert_eq!(seen, made == 1, "{case}");
        }
    }
}

#[tokio::test]
async fn a_billed_charge_is_told_as_such_and_stays_as_it_is() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let connector = connect(&simulator).await;
    let id = connector.create_charge(&charge("TL-1")).await.unwrap().unwrap();
    simulator.bill_charges(CONTRACT, date(2026, 11, 30));
    let other = NewCharge { price: money("1"), ..charge("TL-1") };
    // What Autotask says then is not on record, so that only a read can tell.
    let changed = connector.change_charge(&id, &other).await;
    let deleted = connector.delete_charge(&other.contract, &id).await;
    assert_eq!((told(&changed), told(&deleted)), ("unknown", "unknown"));
    let seen = found(&connector, "TL-1").await.unwrap();
    assert_eq!((seen.billed, seen.price), (true, Some(money("12.59"))));
    assert!(changed.unwrap_err().error().said.as_deref().unwrap().contains("billed"));
}

#[tokio::test]
async fn deleting_what_is_gone_is_a_refusal_that_says_so() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let connector = connect(&simulator).await;
    let gone = connector.delete_charge(&"29".parse().unwrap(), &"40001".parse().unwrap()).await;
    let Err(WriteError::Rejected(error)) = gone else { panic!("{gone:?}") };
    assert_eq!((error.kind, error.code.as_str()), (Kind::NotFound, "psa_record_not_found"));
}

#[tokio::test]
async fn autotasks_rules_of_charges_are_explained_where_their_words_are_known() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let connector = connect(&simulator).await;
    for code in [RECURRING, "999"] {
        let wrong = NewCharge { billing_code: code.parse().unwrap(), ..charge("TL-1") };
        let Err(WriteError::Rejected(error)) = connector.create_charge(&wrong).await else { panic!("{code}") };
        assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, "psa_billing_code_invalid"));
    }
    simulator.switch(|switches| switches.negative_charge = Verdict::Reject);
    let credit = NewCharge { price: money("-1"), ..charge("TL-1") };
    assert!(matches!(connector.create_charge(&credit).await, Err(WriteError::Unknown(_))));
    assert!(simulator.charges().is_empty());
}

#[tokio::test]
async fn costs_are_hidden_from_a_user_who_may_not_read_them() {
    let simulator = Simulator::setup(tenant()).user(ApiUser::full().cost_blind()).start().await.unwrap();
    let connector = connect(&simulator).await;
    connector.create_charge(&charge("TL-1")).await.unwrap();
    let seen = found(&connector, "TL-1").await.unwrap();
    assert_eq!((seen.cost, seen.price), (None, Some(money("12.59"))));
    assert_eq!(simulator.charges()[0].unit_cost, 0.into(), "Autotask drops it without a word");
}

#[tokio::test]
async fn what_autotask_can_not_hold_is_not_sent() {
    let psa = responder(|_| ok(&json!({"itemId": 1}))).await;
    let connector = open(&psa.base);
    let good = charge("TL-1");
    let long = |length: usize| "ä".repeat(length);
    for (wrong, code) in [
        (NewCharge { reference: "PO-1".to_owned(), ..good.clone() }, "charge_reference_invalid"),
        (NewCharge { reference: format!("TL-{}", long(48)), ..good.clone() }, "charge_reference_invalid"),
        (NewCharge { name: long(101), ..good.clone() }, "psa_text_length"),
        (NewCharge { name: " ".to_owned(), ..good.clone() }, "psa_text_length"),
        (NewCharge { description: long(2_001), ..good.clone() }, "psa_text_length"),
        (NewCharge { contract: "abc".parse().unwrap(), ..good.clone() }, "psa_id_invalid"),
        (NewCharge { billing_code: "abc".parse().unwrap(), ..good.clone() }, "psa_id_invalid"),
        (NewCharge { price: money("1234567890123456.123456"), ..good.clone() }, "amount_unwritable"),
    ] {
        for result in [
            connector.create_charge(&wrong).await.map(drop),
            connector.change_charge(&"7".parse().unwrap(), &wrong).await,
        ] {
            let Err(WriteError::NotSent(error)) = result else { panic!("{wrong:?}: {result:?}") };
            assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, code));
        }
    }
    let result = connector.delete_charge(&"29".parse().unwrap(), &"abc".parse().unwrap()).await;
    assert!(matches!(result, Err(WriteError::NotSent(_))), "{result:?}");
    assert!(psa.seen().is_empty());
    connector.create_charge(&NewCharge { name: long(100), ..good }).await.unwrap();
}

#[tokio::test]
async fn the_type_of_charges_is_asked_for_once_and_before_anything_is_written() {
    let psa = responder(|_| ok(&json!({"itemId": null}))).await;
    let connector = open(&psa.base);
    for _ in 0..3 {
        assert_eq!(connector.create_charge(&charge("TL-1")).await, Ok(None));
    }
    let asked = psa.seen().iter().filter(|seen| seen.path.ends_with("/fields")).count();
    assert_eq!((asked, psa.seen().len()), (1, 4));

    for (answer, code) in [
        (status(500, ""), "psa_unavailable"),
        (ok(&json!({"fields": []})), "psa_charge_type_missing"),
        (
            ok(&json!({"fields": [{"name": "chargeType", "picklistValues": [{"value": "1", "label": "Other"}]}]})),
            "psa_charge_type_missing",
        ),
    ] {
        let psa = Responder::start(move |_| answer.clone()).await;
        let result = open(&psa.base).create_charge(&charge("TL-1")).await;
        let Err(WriteError::NotSent(error)) = result else { panic!("{code}: {result:?}") };
        assert_eq!((error.code.as_str(), psa.seen().len()), (code, 1));
    }
}

#[tokio::test]
async fn charges_are_written_one_at_a_time_and_each_over_a_connection_of_its_own() {
    let psa = responder(|_| ok(&json!({"itemId": null}))).await;
    let connector = open(&psa.base);
    connector.create_charge(&charge("TL-0")).await.unwrap();
    let before = psa.seen().len();
    let (first, second, id) = (charge("TL-1"), charge("TL-2"), "7".parse().unwrap());
    let contract = "29".parse().unwrap();
    let results = tokio::join!(
        connector.create_charge(&first),
        connector.change_charge(&id, &second),
        connector.delete_charge(&contract, &id),
        connector.create_charge(&second),
    );
    assert!(matches!(results, (Ok(None), Ok(()), Ok(()), Ok(None))));
    let seen = psa.seen();
    let connections: BTreeSet<_> = seen[before..].iter().map(|seen| seen.peer).collect();
    assert_eq!((connections.len(), psa.at_once()), (4, 1));
}
