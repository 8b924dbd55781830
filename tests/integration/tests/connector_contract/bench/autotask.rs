//! Autotask on the bench.

use integration::TestClock;
use integration::msp::Fixture;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use simulators::autotask::{
    ApiUser, Autotask, CompanySpec, ContractSpec, Entity, Fault, Kind, Limits, LineSpec, Right,
    SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME, ServiceKey, ServiceSpec, Switches, Verdict, When,
    World as Simulated,
};

use super::{Bench, Edit};
use crate::world::World;

/// Entities without whose rows a sync can't be, and what reading them is called.
const RIGHTS: [(&str, Entity, Right); 6] = [
    ("read companies", Entity::Companies, Right::Query),
    ("read contracts", Entity::Contracts, Right::Query),
    ("read services", Entity::Services, Right::Query),
    ("read the services of contracts", Entity::ContractServices, Right::Query),
    ("read the units of contract services", Entity::ContractServiceUnits, Right::Query),
    ("change the units of contract services", Entity::ContractServiceAdjustments, Right::Create),
];

fn user(name: &str, secret: &str) -> Value {
    json!({ "username": name, "secret": secret, "integration_code": SAMPLE_INTEGRATION_CODE })
}

fn lacking(place: usize) -> String {
    format!("lacking-{place}@nordwind.example")
}

impl Bench for Autotask {
    type Switches = Switches;

