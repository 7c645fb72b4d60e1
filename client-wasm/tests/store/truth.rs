//! Whatever fails on the way: once the socket is up and has been heard out, the store shows the truth. So it is with servers
//! that say of which moment their lists are, with those that do not, and with one of each.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use chat_client_wasm::sync::{Ask, Options};
use chat_protocol::{
    code::Retry,
    roster::{Delta, Mark, VecShelf},
};
use proptest::prelude::*;

use crate::support::Store;

type Truth = BTreeMap<u8, u32>;

#[derive(Clone, Debug)]
enum Step {
    Online(u8, u32),
    Offline(u8),
    SocketUp,
    SocketDown,
    SocketRefused,
    /// The server ends and begins anew, with some of its users.
    Restart(u8),
    /// The server's next frame on the socket arrives.
    Frame,
    /// A delta is lost on its way; an answer is not.
    Lose,
    /// The HTTP request under way is read by the server, answered, or lost.
    HttpRead,
    HttpAnswer,
    HttpFail(bool),
    Refresh,
    Sleep,
}

/// What the server says: to a client without marks about one user, or everybody; with marks what changed, or everybody.
#[derive(Clone, Debug)]
enum Said {
    Change(u8, Option<u32>),
    List(Truth, Option<Mark>),
    Delta(Mark, Mark, Vec<(String, u32)>, Vec<String>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..5u8, 0..100u32).prop_map(|(user, row)| Step::Online(user, row)),
        4 => (0..5u8).prop_map(Step::Offline),
        2 => Just(Step::SocketUp),
        1 => Just(Step::SocketDown),
        1 => Just(Step::SocketRefused),
        1 => any::<u8>().prop_map(Step::Restart),
        8 => Just(Step::Frame),
        1 => Just(Step::Lose),
        3 => Just(Step::HttpRead),
        3 => Just(Step::HttpAnswer),
        1 => any::<bool>().prop_map(Step::HttpFail),
        1 => Just(Step::Refresh),
        2 => Just(Step::Sleep),
    ]
}

/// The one HTTP request; a cursor is the mark that it names.
enum Http {
    Idle,
    Asked(Option<Mark>),
    Read(Said),
}

/// A server that answers on a socket in order, and over HTTP whenever it likes.
struct World {
    /// Which of the two ways say of which moment something is.
    marks_on_socket: bool,
    marks_over_http: bool,
    truth: Truth,
    mark: Mark,
    /// Whom the changes of this epoch were about, from version 1 on.
    changes: Vec<u8>,
    store: Store,
    up: bool,
    /// With whether it was said unasked.
    frames: VecDeque<(bool, Said)>,
    http: Http,
}

impl World {
    fn new(marks_on_socket: bool, marks_over_http: bool) -> Self {
        Self {
            marks_on_socket,
            marks_over_http,
            truth: Truth::new(),
            mark: Mark {
                epoch: 7,
                version: 0,
            },
            changes: Vec::new(),
            store: Store::new(Options::default()),
            up: false,
            frames: VecDeque::new(),
            http: Http::Idle,
        }
    }

    fn change(&mut self, user: u8, row: Option<u32>) {
        match row {
            Some(row) => self.truth.insert(user, row),
            None => self.truth.remove(&user),
        };
        let before = self.mark;
        self.mark.version += 1;
        self.changes.push(user);
        if self.up {
            let said = if self.marks_on_socket {
                self.since(before)
            } else {
                Said::Change(user, row)
            };
            self.frames.push_back((true, said));
        }
    }

    /// What has happened since a moment of this epoch.
    fn since(&self, mark: Mark) -> Said {
        let known = usize::try_from(mark.version).expect("small");
        let named = |user: &u8| self.changes[known..].contains(user);
        let (mut online, mut offline) = (Vec::new(), Vec::new());
        for user in (0..5).filter(named) {
            match self.truth.get(&user) {
                Some(row) => online.push((user.to_string(), *row)),
                None => offline.push(user.to_string()),
            }
        }
        Said::Delta(mark, self.mark, online, offline)
    }

    fn answer(&self, cursor: Option<Mark>, marks: bool) -> Said {
        match cursor {
            Some(cursor) if marks && cursor.epoch == self.mark.epoch => self.since(cursor),
            Some(_) | None => Said::List(self.truth.clone(), marks.then_some(self.mark)),
        }
    }

