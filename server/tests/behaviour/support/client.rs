//! A Socket.IO client over a WebSocket, written out by hand.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::soon;

/// A connected client.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: String,
    acks: u64,
    events: VecDeque<(String, Value)>,
}

/// A page that is going to connect.
#[derive(Clone)]
pub(crate) struct Page {
    query: Vec<(&'static str, String)>,
    auth: Value,
    headers: Vec<(&'static str, String)>,
}

impl Page {
    pub(crate) fn of(tenant: &str) -> Self {
        Self::nowhere().query("tenantId", tenant)
    }

    /// A page that names no tenant.
    pub(crate) fn nowhere() -> Self {
        Self {
            query: Vec::new(),
            auth: json!({}),
            headers: Vec::new(),
        }
    }

    pub(crate) fn visitor(self, id: &str) -> Self {
        self.auth("visitorId", id)
    }

    pub(crate) fn admin(self, token: &str) -> Self {
        self.query("role", "admin").auth("token", token)
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.auth("token", token)
    }

    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.to_owned()));
        self
    }

    pub(crate) fn auth(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.auth[name] = value.into();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Connects.
    pub(crate) async fn open(self, at: impl Into<SocketAddr>) -> Client {
        match self.try_open(at).await {
            Ok(client) => client,
            Err(error) => panic!("refused: {error}"),
        }
    }

    /// The code with which it is refused.
    pub(crate) async fn refused(self, at: impl Into<SocketAddr>) -> String {
        match self.try_open(at).await {
            Ok(client) => panic!("{} was let in", client.id),
            Err(error) => {
                assert!(error["message"].is_string(), "{error}");
                error["data"]["code"].as_str().unwrap().to_owned()
            }
        }
    }

    /// Connects, or says what the `connect_error` said.
    pub(crate) async fn try_open(self, at: impl Into<SocketAddr>) -> Result<Client, Value> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([("EIO", "4"), ("transport", "websocket")]);
        query.extend_pairs(&self.query);
        let url = format!("ws://{}/socket.io/?{}", at.into(), query.finish());
        let mut request = url.into_client_request().unwrap();
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = soon(tokio_tungstenite::connect_async(request))
            .await
            .unwrap();
        let mut client = Client {
            socket,
            id: String::new(),
            acks: 0,
            events: VecDeque::new(),
        };
        let handshake = client.text().await;
        assert!(handshake.starts_with("0{"), "{handshake}");
        client.send(&format!("40{}", self.auth)).await;
        let answer = client.text().await;
        if let Some(error) = answer.strip_prefix("44") {
            return Err(serde_json::from_str(error).unwrap());
        }
        let connected: Value = serde_json::from_str(answer.strip_prefix("40").unwrap()).unwrap();
        connected["sid"]
            .as_str()
            .unwrap()
            .clone_into(&mut client.id);
        Ok(client)
    }
}

impl Client {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) async fn emit(&mut self, name: &str, payload: &Value) {
        self.send(&format!("42{}", json!([name, payload]))).await;
    }

    /// Emits, and waits for the acknowledgement.
    pub(crate) async fn ask(&mut self, name: &str, payload: &Value) -> Value {
        self.acks += 1;
        let id = self.acks;
        self.send(&format!("42{id}{}", json!([name, payload])))
            .await;
        let prefix = format!("43{id}[");
        loop {
            let text = self.text().await;
            if text.starts_with(&prefix) {
                let answer: Value = serde_json::from_str(&text[prefix.len() - 1..]).unwrap();
                return answer[0].clone();
            }
            self.note(&text);
        }
    }

    /// The next event, whatever it is.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let text = self.text().await;
            self.note(&text);
        }
    }

    /// The payload of the next event, which must be this one.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        let (next, payload) = self.next().await;
        assert_eq!(next, name, "{payload}");
        payload
    }

    /// The list of online users. Whatever was announced before it must have been looked at.
    pub(crate) async fn list(&mut self, tenant: &str) -> Vec<Value> {
        self.emit("get_online_users", &json!({ "tenantId": tenant }))
            .await;
        let list = self.expect("online_users_list").await;
        list["users"].as_array().unwrap().clone()
    }

    /// Leaves the namespace, then the transport: as `socket.disconnect()` does.
    pub(crate) async fn leave(mut self) {
        self.send("41").await;
        self.drop_transport().await;
    }

    /// Closes the transport without a word: as a closed tab does.
    pub(crate) async fn drop_transport(mut self) {
        // The server may have closed first.
        let _closed = self.socket.close(None).await;
        while let Some(Ok(_)) = soon(self.socket.next()).await {}
    }

    /// Waits until the server closes the transport.
    pub(crate) async fn closed(mut self) {
        while let Some(Ok(_)) = soon(self.socket.next()).await {}
    }

    async fn send(&mut self, text: &str) {
        soon(self.socket.send(Message::text(text.to_owned())))
            .await
            .unwrap();
    }

    /// The next frame that is not a ping. The guard covers all of the waiting: pings come for ever.
    async fn text(&mut self) -> String {
        soon(async {
            loop {
                match self
                    .socket
                    .next()
                    .await
                    .expect("the server closed")
                    .unwrap()
                {
                    Message::Text(text) if text.as_str() == "2" => {
                        self.socket.send(Message::text("3")).await.unwrap();
                    }
                    Message::Text(text) => return text.to_string(),
                    other @ (Message::Binary(_)
                    | Message::Ping(_)
                    | Message::Pong(_)
                    | Message::Close(_)
                    | Message::Frame(_)) => panic!("unexpected {other:?}"),
                }
            }
        })
        .await
    }

    fn note(&mut self, text: &str) {
        let event = text
            .strip_prefix("42")
            .unwrap_or_else(|| panic!("unexpected {text}"));
        let event: Value = serde_json::from_str(event).unwrap();
        let name = event[0].as_str().unwrap().to_owned();
        self.events.push_back((name, event[1].clone()));
    }
}
