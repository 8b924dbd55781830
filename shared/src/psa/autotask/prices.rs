//! What the services on contracts are sold and bought for, to be shown beside a change. Nothing here decides one.
//!
//! A contract may carry a price of its own. Autotask shows that one in the partner's own currency alone, and the list price in
//! both: their ratio is the rate between them. Costs read empty where the API user's security level hides them; the answer
//! does not tell that from a service without a cost. A cost is shown once, without a word on its currency. In a tenant with one currency no company is asked for its own.

use std::collections::{BTreeMap, BTreeSet};

use super::client::{Client, Entity};
use super::query::{self, Operator, Query};
use super::wire::{CurrencyRow, InvoicedRow, PricedRow, Row as _};
use crate::domain::ids::{AccountId, ContractId};
use crate::domain::line::LineKey;
use crate::domain::money::{Currency, Money, UnitPrices};
use crate::psa::{ChargedIn, Kind, Observation, PsaError};

/// Of the lines named, each with the currency in which its account is invoiced. What was observed already is not read again.
pub(super) async fn of_lines(
    client: &Client,
    lines: &BTreeMap<LineKey, AccountId>,
    observed: &Observation,
) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError> {
    if lines.is_empty() {
        return Ok(BTreeMap::new());
    }
    let accounts = lines.values().collect();
    let unseen: Vec<&LineKey> = lines.keys().filter(|line| !observed.prices.contains_key(line)).collect();
    let (found, currencies) = tokio::try_join!(listed(client, unseen.into_iter()), Currencies::of(client, &accounts))?;
    let with_currency = |(line, account): (&LineKey, &AccountId)| {
        let prices = found.get(line).or_else(|| observed.prices.get(line))?.clone();
        Some((
            line.clone(),
            UnitPrices { currency: currencies.of_account(account), cost_in: currencies.of_costs(account), ..prices },
        ))
    };
    Ok(lines.iter().filter_map(with_currency).collect())
}

/// Of the lines named, without their currencies; none where this user may not see the services on contracts.
pub(super) async fn shown(
    client: &Client,
    lines: impl Iterator<Item = &LineKey>,
) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError> {
    match listed(client, lines).await {
        Err(error) if !is_out_of_reach(&error) => {
            tracing::warn!(
                code = error.code,
                "autotask does not show the services on contracts: prices are left alone"
            );
            Ok(BTreeMap::new())
        }
        other => other,
    }
}

/// A contract that carries a service twice tells no price of it.
async fn listed(
    client: &Client,
    lines: impl Iterator<Item = &LineKey>,
) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError> {
    let lines: BTreeSet<&LineKey> = lines.collect();
    let rows = rows(client, lines.iter().copied()).await?;
    let mut found: BTreeMap<LineKey, Option<UnitPrices>> = BTreeMap::new();
    for row in &rows {
        let line = LineKey {
            contract: row.reference("contractID", &row.contract)?,
            service: row.reference("serviceID", &row.service)?,
        };
        if lines.contains(&line) {
            found.entry(line).and_modify(|twice| *twice = None).or_insert_with(|| Some(row.prices()));
        }
    }
    Ok(found.into_iter().filter_map(|(line, prices)| Some((line, prices?))).collect())
}

/// Whether the next request would fare no better.
fn is_out_of_reach(error: &PsaError) -> bool {
    error.refuses_log_in() || matches!(error.kind, Kind::Unavailable | Kind::RateLimited)
}

async fn rows(client: &Client, lines: impl Iterator<Item = &LineKey>) -> Result<Vec<PricedRow>, PsaError> {
    let contracts: BTreeSet<&ContractId> = lines.map(|line| &line.contract).collect();
    let mut all = vec![];
    for set in query::id_sets(contracts.into_iter().map(ContractId::as_str)) {
        let query = Query::of(Entity::ContractServices).and("contractID", Operator::In, set);
        all.extend(query::walk::<PricedRow>(client, &query).await?);
    }
    Ok(all)
}

impl PricedRow {
    fn prices(&self) -> UnitPrices {
        UnitPrices { price: self.sold_for(), cost: self.cost.money(), currency: None, cost_in: None }
    }

    /// In the customer's currency.
    fn sold_for(&self) -> Option<Money> {
        let list = self.price.decimal();
        let (Some(adjusted), Some(internal)) = (self.internal_adjusted_price.decimal(), self.internal_price.decimal())
        else {
            return list.map(Money::new);
        };
        if adjusted == internal {
            return list.map(Money::new);
        }
        match list {
            // Without a list price there is no rate. One and the same currency needs none.
            Some(list) if list == internal => Some(Money::new(adjusted)),
            Some(list) => {
                adjusted.checked_mul(list)?.checked_div(internal).map(|price| Money::new(price.round_dp(SCALE)))
            }
            None => None,
        }
    }
}

