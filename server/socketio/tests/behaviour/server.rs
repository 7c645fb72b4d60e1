//! A server on a port of its own with an application that notes everything, and clients for both transports.
//!
//! Nothing here waits for time to pass: tests wait for notes, frames and answers.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use chat_socketio::{
    Application, Config, ConnectRequest, DisconnectReason, Event, Frame, Hub, Refusal, Refused,
    Socket,
};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// What happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    Connect(String),
    Connected(String),
    Event(String, String),
    Disconnected(String, DisconnectReason),
    Refused(Refused),
}

#[derive(Default)]
pub(crate) struct Notes {
    notes: Mutex<Vec<Note>>,
    changed: Notify,
}

impl Notes {
    fn add(&self, note: Note) {
        self.notes.lock().push(note);
        self.changed.notify_waiters();
    }

    pub(crate) fn all(&self) -> Vec<Note> {
        self.notes.lock().clone()
    }

    /// Returns what `find` finds in the notes, as soon as it finds something.
    pub(crate) async fn until<T>(&self, find: impl Fn(&[Note]) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(found) = find(&self.notes.lock()) {
                return found;
            }
            changed.await;
        }
    }

    /// The reason of the first disconnect.
    pub(crate) async fn disconnected(&self) -> DisconnectReason {
        self.until(|notes| {
            notes.iter().find_map(|note| match note {
                Note::Disconnected(_, reason) => Some(*reason),
                Note::Connect(_) | Note::Connected(_) | Note::Event(..) | Note::Refused(_) => None,
            })
        })
        .await
    }
}

/// Joins everybody to the room `all`, and does what events ask for. A client whose `auth` says
/// `{"refuse":true}` is refused, one that says `{"wait":true}` is let in when `gate` opens. One of the name `slow` is
/// connected when it opens.
pub(crate) struct Recorder {
    pub(crate) notes: Arc<Notes>,
    pub(crate) gate: Arc<Semaphore>,
    hub: Hub<String>,
}

impl Application for Recorder {
    /// The value of the query parameter `name`.
    type Session = String;

    async fn connect(&self, request: ConnectRequest<'_>) -> Result<String, Refusal> {
        self.notes.add(Note::Connect(request.socket_id.to_owned()));
        if request.auth.contains("wait") {
            self.gate.acquire().await.unwrap().forget();
        }
        if request.auth.contains("refuse") {
            let data = Some(String::from(r#"{"code":"WRONG"}"#));
            return Err(Refusal {
                message: String::from("not you"),
                data,
            });
        }
        Ok(request
            .handshake
            .query("name")
            .unwrap_or_default()
            .into_owned())
    }

    fn answered(&self, socket: &Socket<String>) {
        socket.join("all");
    }

    async fn connected(&self, socket: &Socket<String>) {
        if socket.session() == "slow" {
            self.gate.acquire().await.unwrap().forget();
        }
        self.notes.add(Note::Connected(socket.id().to_owned()));
    }

    async fn event(&self, socket: &Socket<String>, event: Event<'_>) {
        self.notes.add(Note::Event(
            event.name.to_string(),
            event.args_json.to_owned(),
        ));
        let text = |index| event.arg::<String>(index).unwrap();
        match &*event.name {
            "who" => socket.emit("you", socket.session()).unwrap(),
            "echo" => socket.emit_frame(&Frame::from_binary_event(
                socket.namespace(),
                "echo",
                event.args_json,
                event.attachments,
            )),
            "join" => assert!(socket.join(&text(0))),
            "leave" => socket.leave(&text(0)),
            "say" => self
                .hub
                .of(socket.namespace())
                .unwrap()
                .to(&text(0))
                .emit("said", &text(1))
                .unwrap(),
            "kick" => socket.disconnect(false),
            "throw out" => socket.disconnect(true),
            "wait" => self.gate.acquire().await.unwrap().forget(),
            "panic" => panic!("the application has a fault"),
            _ => {}
        }
        if let Some(id) = event.ack {
            socket.ack_raw(id, event.args_json, event.attachments);
        }
    }

    async fn disconnected(&self, socket: &Socket<String>, reason: DisconnectReason) {
        assert!(!socket.is_connected());
        assert!(!socket.join("all"), "a socket that has left joins nothing");
        self.notes
            .add(Note::Disconnected(socket.id().to_owned(), reason));
    }

    fn refused(&self, what: Refused) {
        self.notes.add(Note::Refused(what));
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub<String>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) gate: Arc<Semaphore>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(config: Config) -> Self {
        let hub = Hub::new(config);
        let notes = Arc::new(Notes::default());
        let gate = Arc::new(Semaphore::new(0));
        let application = Recorder {
            notes: Arc::clone(&notes),
            gate: Arc::clone(&gate),
            hub: hub.clone(),
        };
        let service = hub
            .router(application)
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self {
            address,
            hub,
            notes,
            gate,
            task,
        }
    }

    /// One HTTP request on a connection of its own.
    pub(crate) async fn request(
        &self,
        method: Method,
        query: &str,
        body: impl Into<Bytes>,
    ) -> (StatusCode, String) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("/socket.io/?{query}"))
            .header("host", "localhost")
            .body(Full::new(body.into()))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        connection.abort();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// A polling session.
    pub(crate) async fn poller(&self) -> Poller<'_> {
        let (status, body) = self
            .request(Method::GET, "EIO=4&transport=polling", "")
            .await;
        assert_eq!(status, StatusCode::OK, "{body}");
        Poller {
            server: self,
            sid: sid(&body),
        }
    }

