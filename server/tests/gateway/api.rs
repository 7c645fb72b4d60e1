//! Requests through the gateway: who is refused does not get through, and who is not gets what the server says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::before::{TestGateway, nowhere};
use crate::recorder::Recorder;
use crate::support::redis_server::RedisServer;
use crate::support::store::ready;
use crate::support::{Page, TestServer, refusal, soon, success, token, until, user};

const ONLINE: &str = "/api/chat/online-users";
const CONVERSATIONS: &str = "/api/chat/conversations";
const COUNTS: &str = "/api/chat/online-users/history";
const MESSAGES: &str = "/api/chat/messages";
const MESSAGE: &str = "/webchat/message";
const SESSION: &str = "/api/chat/session";

/// A request, and the headers that it has.
struct Case {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

fn get(path: &str) -> Case {
    Case {
        method: "GET",
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

fn post(path: &str, body: Value) -> Case {
    Case {
        method: "POST",
        body: Some(body),
        ..get(path)
    }
}

impl Case {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    fn at(&self, http: &reqwest::Client, base: &str) -> reqwest::RequestBuilder {
        let method = self.method.parse().unwrap();
        let mut request = http.request(method, format!("{base}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

/// What a server refuses by itself, before it looks at a conversation.
fn refused() -> Vec<Case> {
    let of_42 = format!("{ONLINE}?tenantId=42");
    let expired = token(json!({ "sub": "u", "tenantId": "42", "role": "admin", "exp": 1000 }));
    vec![
        get(ONLINE),
        get(ONLINE).bearer("shop-admin"),
        get(&format!("{ONLINE}?tenantId=nobody")).bearer("shop-admin"),
        get(&of_42),
        get(&of_42).bearer("guessed"),
        get(&of_42).bearer("shop-widget"),
        get(&of_42).bearer("open-admin"),
        get(&of_42).bearer(&expired),
        get(&of_42).bearer(&user("u")),
        get(&of_42).bearer("shop-admin").with("x-tenant-id", "open"),
        get(&of_42)
            .bearer("shop-admin")
            .with("origin", "https://evil.example"),
        get(CONVERSATIONS).bearer("shop-admin"),
        get(&format!("{CONVERSATIONS}?tenantId=42")),
        get(&format!("{CONVERSATIONS}?tenantId=42")).bearer("shop-widget"),
        get(&format!("{CONVERSATIONS}?tenantId=42")).bearer("open-admin"),
        get(COUNTS),
        get(&format!("{COUNTS}?tenantId=42")).bearer("shop-widget"),
        get(&format!("{COUNTS}?tenantId=42")).bearer("open-admin"),
        get(&format!("{MESSAGES}?sessionId=s")),
        get(&format!("{MESSAGES}?tenantId=nobody&sessionId=s")),
        get(&format!("{MESSAGES}?tenantId=42&sessionId=s")).bearer("guessed"),
        post(MESSAGE, json!({ "text": "hi" })),
        post(MESSAGE, json!({ "text": "hi", "tenantId": "nobody" })),
        post(MESSAGE, json!({ "text": "hi", "tenantId": 42 })),
        post(MESSAGE, json!({ "text": "hi", "tenantId": 42 })).with("x-tenant-id", "open"),
        post(MESSAGE, json!({ "text": "hi", "tenantId": "42" })).bearer("guessed"),
        post(
            MESSAGE,
            json!({ "text": "hi", "tenantId": "open", "visitorId": "a b" }),
        ),
        post(SESSION, json!({})),
        post(SESSION, json!({ "tenantId": "nobody" })),
        post(SESSION, json!({ "tenantId": "42" }))
            .bearer("shop-widget")
            .with("origin", "https://evil.example"),
        get("/elsewhere"),
        get("/api/chat//online-users?tenantId=open"),
        get("/api/chat/online%2Dusers?tenantId=open"),
    ]
}

#[tokio::test]
async fn a_refusal_is_the_servers_own_and_nothing_gets_through() {
    let server = TestServer::start().await;
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for case in refused() {
        let direct = refusal(case.at(&server.http, &server.url(""))).await;
        let through = refusal(case.at(&gateway.http, &gateway.url(""))).await;
        assert_eq!(
            through, direct,
            "{} {} {:?}",
            case.method, case.path, case.headers
        );
    }
    let large = post(
        MESSAGE,
        json!({ "text": "x".repeat(70_000), "tenantId": "open" }),
    );
    let answer = refusal(large.at(&gateway.http, &gateway.url(""))).await;
    assert_eq!(answer, (413, "PAYLOAD_TOO_LARGE".to_owned()));
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let head = format!("POST {MESSAGE} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
    let broken = format!("{head}transfer-encoding: chunked\r\n\r\nnot a length\r\n");
    stream.write_all(broken.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("INVALID_PAYLOAD"), "{answer}");
    let no_json = gateway
        .http
        .post(gateway.url(MESSAGE))
        .body("tenantId=open");
    assert_eq!(refusal(no_json).await, (400, "INVALID_PAYLOAD".to_owned()));
    let list = post(SESSION, json!(["open", "v"]));
    let answer = refusal(list.at(&gateway.http, &gateway.url(""))).await;
    assert_eq!(answer, (400, "INVALID_PAYLOAD".to_owned()));
    let twice = get(&format!("{ONLINE}?tenantId=42&tenantId=open")).bearer("shop-admin");
    let answer = refusal(twice.at(&gateway.http, &gateway.url(""))).await;
    assert_eq!(answer, (400, "TENANT_MISMATCH".to_owned()));
    assert!(recorder.reached().is_empty(), "{:?}", recorder.reached());
    let metrics = gateway.metrics().await;
    assert!(
        metrics.contains("chat_refusals_total{code=\"PAYLOAD_TOO_LARGE\"} 1"),
        "{metrics}"
    );
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn who_may_ask_gets_the_servers_answer() {
    let server = TestServer::start().await;
    let gateway = TestGateway::before(&[server.address()]).await;
    let ask = |case: Case| case.at(&gateway.http, &gateway.url(""));
    let session = success(ask(post(SESSION, json!({ "tenantId": "open" })))).await;
    let session = session["sessionId"].as_str().unwrap().to_owned();
    let body = json!({ "tenantId": "open", "sessionId": session, "text": "hello" });
    let sent = success(ask(post(MESSAGE, body))).await;
    assert_eq!(sent["message"]["text"], "hello");
    let history = get(&format!("{MESSAGES}?tenantId=open&sessionId={session}"));
    let history = success(ask(history.bearer("open-admin"))).await;
    assert_eq!(history["messages"][0]["text"], "hello");
    // A conversation's own rights are the server's to judge.
    let history = get(&format!("{MESSAGES}?tenantId=open&sessionId={session}"));
    let stranger = refusal(ask(history.bearer(&user("stranger")))).await;
    assert_eq!(stranger, (403, "ADMIN_REQUIRED".to_owned()));

    let list = get(&format!("{CONVERSATIONS}?tenantId=open"));
    let list = success(ask(list.bearer("open-admin"))).await;
    assert_eq!(list["conversations"][0]["sessionId"], session);

    let list = || get(ONLINE).with("x-tenant-id", "open").bearer("open-admin");
    let answer = soon(ask(list()).send()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let known = soon(ask(list().with("if-none-match", &etag)).send())
        .await
        .unwrap();
    assert_eq!(known.status(), 304);
    let counts = get(&format!("{COUNTS}?tenantId=open"));
    let counts = success(ask(counts.bearer("open-admin"))).await;
    assert_eq!(counts["samples"][60]["online"], 0);
    gateway.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_backend_hears_what_the_gateway_knows() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = gateway
        .get(&format!("{ONLINE}?tenantId=42&limit=5"))
        .bearer_auth("shop-admin")
        .header("origin", "https://desk.example")
        .header("x-forwarded-for", "198.51.100.7")
        .header("x-request-id", "from-the-client")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .header(
            "connection",
            "x-of-the-hop, upgrade, x-tenant-id, x-forwarded-for, x-forwarded-proto, x-forwarded-host",
        )
        .header("upgrade", "websocket")
        .header("x-of-the-hop", "secret");
    let answer = soon(request.send()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = |headers: &HeaderMap, name: &str| {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|v| v.to_str().unwrap().to_owned())
            .collect();
        values.join("|")
    };
    assert_eq!(text(answer.headers(), "x-request-id"), "from-the-client");
    assert_eq!(
        text(answer.headers(), "access-control-allow-origin"),
        "https://desk.example"
    );
    assert_eq!(text(answer.headers(), "x-of-the-backend"), "yes");
    assert_eq!(text(answer.headers(), "keep-alive"), "");
    let [reached] = &recorder.reached()[..] else {
        panic!("{:?}", recorder.reached());
    };
    assert_eq!(reached.what, format!("GET {ONLINE}?tenantId=42&limit=5"));
    let heard = |name: &str| text(&reached.headers, name);
    assert_eq!(heard("x-tenant-id"), "42");
    assert_eq!(heard("x-forwarded-for"), "127.0.0.1");
    assert_eq!(heard("x-forwarded-proto"), "http");
    assert_eq!(heard("x-forwarded-host"), gateway.address().to_string());
    assert_eq!(heard("x-request-id"), "from-the-client");
    assert_eq!(heard("authorization"), "Bearer shop-admin");
    assert!(heard("traceparent").starts_with(&format!("00-{trace}-")));
    assert!(!heard("traceparent").contains("b7ad6b7169203331"));
    assert_eq!(heard("x-of-the-hop"), "");
    assert_eq!(heard("upgrade"), "");
    assert_eq!(heard("connection"), "");
    gateway.finish().await;
}

#[tokio::test]
async fn what_is_said_to_be_the_connections_alone_proves_nothing() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    let request = gateway
        .get(&format!("{ONLINE}?tenantId=42"))
        .bearer_auth("shop-admin")
        .header("connection", "authorization");
    let expected = (401, "CREDENTIAL_REQUIRED".to_owned());
    assert_eq!(refusal(request).await, expected);
    assert!(recorder.reached().is_empty());
    gateway.finish().await;
}

#[tokio::test]
async fn methods_about_the_way_do_not_go_on() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for path in [ONLINE, "/socket.io/?EIO=4&transport=polling&tenantId=open"] {
        let method = reqwest::Method::TRACE;
        let request = gateway.http.request(method, gateway.url(path));
        let expected = (405, "METHOD_NOT_ALLOWED".to_owned());
        assert_eq!(refusal(request.bearer_auth("open-admin")).await, expected);
    }
    assert!(recorder.reached().is_empty());
    gateway.finish().await;
}

#[tokio::test]
async fn preflights_are_answered_by_the_gateway_for_every_route() {
    let recorder = Recorder::start().await;
    let gateway = TestGateway::before(&[recorder.address()]).await;
    for path in [ONLINE, MESSAGE, "/socket.io/", "/elsewhere"] {
        let preflight = gateway
            .http
            .request(
                reqwest::Method::OPTIONS,
                gateway.url(&format!("{path}?tenantId=42")),
            )
            .header("origin", "https://shop.example")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,x-tenant-id",
            );
        let answer = soon(preflight.send()).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let allowed = &answer.headers()["access-control-allow-origin"];
        assert_eq!(allowed, "https://shop.example", "{path}");
    }
    assert!(recorder.reached().is_empty());
    gateway.finish().await;
}

#[tokio::test]
async fn a_backend_that_cannot_be_reached_is_passed_over() {
    let server = TestServer::start().await;
    // Before any probe can have found out.
    let gateway = TestGateway::with(
        &[nowhere(), server.address()],
        &[server.address()],
        |config| {
            config.settings.gateway.probe_interval = std::time::Duration::from_hours(1);
        },
    )
    .await;
    for _ in 0..4 {
        let list = gateway
            .get(&format!("{ONLINE}?tenantId=open"))
            .bearer_auth("open-admin");
        success(list).await;
        let body = json!({ "tenantId": "open", "text": "once" });
        success(gateway.http.post(gateway.url(MESSAGE)).json(&body)).await;
    }
    assert_eq!(
        soon(gateway.get("/readyz").send()).await.unwrap().status(),
        200
    );
    gateway.finish().await;

    let nobody = TestGateway::with(&[nowhere()], &[server.address()], |_| ()).await;
    let list = nobody
        .get(&format!("{ONLINE}?tenantId=open"))
        .bearer_auth("open-admin");
    assert_eq!(refusal(list).await, (503, "UNAVAILABLE".to_owned()));
    assert_eq!(
        refusal(nobody.get("/readyz")).await,
        (503, "UNAVAILABLE".to_owned())
    );
    nobody.finish().await;
    server.finish().await;
}

#[tokio::test]
async fn a_server_that_ends_and_comes_back_is_noticed() {
    let first = TestServer::start().await;
    let second = TestServer::start().await;
    let gateway = TestGateway::before(&[first.address(), second.address()]).await;
    let health = async |address: std::net::SocketAddr| {
        let series = format!("chat_gateway_backend_health{{kind=\"api\",backend=\"{address}\"}} ");
        let metrics = gateway.metrics().await;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(&*series).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{series} in {metrics}"))
    };
    let address = first.address();
    assert_eq!(health(address).await, "2");
    first.finish().await;
    until(async || health(address).await == "0").await;
    let list = || {
        gateway
            .get(&format!("{ONLINE}?tenantId=open"))
            .bearer_auth("open-admin")
    };
    for _ in 0..4 {
        success(list()).await;
    }
    let revived = TestServer::with(|config| config.listen = address).await;
    until(async || health(address).await == "2").await;
    gateway.finish().await;
    revived.finish().await;
    second.finish().await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let recorder = Recorder::start().await;
    let rate = |burst| chat_server::limits::Rate {
        per_second: 0.1,
        burst,
    };
    let all = [recorder.address()];
    let gateway = TestGateway::with(&all, &all, |config| {
        config.settings.gateway.requests_per_key = rate(2);
    })
    .await;
    let list = |key: &str| {
        gateway
            .get(&format!("{ONLINE}?tenantId=42"))
            .bearer_auth(key)
    };
    for remaining in ["1", "0"] {
        let answer = soon(list("shop-admin").send()).await.unwrap();
        assert_eq!(answer.headers()["x-ratelimit-limit"], "2");
        assert_eq!(answer.headers()["x-ratelimit-remaining"], remaining);
        assert!(answer.headers().contains_key("x-ratelimit-reset"));
    }
    let answer = soon(
        list("shop-admin")
            .header("origin", "https://desk.example")
            .send(),
    )
    .await
    .unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "0");
    let exposed = answer.headers()["access-control-expose-headers"]
        .to_str()
        .unwrap();
    assert!(exposed.contains("x-ratelimit-remaining"), "{exposed}");
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "RATE_LIMITED");
    // A bad key is not counted with the good one, and the other tenant has its own.
    assert_eq!(refusal(list("guessed")).await.0, 401);
    let other = gateway
        .get(&format!("{ONLINE}?tenantId=open"))
        .bearer_auth("open-admin");
    success(other).await;
    assert_eq!(recorder.reached().len(), 3);
    let metrics = gateway.metrics().await;
    assert!(
        metrics.contains("chat_gateway_rate_limited_total{what=\"key\"} 1"),
        "{metrics}"
    );
    gateway.finish().await;

    let counted = TestGateway::with(&all, &all, |config| {
        config.settings.connections.count_loopback = true;
        config.settings.gateway.requests_per_address = rate(1);
    })
    .await;
    let body = json!({ "tenantId": "open", "text": "hi" });
    let message = || counted.http.post(counted.url(MESSAGE)).json(&body);
    success(message()).await;
    assert_eq!(refusal(message()).await, (429, "RATE_LIMITED".to_owned()));
    counted.finish().await;
}

#[tokio::test]
async fn a_visitor_token_that_only_a_server_can_judge_is_left_to_it() {
    let recorder = Recorder::start().await;
    let all = [recorder.address()];
    let request = |gateway: &TestGateway| {
        let body = json!({ "tenantId": "42", "text": "hi" });
        let request = gateway.http.post(gateway.url(MESSAGE)).json(&body);
        request.header("x-visitor-token", "visitor.unknown")
    };
    let knowing = TestGateway::before(&all).await;
    let answer = refusal(request(&knowing)).await;
    assert_eq!(answer, (401, "CREDENTIAL_REQUIRED".to_owned()));
    knowing.finish().await;
    assert!(recorder.reached().is_empty());

    let unknowing = TestGateway::with(&all, &all, |config| config.visitor_tokens = None).await;
    success(request(&unknowing)).await;
    let body = json!({ "tenantId": "42", "text": "hi" });
    let nothing = unknowing.http.post(unknowing.url(MESSAGE)).json(&body);
    assert_eq!(
        refusal(nothing).await,
        (401, "CREDENTIAL_REQUIRED".to_owned())
    );
    unknowing.finish().await;
}

#[tokio::test]
async fn visitor_tokens_are_judged_by_the_secret_that_the_nodes_share() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    ready(&server).await;
    let asking = Page::of("42").token("shop-widget").auth("visitorToken", "");
    let mut visitor = asking.open(&server).await;
    let issued = visitor.expect("visitor_token").await;
    let issued = issued["token"].as_str().unwrap().to_owned();
    let all = [server.address()];
    let gateway = TestGateway::with(&all, &all, |config| {
        TestServer::on(&redis)(config);
        config.visitor_tokens = None;
    })
    .await;
    let request = |token: &str| {
        let body = json!({ "tenantId": "42", "text": "hi" });
        let request = gateway.http.post(gateway.url(MESSAGE)).json(&body);
        request.header("x-visitor-token", token)
    };
    success(request(&issued)).await;
    // Once it knows the secret, no server is asked about a token that does not hold.
    let refused = "chat_gateway_answers_total{kind=\"api\",status=\"401\"} ";
    let by_server = async || {
        let metrics = gateway.metrics().await;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix(refused).map(str::to_owned));
        line.unwrap_or_default()
    };
    until(async || {
        let before = by_server().await;
        let answer = refusal(request("visitor.forged")).await;
        assert_eq!(answer, (401, "CREDENTIAL_REQUIRED".to_owned()));
        by_server().await == before
    })
    .await;
    success(request(&issued)).await;
    visitor.leave().await;
    gateway.finish().await;
    server.finish().await;
}

/// A backend that says it is ready, and breaks the connection when it is asked anything else. Counts that.
async fn breaking() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let broken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&broken);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                while let Ok(count) = stream.read(&mut head).await
                    && head[..count].starts_with(b"GET /readyz")
                {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
                if head.starts_with(b"GET /api") || head.starts_with(b"POST /") {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    (address, broken)
}

#[tokio::test]
async fn only_a_question_is_asked_again_when_a_connection_breaks() {
    let recorder = Recorder::start().await;
    let (address, broken) = breaking().await;
    let gateway = TestGateway::with(&[address, recorder.address()], &[address], |_| ()).await;
    for _ in 0..4 {
        let list = gateway
            .get(&format!("{ONLINE}?tenantId=open"))
            .bearer_auth("open-admin");
        success(list).await;
    }
    assert_eq!(recorder.reached().len(), 4);
    assert!(broken.load(Ordering::SeqCst) > 0, "it was asked, too");
    let before = broken.load(Ordering::SeqCst);
    let mut lost = 0;
    for _ in 0..4 {
        let body = json!({ "tenantId": "open", "text": "once" });
        let sent = soon(gateway.http.post(gateway.url(MESSAGE)).json(&body).send())
            .await
            .unwrap();
        lost += usize::from(sent.status() == 503);
    }
    assert_eq!(broken.load(Ordering::SeqCst) - before, lost);
    assert!(lost > 0, "the other is asked in turn");
    assert_eq!(recorder.reached().len(), 8 - lost);
    let metrics = gateway.metrics().await;
    assert!(
        metrics.contains("chat_gateway_retries_total{kind=\"api\"}"),
        "{metrics}"
    );
    gateway.finish().await;
}
