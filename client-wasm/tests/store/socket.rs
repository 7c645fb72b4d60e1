//! What the socket says is shown at once, and a server that answers nothing is asked another way.

use chat_client_wasm::sync::{Ask, Options};

use crate::support::Store;

fn connected() -> Store {
    let mut store = Store::new(Options::default());
    store.asks();
    store.http_list(&[]);
    store.up();
    store.asks();
    store.socket_list(&[("ann", 1), ("bob", 2)]);
    store.take_changed();
    store
}

#[test]
fn only_what_makes_a_difference_is_a_change() {
    let mut store = connected();
    store.sync.handle_online("cid", &3);
    assert!(store.take_changed());
    assert!(!store.take_changed(), "told once");
    store.sync.handle_online("cid", &3);
    store.sync.handle_offline("nobody");
    store.socket_list(&[("ann", 1), ("bob", 2), ("cid", 3)]);
    assert!(!store.take_changed());
    store.sync.handle_offline("ann");
    assert!(store.take_changed());
    assert_eq!(store.rows(), [2, 3]);
}

#[test]
fn refreshing_asks_over_the_socket_once() {
    let mut store = connected();
    store.sync.refresh(store.now);
    store.sync.refresh(store.now);
    assert_eq!(store.asks(), [Ask::Socket]);
}

#[test]
fn what_happens_between_request_and_list_wins_over_the_list() {
    let mut store = connected();
    store.sync.refresh(store.now);
    store.asks();
    store.sync.handle_offline("ann");
    store.sync.handle_online("cid", &3);
    store.socket_list(&[("ann", 1), ("bob", 2)]);
    assert_eq!(store.rows(), [2, 3]);
}

#[test]
fn a_list_that_nobody_asked_for_is_taken_as_it_is() {
    let mut store = connected();
    store.socket_list(&[("dan", 4)]);
    assert_eq!(store.rows(), [4]);
}

#[test]
fn a_socket_that_brings_no_list_is_backed_by_polling_until_it_brings_one() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.http_list(&[("ann", 1)]);
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    assert_eq!(store.sleep(), Some(10_000));
    assert_eq!(store.asks(), [Ask::Http]);
    store.http_list(&[("bob", 2)]);
    assert_eq!(store.rows(), [2]);
    assert_eq!(store.sleep(), Some(5_000));
    assert_eq!(store.asks(), [Ask::Http]);
    store.http_list(&[("bob", 2)]);
    store.socket_list(&[("cid", 3)]);
    assert_eq!(store.rows(), [3]);
    assert_eq!(store.sleep(), None);
}

#[test]
fn a_list_of_a_lost_socket_is_not_taken() {
    let mut store = connected();
    store.sync.refresh(store.now);
    store.down();
    store.socket_list(&[("old", 9)]);
    assert_eq!(store.rows(), [1, 2]);
}