    /// A polling session that is connected to the main namespace.
    pub(crate) async fn connected_poller(&self) -> Poller<'_> {
        let poller = self.poller().await;
        poller.send("40").await;
        poller.receive().await;
        poller
    }

    /// A WebSocket session that is connected to no namespace yet.
    pub(crate) async fn open(&self) -> Client {
        self.open_as("").await
    }

    /// The same with more of a query.
    pub(crate) async fn open_as(&self, query: &str) -> Client {
        let mut client = self
            .websocket(&format!("EIO=4&transport=websocket{query}"))
            .await;
        let open = client.text().await;
        assert!(open.starts_with('0'), "{open}");
        client
    }

    /// A WebSocket session connected to `/`.
    pub(crate) async fn connect(&self) -> Client {
        let mut client = self.open().await;
        client.send("40").await;
        client.id = sid(&client.text().await);
        let id = client.id.clone();
        self.notes
            .until(|notes| notes.contains(&Note::Connected(id.clone())).then_some(()))
            .await;
        client
    }

    pub(crate) async fn websocket(&self, query: &str) -> Client {
        let url = format!("ws://{}/socket.io/?{query}", self.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Client {
            socket,
            id: String::new(),
        }
    }
}

/// The value of `sid` in a packet.
pub(crate) fn sid(packet: &str) -> String {
    let json = packet.trim_start_matches(|c: char| c != '{');
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    value["sid"].as_str().unwrap().to_owned()
}

pub(crate) struct Poller<'a> {
    pub(crate) server: &'a Server,
    pub(crate) sid: String,
}

impl Poller<'_> {
    pub(crate) fn query(&self) -> String {
        format!("EIO=4&transport=polling&sid={}", self.sid)
    }

    pub(crate) async fn get(&self) -> (StatusCode, String) {
        self.server.request(Method::GET, &self.query(), "").await
    }

    pub(crate) async fn post(&self, body: impl Into<Bytes>) -> (StatusCode, String) {
        self.server.request(Method::POST, &self.query(), body).await
    }

    /// Sends packets that must be taken.
    pub(crate) async fn send(&self, body: impl Into<Bytes>) {
        assert_eq!(self.post(body).await, (StatusCode::OK, String::from("ok")));
    }

    /// Packets there must be.
    pub(crate) async fn receive(&self) -> String {
        let (status, body) = self.get().await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The socket's id in `/`.
    pub(crate) id: String,
}

impl Client {
    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_binary(&mut self, bytes: &'static [u8]) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    /// The next data frame; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => {
                    // Goes on until the answer to it is written.
                    while let Some(Ok(_)) = self.socket.next().await {}
                    return None;
                }
                message @ (Message::Text(_) | Message::Binary(_) | Message::Frame(_)) => {
                    return Some(message);
                }
            }
        }
    }

    /// The next frame, which must be text.
    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.as_str().to_owned(),
            other => panic!("{other:?} is no text"),
        }
    }

    /// All frames to the end.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Some(message) = self.next().await {
            rest.push(message.into_text().unwrap().as_str().to_owned());
        }
        rest
    }

    /// The close frame's code, once the connection is closed on both sides.
    pub(crate) async fn close_code(&mut self) -> u16 {
        let mut code = None;
        while let Some(Ok(message)) = self.socket.next().await {
            if let Message::Close(Some(frame)) = message {
                code = Some(frame.code.into());
            }
        }
        code.unwrap()
    }
}
