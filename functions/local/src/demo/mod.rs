//! `tallyline demo`: a whole sync that can be watched, against simulated PSAs, over the real HTTP API.
//!
//! Owns the service, its port and the order of events. `customers` makes the MSP up, `stages` has the simulated PSAs, `vendor` the
//! simulated vendor of whom usage may be pulled, `story` plays the client's part, `table`, `summary` and `report` show what came of it. Nothing in here is a short cut: what the demo
//! does, a client can do.

mod client;
mod customers;
mod huntress;
mod report;
mod stages;
mod story;
mod summary;
mod table;
mod terminal;
mod vendor;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use shared::clock::Clock;
use shared::psa::Psa;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::app::{App, AppOptions, Place};
use crate::cli::{CONSOLE, Failure, not_listening};
use crate::serve::{serve, stop_signal};
use crate::tokens::Subject;
use story::{Played, Story};
use terminal::Terminal;
pub use vendor::Source;
use vendor::Vendor;

/// How the demo is to run.
#[derive(Clone)]
pub struct Options {
    /// End after the second sync.
    pub exit: bool,
    /// One JSON object on stdout and nothing else.
    pub json: bool,
    /// The PSAs that the MSP has, in the order in which they are shown.
    pub psas: Vec<Psa>,
    /// Whose API the usage is pulled from; it is pushed where there is none.
    pub source: Option<Source>,
    /// Customer companies in the first of them, at least 12. Every other one has a quarter as many besides.
    pub companies: usize,
    /// Port of the service; 0 takes a free one.
    pub port: u16,
    /// Tells the time, to the service and to the simulators.
    pub clock: Arc<dyn Clock>,
}

/// Plays the demo, shows it, and unless it is to end goes on serving until Ctrl-C. Answers with 0 when the second sync wrote
/// nothing and no line's outcome is unknown, in every connection.
///
/// # Errors
/// Something did not start, or the service refused what the demo relies on.
pub async fn run(options: Options) -> Result<ExitCode, Failure> {
    let terminal = Terminal::new(options.json);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(|error| not_listening(address, &error))?;
    let base = format!("http://{}", listener.local_addr()?);

    let stages = stages::start_all(&options.psas, options.companies, &options.clock).await?;
    let mut place = AppOptions::at(Place::Memory).clock(Arc::clone(&options.clock));
    for stage in &stages {
        place = place.psa(stage.psa.psa(), stage.psa.base().parse()?);
    }
    let customers = stages.iter().flat_map(|stage| &stage.customers);
    let vendor = match options.source {
        Some(source) => Some(Vendor::start(source, customers, &options.clock).await?),
        None => None,
    };
    if let Some(vendor) = &vendor {
        place = place.source(shared::sources::Vendor::Huntress, vendor.base().parse()?);
    }
    let app = App::open(place).await?;

    let (stop, stopped) = oneshot::channel::<()>();
    let serving = serve(&app, listener, async {
        // A sender that is gone is a stop as well.
        stopped.await.ok();
    });
    let playing = async {
        // Dropped at the end, however this ends: then the service stops.
        let _stop = stop;
        let clock = options.clock.as_ref();
        let story = Story { app: &app, stages: &stages, vendor: vendor.as_ref(), base: &base, clock };
        let played = tokio::select! {
            played = story.play(&terminal) => played?,
            () = stop_signal() => return Ok(ExitCode::FAILURE),
        };
        show(&options, &terminal, &played)?;
        if options.exit {
            summary::how_to_go_on(&terminal, &played);
        } else {
            let link = app.tokens().link(&Subject::default(), &story::PARTNER.parse()?, &CONSOLE)?;
            summary::how_to_look_further(&terminal, &base, &link, &played);
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
        writeln!(std::io::stdout(), "{}", report::json(played)?)?;
    } else {
        for part in &played.parts {
            table::print(terminal, part.name, &part.lines);
            summary::of_part(terminal, part);
        }
        summary::print(terminal, played);
    }
    Ok(())
}
