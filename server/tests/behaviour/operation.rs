//! What an operator sees: metrics that can be read, readiness, and an end in good order.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::raw::Raw;
use crate::support::store::Store;
use crate::support::{TestServer, soon};

/// What `/metrics` says: the documented families by name, with their types, and all samples.
struct Scrape {
    families: HashMap<String, String>,
    samples: HashMap<String, f64>,
}

impl Scrape {
    /// Reads it as strictly as a scraper does.
    async fn of(server: &TestServer) -> Self {
        let answer = soon(server.get("/metrics").send()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        let (mut families, mut helped, mut samples) =
            (HashMap::new(), HashSet::new(), HashMap::new());
        let mut ended = false;
        for line in text.lines() {
            assert!(!ended, "{line} after the end");
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap();
                assert!(words.split(' ').count() > 2, "{name} is hardly documented");
                assert!(helped.insert(name.to_owned()), "{name} is there twice");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                families.insert(name.to_owned(), kind.to_owned());
            } else if line == "# EOF" {
                ended = true;
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let name = series.split('{').next().unwrap();
                let known = families.keys().any(|family| name.starts_with(family));
                assert!(known, "{series} belongs to nothing that is documented");
                let fresh = samples.insert(series.to_owned(), value.parse().unwrap());
                assert!(fresh.is_none(), "{series} is there twice");
            }
        }
        assert!(ended, "it is cut off");
        assert_eq!(families.keys().cloned().collect::<HashSet<_>>(), helped);
        Self { families, samples }
    }

    fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or_default()
    }

    fn has(&self, series: &str, value: u32) {
        let found = self.value(series);
        assert!(
            (found - f64::from(value)).abs() < 0.5,
            "{series} is {found}, not {value}"
        );
    }
}

#[tokio::test]
async fn what_happens_is_counted_where_a_scraper_finds_it() {
    let server = TestServer::start().await;
    // A series that nothing has happened to yet is absent, except refusals, which alerts watch.
    let empty = Scrape::of(&server).await;
    let refusals = "chat_refusals_total{code=\"RATE_LIMITED\"}";
    assert_eq!(empty.samples.get(refusals), Some(&0.0));

    let mut admin = server.admin().await;
    let mut visitor = server.visitor("v").await;
    let second = server.visitor("v").await;
    visitor.ask("message", &json!({ "text": "hello" })).await;
    visitor.ask("message", &json!({ "text": "" })).await;
    visitor.ask("nonsense", &json!(null)).await;
    for _ in 0..2 {
        admin.expect("user_online").await;
    }
    assert_eq!(admin.list("open").await.len(), 1);

    let busy = Scrape::of(&server).await;
    busy.has("chat_sockets", 3);
    busy.has("chat_sessions", 3);
    assert!(
        busy.value("chat_connections") >= 4.0,
        "three sockets and this request"
    );
    busy.has("chat_connects_total{role=\"admin\"}", 1);
    busy.has("chat_connects_total{role=\"visitor\"}", 2);
    busy.has("chat_tenant_sockets{tenant=\"open\"}", 3);
    busy.has("chat_tenant_users_online{tenant=\"open\"}", 1);
    busy.has("chat_events_total{event=\"message\"}", 2);
    busy.has("chat_events_total{event=\"unknown\"}", 1);
    busy.has("chat_messages_total{sender=\"user\"}", 1);
    busy.has("chat_refusals_total{code=\"TEXT_REQUIRED\"}", 1);
    busy.has("chat_refusals_total{code=\"NOT_FOUND\"}", 1);
    busy.has("chat_announcements_total{event=\"user_online\"}", 2);

    for client in [admin, visitor, second] {
        client.leave().await;
    }
    let after = soon(async {
        loop {
            let after = Scrape::of(&server).await;
            if after.value("chat_announcements_total{event=\"user_offline\"}") > 0.5 {
                return after;
            }
        }
    })
    .await;
    for (family, kind) in [
        ("chat_connections", "gauge"),
        ("chat_http_connections_ended", "counter"),
        ("chat_sessions", "gauge"),
        ("chat_sockets", "gauge"),
        ("chat_connects", "counter"),
        ("chat_disconnects", "counter"),
        ("chat_events", "counter"),
        ("chat_messages", "counter"),
        ("chat_refusals", "counter"),
        ("chat_announcements", "counter"),
        ("chat_http_requests", "counter"),
    ] {
        let found = after.families.get(family).map(String::as_str);
        assert_eq!(found, Some(kind), "{family}");
    }
    after.has("chat_sockets", 0);
    after.has("chat_disconnects_total{reason=\"client_disconnect\"}", 3);
    assert!(
        !after
            .samples
            .contains_key("chat_tenant_sockets{tenant=\"open\"}")
    );
    server.finish().await;
}

