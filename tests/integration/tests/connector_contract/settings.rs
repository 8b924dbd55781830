//! Under which settings a simulator is asked: the default, and each switch turned alone, in a reading of its PSA.
//!
//! Which switches there are, and which words each takes, is read from the switches themselves, so that a new one without a
//! setting fails here.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use simulators::autotask::Autotask;
use simulators::kaseya_bms::KaseyaBms;

use crate::bench::Bench;
use crate::office::{House, Office};
use crate::world::World;

/// What the setting is called in which nothing is turned.
const PLAIN: &str = "as it is";

/// Which reading of a PSA a test is about (none: all of them in turn), and the test's own name.
#[derive(Clone, Copy)]
pub struct Reading {
    pub name: &'static str,
    pub test: &'static str,
    pub number: Option<usize>,
}

/// How a simulator is set.
#[derive(Clone)]
pub struct Setting<P: Bench> {
    pub switches: P::Switches,
    /// It is the reading itself, with nothing else turned.
    pub plain: bool,
    /// What is turned may make a difference to a write, or to what is told of lines.
    pub matters: bool,
    /// Tells the partners of one store apart.
    pub number: usize,
}

/// Runs `check` against a simulator of `world` under every setting of a reading, one after another. It answers how many
/// cases it has tried.
///
/// # Panics
/// When one of them does, with the names of the settings under which it did.
pub async fn everywhere<P, F>(of: Reading, world: World, check: impl Fn(Office<P>) -> F)
where
    P: Bench,
    F: Future<Output = usize> + Send + 'static,
{
    let house = House::open(&world, None).await;
    under(of, settings_of::<P>(of), |setting| check(house.office(setting))).await;
}

/// As [`everywhere`], where each setting needs a process that knows of nothing yet.
pub async fn everywhere_anew<P, F>(of: Reading, world: World, check: impl Fn(Office<P>) -> F)
where
    P: Bench,
    F: Future<Output = usize> + Send + 'static,
{
    let mut houses = std::collections::HashMap::new();
    let settings = settings_of::<P>(of);
    for (_, setting) in &settings {
        houses.insert(setting.number, House::open_as(&world, None, &setting.switches).await);
    }
    under(of, settings, |setting| check(houses[&setting.number].office(setting))).await;
}

/// As [`everywhere`], under the reading alone.
pub async fn plainly<P, F>(of: Reading, world: World, patience: Option<Duration>, check: impl Fn(Office<P>) -> F)
where
    P: Bench,
    F: Future<Output = usize> + Send + 'static,
{
    let house = House::open(&world, patience).await;
    let plain = settings_of::<P>(of).into_iter().filter(|(_, setting)| setting.plain).take(1).collect();
    under(of, plain, |setting| check(house.office(setting))).await;
}

/// Runs `check` under each of `settings`.
pub async fn under<P, F>(of: Reading, settings: Vec<(String, Setting<P>)>, check: impl Fn(Setting<P>) -> F)
where
    P: Bench,
    F: Future<Output = usize> + Send + 'static,
{
    let count = settings.len();
    let (mut cases, mut failures) = (0, vec![]);
    for (name, setting) in settings {
        match tokio::spawn(check(setting)).await {
            Ok(tried) => cases += tried,
            Err(error) => {
                let said = error.into_panic();
                let text = said.downcast_ref::<String>().cloned();
                let text = text.or_else(|| said.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                failures.push(format!("[{name}] {}", text.unwrap_or_default()));
            }
        }
    }
    println!("{} {}: {count} settings, {cases} cases", of.name, of.test);
    assert!(failures.is_empty(), "under {} of {count} settings:\n{}", failures.len(), failures.join("\n\n"));
}

/// Every setting of a reading, with a number each.
pub fn settings_of<P: Bench>(of: Reading) -> Vec<(String, Setting<P>)> {
    static NUMBERS: AtomicI64 = AtomicI64::new(0);
    let all = match of.number {
        Some(reading) => all::<P>(reading),
        None => all::<P>(0)
            .into_iter()
            .chain((1..P::readings().len()).flat_map(|other| all::<P>(other).into_iter().take(1)))
            .collect(),
    };
    let numbered = |(name, switches): (String, P::Switches)| {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed).try_into().expect("a number");
        let switch = name.split(':').next().unwrap_or_default();
        let (plain, matters) = (name == PLAIN, !P::READ_ALONE.contains(&switch));
        (name, Setting { switches, plain, matters, number })
    };
    all.into_iter().map(numbered).collect()
}

