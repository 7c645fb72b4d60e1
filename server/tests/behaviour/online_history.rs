//! How many were online: the present minute at once, and only for those who may see who is.

use serde_json::{Value, json};

use crate::support::nodes::{command, node};
use crate::support::redis_server::RedisServer;
use crate::support::{Store, TestServer, on_every_store, refusal, soon, success, token, until};

on_every_store!(the_present_minute_has_the_number_now);

const HISTORY: &str = "/api/chat/online-users/history?tenantId=open";

async fn history(server: &TestServer) -> Vec<Value> {
    let answer = success(server.get(HISTORY).bearer_auth("open-admin")).await;
    assert_eq!(answer["interval"], 60_000);
    answer["samples"].as_array().unwrap().clone()
}

async fn the_present_minute_has_the_number_now(store: Store) {
    let server = store.server().await;
    let mut admin = server.admin().await;
    let ann = server.visitor("ann").await;
    let _ann_too = server.visitor("ann").await;
    let bob = server.visitor("bob").await;
    for _ in 0..3 {
        admin.expect("user_online").await;
    }
    let samples = history(&server).await;
    assert_eq!(samples.len(), 61);
    assert_eq!(
        samples[0],
        json!({ "at": samples[0]["at"], "online": null, "peak": null })
    );
    assert_eq!(samples[60]["online"], 2);
    bob.leave().await;
    admin.expect("user_offline").await;
    drop(ann);
    let samples = history(&server).await;
    assert_eq!(samples[60]["online"], 1);
    // The minute may have ended meanwhile.
    let peaks = samples.iter().filter_map(|sample| sample["peak"].as_u64());
    assert_eq!(peaks.max(), Some(2));
    let at = |sample: &Value| humantime::parse_rfc3339(sample["at"].as_str().unwrap()).unwrap();
    for pair in samples.windows(2) {
        let apart = at(&pair[1]).duration_since(at(&pair[0])).unwrap();
        assert_eq!(apart.as_secs(), 60);
    }
    server.finish().await;
}

/// Other nodes note the minutes in which they were there, of which this one need know nothing.
#[tokio::test]
async fn where_nodes_were_and_nobody_was_counted_nobody_was_online() {
    let redis = RedisServer::start().await;
    let server = node(&redis).await;
    until(async || server.get("/readyz").send().await.unwrap().status() == 200).await;
    let samples = history(&server).await;
    let at = samples[58]["at"].as_str().unwrap();
    let begun = humantime::parse_rfc3339(at).unwrap();
    let since = begun.duration_since(std::time::UNIX_EPOCH).unwrap();
    let minute = since.as_secs() / 60;
    let (place, noted) = ((minute % 64).to_string(), minute.to_string());
    let words = ["HSET", "chat:presence:counts", &place, &noted];
    let _new: u64 = command(&redis, &words).await;
    let samples = history(&server).await;
    let of = |at: &str| samples.iter().find(|sample| sample["at"] == at);
    let nobody = json!({ "at": at, "online": 0, "peak": 0 });
    assert_eq!(of(at), Some(&nobody));
    assert_eq!(samples[50]["online"], Value::Null);
    server.finish().await;
}

#[tokio::test]
async fn it_is_for_admins_of_the_tenant_alone() {
    let server = TestServer::start().await;
    let user = token(json!({ "sub": "u", "tenantId": "open", "role": "user" }));
    let ask = |query: &str, key: Option<&str>| {
        let request = server.get(&format!("/api/chat/online-users/history{query}"));
        match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    };
    for (query, key, status, code) in [
        ("", Some("open-admin"), 400, "TENANT_REQUIRED"),
        ("?tenantId=open", None, 401, "CREDENTIAL_REQUIRED"),
        ("?tenantId=open", Some("nonsense"), 401, "INVALID_API_KEY"),
        ("?tenantId=open", Some(user.as_str()), 403, "ADMIN_REQUIRED"),
        ("?tenantId=open", Some("shop-admin"), 403, "WRONG_TENANT"),
        (
            "?tenantId=nowhere",
            Some("open-admin"),
            404,
            "UNKNOWN_TENANT",
        ),
    ] {
        let refused = refusal(ask(query, key)).await;
        assert_eq!(refused, (status, code.to_owned()), "{query} {key:?}");
    }
    let mismatch = ask("?tenantId=open", Some("open-admin")).header("X-Tenant-ID", "42");
    assert_eq!(refusal(mismatch).await, (400, "TENANT_MISMATCH".to_owned()));
    let post = server.post("/api/chat/online-users/history?tenantId=open", &json!({}));
    assert_eq!(refusal(post).await, (405, "METHOD_NOT_ALLOWED".to_owned()));
    server.finish().await;
}

#[tokio::test]
async fn dashboards_elsewhere_may_ask() {
    let server = TestServer::start().await;
    let path = server.url("/api/chat/online-users/history?tenantId=42");
    let preflight = server
        .http
        .request(reqwest::Method::OPTIONS, path)
        .header("Origin", "https://desk.example")
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "authorization");
    let response = soon(preflight.send()).await.unwrap();
    let allowed = response.headers()["access-control-allow-origin"].clone();
    assert_eq!(allowed, "https://desk.example");
    server.finish().await;
}
