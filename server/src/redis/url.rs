//! Where a Redis is: the texts that say it, and what they come to.
//!
//! What must stay true: no password is in a log, an error or a debugging text.

use std::fmt;
use std::sync::Arc;

use redis::{
    Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo,
    RedisError,
};

/// Where a Redis is: one server, several of a cluster, or those who know the master. It may hold a
/// password, so it is never shown.
#[derive(Clone)]
pub struct RedisUrl {
    /// Servers to begin with, at least one.
    pub(super) seeds: Vec<Address>,
    pub(super) login: Login,
    /// The master's name, if the seeds are said to be sentinels.
    pub(super) master: Option<String>,
}

/// A text that is no URL of a Redis. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRedisUrl;

/// A server's host and port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    pub(super) host: Arc<str>,
    pub(super) port: u16,
}

/// How to come in.
#[derive(Clone)]
pub(super) struct Login {
    settings: RedisConnectionInfo,
    encrypted: bool,
}

/// A URL as it is written.
struct Written<'a> {
    sentinel: bool,
    encrypted: bool,
    userinfo: Option<&'a str>,
    hosts: Vec<&'a str>,
    /// What stands between slashes after the hosts.
    path: Vec<&'a str>,
}

/// Schemes, whether they name sentinels, and whether they are encrypted.
const SCHEMES: [(&str, bool, bool); 6] = [
    ("redis://", false, false),
    ("rediss://", false, true),
    ("valkey://", false, false),
    ("valkeys://", false, true),
    ("redis-sentinel://", true, false),
    ("rediss-sentinel://", true, true),
];

/// Where a sentinel is, unless it is said.
const SENTINEL_PORT: &str = ":26379";

impl RedisUrl {
    /// Reads `redis://[user[:password]@]host[:port][,…][/database]`, where each further host may have
    /// the scheme before it, or `redis-sentinel://[user:password@]host[:port][,…]/master[/database]`.
    /// `rediss` and `rediss-sentinel` are the same over TLS.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn parse(text: &str) -> Result<Self, BadRedisUrl> {
        let written = Written::read(text).ok_or(BadRedisUrl)?;
        let (master, database) = match (written.sentinel, &*written.path) {
            (false, []) => (None, ""),
            (false, [database]) => (None, *database),
            (true, [master]) if !master.is_empty() => (Some((*master).to_owned()), ""),
            (true, [master, database]) if !master.is_empty() => {
                (Some((*master).to_owned()), *database)
            }
            _ => return Err(BadRedisUrl),
        };
        let mut settings = None;
        let mut seeds = Vec::with_capacity(written.hosts.len());
        for host in &written.hosts {
            let client = Client::open(written.single(host, database)).map_err(|_| BadRedisUrl)?;
            let info = client.get_connection_info();
            seeds.push(Address::of(info.addr()).ok_or(BadRedisUrl)?);
            settings.get_or_insert_with(|| info.redis_settings().clone());
        }
        let login = Login {
            settings: settings.ok_or(BadRedisUrl)?,
            encrypted: written.encrypted,
        };
        Ok(Self {
            seeds,
            login,
            master,
        })
    }
}

impl<'a> Written<'a> {
    fn read(text: &'a str) -> Option<Self> {
        // Nothing is asked for this way, and what follows would be taken for a name.
        if text.contains(['?', '#']) {
            return None;
        }
        let (scheme, sentinel, encrypted) = SCHEMES
            .into_iter()
            .find(|(scheme, ..)| text.starts_with(scheme))?;
        let mut whole = Self {
            sentinel,
            encrypted,
            userinfo: None,
            hosts: Vec::new(),
            path: Vec::new(),
        };
        let again = [",", scheme].concat();
        for part in text[scheme.len()..].split(&*again) {
            whole.add(part)?;
        }
        Some(whole)
    }

    /// Adds hosts; what else is said must be what has been said before.
    fn add(&mut self, part: &'a str) -> Option<()> {
        // A password may hold anything but what ends it.
        let (userinfo, place) = match part.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, part),
        };
        let mut pieces = place.split('/');
        let hosts: Vec<&str> = pieces.next()?.split(',').collect();
        let mut path: Vec<&str> = pieces.collect();
        if path.last().is_some_and(|last| last.is_empty()) {
            path.pop();
        }
        let agree = |said: bool, same: bool, first: bool| !said || same || first;
        let first = self.hosts.is_empty();
        let users = agree(userinfo.is_some(), userinfo == self.userinfo, first);
        let paths = agree(
            !path.is_empty(),
            path == self.path,
            first || self.path.is_empty(),
        );
        if !users || !paths || hosts.contains(&"") {
            return None;
        }
        self.userinfo = self.userinfo.or(userinfo);
        if !path.is_empty() {
            self.path = path;
        }
        self.hosts.extend(hosts);
        Some(())
    }

    /// The URL of one of the hosts, for the library, which decodes it.
    fn single(&self, host: &str, database: &str) -> String {
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.ends_with(']'));
        let port = if self.sentinel && !has_port {
            SENTINEL_PORT
        } else {
            ""
        };
        let (userinfo, at) = self.userinfo.map_or(("", ""), |userinfo| (userinfo, "@"));
        ["redis://", userinfo, at, host, port, "/", database].concat()
    }
}

