//! A customer of the partner's, and what it has.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::subscription::Subscription;
use crate::vendor;

/// A customer. Its id is that of its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// A UUID.
    pub id: String,
    /// The name of its company.
    pub name: String,
    /// Whether it lets the partner's application read in its tenant.
    #[serde(default)]
    pub consents: bool,
    /// What it has.
    #[serde(default)]
    pub licenses: Licenses,
}

/// What a customer has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Licenses {
    /// What was bought through the partner.
    pub subscriptions: Vec<Subscription>,
    /// What is in its tenant, whoever sold it.
    pub skus: Vec<Sku>,
}

/// Licences of one kind in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sku {
    /// A UUID, the same in every tenant.
    pub sku_id: String,
    /// Its name among administrators: `SPE_E3`.
    pub part_number: String,
    /// How many are assigned.
    pub consumed: u32,
    /// How many can be assigned.
    pub enabled: u32,
}

impl vendor::Customer for Customer {
    type Id = String;
    type Counts = Licenses;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn count(&mut self, licenses: Licenses, _now: Timestamp) {
        self.licenses = licenses;
    }
}

impl Customer {
    /// One that consents and has nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), consents: true, licenses: Licenses::default() }
    }

    /// As Partner Center's list shows it.
    pub(crate) fn listed(&self) -> Value {
        json!({
            "id": self.id,
            "companyProfile": {
                "tenantId": self.id,
                "domain": format!("customer-{}.onmicrosoft.example", self.id),
                "companyName": self.name,
                "attributes": { "objectType": "CustomerCompanyProfile" },
            },
            "relationshipToPartner": "reseller",
            "attributes": { "objectType": "Customer" },
        })
    }

    /// As Graph shows what is in its tenant.
    pub(crate) fn subscribed_skus(&self) -> Vec<Value> {
        let listed = |sku: &Sku| {
            json!({
                "id": format!("{}_{}", self.id, sku.sku_id),
                "accountId": self.id,
                "skuId": sku.sku_id,
                "skuPartNumber": sku.part_number,
                "capabilityStatus": "Enabled",
                "appliesTo": "User",
                "consumedUnits": sku.consumed,
                "prepaidUnits": { "enabled": sku.enabled, "suspended": 0, "warning": 0, "lockedOut": 0 },
            })
        };
        self.licenses.skus.iter().map(listed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_tenant_is_told_as_assigned_and_as_bought() {
        let sku = |part_number: &str, consumed, enabled| Sku {
            sku_id: part_number.to_lowercase(),
            part_number: part_number.to_owned(),
            consumed,
            enabled,
        };
        let skus = vec![sku("SPE_E3", 22, 25), sku("FLOW_FREE", 3, 10_000)];
        let acme = Customer { licenses: Licenses { skus, ..Licenses::default() }, ..Customer::new("t", "Acme") };
        let shown = acme.subscribed_skus();
        assert_eq!((&shown[0]["consumedUnits"], &shown[0]["prepaidUnits"]["enabled"]), (&json!(22), &json!(25)));
        assert_eq!((&shown[1]["skuPartNumber"], &shown[1]["accountId"]), (&json!("FLOW_FREE"), &json!("t")));
    }
}
