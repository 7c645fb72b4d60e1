//! Nothing of one tenant is seen or reached from another.

use serde_json::json;

use crate::support::{Page, Store, TestServer, on_every_store, refusal, success};

on_every_store!(
    presence_does_not_cross,
    another_tenants_list_is_refused_and_not_sent,
    a_tenant_may_be_named_by_a_number,
    conversations_do_not_cross,
    an_http_list_is_the_own_tenants,
);

async fn shop_visitor(server: &TestServer, id: &str) -> crate::support::Client {
    Page::of("42")
        .token("shop-widget")
        .visitor(id)
        .open(server)
        .await
}

async fn presence_does_not_cross(store: Store) {
    let server = store.server().await;
    let mut open_admin = server.admin().await;
    let mut shop_admin = Page::of("42").admin("shop-admin").open(&server).await;
    let _ann = server.visitor("ann").await;
    let shop_ann = shop_visitor(&server, "ann").await;
    let shown = open_admin.expect("user_online").await;
    assert_ne!(shown["sessionId"], shop_ann.id());
    assert_eq!(
        shop_admin.expect("user_online").await["sessionId"],
        shop_ann.id()
    );
    shop_ann.leave().await;
    shop_admin.expect("user_offline").await;
    assert_eq!(open_admin.list("open").await, [shown]);
    assert!(shop_admin.list("42").await.is_empty());
    server.finish().await;
}

async fn another_tenants_list_is_refused_and_not_sent(store: Store) {
    let server = store.server().await;
    let mut admin = server.admin().await;
    let answer = admin
        .ask("get_online_users", &json!({ "tenantId": "42" }))
        .await;
    assert_eq!(answer["code"], "WRONG_TENANT");
    // The next event is the answer to the next request: there was no list in between.
    assert!(admin.list("open").await.is_empty());
    server.finish().await;
}

async fn a_tenant_may_be_named_by_a_number(store: Store) {
    let server = store.server().await;
    let mut admin = Page::of("42").admin("shop-admin").open(&server).await;
    let visitor = shop_visitor(&server, "v").await;
    admin.expect("user_online").await;
    admin
        .emit("get_online_users", &json!({ "tenantId": 42 }))
        .await;
    let list = admin.expect("online_users_list").await;
    assert_eq!(list["users"][0]["sessionId"], visitor.id());
    server.finish().await;
}

async fn conversations_do_not_cross(store: Store) {
    let server = store.server().await;
    let mut admin = server.admin().await;
    let mut visitor = shop_visitor(&server, "v").await;
    let session = json!({ "sessionId": visitor.id(), "text": "hello" });
    for event in ["message", "join_conversation", "leave_conversation"] {
        assert_eq!(
            admin.ask(event, &session).await["code"],
            "UNKNOWN_SESSION",
            "{event}"
        );
    }
    let path = format!(
        "/api/chat/messages?tenantId=open&sessionId={}",
        visitor.id()
    );
    let request = server.get(&path).bearer_auth("open-admin");
    assert_eq!(refusal(request).await, (404, "UNKNOWN_SESSION".to_owned()));
    let reply = json!({ "tenantId": "open", "sessionId": visitor.id(), "text": "x" });
    let request = server
        .post("/webchat/message", &reply)
        .bearer_auth("open-admin");
    assert_eq!(refusal(request).await, (404, "UNKNOWN_SESSION".to_owned()));
    // The visitor's next event is their own message.
    visitor.emit("message", &json!({ "text": "own" })).await;
    assert_eq!(
        visitor.expect("meta_message_created").await["message"]["text"],
        "own"
    );
    server.finish().await;
}

async fn an_http_list_is_the_own_tenants(store: Store) {
    let server = store.server().await;
    let visitor = shop_visitor(&server, "v").await;
    let open = server
        .get("/api/chat/online-users?tenantId=open")
        .bearer_auth("open-admin");
    assert_eq!(success(open).await, json!({ "users": [] }));
    let shop = server
        .get("/api/chat/online-users?tenantId=42")
        .bearer_auth("shop-admin");
    assert_eq!(success(shop).await["users"][0]["sessionId"], visitor.id());
    server.finish().await;
}
