//! The gateway: one address before any number of servers.
//!
//! - [`door`]: who may pass, by the same decision as on a server; [`limits`]: how often;
//! - [`backends`], [`balance`]: how the servers are, and which one is tried first;
//! - [`api`]: requests; [`socketio`], [`polling`], [`upgrade`], [`tunnel`]: sockets, whose clients are looked at by
//!   [`inspect`] until they are let in; [`sessions`]: who has a polling session; [`refuse`], [`packets`]: what the
//!   gateway itself says to a client;
//! - [`headers`]: what is changed on the way.
//!
//! What must stay true: a gateway keeps nothing that another one before the same servers would need;
//! nothing of a client that is refused reaches a server; cross-origin rules are the gateway's alone.

mod api;
mod backends;
mod balance;
mod door;
mod frames;
mod headers;
mod inspect;
mod limits;
mod metrics;
mod packets;
mod polling;
mod refuse;
mod routes;
mod sessions;
mod socketio;
mod tunnel;
mod upgrade;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Gate;
use crate::clock::Clock;
use crate::config::settings::Shutdown;
use crate::config::{Config, GatewayConfig, Notice, Settings, tenants_of};
use crate::listener::Listener;
use crate::server::{StartError, connect_redis, log_notice, signing};
use crate::tenants::KeyDigest;
use crate::tls::Tls;
use backends::{Kind, Load, Pool};
use door::Door;
use limits::Allowances;
use metrics::GatewayMetrics;
use refuse::Refuser;
use sessions::Sessions;

/// A running gateway.
pub struct Gateway {
    address: SocketAddr,
    tenants_file: Option<PathBuf>,
    tls: Option<Arc<Tls>>,
    front: Arc<Front>,
    serving: JoinHandle<()>,
    tending: JoinHandle<()>,
}

/// What all requests through one gateway share.
struct Front {
    clock: Clock,
    settings: Settings,
    door: Door,
    ws: Pool,
    api: Pool,
    sessions: Sessions<Load>,
    limits: Limits,
    metrics: GatewayMetrics,
    refuser: Refuser,
    is_encrypted: bool,
    tasks: TaskTracker,
    /// Over how long the tunnels are closed, once it stops.
    leaving_time: OnceLock<Duration>,
    stop: CancellationToken,
    /// How many have been told when to leave.
    leavers: AtomicU64,
}

/// How often somebody may ask.
struct Limits {
    handshakes: Allowances<IpAddr>,
    addresses: Allowances<IpAddr>,
    keys: Allowances<KeyDigest>,
}

