//! Against a real cluster, whose parts go away, come back and move.

use std::collections::BTreeSet;

use super::*;
use crate::redis_cluster::{RedisCluster, ask, say};

async fn connected(cluster: &RedisCluster) -> Redis {
    let redis = connect_to(&cluster.url());
    eventually(async || redis.health().is_ok()).await;
    redis
}

async fn set(redis: &Redis, key: &str) -> Result<(), StoreError> {
    let mut command = redis::cmd("SET");
    command.arg(key).arg("value");
    redis.query("test", &command).await
}

async fn get(redis: &Redis, key: &str) -> Option<String> {
    let mut command = redis::cmd("GET");
    command.arg(key);
    redis.query("test", &command).await.unwrap()
}

/// What is heard next, in any order.
async fn heard_next(heard: &mut mpsc::UnboundedReceiver<String>, count: usize) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for _ in 0..count {
        all.insert(heard.recv().await.unwrap());
    }
    all
}

fn on_each_shard(text: impl Fn(String) -> String) -> BTreeSet<String> {
    (0..3)
        .map(|place| text(RedisCluster::name(place, "channel")))
        .collect()
}

#[tokio::test]
async fn whatever_is_asked_is_done_where_its_slot_is() {
    let cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    assert!(redis.has_sharded_channels());
    let script = script::Script::new("return redis.call('GET', KEYS[1])");
    for place in 0..3 {
        let key = RedisCluster::name(place, "key");
        let mut commands = redis::pipe();
        commands.cmd("SET").arg(&key).arg("value").ignore();
        commands.cmd("GET").arg(&key);
        let (value,): (String,) = redis.pipeline("test", &commands).await.unwrap();
        assert_eq!(value, "value");
        assert_eq!(cluster.servers[place].keys().await, [&*key]);
        for _ in 0..2 {
            let mut call = script.call();
            let said: String = redis.script("test", call.key(&key)).await.unwrap();
            assert_eq!(said, "value");
            say(&cluster.servers[place], "SCRIPT FLUSH").await;
        }
    }
    assert_eq!(echo(&redis).await.unwrap(), "hello");
}

