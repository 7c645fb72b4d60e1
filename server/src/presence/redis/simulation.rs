//! Thousands of histories of many nodes, under virtual time, each determined by a seed.
//!
//! Everything outside the store is a value: the Redis servers (which run the real scripts), the network,
//! the nodes' being alive. What happens is drawn at random: visitors come, look at something, go and reload; nodes crash, stand
//! still, are stopped and started; connections are cut, fall silent or lose answers, of one node or of all; servers freeze, die,
//! come back empty, with their data, or as a replica that lacks the last of it; published messages come
//! twice, late and out of order. What must be true in each history:
//! - nobody is announced as gone who is there, but for a node that was out of touch for half a lease;
//! - nobody is announced as here again who has been announced as gone and has not come since;
//! - nobody is listed for longer than the grace time, or after a failure the lease, who is not there;
//! - whoever applies all announcements in order to the list once asked for is right: nobody comes or goes
//!   twice, and the list asked for at any moment equals what has been applied;
//! - a state has one list, whichever node says so; whoever applies deltas is right after each of them and
//!   misses none, and so is who goes to another node with what they know;
//! - when all is well again, every admin on every node sees the truth, and so does the hash: who is there, what
//!   their pages told last, how many tabs they have, and the tab that is looked at from then on;
//! - when all have gone, nothing is left in Redis but how many they were.
//!
//! `SIMULATION_SEED=N` runs one history and says what happens, `SIMULATION_HISTORIES=N` so many.

mod chance;
mod cloud;
mod dashboard;
mod data;
mod interpreter;
mod judgement;
mod line;
mod node;
mod trouble;
mod truth;
mod twins;
mod visits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::Options;
use super::roll::KEY as ROLL;
use crate::clock::Clock;
use crate::presence::{Joining, Leaving, PresenceStore as _};
use chance::Chance;
use cloud::{Cloud, NodeId};
use dashboard::{Names, Seen};
use node::{Node, OnTold, Said, Watch};
use trouble::Undo;
use truth::{Truth, User};

const LEASE: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_millis(300);
const TENANTS: [&str; 2] = ["t0", "t1"];
const USERS: u64 = 5;
const NODES: usize = 3;

/// How long everything takes to be well again: the lease that a new beginning gives to those who are
/// missing, the half of one before anybody is taken for dead, and a lease until that is seen.
const HEALING: Duration = Duration::from_secs(9);

struct World {
    clock: Clock,
    chance: Chance,
    cloud: Arc<Cloud>,
    truth: Arc<Mutex<Truth>>,
    names: Arc<Mutex<Names>>,
    /// Admins who go from node to node, one of each tenant.
    roaming: BTreeMap<&'static str, Seen>,
    nodes: Vec<Node>,
    next_node: NodeId,
    next_session: u64,
    /// What is to be undone at which time.
    ends: BTreeMap<(Duration, u64), Undo>,
    next_end: u64,
    shards: usize,
    log: Option<Vec<String>>,
}

/// What one history comes to.
#[derive(Debug, Default)]
struct Verdict {
    wrong: Vec<String>,
    log: Vec<String>,
    offlines: usize,
    worst_ghost: Duration,
    /// Whether it is known that nodes were there.
    noted: bool,
}

