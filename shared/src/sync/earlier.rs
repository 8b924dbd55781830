//! Writes of earlier attempts. Those that are still open are settled by what the PSA shows before anything new is planned;
//! those that an earlier attempt of the same job had settled before it died are found in the ledger, so that its run shows
//! and counts them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::job::{Job, JobLine};
use super::resolve::{Resolution, resolve};
use super::shift::{Rows, Seen, Shift};
use super::write::{prices_not_taken, told};
use super::{SyncError, row};
use crate::domain::ids::RunId;
use crate::domain::intent::Meaning;
use crate::domain::line::{LineHistory, LineKey, LinePrices, LineResult, LineStatus};
use crate::domain::plan::Decision;
use crate::domain::reason::{Code, Reason};
use crate::ledger::{Intent, Outcome};

/// The open intents of a job's lines.
pub(super) type Open = BTreeMap<LineKey, Intent>;

/// What a run wrote last on lines, by line.
pub(super) type Own = BTreeMap<LineKey, Intent>;

impl Shift<'_> {
    /// The intents that earlier attempts left open on the job's lines.
    pub(super) async fn open_intents(
        &self,
        job: &Job,
        histories: &BTreeMap<LineKey, LineHistory>,
    ) -> Result<Open, SyncError> {
        let mut open = Open::new();
        for line in &job.lines {
            let Some(history) = histories.get(&line.key) else { continue };
            if let Some(intent) = self.parts.ledger.open_intent(self.of, &line.key, history).await? {
                open.insert(line.key.clone(), intent);
            }
        }
        Ok(open)
    }

    /// What this run itself wrote last on those of the job's lines that moved on since it was planned; nobody wrote them
    /// since. `open` are the intents that are still open.
    pub(super) async fn own_intents(
        &self,
        job: &Job,
        histories: &BTreeMap<LineKey, LineHistory>,
        open: &Open,
    ) -> Result<Own, SyncError> {
        let mut own = Own::new();
        for line in &job.lines {
            let Some(history) = histories.get(&line.key).filter(|history| history.revision > line.revision) else {
                continue;
            };
            let newest = match open.get(&line.key) {
                Some(intent) => Some(intent.clone()),
                None => self.parts.ledger.newest(self.of, &line.key).await?,
            };
            own.extend(newest.filter(|intent| is_last(intent, &self.run.id, history)).map(|i| (line.key.clone(), i)));
        }
        Ok(own)
    }

    /// How many changes of this run earlier attempts had made besides those that rows tell of. `begun`: the lines on which this
    /// run has begun to write before.
    pub(super) async fn made_besides(&self, begun: &BTreeSet<LineKey>) -> Result<u32, SyncError> {
        let mut taken = 0;
        for line in begun {
            taken += self.parts.ledger.made_besides(self.of, line, &self.run.id).await?;
        }
        Ok(taken)
    }

    /// `written` with each change of prices told as one with that of units which it followed.
    pub(super) async fn with_units(&self, written: Own) -> Result<Own, SyncError> {
        let mut whole = Own::new();
        for (line, intent) in written {
            let of_prices = intent.meaning.delta().get() == 0;
            let merged = match of_prices {
                true => self.parts.ledger.intent_of(self.of, &line, &self.run.id).await?,
                false => None,
            };
            let code = intent.code.clone();
            whole.insert(line, merged.map_or(intent, |merged| Intent { code, ..merged }));
        }
        Ok(whole)
    }

    /// Settles `open` by what the PSA showed at `read_at` or later. A line whose write stays open gets its row here, and no
    /// decision. Answers with the intents that were found applied.
    pub(super) async fn settle_earlier(
        &self,
        job: &Job,
        open: Open,
        read_at: Timestamp,
        seen: &mut Seen,
        rows: &mut Rows,
    ) -> Result<Open, SyncError> {
        let mut resolved = Vec::new();
        for line in &job.lines {
            let Some(intent) = open.get(&line.key) else { continue };
            let resolution = resolve(
                intent,
                (seen.line(&line.key), &seen.observed.prices_shown(&line.key)),
                read_at,
                self.parts.settings.settle,
            );
            let outcome = match resolution {
                Resolution::Applied => Some(Outcome::Applied),
                Resolution::AppliedUnpriced => Some(Outcome::AppliedUnpriced),
                Resolution::Otherwise(units) => Some(Outcome::AppliedAs(units)),
                Resolution::NeverSent => Some(Outcome::NeverSent("never_sent".into())),
                Resolution::NotApplied => Some(Outcome::Rejected("not_applied".into())),
                // A line that can't be read for now contradicts nothing.
                Resolution::Unexplained if seen.unreadable(&line.key).is_some() => None,
                Resolution::Unexplained => Some(Outcome::Unknown(Code::WriteUnexplained.as_str().into())),
                Resolution::Wait => None,
            };
            if matches!(outcome, None | Some(Outcome::Unknown(_))) {
                rows.insert(line.key.clone(), still_open(line, intent, seen, resolution == Resolution::Wait));
            }
            resolved.extend(outcome.map(|outcome| (intent, outcome, seen.history(&line.key))));
        }
        if resolved.is_empty() {
            return Ok(Open::new());
        }
        let settled: Vec<_> =
            resolved.iter().map(|(intent, outcome, history)| ((*intent, outcome.clone()), history)).collect();
        if !self.parts.ledger.settle(self.of, self.lease, &settled, self.parts.clock.now()).await? {
            return Err(SyncError::Busy);
        }
        let keys: Vec<LineKey> = job.lines.iter().map(|line| line.key.clone()).collect();
        seen.histories = self.parts.lines.named(self.of, &keys).await?;
        let applied = resolved.into_iter().filter_map(|(intent, outcome, _)| {
            let code = match outcome {
                Outcome::Applied => None,
                Outcome::AppliedUnpriced => Some(Code::PricesNotTaken.as_str().to_owned()),
                _ => return None,
            };
            Some((intent.meaning.line.clone(), Intent { code, ..intent.clone() }))
        });
        Ok(applied.collect())
    }
}

