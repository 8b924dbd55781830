//! `GET /v1/connections/{id}/mappings.csv`: all mappings as a file that can be sent back.

use std::fmt::Display;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::{Path, Problem, ProblemBody};
use shared::domain::ids::ConnectionId;
use shared::domain::rule::Rule;
use shared::store::Read;
use shared::store::mappings::{CompanyMapping, Everything, Override, Price, ProductMapping};

use super::columns::{Column, Type, cell};
use crate::Deps;

/// All mappings of a connection as a CSV file: a row a product, a company and an override.
#[utoipa::path(
    get, path = "/v1/connections/{id}/mappings.csv", tag = "mappings", operation_id = "get_mappings_csv",
    params(("id" = String, Path)),
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
) -> Result<Response, Problem> {
    let found = deps.connections.get(&caller.partner, &connection, Read::Eventual).await?;
    found.ok_or_else(|| Problem::not_found("connection"))?;
    let all = deps.mappings.everything(&caller.partner, &connection).await?;
    let name = format!("attachment; filename=\"mappings-{connection}.csv\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name.as_str())];
    Ok((headers, sheet(&all).map_err(Problem::internal)?).into_response())
}

fn sheet(all: &Everything) -> Result<Vec<u8>, csv::Error> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    sheet.write_record(Column::ALL.map(Column::name))?;
    for mapping in &all.products {
        sheet.write_record(product(mapping).0)?;
    }
    for mapping in &all.companies {
        sheet.write_record(company(mapping).0)?;
        for (product, different) in &mapping.overrides {
            let row = an_override(different).with(Column::Company, &mapping.company).with(Column::Product, product);
            sheet.write_record(row.0)?;
        }
    }
    sheet.into_inner().map_err(|error| error.into_error().into())
}

fn product(mapping: &ProductMapping) -> Cells {
    Cells::of(Type::Product)
        .with(Column::Product, &mapping.product)
        .with(Column::ServiceId, &mapping.service_id)
        .rule(&mapping.rule)
        .price(mapping.price.as_ref())
}

fn company(mapping: &CompanyMapping) -> Cells {
    Cells::of(Type::Company)
        .with(Column::Company, &mapping.company)
        .with(Column::AccountId, &mapping.account_id)
        .with(Column::ContractId, &mapping.contract_id)
        .word(Column::WhenAbsent, mapping.when_absent)
}

fn an_override(different: &Override) -> Cells {
    let Override { contract_id, service_id, rule, price, excluded, opening_units } = different;
    let cells = Cells::of(Type::Override)
        .some(Column::ContractId, contract_id.as_ref())
        .some(Column::ServiceId, service_id.as_ref())
        .some(Column::Excluded, excluded.then_some(true))
        .some(Column::OpeningUnits, opening_units.as_ref())
        .price(price.as_ref());
    // Empty cells are no rule: one that is the usual one shows its counting.
    rule.iter().fold(cells, Cells::rule)
}

/// The cells of a row.
struct Cells([String; Column::ALL.len()]);

impl Cells {
    fn of(kind: Type) -> Self {
        Self(Column::ALL.map(|_| String::new())).with(Column::Type, kind.name())
    }

    fn with(mut self, column: Column, value: impl Display) -> Self {
        if let Some(place) = self.0.get_mut(column.place()) {
            *place = cell(&value.to_string());
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
    }
}
