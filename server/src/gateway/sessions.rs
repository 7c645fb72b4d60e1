//! The polling sessions that came through this gateway lately: who has them, and how far they are.
//!
//! A session of one of our nodes is found by its id alone, whichever gateway it came through. This is for the
//! rest: sessions of servers that put no tag into their ids, and what became of a CONNECT.
//!
//! What must stay true: their number and what they take are bounded, and those least used go first; what nobody
//! but a client says displaces nothing else; a refusal is told to the poll that waits or to the next one.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::chat::connect::Shown;

/// The longest session id that is remembered.
const MAX_SID_BYTES: usize = 64;

/// The polling sessions of one gateway. `L` counts a session for its backend until it is dropped.
pub(crate) struct Sessions<L> {
    tables: Mutex<Tables<L>>,
    /// After this time without a request a session is over.
    idle: Duration,
}

struct Tables<L> {
    /// Those that a backend has answered for.
    vouched: Table<L>,
    /// Those of which a client says that one of our nodes has them. However many are made up, they cost none of
    /// the others its place.
    claimed: Table<L>,
}

/// Sessions, those least used first to go.
struct Table<L> {
    by_sid: LruCache<Box<str>, Session<L>>,
    /// What all of them take.
    bytes: usize,
    most_bytes: usize,
}

struct Session<L> {
    backend: usize,
    progress: Progress,
    seen: Duration,
    load: Option<L>,
    /// The poll that waits.
    poll: Option<oneshot::Sender<String>>,
}

/// How far a session is.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    /// It was opened here by a request that showed this, and nothing else has been admitted.
    Opened(Box<Shown>),
    /// It was opened elsewhere.
    Unknown,
    /// A CONNECT was admitted here.
    Admitted,
    /// A CONNECT was refused here, and the client is to be told this.
    Refused(String),
}

impl<L> Sessions<L> {
    /// For at most so many sessions that take at most so many bytes, and the same for those that are only claimed.
    pub(crate) fn new(most: NonZeroUsize, most_bytes: usize, idle: Duration) -> Self {
        let table = || Table {
            by_sid: LruCache::new(most),
            bytes: 0,
            most_bytes,
        };
        let tables = Tables {
            vouched: table(),
            claimed: table(),
        };
        Self {
            tables: Mutex::new(tables),
            idle,
        }
    }

    /// A session was opened here by a request that showed this.
    pub(crate) fn opened(
        &self,
        sid: &str,
        backend: usize,
        shown: Shown,
        load: Option<L>,
        now: Duration,
    ) {
        let progress = Progress::Opened(Box::new(shown));
        let session = Session::of(backend, progress, load, now);
        self.tables.lock().vouched.put(sid.into(), session);
    }

    /// A request came by of a session that was opened elsewhere, as its client says.
    pub(crate) fn claimed(&self, sid: &str, backend: usize, now: Duration) {
        let mut tables = self.tables.lock();
        // Another request of it may have come by in the same moment.
        if tables.change(sid, |session| session.seen = now).is_none() {
            let session = Session::of(backend, Progress::Unknown, None, now);
            tables.claimed.put(sid.into(), session);
        }
    }

    /// Its backend has answered a request of the session.
    pub(crate) fn vouch(&self, sid: &str) {
        let mut tables = self.tables.lock();
        if let Some((sid, session)) = tables.claimed.pop(sid) {
            tables.vouched.put(sid, session);
        }
    }

    /// Who has a session, and how far it is.
    pub(crate) fn find(&self, sid: &str, now: Duration) -> Option<(usize, Progress)> {
        self.tables.lock().change(sid, |session| {
            session.seen = now;
            (session.backend, session.progress.clone())
        })
    }

    /// A CONNECT of the session was admitted.
    pub(crate) fn admit(&self, sid: &str) {
        self.tables.lock().change(sid, |session| {
            session.progress = Progress::Admitted;
        });
    }

    /// Whether a CONNECT of the session was admitted here.
    pub(crate) fn is_admitted(&self, sid: &str) -> bool {
        let tables = self.tables.lock();
        let session = tables.vouched.peek(sid).or(tables.claimed.peek(sid));
        session.is_some_and(|session| matches!(session.progress, Progress::Admitted))
    }

    /// A CONNECT of the session was refused: its client is to be told `packet`.
    pub(crate) fn refuse(&self, sid: &str, packet: String) {
        self.tables.lock().change(sid, |session| {
            session.load = None;
            if let Some(poll) = session.poll.take() {
                // Told or not: whatever else it says is answered with the same.
                let _told = poll.send(packet.clone());
            }
            session.progress = Progress::Refused(packet);
        });
    }