impl Address {
    /// Reads `host:port`, as servers write it. An empty host is the one that says so.
    pub(super) fn read(text: &str, said_by: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self::new(host, port.parse().ok()?, said_by))
    }

    /// The address of a host. An empty one is the one that says so.
    pub(super) fn new(host: &str, port: u16, said_by: &Self) -> Self {
        let host = match host {
            "" => Arc::clone(&said_by.host),
            named => named.into(),
        };
        Self { host, port }
    }

    fn of(address: &ConnectionAddr) -> Option<Self> {
        // The rest are files, or what a later version of the library may know.
        let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = address
        else {
            return None;
        };
        Some(Self {
            host: host.as_str().into(),
            port: *port,
        })
    }
}

impl Login {
    /// The number of the database.
    pub(super) fn database(&self) -> i64 {
        self.settings.db()
    }

    /// Whether a password is shown.
    pub(super) fn shows_password(&self) -> bool {
        self.settings.password().is_some()
    }

    /// The same way in for somebody who shows nothing and wants no database.
    pub(super) fn unnamed(&self) -> Self {
        Self {
            settings: RedisConnectionInfo::default(),
            encrypted: self.encrypted,
        }
    }

    /// The same without a choice of the database.
    pub(super) fn without_database(&self) -> Self {
        Self {
            settings: self.settings.clone().set_db(0),
            encrypted: self.encrypted,
        }
    }

    /// A client of the server there.
    pub(super) fn client(
        &self,
        address: &Address,
        protocol: ProtocolVersion,
    ) -> Result<Client, RedisError> {
        let host = address.host.to_string();
        let port = address.port;
        let place = if self.encrypted {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = place
            .into_connection_info()?
            .set_redis_settings(self.settings.clone().set_protocol(protocol));
        Client::open(info)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port}")
        } else {
            write!(formatter, "{host}:{port}")
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seeds: Vec<String> = self.seeds.iter().map(ToString::to_string).collect();
        write!(formatter, "RedisUrl({}", seeds.join(","))?;
        if let Some(master) = &self.master {
            write!(formatter, "/{master}")?;
        }
        formatter.write_str(")")
    }
}

impl fmt::Display for BadRedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a Redis is written like redis://user:password@host:6379/0, a cluster like \
             redis://host:7000,host:7001, and with sentinels like redis-sentinel://host:26379/master",
        )
    }
}

impl std::error::Error for BadRedisUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_go() {
        let table = [
            ("redis://localhost", "localhost:6379"),
            ("redis://user:hunter2@localhost:7000/3", "localhost:7000"),
            ("redis://:hunt,er2@localhost", "localhost:6379"),
            ("rediss://localhost/", "localhost:6379"),
            ("valkey://[::1]:7000", "[::1]:7000"),
            ("redis://h1:7000,h2,h3:7002", "h1:7000,h2:6379,h3:7002"),
            ("redis://h1:7000,redis://h2:7001/0", "h1:7000,h2:7001"),
            (
                "redis://u:p@h1,redis://u:p@h2,h3",
                "h1:6379,h2:6379,h3:6379",
            ),
            ("redis-sentinel://s1/main", "s1:26379/main"),
            (
                "redis-sentinel://u:p@s1:1,s2,[::2]/main/4",
                "s1:1,s2:26379,[::2]:26379/main",
            ),
            (
                "rediss-sentinel://s1:5,rediss-sentinel://s2/main",
                "s1:5,s2:26379/main",
            ),
        ];
        for (text, expected) in table {
            let url = RedisUrl::parse(text).expect(text);
            assert_eq!(
                format!("{url:?}"),
                format!("RedisUrl({expected})"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_login_holds_for_all_hosts() {
        let url = RedisUrl::parse("redis-sentinel://us%40er:p%2Cw@s1,s2/main/4").unwrap();
        assert_eq!(url.login.settings.username(), Some("us@er"));
        assert_eq!(url.login.settings.password(), Some("p,w"));
        assert_eq!(url.login.database(), 4);
        assert!(!url.login.unnamed().shows_password());
        assert_eq!(url.login.without_database().database(), 0);
    }

    #[test]
    fn anything_else_is_refused_and_not_repeated() {
        let table = [
            "",
            "localhost:6379",
            "http://hunter2@localhost",
            "unix:///hunter2.sock",
            "redis://",
            "redis://:hunter2",
            "redis://hunter2@localhost:port",
            "redis://localhost/hunter2",
            "redis://localhost/0/hunter2",
            "redis://localhost?password=hunter2",
            "redis://localhost/#hunter2",
            "redis://h1,,hunter2",
            "redis://u:hunter2@h1,redis://u:hunter3@h2",
            "redis://h1/1,redis://h2/2",
            "redis://h1,rediss://hunter2",
            "redis-sentinel://hunter2",
            "redis-sentinel://hunter2/",
            "redis-sentinel://s1/main/hunter2",
        ];
        for text in table {
            let error = RedisUrl::parse(text).expect_err(text).to_string();
            assert!(!error.contains("hunter"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_address_without_a_host_is_of_the_one_who_says_it() {
        let own = Address {
            host: "own".into(),
            port: 1,
        };
        let read = |text: &str| Address::read(text, &own).map(|address| address.to_string());
        assert_eq!(read("other:7").as_deref(), Some("other:7"));
        assert_eq!(read(":7").as_deref(), Some("own:7"));
        assert_eq!(read("::1:7").as_deref(), Some("[::1]:7"));
        assert_eq!(read("other"), None);
    }
}