/// The settings of a reading: the reading itself, and each switch turned alone.
pub fn all<P: Bench>(reading: usize) -> Vec<(String, P::Switches)> {
    let reading = &P::readings()[reading];
    let turned = P::alternatives().into_iter().flat_map(|(switch, others)| {
        others.into_iter().map(move |other| (format!("{switch}: {other}"), json!({ switch: other })))
    });
    std::iter::once((PLAIN.to_owned(), json!({})))
        .chain(turned)
        .map(|(name, change)| (name, set::<P>([reading, &change])))
        .collect()
}

fn set<P: Bench>(changes: [&Value; 2]) -> P::Switches {
    let mut all = object(&P::Switches::default());
    for change in changes {
        all.extend(change.as_object().expect("an object").clone());
    }
    serde_json::from_value(Value::Object(all)).expect("switches")
}

fn object(switches: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(switches) {
        Ok(Value::Object(object)) => object,
        other => panic!("switches are an object, not {other:?}"),
    }
}

/// The words that a switch takes, where it takes words: its own complaint about another one names them.
fn words<P: Bench>(switch: &str) -> BTreeSet<String> {
    let complaint = serde_json::from_value::<P::Switches>(json!({ switch: "no such word" })).err();
    let complaint = complaint.map(|error| error.to_string()).filter(|text| text.contains("variant"));
    let names = complaint.as_deref().and_then(|text| text.split_once("expected")).map_or("", |(_, names)| names);
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn word(value: &Value) -> Option<String> {
    let of_object = || value.as_object()?.keys().next().cloned();
    value.as_str().map(str::to_owned).or_else(of_object)
}

fn every_switch_is_turned<P: Bench>() {
    let default = object(&P::Switches::default());
    let alternatives = P::alternatives();
    let named: BTreeSet<&str> = alternatives.iter().map(|(switch, _)| *switch).collect();
    let there: BTreeSet<&str> = default.keys().map(String::as_str).collect();
    assert_eq!(named, there, "each switch of {} has its other settings", P::NAME);
    assert!(P::READ_ALONE.iter().all(|switch| there.contains(switch)), "only switches read alone");
    let readings = P::readings();
    for (switch, others) in &alternatives {
        let in_readings = readings.iter().filter_map(|reading| reading.get(*switch));
        let tried: Vec<&Value> = std::iter::once(&default[*switch]).chain(in_readings).chain(others).collect();
        assert!(tried.len() > 1, "{switch} is turned");
        for (place, value) in tried.iter().enumerate() {
            assert!(!tried[..place].contains(value), "{switch}: {value} is another setting");
        }
        let tried: BTreeSet<String> = tried.into_iter().filter_map(word).collect();
        let missing: Vec<_> = words::<P>(switch).into_iter().filter(|word| !tried.contains(word)).collect();
        assert!(missing.is_empty(), "{switch} also takes {missing:?}");
    }
    let counts: Vec<usize> = (0..readings.len()).map(|reading| all::<P>(reading).len()).collect();
    println!("{}: {} switches, settings in each reading: {counts:?}", P::NAME, default.len());
}

#[test]
fn every_switch_of_autotask_is_turned() {
    every_switch_is_turned::<Autotask>();
    assert_eq!(words::<Autotask>("split_end"), ["day_before".to_owned(), "same_day".to_owned()].into());
}

#[test]
fn every_switch_of_kaseya_bms_is_turned() {
    every_switch_is_turned::<KaseyaBms>();
}
