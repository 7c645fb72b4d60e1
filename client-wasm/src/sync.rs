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
//! - a refusal that cannot pass by itself is asked again ever more rarely;
//! - whatever ends the socket, the list is polled, except while the page is being left.

use core::mem;

use crate::{Millis, status::Status};

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

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Make another connection: the last one was refused, and there is reason to hope.
    Connect,
    /// Ask for the list, or for what has happened since [`Roster::mark`], over HTTP; answer with
    /// [`Sync::handle_http_list`], [`Sync::handle_http_delta`] or [`Sync::handle_http_error`].
    Http,
    /// The same over the socket; the answer is [`Sync::handle_socket_list`] or [`Sync::handle_socket_delta`].
    Socket,
}

/// How long a list that was asked for over the socket may take before it is fetched over HTTP instead.
const SOCKET_PATIENCE: Millis = 10_000;
/// The longest time between two polls that are refused for good.
const REFUSED_INTERVAL: Millis = 60_000;

/// The socket's side.
enum Socket {
    /// There is none.
    Absent,
    /// An attempt is under way.
    Attempting,
    /// An attempt failed or a connection was lost; another attempt follows.
    Waiting,
    /// It will not come by itself.
    Refused,
    /// Joined, and the list has been asked for; `due` is when it is given up.
    Asking { ticket: Ticket, due: Millis },
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
    connect: bool,
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
    /// Why the socket is not live, since it last was.
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
            socket: if options.socket {
                Socket::Attempting
            } else {
                Socket::Absent
            },
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

    /// Other options from the next answer on. Whether there is a socket stays.
    pub fn set_options(&mut self, options: Options) {
        self.options.polling_interval = options.polling_interval.max(Options::LEAST_INTERVAL);
        self.options.auto_refresh = options.auto_refresh;
        if options.auto_refresh && !self.is_connected() && matches!(self.http, Http::Idle) {
            self.fetch();
        }
    }

    /// Asks for the list now, over the socket if it is up. A request under way is not repeated. A socket that was refused
    /// is tried again.
    pub fn refresh(&mut self, now: Millis) {
        match self.socket {
            Socket::Exact => self.ask_over_socket(now),
            Socket::Refused => {
                self.connect();
                self.fetch();
            }
            Socket::Absent | Socket::Attempting | Socket::Waiting | Socket::Silent => self.fetch(),
            Socket::Asking { .. } => {}
        }
    }

    /// The users online, in order of arrival.
    pub fn roster(&self) -> &Roster<S> {
        &self.roster
    }

    /// Whether the first list is still on its way: none has come, and nothing has failed.
    pub fn is_loading(&self) -> bool {
        self.is_awaited() && self.error().is_none()
    }

    /// Whether a list is expected and none has come yet, whatever has failed.
    pub fn is_awaited(&self) -> bool {
        let asked = matches!(self.http, Http::Asking(_));
        let expected = self.options.auto_refresh || self.options.socket || asked;
        expected && !self.listed
    }

    /// Whether any list has come.
    pub fn is_listed(&self) -> bool {
        self.listed
    }

    /// Whether the socket keeps the list true.
    pub fn is_connected(&self) -> bool {
        matches!(
            self.socket,
            Socket::Asking { .. } | Socket::Exact | Socket::Silent
        )
    }

    /// Where the connection stands, for the application.
    pub fn status(&self) -> Status {
        let lists_come = self.listed && self.http_error.is_none();
        let polling = self.options.auto_refresh.then_some(if lists_come {
            Status::Polling
        } else if self.http_error.is_some() {
            Status::Backoff
        } else {
            Status::Connecting
        });
        match self.socket {
            Socket::Asking { .. } | Socket::Exact | Socket::Silent => Status::Live,
            Socket::Absent => polling.unwrap_or(Status::Idle),
            Socket::Refused => polling.unwrap_or(Status::Closed),
            // A list that polling brings is the better news, but not yet while nothing is wrong with the socket.
            Socket::Waiting | Socket::Attempting
                if self.socket_error.is_some() && polling == Some(Status::Polling) =>
            {
                Status::Polling
            }
            Socket::Waiting => Status::Backoff,
            Socket::Attempting => Status::Connecting,
        }
    }

    /// What is wrong: why the list may be out of date, or else why there is no socket; `None` while nothing has failed
    /// since there last was one.
    pub fn trouble(&self) -> Option<&E> {
        self.error().or(self.socket_error.as_ref())
    }

    /// Why the list may be out of date.
    pub fn error(&self) -> Option<&E> {
        match self.socket {
            Socket::Refused => self.socket_error.as_ref(),
            Socket::Absent
            | Socket::Attempting
            | Socket::Waiting
            | Socket::Asking { .. }
            | Socket::Exact
            | Socket::Silent => None,
        }
        .or(self.http_error.as_ref())
    }

    /// An attempt to connect begins. While the socket is being replaced by one with later credentials that is no news.
    pub fn handle_socket_attempt(&mut self) {
        if !self.is_connected() {
            self.socket = Socket::Attempting;
            self.changed = true;
        }
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

    /// The socket is gone, or an attempt has failed; another will follow.
    pub fn handle_socket_down(&mut self, error: E) {
        let news = self.is_connected() || matches!(self.http, Http::Idle);
        self.replace_socket(Socket::Waiting);
        self.socket_error = Some(error);
        self.changed = true;
        if news && self.options.auto_refresh {
            self.fetch();
        }
    }

    /// The page is being left, and the socket with it: it is the wrong moment to ask for anything.
    pub fn handle_leaving(&mut self) {
        self.replace_socket(Socket::Waiting);
        self.changed = true;
    }

    /// The socket will not come by itself; polling goes on.
    pub fn handle_socket_refused(&mut self, error: E) {
        self.handle_socket_down(error);
        self.socket = Socket::Refused;
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
            down @ (Socket::Absent | Socket::Attempting | Socket::Waiting | Socket::Refused) => {
                self.socket = down;
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
        if !self.is_connected() {
            return;
        }
        match self.roster.delta(delta) {
            Fit::Gap if matches!(self.socket, Socket::Asking { .. }) => {}
            Fit::Gap => self.ask_over_socket(now),
            Fit::Applied | Fit::Stale => {
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
        let epoch = |mark: Mark| mark.epoch;
        let known = self.roster.mark().map(epoch);
        if self.is_socket_asked() && known.is_some() && known != mark.map(epoch) {
            // The socket goes on from the mark that is known, which such a list would take away.
            self.roster.abandon(ticket);
        } else if let Some(mark) = mark {
            self.roster.answer_at(ticket, mark, false, list);
        } else {
            self.roster.answer(ticket, list);
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

    /// What to do now.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        if mem::take(&mut self.asks.connect) {
            Some(Ask::Connect)
        } else if mem::take(&mut self.asks.socket) {
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
            Socket::Absent
            | Socket::Attempting
            | Socket::Waiting
            | Socket::Refused
            | Socket::Exact
            | Socket::Silent => None,
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
            self.changed |= !self.listed;
        }
    }

    fn connect(&mut self) {
        self.socket = Socket::Attempting;
        self.asks.connect = true;
        self.changed = true;
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
        if mem::take(&mut self.refusals) > 0 && matches!(self.socket, Socket::Refused) {
            // What was wrong with the credentials may have been wrong for the socket, too.
            self.connect();
        }
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
