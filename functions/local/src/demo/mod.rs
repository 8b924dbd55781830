//! `tallyline demo`: a whole sync that can be watched, against a simulated Autotask, over the real HTTP API.
//!
//! Owns the stage (simulator, service, port) and the order of events. `world` makes the MSP up, `story` plays the client's
//! part, `table` and `summary` show what came of it. Nothing in here is a short cut: what the demo does, a client can do.

mod client;
mod huntress;
mod story;
mod summary;
mod table;
mod terminal;
mod world;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::tz::TimeZone;
use shared::clock::Clock;
use shared::psa::Psa;
use simulators::autotask::Autotask;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::{App, AppOptions, Place};
use crate::cli::{Failure, not_listening};
use crate::serve::{serve, stop_signal};
use story::{Played, Story};
use terminal::Terminal;

/// How the demo is to run.
#[derive(Clone)]
pub struct Options {
    /// End after the second sync.
    pub exit: bool,
    /// One JSON object on stdout and nothing else.
    pub json: bool,
    /// Customer companies.
    pub companies: usize,
    /// Port of the service; 0 takes a free one.
    pub port: u16,
    /// Tells the time, to the service and to the simulator.
    pub clock: Arc<dyn Clock>,
}

/// Plays the demo, shows it, and unless it is to end goes on serving until Ctrl-C. Answers with 0 when the second sync wrote
/// nothing and no line's outcome is unknown.
///
/// # Errors
/// Something did not start, or the service refused what the demo relies on.
pub async fn run(options: Options) -> Result<ExitCode, Failure> {
    let terminal = Terminal::new(options.json);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(|error| not_listening(address, &error))?;
    let base = format!("http://{}", listener.local_addr()?);

    let today = options.clock.now().to_zoned(TimeZone::UTC).date();
    let made = world::made_up(options.companies, today)?;
    let time = Arc::clone(&options.clock);
    let psa = Autotask::setup(made.world.clone()).clock(simulators::Clock::from_fn(move || time.now())).start().await?;
    let place = AppOptions::at(Place::Memory).clock(Arc::clone(&options.clock));
    let app = App::open(place.psa(Psa::Autotask, psa.base().parse()?)).await?;

    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve(&app, listener, async {
        // A sender that is gone is a stop as well.
        stopped.await.ok();
    });
    let playing = async {
        // Dropped at the end, however this ends: then the service stops.
        let _stop = stop;
        let story = Story { app: &app, psa: &psa, made: &made, base: &base, clock: options.clock.as_ref() };
        let played = tokio::select! {
            played = story.play(&terminal) => played?,
            () = stop_signal() => return Ok(ExitCode::FAILURE),
        };
        show(&options, &terminal, &played)?;
        if !options.exit {
            summary::how_to_look_further(&terminal, &base, &played);
            stop_signal().await;
        }
        Ok(if played.is_fine() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    };
    let (served, ended) = tokio::join!(serving, playing);
    served?;
    ended
}

fn show(options: &Options, terminal: &Terminal, played: &Played) -> Result<(), Failure> {
    if options.json {
        writeln!(std::io::stdout(), "{}", summary::json(played)?)?;
    } else {
        table::print(terminal, &played.lines);
        summary::print(terminal, played);
    }
    Ok(())
}
