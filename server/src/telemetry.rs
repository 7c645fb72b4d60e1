//! Logs and metrics. Logs go to standard error; no credential and no text of a message is in either.

mod metrics;

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

pub use metrics::{BusEvent, Metrics, Snapshot, TenantCounts};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people, in colours on a terminal.
    #[default]
    Text,
    /// For programs: a JSON object a line.
    Json,
}

/// What is logged, as `RUST_LOG` says it: `info`, or `warn,chat_server=debug`.
#[derive(Debug, Clone)]
pub struct LogFilter(String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| "a log filter is written like info or warn,chat_server=debug".to_owned())
    }
}

/// Sends logs to standard error.
///
/// Belongs in `main`: it is the one thing in this crate that is global to the process.
pub fn init_logs(filter: &LogFilter, format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&filter.0))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
