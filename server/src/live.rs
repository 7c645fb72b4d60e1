//! A value that is replaced as a whole while others read it.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

/// Something that may be exchanged at any time. A reader keeps what it has read for as long as it
/// needs it, and so never sees half of an exchange.
pub struct Live<T>(RwLock<Arc<T>>);

impl<T> Live<T> {
    /// What counts from now on.
    pub fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    /// What counts now.
    pub fn load(&self) -> Arc<T> {
        Arc::clone(&self.0.read())
    }

    /// Exchanges it.
    pub fn store(&self, value: T) {
        *self.0.write() = Arc::new(value);
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(formatter)
    }
}
