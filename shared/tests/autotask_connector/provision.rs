//! Services that are made for the partner: billing codes and vendors by their names, what is sent, and what is refused.

use std::collections::BTreeSet;

use jiff::civil::date;
use serde_json::{Value, json};
use shared::domain::money::Money;
use shared::domain::period::PeriodType;
use shared::psa::{
    BillingCode, BillingCodeKind, CatalogQuery, Connector as _, Kind, NewService, Provisioning as _, WriteError,
};
use simulators::autotask::{
    Autotask as Simulator, CodeSpec, CompanySpec, ContractSpec, Effect, Naming, Picklists, ServiceSpec, World,
};

use crate::open;
use crate::responder::{Responder, ok};
use crate::simulated::connect;

const CONTRACT: i64 = 29;
const VENDOR: i64 = 3_000;
const RECURRING: i64 = 29_683_278;
const MATERIAL: i64 = 29_683_279;

fn tenant() -> World {
    World::builder()
        .billing_code(CodeSpec::recurring("Old services").id(50).inactive())
        .billing_code(CodeSpec::material("Cloud").id(51))
        .company(CompanySpec::named("Vendor Inc.").id(VENDOR).vendor())
        .company(CompanySpec::named("VENDOR INC.").id(3_001).vendor())
        .company(CompanySpec::named("Twin Ltd").id(3_002).vendor())
        .company(CompanySpec::named("Twin Ltd").id(3_003).vendor())
        .company(CompanySpec::named("Gone AG").id(3_004).vendor().inactive())
        .company(CompanySpec::named("Half AG").id(3_005).vendor().inactive())
        .company(CompanySpec::named("Half AG").id(3_006).vendor())
        .company(CompanySpec::named("Müller GmbH").id(1_001))
        .contract(ContractSpec::recurring("Managed care").id(CONTRACT))
        .contract(ContractSpec::fixed_price("Move").id(30))
        .service(ServiceSpec::named("EDR").id(501).price("5").cost("2"))
        .service(ServiceSpec::named("edr").id(502).inactive())
        .build()
        .unwrap()
}

fn money(text: &str) -> Money {
    Money::new(text.parse().unwrap())
}

fn service() -> NewService {
    NewService {
        name: "MDR per endpoint".to_owned(),
        vendor: Some(VENDOR.to_string().parse().unwrap()),
        billing_code: RECURRING.to_string().parse().unwrap(),
        period: PeriodType::Quarterly,
        unit_cost: Some(money("1.125")),
        unit_price: money("3.50"),
        description: "Managed".to_owned(),
    }
}

#[tokio::test]
async fn billing_codes_are_told_by_the_label_of_their_use_and_not_by_its_number() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    for picklists in [Picklists::Seen, Picklists::Others] {
        simulator.switch(|switches| switches.picklists = picklists);
        let connector = connect(&simulator).await;
        simulator.reset_counts();
        let told = async |kind| -> Vec<(i64, bool)> {
            let codes = connector.billing_codes(kind).await.unwrap();
            codes.iter().map(|code| (code.id.as_str().parse().unwrap(), code.active)).collect()
        };
        assert_eq!(told(BillingCodeKind::RecurringService).await, [(50, false), (RECURRING, true)]);
        assert_eq!(told(BillingCodeKind::Material).await, [(51, true), (MATERIAL, true)]);
        assert_eq!(simulator.request_count(), 4);

        let codes = connector.billing_codes(BillingCodeKind::Material).await.unwrap();
        assert_eq!(BillingCode::named(&codes, "Cloud").unwrap().id.as_str(), "51");
        let missing = BillingCode::named(&codes, "cloud").unwrap_err();
        assert_eq!((missing.kind, missing.code.as_str()), (Kind::NotFound, "psa_billing_code_not_found"));
        assert!(!missing.fix.is_empty());
    }
}

#[tokio::test]
async fn a_tenant_without_the_label_is_told_which_labels_it_has() {
    let picks = json!([{"value": "4", "label": "Materiał"}, {"value": "5", "label": "Usługa"}]);
    let psa = Responder::start(move |_| {
        ok(&json!({"fields": [
            {"name": "useType", "picklistValues": picks}, {"name": "companyType", "picklistValues": null}]}))
    })
    .await;
    let connector = open(&psa.base);
    for kind in [BillingCodeKind::Material, BillingCodeKind::RecurringService] {
        let error = connector.billing_codes(kind).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, "psa_billing_code_kind_missing"));
        assert!(error.explanation.contains("Materiał, Usługa") && !error.fix.is_empty(), "{error}");
    }
    assert_eq!(connector.vendor("Vendor Inc.").await.unwrap_err().code, "psa_vendor_type_missing");
    assert_eq!(psa.seen().len(), 3, "nothing is asked for by a number that is not known");
}

