//! Against a real master and replica, and the sentinel that looks after them.

use super::*;
use crate::redis_cluster::{ask, say, until};
use crate::redis_sentinel::RedisSentinel;

async fn is_at(redis: &Redis, server: &RedisServer) -> bool {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("port");
    let answer: Result<(String, u16), _> = redis.query("test", &command).await;
    answer.is_ok_and(|(_, port)| port == server.port)
}

#[tokio::test]
async fn the_master_is_found_by_either_url() {
    let group = RedisSentinel::start().await;
    for url in [group.url(), group.plain_url()] {
        let redis = connect_to(&url);
        redis.up().await;
        assert!(is_at(&redis, &group.servers[0]).await, "{url}");
        assert!(!redis.has_sharded_channels());
        assert_eq!(redis.health(), Ok(()));
    }
}

#[tokio::test]
async fn when_the_master_fails_the_replica_is_used_and_listened_to() {
    let mut group = RedisSentinel::start().await;
    let redis = connect_to(&group.url());
    let (subscriber, mut heard) = listen(&redis);
    subscriber.add("a");
    assert_eq!(heard.recv().await.unwrap(), "begin a");
    let before = redis.generation();
    group.lose_master().await;
    assert_eq!(heard.recv().await.unwrap(), "lost a");
    redis.down().await;
    redis.up().await;
    assert!(is_at(&redis, &group.servers[1]).await);
    assert!(redis.generation() > before);
    assert_eq!(heard.recv().await.unwrap(), "begin a");
    assert_eq!(redis.publish("test", "a", b"x").await.unwrap(), 1);
    assert_eq!(heard.recv().await.unwrap(), "a: x");
}

#[tokio::test]
async fn when_master_and_replica_change_places_the_new_master_is_used() {
    let group = RedisSentinel::start().await;
    let redis = connect_to(&group.url());
    let (subscriber, mut heard) = listen(&redis);
    subscriber.add("a");
    assert_eq!(heard.recv().await.unwrap(), "begin a");
    group.exchange().await;
    until(&group.servers[0], "INFO replication", |info| {
        info.contains("role:slave")
    })
    .await;
    eventually(async || is_at(&redis, &group.servers[1]).await).await;
    assert_eq!(heard.recv().await.unwrap(), "lost a");
    // It may have begun at the old place once more before that was left.
    eventually(async || {
        redis
            .publish("test", "a", b"x")
            .await
            .is_ok_and(|heard| heard == 1)
    })
    .await;
    let listeners: (String, usize) = ask(&group.servers[1], "PUBSUB NUMSUB a").await;
    assert_eq!(listeners.1, 1);
    let mut told = String::new();
    loop {
        let next = heard.recv().await.unwrap();
        if next == "a: x" {
            break;
        }
        told = next;
    }
    assert_eq!(told, "begin a");
}

#[tokio::test]
async fn a_master_that_becomes_a_replica_is_left_without_being_written_to() {
    let group = RedisSentinel::start().await;
    let redis = connect_to(&group.url());
    redis.up().await;
    // Nobody closes a connection, and nobody says anything.
    group.sentinel.freeze();
    let [master, replica] = &group.servers;
    say(replica, "REPLICAOF NO ONE").await;
    say(master, &format!("REPLICAOF 127.0.0.1 {}", replica.port)).await;
    redis.down().await;
}
