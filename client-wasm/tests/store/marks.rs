//! A server that says of which moment something is, is asked for no more than what has happened since.

use chat_client_wasm::sync::{Ask, Options};
use chat_protocol::roster::{Delta, Mark};

use crate::support::{Store, rows};

fn at(version: u64) -> Mark {
    Mark { epoch: 1, version }
}

fn socket_delta(store: &mut Store, since: u64, until: u64, online: &[(&str, u32)]) {
    store.sync.handle_socket_delta(
        store.now,
        &Delta {
            since: at(since),
            until: at(until),
            online: &rows(online),
            offline: &[],
        },
    );
}

/// A store whose socket has brought the list of version 5.
fn connected() -> Store {
    let mut store = Store::new(Options::default());
    store.asks();
    store.up();
    store.asks();
    store
        .sync
        .handle_socket_list(&rows(&[("ann", 1), ("bob", 2)]), Some(at(5)));
    store.http_list(&[]);
    store
}

#[test]
fn deltas_before_the_first_list_are_left_out() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    socket_delta(&mut store, 4, 5, &[("ann", 1)]);
    assert_eq!((store.rows(), store.asks()), (vec![], vec![]));
    assert!(store.sync.is_loading());
}

#[test]
fn a_list_without_a_mark_that_the_socket_overtook_undoes_nothing() {
    let store = connected();
    assert_eq!(store.rows(), [1, 2]);
    assert_eq!(store.sync.roster().mark(), Some(at(5)));
}

#[test]
fn a_list_of_another_history_that_the_socket_overtook_undoes_nothing() {
    let other = Some(Mark {
        epoch: 2,
        version: 7,
    });
    let mut store = connected();
    store.sync.handle_socket_down("lost");
    assert_eq!(store.asks(), [Ask::Http]);
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    store
        .sync
        .handle_http_list(store.now, &rows(&[("ann", 1)]), other);
    assert_eq!(store.rows(), [1, 2], "the socket is about to answer");
    socket_delta(&mut store, 5, 6, &[("cid", 3)]);
    assert_eq!((store.rows(), store.asks()), (vec![1, 2, 3], vec![]));

    store.sync.handle_socket_down("lost");
    assert_eq!(store.asks(), [Ask::Http]);
    store
        .sync
        .handle_http_list(store.now, &rows(&[("ann", 1)]), other);
    assert_eq!(store.rows(), [1], "there is nobody who knows better");
}

#[test]
fn a_gap_asks_once_and_goes_on_from_the_answer() {
    let mut store = connected();
    socket_delta(&mut store, 6, 7, &[("cid", 3)]);
    socket_delta(&mut store, 7, 8, &[("dan", 4)]);
    assert_eq!(store.asks(), [Ask::Socket]);
    assert_eq!(store.rows(), [1, 2], "what does not follow is not applied");
    socket_delta(&mut store, 5, 8, &[("cid", 3), ("dan", 4)]);
    socket_delta(&mut store, 8, 9, &[("eve", 5)]);
    assert_eq!((store.rows(), store.asks()), (vec![1, 2, 3, 4, 5], vec![]));
    assert_eq!(store.sleep(), None, "the socket has been heard out");
}

#[test]
fn a_reconnect_goes_on_from_the_mark() {
    let mut store = connected();
    store.sync.handle_socket_down("lost");
    assert_eq!(store.sync.roster().mark(), Some(at(5)));
    assert_eq!(store.asks(), [Ask::Http]);
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    socket_delta(&mut store, 5, 6, &[("cid", 3)]);
    assert_eq!(store.rows(), [1, 2, 3]);
    assert_eq!(store.sleep(), None);
}

#[test]
fn polling_takes_what_has_happened_since() {
    let mut store = Store::new(Options::default());
    assert_eq!(store.asks(), [Ask::Http]);
    store
        .sync
        .handle_http_list(0, &rows(&[("ann", 1)]), Some(at(5)));
    store.sleep();
    assert_eq!(store.asks(), [Ask::Http]);
    store.sync.handle_http_delta(
        store.now,
        &Delta {
            since: at(5),
            until: at(6),
            online: &rows(&[("bob", 2)]),
            offline: &["ann".to_owned()],
        },
    );
    assert_eq!(
        (store.rows(), store.sync.roster().mark()),
        (vec![2], Some(at(6)))
    );
    assert_eq!(store.sleep(), Some(5_000));
}
