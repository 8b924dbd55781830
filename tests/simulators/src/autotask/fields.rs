//! The fields of each entity, one list an entity.
//!
//! Owns names, types, flags, picklists and how a field is read from a row. Fields that no simulated row fills are listed and
//! read as null, because a client must cope with the whole shape. Sources: the official Swagger, and field metadata captured
//! from live tenants in 2023.

use rust_decimal::Decimal;

use super::cell::Cell;
use super::entity::Entity;
use super::picklists::Picklists;
use super::schema::{Field, Kind, Row};
use super::timeline::Period;
use super::units::UnitRow;
use super::world::{BillingCode, BillingItem, Company, Contract, ContractService, Currency, Service};

const PERIODS: &[(&str, &str)] = &[("2", "Monthly"), ("3", "Quarterly"), ("4", "Semi-Annual"), ("5", "Yearly")];
const CONTRACT_TYPES: &[(&str, &str)] = &[
    ("1", "Time & Materials"),
    ("3", "Fixed Price"),
    ("4", "Block Hours"),
    ("6", "Retainer"),
    ("7", "Recurring Service"),
    ("8", "Per Ticket"),
];
const CONTRACT_STATUSES: &[(&str, &str)] = &[("0", "Inactive"), ("1", "Active")];
/// What field metadata shows under the default setting.
const SEEN: Picklists = Picklists::Seen;
const CODE_TYPES: &[(&str, &str)] = &[("0", "Normal"), ("1", "System"), ("2", "Non-Billable")];

use Kind::{Boolean, DateTime, Integer, Long, Short, String as Text};

pub(super) const fn empty<R>(name: &'static str, kind: Kind) -> Field<R> {
    Field::new(name, kind, |_| Cell::Null)
}

