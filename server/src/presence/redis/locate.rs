//! Where somebody is: `locate.lua`, typed.

use redis::from_redis_value;

use super::remote::Remote;
use crate::error::StoreError;
use crate::node::NodeName;
use crate::presence::{Location, Who};
use crate::redis::script::Script;

/// The script.
pub(super) struct Locate(Script);

impl Locate {
    pub(super) fn new() -> Self {
        Self(Script::new(include_str!("locate.lua")))
    }

    /// The user and the nodes; `None` if no node holds such a session.
    pub(super) async fn run<R: Remote>(
        &self,
        remote: &R,
        tenant: &str,
        who: Who<'_>,
    ) -> Result<Option<Location>, StoreError> {
        let (kind, id) = match who {
            Who::User(user) => ("user", user),
            // No session has such an id, and with one the script would look for others.
            Who::Session(session) if session.contains(char::is_whitespace) => return Ok(None),
            Who::Session(session) => ("session", session),
        };
        let mut call = self.0.call();
        for own in ["sessions", "queue", "held", "leases"] {
            call.key(["{online_users:", tenant, "}:", own].concat());
        }
        call.arg(kind).arg(id);
        let answer = remote.run("locate a user", &call).await?;
        let answer: Vec<String> = from_redis_value(answer).map_err(StoreError::new)?;
        let Some((user, incarnations)) = answer.split_first() else {
            return Ok(None);
        };
        let mut nodes: Vec<NodeName> = incarnations
            .iter()
            .map(|incarnation| NodeName::of_incarnation(incarnation))
            .collect();
        // A node between two incarnations has both.
        nodes.sort();
        nodes.dedup();
        Ok(Some(Location {
            user: user.as_str().into(),
            nodes,
        }))
    }
}
