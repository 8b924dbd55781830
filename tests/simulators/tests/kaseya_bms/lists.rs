//! Accounts, contracts, the catalogue and the wire around them.

use jiff::civil::date;
use serde_json::{Value, json};
use simulators::kaseya_bms::{
    AccountSpec, Casing, ContractKind, ContractSpec, Limits, LineSpec, OversizedPage, ServiceSpec, StatusSpelling,
    TextFilter, TypeSpelling, WorldBuilder,
};

use crate::support::*;

/// The small tenant with contracts of every sort on a second account.
fn wide() -> WorldBuilder {
    let recurring = ContractSpec::recurring;
    tenant()
        .account(AccountSpec::named("Harbour & Sons").id(2_002))
        .contract(recurring("Security").id(43))
        .contract(recurring("Security (old)").id(44).runs(date(2025, 1, 1), date(2025, 12, 31)))
        .contract(recurring("Security (cancelled)").id(45).inactive())
        .contract(ContractSpec::of_kind(ContractKind::TimeAndMaterial, "Support").id(46).bills("Quarterly"))
        .account(AccountSpec::named("Gone Ltd").id(2_003).inactive())
        .service(ServiceSpec::named("Backup").id(6).inactive())
}

async fn summary(sim: &simulators::KaseyaBms, filter: &str) -> Vec<Value> {
    let rows = result(sim, &format!("/v2/finance/contracts/summary?PageSize=100&{filter}")).await;
    each(&rows, "id").into_iter().cloned().collect()
}

#[tokio::test]
async fn accounts_are_listed_by_name_and_activity_and_paged_from_one() {
    let sim = start(wide()).await;
    let lookup = |query: &str| format!("/v2/crm/accounts/lookup?{query}");
    let rows = result(&sim, &lookup("filter.name=m%C3%BCll")).await;
    assert_eq!(rows, json!([{"id": ACCOUNT, "name": "Müller GmbH", "tenantName": "Nordwind IT", "isActive": true}]));
    assert_eq!(each(&result(&sim, &lookup("")).await, "id"), [2_001, 2_002]);
    assert_eq!(each(&result(&sim, &lookup("Filter.WithInactiveAccounts=true")).await, "id"), [2_001, 2_002, 2_003]);
    assert_eq!(each(&result(&sim, &lookup("Filter.Ids=2002&Filter.Ids=2001")).await, "id"), [2_001, 2_002]);
    let (_, page) = get(&sim, "/v2/crm/accounts/summary?pagesize=2&PAGENUMBER=2").await;
    assert_eq!((each(&page["result"], "accountName"), &page["totalRecords"]), (vec![&json!("Gone Ltd")], &json!(3)));
    let (_, page) = get(&sim, "/v2/crm/accounts/summary?Filter.AccountCode=M-1&Filter.IsActive=true").await;
    assert_eq!((each(&page["result"], "id"), &page["totalRecords"]), (vec![&json!(ACCOUNT)], &json!(1)));
    let (_, lookup) = get(&sim, "/v2/crm/accounts/lookup").await;
    assert_eq!(lookup.get("totalRecords"), None);
    assert_eq!(get(&sim, "/v2/crm/accounts/summary?PageSize=many").await.0, 400);
}

#[tokio::test]
async fn contracts_need_both_lists_one_with_the_account_one_with_the_type() {
    let sim = start(wide()).await;
    let lookup = result(&sim, "/v2/finance/contracts/lookup?AccountId=2002").await;
    assert_eq!(each(&lookup, "id"), [43, 44, 45, 46]);
    assert_eq!(lookup[2]["isActive"], false);
    let lookup = result(&sim, "/v2/finance/contracts/lookup?accountId=2002&excludeExpiredContracts=true").await;
    assert_eq!(each(&lookup, "id"), [43, 45, 46]);
    assert_eq!(lookup[0]["endDate"], "2026-12-31T00:00:00");
    let rows = result(&sim, "/v2/finance/contracts/summary").await;
    let first = json!({
        "id": CONTRACT, "contractName": "Security", "accountName": "Müller GmbH", "contractType": "Recurring Services",
        "contractBillingPrice": 231.0, "status": "Active", "contractNumber": "", "billingCycle": "Monthly",
        "startDate": "2026-01-01T00:00:00", "endDate": "2026-12-31T00:00:00",
    });
    assert_eq!(rows[0], first);
    assert_eq!(each(&rows, "status"), ["Active", "Active", "Expired", "Inactive", "Active"]);
    assert_eq!(summary(&sim, "Filter.BillingCycle=quarterly").await, [46]);
}

