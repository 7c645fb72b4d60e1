//! A visitor without an account who comes back: known by the token that the server has signed.

use serde_json::{Value, json};

use crate::support::{
    Client, Page, Store, TestServer, on_every_store, refusal, soon, success, token, user,
};

on_every_store!(
    the_conversation_goes_on_after_a_reload,
    nobody_else_reads_it,
    who_does_not_ask_hears_nothing_of_it,
    an_old_or_foreign_token_locks_nobody_out,
    two_tabs_with_one_token_are_one_user,
);

/// A visitor's page that keeps a token, at first an empty one.
fn page(kept: &str) -> Page {
    Page::of("open").visitor("v").auth("visitorToken", kept)
}

async fn issued(client: &mut Client) -> (String, String) {
    let issued = client.expect("visitor_token").await;
    let text = |field: &str| issued[field].as_str().unwrap().to_owned();
    assert!(text("expiresAt").ends_with('Z'), "{issued}");
    (text("token"), text("userId"))
}

/// The session's messages as an admin sees them.
async fn history(server: &TestServer, session: &str) -> Vec<Value> {
    let path = format!("/api/chat/messages?tenantId=open&sessionId={session}");
    let answer = success(server.get(&path).bearer_auth("open-admin")).await;
    answer["messages"].as_array().unwrap().clone()
}

async fn the_conversation_goes_on_after_a_reload(store: Store) {
    let server = store.server().await;
    let mut admin = server.admin().await;
    let mut first = page("").open(&server).await;
    let (kept, user_id) = issued(&mut first).await;
    assert_eq!(admin.expect("user_online").await["userId"], user_id);
    first.ask("message", &json!({ "text": "before" })).await;
    first.expect("meta_message_created").await;
    first.leave().await;

    let mut again = page(&kept).open(&server).await;
    again.ask("message", &json!({ "text": "after" })).await;
    let heard = again.expect("meta_message_created").await;
    assert_eq!(heard["message"]["userId"], user_id, "it is the same user");
    let texts: Vec<Value> = history(&server, again.id())
        .await
        .iter()
        .map(|message| message["text"].clone())
        .collect();
    assert_eq!(texts, ["before", "after"]);

    // And over HTTP, for its own visitor alone.
    let path = format!("/api/chat/messages?tenantId=open&sessionId={}", again.id());
    let shown = [
        server.get(&path).header("x-visitor-token", &kept),
        server.get(&path).bearer_auth(&kept),
    ];
    for request in shown {
        let answer = success(request).await;
        assert_eq!(answer["messages"].as_array().unwrap().len(), 2);
    }
    let opened = success(
        server
            .post("/api/chat/session", &json!({ "tenantId": "open" }))
            .header("x-visitor-token", &kept),
    )
    .await;
    let session = opened["sessionId"].as_str().unwrap();
    assert_eq!(history(&server, session).await.len(), 2);
    server.finish().await;
}

async fn nobody_else_reads_it(store: Store) {
    let server = store.server().await;
    let mut known = page("").open(&server).await;
    let (kept, user_id) = issued(&mut known).await;
    known.ask("message", &json!({ "text": "private" })).await;
    let path = format!("/api/chat/messages?tenantId=open&sessionId={}", known.id());
    let mut other = page("").open(&server).await;
    let (others, _) = issued(&mut other).await;
    let table = [
        (server.get(&path), (401, "CREDENTIAL_REQUIRED")),
        (
            server.get(&path).bearer_auth(&others),
            (403, "ADMIN_REQUIRED"),
        ),
        (
            server.get(&path).bearer_auth(user(&user_id)),
            (401, "INVALID_TOKEN"),
        ),
        (
            server.get(&path).bearer_auth(user("u")),
            (403, "ADMIN_REQUIRED"),
        ),
        (
            server.get(&path).bearer_auth(&kept[..kept.len() - 2]),
            (401, "CREDENTIAL_REQUIRED"),
        ),
    ];
    for (request, (status, code)) in table {
        assert_eq!(refusal(request).await, (status, code.to_owned()));
    }
    // Nor can anybody take the name: it is no visitorId, and no account's.
    let name = user_id.strip_prefix("anonymous-").unwrap();
    let named = Page::of("open").visitor(name);
    assert_eq!(named.refused(&server).await, "INVALID_PAYLOAD");
    let subject = token(json!({ "sub": user_id, "tenantId": "open" }));
    let subject = Page::of("open").token(&subject);
    assert_eq!(subject.refused(&server).await, "INVALID_TOKEN");
    server.finish().await;
}

