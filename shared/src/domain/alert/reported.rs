//! What becomes of an alert by what is sent in: a first report, a repeat, its end.

use jiff::{SignedDuration, Timestamp};

use super::{Alert, AlertKey, End, Incident, Matter, Noted, Ticket};

/// A request that says that something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Names the request: the same one is counted once.
    pub id: String,
    /// What happened.
    pub incident: Incident,
    /// When.
    pub at: Timestamp,
}

/// What a report means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// The row as it is from now on.
    Is(Box<Alert>),
    /// Nothing: it was counted before, or happened before what ended the alert.
    Nothing,
    /// The key stands for something at another company.
    OfAnotherCompany,
}

impl Alert {
    /// What `report` makes of what stands under its key (`found`). A repeat within `window` of the end of an episode belongs
    /// to it, and so does any that comes before all of it was told: it has no ticket that could be left behind.
    #[must_use]
    pub fn reported(
        found: Option<&Self>,
        key: &AlertKey,
        report: Report,
        window: SignedDuration,
        now: Timestamp,
    ) -> Reported {
        let Some(found) = found else { return Reported::Is(Box::new(Self::begin(key, 1, 0, report, now))) };
        if found.last_report == report.id {
            return Reported::Nothing;
        }
        if found.over_until.is_some_and(|over_until| report.at < over_until) {
            return Reported::Nothing;
        }
        if found.left_behind_at().is_some_and(|left| report.at.duration_since(left) > window) {
            let episode = found.episode.saturating_add(1);
            let next = Self::begin(key, episode, found.version, report, now);
            // What people were told of the last one is over once this one rests: nobody else would say so.
            return Reported::Is(Box::new(Self { finding: found.finding.clone(), ..next }));
        }
        if found.incident().is_none_or(|incident| incident.company != report.incident.company) {
            return Reported::OfAnotherCompany;
        }
        Reported::Is(Box::new(found.repeated(report)))
    }

    /// Since when its ticket has nothing more to do with what happens: since its end; in a digest, which hears of no repeats,
    /// since it began.
    fn left_behind_at(&self) -> Option<Timestamp> {
        match self.resolved_at {
            Some(resolved_at) => self.is_over().then_some(resolved_at),
            None => self.digest.as_ref().and(self.ticket.as_ref()).map(|_| self.began_at),
        }
    }

    fn begin(key: &AlertKey, episode: u32, version: u64, report: Report, now: Timestamp) -> Self {
        let fresh = Self::fresh(key.clone(), Matter::Incident(report.incident), report.at, now);
        Self { episode, version, last_report: report.id, ..fresh }
    }

    /// An alert that has happened once, and of which nothing was told yet.
    pub(super) fn fresh(key: AlertKey, matter: Matter, at: Timestamp, now: Timestamp) -> Self {
        Self {
            key,
            matter,
            episode: 1,
            began_at: now,
            first_at: at,
            last_at: at,
            count: 1,
            resolved_at: None,
            over_until: None,
            place: None,
            ticket: None,
            noted: Noted::default(),
            open: None,
            tried: None,
            doubted: false,
            in_vain: 0,
            digest: None,
            trouble: None,
            finding: None,
            last_report: String::new(),
            version: 0,
        }
    }

    fn repeated(&self, report: Report) -> Self {
        // What we completed is opened again; else the ticket is as people have it.
        let again = |ticket: Ticket| match ticket.end {
            End::Completed => ticket,
            End::Open | End::Left | End::NotTaken => Ticket { end: End::Open, ..ticket },
        };
        // What is said last is how it is now; the ticket keeps the words with which it was opened.
        let matter = if report.at >= self.last_at { Matter::Incident(report.incident) } else { self.matter.clone() };
        Self {
            matter,
            first_at: self.first_at.min(report.at),
            last_at: self.last_at.max(report.at),
            count: self.count.saturating_add(1),
            resolved_at: None,
            ticket: self.ticket.clone().map(again),
            last_report: report.id,
            ..self.clone()
        }
    }

    /// The same when it is over, as of `said` or as of `now`; never before it happened last. `None`: that was known already, or
    /// it has happened again since `said`. Where it was over before, its end stays, and what happened until `said` belongs to it.
    #[must_use]
    pub fn resolved(&self, said: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let at = said.unwrap_or_else(|| now.max(self.last_at));
        let ends = at >= self.last_at && self.over_until.is_none_or(|over_until| over_until < at);
        let resolved_at = self.resolved_at.or(Some(at));
        let is_news = ends || (self.resolved_at.is_none() && at >= self.last_at);
        is_news.then(|| Self { resolved_at, over_until: self.over_until.max(Some(at)), ..self.clone() })
    }
}