#[tokio::test]
async fn a_node_says_how_its_sessions_ids_begin() {
    let server = TestServer::start().await;
    let answer = soon(server.get("/readyz").send()).await.unwrap();
    let tag = answer.headers()["x-node-tag"].to_str().unwrap().to_owned();
    assert_eq!(tag.len(), 4);
    let polling = "/socket.io/?EIO=4&transport=polling&tenantId=open";
    let open = soon(server.get(polling).send()).await.unwrap();
    let open = soon(open.text()).await.unwrap();
    assert!(open.starts_with(&format!("0{{\"sid\":\"{tag}")), "{open}");
    let other = TestServer::start().await;
    let answer = soon(other.get("/readyz").send()).await.unwrap();
    assert_ne!(answer.headers()["x-node-tag"], tag.as_str());
    other.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn exchanges_with_redis_are_timed() {
    let store = Store::redis().await;
    let server = store.server().await;
    let mut visitor = server.visitor("v").await;
    visitor.ask("message", &json!({ "text": "hello" })).await;
    let scrape = Scrape::of(&server).await;
    let exchanges: f64 = scrape
        .samples
        .iter()
        .filter(|(series, _)| series.starts_with("chat_redis_exchange_seconds_count"))
        .map(|(_, count)| count)
        .sum();
    assert!(
        exchanges >= 2.0,
        "a join and a message at least: {exchanges}"
    );
    scrape.has("chat_tenant_users_online{tenant=\"open\"}", 1);
    visitor.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn a_server_under_load_ends_in_good_order() {
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        sockets.push(Raw::visitor(&server).await);
    }
    // Polls that wait, with nothing to wait for.
    let mut polls = Vec::new();
    for _ in 0..20 {
        let polling = "/socket.io/?EIO=4&transport=polling&tenantId=open";
        let open = soon(server.get(polling).send())
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
        let session = format!("{polling}&sid={}", open["sid"].as_str().unwrap());
        let post = server.http.post(server.url(&session)).body("40{}");
        assert_eq!(soon(post.send()).await.unwrap().status(), 200);
        let connected = soon(server.get(&session).send())
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(connected.starts_with("40"), "{connected}");
        let poll = server.get(&session);
        polls.push(tokio::spawn(async move {
            poll.send().await.map(|a| a.status().as_u16())
        }));
    }
    // A request whose body is on its way, and a connection that says nothing.
    let mut request = TcpStream::connect(server.address()).await.unwrap();
    let body = r#"{"tenantId":"open","text":"to the last"}"#;
    let head = format!(
        "POST /webchat/message HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    request.write_all(head.as_bytes()).await.unwrap();
    let silent = TcpStream::connect(server.address()).await.unwrap();
    // Sockets that talk until the server ends them.
    let talking = tokio::spawn(join_all(sockets.into_iter().map(|mut socket| async move {
        let event = json!(["message", { "text": "still here" }]);
        while socket.send(Message::text(format!("421{event}"))).await {
            if socket.text().await.is_none() {
                break;
            }
        }
    })));
    let finishing = tokio::spawn(server.finish());
    request.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(request.read_to_string(&mut answer)).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "a running request is finished: {answer}"
    );
    // Nothing is left: sessions, sockets, presence.
    soon(finishing).await.unwrap();
    soon(talking).await.unwrap();
    for poll in polls {
        assert_eq!(soon(poll).await.unwrap().unwrap(), 200);
    }
    drop(silent);
}
