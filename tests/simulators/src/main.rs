//! Runs a simulated PSA on its own, for deploy tests and for trying a client by hand.

use std::error::Error;
use std::net::SocketAddr;

use clap::Parser;
use simulators::autotask::seed::Provider;
use simulators::autotask::{Autotask, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};
use simulators::clock::Clock;

/// A simulated Autotask PSA with a made-up managed service provider in it.
#[derive(Parser)]
struct Arguments {
    /// Where to listen. It has a control surface without credentials, so keep it on loopback.
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// How many customer companies.
    #[arg(long, default_value_t = 25)]
    companies: usize,
    /// Another seed gives other units and dates.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { listen, companies, seed } = Arguments::parse();
    let clock = Clock::system();
    let (world, _) = Provider { companies, seed, today: clock.today() }.build()?;
    let autotask = Autotask::setup(world).clock(clock).listen(listen).start().await?;
    println!("autotask={}", autotask.base());
    println!("username={SAMPLE_USERNAME}");
    println!("secret={SAMPLE_SECRET}");
    println!("integration_code={SAMPLE_INTEGRATION_CODE}");
    tokio::signal::ctrl_c().await?;
    autotask.stop();
    Ok(())
}
