//! Charges on contracts and services that are made: a PSA takes them as they were meant, or says that it does not and is not
//! even asked.

use std::collections::BTreeSet;

use integration::msp::{Effect, Mishap};
use jiff::civil::date;
use shared::domain::money::Money;
use shared::domain::period::PeriodType;
use shared::psa::charges::HAS_NO_CHARGES;
use shared::psa::provision::HAS_NO_PROVISIONING;
use shared::psa::{BillingCodeKind, CatalogQuery, Connector, NewCharge, NewService, PsaCharge, PsaError, WriteError};

use crate::bench::Bench;
use crate::office::contract_ids;
use crate::settings::{Reading, everywhere};
use crate::world::{Contract, World};

contract!(
    a_charge_is_found_by_its_reference_changed_and_deleted_or_none_is_taken,
    what_becomes_of_a_charge_is_told_honestly_whatever_goes_wrong,
    a_charge_that_was_billed_is_told_so_and_stays_as_it_is,
    a_service_is_made_found_and_put_on_a_contract_or_none_is_taken,
);

fn money(text: &str) -> Money {
    Money::new(text.parse().expect("an amount"))
}

fn world() -> World {
    let contract = Contract::of(5_001, "Care", &[(701, 40)]);
    World::default().service(701, "Endpoint Detection").account(2_001, "Nord", vec![contract])
}

/// Whether a PSA takes none of it. What is refused so was never sent.
fn takes_none<T: std::fmt::Debug>(result: Result<T, PsaError>, code: &str) -> bool {
    match result {
        Ok(_) => false,
        Err(error) if error.code == code => {
            assert!(!error.explanation.is_empty() && !error.fix.is_empty());
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn not_sent<T: std::fmt::Debug>(result: Result<T, WriteError>, code: &str) {
    assert!(matches!(&result, Err(WriteError::NotSent(error)) if error.code == code), "{result:?}");
}

async fn found(psa: &dyn Connector, reference: &str) -> Option<PsaCharge> {
    let references = BTreeSet::from([reference.to_owned()]);
    let mut found = psa.charges(&contract_ids([5_001]), &references).await.expect("charges");
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

/// A charge under one of the PSA's own codes; `None` where it takes none.
async fn charge(psa: &dyn Connector, reference: &str) -> Option<NewCharge> {
    let codes = psa.billing_codes(BillingCodeKind::Material).await;
    if takes_none(codes.clone(), HAS_NO_PROVISIONING) {
        return None;
    }
    Some(NewCharge {
        contract: "5001".parse().expect("an id"),
        reference: reference.into(),
        name: "Storage, November".into(),
        description: String::new(),
        date: date(2026, 11, 1),
        cost: money("0.07"),
        price: money("0.10"),
        billing_code: codes.expect("codes").into_iter().find(|code| code.active).expect("a code").id,
    })
}

async fn what_becomes_of_a_charge_is_told_honestly_whatever_goes_wrong<P: Bench>(of: Reading) {
    use Effect::{Made, NotMade};
    let troubles = [
        Mishap::Reset(Made),
        Mishap::Reset(NotMade),
        Mishap::Failed(Made),
        Mishap::Failed(NotMade),
        Mishap::Gateway(502, Made),
        Mishap::Gateway(408, NotMade),
        Mishap::Page(Made),
        Mishap::Empty(Made),
        Mishap::Half(Made),
        Mishap::Half(NotMade),
        Mishap::Forbidden,
        Mishap::Throttled(30),
        Mishap::Redirected(307),
    ];
    everywhere::<P, _>(of, world(), move |office| async move {
        for (case, trouble) in troubles.into_iter().enumerate() {
            office.begin();
            let psa = office.connector("mishaps");
            let reference = format!("TL-{}-{case}", office.setting.number);
            let Some(charge) = charge(&*psa, &reference).await else { return 1 };
            office.psa.forget();
            office.psa.strike(1, trouble);
            let result = psa.create_charge(&charge).await;
            office.psa.heal();
            let is_there = found(&*office.connector("mishaps"), &reference).await.is_some();
            let honest = match &result {
                Ok(_) => is_there,
                Err(WriteError::NotSent(_) | WriteError::Rejected(_)) => !is_there,
                Err(WriteError::Unknown(_)) => true,
            };
            assert!(honest, "{trouble:?}: {result:?}, it is there: {is_there}");
        }
        troubles.len()
    })
    .await;
}

async fn a_charge_that_was_billed_is_told_so_and_stays_as_it_is<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, world(), |office| async move {
        let psa = office.connector("billed");
        let reference = format!("TL-billed-{}", office.setting.number);
        let Some(charge) = charge(&*psa, &reference).await else { return 1 };
        psa.create_charge(&charge).await.expect("a charge");
        office.psa.bill(5_001, charge.date);
        let seen = found(&*psa, &reference).await.expect("it is found");
        assert!(seen.billed);
        let other = NewCharge { price: money("0.29"), ..charge.clone() };
        let (changed, deleted) =
            (psa.change_charge(&seen.id, &other).await, psa.delete_charge(&charge.contract, &seen.id).await);
        assert!(changed.is_err() && deleted.is_err(), "{changed:?}, {deleted:?}");
        assert_eq!(found(&*psa, &reference).await.expect("it is found").price, Some(charge.price));
        1
    })
    .await;
}

async fn a_charge_is_found_by_its_reference_changed_and_deleted_or_none_is_taken<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, world(), |office| async move {
        let psa = office.connector("charges");
        let mut charge = NewCharge {
            contract: "5001".parse().expect("an id"),
            reference: "TL-0123456789abcdef01234567".into(),
            name: "Storage, November".into(),
            description: String::new(),
            date: date(2026, 11, 1),
            cost: money("0.07"),
            price: money("0.10"),
            billing_code: "1".parse().expect("an id"),
        };
        let id = "1".parse().expect("an id");
        office.psa.forget();
        let asked = psa.charges(&contract_ids([5_001]), &BTreeSet::from([charge.reference.clone()])).await;
        if takes_none(asked, HAS_NO_CHARGES) {
            not_sent(psa.create_charge(&charge).await, HAS_NO_CHARGES);
            not_sent(psa.change_charge(&id, &charge).await, HAS_NO_CHARGES);
            not_sent(psa.delete_charge(&charge.contract, &id).await, HAS_NO_CHARGES);
            assert_eq!((psa.requests_made(), office.psa.log_ins()), (0, 0), "the PSA is not even asked");
            return 1;
        }
        let codes = psa.billing_codes(BillingCodeKind::Material).await.expect("billing codes");
        charge.billing_code = codes.into_iter().find(|code| code.active).expect("a code").id;
        assert_eq!(found(&*psa, &charge.reference).await, None);
        let made = psa.create_charge(&charge).await.expect("a charge");
        let seen = found(&*psa, &charge.reference).await.expect("it is found");
        assert!(made.is_none_or(|id| id == seen.id));
        assert_eq!(found(&*psa, &charge.reference.to_uppercase()).await, None, "that is another one's");
        assert_eq!((seen.cost, seen.price), (Some(charge.cost), Some(charge.price)));
        assert_eq!((&seen.contract, seen.date, seen.billed), (&charge.contract, charge.date, false));
        charge.price = money("0.29");
        psa.change_charge(&seen.id, &charge).await.expect("a change");
        assert_eq!(found(&*psa, &charge.reference).await.expect("it is found").price, Some(charge.price));
        psa.delete_charge(&charge.contract, &seen.id).await.expect("it is deleted");
        assert_eq!(found(&*psa, &charge.reference).await, None);
        let again = psa.delete_charge(&charge.contract, &seen.id).await;
        assert!(matches!(again, Err(WriteError::Rejected(_))), "{again:?}");
        1
    })
    .await;
}

