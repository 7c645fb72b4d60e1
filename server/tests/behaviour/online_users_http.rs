//! `GET /api/chat/online-users`: the list, its pages, and how little is sent when nothing changed.

use serde_json::{Value, json};

use crate::support::{Page, TestServer, refusal, soon, success};

const LIST: &str = "/api/chat/online-users?tenantId=open";

#[tokio::test]
async fn the_list_is_what_the_event_says() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let _visitors = [server.visitor("b").await, server.visitor("a").await];
    admin.expect("user_online").await;
    admin.expect("user_online").await;
    let list = success(server.get(LIST).bearer_auth("open-admin")).await;
    assert_eq!(list["users"].as_array().unwrap(), &admin.list("open").await);
    assert_eq!(list["users"][0]["userId"], "anonymous-a");
    server.finish().await;
}

#[tokio::test]
async fn the_tenant_may_stand_in_a_header() {
    let server = TestServer::start().await;
    let ask = |path: &str, header: &str| {
        server
            .get(path)
            .bearer_auth("open-admin")
            .header("X-Tenant-ID", header)
    };
    success(ask("/api/chat/online-users", "open")).await;
    success(ask(LIST, "open")).await;
    let mismatch = (400, "TENANT_MISMATCH".to_owned());
    assert_eq!(refusal(ask(LIST, "42")).await, mismatch);
    server.finish().await;
}

#[tokio::test]
async fn an_unchanged_list_is_not_sent_again() {
    let server = TestServer::start().await;
    let get = |tag: Option<String>| {
        let request = server.get(LIST).bearer_auth("open-admin");
        match tag {
            Some(tag) => request.header("If-None-Match", tag),
            None => request,
        }
    };
    let tag_of =
        |response: &reqwest::Response| response.headers()["etag"].to_str().unwrap().to_owned();
    let first = soon(get(None).send()).await.unwrap();
    let tag = tag_of(&first);
    assert!(tag.starts_with("W/\""), "{tag}");
    for known in [
        tag.clone(),
        tag.trim_start_matches("W/").to_owned(),
        format!("\"x\", {tag}"),
    ] {
        let again = soon(get(Some(known)).send()).await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(tag_of(&again), tag);
        assert!(again.text().await.unwrap().is_empty());
    }

    let mut admin = server.admin().await;
    let visitor = server.visitor("ann").await;
    admin.expect("user_online").await;
    let changed = soon(get(Some(tag.clone())).send()).await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_ne!(tag_of(&changed), tag);
    let tag = tag_of(&changed);
    visitor.leave().await;
    admin.expect("user_offline").await;
    assert_eq!(
        soon(get(Some(tag)).send()).await.unwrap().status(),
        200,
        "a departure is a change"
    );
    server.finish().await;
}

#[tokio::test]
async fn knowing_a_tag_opens_nothing() {
    let server = TestServer::start().await;
    let response = soon(server.get(LIST).bearer_auth("open-admin").send())
        .await
        .unwrap();
    let tag = response.headers()["etag"].clone();
    let request = server.get(LIST).header("If-None-Match", tag);
    assert_eq!(
        refusal(request).await,
        (401, "CREDENTIAL_REQUIRED".to_owned())
    );
    server.finish().await;
}

#[tokio::test]
async fn two_runs_of_a_server_do_not_share_tags() {
    let mut tags = Vec::new();
    for _ in 0..2 {
        let server = TestServer::start().await;
        let response = soon(server.get(LIST).bearer_auth("open-admin").send())
            .await
            .unwrap();
        tags.push(response.headers()["etag"].clone());
        server.finish().await;
    }
    assert_ne!(tags[0], tags[1]);
}

