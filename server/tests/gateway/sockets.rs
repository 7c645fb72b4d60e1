//! Sockets through the gateway, over a WebSocket.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::Message;

use crate::before::{TestGateway, nowhere};
use crate::recorder::Recorder;
use crate::support::{Page, TestServer, refusal, soon, token, until, user};

/// Those who may not come in.
fn strangers() -> Vec<Page> {
    let expired = token(json!({ "sub": "u", "tenantId": "open", "exp": 1000 }));
    vec![
        Page::nowhere(),
        Page::of("nobody"),
        Page::of("42"),
        Page::of("42").query("role", "admin"),
        Page::of("42").admin("guessed"),
        Page::of("42").admin("shop-widget"),
        Page::of("42").admin("open-admin"),
        Page::of("42")
            .token("shop-widget")
            .header("origin", "https://evil.example"),
        Page::of("42")
            .token("shop-widget")
            .header("origin", "https://desk.example"),
        Page::of("42").header("authorization", "Bearer guessed"),
        Page::of("42").header("authorization", "Bearer open-admin"),
        Page::of("open").token(&expired),
        Page::of("open").admin(&user("u")),
        Page::of("open").visitor("a b"),
        Page::of("42").auth("visitorToken", "visitor.unknown"),
    ]
}

async fn error(page: Page, at: SocketAddr) -> Value {
    match page.try_open(at).await {
        Ok(client) => panic!("{} was let in", client.id()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_refusal_is_the_servers_own_and_no_connect_gets_through() {
    let server = TestServer::start().await;
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for page in strangers() {
        let direct = error(page.clone(), server.address()).await;
        let through = error(page, gateway.address()).await;
        assert_eq!(through, direct);
        assert!(through["data"]["code"].is_string(), "{through}");
    }
    assert_eq!(recorder.said(), [""; 0]);
    let frames = || {
        recorder
            .reached()
            .into_iter()
            .filter(|reached| reached.what == "end")
    };
    let begun = recorder
        .reached()
        .iter()
        .filter(|reached| reached.what.starts_with("GET"))
        .count();
    assert!(
        begun > 0,
        "some have to be heard before they can be refused"
    );
    until(async || frames().count() == begun).await;
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn what_an_admin_asks_for_in_connect_reaches_the_server() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let page = Page::of("open").admin("open-admin").auth("presence", 1);
    let mut admin = page.open(gateway.address()).await;
    let payload = json!({ "tenantId": "open", "epoch": 0, "version": 0 });
    admin.emit("get_online_users", &payload).await;
    let list = admin.expect("online_users_list").await;
    assert_eq!(list["version"], 0, "{list}");
    let _ann = server.visitor("ann").await;
    let delta = admin.expect("presence_delta").await;
    assert_eq!(delta["since"]["epoch"], list["epoch"]);
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn who_is_let_in_is_connected_to_the_server() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let mut admin = Page::of("42").admin("shop-admin").open(&gateway).await;
    let bearer = Page::of("42")
        .query("role", "admin")
        .header("authorization", "Bearer shop-admin");
    let second = bearer.open(&gateway).await;
    let page = Page::of("42").token("shop-widget").visitor("v");
    let mut visitor = page
        .header("origin", "https://shop.example")
        .open(&gateway)
        .await;
    let online = admin.expect("user_online").await;
    assert_eq!(online["userId"], "anonymous-v");
    let acknowledged = visitor.ask("message", &json!({ "text": "hello" })).await;
    assert!(acknowledged["messageId"].is_string(), "{acknowledged}");
    let large = "x".repeat(7000);
    let acknowledged = visitor.ask("message", &json!({ "text": large })).await;
    assert!(acknowledged["messageId"].is_string(), "{acknowledged}");
    assert_eq!(admin.list("42").await.len(), 1);
    let series = format!(
        "chat_gateway_backend_load{{kind=\"ws\",backend=\"{}\"}} 3",
        server.address()
    );
    assert!(gateway.metrics().await.contains(&series));
    visitor.leave().await;
    assert_eq!(admin.expect("user_offline").await["userId"], "anonymous-v");
    second.leave().await;
    admin.leave().await;
    let empty = format!(
        "chat_gateway_backend_load{{kind=\"ws\",backend=\"{}\"}} 0",
        server.address()
    );
    until(async || gateway.metrics().await.contains(&empty)).await;
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn everybody_of_a_tenant_lives_on_one_server_until_it_has_too_many() {
    let servers = [TestServer::start().await, TestServer::start().await];
    let addresses = servers.each_ref().map(TestServer::address);
    let gateway = TestGateway::with(&addresses, &addresses, |config| {
        config.settings.gateway.load_slack = 2;
    })
    .await;
    let mut clients = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..12 {
        clients.push(Page::of("open").open(&gateway).await);
        let metrics = gateway.metrics().await;
        let load = |address: SocketAddr| -> u32 {
            let series = format!("chat_gateway_backend_load{{kind=\"ws\",backend=\"{address}\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&*series));
            line.unwrap().parse().unwrap()
        };
        counts.push(addresses.map(load));
    }
    assert!(
        counts[2].contains(&0),
        "the first few are together: {counts:?}"
    );
    assert!(!counts[11].contains(&0), "and then they spread: {counts:?}");
    for client in clients {
        client.leave().await;
    }
    gateway.finish().await;
    for server in servers {
        server.finish().await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_passed_over() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        let all = [nowhere(), nowhere(), server.address()];
        let gateway = TestGateway::with(&[server.address()], &all, |_| ()).await;
        Page::of("open").open(&gateway).await.leave().await;
        gateway.finish().await;
    }
    server.finish().await;
}

/// A WebSocket through the gateway, its open packet read.
async fn raw(
    gateway: &TestGateway,
) -> tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>> {
    let query = "EIO=4&transport=websocket&tenantId=open";
    let url = format!("ws://{}/socket.io/?{query}", gateway.address());
    let (mut socket, _) = soon(tokio_tungstenite::connect_async(url)).await.unwrap();
    let open = soon(socket.next()).await.unwrap().unwrap();
    assert!(open.into_text().unwrap().starts_with("0{"));
    socket
}

#[tokio::test]
async fn nothing_gets_through_before_a_connect() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for junk in ["42[\"message\",{\"text\":\"x\"}]", "40[]", "junk", "0{}"] {
        let mut socket = raw(&gateway).await;
        soon(socket.send(Message::text(junk))).await.unwrap();
        let answer = soon(socket.next()).await.unwrap().unwrap();
        let Message::Close(Some(close)) = answer else {
            panic!("{junk} gave {answer:?}");
        };
        assert_eq!(u16::from(close.code), 1002);
    }
    let mut socket = raw(&gateway).await;
    soon(socket.send(Message::text("40/admin,{}")))
        .await
        .unwrap();
    let answer = soon(socket.next()).await.unwrap().unwrap();
    let expected = "44/admin,{\"message\":\"Invalid namespace\"}";
    assert_eq!(answer.into_text().unwrap().as_str(), expected);
    assert_eq!(recorder.said(), [""; 0]);
    // Once let in, everything does.
    let mut socket = raw(&gateway).await;
    soon(socket.send(Message::text("3"))).await.unwrap();
    soon(socket.send(Message::text("40{}"))).await.unwrap();
    soon(socket.send(Message::text("42[\"x\"]"))).await.unwrap();
    until(async || recorder.said() == ["3", "40{}", "42[\"x\"]"]).await;
    gateway.finish().await;
}

#[tokio::test]
async fn requests_that_could_be_read_in_two_ways_are_refused() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for (query, code) in [
        ("transport=polling&tenantId=open", 5),
        ("EIO=3&transport=polling&tenantId=open", 5),
        ("EIO=4&transport=smoke&tenantId=open", 0),
        ("EIO=4&transport=polling&tenantId=open&tenantId=42", 3),
        (
            "EIO=4&transport=polling&transport=websocket&tenantId=open",
            3,
        ),
        (
            "EIO=4&transport=polling&tenantId=open&role=user&role=admin",
            3,
        ),
        (
            "EIO=4&transport=polling&tenantId=open&sid=unknown-session",
            1,
        ),
        ("EIO=4&transport=websocket&tenantId=open", 3),
    ] {
        let answer = soon(gateway.get(&format!("/socket.io/?{query}")).send())
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{query}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], code, "{query}");
    }
    assert!(recorder.reached().is_empty(), "{:?}", recorder.reached());
    gateway.finish().await;
}

#[tokio::test]
async fn sockets_are_at_one_path_alone() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    let handshake = "EIO=4&transport=polling&tenantId=open";
    for path in [
        "",
        "/x",
        "/x/",
        "/%2e%2e/",
        "/%2f",
        "//",
        "/..%2fapi%2fchat",
    ] {
        let url = format!("/socket.io{path}?{handshake}");
        let expected = (404, "NOT_FOUND".to_owned());
        assert_eq!(refusal(gateway.get(&url)).await, expected, "{path}");
    }
    assert!(recorder.reached().is_empty(), "{:?}", recorder.reached());
    let url = format!("/socket.io/?{handshake}");
    let answer = soon(gateway.get(&url).send()).await.unwrap();
    assert_eq!(answer.status(), 200);
    gateway.finish().await;
}
