//! What is counted, and how `/metrics` tells it.
//!
//! What must stay true: the number of series is bounded whatever strangers send. Labels are names of
//! this program's own, or tenants of the operator's, of which the busiest are named and the rest summed.

use chat_protocol::code::Code;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::redis::Exchange;

/// Seconds. An exchange with a Redis nearby takes a fraction of the first; the last is beyond any timeout.
const REDIS_SECONDS: [f64; 10] = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];

/// The label of all tenants that are not named.
const OTHER_TENANTS: &str = "other";

/// Counters and gauges of one server.
pub struct Metrics {
    registry: Registry,
    sessions: Gauge,
    sockets: Gauge,
    connected: Family<RoleLabel, Counter>,
    disconnected: Family<ReasonLabel, Counter>,
    events: Family<EventLabel, Counter>,
    messages: Family<SenderLabel, Counter>,
    bus: Family<EventLabel, Counter>,
    refusals: Family<CodeLabel, Counter>,
    bad_input: Family<ReasonLabel, Counter>,
    announcements: Family<EventLabel, Counter>,
    presence_deltas: Counter,
    presence_answers: Family<AnswerLabel, Counter>,
    requests: Family<RequestLabel, Counter>,
    connections: Gauge,
    connections_ended: Family<HowLabel, Counter>,
    redis_seconds: Family<OperationLabel, Histogram>,
    redis_errors: Family<OperationLabel, Counter>,
    tenant_sockets: Family<TenantLabel, Gauge>,
    tenant_users: Family<TenantLabel, Gauge>,
    /// Held while the numbers of one moment are set and written.
    rendering: Mutex<()>,
}

/// What happens to messages between nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusEvent {
    /// One was sent to a channel.
    Published,
    /// One came from another node and was news.
    Heard,
    /// One was read from a log and was news.
    Replayed,
    /// A log did not reach back far enough.
    Gap,
    /// Something that no node writes.
    Malformed,
    /// Something that a newer program writes.
    Unknown,
}

impl BusEvent {
    const ALL: [Self; 6] = [
        Self::Published,
        Self::Heard,
        Self::Replayed,
        Self::Gap,
        Self::Malformed,
        Self::Unknown,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Heard => "heard",
            Self::Replayed => "replayed",
            Self::Gap => "gap",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
        }
    }
}

/// How somebody was answered who knows versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceAnswer {
    /// With what has changed since the version that they knew.
    Resumed,
    /// With the list.
    Listed,
}

impl PresenceAnswer {
    const ALL: [Self; 2] = [Self::Resumed, Self::Listed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Resumed => "resumed",
            Self::Listed => "listed",
        }
    }
}

/// What is open at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Transport sessions.
    pub sessions: usize,
    /// Sockets.
    pub sockets: usize,
    /// The tenants that have any.
    pub tenants: Vec<TenantCounts>,
}

/// What one tenant has open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantCounts {
    /// The tenant.
    pub tenant: String,
    /// Its sockets on this node.
    pub sockets: u64,
    /// Its users online, on all nodes; none if that is not known.
    pub users: Option<usize>,
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
struct AnswerLabel {
    answer: &'static str,
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
struct HowLabel {
    how: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TenantLabel {
    tenant: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    path: String,
    status: u16,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        Self::beside(|_| ())
    }

    /// The same, with further metrics of the caller's before them.
    pub(crate) fn beside(register: impl FnOnce(&mut Registry)) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("chat"),
            sessions: Gauge::default(),
            sockets: Gauge::default(),
            connected: Family::default(),
            disconnected: Family::default(),
            events: Family::default(),
            messages: Family::default(),
            bus: Family::default(),
            refusals: Family::default(),
            bad_input: Family::default(),
            announcements: Family::default(),
            presence_deltas: Counter::default(),
            presence_answers: Family::default(),
            requests: Family::default(),
            connections: Gauge::default(),
            connections_ended: Family::default(),
            redis_seconds: Family::new_with_constructor(|| Histogram::new(REDIS_SECONDS)),
            redis_errors: Family::default(),
            tenant_sockets: Family::default(),
            tenant_users: Family::default(),
            rendering: Mutex::default(),
        };
        // A refusal that has not happened yet is zero, not absent: alerts need the difference.
        for code in Code::ALL.iter().filter(|code| code.http_status() != 0) {
            let code = code.as_str();
            drop(metrics.refusals.get_or_create(&CodeLabel { code }));
        }
        register(&mut metrics.registry);
        for event in BusEvent::ALL {
            let event = event.as_str();
            drop(metrics.bus.get_or_create(&EventLabel { event }));
        }
        for answer in PresenceAnswer::ALL {
            let answer = answer.as_str();
            drop(
                metrics
                    .presence_answers
                    .get_or_create(&AnswerLabel { answer }),
            );
        }
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

