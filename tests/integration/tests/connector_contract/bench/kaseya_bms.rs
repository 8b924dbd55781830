//! Kaseya BMS on the bench.

use integration::TestClock;
use integration::msp::Fixture;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use simulators::kaseya_bms::{
    AccountSpec, BmsUser, ContractKind, ContractSpec, Fault, KaseyaBms, Limits, LineSemantics, LineSpec, Right, Route,
    SAMPLE_COMPANY_NAME, SAMPLE_PASSWORD, SAMPLE_TOTP_SECRET, SAMPLE_USERNAME, ServiceSpec, Switches, When,
    World as Simulated, failure_in_200, security_error,
};

use super::{Bench, Edit};
use crate::world::{TODAY, World};

/// What a line is sold at and costs, other than its service: a change must leave both.
const PRICE: &str = "7.77";
const COST: &str = "3.33";

/// The right to write shows at the first write alone: nothing may be written to find out.
const RIGHTS: [(&str, &str, Right); 3] = [
    ("read accounts", "lacking.crm", Right::ViewCrm),
    ("read contracts", "lacking.finance", Right::ViewFinance),
    ("read services", "lacking.admin", Right::ViewAdmin),
];

fn user(name: &str, password: &str) -> Value {
    json!({ "hostname": "bms.kaseya.com", "username": name, "password": password, "company_name": SAMPLE_COMPANY_NAME })
}

impl Bench for KaseyaBms {
    type Switches = Switches;