impl World {
    fn new(seed: u64, verbose: bool) -> Self {
        let clock = Clock::start();
        let chance = Chance::of(seed);
        // One server, or a cluster of two; and every third history is a rough one.
        let shards = 1 + usize::from(chance.percent(50));
        let rough = chance.percent(33);
        let truth = Truth::new(LEASE, GRACE);
        let mut world = Self {
            clock,
            cloud: Cloud::new(clock, chance.split(), shards, rough),
            chance,
            truth: Arc::new(Mutex::new(truth)),
            names: Arc::default(),
            roaming: BTreeMap::new(),
            nodes: Vec::new(),
            next_node: 0,
            next_session: 0,
            ends: BTreeMap::new(),
            next_end: 0,
            shards,
            log: verbose.then(Vec::new),
        };
        world.note(|| format!("{shards} servers, rough: {rough}"));
        for _ in 0..NODES {
            world.start_node();
        }
        world
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:?} {}", self.clock.now(), what()));
        }
    }

    fn start_node(&mut self) {
        let id = self.next_node;
        self.next_node += 1;
        let (truth, clock) = (Arc::clone(&self.truth), self.clock);
        let on_told: OnTold = Arc::new(move |node, tenant, user, said| {
            let (mut truth, now) = (truth.lock(), clock.now());
            match said {
                Said::Here => truth.judge_online(node, tenant, user, now),
                Said::Gone => truth.judge_offline(node, tenant, user, now),
            }
        });
        let options = Options {
            grace: GRACE,
            lease: LEASE,
            patience: Duration::from_millis(500),
        };
        self.nodes.push(Node::start(
            id,
            &self.cloud,
            Watch {
                clock,
                names: Arc::clone(&self.names),
                on_told,
            },
            &self.chance,
            options,
            &TENANTS,
        ));
        self.truth.lock().start(id, self.clock.now());
        self.note(|| format!("node{id} starts"));
    }

    fn user(&self) -> User {
        let tenant = TENANTS[usize::try_from(self.chance.below(2)).unwrap_or_default()];
        (tenant, format!("u{}", self.chance.below(USERS)))
    }

    fn some_node(&self) -> Option<usize> {
        let count = self.nodes.len();
        (count > 0).then(|| usize::try_from(self.chance.below(count as u64)).unwrap_or_default())
    }

    fn come(&mut self, index: usize, user: &User) {
        let node = &self.nodes[index];
        let session = format!("s{}", self.next_session);
        self.next_session += 1;
        let profile = visits::first(&self.chance, user, &session);
        let of = (user, session.as_str());
        self.truth
            .lock()
            .begin(of, profile.clone(), node.id, self.clock.now());
        let (store, truth, clock) = (Arc::clone(&node.store), Arc::clone(&self.truth), self.clock);
        let (tenant, name) = user.clone();
        let joining = Joining {
            tenant: tenant.into(),
            user: name.as_str().into(),
            session: session.as_str().into(),
            profile,
        };
        let (of, id) = (user.clone(), session.clone());
        node.spawn(async move {
            if let Err(error) = store.join(joining).await {
                panic!("a session could not join: {error}");
            }
            truth.lock().settle(&of, &id, clock.now());
        });
        let node = node.id;
        self.note(|| format!("{session} of {user:?} comes to node{node}"));
    }

    fn go(&mut self, index: usize, user: &User, session: &str) {
        let node = &self.nodes[index];
        self.truth
            .lock()
            .end(user, session, self.clock.now(), !node.is_stalled());
        let store = Arc::clone(&node.store);
        let ((tenant, name), id) = (user.clone(), session.to_owned());
        node.spawn(async move {
            let leaving = Leaving {
                tenant,
                user: &name,
                session: &id,
            };
            if let Err(error) = store.leave(leaving).await {
                panic!("a session could not leave: {error}");
            }
        });
        self.note(|| format!("{session} of {user:?} goes"));
    }

    /// A session that has been announced, so that its end follows its beginning.
    fn settled_session(&self) -> Option<(usize, User, String)> {
        let index = self.some_node()?;
        let truth = self.truth.lock();
        let settled = truth.settled_sessions_of(self.nodes[index].id);
        let (user, session) = self.chance.pick(&settled)?.clone();
        Some((index, user, session))
    }

    fn act(&mut self) {
        match self.chance.below(100) {
            0..25 => {
                if let Some(index) = self.some_node() {
                    let user = self.user();
                    self.come(index, &user);
                }
            }
            25..45 => {
                if let Some((index, user, session)) = self.settled_session() {
                    let active = self.chance.percent(60);
                    self.look(index, &user, &session, active);
                }
            }
            45..63 => {
                if let Some((index, user, session)) = self.settled_session() {
                    self.go(index, &user, &session);
                }
            }
            63..75 => {
                if let Some((index, user, session)) = self.settled_session() {
                    self.go(index, &user, &session);
                    if let Some(index) = self.some_node() {
                        self.come(index, &user);
                    }
                }
            }
            75..87 => self.trouble_a_node(),
            _ => self.trouble_a_server(),
        }
    }

    async fn pass(&mut self, time: Duration) {
        let until = self.clock.now() + time;
        loop {
            let next = self.ends.first_key_value().map(|((at, _), _)| *at);
            let at = next.map_or(until, |at| at.min(until));
            tokio::time::sleep_until(self.clock.instant(at)).await;
            self.check();
            match self.ends.first_entry().filter(|entry| entry.key().0 <= at) {
                Some(entry) => {
                    let undo = entry.remove();
                    self.undo(&undo);
                }
                None if at >= until => return,
                None => {}
            }
        }
    }

    /// Admins go to some node with what they know.
    fn roam(&mut self) {
        if let Some(index) = self.some_node() {
            for (tenant, view) in &self.nodes[index].views {
                let seen = self.roaming.entry(tenant).or_default();
                seen.visit(&mut view.lock());
            }
        }
    }

    async fn run(mut self) -> Verdict {
        let mut verdict = Verdict::default();
        self.pass(Duration::from_millis(200)).await;
        for _ in 0..self.chance.below(120) + 20 {
            self.act();
            self.roam();
            if self.chance.percent(30) {
                self.cloud.replicate();
            }
            let pause = self.chance.millis(0..250);
            self.pass(pause).await;
        }
        // All troubles end.
        while let Some(((at, _), _)) = self.ends.first_key_value() {
            let left = at.saturating_sub(self.clock.now());
            self.pass(left + Duration::from_millis(1)).await;
        }
        self.pass(HEALING).await;
        self.check_truth(&mut verdict.wrong).await;
        let looked_at = self.look_at_something_of_everybody();
        self.pass(GRACE).await;
        self.check_truth(&mut verdict.wrong).await;
        self.check_looked_at(&looked_at, &mut verdict.wrong);
        for index in 0..self.nodes.len() {
            let held = self.truth.lock().sessions_of(self.nodes[index].id);
            for (user, session) in held {
                self.go(index, &user, &session);
            }
        }
        self.pass(LEASE).await;
        self.check_truth(&mut verdict.wrong).await;
        for node in &self.nodes {
            node.store.stop().await;
        }
        verdict.noted = self.check_what_is_left(&mut verdict.wrong);
        for node in &self.nodes {
            for view in node.views.values() {
                verdict.wrong.append(&mut view.lock().wrong);
            }
        }
        let mut truth = self.truth.lock();
        verdict.wrong.append(&mut truth.false_offlines);
        verdict.offlines = truth.offlines;
        verdict.worst_ghost = truth.worst_ghost;
        drop(truth);
        verdict.log = self.log.unwrap_or_default();
        verdict
    }
}