    fn frame(&mut self) {
        let (now, sync) = (self.store.now, &mut self.store.sync);
        match self.frames.pop_front().map(|(_, said)| said) {
            Some(Said::Change(user, Some(row))) => sync.handle_online(&user.to_string(), &row),
            Some(Said::Change(user, None)) => sync.handle_offline(&user.to_string()),
            Some(Said::List(list, mark)) => sync.handle_socket_list(&rows(list), mark),
            Some(Said::Delta(since, until, online, offline)) => {
                let delta: Delta<'_, VecShelf<u32>> = Delta {
                    since,
                    until,
                    online: &online,
                    offline: &offline,
                };
                sync.handle_socket_delta(now, &delta);
            }
            None => {}
        }
    }

    fn http_answer(&mut self) {
        let (now, sync) = (self.store.now, &mut self.store.sync);
        match mem::replace(&mut self.http, Http::Idle) {
            Http::Read(Said::List(list, mark)) => sync.handle_http_list(now, &rows(list), mark),
            Http::Read(Said::Delta(since, until, online, offline)) => {
                let delta: Delta<'_, VecShelf<u32>> = Delta {
                    since,
                    until,
                    online: &online,
                    offline: &offline,
                };
                sync.handle_http_delta(now, &delta);
            }
            unread @ (Http::Idle | Http::Asked(_) | Http::Read(Said::Change(..))) => {
                self.http = unread;
            }
        }
    }

    fn down(&mut self) {
        if mem::take(&mut self.up) {
            self.frames.clear();
            self.store.down();
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Online(user, row) => self.change(user, Some(row)),
            Step::Offline(user) => self.change(user, None),
            Step::SocketUp if !self.up => {
                self.up = true;
                self.store.up();
            }
            Step::SocketRefused if !self.up => {
                self.store.sync.handle_socket_refused("refused");
            }
            Step::SocketUp | Step::SocketRefused => {}
            Step::SocketDown => self.down(),
            Step::Restart(kept) => {
                self.down();
                self.truth.retain(|user, _| kept >> user & 1 == 1);
                self.changes.clear();
                self.mark = Mark {
                    epoch: self.mark.epoch.wrapping_mul(0x9e37_79b1),
                    version: 0,
                };
            }
            Step::Frame => self.frame(),
            Step::Lose => {
                if let Some((true, Said::Delta(..))) = self.frames.front() {
                    self.frames.pop_front();
                }
            }
            Step::HttpRead => {
                if let Http::Asked(cursor) = self.http {
                    self.http = Http::Read(self.answer(cursor, self.marks_over_http));
                }
            }
            Step::HttpAnswer => self.http_answer(),
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
        let cursor = self.store.sync.roster().mark();
        for ask in self.store.asks() {
            match ask {
                Ask::Connect => assert!(!self.up, "there is one"),
                Ask::Socket => {
                    assert!(self.up, "asked over a socket that is down");
                    let answer = self.answer(cursor, self.marks_on_socket);
                    self.frames.push_back((false, answer));
                }
                Ask::Http => {
                    assert!(matches!(self.http, Http::Idle), "two requests at a time");
                    self.http = Http::Asked(cursor);
                }
            }
        }
    }

    fn hear_out(&mut self) {
        while !self.frames.is_empty() {
            self.step(&Step::Frame);
        }
    }
}

fn rows(list: Truth) -> Vec<(String, u32)> {
    list.into_iter()
        .map(|(user, row)| (user.to_string(), row))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn is_shown_in_the_end(
        steps in prop::collection::vec(step(), 0..120),
        (marks_on_socket, marks_over_http) in any::<(bool, bool)>(),
        late_poll in any::<bool>(),
    ) {
        let mut world = World::new(marks_on_socket, marks_over_http);
        world.step(&Step::HttpRead);
        for step in &steps {
            world.step(step);
        }
        world.step(&Step::SocketUp);
        // A delta that was lost shows at the next one.
        world.step(&Step::Online(0, 1_000));
        world.hear_out();
        if late_poll {
            // A poll that was read at any time before arrives last of all.
            world.step(&Step::HttpAnswer);
            world.hear_out();
        }

        let shown: Truth = (0..5)
            .filter_map(|user| Some((user, *world.store.sync.roster().shelf().get(&user.to_string())?)))
            .collect();
        prop_assert!(world.store.sync.is_connected());
        prop_assert!(!world.store.sync.is_loading());
        prop_assert_eq!(shown, world.truth);
    }
}
