//! The polling sessions that came through this gateway lately: who has them, and how far they are.
//!
//! A session of one of our nodes is found by its id alone, whichever gateway it came through. This is for the
//! rest: sessions of servers that put no tag into their ids, and what became of a CONNECT.
//!
//! What must stay true: the number of sessions is bounded, and those least used go first; a refusal is told
//! once, to the poll that waits or to the next one.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::chat::connect::Shown;

/// The polling sessions of one gateway. `L` counts a session for its backend until it is dropped.
pub(crate) struct Sessions<L> {
    by_sid: Mutex<LruCache<Box<str>, Session<L>>>,
    /// After this time without a request a session is over.
    idle: Duration,
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
    pub(crate) fn new(most: NonZeroUsize, idle: Duration) -> Self {
        Self {
            by_sid: Mutex::new(LruCache::new(most)),
            idle,
        }
    }

    /// A session was opened here, or a request of one opened elsewhere came by.
    pub(crate) fn begin(
        &self,
        sid: &str,
        backend: usize,
        progress: Progress,
        load: Option<L>,
        now: Duration,
    ) {
        let session = Session {
            backend,
            progress,
            seen: now,
            load,
            poll: None,
        };
        self.by_sid.lock().put(sid.into(), session);
    }

    /// Who has a session, and how far it is.
    pub(crate) fn find(&self, sid: &str, now: Duration) -> Option<(usize, Progress)> {
        let mut by_sid = self.by_sid.lock();
        let session = by_sid.get_mut(sid)?;
        session.seen = now;
        Some((session.backend, session.progress.clone()))
    }

    /// A CONNECT of the session was admitted.
    pub(crate) fn admit(&self, sid: &str) {
        if let Some(session) = self.by_sid.lock().get_mut(sid) {
            session.progress = Progress::Admitted;
        }
    }

    /// A CONNECT of the session was refused: its client is to be told `packet`.
    pub(crate) fn refuse(&self, sid: &str, packet: String) {
        if let Some(session) = self.by_sid.lock().get_mut(sid) {
            session.load = None;
            let told = session
                .poll
                .take()
                .map_or(Err(packet.clone()), |poll| poll.send(packet.clone()));
            // Told or not: whatever else it says is answered with the same.
            session.progress = Progress::Refused(packet);
            drop(told);
        }
    }

    /// What a poll that begins to wait may be told in its answer's place.
    pub(crate) fn wait(&self, sid: &str) -> Option<oneshot::Receiver<String>> {
        let mut by_sid = self.by_sid.lock();
        let session = by_sid.get_mut(sid)?;
        let (tell, told) = oneshot::channel();
        if let Progress::Refused(packet) = &session.progress {
            // There is somebody to receive it.
            let _received = tell.send(packet.clone());
        } else {
            session.poll = Some(tell);
        }
        Some(told)
    }

    /// The session goes on over a WebSocket, which counts by itself.
    pub(crate) fn upgraded(&self, sid: &str) {
        if let Some(session) = self.by_sid.lock().get_mut(sid) {
            session.load = None;
        }
    }

    /// The session is over.
    pub(crate) fn end(&self, sid: &str) {
        self.by_sid.lock().pop(sid);
    }

    /// Forgets the sessions that have been silent for too long. A client that is alive asks at least once in
    /// each of its server's ping intervals.
    pub(crate) fn expire(&self, now: Duration) {
        let mut by_sid = self.by_sid.lock();
        while let Some((_, oldest)) = by_sid.peek_lru() {
            if now.saturating_sub(oldest.seen) < self.idle {
                break;
            }
            by_sid.pop_lru();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn sessions(most: usize) -> Sessions<Arc<()>> {
        let most = NonZeroUsize::new(most).unwrap();
        Sessions::new(most, Duration::from_mins(1))
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_session_is_found_until_it_is_silent_for_too_long() {
        let (sessions, place) = (sessions(10), Arc::new(()));
        for (sid, backend) in [("a", 0), ("b", 1)] {
            let load = Some(Arc::clone(&place));
            sessions.begin(sid, backend, Progress::Unknown, load, at(0));
        }
        assert!(matches!(
            sessions.find("b", at(50)),
            Some((1, Progress::Unknown))
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
            sessions.begin(sid, 0, Progress::Unknown, None, at(second));
        }
        assert!(sessions.find("a", at(2)).is_some());
        sessions.begin("c", 0, Progress::Unknown, None, at(3));
        assert!(sessions.find("b", at(4)).is_none());
        assert!(sessions.find("a", at(4)).is_some());
    }

    #[test]
    fn a_refusal_reaches_the_poll_that_waits_and_each_one_after_it() {
        let sessions = sessions(2);
        sessions.begin("a", 0, Progress::Unknown, None, at(0));
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
        sessions.begin("a", 0, Progress::Unknown, None, at(0));
        drop(sessions.wait("a"));
        sessions.refuse("a", "44{}".to_owned());
        let mut next = sessions.wait("a").unwrap();
        assert_eq!(next.try_recv().as_deref(), Ok("44{}"));
    }
}
