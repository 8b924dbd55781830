//! From what a run's rows say to the findings that stand.
//!
//! The planner reads the connection's findings once and tells each job which of them are of its lines, so that a line that
//! is right and has none costs no request. What is said is stored before the run or the job is counted as done: a worker
//! that dies in between is followed by one that says the same, and saying it twice changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::SyncError;
use super::draft::Draft;
use super::parts::PlannerParts;
use crate::domain::charge::{ChargeLine, ChargeResult};
use crate::domain::finding::{Finding, Next, Noticed, Says, Subject, Word};
use crate::domain::ids::RunId;
use crate::domain::line::{LineHistory, LineKey, LineResult};
use crate::domain::reason::{Code, Reason};
use crate::events::{Event, OpenedFinding, Publish, StaleProduct, UsageStale, tell};
use crate::ledger::{Intent, Ledger};
use crate::store::StoreError;
use crate::store::connections::Connection;
use crate::store::findings::Findings;
use crate::store::lines::{Lines, Tenancy};
use crate::store::runs::{Gap, Run};

/// Findings written at once.
const WRITES_AT_ONCE: usize = 16;

/// What a run or a job says of its lines, and of whatever else it noticed.
#[derive(Default)]
pub(super) struct Said {
    rows: BTreeMap<Subject, Says>,
    others: Vec<Noticed>,
}

impl Said {
    pub fn of(rows: &[LineResult]) -> Self {
        let says = rows.iter().map(|row| (Subject::Line(row.key()), Says::of(row)));
        Self { rows: says.filter(|(_, says)| *says != Says::Silent).collect(), others: Vec::new() }
    }

    /// What the rows of charges say.
    pub fn of_charges<'a>(rows: impl IntoIterator<Item = (&'a ChargeLine, &'a ChargeResult)>) -> Self {
        let says = rows.into_iter().map(|(line, row)| (Subject::Charge(line.clone()), Says::of_charge(line, row)));
        Self { rows: says.filter(|(_, says)| *says != Says::Silent).collect(), others: Vec::new() }
    }

    fn noticed(&self) -> impl Iterator<Item = &Noticed> {
        let of_lines = self.rows.values().filter_map(|says| match says {
            Says::Notice(noticed) => Some(noticed.as_ref()),
            Says::Clear | Says::Silent => None,
        });
        of_lines.chain(&self.others)
    }

    fn is_over(&self, finding: &Finding) -> bool {
        self.rows.get(&finding.noticed.subject).is_some_and(|says| says.ends(&finding.noticed.reason.code))
    }

    /// A word for each finding that this concerns: those noticed, and those of `standing` that are over.
    fn words(&self, standing: &BTreeMap<String, Finding>) -> BTreeMap<String, Word> {
        let over = standing.iter().filter(|(_, finding)| self.is_over(finding));
        let over = over.map(|(fingerprint, _)| (fingerprint.clone(), Word::Gone));
        let noticed = self.noticed().map(|noticed| (noticed.fingerprint(), Word::Noticed(Box::new(noticed.clone()))));
        over.chain(noticed).collect()
    }
}

/// What a planner has to say, taken from its draft before that is stored.
#[derive(Default)]
pub(super) struct PlannersWord {
    said: Said,
    standing: BTreeMap<String, Finding>,
    /// Every line and charge that the run looked at, where it is one of all lines that came to its end.
    looked_at: Option<BTreeSet<Subject>>,
    /// Charges among the findings that stand of which this run says nothing: they are of periods that it did not look at.
    not_covered: BTreeSet<Subject>,
}

impl PlannersWord {
    /// Reads the findings that stand, and hands those of the lines that need a job to `draft`.
    pub async fn of(findings: &Findings, connection: &Connection, draft: &mut Draft) -> Result<Self, SyncError> {
        let mut said = Said {
            others: draft.gaps.iter().filter(|gap| gap.is_found_each_time()).map(Gap::with_money).collect(),
            ..Said::of(&draft.rows)
        };
        said.rows.extend(draft.charges.said().rows);
        let rows = draft.rows.iter().map(LineResult::key);
        let lines = rows.chain(draft.looks.iter().map(|look| look.line.key.clone())).map(Subject::Line);
        let looked_at = draft.whole.then(|| lines.chain(draft.charges.looked_at().map(Subject::Charge)).collect());
        if draft.rows.is_empty()
            && draft.looks.is_empty()
            && draft.gaps.is_empty()
            && draft.charges.is_empty()
            && !draft.whole
        {
            return Ok(Self::default());
        }
        let mut standing = by_fingerprint(findings.standing(connection).await?);
        // What alerts have found is over when they say so, whatever a run comes across.
        standing.retain(|_, finding| Code::named(&finding.noticed.reason.code).is_none_or(|code| !code.is_of_alerts()));
        for (fingerprint, finding) in &standing {
            draft.standing.entry(finding.noticed.subject.clone()).or_default().push(fingerprint.clone());
        }
        let subjects = standing.values().map(|finding| &finding.noticed.subject);
        let not_covered = |subject: &&Subject| subject.charge().is_some_and(|charge| !draft.charges.covers(charge));
        let not_covered = subjects.filter(not_covered).cloned().collect();
        Ok(Self { said, standing, looked_at, not_covered })
    }