async fn a_service_is_made_found_and_put_on_a_contract_or_none_is_taken<P: Bench>(of: Reading) {
    everywhere::<P, _>(of, world(), |office| async move {
        let psa = office.connector("services");
        let contract = "5001".parse().expect("an id");
        let mut service = NewService {
            // Each setting has the same tenant.
            name: format!("Detection {}", office.setting.number),
            vendor: None,
            billing_code: "1".parse().expect("an id"),
            period: PeriodType::Monthly,
            unit_cost: Some(money("1.10")),
            unit_price: money("2.25"),
            description: String::new(),
        };
        office.psa.forget();
        let codes = psa.billing_codes(BillingCodeKind::RecurringService).await;
        if takes_none(codes.clone(), HAS_NO_PROVISIONING) {
            assert!(takes_none(psa.vendor("Vendor").await, HAS_NO_PROVISIONING));
            assert!(takes_none(psa.find_services("Detection").await, HAS_NO_PROVISIONING));
            not_sent(psa.create_service(&service).await, HAS_NO_PROVISIONING);
            let id = "701".parse().expect("an id");
            not_sent(psa.add_service(&contract, &id, None, None).await, HAS_NO_PROVISIONING);
            assert_eq!((psa.requests_made(), office.psa.log_ins()), (0, 0), "the PSA is not even asked");
            return 1;
        }
        service.billing_code = codes.expect("codes").into_iter().find(|code| code.active).expect("a code").id;
        assert!(psa.find_services(&service.name).await.expect("services").is_empty());
        let made = psa.create_service(&service).await.expect("a service");
        let found = psa.find_services(&service.name).await.expect("services");
        let [seen] = found.as_slice() else { panic!("{found:?}") };
        assert!(made.is_none_or(|id| id == seen.id));
        assert_eq!((seen.prices.cost, seen.prices.price), (service.unit_cost, Some(service.unit_price)));
        assert_eq!((seen.billed, seen.active), (Some(service.period), true));
        let line = psa.add_service(&contract, &seen.id, None, None).await.expect("a line");
        let query = CatalogQuery { contract: Some(contract), limit: 500, ..CatalogQuery::default() };
        let lines = psa.lines(&query).await.expect("lines").items;
        let on_it = lines.into_iter().find(|line| line.service == seen.id).expect("it is on the contract");
        assert!(line.is_none_or(|line| line == on_it.contract_service));
        1
    })
    .await;
}
