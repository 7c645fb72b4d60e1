//! Configuration: flags over environment over file over built-in defaults, judged once.
//!
//! [`Config`] holds values that are known to be good together; nothing later has to check again.

pub mod check;
pub mod cli;
mod identity;
pub mod settings;

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::auth::key_set::KeySet;
use crate::auth::token::TokenVerifier;
use crate::auth::visitor_token::VisitorTokens;
use crate::redis::RedisUrl;
use crate::tenants::Tenants;
use cli::{Cli, ServerRole};
pub use settings::Settings;

/// Shorter than this, a lease could be over before it is renewed.
const SHORTEST_LEASE: Duration = Duration::from_millis(500);

/// Longer than this, a list of who is online says nothing.
const LONGEST_GRACE: Duration = Duration::from_hours(1);

/// Everything a server needs to know.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may connect for whom.
    pub tenants: Tenants,
    /// Where they are read from again when the operator says so.
    pub tenants_file: Option<PathBuf>,
    /// How tokens are verified.
    pub verifier: TokenVerifier,
    /// Where further keys of tokens are published.
    pub key_set: Option<KeySet>,
    /// What visitor tokens are signed with. `None`: a key that nobody knows after this run.
    pub visitor_tokens: Option<VisitorTokens>,
    /// What this process serves.
    pub serves: Serves,
    /// The Redis that several nodes share. Absent: the embedded stores.
    pub redis_url: Option<RedisUrl>,
    /// How long a user without a session still counts as online.
    pub offline_grace: Duration,
    /// After this time nothing that a silent node held is online any more.
    pub lease: Duration,
    /// Limits and intervals.
    pub settings: Settings,
    /// What the operator should be told in the log.
    pub notices: Vec<Notice>,
}

/// What a process serves, besides what its operators need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serves {
    /// The sockets.
    pub sockets: bool,
    /// The HTTP interface.
    pub api: bool,
}

/// Something that is allowed, but that the operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The development tenant is in use, with its public key.
    DevelopmentTenant,
    /// The shared secret is short.
    ShortSecret,
    /// The process serves only sockets, and shares nothing with the processes that serve the rest.
    Unshared,
    /// Visitor tokens are worth nothing after this run, nor on another node.
    PassingVisitorTokens,
}

/// A configuration that cannot be used, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl Config {
    /// The development tenant, the embedded store and the built-in settings.
    ///
    /// # Errors
    /// Never, while the built-in settings are valid, which a test says.
    pub fn development(listen: SocketAddr) -> Result<Self, ConfigError> {
        Ok(Self {
            listen,
            tenants: Tenants::development(),
            tenants_file: None,
            verifier: TokenVerifier::default(),
            key_set: None,
            visitor_tokens: None,
            serves: Serves {
                sockets: true,
                api: true,
            },
            redis_url: None,
            offline_grace: Duration::from_secs(2),
            lease: Duration::from_secs(15),
            settings: Settings::with_overrides("")?,
            notices: vec![Notice::DevelopmentTenant],
        })
    }

    /// Reads the files that a command line names, and judges all of it together.
    ///
    /// # Errors
    /// In one line, the first thing that cannot be.
    pub fn from_cli(cli: &Cli) -> Result<Self, ConfigError> {
        Self::judge(cli).map_err(|problems| {
            let mut problems = problems.into_iter();
            problems
                .next()
                .unwrap_or_else(|| ConfigError::new("the configuration cannot be used"))
        })
    }

    /// The same, but looks on when something cannot be.
    ///
    /// # Errors
    /// All that cannot be, a line each.
    pub fn judge(cli: &Cli) -> Result<Self, Vec<ConfigError>> {
        let mut problems = Problems::default();
        let mut notices = Vec::new();
        let serves = problems.note(serves(cli, &mut notices));
        problems.note(check_action(cli));
        let redis_url = problems.note(redis_url(cli));
        problems.note(check_durations(cli));
        let settings = problems.note(settings_of(cli));
        let listen = problems.note(resolve(&cli.listen));
        let tenants = listen.and_then(|listen| problems.note(tenants(cli, listen, &mut notices)));
        let verifier = problems.note(identity::verifier(cli, &mut notices));
        let key_set = settings
            .as_ref()
            .and_then(|settings| problems.note(identity::key_set(cli, settings)));
        let parts = (
            redis_url, settings, listen, tenants, verifier, key_set, serves,
        );
        let (
            Some(redis_url),
            Some(settings),
            Some(listen),
            Some(tenants),
            Some(verifier),
            Some(key_set),
            Some(serves),
            [],
        ) = (
            parts.0,
            parts.1,
            parts.2,
            parts.3,
            parts.4,
            parts.5,
            parts.6,
            &problems.0[..],
        )
        else {
            return Err(problems.0);
        };
        Ok(Self {
            listen,
            tenants,
            tenants_file: cli.tenants.clone(),
            verifier,
            key_set,
            visitor_tokens: identity::visitor_tokens(cli, &settings, &mut notices),
            serves,
            redis_url,
            offline_grace: cli.offline_grace,
            lease: cli.lease,
            settings,
            notices,
        })
    }
}

