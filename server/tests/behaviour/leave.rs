//! Leaving, in all the ways there are, and the ends that come too late or too soon.

use serde_json::json;

use crate::support::{Page, TestServer};

#[tokio::test]
async fn whoever_goes_is_told_about_once_however_they_go() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    for quietly in [true, false] {
        let ann = server.visitor("ann").await;
        admin.expect("user_online").await;
        if quietly {
            ann.drop_transport().await;
        } else {
            ann.leave().await;
        }
        assert_eq!(
            admin.expect("user_offline").await,
            json!({ "userId": "anonymous-ann" })
        );
        assert!(admin.list("open").await.is_empty());
    }
    server.finish().await;
}

#[tokio::test]
async fn a_late_end_of_an_old_session_does_not_remove_a_newer_one() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let old = server.visitor("ann").await;
    let new = server.visitor("ann").await;
    old.leave().await;
    let bob = server.visitor("bob").await;
    bob.leave().await;
    for _ in 0..3 {
        admin.expect("user_online").await;
    }
    assert_eq!(
        admin.expect("user_offline").await,
        json!({ "userId": "anonymous-bob" })
    );
    let list = admin.list("open").await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["sessionId"], new.id());
    server.finish().await;
}

#[tokio::test]
async fn many_who_come_and_go_at_once_leave_no_ghost() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let crowd = (0..200).map(|visitor| {
        let page = Page::of("open").visitor(&format!("v{visitor}"));
        let server = &server;
        async move { page.open(server).await.drop_transport().await }
    });
    futures_util::future::join_all(crowd).await;
    let mut gone = std::collections::HashSet::new();
    while gone.len() < 200 {
        let (name, payload) = admin.next().await;
        if name == "user_offline" {
            assert!(
                gone.insert(payload["userId"].to_string()),
                "{payload} went twice"
            );
        }
    }
    assert!(admin.list("open").await.is_empty());
    server.finish().await;
}

#[tokio::test]
async fn admins_see_and_are_not_seen() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let other = server.admin().await;
    assert!(admin.list("open").await.is_empty());
    other.leave().await;
    let ann = server.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], ann.id());
    server.finish().await;
}

#[tokio::test]
async fn admins_are_seen_where_that_is_wanted() {
    let server = TestServer::with(|config| config.settings.online_users.list_admins = true).await;
    let mut admin = server.admin().await;
    assert_eq!(admin.expect("user_online").await["sessionId"], admin.id());
    assert_eq!(admin.list("open").await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_server_that_stops_takes_everybody_along() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.visitor("ann").await, server.visitor("bob").await);
    let closed = futures_util::future::join(ann.closed(), bob.closed());
    // That nothing is left is part of finishing.
    futures_util::future::join(closed, server.finish()).await;
}
