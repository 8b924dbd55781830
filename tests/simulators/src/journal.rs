//! The list of requests a simulator was sent.
//!
//! Owns their order and numbers, and which answer belongs to which request. What is kept of a request is each simulator's own
//! type; none keeps headers, so no credential is kept.

/// A request as a journal keeps it.
pub(crate) trait Noted {
    /// Takes its number, 1 for the first since the start or the last reset.
    fn number(&mut self, number: usize);
    /// Takes the status that was answered.
    fn answered(&mut self, status: u16);
}

/// The requests so far.
#[derive(Clone, Debug)]
pub(crate) struct Journal<A> {
    asked: Vec<A>,
    /// Grows with each reset, so that an answer to an older request does not mark a newer one.
    generation: usize,
}

/// A place in the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    generation: usize,
    place: usize,
}

impl<A> Default for Journal<A> {
    fn default() -> Self {
        Self { asked: Vec::new(), generation: 0 }
    }
}

impl<A: Noted> Journal<A> {
    pub(crate) fn note(&mut self, mut asked: A) -> Entry {
        asked.number(self.asked.len() + 1);
        self.asked.push(asked);
        Entry { generation: self.generation, place: self.asked.len() - 1 }
    }

    pub(crate) fn answered(&mut self, entry: Entry, status: u16) {
        if entry.generation == self.generation
            && let Some(asked) = self.asked.get_mut(entry.place)
        {
            asked.answered(status);
        }
    }

    pub(crate) fn all(&self) -> &[A] {
        &self.asked
    }

    pub(crate) fn reset(&mut self) {
        self.asked.clear();
        self.generation += 1;
    }
}
