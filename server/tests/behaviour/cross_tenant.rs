//! Whoever belongs to one tenant tries every door to another: each event, room, endpoint, header and
//! parameter. Nothing of it comes out, and nothing goes in.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Client, Page, Store, TestServer, on_every_store, success, token, user};

on_every_store!(nothing_crosses);

/// Stands in everything that the other tenant would rather keep.
const MARK: &str = "of-the-other-tenant";

/// What the attackers know of the tenant 42; they are given all that could be guessed or leaked.
struct Victim {
    visitor: Client,
    /// The ids of its sessions: of a visitor without proof, of a proven user, and one over HTTP.
    sessions: Vec<String>,
    proven: Client,
    /// Holds the visitor token.
    _kept: Client,
    admin: Client,
    entity_tag: String,
    cursor: String,
    visitor_token: String,
}

impl Victim {
    async fn settle(server: &TestServer) -> Self {
        let page = || Page::of("42").token("shop-widget").query("url", MARK);
        let mut visitor = page().visitor(MARK).open(server).await;
        visitor.emit("message", &json!({ "text": MARK })).await;
        visitor.expect("meta_message_created").await;
        let mut kept = page().auth("visitorToken", "").open(server).await;
        let issued = kept.expect("visitor_token").await;
        let account = token(json!({ "sub": MARK, "tenantId": "42" }));
        let mut proven = Page::of("42").token(&account).open(server).await;
        proven.emit("message", &json!({ "text": MARK })).await;
        proven.expect("meta_message_created").await;
        let opened = server.post("/api/chat/session", &json!({ "tenantId": "42" }));
        let opened = success(opened.bearer_auth("shop-widget")).await;
        let mut admin = Page::of("42").admin("shop-admin").open(server).await;
        let list = admin.list("42").await;
        assert!(list.len() >= 2, "{list:?}");
        let page = server
            .get("/api/chat/online-users?tenantId=42&limit=1")
            .bearer_auth("shop-admin")
            .send()
            .await
            .unwrap();
        let entity_tag = page.headers()["etag"].to_str().unwrap().to_owned();
        let page: Value = page.json().await.unwrap();
        Self {
            sessions: vec![
                visitor.id().to_owned(),
                proven.id().to_owned(),
                opened["sessionId"].as_str().unwrap().to_owned(),
            ],
            visitor,
            proven,
            _kept: kept,
            admin,
            entity_tag,
            cursor: page["nextCursor"].as_str().unwrap().to_owned(),
            visitor_token: issued["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Whatever came in since would stand before what each of them is told now.
    async fn is_undisturbed(&mut self, server: &TestServer) {
        self.visitor
            .emit("message", &json!({ "text": "own" }))
            .await;
        self.proven.emit("message", &json!({ "text": "own" })).await;
        for client in [&mut self.visitor, &mut self.proven] {
            let heard = client.expect("meta_message_created").await;
            assert_eq!(heard["message"]["text"], "own");
        }
        // The admin has heard of nobody since it came, and sees whom it saw then.
        for row in self.admin.list("42").await {
            let named = row["userId"].as_str().unwrap();
            assert!(
                named.contains(MARK) || named.starts_with("anonymous-~"),
                "{row}"
            );
        }
        for (session, said) in self.sessions.iter().zip([2, 2, 0]) {
            let path = format!("/api/chat/messages?tenantId=42&sessionId={session}");
            let history = success(server.get(&path).bearer_auth("shop-admin")).await;
            let messages = history["messages"].as_array().unwrap();
            assert_eq!(messages.len(), said, "{history}");
        }
    }
}

/// The credentials of the tenant `open`, from the strongest to none.
fn credentials(visitor_token: &str) -> Vec<(bool, String)> {
    let boss = json!({ "sub": "boss", "tenantId": "open", "role": "admin" });
    vec![
        (true, "open-admin".to_owned()),
        (true, token(boss)),
        (false, user("u")),
        (false, user(MARK)),
        (false, visitor_token.to_owned()),
        (false, String::new()),
    ]
}

async fn by_events(server: &TestServer, victim: &Victim, admin: bool, credential: &str) {
    let mut page = Page::of("open").visitor(MARK);
    if !credential.is_empty() {
        page = page.token(credential);
    }
    if admin {
        page = page.query("role", "admin");
    }
    // Whatever else it says of itself counts for nothing.
    let mut client = page
        .query("tenantId", "42")
        .auth("tenantId", "42")
        .auth("conversations", 1)
        .auth("sessionId", victim.sessions[0].as_str())
        .auth("visitorToken", victim.visitor_token.as_str())
        .header("x-tenant-id", "42")
        .open(server)
        .await;
    let mut payloads = vec![
        json!({ "tenantId": "42" }),
        json!({ "tenantId": 42 }),
        json!({ "tenantId": ["42"] }),
        json!({ "tenantId": "open", "tenant_id": "42" }),
        json!("42"),
        Value::Null,
    ];
    let rooms = ["tenant:42", "admin:42", "conversation:user:42:", "42"];
    for session in victim.sessions.iter().map(String::as_str).chain(rooms) {
        for tenant in ["open", "42"] {
            let text = "intruder";
            payloads.push(json!({ "sessionId": session, "tenantId": tenant, "text": text }));
        }
    }
    for payload in &payloads {
        for event in [
            "get_online_users",
            "join_conversation",
            "leave_conversation",
            "update_presence",
        ] {
            let answer = client.ask(event, payload).await;
            assert!(
                !answer.to_string().contains(MARK),
                "{event} {payload}: {answer}"
            );
        }
        // An admin's reply names the session; a visitor's message is the visitor's own.
        let answer = client.ask("message", payload).await;
        if admin && payload["sessionId"].is_string() {
            assert_eq!(answer["code"], "UNKNOWN_SESSION", "{payload}: {answer}");
        }
    }
    // All that came besides the answers is of the own tenant.
    client.emit("message", &json!({ "text": "last" })).await;
    loop {
        let (name, heard) = client.next().await;
        let foreign = heard["message"]["tenantId"] == "42"
            || victim
                .sessions
                .iter()
                .any(|id| heard.to_string().contains(id));
        assert!(!foreign, "{name}: {heard}");
        if heard["message"]["text"] == "last" {
            break;
        }
    }
    client.leave().await;
}

fn requests(server: &TestServer, victim: &Victim) -> Vec<RequestBuilder> {
    let list = "/api/chat/online-users";
    let messages = "/api/chat/messages";
    let conversations = "/api/chat/conversations";
    let place = format!("240115103000000.user:{MARK}");
    let (cursor, session) = (&victim.cursor, &victim.sessions[0]);
    let mut all = vec![
        server.get(&format!("{list}?tenantId=42")),
        server.get(list).header("x-tenant-id", "42"),
        server
            .get(&format!("{list}?tenantId=42"))
            .header("x-tenant-id", "open"),
        server
            .get(&format!("{list}?tenantId=open"))
            .header("x-tenant-id", "42"),
        server.get(&format!("{list}?tenantId=open&tenantId=42")),
        server.get(&format!("{list}?tenantId=open&limit=100&cursor={cursor}")),
        server.get(&format!("{list}?tenantId=42&limit=100&cursor={cursor}")),
        server
            .get(&format!("{list}?tenantId=42"))
            .header("if-none-match", &victim.entity_tag),
        server.get(&format!("{conversations}?tenantId=42")),
        server.get(conversations).header("x-tenant-id", "42"),
        server
            .get(&format!("{conversations}?tenantId=open"))
            .header("x-tenant-id", "42"),
        server.get(&format!("{conversations}?tenantId=open&cursor={place}")),
        server.get(&format!("{messages}?tenantId=42&sessionId={session}")),
        server
            .get(&format!("{messages}?sessionId={session}"))
            .header("x-tenant-id", "42"),
    ];
    for session in &victim.sessions {
        all.push(server.get(&format!("{messages}?tenantId=open&sessionId={session}")));
        for tenant in [json!("open"), json!("42"), json!(42)] {
            let body = json!({ "tenantId": tenant, "sessionId": session, "text": "intruder" });
            all.push(server.post("/webchat/message", &body));
            all.push(
                server
                    .post("/webchat/message", &body)
                    .header("x-tenant-id", "42"),
            );
            all.push(server.post("/webchat/message?tenantId=42", &body));
            all.push(server.post("/api/chat/session?tenantId=42", &body));
        }
    }
    all
}

async fn by_requests(server: &TestServer, victim: &Victim, credential: &str) {
    for mut request in requests(server, victim) {
        if !credential.is_empty() {
            request = request.bearer_auth(credential);
        }
        let response = request.send().await.unwrap();
        let (url, status) = (response.url().clone(), response.status().as_u16());
        assert_ne!(status, 304, "{url}");
        let text = response.text().await.unwrap();
        assert!(!text.contains(MARK), "{url}: {text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        // The one thing that may succeed is to see one's own, empty of the other's.
        let is_list = body["users"].is_array() || body["conversations"].is_array();
        let own_list = status == 200 && is_list;
        assert!(
            own_list || body["code"].is_string(),
            "{url}: {status} {text}"
        );
    }
}

async fn nothing_crosses(store: Store) {
    let server = store.server().await;
    let mut victim = Victim::settle(&server).await;
    let mut own = Page::of("open")
        .auth("visitorToken", "")
        .open(&server)
        .await;
    let own_token = own.expect("visitor_token").await;
    let own_token = own_token["token"].as_str().unwrap();
    for (admin, credential) in credentials(own_token) {
        by_events(&server, &victim, admin, &credential).await;
        by_requests(&server, &victim, &credential).await;
    }
    victim.is_undisturbed(&server).await;
    drop((own, victim));
    server.finish().await;
}
