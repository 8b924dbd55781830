//! What the API shows of accounts, contracts, services, lines and invoices.
//!
//! Owns the shapes of the rows, their filters and paging. Member names are the specification's; `envelope` respells them.
//! No row shows a line's units: the real API has none that does.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::envelope::{Refusal, Success};
use super::limits::Limits;
use super::members::Members;
use super::specs::ContractKind;
use super::stamps;
use super::switches::{OversizedPage, StatusSpelling, Switches};
use super::world::{Account, Contract, InvoiceItem, Line, Service, World};
use crate::wire::number;

/// What a list is read with.
pub(crate) struct Reader<'a> {
    pub(crate) world: &'a World,
    pub(crate) switches: &'a Switches,
    pub(crate) limits: &'a Limits,
    pub(crate) today: Date,
    pub(crate) asked: &'a Members,
}

type Answer = Result<Success, Refusal>;

impl Reader<'_> {
    /// `GET /v2/crm/accounts/lookup`: paged, but without a total.
    pub(crate) fn accounts_lookup(&self) -> Answer {
        let ids = self.asked.ids("Ids")?;
        let inactive = self.asked.flag("WithInactiveAccounts")?.unwrap_or(false);
        let rows = self.world.accounts.values().filter(|account| {
            picked(ids.as_deref(), account.id) && (inactive || account.active) && self.hits("Name", &account.name)
        });
        let row = |account: &Account| {
            json!({
                "Id": account.id, "Name": account.name, "TenantName": self.world.company_name, "IsActive": account.active,
            })
        };
        let (page, _) = self.page(rows)?;
        Ok(Success::Result(page.into_iter().map(row).collect()))
    }

    /// `GET /v2/crm/accounts/summary`
    pub(crate) fn accounts_summary(&self) -> Answer {
        let active = self.asked.flag("IsActive")?;
        let rows = self.world.accounts.values().filter(|account| {
            active.is_none_or(|active| active == account.active)
                && self.hits("AccountName", &account.name)
                && self.hits("AccountCode", &account.code)
        });
        let (page, total) = self.page(rows)?;
        Ok(Success::Page(page.into_iter().map(|account| self.account(account)).collect(), total))
    }

    /// `GET /v2/crm/accounts/summary/{id}`
    pub(crate) fn account_summary(&self, id: i64) -> Answer {
        let account = self.world.accounts.get(&id).ok_or_else(|| Refusal::NoSuch("Account", id.to_string()))?;
        let shown = self.account(account);
        Ok(if self.switches.bare_account_summary { Success::Bare(shown) } else { Success::Result(shown) })
    }

    /// `GET /v2/crm/accounts/{accountId}/locations/lookup`
    pub(crate) fn locations(&self, account_id: i64) -> Answer {
        if !self.world.accounts.contains_key(&account_id) {
            return Err(Refusal::NoSuch("Account", account_id.to_string()));
        }
        let rows = self.world.locations.values().filter(|location| location.account_id == account_id);
        let shown = rows.map(|location| {
            json!({ "Id": location.id, "Name": location.name, "AccountId": account_id, "IsMain": location.main })
        });
        Ok(Success::Result(shown.collect()))
    }

    /// `GET /v2/finance/contracts/lookup`: by account, no paging, no type.
    pub(crate) fn contracts_lookup(&self) -> Answer {
        let ids = self.asked.ids("Ids")?;
        let account = self.asked.int("AccountId")?;
        let running = self.asked.flag("ExcludeExpiredContracts")?.unwrap_or(false);
        let rows = self.world.contracts.values().filter(|contract| {
            picked(ids.as_deref(), contract.id)
                && account.is_none_or(|account| account == contract.account_id)
                && self.hits("Name", &contract.name)
                && !(running && contract.end < self.today)
        });
        let shown = rows.map(|contract| {
            json!({
                "Id": contract.id, "Name": contract.name, "IsDefault": false, "SLAId": null, "SLAName": null,
                "IsActive": contract.active, "EndDate": stamps::day(contract.end),
            })
        });
        Ok(Success::Result(shown.collect()))
    }

    /// `GET /v2/finance/contracts/summary`: with type and status, but no account id.
    pub(crate) fn contracts_summary(&self) -> Answer {
        let rows = self.world.contracts.values().filter(|contract| {
            self.hits("ContractType", &contract.kind.spelt(self.switches.contract_type))
                && self.hits("ContractName", &contract.name)
                && self.hits("BillingCycle", &contract.billing_cycle)
                && self.hits("AccountName", self.account_name(contract))
                && self.hits("Status", self.status(contract))
        });
        let (page, total) = self.page(rows)?;
        Ok(Success::Page(page.into_iter().map(|contract| self.contract(contract)).collect(), total))
    }

    /// `POST /v2/admin/finance/services/search`
    pub(crate) fn services(&self) -> Answer {
        let active = self.asked.flag("IsActive")?;
        let rows = self.world.services.values().filter(|service| {
            active.is_none_or(|active| active == service.active)
                && self.hits("Name", &service.name)
                && self.hits("Description", &service.description)
        });
        let (page, total) = self.page(rows)?;
        Ok(Success::Page(page.into_iter().map(service).collect(), total))
    }

    /// `GET /v2/admin/finance/services/lookup`: active ones.
    pub(crate) fn services_lookup(&self) -> Answer {
        let id = self.asked.int("Id")?;
        let rows = self.world.services.values().filter(|service| {
            service.active && id.is_none_or(|id| id == service.id) && self.hits("Name", &service.name)
        });
        let (page, total) = self.page(rows)?;
        let row =
            |service: &Service| json!({ "Id": service.id, "Name": service.name, "Description": service.description });
        Ok(Success::Page(page.into_iter().map(row).collect(), total))
    }

    /// `GET /v2/admin/finance/services/{serviceId}`
    pub(crate) fn service(&self, id: i64) -> Answer {
        let found = self.world.services.get(&id).ok_or_else(|| Refusal::NoSuch("Service", id.to_string()))?;
        Ok(Success::Result(service(found)))
    }

    /// `POST /v2/admin/finance/services/{serviceId}/relatedservices/search`: the lines of a service, without units.
    pub(crate) fn related(&self, service_id: i64) -> Answer {
        if !self.world.services.contains_key(&service_id) {
            return Err(Refusal::NoSuch("Service", service_id.to_string()));
        }
        let (effective, starts, ends) =
            (self.span("EffectiveDate")?, self.span("ContractStartDate")?, self.span("ContractEndDate")?);
        let (cost, price) = (self.asked.amount("UnitCost")?, self.asked.amount("UnitPrice")?);
        let lines = self.world.lines.all().filter(|line| line.service_id == service_id);
        let rows = lines.filter_map(|line| Some((line, self.world.contracts.get(&line.contract_id)?)));
        let rows = rows.filter(|(line, contract)| {
            effective(line.effective)
                && starts(contract.start)
                && ends(contract.end)
                && cost.is_none_or(|cost| cost == line.unit_cost)
                && price.is_none_or(|price| price == line.unit_price)
                && self.hits("ServiceName", &line.name)
                && self.hits("ServiceDescription", &line.description)
                && self.hits("ContractName", &contract.name)
                && self.hits("AccountName", self.account_name(contract))
        });
        let (page, total) = self.page(rows)?;
        Ok(Success::Page(page.into_iter().map(|(line, contract)| self.line(line, contract)).collect(), total))
    }

    /// `POST /v2/finance/invoices/details`: paged, but without a total.
    pub(crate) fn invoice_details(&self) -> Answer {
        let ids = self.asked.ids("ListInvoiceIds")?;
        let dated = self.span("InvoiceDate")?;
        let rows = self.world.invoiced.iter().filter(|item| picked(ids.as_deref(), item.invoice_id) && dated(item.day));
        let (page, _) = self.page(rows)?;
        Ok(Success::Result(page.into_iter().map(invoiced).collect()))
    }

    /// One page of rows and how many there are in all. Pages count from 1.
    pub(crate) fn page<T>(&self, rows: impl Iterator<Item = T>) -> Result<(Vec<T>, usize), Refusal> {
        let asked =
            |name: &str| Ok(self.asked.int(name)?.and_then(|number| usize::try_from(number).ok()).filter(|n| *n > 0));
        let size = asked("PageSize")?.unwrap_or(self.limits.default_page_size);
        if size > self.limits.max_page_size && self.switches.oversized_page == OversizedPage::Refuse {
            return Err(Refusal::invalid(format!("PageSize can't be more than {}.", self.limits.max_page_size)));
        }
        let size = size.min(self.limits.max_page_size);
        let first = size.saturating_mul(asked("PageNumber")?.unwrap_or(1) - 1);
        let mut total = 0;
        let mut page = Vec::new();
        for row in rows {
            if total >= first && page.len() < size {
                page.push(row);
            }
            total += 1;
        }
        Ok((page, total))
    }

    /// Whether a value passes the text filter of a name.
    fn hits(&self, name: &str, value: &str) -> bool {
        let Some(wanted) = self.asked.text(name) else {
            return true;
        };
        self.switches.text_filter.hits(value, &wanted)
    }

    /// Whether a day lies between `…From` and `…To`.
    fn span(&self, name: &str) -> Result<impl Fn(Date) -> bool, Refusal> {
        let from = self.asked.date(&format!("{name}From"))?;
        let to = self.asked.date(&format!("{name}To"))?;
        Ok(move |day: Date| from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to))
    }

    fn account_name(&self, contract: &Contract) -> &str {
        self.world.accounts.get(&contract.account_id).map(|account| account.name.as_str()).unwrap_or_default()
    }

    fn status(&self, contract: &Contract) -> &'static str {
        let ended = contract.end < self.today && !self.switches.ended_contracts_say_active;
        let place = if !contract.active { 1 } else { 2 * usize::from(ended) };
        let names = match self.switches.contract_status {
            StatusSpelling::Active => ["Active", "Inactive", "Expired"],
            StatusSpelling::Activated => ["Activated", "Deactivated", "Expired"],
            StatusSpelling::Capitals => ["ACTIVE", "INACTIVE", "EXPIRED"],
        };
        names.get(place).copied().unwrap_or_default()
    }

    fn account(&self, account: &Account) -> Value {
        json!({
            "Id": account.id,
            "AccountCode": account.code,
            "AccountTypeId": 1,
            "AccountType": "Customer",
            "AccountName": account.name,
            "CurrencyName": self.world.currency,
            "CreatedOn": "2020-01-01T09:00:00",
            "ModifiedOn": "2020-01-01T09:00:00",
            "IsActive": account.active,
            "IsBilling": true,
            "TenantName": self.world.company_name,
            "Locations": [],
        })
    }

    fn contract(&self, contract: &Contract) -> Value {
        let price = if contract.kind == ContractKind::RecurringServices {
            let lines = self.world.lines.of_contract(contract.id);
            lines.map(|line| line.unit_price * Decimal::from(line.at(self.today).unwrap_or_default())).sum()
        } else {
            Decimal::ZERO
        };
        json!({
            "Id": contract.id,
            "ContractName": contract.name,
            "AccountName": self.account_name(contract),
            "ContractType": contract.kind.spelt(self.switches.contract_type),
            "ContractBillingPrice": number(price),
            "Status": self.status(contract),
            "ContractNumber": contract.number,
            "BillingCycle": contract.billing_cycle,
            "StartDate": stamps::day(contract.start),
            "EndDate": stamps::day(contract.end),
        })
    }

    fn line(&self, line: &Line, contract: &Contract) -> Value {
        json!({
            "Id": line.id,
            "ServiceId": line.service_id,
            "ContractId": contract.id,
            "AccountId": contract.account_id,
            "ServiceName": line.name,
            "ServiceDescription": line.description,
            "ContractName": contract.name,
            "AccountName": self.account_name(contract),
            "EffectiveDate": stamps::day(line.effective),
            "ContractStartDate": stamps::day(contract.start),
            "ContractEndDate": stamps::day(contract.end),
            "UnitCost": number(line.unit_cost),
            "UnitPrice": number(line.unit_price),
            "MarginType": 1,
            "Margin": number(line.unit_price - line.unit_cost),
            "ExcludeFromContractBulkUpdates": line.excluded,
        })
    }
}

