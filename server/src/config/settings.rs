//! The settings file: the typed form of `config.default.toml`, which is its documentation.
//!
//! A file of the operator's is laid over the built-in one entry by entry, and the result must have
//! exactly the fields below: a misspelt entry is an error, never ignored.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::ConfigError;
use crate::limits::Rate;

/// A handshake may have a query of its own and a token, and hyper reads into no smaller buffer.
const SMALLEST_HEAD: usize = 8192;

const DEFAULTS: &str = include_str!("config.default.toml");

/// Every limit and interval of the server. See `config.default.toml` for what each means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Settings {
    pub socket: Socket,
    pub connections: Connections,
    pub authentication: Authentication,
    pub key_sets: KeySets,
    pub events: Events,
    pub messages: Messages,
    pub visits: Visits,
    pub http: Http,
    pub online_users: OnlineUsers,
    pub history: History,
    pub jobs: Jobs,
    pub redis: Redis,
    pub metrics: Metrics,
    pub gateway: Gateway,
    pub shutdown: Shutdown,
}

/// `[socket]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Socket {
    #[serde(deserialize_with = "duration")]
    pub ping_interval: Duration,
    #[serde(deserialize_with = "duration")]
    pub ping_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub close_timeout: Duration,
    pub max_payload_bytes: usize,
    pub max_outgoing_bytes: usize,
    pub max_outgoing_frames: usize,
}

/// `[connections]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Connections {
    pub tcp: usize,
    pub tcp_per_address: u32,
    pub total: usize,
    pub per_tenant: u32,
    pub per_address: u32,
    pub trust_forwarded_for: bool,
    pub count_loopback: bool,
}

/// `[authentication]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Authentication {
    pub attempts_per_address: Rate,
    pub failures_per_address: Rate,
    pub max_addresses: usize,
    #[serde(deserialize_with = "duration")]
    pub visitor_token_lifetime: Duration,
}

/// `[key_sets]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct KeySets {
    #[serde(deserialize_with = "duration")]
    pub refresh: Duration,
    #[serde(deserialize_with = "duration")]
    pub at_most_every: Duration,
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    pub max_bytes: usize,
}

/// `[events]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Events {
    pub per_socket: Rate,
}

/// `[messages]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Messages {
    pub max_text_chars: usize,
    pub per_socket: Rate,
    pub per_user: Rate,
    pub per_address: Rate,
    pub max_users: usize,
    pub max_addresses: usize,
    pub max_shared_bytes: usize,
}

/// `[visits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Visits {
    pub per_socket: Rate,
    pub per_user: Rate,
    pub per_address: Rate,
    pub max_users: usize,
    pub max_addresses: usize,
    pub max_url_bytes: usize,
    pub max_title_bytes: usize,
    #[serde(deserialize_with = "duration")]
    pub max_duration: Duration,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Http {
    pub max_body_bytes: usize,
    #[serde(deserialize_with = "duration")]
    pub request_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub head_timeout: Duration,
    pub max_head_bytes: usize,
}

/// `[online_users]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct OnlineUsers {
    pub max_page: usize,
    pub list_admins: bool,
    #[serde(deserialize_with = "duration")]
    pub delta_interval: Duration,
    #[serde(deserialize_with = "duration")]
    pub resume: Duration,
    pub max_recent_changes: usize,
    pub max_recent_bytes: usize,
}

/// `[history]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct History {
    pub messages_per_conversation: usize,
    #[serde(deserialize_with = "duration")]
    pub expiry: Duration,
    pub max_conversations: usize,
    pub max_bytes: usize,
    pub recent_messages: usize,
    #[serde(deserialize_with = "duration")]
    pub recent_expiry: Duration,
    pub conversations_listed: usize,
    pub conversations_page: usize,
    pub receipts: usize,
    #[serde(deserialize_with = "duration")]
    pub receipt_expiry: Duration,
}

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Jobs {
    pub stream_maxlen: u64,
}

/// `[redis]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Redis {
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub response_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub probe_interval: Duration,
    #[serde(deserialize_with = "duration")]
    pub longest_retry: Duration,
    pub messages_ahead: usize,
}

/// `[metrics]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Metrics {
    pub named_tenants: usize,
}

/// `[gateway]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Gateway {
    #[serde(deserialize_with = "duration")]
    pub probe_interval: Duration,
    #[serde(deserialize_with = "duration")]
    pub probe_timeout: Duration,
    #[serde(deserialize_with = "duration")]
    pub probe_at_most_every: Duration,
    #[serde(deserialize_with = "duration")]
    pub connect_timeout: Duration,
    pub idle_connections_per_backend: usize,
    #[serde(deserialize_with = "duration")]
    pub idle_connection_timeout: Duration,
    pub load_factor: f64,
    pub load_slack: usize,
    pub polling_sessions: NonZeroUsize,
    pub polling_session_bytes: usize,
    #[serde(deserialize_with = "duration")]
    pub polling_idle: Duration,
    pub refused_sockets: usize,
    #[serde(deserialize_with = "duration")]
    pub refused_timeout: Duration,
    pub handshakes_per_address: Rate,
    pub requests_per_address: Rate,
    pub requests_per_key: Rate,
    pub max_rates: usize,
}