/// What cannot be, as far as it was found.
#[derive(Default)]
struct Problems(Vec<ConfigError>);

impl Problems {
    fn note<T>(&mut self, judged: Result<T, ConfigError>) -> Option<T> {
        judged.map_err(|problem| self.0.push(problem)).ok()
    }
}

fn serves(cli: &Cli, notices: &mut Vec<Notice>) -> Result<Serves, ConfigError> {
    let (sockets, api) = match cli.role {
        ServerRole::All | ServerRole::Presence | ServerRole::CheckConfig => (true, true),
        ServerRole::Ws => (true, false),
        ServerRole::Api => (false, true),
        ServerRole::Gateway => {
            return Err(ConfigError::new(
                "the role gateway is not available in this version; run the role all",
            ));
        }
    };
    if cli.redis_url.is_none() {
        // It would answer that nobody is online, whoever is.
        if !sockets {
            return Err(ConfigError::new(
                "the role api needs --redis-url: the sockets that it tells of are other processes'",
            ));
        }
        if !api {
            notices.push(Notice::Unshared);
        }
    }
    Ok(Serves { sockets, api })
}

/// The command line's parser asks for both where they are needed.
fn check_action(cli: &Cli) -> Result<(), ConfigError> {
    if cli.role == ServerRole::Presence || (cli.action.is_none() && cli.tenant.is_none()) {
        return Ok(());
    }
    let role = cli.role.as_str();
    Err(ConfigError::new(format!(
        "an action and --tenant belong to the role presence, not to {role}"
    )))
}

fn redis_url(cli: &Cli) -> Result<Option<RedisUrl>, ConfigError> {
    let parse = |url: &String| {
        RedisUrl::parse(url).map_err(|error| ConfigError::new(format!("--redis-url: {error}")))
    };
    cli.redis_url.as_ref().map(parse).transpose()
}

fn check_durations(cli: &Cli) -> Result<(), ConfigError> {
    if cli.lease < SHORTEST_LEASE {
        return Err(ConfigError::new("--lease must be at least 500ms"));
    }
    if cli.offline_grace > LONGEST_GRACE {
        return Err(ConfigError::new("--offline-grace must be at most 1h"));
    }
    Ok(())
}

fn settings_of(cli: &Cli) -> Result<Settings, ConfigError> {
    let in_file = |error: ConfigError| match &cli.config {
        Some(path) => error.in_file(path),
        None => error,
    };
    let mut settings = Settings::with_overrides(&settings_text(cli)?).map_err(in_file)?;
    if let Some(entries) = cli.stream_maxlen {
        settings.jobs.stream_maxlen = entries;
    }
    Ok(settings)
}

/// The operator's settings file; empty without one.
fn settings_text(cli: &Cli) -> Result<String, ConfigError> {
    cli.config
        .as_deref()
        .map_or_else(|| Ok(String::new()), read)
}

fn tenants(
    cli: &Cli,
    listen: SocketAddr,
    notices: &mut Vec<Notice>,
) -> Result<Tenants, ConfigError> {
    match &cli.tenants {
        Some(path) => tenants_of(path),
        None if listen.ip().is_loopback() => {
            notices.push(Notice::DevelopmentTenant);
            Ok(Tenants::development())
        }
        None => Err(ConfigError::new(format!(
            "without --tenants the server listens on a loopback address only, not on {listen}"
        ))),
    }
}

/// Reads a tenants file.
///
/// # Errors
/// In one line, what is wrong with it.
pub fn tenants_of(path: &Path) -> Result<Tenants, ConfigError> {
    Tenants::parse(&read(path)?).map_err(|error| ConfigError::new(error.to_string()).in_file(path))
}

impl ConfigError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    fn in_file(self, path: &Path) -> Self {
        Self(format!("{}: {}", path.display(), self.0))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::new(format!("cannot read {}: {error}", path.display())))
}

