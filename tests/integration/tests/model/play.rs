//! A story as it happens: what each action does to the world, and what the model expects of it.

use std::collections::{BTreeMap, VecDeque};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use shared::domain::ids::{PartnerId, RunId};
use shared::domain::policy::Approval as ApprovalPolicy;
use shared::psa::Psa;
use shared::queue::CompanyJob;
use shared::store::connections::{Bookkeeping, Connection, Connections};
use shared::store::findings::Findings;
use shared::store::lines::Tenancy;
use shared::store::runs::{Approved, Run, Runs};
use shared::store::usage::{Record, Snapshot, Snapshots};

use super::book::{Book, Desired};
use super::deliver::Stalled;
use super::expect;
use super::scene;
use super::story::{Action, COMPANIES, Counts, Day, Span, Story, Trouble};
use super::totals::Totals;
use super::watch::{Line, Verdict, Watch};
use super::world::{CONTRACTS, Process, SERVICES, World};

/// A story under way.
pub struct Play<'w> {
    pub world: &'w World,
    pub story: Story,
    pub connection: Connection,
    pub watch: Watch,
    pub book: Book,
    pub runs: BTreeMap<RunId, Asked>,
    pub totals: Totals,
    /// The newest run of all lines whose planning came to its end.
    pub newest_planned: Option<RunId>,
    pub somebody_approved: bool,
    /// The policy holds nothing any more.
    pub ending: bool,
    pub process: Process,
    pub processes: usize,
    pub waiting_runs: VecDeque<RunId>,
    pub done_runs: Vec<RunId>,
    pub waiting_jobs: VecDeque<CompanyJob>,
    pub done_jobs: Vec<CompanyJob>,
    pub snapshots: usize,
    pub stalled: Option<Stalled>,
}

/// A run that was asked for, and what the lines should have carried at each of its plannings.
#[derive(Default)]
pub struct Asked {
    pub approved: Vec<Approved>,
    pub reverses: Option<RunId>,
    pub plannings: Vec<Vec<Option<Desired>>>,
}

impl<'w> Play<'w> {
    /// Sets the scene: the `number`th customer of the world, of a partner of its own.
    pub async fn new(world: &'w World, number: i64, story: Story) -> Self {
        world.clock.set(super::world::BEGINNING);
        world.fate.lift();
        world.psa.clear_faults();
        world.psa.reset_counts();
        world.wire.take();
        let partner: PartnerId = format!("partner-{number}").parse().unwrap();
        let connection = scene::connect(world, &partner, number, &story).await;
        let lines = SERVICES[..story.plot.lines].iter().map(|(service, _)| Line::new(CONTRACTS + number, *service));
        let of = Tenancy { partner, psa: Psa::Autotask, tenant: connection.endpoint.tenant.clone() };
        Self {
            world,
            watch: Watch { of, lines: lines.collect(), step: 0, resolving: false, loose: false },
            process: world.process("process-0", story.plot.sole),
            story,
            connection,
            book: Book::default(),
            runs: BTreeMap::new(),
            totals: Totals::default(),
            newest_planned: None,
            somebody_approved: false,
            ending: false,
            processes: 0,
            waiting_runs: VecDeque::new(),
            done_runs: Vec::new(),
            waiting_jobs: VecDeque::new(),
            done_jobs: Vec::new(),
            snapshots: 0,
            stalled: None,
        }
    }

    pub fn today(&self) -> Date {
        self.world.clock.time().to_zoned(TimeZone::UTC).date()
    }

    /// Does everything that the story says, and checks after each step.
    pub async fn act(&mut self) -> Verdict {
        for (place, action) in self.story.actions.clone().into_iter().enumerate() {
            self.totals.count("steps");
            self.perform(&action).await.map_err(|why| format!("action {place}: {why}"))?;
        }
        Ok(())
    }