/// `[shutdown]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "config.default.toml is where they are documented"
)]
pub struct Shutdown {
    #[serde(deserialize_with = "duration")]
    pub patience: Duration,
    pub closes_per_second: u32,
    #[serde(deserialize_with = "duration")]
    pub spread: Duration,
}

impl Settings {
    /// The built-in settings with the entries of `text` laid over them.
    ///
    /// # Errors
    /// In one line, what is wrong with `text`.
    pub fn with_overrides(text: &str) -> Result<Self, ConfigError> {
        let merged = merged(text)?;
        let settings: Self = merged.try_into().map_err(|error: toml::de::Error| {
            // There is no text to point into any more, but it names the entry.
            ConfigError::new(error.to_string().trim().replace('\n', " "))
        })?;
        settings.validate()?;
        Ok(settings)
    }

    /// The same as the text of a settings file.
    ///
    /// # Errors
    /// In one line, what is wrong with `text`.
    pub fn merged_text(text: &str) -> Result<String, ConfigError> {
        toml::to_string(&merged(text)?).map_err(|error| ConfigError::new(error.to_string()))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        for (name, rate) in self.rates() {
            if !(rate.per_second.is_finite() && rate.per_second > 0.0 && rate.burst > 0) {
                return Err(ConfigError::new(format!(
                    "{name}: a rate must be more than nothing"
                )));
            }
        }
        self.validate_counts()?;
        let intervals = [
            ("socket.ping_interval", self.socket.ping_interval),
            ("socket.ping_timeout", self.socket.ping_timeout),
            ("socket.connect_timeout", self.socket.connect_timeout),
            ("http.request_timeout", self.http.request_timeout),
            (
                "online_users.delta_interval",
                self.online_users.delta_interval,
            ),
            ("online_users.resume", self.online_users.resume),
            ("http.head_timeout", self.http.head_timeout),
            ("history.expiry", self.history.expiry),
            ("history.recent_expiry", self.history.recent_expiry),
            ("history.receipt_expiry", self.history.receipt_expiry),
            ("key_sets.refresh", self.key_sets.refresh),
            ("key_sets.at_most_every", self.key_sets.at_most_every),
            ("key_sets.timeout", self.key_sets.timeout),
            (
                "authentication.visitor_token_lifetime",
                self.authentication.visitor_token_lifetime,
            ),
            ("redis.connect_timeout", self.redis.connect_timeout),
            ("redis.response_timeout", self.redis.response_timeout),
            ("redis.probe_interval", self.redis.probe_interval),
            ("redis.longest_retry", self.redis.longest_retry),
            ("gateway.probe_interval", self.gateway.probe_interval),
            ("gateway.probe_timeout", self.gateway.probe_timeout),
            (
                "gateway.probe_at_most_every",
                self.gateway.probe_at_most_every,
            ),
            ("gateway.connect_timeout", self.gateway.connect_timeout),
            ("gateway.polling_idle", self.gateway.polling_idle),
            ("gateway.refused_timeout", self.gateway.refused_timeout),
        ];
        for (name, interval) in intervals {
            if interval < Duration::from_millis(10) {
                return Err(ConfigError::new(format!("{name} must be at least 10ms")));
            }
        }
        self.validate_together()
    }

    fn validate_counts(&self) -> Result<(), ConfigError> {
        let counts = [
            ("socket.max_payload_bytes", self.socket.max_payload_bytes),
            ("socket.max_outgoing_bytes", self.socket.max_outgoing_bytes),
            (
                "socket.max_outgoing_frames",
                self.socket.max_outgoing_frames,
            ),
            ("connections.tcp", self.connections.tcp),
            ("connections.total", self.connections.total),
            ("messages.max_text_chars", self.messages.max_text_chars),
            ("history.recent_messages", self.history.recent_messages),
            ("history.receipts", self.history.receipts),
            (
                "history.conversations_listed",
                self.history.conversations_listed,
            ),
            (
                "history.conversations_page",
                self.history.conversations_page,
            ),
            ("http.max_body_bytes", self.http.max_body_bytes),
            ("online_users.max_page", self.online_users.max_page),
            (
                "online_users.max_recent_changes",
                self.online_users.max_recent_changes,
            ),
            (
                "online_users.max_recent_bytes",
                self.online_users.max_recent_bytes,
            ),
            ("gateway.max_rates", self.gateway.max_rates),
            ("redis.messages_ahead", self.redis.messages_ahead),
        ];
        for (name, count) in counts {
            if count == 0 {
                return Err(ConfigError::new(format!("{name} must be more than 0")));
            }
        }
        Ok(())
    }