    const SECRETS: &'static [&'static str] = &["username", "secret", "integration_code"];
    const READ_ALONE: &'static [&'static str] = &[
        "over_threshold",
        "over_threads",
        "get_after_post_query",
        "permission_status",
        "inactive_user_status",
        "patch_unit_cost",
        "adjusted_unit_cost",
        "patch_ticket",
        "split_price",
        "picklists",
        "new_line_units",
        "new_line_prices",
        "negative_charge",
        "charge_outside_contract",
        "written_ids",
        "latency",
    ];
    const UNSEEN: &'static [&'static str] = &[];
    const UNSEEN_AFTER_A_LOST_WRITE: &'static [&'static str] = &[];

    fn alternatives() -> Vec<(&'static str, Vec<Value>)> {
        vec![
            ("posted_period", vec![json!("reject")]),
            ("zero_units", vec![json!("reject")]),
            ("inactive_contract", vec![json!("reject")]),
            ("over_threshold", vec![json!({"too_many_requests": {"retry_after_s": null}}), json!("server_error")]),
            ("over_threads", vec![json!({"too_many_requests": {"retry_after_s": 5}}), json!("server_error")]),
            ("date_form", vec![json!("midnight_utc_fraction"), json!("afternoon_utc"), json!("no_zone")]),
            ("split_end", vec![json!("same_day")]),
            ("split_price", vec![json!("by_days")]),
            ("get_after_post_query", vec![json!("empty_page")]),
            ("permission_status", vec![json!(403)]),
            ("inactive_user_status", vec![json!(500)]),
            ("patch_unit_cost", vec![json!("ignored")]),
            ("adjusted_unit_cost", vec![json!("ignored")]),
            ("patch_ticket", vec![json!("ignored")]),
            ("edits_use_their_date", vec![json!(false)]),
            ("picklists", vec![json!("others")]),
            ("new_line_units", vec![json!(1)]),
            ("new_line_prices", vec![json!("ignored")]),
            ("negative_charge", vec![json!("reject")]),
            ("charge_outside_contract", vec![json!("reject")]),
            ("written_ids", vec![json!("null")]),
            ("latency", vec![json!(true)]),
        ]
    }

    fn readings() -> Vec<Value> {
        vec![json!({})]
    }

    async fn open(world: &World, switches: &Switches, clock: &TestClock) -> Self {
        let mut built = Simulated::builder();
        for service in &world.services {
            let spec = ServiceSpec::named(&service.name).id(service.id);
            built = built.service(if service.active { spec } else { spec.inactive() });
        }
        for account in &world.accounts {
            let spec = CompanySpec::named(&account.name).id(account.id);
            built = built.company(if account.active { spec } else { spec.inactive() });
            for contract in &account.contracts {
                let spec = if contract.recurring {
                    ContractSpec::recurring(&contract.name)
                } else {
                    ContractSpec::fixed_price(&contract.name)
                };
                let spec = spec.id(contract.id).runs(contract.start, contract.end);
                built = built.contract(if contract.active { spec } else { spec.inactive() });
                for (service, units) in &contract.lines {
                    built = built.line(LineSpec::of(ServiceKey::Id(*service)).units(*units));
                }
            }
        }
        let mut setup = Self::setup(built.build().expect("a provider"))
            .clock(clock.simulated())
            .switches(switches.clone())
            .user(ApiUser::full())
            .user(ApiUser::new("second@nordwind.example", "second-secret", SAMPLE_INTEGRATION_CODE))
            .user(ApiUser::new("off@nordwind.example", "off-secret", SAMPLE_INTEGRATION_CODE).inactive());
        for (place, (_, entity, right)) in RIGHTS.iter().enumerate() {
            let user = ApiUser::new(lacking(place), "lacking-secret", SAMPLE_INTEGRATION_CODE);
            setup = setup.user(user.without(*entity, *right));
        }
        setup.start().await.expect("the PSA starts")
    }

    fn turn(&self, switches: &Switches) {
        self.set_limits(Limits { requests: 10_000_000, ..Limits::default() });
        self.switch(|set| *set = switches.clone());
    }

    fn second_user() -> Value {
        user("second@nordwind.example", "second-secret")
    }

    fn refused_users(switches: &Switches) -> Vec<(&'static str, Value)> {
        let other_code =
            json!({ "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": "SOMEBODYELSES" });
        let mut refused = vec![
            ("a wrong secret", user(SAMPLE_USERNAME, "wrong")),
            ("a user that is not there", user("nobody@nordwind.example", "wrong")),
            ("a wrong integration code", other_code),
        ];
        // A 500 comes with words that nobody has recorded, so no client can know them.
        if switches.inactive_user_status == 401 {
            refused.push(("a user that is switched off", user("off@nordwind.example", "off-secret")));
        }
        refused
    }

    fn users_without() -> Vec<(&'static str, Value)> {
        let of = |(place, (name, ..)): (usize, &(&'static str, Entity, Right))| {
            (*name, user(&lacking(place), "lacking-secret"))
        };
        RIGHTS.iter().enumerate().map(of).collect()
    }

    fn log_ins(&self) -> usize {
        self.requests().iter().filter(|asked| asked.entity != Some(Entity::ZoneInformation)).count()
    }

    fn tightest(&self) -> usize {
        self.log_ins()
    }

    fn strike_observation(&self, nth: usize, fault: Fault) {
        self.plan_fault(When::Request(Entity::ContractServiceUnits, nth), fault);
    }

    fn strike_write(&self, fault: Fault) {
        self.plan_fault(When::Write(1), fault);
    }

    fn heal(&self) {
        self.clear_faults();
    }

    fn refusal_in_200() -> Fault {
        Fault::errors_with_200()
    }

    fn log_in_ended() -> Fault {
        Fault::answer(401, "")
    }

    fn exhaust(&self) {
        self.set_limits(Limits { requests: 1, ..Limits::default() });
        self.use_threshold(1);
    }

    fn bill(&self, contract: i64, through: Date) {
        self.bill_charges(contract, through);
    }

    fn refuses(switches: &Switches, _: i64, target: i64) -> bool {
        switches.zero_units == Verdict::Reject && target == 0
    }

    fn edits() -> Vec<Edit<Self>> {
        vec![
            Edit {
                name: "other units from today",
                make: |psa, contract, service, _| {
                    psa.edit(contract, service, crate::world::TODAY, 53);
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
                name: "the contract's end",
                make: |psa, contract, _, _| {
                    psa.end_contract(contract, date(2026, 12, 20)).expect("an end");
                },
            },
        ]
    }

    fn side_effects(&self) -> Vec<String> {
        let odd = |write: &simulators::autotask::Write| {
            write.created_line || write.unit_price.is_some() || write.unit_cost.is_some()
        };
        let mut effects: Vec<String> =
            self.writes().iter().filter(|write| odd(write)).map(|write| format!("{write:?}")).collect();
        let others = |kind| Entity::ALL.iter().map(|entity| self.count(*entity, kind)).sum::<usize>();
        if others(Kind::Create) + others(Kind::Update) + others(Kind::Delete) > Fixture::write_requests(self) {
            effects.push("something else was written".to_owned());
        }
        effects
    }
}
