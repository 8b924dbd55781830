//! What was measured, as people read it.

use std::fmt;
use std::time::Duration;

use integration::msp::alerts::told::Told;

use crate::billing::Billing;
use crate::stage::{Asker, Request, by_kind};

/// Of what must not be, so much is shown.
const SHOWN: usize = 20;

/// Durations, the shortest first.
pub struct Times(Vec<Duration>);

/// What came of one world.
pub struct Figures {
    pub psa: &'static str,
    pub tickets_per_hour: u32,
    pub alerts: u64,
    pub keys: usize,
    pub clients: usize,
    /// Each request that sent something in.
    pub poured: Times,
    /// Until the last was answered.
    pub taken_in: Duration,
    /// Until no message was left, from the beginning.
    pub handled: Duration,
    pub told: Told,
    pub asked: Vec<Request>,
    /// Requests of the desk between two of the sync amid the flood, ascending.
    pub interleaved: Vec<usize>,
    /// Before, amid and after the flood.
    pub syncs: [Billing; 3],
    pub most_memory_kb: Option<u64>,
    pub wrong: Vec<String>,
}

impl Times {
    /// Of these, in any order.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn percentile(&self, percent: usize) -> Duration {
        self.0.get(self.0.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
    }
}

/// The most memory that this process has had in use: the application, the simulated PSA and the clients together. Linux only.
pub fn most_memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { psa, tickets_per_hour, alerts, keys, clients, taken_in, handled, told, asked, .. } = self;
        let count = |asker: Asker| asked.iter().filter(|request| request.asker == asker).count();
        let refused = asked.iter().filter(|request| request.status == 429).count();
        let a_second = |many: usize, time: &Duration| many as f64 / time.as_secs_f64();
        writeln!(f, "{psa}, at most {tickets_per_hour} tickets an hour: {alerts} alerts of {keys} keys")?;
        let poured = self.poured.0.len();
        writeln!(
            f,
            "  taken in       {poured} requests of {clients} clients in {taken_in:.1?}: {:.0} a second, p50 {:.1?}, p99 {:.1?}",
            a_second(poured, taken_in),
            self.poured.percentile(50),
            self.poured.percentile(99),
        )?;
        writeln!(f, "  handled        {handled:.1?} after the first: {:.0} a second", a_second(poured, handled))?;
        writeln!(
            f,
            "  told           {} alerts in tickets of their own, {} in {} digests; {} notes; {} repeats are to come",
            told.own, told.listed, told.digests, told.notes, told.behind
        )?;
        let (desk, syncs) = (count(Asker::Desk), count(Asker::Sync));
        writeln!(
            f,
            "  PSA requests   desk {desk}, sync {syncs}, either {}; {refused} had no room",
            count(Asker::Either)
        )?;
        for (what, times) in by_kind(asked, Asker::Desk) {
            writeln!(f, "                 {times:>6} {what}")?;
        }
        let [alone, amid, after] = &self.syncs;
        let ratio = amid.took.as_secs_f64() / alone.took.as_secs_f64();
        writeln!(
            f,
            "  sync           alone {:.1?}, amid the flood {:.1?} ({ratio:.2} times), after it {:.1?}; {}, {} and {} requests",
            alone.took, amid.took, after.took, alone.requests, amid.requests, after.requests
        )?;
        let (median, most) = (self.interleaved.get(self.interleaved.len() / 2), self.interleaved.last());
        writeln!(
            f,
            "  interleaved    of the desk between two requests of the sync: {} at most, {} in the middle, {} in all",
            most.copied().unwrap_or_default(),
            median.copied().unwrap_or_default(),
            self.interleaved.iter().sum::<usize>()
        )?;
        if let Some(memory) = self.most_memory_kb {
            writeln!(f, "  memory         {} MB at most, of application, simulator and clients", memory / 1_024)?;
        }
        match self.wrong.len() {
            0 => write!(f, "  right          each alert told once, in its order; each sync wrote what it should"),
            wrong => {
                writeln!(f, "  WRONG          {wrong}:")?;
                self.wrong.iter().take(SHOWN).try_for_each(|what| writeln!(f, "                 {what}"))
            }
        }
    }
}