    async fn perform(&mut self, action: &Action) -> Verdict {
        match action {
            Action::Push { complete, counts, minutes_ago } => self.push(*complete, counts, *minutes_ago).await,
            Action::Ask => {
                self.ask(Vec::new(), None).await;
            }
            Action::Plan { which, trouble } => {
                if let Some(run) = self.choose_run(*which) {
                    self.plan(&run, trouble).await?;
                }
            }
            Action::Work { which, trouble } => {
                if let Some(job) = self.choose_job(*which) {
                    self.work(&job, trouble, false).await?;
                }
            }
            Action::WorkTwice { which, trouble } => {
                self.have_a_job().await?;
                if let Some(job) = self.choose_job(*which) {
                    self.work(&job, trouble, true).await?;
                }
            }
            Action::Stall { which, nth } => {
                self.have_a_job().await?;
                if let Some(job) = self.choose_job(*which).filter(|_| self.stalled.is_none()) {
                    self.stall(job, *nth).await?;
                }
            }
            Action::Resume => self.resume().await?,
            Action::Sync { planning, working, works } => {
                let run = self.ask(Vec::new(), None).await;
                self.plan(&run, planning).await?;
                let jobs: Vec<_> = self.waiting_jobs.iter().filter(|job| job.run == run).cloned().collect();
                for job in jobs.into_iter().filter(|_| *works) {
                    self.work(&job, working, false).await?;
                }
            }
            Action::Edit { line, day, units } => self.edit(*line, *day, *units).await?,
            Action::Wait(span) => self.wait(*span),
            Action::Post { running } => {
                let (contract, today) = (self.watch.lines[0].contract, self.today());
                if *running {
                    self.world.psa.post_period(contract, today);
                } else {
                    self.world.psa.post_through(contract, today.first_of_month().yesterday().unwrap());
                }
            }
            Action::Approve => {
                self.approve().await?;
            }
            Action::Reverse => {
                if let Some(newest) = self.runs.keys().next_back().cloned() {
                    self.totals.count("reversals");
                    let run = self.ask(Vec::new(), Some(newest)).await;
                    self.plan(&run, &Trouble::default()).await?;
                }
            }
            Action::Resolve { number } => self.resolve(*number).await?,
            Action::Arrive => self.arrive().await?,
            Action::GiveUp { job } => self.give_up(*job).await?,
        }
        Ok(())
    }

    /// Usage comes in. A company that no mapping names is counted in every snapshot.
    pub async fn push(&mut self, complete: bool, counts: &Counts, minutes_ago: i64) {
        self.world.clock.advance(SignedDuration::from_secs(1));
        let now = self.world.clock.time();
        let as_of = now - SignedDuration::from_mins(minutes_ago);
        self.snapshots += 1;
        let mut records = Vec::new();
        for (line, (_, product)) in SERVICES.iter().enumerate() {
            let of = |company: &str, units: i64| Record {
                company: company.parse().unwrap(),
                company_name: company.to_owned(),
                product: product.parse().unwrap(),
                quantity: units.try_into().unwrap(),
                unit_cost: None,
                currency: None,
                account_id: None,
            };
            records.push(of("bystander", 7));
            let counted = COMPANIES.iter().zip(counts).filter_map(|(company, counts)| Some((company, counts[line]?)));
            records.extend(counted.map(|(company, units)| of(company, units)));
        }
        let id = format!("snap-{}", self.snapshots).parse().unwrap();
        let snapshot = Snapshot::new(id, as_of, complete, records);
        let store = Snapshots::new(self.world.table.clone());
        store.receive(&self.connection.partner, &snapshot, now).await.expect("the snapshot is stored");
        self.book.push(as_of, complete, counts);
    }

    /// Asks for a run of all lines, of approved ones, or of the opposite of what a run changed.
    pub async fn ask(&mut self, approved: Vec<Approved>, reverses: Option<RunId>) -> RunId {
        self.world.clock.advance(SignedDuration::from_millis(1));
        let run = expect::new_run(&self.connection, approved.clone(), reverses.clone(), self.world.clock.time());
        Runs::new(self.world.table.clone()).create(&run).await.expect("the run is stored");
        self.runs.insert(run.id.clone(), Asked { approved, reverses, plannings: Vec::new() });
        self.waiting_runs.push_back(run.id.clone());
        run.id
    }

    /// Ends a step: everything that must hold, holds.
    pub async fn check(&mut self) -> Verdict {
        let before: Vec<_> = self.watch.lines.iter().map(|line| line.history.clone()).collect();
        let new = self.watch.end(self.world, &mut self.totals).await?;
        for (line, intent) in new {
            self.totals.count("intents");
            self.expected(line, &before[line], &intent)?;
        }
        Ok(())
    }

