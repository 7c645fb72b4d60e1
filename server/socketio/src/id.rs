//! Ids of sessions and sockets, and the one place that reads randomness.

use std::fmt;

/// 20 characters of `A-Za-z0-9_-` that carry 120 random bits. A session's id is its key, so it must not be guessable.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id([u8; Id::LEN]);

impl Id {
    const LEN: usize = 20;
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    pub(crate) fn random() -> Self {
        // 20 bytes for 15 bytes' worth of bits: six bits of each are used, and no bits have to be shifted around.
        let mut bytes = [0; Self::LEN];
        getrandom::fill(&mut bytes)
            .expect("an operating system without randomness cannot keep sessions apart");
        Self(bytes.map(|byte| Self::ALPHABET[usize::from(byte & 0x3f)]))
    }

    /// An id from the outside; none if it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(|byte| Self::ALPHABET.contains(byte))
            .then_some(Self(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        // All of it is ASCII, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Id {
    /// Only the beginning: whoever knows a session's whole id owns the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.as_str().get(..6).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_survive_their_text() {
        let (one, other) = (Id::random(), Id::random());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), 20);
        assert_eq!(Id::parse(one.as_str()), Some(one));
    }

    #[test]
    fn other_text_is_no_id() {
        for text in [
            "",
            "short",
            "exactly-twenty-chars!",
            "nineteen-characters",
            "twenty-chars-with-é",
        ] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_log_line_does_not_give_a_session_away() {
        let id = Id::random();
        assert!(!format!("{id:?}").contains(id.as_str()));
    }
}
