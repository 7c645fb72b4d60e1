//! The servers that are behind the one way to Redis: one, or the primaries of a cluster.
//!
//! What is there is asked of it once. In a cluster, who has which slots is asked again and again, and
//! at once when a call finds it otherwise; each primary has a connection of its own, so that one that
//! is away holds up nobody but those who need it. What must stay true: the view that is newest by the
//! cluster's own counting wins, so that a server that is cut off from the others does not lead astray.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use super::retry::Retry;
use super::sentinel::{self, Sentinels};
use super::server::{Link, Place, Server, Trouble, in_time, keep, open};
use super::slots::Layout;
use super::url::{Address, Login, RedisUrl};

/// What is behind.
#[derive(Clone, Default)]
pub(super) enum Fleet {
    /// Nothing has answered yet.
    #[default]
    Unknown,
    /// One server.
    One(Arc<Server>),
    /// Several, of which each has a part.
    Cluster(Arc<Cluster>),
}

/// A cluster as it was seen last.
pub(super) struct Cluster {
    layout: Layout,
    /// One for each primary.
    servers: Vec<Arc<Server>>,
    /// Whether the cluster itself says that it works.
    works: bool,
}

/// What keeps something from being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwell {
    /// Nothing answers.
    Away,
    /// Some servers of a cluster do not answer.
    ShardsAway {
        /// How many.
        away: usize,
        /// Of how many.
        of: usize,
    },
    /// A part of the keys belongs to no server of the cluster.
    SlotsMissing,
    /// The servers answer, but the cluster says that it does not work.
    Refusing,
}

impl fmt::Display for Unwell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Away => "Redis is away",
            Self::ShardsAway { away, of } => {
                return write!(formatter, "{away} of {of} shards of Redis are away");
            }
            Self::SlotsMissing => "a part of the Redis cluster is on no server",
            Self::Refusing => "the Redis cluster says that it is down",
        })
    }
}

impl std::error::Error for Unwell {}

impl Fleet {
    /// All servers.
    pub(super) fn servers(&self) -> &[Arc<Server>] {
        match self {
            Self::Unknown => &[],
            Self::One(server) => std::slice::from_ref(server),
            Self::Cluster(cluster) => &cluster.servers,
        }
    }

    /// The server that has a slot; any that answers, where there is no slot.
    pub(super) fn server(&self, slot: Option<u16>) -> Option<&Arc<Server>> {
        match (self, slot) {
            (Self::Unknown, _) => None,
            (Self::One(server), _) => Some(server),
            (Self::Cluster(cluster), Some(slot)) => {
                cluster.servers.get(cluster.layout.owner(slot)?)
            }
            (Self::Cluster(cluster), None) => cluster.servers.iter().find(|server| server.is_up()),
        }
    }

