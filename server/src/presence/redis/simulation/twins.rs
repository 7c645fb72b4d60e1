//! The value that stands for a Redis, beside a real one: any commands are answered alike.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use redis::Value;

use super::data::{Data, Reply, Text};
use crate::clock::Clock;
use crate::config::Settings;
use crate::redis::{Redis, RedisUrl};
use crate::redis_server::RedisServer;

fn commands() -> impl Strategy<Value = Vec<Vec<String>>> {
    let field = || prop::sample::select(vec!["a", "b", "ab", "a:1", "b:\u{e9}"]);
    let score = || prop::sample::select(vec!["-1", "0", "2.5", "7", "1700000000000"]);
    let bound = || prop::sample::select(vec!["-inf", "+inf", "(0", "2.5", "7", "(7"]);
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let command = prop_oneof![
        field().prop_map(move |f| words(&["HGET", "h", f])),
        (field(), field()).prop_map(move |(f, v)| words(&["HSET", "h", f, v])),
        (field(), field()).prop_map(move |(f, v)| words(&["HSETNX", "h", f, v])),
        field().prop_map(move |f| words(&["HDEL", "h", f])),
        prop::sample::select(vec!["HLEN", "HVALS"]).prop_map(move |c| words(&[c, "one"])),
        field().prop_map(move |v| words(&["HSET", "one", "a", v])),
        Just(words(&["HLEN", "h"])),
        field().prop_map(move |f| words(&["HINCRBY", "counts", f, "2"])),
        (score(), field()).prop_map(move |(s, m)| words(&["ZADD", "z", s, m])),
        field().prop_map(move |m| words(&["ZREM", "z", m])),
        field().prop_map(move |m| words(&["ZSCORE", "z", m])),
        (bound(), bound()).prop_map(move |(a, b)| words(&["ZCOUNT", "z", a, b])),
        (bound(), bound()).prop_map(move |(a, b)| words(&["ZRANGEBYSCORE", "z", a, b])),
        (bound(), bound()).prop_map(move |(a, b)| words(&[
            "ZRANGEBYSCORE",
            "z",
            a,
            b,
            "LIMIT",
            "0",
            "2"
        ])),
        (field(), field()).prop_map(move |(a, b)| {
            let (from, to) = (format!("[{a}"), format!("[{b}\u{10ffff}"));
            words(&["ZRANGEBYLEX", "even", &from, &to, "LIMIT", "0", "2"])
        }),
        (field(), field()).prop_map(move |(a, b)| {
            let (from, to) = (format!("[{a}"), format!("[{b}\u{10ffff}"));
            words(&["ZREVRANGEBYLEX", "even", &to, &from, "LIMIT", "0", "1"])
        }),
        (field(), field()).prop_map(move |(a, b)| {
            let (from, to) = (format!("[{a}"), format!("[{b}\u{10ffff}"));
            words(&["ZLEXCOUNT", "even", &from, &to])
        }),
        field().prop_map(move |m| words(&["ZADD", "even", "0", m])),
        Just(words(&["ZRANGE", "z", "0", "0", "WITHSCORES"])),
        prop::sample::select(vec!["h", "z", "even", "counts"]).prop_flat_map(
            move |key| prop_oneof![
                Just(words(&["EXISTS", key])),
                Just(words(&["DEL", key])),
                Just(words(&["PTTL", key])),
            ]
        ),
    ];
    prop::collection::vec(command, 1..60)
}

/// The answer in the words of the real one's.
fn value_of(reply: &Reply) -> Value {
    match reply {
        Reply::Nil | Reply::Published { .. } => Value::Nil,
        Reply::Int(number) => Value::Int(*number),
        Reply::Text(text) => Value::BulkString(text.clone()),
        Reply::List(list) => Value::Array(list.iter().map(value_of).collect()),
    }
}

#[test]
fn any_commands_are_answered_as_redis_answers() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, redis) = runtime.block_on(async {
        let server = RedisServer::start().await;
        let url = RedisUrl::parse(&server.url()).unwrap();
        let settings = Settings::with_overrides("").unwrap().redis;
        let redis = Redis::connect(&url, &settings, Clock::start(), Box::new(|_| {}));
        redis.up().await;
        (server, redis)
    });
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(100)
    };
    TestRunner::new(config)
        .run(&commands(), |commands| {
            let mut data = Data::default();
            let flush = redis::cmd("FLUSHALL");
            let flushed: Result<String, _> = runtime.block_on(redis.query("test", &flush));
            flushed.unwrap();
            for words in commands {
                let mut command = redis::cmd(&words[0]);
                command.arg(&words[1..]);
                let real: Value = runtime.block_on(redis.query("test", &command)).unwrap();
                let texts: Vec<Text> = words.iter().map(|word| word.clone().into_bytes()).collect();
                let ours = data.run(0, &texts).unwrap();
                prop_assert_eq!(value_of(&ours), real, "{:?}", words);
            }
            Ok(())
        })
        .unwrap();
    drop(server);
}
