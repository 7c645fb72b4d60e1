//! Sockets through the gateway, over long polling, also through several gateways.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;

use crate::before::TestGateway;
use crate::recorder::Recorder;
use crate::support::{Page, TestServer, soon, until};

type Socket = tokio_tungstenite::WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A polling client whose requests go to several places in turn.
struct Poller {
    http: reqwest::Client,
    places: Vec<SocketAddr>,
    turn: usize,
    query: String,
}

impl Poller {
    /// Opens a session.
    async fn open(places: &[SocketAddr], query: &str) -> Self {
        let mut poller = Self {
            http: reqwest::Client::new(),
            places: places.to_vec(),
            turn: 0,
            query: format!("EIO=4&transport=polling&{query}"),
        };
        let open = poller.poll().await;
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        poller.query = format!("{}&sid={}", poller.query, open["sid"].as_str().unwrap());
        poller
    }

    fn next(&mut self) -> String {
        let place = self.places[self.turn % self.places.len()];
        self.turn += 1;
        format!("http://{place}/socket.io/?{}", self.query)
    }

    async fn poll(&mut self) -> String {
        let url = self.next();
        let answer = soon(self.http.get(url).send()).await.unwrap();
        assert_eq!(answer.status(), 200);
        soon(answer.text()).await.unwrap()
    }

    async fn post(&mut self, body: &str) -> u16 {
        let url = self.next();
        let answer = soon(self.http.post(url).body(body.to_owned()).send())
            .await
            .unwrap();
        answer.status().as_u16()
    }

    /// Goes on over a WebSocket.
    async fn upgrade(&mut self) -> Socket {
        let url = self.next().replace("http://", "ws://");
        let url = url.replace("transport=polling", "transport=websocket");
        let (mut socket, _) = soon(tokio_tungstenite::connect_async(url)).await.unwrap();
        soon(socket.send(Message::text("2probe"))).await.unwrap();
        assert_eq!(hear(&mut socket).await, "3probe");
        soon(socket.send(Message::text("5"))).await.unwrap();
        socket
    }

    /// Polls until a packet begins so.
    async fn until(&mut self, prefix: &str) -> String {
        loop {
            let body = self.poll().await;
            if let Some(packet) = body.split('\x1e').find(|packet| packet.starts_with(prefix)) {
                return packet.to_owned();
            }
        }
    }
}

/// The next packet over a WebSocket.
async fn hear(socket: &mut Socket) -> String {
    let message = soon(socket.next()).await.unwrap().unwrap();
    assert!(message.is_text(), "{message:?}");
    message.into_text().unwrap().to_string()
}

/// Answers pings, without a word of its own.
async fn listen(socket: &mut Socket, pings: usize) {
    for _ in 0..pings {
        assert_eq!(hear(socket).await, "2");
        soon(socket.send(Message::text("3"))).await.unwrap();
    }
}

