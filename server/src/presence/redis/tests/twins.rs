//! The scripts and the rules of `transition`, side by side: the same steps are done by both, and must lead to the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::presence::Row;
use crate::presence::redis::scripts::Published;
use crate::presence::transition::{NodeId, SessionKey, TenantPresence};
use crate::redis::Heard;

#[derive(Debug, Clone)]
enum Step {
    Join {
        user: u8,
        node: u64,
        says: Option<u8>,
    },
    Update {
        pick: prop::sample::Index,
        says: u8,
        active: bool,
    },
    Leave {
        pick: prop::sample::Index,
    },
    Reload {
        pick: prop::sample::Index,
        node: u64,
    },
    LoseNode {
        node: u64,
    },
    Wait {
        millis: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let user = 0..4_u8;
    let node = 0..3_u64;
    let pick = || any::<prop::sample::Index>();
    let step = prop_oneof![
        4 => (user, node.clone(), prop::option::of(0..3_u8))
            .prop_map(|(user, node, says)| Step::Join { user, node, says }),
        4 => (pick(), 0..3_u8, any::<bool>())
            .prop_map(|(pick, says, active)| Step::Update { pick, says, active }),
        4 => pick().prop_map(|pick| Step::Leave { pick }),
        2 => (pick(), node.clone()).prop_map(|(pick, node)| Step::Reload { pick, node }),
        1 => node.prop_map(|node| Step::LoseNode { node }),
        4 => (0..300_u64).prop_map(|millis| Step::Wait { millis }),
    ];
    prop::collection::vec(step, 1..60)
}

/// A tenant in Redis, and beside it the rules that it is to follow.
pub(super) struct Twins {
    redis: Redis,
    pub(super) scripts: Scripts<Redis>,
    tenant: String,
    pub(super) rules: TenantPresence,
    /// What Redis has published.
    pub(super) heard: tokio::sync::mpsc::UnboundedReceiver<(u64, Change)>,
    _subscriber: crate::redis::Subscriber,
    /// The incarnations of the nodes, counted.
    pub(super) lives: [u32; 3],
    sessions: Vec<(String, u64, u32, String)>,
    pub(super) version: u64,
    /// The most who were ever online.
    peak: u64,
}

/// An untrue but distinct time, far from zero.
pub(super) const BEGINNING: Duration = Duration::from_secs(1_700_000_000);

impl Twins {
    pub(super) async fn new(redis: &Redis, tenant: String) -> Self {
        let times = Times {
            now: BEGINNING,
            grace: GRACE,
            parting: GRACE,
            node_lease: Duration::from_hours(1),
            keep: Duration::from_hours(2),
        };
        let (hear, heard) = tokio::sync::mpsc::unbounded_channel();
        let (ready, mut listening) = tokio::sync::mpsc::unbounded_channel();
        let subscriber = redis.subscriber(move |what| match what {
            Heard::Begin { .. } => ready.send(()).unwrap(),
            Heard::Message { payload, .. } => {
                let published = Published::read(payload).unwrap();
                let change = match published.value {
                    Some(value) => Change::Online {
                        user: published.user.into(),
                        row: mirror::row_of(published.user, value).unwrap(),
                    },
                    None => Change::Offline(published.user.into()),
                };
                // The case may be over.
                let _sent = hear.send((published.mark.version, change));
            }
            Heard::Lost { .. } => panic!("lost"),
        });
        subscriber.add(&channel(&tenant));
        listening.recv().await.unwrap();
        Self {
            scripts: Scripts::new(Arc::new(redis.clone()), random(), times),
            redis: redis.clone(),
            tenant,
            rules: TenantPresence::new(GRACE),
            heard,
            _subscriber: subscriber,
            lives: [0; 3],
            sessions: Vec::new(),
            version: 0,
            peak: 0,
        }
    }

    fn incarnation(&self, node: u64) -> String {
        let life = self.lives[usize::try_from(node).unwrap()];
        format!("node{node}-{life}")
    }