impl Gateway {
    /// Listens before these backends. Returns as soon as connections are accepted; by then each backend has
    /// been asked how it is.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(config: Config, backends: GatewayConfig) -> Result<Self, StartError> {
        let failed = |cause| StartError {
            listen: config.listen,
            cause,
        };
        let tcp = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        for notice in &config.notices {
            // A gateway signs nothing that could pass.
            if *notice != Notice::PassingVisitorTokens {
                log_notice(*notice);
            }
        }
        let clock = Clock::start();
        let metrics = GatewayMetrics::new();
        let redis = connect_redis(&config, clock, &metrics.base);
        let settings = config.settings;
        let lifetime = settings.authentication.visitor_token_lifetime;
        let (visitor_tokens, shared) = signing(config.visitor_tokens, lifetime, redis.as_ref());
        let gate = Gate::new(
            clock,
            config.tenants,
            config.verifier,
            visitor_tokens,
            config.key_set,
            &settings.authentication,
        );
        let tls = config.tls.map(Arc::new);
        let pool =
            |kind, urls: &[_]| Pool::new(kind, urls, &settings.gateway, clock, metrics.clone());
        let front = Arc::new(Front {
            clock,
            door: Door::new(gate, settings.connections.clone()),
            ws: pool(Kind::Ws, &backends.ws),
            api: pool(Kind::Api, &backends.api),
            sessions: Sessions::new(
                settings.gateway.polling_sessions,
                settings.gateway.polling_session_bytes,
                settings.gateway.polling_idle,
            ),
            limits: Limits::new(&settings, clock),
            metrics,
            refuser: Refuser::new(&settings),
            is_encrypted: tls.is_some(),
            tasks: TaskTracker::new(),
            leaving_time: OnceLock::new(),
            stop: CancellationToken::new(),
            leavers: AtomicU64::new(0),
            settings,
        });
        tokio::join!(front.ws.probe(), front.api.probe());
        let base = Arc::clone(&front.metrics.base);
        let router = routes::router(&front);
        let listener = Listener::new(tcp, tls.clone(), router, &front.settings, base);
        let serving = tokio::spawn(listener.run(front.stop.clone()));
        let tended = Arc::clone(&front);
        let tending = tokio::spawn(async move {
            tokio::select! {
                never = tended.tend() => match never {},
                never = tended.door.gate.run(shared) => match never {},
            }
        });
        Ok(Self {
            address,
            tenants_file: config.tenants_file,
            tls,
            front,
            serving,
            tending,
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

    /// Reads again what is in files: the tenants and the certificate. What cannot be used changes nothing.
    /// Sockets that are open are their servers' business.
    pub fn reload(&self) {
        match self.tenants_file.as_deref().map(tenants_of) {
            Some(Ok(tenants)) => {
                self.front.door.gate.tenants().store(tenants);
                tracing::info!("read the tenants again");
            }
            Some(Err(error)) => tracing::error!(%error, "the tenants stay as they are"),
            None => tracing::warn!("there is no tenants file to read again"),
        }
        if let Some(tls) = &self.tls {
            tls.reload_logged();
        }
    }

    /// Stops: accepts nobody else, lets running requests end, and closes sockets one after the other, within
    /// the patience of the settings. Says how many sockets were still open then.
    pub async fn stop(mut self) -> usize {
        let front = Arc::clone(&self.front);
        let within = leaving_time(front.tasks.len(), &front.settings.shutdown);
        // A process stops once.
        let _set = front.leaving_time.set(within);
        front.stop.cancel();
        front.tasks.close();
        let soft = async {
            front.refuser.stop().await;
            // Only an abort could make this an error, and nobody else holds the handle.
            let _ended = (&mut self.serving).await;
            front.tasks.wait().await;
        };
        if tokio::time::timeout(front.settings.shutdown.patience, soft)
            .await
            .is_err()
        {
            tracing::warn!("not everything ended in time; dropping the rest");
        }
        front.tasks.len()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.front.stop.cancel();
        self.serving.abort();
        self.tending.abort();
    }
}

impl Limits {
    fn new(settings: &Settings, clock: Clock) -> Self {
        let (gateway, most) = (&settings.gateway, settings.gateway.max_rates);
        Self {
            handshakes: Allowances::new(gateway.handshakes_per_address, most, clock),
            addresses: Allowances::new(gateway.requests_per_address, most, clock),
            keys: Allowances::new(gateway.requests_per_key, most, clock),
        }
    }
}

impl Front {
    /// Makes a request's head the one that a backend gets.
    fn prepare(&self, parts: &mut Parts, tenant: Option<&str>) {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let from = headers::Source {
            peer: peer.map(|ConnectInfo(peer)| peer.ip()),
            is_trusted: self.door.trusts_the_peer(),
            is_encrypted: self.is_encrypted,
            tenant,
        };
        headers::request(&mut parts.headers, from);
        // Compressed frames could not be read.
        parts.headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
    }

    /// Returns when whoever waits for it is to leave, because the gateway stops: each a little later than the
    /// one before, so that not all clients come back in the same instant.
    async fn leaving(&self) {
        self.stop.cancelled().await;
        let place = self.leavers.fetch_add(1, Ordering::Relaxed);
        let spread = self.leaving_time.get().copied().unwrap_or_default();
        tokio::time::sleep(staggered(place, spread)).await;
    }

    /// The same, for a task of its own.
    async fn leaves(self: Arc<Self>) {
        self.leaving().await;
    }

    async fn tend(&self) -> Infallible {
        let tidying = async {
            loop {
                tokio::time::sleep(self.settings.gateway.polling_idle / 8).await;
                self.sessions.expire(self.clock.now());
                self.limits.handshakes.tidy();
                self.limits.addresses.tidy();
                self.limits.keys.tidy();
            }
        };
        tokio::select! {
            never = self.ws.tend() => never,
            never = self.api.tend() => never,
            never = tidying => never,
        }
    }
}

/// Headers of answers that pages of other origins may read.
fn exposed() -> [HeaderName; 4] {
    let request_id = HeaderName::from_static(chat_protocol::http::REQUEST_ID_HEADER);
    [request_id, limits::LIMIT, limits::REMAINING, limits::RESET]
}

/// How long it takes to close so many tunnels at the pace of a server that stops. A few are closed at once: what
/// comes after the gateway, in its place, is then there when their clients come back.
fn leaving_time(tunnels: usize, shutdown: &Shutdown) -> Duration {
    let tunnels = u32::try_from(tunnels).unwrap_or(u32::MAX);
    let at_the_pace =
        Duration::from_secs(1).saturating_mul(tunnels) / shutdown.closes_per_second.max(1);
    at_the_pace.min(shutdown.spread)
}

/// A place's share of `spread`. However many places there are, they lie about evenly in it.
fn staggered(place: u64, spread: Duration) -> Duration {
    // Multiples of the golden ratio, of which the fraction counts: the top bits of a product that wraps.
    let fraction = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    let steps = u32::try_from(fraction).unwrap_or(u32::MAX);
    spread.saturating_mul(steps) / (1 << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_leave_soon_and_many_in_time() {
        let shutdown = Shutdown {
            patience: Duration::from_secs(5),
            closes_per_second: 1000,
            spread: Duration::from_secs(2),
        };
        assert_eq!(leaving_time(0, &shutdown), Duration::ZERO);
        assert_eq!(leaving_time(100, &shutdown), Duration::from_millis(100));
        assert_eq!(leaving_time(100_000, &shutdown), Duration::from_secs(2));
    }

    #[test]
    fn leavers_are_spread_over_the_time_that_there_is() {
        let spread = Duration::from_secs(4);
        for count in [4_u64, 100, 1000] {
            let mut buckets = [0_u64; 4];
            for place in 0..count {
                let at = staggered(place, spread);
                assert!(at < spread);
                buckets[usize::try_from(at.as_secs()).unwrap()] += 1;
            }
            let even = count / 4;
            assert!(
                buckets
                    .iter()
                    .all(|bucket| bucket.abs_diff(even) <= even / 4 + 1),
                "{buckets:?}"
            );
        }
    }
}