    async fn edit(&mut self, line: usize, day: Day, units: i64) -> Verdict {
        let Some(watched) = self.watch.lines.get(line) else { return Ok(()) };
        let (contract, service, today) = (watched.contract, watched.service, self.today());
        let day = match day {
            Day::Today => today,
            Day::PeriodStart => today.first_of_month(),
            Day::NextPeriodStart => today.last_of_month().tomorrow().unwrap(),
            Day::InFiveDays => today + 5.days(),
        };
        self.watch.begin(self.world, today);
        // Refused where a change that lies ahead would fall below zero.
        if let Ok(change) = self.world.psa.edit_units(contract, service, day, units) {
            self.totals.count("manual edits");
            self.watch.edited(line, &change);
        }
        self.check().await
    }

    async fn arrive(&mut self) -> Verdict {
        let Some((line, intent)) = self.watch.on_its_way(self.world.clock.time()) else { return Ok(()) };
        self.watch.begin(self.world, self.today());
        let (watched, meaning) = (&self.watch.lines[line], &intent.meaning);
        let units = watched.units(self.world, meaning.effective) + meaning.delta().get();
        let (contract, service) = (watched.contract, watched.service);
        if let Ok(change) = self.world.psa.edit_units(contract, service, meaning.effective, units) {
            self.totals.count("late arrivals");
            self.watch.arrived(line, &intent, &change);
        }
        self.check().await
    }

    /// Approves what the newest run that has ended held. Answers the run of that.
    pub async fn approve(&mut self) -> Result<Option<RunId>, String> {
        let Some(newest) = self.runs.keys().next_back().cloned() else { return Ok(None) };
        let partner = &self.connection.partner;
        if run(self.world, partner, &newest).await.finished_at.is_none() {
            return Ok(None);
        }
        let rows = expect::lines(self.world, partner, &newest).await;
        self.expected_rows(&newest, &rows)?;
        let waiting = expect::approvable(rows);
        if waiting.is_empty() {
            return Ok(None);
        }
        self.totals.count("approvals");
        self.somebody_approved = true;
        let connections = Connections::new(self.world.table.clone());
        let note = |found: &mut Bookkeeping| !std::mem::replace(&mut found.first_run_approved, true);
        connections.note(&self.connection.partner, &self.connection.id, note).await.expect("the connection");
        Ok(Some(self.ask(waiting, None).await))
    }

    /// A person resolves the `number`th of the findings that stand.
    pub async fn resolve(&mut self, number: usize) -> Verdict {
        let findings = Findings::new(self.world.table.clone()).standing(&self.connection).await.expect("the findings");
        let Some(finding) = findings.get(number % findings.len().max(1)) else { return Ok(()) };
        let fingerprint = finding.id.rsplit_once('.').expect("an id of two parts").1.to_owned();
        let (resolver, connection) = (self.process.resolver.clone(), self.connection.clone());
        self.watch.resolving = true;
        let seen_at = finding.seen_at;
        let resolve = async move {
            resolver.resolve(&connection, &fingerprint, ("the model", None), Some(seen_at)).await.is_ok()
        };
        self.deliver(&Trouble::default(), resolve).await;
        self.totals.count("findings resolved");
        self.check().await
    }

    fn wait(&mut self, span: Span) {
        let now = self.world.clock.time();
        let by = match span {
            Span::Seconds(seconds) => SignedDuration::from_secs(seconds),
            Span::Minutes(minutes) => SignedDuration::from_mins(minutes),
            Span::Days(days) => SignedDuration::from_hours(24 * days),
            Span::MonthEnd => {
                let end = self.today().last_of_month().at(23, 50, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
                end.duration_since(now).max(SignedDuration::from_mins(15))
            }
        };
        // Usage is looked for 62 days back; no story lasts that long.
        let begun = super::world::BEGINNING.parse::<Timestamp>().unwrap();
        if (now + by).duration_since(begun) < SignedDuration::from_hours(24 * 50) {
            self.world.clock.advance(by);
        }
        self.end_stalled(false);
    }

    /// What a line should carry by the usage that has arrived.
    pub fn desired(&self, line: usize) -> Option<Desired> {
        self.book.desired(line, self.story.plot.companies, self.story.plot.when_absent)
    }

    /// Every change needs an approval, as far as the model knows.
    pub fn approval_needed(&self) -> bool {
        match self.story.plot.approval {
            ApprovalPolicy::None => false,
            ApprovalPolicy::Always => true,
            ApprovalPolicy::FirstRun => !self.somebody_approved,
        }
    }
}

/// A run as the store has it.
pub async fn run(world: &World, partner: &PartnerId, id: &RunId) -> Run {
    Runs::new(world.table.clone()).get(partner, id).await.expect("the store answers").expect("the run is there")
}