async fn who_does_not_ask_hears_nothing_of_it(store: Store) {
    let server = store.server().await;
    let pages = [
        Page::of("open").visitor("v"),
        Page::of("open")
            .visitor("v")
            .auth("visitorToken", Value::Null),
        page("").token(&user("u")),
        page("").admin("open-admin"),
    ];
    for page in pages {
        let mut client = page.open(&server).await;
        client.emit("message", &json!({ "text": "hello" })).await;
        loop {
            let (name, _) = client.next().await;
            assert_ne!(name, "visitor_token");
            if name == "meta_message_created" {
                break;
            }
        }
        client.leave().await;
    }
    server.finish().await;
}

async fn an_old_or_foreign_token_locks_nobody_out(store: Store) {
    let server = store.server().await;
    let mut of_shop = Page::of("42")
        .token("shop-widget")
        .auth("visitorToken", "")
        .open(&server)
        .await;
    let (of_shop, shop_user) = issued(&mut of_shop).await;
    for kept in [&*of_shop, "visitor.nonsense", "nonsense", "ey.a.b"] {
        let mut client = page(kept).open(&server).await;
        let (fresh, user_id) = issued(&mut client).await;
        assert_ne!(fresh, kept);
        assert_ne!(user_id, shop_user);
    }
    // One that holds and is young is not replaced: the next event is another.
    let mut client = page("").open(&server).await;
    let (kept, _) = issued(&mut client).await;
    let mut client = page(&kept).open(&server).await;
    client.emit("message", &json!({ "text": "hello" })).await;
    client.expect("meta_message_created").await;
    server.finish().await;
}

async fn two_tabs_with_one_token_are_one_user(store: Store) {
    let server = store.server().await;
    let mut first = page("").open(&server).await;
    let (kept, user_id) = issued(&mut first).await;
    let mut second = page(&kept).open(&server).await;
    let mut admin = server.admin().await;
    let list = admin.list("open").await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["userId"], user_id);
    first.emit("message", &json!({ "text": "hello" })).await;
    second.expect("meta_message_created").await;
    server.finish().await;
}

#[tokio::test]
async fn every_node_of_one_redis_knows_the_visitor_and_the_conversation() {
    let redis = Store::redis().await;
    let (first, second) = (redis.server().await, redis.server().await);
    // Until they have agreed on a secret, a token of the one is worth nothing to the other.
    let (mut known, again, user_id) = soon(Box::pin(async {
        loop {
            let mut known = page("").open(&first).await;
            let (kept, user_id) = issued(&mut known).await;
            let again = page(&kept).open(&second).await;
            let path = format!("/api/chat/messages?tenantId=open&sessionId={}", again.id());
            let request = second.get(&path).bearer_auth(&kept);
            if request.send().await.unwrap().status() == 200 {
                return (known, again, user_id);
            }
        }
    }))
    .await;
    known.ask("message", &json!({ "text": "here" })).await;
    let path = format!("/api/chat/messages?tenantId=open&sessionId={}", again.id());
    let heard = success(second.get(&path).bearer_auth("open-admin")).await;
    assert_eq!(heard["messages"][0]["text"], "here");
    assert_eq!(heard["messages"][0]["userId"], user_id);
    drop((known, again));
    first.finish().await;
    second.finish().await;
}
