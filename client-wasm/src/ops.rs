//! The numbers by which JavaScript and the core name to each other what a call is for.
//!
//! Numbers and no names, because a name costs a string across the border at each call. What must stay true:
//! `npm/lib/ops.ts` and `js/platform.js` say the same; `tests/ops.rs` compares them.

/// What the platform calls a connection or a store for.
pub mod platform {
    /// The timer has fired.
    pub const TIMER: u32 = 0;
    /// The socket is open.
    pub const OPEN: u32 = 1;
    /// The socket has ended.
    pub const CLOSED: u32 = 2;
    /// The socket brought a text frame, the argument.
    pub const FRAME: u32 = 3;
    /// The page has lost its network.
    pub const OFFLINE: u32 = 4;
    /// The page has its network back, or is looked at again.
    pub const WAKE: u32 = 5;
    /// The page is being left.
    pub const LEFT: u32 = 6;
    /// The page is shown, at first or again.
    pub const SHOWN: u32 = 7;
    /// The socket brought the first of [`crate::wire::Event::names`], whose value is the argument; the others follow.
    pub const EVENT: u32 = 8;
}

/// What a socket can be asked for.
pub mod socket_op {
    /// Send a message, the argument; a promise of the receipt.
    pub const SEND: u32 = 0;
    /// Ask for the list of online users.
    pub const LIST: u32 = 1;
    /// Its [`Status`](crate::status::Status).
    pub const STATUS: u32 = 2;
    /// Give up the message whose promise has the number that is the argument.
    pub const CANCEL: u32 = 3;
    /// End it for good.
    pub const CLOSE: u32 = 4;
    /// Follow the conversation that the argument names; a promise of its history.
    pub const JOIN: u32 = 5;
    /// Say what has changed of a visit, the argument, if it is connected; nobody answers.
    pub const REPORT: u32 = 6;
}

/// What a socket's listener is told.
pub mod socket_event {
    /// It is connected.
    pub const CONNECTED: i32 = 0;
    /// It is no longer, for the coded error that is the argument.
    pub const DISCONNECTED: i32 = 1;
    /// An attempt failed with the coded error that is the argument; another follows.
    pub const FAILED: i32 = 2;
    /// The same, and no other follows.
    pub const REFUSED: i32 = 3;
    /// An attempt begins. So far the connection stands otherwise with each event.
    pub const CONNECTING: i32 = 4;
    /// A message.
    pub const MESSAGE: i32 = 5;
    /// A user is online; the argument is the row.
    pub const USER_ONLINE: i32 = 6;
    /// A user has gone; the argument is the id.
    pub const USER_OFFLINE: i32 = 7;
    /// The rows of the list.
    pub const LIST: i32 = 8;
    /// A visitor's signed token was issued.
    pub const VISITOR_TOKEN: i32 = 9;
    /// Something was said in a conversation; the argument is its summary.
    pub const CONVERSATION: i32 = 10;
}

/// What the HTTP interface can be asked for. Each is a promise.
pub mod api_op {
    /// The rows of the online users.
    pub const USERS: u32 = 0;
    /// The messages of the session that the argument names.
    pub const MESSAGES: u32 = 1;
    /// Send a message, the argument; the message as it was taken.
    pub const SEND: u32 = 2;
    /// Open a session with the body that is the argument; its id.
    pub const SESSION: u32 = 3;
    /// Whatever is at the `path` of the argument, whose other fields are the query; the answer as it is.
    pub const GET: u32 = 4;
}

/// What an online-users store can be asked for.
pub mod users_op {
    /// The shelf where its rows are.
    pub const SHELF: u32 = 0;
    /// Ask for the list now.
    pub const REFRESH: u32 = 1;
    /// Stop everything.
    pub const CLOSE: u32 = 2;
    /// Go on with the time between two polls that is the argument, as the store's options are.
    pub const POLL: u32 = 3;
}

/// What an online-users store tells of itself, in one number.
pub mod users_status {
    /// A list is expected, and none has come yet.
    pub const AWAITED: i32 = 1;
    /// The error says why the rows may be out of date, and not only why the connection is not live.
    pub const OUTDATED: i32 = 2;
    /// A list has come.
    pub const LISTED: i32 = 4;
    /// How often the connection's [`Status`](crate::status::Status) is in it.
    pub const CONNECTION: i32 = 8;
}
