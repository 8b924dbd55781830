//! Charges, services that are made, and tickets, behind the circuit as every other call.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::Guarded;
use crate::domain::ids::{AccountId, ChargeId, ContractId, ContractServiceId, ServiceId, TicketId};
use crate::domain::money::Money;
use crate::psa::charges::{ChargedIn, Charges, NewCharge, PsaCharge};
use crate::psa::provision::{BillingCode, BillingCodeKind, NewService, Provisioning, Vendor};
use crate::psa::tickets::{NewNote, NewTicket, PsaTicket, TicketForm, Tickets};
use crate::psa::{PsaError, Service, WriteError};

#[async_trait]
impl Charges for Guarded {
    async fn charges(
        &self,
        contracts: &BTreeSet<ContractId>,
        references: &BTreeSet<String>,
    ) -> Result<Vec<PsaCharge>, PsaError> {
        self.read(self.connector.charges(contracts, references)).await
    }

    async fn charged_in(&self, accounts: &BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, ChargedIn>, PsaError> {
        self.read(self.connector.charged_in(accounts)).await
    }

    async fn create_charge(&self, charge: &NewCharge) -> Result<Option<ChargeId>, WriteError> {
        self.write(self.connector.create_charge(charge)).await
    }

    async fn change_charge(&self, id: &ChargeId, charge: &NewCharge) -> Result<(), WriteError> {
        self.write(self.connector.change_charge(id, charge)).await
    }

    async fn delete_charge(&self, contract: &ContractId, id: &ChargeId) -> Result<(), WriteError> {
        self.write(self.connector.delete_charge(contract, id)).await
    }
}

#[async_trait]
impl Provisioning for Guarded {
    async fn billing_codes(&self, kind: BillingCodeKind) -> Result<Vec<BillingCode>, PsaError> {
        self.read(self.connector.billing_codes(kind)).await
    }

    async fn vendor(&self, name: &str) -> Result<Vendor, PsaError> {
        self.read(self.connector.vendor(name)).await
    }

    async fn find_services(&self, name: &str) -> Result<Vec<Service>, PsaError> {
        self.read(self.connector.find_services(name)).await
    }

    async fn create_service(&self, service: &NewService) -> Result<Option<ServiceId>, WriteError> {
        self.write(self.connector.create_service(service)).await
    }

    async fn add_service(
        &self,
        contract: &ContractId,
        service: &ServiceId,
        cost: Option<Money>,
        price: Option<Money>,
    ) -> Result<Option<ContractServiceId>, WriteError> {
        self.write(self.connector.add_service(contract, service, cost, price)).await
    }
}

#[async_trait]
impl Tickets for Guarded {
    async fn ticket_form(&self, account: Option<&AccountId>) -> Result<TicketForm, PsaError> {
        self.read(self.connector.ticket_form(account)).await
    }

    async fn find_tickets(
        &self,
        account: &AccountId,
        references: &BTreeSet<String>,
    ) -> Result<Vec<PsaTicket>, PsaError> {
        self.read(self.connector.find_tickets(account, references)).await
    }

    async fn ticket(&self, id: &TicketId) -> Result<Option<PsaTicket>, PsaError> {
        self.read(self.connector.ticket(id)).await
    }

    async fn open_ticket(&self, ticket: &NewTicket) -> Result<Option<TicketId>, WriteError> {
        self.write(self.connector.open_ticket(ticket)).await
    }

    async fn find_notes(&self, id: &TicketId, references: &BTreeSet<String>) -> Result<BTreeSet<String>, PsaError> {
        self.read(self.connector.find_notes(id, references)).await
    }

    async fn add_note(&self, id: &TicketId, note: &NewNote) -> Result<(), WriteError> {
        self.write(self.connector.add_note(id, note)).await
    }

    async fn complete_ticket(&self, id: &TicketId) -> Result<(), WriteError> {
        self.write(self.connector.complete_ticket(id)).await
    }

    async fn reopen_ticket(&self, id: &TicketId, fields: &BTreeMap<String, String>) -> Result<(), WriteError> {
        self.write(self.connector.reopen_ticket(id, fields)).await
    }
}
