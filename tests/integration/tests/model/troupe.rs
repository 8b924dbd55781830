//! Plays many stories on all processors, each processor in worlds of its own; and makes a story that fails shorter.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::play::Play;
use super::random::Random;
use super::story::{Action, Story};
use super::totals::Totals;
use super::watch::Verdict;
use super::world::World;

/// Stories that share a world before it is thrown away.
const STORIES_A_WORLD: i64 = 40;
/// How often a shorter story is tried.
const SHORTER: usize = 60;

/// What playing came to.
#[derive(Default)]
pub struct Played {
    pub totals: Totals,
    /// The first story that failed, as text.
    pub failure: Option<String>,
}

/// Plays the stories of `numbers`.
pub fn play(seed: u64, numbers: Range<u64>) -> Played {
    let next = AtomicU64::new(numbers.start);
    let failed = AtomicBool::new(false);
    let played = Mutex::new(Played::default());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while next.load(Ordering::SeqCst) < numbers.end && !failed.load(Ordering::SeqCst) {
                    let (totals, failure) = on_this_thread(one_world(seed, &next, numbers.end));
                    let mut played = played.lock().expect("no thread panicked in here");
                    played.totals.merge(&totals);
                    if let Some(failure) = failure {
                        failed.store(true, Ordering::SeqCst);
                        played.failure.get_or_insert(failure);
                    }
                }
            });
        }
    });
    played.into_inner().expect("no thread panicked in here")
}

fn on_this_thread<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

async fn one_world(seed: u64, next: &AtomicU64, end: u64) -> (Totals, Option<String>) {
    let world = World::start(STORIES_A_WORLD).await;
    let mut totals = Totals::default();
    for place in 0..STORIES_A_WORLD {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= end {
            break;
        }
        let story = Story::of(&mut Random::of(seed, number));
        let _teller = Teller(seed, number);
        let (of_story, verdict) = perform(&world, place, story.clone()).await;
        totals.merge(&of_story);
        if let Err(why) = verdict {
            return (totals, Some(tell(seed, number, &why, shorten(story).await)));
        }
    }
    (totals, None)
}

/// Says which story it was that panicked.
struct Teller(u64, u64);

impl Drop for Teller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was story {} of seed {}", self.1, self.0);
        }
    }
}

async fn perform(world: &World, place: i64, story: Story) -> (Totals, Verdict) {
    let mut play = Play::new(world, place, story).await;
    let verdict = match play.act().await {
        Ok(()) => play.end().await,
        Err(why) => Err(why),
    };
    (play.totals, verdict)
}

/// Leaves out one action after the other for as long as it still fails.
async fn shorten(mut story: Story) -> (Story, String) {
    let mut why = "it did not fail again".to_owned();
    let mut place = story.actions.len();
    for _ in 0..SHORTER {
        let Some(earlier) = place.checked_sub(1) else { break };
        place = earlier;
        let mut shorter = story.clone();
        shorter.actions.remove(place);
        let world = World::start(1).await;
        if let (_, Err(still)) = perform(&world, 0, shorter.clone()).await {
            (story, why) = (shorter, still);
        }
    }
    (story, why)
}

fn tell(seed: u64, number: u64, why: &str, (story, still): (Story, String)) -> String {
    let actions: Vec<String> = story.actions.iter().map(|action: &Action| format!("  {action:?}")).collect();
    format!(
        "story {number} of seed {seed} failed: {why}\nmade shorter, it fails with: {still}\n{:?}\n{}\n  at the end {:?}",
        story.plot,
        actions.join("\n"),
        story.ending
    )
}
