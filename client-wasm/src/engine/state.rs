//! Where a connection stands. Data lives in the variant that it belongs to.

use crate::Millis;

/// The one state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not started, or the page was left. No transport.
    Idle,
    /// The shell is fetching the credentials. No transport yet.
    Authorising,
    /// The transport is being opened.
    Opening,
    /// The transport is open; the server's handshake is due.
    Handshaking,
    /// The namespace has been asked for.
    Joining { heartbeat: Heartbeat },
    /// The namespace was refused; the shell is reading why.
    Refused,
    /// The namespace is joined.
    Live { heartbeat: Heartbeat, since: Millis },
    /// No transport; the next attempt has its time.
    Waiting,
    /// Over for good.
    Closed,
}

impl State {
    pub(super) fn heartbeat(&self) -> Option<Heartbeat> {
        match *self {
            Self::Joining { heartbeat } | Self::Live { heartbeat, .. } => Some(heartbeat),
            Self::Idle
            | Self::Authorising
            | Self::Opening
            | Self::Handshaking
            | Self::Refused
            | Self::Waiting
            | Self::Closed => None,
        }
    }
}

/// The server's heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heartbeat {
    interval: Millis,
    timeout: Millis,
}

impl Heartbeat {
    /// A server that does not say gets the defaults of Engine.IO; one that asks for more than an hour is not believed.
    pub(super) fn new(interval: Option<Millis>, timeout: Option<Millis>) -> Self {
        const HOUR: Millis = 3_600_000;
        let usable = |millis: &Millis| (1..=HOUR).contains(millis);
        Self {
            interval: interval.filter(usable).unwrap_or(25_000),
            timeout: timeout.filter(usable).unwrap_or(20_000),
        }
    }

    /// For how long the server may be silent.
    pub(super) fn patience(self) -> Millis {
        self.interval + self.timeout
    }

    /// Whether a ping must have gone missing by now, if the watchdog's time is `due`. A quarter of the timeout is for what
    /// is merely late.
    pub(super) fn missed(self, now: Millis, due: Millis) -> bool {
        now + self.timeout * 3 / 4 > due
    }
}