fn run(seed: u64, verbose: bool) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async { World::new(seed, verbose).run().await })
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many histories each of the tests below runs, unless it is said.
const HISTORIES: u64 = 500;

fn run_many(from: u64) {
    if let Some(seed) = setting("SIMULATION_SEED") {
        let verdict = run(seed, true);
        for line in verdict.log {
            println!("{line}");
        }
        assert!(
            verdict.wrong.is_empty(),
            "seed {seed}: {:#?}",
            verdict.wrong
        );
        return;
    }
    let count = setting("SIMULATION_HISTORIES").unwrap_or(HISTORIES);
    let (mut offlines, mut noted) = (0, 0);
    let mut worst = Duration::ZERO;
    for seed in from..from + count {
        let verdict = run(seed, false);
        assert!(
            verdict.wrong.is_empty(),
            "history {seed} (SIMULATION_SEED={seed} shows it): {:#?}",
            verdict.wrong
        );
        offlines += verdict.offlines;
        noted += u64::from(verdict.noted);
        worst = worst.max(verdict.worst_ghost);
    }
    println!("{count} histories: {offlines} departures announced, the worst ghost {worst:?}");
    assert!(
        offlines > 0 && noted > 0,
        "histories in which nothing happens show nothing"
    );
}

// Halves, for two processors.

#[test]
fn whatever_happens_admins_see_the_truth() {
    run_many(0);
}

#[test]
fn whatever_else_happens_admins_see_the_truth() {
    run_many(1_000_000);
}
