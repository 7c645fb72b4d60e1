//! The online-users store without its I/O: keeps a roster true from whatever is available, and says what to ask for.
//!
//! There are two modes. While the socket is down the list is polled over HTTP; while it is up the socket's events keep it
//! true, and one list that is asked for after joining makes it exact. Both feed one [`Roster`], whose tickets order them,
//! so a poll that was under way when the socket came up cannot undo what the socket said.
//!
//! A server may say of which moment its lists and deltas are. Then each request names the moment that is known, after a
//! reconnect too, and is answered with what has happened since. A delta that leaves something out is a reason to ask, once;
//! while an answer is on its way there is none, since on a socket it comes after whatever it takes in.
//!
//! ```text
//! loop {
//!     wait for the socket, an answer, the timeout, or a command; call its handle_*
//!     while let Some(ask) = poll_ask() { ask for the list in that way }
//!     if take_changed(), or the roster's revision is another one { notify the subscribers }
//!     arm one timer for poll_timeout()
//! }
//! ```
//!
//! What must stay true:
//! - at most one request is under way per way of asking, and nothing is polled while the socket answers;
//! - a failure keeps the last list and shows the error; success removes the error;
//! - a refusal that cannot pass by itself is asked again ever more rarely.

use core::mem;

use crate::Millis;

use chat_protocol::{
    code::Retry,
    roster::{Delta, Fit, Mark, Roster, Shelf, Ticket},
};

/// How the store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether there is a socket at all.
    pub socket: bool,
    /// The time between two polls, from answer to request: 5 s by default, never below [`Options::LEAST_INTERVAL`].
    pub polling_interval: Millis,
    /// Whether lists are fetched over HTTP unasked: once at the start, and by polling.
    pub auto_refresh: bool,
}

impl Options {
    /// Shorter polling intervals are taken as this one: 250 ms.
    pub const LEAST_INTERVAL: Millis = 250;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            socket: true,
            polling_interval: 5_000,
            auto_refresh: true,
        }
    }
}

/// A way to ask for the list, or for what has happened since [`Roster::mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Over HTTP; answer with [`Sync::handle_http_list`], [`Sync::handle_http_delta`] or [`Sync::handle_http_error`].
    Http,
    /// Over the socket; the answer is [`Sync::handle_socket_list`] or [`Sync::handle_socket_delta`].
    Socket,
}

/// How long a list that was asked for over the socket may take before it is fetched over HTTP instead.
const SOCKET_PATIENCE: Millis = 10_000;
/// The longest time between two polls that are refused for good.
const REFUSED_INTERVAL: Millis = 60_000;

/// The socket's side.
enum Socket {
    Down,
    /// Joined, and the list has been asked for; `due` is when it is given up.
    Asking {
        ticket: Ticket,
        due: Millis,
    },
    /// Joined, and heard out: the roster is exact.
    Exact,
    /// Joined, and it brings events but no list.
    Silent,
}

/// The HTTP side.
enum Http {
    Idle,
    Due(Millis),
    Asking(Ticket),
}

/// What [`Sync::poll_ask`] has not handed out yet.
#[derive(Default)]
struct Asks {
    socket: bool,
    http: bool,
}

/// The store. `S` is where the rows are, `E` an error to show.
pub struct Sync<S, E> {
    options: Options,
    roster: Roster<S>,
    socket: Socket,
    http: Http,
    /// Consecutive polls that were refused for good.
    refusals: u32,
    /// Whether any list has arrived.
    listed: bool,
    http_error: Option<E>,
    socket_error: Option<E>,
    asks: Asks,
    changed: bool,
}

impl<S: Shelf, E> Sync<S, E> {
    /// A store that has not started, over an empty shelf.
    pub fn new(options: Options, shelf: S) -> Self {
        Self {
            options: Options {
                polling_interval: options.polling_interval.max(Options::LEAST_INTERVAL),
                ..options
            },
            roster: Roster::new(shelf),
            socket: Socket::Down,
            http: Http::Idle,
            refusals: 0,
            listed: false,
            http_error: None,
            socket_error: None,
            asks: Asks::default(),
            changed: true,
        }
    }

