//! Runs a simulated PSA, or a simulated vendor of which usage is read, on its own: for deploy tests and for trying a client by
//! hand.

use std::error::Error;
use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use simulators::autotask::{Autotask, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};
use simulators::clock::Clock;
use simulators::vendor::{Seed, Simulator, Vendor};
use simulators::{KaseyaBms, autotask, datto_rmm, dropsuite, huntress, jumpcloud, kaseya_bms, microsoft, pax8};

/// A simulated PSA or vendor with a made-up managed service provider in it.
#[derive(Parser)]
struct Arguments {
    /// Which PSA.
    #[arg(long, value_enum, default_value_t = Psa::Autotask)]
    psa: Psa,
    /// A vendor of which usage is read, in place of a PSA.
    #[arg(long, value_enum, conflicts_with = "psa")]
    source: Option<Source>,
    /// Where to listen. It has a control surface without credentials, so keep it on loopback.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// How many customer companies: the same ones at a vendor as in a PSA.
    #[arg(long, default_value_t = 25)]
    companies: usize,
    /// Another seed gives other units, counts and dates.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Psa {
    Autotask,
    KaseyaBms,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Source {
    Huntress,
    Jumpcloud,
    Dropsuite,
    Microsoft,
    Pax8,
    DattoRmm,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    match (arguments.source, arguments.psa) {
        (Some(Source::Huntress), _) => run_source::<huntress::Api>(arguments).await,
        (Some(Source::Jumpcloud), _) => run_source::<jumpcloud::Api>(arguments).await,
        (Some(Source::Dropsuite), _) => run_source::<dropsuite::Api>(arguments).await,
        (Some(Source::Microsoft), _) => run_source::<microsoft::Api>(arguments).await,
        (Some(Source::Pax8), _) => run_source::<pax8::Api>(arguments).await,
        (Some(Source::DattoRmm), _) => run_source::<datto_rmm::Api>(arguments).await,
        (None, Psa::Autotask) => run_autotask(arguments).await,
        (None, Psa::KaseyaBms) => run_kaseya_bms(arguments).await,
    }
}

async fn run_source<V: Vendor>(Arguments { listen, companies, seed, .. }: Arguments) -> Result<(), Box<dyn Error>> {
    let clock = Clock::system();
    let customers = Seed { companies, seed, now: clock.now() }.build::<V>();
    let source = Simulator::<V>::setup(customers).clock(clock).listen(listen).start().await?;
    println!("{}={}", V::NAME, source.base());
    for (name, value) in V::SAMPLE {
        println!("{name}={value}");
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}

async fn run_autotask(Arguments { listen, companies, seed, .. }: Arguments) -> Result<(), Box<dyn Error>> {
    let clock = Clock::system();
    let (world, _) = autotask::seed::Provider { companies, seed, today: clock.today() }.build()?;
    let autotask = Autotask::setup(world).clock(clock).listen(listen).start().await?;
    println!("autotask={}", autotask.base());
    println!("username={SAMPLE_USERNAME}");
    println!("secret={SAMPLE_SECRET}");
    println!("integration_code={SAMPLE_INTEGRATION_CODE}");
    tokio::signal::ctrl_c().await?;
    autotask.stop();
    Ok(())
}

async fn run_kaseya_bms(Arguments { listen, companies, seed, .. }: Arguments) -> Result<(), Box<dyn Error>> {
    let clock = Clock::system();
    let (world, _) = kaseya_bms::seed::Provider { companies, seed, today: clock.today() }.build()?;
    let bms = KaseyaBms::setup(world).clock(clock).listen(listen).start().await?;
    println!("kaseya_bms={}", bms.base());
    println!("hostname={}", kaseya_bms::SAMPLE_HOSTNAME);
    println!("username={}", kaseya_bms::SAMPLE_USERNAME);
    println!("password={}", kaseya_bms::SAMPLE_PASSWORD);
    println!("company_name={}", bms.company_name());
    println!("totp_secret={}", kaseya_bms::SAMPLE_TOTP_SECRET);
    // An API Employee logs in without a one-time code, with the same password.
    println!("api_username={}", kaseya_bms::SAMPLE_API_USERNAME);
    tokio::signal::ctrl_c().await?;
    bms.stop();
    Ok(())
}