fn resolve(listen: &str) -> Result<SocketAddr, ConfigError> {
    let bad = || {
        ConfigError::new(format!(
            "--listen {listen}: an address is written like 127.0.0.1:3000"
        ))
    };
    listen
        .to_socket_addrs()
        .map_err(|_| bad())?
        .next()
        .ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn config(arguments: &[&str]) -> Result<Config, String> {
        let arguments = ["chat-server"].iter().chain(arguments);
        let cli = Cli::try_parse_from(arguments)
            .map_err(|error| cli::one_line(&error).unwrap_or_default())?;
        Config::from_cli(&cli).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:3000".parse().unwrap());
        assert_eq!(config.offline_grace, Duration::from_secs(2));
        assert_eq!(
            config.notices,
            [Notice::DevelopmentTenant, Notice::PassingVisitorTokens]
        );
        assert!(config.tenants.get("demo").is_some());
    }

    #[test]
    fn a_role_says_what_is_served() {
        let serves = |role: &str| {
            let config = config(&[role, "--redis-url", "redis://127.0.0.1"]).unwrap();
            (config.serves.sockets, config.serves.api)
        };
        assert_eq!(serves("all"), (true, true));
        assert_eq!(serves("ws"), (true, false));
        assert_eq!(serves("api"), (false, true));
        let alone = config(&["ws"]).unwrap();
        assert!(alone.notices.contains(&Notice::Unshared));
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(
            config(&["--offline-grace", "500ms"])
                .unwrap()
                .offline_grace
                .as_millis(),
            500
        );
        assert_eq!(
            config(&["--offline-grace", "1m"])
                .unwrap()
                .offline_grace
                .as_secs(),
            60
        );
    }

    #[test]
    fn the_streams_length_is_the_settings_unless_an_option_says_otherwise() {
        assert_eq!(config(&[]).unwrap().settings.jobs.stream_maxlen, 0);
        let trimmed = config(&["--stream-maxlen", "5000"]).unwrap();
        assert_eq!(trimmed.settings.jobs.stream_maxlen, 5000);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[jobs]\nstream_maxlen = 7").unwrap();
        let path = file.path().to_str().unwrap();
        let from_file = config(&["--config", path]).unwrap();
        assert_eq!(from_file.settings.jobs.stream_maxlen, 7);
        let both = config(&["--config", path, "--stream-maxlen", "0"]).unwrap();
        assert_eq!(both.settings.jobs.stream_maxlen, 0);
    }

    #[test]
    fn what_cannot_be_is_said_in_one_line() {
        let table: [(&[&str], &str); 25] = [
            (&["--nonsense"], "--nonsense"),
            (&["mars"], "mars"),
            (&["--listen", "nowhere"], "--listen nowhere"),
            (&["--listen", "0.0.0.0:0"], "--tenants"),
            (&["--tenants", "/no/such/file"], "/no/such/file"),
            (&["--config", "/no/such/file"], "/no/such/file"),
            (&["--offline-grace", "soon"], "500ms, 2s or 1m"),
            (&["--offline-grace"], "--offline-grace"),
            (&["--offline-grace", "2days"], "at most 1h"),
            (&["--lease", "0s"], "--lease"),
            (&["--jwt-secret", ""], "--jwt-secret"),
            (&["--jwt-public-key", "/no/such/file"], "/no/such/file"),
            (
                &["--jwks-url", "https://hunter2@issuer.example"],
                "--jwks-url",
            ),
            (&["--jwks-url", "http://issuer.example/hunter2"], "https"),
            (&["--jwt-issuer", "me"], "--jwt-issuer needs"),
            (&["--visitor-token-secret", ""], "--visitor-token-secret"),
            (
                &["--redis-url", "redis-sentinel://user:hunter2@localhost"],
                "--redis-url",
            ),
            (
                &["--redis-url", "redis://h1,redis-sentinel://hunter2/main"],
                "--redis-url",
            ),
            (
                &["--redis-url", "redis://h1/1,redis://hunter2/2"],
                "cluster like",
            ),
            (&["gateway", "--api-url", "http://a,http://b"], "gateway"),
            (&["api"], "--redis-url"),
            (&["presence"], "<ACTION>"),
            (&["presence", "list"], "--tenant"),
            (&["ws", "list"], "presence"),
            (&["--tenant", "42"], "presence"),
        ];
        for (arguments, expected) in table {
            let error = config(arguments).expect_err(expected);
            assert!(error.contains(expected), "{arguments:?} gave {error:?}");
            assert!(!error.contains('\n') && !error.is_empty(), "{error:?}");
            assert!(!error.contains("hunter2"), "{error:?}");
        }
    }
}
