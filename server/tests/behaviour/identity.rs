//! Who may come in, as whom, and how a refusal looks. The whole table stands beside the decision
//! itself; this is that sockets and HTTP both ask it, with what they were shown.

use serde_json::json;

use crate::support::{Page, TestServer, refusal, success, token, user};

#[tokio::test]
async fn a_socket_is_refused_with_a_code() {
    let server = TestServer::start().await;
    let expired = token(json!({ "sub": "u", "tenantId": "open", "exp": 1_000_000_000 }));
    let table = [
        (Page::nowhere(), "TENANT_REQUIRED"),
        (Page::of("nowhere"), "UNKNOWN_TENANT"),
        (Page::of("42"), "CREDENTIAL_REQUIRED"),
        (
            Page::of("open").query("role", "admin"),
            "CREDENTIAL_REQUIRED",
        ),
        (
            Page::of("open").auth("role", "admin"),
            "CREDENTIAL_REQUIRED",
        ),
        (Page::of("open").admin("wrong"), "INVALID_API_KEY"),
        (Page::of("open").admin("shop-admin"), "WRONG_TENANT"),
        (Page::of("42").admin("shop-widget"), "ADMIN_REQUIRED"),
        (Page::of("open").admin(&user("u")), "ADMIN_REQUIRED"),
        (Page::of("open").token("ey.not.one"), "INVALID_TOKEN"),
        (Page::of("open").token(&expired), "TOKEN_EXPIRED"),
        (Page::of("42").token(&user("u")), "WRONG_TENANT"),
        (Page::of("open").visitor("not a name"), "INVALID_PAYLOAD"),
        (
            Page::of("42")
                .token("shop-widget")
                .header("origin", "https://evil.example"),
            "ORIGIN_NOT_ALLOWED",
        ),
        (
            Page::of("42")
                .admin("shop-admin")
                .header("origin", "https://shop.example"),
            "ORIGIN_NOT_ALLOWED",
        ),
    ];
    for (page, code) in table {
        assert_eq!(page.refused(&server).await, code);
    }
    server.finish().await;
}

#[tokio::test]
async fn a_credential_may_come_in_three_places() {
    let server = TestServer::start().await;
    let places = [
        Page::of("open").auth("token", "open-admin"),
        Page::of("open").auth("apiKey", "open-admin"),
        Page::of("open").header("authorization", "Bearer open-admin"),
        Page::of("open")
            .auth("token", "")
            .header("authorization", "Bearer open-admin"),
    ];
    for place in places {
        let mut admin = place.query("role", "admin").open(&server).await;
        assert!(admin.list("open").await.is_empty());
    }
    server.finish().await;
}

#[tokio::test]
async fn a_visitor_is_called_by_its_proof_or_anonymous() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let proven = Page::of("open")
        .token(&user("u-1"))
        .visitor("v")
        .open(&server)
        .await;
    assert_eq!(admin.expect("user_online").await["userId"], "u-1");
    let named = Page::of("open").visitor("u-1").open(&server).await;
    assert_eq!(admin.expect("user_online").await["userId"], "anonymous-u-1");
    let nameless = Page::of("open").open(&server).await;
    let shown = admin.expect("user_online").await;
    assert!(shown["userId"].as_str().unwrap().starts_with("anonymous-"));
    assert_eq!(admin.list("open").await.len(), 3);
    drop((proven, named, nameless));
    server.finish().await;
}

#[tokio::test]
async fn what_a_page_says_of_itself_is_shown() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let url = "https://example.com/page/ä b";
    let visitor = Page::of("open")
        .visitor("v")
        .query("domain", "example.com")
        .query("origin", "https://example.com")
        .query("url", url)
        .open(&server)
        .await;
    let shown = admin.expect("user_online").await;
    let connected_at = shown["connectedAt"].as_str().unwrap();
    assert_eq!(connected_at.len(), "2024-01-15T10:30:00.000Z".len());
    assert!(connected_at.ends_with('Z'));
    let expected = json!({
        "userId": "anonymous-v",
        "sessionId": visitor.id(),
        "connectedAt": connected_at,
        "domain": "example.com",
        "origin": "https://example.com",
        "url": url,
    });
    assert_eq!(shown, expected);
    server.finish().await;
}

#[tokio::test]
async fn whatever_a_page_says_of_itself_passes_for_nothing_else() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let long = format!("https://{}.example", "a".repeat(4000));
    for (said, shown) in [
        ("javascript:alert(1)", None),
        (
            "https://ann:pw@example.com/?q#top",
            Some("https://example.com/"),
        ),
        ("exam\u{202e}ple.com", Some("example.com")),
        (&*long, long.get(..2048)),
    ] {
        let visitor = Page::of("open")
            .query("domain", said)
            .query("origin", said)
            .query("url", said)
            .open(&server)
            .await;
        let row = admin.expect("user_online").await;
        for field in ["domain", "origin", "url"] {
            assert_eq!(row[field].as_str(), shown, "{field} {said:?}");
        }
        drop(visitor);
    }
    server.finish().await;
}

#[tokio::test]
async fn http_asks_the_same_question() {
    let server = TestServer::start().await;
    let path = "/api/chat/online-users";
    let admin_token = token(json!({ "sub": "boss", "tenantId": "open", "role": "admin" }));
    let ask = |query: &str, credential: &str| {
        let request = server.get(&format!("{path}{query}"));
        if credential.is_empty() {
            request
        } else {
            request.bearer_auth(credential)
        }
    };
    let table = [
        ("", "open-admin", (400, "TENANT_REQUIRED")),
        ("?tenantId=nowhere", "open-admin", (404, "UNKNOWN_TENANT")),
        ("?tenantId=open", "", (401, "CREDENTIAL_REQUIRED")),
        ("?tenantId=open", "wrong", (401, "INVALID_API_KEY")),
        ("?tenantId=open", "ey.not.one", (401, "INVALID_TOKEN")),
        ("?tenantId=open", "shop-admin", (403, "WRONG_TENANT")),
        ("?tenantId=42", "shop-widget", (403, "ADMIN_REQUIRED")),
        ("?tenantId=open", &user("u"), (403, "ADMIN_REQUIRED")),
        ("?tenantId=42", &admin_token, (403, "WRONG_TENANT")),
    ];
    for (query, credential, (status, code)) in table {
        let outcome = refusal(ask(query, credential)).await;
        assert_eq!(outcome, (status, code.to_owned()), "{query} {credential}");
    }
    for credential in ["open-admin", &admin_token] {
        assert_eq!(
            success(ask("?tenantId=open", credential)).await,
            json!({ "users": [] })
        );
    }
    server.finish().await;
}

#[tokio::test]
async fn a_visitor_gets_no_list_and_hears_of_nobody() {
    let server = TestServer::start().await;
    let mut nosy = server.visitor("nosy").await;
    let answer = nosy
        .ask("get_online_users", &json!({ "tenantId": "open" }))
        .await;
    assert_eq!(answer["code"], "ADMIN_REQUIRED");
    nosy.emit("get_online_users", &json!({ "tenantId": "open" }))
        .await;
    let other = server.visitor("other").await;
    other.leave().await;
    // Nothing of all that has arrived before the answer to what is allowed.
    nosy.emit("message", &json!({ "text": "hello" })).await;
    nosy.expect("meta_message_created").await;
    server.finish().await;
}
