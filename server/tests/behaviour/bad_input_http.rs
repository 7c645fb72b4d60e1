//! Whatever comes over HTTP that should not, from the first byte of a connection on.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::raw::{exchange, metric};
use crate::support::{TestServer, refusal, soon, success};

#[tokio::test]
async fn what_is_no_http_is_closed_and_counted() {
    let server = TestServer::start().await;
    let malformed = "chat_http_connections_ended_total{how=\"malformed\"}";
    let inputs: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS handshake \r\n\r\n",
        b"\x00\x01\x02\x03\x04\x05\x06\x07\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\na: b\x00c\r\n\r\n",
    ];
    for (number, input) in inputs.iter().enumerate() {
        let answer = exchange(&server, input).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
        assert_eq!(
            metric(&server, malformed).await,
            number as u64 + 1,
            "{input:?}"
        );
    }
    server.finish().await;
}

#[tokio::test]
async fn too_large_a_head_is_refused() {
    let server = TestServer::start().await;
    let head = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let answer = exchange(&server, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let ended = metric(
        &server,
        "chat_http_connections_ended_total{how=\"head_too_large\"}",
    )
    .await;
    assert_eq!(ended, 1);

    let many = "h: v\r\n".repeat(500);
    let answer = exchange(&server, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    let query = format!(
        "/socket.io/?EIO=4&transport=polling&url={}",
        "u".repeat(20_000)
    );
    let answer = soon(server.get(&query).send()).await.unwrap();
    assert_eq!(answer.status(), 400);
    server.finish().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_and_a_socket_is_not() {
    let server = TestServer::with(|config| {
        // Long enough for those who say something.
        config.settings.http.head_timeout = Duration::from_millis(500);
    })
    .await;
    let mut visitor = server.visitor("v").await;
    let silent = "chat_http_connections_ended_total{how=\"silent\"}";
    for begun in ["", "GET / HTT", "GET /healthz HTTP/1.1\r\nhost: a\r\n"] {
        assert_eq!(exchange(&server, begun.as_bytes()).await, "", "{begun}");
    }
    // Between two requests, too.
    let answer = exchange(&server, b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(metric(&server, silent).await >= 4);
    let answer = visitor
        .ask("message", &json!({ "text": "still here" }))
        .await;
    assert!(answer["messageId"].is_string(), "{answer}");
    visitor.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so_and_closed() {
    let server = TestServer::with(|config| {
        config.settings.connections.tcp_per_address = 4;
        config.settings.connections.count_loopback = true;
    })
    .await;
    let mut visitor = server.visitor("v").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let answer = exchange(&server, b"").await;
    let (status, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(status.starts_with("HTTP/1.1 429"), "{status}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["code"], "TOO_MANY_CONNECTIONS");
    let answer = visitor
        .ask("message", &json!({ "text": "still here" }))
        .await;
    assert!(answer["messageId"].is_string(), "{answer}");
    drop(held);
    soon(async {
        while server
            .get("/healthz")
            .send()
            .await
            .map_or(0, |a| a.status().as_u16())
            != 200
        {}
    })
    .await;
    let refused = metric(
        &server,
        "chat_refusals_total{code=\"TOO_MANY_CONNECTIONS\"}",
    )
    .await;
    assert!(refused >= 1);
    visitor.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn bodies_of_another_shape_are_refused_with_a_code() {
    let server = TestServer::start().await;
    let mut deep = json!([]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let bodies = [
        json!(null),
        json!(5),
        json!("text"),
        json!([]),
        deep.clone(),
        json!({ "tenantId": [] }),
        json!({ "tenantId": {} , "text": "a" }),
        json!({ "tenantId": true, "text": "a" }),
        json!({ "tenantId": "open" }),
        json!({ "tenantId": "open", "text": 5 }),
        json!({ "tenantId": "open", "text": deep }),
        json!({ "tenantId": "open", "text": "" }),
        json!({ "tenantId": "open", "text": "x".repeat(8001) }),
        json!({ "tenantId": "open", "text": "a", "visitorId": 5 }),
        json!({ "tenantId": "open", "text": "a", "siteId": [] }),
        json!({ "tenantId": "open", "text": "a", "domain": {} }),
        json!({ "tenantId": "open", "text": "a", "sessionId": 5 }),
        json!({ "tenantId": "open", "text": "a", "sessionId": "no-such-session" }),
        json!({ "tenantId": "nowhere", "text": "a" }),
        json!({ "text": "a" }),
    ];
    for body in &bodies {
        let (status, code) = refusal(server.post("/webchat/message", body)).await;
        assert!((400..500).contains(&status), "{body:.100}: {status} {code}");
    }
    for body in &bodies[..8] {
        let (status, code) = refusal(server.post("/api/chat/session", body)).await;
        assert!((400..500).contains(&status), "{body:.100}: {status} {code}");
    }
    for text in [
        &b"{\"tenantId\":\"open\",\"text\":\"\xff\xfe\"}"[..],
        b"{",
        b"",
        b"\x00",
    ] {
        let request = server
            .http
            .post(server.url("/webchat/message"))
            .body(text.to_vec());
        assert_eq!(
            refusal(request).await,
            (400, "INVALID_PAYLOAD".to_owned()),
            "{text:?}"
        );
    }
    let large = json!({ "tenantId": "open", "text": "x".repeat(70_000) });
    let refused = refusal(server.post("/webchat/message", &large)).await;
    assert_eq!(refused, (413, "PAYLOAD_TOO_LARGE".to_owned()));
    success(server.post(
        "/webchat/message",
        &json!({ "tenantId": "open", "text": "a" }),
    ))
    .await;
    server.finish().await;
}

#[tokio::test]
async fn queries_and_headers_of_another_shape_are_refused_with_a_code() {
    let server = TestServer::start().await;
    let list = "/api/chat/online-users";
    for query in [
        "tenantId=open&limit=0",
        "tenantId=open&limit=-1",
        "tenantId=open&limit=many",
        "tenantId=open&limit=99999999999999999999999",
        "tenantId=open&count=all",
        "tenantId=%ff%fe",
        "tenantId=nowhere",
        "tenantId[]=open",
        "",
    ] {
        let request = server
            .get(&format!("{list}?{query}"))
            .bearer_auth("open-admin");
        let (status, code) = refusal(request).await;
        assert!((400..500).contains(&status), "{query}: {status} {code}");
    }
    for value in [
        &b"Bearer"[..],
        b"Bearer ",
        b"Basic eDp5",
        b"\xff\xfe",
        b"Bearer \xff",
    ] {
        let request = server
            .get(&format!("{list}?tenantId=open"))
            .header("authorization", value);
        let (status, code) = refusal(request).await;
        assert_eq!(
            (status, code.as_str()),
            (401, "CREDENTIAL_REQUIRED"),
            "{value:?}"
        );
    }
    for (path, status, code) in [
        ("/nowhere", 404, "NOT_FOUND"),
        ("/webchat/message", 405, "METHOD_NOT_ALLOWED"),
    ] {
        assert_eq!(refusal(server.get(path)).await, (status, code.to_owned()));
    }
    server.finish().await;
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let server = TestServer::with(|config| {
        config.settings.http.request_timeout = Duration::from_millis(100);
    })
    .await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = "POST /webchat/message HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    soon(tokio::io::AsyncReadExt::read_exact(
        &mut stream,
        &mut answer,
    ))
    .await
    .unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    drop(stream);
    server.finish().await;
}
