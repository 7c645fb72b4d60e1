//! In which minutes nodes were there to count, whomever there was to be counted.
//!
//! A tenant with neither visitors nor dashboards is nobody's business, and nobody counts it. In a minute in which
//! there were nodes that says as much as a count: nobody was online. One key for all tenants remembers those minutes,
//! and each node adds to it by itself.
//!
//! What must stay true: a minute is noted only if whoever was online in it has been counted there. So a node notes
//! one in which it has been in touch with all of Redis for longer than a tick, in which others that were in touch, too,
//! have counted those whom they hold. Where a lease is so long that its ticks are further apart, a count is believed
//! for as long as the lease anyway. What a part of a cluster loses of its counts, or an operator purges, while this key
//! stays, looks as if nobody had been online.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::from_redis_value;

use super::remote::Remote;
use crate::clock::millis;
use crate::error::StoreError;
use crate::presence::Sample;
use crate::presence::census::MINUTE;
use crate::redis::script::Script;

/// How often a node looks at the minute. Longer than a tick of any lease of less than a minute.
const PERIOD: Duration = Duration::from_secs(15);

/// What is noted, for all tenants.
pub(super) const KEY: &str = "chat:presence:counts";

/// The way to the noted minutes.
pub(super) struct Roll<R> {
    remote: Arc<R>,
    script: Script,
}

/// What a look at the minute says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The number of the present minute.
    pub(super) minute: u64,
    /// The numbers of those that are noted.
    pub(super) noted: BTreeSet<u64>,
}

impl<R: Remote> Roll<R> {
    pub(super) fn new(remote: Arc<R>) -> Self {
        Self {
            remote,
            script: Script::new(include_str!("roll.lua")),
        }
    }

    /// Looks at the minute, and notes it if the node was in touch since it looked `before`, in the same minute. The
    /// time is Redis's own if it is zero.
    pub(super) async fn look(
        &self,
        now: Duration,
        before: Option<u64>,
    ) -> Result<Look, StoreError> {
        let mut call = self.script.call();
        call.key(KEY)
            .arg(millis(now))
            .arg(before.map_or_else(String::new, |minute| minute.to_string()));
        let answer = self.remote.run("call the roll", &call).await?;
        let answer: Vec<u64> = from_redis_value(answer).map_err(StoreError::new)?;
        let [minute, noted @ ..] = answer.as_slice() else {
            return Err(StoreError::new("an answer is too short"));
        };
        Ok(Look {
            minute: *minute,
            noted: noted.iter().copied().collect(),
        })
    }

    /// The minutes that are noted; none if it cannot be found out now.
    pub(super) async fn noted(&self) -> BTreeSet<u64> {
        match self.look(Duration::ZERO, None).await {
            Ok(look) => look.noted,
            Err(error) => {
                tracing::debug!(%error, "it is not known when nodes were there to count");
                BTreeSet::new()
            }
        }
    }

    /// Notes the minutes in which this node is there, for ever.
    pub(super) async fn run(&self) -> Infallible {
        loop {
            let connection = self.remote.up().await;
            tokio::select! {
                never = self.note() => match never {},
                () = self.remote.lost(connection) => {}
            }
        }
    }

