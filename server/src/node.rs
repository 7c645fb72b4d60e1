//! What tells the processes that share a Redis apart.
//!
//! What must stay true: a name is of one run of one process and never used again, so that nothing that is
//! sent to it reaches another; and it can stand in the name of a channel or before a `.` as it is.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// Names one run of one process: letters and digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

impl NodeName {
    /// The name that follows from a random id.
    pub fn of(random: Uuid) -> Self {
        let mut digits = random.simple().to_string();
        // Eighty bits: enough for no two to meet, and short in the many entries that it stands in.
        digits.truncate(20);
        Self(digits.into())
    }

    /// The node that an incarnation is of: what stands before the first `.`, or all of it.
    pub fn of_incarnation(incarnation: &str) -> Self {
        let name = incarnation
            .split_once('.')
            .map_or(incarnation, |(name, _)| name);
        Self(name.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incarnation_tells_its_node() {
        let node = NodeName::of(Uuid::from_u128(u128::MAX));
        assert_eq!(node.as_str(), "f".repeat(20));
        let incarnation = format!("{node}.07.1");
        assert_eq!(NodeName::of_incarnation(&incarnation), node);
        assert_eq!(NodeName::of_incarnation("abc").as_str(), "abc");
    }
}
