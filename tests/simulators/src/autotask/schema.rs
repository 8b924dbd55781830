//! What a field is, and what `…/entityInformation/fields` says of it.
//!
//! Owns the description of a field and of an entity's rows. The lists themselves are `fields`.

use serde_json::{Value, json};

use super::cell::Cell;
use super::charges::Charge;
use super::entity::Entity;
use super::fields::Adjustment;
use super::picklists::{Picklists, values};
use super::staff::{Resource, Role};
use super::ticket_lists;
use super::ticket_notes::TicketNote;
use super::tickets::Ticket;
use super::units::UnitRow;
use super::world::{BillingCode, BillingItem, Company, Contract, ContractService, Currency, Service};

/// A field's `dataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Long,
    Integer,
    Short,
    Decimal,
    String,
    Boolean,
    DateTime,
}

/// One field of rows of type `R`.
pub(crate) struct Field<R: 'static> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) get: for<'a> fn(&'a R) -> Cell<'a>,
    /// Hidden from users who cannot read costs.
    pub(crate) is_cost: bool,
    length: u32,
    required: bool,
    writable: bool,
    refers_to: &'static str,
    picklist: &'static [(&'static str, &'static str)],
}

impl<R> Field<R> {
    pub(super) const fn new(name: &'static str, kind: Kind, get: for<'a> fn(&'a R) -> Cell<'a>) -> Self {
        Self {
            name,
            kind,
            get,
            is_cost: false,
            length: 0,
            required: false,
            writable: false,
            refers_to: "",
            picklist: &[],
        }
    }

    pub(super) const fn cost(mut self) -> Self {
        self.is_cost = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn writable(mut self) -> Self {
        self.writable = true;
        self
    }

    pub(super) const fn length(mut self, length: u32) -> Self {
        self.length = length;
        self
    }

    pub(super) const fn refers_to(mut self, entity: &'static str) -> Self {
        self.refers_to = entity;
        self
    }

    pub(super) const fn picks(mut self, picklist: &'static [(&'static str, &'static str)]) -> Self {
        self.picklist = picklist;
        self
    }

    fn metadata(&self) -> Value {
        let picklist = if self.picklist.is_empty() { Value::Null } else { values(self.picklist) };
        json!({
            "name": self.name,
            "dataType": match self.kind {
                Kind::Long => "long",
                Kind::Integer => "integer",
                Kind::Short => "short",
                Kind::Decimal => "double",
                Kind::String => "string",
                Kind::Boolean => "boolean",
                Kind::DateTime => "datetime",
            },
            "length": self.length,
            "isRequired": self.required,
            "isReadOnly": !self.writable,
            "isQueryable": true,
            "isReference": !self.refers_to.is_empty(),
            "referenceEntityType": self.refers_to,
            "isPickList": !self.picklist.is_empty(),
            "picklistValues": picklist,
            "picklistParentValueField": "",
            "isSupportedWebhookField": false,
        })
    }
}

/// Rows that can be queried.
pub(crate) trait Row: Sized + 'static {
    const FIELDS: &'static [Field<Self>];

    /// The entity's name in messages.
    const SINGULAR: &'static str;

    /// The place of a field in [`Row::FIELDS`], found without regard to case.
    fn place(name: &str) -> Option<usize> {
        Self::FIELDS.iter().position(|field| field.name.eq_ignore_ascii_case(name))
    }

    fn id(&self) -> i64;
}

/// The body of `…/entityInformation/fields`; none for endpoints that are no entity.
pub(crate) fn fields(entity: Entity, picklists: Picklists) -> Option<Value> {
    fn of<R: Row>() -> Value {
        R::FIELDS.iter().map(Field::metadata).collect()
    }
    let mut fields: Value = match entity {
        Entity::Companies => of::<Company>(),
        Entity::Contracts => of::<Contract>(),
        Entity::ContractCharges => of::<Charge>(),
        Entity::ContractServices => of::<ContractService>(),
        Entity::ContractServiceUnits => of::<UnitRow>(),
        Entity::ContractServiceAdjustments => of::<Adjustment>(),
        Entity::Currencies => of::<Currency>(),
        Entity::Resources => of::<Resource>(),
        Entity::Roles => of::<Role>(),
        Entity::Services => of::<Service>(),
        Entity::TicketNotes => of::<TicketNote>(),
        Entity::Tickets => of::<Ticket>(),
        Entity::BillingCodes => of::<BillingCode>(),
        Entity::BillingItems => of::<BillingItem>(),
        Entity::ThresholdInformation | Entity::VersionInformation | Entity::ZoneInformation => {
            return None;
        }
    };
    picklists.relist(entity, &mut fields);
    ticket_lists::relist(entity, &mut fields);
    Some(json!({ "fields": fields }))
}
