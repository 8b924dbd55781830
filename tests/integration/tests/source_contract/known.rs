//! What the suite knows of each vendor: who has how much by the simulator's own books, not by what its API says.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::sources::Vendor as Name;
use simulators::vendor::Vendor;
use simulators::{datto_rmm, dropsuite, huntress, jumpcloud, microsoft, pax8};

/// A vendor whose source is under contract.
pub trait Known: Vendor {
    /// Its name in the service.
    const SOURCE: Name;
    /// A metric that the list tells, or each customer's answer where the list tells none.
    const METRIC: &'static str;
    /// A metric for which each customer is asked, where there is one.
    const OF_EACH: Option<&'static str>;
    /// The list of customers.
    const LIST: Self::Route;
    /// Fields of its credentials beside those that the simulator names.
    const MORE: &'static [(&'static str, &'static str)] = &[];

    /// How many `customer` has; `None` where the vendor tells nobody.
    fn has(customer: &Self::Customer, metric: &str) -> Option<u32>;

    /// Nothing of [`Known::METRIC`].
    fn nothing(customer: &Self::Customer) -> <Self::Customer as simulators::vendor::Customer>::Counts;

    /// What opens it, as a partner sends it.
    fn credentials() -> Value {
        Self::SAMPLE.iter().chain(Self::MORE).map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    }
}

impl Known for huntress::Api {
    const SOURCE: Name = Name::Huntress;
    const METRIC: &'static str = "agents";
    const OF_EACH: Option<&'static str> = Some("billable_agents");
    const LIST: Self::Route = huntress::Route::Organizations;

    fn has(customer: &huntress::Organization, metric: &str) -> Option<u32> {
        let counts = &customer.counts;
        Some(if metric == Self::METRIC { counts.agents } else { counts.billable_agents })
    }

    fn nothing(customer: &huntress::Organization) -> huntress::Counts {
        huntress::Counts { agents: 0, billable_agents: 0, ..customer.counts.clone() }
    }
}

impl Known for jumpcloud::Api {
    const SOURCE: Name = Name::JumpCloud;
    const METRIC: &'static str = "users";
    const OF_EACH: Option<&'static str> = Some("users");
    const LIST: Self::Route = jumpcloud::Route::Organizations;

    fn has(customer: &jumpcloud::Organization, _: &str) -> Option<u32> {
        Some(customer.counts.users)
    }

    fn nothing(customer: &jumpcloud::Organization) -> jumpcloud::Counts {
        jumpcloud::Counts { users: 0, ..customer.counts }
    }
}

impl Known for dropsuite::Api {
    const SOURCE: Name = Name::Dropsuite;
    const METRIC: &'static str = "seats_used";
    const OF_EACH: Option<&'static str> = None;
    const LIST: Self::Route = dropsuite::Route::Users;
    const MORE: &'static [(&'static str, &'static str)] = &[("host", "dropsuite.us")];

    /// Log-ins of one plan see the same seats.
    fn has(customer: &dropsuite::Organization, _: &str) -> Option<u32> {
        let plans: BTreeMap<_, _> =
            customer.log_ins.iter().map(|log_in| (&log_in.plan_id, log_in.seats_used)).collect();
        Some(plans.into_values().sum())
    }

    fn nothing(customer: &dropsuite::Organization) -> Vec<dropsuite::LogIn> {
        let none = |log_in: &dropsuite::LogIn| dropsuite::LogIn { seats_used: 0, active_seats: 0, ..log_in.clone() };
        customer.log_ins.iter().map(none).collect()
    }
}

/// Licences that are bought by the year and by the month.
const LICENSES: &str = "licenses:CFQ7TTC0LFLX/0001";

impl Known for microsoft::Api {
    const SOURCE: Name = Name::Microsoft;
    const METRIC: &'static str = LICENSES;
    const OF_EACH: Option<&'static str> = Some(LICENSES);
    const LIST: Self::Route = microsoft::Route::Customers;

    fn has(customer: &microsoft::Customer, _: &str) -> Option<u32> {
        let of = |found: &&microsoft::Subscription| {
            found.offer_id.starts_with("CFQ7TTC0LFLX:0001") && found.status == "active" && !found.is_trial
        };
        let bought: Vec<_> = customer.licenses.subscriptions.iter().filter(of).collect();
        Some(bought.iter().map(|found| found.quantity).sum())
    }

    fn nothing(_: &microsoft::Customer) -> microsoft::Licenses {
        microsoft::Licenses::default()
    }
}

/// A product of Pax8's, by the vendor's SKU.
const PRODUCT: &str = "CFQ7TTC0LDPB:0001";

impl Known for pax8::Api {
    const SOURCE: Name = Name::Pax8;
    const METRIC: &'static str = "quantity:CFQ7TTC0LDPB:0001";
    const OF_EACH: Option<&'static str> = None;
    const LIST: Self::Route = pax8::Route::Companies;

    fn has(customer: &pax8::Company, _: &str) -> Option<u32> {
        let of = |found: &&pax8::Subscription| {
            found.product.vendor_sku_id.as_deref() == Some(PRODUCT)
                && matches!(found.status.as_str(), "Active" | "PendingCancel")
        };
        let bought: Vec<_> = customer.subscriptions.iter().filter(of).collect();
        (!bought.is_empty()).then(|| bought.iter().map(|found| found.quantity).sum())
    }

    fn nothing(customer: &pax8::Company) -> Vec<pax8::Subscription> {
        let none = |found: &pax8::Subscription| pax8::Subscription { quantity: 0, commitment: None, ..found.clone() };
        customer.subscriptions.iter().map(none).collect()
    }
}

impl Known for datto_rmm::Api {
    const SOURCE: Name = Name::DattoRmm;
    const METRIC: &'static str = "devices";
    const OF_EACH: Option<&'static str> = Some("servers");
    const LIST: Self::Route = datto_rmm::Route::Sites;

    fn has(customer: &datto_rmm::Site, metric: &str) -> Option<u32> {
        let datto_rmm::Devices { servers, desktops, laptops, printers, esxi_hosts, network_devices, suspended, .. } =
            customer.devices;
        let all = servers + desktops + laptops + printers + esxi_hosts + network_devices + suspended;
        // Devices on demand have licences of their own.
        (!customer.on_demand).then_some(if metric == Self::METRIC { all } else { servers })
    }

    fn nothing(_: &datto_rmm::Site) -> datto_rmm::Devices {
        datto_rmm::Devices::default()
    }
}