#[tokio::test]
async fn what_is_published_is_heard_on_every_shard() {
    let cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    let (subscriber, mut heard) = listen(&redis);
    for channel in on_each_shard(|channel| channel) {
        subscriber.add(&channel);
    }
    let begun = on_each_shard(|channel| format!("begin {channel}"));
    assert_eq!(heard_next(&mut heard, 3).await, begun);
    for (place, server) in cluster.servers.iter().enumerate() {
        let channel = RedisCluster::name(place, "channel");
        let receivers = redis.publish("test", &channel, b"x").await.unwrap();
        assert_eq!(receivers, 1);
        assert_eq!(heard.recv().await.unwrap(), format!("{channel}: x"));
        subscriber.remove(&channel);
        eventually(async || {
            let channels: Vec<String> = ask(server, "PUBSUB SHARDCHANNELS").await;
            channels.is_empty()
        })
        .await;
        assert_eq!(redis.publish("test", &channel, b"x").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_shard_that_is_away_takes_nothing_else_with_it() {
    let mut cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    let (subscriber, mut heard) = listen(&redis);
    for channel in on_each_shard(|channel| channel) {
        subscriber.add(&channel);
    }
    heard_next(&mut heard, 3).await;
    let [channel, ..] = [0, 1, 2].map(|place| RedisCluster::name(place, "channel"));
    let before = redis.generation();

    cluster.servers[0].kill();
    assert_eq!(heard.recv().await.unwrap(), format!("lost {channel}"));
    eventually(async || redis.health().is_err()).await;
    assert_eq!(redis.health(), Err(Unwell::ShardsAway { away: 1, of: 3 }));
    assert!(redis.is_up());
    for _ in 0..20 {
        assert!(set(&redis, &RedisCluster::name(0, "key")).await.is_err());
        set(&redis, &RedisCluster::name(1, "key")).await.unwrap();
        set(&redis, &RedisCluster::name(2, "key")).await.unwrap();
        assert_eq!(echo(&redis).await.unwrap(), "hello");
    }

    cluster.servers[0].revive().await;
    assert_eq!(heard.recv().await.unwrap(), format!("begin {channel}"));
    eventually(async || set(&redis, &RedisCluster::name(0, "key")).await.is_ok()).await;
    eventually(async || redis.health().is_ok()).await;
    assert!(redis.generation() > before);
    let receivers = redis.publish("test", &channel, b"x").await.unwrap();
    assert_eq!(receivers, 1);
    assert_eq!(heard.recv().await.unwrap(), format!("{channel}: x"));
}

#[tokio::test]
async fn a_shard_that_hangs_holds_nobody_else_up() {
    let cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    let before = redis.generation();
    cluster.servers[0].freeze();
    let key = RedisCluster::name(0, "key");
    let hanging = async {
        eventually(async || redis.health().is_err()).await;
        // Each of them would wait if the others did.
        for _ in 0..20 {
            assert!(set(&redis, &key).await.is_err());
        }
    };
    let others = async {
        for round in 0..200 {
            let key = RedisCluster::name(1 + round % 2, "key");
            set(&redis, &key).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(hanging, others, async {
        assert!(
            set(&redis, &key).await.is_err(),
            "an error rather than a wait"
        );
    });
    cluster.servers[0].thaw();
    eventually(async || redis.health().is_ok() && set(&redis, &key).await.is_ok()).await;
    assert!(redis.generation() > before);
}

#[tokio::test]
async fn a_place_where_nobody_answers_any_more_holds_nobody_else_up() {
    let mut cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    cluster.servers[0].kill();
    // As a machine whose connections are made but lead nowhere.
    let hole = std::net::TcpListener::bind(("127.0.0.1", cluster.servers[0].port)).unwrap();
    let lost = async || set(&redis, &RedisCluster::name(0, "key")).await.is_err();
    // Long enough for several attempts to reach it.
    for round in 0..2000 {
        assert!(lost().await);
        set(&redis, &RedisCluster::name(1 + round % 2, "key"))
            .await
            .unwrap();
    }
    drop(hole);
    cluster.servers[0].revive().await;
    eventually(async || redis.health().is_ok() && !lost().await).await;
}

#[tokio::test]
async fn nothing_answers_when_the_last_shard_is_gone() {
    let mut cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    for server in &mut cluster.servers {
        server.kill();
    }
    redis.down().await;
    assert_eq!(redis.health(), Err(Unwell::Away));
    assert!(echo(&redis).await.is_err(), "at once, without waiting");
    for server in &mut cluster.servers {
        server.revive().await;
    }
    eventually(async || redis.health().is_ok()).await;
    eventually(async || set(&redis, "key").await.is_ok()).await;
}

#[tokio::test]
async fn a_slot_that_moves_is_followed_and_so_are_its_channels() {
    let cluster = RedisCluster::start().await;
    let redis = connected(&cluster).await;
    let (subscriber, mut heard) = listen(&redis);
    let (channel, key) = (
        RedisCluster::name(0, "channel"),
        RedisCluster::name(0, "key"),
    );
    subscriber.add(&channel);
    assert_eq!(heard.recv().await.unwrap(), format!("begin {channel}"));

    let slot = slots::slot_of(key.as_bytes());
    cluster.begin_to_move_slot(slot, 0, 1).await;
    set(&redis, &key).await.unwrap();
    let there: bool = ask(&cluster.servers[1], "DBSIZE").await;
    assert!(
        there,
        "what is not in the slot any more is asked for where it goes"
    );
    assert_eq!(get(&redis, &key).await.as_deref(), Some("value"));

    cluster.move_slot(slot, 0, 1).await;
    let mut commands = redis::pipe();
    commands.cmd("GET").arg(&key).cmd("GET").arg(&key);
    let values: Vec<String> = redis.pipeline("test", &commands).await.unwrap();
    assert_eq!(values, ["value", "value"]);
    assert_eq!(get(&redis, &key).await.as_deref(), Some("value"));
    // It may be heard at the new place before the old one is left.
    loop {
        let before = heard.recv().await.unwrap();
        assert!(before.ends_with(&channel), "{before}");
        if before.starts_with("begin") {
            break;
        }
    }
    eventually(async || redis.publish("test", &channel, b"x").await.unwrap() == 1).await;
    while heard.recv().await.unwrap() != format!("{channel}: x") {}
}

#[tokio::test]
async fn a_server_that_has_no_slot_yet_is_asked_for_the_first_that_it_gets() {
    let mut cluster = RedisCluster::start().await;
    cluster.add_empty().await;
    let redis = connected(&cluster).await;
    let key = RedisCluster::name(0, "key");
    let slot = slots::slot_of(key.as_bytes());
    cluster.begin_to_move_slot(slot, 0, 3).await;
    let script = script::Script::new("return redis.call('SET', KEYS[1], 'value')");
    let mut call = script.call();
    redis.script::<()>("test", call.key(&key)).await.unwrap();
    let size: usize = ask(&cluster.servers[3], "DBSIZE").await;
    assert_eq!(size, 1);
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found() {
    let mut cluster = RedisCluster::start().await;
    cluster.add_replica(0).await;
    let redis = connected(&cluster).await;
    let (subscriber, mut heard) = listen(&redis);
    let (channel, key) = (
        RedisCluster::name(0, "channel"),
        RedisCluster::name(0, "key"),
    );
    subscriber.add(&channel);
    assert_eq!(heard.recv().await.unwrap(), format!("begin {channel}"));
    let before = redis.generation();
    cluster.notice_soon().await;
    cluster.servers[0].kill();
    assert_eq!(heard.recv().await.unwrap(), format!("lost {channel}"));
    assert_eq!(heard.recv().await.unwrap(), format!("begin {channel}"));
    eventually(async || set(&redis, &key).await.is_ok()).await;
    assert!(redis.generation() > before);
    assert!(cluster.servers[3].keys().await.contains(&key));
}

#[tokio::test]
async fn a_database_that_a_cluster_has_not_is_refused() {
    let cluster = RedisCluster::start().await;
    let url = cluster.url().replace("/0", "/1");
    let url = RedisUrl::parse(&url).unwrap();
    let redis = Redis::connect(&url, &quick(), Clock::start(), Box::new(|_| {}));
    let found = fleet::find_once(&redis.shared, &url.seeds).await;
    assert!(matches!(found, Err(server::Trouble::Database)));
}
