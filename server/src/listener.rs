//! TCP connections, from their acceptance until a request or a socket has them.
//!
//! What must stay true:
//! - every connection counts, whatever it is used for, until it is closed; their number is bounded in
//!   all and from one address, and who is over the bound is told so;
//! - a connection that does not finish its TLS handshake, or is silent before, within or between the heads of
//!   its requests is closed in time, so that holding one costs its holder something;
//! - neither a failed accept nor a broken connection ends the server.

mod connection;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use chat_protocol::code::Code;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Timeout, timeout};
use tokio_rustls::Accept;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

use crate::config::Settings;
use crate::error::Refusal;
use crate::limits::{OpenCounts, Place, address_group};
use crate::telemetry::Metrics;
use crate::tls::Tls;
pub(crate) use connection::Connection;

/// How long to leave the listener alone when it fails: mostly there are no descriptors left, and only
/// the end of a connection frees one.
const RETRY: Duration = Duration::from_millis(100);

/// What tells connections apart in the log of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// Accepts connections and serves them.
pub(crate) struct Listener {
    tcp: TcpListener,
    tls: Option<Arc<Tls>>,
    handshake_timeout: Duration,
    router: Router,
    http: http1::Builder,
    counts: Counts,
    metrics: Arc<Metrics>,
}

/// Which connections are open.
struct Counts {
    open: Gauge,
    limit: i64,
    by_address: OpenCounts<IpAddr>,
    /// Addresses are not counted behind a proxy, which has them all.
    count_addresses: bool,
    count_loopback: bool,
}

/// A connection that counts until this is dropped.
pub(crate) struct Counted {
    open: Gauge,
    _address: Option<Place<IpAddr>>,
}

impl Listener {
    pub(crate) fn new(
        tcp: TcpListener,
        tls: Option<Arc<Tls>>,
        router: Router,
        settings: &Settings,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(settings.http.head_timeout)
            .max_header_size(settings.http.max_head_bytes)
            .max_buf_size(settings.http.max_head_bytes);
        Self {
            tcp,
            tls,
            handshake_timeout: settings.http.head_timeout,
            router,
            http,
            counts: Counts::new(settings, metrics.connections()),
            metrics,
        }
    }

    /// Serves until `stop`, then until the running requests are answered.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let mut number = 0;
        loop {
            let accepted = tokio::select! {
                accepted = self.tcp.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    number += 1;
                    self.admit(&connections, stream, peer, ConnectionId(number), &stop);
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    self.metrics.connection_ended("not_accepted");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        // Nobody else is let in, while the others are served to their end.
        drop(self.tcp);
        connections.close();
        connections.wait().await;
    }

    fn admit(
        &self,
        connections: &TaskTracker,
        stream: TcpStream,
        peer: SocketAddr,
        id: ConnectionId,
        stop: &CancellationToken,
    ) {
        let Some(counted) = self.counts.open(peer.ip()) else {
            self.metrics.refusal(Code::TooManyConnections);
            tracing::debug!(connection = id.0, "refused a connection: too many are open");
            // In the middle of a handshake it would be noise.
            if self.tls.is_none() {
                turn_away(&stream);
            }
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off Nagle's algorithm");
        }
        let serving = Serving {
            http: self.http.clone(),
            router: self.router.clone(),
            metrics: Arc::clone(&self.metrics),
            stop: stop.clone(),
            peer,
            id,
        };
        match &self.tls {
            None => connections.spawn(serving.serve(Connection::plain(stream, counted))),
            Some(tls) => {
                let handshake = timeout(self.handshake_timeout, tls.acceptor().accept(stream));
                connections.spawn(serving.serve_encrypted(handshake, counted))
            }
        };
    }
}

/// What one connection is served with.
struct Serving {
    http: http1::Builder,
    router: Router,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    peer: SocketAddr,
    id: ConnectionId,
}

impl Serving {
    async fn serve_encrypted(self, handshake: Timeout<Accept<TcpStream>>, counted: Counted) {
        let encrypted = tokio::select! {
            encrypted = handshake => encrypted,
            () = self.stop.cancelled() => return,
        };
        let how = match encrypted {
            Ok(Ok(stream)) => return self.serve(Connection::encrypted(stream, counted)).await,
            Ok(Err(error)) => {
                tracing::debug!(connection = self.id.0, %error, "no TLS handshake");
                "not_encrypted"
            }
            Err(_) => "silent",
        };
        self.metrics.connection_ended(how);
    }

