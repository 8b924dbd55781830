//! What the demo needs of a simulated PSA: somewhere to call it, credentials that it takes, and a made-up MSP's customers in it.
//!
//! Each PSA has a file here, which builds its world and says what is particular about it. Nothing else in the demo knows one PSA
//! from another. A new PSA is a file and a line in [`start`].

pub(super) mod autotask;
pub(super) mod kaseya_bms;

use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use shared::clock::Clock;
use shared::domain::line::LineResult;
use shared::psa::Psa;

use super::customers::{Customer, FEWEST};
use crate::cli::Failure;

/// A simulated PSA that is running.
pub(super) trait Simulated: Send + Sync {
    /// Which one.
    fn psa(&self) -> Psa;
    /// Its name, as people call it.
    fn name(&self) -> &'static str;
    /// `http://127.0.0.1:PORT`.
    fn base(&self) -> String;
    /// What connects it.
    fn credentials(&self) -> Value;
    /// Whether its API shows how many units a line has. Where not, mappings state them.
    fn shows_units(&self) -> bool;
    /// What somebody does in its web pages: the contract's last day is `day`.
    fn end_contract(&self, contract: i64, day: Date) -> Result<(), Failure>;
    /// Changes of units that it made, by its own count.
    fn written(&self) -> usize;
    /// What the first sync found out about it, in words.
    fn found_out(&self) -> Option<String>;
    /// What somebody who sees these results for the first time should be told about them.
    fn about(&self, lines: &[LineResult]) -> Vec<String>;
}

/// A simulated PSA and who is in it.
pub(super) struct Stage {
    pub psa: Box<dyn Simulated>,
    pub customers: Vec<Customer>,
    /// The names of the catalogue's services, in the order of the products.
    pub services: Vec<&'static str>,
}

/// Starts `psa` with those of the MSP's customers whose numbers are named.
async fn start(psa: Psa, numbers: Range<usize>, clock: &Arc<dyn Clock>) -> Result<Stage, Failure> {
    let today = clock.now().to_zoned(TimeZone::UTC).date();
    let time = Arc::clone(clock);
    let clock = simulators::Clock::from_fn(move || time.now());
    match psa {
        Psa::Autotask => autotask::start(numbers, today, clock).await,
        Psa::KaseyaBms => kaseya_bms::start(numbers, today, clock).await,
    }
}

/// The most customers that a demo maps and syncs in one hour's requests of the PSA.
fn most(psa: Psa) -> usize {
    match psa {
        Psa::Autotask => usize::MAX,
        Psa::KaseyaBms => kaseya_bms::MOST,
    }
}

/// Starts each of `psas`: the first with `companies` customers, at least [`FEWEST`], every other one with a quarter as many
/// beside them. So the first one's are the same whether it is alone or not.
///
/// # Errors
/// A simulator does not start, or its PSA does not allow enough requests an hour for the first one's customers.
pub(super) async fn start_all(psas: &[Psa], companies: usize, clock: &Arc<dyn Clock>) -> Result<Vec<Stage>, Failure> {
    let mut stages: Vec<Stage> = Vec::with_capacity(psas.len());
    let (mut from, mut size) = (0, companies.max(FEWEST));
    for psa in psas {
        let most = most(*psa);
        if stages.is_empty() && size > most {
            let name = psa.as_str();
            return Err(format!(
                "{name} does not allow enough requests an hour to map and sync {size} companies at once; choose \
                 --companies {most} or fewer"
            )
            .into());
        }
        size = size.min(most);
        stages.push(start(*psa, from..from + size, clock).await?);
        (from, size) = (from + size, (companies / 4).max(FEWEST));
    }
    Ok(stages)
}
