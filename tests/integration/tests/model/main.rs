//! Stories of partners, each made from a number: usage that comes and goes, runs, crashes, messages that come
//! twice and out of order, answers that are lost, people who edit. A model follows each and says after every step what must
//! hold. See `watch` for what that is, `expect` for what may be written, `end` for how each story must end.
//!
//! `TALLYLINE_MODEL_SEQUENCES` sets how many, `TALLYLINE_MODEL_SEED` the seed they are made from, and
//! `TALLYLINE_MODEL_STORY` plays a single one by its number.

mod book;
mod deliver;
mod end;
mod expect;
mod fate;
mod play;
mod random;
mod scene;
mod story;
mod totals;
mod troupe;
mod watch;
mod wire;
mod world;

/// Stories that are played where nobody says otherwise: what an unoptimised build gets through in a minute. CI plays 10,000.
const SEQUENCES: u64 = 200;
/// The seed where nobody says otherwise: the same stories each time.
const SEED: u64 = 20_261_121;

#[test]
fn nothing_that_happens_writes_twice_loses_a_change_or_lowers_a_line_without_cause() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let seed = number("TALLYLINE_MODEL_SEED").unwrap_or(SEED);
    let sequences = number("TALLYLINE_MODEL_SEQUENCES").unwrap_or(SEQUENCES);
    let numbers = match number("TALLYLINE_MODEL_STORY") {
        Some(one) => one..one + 1,
        None => 0..sequences,
    };
    let played = troupe::play(seed, numbers.clone());
    println!("seed {seed}: {} sequences: {}", numbers.end - numbers.start, played.totals);
    if let Some(failure) = played.failure {
        panic!("{failure}");
    }
    if sequences >= 1_000 && numbers.end - numbers.start == sequences {
        for what in
            ["crashes", "duplicates", "stalled workers", "lost answers", "late arrivals", "manual edits", "writes"]
        {
            assert!(played.totals.of(what) > sequences / 100, "hardly any {what} in {sequences} sequences");
        }
    }
}
