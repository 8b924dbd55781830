//! A story: what a partner's set-up is, and what happens to it, in order. Made from a number, and nothing else.

use shared::domain::policy::{Approval, Drift, EffectiveDate, WhenAbsent};
use simulators::autotask::{Entity, Fault};

use super::fate::Blow;
use super::random::Random;

/// Companies that may feed the lines: the first always, the second where the story has it.
pub const COMPANIES: [&str; 2] = ["acme", "beta"];

/// One story.
#[derive(Debug, Clone)]
pub struct Story {
    pub plot: Plot,
    pub actions: Vec<Action>,
    /// What the complete snapshot at the end counts: by company, then by line.
    pub ending: Counts,
}

/// What stands when it begins.
#[derive(Debug, Clone)]
pub struct Plot {
    pub lines: usize,
    pub companies: usize,
    pub date: EffectiveDate,
    pub drift: Drift,
    pub approval: Approval,
    pub when_absent: WhenAbsent,
    /// The process has the store to itself, as on one machine.
    pub sole: bool,
    /// At the end a person approves what is held; otherwise the policy stops holding.
    pub approves_at_the_end: bool,
}

/// By company, then by line; `None` is absent.
pub type Counts = [[Option<i64>; 2]; 2];

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Action {
    /// Usage arrives, true for so many minutes ago.
    Push { complete: bool, counts: Counts, minutes_ago: i64 },
    /// Somebody asks for a run.
    Ask,
    /// A run's message is delivered.
    Plan { which: Which, trouble: Trouble },
    /// A company job's message is delivered.
    Work { which: Which, trouble: Trouble },
    /// One company job's message is delivered to two workers at once; of a new run where none waits.
    WorkTwice { which: Which, trouble: Trouble },
    /// As that, but to one worker, which stands still at the nth fault point.
    Stall { which: Which, nth: usize },
    /// That worker goes on.
    Resume,
    /// Ask, plan and work, the latter two with trouble; or leave the jobs waiting.
    Sync { planning: Trouble, working: Trouble, works: bool },
    /// A person sets units in the PSA.
    Edit { line: usize, day: Day, units: i64 },
    /// Time passes.
    Wait(Span),
    /// Periods are approved and posted: the last one, or the one that is running.
    Post { running: bool },
    /// A person approves what the last run held.
    Approve,
    /// A person takes back what the newest run changed.
    Reverse,
    /// A person resolves a finding.
    Resolve { number: usize },
    /// A request that was cut off is carried out after all.
    Arrive,
    /// The queue gives a message up: a run's, or a company job's.
    GiveUp { job: bool },
}

/// Which message.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// The one that has waited longest.
    Next,
    /// Some other.
    Any(usize),
    /// One that was delivered and done before.
    Done(usize),
}

/// What goes wrong meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// At the nth fault point.
    pub blow: Option<(usize, Blow)>,
    /// At the PSA: the nth request of an entity since the message was delivered.
    pub psa: Option<(Entity, usize, Fault)>,
}

#[derive(Debug, Clone, Copy)]
pub enum Day {
    Today,
    PeriodStart,
    NextPeriodStart,
    InFiveDays,
}

#[derive(Debug, Clone, Copy)]
pub enum Span {
    Seconds(i64),
    Minutes(i64),
    Days(i64),
    /// To the last minutes of the month.
    MonthEnd,
}

impl Story {
    /// The story of a number.
    pub fn of(random: &mut Random) -> Self {
        let plot = Plot::of(random);
        let length = 6 + random.below(9);
        let complete = random.percent(70);
        let mut actions = vec![push(random, &plot, complete)];
        while actions.len() < length {
            let next = action(random, &plot);
            let cut = next.cuts_a_write_off();
            let stalled = matches!(next, Action::Stall { .. });
            actions.push(next);
            if stalled {
                actions.push(Action::Wait(random.pick(&[Span::Seconds(30), Span::Minutes(4), Span::Minutes(7)])));
                actions.extend(random.percent(80).then(|| meanwhile(random)));
                actions.push(Action::Resume);
            }
            if cut && random.percent(60) {
                // What may happen while the request is still on its way, and then it arrives.
                actions.push(Action::Wait(random.pick(&[Span::Seconds(30), Span::Minutes(4)])));
                if random.percent(60) {
                    actions.push(Action::Sync {
                        planning: Trouble::default(),
                        working: Trouble::default(),
                        works: true,
                    });
                }
                actions.push(Action::Arrive);
            }
        }
        let ending = counts(random, &plot, false);
        Self { plot, actions, ending }
    }
}

impl Action {
    fn cuts_a_write_off(&self) -> bool {
        let (Self::Sync { working: trouble, .. } | Self::Work { trouble, .. }) = self else { return false };
        matches!(&trouble.psa, Some((Entity::ContractServiceAdjustments, _, Fault::ResetBefore)))
    }
}