    /// Starts: the list is fetched at once, whether or not a socket is on its way.
    pub fn start(&mut self) {
        if self.options.auto_refresh {
            self.fetch();
        }
    }

    /// Asks for the list now, over the socket if it is up. A request under way is not repeated.
    pub fn refresh(&mut self, now: Millis) {
        match self.socket {
            Socket::Exact => self.ask_over_socket(now),
            Socket::Down | Socket::Silent => self.fetch(),
            Socket::Asking { .. } => {}
        }
    }

    /// The users online, in order of arrival.
    pub fn roster(&self) -> &Roster<S> {
        &self.roster
    }

    /// Whether the first list is still on its way: none has come, and nothing has failed.
    pub fn is_loading(&self) -> bool {
        let expected = self.options.auto_refresh || self.options.socket;
        expected && !self.listed && self.error().is_none()
    }

    /// Whether the socket keeps the list true.
    pub fn is_connected(&self) -> bool {
        !matches!(self.socket, Socket::Down)
    }

    /// Why the list may be out of date.
    pub fn error(&self) -> Option<&E> {
        self.socket_error.as_ref().or(self.http_error.as_ref())
    }

    /// The socket has joined.
    pub fn handle_socket_up(&mut self, now: Millis) {
        self.replace_socket(Socket::Silent);
        self.socket_error = None;
        if let Http::Due(_) = self.http {
            self.http = Http::Idle;
        }
        self.ask_over_socket(now);
        self.changed = true;
    }

    /// The socket is gone; another may come.
    pub fn handle_socket_down(&mut self) {
        if self.is_connected() {
            self.replace_socket(Socket::Down);
            self.changed = true;
            if self.options.auto_refresh {
                self.fetch();
            }
        }
    }

    /// The socket will not come by itself; polling goes on.
    pub fn handle_socket_refused(&mut self, error: E) {
        self.socket_error = Some(error);
        self.changed = true;
    }

    /// The socket says that a user is online.
    pub fn handle_online(&mut self, user: &S::User, row: &S::Row) {
        self.roster.online(user, row);
    }

    /// The socket says that a user has gone.
    pub fn handle_offline(&mut self, user: &S::User) {
        self.roster.offline(user);
    }

    /// The socket brought a list, asked for or not, and maybe said of which moment it is.
    pub fn handle_socket_list(&mut self, list: &S::List, mark: Option<Mark>) {
        let ticket = match mem::replace(&mut self.socket, Socket::Exact) {
            Socket::Asking { ticket, .. } => ticket,
            Socket::Exact | Socket::Silent => self.roster.ask(),
            Socket::Down => {
                self.socket = Socket::Down;
                return;
            }
        };
        match mark {
            Some(mark) => self.roster.answer_at(ticket, mark, true, list),
            None => self.roster.answer(ticket, list),
        };
        self.note_exact();
    }

    /// The socket brought what has happened since some moment.
    pub fn handle_socket_delta(&mut self, now: Millis, delta: &Delta<'_, S>) {
        if let Socket::Down = self.socket {
            return;
        }
        match (self.roster.delta(delta), &self.socket) {
            (Fit::Gap, Socket::Asking { .. }) => {}
            (Fit::Gap, Socket::Down | Socket::Exact | Socket::Silent) => self.ask_over_socket(now),
            (Fit::Applied | Fit::Stale, _) => {
                self.replace_socket(Socket::Exact);
                self.note_exact();
            }
        }
    }

    /// The answer to [`Ask::Http`] is a list, of a moment that it may say.
    pub fn handle_http_list(&mut self, now: Millis, list: &S::List, mark: Option<Mark>) {
        let Http::Asking(ticket) = mem::replace(&mut self.http, Http::Idle) else {
            return;
        };
        match mark {
            Some(mark) => {
                self.roster.answer_at(ticket, mark, false, list);
            }
            // The socket goes on from the mark, which such a list would take away.
            None if self.is_socket_asked() && self.roster.mark().is_some() => {
                self.roster.abandon(ticket);
            }
            None => {
                self.roster.answer(ticket, list);
            }
        }
        self.note_poll(now);
    }

