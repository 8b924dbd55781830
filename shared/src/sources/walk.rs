//! Reading a list to its end: the one place that may say that it was.
//!
//! Vendors hand out ten rows where nobody asks for more, repeat a page for ever, or skip a row when another one is deleted
//! meanwhile. A walk ends with an error for each, so that what it has read is never taken for all there is.

use std::collections::BTreeSet;

use super::SourceError;
use crate::psa::Kind;

/// No vendor's list of customers is longer.
const MOST_PAGES: u32 = 10_000;

/// A list that is being read.
#[derive(Debug)]
pub struct Walk {
    /// Whose list of what, for people.
    list: String,
    pages: u32,
    rows: u64,
    ids: BTreeSet<String>,
    begun: BTreeSet<String>,
    total: Option<u64>,
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The page that begins there.
    Next(String),
    /// Nothing: all of it was read.
    End,
}

impl Walk {
    /// The beginning of `list`: "Huntress's list of organizations".
    #[must_use]
    pub fn of(list: &str) -> Self {
        Self { list: list.to_owned(), pages: 0, rows: 0, ids: BTreeSet::new(), begun: BTreeSet::new(), total: None }
    }

    /// Pages so far.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Takes a page in. `ids` are those of its rows, `total` is how many rows the vendor says that there are in all, and
    /// `next` where it says that the next page begins; `None` on the last.
    ///
    /// # Errors
    /// It does not advance, or is not the same list any more: what was read is not all.
    pub fn page<'i>(
        &mut self,
        ids: impl IntoIterator<Item = &'i str>,
        total: Option<u64>,
        next: Option<String>,
    ) -> Result<Step, SourceError> {
        self.pages += 1;
        let before = self.rows;
        for id in ids {
            if !self.ids.insert(id.to_owned()) {
                return Err(self.fault("source_list_moved", "names a row twice: it was changed while it was read"));
            }
            self.rows += 1;
        }
        if self.pages > 1 && self.total != total {
            return Err(self.fault("source_list_moved", "was changed while it was read"));
        }
        self.total = total;
        let Some(next) = next else { return self.end() };
        if self.rows == before || !self.begun.insert(next.clone()) {
            return Err(self.fault("source_list_loops", "does not advance from page to page"));
        }
        if self.pages == MOST_PAGES {
            return Err(self.fault("source_list_loops", "has more pages than any list has"));
        }
        Ok(Step::Next(next))
    }

    fn end(&self) -> Result<Step, SourceError> {
        match self.total {
            Some(total) if total != self.rows => {
                let why = format!("has {total} rows by its own count, and {} were read", self.rows);
                Err(self.fault("source_total_differs", &why))
            }
            _ => Ok(Step::End),
        }
    }

    fn fault(&self, code: &str, why: &str) -> SourceError {
        let fix = "Nothing is lowered by it: it is read again at its next time.";
        SourceError::new(Kind::Protocol, code, format!("{} {why}.", self.list), fix)
    }
}

/// A list of which the vendor tells no total, read twice. A row is skipped when one on a page before is deleted meanwhile, and
/// nothing shows it the first time; the second time the skipped one is there and the deleted one is not.
#[derive(Debug)]
pub struct Twice {
    list: &'static str,
    first: Option<BTreeSet<String>>,
}

impl Twice {
    /// `list`, of which nothing was read yet.
    #[must_use]
    pub fn of(list: &'static str) -> Self {
        Self { list, first: None }
    }

    /// The beginning of the next read of it.
    #[must_use]
    pub fn walk(&self) -> Walk {
        Walk::of(self.list)
    }

    /// Takes in a read that has seen the end. Whether it was the second, which met the same rows as the first.
    ///
    /// # Errors
    /// It met others: neither is all.
    pub fn agree(&mut self, read: Walk) -> Result<bool, SourceError> {
        match &self.first {
            None => {
                self.first = Some(read.ids);
                Ok(false)
            }
            Some(first) if *first == read.ids => Ok(true),
            Some(_) => Err(read.fault("source_list_moved", "was changed while it was read")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn code(step: Result<Step, SourceError>) -> String {
        step.unwrap_err().code
    }

    #[test]
    fn a_list_is_whole_when_its_last_page_was_seen_and_its_total_is_met() {
        let mut walk = Walk::of("The list");
        assert_eq!(walk.page(["1", "2"], Some(3), next("a")), Ok(Step::Next("a".into())));
        assert_eq!((walk.page(["3"], Some(3), None), walk.pages()), (Ok(Step::End), 2));
        assert_eq!(Walk::of("The list").page([], None, None), Ok(Step::End), "nobody there is an answer");
    }

    #[test]
    fn a_walk_that_does_not_advance_ends_with_an_error() {
        let mut walk = Walk::of("The list");
        walk.page(["1"], None, next("a")).unwrap();
        assert_eq!(code(walk.page(["2"], None, next("a"))), "source_list_loops");
        let mut walk = Walk::of("The list");
        walk.page(["1"], None, next("a")).unwrap();
        assert_eq!(code(walk.page([], None, next("b"))), "source_list_loops");
        let mut walk = Walk::of("The list");
        for page in 1..MOST_PAGES {
            walk.page([page.to_string().as_str()], None, Some(page.to_string())).unwrap();
        }
        assert_eq!(code(walk.page(["0"], None, next("0"))), "source_list_loops");
    }

    /// By offsets a row is skipped when one before it is deleted: the total at the end is met all the same.
    #[test]
    fn a_list_that_changes_while_it_is_read_is_not_whole() {
        let mut walk = Walk::of("The list");
        walk.page(["1", "2"], Some(5), next("2")).unwrap();
        assert_eq!(code(walk.page(["4", "5"], Some(4), None)), "source_list_moved");
        let mut walk = Walk::of("The list");
        walk.page(["1", "2"], Some(4), next("2")).unwrap();
        assert_eq!(code(walk.page(["2", "3"], Some(4), None)), "source_list_moved");
    }

    #[test]
    fn a_list_that_ends_short_of_its_total_is_not_whole() {
        let error = Walk::of("Huntress's list of organizations").page(["1"], Some(10), None).unwrap_err();
        assert_eq!(error.code, "source_total_differs");
        assert_eq!(
            error.explanation,
            "Huntress's list of organizations has 10 rows by its own count, and 1 were read."
        );
    }

    fn read(list: &Twice, ids: &[&str]) -> Walk {
        let mut walk = list.walk();
        assert_eq!(walk.page(ids.iter().copied(), None, None), Ok(Step::End));
        walk
    }

    #[test]
    fn a_list_without_a_total_is_whole_when_it_is_the_same_twice() {
        let mut list = Twice::of("The list");
        assert_eq!(list.agree(read(&list, &["1", "2"])), Ok(false));
        assert_eq!(list.agree(read(&list, &["2", "1"])), Ok(true), "in whatever order");
    }

    /// "2" was skipped when "1" was deleted, or the other way round.
    #[test]
    fn a_list_that_is_another_the_second_time_is_not_whole() {
        for again in [&["2", "3"][..], &["1", "2", "3"], &["3"]] {
            let mut list = Twice::of("The list");
            list.agree(read(&list, &["1", "3"])).unwrap();
            let error = list.agree(read(&list, again)).unwrap_err();
            assert_eq!(error.code, "source_list_moved", "{again:?}");
            assert_eq!(error.explanation, "The list was changed while it was read.");
        }
    }
}
