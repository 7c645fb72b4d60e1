//! What one address, and one visitor, may cause with all that they have open: what staff are told of them is bounded,
//! however many sockets they have.

use std::time::Duration;

use chat_server::config::Config;
use chat_server::limits::Rate;
use serde_json::{Value, json};

use crate::support::{Client, Page, Store, TestServer, on_every_store, refusal, success, user};

on_every_store!(
    one_address_shows_only_so_much_with_all_its_pages,
    a_proven_visitor_shows_only_so_much_from_wherever,
    one_address_says_only_so_much_by_whichever_way,
    a_proven_visitor_says_only_so_much_from_wherever,
    who_says_too_much_leaves_others_at_the_address_their_share,
    staff_may_say_more,
);

/// So slow that nothing comes back while a test runs.
const fn few(burst: u16) -> Rate {
    Rate {
        per_second: 0.000_001,
        burst,
    }
}

/// A server behind a proxy that says where its clients are.
async fn proxied(store: &Store, change: impl FnOnce(&mut Config)) -> TestServer {
    store
        .server_with(|config| {
            config.offline_grace = Duration::from_millis(50);
            config.settings.connections.trust_forwarded_for = true;
            change(config);
        })
        .await
}

fn page_at(address: &str) -> Page {
    Page::of("open").header("X-Forwarded-For", address)
}

async fn reporting(page: Page, server: &TestServer) -> Client {
    page.auth("visit", json!({})).open(server).await
}

async fn show(page: &mut Client, title: &str) -> Value {
    page.ask("update_presence", &json!({ "title": title }))
        .await
}

async fn say(client: &mut Client, text: &str) -> Value {
    client.ask("message", &json!({ "text": text })).await
}

fn is_limited(answer: &Value) -> bool {
    answer["code"] == "RATE_LIMITED"
}

async fn one_address_shows_only_so_much_with_all_its_pages(store: Store) {
    let server = proxied(&store, |config| {
        config.settings.visits.per_address = few(3);
    })
    .await;
    let mut pages = Vec::new();
    // A client has the whole /64.
    for host in 1..=4 {
        let address = format!("2001:db8::{host}");
        pages.push(reporting(page_at(&address), &server).await);
    }
    let mut admin = server.admin().await;
    assert_eq!(admin.list("open").await.len(), 4);
    for page in &mut pages[..3] {
        assert_eq!(show(page, "shown").await, json!({}));
    }
    for page in &mut pages {
        assert!(is_limited(&show(page, "too much").await));
    }
    let mut other = reporting(page_at("2001:db8:0:1::1"), &server).await;
    assert_eq!(show(&mut other, "elsewhere").await, json!({}));
    let mut titles = Vec::new();
    for _ in 0..5 {
        titles.push(admin.expect("user_online").await["title"].clone());
    }
    let expected = ["shown", "shown", "shown"].map(Value::from);
    assert_eq!(titles[..3], expected);
    assert_eq!(titles[3..], [Value::Null, "elsewhere".into()]);
    server.finish().await;
}

async fn a_proven_visitor_shows_only_so_much_from_wherever(store: Store) {
    let server = proxied(&store, |config| {
        config.settings.visits.per_user = few(2);
    })
    .await;
    let ann = user("ann");
    let mut here = reporting(page_at("192.0.2.1").token(&ann), &server).await;
    let mut there = reporting(page_at("192.0.2.2").token(&ann), &server).await;
    assert_eq!(show(&mut here, "a").await, json!({}));
    assert_eq!(show(&mut there, "b").await, json!({}));
    assert!(is_limited(&show(&mut here, "c").await));
    assert!(is_limited(&show(&mut there, "d").await));
    // What a visitor without a proof is called says nothing.
    let mut unproven = reporting(page_at("192.0.2.1").visitor("ann"), &server).await;
    for title in ["a", "b", "c"] {
        assert_eq!(show(&mut unproven, title).await, json!({}));
    }
    server.finish().await;
}

async fn one_address_says_only_so_much_by_whichever_way(store: Store) {
    let server = proxied(&store, |config| {
        config.settings.messages.per_address = few(3);
    })
    .await;
    let mut one = page_at("192.0.2.1").open(&server).await;
    let mut two = page_at("192.0.2.1").open(&server).await;
    let post = |address| {
        let body = json!({ "tenantId": "open", "text": "x" });
        let request = server.post("/webchat/message", &body);
        request.header("X-Forwarded-For", address)
    };
    assert!(say(&mut one, "a").await["messageId"].is_string());
    assert!(say(&mut two, "b").await["messageId"].is_string());
    success(post("192.0.2.1")).await;
    assert!(is_limited(&say(&mut one, "c").await));
    assert!(is_limited(&say(&mut two, "d").await));
    assert_eq!(refusal(post("192.0.2.1")).await.0, 429);
    success(post("192.0.2.2")).await;
    let mut elsewhere = page_at("192.0.2.2").open(&server).await;
    assert!(say(&mut elsewhere, "e").await["messageId"].is_string());
    server.finish().await;
}

async fn a_proven_visitor_says_only_so_much_from_wherever(store: Store) {
    let server = proxied(&store, |config| {
        config.settings.messages.per_user = few(2);
    })
    .await;
    let ann = user("ann");
    let mut here = page_at("192.0.2.1").token(&ann).open(&server).await;
    let mut there = page_at("192.0.2.2").token(&ann).open(&server).await;
    assert!(say(&mut here, "a").await["messageId"].is_string());
    assert!(say(&mut there, "b").await["messageId"].is_string());
    assert!(is_limited(&say(&mut there, "c").await));
    let body = json!({ "tenantId": "open", "text": "x" });
    let post = |token: &str| server.post("/webchat/message", &body).bearer_auth(token);
    assert_eq!(refusal(post(&ann)).await.0, 429);
    success(post(&user("bob"))).await;
    success(post("open-admin")).await;
    server.finish().await;
}

async fn who_says_too_much_leaves_others_at_the_address_their_share(store: Store) {
    let server = proxied(&store, |config| {
        config.settings.messages.per_address = few(3);
        config.settings.messages.per_user = few(1);
    })
    .await;
    let ann = user("ann");
    let at_the_office = || page_at("192.0.2.1");
    let mut loud = at_the_office().token(&ann).open(&server).await;
    assert!(say(&mut loud, "a").await["messageId"].is_string());
    assert!(is_limited(&say(&mut loud, "b").await));
    let body = json!({ "tenantId": "open", "text": "c" });
    let post = server.post("/webchat/message", &body).bearer_auth(&ann);
    let post = post.header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(refusal(post).await.0, 429);
    let mut other = at_the_office().open(&server).await;
    for text in ["d", "e"] {
        assert!(say(&mut other, text).await["messageId"].is_string());
    }
    server.finish().await;
}

async fn staff_may_say_more(store: Store) {
    let server = proxied(&store, |config| {
        config.settings.messages.per_address = few(1);
        config.settings.messages.per_user = few(1);
    })
    .await;
    let desk = page_at("192.0.2.1").admin("open-admin");
    let mut admin = desk.open(&server).await;
    for text in ["a", "b", "c"] {
        assert!(say(&mut admin, text).await["messageId"].is_string());
    }
    server.finish().await;
}
