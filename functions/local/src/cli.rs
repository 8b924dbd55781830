//! The command line: `demo`, `serve`, `token` and `link`.
//!
//! Owns the arguments, their help texts and what of the program's output goes where: results to stdout, everything else to
//! stderr. Wrong arguments end with 2, whatever else fails with 1 and one sentence.

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgGroup, Args, Parser, Subcommand};
use jiff::SignedDuration;
use shared::api::auth::Scope;
use shared::clock::SystemClock;
use shared::domain::ids::PartnerId;
use shared::psa::Psa;
use shared::sources::Vendor;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::app::{App, AppOptions, Place};
use crate::data_folder;
use crate::demo;
use crate::serve::{serve, stop_signal};
use crate::tokens::{Subject, Tokens};

/// What is allowed to whoever signs in to the console.
pub(crate) const CONSOLE: [Scope; 3] = [Scope::Read, Scope::Write, Scope::Usage];

/// Any error, told in one sentence.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Bills the usage of a vendor's products through the recurring contracts of an MSP's PSA.
#[derive(Debug, Parser)]
#[command(name = "tallyline", version, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a whole sync against simulated PSAs: connect, map, preview, sync, sync again.
    ///
    /// Nothing leaves this machine and nothing is kept. Without --exit the service goes on, so that you can look around.
    Demo(DemoArguments),
    /// Run the service on this machine.
    ///
    /// Keeps everything in one data folder, ticks every 15 minutes and works on syncs. Ends on Ctrl-C or SIGTERM, and goes
    /// on where it was at the next start.
    Serve(ServeArguments),
    /// Print a bearer token for the service on this machine.
    ///
    /// It is signed with the key in the data folder, so only a service on the same folder takes it.
    Token(TokenArguments),
    /// Print a link that signs in to the console of the service on this machine.
    ///
    /// It opens once, within a quarter of an hour, in the browser of whoever has it.
    Link(LinkArguments),
}

#[derive(Debug, Args)]
struct DemoArguments {
    /// End after the second sync: with 0 if it wrote nothing and no line's outcome is unknown, otherwise with 1.
    #[arg(long)]
    exit: bool,
    /// Print one JSON object instead of the story and the table.
    #[arg(long)]
    json: bool,
    /// The PSA that the made-up MSP has: autotask or kaseya_bms; both if left out.
    #[arg(long, value_name = "PSA", value_parser = psa)]
    psa: Option<Psa>,
    /// Pull the usage from the API of a simulated vendor instead of pushing it: huntress.
    #[arg(long, value_name = "SOURCE", value_enum, hide_possible_values = true)]
    source: Option<demo::Source>,
    /// How many customer companies it has there, from 12 (one for each kind of result) to 1000, or 200 in Kaseya BMS. With
    /// both PSAs these are Autotask's, and Kaseya BMS has a quarter as many besides, 200 at most.
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u16).range(12..=1000))]
    companies: u16,
    /// Port of the service; a free one if left out.
    #[arg(long, value_name = "P", default_value_t = 0)]
    port: u16,
}

#[derive(Debug, Args)]
struct ServeArguments {
    /// The data folder. It is made if there is none, and belongs to one process at a time.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    port: u16,
    /// Address to listen on. The service speaks plain HTTP: put a proxy with TLS in front of anything but loopback.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Call a PSA at another address, for a simulator: autotask=http://127.0.0.1:9100
    #[arg(long, value_name = "PSA=URL", value_parser = psa_base)]
    psa_base: Vec<(Psa, Url)>,
    /// Call a usage source at another address, for a simulator: huntress=http://127.0.0.1:9300
    #[arg(long, value_name = "SOURCE=URL", value_parser = source_base)]
    source_base: Vec<(Vendor, Url)>,
    /// Let users name hosts of PSAs and usage sources below these domains, too, separated by commas. Everything below them gets the credentials of
    /// whoever names it.
    #[arg(long, value_name = "DOMAINS", default_value = "")]
    allowed_hosts: String,
    /// Let webhooks lie below this address, too, for a receiver on this machine: http://127.0.0.1:9400
    ///
    /// Whoever may make webhooks can then have requests sent there.
    #[arg(long, value_name = "URL", value_parser = http_address)]
    allow_webhook_base: Option<Url>,
    /// Seconds after which a write that was not answered, and is not seen in the PSA, counts as not made.
    ///
    /// Autotask works on a request for up to five minutes: less than 300 is for simulators.
    #[arg(long, value_name = "N", default_value_t = 360)]
    settle_seconds: u32,
    /// The partner whose console is opened by the link that is printed at the start.
    #[arg(long, value_name = "P", default_value = "my-msp")]
    partner: PartnerId,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("for_whom").args(["partner", "vendor"]).required(true))]