fn code(packet: &str) -> String {
    let error: Value = serde_json::from_str(packet.strip_prefix("44").unwrap()).unwrap();
    error["data"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_polling_client_is_let_in_or_told_why_not() {
    let server = TestServer::start().await;
    let recorder = Recorder::start().await;
    let before_server = TestGateway::before(&[server.address()]).await;
    let before_recorder = TestGateway::before(&[recorder.address()]).await;

    let mut visitor = Poller::open(&[before_server.address()], "tenantId=open").await;
    assert_eq!(visitor.post("40{}").await, 200);
    visitor.until("40{").await;
    let message = json!(["message", { "text": "hello" }]);
    assert_eq!(visitor.post(&format!("421{message}")).await, 200);
    visitor.until("431[").await;
    assert_eq!(visitor.post("1").await, 200);

    let at = [before_recorder.address()];
    for (query, connect, expected) in [
        ("tenantId=nobody", "40{}", "UNKNOWN_TENANT"),
        ("", "40{}", "TENANT_REQUIRED"),
        (
            "tenantId=42&role=admin",
            "40{\"token\":\"bad\"}",
            "INVALID_API_KEY",
        ),
        ("tenantId=42", "40", "CREDENTIAL_REQUIRED"),
        (
            "tenantId=42",
            "3\x1e40{\"token\":\"open-admin\"}\x1e42[\"x\"]",
            "WRONG_TENANT",
        ),
    ] {
        let mut stranger = Poller::open(&at, query).await;
        assert_eq!(stranger.post(connect).await, 200);
        assert_eq!(code(&stranger.until("44").await), expected, "{query}");
        assert_eq!(stranger.post("1").await, 200);
    }
    // The gateway ended the sessions that had begun, in its own words.
    until(async || recorder.said() == ["1", "1", "1"]).await;
    before_recorder.finish().await;
    before_server.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_refusal_reaches_the_poll_that_waits() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    let mut stranger = Poller::open(&[gateway.address()], "tenantId=42").await;
    let url = stranger.next();
    let waiting = stranger.http.get(url);
    let waiting = tokio::spawn(async move { waiting.send().await.unwrap().text().await.unwrap() });
    until(async || recorder.reached().len() == 2).await;
    assert_eq!(stranger.post("40{\"token\":\"bad\"}").await, 200);
    let heard = soon(waiting).await.unwrap();
    assert_eq!(
        code(heard.strip_suffix("\x1e1").unwrap()),
        "INVALID_API_KEY"
    );
    gateway.finish().await;
}

#[tokio::test]
async fn a_body_that_says_something_before_a_connect_does_not_get_through() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for body in ["42[\"x\"]\x1e40{}", "bAAAA", "4:40{}", "d=40{}", ""] {
        let mut stranger = Poller::open(&[gateway.address()], "tenantId=open").await;
        assert_eq!(stranger.post(body).await, 400, "{body}");
        assert_eq!(stranger.post("40{}").await, 400, "it is over");
    }
    let mut visitor = Poller::open(&[gateway.address()], "tenantId=open").await;
    assert_eq!(visitor.post("40{}\x1e42[\"x\"]").await, 200);
    assert_eq!(visitor.post("42[\"y\"]").await, 200);
    until(async || recorder.said().len() == 7).await;
    let said = recorder.said();
    let own: Vec<_> = said.iter().filter(|body| *body != "1").collect();
    assert_eq!(own, ["40{}\x1e42[\"x\"]", "42[\"y\"]"]);
    gateway.finish().await;
}

#[tokio::test]
async fn what_opened_a_session_judges_its_connect() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    // Opened for one tenant, and then spoken of as another's, with the other's key.
    let mut stranger = Poller::open(&[gateway.address()], "tenantId=42&role=admin").await;
    stranger.query = stranger.query.replace("tenantId=42", "tenantId=open");
    assert_eq!(stranger.post("40{\"token\":\"open-admin\"}").await, 200);
    assert_eq!(code(&stranger.until("44").await), "WRONG_TENANT");
    gateway.finish().await;
}

#[tokio::test]
async fn a_session_is_found_through_any_gateway() {
    let servers = [TestServer::start().await, TestServer::start().await];
    let addresses = servers.each_ref().map(TestServer::address);
    let gateways = [
        TestGateway::before(&addresses).await,
        TestGateway::before(&addresses).await,
    ];
    let places = gateways.each_ref().map(TestGateway::address);
    for tenant in ["open", "42"] {
        for _ in 0..4 {
            let query = format!("tenantId={tenant}&role=admin");
            let mut client = Poller::open(&places, &query).await;
            assert_eq!(
                client
                    .post(&format!("40{{\"token\":\"{}\"}}", key(tenant)))
                    .await,
                200
            );
            client.until("40{").await;
            let ask = json!(["message", { "text": "hello" }]);
            assert_eq!(client.post(&format!("421{ask}")).await, 200);
            client.until("431[").await;
            assert_eq!(client.post("1").await, 200);
        }
    }
    // What a handshake shows is refused through any of them, too.
    let mut stranger = Poller::open(&places, "tenantId=nobody").await;
    assert_eq!(stranger.post("40{}").await, 200);
    assert_eq!(code(&stranger.until("44").await), "UNKNOWN_TENANT");
    for gateway in gateways {
        gateway.finish().await;
    }
    for server in servers {
        server.finish().await;
    }
}

fn key(tenant: &str) -> &'static str {
    if tenant == "42" {
        "shop-admin"
    } else {
        "open-admin"
    }
}

#[tokio::test]
async fn a_node_that_has_just_come_is_found_by_its_sessions() {
    let server = TestServer::start().await;
    let gateways = [
        TestGateway::before(&[server.address()]).await,
        // This one has not asked since the node was another.
        TestGateway::with(&[server.address()], &[server.address()], |config| {
            config.settings.gateway.probe_interval = std::time::Duration::from_hours(1);
        })
        .await,
    ];
    let address = server.address();
    server.finish().await;
    let server = TestServer::with(|config| config.listen = address).await;
    let opening = Poller::open(&[gateways[0].address()], "tenantId=open").await;
    let mut client = Poller {
        places: vec![gateways[1].address()],
        ..opening
    };
    assert_eq!(client.post("40{}").await, 200);
    client.until("40{").await;
    assert_eq!(client.post("1").await, 200);
    for gateway in gateways {
        gateway.finish().await;
    }
    server.finish().await;
}

/// A node that pings so often that its clients outlive a gateway's patience within a few pings.
async fn pinging() -> TestServer {
    TestServer::with(|config| {
        config.settings.socket.ping_interval = Duration::from_millis(200);
    })
    .await
}

