//! Emits that wait for the connection or for their acknowledgement, oldest first.

use crate::Millis;
use alloc::{string::String, vec::Vec};

/// Names an emit whose acknowledgement is awaited; also its id on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AckId(pub u64);

struct Pending {
    id: AckId,
    due: Millis,
    /// The JSON to send; `None` once it has been sent.
    waiting: Option<String>,
}

/// The emits under way. Deadlines never decrease from front to back.
pub(super) struct Outbox {
    pending: Vec<Pending>,
    capacity: usize,
    timeout: Millis,
    next: u64,
}

impl Outbox {
    pub(super) fn new(capacity: usize, timeout: Millis) -> Self {
        Self {
            pending: Vec::new(),
            capacity,
            timeout,
            next: 0,
        }
    }

    /// Takes an emit on. `Err` when too many are under way already; the id then only serves to report that.
    pub(super) fn push(&mut self, now: Millis, args: &str, sent: bool) -> Result<AckId, AckId> {
        let id = self.refuse();
        if self.pending.len() >= self.capacity {
            return Err(id);
        }
        let waiting = (!sent).then(|| String::from(args));
        self.pending.push(Pending {
            id,
            due: now + self.timeout,
            waiting,
        });
        Ok(id)
    }

    /// An id for an emit that is not taken on.
    pub(super) fn refuse(&mut self) -> AckId {
        self.next += 1;
        AckId(self.next)
    }

    pub(super) fn acknowledge(&mut self, id: u64) -> Option<AckId> {
        let at = self
            .pending
            .iter()
            .position(|pending| pending.id.0 == id && pending.waiting.is_none())?;
        Some(self.pending.remove(at).id)
    }

    /// Whether nothing waits, neither for the connection nor for its acknowledgement.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes out one that is given up, whether it has been sent or not.
    pub(super) fn cancel(&mut self, id: AckId) -> Option<AckId> {
        let at = self.pending.iter().position(|pending| pending.id == id)?;
        Some(self.pending.remove(at).id)
    }

    /// When the oldest is due.
    pub(super) fn deadline(&self) -> Option<Millis> {
        self.pending.first().map(|pending| pending.due)
    }

    /// Takes out one that is overdue.
    pub(super) fn expire(&mut self, now: Millis) -> Option<AckId> {
        if self.deadline()? > now {
            return None;
        }
        self.take_first()
    }

    /// The next one that can be sent now; it counts as sent.
    pub(super) fn send_next(&mut self) -> Option<(AckId, String)> {
        let next = self
            .pending
            .iter_mut()
            .find(|pending| pending.waiting.is_some())?;
        Some((next.id, next.waiting.take()?))
    }

    /// Takes out one that was sent and not acknowledged.
    pub(super) fn take_sent(&mut self) -> Option<AckId> {
        let at = self
            .pending
            .iter()
            .position(|pending| pending.waiting.is_none())?;
        Some(self.pending.remove(at).id)
    }

    /// Takes out the oldest.
    pub(super) fn take_first(&mut self) -> Option<AckId> {
        (!self.pending.is_empty()).then(|| self.pending.remove(0).id)
    }
}
