//! A page that reports its visit: what staff are shown of it, and that nobody else notices.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Page, Store, TestServer, on_every_store, success, token};

on_every_store!(
    what_a_page_tells_is_shown,
    the_tab_that_is_looked_at_is_shown,
    lists_deltas_and_http_say_the_same,
    a_reload_keeps_the_visit,
);

const UPDATE: &str = "update_presence";

fn reporting(visitor: &str, visit: Value) -> Page {
    Page::of("open").visitor(visitor).auth("visit", visit)
}

/// What came besides the fields of the old system.
fn told(mut row: Value) -> Value {
    let fields = row.as_object_mut().unwrap();
    for of_old in ["userId", "sessionId", "connectedAt", "domain", "origin"] {
        fields.remove(of_old);
    }
    row
}

fn millis(row: &Value, field: &str) -> u64 {
    let at = humantime::parse_rfc3339(row[field].as_str().unwrap()).unwrap();
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

async fn update(page: &mut Client, payload: Value) {
    assert_eq!(page.ask(UPDATE, &payload).await, json!({}));
}

async fn what_a_page_tells_is_shown(store: Store) {
    let server = store.server().await;
    let mut admin = server.admin().await;
    let visit = json!({
        "url": "https://shop.example/lamp?utm=1#top",
        "title": "Blue lamp",
        "referrer": "https://search.example/?q=lamp",
        "firstPage": "https://shop.example/?ref=x",
        "elapsed": 90_000,
        "visits": 3,
    });
    let page = reporting("ann", visit).query("url", "https://shop.example/old");
    let mut ann = page.open(&server).await;
    let shown = admin.expect("user_online").await;
    let begun = millis(&shown, "connectedAt") - millis(&shown, "startedAt");
    assert_eq!(begun, 90_000);
    let expected = json!({
        "url": "https://shop.example/lamp",
        "title": "Blue lamp",
        "referrer": "https://search.example/",
        "firstPage": "https://shop.example/",
        "startedAt": shown["startedAt"],
        "visits": 3,
    });
    assert_eq!(told(shown.clone()), expected);

    update(&mut ann, json!({ "idle": 60_000 })).await;
    let idle = admin.expect("user_online").await;
    assert!(millis(&idle, "idleSince") + 60_000 >= millis(&shown, "connectedAt"));
    update(
        &mut ann,
        json!({ "title": "Basket", "url": "https://shop.example/basket?id=7" }),
    )
    .await;
    let mut expected = expected;
    expected["title"] = json!("Basket");
    expected["url"] = json!("https://shop.example/basket");
    assert_eq!(
        told(admin.expect("user_online").await),
        expected,
        "active again"
    );

    // The same once more is no news.
    update(&mut ann, json!({ "title": "Basket" })).await;
    let _bob = server.visitor("bob").await;
    assert_eq!(admin.expect("user_online").await["userId"], "anonymous-bob");
    server.finish().await;
}

async fn the_tab_that_is_looked_at_is_shown(store: Store) {
    let server = store.server().await;
    let mut admin = server.admin().await;
    let page = |title: &str| reporting("ann", json!({ "title": title }));
    let mut first = page("A").open(&server).await;
    let mut second = page("B").open(&server).await;
    let next = async |admin: &mut Client| {
        let row = admin.expect("user_online").await;
        (row["sessionId"].clone(), told(row))
    };
    let is = |page: &Client, expected: Value| (json!(page.id()), expected);
    assert_eq!(next(&mut admin).await, is(&first, json!({ "title": "A" })));
    let both = |title: &str| json!({ "title": title, "tabs": 2 });
    assert_eq!(next(&mut admin).await, is(&second, both("B")));
    update(&mut first, json!({})).await;
    assert_eq!(next(&mut admin).await, is(&first, both("A")));
    // Where nobody looks something changes, and nobody is told.
    update(&mut second, json!({ "title": "C", "idle": 0 })).await;
    update(&mut second, json!({})).await;
    assert_eq!(next(&mut admin).await, is(&second, both("C")));
    let first_id = first.id().to_owned();
    first.leave().await;
    assert_eq!(next(&mut admin).await, is(&second, json!({ "title": "C" })));
    // One that reports nothing hides what others do.
    let plain = server.visitor("ann").await;
    assert_eq!(next(&mut admin).await, is(&plain, json!({})));
    plain.leave().await;
    assert_eq!(next(&mut admin).await, is(&second, json!({ "title": "C" })));
    second.leave().await;
    assert_eq!(
        admin.expect("user_offline").await,
        json!({ "userId": "anonymous-ann" }),
        "{first_id}"
    );
    server.finish().await;
}

async fn lists_deltas_and_http_say_the_same(store: Store) {
    let server = store.server().await;
    let mut old = server.admin().await;
    let versions = Page::of("open").admin("open-admin").auth("presence", 1);
    let mut new = versions.open(&server).await;
    let ask = json!({ "tenantId": "open", "epoch": 0, "version": 0 });
    new.emit("get_online_users", &ask).await;
    new.expect("online_users_list").await;
    let visit = json!({ "title": "A", "visits": 1 });
    let mut ann = reporting("ann", visit).open(&server).await;
    let came = old.expect("user_online").await;
    assert_eq!(new.expect("presence_delta").await["online"], json!([came]));
    update(&mut ann, json!({ "title": "B" })).await;
    let row = old.expect("user_online").await;
    let delta = new.expect("presence_delta").await;
    assert_eq!(
        (&delta["online"], &delta["offline"]),
        (&json!([row]), &json!([]))
    );
    assert_eq!(old.list("open").await, std::slice::from_ref(&row));
    let list = server
        .get("/api/chat/online-users?tenantId=open")
        .bearer_auth("open-admin");
    assert_eq!(success(list).await["users"], json!([row]));
    server.finish().await;
}

async fn a_reload_keeps_the_visit(store: Store) {
    // On a slow machine a reload takes a while, too.
    let server = store
        .server_with(|config| config.offline_grace = Duration::from_secs(2))
        .await;
    let mut admin = server.admin().await;
    let first = reporting("ann", json!({ "title": "A" }))
        .open(&server)
        .await;
    admin.expect("user_online").await;
    first.leave().await;
    let second = reporting("ann", json!({ "title": "A", "elapsed": 1000 }));
    let second = second.open(&server).await;
    let shown = admin.expect("user_online").await;
    assert_eq!(
        (&shown["sessionId"], &shown["tabs"]),
        (&json!(second.id()), &Value::Null)
    );
    assert!(shown["startedAt"].is_string());
    server.finish().await;
}

#[tokio::test]
async fn whatever_is_no_visit_is_none() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let mut pages = Vec::new();
    for (index, other) in [json!(null), json!([]), json!(["x"]), json!("x"), json!(1)]
        .into_iter()
        .enumerate()
    {
        let mut page = reporting(&format!("v{index}"), other).open(&server).await;
        assert_eq!(told(admin.expect("user_online").await), json!({}));
        let refused = page.ask(UPDATE, &json!({ "title": "A" })).await;
        assert_eq!(refused["code"], "UNKNOWN_SESSION");
        pages.push(page);
    }
    let visit = json!({ "url": 1, "title": {}, "elapsed": "1", "visits": 0, "idle": -1 });
    let mut page = reporting("w", visit).open(&server).await;
    assert_eq!(told(admin.expect("user_online").await), json!({}));
    for other in [json!(null), json!([]), json!("x"), json!(1)] {
        let refused = page.ask(UPDATE, &other).await;
        assert_eq!(refused["code"], "INVALID_PAYLOAD", "{other}");
    }
    update(&mut page, json!({ "title": 7, "url": [], "idle": "x" })).await;
    server.finish().await;
}