#[tokio::test]
async fn a_vendor_is_the_one_of_exactly_that_name() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    for picklists in [Picklists::Seen, Picklists::Others] {
        simulator.switch(|switches| switches.picklists = picklists);
        let connector = connect(&simulator).await;
        simulator.reset_counts();
        let id = async |name: &str| connector.vendor(name).await.map(|vendor| vendor.id.to_string());
        assert_eq!(id(" Vendor Inc. ").await.unwrap(), "3000");
        assert_eq!(simulator.request_count(), 2);
        assert_eq!(id("VENDOR INC.").await.unwrap(), "3001");
        assert_eq!(id("Half AG").await.unwrap(), "3006");
        for (name, kind, code) in [
            ("vendor inc.", Kind::NotFound, "psa_vendor_not_found"),
            ("Vendor", Kind::NotFound, "psa_vendor_not_found"),
            ("Gone AG", Kind::NotFound, "psa_vendor_not_found"),
            ("Müller GmbH", Kind::NotFound, "psa_vendor_not_found"),
            ("Twin Ltd", Kind::Validation, "psa_vendor_ambiguous"),
        ] {
            let error = connector.vendor(name).await.unwrap_err();
            assert_eq!((error.kind, error.code.as_str()), (kind, code), "{name}");
            assert!(error.explanation.contains(name) && !error.fix.is_empty(), "{error}");
        }
    }
}

#[tokio::test]
async fn a_service_is_sent_whole_and_what_is_not_known_is_left_out() {
    let psa = Responder::start(|_| ok(&json!({"itemId": 900}))).await;
    let connector = open(&psa.base);
    assert_eq!(connector.create_service(&service()).await.unwrap(), Some("900".parse().unwrap()));
    let bare = NewService { vendor: None, unit_cost: None, description: String::new(), ..service() };
    connector.create_service(&bare).await.unwrap();
    let (contract, id) = ("29".parse().unwrap(), "900".parse().unwrap());
    let line = connector.add_service(&contract, &id, Some(money("1.10")), Some(money("3"))).await.unwrap();
    assert_eq!(line, Some("900".parse().unwrap()));
    connector.add_service(&contract, &id, None, None).await.unwrap();

    let seen = psa.seen();
    let sent: Vec<_> = seen.iter().map(|seen| (format!("{} {}", seen.method, seen.path), seen.body.clone())).collect();
    let name = "MDR per endpoint";
    let expected: [(&str, Value); 4] = [
        (
            "POST /v1.0/Services",
            json!({"name": name, "description": "Managed", "billingCodeID": RECURRING, "periodType": 3,
                "unitPrice": 3.5, "unitCost": 1.125, "vendorCompanyID": VENDOR}),
        ),
        (
            "POST /v1.0/Services",
            json!({"name": name, "description": "", "billingCodeID": RECURRING, "periodType": 3, "unitPrice": 3.5}),
        ),
        (
            "POST /v1.0/Contracts/29/Services",
            json!({"contractID": 29, "serviceID": 900, "unitCost": 1.1, "unitPrice": 3.0}),
        ),
        ("POST /v1.0/Contracts/29/Services", json!({"contractID": 29, "serviceID": 900})),
    ];
    assert_eq!(sent, expected.map(|(path, body)| (path.to_owned(), body)));
}

