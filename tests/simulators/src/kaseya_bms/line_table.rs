//! The table of lines, by id and by contract.
//!
//! Owns the lines' ids and the index, because a tenant with tens of thousands of lines must stay quick in a debug build. What
//! may change in a line is `lines`' and `bulk`'s.
//! An id is never used again.

use std::collections::BTreeMap;

use super::world::Line;

/// All lines of the tenant.
#[derive(Clone, Debug)]
pub(crate) struct LineTable {
    lines: BTreeMap<i64, Line>,
    of_contract: BTreeMap<i64, Vec<i64>>,
    last: i64,
}

impl Default for LineTable {
    fn default() -> Self {
        Self { lines: BTreeMap::new(), of_contract: BTreeMap::new(), last: 60_000 }
    }
}

impl LineTable {
    /// Adds a line under the next free id, whatever id it has, and answers that.
    pub(crate) fn add(&mut self, mut line: Line) -> i64 {
        let id = self.next_id();
        line.id = id;
        self.insert(line);
        id
    }

    /// Adds a line under its own id, in place of the one that has it.
    pub(crate) fn insert(&mut self, line: Line) {
        self.last = self.last.max(line.id);
        let ids = self.of_contract.entry(line.contract_id).or_default();
        if let Err(place) = ids.binary_search(&line.id) {
            ids.insert(place, line.id);
        }
        self.lines.insert(line.id, line);
    }

    pub(crate) fn remove(&mut self, id: i64) {
        if let Some(line) = self.lines.remove(&id)
            && let Some(ids) = self.of_contract.get_mut(&line.contract_id)
        {
            ids.retain(|known| *known != id);
        }
    }

    pub(crate) fn next_id(&self) -> i64 {
        self.last + 1
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Line> {
        self.lines.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Line> {
        self.lines.get_mut(&id)
    }

    /// All, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// Those of a contract, oldest first.
    pub(crate) fn of_contract(&self, contract_id: i64) -> impl Iterator<Item = &Line> {
        let ids = self.of_contract.get(&contract_id).into_iter().flatten();
        ids.filter_map(|id| self.lines.get(id))
    }
}