impl Plot {
    fn of(random: &mut Random) -> Self {
        let dates = [(6, EffectiveDate::PeriodStart), (3, EffectiveDate::Today), (2, EffectiveDate::NextPeriodStart)];
        Self {
            lines: 1 + usize::from(random.percent(35)),
            companies: 1 + usize::from(random.percent(25)),
            date: random.weighed(&dates),
            drift: random.weighed(&[(1, Drift::Hold), (1, Drift::Overwrite)]),
            approval: random.weighed(&[(8, Approval::None), (1, Approval::Always), (1, Approval::FirstRun)]),
            when_absent: random.pick(&[WhenAbsent::Keep, WhenAbsent::Zero, WhenAbsent::Hold]),
            sole: random.percent(30),
            approves_at_the_end: random.percent(50),
        }
    }
}

fn action(random: &mut Random, plot: &Plot) -> Action {
    match random.below(100) {
        0..=15 => push(random, plot, false),
        16..=19 => Action::Stall { which: which(random), nth: 1 + random.below(16) },
        20..=45 => Action::Sync { planning: seldom(random), working: trouble(random), works: random.percent(60) },
        46..=49 => Action::Ask,
        50..=53 => Action::Plan { which: which(random), trouble: trouble(random) },
        54..=65 => Action::Work { which: which(random), trouble: trouble(random) },
        66..=69 => Action::WorkTwice { which: which(random), trouble: seldom(random) },
        70..=74 => Action::Edit {
            line: random.below(plot.lines),
            day: random.weighed(&[
                (5, Day::Today),
                (3, Day::PeriodStart),
                (1, Day::NextPeriodStart),
                (1, Day::InFiveDays),
            ]),
            units: 30 + random.below(30) as i64,
        },
        75..=86 => Action::Wait(random.weighed(&[
            (3, Span::Seconds(30)),
            (4, Span::Minutes(4)),
            (3, Span::Minutes(7)),
            (5, Span::Minutes(20)),
            (2, Span::Minutes(7 * 60)),
            (2, Span::Days(1)),
            (1, Span::Days(10)),
            (2, Span::MonthEnd),
        ])),
        87..=88 => Action::Post { running: random.percent(50) },
        89..=92 => Action::Approve,
        93..=94 => Action::Reverse,
        95..=96 => Action::Resolve { number: random.below(4) },
        97 => Action::Arrive,
        _ => Action::GiveUp { job: random.percent(70) },
    }
}

/// What others do while a worker stands still.
fn meanwhile(random: &mut Random) -> Action {
    let trouble = Trouble::default;
    match random.below(4) {
        0 => Action::Resolve { number: 0 },
        1 => Action::Work { which: Which::Next, trouble: trouble() },
        _ => Action::Sync { planning: trouble(), working: trouble(), works: true },
    }
}

fn push(random: &mut Random, plot: &Plot, complete: bool) -> Action {
    let complete = complete || random.percent(65);
    let minutes_ago = if random.percent(15) { 20 } else { 0 };
    let with_gaps = !complete || random.percent(20);
    Action::Push { complete, counts: counts(random, plot, with_gaps), minutes_ago }
}

/// Around the units that lines have, with a leap now and then that the guards hold.
fn counts(random: &mut Random, plot: &Plot, with_gaps: bool) -> Counts {
    let mut counts = Counts::default();
    for company in counts.iter_mut().take(plot.companies) {
        for count in company.iter_mut().take(plot.lines) {
            let share = 1 + usize::from(plot.companies > 1);
            let near = (34 + random.below(14)) / share;
            let far = random.pick(&[0, 3, 20, 140]);
            let units = if random.percent(12) { far } else { near };
            *count = (!with_gaps || random.percent(50)).then_some(units as i64);
        }
    }
    counts
}

fn which(random: &mut Random) -> Which {
    let number = random.below(8);
    random.weighed(&[(4, Which::Next), (5, Which::Any(number)), (3, Which::Done(number))])
}

fn seldom(random: &mut Random) -> Trouble {
    if random.percent(25) { trouble(random) } else { Trouble::default() }
}

fn trouble(random: &mut Random) -> Trouble {
    match random.below(10) {
        0..=3 => Trouble { blow: Some((1 + random.below(20), Blow::Death)), psa: None },
        4..=5 => Trouble { blow: Some((1 + random.below(20), Blow::Failure)), psa: None },
        6..=8 => Trouble { blow: None, psa: Some(fault(random)) },
        _ => Trouble::default(),
    }
}

fn fault(random: &mut Random) -> (Entity, usize, Fault) {
    if random.percent(25) {
        let nth = 1 + random.below(2);
        let entity = random.weighed(&[(4, Entity::ContractServiceUnits), (1, Entity::Contracts)]);
        return (entity, nth, random.pick(&[Fault::ResetBefore, Fault::error_before()]));
    }
    let faults = [
        (10, Fault::ResetBefore),
        (6, Fault::ResetAfter),
        (3, Fault::error_before()),
        (3, Fault::error_after()),
        (2, Fault::unparsable_after()),
        (1, Fault::errors_with_200()),
        // It says that the change is made, and does not make it.
        (1, Fault::answer(200, r#"{"itemId":null}"#)),
        (1, Fault::too_many_requests(Some(30))),
    ];
    let nth = 1 + usize::from(random.percent(20));
    (Entity::ContractServiceAdjustments, nth, random.weighed(&faults))
}
