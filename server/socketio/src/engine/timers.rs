//! The deadlines of one session, as a plain value.
//!
//! What must stay true: a session that is not closing has exactly one heartbeat deadline, so that a dead client is
//! found whatever else goes on; a closing one has only the deadline of its closing.

use crate::Config;
use crate::clock::{Millis, millis};

#[derive(Debug)]
pub(crate) struct Timers {
    heartbeat: Heartbeat,
    /// When the session must be connected to a namespace.
    connect: Option<Millis>,
    /// When the running upgrade must be complete.
    upgrade: Option<Millis>,
}

#[derive(Debug)]
enum Heartbeat {
    PingAt(Millis),
    PongBy(Millis),
    /// Closing: when the client must have taken the rest.
    GoneBy(Millis),
}

/// What a deadline's passing means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send a ping; the time to answer it has begun.
    Ping,
    /// No pong came.
    PongMissing,
    /// No namespace was connected to.
    NotConnected,
    /// The upgrade was not completed and is given up.
    UpgradeMissing,
    /// The client did not take the rest.
    CloseMissing,
}

impl Timers {
    pub(crate) fn new(now: Millis, config: &Config) -> Self {
        Self {
            heartbeat: Heartbeat::PingAt(now + millis(config.ping_interval)),
            connect: None,
            upgrade: None,
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Millis {
        let (Heartbeat::PingAt(at) | Heartbeat::PongBy(at) | Heartbeat::GoneBy(at)) =
            self.heartbeat;
        [self.connect, self.upgrade]
            .into_iter()
            .flatten()
            .fold(at, Millis::min)
    }

    /// One deadline that has passed; to be asked until there is none.
    pub(crate) fn due(&mut self, now: Millis, config: &Config) -> Option<Due> {
        if self.upgrade.is_some_and(|at| at <= now) {
            self.upgrade = None;
            return Some(Due::UpgradeMissing);
        }
        if self.connect.is_some_and(|at| at <= now) {
            self.connect = None;
            return Some(Due::NotConnected);
        }
        match self.heartbeat {
            Heartbeat::PingAt(at) if at <= now => {
                // A little lateness of ours is not the client's gain. More of it, after a standstill, is not its loss.
                let timeout = millis(config.ping_timeout);
                let sent = at.max(now.saturating_sub(timeout / 8));
                self.heartbeat = Heartbeat::PongBy(sent + timeout);
                Some(Due::Ping)
            }
            Heartbeat::PongBy(at) if at <= now => {
                self.heartbeat = Heartbeat::GoneBy(Millis::MAX);
                Some(Due::PongMissing)
            }
            Heartbeat::GoneBy(at) if at <= now => {
                self.heartbeat = Heartbeat::GoneBy(Millis::MAX);
                Some(Due::CloseMissing)
            }
            Heartbeat::PingAt(_) | Heartbeat::PongBy(_) | Heartbeat::GoneBy(_) => None,
        }
    }

    /// A pong came. One that nobody asked for changes nothing.
    pub(crate) fn pong(&mut self, now: Millis, config: &Config) {
        if let Heartbeat::PongBy(_) = self.heartbeat {
            self.heartbeat = Heartbeat::PingAt(now + millis(config.ping_interval));
        }
    }

    /// The session is connected to a namespace.
    pub(crate) fn connected(&mut self) {
        self.connect = None;
    }

    /// The session is connected to no namespace, any more or yet.
    pub(crate) fn left(&mut self, now: Millis, config: &Config) {
        if !matches!(self.heartbeat, Heartbeat::GoneBy(_)) {
            self.connect = Some(now + millis(config.connect_timeout));
        }
    }

    pub(crate) fn upgrade_begins(&mut self, now: Millis, config: &Config) {
        self.upgrade = Some(now + millis(config.upgrade_timeout));
    }

    pub(crate) fn upgrade_ends(&mut self) {
        self.upgrade = None;
    }

    pub(crate) fn closing(&mut self, now: Millis, config: &Config) {
        let by = now + millis(config.close_timeout);
        *self = Self {
            heartbeat: Heartbeat::GoneBy(by),
            connect: None,
            upgrade: None,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn config() -> Config {
        Config {
            ping_interval: Duration::from_millis(100),
            ping_timeout: Duration::from_millis(50),
            connect_timeout: Duration::from_millis(120),
            upgrade_timeout: Duration::from_millis(30),
            close_timeout: Duration::from_millis(10),
            ..Config::default()
        }
    }

    /// Walks from deadline to deadline until `end`.
    fn run(timers: &mut Timers, end: Millis) -> Vec<(Millis, Due)> {
        let mut seen = Vec::new();
        while timers.next() <= end {
            let now = timers.next();
            while let Some(due) = timers.due(now, &config()) {
                seen.push((now, due));
            }
        }
        seen
    }

    #[test]
    fn a_silent_client_is_pinged_and_then_given_up() {
        let mut timers = Timers::new(1000, &config());
        assert_eq!(
            run(&mut timers, 5000),
            [(1100, Due::Ping), (1150, Due::PongMissing)]
        );
    }

    #[test]
    fn a_late_ping_leaves_the_client_its_time() {
        for (late, pong_by) in [(0, 150), (4, 150), (6, 150), (10, 154), (1000, 1144)] {
            let mut timers = Timers::new(0, &config());
            assert_eq!(timers.due(100 + late, &config()), Some(Due::Ping));
            assert_eq!(timers.next(), pong_by, "{late} ms late");
        }
    }

    #[test]
    fn a_pong_starts_the_next_interval_and_an_unasked_one_does_not() {
        let mut timers = Timers::new(0, &config());
        timers.pong(90, &config());
        assert_eq!(run(&mut timers, 110), [(100, Due::Ping)]);
        timers.pong(120, &config());
        assert_eq!(timers.next(), 220);
    }

    #[test]
    fn a_session_must_connect_to_a_namespace_and_again_after_leaving_the_last() {
        let mut timers = Timers::new(0, &config());
        timers.left(0, &config());
        assert_eq!(
            run(&mut timers, 130),
            [(100, Due::Ping), (120, Due::NotConnected)]
        );

        let mut timers = Timers::new(0, &config());
        timers.left(0, &config());
        timers.connected();
        timers.left(5, &config());
        assert_eq!(
            run(&mut timers, 130),
            [(100, Due::Ping), (125, Due::NotConnected)]
        );
    }

    #[test]
    fn an_upgrade_is_given_up_alone() {
        let mut timers = Timers::new(0, &config());
        timers.upgrade_begins(10, &config());
        assert_eq!(run(&mut timers, 90), [(40, Due::UpgradeMissing)]);
        timers.upgrade_begins(60, &config());
        timers.upgrade_ends();
        assert_eq!(run(&mut timers, 110), [(100, Due::Ping)]);
    }

    #[test]
    fn a_closing_session_has_one_deadline() {
        let mut timers = Timers::new(0, &config());
        timers.upgrade_begins(0, &config());
        timers.closing(5, &config());
        timers.left(6, &config());
        assert_eq!(run(&mut timers, 5000), [(15, Due::CloseMissing)]);
    }
}
