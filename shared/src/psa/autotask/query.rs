//! Queries: filters, pages, and the walk over all rows.
//!
//! A walk asks for `id` greater than the last one seen, which Autotask's own documentation recommends: its page addresses
//! answer differently from zone to zone and cut lists silently. Rows come in order of id; the walk checks it, because
//! Autotask ignores a filter whose operator it does not know and would then send the same page for ever.

use serde_json::{Value, json};

use super::client::{Client, Entity};
use super::errors;
use super::wire::{Page, Row};
use crate::psa::PsaError;

/// The most rows that Autotask gives in a page, and the most values that one `in` may name.
pub(super) const MOST: usize = 500;

/// What to ask of an entity. All conditions must hold.
#[derive(Debug, Clone)]
pub(super) struct Query {
    entity: Entity,
    conditions: Vec<Value>,
}

impl Query {
    /// All rows that the user may see.
    pub(super) fn of(entity: Entity) -> Self {
        Self { entity, conditions: vec![] }
    }

    /// Only rows whose `field` compares so. An operator that is misspelt would be ignored, so there is no free text.
    #[must_use]
    pub(super) fn and(mut self, field: &str, operator: Operator, value: impl Into<Value>) -> Self {
        self.conditions.push(json!({"op": operator.as_str(), "field": field, "value": value.into()}));
        self
    }

    /// The body that asks for up to `rows` rows with an id above `after`.
    fn body(&self, fields: &[&str], after: Option<i64>, rows: usize) -> Value {
        // A filter must not be empty, and id 0 (the partner's own company) is a row too.
        let beyond = match after {
            Some(id) => json!({"op": "gt", "field": "id", "value": id}),
            None => json!({"op": "gte", "field": "id", "value": 0}),
        };
        let conditions: Vec<_> = std::iter::once(&beyond).chain(&self.conditions).collect();
        json!({"MaxRecords": rows, "IncludeFields": fields, "Filter": [{"op": "and", "items": conditions}]})
    }
}

/// The comparisons we use. (`ne` is none of Autotask's.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Gte,
    Lte,
    Contains,
    BeginsWith,
    In,
}

impl Operator {
    fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Gte => "gte",
            Self::Lte => "lte",
            Self::Contains => "contains",
            Self::BeginsWith => "beginsWith",
            Self::In => "in",
        }
    }
}

/// Rows in order of id, and where to go on.
pub(super) struct Rows<R> {
    /// The rows.
    pub(super) rows: Vec<R>,
    /// The last row's id, where more may follow.
    pub(super) go_on_after: Option<i64>,
}

/// Up to `most` rows with an id above `after`.
pub(super) async fn page<R: Row>(
    client: &Client,
    query: &Query,
    after: Option<i64>,
    most: usize,
) -> Result<Rows<R>, PsaError> {
    let mut page: Page<R> = client.query(query.entity, &query.body(R::FIELDS, after, most)).await?;
    let more = page.may_go_on(most) || page.items.len() > most;
    page.items.truncate(most);
    let mut last = after;
    for row in &page.items {
        let id = row.id()?;
        if last.is_some_and(|last| id <= last) {
            return Err(errors::unreadable(query.entity.name(), "did not come in order of id"));
        }
        last = Some(id);
    }
    Ok(Rows { rows: page.items, go_on_after: last.filter(|_| more) })
}

/// All rows.
pub(super) async fn walk<R: Row>(client: &Client, query: &Query) -> Result<Vec<R>, PsaError> {
    let mut all = vec![];
    let mut after = None;
    loop {
        let page = page(client, query, after, MOST).await?;
        all.extend(page.rows);
        after = page.go_on_after;
        if after.is_none() {
            return Ok(all);
        }
    }
}

/// Autotask's numbers from ids of ours, in sets small enough for one `in`. A text that is no number names nothing in
/// Autotask, and is left out: sent as a text it would match nothing, or fail the whole query.
pub(super) fn id_sets<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<Vec<i64>> {
    let mut numbers: Vec<i64> = ids.filter_map(|id| id.parse().ok()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.chunks(MOST).map(<[i64]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_wraps_its_conditions_in_one_and() {
        let query =
            Query::of(Entity::Contracts).and("contractType", Operator::Eq, 7).and("id", Operator::In, vec![1, 2]);
        assert_eq!(
            query.body(&["id", "status"], None, 500),
            json!({
                "MaxRecords": 500,
                "IncludeFields": ["id", "status"],
                "Filter": [{"op": "and", "items": [
                    {"op": "gte", "field": "id", "value": 0},
                    {"op": "eq", "field": "contractType", "value": 7},
                    {"op": "in", "field": "id", "value": [1, 2]},
                ]}],
            })
        );
        assert_eq!(
            query.body(&["id"], Some(9), 1)["Filter"][0]["items"][0],
            json!({"op": "gt", "field": "id", "value": 9})
        );
    }

    #[test]
    fn id_sets_hold_no_more_than_one_in_may_name() {
        let ids: Vec<String> = (0..1_001).map(|n| n.to_string()).chain(["abc".to_owned(), "007".to_owned()]).collect();
        let sets = id_sets(ids.iter().map(String::as_str));
        assert_eq!(sets.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 1]);
        assert!(id_sets(["abc"].into_iter()).is_empty());
    }
}
