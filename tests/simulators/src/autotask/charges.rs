//! Charges on contracts: the rows, the rules of writing one, and what a person does with them.
//!
//! Owns the table behind `ContractCharges`. All checks come before the first change. A billed charge stays as it is; what
//! Autotask says then has not been recorded, like most of its words here, so a client must not match on them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};

use super::bodies::{amount, date, flag, int, text};
use super::cell::Cell;
use super::entity::Entity;
use super::errors::Refusal;
use super::fields::empty;
use super::picklists::{CodeUse, Picklists};
use super::schema::{Field, Kind, Row};
use super::switches::{Switches, Verdict};
use super::users::ApiUser;
use super::world::{Refused, World};

const FIRST_CHARGE: i64 = 40_001;
const NAME_LENGTH: usize = 100;
const TEXT_LENGTH: usize = 2_000;
const ORDER_LENGTH: usize = 50;

/// A charge on a contract. Amounts are in the customer's currency.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) id: i64,
    pub(crate) contract_id: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) notes: String,
    pub(crate) kind: i64,
    pub(crate) date: Date,
    pub(crate) quantity: Decimal,
    pub(crate) unit_cost: Decimal,
    pub(crate) unit_price: Decimal,
    /// Units of the tenant's own currency for one of the customer's.
    pub(crate) rate: Decimal,
    pub(crate) billing_code_id: Option<i64>,
    pub(crate) billable: bool,
    pub(crate) billed: bool,
    pub(crate) purchase_order: String,
    pub(crate) internal_purchase_order: String,
}

impl Charge {
    fn billable_amount(&self) -> Decimal {
        if self.billable { extended(self.unit_price, self.quantity) } else { Decimal::ZERO }
    }
}

fn extended(rate: Decimal, quantity: Decimal) -> Decimal {
    rate.checked_mul(quantity).unwrap_or(Decimal::MAX).round_dp(4)
}

/// A charge, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChargeView {
    /// Its id.
    pub id: i64,
    /// The contract that it is on.
    pub contract_id: i64,
    /// What the invoice calls it.
    pub name: String,
    /// More of the same.
    pub description: String,
    /// Its `datePurchased`.
    pub date: Date,
    /// How many.
    pub quantity: Decimal,
    /// What one costs the partner.
    pub unit_cost: Decimal,
    /// What the customer pays for one.
    pub unit_price: Decimal,
    /// The billing code, if it has one.
    pub billing_code_id: Option<i64>,
    /// Whether the customer pays it at all.
    pub billable: bool,
    /// Whether it has been billed.
    pub billed: bool,
    /// Its `internalPurchaseOrderNumber`, where an integration keeps its own name of it.
    pub reference: String,
}

impl World {
    /// Adds a charge that was sent over the API. Answers its id.
    pub(super) fn create_charge(
        &mut self,
        contract: i64,
        body: &Map<String, Value>,
        user: &ApiUser,
        switches: &Switches,
    ) -> Result<i64, Refusal> {
        let named = int(body, "contractID")?.ok_or(Refusal::Required("contractID"))?;
        if named != contract || !self.contracts.contains_key(&contract) {
            return Err(Refusal::Reference { field: "contractID", entity: "Contract" });
        }
        let fresh = Charge {
            id: self.charges.last_key_value().map_or(FIRST_CHARGE, |(last, _)| last + 1),
            contract_id: contract,
            kind: int(body, "chargeType")?.ok_or(Refusal::Required("chargeType"))?,
            date: date(body, "datePurchased")?.ok_or(Refusal::Required("datePurchased"))?,
            name: text(body, "name")?.filter(|name| !name.is_empty()).ok_or(Refusal::Required("name"))?,
            quantity: amount(body, "unitQuantity")?.ok_or(Refusal::Required("unitQuantity"))?,
            description: String::new(),
            notes: String::new(),
            unit_cost: Decimal::ZERO,
            unit_price: Decimal::ZERO,
            rate: self.rate_of(contract),
            billing_code_id: None,
            billable: true,
            billed: false,
            purchase_order: String::new(),
            internal_purchase_order: String::new(),
        };
        let charge = self.overlaid(fresh, body, user, switches)?;
        let id = charge.id;
        self.charges.insert(id, charge);
        Ok(id)
    }

    /// Changes a charge by what a body names. Answers its id.
    pub(super) fn patch_charge(
        &mut self,
        contract: i64,
        body: &Map<String, Value>,
        user: &ApiUser,
        switches: &Switches,
    ) -> Result<i64, Refusal> {
        let id = int(body, "id")?.ok_or(Refusal::Required("id"))?;
        let unknown = Refusal::Reference { field: "id", entity: "ContractCharge" };
        let known = self.charges.get(&id).filter(|charge| charge.contract_id == contract).ok_or(unknown)?;
        if known.billed {
            return Err(Refusal::Billed);
        }
        let charge = self.overlaid(known.clone(), body, user, switches)?;
        self.charges.insert(id, charge);
        Ok(id)
    }

