//! A store under virtual time.

use chat_client_wasm::{
    Millis,
    sync::{Ask, Options, Sync},
};
use chat_protocol::{code::Retry, roster::VecShelf};

pub(crate) struct Store {
    pub(crate) now: Millis,
    pub(crate) sync: Sync<VecShelf<u32>, &'static str>,
    /// The roster's revision at the last look.
    seen: u64,
}

/// Rows as a list brings them.
pub(crate) fn rows(list: &[(&str, u32)]) -> Vec<(String, u32)> {
    list.iter()
        .map(|(user, row)| ((*user).to_owned(), *row))
        .collect()
}

impl Store {
    pub(crate) fn new(options: Options) -> Self {
        let mut sync = Sync::new(options, VecShelf::default());
        sync.start();
        Self {
            now: 0,
            sync,
            seen: 0,
        }
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
        self.sync.handle_socket_list(&rows(list), None);
    }

    pub(crate) fn http_list(&mut self, list: &[(&str, u32)]) {
        self.sync.handle_http_list(self.now, &rows(list), None);
    }

    /// Whether there is anything to show that was not there at the last look.
    pub(crate) fn take_changed(&mut self) -> bool {
        let revision = self.sync.roster().revision();
        let seen = std::mem::replace(&mut self.seen, revision);
        self.sync.take_changed() || seen != revision
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
        self.sync.roster().shelf().rows().copied().collect()
    }
}
