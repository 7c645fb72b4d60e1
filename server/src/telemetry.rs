//! Logs and metrics. Logs go to standard error; no credential and no text of a message is in either.

mod metrics;

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

pub use metrics::{BusEvent, Metrics, PresenceAnswer, Snapshot, TenantCounts};

/// A request that a backend could not be given is an error to the proxy. To the gateway it is one that goes to
/// another backend, and it says so itself.
const REPEATED: &str = "axum_reverse_proxy=off,";

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

impl LogFilter {
    /// What it lets through. Other people's modules that log what is logged here anyway are silent unless the
    /// filter names them.
    fn directives(&self) -> EnvFilter {
        EnvFilter::new(format!("{REPEATED}{}", self.0))
    }
}

/// Sends logs to standard error.
///
/// Belongs in `main`: it is the one thing in this crate that is global to the process.
pub fn init_logs(filter: &LogFilter, format: LogFormat) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter.directives())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// What is written where two modules have an error to tell.
    fn logged(filter: &str) -> String {
        let filter: LogFilter = filter.parse().unwrap();
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter.directives())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "axum_reverse_proxy::forward", "of the proxy");
            tracing::error!(target: "chat_server::gateway", "of the gateway");
        });
        let bytes = lines.0.lock().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_backend_that_is_away_is_no_error_of_the_gateway() {
        for filter in ["info", "debug,hyper=off"] {
            let text = logged(filter);
            assert!(text.contains("of the gateway"), "{text}");
            assert!(!text.contains("of the proxy"), "{text}");
        }
    }

    #[test]
    fn a_module_that_is_asked_for_is_heard() {
        assert!(logged("info,axum_reverse_proxy=debug").contains("of the proxy"));
        assert!(!logged("off").contains("of the gateway"));
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