    /// Removes a charge.
    pub(super) fn delete_charge(&mut self, contract: i64, id: i64) -> Result<i64, Refusal> {
        let known = self.charges.get(&id).filter(|charge| charge.contract_id == contract);
        if known.ok_or(Refusal::NothingToDelete)?.billed {
            return Err(Refusal::Billed);
        }
        self.charges.remove(&id);
        Ok(id)
    }

    /// A charge with what a body names in the place of what it had. What is read only is ignored in silence.
    fn overlaid(
        &self,
        mut charge: Charge,
        body: &Map<String, Value>,
        user: &ApiUser,
        switches: &Switches,
    ) -> Result<Charge, Refusal> {
        for (field, length, place) in [
            ("name", NAME_LENGTH, &mut charge.name),
            ("description", TEXT_LENGTH, &mut charge.description),
            ("notes", TEXT_LENGTH, &mut charge.notes),
            ("purchaseOrderNumber", ORDER_LENGTH, &mut charge.purchase_order),
            ("internalPurchaseOrderNumber", ORDER_LENGTH, &mut charge.internal_purchase_order),
        ] {
            if let Some(text) = text(body, field)? {
                if text.chars().count() > length {
                    return Err(Refusal::TooLong { field, length });
                }
                *place = text;
            }
        }
        charge.kind = int(body, "chargeType")?.unwrap_or(charge.kind);
        if !switches.picklists.charge_types().iter().any(|(value, _)| *value == charge.kind.to_string()) {
            return Err(Refusal::Picklist { value: charge.kind, field: "chargeType" });
        }
        charge.date = date(body, "datePurchased")?.unwrap_or(charge.date);
        charge.quantity = amount(body, "unitQuantity")?.unwrap_or(charge.quantity);
        charge.unit_price = amount(body, "unitPrice")?.unwrap_or(charge.unit_price);
        // Dropped in silence for a user who cannot read costs.
        charge.unit_cost = amount(body, "unitCost")?.filter(|_| user.reads_costs).unwrap_or(charge.unit_cost);
        charge.billable = flag(body, "isBillableToCompany")?.unwrap_or(charge.billable);
        if let Some(code) = int(body, "billingCodeID")? {
            self.check_code(code, CodeUse::Material)?;
            charge.billing_code_id = Some(code);
        }
        let below_zero = [charge.quantity, charge.unit_price, charge.unit_cost].iter().any(Decimal::is_sign_negative);
        if below_zero && switches.negative_charge == Verdict::Reject {
            return Err(Refusal::NegativeCharge);
        }
        let inside =
            self.contracts.get(&charge.contract_id).is_some_and(|contract| contract.days.contains(charge.date));
        if !inside && switches.charge_outside_contract == Verdict::Reject {
            return Err(Refusal::ChargeOutsideContract);
        }
        Ok(charge)
    }

    /// Refuses a billing code that is not there, is not active, or is for something else.
    pub(super) fn check_code(&self, id: i64, used_for: CodeUse) -> Result<(), Refusal> {
        let fits = self.billing_codes.get(&id).is_some_and(|code| code.active && code.used_for == used_for);
        if fits { Ok(()) } else { Err(Refusal::Reference { field: "billingCodeID", entity: "BillingCode" }) }
    }

    /// Every charge, in order of id.
    pub(super) fn charge_views(&self) -> Vec<ChargeView> {
        let view = |charge: &Charge| ChargeView {
            id: charge.id,
            contract_id: charge.contract_id,
            name: charge.name.clone(),
            description: charge.description.clone(),
            date: charge.date,
            quantity: charge.quantity,
            unit_cost: charge.unit_cost,
            unit_price: charge.unit_price,
            billing_code_id: charge.billing_code_id,
            billable: charge.billable,
            billed: charge.billed,
            reference: charge.internal_purchase_order.clone(),
        };
        self.charges.values().map(view).collect()
    }

    /// Bills every charge of a contract that is dated on or before a day. Answers how many were not billed before.
    pub(super) fn bill_charges(&mut self, contract: i64, through: Date) -> usize {
        let due = self.charges.values_mut();
        let due = due.filter(|charge| charge.contract_id == contract && charge.date <= through && !charge.billed);
        due.map(|charge| charge.billed = true).count()
    }

