//! What an operator can do about a tenant's presence on Redis, from outside of every node.
//!
//! What must stay true: nobody who is connected is announced as gone by any of it.

use std::collections::HashMap;
use std::time::Duration;

use super::scripts::{Asking, Times, call, script};
use super::{BATCH, Random, epoch_of};
use crate::clock::millis;
use crate::error::StoreError;
use crate::redis::Redis;

/// Presence on a Redis, for an operator.
pub struct Operator {
    redis: Redis,
    random: Random,
    lease: Duration,
}

/// All that is known of a tenant.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Which counting of changes this is, and how many there were.
    pub revision: (u32, u64),
    /// The nodes that have said lately that they live.
    pub nodes: Vec<Holder>,
    /// Who is listed.
    pub users: Vec<Listed>,
}

/// A node, in one tenant.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its name for now.
    pub incarnation: String,
    /// For how long it is believed to live, in milliseconds; below zero it is not any more.
    pub lease_ms: i64,
    /// How many sessions it holds.
    pub sessions: usize,
}

/// A listed user.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    /// The id.
    pub user: String,
    /// What the hash says of the user, JSON.
    pub shown: String,
    /// What else is shown, JSON.
    pub details: Option<String>,
    /// Sessions, each with the node that holds it.
    pub sessions: Vec<(String, String)>,
    /// How long the user stays without a session, in milliseconds.
    pub grace_ms: Option<i64>,
}

/// What was mended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// Sessions of nodes that are silent or unknown, ended.
    pub sessions_ended: u64,
    /// Entries that belonged to no session, removed.
    pub entries_removed: u64,
    /// Users whose row was missing or not their newest session's, shown anew.
    pub users_shown: u64,
    /// Users without a session, taken out and announced as gone.
    pub users_gone: u64,
}

impl Operator {
    /// An operator who keeps what is left for a lease, as the nodes do.
    pub fn new(redis: Redis, random: Random, lease: Duration) -> Self {
        Self {
            redis,
            random,
            lease,
        }
    }

    /// Reads all that is known of a tenant.
    ///
    /// # Errors
    /// Redis is away, or refuses.
    pub async fn list(&self, tenant: &str) -> Result<Inventory, StoreError> {
        let call = self.call(include_str!("inspect.lua"), tenant);
        let answer: Vec<Vec<String>> = self.redis.script("inspect presence", &call).await?;
        let parts: [Vec<String>; 6] = answer
            .try_into()
            .map_err(|_| StoreError::new("an inventory has six parts"))?;
        Ok(inventory(&parts))
    }

    /// Forgets a tenant; says how many users were listed. Nodes that live say anew whom they hold within a
    /// fifth of the lease, and until then the hash is empty.
    ///
    /// # Errors
    /// Redis is away, or refuses.
    pub async fn purge(&self, tenant: &str) -> Result<u64, StoreError> {
        let call = self.call(include_str!("purge.lua"), tenant);
        self.redis.script("purge presence", &call).await
    }

    /// Mends what does not fit together.
    ///
    /// # Errors
    /// Redis is away, or refuses; what was done until then is done.
    pub async fn reconcile(&self, tenant: &str) -> Result<Mended, StoreError> {
        let mut mended = Mended::default();
        // What is ended first is not looked at again.
        for part in [
            "leases", "held", "sessions", "queue", "online", "details", "grace",
        ] {
            let mut cursor = 0_u64;
            loop {
                let mut call = self.call(include_str!("reconcile.lua"), tenant);
                let settling = millis(self.lease / 2);
                call.arg(part).arg(cursor).arg(BATCH).arg(settling);
                let (ended, removed, shown, gone, next): (u64, u64, u64, u64, u64) =
                    self.redis.script("reconcile presence", &call).await?;
                mended.sessions_ended += ended;
                mended.entries_removed += removed;
                mended.users_shown += shown;
                mended.users_gone += gone;
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        Ok(mended)
    }

    fn call(&self, text: &str, tenant: &str) -> crate::redis::script::Call {
        let times = Times {
            now: Duration::ZERO,
            grace: Duration::ZERO,
            parting: Duration::ZERO,
            node_lease: Duration::ZERO,
            keep: self.lease,
        };
        let publish = super::Remote::publish_command(&self.redis);
        let epoch = epoch_of(&self.random);
        let asking = Asking {
            tenant,
            // It holds nothing, and so is no node.
            incarnation: "operator",
            deadline: 0,
        };
        call(&script(text), asking, times, epoch, publish)
    }
}

fn pairs(flat: &[String]) -> impl Iterator<Item = (&str, &str)> {
    flat.as_chunks::<2>()
        .0
        .iter()
        .map(|[one, other]| (one.as_str(), other.as_str()))
}

fn inventory([revision, leases, sessions, grace, online, details]: &[Vec<String>; 6]) -> Inventory {
    let number = |text: &str| text.parse().unwrap_or_default();
    let mut by_user: HashMap<&str, Vec<(String, String)>> = HashMap::new();
    let mut by_node: HashMap<&str, usize> = HashMap::new();
    for (key, entry) in pairs(sessions) {
        let (Some((session, user)), Some(node)) = (key.split_once(' '), entry.split(' ').next())
        else {
            continue;
        };
        let held = (session.to_owned(), node.to_owned());
        by_user.entry(user).or_default().push(held);
        *by_node.entry(node).or_default() += 1;
    }
    let nodes = pairs(leases).map(|(incarnation, left)| Holder {
        incarnation: incarnation.to_owned(),
        lease_ms: number(left),
        sessions: by_node.get(incarnation).copied().unwrap_or_default(),
    });
    let graces: HashMap<&str, &str> = pairs(grace).collect();
    let besides: HashMap<&str, &str> = pairs(details).collect();
    let listed = pairs(online).map(|(user, shown)| Listed {
        user: user.to_owned(),
        shown: shown.to_owned(),
        details: besides.get(user).map(|details| (*details).to_owned()),
        sessions: by_user.remove(user).unwrap_or_default(),
        grace_ms: graces.get(user).map(|left| number(left)),
    });
    let [epoch, version, ..] = revision.as_slice() else {
        return Inventory::default();
    };
    Inventory {
        revision: (
            epoch.parse().unwrap_or_default(),
            version.parse().unwrap_or_default(),
        ),
        nodes: nodes.collect(),
        users: listed.collect(),
    }
}