    /// What a poll that begins to wait may be told in its answer's place.
    pub(crate) fn wait(&self, sid: &str) -> Option<oneshot::Receiver<String>> {
        self.tables.lock().change(sid, |session| {
            let (tell, told) = oneshot::channel();
            if let Progress::Refused(packet) = &session.progress {
                // There is somebody to receive it.
                let _received = tell.send(packet.clone());
            } else {
                session.poll = Some(tell);
            }
            told
        })
    }

    /// The session goes on over a WebSocket, which counts by itself.
    pub(crate) fn upgraded(&self, sid: &str) {
        self.tables.lock().change(sid, |session| {
            session.load = None;
        });
    }

    /// The session is over.
    pub(crate) fn end(&self, sid: &str) {
        let mut tables = self.tables.lock();
        tables.vouched.pop(sid);
        tables.claimed.pop(sid);
    }

    /// Forgets the sessions that have been silent for too long. A client that is alive asks at least once in
    /// each of its server's ping intervals.
    pub(crate) fn expire(&self, now: Duration) {
        let mut tables = self.tables.lock();
        tables.vouched.expire(now, self.idle);
        tables.claimed.expire(now, self.idle);
    }
}

/// Whether a server's session id is one to be remembered: short, and the same however it is written.
pub(crate) fn is_plausible(sid: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    (1..=MAX_SID_BYTES).contains(&sid.len()) && sid.bytes().all(is_safe)
}

impl<L> Tables<L> {
    /// Looks at a session and may change it.
    fn change<T>(&mut self, sid: &str, change: impl FnOnce(&mut Session<L>) -> T) -> Option<T> {
        let table = if self.vouched.peek(sid).is_some() {
            &mut self.vouched
        } else {
            &mut self.claimed
        };
        table.change(sid, change)
    }
}

impl<L> Table<L> {
    fn peek(&self, sid: &str) -> Option<&Session<L>> {
        self.by_sid.peek(sid)
    }

    fn put(&mut self, sid: Box<str>, session: Session<L>) {
        self.bytes += session.bytes(&sid);
        // The one in whose place it is, or the one least used if there are too many.
        if let Some((sid, gone)) = self.by_sid.push(sid, session) {
            self.bytes = self.bytes.saturating_sub(gone.bytes(&sid));
        }
        self.make_room();
    }

    fn change<T>(&mut self, sid: &str, change: impl FnOnce(&mut Session<L>) -> T) -> Option<T> {
        let session = self.by_sid.get_mut(sid)?;
        let before = session.bytes(sid);
        let result = change(session);
        self.bytes = (self.bytes + session.bytes(sid)).saturating_sub(before);
        self.make_room();
        Some(result)
    }

    fn pop(&mut self, sid: &str) -> Option<(Box<str>, Session<L>)> {
        let (sid, session) = self.by_sid.pop_entry(sid)?;
        self.bytes = self.bytes.saturating_sub(session.bytes(&sid));
        Some((sid, session))
    }

    fn make_room(&mut self) {
        while self.bytes > self.most_bytes && self.pop_oldest() {}
    }

    fn expire(&mut self, now: Duration, idle: Duration) {
        while let Some((_, oldest)) = self.by_sid.peek_lru() {
            if now.saturating_sub(oldest.seen) < idle {
                break;
            }
            self.pop_oldest();
        }
    }

    fn pop_oldest(&mut self) -> bool {
        let Some((sid, oldest)) = self.by_sid.pop_lru() else {
            return false;
        };
        self.bytes = self.bytes.saturating_sub(oldest.bytes(&sid));
        true
    }
}

impl<L> Session<L> {
    fn of(backend: usize, progress: Progress, load: Option<L>, now: Duration) -> Self {
        Self {
            backend,
            progress,
            seen: now,
            load,
            poll: None,
        }
    }

