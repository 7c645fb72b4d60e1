//! Ids of sessions and sockets, and the one place that reads randomness.

use std::fmt;

/// 20 characters of `A-Za-z0-9_-` that carry 120 random bits. A session's id is its key, so it must not be guessable.
/// The first few characters may be a node's tag instead; at least 96 bits are random then.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id([u8; Id::LEN]);

impl Id {
    const LEN: usize = 20;

    /// An id that begins with `tag`.
    pub(crate) fn tagged(tag: NodeTag) -> Self {
        let mut id = Self::random();
        let (head, _) = id.0.split_at_mut(tag.0.len());
        head.copy_from_slice(&tag.0);
        id
    }

    pub(crate) fn random() -> Self {
        Self(random_letters())
    }

    /// An id from the outside; none if it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(|byte| ALPHABET.contains(byte))
            .then_some(Self(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        // All of it is ASCII, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Whether a session of this layer can have this id.
pub fn is_session_id(text: &str) -> bool {
    Id::parse(text).is_some()
}

/// What the ids of all sessions of one node begin with, so that whoever stands before several nodes finds the one that
/// has a session. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeTag([u8; NodeTag::LEN]);

impl NodeTag {
    /// How many characters a tag has.
    pub const LEN: usize = 4;

    /// A tag that no other node has, as far as chance allows.
    pub fn random() -> Self {
        Self(random_letters())
    }

    /// The tag's characters, of `A-Za-z0-9_-`.
    pub fn as_str(&self) -> &str {
        // All of it is ASCII, so this never falls back.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for NodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// Letters with six random bits each.
fn random_letters<const N: usize>() -> [u8; N] {
    // A byte for each six bits: two are left over, and no bits have to be shifted around.
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("an operating system without randomness cannot keep sessions apart");
    bytes.map(|byte| ALPHABET[usize::from(byte & 0x3f)])
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
        assert!(is_session_id(one.as_str()));
    }

    #[test]
    fn a_tag_leaves_enough_of_an_id_to_chance() {
        let tag = NodeTag::random();
        let (one, other) = (Id::tagged(tag), Id::tagged(tag));
        for id in [one, other] {
            assert_eq!(id.as_str().get(..NodeTag::LEN), Some(tag.as_str()));
            assert_eq!(Id::parse(id.as_str()), Some(id));
        }
        let rest = |id: Id| id.as_str().get(NodeTag::LEN..).map(str::to_owned);
        assert_ne!(rest(one), rest(other));
        const { assert!((Id::LEN - NodeTag::LEN) * 6 >= 96) };
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
            assert!(!is_session_id(text), "{text}");
        }
    }

    #[test]
    fn a_log_line_does_not_give_a_session_away() {
        let id = Id::random();
        assert!(!format!("{id:?}").contains(id.as_str()));
    }
}
