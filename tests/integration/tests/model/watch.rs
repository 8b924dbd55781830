//! What must hold after every step: the ledger read again, the simulator's journal beside it.
//!
//! A step is one delivery, one edit, one arrival. Every request that reached the simulator in it must belong to an intent
//! that was stored as sent in it, every effective change to such a request, and every state must follow from the one before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use shared::domain::intent::IntentState;
use shared::domain::line::{LineHistory, LineKey};
use shared::ledger::Intent;
use shared::store::Read;
use shared::store::lines::{Lines, Tenancy};
use simulators::autotask::{Asked, Entity, Kind, Write};

use super::totals::Totals;
use super::world::World;

/// Autotask works on a request for at most so long, in seconds.
const WORKED_ON_S: i64 = 300;

/// What a check found wrong.
pub type Verdict = Result<(), String>;

/// One line under watch.
pub struct Line {
    pub contract: i64,
    pub service: i64,
    pub key: LineKey,
    pub history: LineHistory,
    pub intents: BTreeMap<String, Seen>,
    /// Whether what the ledger confirmed should be what the PSA shows: nobody else has changed the line since.
    undisturbed: bool,
    /// The last step in which a person edited it.
    edited: Option<usize>,
    /// Everything that changed it, by date.
    pub changes: Vec<(Date, i64)>,
    /// Where the PSA differed from what was confirmed when the step began.
    pub drifted: bool,
}

/// An intent, as the model follows it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub intent: Intent,
    /// The step in which it was stored as sent.
    sent: Option<usize>,
    requests: u32,
    effective: u32,
    /// It was cut off, and not carried out so far.
    cut: bool,
    /// The PSA called it made, and did not make it.
    unmade: bool,
    /// A person resolved it: what became of it is theirs to know.
    resolved: bool,
}

/// All lines of a story.
pub struct Watch {
    pub of: Tenancy,
    pub lines: Vec<Line>,
    pub step: usize,
    /// In this step a person resolves a finding.
    pub resolving: bool,
    /// Workers have stood still and gone on later: what they do does not belong to the step in which they began it.
    pub loose: bool,
}

impl Line {
    pub fn new(contract: i64, service: i64) -> Self {
        let key =
            LineKey { contract: contract.to_string().parse().unwrap(), service: service.to_string().parse().unwrap() };
        Self {
            contract,
            service,
            key,
            history: LineHistory::default(),
            intents: BTreeMap::new(),
            undisturbed: true,
            edited: None,
            changes: Vec::new(),
            drifted: false,
        }
    }

    pub fn units(&self, world: &World, day: Date) -> i64 {
        world.psa.units(self.contract, self.service, day).unwrap_or(-1)
    }

    /// Nothing but a person can settle the open intent: the line was edited after it had been sent, or the PSA lied.
    pub fn is_left_to_a_person(&self) -> bool {
        let open = self.history.open.as_ref().and_then(|key| self.intents.get(key.as_str()));
        open.is_some_and(|seen| self.edited_since(seen) || seen.unmade)
    }

    fn edited_since(&self, seen: &Seen) -> bool {
        self.edited.is_some_and(|edited| seen.sent.is_some_and(|sent| edited >= sent))
    }
}

impl Watch {
    /// A step begins.
    pub fn begin(&mut self, world: &World, today: Date) {
        self.step += 1;
        for line in &mut self.lines {
            line.drifted = line
                .history
                .confirmed
                .is_some_and(|known| line.units(world, known.from.max(today)) != i64::from(known.units));
        }
    }

    /// A person edited a line.
    pub fn edited(&mut self, line: usize, change: &Write) {
        let line = &mut self.lines[line];
        line.edited = Some(self.step);
        line.undisturbed = false;
        line.changes.push((change.effective_date, change.unit_change));
    }

    /// The intent of a request that was cut off and may still arrive.
    pub fn on_its_way(&self, now: Timestamp) -> Option<(usize, Intent)> {
        self.lines.iter().enumerate().find_map(|(line, watched)| {
            let late = watched.intents.values().find(|seen| {
                seen.cut && seen.effective == 0 && now.as_second() - seen.intent.sent_at.unwrap_or(0) <= WORKED_ON_S
            })?;
            Some((line, late.intent.clone()))
        })
    }