struct TokenArguments {
    /// The data folder of the service.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// The partner that the token speaks for.
    #[arg(long, value_name = "P")]
    partner: Option<PartnerId>,
    /// The vendor's own token: it names the partner of each request in the header Tallyline-Partner.
    #[arg(long)]
    vendor: bool,
    /// The person or program that holds it: the history names them as who did what.
    #[arg(long, value_name = "NAME")]
    subject: Option<Subject>,
    /// What the token allows: tallyline/read, tallyline/write, tallyline/usage. May be given more than once.
    #[arg(long, value_name = "SCOPE", required = true, num_args = 1.., value_parser = scope)]
    scope: Vec<Scope>,
    /// How long it is valid.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=8760))]
    hours: u32,
}

#[derive(Debug, Args)]
struct LinkArguments {
    /// The data folder of the service.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// The partner whose console it opens.
    #[arg(long, value_name = "P")]
    partner: PartnerId,
    /// The person who gets it: the history names them as who did what.
    #[arg(long, value_name = "NAME")]
    subject: Option<Subject>,
    /// Let them look and change nothing.
    #[arg(long)]
    read_only: bool,
    /// Where the service is.
    #[arg(long, value_name = "URL", value_parser = http_address, default_value = "http://127.0.0.1:8787")]
    base: Url,
}

/// A PSA and where to call it.
fn psa_base(text: &str) -> Result<(Psa, Url), String> {
    let (psa, url) = text.split_once('=').ok_or("write it as PSA=URL, such as autotask=http://127.0.0.1:9100")?;
    let url = http_address(url)?;
    Ok((self::psa(psa)?, url))
}

/// A usage source and where to call it.
fn source_base(text: &str) -> Result<(Vendor, Url), String> {
    let (source, url) = text.split_once('=').ok_or("write it as SOURCE=URL, such as huntress=http://127.0.0.1:9300")?;
    let url = http_address(url)?;
    Ok((self::source(source)?, url))
}

fn http_address(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{text} is no address: {error}"))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err(format!("{url} is no http address"));
    }
    Ok(url)
}

/// A PSA by its name.
fn psa(name: &str) -> Result<Psa, String> {
    let known: Vec<&str> = Psa::ALL.iter().map(|psa| psa.as_str()).collect();
    let unknown = || format!("{name} is no PSA that Tallyline knows; it knows {}", known.join(" and "));
    Psa::named(name).ok_or_else(unknown)
}

/// A usage source by its name.
fn source(name: &str) -> Result<Vendor, String> {
    let known: Vec<&str> = Vendor::ALL.iter().map(|vendor| vendor.as_str()).collect();
    let unknown = || format!("{name} is no usage source that Tallyline knows; it knows {}", known.join(", "));
    Vendor::named(name).ok_or_else(unknown)
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = [Scope::Read, Scope::Write, Scope::Usage];
    known.into_iter().find(|scope| scope.as_str() == text || scope.as_str().ends_with(&format!("/{text}"))).ok_or_else(
        || {
            let hint = if text.ends_with("vendor") { "; --vendor makes a vendor's token" } else { "" };
            format!("it is one of tallyline/read, tallyline/write, tallyline/usage{hint}")
        },
    )
}

