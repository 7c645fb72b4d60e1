//! A page that is left asks for nothing; one that comes back shows the last list until it has another.

use chat_client_wasm::sync::{Ask, Options};

use crate::support::Store;

fn left() -> Store {
    let mut store = Store::new(Options::default());
    store.asks();
    store.http_list(&[]);
    store.up();
    store.asks();
    store.socket_list(&[("ann", 1)]);
    store.sync.handle_leaving();
    store
}

#[test]
fn nothing_is_asked_for_and_the_last_list_stays() {
    let mut store = left();
    assert_eq!(store.asks(), []);
    assert_eq!(store.sleep(), None);
    assert!(!store.sync.is_connected());
    assert_eq!(store.rows(), [1]);
}

#[test]
fn back_again_the_socket_brings_what_was_missed() {
    let mut store = left();
    store.sync.handle_socket_attempt();
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    store.socket_list(&[("bob", 2)]);
    assert_eq!(store.rows(), [2]);
}

#[test]
fn back_again_without_a_server_polling_takes_over() {
    let mut store = left();
    store.sync.handle_socket_attempt();
    store.down();
    assert_eq!(store.asks(), [Ask::Http]);
}