#[tokio::test]
async fn a_service_that_was_made_is_found_by_its_name_and_goes_on_a_contract() {
    for (written_ids, units, prices) in [(Naming::Named, 0, Effect::Applied), (Naming::Null, 1, Effect::Ignored)] {
        let simulator = Simulator::start(tenant()).await.unwrap();
        simulator.switch(|switches| {
            switches.written_ids = written_ids;
            switches.new_line_units = units;
            switches.new_line_prices = prices;
        });
        let connector = connect(&simulator).await;
        let made = connector.create_service(&service()).await.unwrap();
        let found = connector.find_services(" MDR per endpoint ").await.unwrap();
        assert_eq!((found.len(), found[0].active, found[0].billed), (1, true, Some(PeriodType::Quarterly)));
        assert_eq!(made.is_some(), written_ids == Naming::Named);
        assert!(made.is_none_or(|made| made == found[0].id));
        let id: i64 = found[0].id.as_str().parse().unwrap();
        let held = simulator.services().into_iter().find(|held| held.id == id).unwrap();
        assert_eq!((held.vendor_id, held.unit_cost), (Some(VENDOR), "1.125".parse().unwrap()));

        let contract = CONTRACT.to_string().parse().unwrap();
        let line = connector.add_service(&contract, &found[0].id, None, Some(money("4"))).await.unwrap();
        let query = CatalogQuery { contract: Some(contract), limit: 10, ..CatalogQuery::default() };
        let lines = connector.lines(&query).await.unwrap().items;
        assert_eq!((lines.len(), &lines[0].service), (1, &found[0].id));
        assert!(line.is_none_or(|line| line == lines[0].contract_service));
        assert_eq!(simulator.units(CONTRACT, held.id, date(2026, 11, 20)), Some(units));
        assert!(simulator.auto_created().is_empty());
    }
}

#[tokio::test]
async fn services_are_compared_by_their_exact_names_whether_active_or_not() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let connector = connect(&simulator).await;
    simulator.reset_counts();
    let told = async |name: &str| -> Vec<(String, bool)> {
        let found = connector.find_services(name).await.unwrap();
        found.into_iter().map(|service| (service.id.to_string(), service.active)).collect()
    };
    assert_eq!(told("EDR").await, [("501".to_owned(), true)]);
    assert_eq!(told("edr").await, [("502".to_owned(), false)]);
    assert!(told("ED").await.is_empty());
    assert_eq!(simulator.request_count(), 3);
}

#[tokio::test]
async fn autotasks_rules_of_services_are_explained_where_their_words_are_known() {
    let simulator = Simulator::start(tenant()).await.unwrap();
    let connector = connect(&simulator).await;
    for (wrong, code) in [
        (NewService { billing_code: MATERIAL.to_string().parse().unwrap(), ..service() }, "psa_billing_code_invalid"),
        (NewService { billing_code: "50".parse().unwrap(), ..service() }, "psa_billing_code_invalid"),
        (NewService { vendor: Some("9".parse().unwrap()), ..service() }, "psa_vendor_invalid"),
    ] {
        let Err(WriteError::Rejected(error)) = connector.create_service(&wrong).await else { panic!("{wrong:?}") };
        assert_eq!((error.kind, error.code.as_str()), (Kind::Validation, code));
        assert!(!error.fix.is_empty() && error.said.is_some());
    }
    let add = async |contract: &str, service: &str| {
        connector.add_service(&contract.parse().unwrap(), &service.parse().unwrap(), None, None).await
    };
    for (contract, service) in [("999", "501"), ("29", "999"), ("29", "502")] {
        let Err(WriteError::Rejected(error)) = add(contract, service).await else { panic!("{contract} {service}") };
        assert_eq!(error.code, "psa_reference_invalid");
    }
    // What Autotask says to a service on another kind of contract is not on record.
    assert!(matches!(add("30", "501").await, Err(WriteError::Unknown(_))));
    assert!(simulator.row_writes().is_empty());
}

#[tokio::test]
async fn a_service_that_autotask_can_not_hold_is_not_sent() {
    let psa = Responder::start(|_| ok(&json!({"itemId": 1}))).await;
    let connector = open(&psa.base);
    let long = |length: usize| "ä".repeat(length);
    let mut codes = BTreeSet::new();
    for wrong in [
        NewService { name: long(151), ..service() },
        NewService { name: String::new(), ..service() },
        NewService { description: long(401), ..service() },
        NewService { billing_code: "x".parse().unwrap(), ..service() },
        NewService { vendor: Some("x".parse().unwrap()), ..service() },
        NewService { unit_price: money("1234567890123456.123456"), ..service() },
    ] {
        let result = connector.create_service(&wrong).await;
        let Err(WriteError::NotSent(error)) = result else { panic!("{wrong:?}: {result:?}") };
        codes.insert(error.code);
    }
    let id = "x".parse().unwrap();
    let result = connector.add_service(&"29".parse().unwrap(), &id, None, None).await;
    assert!(matches!(result, Err(WriteError::NotSent(_))), "{result:?}");
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["amount_unwritable", "psa_id_invalid", "psa_text_length"]);
    assert!(psa.seen().is_empty());
}
