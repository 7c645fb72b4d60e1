//! Against a real Redis: the suite of all stores, then the scripts against the rules, then what only
//! several nodes can do.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio_util::task::AbortOnDropHandle;

use super::scripts::Published;
use super::*;
use crate::config::Settings;
use crate::presence::transition::{NodeId, SessionKey, TenantPresence};
use crate::presence::{Row, conformance};
use crate::redis::{Heard, RedisUrl};
use crate::redis_server::RedisServer;

const GRACE: Duration = Duration::from_millis(200);
const LEASE: Duration = Duration::from_secs(15);

fn connect(server: &RedisServer, clock: Clock) -> Redis {
    let url = RedisUrl::parse(&server.url()).unwrap();
    let settings = Settings::with_overrides("").unwrap().redis;
    Redis::connect(&url, &settings, clock, Box::new(|_| {}))
}

fn random() -> Random {
    Arc::new(|| uuid::Uuid::new_v4().as_u128())
}

#[tokio::test]
async fn the_redis_store_keeps_the_duties() {
    let server = RedisServer::start().await;
    let clock = Clock::start();
    let running = Mutex::new(None);
    conformance::run(async |grace, announce| {
        // The store before would find its sessions gone, and hand them over again.
        drop(running.lock().take());
        let redis = connect(&server, clock);
        redis.up().await;
        let flush = redis::cmd("FLUSHALL");
        let _done: String = redis.query("test", &flush).await.unwrap();
        let options = Options {
            grace,
            lease: LEASE,
            patience: Duration::from_secs(10),
        };
        let store = RedisPresenceStore::new(redis, clock, random(), "node", options, announce);
        let runs = Arc::clone(&store);
        let task = tokio::spawn(async move { runs.run().await });
        *running.lock() = Some(AbortOnDropHandle::new(task));
        store
    })
    .await;
}

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
struct Twins {
    redis: Redis,
    scripts: Scripts<Redis>,
    tenant: String,
    rules: TenantPresence,
    /// What Redis has published.
    heard: tokio::sync::mpsc::UnboundedReceiver<(u64, Change)>,
    _subscriber: crate::redis::Subscriber,
    /// The incarnations of the nodes, counted.
    lives: [u32; 3],
    sessions: Vec<(String, u64, u32, String)>,
    version: u64,
    /// The most who were ever online.
    peak: u64,
}

/// An untrue but distinct time, far from zero.
const BEGINNING: Duration = Duration::from_secs(1_700_000_000);

