//! A failure keeps the last list and shows why; success takes that back.

use chat_client_wasm::sync::{Ask, Options};

use crate::support::Store;

#[test]
fn loading_ends_with_the_first_list_or_the_first_error() {
    let mut store = Store::new(Options::default());
    assert!(store.sync.is_loading());
    store.http_fails("down");
    assert!(!store.sync.is_loading());
    assert_eq!(store.sync.error(), Some(&"down"));
    assert!(store.sync.is_awaited(), "a failure is no list");

    let mut store = Store::new(Options::default());
    store.http_list(&[]);
    assert!(!store.sync.is_loading(), "an empty list is a list");
    assert!(!store.sync.is_awaited());
    assert!(store.take_changed(), "and news the first time");
    store.sleep();
    store.http_list(&[]);
    assert!(!store.take_changed());
}

#[test]
fn a_server_that_is_gone_for_a_minute_is_polled_through_it() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.http_list(&[]);
    store.up();
    store.asks();
    store.socket_list(&[("ann", 1)]);
    store.down();
    let mut polls = 0;
    while store.now < 60_000 {
        assert_eq!(store.asks(), [Ask::Http]);
        polls += 1;
        store.http_fails("down");
        assert_eq!(store.rows(), [1], "the last list stays");
        assert_eq!(store.sync.error(), Some(&"down"));
        store.sleep();
    }
    assert_eq!(polls, 12);
    store.up();
    store.socket_list(&[("bob", 2)]);
    assert_eq!(store.rows(), [2]);
    assert_eq!(store.sync.error(), None);
}

#[test]
fn a_poll_that_fails_while_the_socket_is_exact_is_no_news() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.up();
    store.socket_list(&[]);
    store.take_changed();
    store.http_fails("down");
    assert_eq!(store.sync.error(), None);
    assert!(!store.take_changed());
    assert_eq!(store.sync.poll_timeout(), None);
}

#[test]
fn a_refusal_is_asked_again_ever_more_rarely() {
    let mut store = Store::new(Options::default());
    let mut pauses = Vec::new();
    for _ in 0..6 {
        store.http_refused("bad key");
        pauses.extend(store.sleep());
    }
    assert_eq!(pauses, [10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    store.http_list(&[]);
    assert_eq!(store.sync.error(), None);
    assert_eq!(store.sleep(), Some(5_000));
}

#[test]
fn a_refused_socket_is_an_error_that_polling_does_not_hide() {
    let mut store = Store::new(Options::default());
    store.sync.handle_socket_refused("not an admin");
    assert!(store.take_changed());
    store.http_list(&[("ann", 1)]);
    assert_eq!(store.sync.error(), Some(&"not an admin"));
    assert_eq!(store.rows(), [1]);
    store.asks();
    store.sleep();
    store.http_list(&[("ann", 1)]);
    assert_eq!(store.asks(), [Ask::Http], "and no reason to try it again");
}

#[test]
fn a_refused_socket_is_tried_again_when_the_user_refreshes() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.sync.handle_socket_refused("bad key");
    store.http_list(&[]);
    store.sync.refresh(store.now);
    store.sync.refresh(store.now);
    assert_eq!(store.asks(), [Ask::Connect, Ask::Http]);
    store.up();
    assert_eq!(store.sync.error(), None);
}

#[test]
fn a_refused_socket_is_tried_again_when_a_poll_is_refused_no_longer() {
    let mut store = Store::new(Options::default());
    store.sync.handle_socket_refused("bad key");
    store.http_refused("bad key");
    store.asks();
    store.sleep();
    store.asks();
    store.http_list(&[]);
    assert_eq!(store.asks(), [Ask::Connect]);
    assert_eq!(store.sync.error(), None);
}