    pub(super) async fn join(&mut self, user: &str, node: u64, says: Option<u8>) -> Option<Change> {
        let session = format!("s{}", self.sessions.len());
        let profile = profile(user, &session, says);
        let value = value_of(user, &profile).unwrap();
        let entering = [Entering {
            user,
            session: &session,
            place: Place::New,
            value: &value,
            details: profile.details(),
        }];
        let incarnation = self.incarnation(node);
        let joined = self
            .scripts
            .join(asking(&self.tenant, &incarnation), true, &entering);
        joined.await.unwrap().unwrap();
        let life = self.lives[usize::try_from(node).unwrap()];
        let key = key(node, life, &session);
        self.sessions.push((user.to_owned(), node, life, session));
        self.rules.handle_join(&user.into(), key, profile)
    }

    async fn update(&mut self, index: usize, says: u8, active: bool) -> Option<Change> {
        let (user, node, life, session) = self.sessions[index].clone();
        let profile = profile(&user, &session, Some(says));
        let value = value_of(&user, &profile).unwrap();
        let incarnation = format!("node{node}-{life}");
        let asking = asking(&self.tenant, &incarnation);
        let updated = self
            .scripts
            .update(asking, (&user, &session), (&value, &profile), active);
        updated.await.unwrap();
        let key = key(node, life, &session);
        self.rules.handle_update(&user, &key, &profile, active)
    }

    pub(super) async fn leave(&mut self, index: usize) -> Option<Change> {
        let (user, node, life, session) = self.sessions[index].clone();
        let incarnation = format!("node{node}-{life}");
        let left = self
            .scripts
            .leave(asking(&self.tenant, &incarnation), &session, &user);
        // A node that was lost has no lease, and nothing to leave.
        left.await.unwrap();
        let now = self.scripts.times.now;
        self.rules
            .handle_leave(now, &user, &key(node, life, &session))
    }

    async fn lose(&mut self, node: u64) -> Vec<Change> {
        // It gave its last sign of life long ago.
        let mut command = redis::cmd("ZADD");
        let leases = format!("{{online_users:{}}}:leases", self.tenant);
        command
            .arg(leases)
            .arg("XX")
            .arg(1)
            .arg(self.incarnation(node));
        let _: i64 = self.redis.query("test", &command).await.unwrap();
        let life = &mut self.lives[usize::try_from(node).unwrap()];
        let lost = node_id(node, *life);
        *life += 1;
        let mut changes = self.rules.handle_node_lost(lost);
        changes.extend(self.tick(true).await);
        changes
    }

    pub(super) async fn tick(&mut self, reap: bool) -> Vec<Change> {
        let snapshot = self
            .scripts
            .sync(asking(&self.tenant, "onlooker"), true)
            .await
            .unwrap()
            .unwrap();
        assert!(snapshot.1.is_some_and(|everyone| everyone.len() < 10));
        let ticked = self
            .scripts
            .tick(asking(&self.tenant, "onlooker"), reap)
            .await;
        let (_, ticked) = ticked.unwrap().expect("the onlooker has a lease");
        let changes = self.rules.handle_timeout(self.scripts.times.now);
        assert_eq!(
            ticked.next_grace.is_some(),
            self.rules.rows().count() > 0 && self.lingering(),
            "somebody's grace time runs in both or in neither"
        );
        changes
    }

    fn lingering(&self) -> bool {
        self.rules.lingering() > 0
    }

    /// The most who were online in a minute.
    async fn census(&self) -> u64 {
        let mut read = redis::cmd("HVALS");
        read.arg(format!("{{online_users:{}}}:counts", self.tenant));
        let ring: Vec<String> = self.redis.query("test", &read).await.unwrap();
        let peaks = ring
            .iter()
            .map(|entry| entry.split(' ').nth(2).unwrap().parse());
        peaks.map(Result::unwrap).max().unwrap_or_default()
    }

