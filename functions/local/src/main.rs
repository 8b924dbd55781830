//! `tallyline`: reads the command line, does what it says, and tells failures in one sentence.

use std::process::ExitCode;

use clap::Parser as _;
use local::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tallyline: {error}");
            ExitCode::FAILURE
        }
    }
}
