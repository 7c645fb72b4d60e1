//! What the application is told of where the connection stands: the socket's news and polling's together.

use chat_client_wasm::{
    status::Status,
    sync::{Ask, Options},
};

use crate::support::Store;

fn polling_only() -> Options {
    Options {
        socket: false,
        ..Options::default()
    }
}

fn socket_only() -> Options {
    Options {
        auto_refresh: false,
        ..Options::default()
    }
}

/// Where the connection stands, and what is wrong.
fn shown(store: &Store) -> (Status, Option<&'static str>) {
    (store.sync.status(), store.sync.trouble().copied())
}

#[test]
fn a_start_without_trouble_is_connecting_until_it_is_live() {
    let mut store = Store::new(Options::default());
    assert_eq!(shown(&store), (Status::Connecting, None));
    store.http_list(&[]);
    assert_eq!(shown(&store), (Status::Connecting, None), "not polling");
    store.up();
    assert_eq!(shown(&store), (Status::Live, None));
}

#[test]
fn a_lost_socket_is_polling_if_lists_come_and_says_why() {
    let mut store = Store::new(Options::default());
    store.http_list(&[]);
    store.up();
    store.socket_list(&[]);
    store.down();
    assert_eq!(shown(&store), (Status::Polling, Some("lost")));
    store.sync.handle_socket_attempt();
    assert_eq!(shown(&store), (Status::Polling, Some("lost")), "no flicker");
    store.http_fails("gone");
    assert_eq!(shown(&store), (Status::Connecting, Some("gone")));
    store.down();
    assert_eq!(shown(&store), (Status::Backoff, Some("gone")));
    store.up();
    store.socket_list(&[]);
    assert_eq!(shown(&store), (Status::Live, None));
}

#[test]
fn without_a_socket_it_is_what_polling_is() {
    let mut store = Store::new(polling_only());
    assert_eq!(shown(&store), (Status::Connecting, None));
    store.http_list(&[]);
    assert_eq!(shown(&store), (Status::Polling, None));
    store.sleep();
    store.http_fails("gone");
    assert_eq!(shown(&store), (Status::Backoff, Some("gone")));
    store.sleep();
    store.http_list(&[]);
    assert_eq!(shown(&store), (Status::Polling, None));
}

#[test]
fn without_polling_it_is_what_the_socket_is() {
    let mut store = Store::new(socket_only());
    assert_eq!(shown(&store), (Status::Connecting, None));
    store.down();
    assert_eq!(shown(&store), (Status::Backoff, Some("lost")));
    store.sync.handle_socket_attempt();
    assert_eq!(shown(&store), (Status::Connecting, Some("lost")));
    store.sync.handle_socket_refused("bad key");
    assert_eq!(shown(&store), (Status::Closed, Some("bad key")));
    store.sync.refresh(store.now);
    assert_eq!(store.asks(), [Ask::Connect, Ask::Http]);
    assert_eq!(shown(&store), (Status::Connecting, Some("bad key")));
}

#[test]
fn without_either_it_is_idle() {
    let store = Store::new(Options {
        socket: false,
        ..socket_only()
    });
    assert_eq!(shown(&store), (Status::Idle, None));
}

#[test]
fn a_refused_socket_leaves_what_polling_is() {
    let mut store = Store::new(Options::default());
    store.sync.handle_socket_refused("not an admin");
    assert_eq!(shown(&store), (Status::Connecting, Some("not an admin")));
    store.http_list(&[]);
    assert_eq!(shown(&store), (Status::Polling, Some("not an admin")));
    store.sleep();
    store.http_refused("bad key");
    assert_eq!(shown(&store), (Status::Backoff, Some("not an admin")));
}

#[test]
fn a_socket_that_is_replaced_by_one_with_a_later_token_stays_live() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.http_list(&[("ann", 1)]);
    store.up();
    store.asks();
    store.socket_list(&[("ann", 1)]);
    store.sync.take_changed();
    store.sync.handle_socket_attempt();
    assert_eq!(shown(&store), (Status::Live, None));
    assert!(!store.sync.take_changed());
    store.up();
    assert_eq!(store.asks(), [Ask::Socket], "what was missed is asked for");
    assert_eq!(shown(&store), (Status::Live, None));
}
