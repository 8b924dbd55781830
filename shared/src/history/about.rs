//! Which lines and charges a company or a product ever was about: every version of its mappings is looked at. And which PSA
//! accounts a company ever was mapped to.

use std::collections::BTreeSet;

use crate::domain::charge::ChargeLine;
use crate::domain::ids::{AccountId, CompanyId, ProductKey, ServiceId};
use crate::domain::line::LineKey;
use crate::store::connections::Connection;
use crate::store::mappings::{CompanyMapping, Mapping, MappingVersion, ProductMapping};
use crate::store::{Read, StoreError, Table, schema};

/// What mappings named.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Lines that they ever could have fed.
    pub lines: BTreeSet<LineKey>,
    /// The services of those.
    pub services: BTreeSet<ServiceId>,
    /// Accounts of the company.
    pub accounts: BTreeSet<AccountId>,
    /// The company's mappings, which name the contracts of its charges; of all companies where none is asked for.
    companies: Vec<CompanyMapping>,
}

impl Named {
    /// What the mappings of `company` (or of all) and `product` (or of all) ever named.
    pub async fn by(
        table: &Table,
        of: &Connection,
        company: Option<&CompanyId>,
        product: Option<&ProductKey>,
    ) -> Result<Self, StoreError> {
        let companies = versions::<CompanyMapping>(table, of, company).await?;
        let products = versions::<ProductMapping>(table, of, product).await?;
        let mut named = Self::default();
        named.services.extend(products.iter().filter_map(|mapping| mapping.service_id.clone()));
        for mapping in &companies {
            named.accounts.insert(mapping.account_id.clone());
            for (other, own) in mapping.overrides.iter().filter(|(other, _)| product.is_none_or(|one| one == *other)) {
                // Also of a product that was mapped in this way only.
                named.line(mapping, own.service_id.as_ref(), other);
            }
            for ProductMapping { product, service_id, .. } in &products {
                let own = mapping.overrides.get(product).and_then(|own| own.service_id.as_ref());
                named.line(mapping, own.or(service_id.as_ref()), product);
            }
        }
        named.companies = companies;
        Ok(named)
    }

    /// Whether a mapping of a company ever named the contract of `charge` for its product.
    pub fn has_charge(&self, charge: &ChargeLine) -> bool {
        self.companies.iter().any(|mapping| {
            let own = mapping.overrides.get(&charge.key.product);
            let contract = own.and_then(|own| own.contract_id.as_ref()).unwrap_or(&mapping.contract_id);
            *contract == charge.contract && !own.is_some_and(|own| own.excluded)
        })
    }

    fn line(&mut self, mapping: &CompanyMapping, service: Option<&ServiceId>, product: &ProductKey) {
        let own = mapping.overrides.get(product);
        if own.is_some_and(|own| own.excluded) {
            return;
        }
        let Some(service) = service else { return };
        let contract = own.and_then(|own| own.contract_id.as_ref()).unwrap_or(&mapping.contract_id);
        self.services.insert(service.clone());
        self.lines.insert(LineKey { contract: contract.clone(), service: service.clone() });
    }
}

/// Every version of one mapping, or of all of its kind.
async fn versions<T: Mapping>(table: &Table, of: &Connection, id: Option<&T::Id>) -> Result<Vec<T>, StoreError> {
    let partition = schema::mapping_history(&of.partner, &of.id);
    let prefix = match id {
        Some(id) => format!("{}#V#", T::key(&of.partner, &of.id, id).sk),
        None => T::PREFIX.to_owned(),
    };
    let rows = table.all::<MappingVersion<T>>(&partition, &prefix, Read::Eventual).await?;
    Ok(rows.into_iter().filter(|(_, version)| !version.removed).map(|(_, version)| version.mapping).collect())
}