    /// What it takes, about.
    fn bytes(&self, sid: &str) -> usize {
        let kept = match &self.progress {
            Progress::Opened(shown) => {
                let texts = [&shown.tenant_id, &shown.role, &shown.bearer, &shown.origin];
                let texts = texts.into_iter().flatten().map(String::capacity);
                size_of::<Shown>() + texts.sum::<usize>()
            }
            Progress::Unknown | Progress::Admitted => 0,
            Progress::Refused(packet) => packet.capacity(),
        };
        size_of::<Self>() + sid.len() + kept
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn sessions(most: usize) -> Sessions<Arc<()>> {
        let most = NonZeroUsize::new(most).unwrap();
        Sessions::new(most, 10_000, Duration::from_mins(1))
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_session_is_found_until_it_is_silent_for_too_long() {
        let (sessions, place) = (sessions(10), Arc::new(()));
        for (sid, backend) in [("a", 0), ("b", 1)] {
            let load = Some(Arc::clone(&place));
            sessions.opened(sid, backend, Shown::default(), load, at(0));
        }
        assert!(matches!(
            sessions.find("b", at(50)),
            Some((1, Progress::Opened(_)))
        ));
        sessions.admit("b");
        sessions.expire(at(60));
        assert!(sessions.find("a", at(60)).is_none());
        assert!(matches!(
            sessions.find("b", at(60)),
            Some((1, Progress::Admitted))
        ));
        assert_eq!(Arc::strong_count(&place), 2, "a's place is given back");
        sessions.upgraded("b");
        assert_eq!(Arc::strong_count(&place), 1);
        sessions.end("b");
        assert!(sessions.find("b", at(60)).is_none());
    }

    #[test]
    fn their_number_is_bounded_and_the_least_used_go_first() {
        let sessions = sessions(2);
        for (second, sid) in (0..).zip(["a", "b"]) {
            sessions.claimed(sid, 0, at(second));
        }
        assert!(sessions.find("a", at(2)).is_some());
        sessions.claimed("c", 0, at(3));
        assert!(sessions.find("b", at(4)).is_none());
        assert!(sessions.find("a", at(4)).is_some());
    }

    #[test]
    fn what_clients_make_up_displaces_nothing_that_a_backend_answered_for() {
        let sessions = sessions(2);
        sessions.opened("opened", 0, Shown::default(), None, at(0));
        sessions.claimed("met", 1, at(0));
        sessions.admit("met");
        sessions.vouch("met");
        for made_up in ["x", "y", "z"] {
            sessions.claimed(made_up, 0, at(1));
        }
        assert!(sessions.find("opened", at(2)).is_some());
        assert!(sessions.is_admitted("met"));
        assert!(sessions.find("x", at(2)).is_none());
        sessions.claimed("met", 0, at(2));
        assert!(sessions.is_admitted("met"), "it stays what it is");
        sessions.vouch("nobody");
        assert!(sessions.find("nobody", at(2)).is_none());
    }

    #[test]
    fn what_they_take_is_bounded() {
        let sessions = sessions(1000);
        let shown = || Shown {
            origin: Some("o".repeat(3000)),
            ..Shown::default()
        };
        for sid in ["a", "b", "c", "d"] {
            sessions.opened(sid, 0, shown(), None, at(0));
        }
        assert!(sessions.find("a", at(0)).is_none());
        assert!(sessions.find("d", at(0)).is_some());
        // What was shown is not needed any more; what is said about it instead counts as well.
        sessions.admit("d");
        sessions.opened("e", 0, shown(), None, at(0));
        assert!(sessions.find("c", at(0)).is_some());
        sessions.refuse("d", "4".repeat(6000));
        assert!(sessions.find("b", at(0)).is_none());
        assert!(sessions.find("d", at(0)).is_some());
        for sid in ["c", "d", "e"] {
            sessions.end(sid);
        }
        let tables = sessions.tables.lock();
        assert_eq!((tables.vouched.bytes, tables.claimed.bytes), (0, 0));
    }

    #[test]
    fn only_short_and_plain_ids_are_remembered() {
        for sid in ["lv_VI97HAXpY6yYWAAAC", "a", "session-0", &"x".repeat(64)] {
            assert!(is_plausible(sid), "{sid}");
        }
        for sid in ["", "a b", "a%20", "a&b=c", "é", &"x".repeat(65)] {
            assert!(!is_plausible(sid), "{sid}");
        }
    }

    #[test]
    fn a_refusal_reaches_the_poll_that_waits_and_each_one_after_it() {
        let sessions = sessions(2);
        sessions.claimed("a", 0, at(0));
        let mut waiting = sessions.wait("a").unwrap();
        assert!(waiting.try_recv().is_err(), "nothing yet");
        sessions.refuse("a", "44{}".to_owned());
        assert_eq!(waiting.try_recv().as_deref(), Ok("44{}"));
        let mut next = sessions.wait("a").unwrap();
        assert_eq!(next.try_recv().as_deref(), Ok("44{}"));
        assert!(sessions.wait("unknown").is_none());
    }

    #[test]
    fn a_refusal_waits_for_the_next_poll_if_none_waits() {
        let sessions = sessions(2);
        sessions.claimed("a", 0, at(0));
        drop(sessions.wait("a"));
        sessions.refuse("a", "44{}".to_owned());
        let mut next = sessions.wait("a").unwrap();
        assert_eq!(next.try_recv().as_deref(), Ok("44{}"));
    }
}
