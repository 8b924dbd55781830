//! What Tallyline does not do in Kaseya BMS: charges on contracts, and services that are made for the partner.
//!
//! Each call says so without a request, and each write as not sent.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::connector::KaseyaBmsConnector;
use crate::domain::ids::{AccountId, ChargeId, ContractId, ContractServiceId, ServiceId};
use crate::domain::money::Money;
use crate::psa::charges::{ChargedIn, Charges, HAS_NO_CHARGES, NewCharge, PsaCharge};
use crate::psa::provision::{BillingCode, BillingCodeKind, HAS_NO_PROVISIONING, NewService, Provisioning, Vendor};
use crate::psa::{Kind, PsaError, Service, WriteError};

fn no_charges() -> PsaError {
    PsaError::new(
        Kind::Validation,
        HAS_NO_CHARGES,
        "Tallyline can't put charges on contracts of Kaseya BMS.",
        "Bill what is metered there by hand, or count it as units of a service.",
    )
}

fn no_provisioning() -> PsaError {
    PsaError::new(
        Kind::Validation,
        HAS_NO_PROVISIONING,
        "Tallyline can't make services in Kaseya BMS, or put them on contracts there.",
        "Make the service in Kaseya BMS, put it on the contract, and map it.",
    )
}

#[async_trait]
impl Charges for KaseyaBmsConnector {
    async fn charges(&self, _: &BTreeSet<ContractId>, _: &BTreeSet<String>) -> Result<Vec<PsaCharge>, PsaError> {
        Err(no_charges())
    }

    async fn charged_in(&self, _: &BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, ChargedIn>, PsaError> {
        Err(no_charges())
    }

    async fn create_charge(&self, _: &NewCharge) -> Result<Option<ChargeId>, WriteError> {
        Err(WriteError::NotSent(no_charges()))
    }

    async fn change_charge(&self, _: &ChargeId, _: &NewCharge) -> Result<(), WriteError> {
        Err(WriteError::NotSent(no_charges()))
    }

    async fn delete_charge(&self, _: &ContractId, _: &ChargeId) -> Result<(), WriteError> {
        Err(WriteError::NotSent(no_charges()))
    }
}

#[async_trait]
impl Provisioning for KaseyaBmsConnector {
    async fn billing_codes(&self, _: BillingCodeKind) -> Result<Vec<BillingCode>, PsaError> {
        Err(no_provisioning())
    }

    async fn vendor(&self, _: &str) -> Result<Vendor, PsaError> {
        Err(no_provisioning())
    }

    async fn find_services(&self, _: &str) -> Result<Vec<Service>, PsaError> {
        Err(no_provisioning())
    }

    async fn create_service(&self, _: &NewService) -> Result<Option<ServiceId>, WriteError> {
        Err(WriteError::NotSent(no_provisioning()))
    }

    async fn add_service(
        &self,
        _: &ContractId,
        _: &ServiceId,
        _: Option<Money>,
        _: Option<Money>,
    ) -> Result<Option<ContractServiceId>, WriteError> {
        Err(WriteError::NotSent(no_provisioning()))
    }
}
