//! Imports: many mappings changed at once, all or none, although a transaction holds no more than a hundred rows.
//!
//! [`Mappings::begin_import`] takes the gate, [`Import::stored`] shows what there is while nobody else can change it, and
//! [`Import::carry_out`] stores what is to change, commits it and applies it. Before the commit nothing is changed; after
//! it all of it counts, whoever dies (`gate`, `apply`). What a mapping may say is checked before an import begins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::apply::{self, Change, Chunk, Content, each};
use super::gate::{Gate, LOOKS, Place, State};
use super::{
    ChargeMapping, CompanyMapping, Mapping, MappingVersion, Mappings, ProductMapping, is_as_before, newest_version,
};
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::store::{Condition, Key, StoreError, schema};

/// A piece's JSON is about so large: a write of it takes a hundred units of the table's thousand a second.
const PIECE_BYTES: usize = 100 * 1024;

/// The largest mapping, as JSON: a row holds 400 KB, and what can't be stored must be told before the commit.
const MAPPING_BYTES: usize = 300 * 1024;

/// All mappings of a connection, as of one moment: none of them from before an import and another from after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Everything {
    /// By product.
    pub products: Vec<ProductMapping>,
    /// By company.
    pub companies: Vec<CompanyMapping>,
    /// By product. No part of an import: what is imported has none.
    pub charges: Vec<ChargeMapping>,
}

/// How many mappings an import makes or changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weighed {
    /// There was none.
    pub created: usize,
    /// They replace others.
    pub changed: usize,
    /// They are here already, as they are.
    pub unchanged: usize,
}

/// An import that has the gate to itself, until its time is over.
#[derive(Debug)]
pub struct Import {
    place: Place,
    gate: Gate,
    mappings: Mappings,
}

impl Everything {
    /// What it would come to if each of `wanted` were stored.
    #[must_use]
    pub fn weigh(&self, wanted: &Self) -> Weighed {
        let mut weighed = Weighed::default();
        let products = Fates::of(&self.products, &wanted.products);
        let companies = Fates::of(&self.companies, &wanted.companies);
        for fate in products.0.into_iter().chain(companies.0) {
            match fate {
                Fate::Created => weighed.created += 1,
                Fate::Changed => weighed.changed += 1,
                Fate::Unchanged => weighed.unchanged += 1,
            }
        }
        weighed
    }
}

enum Fate {
    Created,
    Changed,
    Unchanged,
}

struct Fates(Vec<Fate>);

impl Fates {
    fn of<T: Mapping>(stored: &[T], wanted: &[T]) -> Self {
        let stored = by_name(stored);
        let fate = |mapping: &T| match stored.get(&mapping.id().to_string()) {
            None => Fate::Created,
            Some(before) if is_as_before(mapping.clone().following(Some(*before)), before) => Fate::Unchanged,
            Some(_) => Fate::Changed,
        };
        Self(wanted.iter().map(fate).collect())
    }
}

fn by_name<T: Mapping>(mappings: &[T]) -> HashMap<String, &T> {
    mappings.iter().map(|mapping| (mapping.id().to_string(), mapping)).collect()
}

impl Mappings {
    /// All mappings of a connection: a query a megabyte, some thousand companies each. A committed import is applied first.
    ///
    /// # Errors
    /// The store is unavailable, or imports keep coming.
    pub async fn everything(&self, partner: &PartnerId, connection: &ConnectionId) -> Result<Everything, StoreError> {
        let place = self.place(partner, connection);
        for _ in 0..LOOKS {
            let before = place.settled().await?;
            let found = Everything {
                products: self.all(partner, connection).await?,
                companies: self.all(partner, connection).await?,
                charges: self.all(partner, connection).await?,
            };
            if place.gate().await?.commits == before.commits {
                return Ok(found);
            }
        }
        Err(StoreError::Unavailable("imports keep coming".into()))
    }

    /// The companies of a connection as they stand, an import that is being applied half seen: for whoever only wants to know
    /// which are mapped at all.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn companies_as_they_stand(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
    ) -> Result<Vec<CompanyMapping>, StoreError> {
        self.all(partner, connection).await
    }

    /// The charge mappings of a connection as they stand: for whoever only wants to know which products have one.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn charges_as_they_stand(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
    ) -> Result<Vec<ChargeMapping>, StoreError> {
        self.all(partner, connection).await
    }

    /// Begins an import: until it is carried out, given up, or [`super::IMPORT_TERM`] is over, nobody else changes a mapping
    /// of the connection. `None`: another import is under way.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn begin_import(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<Import>, StoreError> {
        let place = self.place(partner, connection);
        let Some(gate) = place.stage(now).await? else { return Ok(None) };
        Ok(Some(Import { place, gate, mappings: self.clone() }))
    }
}

