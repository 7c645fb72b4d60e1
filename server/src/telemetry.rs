//! Logs and metrics. Logs go to standard error; no credential and no text of a message is in either.

mod metrics;

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, FilterFn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use metrics::{BusEvent, Metrics, PresenceAnswer, Snapshot, TenantCounts};

/// A request that a backend could not be given is an error to the proxy. To the gateway it is one that goes to
/// another backend, and it says so itself.
const REPEATED: &str = "axum_reverse_proxy=off,";

/// The library of WebSocket connections, which at the level of traces logs whole frames: credentials and what people say.
const TELLS_FRAMES: &str = "tungstenite";

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
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::registry()
        .with(lines(filter, format, std::io::stderr, is_terminal))
        .init();
}

/// What writes log lines. Whatever the filter says, none has a secret.
fn lines<S, W>(
    filter: &LogFilter,
    format: LogFormat,
    writer: W,
    in_colours: bool,
) -> impl Layer<S> + use<S, W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // With a hint, or else every line of every module would be looked at.
    let discreet = FilterFn::new(is_discreet).with_max_level_hint(LevelFilter::TRACE);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(in_colours)
        .with_target(false);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    layer.with_filter(filter.directives().and(discreet))
}

fn is_discreet(metadata: &Metadata<'_>) -> bool {
    *metadata.level() != Level::TRACE || !metadata.target().starts_with(TELLS_FRAMES)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// What is written where modules have something to tell.
    fn logged(filter: &str) -> String {
        let filter: LogFilter = filter.parse().unwrap();
        let written = Lines::default();
        let writer = written.clone();
        let lines = lines(&filter, LogFormat::Text, move || writer.clone(), false);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::error!(target: "axum_reverse_proxy::forward", "of the proxy");
            tracing::error!(target: "chat_server::gateway", "of the gateway");
            tracing::debug!(target: "tungstenite::protocol", "a closing handshake");
            tracing::trace!(target: "tungstenite::protocol", "a frame");
        });
        let bytes = written.0.lock().clone();
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

    #[test]
    fn no_filter_shows_what_is_in_a_frame() {
        for filter in ["trace", "tungstenite=trace", "tungstenite::protocol=trace"] {
            let text = logged(filter);
            assert!(text.contains("a closing handshake"), "{text}");
            assert!(!text.contains("a frame"), "{text}");
        }
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
