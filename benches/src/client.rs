//! A Socket.IO client over a WebSocket, no more than the load needs. It shares no code with the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::side::{ADMIN_KEY, TENANT};

/// The page that every visitor is on, and the query it is there with. Servers may leave that out of what they show.
pub(crate) const PAGE: &str = "https://shop.example/products/blue-shoes";
pub(crate) const QUERY: &str = "?size=42";

/// Of an idle visitor: there are ten thousand.
const SMALL_BUFFER: usize = 1024;
/// Of an admin, who is sent lists.
const LARGE_BUFFER: usize = 256 * 1024;

/// A connected client.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    /// The socket's id.
    pub(crate) id: String,
}

impl Client {
    /// A visitor of a shop's page, who says what the widget says.
    pub(crate) async fn visitor(address: &str, visitor_id: &str) -> Result<Self> {
        Self::visitor_of(address, TENANT, visitor_id).await
    }

    /// The same at another shop.
    pub(crate) async fn visitor_of(address: &str, tenant: &str, visitor_id: &str) -> Result<Self> {
        let url = [PAGE, QUERY].concat();
        let info = [
            ("domain", "shop.example"),
            ("origin", "https://shop.example"),
            ("url", &url),
            ("referrer", "https://search.example/"),
            ("siteId", "7"),
        ];
        let auth = json!({ "visitorId": visitor_id });
        Self::open(address, tenant, &info, &auth, SMALL_BUFFER).await
    }

    /// An admin with a dashboard.
    pub(crate) async fn admin(address: &str) -> Result<Self> {
        let auth = json!({ "token": ADMIN_KEY });
        Self::open(address, TENANT, &[("role", "admin")], &auth, LARGE_BUFFER).await
    }

    async fn open(
        address: &str,
        tenant: &str,
        query: &[(&str, &str)],
        auth: &Value,
        buffer: usize,
    ) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("EIO", "4"),
                ("transport", "websocket"),
                ("tenantId", tenant),
            ])
            .extend_pairs(query)
            .finish();
        let url = format!("ws://{address}/socket.io/?{query}");
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(SMALL_BUFFER)
            .max_frame_size(None);
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        let mut client = Self {
            socket,
            id: String::new(),
        };
        let open = client.frame().await?;
        ensure!(open.starts_with("0{"), "the handshake is {open}");
        client.send(format!("40{auth}")).await?;
        let connected = client.frame().await?;
        let connected: Value = connected
            .strip_prefix("40")
            .and_then(|json| serde_json::from_str(json).ok())
            .with_context(|| format!("refused: {connected}"))?;
        connected["sid"]
            .as_str()
            .context("no id")?
            .clone_into(&mut client.id);
        Ok(client)
    }

    pub(crate) async fn emit(&mut self, name: &str, payload: &Value) -> Result<()> {
        self.send(format!("42{}", json!([name, payload]))).await
    }

    /// Says something, waits for both the acknowledgement and the event, and checks them against each other.
    pub(crate) async fn say(&mut self, ack: usize, text: &str) -> Result<()> {
        let payload = json!(["message", { "text": text, "siteId": 7, "domain": "shop.example" }]);
        self.send(format!("42{ack}{payload}")).await?;
        let prefix = format!("43{ack}");
        let (mut accepted, mut created) = (None, None);
        while accepted.is_none() || created.is_none() {
            let frame = self.frame().await?;
            let slot = if frame.starts_with("43") {
                ensure!(
                    frame.starts_with(&prefix),
                    "not the answer awaited: {frame}"
                );
                &mut accepted
            } else {
                &mut created
            };
            ensure!(slot.is_none(), "told twice: {frame}");
            let json = frame.trim_start_matches(|c: char| c.is_ascii_digit());
            let value: Value = serde_json::from_str(json).with_context(|| frame.clone())?;
            *slot = Some(value);
        }
        let (accepted, created) = (accepted.unwrap_or_default(), created.unwrap_or_default());
        let (accepted, message) = (&accepted[0], &created[1]["message"]);
        let right = created[0] == "meta_message_created"
            && message["text"] == text
            && message["sender"] == "user"
            && message["sessionId"] == self.id.as_str()
            && message["id"].as_str().is_some_and(|id| id.len() == 36)
            && message["id"] == accepted["messageId"]
            && message["timestamp"].is_string()
            && message["timestamp"] == accepted["timestamp"];
        ensure!(right, "wrong answers: {accepted} and {created}");
        Ok(())
    }

    /// The payload of the next event of this name; others are passed over.
    pub(crate) async fn event(&mut self, name: &str) -> Result<String> {
        let prefix = format!("42[\"{name}\",");
        loop {
            let frame = self.frame().await?;
            if let Some(rest) = frame.strip_prefix(&prefix) {
                return Ok(rest.strip_suffix(']').context("cut off")?.to_owned());
            }
        }
    }

    /// Answers pings until the server closes. What else comes is not expected by an idle visitor.
    pub(crate) async fn idle(mut self) -> Result<()> {
        let frame = self.frame().await?;
        bail!("an idle visitor was sent {frame}");
    }

    /// Stays as an idle visitor until it may leave, and then leaves as a closed tab does.
    pub(crate) async fn stay(mut self, leave: Arc<Semaphore>) -> Result<()> {
        let _turn = tokio::select! {
            turn = leave.acquire() => turn?,
            frame = self.frame() => bail!("an idle visitor was sent {}", frame?),
        };
        self.leave().await
    }

    /// Counts the users whom an admin is told of, until the server closes.
    pub(crate) async fn watch(mut self, told: Arc<AtomicUsize>) {
        while let Ok(frame) = self.frame().await {
            if frame.starts_with("42[\"user_online\"") || frame.starts_with("42[\"user_offline\"") {
                told.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Leaves as a closed tab does.
    pub(crate) async fn leave(mut self) -> Result<()> {
        self.socket.close(None).await?;
        while let Some(Ok(_)) = self.socket.next().await {}
        Ok(())
    }

    async fn send(&mut self, text: String) -> Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// The next frame that is not a ping.
    async fn frame(&mut self) -> Result<String> {
        loop {
            match self.socket.next().await.context("the server closed")?? {
                Message::Text(text) if text.as_str() == "2" => {
                    self.socket.send(Message::text("3")).await?;
                }
                Message::Text(text) => return Ok(text.to_string()),
                other @ (Message::Binary(_)
                | Message::Ping(_)
                | Message::Pong(_)
                | Message::Close(_)
                | Message::Frame(_)) => bail!("unexpected {other:?}"),
            }
        }
    }
}