    /// Sets a charge's unit price, as a person does in the web pages.
    pub(super) fn edit_charge(&mut self, id: i64, unit_price: Decimal) -> Result<(), Refused> {
        let charge = self.charges.get_mut(&id).filter(|charge| !charge.billed);
        charge.ok_or_else(|| Refused(format!("there is no charge {id} that may be changed")))?.unit_price = unit_price;
        Ok(())
    }

    /// A charge whose request came in long ago takes effect now.
    pub(super) fn late_charge(
        &mut self,
        contract_id: i64,
        name: &str,
        reference: &str,
        date: Date,
        amounts: [Decimal; 2],
    ) {
        let id = self.charges.last_key_value().map_or(FIRST_CHARGE, |(last, _)| last + 1);
        let [unit_cost, unit_price] = amounts;
        let charge = Charge {
            id,
            contract_id,
            name: name.to_owned(),
            description: String::new(),
            notes: String::new(),
            kind: 1,
            date,
            quantity: Decimal::ONE,
            unit_cost,
            unit_price,
            rate: self.rate_of(contract_id),
            billing_code_id: None,
            billable: true,
            billed: false,
            purchase_order: String::new(),
            internal_purchase_order: reference.to_owned(),
        };
        self.charges.insert(id, charge);
    }

    /// Removes a charge, as a person does in the web pages.
    pub(super) fn remove_charge(&mut self, id: i64) -> Result<(), Refused> {
        let contract = self.charges.get(&id).map_or(0, |charge| charge.contract_id);
        self.delete_charge(contract, id).map(drop).map_err(|refusal| Refused(refusal.to_string()))
    }
}

use Kind::{Boolean, DateTime, Integer, Long, String as Text};

impl Row for Charge {
    const SINGULAR: &'static str = Entity::ContractCharges.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |c| Cell::Int(c.id)).required(),
        Field::<Self>::new("billableAmount", Kind::Decimal, |c| Cell::Amount(c.billable_amount())),
        Field::<Self>::new("billingCodeID", Long, |c| Cell::maybe(c.billing_code_id))
            .refers_to("BillingCode")
            .writable(),
        Field::<Self>::new("chargeType", Integer, |c| Cell::Int(c.kind))
            .required()
            .writable()
            .picks(Picklists::Seen.charge_types()),
        Field::<Self>::new("contractID", Long, |c| Cell::Int(c.contract_id))
            .refers_to("Contract")
            .required()
            .writable(),
        empty("contractServiceBundleID", Long).writable(),
        empty("contractServiceID", Long).refers_to("ContractService").writable(),
        empty("createDate", DateTime),
        empty("creatorResourceID", Long).refers_to("Resource"),
        Field::<Self>::new("datePurchased", DateTime, |c| Cell::Day(c.date)).required().writable(),
        Field::<Self>::new("description", Text, |c| Cell::Text(&c.description)).length(2000).writable(),
        Field::<Self>::new("extendedCost", Kind::Decimal, |c| Cell::Amount(extended(c.unit_cost, c.quantity))).cost(),
        Field::<Self>::new("internalCurrencyBillableAmount", Kind::Decimal, |c| {
            Cell::Amount(extended(c.billable_amount(), c.rate))
        }),
        Field::<Self>::new("internalCurrencyUnitPrice", Kind::Decimal, |c| {
            Cell::Amount(extended(c.unit_price, c.rate))
        }),
        Field::<Self>::new("internalPurchaseOrderNumber", Text, |c| Cell::Text(&c.internal_purchase_order))
            .length(50)
            .writable(),
        Field::<Self>::new("isBillableToCompany", Boolean, |c| Cell::Flag(c.billable)).writable(),
        Field::<Self>::new("isBilled", Boolean, |c| Cell::Flag(c.billed)),
        Field::<Self>::new("name", Text, |c| Cell::Text(&c.name)).length(100).required().writable(),
        Field::<Self>::new("notes", Text, |c| Cell::Text(&c.notes)).length(2000).writable(),
        empty("organizationalLevelAssociationID", Integer),
        empty("productID", Long).refers_to("Product").writable(),
        Field::<Self>::new("purchaseOrderNumber", Text, |c| Cell::Text(&c.purchase_order)).length(50).writable(),
        empty("status", Long),
        empty("statusLastModifiedBy", Long).refers_to("Resource"),
        empty("statusLastModifiedDate", DateTime),
        Field::<Self>::new("unitCost", Kind::Decimal, |c| Cell::Amount(c.unit_cost)).writable().cost(),
        Field::<Self>::new("unitPrice", Kind::Decimal, |c| Cell::Amount(c.unit_price)).writable(),
        Field::<Self>::new("unitQuantity", Kind::Decimal, |c| Cell::Amount(c.quantity)).required().writable(),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}
