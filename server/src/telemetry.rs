//! Logs and metrics. Logs go to standard error; no credential and no text of a message is in either.

use std::io::IsTerminal as _;

use chat_protocol::code::Code;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;

/// What `/metrics` tells. Labels have few values, none of which a stranger chooses.
pub struct Metrics {
    registry: Registry,
    sessions: Gauge,
    sockets: Gauge,
    connected: Family<RoleLabel, Counter>,
    disconnected: Family<ReasonLabel, Counter>,
    events: Family<EventLabel, Counter>,
    messages: Family<SenderLabel, Counter>,
    refusals: Family<CodeLabel, Counter>,
    bad_input: Family<ReasonLabel, Counter>,
    announcements: Family<EventLabel, Counter>,
    requests: Family<RequestLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabel {
    role: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SenderLabel {
    sender: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    path: String,
    status: u16,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("chat"),
            sessions: Gauge::default(),
            sockets: Gauge::default(),
            connected: Family::default(),
            disconnected: Family::default(),
            events: Family::default(),
            messages: Family::default(),
            refusals: Family::default(),
            bad_input: Family::default(),
            announcements: Family::default(),
            requests: Family::default(),
        };
        metrics.register();
        metrics
    }

    /// A socket was connected.
    pub fn connected(&self, role: &'static str) {
        self.connected.get_or_create(&RoleLabel { role }).inc();
    }

    /// A connected socket is gone.
    pub fn disconnected(&self, reason: &'static str) {
        self.disconnected
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// A client emitted an event. `event` is one of the known names or `unknown`.
    pub fn event(&self, event: &'static str) {
        self.events.get_or_create(&EventLabel { event }).inc();
    }

    /// A message was accepted.
    pub fn message(&self, sender: &'static str) {
        self.messages.get_or_create(&SenderLabel { sender }).inc();
    }

    /// Something was refused, by whichever way it came.
    pub fn refusal(&self, code: Code) {
        let code = code.as_str();
        self.refusals.get_or_create(&CodeLabel { code }).inc();
    }

    /// A connection was closed because of what came over it.
    pub fn bad_input(&self, reason: &'static str) {
        self.bad_input.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A change of presence was announced.
    pub fn announcement(&self, event: &'static str) {
        self.announcements
            .get_or_create(&EventLabel { event })
            .inc();
    }

    /// An HTTP request was answered. `path` is a route's pattern, never what the client wrote.
    pub fn request(&self, path: String, status: u16) {
        self.requests
            .get_or_create(&RequestLabel { path, status })
            .inc();
    }

    /// The text of `/metrics`, with the numbers of what is open now.
    ///
    /// # Errors
    /// If a metric cannot be written, which none of these does.
    pub fn render(&self, sessions: usize, sockets: usize) -> Result<String, std::fmt::Error> {
        self.sessions.set(gauge(sessions));
        self.sockets.set(gauge(sockets));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn register(&mut self) {
        let Self { registry, .. } = self;
        registry.register(
            "sessions",
            "Transport sessions open now",
            self.sessions.clone(),
        );
        registry.register("sockets", "Sockets connected now", self.sockets.clone());
        registry.register(
            "connects",
            "Sockets connected, by role",
            self.connected.clone(),
        );
        registry.register(
            "disconnects",
            "Sockets gone, by reason",
            self.disconnected.clone(),
        );
        registry.register(
            "events",
            "Events from clients, by name",
            self.events.clone(),
        );
        registry.register(
            "messages",
            "Messages accepted, by sender",
            self.messages.clone(),
        );
        registry.register("refusals", "Refusals, by code", self.refusals.clone());
        registry.register(
            "bad_input",
            "Connections closed for their input",
            self.bad_input.clone(),
        );
        registry.register(
            "announcements",
            "Presence changes told",
            self.announcements.clone(),
        );
        registry.register(
            "http_requests",
            "HTTP requests answered",
            self.requests.clone(),
        );
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Sends logs to standard error. `RUST_LOG` chooses what; by default, what an operator wants.
///
/// Belongs in `main`: it is the one thing in this crate that is global to the process.
pub fn init_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