    fn rates(&self) -> [(&'static str, Rate); 12] {
        [
            ("events.per_socket", self.events.per_socket),
            ("messages.per_socket", self.messages.per_socket),
            ("messages.per_user", self.messages.per_user),
            ("messages.per_address", self.messages.per_address),
            ("visits.per_socket", self.visits.per_socket),
            ("visits.per_user", self.visits.per_user),
            ("visits.per_address", self.visits.per_address),
            (
                "authentication.attempts_per_address",
                self.authentication.attempts_per_address,
            ),
            (
                "authentication.failures_per_address",
                self.authentication.failures_per_address,
            ),
            (
                "gateway.handshakes_per_address",
                self.gateway.handshakes_per_address,
            ),
            (
                "gateway.requests_per_address",
                self.gateway.requests_per_address,
            ),
            ("gateway.requests_per_key", self.gateway.requests_per_key),
        ]
    }

    /// What must fit each other, or a meaning of its own.
    fn validate_together(&self) -> Result<(), ConfigError> {
        if !(self.gateway.load_factor.is_finite() && self.gateway.load_factor >= 1.0) {
            return Err(ConfigError::new("gateway.load_factor must be at least 1"));
        }
        if self.gateway.polling_idle <= self.socket.ping_interval {
            return Err(ConfigError::new(
                "gateway.polling_idle must be more than socket.ping_interval",
            ));
        }
        if self.socket.close_timeout + self.shutdown.spread >= self.shutdown.patience {
            return Err(ConfigError::new(
                "socket.close_timeout and shutdown.spread together must be less than shutdown.patience",
            ));
        }
        if self.shutdown.closes_per_second == 0 {
            return Err(ConfigError::new(
                "shutdown.closes_per_second must be more than 0",
            ));
        }
        if self.http.max_head_bytes < SMALLEST_HEAD {
            return Err(ConfigError::new(format!(
                "http.max_head_bytes must be at least {SMALLEST_HEAD}"
            )));
        }
        // What came in is what goes from node to node, with its names around it.
        let largest = self.socket.max_payload_bytes.max(self.http.max_body_bytes);
        if self.messages.max_shared_bytes < largest + 4096 {
            return Err(ConfigError::new(
                "messages.max_shared_bytes must be 4096 more than socket.max_payload_bytes and http.max_body_bytes",
            ));
        }
        // The contract's ten seconds hold whatever is set here.
        if self.shutdown.patience > Duration::from_secs(8) {
            return Err(ConfigError::new("shutdown.patience must be at most 8s"));
        }
        Ok(())
    }
}

fn merged(text: &str) -> Result<Value, ConfigError> {
    let mut merged = Value::Table(parse(DEFAULTS)?);
    overlay(&mut merged, Value::Table(parse(text)?));
    Ok(merged)
}

fn parse(text: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| {
        let line = error.span().map_or(1, |span| {
            1 + text
                .get(..span.start)
                .map_or(0, |before| before.matches('\n').count())
        });
        ConfigError::new(format!("line {line}: {}", one_line(&error)))
    })
}

fn one_line(error: &toml::de::Error) -> ConfigError {
    ConfigError::new(error.message().replace('\n', " "))
}

fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Table(base), Value::Table(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(known) => overlay(known, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(input)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_file_is_complete_and_valid() {
        let settings = Settings::with_overrides("").unwrap();
        assert_eq!(settings.socket.max_payload_bytes, 64 * 1024);
        assert_eq!(settings.history.expiry, Duration::from_hours(24));
    }

    #[test]
    fn single_entries_can_be_overridden() {
        let text = "[messages]\nmax_text_chars = 5\nper_socket = { burst = 1 }";
        let settings = Settings::with_overrides(text).unwrap();
        assert_eq!(settings.messages.max_text_chars, 5);
        assert_eq!(settings.messages.per_socket.burst, 1);
        assert!(
            settings.messages.per_socket.per_second > 1.0,
            "the rest stays"
        );
    }

    #[test]
    fn a_bad_file_is_explained_in_one_line() {
        let cases = [
            ("[messages]\nmax_text = 5", "max_text"),
            (
                "[messages]\nmax_text_chars = \"x\"",
                "messages.max_text_chars",
            ),
            ("\n[messages", "line 2"),
            ("[messages]\nmax_text_chars = 0", "messages.max_text_chars"),
            (
                "[events]\nper_socket = { per_second = 0 }",
                "events.per_socket",
            ),
            ("[socket]\nping_timeout = \"soon\"", "time"),
            ("[shutdown]\npatience = \"1m\"", "at most 8s"),
            (
                "[messages]\nmax_shared_bytes = 65536",
                "messages.max_shared_bytes",
            ),
            ("[shutdown]\npatience = \"1s\"", "less than"),
            ("[http]\nmax_head_bytes = 100", "at least 8192"),
            ("[gateway]\nload_factor = 0.5", "at least 1"),
            ("[gateway]\npolling_idle = \"9s\"", "more than"),
        ];
        for (text, expected) in cases {
            let error = Settings::with_overrides(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text:?} gave {error:?}");
            assert!(!error.contains('\n'), "{error:?}");
        }
    }
}