#[tokio::test]
async fn types_and_statuses_are_spelt_as_the_switches_say_in_answers_and_filters() {
    let sim = start(wide()).await;
    let spellings = [
        (TypeSpelling::Words, "Recurring Services", "Time and Material"),
        (TypeSpelling::Singular, "Recurring Service", "Time and Material"),
        (TypeSpelling::OneWord, "RecurringServices", "TimeAndMaterial"),
    ];
    sim.switch(|switches| switches.text_filter = TextFilter::Exact);
    for (spelling, recurring, other) in spellings {
        sim.switch(|switches| switches.contract_type = spelling);
        let rows = result(&sim, "/v2/finance/contracts/summary").await;
        assert_eq!((&rows[0]["contractType"], &rows[4]["contractType"]), (&json!(recurring), &json!(other)));
        assert_eq!(summary(&sim, &format!("Filter.ContractType={recurring}")).await, [42, 43, 44, 45]);
    }
    assert_eq!(summary(&sim, "Filter.ContractType=Recurring Services").await, [0; 0]);
    let statuses = [
        (StatusSpelling::Active, ["Active", "Expired", "Inactive"]),
        (StatusSpelling::Activated, ["Activated", "Expired", "Deactivated"]),
        (StatusSpelling::Capitals, ["ACTIVE", "EXPIRED", "INACTIVE"]),
    ];
    for (spelling, names) in statuses {
        sim.switch(|switches| switches.contract_status = spelling);
        let rows = result(&sim, "/v2/finance/contracts/summary").await;
        assert_eq!(each(&rows, "status")[1..4], names);
        assert_eq!(summary(&sim, &format!("Filter.Status={}", names[2])).await, [45]);
    }
    sim.switch(|switches| switches.ended_contracts_say_active = true);
    assert_eq!(summary(&sim, "Filter.Status=ACTIVE").await, [42, 43, 44, 46]);
}

#[tokio::test]
async fn a_text_filter_contains_or_is_the_whole_value() {
    let sim = start(wide()).await;
    assert_eq!(summary(&sim, "Filter.ContractName=security").await, [42, 43, 44, 45]);
    assert_eq!(summary(&sim, "Filter.Status=active").await.len(), 4, "inactive contains active");
    sim.switch(|switches| switches.text_filter = TextFilter::Exact);
    assert_eq!(summary(&sim, "Filter.ContractName=security").await, [42, 43]);
}

#[tokio::test]
async fn a_page_has_a_maximum_that_is_kept_in_silence_or_by_refusal() {
    let world = (0..12).fold(tenant(), |world, n| world.account(AccountSpec::named(format!("Customer {n}"))));
    let sim = start(world).await;
    let rows = |body: &Value| body["result"].as_array().unwrap().len();
    let path = "/v2/crm/accounts/summary?PageSize=1000";
    assert_eq!(rows(&get(&sim, "/v2/crm/accounts/summary").await.1), 10, "without a size");
    assert_eq!(rows(&get(&sim, path).await.1), 13);
    sim.set_limits(Limits { max_page_size: 5, default_page_size: 3, ..Limits::default() });
    assert_eq!(rows(&get(&sim, path).await.1), 5);
    assert_eq!(rows(&get(&sim, "/v2/crm/accounts/summary").await.1), 3);
    assert_eq!(rows(&get(&sim, &format!("{path}&PageNumber=3")).await.1), 3);
    assert_eq!(rows(&get(&sim, &format!("{path}&PageNumber=4")).await.1), 0);
    sim.switch(|switches| switches.oversized_page = OversizedPage::Refuse);
    assert_eq!(get(&sim, path).await.0, 400);
}

#[tokio::test]
async fn the_catalogue_is_searched_looked_up_and_read_one_by_one() {
    let sim = start(wide()).await;
    let (_, body) =
        post(&sim, "/v2/admin/finance/services/search", json!({"PageSize": 10, "filter": {"name": "ed"}})).await;
    assert_eq!((each(&body["result"], "id"), &body["totalRecords"]), (vec![&json!(SERVICE)], &json!(1)));
    assert_eq!((&body["result"][0]["unitPrice"], &body["result"][0]["unitCost"]), (&json!(23.1), &json!(11.05)));
    let (_, body) = post(&sim, "/v2/admin/finance/services/search", json!({"Filter": {"IsActive": 0}})).await;
    assert_eq!(each(&body["result"], "id"), [6]);
    assert_eq!(each(&result(&sim, "/v2/admin/finance/services/lookup").await, "id"), [SERVICE]);
    assert_eq!(result(&sim, "/v2/admin/finance/services/6").await["isActive"], false);
    assert_eq!(get(&sim, "/v2/admin/finance/services/99").await.0, 404);
    sim.switch(|switches| switches.unknown_id_status = 400);
    assert_eq!(get(&sim, "/v2/admin/finance/services/99").await.0, 400);
}