    /// Stores what the run says, and that whatever it came across nothing of is gone. `handed_on`: lines that an earlier
    /// planner of the same run has handed to jobs, which have their own say.
    pub async fn store(
        self,
        parts: &PlannerParts,
        connection: &Connection,
        run: &Run,
        handed_on: &BTreeSet<String>,
    ) -> Result<(), SyncError> {
        let mut words = self.said.words(&self.standing);
        let lost = self.standing.iter().filter(|(fingerprint, finding)| {
            // Of a charge whose write is not settled no planner's row says what became of it.
            let of_charge = finding.noticed.subject.charge().is_some() && is_of_open_write(finding);
            !words.contains_key(*fingerprint) && self.is_lost(&finding.noticed.subject) && !of_charge
        });
        let lost: Vec<String> = lost.map(|(fingerprint, _)| fingerprint.clone()).collect();
        words.extend(lost.into_iter().map(|fingerprint| (fingerprint, Word::Gone)));
        words.retain(|fingerprint, _| {
            let id = self.standing.get(fingerprint).and_then(|finding| id_of_row(&finding.noticed.subject));
            id.is_none_or(|id| !handed_on.contains(&id))
        });
        self.keep_open_writes(&parts.lines, connection, &mut words).await?;
        let at = parts.clock.now();
        let (findings, events) = (&parts.findings, parts.events.as_ref());
        Saying { findings, connection, run: &run.id, at }.say(events, words, self.standing).await
    }

    /// Whether a run of all lines came across nothing of it. Contracts are noticed or not: there is no row of them.
    fn is_lost(&self, subject: &Subject) -> bool {
        let Some(looked_at) = &self.looked_at else { return false };
        !looked_at.contains(subject) && !self.not_covered.contains(subject)
    }

    /// Takes back that a finding is gone where its line has a write that is not settled: no row of a planner says what became
    /// of that.
    async fn keep_open_writes(
        &self,
        lines: &Lines,
        connection: &Connection,
        words: &mut BTreeMap<String, Word>,
    ) -> Result<(), SyncError> {
        let doubtful = |fingerprint: &String| {
            let finding = self.standing.get(fingerprint)?;
            let (noticed, of_write) = (&finding.noticed, is_of_open_write(finding));
            noticed.subject.line().filter(|_| of_write || self.is_lost(&noticed.subject))
        };
        let gone = words.iter().filter(|(_, word)| **word == Word::Gone);
        let keys = gone.filter_map(|(fingerprint, _)| doubtful(fingerprint).cloned()).collect();
        let histories = named(lines, connection, keys).await?;
        let open = |line: &LineKey| histories.get(line).is_some_and(|history| history.open.is_some());
        words.retain(|fingerprint, word| *word != Word::Gone || !doubtful(fingerprint).is_some_and(open));
        Ok(())
    }
}

fn is_of_open_write(finding: &Finding) -> bool {
    let code = Code::named(&finding.noticed.reason.code);
    matches!(code, Some(Code::WriteUnsettled | Code::WriteUnexplained))
}

/// By what the row of a line or charge is known in a run.
fn id_of_row(subject: &Subject) -> Option<String> {
    let charge = || subject.charge().map(ChargeLine::to_string);
    subject.line().map(LineKey::to_string).or_else(charge)
}

/// Stores what the rows of a job have `said`. `standing`: what the planner knew to stand on its lines.
pub(super) async fn say_of_job(
    (findings, events): (&Findings, &dyn Publish),
    (connection, run): (&Connection, &RunId),
    said: Said,
    standing: &[String],
    at: Timestamp,
) -> Result<(), SyncError> {
    let noticed: Vec<String> = said.noticed().map(Noticed::fingerprint).collect();
    let known = standing.iter().filter(|_| !said.rows.is_empty());
    let read = noticed.iter().chain(known).map(String::as_str);
    let standing = by_fingerprint(findings.named(connection, read).await?);
    Saying { findings, connection, run, at }.say(events, said.words(&standing), standing).await
}

/// One run's say.
#[derive(Clone, Copy)]
struct Saying<'a> {
    findings: &'a Findings,
    connection: &'a Connection,
    run: &'a RunId,
    at: Timestamp,
}

