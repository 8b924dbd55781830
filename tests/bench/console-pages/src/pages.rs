//! What was measured, as people read it.

use std::fmt;
use std::time::Duration;

use crate::client::Visitor;
use crate::{Arguments, Failure};

/// A page, asked for again and again.
struct Page {
    path: String,
    status: u16,
    /// The shortest first.
    took: Vec<Duration>,
    bytes: usize,
}

/// All of them.
pub struct Pages {
    companies: usize,
    pages: Vec<Page>,
}

impl Pages {
    /// Of the pages at `paths`, each asked for once beforehand.
    pub async fn of(visitor: &Visitor, paths: &[String], arguments: &Arguments) -> Result<Self, Failure> {
        let mut pages = Vec::new();
        for path in paths {
            let first = visitor.get(path).await?;
            let mut took = Vec::with_capacity(arguments.rounds);
            for _ in 0..arguments.rounds.max(1) {
                took.push(visitor.get(path).await?.took);
            }
            took.sort_unstable();
            pages.push(Page { path: path.clone(), status: first.status, took, bytes: first.bytes });
        }
        Ok(Self { companies: arguments.companies, pages })
    }

    /// Whether each of them was shown.
    pub fn are_all_there(&self) -> bool {
        self.pages.iter().all(|page| page.status == 200)
    }
}

impl Page {
    fn percentile(&self, percent: usize) -> Duration {
        self.took.get(self.took.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} companies with 3 lines each", self.companies)?;
        writeln!(f, "{:>9} {:>9} {:>9}  status  page", "p50", "p95", "bytes")?;
        for page in &self.pages {
            let ms = |percent| format!("{:.1} ms", page.percentile(percent).as_secs_f64() * 1_000.0);
            writeln!(f, "{:>9} {:>9} {:>9}  {:>6}  {}", ms(50), ms(95), page.bytes, page.status, page.path)?;
        }
        Ok(())
    }
}
