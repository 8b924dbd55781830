//! How long the console's pages take, and how heavy they are, with thousands of companies.
//!
//!     cargo run --profile quick -p console-pages -- --companies 2000
//!
//! The application is the one that `tallyline serve` runs, on a store on disk, with a simulated Autotask behind it; pages are
//! asked for over HTTP by somebody who signed in with a link. Times are printed and nothing is asserted about them. The exit
//! code says whether every page was there.

mod client;
mod pages;
mod world;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use pages::Pages;
use world::World;

/// What went wrong.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The console's pages, measured.
#[derive(Parser, Clone, Debug)]
struct Arguments {
    /// How many customer companies, each with a line of three products.
    #[arg(long, default_value_t = 2_000)]
    companies: usize,
    /// Of how many days there are counts.
    #[arg(long, default_value_t = 10)]
    days: i64,
    /// How often each page is asked for.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let quiet = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(quiet).with_writer(std::io::stderr).init();
    match measured(&Arguments::parse()).await {
        Ok(pages) => {
            println!("{pages}");
            if pages.are_all_there() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("console-pages: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measured(arguments: &Arguments) -> Result<Pages, Failure> {
    let world = World::start(arguments.companies, arguments.days).await?;
    let places = world.places().await?;
    Pages::of(&world.visitor().await?, &places, arguments).await
}
