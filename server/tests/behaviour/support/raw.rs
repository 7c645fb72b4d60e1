//! A WebSocket that says whatever it is told to say.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{TestServer, soon};

/// A session, open but not connected to the namespace.
pub(crate) struct Raw(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Raw {
    pub(crate) async fn open(server: &TestServer) -> Self {
        let query = "EIO=4&transport=websocket&tenantId=open";
        let url = format!("ws://{}/socket.io/?{query}", server.address());
        let (socket, _) = soon(tokio_tungstenite::connect_async(url)).await.unwrap();
        let mut raw = Self(socket);
        assert!(raw.text().await.unwrap().starts_with("0{"));
        raw
    }

    /// The same, connected as a visitor.
    pub(crate) async fn visitor(server: &TestServer) -> Self {
        let mut raw = Self::open(server).await;
        assert!(raw.send(Message::text("40{}")).await);
        assert!(raw.text().await.unwrap().starts_with("40{\"sid\""));
        raw
    }

    /// Sends a frame; false if the server has closed already.
    pub(crate) async fn send(&mut self, frame: Message) -> bool {
        soon(self.0.send(frame)).await.is_ok()
    }

    /// The next text; none at the end.
    pub(crate) async fn text(&mut self) -> Option<String> {
        loop {
            match soon(self.0.next()).await? {
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(
                    Message::Binary(_)
                    | Message::Ping(_)
                    | Message::Pong(_)
                    | Message::Close(_)
                    | Message::Frame(_),
                ) => {}
                Err(_) => return None,
            }
        }
    }

    /// Waits until the server has closed.
    pub(crate) async fn ended(mut self) {
        while self.text().await.is_some() {}
    }
}

/// Writes bytes to a connection of its own and reads until the server closes it.
pub(crate) async fn exchange(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The value of a series of `/metrics`; 0 if there is none.
pub(crate) async fn metric(server: &TestServer, series: &str) -> u64 {
    let text = soon(server.get("/metrics").send()).await.unwrap();
    let text = text.text().await.unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
        .map_or(0, |value| value.parse().unwrap())
}