impl Saying<'_> {
    /// Stores each word, and tells of the findings that it opened.
    async fn say(
        self,
        events: &dyn Publish,
        words: BTreeMap<String, Word>,
        mut standing: BTreeMap<String, Finding>,
    ) -> Result<(), SyncError> {
        let room = Arc::new(Semaphore::new(WRITES_AT_ONCE));
        let mut writes = JoinSet::new();
        for (fingerprint, word) in words {
            let found = standing.remove(&fingerprint);
            if Next::after(found.as_ref(), &word, &self.connection.id, self.run, self.at) == Next::Stays {
                continue;
            }
            let (findings, connection, run) = (self.findings.clone(), self.connection.clone(), self.run.clone());
            let (at, room) = (self.at, room.clone());
            writes.spawn(async move {
                let _permit = room.acquire().await;
                findings.say(&connection, (&fingerprint, &word), found, (&run, at)).await
            });
        }
        let (mut opened, mut said) = (Vec::new(), Ok(()));
        while let Some(written) = writes.join_next().await {
            match written.map_err(|e| StoreError::Unavailable(e.to_string())).flatten() {
                Ok(finding) => opened.extend(finding),
                Err(error) => said = Err(error),
            }
        }
        // Also where some were not stored: whoever says it all again finds these open, and would not tell of them.
        let told = opened
            .iter()
            .filter(|finding| !finding.comes_in_crowds())
            .map(|finding| Event::FindingOpened(Box::new(OpenedFinding::of(self.connection, finding))));
        tell(events, &told.chain(self.gone_stale(&opened)).collect::<Vec<_>>()).await;
        Ok(said?)
    }

    /// That usage has gone stale, where findings say so that were opened just now.
    fn gone_stale(&self, opened: &[Finding]) -> Option<Event> {
        let patience = self.connection.policy.stale_after_hours.duration();
        let of_product = |finding: &Finding| match &finding.noticed.subject {
            Subject::Product(product) if finding.noticed.reason.code == Code::UsageStale.as_str() => {
                let newest = finding.noticed.about.as_deref()?.parse().ok()?;
                StaleProduct::at(product.clone(), newest, patience, self.at)
            }
            _ => None,
        };
        let products: Vec<StaleProduct> = opened.iter().filter_map(of_product).collect();
        let partner = self.connection.partner.clone();
        (!products.is_empty()).then(|| Event::UsageStale(Box::new(UsageStale { partner, products })))
    }
}

/// What is noticed of lines with a write of this connection's that is not settled, and that no job of this run of all lines
/// will look at: their mapping is gone, or their contract can't be written. Nobody else would speak of them.
pub(super) async fn stranded(
    (lines, ledger): (&Lines, &Ledger),
    connection: &Connection,
    draft: &Draft,
    histories: &BTreeMap<LineKey, LineHistory>,
) -> Result<Vec<Noticed>, StoreError> {
    let looks: BTreeSet<&LineKey> = draft.looks.iter().map(|look| &look.line.key).collect();
    let ours = |history: &LineHistory| history.open.is_some() && history.writer.as_ref() == Some(&connection.id);
    let suspects = histories.iter().filter(|(line, history)| ours(history) && !looks.contains(line));
    // All lines were read a moment late.
    let now = named(lines, connection, suspects.map(|(line, _)| line.clone()).collect()).await?;
    let mut noticed = Vec::new();
    for (line, history) in now.into_iter().filter(|(_, history)| ours(history)) {
        let intent = ledger.open_intent(&Tenancy::of(connection), &line, &history).await?;
        noticed.extend(intent.map(|intent| of_stranded(line, &intent)));
    }
    Ok(noticed)
}

fn of_stranded(line: LineKey, intent: &Intent) -> Noticed {
    let meaning = &intent.meaning;
    // Where the PSA has shown neither number, that is still so; it stays the same finding.
    let unexplained = intent.code.as_deref() == Some(Code::WriteUnexplained.as_str());
    let code = if unexplained { Code::WriteUnexplained } else { Code::WriteUnsettled };
    let explanation = format!(
        "A change from {} to {} from {} was begun and its outcome is not known. No run settles it: the line's mapping is \
         gone, or its contract can't be written.",
        meaning.before, meaning.target, meaning.effective
    );
    let fix = "Map the line again, so that a run settles it; or put it right in the PSA, then resolve the finding.";
    let reason = Reason { fix: fix.to_owned(), ..Reason::new(code, explanation) };
    Noticed {
        before: Some(meaning.before),
        target: Some(meaning.target),
        effective_date: Some(meaning.effective),
        ..Noticed::of(Subject::Line(line), reason)
    }
}

/// The lines named, as they are now; no request for none.
async fn named(
    lines: &Lines,
    connection: &Connection,
    keys: BTreeSet<LineKey>,
) -> Result<BTreeMap<LineKey, LineHistory>, StoreError> {
    lines.named(&Tenancy::of(connection), &keys.into_iter().collect::<Vec<_>>()).await
}

fn by_fingerprint(findings: Vec<Finding>) -> BTreeMap<String, Finding> {
    findings.into_iter().map(|finding| (finding.noticed.fingerprint(), finding)).collect()
}
