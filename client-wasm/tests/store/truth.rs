//! Whatever fails on the way: once the socket is up and has been heard out, the store shows the truth.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use chat_client_wasm::sync::{Ask, Options};
use chat_protocol::code::Retry;
use proptest::prelude::*;

use crate::support::Store;

type Truth = BTreeMap<u8, u32>;

#[derive(Clone, Debug)]
enum Step {
    Online(u8, u32),
    Offline(u8),
    SocketUp,
    SocketDown,
    /// The server's next frame on the socket arrives.
    Frame,
    /// The HTTP request under way is read by the server, answered, or lost.
    HttpRead,
    HttpAnswer,
    HttpFail(bool),
    Refresh,
    Sleep,
}

#[derive(Clone, Debug)]
enum Frame {
    Change(u8, Option<u32>),
    List(Truth),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..5u8, 0..100u32).prop_map(|(user, row)| Step::Online(user, row)),
        4 => (0..5u8).prop_map(Step::Offline),
        2 => Just(Step::SocketUp),
        1 => Just(Step::SocketDown),
        8 => Just(Step::Frame),
        3 => Just(Step::HttpRead),
        3 => Just(Step::HttpAnswer),
        1 => any::<bool>().prop_map(Step::HttpFail),
        1 => Just(Step::Refresh),
        2 => Just(Step::Sleep),
    ]
}

/// The one HTTP request.
enum Http {
    Idle,
    Asked,
    Read(Truth),
}

/// A server that answers on a socket in order, and over HTTP whenever it likes.
struct World {
    truth: Truth,
    store: Store,
    up: bool,
    frames: VecDeque<Frame>,
    http: Http,
}

impl World {
    fn change(&mut self, user: u8, row: Option<u32>) {
        match row {
            Some(row) => self.truth.insert(user, row),
            None => self.truth.remove(&user),
        };
        if self.up {
            self.frames.push_back(Frame::Change(user, row));
        }
    }

    fn frame(&mut self) -> bool {
        let sync = &mut self.store.sync;
        match self.frames.pop_front() {
            Some(Frame::Change(user, Some(row))) => {
                sync.handle_online(&user.to_string(), &row);
            }
            Some(Frame::Change(user, None)) => sync.handle_offline(&user.to_string()),
            Some(Frame::List(list)) => sync.handle_socket_list(&rows(list)),
            None => return false,
        }
        true
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Online(user, row) => self.change(user, Some(row)),
            Step::Offline(user) => self.change(user, None),
            Step::SocketUp if !self.up => {
                self.up = true;
                self.store.up();
            }
            Step::SocketDown if self.up => {
                self.up = false;
                self.frames.clear();
                self.store.sync.handle_socket_down();
            }
            Step::SocketUp | Step::SocketDown => {}
            Step::Frame => {
                self.frame();
            }
            Step::HttpRead => {
                if let Http::Asked = self.http {
                    self.http = Http::Read(self.truth.clone());
                }
            }
            Step::HttpAnswer => match mem::replace(&mut self.http, Http::Idle) {
                Http::Read(list) => self
                    .store
                    .sync
                    .handle_http_list(self.store.now, &rows(list)),
                unread @ (Http::Idle | Http::Asked) => self.http = unread,
            },
            Step::HttpFail(for_good) => {
                if !matches!(mem::replace(&mut self.http, Http::Idle), Http::Idle) {
                    let retry = if for_good { Retry::Never } else { Retry::Later };
                    self.store
                        .sync
                        .handle_http_error(self.store.now, "failed", retry);
                }
            }
            Step::Refresh => self.store.sync.refresh(self.store.now),
            Step::Sleep => {
                self.store.sleep();
            }
        }
        for ask in self.store.asks() {
            match ask {
                Ask::Socket => {
                    assert!(self.up, "asked over a socket that is down");
                    self.frames.push_back(Frame::List(self.truth.clone()));
                }
                Ask::Http => {
                    assert!(matches!(self.http, Http::Idle), "two requests at a time");
                    self.http = Http::Asked;
                }
            }
        }
    }
}

fn rows(list: Truth) -> Vec<(String, u32)> {
    list.into_iter()
        .map(|(user, row)| (user.to_string(), row))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn is_shown_in_the_end(steps in prop::collection::vec(step(), 0..150), late_poll in any::<bool>()) {
        let mut world = World {
            truth: Truth::new(),
            store: Store::new(Options::default()),
            up: false,
            frames: VecDeque::new(),
            http: Http::Idle,
        };
        world.step(&Step::HttpRead);
        for step in &steps {
            world.step(step);
        }
        world.step(&Step::SocketUp);
        while world.frame() {}
        if late_poll {
            // A poll that was read at any time before arrives last of all.
            world.step(&Step::HttpAnswer);
        }
        while world.frame() {}

        let shown: Truth = (0..5)
            .filter_map(|user| Some((user, *world.store.sync.roster().shelf().get(&user.to_string())?)))
            .collect();
        prop_assert!(world.store.sync.is_connected());
        prop_assert!(!world.store.sync.is_loading());
        prop_assert_eq!(shown, world.truth);
    }
}