#[tokio::test]
async fn only_who_is_listed_may_update() {
    let server = TestServer::start().await;
    let admin = Page::of("open").admin("open-admin");
    let mut admin = admin
        .auth("visit", json!({ "title": "A" }))
        .open(&server)
        .await;
    let refused = admin.ask(UPDATE, &json!({ "title": "B" })).await;
    assert_eq!(refused["code"], "UNKNOWN_SESSION");
    server.finish().await;
}

#[tokio::test]
async fn updates_have_a_rate_and_a_size() {
    let server = TestServer::with(|config| {
        config.settings.visits.per_socket.burst = 2;
        config.settings.visits.per_socket.per_second = 0.001;
    })
    .await;
    let mut admin = server.admin().await;
    let mut ann = reporting("ann", json!({})).open(&server).await;
    admin.expect("user_online").await;
    let long = json!({ "title": "\u{fc}".repeat(500), "url": "x".repeat(5000) });
    update(&mut ann, long).await;
    let shown = admin.expect("user_online").await;
    let length = |field: &str| shown[field].as_str().unwrap().len();
    assert_eq!((length("title"), length("url")), (256, 2048));
    update(&mut ann, json!({ "title": "B" })).await;
    assert_eq!(admin.expect("user_online").await["title"], "B");
    let refused = ann.ask(UPDATE, &json!({ "title": "C" })).await;
    assert_eq!(refused["code"], "RATE_LIMITED");
    assert_eq!(admin.list("open").await[0]["title"], "B");
    server.finish().await;
}

#[tokio::test]
async fn addresses_are_whole_where_the_tenant_asks_for_it() {
    let url = "https://shop.example/lamp?q=1#top";
    for (option, shown) in [("", "https://shop.example/lamp"), ("full_urls = true", url)] {
        let tenants =
            format!("[[tenants]]\nid = \"open\"\nadmin_keys = [\"open-admin\"]\n{option}");
        let server = TestServer::with(|config| {
            config.tenants = chat_server::tenants::Tenants::parse(&tenants).unwrap();
        })
        .await;
        let mut admin = server.admin().await;
        let old = Page::of("open").visitor("old").query("url", url);
        // A page may take its own address for its origin.
        let _old = old.query("origin", url).open(&server).await;
        let online = admin.expect("user_online").await;
        assert_eq!(
            (&online["url"], &online["origin"]),
            (&json!(shown), &json!(shown))
        );
        let visit = json!({ "url": url, "referrer": url, "firstPage": url });
        let mut new = reporting("new", visit).open(&server).await;
        let expected = json!({ "url": shown, "referrer": shown, "firstPage": shown });
        assert_eq!(told(admin.expect("user_online").await), expected);
        update(&mut new, json!({ "url": "https://shop.example/b?x" })).await;
        let shown = admin.expect("user_online").await["url"].clone();
        assert_eq!(
            shown == "https://shop.example/b",
            option.is_empty(),
            "{shown}"
        );
        server.finish().await;
    }
}

/// One user in two browsers, of whom one page reports and the other does not.
#[tokio::test]
async fn old_pages_of_a_user_who_also_has_new_ones_are_announced_as_ever() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let ann = token(json!({ "sub": "ann", "tenantId": "open", "role": "user" }));
    let old = Page::of("open").token(&ann).open(&server).await;
    let came = admin.expect("user_online").await;
    let new = Page::of("open").token(&ann).auth("visit", json!({}));
    let new = new.open(&server).await;
    assert_eq!(
        told(admin.expect("user_online").await),
        json!({ "tabs": 2 })
    );
    new.leave().await;
    assert_eq!(admin.expect("user_online").await, came);
    old.leave().await;
    admin.expect("user_offline").await;
    server.finish().await;
}