    /// The connection to the server there, if it is known.
    pub(super) fn at(&self, address: &Address) -> Option<(Arc<Server>, Link)> {
        self.servers().iter().find_map(|server| {
            let link = server.link().filter(|link| link.address == *address)?;
            Some((Arc::clone(server), link))
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    pub(super) fn is_up(&self) -> bool {
        self.servers().iter().any(|server| server.is_up())
    }

    pub(super) fn health(&self) -> Result<(), Unwell> {
        if !self.is_up() {
            return Err(Unwell::Away);
        }
        let Self::Cluster(cluster) = self else {
            return Ok(());
        };
        let of = cluster.servers.len();
        let up = cluster.servers.iter().filter(|server| server.is_up());
        match of - up.count() {
            0 if !cluster.layout.is_whole() => Err(Unwell::SlotsMissing),
            0 if !cluster.works => Err(Unwell::Refusing),
            0 => Ok(()),
            away => Err(Unwell::ShardsAway { away, of }),
        }
    }
}

/// Finds out what is behind, and keeps the connections to it up.
pub(super) async fn conduct(shared: Arc<Shared>, url: RedisUrl) {
    let place = match find(&shared, url).await {
        Found::One(place) => place,
        Found::Cluster(seeds) => return survey_for_ever(shared, seeds).await,
    };
    let server = Server::new(place);
    shared.become_fleet(Fleet::One(Arc::clone(&server)));
    keep(shared, server).await;
}

pub(super) enum Found {
    One(Place),
    Cluster(Vec<Address>),
}

/// What a server says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Standalone,
    Sentinel,
    Cluster,
}

async fn find(shared: &Shared, url: RedisUrl) -> Found {
    if let Some(name) = url.master {
        let places = url.seeds;
        return Found::One(Place::Master(Sentinels { places, name }));
    }
    let mut retry = Retry::new(shared.settings.longest_retry);
    loop {
        match find_once(shared, &url.seeds).await {
            Ok(found) => return found,
            Err(trouble) => retry.wait(&trouble).await,
        }
    }
}

pub(super) async fn find_once(shared: &Shared, seeds: &[Address]) -> Result<Found, Trouble> {
    let ask = async |seed| Ok::<_, Trouble>((seed, mode_of(shared, seed).await?));
    let (seed, mode) = first(seeds.iter().map(ask)).await?;
    match mode {
        Mode::Cluster if shared.login.database() != 0 => Err(Trouble::Database),
        Mode::Cluster => Ok(Found::Cluster(seeds.to_vec())),
        Mode::Sentinel => Ok(Found::One(Place::Master(Sentinels {
            places: seeds.to_vec(),
            name: sentinel::only_master(shared, seed).await?,
        }))),
        Mode::Standalone => match seeds {
            [only] => Ok(Found::One(Place::At(only.clone()))),
            _ => Err(Trouble::NoCluster),
        },
    }
}

/// The first that goes well.
async fn first<T>(
    attempts: impl Iterator<Item = impl Future<Output = Result<T, Trouble>>>,
) -> Result<T, Trouble> {
    let mut attempts: FuturesUnordered<_> = attempts.collect();
    let mut trouble = Trouble::Late;
    while let Some(outcome) = attempts.next().await {
        match outcome {
            Ok(value) => return Ok(value),
            Err(error) => trouble = error,
        }
    }
    Err(trouble)
}

async fn mode_of(shared: &Shared, address: &Address) -> Result<Mode, Trouble> {
    let login = shared.login.without_database();
    let outcome = ask_mode(shared, &login, address).await;
    if outcome.is_ok() || !login.shows_password() {
        return outcome;
    }
    // A sentinel without a password turns away whoever shows the master's.
    match ask_mode(shared, &login.unnamed(), address).await {
        Ok(Mode::Sentinel) => Ok(Mode::Sentinel),
        Ok(Mode::Standalone | Mode::Cluster) | Err(_) => outcome,
    }
}

async fn ask_mode(shared: &Shared, login: &Login, address: &Address) -> Result<Mode, Trouble> {
    let mut connection = open(shared, login, address).await?;
    let mut command = redis::cmd("INFO");
    command.arg("server");
    match command.query_async::<String>(&mut connection).await {
        Ok(info) => Ok(read_mode(&info)),
        // Somebody who may not ask, or something that only speaks like a Redis.
        Err(error) if !error.is_io_error() => Ok(Mode::Standalone),
        Err(error) => Err(error.into()),
    }
}

fn read_mode(info: &str) -> Mode {
    match field(info, "redis_mode").or_else(|| field(info, "server_mode")) {
        Some("cluster") => Mode::Cluster,
        Some("sentinel") => Mode::Sentinel,
        Some(_) | None => Mode::Standalone,
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// What a server of a cluster says about it.
struct View {
    /// The higher, the newer.
    epoch: u64,
    works: bool,
    layout: Layout,
}

/// A server with the task that keeps the connection to it.
type Kept = (Arc<Server>, AbortOnDropHandle<()>);

async fn survey_for_ever(shared: Arc<Shared>, seeds: Vec<Address>) {
    let mut kept: HashMap<Address, Kept> = HashMap::new();
    let mut retry = Retry::new(shared.settings.longest_retry);
    // However many calls fail, nobody is asked the more often for it.
    let mut pace = Retry::new(shared.settings.probe_interval);
    loop {
        match survey(&shared, &seeds).await {
            Ok(view) => {
                retry = Retry::new(shared.settings.longest_retry);
                if take_over(&shared, &mut kept, view) {
                    pace = Retry::new(shared.settings.probe_interval);
                }
            }
            Err(trouble) => {
                retry.wait(&trouble).await;
                continue;
            }
        }
        tokio::select! {
            () = shared.doubt.notified() => pace.pause().await,
            () = tokio::time::sleep(shared.settings.probe_interval) => {
                pace = Retry::new(shared.settings.probe_interval);
            }
        }
    }
}

/// Asks all primaries, and if none answers, everybody who has ever been heard of.
async fn survey(shared: &Shared, seeds: &[Address]) -> Result<View, Trouble> {
    let fleet = shared.fleet.read().clone();
    let links = fleet.servers().iter().filter_map(|server| server.link());
    let asked = links.map(async |link| view(shared, link.connection, &link.address).await);
    if let Ok(view) = newest(asked).await {
        return Ok(view);
    }
    let mut places = seeds.to_vec();
    if let Fleet::Cluster(cluster) = &fleet {
        places.extend_from_slice(&cluster.layout.primaries);
        places.extend_from_slice(&cluster.layout.replicas);
    }
    places.sort();
    places.dedup();
    let asked = places.iter().map(async |place| {
        let connection = open(shared, &shared.login, place).await?;
        view(shared, connection, place).await
    });
    newest(asked).await
}

async fn newest(
    asked: impl Iterator<Item = impl Future<Output = Result<View, Trouble>>>,
) -> Result<View, Trouble> {
    let views = futures_util::future::join_all(asked).await;
    let mut trouble = Trouble::NoSlots;
    let mut newest: Option<View> = None;
    for view in views {
        match view {
            // Of equals the one that works: the other has only just been cut off, or come back.
            Ok(view) => newest = newest.into_iter().chain([view]).max_by_key(View::rank),
            Err(error) => trouble = error,
        }
    }
    newest.ok_or(trouble)
}

impl View {
    fn rank(&self) -> (u64, bool) {
        (self.epoch, self.works)
    }
}

async fn view(
    shared: &Shared,
    mut connection: MultiplexedConnection,
    address: &Address,
) -> Result<View, Trouble> {
    let mut commands = redis::pipe();
    commands.cmd("CLUSTER").arg("INFO");
    commands.cmd("CLUSTER").arg("SLOTS");
    let limit = shared.settings.response_timeout;
    let asking = async { commands.query_async(&mut connection).await };
    let (info, slots): (String, Value) = in_time(limit, asking).await?;
    let layout = Layout::read(slots, address).filter(|layout| !layout.primaries.is_empty());
    let epoch = field(&info, "cluster_current_epoch").and_then(|epoch| epoch.parse().ok());
    Ok(View {
        epoch: epoch.unwrap_or(0),
        works: field(&info, "cluster_state") == Some("ok"),
        layout: layout.ok_or(Trouble::NoSlots)?,
    })
}

/// Takes a view for the truth, and says whether that changes anything.
fn take_over(shared: &Arc<Shared>, kept: &mut HashMap<Address, Kept>, view: View) -> bool {
    let View { layout, works, .. } = view;
    let known = shared.fleet.read().clone();
    let mut same_servers = false;
    if let Fleet::Cluster(known) = known {
        if known.layout == layout && known.works == works {
            return false;
        }
        same_servers = layout.has_primaries_of(&known.layout);
    }
    // Dropping one ends the task that keeps it; whoever still holds it must find no connection.
    kept.retain(|address, (server, _)| {
        let stays = layout.primaries.contains(address);
        if !stays {
            server.retire();
        }
        stays
    });
    let begin = |address: &Address| {
        let server = Server::new(Place::At(address.clone()));
        let keeping = tokio::spawn(keep(Arc::clone(shared), Arc::clone(&server)));
        (server, AbortOnDropHandle::new(keeping))
    };
    let servers = layout.primaries.iter().map(|address| {
        let (server, _) = kept
            .entry(address.clone())
            .or_insert_with(|| begin(address));
        Arc::clone(server)
    });
    let servers = servers.collect();
    tracing::info!(servers = ?layout.primaries, works, "the Redis cluster is another");
    shared.become_fleet(Fleet::Cluster(Arc::new(Cluster {
        layout,
        servers,
        works,
    })));
    if !same_servers {
        // Whoever is told of it must find the servers that it is about.
        shared.renew();
        shared.turn();
    }
    true
}
