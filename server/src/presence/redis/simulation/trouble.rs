//! What befalls nodes, servers and the ways between them, and how each of it ends.
//!
//! What must stay true: the truth hears of a trouble when it begins and when it ends, as who may be announced as gone, and until when
//! somebody may be listed, depends on it; and of what is troubled already no second trouble of the kind begins.

use std::sync::Arc;
use std::time::Duration;

use super::cloud::{Fate, NodeId, Reach};
use super::truth::Whose;
use super::{TENANTS, World};
use crate::presence::PresenceStore as _;

/// The troubles of servers.
pub(super) const FREEZE: u64 = 0;
const DEATH: u64 = 1;
const DELETION: u64 = 2;

/// The troubles of nodes that concern their way to the servers.
const CUT: u64 = 3;
const SILENT: u64 = 4;
const ONE_WAY: u64 = 6;

/// What ends a trouble.
#[derive(Debug)]
pub(super) enum Undo {
    Resume(NodeId, u64),
    Reach(NodeId),
    Lossless(NodeId, u64),
    Thaw(usize),
    Revive(usize, Fate),
    StartNode,
}

impl World {
    pub(super) fn trouble_a_node(&mut self) {
        let Some(index) = self.some_node() else {
            return;
        };
        let (id, now) = (self.nodes[index].id, self.clock.now());
        let lasting = self.chance.millis(20..4500);
        let kind = self.chance.below(6);
        if kind > 1 && !self.truth.lock().trouble_begins(Whose::Node(id, kind), now) {
            return;
        }
        self.note(|| format!("node{id} is troubled: {kind} for {lasting:?}"));
        match kind {
            0 => self.crash(index, lasting),
            1 => self.restart(index, lasting),
            2 => {
                self.nodes[index].stall();
                self.undo_in(lasting, Undo::Resume(id, kind));
            }
            CUT | SILENT => {
                let reach = if kind == CUT {
                    Reach::Cut
                } else {
                    Reach::Silent
                };
                self.cloud.set_reach(id, reach);
                self.undo_in(lasting, Undo::Reach(id));
            }
            _ => {
                let lasting = lasting / 4;
                self.cloud.set_lossy(id, lasting);
                self.undo_in(lasting, Undo::Lossless(id, kind));
            }
        }
    }

    fn crash(&mut self, index: usize, down: Duration) {
        let node = self.nodes.remove(index);
        self.truth.lock().end_node(node.id, self.clock.now(), false);
        self.cloud.remove(node.id);
        self.undo_in(down, Undo::StartNode);
    }

    /// A node is asked to stop. Its visitors go to others within a second or so.
    fn restart(&mut self, index: usize, down: Duration) {
        let node = self.nodes.remove(index);
        let now = self.clock.now();
        let moved = self.truth.lock().sessions_of(node.id);
        self.truth.lock().end_node(node.id, now, false);
        let (id, cloud) = (node.id, Arc::clone(&self.cloud));
        let store = Arc::clone(&node.store);
        let (stopped, told) = tokio::sync::oneshot::channel();
        node.spawn(async move {
            store.stop().await;
            // The node may have been given up.
            let _ = stopped.send(());
        });
        let patience = Duration::from_secs(5);
        tokio::spawn(async move {
            // A node that does not get there is killed.
            let _ = tokio::time::timeout(patience, told).await;
            cloud.remove(id);
            drop(node);
        });
        for (user, _) in moved {
            if let Some(index) = self.some_node() {
                self.come(index, &user);
            }
        }
        self.undo_in(down, Undo::StartNode);
    }

    pub(super) fn trouble_a_server(&mut self) {
        let shard = usize::try_from(self.chance.below(self.shards as u64)).unwrap_or_default();
        let lasting = self.chance.millis(20..3000);
        let kind = self.chance.below(6);
        if kind < 4 && !self.tenants_trouble(shard, kind.min(DEATH), true) {
            return;
        }
        self.note(|| format!("server{shard} is troubled: {kind} for {lasting:?}"));
        match kind {
            0 => {
                self.cloud.freeze(shard, lasting);
                self.undo_in(lasting, Undo::Thaw(shard));
            }
            1..4 => {
                let fate = [Fate::Emptied, Fate::Kept, Fate::Replaced];
                let fate = *self.chance.pick(&fate).unwrap_or(&Fate::Kept);
                self.cloud.kill(shard);
                self.undo_in(lasting, Undo::Revive(shard, fate));
            }
            4 => self.lose_all_answers(lasting),
            _ => {
                // Somebody deletes what is not theirs.
                self.tenants_trouble(shard, DELETION, true);
                self.tenants_trouble(shard, DELETION, false);
                let tenant = TENANTS[shard % TENANTS.len()];
                self.cloud
                    .command(shard, &["DEL", &format!("online_users:{tenant}")]);
            }
        }
    }

    /// What all nodes send is done, and none of them is told so; among it that somebody goes.
    fn lose_all_answers(&mut self, lasting: Duration) {
        if let Some((index, user, session)) = self.settled_session() {
            self.go(index, &user, &session);
        }
        let now = self.clock.now();
        let ids: Vec<NodeId> = self.nodes.iter().map(|node| node.id).collect();
        for id in ids {
            let whose = Whose::Node(id, ONE_WAY);
            if self.truth.lock().trouble_begins(whose, now) {
                self.cloud.set_reach(id, Reach::OneWay);
                self.undo_in(lasting, Undo::Reach(id));
            }
        }
    }

    /// A trouble of a server begins or ends; whether it is a new one.
    fn tenants_trouble(&self, shard: usize, kind: u64, begins: bool) -> bool {
        let now = self.clock.now();
        let mut is_new = true;
        for (index, tenant) in TENANTS.into_iter().enumerate() {
            if index % self.shards == shard {
                let whose = Whose::Tenant(tenant, kind);
                let mut truth = self.truth.lock();
                if begins {
                    is_new &= truth.trouble_begins(whose, now);
                } else {
                    truth.trouble_ends(&whose, now);
                    if kind != FREEZE {
                        truth.lose_data(tenant, now);
                    }
                }
            }
        }
        is_new
    }

    pub(super) fn undo(&mut self, undo: &Undo) {
        self.note(|| format!("{undo:?}"));
        let now = self.clock.now();
        let ends = |whose| self.truth.lock().trouble_ends(&whose, now);
        match undo {
            Undo::Resume(id, kind) => {
                if let Some(node) = self.nodes.iter().find(|node| node.id == *id) {
                    node.resume();
                }
                ends(Whose::Node(*id, *kind));
            }
            Undo::Reach(id) => {
                self.cloud.set_reach(*id, Reach::Open);
                for kind in [CUT, SILENT, ONE_WAY] {
                    ends(Whose::Node(*id, kind));
                }
            }
            Undo::Lossless(id, kind) => ends(Whose::Node(*id, *kind)),
            Undo::Thaw(shard) => {
                self.tenants_trouble(*shard, FREEZE, false);
            }
            Undo::Revive(shard, fate) => {
                self.cloud.revive(*shard, *fate);
                self.tenants_trouble(*shard, DEATH, false);
            }
            Undo::StartNode => self.start_node(),
        }
    }

    fn undo_in(&mut self, lasting: Duration, undo: Undo) {
        self.next_end += 1;
        self.ends
            .insert((self.clock.now() + lasting, self.next_end), undo);
    }
}
