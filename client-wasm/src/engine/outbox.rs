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

    /// When the oldest is due.
    pub(super) fn deadline(&self) -> Option<Millis> {
        self.pending.first().map(|pending| pending.due)
    }

    /// Takes out one that is overdue.
    pub(super) fn expire(&mut self, now: Millis) -> Option<AckId> {
        if self.deadline()? > now {
            return None;
        }
        Some(self.pending.remove(0).id)
    }

    /// What can be sent now, in order; it counts as sent.
    pub(super) fn take_waiting(&mut self) -> Vec<(AckId, String)> {
        self.pending
            .iter_mut()
            .filter_map(|pending| Some((pending.id, pending.waiting.take()?)))
            .collect()
    }

    /// Takes out what was sent and not acknowledged.
    pub(super) fn take_sent(&mut self) -> Vec<AckId> {
        let sent = self
            .pending
            .iter()
            .filter(|pending| pending.waiting.is_none())
            .map(|pending| pending.id)
            .collect();
        self.pending.retain(|pending| pending.waiting.is_some());
        sent
    }

    /// Takes out everything.
    pub(super) fn take_all(&mut self) -> Vec<AckId> {
        self.pending.drain(..).map(|pending| pending.id).collect()
    }
}