fn picked(ids: Option<&[i64]>, id: i64) -> bool {
    ids.is_none_or(|ids| ids.contains(&id))
}

fn service(service: &Service) -> Value {
    json!({
        "Id": service.id,
        "Name": service.name,
        "Description": service.description,
        "UnitCost": number(service.unit_cost),
        "UnitPrice": number(service.unit_price),
        "Margin": number(service.unit_price - service.unit_cost),
        "MarginType": 1,
        "CategoryId": null,
        "Category": null,
        "UnitOfMeasureId": null,
        "UnitOfMeasure": null,
        "IsActive": service.active,
        "IsTaxable": true,
        "CreatedOn": "2020-01-01T09:00:00",
        "CreatedBy": 1,
        "ModifiedOn": "2020-01-01T09:00:00",
        "ModifiedBy": 1,
    })
}

fn invoiced(item: &InvoiceItem) -> Value {
    let units = Decimal::from(item.units);
    json!({
        "Id": item.id,
        "InvoiceId": item.invoice_id,
        "InvoiceNumber": format!("INV-{}", item.invoice_id),
        "Name": item.name,
        "Description": item.description,
        "TypeId": 1,
        "TypeName": "Recurring Service",
        "Qty": number(units),
        "UnitPrice": number(item.unit_price),
        "TotalPrice": number(item.unit_price * units),
        "ValueDate": stamps::day(item.day),
        "ContractId": item.contract_id,
        "ContractName": item.contract_name,
        "IsTaxable": true,
    })
}
