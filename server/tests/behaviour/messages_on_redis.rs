//! What other programs find of messages in a real Redis, and what clients hear while it is away.

use std::cell::Cell;
use std::time::Duration;

use redis::cmd;
use serde_json::{Value, json};

use crate::support::redis_server::RedisServer;
use crate::support::store::ready;
use crate::support::{Client, Page, Store, refusal, success, user};

const STREAM: &str = "meta:webhook_jobs";
const HEADERS: &str = r#"{"content-type":"application/json","x-webhook-source":"webchat-service"}"#;

/// An entry of the stream, as any program reads it.
type Job = Vec<(String, String)>;

/// The entry of the contract with these values in it.
fn expected(payload: &str, timestamp: &str) -> Job {
    [
        ("job_type", "webchat_webhook"),
        ("source", "webhook"),
        ("webhook_type", "message"),
        ("payload", payload),
        ("headers", HEADERS),
        ("timestamp", timestamp),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A store whose Redis the test has a hand on.
struct OnRedis(Store);

impl OnRedis {
    async fn start() -> Self {
        Self(Store::redis().await)
    }

    fn redis(&mut self) -> &mut RedisServer {
        match &mut self.0 {
            Store::Redis(redis) => redis,
            Store::Embedded => panic!("this one is on Redis"),
        }
    }

    async fn jobs(&mut self) -> Vec<Job> {
        let mut command = cmd("XRANGE");
        command.arg(STREAM).arg("-").arg("+");
        let mut client = self.redis().client().await;
        let entries: Vec<(String, Job)> = command.query_async(&mut client).await.unwrap();
        entries.into_iter().map(|(_, fields)| fields).collect()
    }
}

async fn say(client: &mut Client, text: &str) -> Value {
    let answer = client.ask("message", &json!({ "text": text })).await;
    assert!(answer["messageId"].is_string(), "{answer}");
    answer
}

#[tokio::test]
async fn a_message_is_an_entry_of_the_stream_byte_for_byte() {
    let mut on = OnRedis::start().await;
    let server = on.0.server().await;
    let mut ann = Page::of("42")
        .token("shop-widget")
        .visitor("ann")
        .query("domain", "not-this.example")
        .query("siteId", "99")
        .open(&server)
        .await;
    let said = json!({
        "text": "Is \"it\"\n<there>? ü😀", "siteId": "7", "domain": "shop.example", "more": [1]
    });
    let accepted = ann.ask("message", &said).await;
    let (id, time) = (&accepted["messageId"], &accepted["timestamp"]);
    let payload = format!(
        concat!(
            r#"{{"messageId":{},"sessionId":"{}","userId":"anonymous-ann","tenantId":42,"siteId":7,"#,
            r#""domain":"shop.example","text":"Is \"it\"\n<there>? ü😀","senderType":"user","timestamp":{}}}"#
        ),
        id,
        ann.id(),
        time
    );
    assert_eq!(
        on.jobs().await,
        [expected(&payload, time.as_str().unwrap())]
    );
    server.finish().await;
}

#[tokio::test]
async fn what_a_message_does_not_say_is_null_or_empty_there() {
    let mut on = OnRedis::start().await;
    let server = on.0.server().await;
    let body = json!({ "tenantId": "open", "text": "hello" });
    let sent = success(server.post("/webchat/message", &body)).await;
    let message = &sent["message"];
    let payload = format!(
        concat!(
            r#"{{"messageId":{},"sessionId":{},"userId":{},"tenantId":"open","siteId":null,"#,
            r#""domain":"","text":"hello","senderType":"user","timestamp":{}}}"#
        ),
        message["id"], message["sessionId"], message["userId"], message["timestamp"],
    );
    let time = message["timestamp"].as_str().unwrap();
    assert_eq!(on.jobs().await, [expected(&payload, time)]);
    server.finish().await;
}

#[tokio::test]
async fn what_staff_and_bots_say_is_no_job() {
    let mut on = OnRedis::start().await;
    let server = on.0.server().await;
    let mut agent = server.admin().await;
    let mut ann = server.visitor("ann").await;
    for sender in ["agent", "bot"] {
        let reply = json!({ "text": "x", "sessionId": ann.id(), "sender": sender });
        assert!(agent.ask("message", &reply).await["messageId"].is_string());
        let told = ann.expect("meta_message_created").await;
        assert_eq!(told["message"]["sender"], sender);
    }
    assert!(on.jobs().await.is_empty());
    server.finish().await;
}

#[tokio::test]
async fn what_is_kept_besides_has_keys_of_its_own_and_does_not_stay() {
    let mut on = OnRedis::start().await;
    let server = on.0.server().await;
    let mut ann = Page::of("open").token(&user("u-1")).open(&server).await;
    say(&mut ann, "hello").await;
    let keys = on.redis().keys().await;
    let kept: Vec<&String> = keys
        .iter()
        .filter(|key| key.starts_with("{chat:open}:"))
        .collect();
    let session = format!("{{chat:open}}:session:{}", ann.id());
    let log = "{chat:open}:recent";
    let list = "{chat:open}:conversations";
    assert_eq!(kept, [list, "{chat:open}:history:user:u-1", log, &session]);
    let mut client = on.redis().client().await;
    for key in kept {
        let left: i64 = cmd("PTTL").arg(key).query_async(&mut client).await.unwrap();
        assert!(left > 0, "{key} never expires");
    }
    server.finish().await;
}

#[tokio::test]
async fn without_an_answer_of_redis_there_is_no_message() {
    let mut on = OnRedis::start().await;
    let server = on.0.server().await;
    let mut ann = server.visitor("ann").await;
    say(&mut ann, "one").await;
    ann.expect("meta_message_created").await;

    on.redis().freeze();
    let refused = ann.ask("message", &json!({ "text": "two" })).await;
    assert_eq!(refused["code"], "UNAVAILABLE");
    assert!(refused.get("messageId").is_none());
    let body = json!({ "tenantId": "open", "text": "three" });
    let unavailable = (503, "UNAVAILABLE".to_owned());
    assert_eq!(
        refusal(server.post("/webchat/message", &body)).await,
        unavailable
    );
    on.redis().thaw();
    ready(&server).await;

    // The same socket, and nothing was told in between.
    let taken = say(&mut ann, "four").await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["id"], taken["messageId"]);
    server.finish().await;
}

#[tokio::test]
async fn an_acknowledgement_waits_for_the_stream() {
    let mut on = OnRedis::start().await;
    let patient = Duration::from_mins(1);
    let server =
        on.0.server_with(|config| config.settings.redis.response_timeout = patient)
            .await;
    let mut ann = server.visitor("ann").await;
    let mut bystander = server.visitor("bob").await;
    for visitor in [&mut ann, &mut bystander] {
        // Answered when they have come in, for which Redis is needed.
        assert_eq!(
            visitor.ask("nonsense", &json!({})).await["code"],
            "NOT_FOUND"
        );
    }
    on.redis().freeze();
    let thawed = Cell::new(false);
    let saying = async {
        let accepted = say(&mut ann, "hello").await;
        assert!(thawed.get(), "acknowledged before the stream had it");
        accepted
    };
    let thawing = async {
        // Whoever needs no Redis is served meanwhile.
        for _ in 0..10 {
            let answer = bystander.ask("nonsense", &json!({})).await;
            assert_eq!(answer["code"], "NOT_FOUND");
        }
        thawed.set(true);
        on.redis().thaw();
    };
    let (accepted, ()) = tokio::join!(saying, thawing);
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["id"], accepted["messageId"]);
    assert_eq!(on.jobs().await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn while_redis_is_away_requests_say_so_and_afterwards_all_is_well() {
    let mut on = OnRedis::start().await;
    let server = on.0.server().await;
    let mut ann = server.visitor("ann").await;
    let mut agent = server.admin().await;
    say(&mut ann, "one").await;
    ann.expect("meta_message_created").await;
    let session = json!({ "sessionId": ann.id() });

    on.redis().kill();
    let unavailable = (503, "UNAVAILABLE".to_owned());
    let open = json!({ "tenantId": "open" });
    let two = json!({ "tenantId": "open", "text": "two" });
    for request in [
        server.post("/webchat/message", &two),
        server.post("/api/chat/session", &open),
        server
            .get(&format!(
                "/api/chat/messages?tenantId=open&sessionId={}",
                ann.id()
            ))
            .bearer_auth("open-admin"),
    ] {
        assert_eq!(refusal(request).await, unavailable);
    }
    let reply = json!({ "text": "three", "sessionId": ann.id() });
    assert_eq!(agent.ask("message", &reply).await["code"], "UNAVAILABLE");
    let followed = agent.ask("join_conversation", &session).await;
    assert_eq!(followed["code"], "UNAVAILABLE");

    on.redis().revive().await;
    ready(&server).await;
    let taken = say(&mut ann, "four").await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["id"], taken["messageId"]);
    assert!(agent.ask("message", &reply).await["messageId"].is_string());
    server.finish().await;
}

#[tokio::test]
async fn a_conversation_outlives_the_server() {
    let on = OnRedis::start().await;
    let server = on.0.server().await;
    let page = Page::of("open").token(&user("u-1"));
    let mut one = page.clone().open(&server).await;
    let mut anonymous = server.visitor("ann").await;
    for client in [&mut one, &mut anonymous] {
        client.ask("message", &json!({ "text": "before" })).await;
        client.expect("meta_message_created").await;
    }
    let (proven, unproven) = (one.id().to_owned(), anonymous.id().to_owned());
    drop((one, anonymous));
    server.finish().await;

    let server = on.0.server().await;
    let mut again = page.open(&server).await;
    let mut agent = server.admin().await;
    for session in [&proven, &unproven] {
        let history = agent
            .ask("join_conversation", &json!({ "sessionId": session }))
            .await;
        assert_eq!(history["messages"][0]["text"], "before", "{history}");
        let reply = json!({ "text": "after", "sessionId": session });
        assert!(agent.ask("message", &reply).await["messageId"].is_string());
        agent.expect("meta_message_created").await;
    }
    let told = again.expect("meta_message_created").await;
    assert_eq!(
        told["message"]["text"], "after",
        "in the user's new session"
    );
    let path = format!("/api/chat/messages?tenantId=open&sessionId={proven}");
    let own = success(server.get(&path).bearer_auth(user("u-1"))).await;
    assert_eq!(own["messages"].as_array().unwrap().len(), 2);
    let stranger = server.get(&path).bearer_auth(user("u-2"));
    assert_eq!(refusal(stranger).await.0, 403);
    server.finish().await;
}

#[tokio::test]
async fn a_history_is_bounded_and_expires() {
    let on = OnRedis::start().await;
    let server =
        on.0.server_with(|config| {
            config.settings.history.messages_per_conversation = 2;
            config.settings.history.expiry = Duration::from_millis(300);
        })
        .await;
    let mut ann = server.visitor("ann").await;
    for text in ["a", "b", "c"] {
        ann.ask("message", &json!({ "text": text })).await;
    }
    let path = format!("/api/chat/messages?tenantId=open&sessionId={}", ann.id());
    let read = async || {
        let history = success(server.get(&path).bearer_auth("open-admin")).await;
        let messages = history["messages"].as_array().unwrap().clone();
        let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
        messages.iter().map(text).collect::<Vec<String>>()
    };
    // A slow machine may find less, but never more.
    let kept = read().await;
    assert!(["b", "c"].map(str::to_owned).ends_with(&kept), "{kept:?}");
    while !read().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.finish().await;
}