    const SECRETS: &'static [&'static str] = &["username", "password"];
    const READ_ALONE: &'static [&'static str] = &[
        "bulk_updates_skip_excluded",
        "jobs_fail",
        "contract_type",
        "contract_status",
        "ended_contracts_say_active",
        "oversized_page",
        "refused_login_status",
        "throttled_status",
        "retry_after_s",
        "permission_status",
        "unknown_id_status",
        "refuses_reused_codes",
        "bare_account_summary",
        "stamp_offset_minutes",
        "ticket_text",
        "lists_show_details",
        "reopened_stay_dated",
    ];
    // It leaves the row's id and date as they are, which are all that BMS shows of units.
    const UNSEEN: &'static [&'static str] = &["other units from the day of the last change"];
    // A row with the day of the write that was lost is taken for that write.
    const UNSEEN_AFTER_A_LOST_WRITE: &'static [&'static str] = &[
        "other units from the day of the last change",
        "a row more of the day of the last change",
        "a row deleted and one of its date put in its place",
    ];

    fn alternatives() -> Vec<(&'static str, Vec<Value>)> {
        vec![
            ("line_semantics", vec![]),
            ("refuses_negative", vec![json!(true)]),
            ("refuses_inactive_contract", vec![json!(true)]),
            ("refuses_outside_contract", vec![json!(true)]),
            ("missing_price", vec![json!("catalogue")]),
            ("bulk_updates_skip_excluded", vec![json!(false)]),
            ("jobs_fail", vec![json!(true)]),
            ("contract_type", vec![json!("singular"), json!("one_word")]),
            ("contract_status", vec![json!("activated"), json!("capitals")]),
            ("ended_contracts_say_active", vec![json!(true)]),
            ("text_filter", vec![json!("exact")]),
            ("oversized_page", vec![json!("refuse")]),
            ("fails_in_200", vec![json!(true)]),
            ("refused_login_status", vec![json!(401), json!(200)]),
            ("throttled_status", vec![json!(403)]),
            ("retry_after_s", vec![json!(60)]),
            ("permission_status", vec![json!(401), json!(400), json!(200)]),
            ("unknown_id_status", vec![json!(400), json!(200)]),
            ("refuses_reused_codes", vec![json!(true)]),
            ("casing", vec![json!("pascal")]),
            ("bare_account_summary", vec![json!(true)]),
            ("stamp_offset_minutes", vec![json!(-300), json!(120)]),
            ("ticket_text", vec![json!("as_sent"), json!("crlf")]),
            ("lists_show_details", vec![json!(false)]),
            ("reopened_stay_dated", vec![json!(false)]),
        ]
    }

    fn readings() -> Vec<Value> {
        vec![json!({}), json!({ "line_semantics": "replaces" })]
    }

    async fn open(world: &World, switches: &Switches, clock: &TestClock) -> Self {
        let mut built = Simulated::builder();
        for service in &world.services {
            let spec = ServiceSpec::named(&service.name).id(service.id);
            built = built.service(if service.active { spec } else { spec.inactive() });
        }
        for account in &world.accounts {
            let spec = AccountSpec::named(&account.name).id(account.id);
            built = built.account(if account.active { spec } else { spec.inactive() });
            for contract in &account.contracts {
                let spec = if contract.recurring {
                    ContractSpec::recurring(&contract.name)
                } else {
                    ContractSpec::of_kind(ContractKind::FixedPrice, &contract.name)
                };
                let spec = spec.id(contract.id).runs(contract.start, contract.end);
                built = built.contract(if contract.active { spec } else { spec.inactive() });
                for (service, units) in &contract.lines {
                    built = built.line(LineSpec::of(*service).units(*units).price(PRICE).cost(COST));
                }
            }
        }
        let mut setup = Self::setup(built.build().expect("a provider"))
            .clock(clock.simulated())
            .switches(switches.clone())
            .user(BmsUser::api_employee())
            .user(BmsUser::employee())
            .user(BmsUser::api("lacking.api", SAMPLE_PASSWORD).without(Right::ApiAccess));
        for (_, name, right) in RIGHTS {
            setup = setup.user(BmsUser::api(name, SAMPLE_PASSWORD).without(right));
        }
        setup.start().await.expect("the PSA starts")
    }

    fn turn(&self, switches: &Switches) {
        self.set_limits(Limits { requests_per_hour: 10_000_000, ..Limits::default() });
        self.switch(|set| *set = switches.clone());
    }

    fn second_user() -> Value {
        let mut user = user(SAMPLE_USERNAME, SAMPLE_PASSWORD);
        user["totp_secret"] = SAMPLE_TOTP_SECRET.into();
        user
    }

    fn refused_users(_: &Switches) -> Vec<(&'static str, Value)> {
        let mut elsewhere = <Self as Fixture>::credentials();
        elsewhere["company_name"] = "Somebody Else".into();
        let mut wrong_code = Self::second_user();
        wrong_code["totp_secret"] = "GEZDGNBVGY3TQOJQ".into();
        vec![
            ("a wrong password", user("tallyline.api", "wrong")),
            ("a user that is not there", user("nobody", "wrong")),
            ("a user without the right to use the API", user("lacking.api", SAMPLE_PASSWORD)),
            ("a company that is not there", elsewhere),
            ("a wrong one-time code", wrong_code),
        ]
    }

    fn users_without() -> Vec<(&'static str, Value)> {
        RIGHTS.iter().map(|(right, name, _)| (*right, user(name, SAMPLE_PASSWORD))).collect()
    }

    fn log_ins(&self) -> usize {
        self.count(Route::Authenticate)
    }

    fn tightest(&self) -> usize {
        Route::all().map(|route| self.count(route)).max().unwrap_or_default()
    }

    fn strike_observation(&self, nth: usize, fault: Fault) {
        self.plan_fault(When::Request(Route::RelatedServices, nth), fault);
    }

    fn strike_write(&self, fault: Fault) {
        self.plan_fault(When::Write(1), fault);
    }

    fn heal(&self) {
        self.clear_faults();
    }

    fn refusal_in_200() -> Fault {
        failure_in_200()
    }

    fn log_in_ended() -> Fault {
        security_error()
    }

    fn exhaust(&self) {
        self.set_limits(Limits { requests_per_hour: 1, ..Limits::default() });
        for route in Route::all().filter(|route| !matches!(route, Route::Authenticate | Route::RefreshToken)) {
            self.use_requests(route, 1);
        }
    }

    fn bill(&self, _: i64, _: Date) {}

    fn refuses(switches: &Switches, before: i64, target: i64) -> bool {
        switches.refuses_negative && switches.line_semantics == LineSemantics::Adds && target < before
    }

    fn edits() -> Vec<Edit<Self>> {
        vec![
            Edit {
                name: "other units from today",
                make: |psa, contract, service, _| {
                    psa.edit(contract, service, TODAY, 53);
                },
            },
            Edit {
                name: "other units from the day of the last change",
                make: |psa, contract, service, day| {
                    psa.edit(contract, service, day, 53);
                },
            },
            Edit {
                name: "other units from a day ahead",
                make: |psa, contract, service, _| {
                    psa.edit(contract, service, date(2026, 12, 9), 53);
                },
            },
            Edit {
                name: "a row more from today",
                make: |psa, contract, service, _| {
                    psa.add_line(contract, service, TODAY, 13).expect("an edit");
                },
            },
            Edit {
                name: "a row more of the day of the last change",
                make: |psa, contract, service, day| {
                    psa.add_line(contract, service, day, 13).expect("an edit");
                },
            },
            Edit {
                name: "a row deleted",
                make: |psa, contract, service, _| {
                    let newest = psa.line_ids(contract, service).pop().expect("a row");
                    psa.delete_line(newest).expect("an edit");
                },
            },
            Edit {
                name: "a row deleted and one of its date put in its place",
                make: |psa, contract, service, day| {
                    let newest = psa.line_ids(contract, service).pop().expect("a row");
                    psa.delete_line(newest).expect("an edit");
                    psa.add_line(contract, service, day, 13).expect("an edit");
                },
            },
            Edit {
                name: "the contract's end",
                make: |psa, contract, _, _| {
                    psa.end_contract(contract, date(2026, 12, 20)).expect("an end");
                },
            },
        ]
    }

    fn side_effects(&self) -> Vec<String> {
        let amount = |text: &str| text.parse::<rust_decimal::Decimal>().expect("an amount");
        let repriced = |write: &simulators::kaseya_bms::Write| {
            write.unit_price != amount(PRICE) || write.unit_cost != amount(COST)
        };
        let mut effects: Vec<String> =
            self.writes().iter().filter(|write| repriced(write)).map(|write| format!("{write:?}")).collect();
        let others = [Route::BulkUpdate, Route::PostTicket, Route::PatchTicket, Route::PostTicketNote];
        if others.into_iter().any(|route| self.count(route) > 0) {
            effects.push("something else was written".to_owned());
        }
        effects
    }
}