/// Digits after the point of a price that was converted.
const SCALE: u32 = 4;

/// In which currencies the charges of accounts are.
pub(super) async fn charged_in(
    client: &Client,
    accounts: &BTreeSet<AccountId>,
) -> Result<BTreeMap<AccountId, ChargedIn>, PsaError> {
    let currencies = Currencies::of(client, &accounts.iter().collect()).await?;
    let of =
        |account: &AccountId| ChargedIn { prices: currencies.of_account(account), costs: currencies.of_costs(account) };
    Ok(accounts.iter().map(|account| (account.clone(), of(account))).collect())
}

/// Which currency an account is invoiced in.
#[derive(Default)]
struct Currencies {
    by_account: BTreeMap<AccountId, Currency>,
    /// The one of every account.
    only: Option<Currency>,
    /// The partner's own, in a tenant of several.
    own: Option<Currency>,
}

impl Currencies {
    /// A user who may not see currencies sees prices all the same.
    async fn of(client: &Client, accounts: &BTreeSet<&AccountId>) -> Result<Self, PsaError> {
        let rows = match query::walk::<CurrencyRow>(client, &Query::of(Entity::Currencies)).await {
            Ok(rows) => rows,
            Err(error) if is_out_of_reach(&error) => return Err(error),
            Err(error) => {
                tracing::debug!(code = error.code, "autotask does not show its currencies");
                return Ok(Self::default());
            }
        };
        let code = |row: &CurrencyRow| row.code.text()?.parse::<Currency>().ok();
        let used: Vec<&CurrencyRow> = rows.iter().filter(|row| row.active.flag() != Some(false)).collect();
        if let [only] = used.as_slice() {
            return Ok(Self { only: code(only), ..Self::default() });
        }
        let mut by_id = BTreeMap::new();
        for row in &rows {
            if let Some(code) = code(row) {
                by_id.insert(row.id()?, code);
            }
        }
        let mut by_account = BTreeMap::new();
        for set in query::id_sets(accounts.iter().map(|account| account.as_str())) {
            let query = Query::of(Entity::Companies).and("id", Operator::In, set);
            for row in query::walk::<InvoicedRow>(client, &query).await? {
                let currency = row.currency.whole().and_then(|id| by_id.get(&id));
                if let Some(currency) = currency {
                    by_account.insert(super::wire::id(InvoicedRow::NAME, row.id()?)?, currency.clone());
                }
            }
        }
        let own = rows.iter().find(|row| row.internal.flag() == Some(true)).and_then(code);
        Ok(Self { by_account, only: None, own })
    }

    /// The currency of an account's costs, where that is not the one in which it is invoiced. Autotask shows costs once and
    /// prices in both currencies, so costs are taken to be in the partner's own: nobody has said so.
    fn of_costs(&self, account: &AccountId) -> Option<Currency> {
        self.own.clone().filter(|own| self.by_account.get(account).is_some_and(|invoiced| invoiced != own))
    }

    fn of_account(&self, account: &AccountId) -> Option<Currency> {
        self.by_account.get(account).or(self.only.as_ref()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sold_for(row: &Value) -> Option<String> {
        let row: PricedRow = serde_json::from_value(row.clone()).unwrap();
        row.sold_for().map(|price| price.to_string())
    }

    #[test]
    fn a_contracts_own_price_is_told_in_the_customers_currency() {
        for (row, price) in [
            (json!({"unitPrice": 5, "internalCurrencyUnitPrice": 5, "internalCurrencyAdjustedPrice": 5}), Some("5.00")),
            (
                json!({"unitPrice": 5, "internalCurrencyUnitPrice": 5, "internalCurrencyAdjustedPrice": 4.5}),
                Some("4.50"),
            ),
            (
                json!({"unitPrice": 10, "internalCurrencyUnitPrice": 8, "internalCurrencyAdjustedPrice": 6}),
                Some("7.50"),
            ),
            (json!({"unitPrice": "5.0000"}), Some("5.00")),
            (json!({"unitPrice": 10, "internalCurrencyUnitPrice": 0, "internalCurrencyAdjustedPrice": 6}), None),
            (json!({"internalCurrencyUnitPrice": 5, "internalCurrencyAdjustedPrice": 4}), None),
            (json!({}), None),
        ] {
            assert_eq!(sold_for(&row).as_deref(), price, "{row}");
        }
    }
}