    /// The answer to [`Ask::Http`] is what has happened since the moment that was named.
    pub fn handle_http_delta(&mut self, now: Millis, delta: &Delta<'_, S>) {
        let Http::Asking(ticket) = mem::replace(&mut self.http, Http::Idle) else {
            return;
        };
        // If it does not fit, another way has brought something newer meanwhile, or the next poll will.
        self.roster.answer_delta(ticket, delta);
        self.note_poll(now);
    }

    /// [`Ask::Http`] failed.
    pub fn handle_http_error(&mut self, now: Millis, error: E, retry: Retry) {
        let Http::Asking(ticket) = mem::replace(&mut self.http, Http::Idle) else {
            return;
        };
        self.roster.abandon(ticket);
        if matches!(self.socket, Socket::Exact) {
            return;
        }
        self.http_error = Some(error);
        self.changed = true;
        let interval = self.options.polling_interval;
        let pause = match retry {
            Retry::Later => interval,
            Retry::Never => {
                self.refusals = (self.refusals + 1).min(16);
                (interval * (1 << self.refusals)).min(REFUSED_INTERVAL.max(interval))
            }
        };
        self.schedule(now, pause);
    }

    /// The time that [`Sync::poll_timeout`] named has come. Too early is harmless.
    pub fn handle_timeout(&mut self, now: Millis) {
        if let Http::Due(due) = self.http
            && due <= now
        {
            self.fetch();
        }
        if let Socket::Asking { due, .. } = self.socket
            && due <= now
        {
            // A server that does not answer this socket may still answer over HTTP, or say why it does not.
            self.replace_socket(Socket::Silent);
            self.fetch();
        }
    }

    /// How to ask for the list now.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        if mem::take(&mut self.asks.socket) {
            Some(Ask::Socket)
        } else if mem::take(&mut self.asks.http) {
            Some(Ask::Http)
        } else {
            None
        }
    }

    /// When [`Sync::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let http = match self.http {
            Http::Due(due) => Some(due),
            Http::Idle | Http::Asking(_) => None,
        };
        let socket = match self.socket {
            Socket::Asking { due, .. } => Some(due),
            Socket::Down | Socket::Exact | Socket::Silent => None,
        };
        http.into_iter().chain(socket).min()
    }

    /// Whether anything but the rows may be shown otherwise than at the last call. When rows change, [`Roster::revision`]
    /// does.
    pub fn take_changed(&mut self) -> bool {
        mem::take(&mut self.changed)
    }

    fn fetch(&mut self) {
        if !matches!(self.http, Http::Asking(_)) {
            self.http = Http::Asking(self.roster.ask());
            self.asks.http = true;
        }
    }

    fn ask_over_socket(&mut self, now: Millis) {
        let ticket = self.roster.ask();
        self.replace_socket(Socket::Asking {
            ticket,
            due: now + SOCKET_PATIENCE,
        });
        self.asks.socket = true;
    }

    fn replace_socket(&mut self, socket: Socket) {
        self.asks.socket = false;
        if let Socket::Asking { ticket, .. } = mem::replace(&mut self.socket, socket) {
            self.roster.abandon(ticket);
        }
    }

    /// The socket has been heard out.
    fn note_exact(&mut self) {
        if let Http::Due(_) = self.http {
            self.http = Http::Idle;
        }
        self.note_list();
    }

    fn note_poll(&mut self, now: Millis) {
        self.note_list();
        self.refusals = 0;
        self.schedule(now, self.options.polling_interval);
    }

    /// Whether the socket keeps the roster true, or is about to.
    fn is_socket_asked(&self) -> bool {
        matches!(self.socket, Socket::Asking { .. } | Socket::Exact)
    }

    fn note_list(&mut self) {
        let had_error = self.http_error.take().is_some();
        self.changed |= had_error || !self.listed;
        self.listed = true;
    }

    fn schedule(&mut self, now: Millis, pause: Millis) {
        if self.options.auto_refresh && !self.is_socket_asked() {
            self.http = Http::Due(now + pause);
        }
    }
}
