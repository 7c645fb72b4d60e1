//! A reload is no departure.

use std::time::Duration;

use chat_server::clock::Clock;
use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn a_reload_never_flickers() {
    let server = TestServer::with(|config| config.offline_grace = Duration::from_secs(2)).await;
    let mut admin = server.admin().await;
    let before = server.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], before.id());
    before.drop_transport().await;
    let after = server.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], after.id());
    // Somebody who leaves after that is gone first: nothing was waiting for ann.
    let bob = server.visitor("bob").await;
    admin.expect("user_online").await;
    bob.leave().await;
    assert_eq!(
        admin.expect("user_offline").await,
        json!({ "userId": "anonymous-bob" })
    );
    assert_eq!(admin.list("open").await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_user_is_still_listed_during_the_grace_time() {
    let server = TestServer::with(|config| config.offline_grace = Duration::from_mins(50)).await;
    let mut admin = server.admin().await;
    let ann = server.visitor("ann").await;
    let session = ann.id().to_owned();
    admin.expect("user_online").await;
    ann.leave().await;
    let list = admin.list("open").await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["sessionId"], session);
    server.finish().await;
}

#[tokio::test]
async fn the_offline_is_told_once_and_not_before_the_grace_time() {
    let grace = Duration::from_millis(150);
    let server = TestServer::with(|config| config.offline_grace = grace).await;
    let mut admin = server.admin().await;
    let ann = server.visitor("ann").await;
    admin.expect("user_online").await;
    let clock = Clock::start();
    ann.leave().await;
    admin.expect("user_offline").await;
    assert!(clock.now() >= grace);
    let again = server.visitor("ann").await;
    assert_eq!(
        admin.expect("user_online").await["sessionId"],
        again.id(),
        "and nothing between"
    );
    server.finish().await;
}