/// A gateway before it that waits for less than a ping.
async fn impatient(server: &TestServer) -> TestGateway {
    let at = [server.address()];
    TestGateway::with(&at, &at, |config| {
        config.settings.socket.connect_timeout = Duration::from_millis(100);
    })
    .await
}

#[tokio::test]
async fn a_socket_that_was_let_in_by_another_gateway_may_be_silent() {
    let server = pinging().await;
    let gateways = [impatient(&server).await, impatient(&server).await];
    let mut client = Poller::open(&[gateways[0].address()], "tenantId=open").await;
    assert_eq!(client.post("40{}").await, 200);
    client.until("40{").await;
    client.places = vec![gateways[1].address()];
    let mut socket = client.upgrade().await;
    listen(&mut socket, 3).await;
    let ask = json!(["message", { "text": "hello" }]);
    soon(socket.send(Message::text(format!("421{ask}"))))
        .await
        .unwrap();
    while !hear(&mut socket).await.starts_with("431[") {}
    soon(socket.close(None)).await.unwrap();
    drop(socket);
    for gateway in gateways {
        gateway.finish().await;
    }
    server.finish().await;
}

#[tokio::test]
async fn an_upgrade_may_overtake_its_connect() {
    let server = pinging().await;
    let gateway = impatient(&server).await;
    let mut client = Poller::open(&[gateway.address()], "tenantId=open").await;
    // While the socket is being introduced, the session is let in by another of its requests.
    let url = client.next().replace("http://", "ws://");
    let url = url.replace("transport=polling", "transport=websocket");
    let (mut socket, _) = soon(tokio_tungstenite::connect_async(url)).await.unwrap();
    assert_eq!(client.post("40{}").await, 200);
    soon(socket.send(Message::text("2probe"))).await.unwrap();
    assert_eq!(hear(&mut socket).await, "3probe");
    soon(socket.send(Message::text("5"))).await.unwrap();
    assert!(hear(&mut socket).await.starts_with("40{"));
    listen(&mut socket, 3).await;
    soon(socket.close(None)).await.unwrap();
    drop(socket);
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_refused_connect_after_an_upgrade_does_not_get_through() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let mut stranger = Poller::open(&[gateway.address()], "tenantId=42").await;
    let mut socket = stranger.upgrade().await;
    soon(socket.send(Message::text("40{\"token\":\"bad\"}")))
        .await
        .unwrap();
    assert_eq!(code(&hear(&mut socket).await), "INVALID_API_KEY");
    let metrics = gateway.metrics().await;
    let refused = "chat_refusals_total{code=\"INVALID_API_KEY\"} 1";
    assert!(metrics.contains(refused), "by the gateway: {metrics}");
    drop(socket);
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn an_id_that_no_node_gives_reaches_no_node() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let mut client = Poller::open(&[gateway.address()], "tenantId=open").await;
    let tag = client.query.rsplit("sid=").next().unwrap()[..4].to_owned();
    let recorder = crate::recorder::Recorder::tagged(&tag).await;
    let other = TestGateway::before(&[recorder.address()]).await;
    client.places = vec![other.address()];
    let base = "EIO=4&transport=polling&tenantId=open&sid=";
    for rest in [
        "x",
        &"x".repeat(5000),
        "%20345678901234567",
        "é23456789012345",
    ] {
        client.query = format!("{base}{tag}{rest}");
        assert_eq!(client.post("40{}").await, 400, "{rest}");
    }
    assert_eq!(recorder.said(), [""; 0]);
    client.query = format!("{base}{tag}1234567890123456");
    assert_eq!(client.post("40{}").await, 200);
    assert_eq!(recorder.said(), ["40{}"]);
    other.finish().await;
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn what_connect_shows_counts_before_the_requests_header() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let page = Page::of("42").header("authorization", "Bearer guessed");
    for at in [server.address(), gateway.address()] {
        let client = page.clone().token("shop-widget").open(at).await;
        client.leave().await;
    }
    let query = "EIO=4&transport=polling&tenantId=42";
    let url = format!("http://{}/socket.io/?{query}", gateway.address());
    let opened = gateway.http.get(&url).bearer_auth("guessed").send();
    let opened = soon(soon(opened).await.unwrap().text()).await.unwrap();
    let opened: Value = serde_json::from_str(opened.strip_prefix('0').unwrap()).unwrap();
    let mut poller = Poller {
        http: reqwest::Client::new(),
        places: vec![gateway.address()],
        turn: 0,
        query: format!("{query}&sid={}", opened["sid"].as_str().unwrap()),
    };
    // The header that opened the session is what counts, if CONNECT shows nothing.
    assert_eq!(poller.post("40{}").await, 200);
    assert_eq!(code(&poller.until("44").await), "INVALID_API_KEY");
    gateway.finish().await;
    server.finish().await;
}