    /// What was published is what the rules say, and the hash is their table.
    pub(super) async fn agree(&mut self, mut expected: Vec<Change>) {
        let mut published = Vec::new();
        for _ in 0..expected.len() {
            let (version, change) = self.heard.recv().await.unwrap();
            self.version += 1;
            assert_eq!(version, self.version, "counted without a gap");
            published.push(change);
        }
        self.peak = self.peak.max(self.rules.len() as u64);
        // Those who go at the same time go in any order.
        let text = |change: &Change| format!("{change:?}");
        published.sort_by_key(text);
        expected.sort_by_key(text);
        assert_eq!(published, expected);
        let (said, pairs) = self
            .scripts
            .sync(asking(&self.tenant, "onlooker"), true)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(said.mark.version, self.rules.version());
        let hash: BTreeMap<String, Row> = pairs
            .unwrap()
            .into_iter()
            .map(|(user, value)| {
                let user = String::from_utf8(user).unwrap();
                let row = mirror::row_of(&user, &String::from_utf8(value).unwrap()).unwrap();
                (user, row)
            })
            .collect();
        assert_eq!(
            hash.values().collect::<Vec<_>>(),
            self.rules.rows().collect::<Vec<_>>()
        );
    }

    async fn run(mut self, steps: Vec<Step>) {
        for step in steps {
            let changes = match step {
                Step::Join { user, node, says } => {
                    Vec::from_iter(self.join(&format!("u{user}"), node, says).await)
                }
                Step::Leave { .. } | Step::Update { .. } | Step::Reload { .. }
                    if self.sessions.is_empty() =>
                {
                    Vec::new()
                }
                Step::Update { pick, says, active } => {
                    let index = pick.index(self.sessions.len());
                    Vec::from_iter(self.update(index, says, active).await)
                }
                Step::Leave { pick } => {
                    Vec::from_iter(self.leave(pick.index(self.sessions.len())).await)
                }
                Step::Reload { pick, node } => {
                    let index = pick.index(self.sessions.len());
                    let user = self.sessions[index].0.clone();
                    let left = self.leave(index).await;
                    let joined = self.join(&user, node, Some(1)).await;
                    left.into_iter().chain(joined).collect()
                }
                Step::LoseNode { node } => self.lose(node).await,
                Step::Wait { millis } => {
                    self.scripts.times.now += Duration::from_millis(millis);
                    self.tick(false).await
                }
            };
            self.agree(changes).await;
        }
        // When all have gone nothing is left, not even bookkeeping.
        for index in 0..self.sessions.len() {
            let changes = Vec::from_iter(self.leave(index).await);
            self.agree(changes).await;
        }
        self.scripts.times.now += GRACE;
        let changes = self.tick(false).await;
        self.agree(changes).await;
        for node in 0..3 {
            let incarnation = self.incarnation(node);
            self.scripts
                .drain(asking(&self.tenant, &incarnation), GRACE)
                .await
                .unwrap();
        }
        self.scripts
            .drain(asking(&self.tenant, "onlooker"), GRACE)
            .await
            .unwrap();
        let mut keys = redis::cmd("KEYS");
        keys.arg(format!("*online_users:{}*", self.tenant));
        let keys: Vec<String> = self.redis.query("test", &keys).await.unwrap();
        let counts = format!("{{online_users:{}}}:counts", self.tenant);
        assert!(keys.iter().all(|key| *key == counts), "{keys:?}");
        assert_eq!(self.census().await, self.peak, "and that is right");
    }
}

fn node_id(node: u64, life: u32) -> NodeId {
    NodeId(node * 1000 + u64::from(life))
}

fn key(node: u64, life: u32, session: &str) -> SessionKey {
    SessionKey {
        node: node_id(node, life),
        session: session.into(),
    }
}

#[test]
fn any_history_over_nodes_follows_the_rules() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, redis) = runtime.block_on(async {
        let server = RedisServer::start().await;
        let redis = connect(&server, Clock::start());
        redis.up().await;
        (server, redis)
    });
    let case = std::cell::Cell::new(0);
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::with_cases(40)
    };
    TestRunner::new(config)
        .run(&steps(), |steps| {
            case.set(case.get() + 1);
            runtime.block_on(async {
                let twins = Twins::new(&redis, format!("t{}", case.get())).await;
                twins.run(steps).await;
            });
            Ok(())
        })
        .unwrap();
    drop(server);
}
