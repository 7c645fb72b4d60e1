//! While there is no socket the list is polled; while there is one it is not.

use chat_client_wasm::sync::{Ask, Options};

use crate::support::Store;

fn without_socket() -> Options {
    Options {
        socket: false,
        ..Options::default()
    }
}

#[test]
fn polls_at_once_and_then_at_the_interval_after_each_answer() {
    let mut store = Store::new(without_socket());
    assert_eq!(store.asks(), [Ask::Http]);
    assert_eq!(store.sync.poll_timeout(), None, "one request at a time");
    store.now = 3_000;
    store.http_list(&[("ann", 1)]);
    assert_eq!(store.asks(), []);
    assert_eq!(store.sleep(), Some(5_000));
    assert_eq!(store.asks(), [Ask::Http]);
    store.http_list(&[("bob", 2)]);
    assert_eq!(store.rows(), [2]);
}

#[test]
fn stops_when_the_socket_is_up_and_starts_again_when_it_is_down() {
    let mut store = Store::new(Options::default());
    assert_eq!(store.asks(), [Ask::Http]);
    store.http_list(&[]);
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    store.socket_list(&[("ann", 1)]);
    assert_eq!(store.sync.poll_timeout(), None);
    assert!(store.sync.is_connected());

    store.down();
    assert!(!store.sync.is_connected());
    assert_eq!(store.asks(), [Ask::Http], "at once: the last list is old");
    assert_eq!(store.rows(), [1], "and until then it is shown");
    store.http_list(&[("ann", 1)]);
    assert_eq!(store.sleep(), Some(5_000));
}

#[test]
fn a_poll_that_the_socket_overtook_starts_no_further_poll_and_undoes_nothing() {
    let mut store = Store::new(Options::default());
    store.asks();
    store.up();
    store.asks();
    store.socket_list(&[("ann", 1)]);
    store.sync.handle_offline("ann");
    store.http_list(&[("ann", 1), ("old", 2)]);
    assert_eq!(store.rows(), [] as [u32; 0]);
    assert_eq!(store.sync.poll_timeout(), None);
}

#[test]
fn an_interval_near_zero_is_not_a_flood() {
    let mut store = Store::new(Options {
        polling_interval: 0,
        ..without_socket()
    });
    store.asks();
    store.http_list(&[]);
    assert_eq!(store.sleep(), Some(Options::LEAST_INTERVAL));
}

#[test]
fn without_auto_refresh_only_refresh_fetches() {
    let mut store = Store::new(Options {
        auto_refresh: false,
        ..without_socket()
    });
    assert_eq!(store.asks(), []);
    assert!(!store.sync.is_loading(), "nothing is on its way");
    store.sync.take_changed();
    store.sync.refresh(store.now);
    store.sync.refresh(store.now);
    assert!(store.sync.take_changed());
    assert!(store.sync.is_loading());
    assert_eq!(store.asks(), [Ask::Http], "one request serves both");
    store.http_list(&[("ann", 1)]);
    assert!(!store.sync.is_loading());
    assert_eq!(store.rows(), [1]);
    assert_eq!(store.sleep(), None);
}

#[test]
fn without_auto_refresh_a_lost_socket_is_not_replaced_by_polling() {
    let mut store = Store::new(Options {
        auto_refresh: false,
        ..Options::default()
    });
    store.up();
    assert_eq!(store.asks(), [Ask::Socket]);
    store.socket_list(&[]);
    store.down();
    assert_eq!(store.asks(), []);
    assert_eq!(store.sleep(), None);
}

#[test]
fn another_interval_counts_from_the_next_answer_on() {
    let mut store = Store::new(without_socket());
    store.asks();
    let faster = Options {
        polling_interval: 1_000,
        ..without_socket()
    };
    store.sync.set_options(faster);
    store.http_list(&[]);
    store.sync.set_options(without_socket());
    assert_eq!(store.sleep(), Some(1_000));
    store.asks();
    store.http_list(&[]);
    assert_eq!(store.sleep(), Some(5_000));
}

#[test]
fn polling_can_be_switched_on_and_off() {
    let off = Options {
        auto_refresh: false,
        ..Options::default()
    };
    let mut store = Store::new(off);
    store.sync.set_options(Options::default());
    assert_eq!(store.asks(), [Ask::Http]);
    store.sync.set_options(off);
    store.http_list(&[]);
    assert_eq!(store.sleep(), None);

    store.up();
    store.asks();
    store.socket_list(&[]);
    store.sync.set_options(Options::default());
    assert_eq!(store.asks(), [], "the socket keeps it true");
}