#[tokio::test]
async fn lines_are_seen_from_the_service_and_never_with_units() {
    let world = wide().account(AccountSpec::named("Third").id(2_009)).contract(ContractSpec::recurring("Late").id(50));
    let sim = start(world.line(LineSpec::of(SERVICE).id(90).from(date(2026, 6, 1)).excluded_from_bulk_updates())).await;
    let rows = related(&sim).await;
    let expected = json!({
        "id": LINE, "serviceId": SERVICE, "contractId": CONTRACT, "accountId": ACCOUNT, "serviceName": "EDR",
        "serviceDescription": "EDR (description)", "contractName": "Security", "accountName": "Müller GmbH",
        "effectiveDate": "2026-01-01T00:00:00", "contractStartDate": "2026-01-01T00:00:00",
        "contractEndDate": "2026-12-31T00:00:00", "unitCost": 11.05, "unitPrice": 23.1, "marginType": 1, "margin": 12.05,
        "excludeFromContractBulkUpdates": false,
    });
    assert_eq!(rows[0], expected);
    assert_eq!((&rows[1]["id"], &rows[1]["excludeFromContractBulkUpdates"]), (&json!(90), &json!(true)));
    let path = format!("/v2/admin/finance/services/{SERVICE}/relatedservices/search");
    let (_, body) = post(&sim, &path, json!({"Filter": {"EffectiveDateFrom": "2026-02-01T00:00:00"}})).await;
    assert_eq!((each(&body["result"], "id"), &body["totalRecords"]), (vec![&json!(90)], &json!(1)));
    let (_, body) = post(&sim, &path, json!({"Filter": {"AccountName": "müller", "UnitPrice": 23.10}})).await;
    assert_eq!(each(&body["result"], "id"), [LINE]);
}

#[tokio::test]
async fn what_was_billed_can_be_read_back() {
    let sim = start(tenant().invoiced(date(2026, 10, 1))).await;
    assert_eq!(sim.invoice(CONTRACT, date(2026, 11, 1)), 1);
    let (_, body) = post(&sim, "/v2/finance/invoices/details", json!({"PageSize": 50, "PageNumber": 1})).await;
    assert_eq!(each(&body["result"], "valueDate"), ["2026-10-01T00:00:00", "2026-11-01T00:00:00"]);
    let row = &body["result"][0];
    assert_eq!((&row["name"], &row["qty"], &row["totalPrice"]), (&json!("EDR"), &json!(10.0), &json!(231.0)));
    assert_eq!((&row["contractId"], body.get("totalRecords")), (&json!(CONTRACT), None));
    let filter = json!({"Filter": {"InvoiceDateFrom": "2026-11-01", "ListInvoiceIds": "9002,9003"}});
    let (_, body) = post(&sim, "/v2/finance/invoices/details", filter).await;
    assert_eq!(each(&body["result"], "invoiceId"), [9_002]);
}

#[tokio::test]
async fn one_accounts_summary_may_come_bare() {
    let sim = start(tenant()).await;
    let path = format!("/v2/crm/accounts/summary/{ACCOUNT}");
    assert_eq!(result(&sim, &path).await["accountName"], "Müller GmbH");
    sim.switch(|switches| switches.bare_account_summary = true);
    let (_, body) = get(&sim, &path).await;
    assert_eq!((&body["accountName"], body.get("success")), (&json!("Müller GmbH"), None));
}

#[tokio::test]
async fn answers_may_be_spelt_as_the_specification_has_them() {
    let sim = start(tenant()).await;
    sim.switch(|switches| switches.casing = Casing::Pascal);
    let (_, body) = get(&sim, "/v2/crm/accounts/summary").await;
    assert_eq!((&body["Success"], &body["TotalRecords"]), (&json!(true), &json!(1)));
    assert_eq!(body["Result"][0]["AccountName"], "Müller GmbH");
    let (_, body) = get(&sim, "/v2/admin/finance/services/99").await;
    assert_eq!(body["Error"]["Code"], 0);
}

#[tokio::test]
async fn a_path_or_method_that_does_not_exist_is_refused_to_everyone() {
    let sim = start(tenant()).await;
    let url = |path: &str| format!("{}{path}", sim.base());
    assert_eq!(http().get(url("/api/token")).send().await.unwrap().status(), 404);
    assert_eq!(http().put(url("/v2/crm/accounts/lookup")).send().await.unwrap().status(), 405);
    assert_eq!(http().get(url("/v2/crm/accounts/lookup")).send().await.unwrap().status(), 401);
    assert_eq!(sim.requests().iter().map(|asked| asked.status).collect::<Vec<_>>(), [Some(404), Some(405), Some(401)]);
}