impl Row for Company {
    const SINGULAR: &'static str = Entity::Companies.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |c| Cell::Int(c.id)).required(),
        empty("additionalAddressInformation", Text).length(100).writable(),
        empty("address1", Text).length(128).writable(),
        empty("address2", Text).length(128).writable(),
        empty("alternatePhone1", Text).length(25).writable(),
        empty("alternatePhone2", Text).length(25).writable(),
        empty("assetValue", Kind::Decimal).writable(),
        empty("city", Text).length(30).writable(),
        empty("classification", Integer).writable(),
        Field::<Self>::new("companyName", Text, |c| Cell::Text(&c.name)).length(100).required().writable(),
        Field::<Self>::new("companyNumber", Text, |c| Cell::Text(&c.number)).length(50).writable(),
        Field::<Self>::new("companyType", Short, |c| Cell::Int(c.kind))
            .required()
            .writable()
            .picks(SEEN.company_types()),
        empty("countryID", Integer).refers_to("Country").writable(),
        empty("createDate", DateTime),
        Field::<Self>::new("currencyID", Integer, |c| Cell::Int(c.currency_id)).refers_to("Currency").writable(),
        Field::<Self>::new("isActive", Boolean, |c| Cell::Flag(c.active)).writable(),
        empty("isTaxExempt", Boolean).writable(),
        empty("lastActivityDate", DateTime),
        empty("lastTrackedModifiedDateTime", DateTime),
        Field::<Self>::new("ownerResourceID", Integer, |_| Cell::Int(29_682_885))
            .refers_to("Resource")
            .required()
            .writable(),
        empty("parentCompanyID", Integer).refers_to("Company").writable(),
        Field::<Self>::new("phone", Text, |_| Cell::Text("555-0100")).length(25).required().writable(),
        empty("postalCode", Text).length(10).writable(),
        empty("state", Text).length(40).writable(),
        empty("taxID", Text).length(50).writable(),
        empty("webAddress", Text).length(255).writable(),
        empty("apiVendorID", Integer),
        empty("billingAddress1", Text),
        empty("billingAddress2", Text),
        empty("billToAdditionalAddressInformation", Text),
        empty("billToAddressToUse", Integer),
        empty("billToAttention", Text),
        empty("billToCity", Text),
        empty("billToCompanyLocationID", Integer),
        empty("billToCountryID", Integer),
        empty("billToState", Text),
        empty("billToZipCode", Text),
        empty("companyCategoryID", Integer),
        empty("competitorID", Integer),
        empty("createdByResourceID", Integer),
        empty("fax", Text),
        empty("impersonatorCreatorResourceID", Integer),
        empty("invoiceEmailMessageID", Integer),
        empty("invoiceMethod", Integer),
        empty("invoiceNonContractItemsToParentCompany", Boolean),
        empty("invoiceTemplateID", Integer),
        empty("isClientPortalActive", Boolean),
        empty("isEnabledForComanaged", Boolean),
        empty("isTaskFireActive", Boolean),
        empty("marketSegmentID", Integer),
        empty("purchaseOrderTemplateID", Integer),
        empty("quoteEmailMessageID", Integer),
        empty("quoteTemplateID", Integer),
        empty("sicCode", Text),
        empty("stockMarket", Text),
        empty("stockSymbol", Text),
        empty("surveyCompanyRating", Kind::Decimal),
        empty("taxRegionID", Integer),
        empty("territoryID", Integer),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for Contract {
    const SINGULAR: &'static str = Entity::Contracts.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |c| Cell::Int(c.id)).required(),
        empty("billingPreference", Integer).writable(),
        empty("billToCompanyContactID", Integer).refers_to("Contact").writable(),
        empty("billToCompanyID", Integer).refers_to("Company").writable(),
        Field::<Self>::new("companyID", Integer, |c| Cell::Int(c.company_id)).refers_to("Company").required(),
        empty("contactID", Integer).refers_to("Contact").writable(),
        empty("contactName", Text).length(250).writable(),
        empty("contractCategory", Integer).writable(),
        empty("contractExclusionSetID", Integer).writable(),
        Field::<Self>::new("contractName", Text, |c| Cell::Text(&c.name)).length(100).required().writable(),
        Field::<Self>::new("contractNumber", Text, |c| Cell::Text(&c.number)).length(50).writable(),
        Field::<Self>::new("contractPeriodType", Integer, |c| Cell::maybe(c.period.map(Period::number))).picks(PERIODS),
        Field::<Self>::new("contractType", Integer, |c| Cell::Int(c.kind)).required().picks(CONTRACT_TYPES),
        empty("description", Text).length(2000).writable(),
        Field::<Self>::new("endDate", DateTime, |c| Cell::Day(c.days.end)).required().writable(),
        empty("estimatedCost", Kind::Decimal).writable().cost(),
        empty("estimatedHours", Kind::Decimal).writable(),
        empty("estimatedRevenue", Kind::Decimal).writable(),
        empty("exclusionContractID", Long).refers_to("Contract"),
        empty("internalCurrencySetupFee", Kind::Decimal),
        empty("isCompliant", Boolean).writable(),
        Field::<Self>::new("isDefaultContract", Boolean, |_| Cell::Flag(false)).writable(),
        empty("opportunityID", Integer).refers_to("Opportunity").writable(),
        empty("organizationalLevelAssociationID", Integer).writable(),
        empty("purchaseOrderNumber", Text).length(50).writable(),
        Field::<Self>::new("renewedContractID", Long, |c| Cell::maybe(c.renewed_contract_id))
            .refers_to("Contract")
            .writable(),
        empty("serviceLevelAgreementID", Integer).writable(),
        empty("setupFee", Kind::Decimal).writable(),
        empty("setupFeeBillingCodeID", Long).refers_to("BillingCode").writable(),
        Field::<Self>::new("startDate", DateTime, |c| Cell::Day(c.days.start)).required().writable(),
        Field::<Self>::new("status", Integer, |c| Cell::Int(c.status)).required().writable().picks(CONTRACT_STATUSES),
        Field::<Self>::new("timeReportingRequiresStartAndStopTimes", Integer, |_| Cell::Int(0)).required().writable(),
        empty("internalCurrencyOverageBillingRate", Kind::Decimal),
        empty("overageBillingRate", Kind::Decimal),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for ContractService {
    const SINGULAR: &'static str = Entity::ContractServices.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |l| Cell::Int(l.id)).required(),
        Field::<Self>::new("contractID", Integer, |l| Cell::Int(l.contract_id)).refers_to("Contract").required(),
        Field::<Self>::new("internalCurrencyAdjustedPrice", Kind::Decimal, |l| Cell::Amount(l.adjusted_price * l.rate)),
        Field::<Self>::new("internalCurrencyUnitPrice", Kind::Decimal, |l| Cell::Amount(l.unit_price * l.rate)),
        Field::<Self>::new("internalDescription", Text, |l| Cell::Text(&l.internal_description)).length(100).writable(),
        Field::<Self>::new("invoiceDescription", Text, |l| Cell::Text(&l.invoice_description)).length(1000).writable(),
        empty("quoteItemID", Long).refers_to("QuoteItem"),
        Field::<Self>::new("serviceID", Integer, |l| Cell::Int(l.service_id)).refers_to("Service").required(),
        Field::<Self>::new("unitCost", Kind::Decimal, |l| Cell::Amount(l.unit_cost)).writable().cost(),
        Field::<Self>::new("unitPrice", Kind::Decimal, |l| Cell::Amount(l.unit_price)),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for UnitRow {
    const SINGULAR: &'static str = Entity::ContractServiceUnits.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |u| Cell::Int(u.id)).required(),
        Field::<Self>::new("approveAndPostDate", DateTime, |u| u.posted.map_or(Cell::Null, Cell::Day)),
        Field::<Self>::new("contractID", Integer, |u| Cell::Int(u.contract_id)).refers_to("Contract").required(),
        Field::<Self>::new("contractServiceID", Integer, |u| Cell::Int(u.contract_service_id))
            .refers_to("ContractService"),
        Field::<Self>::new("cost", Kind::Decimal, |u| Cell::Amount(u.cost)).cost(),
        Field::<Self>::new("endDate", DateTime, |u| Cell::Day(u.days.end)).required(),
        Field::<Self>::new("internalCurrencyPrice", Kind::Decimal, |u| Cell::Amount(u.price)),
        empty("organizationalLevelAssociationID", Integer),
        Field::<Self>::new("price", Kind::Decimal, |u| Cell::Amount(u.price)),
        Field::<Self>::new("serviceID", Integer, |u| Cell::Int(u.service_id)).refers_to("Service").required(),
        Field::<Self>::new("startDate", DateTime, |u| Cell::Day(u.days.start)).required(),
        Field::<Self>::new("units", Integer, |u| Cell::Int(u.units)).required(),
        empty("vendorCompanyID", Integer).refers_to("Company"),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

/// Adjustments have fields and metadata but no rows.
pub(crate) struct Adjustment;

impl Row for Adjustment {
    const SINGULAR: &'static str = Entity::ContractServiceAdjustments.singular();
    const FIELDS: &'static [Field<Self>] = &[
        empty("id", Long),
        empty("adjustedUnitCost", Kind::Decimal).writable().cost(),
        empty("adjustedUnitPrice", Kind::Decimal).writable(),
        empty("allowRepeatService", Boolean).writable(),
        empty("contractID", Integer).refers_to("Contract").writable(),
        empty("contractServiceID", Integer).refers_to("ContractService").writable(),
        empty("effectiveDate", DateTime).required().writable(),
        empty("quoteItemID", Integer).refers_to("QuoteItem").writable(),
        empty("serviceID", Integer).refers_to("Service").writable(),
        empty("unitChange", Integer).writable(),
    ];

    fn id(&self) -> i64 {
        0
    }
}

impl Row for Service {
    const SINGULAR: &'static str = Entity::Services.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |s| Cell::Int(s.id)).required(),
        Field::<Self>::new("billingCodeID", Integer, |s| Cell::Int(s.billing_code_id))
            .refers_to("BillingCode")
            .required()
            .writable(),
        empty("createDate", DateTime),
        empty("creatorResourceID", Integer).refers_to("Resource"),
        Field::<Self>::new("description", Text, |s| Cell::Text(&s.description)).length(400).writable(),
        Field::<Self>::new("invoiceDescription", Text, |s| Cell::Text(&s.name)).length(1000).writable(),
        Field::<Self>::new("isActive", Boolean, |s| Cell::Flag(s.active)).writable(),
        empty("lastModifiedDate", DateTime),
        empty("markupRate", Kind::Decimal),
        Field::<Self>::new("name", Text, |s| Cell::Text(&s.name)).length(150).required().writable(),
        Field::<Self>::new("periodType", Integer, |s| Cell::Int(s.period.number())).required().picks(PERIODS),
        empty("serviceLevelAgreementID", Long).writable(),
        Field::<Self>::new("sku", Text, |s| s.sku.as_deref().map_or(Cell::Null, Cell::Text)).length(50).writable(),
        Field::<Self>::new("unitCost", Kind::Decimal, |s| Cell::Amount(s.unit_cost)).writable().cost(),
        Field::<Self>::new("unitPrice", Kind::Decimal, |s| Cell::Amount(s.unit_price)).required().writable(),
        empty("updateResourceID", Integer).refers_to("Resource"),
        Field::<Self>::new("vendorCompanyID", Integer, |s| Cell::maybe(s.vendor_id)).refers_to("Company").writable(),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for BillingCode {
    const SINGULAR: &'static str = Entity::BillingCodes.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |b| Cell::Int(b.id)).required(),
        empty("afterHoursWorkType", Integer),
        Field::<Self>::new("billingCodeType", Integer, |_| Cell::Int(0)).picks(CODE_TYPES),
        empty("department", Integer),
        empty("description", Text).length(500),
        empty("externalNumber", Text).length(100),
        empty("generalLedgerAccount", Integer),
        Field::<Self>::new("isActive", Boolean, |b| Cell::Flag(b.active)).required(),
        Field::<Self>::new("isExcludedFromNewContracts", Boolean, |_| Cell::Flag(false)),
        empty("markupRate", Kind::Decimal),
        Field::<Self>::new("name", Text, |b| Cell::Text(&b.name)).length(200),
        empty("taxCategoryID", Integer),
        Field::<Self>::new("unitCost", Kind::Decimal, |_| Cell::Amount(Decimal::ZERO)).required().cost(),
        Field::<Self>::new("unitPrice", Kind::Decimal, |_| Cell::Amount(Decimal::ZERO)).required(),
        Field::<Self>::new("useType", Integer, |b| Cell::Int(b.use_type)).picks(SEEN.code_uses()),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for Currency {
    const SINGULAR: &'static str = Entity::Currencies.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |c| Cell::Int(c.id)).required(),
        empty("currencyNegativeFormat", Text),
        empty("currencyPositiveFormat", Text),
        Field::<Self>::new("description", Text, |c| Cell::Text(&c.code)).length(100).required(),
        empty("displaySymbol", Integer),
        Field::<Self>::new("exchangeRate", Kind::Decimal, |c| Cell::Amount(c.rate)).required().writable(),
        Field::<Self>::new("isActive", Boolean, |_| Cell::Flag(true)).required(),
        Field::<Self>::new("isInternalCurrency", Boolean, |c| Cell::Flag(c.id == 1)).required(),
        empty("lastModifiedDateTime", DateTime),
        Field::<Self>::new("name", Text, |c| Cell::Text(&c.code)).length(3).required(),
        empty("updateResourceId", Integer),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}

impl Row for BillingItem {
    const SINGULAR: &'static str = Entity::BillingItems.singular();
    const FIELDS: &'static [Field<Self>] = &[
        Field::<Self>::new("id", Long, |b| Cell::Int(b.id)).required(),
        Field::<Self>::new("billingCodeID", Integer, |b| Cell::Int(b.billing_code_id)).refers_to("BillingCode"),
        empty("billingItemType", Integer).required(),
        Field::<Self>::new("companyID", Integer, |b| Cell::Int(b.company_id)).refers_to("Company"),
        empty("contractChargeID", Long).refers_to("ContractCharge"),
        Field::<Self>::new("contractID", Integer, |b| Cell::Int(b.contract_id)).refers_to("Contract"),
        empty("contractServiceAdjustmentID", Integer),
        Field::<Self>::new("contractServiceID", Integer, |b| Cell::Int(b.contract_service_id))
            .refers_to("ContractService"),
        Field::<Self>::new("contractServicePeriodID", Integer, |b| Cell::Int(b.period_id)),
        empty("description", Text),
        Field::<Self>::new("extendedPrice", Kind::Decimal, |b| Cell::Amount(b.price)),
        Field::<Self>::new("internalCurrencyExtendedPrice", Kind::Decimal, |b| Cell::Amount(b.price)),
        Field::<Self>::new("internalCurrencyRate", Kind::Decimal, |b| Cell::Amount(b.rate)),
        empty("invoiceID", Integer).refers_to("Invoice"),
        Field::<Self>::new("itemDate", DateTime, |b| Cell::Day(b.day)),
        Field::<Self>::new("itemName", Text, |b| Cell::Text(&b.name)),
        Field::<Self>::new("nonBillable", Integer, |_| Cell::Int(0)).required(),
        empty("organizationalLevelAssociationID", Integer),
        Field::<Self>::new("ourCost", Kind::Decimal, |b| Cell::Amount(b.cost)).cost(),
        Field::<Self>::new("postedDate", DateTime, |b| Cell::Day(b.posted)),
        Field::<Self>::new("postedOnTime", DateTime, |b| Cell::Day(b.posted)),
        Field::<Self>::new("quantity", Kind::Decimal, |b| Cell::Amount(b.units.into())),
        Field::<Self>::new("rate", Kind::Decimal, |b| Cell::Amount(b.rate)),
        Field::<Self>::new("serviceID", Long, |b| Cell::Int(b.service_id)).refers_to("Service"),
        empty("subType", Integer).required(),
        empty("taxDollars", Kind::Decimal),
        Field::<Self>::new("totalAmount", Kind::Decimal, |b| Cell::Amount(b.price)),
        empty("webServiceDate", DateTime).writable(),
        empty("accountManagerWhenApprovedID", Integer),
        empty("configurationItemID", Long),
        empty("contractBlockID", Integer),
        empty("contractServiceBundleAdjustmentID", Integer),
        empty("contractServiceBundleID", Integer),
        empty("contractServiceBundlePeriodID", Integer),
        empty("expenseItemID", Integer),
        empty("internalCurrencyTaxDollars", Kind::Decimal),
        empty("internalCurrencyTotalAmount", Kind::Decimal),
        empty("itemApproverID", Integer),
        empty("lineItemFullDescription", Text),
        empty("lineItemGroupDescription", Text),
        empty("milestoneID", Long),
        empty("projectChargeID", Long),
        empty("projectID", Integer),
        empty("purchaseOrderNumber", Text),
        empty("roleID", Integer),
        empty("serviceBundleID", Long),
        empty("sortOrderID", Long),
        empty("taskID", Integer),
        empty("ticketChargeID", Long),
        empty("ticketID", Integer),
        empty("timeEntryID", Integer),
        empty("vendorID", Long),
    ];

    fn id(&self) -> i64 {
        self.id
    }
}
