//! The results of a run as a list: JSON by page, or as one CSV file. What is listed, lines or charges, its own file says.

use std::marker::PhantomData;

use async_trait::async_trait;
use axum::response::{IntoResponse as _, Response};
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Serialize};
use shared::api::paging::{Limit, List};
use shared::api::sheet::{self, Chunk, Records, Sheet, Wants};
use shared::api::{Json, Problem};
use shared::domain::line::LineStatus;
use shared::store::runs::{ResultPage, Run};
use shared::store::{Rows, StoreError};
use utoipa::IntoParams;

use crate::packs::Packs;
use crate::{Deps, packs};

/// Pages of results read from the store at once.
const PAGES_AT_ONCE: i32 = 4;

/// Which results.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those that ended so; several with commas between them.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "failed,held")]
    status: Statuses,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How results ended that are asked for; none for all of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "String")]
struct Statuses(Vec<LineStatus>);

impl TryFrom<String> for Statuses {
    type Error = serde::de::value::Error;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.split(',')
            .map(|word| LineStatus::deserialize(word.into_deserializer()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Statuses {
    fn have(&self, status: LineStatus) -> bool {
        self.0.is_empty() || self.0.contains(&status)
    }

    /// As cursors are bound to them.
    fn name(&self) -> String {
        self.0.iter().map(|status| format!("{status:?}")).collect::<Vec<_>>().join(",")
    }
}

/// A result, as the store has it.
pub(crate) trait Kept: Send + Sized {
    /// What a list of them is called.
    const LIST: &'static str;

    /// Those on a page of results.
    fn on(page: ResultPage) -> Vec<Self>;

    fn status(&self) -> LineStatus;
}

/// A result as callers see it.
pub(crate) trait Viewed: Sheet + Serialize {
    type Kept: Kept;

    /// `ended`: the run has ended; only then what it held can be approved.
    fn of(kept: Self::Kept, ended: bool) -> Self;
}

/// The results of a run in the store.
pub(crate) struct Results<'a, K> {
    deps: &'a Deps,
    run: &'a Run,
    kind: PhantomData<fn() -> K>,
}

impl<'a, K: Kept> Results<'a, K> {
    pub(crate) fn of(deps: &'a Deps, run: &'a Run) -> Self {
        Self { deps, run, kind: PhantomData }
    }

    /// Every one of them.
    pub(crate) async fn all(&self) -> Result<Vec<K>, Problem> {
        packs::all(self, |_| true).await
    }
}

#[async_trait]
impl<K: Kept> Packs for Results<'_, K> {
    type Row = K;

    async fn read(&self, after: Option<&str>) -> Result<Rows<Vec<K>>, StoreError> {
        let rows = self.deps.runs.lines(&self.run.partner, &self.run.id, after, PAGES_AT_ONCE).await?;
        let items = rows.items.into_iter().map(|(sk, page)| (sk, K::on(page))).collect();
        Ok(Rows { items, next: rows.next })
    }
}

/// A part of a run's results.
struct Chosen<'a, V: Viewed> {
    results: Results<'a, V::Kept>,
    statuses: &'a Statuses,
}

impl<V: Viewed> Chosen<'_, V> {
    async fn page(&self, limit: usize, from: Option<&str>) -> Result<(Vec<V>, Option<String>), Problem> {
        let wanted = |kept: &V::Kept| self.statuses.have(kept.status());
        let (kept, next) = packs::page(&self.results, wanted, limit, from).await?;
        let ended = self.results.run.finished_at.is_some();
        Ok((kept.into_iter().map(|kept| V::of(kept, ended)).collect(), next))
    }
}

#[async_trait]
impl<V: Viewed + Send> Records for Chosen<'_, V> {
    fn header(&self) -> Vec<&'static str> {
        V::header()
    }

    async fn read(&self, from: Option<&str>, limit: usize) -> Result<Chunk, Problem> {
        let (views, next) = self.page(limit, from).await?;
        Ok(Chunk { records: views.iter().map(Sheet::record).collect(), next })
    }
}

/// The answer to a request for a run's results.
pub(crate) async fn answer<V: Viewed + Send>(
    deps: &Deps,
    run: &Run,
    which: &Which,
    wants: &Wants,
) -> Result<Response, Problem> {
    let list = List::named(&[V::Kept::LIST, run.id.as_str(), &which.status.name()]);
    let from = list.position(which.cursor.as_deref())?;
    let chosen = Chosen::<V> { results: Results::of(deps, run), statuses: &which.status };
    if wants.csv() {
        return sheet::answer(run.id.as_str(), &list, &chosen, (wants, from)).await;
    }
    let (items, next) = chosen.page(usize::from(which.limit.get()), from.as_deref()).await?;
    Ok(Json(list.page(items, next.as_deref())).into_response())
}