#[tokio::test]
async fn pages_add_up_to_the_list() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let mut visitors = Vec::new();
    for id in ["e", "c", "a", "d", "b"] {
        visitors.push(server.visitor(id).await);
        admin.expect("user_online").await;
    }
    let mut users: Vec<Value> = Vec::new();
    let mut query = format!("{LIST}&limit=2");
    loop {
        let page = success(server.get(&query).bearer_auth("open-admin")).await;
        assert_eq!(page["total"], 5);
        let part = page["users"].as_array().unwrap();
        assert!(!part.is_empty() && part.len() <= 2);
        users.extend(part.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(cursor) => query = format!("{LIST}&limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(users, admin.list("open").await);
    let count = success(
        server
            .get(&format!("{LIST}&count=only"))
            .bearer_auth("open-admin"),
    )
    .await;
    assert_eq!(count, json!({ "total": 5 }));
    let request = server
        .get(&format!("{LIST}&limit=none"))
        .bearer_auth("open-admin");
    assert_eq!(refusal(request).await, (400, "INVALID_PAYLOAD".to_owned()));
    server.finish().await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_the_same_form() {
    let server = TestServer::start().await;
    let get = |path: &str| server.get(path);
    assert_eq!(
        refusal(get("/nowhere")).await,
        (404, "NOT_FOUND".to_owned())
    );
    assert_eq!(
        refusal(get("/webchat/message")).await,
        (405, "METHOD_NOT_ALLOWED".to_owned())
    );
    let post = server.post("/api/chat/online-users", &json!({}));
    assert_eq!(refusal(post).await, (405, "METHOD_NOT_ALLOWED".to_owned()));
    server.finish().await;
}

#[tokio::test]
async fn every_route_answers_preflights_for_the_tenants_origins() {
    let server = TestServer::start().await;
    let preflight = async |path: &str, origin: &str| {
        let request = server
            .http
            .request(reqwest::Method::OPTIONS, server.url(path))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "authorization,x-tenant-id,content-type",
            );
        let response = soon(request.send()).await.unwrap();
        assert!(response.status().is_success(), "{path}");
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_lowercase())
        };
        assert_eq!(header("access-control-allow-credentials"), None);
        let allowed = header("access-control-allow-origin")?;
        assert_eq!(allowed, origin);
        assert!(
            header("access-control-allow-methods")
                .unwrap()
                .contains("post")
        );
        assert!(
            header("access-control-allow-headers")
                .unwrap()
                .contains("x-tenant-id")
        );
        Some(())
    };
    let (shop, desk, evil) = (
        "https://shop.example",
        "https://desk.example",
        "https://evil.example",
    );
    let paths = [
        "/api/chat/online-users?tenantId=42",
        "/api/chat/messages?tenantId=42",
        "/api/chat/conversations?tenantId=42",
        "/api/chat/session?tenantId=42",
        "/webchat/message?tenantId=42",
        "/socket.io/?tenantId=42&EIO=4&transport=polling",
        "/nowhere?tenantId=42",
    ];
    for path in paths {
        assert!(preflight(path, shop).await.is_some(), "{path}");
        assert!(preflight(path, desk).await.is_some(), "{path}");
        assert!(preflight(path, evil).await.is_none(), "{path}");
    }
    // A body's tenant is not known yet; some tenant admits this page.
    assert!(preflight("/webchat/message", evil).await.is_some());

    let get = server
        .get("/api/chat/online-users?tenantId=42")
        .bearer_auth("shop-admin")
        .header("Origin", desk);
    let response = soon(get.send()).await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], desk);
    assert!(
        response.headers()["access-control-expose-headers"]
            .to_str()
            .unwrap()
            .contains("etag")
    );
    assert!(response.headers().get("set-cookie").is_none());
    server.finish().await;
}

#[tokio::test]
async fn those_who_operate_it_are_answered() {
    let server = TestServer::start().await;
    assert_eq!(
        success(server.get("/healthz")).await,
        json!({ "status": "ok" })
    );
    assert_eq!(
        success(server.get("/readyz")).await,
        json!({ "status": "ok" })
    );
    let visitor = server.visitor("ann").await;
    Page::of("nowhere").refused(&server).await;
    let metrics = soon(server.get("/metrics").send()).await.unwrap();
    assert!(
        metrics.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let text = metrics.text().await.unwrap();
    for line in [
        "chat_sockets 1",
        "chat_connects_total{role=\"visitor\"} 1",
        "chat_refusals_total{code=\"UNKNOWN_TENANT\"} 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
    drop(visitor);
    server.finish().await;
}
