//! A flood of alerts at the whole of Tallyline in one process, with syncs before, amid and after it.
//!
//!     cargo run --profile quick -p alerts-burst -- --psa kaseya_bms
//!
//! The application is the one that `tallyline serve` runs, on a store on disk; the PSA is simulated; both are called over HTTP.
//! Figures are printed and nothing is asserted about time. What has to be right (each alert told once, in its order, each
//! sync's writes as they should be) is: the exit code says whether it was. The clock is the machine's, so that an hour's
//! number of tickets is soon used up and all that comes after it is told in digests.

mod billing;
mod client;
mod figures;
mod pour;
mod stage;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use integration::msp::alerts::flood::Flood;
use integration::msp::alerts::told::Told;
use simulators::{Autotask, KaseyaBms};
use tracing_subscriber::EnvFilter;

use billing::Billing;
use figures::{Figures, Times};
use pour::{Counter, pour};
use stage::{Stage, between_two_of_a_run};
use world::World;

/// The sync amid the flood is asked for when this part of it, one in so many, is sent.
const AMID: usize = 4;

/// What went wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A flood of alerts, measured.
#[derive(Parser, Clone, Debug)]
struct Arguments {
    /// The PSA that is simulated.
    #[arg(long, value_enum, default_value_t = Psa::Autotask)]
    psa: Psa,
    /// How many alerts.
    #[arg(long, default_value_t = 10_000)]
    alerts: usize,
    /// At how many companies.
    #[arg(long, default_value_t = 200)]
    companies: usize,
    /// How many send them in, side by side.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// `tickets_per_hour` of the ticket mapping: a world of its own for each.
    #[arg(long, value_delimiter = ',', default_values_t = [60, 1_000])]
    tickets_per_hour: Vec<u32>,
    /// How many milliseconds the PSA takes for each request.
    #[arg(long, default_value_t = 20)]
    psa_ms: u64,
    /// For how many minutes the end is waited for.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
#[value(rename_all = "snake_case")]
enum Psa {
    Autotask,
    KaseyaBms,
}

#[tokio::main]
async fn main() -> ExitCode {
    let quiet = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(quiet).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let mut fine = true;
    for tickets_per_hour in &arguments.tickets_per_hour {
        let measured = match arguments.psa {
            Psa::Autotask => measured::<Autotask>(&arguments, *tickets_per_hour).await,
            Psa::KaseyaBms => measured::<KaseyaBms>(&arguments, *tickets_per_hour).await,
        };
        match measured {
            Ok(figures) => {
                println!("{figures}");
                fine &= figures.wrong.is_empty();
            }
            Err(error) => {
                eprintln!("alerts-burst: {error}");
                fine = false;
            }
        }
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measured<P: Stage>(arguments: &Arguments, tickets_per_hour: u32) -> Result<Figures, Failure> {
    let world = World::<P>::start(arguments.companies, tickets_per_hour).await?;
    let flood = Flood::of(&world.companies(), arguments.alerts);
    world.psa.takes(Duration::from_millis(arguments.psa_ms));
    let alone = Billing::of(&world, 0).await?;
    world.psa.forget();
    let (began, sent) = (Instant::now(), Counter::default());
    let handling = async {
        let poured = pour(&world, &flood, arguments.clients, &sent).await?;
        let taken_in = began.elapsed();
        let patience = Duration::from_secs(arguments.minutes * 60);
        let left = world.handled(began + patience).await?;
        Ok::<_, Failure>((poured, taken_in, began.elapsed(), left))
    };
    let amid = async {
        sent.reaches(arguments.alerts / AMID).await;
        Billing::of(&world, 1).await
    };
    let (amid, (poured, taken_in, handled, left)) = tokio::try_join!(amid, handling)?;
    let asked = world.psa.asked();
    let after = Billing::of(&world, 2).await?;
    let told = Told::of(&flood, &world.psa.desk_tickets(), &world.alerts().await?, &world.accounts());
    let mut wrong = told.wrong.clone();
    wrong.extend([&alone, &amid, &after].into_iter().flat_map(|sync| sync.wrong.clone()));
    if left > 0 {
        wrong.push(format!("{left} messages wait after {} minutes", arguments.minutes));
    }
    wrong.extend(world.dead_letters().await?);
    Ok(Figures {
        psa: P::NAME,
        tickets_per_hour,
        alerts: flood.reports(),
        keys: flood.keys.len(),
        clients: arguments.clients,
        poured: Times::of(poured),
        taken_in,
        handled,
        interleaved: between_two_of_a_run(&asked, amid.from, amid.to),
        asked,
        told,
        syncs: [alone, amid, after],
        most_memory_kb: figures::most_memory_kb(),
        wrong,
    })
}