    async fn serve(self, connection: Connection) {
        let Self {
            http,
            router,
            metrics,
            stop,
            peer,
            id,
        } = self;
        let service = service_fn(move |mut request: Request<Incoming>| {
            let extensions = request.extensions_mut();
            extensions.insert(ConnectInfo(peer));
            extensions.insert(id);
            router.clone().call(request)
        });
        let connection = http
            .serve_connection(TokioIo::new(connection), service)
            .with_upgrades();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        metrics.connection_ended(how(ended.as_ref().err()));
        if let Err(error) = ended {
            tracing::debug!(connection = id.0, %error, "a connection broke");
        }
    }
}

/// A stable name, for counting, for how the HTTP part of a connection ended.
fn how(error: Option<&hyper::Error>) -> &'static str {
    match error {
        None => "served",
        Some(error) if error.is_parse_too_large() => "head_too_large",
        Some(error) if error.is_parse() => "malformed",
        Some(error) if error.is_timeout() => "silent",
        Some(_) => "lost",
    }
}

/// Whether only the connection that was about to be accepted is concerned.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// Says why, as far as that can be done without waiting.
fn turn_away(stream: &TcpStream) {
    let refusal = Refusal::new(Code::TooManyConnections, "too many connections are open");
    let body = serde_json::to_string(&refusal.body()).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // Whoever is not writable yet after being accepted is not told.
    let _ = stream.try_write(answer.as_bytes());
}

impl Counts {
    fn new(settings: &Settings, open: Gauge) -> Self {
        let connections = &settings.connections;
        Self {
            open,
            limit: i64::try_from(connections.tcp).unwrap_or(i64::MAX),
            by_address: OpenCounts::new(connections.tcp_per_address),
            count_addresses: !connections.trust_forwarded_for,
            count_loopback: connections.count_loopback,
        }
    }

    /// Counts one more, unless there are too many.
    fn open(&self, peer: IpAddr) -> Option<Counted> {
        let counted = self.count_addresses && (self.count_loopback || !peer.is_loopback());
        let address = match counted.then(|| address_group(peer)) {
            Some(group) => Some(self.by_address.open(&group)?),
            None => None,
        };
        // Made first, so that it is given back whatever follows.
        let before = self.open.inc();
        let counted = Counted {
            open: self.open.clone(),
            _address: address,
        };
        (before < self.limit).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(change: &str) -> Counts {
        let settings = format!("[connections]\n{change}");
        Counts::new(
            &Settings::with_overrides(&settings).unwrap(),
            Gauge::default(),
        )
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn connections_are_bounded_in_all() {
        let counts = counts("tcp = 2");
        let first = counts.open(address("127.0.0.1"));
        let second = counts.open(address("192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(counts.open(address("192.0.2.2")).is_none());
        drop(first);
        assert!(
            counts.open(address("192.0.2.2")).is_some(),
            "a place is given back"
        );
        assert_eq!(counts.open.get(), 1);
    }

    #[test]
    fn one_address_cannot_have_them_all_unless_it_is_a_proxy() {
        let strict = counts("tcp_per_address = 1");
        let first = strict.open(address("192.0.2.1"));
        assert!(first.is_some());
        assert!(strict.open(address("192.0.2.1")).is_none());
        assert!(strict.open(address("192.0.2.2")).is_some());
        assert_eq!(strict.open.get(), 1, "the refused one does not count");

        let loopback = [strict.open(address("::1")), strict.open(address("::1"))];
        assert!(loopback.iter().all(Option::is_some));
        let proxied = counts("tcp_per_address = 1\ntrust_forwarded_for = true");
        let both = [
            proxied.open(address("192.0.2.1")),
            proxied.open(address("192.0.2.1")),
        ];
        assert!(both.iter().all(Option::is_some));
    }
}
