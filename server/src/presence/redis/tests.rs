//! Against a real Redis: the suite of all stores, the scripts against the rules (`twins`), and what only several
//! nodes can do.

mod twins;

use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::config::Settings;
use crate::presence::conformance;
use crate::redis::RedisUrl;
use crate::redis_server::RedisServer;
use twins::{BEGINNING, Twins};

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
