//! One server from start to stop.
//!
//! Stopping has two stages. Soft: no new connections, sockets are told and leave the presence state,
//! running requests finish. Hard: what is still open when patience ends is dropped.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chat_socketio::{Hub, NodeTag};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::Gate;
use crate::auth::shared_secret::Secret;
use crate::auth::visitor_token::VisitorTokens;
use crate::chat::feeds::Feeds;
use crate::chat::rooms::LocalRooms;
use crate::chat::{Chat, Member, Open, Sockets, announcer};
use crate::clock::Clock;
use crate::config::{Config, Notice, Settings, tenants_of};
use crate::http::{self, Readiness};
use crate::listener::Listener;
use crate::messages::{Bus, MemoryMessageStore, RedisMessageStore};
use crate::node::NodeName;
use crate::presence::redis::{Options, Random};
use crate::presence::{Announcer, MemoryPresenceStore, PresenceStore as _, RedisPresenceStore};
use crate::redis::Redis;
use crate::stores::{Messages, Presence};
use crate::telemetry::Metrics;
use crate::tenants::DEVELOPMENT_ADMIN_KEY;
use crate::tls::Tls;

/// A running server.
pub struct Server {
    address: SocketAddr,
    tenants_file: Option<PathBuf>,
    tls: Option<Arc<Tls>>,
    chat: Arc<Chat<Presence, Messages>>,
    readiness: Readiness,
    stop_accepting: CancellationToken,
    serving: JoinHandle<()>,
    keys: JoinHandle<()>,
    presence: JoinHandle<()>,
    feeds: JoinHandle<()>,
    bus: JoinHandle<()>,
}

/// The address cannot be listened on.
#[derive(Debug)]
pub struct StartError {
    pub(crate) listen: SocketAddr,
    pub(crate) cause: std::io::Error,
}

/// What a server still held when it had stopped. All zero, if everything was put away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// Transport sessions.
    pub sessions: usize,
    /// Sockets, connected or counted as such.
    pub sockets: u64,
    /// Whether a session is still counted as online.
    pub online: bool,
}

impl Server {
    /// Listens and serves. Returns as soon as connections are accepted.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let failed = |cause| StartError {
            listen: config.listen,
            cause,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // Not before: a start that fails says one thing, that it failed.
        for notice in &config.notices {
            log_notice(*notice);
        }

        let clock = Clock::start();
        let metrics = Arc::new(Metrics::new());
        let node_tag = NodeTag::random();
        let hub: Hub<Member> = Hub::new(socket_config(&config.settings, node_tag));
        let redis = connect_redis(&config, clock, &metrics);
        if let Some(redis) = &redis {
            // A Redis that is there is to be known before the first client comes. One that is not
            // keeps nobody out: the server is not ready then, and says so.
            let limit = config.settings.redis.connect_timeout;
            if tokio::time::timeout(limit, redis.up()).await.is_err() {
                tracing::warn!("starting without Redis");
            }
        }
        let node = NodeName::of(Uuid::new_v4());
        tracing::debug!(%node, "this node's name");
        let feeds = Arc::new(Feeds::new(
            hub.clone(),
            Arc::clone(&metrics),
            clock,
            config.settings.online_users.clone(),
        ));
        let announcer = announcer(hub.clone(), Arc::clone(&metrics), Arc::clone(&feeds));
        let (presence, messages) = stores(&config, redis.as_ref(), &node, clock, announcer);
        let rooms = LocalRooms(hub.clone());
        let bus = match &redis {
            Some(redis) => {
                let metrics = Arc::clone(&metrics);
                Bus::on(redis, node, clock, &config.settings, rooms, metrics)
            }
            None => Bus::alone(rooms),
        };
        bus.ready().await;
        let presence = Arc::new(presence);
        let lifetime = config.settings.authentication.visitor_token_lifetime;
        let (visitor_tokens, shared) = signing(config.visitor_tokens, lifetime, redis.as_ref());
        let chat = Arc::new(Chat {
            clock,
            gate: Gate::new(
                clock,
                config.tenants,
                config.verifier,
                visitor_tokens,
                config.key_set,
                &config.settings.authentication,
            ),
            open: Open::new(&config.settings, clock.now()),
            settings: config.settings,
            hub: hub.clone(),
            presence: Arc::clone(&presence),
            feeds: Arc::clone(&feeds),
            messages: Arc::new(messages),
            bus: Arc::new(bus),
            metrics,
        });
        let readiness = Readiness::with(redis).tagged(node_tag);
        let sockets = hub.router(Sockets(Arc::clone(&chat)));
        let router = http::router(&chat, config.serves, sockets, &readiness);

