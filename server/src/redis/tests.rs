//! Against a real Redis that goes away and comes back.

mod cluster;
mod sentinel;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::*;
use crate::config::Settings;
use crate::redis_server::RedisServer;

/// Looks often. An answer has the time that it has in earnest: a machine on which much runs is slow, not away.
fn quick() -> settings::Redis {
    settings::Redis {
        probe_interval: Duration::from_millis(20),
        longest_retry: Duration::from_millis(50),
        ..Settings::with_overrides("").unwrap().redis
    }
}

fn connect(server: &RedisServer) -> Redis {
    connect_to(&server.url())
}

fn connect_to(url: &str) -> Redis {
    let url = RedisUrl::parse(url).unwrap();
    Redis::connect(&url, &quick(), Clock::start(), Box::new(|_| {}))
}

/// Listens, and gives what is heard as a text.
fn listen(redis: &Redis) -> (Subscriber, mpsc::UnboundedReceiver<String>) {
    let (hear, heard) = mpsc::unbounded_channel();
    let subscriber = redis.subscriber(move |what| {
        // The test may have ended.
        let _sent = hear.send(match what {
            Heard::Begin { channel } => format!("begin {channel}"),
            Heard::Message { channel, payload } => {
                format!("{channel}: {}", String::from_utf8_lossy(payload))
            }
            Heard::Lost { channel } => format!("lost {channel}"),
        });
    });
    (subscriber, heard)
}

/// Waits for a condition that nobody tells of.
async fn eventually(holds: impl AsyncFn() -> bool) {
    while !holds().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn echo(redis: &Redis) -> Result<String, StoreError> {
    redis.query("test", redis::cmd("ECHO").arg("hello")).await
}

#[tokio::test]
async fn it_comes_back_by_itself_as_often_as_it_goes() {
    let mut server = RedisServer::start().await;
    let redis = connect(&server);
    for _ in 0..2 {
        redis.up().await;
        assert_eq!(echo(&redis).await.unwrap(), "hello");
        server.kill();
        redis.down().await;
        assert!(!redis.is_up());
        assert!(echo(&redis).await.is_err(), "at once, without waiting");
        server.revive().await;
    }
    redis.up().await;
    assert_eq!(echo(&redis).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_redis_that_hangs_is_away() {
    let server = RedisServer::start().await;
    let redis = connect(&server);
    redis.up().await;
    server.freeze();
    assert!(echo(&redis).await.is_err(), "an error rather than a wait");
    redis.down().await;
    server.thaw();
    redis.up().await;
    assert_eq!(echo(&redis).await.unwrap(), "hello");
}

#[tokio::test]
async fn every_exchange_is_observed() {
    let server = RedisServer::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let url = RedisUrl::parse(&server.url()).unwrap();
    let observe: Observer = Box::new(move |call| sink.lock().push((call.what, call.failed)));
    let redis = Redis::connect(&url, &quick(), Clock::start(), observe);
    assert!(echo(&redis).await.is_err(), "there is no connection yet");
    redis.up().await;
    echo(&redis).await.unwrap();
    assert_eq!(*seen.lock(), [("test", true), ("test", false)]);
}

#[tokio::test]
async fn a_listener_knows_what_it_may_have_missed() {
    let mut server = RedisServer::start().await;
    let redis = connect(&server);
    let (subscriber, mut heard) = listen(&redis);
    subscriber.add("a");
    assert_eq!(heard.recv().await.unwrap(), "begin a");
    subscriber.add("b");
    assert_eq!(heard.recv().await.unwrap(), "begin b");
    subscriber.remove("a");
    let publish = async |channel: &str| redis.publish("test", channel, b"x").await.unwrap();
    while publish("a").await > 0 {}
    assert_eq!(publish("b").await, 1);
    // Whatever was published on `a` before it was left comes first.
    loop {
        match heard.recv().await.unwrap().as_str() {
            "a: x" => {}
            "b: x" => break,
            other => panic!("{other}"),
        }
    }
    server.kill();
    assert_eq!(heard.recv().await.unwrap(), "lost b");
    redis.down().await;
    let before = redis.generation();
    server.revive().await;
    assert!(redis.changed(before).await > before);
    assert_eq!(heard.recv().await.unwrap(), "begin b");
    redis.up().await;
    assert_eq!(publish("b").await, 1);
    assert_eq!(heard.recv().await.unwrap(), "b: x");
}

#[tokio::test]
async fn a_script_that_was_forgotten_is_handed_over_again() {
    let server = RedisServer::start().await;
    let redis = connect(&server);
    redis.up().await;
    let script = script::Script::new("return {KEYS[1], ARGV[1]}");
    for _ in 0..2 {
        let mut call = script.call();
        call.key("k").arg("a");
        let said: (String, String) = redis.script("test", &call).await.unwrap();
        assert_eq!(said, ("k".to_owned(), "a".to_owned()));
        let mut flush = redis::cmd("SCRIPT");
        flush.arg("FLUSH");
        redis.query::<()>("test", &flush).await.unwrap();
    }
}

#[tokio::test]
async fn who_cannot_keep_up_is_told_that_something_is_missing() {
    let server = RedisServer::start().await;
    let url = RedisUrl::parse(&server.url()).unwrap();
    let settings = settings::Redis {
        messages_ahead: 2,
        ..quick()
    };
    let redis = Redis::connect(&url, &settings, Clock::start(), Box::new(|_| {}));
    let (subscriber, mut heard) = listen(&redis);
    subscriber.add("a");
    assert_eq!(heard.recv().await.unwrap(), "begin a");
    let mut burst = redis::pipe();
    for _ in 0..100 {
        burst.cmd("PUBLISH").arg("a").arg("x");
    }
    loop {
        redis.pipeline::<()>("test", &burst).await.unwrap();
        let mut lost = false;
        while let Ok(next) = heard.try_recv() {
            lost |= next == "lost a";
        }
        if lost {
            break;
        }
    }
    eventually(async || redis.publish("test", "a", b"y").await.unwrap() == 1).await;
    let mut told = String::new();
    while told != "a: y" {
        told = heard.recv().await.unwrap();
    }
}
