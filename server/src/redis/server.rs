//! One server, and the connection to it.
//!
//! What must stay true: after a command whose outcome is not known the connection is given up, so that
//! whatever is sent afterwards is sent over a new one; a connection is used only when the server has
//! answered over it, and, where sentinels are asked, has said that it is the master.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ErrorKind, FromRedisValue as _, ProtocolVersion, RedisError,
    ServerErrorKind, Value,
};

use super::Shared;
use super::retry::Retry;
use super::sentinel::Sentinels;
use super::url::{Address, Login};

/// Commands that may be on their way at a time before further ones wait to be sent.
pub(super) const PIPELINE_DEPTH: usize = 1024;

/// A server that is there most of the time.
pub(super) struct Server {
    place: Place,
    link: Mutex<Option<Link>>,
}

/// How to find a server.
pub(super) enum Place {
    /// It is always there.
    At(Address),
    /// It is whichever is the master.
    Master(Sentinels),
}

/// A connection, told apart from those before it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) number: u64,
    /// Where it leads.
    pub(super) address: Address,
    pub(super) connection: MultiplexedConnection,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The library says why.
    Failed(RedisError),
    /// It takes too long.
    Late,
    /// The server is a replica.
    NotMaster,
    /// No sentinel knows the master.
    NoMaster,
    /// A sentinel looks after several masters, or none, and the URL does not say which is meant.
    WhichMaster,
    /// The URL has several servers, but they are neither a cluster nor sentinels.
    NoCluster,
    /// The URL says a database that a cluster has not.
    Database,
    /// No server of the cluster says who has what.
    NoSlots,
}

impl Server {
    pub(super) fn new(place: Place) -> Arc<Self> {
        let link = Mutex::default();
        Arc::new(Self { place, link })
    }

    /// The connection, if there is one.
    pub(super) fn link(&self) -> Option<Link> {
        self.link.lock().clone()
    }

    /// Whether it answers.
    pub(super) fn is_up(&self) -> bool {
        self.link.lock().is_some()
    }

    /// Whether this is still the connection.
    pub(super) fn is_linked_by(&self, number: u64) -> bool {
        let link = self.link.lock();
        link.as_ref().is_some_and(|link| link.number == number)
    }

    /// Takes the connection into use.
    pub(super) fn begin(&self, link: Link) {
        *self.link.lock() = Some(link);
    }

    /// Gives a connection up, and says where it led; `None` if that has been done already.
    pub(super) fn end(&self, number: u64) -> Option<Address> {
        let mut link = self.link.lock();
        let ended = link.take_if(|link| link.number == number)?;
        Some(ended.address)
    }

    /// Gives whatever connection there is up.
    pub(super) fn retire(&self) {
        *self.link.lock() = None;
    }

    /// Makes a connection, but does not take it into use.
    async fn establish(
        &self,
        shared: &Shared,
    ) -> Result<(Address, MultiplexedConnection), Trouble> {
        match &self.place {
            Place::At(address) => {
                let connection = open(shared, &shared.login, address).await?;
                Ok((address.clone(), connection))
            }
            Place::Master(sentinels) => sentinels.establish(shared).await,
        }
    }

    async fn probe(&self, connection: &mut MultiplexedConnection) -> Result<(), Trouble> {
        match self.place {
            Place::At(_) => ping(connection).await,
            Place::Master(_) => must_be_master(connection).await,
        }
    }
}

/// Keeps a connection to a server up.
pub(super) async fn keep(shared: Arc<Shared>, server: Arc<Server>) {
    let mut retry = Retry::new(shared.settings.longest_retry);
    loop {
        let (address, connection) = match server.establish(&shared).await {
            Ok(established) => established,
            Err(trouble) => {
                retry.wait(&trouble).await;
                continue;
            }
        };
        let begun = shared.clock.now();
        tracing::info!(%address, "connected to Redis");
        let number = shared.begin(&server, address, connection.clone());
        attend(&shared, &server, number, connection).await;
        retry.succeeded(shared.clock.now().saturating_sub(begun));
        retry.pause().await;
    }
}

/// Probes a connection until it is given up.
async fn attend(
    shared: &Shared,
    server: &Server,
    number: u64,
    mut connection: MultiplexedConnection,
) {
    loop {
        let probe = tokio::time::sleep(shared.settings.probe_interval);
        tokio::select! {
            () = shared.until(|_| !server.is_linked_by(number)) => return,
            () = probe => if let Err(trouble) = server.probe(&mut connection).await {
                shared.give_up(server, number, &trouble);
            },
        }
    }
}

/// Connects to a server, and waits until it answers.
pub(super) async fn open(
    shared: &Shared,
    login: &Login,
    address: &Address,
) -> Result<MultiplexedConnection, Trouble> {
    let config = config(shared);
    let mut connection = connect(shared, login, address, ProtocolVersion::RESP2, &config).await?;
    // A Redis that is still reading its data from disk accepts connections, but answers nothing.
    ping(&mut connection).await?;
    Ok(connection)
}

/// How connections are made.
pub(super) fn config(shared: &Shared) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(shared.settings.connect_timeout))
        .set_response_timeout(Some(shared.settings.response_timeout))
        .set_pipeline_buffer_size(PIPELINE_DEPTH)
}

/// Connects to a server.
pub(super) async fn connect(
    shared: &Shared,
    login: &Login,
    address: &Address,
    protocol: ProtocolVersion,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, Trouble> {
    let client = login.client(address, protocol)?;
    // The library's limit does not cover the first exchange.
    let limit = shared.settings.connect_timeout + shared.settings.response_timeout;
    let connecting = client.get_multiplexed_async_connection_with_config(config);
    in_time(limit, connecting).await
}

/// Waits for an exchange, though not for ever.
pub(super) async fn in_time<T>(
    limit: Duration,
    exchange: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, exchange).await {
        Ok(outcome) => outcome.map_err(Trouble::Failed),
        Err(_) => Err(Trouble::Late),
    }
}

async fn ping(connection: &mut MultiplexedConnection) -> Result<(), Trouble> {
    let ping = redis::cmd("PING");
    Ok(ping.query_async::<()>(connection).await?)
}

/// Asks a server whether it is the master.
pub(super) async fn must_be_master(connection: &mut MultiplexedConnection) -> Result<(), Trouble> {
    let role: Vec<Value> = redis::cmd("ROLE").query_async(connection).await?;
    let name = role.into_iter().next().map(String::from_redis_value);
    match name {
        Some(Ok(name)) if name == "master" => Ok(()),
        Some(_) | None => Err(Trouble::NotMaster),
    }
}

/// Whether nothing good can come over the connection any more.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || [
            ErrorKind::Server(ServerErrorKind::BusyLoading),
            ErrorKind::Server(ServerErrorKind::MasterDown),
            ErrorKind::Server(ServerErrorKind::ReadOnly),
        ]
        .contains(&error.kind())
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Failed(error) => return fmt::Display::fmt(error, formatter),
            Self::Late => "it does not answer in time",
            Self::NotMaster => "it is a replica",
            Self::NoMaster => "no sentinel knows a master of that name",
            Self::WhichMaster => {
                "the sentinel has not exactly one master; redis-sentinel:// says which"
            }
            Self::NoCluster => "there are several servers, but neither a cluster nor sentinels",
            Self::Database => "a cluster has no database but 0",
            Self::NoSlots => "nobody has slots of the cluster",
        })
    }
}

impl std::error::Error for Trouble {}