    /// That request arrived and took effect.
    pub fn arrived(&mut self, line: usize, intent: &Intent, change: &Write) {
        let line = &mut self.lines[line];
        line.undisturbed = false;
        line.changes.push((change.effective_date, change.unit_change));
        if let Some(seen) = line.intents.get_mut(intent.key.as_str()) {
            seen.effective += 1;
        }
    }

    /// A step ends: reads the ledger again and checks everything. Answers with the intents that are new.
    pub async fn end(&mut self, world: &World, totals: &mut Totals) -> Result<Vec<(usize, Intent)>, String> {
        let histories = Lines::new(world.table.clone());
        let keys: Vec<LineKey> = self.lines.iter().map(|line| line.key.clone()).collect();
        let mut histories = histories.named(&self.of, &keys).await.map_err(|e| e.to_string())?;
        let mut new = Vec::new();
        let mut sent: Vec<(usize, String)> = Vec::new();
        for number in 0..self.lines.len() {
            let line = &mut self.lines[number];
            let history = histories.remove(&line.key).unwrap_or_default();
            let intents = ledger(world, &self.of, &line.key).await;
            for intent in intents {
                let key = intent.key.to_string();
                let before = line.intents.get(&key);
                follows(before.map(|seen| seen.intent.state), intent.state)
                    .map_err(|why| format!("intent {key} of line {}: {why}", line.key))?;
                let was_sent = before.is_some_and(|seen| seen.sent.is_some());
                let newly_sent = !was_sent && intent.sent_at.is_some();
                if newly_sent {
                    sent.push((number, key.clone()));
                }
                if before.is_none() {
                    new.push((number, intent.clone()));
                }
                if intent.state == IntentState::Applied
                    && before.is_none_or(|seen| seen.intent.state != IntentState::Applied)
                {
                    line.undisturbed = true;
                }
                let (step, found) = (self.step, intent.clone());
                let seen = line.intents.entry(key).or_insert(Seen {
                    intent,
                    sent: None,
                    requests: 0,
                    effective: 0,
                    cut: false,
                    unmade: false,
                    resolved: false,
                });
                if self.resolving && found.state == IntentState::Rejected && !seen.intent.state.is_settled() {
                    seen.resolved = true;
                    line.undisturbed = false;
                }
                seen.intent = found;
                if newly_sent {
                    seen.sent = Some(step);
                }
            }
            if line.intents.values().filter(|seen| !seen.intent.state.is_settled()).count() > 1 {
                return Err(format!("line {} has two open intents", line.key));
            }
            if history.confirmed != line.history.confirmed {
                line.undisturbed = true;
            }
            line.history = history;
        }
        self.resolving = false;
        self.journal(world, &sent, totals)?;
        for line in &self.lines {
            line.check(world)?;
        }
        Ok(new)
    }

    /// Each request belongs to one intent that was sent in this step, each effective change to one of those requests.
    fn journal(&mut self, world: &World, sent: &[(usize, String)], totals: &mut Totals) -> Verdict {
        // Of two intents that say the same, the one that was sent in this step is meant.
        let earlier = if self.loose { self.sent() } else { Vec::new() };
        let sent: Vec<(usize, String)> = sent.iter().cloned().chain(earlier).collect();
        let requests = world.psa.requests();
        let writes = world.psa.writes();
        world.psa.reset_counts();
        let wanted =
            |asked: &&Asked| asked.entity == Some(Entity::ContractServiceAdjustments) && asked.kind == Kind::Create;
        let requests: Vec<&Asked> = requests.iter().filter(wanted).collect();
        totals.add("requests to write", requests.len());
        totals.add("writes", writes.len());
        for asked in &requests {
            let body = &asked.body;
            let date = body["effectiveDate"].as_str().unwrap_or_default().get(..10).unwrap_or_default().to_owned();
            let says = (body["contractServiceID"].to_string(), date, body["unitChange"].as_i64().unwrap_or_default());
            let seen = self.find(&sent, |seen| seen.requests == 0 && says == words(&seen.intent));
            let seen = seen.ok_or_else(|| format!("a request without an intent that was stored as sent: {body}"))?;
            seen.requests += 1;
            seen.cut = asked.status.is_none();
            seen.unmade = asked.status == Some(200);
        }
        for write in &writes {
            if (write.into_posted && !self.loose) || write.created_line {
                return Err(format!("a write into a posted period, or of a new line: {write:?}"));
            }
            let says = (write.contract_service_id.to_string(), write.effective_date.to_string(), write.unit_change);
            let seen =
                self.find(&sent, |seen| seen.effective == 0 && seen.requests == 1 && says == words(&seen.intent));
            let seen = seen.ok_or_else(|| format!("an effective write without a request of its own: {write:?}"))?;
            seen.effective += 1;
            seen.unmade = false;
            let line = self
                .lines
                .iter_mut()
                .find(|line| line.contract == write.contract_id && line.service == write.service_id);
            let line = line.ok_or_else(|| format!("a write to a line of somebody else: {write:?}"))?;
            line.changes.push((write.effective_date, write.unit_change));
        }
        Ok(())
    }

