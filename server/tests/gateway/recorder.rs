//! A backend that believes everybody and writes down what reaches it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::http::NODE_TAG_HEADER;
use parking_lot::Mutex;
use tokio::net::TcpListener;

/// One thing that reached it.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) what: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Default)]
struct Log {
    /// The tag that it says it has.
    tag: Option<String>,
    reached: Mutex<Vec<Reached>>,
    sessions: AtomicUsize,
}

/// The backend. It ends with the test.
pub(crate) struct Recorder {
    address: SocketAddr,
    log: Arc<Log>,
    serving: tokio::task::JoinHandle<()>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        Self::with(None).await
    }

    /// One whose sessions' ids begin so.
    pub(crate) async fn tagged(tag: &str) -> Self {
        Self::with(Some(tag.to_owned())).await
    }

    async fn with(tag: Option<String>) -> Self {
        let log = Arc::new(Log {
            tag,
            ..Log::default()
        });
        let router = Router::new().fallback(record).with_state(Arc::clone(&log));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            log,
            serving,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What reached it, in order. Questions how it is do not count.
    pub(crate) fn reached(&self) -> Vec<Reached> {
        self.log.reached.lock().clone()
    }

    /// The bodies and frames that reached it.
    pub(crate) fn said(&self) -> Vec<String> {
        let reached = self.reached().into_iter();
        reached
            .map(|reached| reached.body)
            .filter(|body| !body.is_empty())
            .collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Log {
    fn note(&self, what: &str, headers: &HeaderMap, body: &str) {
        self.reached.lock().push(Reached {
            what: what.to_owned(),
            headers: headers.clone(),
            body: body.to_owned(),
        });
    }
}

async fn record(State(log): State<Arc<Log>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if parts.uri.path() == "/readyz" {
        let mut response = StatusCode::OK.into_response();
        if let Some(tag) = &log.tag {
            let tag = tag.parse().unwrap();
            response.headers_mut().insert(NODE_TAG_HEADER, tag);
        }
        return response;
    }
    let what = format!("{} {}", parts.method, parts.uri);
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    log.note(&what, &parts.headers, &String::from_utf8_lossy(&body));
    let query = parts.uri.query().unwrap_or_default().to_owned();
    if query.contains("transport=websocket") {
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
            .await
            .unwrap();
        return upgrade.on_upgrade(|socket| serve(log, socket));
    }
    if query.contains("transport=polling") && !query.contains("sid=") {
        let number = log.sessions.fetch_add(1, Ordering::Relaxed);
        return format!(
            r#"0{{"sid":"session-{number}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}}"#
        )
        .into_response();
    }
    if query.contains("transport=polling") && parts.method == Method::GET {
        return std::future::pending().await;
    }
    let headers = [
        ("access-control-allow-origin", "*"),
        ("x-of-the-backend", "yes"),
        ("keep-alive", "timeout=5"),
    ];
    (headers, Bytes::from("{\"ok\":true}")).into_response()
}

async fn serve(log: Arc<Log>, mut socket: axum::extract::ws::WebSocket) {
    let open =
        r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}"#;
    if socket.send(Message::text(open)).await.is_err() {
        return;
    }
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message {
            log.note("frame", &HeaderMap::new(), &text);
            let answer = if text.starts_with("40") {
                r#"40{"sid":"socket"}"#.to_owned()
            } else {
                format!("42[\"echo\",{}]", serde_json::Value::from(text.as_str()))
            };
            if socket.send(Message::text(answer)).await.is_err() {
                break;
            }
        }
    }
    log.note("end", &HeaderMap::new(), "");
}
