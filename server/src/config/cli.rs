//! The command line and its environment variables. Values are only parsed here; what they mean
//! together is judged in [`super::Config::from_cli`].

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, ValueEnum};

use crate::telemetry::{LogFilter, LogFormat};

/// Presence and messages for chat widgets and their dashboards.
#[derive(Debug, Parser)]
#[command(name = "chat-server", version, about)]
pub struct Cli {
    /// Which part of the server to run.
    #[arg(value_enum, default_value_t = ServerRole::All)]
    pub role: ServerRole,

    /// With the role presence: what to do.
    #[arg(value_enum, required_if_eq("role", "presence"), value_name = "ACTION")]
    pub action: Option<PresenceAction>,

    /// With the role presence: the tenant.
    #[arg(long, value_name = "T", required_if_eq("role", "presence"))]
    pub tenant: Option<String>,

    /// The address to listen on; port 0 picks one.
    #[arg(
        long,
        env = "LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:3000"
    )]
    pub listen: String,

    /// The Redis that several nodes share. Absent: the embedded in-memory store, one node.
    ///
    /// `redis://[user:password@]host[:port][,…][/db]` is one server, a cluster or sentinels;
    /// `redis-sentinel://[user:password@]host[:port][,…]/master[/db]` is the master that they look after.
    /// `rediss` and `rediss-sentinel` are the same over TLS.
    #[arg(long, env = "REDIS_URL", value_name = "URL", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new())]
    pub redis_url: Option<String>,

    /// The tenants file. Absent: the development tenant `demo`, on a loopback address only.
    #[arg(long, env = "TENANTS_FILE", value_name = "FILE")]
    pub tenants: Option<PathBuf>,

    /// The shared secret of HS256 tokens. Absent: no such tokens.
    #[arg(long, env = "JWT_SECRET", value_name = "S", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new())]
    pub jwt_secret: Option<String>,

    /// PEM files with the public keys of RS256, PS256, ES256, ES384 or `EdDSA` tokens.
    #[arg(
        long,
        env = "JWT_PUBLIC_KEY",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub jwt_public_key: Vec<PathBuf>,

    /// Where the issuer of tokens publishes its keys (JWKS).
    #[arg(long, env = "JWKS_URL", value_name = "URL", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new())]
    pub jwks_url: Option<String>,

    /// The `iss` that every token must have. Absent: any.
    #[arg(long, env = "JWT_ISSUER", value_name = "TEXT",
        value_parser = NonEmptyStringValueParser::new())]
    pub jwt_issuer: Option<String>,

    /// The `aud` that every token must have. Absent: any.
    #[arg(long, env = "JWT_AUDIENCE", value_name = "TEXT",
        value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience: Option<String>,

    /// The secret that visitor tokens are signed with. Absent: one that follows from --jwt-secret,
    /// or else one that the nodes of a Redis share, or without Redis a new one for each run, with
    /// which returning visitors are not known again.
    #[arg(long, env = "VISITOR_TOKEN_SECRET", value_name = "S", hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new())]
    pub visitor_token_secret: Option<String>,

    /// How long a user without a session still counts as online.
    #[arg(long, env = "OFFLINE_GRACE", value_name = "D", default_value = "2s",
        value_parser = duration)]
    pub offline_grace: Duration,

    /// How long a node that falls silent keeps its sessions.
    #[arg(long, env = "LEASE", value_name = "D", default_value = "15s", value_parser = duration)]
    pub lease: Duration,

    /// How many entries the workers' stream keeps, about; 0 keeps all. Absent: what the settings say.
    #[arg(long, env = "STREAM_MAXLEN", value_name = "N")]
    pub stream_maxlen: Option<u64>,

    /// Gateway: where the API servers are.
    #[arg(
        long,
        env = "BACKEND_API_URL",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub api_url: Vec<String>,

    /// Gateway: where the WebSocket servers are.
    #[arg(
        long,
        env = "BACKEND_WS_URL",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub ws_url: Vec<String>,

    /// The certificate chain (PEM) to serve HTTPS with. Absent: plain HTTP.
    #[arg(long, env = "TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, env = "TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// A file that overrides limits and intervals.
    #[arg(long, env = "CONFIG_FILE", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What to log: a level, or levels by module, as in `warn,chat_server=debug`.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    pub log: LogFilter,

    /// How to write log lines.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// A part of the server that can run as a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServerRole {
    /// Everything in one process.
    All,
    /// The proxy before the others.
    Gateway,
    /// The sockets.
    Ws,
    /// The HTTP interface.
    Api,
    /// Nothing: look at, or mend, who is online in a tenant on Redis.
    Presence,
    /// Nothing: say what the options and files come to, or what is wrong with them.
    CheckConfig,
}

/// What an operator does about a tenant's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresenceAction {
    /// Print who is online, a JSON object a line, and which nodes hold their sessions
    List,
    /// Forget everyone; nodes that live say anew whom they hold
    Purge,
    /// Mend what does not fit together, and end what silent nodes held
    Reconcile,
}

impl ServerRole {
    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Gateway => "gateway",
            Self::Ws => "ws",
            Self::Api => "api",
            Self::Presence => "presence",
            Self::CheckConfig => "check-config",
        }
    }
}

/// What is wrong with a command line, in one line. `None` if the error is not one: `--help`.
pub fn one_line(error: &clap::Error) -> Option<String> {
    if !error.use_stderr() {
        return None;
    }
    let text = error.render().to_string();
    let paragraph: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let line = paragraph.join(" ");
    Some(line.strip_prefix("error: ").unwrap_or(&line).to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "durations are written like 500ms, 2s or 1m".to_owned())
}
