//! Callbacks of the application. They are called with nothing borrowed, so one may add others, remove any, and drop what
//! calls it.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

type Callback<E> = Rc<dyn Fn(&E)>;

/// The callbacks that are told of `E`.
pub(super) struct Listeners<E> {
    callbacks: RefCell<Vec<(u64, Callback<E>)>>,
    added: Cell<u64>,
}

impl<E> Default for Listeners<E> {
    fn default() -> Self {
        Self {
            callbacks: RefCell::default(),
            added: Cell::default(),
        }
    }
}

impl<E: 'static> Listeners<E> {
    pub(super) fn add(self: &Rc<Self>, callback: impl Fn(&E) + 'static) -> Subscription {
        let id = self.added.get() + 1;
        self.added.set(id);
        self.callbacks.borrow_mut().push((id, Rc::new(callback)));
        let listeners = Rc::downgrade(self);
        Subscription(Some(Box::new(move || {
            if let Some(listeners) = listeners.upgrade() {
                listeners.remove(id);
            }
        })))
    }

    /// Tells those who listen now, but for those who are removed meanwhile.
    pub(super) fn tell(&self, event: &E) {
        let ids: Vec<u64> = self.callbacks.borrow().iter().map(|(id, _)| *id).collect();
        for id in ids {
            let callback = self.find(id);
            if let Some(callback) = callback {
                callback(event);
            }
        }
    }

    /// Removes all.
    pub(super) fn clear(&self) {
        // What a callback holds may itself remove callbacks when it is dropped.
        let all = self.callbacks.take();
        drop(all);
    }

    fn find(&self, id: u64) -> Option<Callback<E>> {
        let callbacks = self.callbacks.borrow();
        let (_, callback) = callbacks.iter().find(|(other, _)| *other == id)?;
        Some(Rc::clone(callback))
    }

    fn remove(&self, id: u64) {
        let removed = {
            let mut callbacks = self.callbacks.borrow_mut();
            let at = callbacks.iter().position(|(other, _)| *other == id);
            at.map(|at| callbacks.remove(at))
        };
        drop(removed);
    }
}

/// A callback that is called until this is dropped.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription(Option<Box<dyn FnOnce()>>);

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}