    /// As long as the connection lasts.
    async fn note(&self) -> Infallible {
        let mut before = None;
        loop {
            before = if self.remote.is_whole() {
                // An error is the connection's, which has been logged.
                let look = self.look(Duration::ZERO, before).await.ok();
                look.map(|look| look.minute)
            } else {
                None
            };
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// A tenant's minutes: in those that are noted nobody was online if nobody was counted.
pub(super) fn complete(samples: Vec<Sample>, noted: &BTreeSet<u64>) -> Vec<Sample> {
    let complete = |sample: Sample| {
        if noted.contains(&(sample.at / MINUTE)) {
            sample.complete()
        } else {
            sample
        }
    };
    samples.into_iter().map(complete).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use parking_lot::Mutex;
    use redis::Value;
    use tokio::sync::watch;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::presence::census::Count;
    use crate::redis::script::Call;
    use crate::redis::{Heard, Redis, RedisUrl};
    use crate::redis_server::RedisServer;

    const BEGINNING: u64 = 28_400_000;

    fn second(minute: u64, second: u64) -> Duration {
        Duration::from_secs((BEGINNING + minute) * 60 + second)
    }

    #[tokio::test]
    async fn a_minute_is_noted_by_who_has_been_in_touch_within_it() {
        let mut server = RedisServer::start().await;
        let settings = Settings::with_overrides("").unwrap();
        let url = RedisUrl::parse(&server.url()).unwrap();
        let redis = Redis::connect(&url, &settings.redis, Clock::start(), Box::new(|_| {}));
        redis.up().await;
        let roll = Roll::new(Arc::new(redis.clone()));
        let mut before = None;
        for (minute, at) in [
            (0, 50),
            (1, 5),
            (1, 20),
            (1, 35),
            (2, 2),
            (64, 3),
            (65, 2),
            (65, 20),
        ] {
            let look = roll.look(second(minute, at), before).await.unwrap();
            assert_eq!(look.minute, BEGINNING + minute);
            before = Some(look.minute);
        }
        // Another node begins.
        roll.look(second(66, 0), None).await.unwrap();
        let noted = roll.noted().await;
        assert_eq!(
            noted,
            BTreeSet::from([BEGINNING + 65]),
            "in the place of minute 1"
        );
        let mut left = redis::cmd("PTTL");
        left.arg(KEY);
        let left: u64 = redis.query("test", &left).await.unwrap();
        assert!((3_600_000..3_700_000).contains(&left), "{left}");
        server.kill();
        redis.down().await;
        assert_eq!(roll.noted().await, BTreeSet::new());
    }

    #[test]
    fn where_nodes_were_nobody_was_online_if_nobody_was_counted() {
        let counted = Count { online: 1, peak: 2 };
        let nobody = Count { online: 0, peak: 0 };
        let samples = [Some(counted), None, None, Some(counted)];
        let samples = samples
            .into_iter()
            .zip(BEGINNING..)
            .map(|(count, minute)| Sample {
                at: minute * MINUTE,
                count,
            });
        let noted = BTreeSet::from([BEGINNING, BEGINNING + 2]);
        let complete = complete(samples.collect(), &noted);
        let counts: Vec<_> = complete.iter().map(|sample| sample.count).collect();
        assert_eq!(counts, [Some(counted), None, Some(nobody), Some(counted)]);
    }

    /// A Redis in which it is always the same minute.
    struct Fake {
        connection: watch::Sender<u64>,
        is_whole: AtomicBool,
        /// What was said of the look before.
        asked: Mutex<Vec<String>>,
    }

    struct Deaf;

    impl super::super::Channels for Deaf {
        fn add(&self, _: &str) {}
        fn remove(&self, _: &str) {}
    }

    impl Remote for Fake {
        type Channels = Deaf;

        fn connection(&self) -> Option<u64> {
            Some(*self.connection.borrow())
        }

        fn is_whole(&self) -> bool {
            self.is_whole.load(Ordering::Relaxed)
        }

        async fn up(&self) -> u64 {
            *self.connection.borrow()
        }

        async fn lost(&self, connection: u64) {
            let mut now = self.connection.subscribe();
            now.wait_for(|now| *now != connection).await.unwrap();
        }

        async fn run(&self, _: &'static str, call: &Call) -> Result<Value, StoreError> {
            let before = String::from_utf8(call.args()[1].clone()).unwrap();
            self.asked.lock().push(before);
            Ok(Value::Array(vec![Value::BulkString(b"7".to_vec())]))
        }

        fn publish_command(&self) -> &'static str {
            "PUBLISH"
        }

        fn listen(&self, _: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Deaf {
            Deaf
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_noted_across_a_time_out_of_touch() {
        let fake = Arc::new(Fake {
            connection: watch::Sender::new(1),
            is_whole: AtomicBool::new(true),
            asked: Mutex::default(),
        });
        let roll = Roll::new(Arc::clone(&fake));
        let running = tokio::spawn(async move { roll.run().await });
        let asked_in = async |time: Duration| {
            tokio::time::sleep(time).await;
            std::mem::take(&mut *fake.asked.lock())
        };
        let moment = Duration::from_millis(1);
        assert_eq!(asked_in(2 * PERIOD + moment).await, ["", "7", "7"]);
        fake.is_whole.store(false, Ordering::Relaxed);
        assert_eq!(asked_in(PERIOD).await, [""; 0]);
        fake.is_whole.store(true, Ordering::Relaxed);
        assert_eq!(asked_in(2 * PERIOD).await, ["", "7"]);
        fake.connection.send_replace(2);
        assert_eq!(asked_in(PERIOD + moment).await, ["", "7"]);
        running.abort();
    }
}