impl Import {
    /// What is stored, but for the charges. Nobody changes it while the import has the gate.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn stored(&self) -> Result<Everything, StoreError> {
        let (partner, connection) = (&self.place.partner, &self.place.connection);
        Ok(Everything {
            products: self.mappings.all(partner, connection).await?,
            companies: self.mappings.all(partner, connection).await?,
            charges: Vec::new(),
        })
    }

    /// Lets go of the gate; nothing is changed.
    ///
    /// # Errors
    /// The store is unavailable: the gate is free when the import's time is over.
    pub async fn give_up(self) -> Result<(), StoreError> {
        if self.place.pass(&self.gate, State::Done).await? {
            self.place.remove_chunks(&self.gate.import, true).await?;
        }
        Ok(())
    }

    /// Stores each of `wanted` as the next version of its kind, unless it is what is `stored`. Versions are given here;
    /// times and names are taken as they come. `false`: the import's time was over, and nothing was changed.
    ///
    /// # Errors
    /// The store is unavailable. Whether the import counts is not known then; if it does, it counts as a whole.
    pub async fn carry_out(self, stored: &Everything, wanted: Everything) -> Result<bool, StoreError> {
        let chunks = match self.store_chunks(stored, wanted).await {
            Ok(chunks) => chunks,
            Err(error) => {
                // It has failed already: who can't let go of the gate either leaves it to time.
                let _ = self.give_up().await;
                return Err(error);
            }
        };
        let answer = self.place.commit(&self.gate, chunks).await;
        if !matches!(answer, Ok(true)) && !self.is_committed().await? {
            let _ = self.give_up().await;
            return answer;
        }
        let gate = self.place.gate().await?;
        if gate.import == self.gate.import && gate.state == State::Committed {
            apply::finish(&self.place, &gate, apply::From::TheBeginning).await?;
        }
        Ok(true)
    }

    /// Whether a commit whose answer was lost, or that was repeated on its way, was made.
    async fn is_committed(&self) -> Result<bool, StoreError> {
        let gate = self.place.gate().await?;
        if gate.import == self.gate.import {
            return Ok(gate.state == State::Committed || gate.commits > self.gate.commits);
        }
        if gate.commits == self.gate.commits {
            return Ok(false);
        }
        // Another import has the gate, and one was committed since. It may have been this one.
        Err(StoreError::Unavailable("whether an import was committed can't be seen any more".into()))
    }

    /// Stores what changes in pieces and answers how many there are.
    async fn store_chunks(&self, stored: &Everything, wanted: Everything) -> Result<usize, StoreError> {
        let mut changes = self.changes(&stored.products, wanted.products, Content::Product).await?;
        changes.append(&mut self.changes(&stored.companies, wanted.companies, Content::Company).await?);
        let pieces = pieces(&changes)?;
        // What dead imports have left.
        self.place.remove_chunks(&self.gate.import, false).await?;
        let count = pieces.len();
        each(pieces.into_iter().enumerate().collect(), |(number, changes)| {
            let place = self.place.clone();
            let key = schema::mapping_import_chunk(&place.partner, &place.connection, &self.gate.import, number);
            async move {
                // The import's id is fresh: what a repeated request finds there is its own.
                place.table.put(&key, &Chunk { changes }, &Condition::absent()).await.map(drop)
            }
        })
        .await?;
        Ok(count)
    }

    /// The mappings among `wanted` that are not stored as they are, with their versions.
    async fn changes<T: Mapping + 'static>(
        &self,
        stored: &[T],
        wanted: Vec<T>,
        content: fn(T) -> Content,
    ) -> Result<Vec<Change>, StoreError> {
        let stored = by_name(stored);
        let made: Vec<&T> = wanted.iter().filter(|mapping| !stored.contains_key(&mapping.id().to_string())).collect();
        let mut earlier = self.earlier_versions(&made).await?;
        let mut changes = Vec::new();
        for mapping in wanted {
            let name = mapping.id().to_string();
            let before = stored.get(&name).copied();
            let removed = earlier.remove(&name);
            let last = before.or(removed.as_ref());
            let mapping = mapping.following(last);
            if before.is_some_and(|before| is_as_before(mapping.clone(), before)) {
                continue;
            }
            let version = last.map_or(0, Mapping::version) + 1;
            let (at, by) = (mapping.changed().0, mapping.changed().1.to_owned());
            let mapping = mapping.with_version(version, at, &by);
            changes.push(Change { content: content(mapping), replaces: before.is_some() });
        }
        Ok(changes)
    }

    /// The last version of those that were mapped before and removed, by name.
    async fn earlier_versions<T: Mapping + 'static>(&self, made: &[&T]) -> Result<HashMap<String, T>, StoreError> {
        let Place { table, partner, connection } = &self.place;
        let key = |mapping: &T| T::key(partner, connection, mapping.id());
        // Versions are kept for ever and counted from 1: who has no first one has none.
        let first = |mapping: &&T| schema::mapping_version(partner, connection, &key(mapping), 1);
        let firsts: Vec<Key> = made.iter().map(first).collect();
        let mut found = table.get_several(&firsts).await?;
        let mut mapped_before = Vec::new();
        for (mapping, first) in made.iter().zip(&firsts) {
            if found.take::<MappingVersion<T>>(first)?.is_some() {
                mapped_before.push((mapping.id().to_string(), key(mapping)));
            }
        }
        let newest = Arc::new(Mutex::new(HashMap::new()));
        each(mapped_before, |(name, key)| {
            let (place, newest) = (self.place.clone(), newest.clone());
            async move {
                if let Some(found) = newest_version::<T>(&place.table, &place.partner, &place.connection, &key).await? {
                    newest.lock().unwrap_or_else(PoisonError::into_inner).insert(name, found.mapping);
                }
                Ok(())
            }
        })
        .await?;
        Ok(std::mem::take(&mut *newest.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The changes as JSON lists of about [`PIECE_BYTES`] each.
fn pieces(changes: &[Change]) -> Result<Vec<String>, StoreError> {
    let mut pieces: Vec<String> = Vec::new();
    for change in changes {
        let text = serde_json::to_string(change).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        if text.len() > MAPPING_BYTES {
            return Err(StoreError::TooLarge("a mapping".into()));
        }
        match pieces.last_mut() {
            Some(piece) if piece.len() + text.len() < PIECE_BYTES => {
                piece.push(',');
                piece.push_str(&text);
            }
            _ => pieces.push(format!("[{text}")),
        }
    }
    pieces.iter_mut().for_each(|piece| piece.push(']'));
    Ok(pieces)
}
