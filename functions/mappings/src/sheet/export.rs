//! `GET /v1/connections/{id}/mappings.csv`: all mappings as a file that can be sent back.

use std::fmt::Display;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::List;
use shared::api::sheet::{self, AtHand, Wants};
use shared::api::{Path, Problem, ProblemBody, Query, owned};
use shared::domain::ids::{ConnectionId, ProductKey};
use shared::domain::rule::Rule;
use shared::store::mappings::{CompanyMapping, Everything, Override, Price, ProductMapping};
use utoipa::IntoParams;

use super::columns::{Column, Type};
use super::understood;
use crate::Deps;

/// All mappings of a connection as a CSV file: a row a product, a company and an override. One that is too large for an answer
/// says so in its last row, which an import passes over, and in `Link`, with the cursor to go on after.
#[utoipa::path(
    get, path = "/v1/connections/{id}/mappings.csv", tag = "mappings", operation_id = "get_mappings_csv",
    params(("id" = String, Path), FilePart),
    responses(
        (status = 200, description = "Products, then companies, each with its overrides", body = String, content_type = "text/csv"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(file): Query<FilePart>,
    wants: Wants,
) -> Result<Response, Problem> {
    owned::connection(&deps.connections, &caller, &connection).await?;
    let all = deps.mappings.everything(&caller.partner, &connection).await?;
    understood(&all)?;
    let list = List::named(&["mappings.csv", connection.as_str()]);
    let from = list.position(file.cursor.as_deref())?;
    sheet::answer(&format!("mappings-{connection}"), &list, &rows(&all), (&wants, from)).await
}

/// Which part of the file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilePart {
    /// Where a file that was cut short goes on: the cursor that its last row and its header `Link` name.
    cursor: Option<String>,
}

/// Products, then companies: one that is given anew is given with all of its overrides, so that these stay together.
fn rows(all: &Everything) -> AtHand {
    let products =
        all.products.iter().map(|mapping| (format!("1#{}", mapping.product), vec![product(mapping).cells()]));
    let companies = all.companies.iter().map(|mapping| {
        let different = mapping.overrides.iter().map(|(product, different)| an_override(mapping, product, different));
        let rows = std::iter::once(company(mapping)).chain(different).map(Cells::cells).collect();
        (format!("2#{}", mapping.company), rows)
    });
    AtHand { header: Column::ALL.map(Column::name).to_vec(), rows: products.chain(companies).collect() }
}

pub(super) fn product(mapping: &ProductMapping) -> Cells {
    Cells::of(Type::Product)
        .with(Column::Product, &mapping.product)
        .some(Column::ServiceId, mapping.service_id.as_ref())
        .rule(&mapping.rule)
        .price(mapping.price.as_ref())
}

pub(super) fn company(mapping: &CompanyMapping) -> Cells {
    Cells::of(Type::Company)
        .with(Column::Company, &mapping.company)
        .with(Column::AccountId, &mapping.account_id)
        .with(Column::ContractId, &mapping.contract_id)
        .word(Column::WhenAbsent, mapping.when_absent)
}

pub(super) fn an_override(mapping: &CompanyMapping, product: &ProductKey, different: &Override) -> Cells {
    let Override { contract_id, service_id, rule, price, excluded, opening_units } = different;
    let cells = Cells::of(Type::Override)
        .with(Column::Company, &mapping.company)
        .with(Column::Product, product)
        .some(Column::ContractId, contract_id.as_ref())
        .some(Column::ServiceId, service_id.as_ref())
        .some(Column::Excluded, excluded.then_some(true))
        .some(Column::OpeningUnits, opening_units.as_ref())
        .price(price.as_ref());
    // Empty cells are no rule: one that is the usual one shows its counting.
    rule.iter().fold(cells, Cells::rule)
}

/// The cells of a row.
pub(super) struct Cells([String; Column::ALL.len()]);

impl Cells {
    fn of(kind: Type) -> Self {
        Self(Column::ALL.map(|_| String::new())).with(Column::Type, kind.name())
    }

    fn cells(self) -> Vec<String> {
        self.0.to_vec()
    }

    /// What stands in a column, as a person reads it.
    pub(super) fn text(&self, column: Column) -> &str {
        self.0.get(column.place()).map_or("", String::as_str)
    }

    fn with(mut self, column: Column, value: impl Display) -> Self {
        if let Some(place) = self.0.get_mut(column.place()) {
            *place = value.to_string();
        }
        self
    }

    fn some(self, column: Column, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(column, value),
            None => self,
        }
    }

    /// A word as JSON has it.
    fn word(self, column: Column, value: impl Serialize) -> Self {
        let word = serde_json::to_value(value).ok();
        self.some(column, word.as_ref().and_then(|word| word.as_str()))
    }

    fn rule(self, rule: &Rule) -> Self {
        self.word(Column::Counting, rule.counting)
            .with(Column::Exclude, rule.exclude)
            .with(Column::Minimum, rule.minimum)
            .some(Column::CommitmentUnits, rule.commitment.map(|commitment| commitment.units))
            .some(Column::CommitmentUntil, rule.commitment.map(|commitment| commitment.until))
            .some(Column::Maximum, rule.maximum)
            .word(Column::Rounding, rule.rounding)
    }

    fn price(self, price: Option<&Price>) -> Self {
        let Some(price) = price else { return self };
        self.word(Column::UnitCost, price.unit_cost)
            .some(Column::Fixed, price.fixed)
            .some(Column::MarkupPercent, price.markup_percent)
            .word(Column::UnitPrice, price.unit_price)
            .some(Column::Decimals, price.decimals.map(u32::from))
            .some(Column::Currency, price.currency.as_ref())
    }
}