impl Twins {
    async fn new(redis: &Redis, tenant: String) -> Self {
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

    async fn join(&mut self, user: &str, node: u64, says: Option<u8>) -> Option<Change> {
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

    async fn leave(&mut self, index: usize) -> Option<Change> {
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

    async fn tick(&mut self, reap: bool) -> Vec<Change> {
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
    async fn agree(&mut self, mut expected: Vec<Change>) {
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

/// What a session shows whose page says this of its visit, if it reports it.
fn profile(user: &str, session: &str, says: Option<u8>) -> Profile {
    let row = format!(r#"{{"userId":"{user}","sessionId":"{session}"}}"#);
    let details = says.map(|says| match says {
        0 => "{}".to_owned(),
        _ => format!(r#"{{"title":"{says}"}}"#),
    });
    Profile::written(&row, details.as_deref())
}

fn asking<'a>(tenant: &'a str, incarnation: &'a str) -> Asking<'a> {
    Asking {
        tenant,
        incarnation,
        deadline: 0,
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

#[tokio::test]
async fn minutes_are_counted_by_all_nodes_and_an_outage_is_a_gap() {
    let server = RedisServer::start().await;
    let redis = connect(&server, Clock::start());
    redis.up().await;
    let mut twins = Twins::new(&redis, "t".to_owned()).await;
    twins.scripts.times.keep = LEASE;
    let minute = |number: u64| BEGINNING.as_secs() / 60 + 1 + number;
    let at = |twins: &mut Twins, number: u64, second: u64| {
        twins.scripts.times.now = Duration::from_secs(minute(number) * 60 + second);
    };
    at(&mut twins, 0, 10);
    twins.join("ann", 0, None).await;
    twins.join("bob", 1, None).await;
    at(&mut twins, 0, 50);
    twins.leave(1).await;
    twins.tick(false).await;
    // Whose grace time ends after the minute does was there when the next one began.
    at(&mut twins, 1, 5);
    twins.tick(false).await;
    at(&mut twins, 2, 30);
    twins.tick(false).await;
    // All nodes are gone: what they held expires, and nobody counts until others come.
    let mut expired = redis::cmd("DEL");
    for key in [
        "meta", "sessions", "queue", "held", "leases", "grace", "details",
    ] {
        expired.arg(format!("{{online_users:t}}:{key}"));
    }
    expired.arg("online_users:t");
    let _: i64 = redis.query("test", &expired).await.unwrap();
    at(&mut twins, 5, 59);
    twins.lives = [1; 3];
    twins.join("cid", 2, None).await;
    at(&mut twins, 7, 0);

    let samples = twins.scripts.history("t").await.unwrap();
    let numbers = |sample: &Sample| sample.count.map(|count| (count.online, count.peak));
    assert_eq!(samples.last().unwrap().at, minute(7) * 60_000);
    let last: Vec<_> = samples[samples.len() - 9..].iter().map(numbers).collect();
    let expected = [
        None,
        Some((2, 2)),
        Some((1, 2)),
        Some((1, 1)),
        None,
        None,
        Some((1, 1)),
        None,
        Some((1, 1)),
    ];
    assert_eq!(last, expected);
    let mut left = redis::cmd("PTTL");
    left.arg("{online_users:t}:counts");
    let left: u64 = redis.query("test", &left).await.unwrap();
    assert!((3_600_000..3_700_000).contains(&left), "{left}");
}

#[tokio::test]
async fn nobody_is_shown_whose_grace_time_is_over_though_no_node_has_looked() {
    let server = RedisServer::start().await;
    let redis = connect(&server, Clock::start());
    redis.up().await;
    let mut twins = Twins::new(&redis, "t".to_owned()).await;
    let leavers = BATCH + 1;
    for index in 0..=leavers {
        twins.join(&format!("u{index}"), 0, None).await;
    }
    for index in 0..leavers {
        twins.leave(index).await;
    }
    assert_eq!(everyone(&twins.scripts).await.len(), leavers + 1);

    twins.scripts.times.now += GRACE;
    let shown = everyone(&twins.scripts).await;
    let [last] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    assert!(last.starts_with(&format!("u{leavers}{{")), "{last}");
    let changes = twins.rules.handle_timeout(twins.scripts.times.now);
    assert_eq!(changes.len(), leavers);
    for _ in 0..=leavers {
        twins.heard.recv().await.unwrap();
    }
    twins.version = twins.rules.version() - changes.len() as u64;
    twins.agree(changes).await;
}

/// Everyone, as it is shown.
async fn everyone(scripts: &Scripts<Redis>) -> Vec<String> {
    let everyone = loop {
        let synced = scripts.sync(asking("t", "onlooker"), true).await;
        let (_, everyone) = synced.unwrap().unwrap();
        if let Some(everyone) = everyone {
            break everyone;
        }
    };
    let text = |(user, value): (Vec<u8>, Vec<u8>)| {
        [user, value]
            .map(|text| String::from_utf8(text).unwrap())
            .concat()
    };
    everyone.into_iter().map(text).collect()
}

#[tokio::test]
async fn a_hand_over_keeps_the_order_and_brings_what_has_changed_meanwhile() {
    let server = RedisServer::start().await;
    let redis = connect(&server, Clock::start());
    redis.up().await;
    let twins = Twins::new(&redis, "t".to_owned()).await;
    let scripts = &twins.scripts;
    let enter = async |incarnation: &str, sessions: &[(&str, Place, u8)]| {
        let profiles = sessions
            .iter()
            .map(|(session, place, says)| (*session, *place, profile("ann", session, Some(*says))));
        let profiles: Vec<_> = profiles.collect();
        let values = profiles
            .iter()
            .map(|(_, _, of)| value_of("ann", of).unwrap());
        let values: Vec<String> = values.collect();
        let entering = profiles.iter().zip(&values);
        let entering: Vec<_> = entering
            .map(|((session, place, profile), value)| Entering {
                user: "ann",
                session,
                place: *place,
                value,
                details: profile.details(),
            })
            .collect();
        let joined = scripts
            .join(asking("t", incarnation), true, &entering)
            .await;
        let (said, orders) = joined.unwrap().unwrap();
        (said.mark.version, orders)
    };
    let shown = |session: &str, says: u8| {
        [format!(
            r#"ann{{"sessionId":"{session}","title":"{says}","tabs":3}}"#
        )]
    };
    let (first, orders) = enter("a.1", &[("s1", Place::New, 1), ("s2", Place::New, 1)]).await;
    enter("b.1", &[("s3", Place::New, 1)]).await;
    assert_eq!(everyone(scripts).await, shown("s3", 1));

    // The same, and what is not shown: nobody is told.
    let known = [("s1", Place::At(orders[0]), 1), ("s2", Place::New, 2)];
    let (version, again) = enter("a.2", &known).await;
    assert_eq!(
        (version, again),
        (first + 1, orders.clone()),
        "where they were"
    );
    assert_eq!(everyone(scripts).await, shown("s3", 1));

    // Somebody has looked at it, and Redis has not been told.
    let looked_at = [("s1", Place::Last, 3), ("s2", Place::At(orders[1]), 2)];
    let (version, moved) = enter("a.3", &looked_at).await;
    assert_eq!(version, first + 2, "one change");
    assert!(moved[0] > moved[1] && moved[1] == orders[1]);
    assert_eq!(everyone(scripts).await, shown("s1", 3));

    // What is shown has changed where it stands.
    let (version, _) = enter("a.4", &[("s1", Place::At(moved[0]), 2)]).await;
    assert_eq!(version, first + 3);
    assert_eq!(everyone(scripts).await, shown("s1", 2));
    // An incarnation of before has no say.
    let (value, of) = ("{}", profile("ann", "s2", Some(1)));
    let late = scripts.update(asking("t", "a.1"), ("ann", "s2"), (value, &of), true);
    let (said, place) = late.await.unwrap().unwrap();
    assert_eq!((said.mark.version, place), (version, None));
    assert_eq!(everyone(scripts).await, shown("s1", 2));
}