        let stop_accepting = CancellationToken::new();
        let tls = config.tls.map(Arc::new);
        let listener = Listener::new(
            listener,
            tls.clone(),
            router,
            &chat.settings,
            Arc::clone(&chat.metrics),
        );
        let serving = tokio::spawn(listener.run(stop_accepting.clone()));
        let watched = Arc::clone(&presence);
        let feeds = tokio::spawn(async move { match feeds.run(&*watched).await {} });
        let presence = tokio::spawn(async move { match presence.run().await {} });
        let telling = Arc::clone(&chat);
        let bus = tokio::spawn(async move { match telling.bus.run(&*telling.presence).await {} });
        let gate = Arc::clone(&chat);
        let keys = tokio::spawn(async move { match gate.gate.run(shared).await {} });
        Ok(Self {
            address,
            tenants_file: config.tenants_file,
            tls,
            chat,
            readiness,
            stop_accepting,
            serving,
            keys,
            presence,
            feeds,
            bus,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is spoken to over HTTPS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads again what is in files: the tenants and the certificate.
    pub fn reload(&self) {
        self.reload_tenants();
        if let Some(tls) = &self.tls {
            tls.reload_logged();
        }
    }

    /// Reads the tenants file again. A bad file changes nothing and is logged; sockets whose tenant or
    /// key is gone are disconnected, and all others stay. Origins are judged when somebody comes.
    pub fn reload_tenants(&self) {
        let Some(path) = &self.tenants_file else {
            tracing::warn!("there is no tenants file to read again");
            return;
        };
        match tenants_of(path) {
            Ok(tenants) => {
                let gone = self.chat.exchange_tenants(tenants);
                tracing::info!(disconnected = gone, "read the tenants again");
            }
            Err(error) => tracing::error!(%error, "the tenants stay as they are"),
        }
    }

    /// Stops in two stages, within the patience of the settings and a little.
    pub async fn stop(mut self) -> Leftovers {
        let patience = self.chat.settings.shutdown.patience;
        self.readiness.stop();
        self.stop_accepting.cancel();
        let soft = async {
            // First, so that the sockets' ends are nobody's business but this process's.
            self.chat.presence.stop().await;
            self.chat.hub.shutdown().await;
            // Only an abort could make this an error, and nobody else holds the handle.
            let _ended = (&mut self.serving).await;
        };
        if tokio::time::timeout(patience, soft).await.is_err() {
            tracing::warn!("not everything ended in time; dropping the rest");
        }
        Leftovers {
            sessions: self.chat.hub.session_count(),
            sockets: self.chat.open.sockets(),
            online: self.chat.presence.has_sessions(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
        self.keys.abort();
        self.presence.abort();
        self.feeds.abort();
        self.bus.abort();
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "cannot listen on {}: {}",
            self.listen, self.cause
        )
    }
}

impl std::error::Error for StartError {}

fn stores(
    config: &Config,
    redis: Option<&Redis>,
    node: &NodeName,
    clock: Clock,
    announce: Announcer,
) -> (Presence, Messages) {
    let settings = &config.settings;
    let history = settings.history.clone();
    let Some(redis) = redis else {
        let presence = MemoryPresenceStore::new(
            node.clone(),
            clock,
            config.offline_grace,
            fresh_epoch(),
            announce,
        );
        let messages = MemoryMessageStore::new(clock, history);
        return (Presence::Memory(presence), Messages::Memory(messages));
    };
    let options = Options {
        grace: config.offline_grace,
        lease: config.lease,
        patience: settings.redis.response_timeout,
    };
    let random: Random = Arc::new(|| Uuid::new_v4().as_u128());
    let presence = RedisPresenceStore::new(
        redis.clone(),
        clock,
        random,
        node.as_str(),
        options,
        announce,
    );
    let messages = RedisMessageStore::new(redis.clone(), history, settings.jobs.clone());
    (Presence::Redis(presence), Messages::Redis(messages))
}

fn socket_config(settings: &Settings, node_tag: NodeTag) -> chat_socketio::Config {
    let socket = &settings.socket;
    chat_socketio::Config {
        ping_interval: socket.ping_interval,
        ping_timeout: socket.ping_timeout,
        connect_timeout: socket.connect_timeout,
        close_timeout: socket.close_timeout,
        shutdown_rate: settings.shutdown.closes_per_second,
        shutdown_spread: settings.shutdown.spread,
        max_payload: socket.max_payload_bytes,
        max_outgoing_bytes: socket.max_outgoing_bytes,
        max_outgoing_frames: socket.max_outgoing_frames,
        max_sessions: settings.connections.total,
        node_tag: Some(node_tag),
        ..chat_socketio::Config::default()
    }
}

/// Tells one run of the counting of presence changes from the next.
fn fresh_epoch() -> u32 {
    let [a, b, c, d, ..] = Uuid::new_v4().into_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// Begins to connect to Redis, if there is one.
pub(crate) fn connect_redis(
    config: &Config,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> Option<Redis> {
    let url = config.redis_url.as_ref()?;
    let metrics = Arc::clone(metrics);
    let observe = Box::new(move |exchange| metrics.redis_exchange(exchange));
    Some(Redis::connect(url, &config.settings.redis, clock, observe))
}

/// What visitor tokens are signed with, and where to agree on that with others: where the operator has given
/// nothing, on Redis, if there is one.
pub(crate) fn signing(
    given: Option<VisitorTokens>,
    lifetime: Duration,
    redis: Option<&Redis>,
) -> (VisitorTokens, Option<(Redis, Secret)>) {
    if let Some(tokens) = given {
        return (tokens, None);
    }
    let secret = fresh_secret();
    let tokens = VisitorTokens::new(&secret, lifetime).provisional();
    (tokens, redis.map(|redis| (redis.clone(), secret)))
}

/// What visitor tokens are signed with where the operator has given nothing.
fn fresh_secret() -> Secret {
    let mut secret = [0; 32];
    for half in secret.chunks_exact_mut(16) {
        half.copy_from_slice(Uuid::new_v4().as_bytes());
    }
    secret
}

pub(crate) fn log_notice(notice: Notice) {
    match notice {
        Notice::DevelopmentTenant => tracing::info!(
            tenant = crate::tenants::DEVELOPMENT_TENANT,
            admin_key = DEVELOPMENT_ADMIN_KEY,
            "no tenants file: serving the development tenant",
        ),
        Notice::ShortSecret => {
            tracing::warn!("the JWT secret has less than 32 bytes and could be guessed");
        }
        Notice::Unshared => tracing::warn!(
            "the role ws without --redis-url: no other process knows of these sockets",
        ),
        Notice::PassingVisitorTokens => tracing::info!(
            "neither --visitor-token-secret nor --jwt-secret: after a restart no visitor is known again",
        ),
    }
}
