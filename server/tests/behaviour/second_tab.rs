//! A user with several tabs is one user, shown with the newest of them.

use serde_json::json;

use crate::support::{Page, TestServer};

#[tokio::test]
async fn a_second_tab_is_announced_and_takes_the_first_ones_place() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let first = server.visitor("ann").await;
    let shown = admin.expect("user_online").await;
    assert_eq!(shown["userId"], "anonymous-ann");
    assert_eq!(shown["sessionId"], first.id());

    let second = server.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], second.id());
    let list = admin.list("open").await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["sessionId"], second.id());
    server.finish().await;
}

#[tokio::test]
async fn the_end_of_the_shown_tab_shows_the_other_again() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let first = server.visitor("ann").await;
    let second = server.visitor("ann").await;
    admin.expect("user_online").await;
    admin.expect("user_online").await;
    second.leave().await;
    assert_eq!(admin.expect("user_online").await["sessionId"], first.id());
    server.finish().await;
}

#[tokio::test]
async fn the_end_of_another_tab_is_not_even_mentioned() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let first = server.visitor("ann").await;
    let second = server.visitor("ann").await;
    let bob = server.visitor("bob").await;
    for _ in 0..3 {
        admin.expect("user_online").await;
    }
    first.drop_transport().await;
    // A whole grace time, which would have been enough for the first tab's end to be told.
    bob.leave().await;
    assert_eq!(
        admin.expect("user_offline").await,
        json!({ "userId": "anonymous-bob" })
    );
    assert_eq!(admin.list("open").await[0]["sessionId"], second.id());
    server.finish().await;
}

#[tokio::test]
async fn a_user_with_a_token_is_one_over_browsers() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let token = crate::support::user("u-1");
    let one = Page::of("open")
        .token(&token)
        .visitor("x")
        .open(&server)
        .await;
    let two = Page::of("open")
        .token(&token)
        .visitor("y")
        .open(&server)
        .await;
    assert_eq!(admin.expect("user_online").await["sessionId"], one.id());
    let shown = admin.expect("user_online").await;
    assert_eq!(
        (&shown["userId"], &shown["sessionId"]),
        (&json!("u-1"), &json!(two.id()))
    );
    two.leave().await;
    admin.expect("user_online").await;
    one.leave().await;
    assert_eq!(
        admin.expect("user_offline").await,
        json!({ "userId": "u-1" })
    );
    server.finish().await;
}