    /// Something happened between this node and others.
    pub fn bus(&self, event: BusEvent) {
        let event = event.as_str();
        self.bus.get_or_create(&EventLabel { event }).inc();
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

    /// A delta was sent, once for all who get it.
    pub fn presence_delta(&self) {
        self.presence_deltas.inc();
    }

    /// Somebody who knows versions was answered.
    pub fn presence_answer(&self, answer: PresenceAnswer) {
        let answer = answer.as_str();
        self.presence_answers
            .get_or_create(&AnswerLabel { answer })
            .inc();
    }

    /// An HTTP request was answered. `path` is a route's pattern, never what the client wrote.
    pub fn request(&self, path: String, status: u16) {
        self.requests
            .get_or_create(&RequestLabel { path, status })
            .inc();
    }

    /// The number of TCP connections, for whoever counts them.
    pub(crate) fn connections(&self) -> Gauge {
        self.connections.clone()
    }

    /// A TCP connection is no longer HTTP's: served, broken, or a socket's from now on.
    pub(crate) fn connection_ended(&self, how: &'static str) {
        self.connections_ended
            .get_or_create(&HowLabel { how })
            .inc();
    }

    /// An exchange with Redis is over.
    pub fn redis_exchange(&self, exchange: Exchange) {
        let label = OperationLabel {
            operation: exchange.what,
        };
        self.redis_seconds
            .get_or_create(&label)
            .observe(exchange.took.as_secs_f64());
        if exchange.failed {
            self.redis_errors.get_or_create(&label).inc();
        }
    }

    /// The text of `/metrics`. Of the tenants, the `named` with the most sockets have series of their
    /// own.
    ///
    /// # Errors
    /// If a metric cannot be written, which none of these does.
    pub fn render(&self, snapshot: Snapshot, named: usize) -> Result<String, std::fmt::Error> {
        let _rendering = self.rendering.lock();
        self.sessions.set(gauge(snapshot.sessions));
        self.sockets.set(gauge(snapshot.sockets));
        self.set_tenants(snapshot.tenants, named);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn set_tenants(&self, mut tenants: Vec<TenantCounts>, named: usize) {
        tenants.sort_by(|a, b| (b.sockets, &a.tenant).cmp(&(a.sockets, &b.tenant)));
        self.tenant_sockets.clear();
        self.tenant_users.clear();
        for (rank, counts) in tenants.into_iter().enumerate() {
            let tenant = if rank < named {
                counts.tenant
            } else {
                OTHER_TENANTS.to_owned()
            };
            let label = TenantLabel { tenant };
            let sockets = i64::try_from(counts.sockets).unwrap_or(i64::MAX);
            self.tenant_sockets.get_or_create(&label).inc_by(sockets);
            if let Some(users) = counts.users {
                self.tenant_users.get_or_create(&label).inc_by(gauge(users));
            }
        }
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
            "Sockets gone, by reason; slow_reader is one that did not take what it was sent",
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
        registry.register(
            "bus_events",
            "Messages between nodes: published, once for each channel; heard and news here; replayed after a loss; gap is a log that was too short for that; malformed or unknown ones are ignored",
            self.bus.clone(),
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
            "presence_deltas",
            "Deltas of presence sent, each once for all who get it",
            self.presence_deltas.clone(),
        );
        registry.register(
            "presence_answers",
            "Answers to who knows versions of presence: resumed with what has changed, or listed",
            self.presence_answers.clone(),
        );
        registry.register(
            "http_requests",
            "HTTP requests answered, by route and status",
            self.requests.clone(),
        );
        registry.register(
            "connections",
            "TCP connections open now, whatever they are used for",
            self.connections.clone(),
        );
        registry.register(
            "http_connections_ended",
            "Connections that HTTP is done with: served or a socket's now, lost, malformed, with too large a head, silent for too long, not_encrypted or not_accepted",
            self.connections_ended.clone(),
        );
        registry.register_with_unit(
            "redis_exchange",
            "Time from a command's sending to its answer or failure, by operation",
            Unit::Seconds,
            self.redis_seconds.clone(),
        );
        registry.register(
            "redis_errors",
            "Commands that Redis refused or did not answer, by operation",
            self.redis_errors.clone(),
        );
        registry.register(
            "tenant_sockets",
            "Sockets of the tenants with the most of them on this node; the rest are other",
            self.tenant_sockets.clone(),
        );
        registry.register(
            "tenant_users_online",
            "Users online, on all nodes, of the tenants with the most sockets here; the rest with any are other",
            self.tenant_users.clone(),
        );
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tenant: &str, sockets: u64, users: usize) -> TenantCounts {
        TenantCounts {
            tenant: tenant.to_owned(),
            sockets,
            users: Some(users),
        }
    }

    #[test]
    fn only_the_busiest_tenants_have_series_of_their_own() {
        let metrics = Metrics::new();
        let snapshot = |tenants| Snapshot {
            tenants,
            ..Snapshot::default()
        };
        let many = vec![counts("a", 1, 1), counts("b", 9, 5), counts("c", 2, 1)];
        let text = metrics.render(snapshot(many), 1).unwrap();
        assert!(
            text.contains("chat_tenant_sockets{tenant=\"b\"} 9"),
            "{text}"
        );
        assert!(
            text.contains("chat_tenant_sockets{tenant=\"other\"} 3"),
            "{text}"
        );
        assert!(
            text.contains("chat_tenant_users_online{tenant=\"other\"} 2"),
            "{text}"
        );
        assert!(!text.contains("tenant=\"a\""), "{text}");

        let text = metrics
            .render(snapshot(vec![counts("a", 1, 1)]), 1)
            .unwrap();
        assert!(
            text.contains("chat_tenant_sockets{tenant=\"a\"} 1"),
            "{text}"
        );
        assert!(
            !text.contains("tenant=\"b\""),
            "a tenant that is gone: {text}"
        );
    }

    #[test]
    fn an_exchange_counts_in_its_histogram_and_a_failed_one_as_an_error() {
        let metrics = Metrics::new();
        for failed in [false, true] {
            metrics.redis_exchange(Exchange {
                what: "join",
                took: std::time::Duration::from_millis(2),
                failed,
            });
        }
        let text = metrics.render(Snapshot::default(), 0).unwrap();
        let lines = [
            "chat_redis_exchange_seconds_count{operation=\"join\"} 2",
            "chat_redis_exchange_seconds_bucket{le=\"0.001\",operation=\"join\"} 0",
            "chat_redis_exchange_seconds_bucket{le=\"0.003\",operation=\"join\"} 2",
            "chat_redis_errors_total{operation=\"join\"} 1",
        ];
        for line in lines {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