/// Does what the command line says. Answers with the program's exit code.
///
/// # Errors
/// Whatever keeps it from being done.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Demo(arguments) => {
            log("warn");
            let DemoArguments { exit, json, psa, source, companies, port } = arguments;
            let psas = psa.map_or_else(|| Psa::ALL.to_vec(), |psa| vec![psa]);
            let (companies, clock) = (usize::from(companies), Arc::new(SystemClock));
            let options = demo::Options { exit, json, psas, source, companies, port, clock };
            demo::run(options).await
        }
        Command::Serve(arguments) => {
            log("info");
            run_service(arguments).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Token(arguments) => {
            writeln!(std::io::stdout(), "{}", token(&arguments)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Link(arguments) => {
            writeln!(std::io::stdout(), "{}", link(&arguments)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Logs to stderr at `level`, or as the environment variable `RUST_LOG` says.
fn log(level: &str) {
    // The AWS client warns of the HTTP version that `embedded` chooses on purpose.
    let usual = || EnvFilter::new(format!("{level},aws_smithy_runtime=error,dynoxide=error"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| usual());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(false)
        .with_writer(std::io::stderr);
    // Only fails where a subscriber is set already, and then that one logs.
    lines.try_init().ok();
}

async fn run_service(arguments: ServeArguments) -> Result<(), Failure> {
    let ServeArguments {
        data,
        port,
        listen,
        psa_base,
        source_base,
        allowed_hosts,
        allow_webhook_base,
        settle_seconds,
        partner,
    } = arguments;
    let address = SocketAddr::new(listen, port);
    let mut options = AppOptions::at(Place::Folder(data)).settle(SignedDuration::from_secs(i64::from(settle_seconds)));
    options = options.allowed_hosts(allowed_hosts);
    if let Some(base) = allow_webhook_base {
        options = options.webhooks_at(base);
    }
    for (psa, base) in psa_base {
        options = options.psa(psa, base);
    }
    for (source, base) in source_base {
        options = options.source(source, base);
    }
    let app = App::open(options).await?;
    let listener = TcpListener::bind(address).await.map_err(|error| not_listening(address, &error))?;
    let base = format!("http://{}", listener.local_addr()?);
    eprintln!("tallyline: {base} (data in {})", app.data().display());
    // What is written elsewhere than to a terminal is kept, and read by more than the one who started it.
    if std::io::stderr().is_terminal() {
        let link = app.tokens().link(&Subject::default(), &partner, &CONSOLE)?;
        eprintln!("tallyline: the console of {partner}, for one sign-in within a quarter of an hour: {base}{link}");
    } else {
        let data = app.data().display();
        eprintln!(
            "tallyline: the console is at {base}/console; a link that signs in: tallyline link --data {data} --partner {partner} --base {base}"
        );
    }
    serve(&app, listener, stop_signal()).await?;
    Ok(())
}

/// Why nothing listens at `address`, and a way out.
pub(crate) fn not_listening(address: SocketAddr, error: &std::io::Error) -> Failure {
    format!("can't listen on {address}: {error}; choose another port with --port").into()
}

fn token(arguments: &TokenArguments) -> Result<String, Failure> {
    let data: &Path = data_folder::existing(&arguments.data)?;
    let tokens = Tokens::open(data, Arc::new(SystemClock))?;
    let vendor = arguments.vendor.then_some(Scope::Vendor);
    let scopes: Vec<Scope> = arguments.scope.iter().copied().chain(vendor).collect();
    let subject = arguments.subject.clone().unwrap_or_default();
    let valid = SignedDuration::from_hours(i64::from(arguments.hours));
    Ok(tokens.mint_for(&subject, arguments.partner.as_ref(), &scopes, valid)?)
}

fn link(arguments: &LinkArguments) -> Result<Url, Failure> {
    let LinkArguments { data, partner, subject, read_only, base } = arguments;
    let tokens = Tokens::open(data_folder::existing(data)?, Arc::new(SystemClock))?;
    let scopes = if *read_only { &[Scope::Read][..] } else { &CONSOLE };
    Ok(base.join(&tokens.link(&subject.clone().unwrap_or_default(), partner, scopes)?)?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_arguments_are_refused_with_a_way_out() {
        let refused = |line: &str| Cli::try_parse_from(line.split(' ')).unwrap_err().to_string();
        assert!(refused("tallyline serve --psa-base http://127.0.0.1").contains("autotask=http://127.0.0.1:9100"));
        assert!(refused("tallyline serve --psa-base halo=http://x").contains("it knows autotask"));
        assert!(refused("tallyline serve --psa-base autotask=ftp://x").contains("no http address"));
        assert!(refused("tallyline serve --source-base huntress").contains("huntress=http://127.0.0.1:9300"));
        assert!(
            refused("tallyline serve --source-base acme=http://x").contains("it knows huntress, jumpcloud, dropsuite")
        );
        assert!(refused("tallyline serve --source-base huntress=ftp://x").contains("no http address"));
        assert!(refused("tallyline token --scope tallyline/read").contains("--partner"));
        assert!(refused("tallyline token --partner p --vendor --scope tallyline/read").contains("cannot be used with"));
        assert!(refused("tallyline token --partner p --scope tallyline/vendor").contains("--vendor"));
        assert!(refused("tallyline token --partner p").contains("--scope"));
        assert!(refused("tallyline token --partner p --scope read --subject system").contains("choose another name"));
        assert!(refused("tallyline token --partner p#q --scope read").contains("printable"));
        assert!(refused("tallyline demo --companies 3").contains("12"));
        assert!(refused("tallyline demo --source pax8").contains("possible values: huntress"));
        assert!(refused("tallyline demo --psa halo").contains("it knows autotask and kaseya_bms"));
    }
}
