//! A store under virtual time.

use chat_client_wasm::{
    Millis,
    sync::{Ask, Options, Sync},
};
use chat_protocol::{code::Retry, roster::Row};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown(pub(crate) u32);

impl Row for Shown {
    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

pub(crate) struct Store {
    pub(crate) now: Millis,
    pub(crate) sync: Sync<Shown, &'static str>,
}

impl Store {
    pub(crate) fn new(options: Options) -> Self {
        let mut sync = Sync::new(options, 7);
        sync.start();
        Self { now: 0, sync }
    }

    pub(crate) fn asks(&mut self) -> Vec<Ask> {
        std::iter::from_fn(|| self.sync.poll_ask()).collect()
    }

    pub(crate) fn up(&mut self) {
        self.sync.handle_socket_up(self.now);
    }

    pub(crate) fn down(&mut self) {
        self.sync.handle_socket_down("lost");
    }

    pub(crate) fn socket_list(&mut self, list: &[(&str, u32)]) {
        self.sync
            .handle_socket_list(list.iter().map(|(user, row)| (*user, Shown(*row))));
    }

    pub(crate) fn http_list(&mut self, list: &[(&str, u32)]) {
        self.sync.handle_http_list(
            self.now,
            list.iter().map(|(user, row)| (*user, Shown(*row))),
        );
    }

    pub(crate) fn http_fails(&mut self, error: &'static str) {
        self.sync.handle_http_error(self.now, error, Retry::Later);
    }

    pub(crate) fn http_refused(&mut self, error: &'static str) {
        self.sync.handle_http_error(self.now, error, Retry::Never);
    }

    /// Lets time pass up to the next deadline; returns how long that was, or `None` if there is none.
    pub(crate) fn sleep(&mut self) -> Option<Millis> {
        let due = self.sync.poll_timeout()?;
        let slept = due.saturating_sub(self.now);
        self.now = self.now.max(due);
        self.sync.handle_timeout(self.now);
        Some(slept)
    }

    pub(crate) fn rows(&self) -> Vec<u32> {
        self.sync.roster().rows().map(|row| row.0).collect()
    }
}