    /// Every intent that was ever stored as sent.
    fn sent(&self) -> Vec<(usize, String)> {
        let of_line = |(number, line): (usize, &Line)| -> Vec<(usize, String)> {
            let sent = line.intents.iter().filter(|(_, seen)| seen.sent.is_some());
            // The newest first, for the same reason.
            let mut sent: Vec<&Seen> = sent.map(|(_, seen)| seen).collect();
            sent.sort_by_key(|seen| std::cmp::Reverse(seen.intent.meaning.revision));
            sent.into_iter().map(|seen| (number, seen.intent.key.to_string())).collect()
        };
        self.lines.iter().enumerate().flat_map(of_line).collect()
    }

    fn find(&mut self, sent: &[(usize, String)], like: impl Fn(&Seen) -> bool) -> Option<&mut Seen> {
        let (line, key) =
            sent.iter().find(|(line, key)| self.lines[*line].intents.get(key).is_some_and(&like))?.clone();
        self.lines[line].intents.get_mut(&key)
    }
}

impl Line {
    /// What the ledger says of the line, against what really happened to it.
    fn check(&self, world: &World) -> Verdict {
        for (key, seen) in &self.intents {
            let state = seen.intent.state;
            let complain = |why: &str| Err(format!("intent {key} of line {} {why}: {:?}", self.key, seen.intent));
            if seen.requests > 1 || seen.effective > 1 {
                return complain("was made more than once");
            }
            if state == IntentState::Rejected && seen.effective > 0 && !self.edited_since(seen) && !seen.resolved {
                return complain("is called rejected and was made");
            }
            if state == IntentState::Applied && seen.effective == 0 && !self.edited_since(seen) {
                return complain("is called applied and was never made");
            }
            if state == IntentState::Intended && seen.requests > 0 {
                return complain("was sent and is not stored as sent");
            }
        }
        let quiet = self.undisturbed && self.history.open.is_none();
        if let Some(known) = self.history.confirmed.filter(|_| quiet) {
            let shown = self.units(world, known.from);
            if shown != i64::from(known.units) {
                return Err(format!("line {}: {known:?} is confirmed, and the PSA shows {shown}", self.key));
            }
        }
        Ok(())
    }
}

async fn ledger(world: &World, of: &Tenancy, line: &LineKey) -> Vec<Intent> {
    let partition = format!("{}#LEDGER#{}#{}", of.partition(), line.contract, line.service);
    let rows = world.table.all::<Intent>(&partition, "INTENT#", Read::Consistent).await.expect("the ledger");
    rows.into_iter().map(|(_, intent)| intent).collect()
}

fn words(intent: &Intent) -> (String, String, i64) {
    let meaning = &intent.meaning;
    (meaning.contract_service.to_string(), meaning.effective.to_string(), meaning.delta().get())
}

/// Nothing goes back, and nothing leaves an end.
fn follows(before: Option<IntentState>, now: IntentState) -> Verdict {
    use IntentState::{Applied, Intended, Rejected, Sent, Unknown};
    let legal = match before {
        None => true,
        // Within one step an intent may come all the way.
        Some(Intended) => true,
        Some(Sent) => now != Intended,
        Some(Unknown) => matches!(now, Unknown | Applied | Rejected),
        Some(end @ (Applied | Rejected)) => now == end,
    };
    if legal { Ok(()) } else { Err(format!("it went from {before:?} to {now:?}")) }
}