/// Whether `run` wrote `intent`, the newest of its line, and nobody has begun another write since. A person who resolved a
/// finding meanwhile has moved the line on without a write.
pub(super) fn is_last(intent: &Intent, run: &RunId, history: &LineHistory) -> bool {
    let of_now = history.open.as_ref() == Some(&intent.key);
    let settled = history.open.is_none() && intent.meaning.revision < history.revision;
    intent.run == *run && (of_now || settled)
}

/// Whether `intent` is a change of the line that `run` made last and settled.
pub(super) fn is_made(intent: &Intent, run: &RunId, history: &LineHistory) -> bool {
    intent.is_made() && is_last(intent, run, history)
}

/// The row of a line that an earlier attempt of the same job wrote.
pub(super) fn written(line: &JobLine, intent: &Intent) -> LineResult {
    let Meaning { before, target, effective, .. } = intent.meaning;
    let found = Decision::Unchanged { units: target, from: effective, prices_left: None };
    let row = row::decided(&line.key, &line.label, &line.desired, found);
    let row = LineResult { prices: intent.meaning.prices.map(LinePrices::from), ..row };
    if intent.code.as_deref() == Some(Code::PricesNotTaken.as_str()) {
        let row = row::settled_earlier(row, before, target, effective);
        let row = LineResult { status: LineStatus::Failed, ..row };
        return row::with_reason(row, prices_not_taken(&intent.meaning));
    }
    let prices = row.prices.map(|prices| prices.as_set());
    row::settled_earlier(LineResult { prices, ..row }, before, target, effective)
}

/// The row of a line at whose revision the ledger holds an intent that the line does not know.
pub(super) fn contradicted(line: &JobLine, intent: &Intent, why: &Reason) -> LineResult {
    let Meaning { before, target, effective, .. } = intent.meaning;
    let holds = format!("The ledger holds a change of this line from {before} to {target} from {effective}");
    let explanation = format!("{} {holds}, which the line's own row does not know.", why.explanation);
    row::stopped(&line.key, &line.label, Reason { explanation, ..why.clone() })
}

/// The row of a line with an open write, in a job that could not read the PSA.
pub(super) fn unread(line: &JobLine, why: &Reason) -> LineResult {
    let explanation = format!("A change was sent before; its outcome is not known yet. {}", why.explanation);
    let row = LineResult { status: LineStatus::Unknown, ..row::blank(&line.key, &line.label) };
    row::with_reason(row, Reason::new(Code::WriteUnsettled, explanation))
}

/// The row of a line whose earlier write stays open.
fn still_open(line: &JobLine, intent: &Intent, seen: &Seen, wait: bool) -> LineResult {
    let meaning = &intent.meaning;
    let shown = seen.line(&line.key).and_then(|found| found.timeline.at(meaning.effective));
    let shows = shown.map_or_else(|| "no units".to_owned(), |units| units.to_string());
    let why_not = seen.unreadable(&line.key).map_or_else(String::new, |why| format!(" {}", why.explanation));
    let (code, explanation) = if wait {
        let why = "its outcome is not known, and it may still be on its way";
        (Code::WriteUnsettled, format!("{} was sent; {why}.", told(meaning)))
    } else {
        let sent = format!("{} from {} was sent", told(meaning), meaning.effective);
        let neither = match meaning.prices {
            Some(_) if shown == Some(meaning.target) => {
                "and prices that are neither those from before nor those that were sent"
            }
            _ => "which is neither",
        };
        (Code::WriteUnexplained, format!("{sent}; the PSA shows {shows}, {neither}.{why_not}"))
    };
    let row = LineResult { status: LineStatus::Unknown, after: shown, ..row::blank(&line.key, &line.label) };
    let row = LineResult {
        before: Some(meaning.before),
        target: Some(meaning.target),
        effective_date: Some(meaning.effective),
        ..row
    };
    let own = Reason::new(code, explanation);
    // Where the PSA shows no units, who says why also says what to do.
    row::with_reason(
        row,
        match seen.unreadable(&line.key).filter(|_| !wait) {
            Some(why) => Reason { fix: why.fix.clone(), ..own },
            None => own,
        },
    )
}
