//! What must be true: at every moment, when all is well, and when all have gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Node, read};
use super::{ROLL, TENANTS, World};
use crate::presence::PresenceStore as _;

impl World {
    /// What must be true at every moment.
    pub(super) fn check(&mut self) {
        let now = self.clock.now();
        let mut ghosts = Vec::new();
        for node in self.nodes.iter().filter(|node| !node.is_stalled()) {
            for (tenant, view) in &node.views {
                let mut view = view.lock();
                let wrong = view.dashboard.pass(now, tenant, &self.names.lock());
                view.wrong.extend(wrong);
                for user in view.rows.iter().flat_map(BTreeMap::keys) {
                    let user = (*tenant, user.clone());
                    let over = self.truth.lock().judge_listed(node.id, &user, now);
                    if let Some(over) = over {
                        ghosts.push(format!(
                            "at {now:?} node{} still lists {user:?}, {over:?} too long",
                            node.id
                        ));
                    }
                }
            }
        }
        self.truth.lock().false_offlines.extend(ghosts);
    }

    /// What must be true when all is well.
    pub(super) async fn check_truth(&mut self, wrong: &mut Vec<String>) {
        for tenant in TENANTS {
            let state = |node: &Node| node.views[tenant].lock().dashboard.state();
            let mut states: Vec<_> = self.nodes.iter().map(state).collect();
            states.dedup();
            if states.len() > 1 {
                wrong.push(format!("{tenant} is {states:?} on the nodes"));
            }
        }
        for node in &self.nodes {
            for tenant in TENANTS {
                let online = self.truth.lock().online(tenant);
                let view = node.views[tenant].lock().rows.clone().unwrap_or_default();
                if !view.keys().eq(online.iter()) {
                    wrong.push(format!(
                        "node{} shows {:?} of {tenant}, but {online:?} are there",
                        node.id,
                        view.keys()
                    ));
                }
                let shown = Arc::clone(&node.views[tenant]);
                let same = node.store.with_list(tenant, |list| {
                    shown.lock().rows.as_ref() == Some(&read(list.json()))
                });
                if !same.await.is_ok_and(|same| same) {
                    wrong.push(format!("node{}'s list is not what it announced", node.id));
                }
            }
        }
        self.check_shown(wrong);
    }

    /// What must be true when all have gone. Says whether it has been noted that nodes were there, unless the
    /// history was too short for that, or lost it.
    pub(super) fn check_what_is_left(&self, wrong: &mut Vec<String>) -> bool {
        let (counts, others): (Vec<_>, Vec<_>) = self
            .cloud
            .names()
            .into_iter()
            .partition(|name| name.ends_with(":counts"));
        if !others.is_empty() {
            wrong.push(format!("left in Redis: {others:?}"));
        }
        counts.iter().any(|name| name == ROLL)
    }
}
