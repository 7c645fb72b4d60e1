//! On a real Redis: the duties of a store, what it leaves there, and what happens when Redis says no.

#[path = "tests/list.rs"]
mod list;

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{FromRedisValue, cmd};
use chat_protocol::message::{Message, Sender};

use super::*;
use crate::clock::Clock;
use crate::config::{Settings, settings};
use crate::messages::conformance;
use crate::redis::RedisUrl;
use crate::redis_cluster::RedisCluster;
use crate::redis_server::RedisServer;

struct Case {
    server: RedisServer,
    store: RedisMessageStore,
    /// Another program's connection.
    outside: MultiplexedConnection,
}

impl Case {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let server = RedisServer::start().await;
        let mut settings = Settings::with_overrides("").unwrap();
        change(&mut settings);
        let redis = connect(&server, &settings.redis).await;
        Self {
            outside: server.client().await,
            store: RedisMessageStore::new(redis, settings.history, settings.jobs),
            server,
        }
    }

    async fn say(&self, sender: Sender, text: &str) -> Result<Accepted, StoreError> {
        self.say_named(sender, text, None).await
    }

    /// Says something by its name. The name is the id, too.
    async fn try_to_say(&self, name: &str) -> Result<Accepted, StoreError> {
        self.say_named(Sender::User, name, Some(name)).await
    }

    async fn say_named(
        &self,
        sender: Sender,
        text: &str,
        name: Option<&str>,
    ) -> Result<Accepted, StoreError> {
        self.with_entry(sender, text, name, async |entry| {
            self.store.accept(entry).await
        })
        .await
    }

    /// What an attempt to say it does at last that the stream has refused.
    async fn retract(&self, name: &str, in_log: &str) {
        self.with_entry(Sender::User, name, Some(name), async |entry| {
            self.store.retract(&entry, in_log).await;
        })
        .await;
    }

    async fn with_entry<T>(
        &self,
        sender: Sender,
        text: &str,
        name: Option<&str>,
        work: impl AsyncFnOnce(Entry<'_>) -> T,
    ) -> T {
        let at = Clock::start().wall();
        let message = Message {
            id: text.to_owned(),
            text: text.to_owned(),
            sender,
            timestamp: at.to_iso(),
            session_id: "s".to_owned(),
            user_id: "ann".to_owned(),
            tenant_id: "42".to_owned(),
            client_id: name.map(str::to_owned),
        };
        let json: Arc<str> = serde_json::to_string(&message).unwrap().into();
        let job = Job {
            site_id: None,
            domain: None,
        };
        let entry = Entry {
            conversation: &conversation(),
            visitor: &Visitor::Told,
            message: &message,
            json: &json,
            at,
            job: (sender == Sender::User).then_some(job),
        };
        work(entry).await
    }

    async fn said(&self) -> Vec<String> {
        let history = self.store.history(&conversation()).await.unwrap();
        let text = |json: &Arc<str>| serde_json::from_str::<Message>(json).unwrap().text;
        history.iter().map(text).collect()
    }

    async fn ask<T: FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query_async(&mut self.outside).await.unwrap()
    }

    /// The receipt as it stands in Redis.
    async fn score(&mut self, name: &str) -> Option<u64> {
        self.ask(&["ZSCORE", RECEIPTS, name]).await
    }

    /// Waits until the stream is known to have it.
    async fn settled(&mut self, name: &str) -> WallTime {
        loop {
            let now = Clock::start().wall();
            if let Some(at) = self.store.receipt("42", name, now).await.unwrap() {
                return at;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn jobs(&mut self) -> usize {
        self.ask(&["XLEN", STREAM]).await
    }
}

async fn connect(server: &RedisServer, settings: &settings::Redis) -> Redis {
    let url = RedisUrl::parse(&server.url()).unwrap();
    let redis = Redis::connect(&url, settings, Clock::start(), Box::new(|_| {}));
    redis.up().await;
    redis
}

fn conversation() -> Conversation {
    Conversation {
        tenant: "42".into(),
        owner: Owner::User("ann".into()),
    }
}

const HISTORY: &str = "{chat:42}:history:user:ann";
const LIST: &str = "{chat:42}:conversations";
const LOG: &str = "{chat:42}:recent";
const RECEIPTS: &str = "{chat:42}:receipts";
const SESSION_KEY: &str = "{chat:42}:session:s";

#[tokio::test]
async fn the_redis_store_keeps_the_duties() {
    let server = RedisServer::start().await;
    let settings = Settings::with_overrides("").unwrap();
    let redis = connect(&server, &settings.redis).await;
    let outside = server.client().await;
    conformance::run(async |limits| {
        // Also a script that Redis has forgotten is none that the store cannot run.
        let _emptied: () = cmd("FLUSHALL")
            .query_async(&mut outside.clone())
            .await
            .unwrap();
        let _forgotten: () = cmd("SCRIPT")
            .arg("FLUSH")
            .query_async(&mut outside.clone())
            .await
            .unwrap();
        Arc::new(RedisMessageStore::new(
            redis.clone(),
            limits,
            settings.jobs.clone(),
        ))
    })
    .await;
}

#[tokio::test]
async fn all_but_the_stream_expires_and_has_the_tenants_tag() {
    let mut case = Case::new().await;
    case.say(Sender::User, "a").await.unwrap();
    let keys = case.server.keys().await;
    assert_eq!(keys, [STREAM, LIST, HISTORY, LOG, SESSION_KEY]);
    let day = Duration::from_hours(24).as_millis();
    for key in [HISTORY, SESSION_KEY, LIST] {
        let left: i64 = case.ask(&["PTTL", key]).await;
        assert!(
            (1..=day).contains(&u128::try_from(left).unwrap()),
            "{key}: {left}"
        );
    }
    let left: i64 = case.ask(&["PTTL", LOG]).await;
    assert!((1..=3_600_000).contains(&left), "{left}");
    let forever: i64 = case.ask(&["PTTL", STREAM]).await;
    assert_eq!(forever, -1);
}

#[tokio::test]
async fn receipts_expire_too_and_are_only_for_what_has_a_name() {
    let mut case = Case::new().await;
    case.try_to_say("a").await.unwrap();
    let keys = case.server.keys().await;
    assert_eq!(keys, [STREAM, LIST, HISTORY, RECEIPTS, LOG, SESSION_KEY]);
    let left: i64 = case.ask(&["PTTL", RECEIPTS]).await;
    assert!((1..=3_600_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_receipt_is_provisional_until_the_stream_has_the_message() {
    let mut case = Case::new().await;
    let Accepted::New(_) = case.try_to_say("a").await.unwrap() else {
        panic!("nobody said it before");
    };
    let first = case.settled("a").await;
    // As a node leaves it that dies between the two.
    let provisional = 2 * first.unix_millis() + 1;
    let _changed: u64 = case
        .ask(&["ZADD", RECEIPTS, &provisional.to_string(), "a"])
        .await;
    let found = case.store.receipt("42", "a", first).await.unwrap();
    assert_eq!(found, None);
    let resumed = case.try_to_say("a").await.unwrap();
    let listeners = Listeners::Counted(0);
    assert_eq!(resumed, Accepted::Resumed { first, listeners });
    assert_eq!(case.settled("a").await, first);
    assert_eq!(case.said().await, ["a"], "once in the history");
    let logged: usize = case.ask(&["XLEN", LOG]).await;
    assert_eq!(logged, 1, "and in the log");
    assert_eq!(case.jobs().await, 2, "for the workers, rather than never");
}

#[tokio::test]
async fn what_the_stream_refuses_has_no_receipt_and_may_be_sent_again() {
    let mut case = Case::new().await;
    let _other: () = case.ask(&["SET", STREAM, "not a stream"]).await;
    case.try_to_say("a").await.unwrap_err();
    assert_eq!(case.score("a").await, None);
    let _gone: u64 = case.ask(&["DEL", STREAM]).await;
    let again = case.try_to_say("a").await.unwrap();
    assert_eq!(again, Accepted::New(Listeners::Counted(0)));
    assert_eq!(
        (case.said().await, case.jobs().await),
        (vec!["a".to_owned()], 1)
    );
}

#[tokio::test]
async fn an_attempt_that_fails_takes_nothing_of_another_one_back() {
    let mut case = Case::new().await;
    case.try_to_say("a").await.unwrap();
    let first = case.settled("a").await;
    let _moved: () = case.ask(&["RENAME", STREAM, "elsewhere"]).await;
    let _other: () = case.ask(&["SET", STREAM, "not a stream"]).await;
    case.try_to_say("a").await.unwrap_err();
    assert_eq!(case.settled("a").await, first);
    assert_eq!(case.said().await, ["a"]);
}

/// The stream may be slow for one node and not for another; where a cluster keeps it elsewhere, also while the
/// history is not.
#[tokio::test]
async fn an_attempt_that_fails_late_does_not_take_back_what_another_has_brought_to_the_workers() {
    let mut case = Case::new().await;
    case.try_to_say("a").await.unwrap();
    case.settled("a").await;
    let entries: Vec<(String, Vec<String>)> = case.ask(&["XRANGE", LOG, "-", "+"]).await;
    let in_log = entries[0].0.clone();
    case.retract("a", &in_log).await;
    assert_eq!(case.said().await, ["a"]);
    let logged: usize = case.ask(&["XLEN", LOG]).await;
    assert_eq!(logged, 1);
    let now = Clock::start().wall();
    let receipt = case.store.receipt("42", "a", now).await.unwrap();
    assert!(receipt.is_some(), "a third attempt is none");
}

#[tokio::test]
async fn on_a_cluster_a_tenants_receipts_and_list_are_where_its_history_is() {
    let cluster = RedisCluster::start().await;
    let settings = Settings::with_overrides("").unwrap();
    let url = RedisUrl::parse(&cluster.url()).unwrap();
    let redis = Redis::connect(&url, &settings.redis, Clock::start(), Box::new(|_| {}));
    while redis.health().is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let store = RedisMessageStore::new(redis, settings.history, settings.jobs);
    // On every shard some, and the stream on one.
    for tenant in ["1", "2", "3", "4", "5", "6"] {
        conformance::a_named_message_is_kept_once(&store, tenant).await;
        let listing = store.conversations(tenant, None, 10).await.unwrap();
        assert_eq!(listing.conversations.len(), 1, "{tenant}");
    }
}

#[tokio::test]
async fn whatever_happens_in_a_conversation_makes_it_last_again() {
    let mut case = Case::new().await;
    case.say(Sender::User, "a").await.unwrap();
    for key in [HISTORY, SESSION_KEY, LIST] {
        let _shortened: i64 = case.ask(&["PEXPIRE", key, "60000"]).await;
    }
    case.say(Sender::Agent, "b").await.unwrap();
    for key in [HISTORY, SESSION_KEY, LIST] {
        let left: i64 = case.ask(&["PTTL", key]).await;
        assert!(left > 60_000, "{key}: {left}");
    }
}

#[tokio::test]
async fn what_staff_say_is_nobodys_job() {
    let mut case = Case::new().await;
    case.say(Sender::Agent, "a").await.unwrap();
    case.say(Sender::Bot, "b").await.unwrap();
    assert_eq!(case.jobs().await, 0);
    assert_eq!(case.said().await, ["a", "b"]);
}

#[tokio::test]
async fn a_message_counts_who_listens_to_its_tenant() {
    let case = Case::new().await;
    assert_eq!(
        case.say(Sender::User, "a").await.unwrap(),
        Accepted::New(Listeners::Counted(0))
    );
    let (hear, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let subscriber = case.store.redis.subscriber(move |_| {
        // The test may be over.
        let _sent = hear.send(());
    });
    for channel in ["{chat:42}:messages", "{chat:4}:messages"] {
        subscriber.add(channel);
        heard.recv().await.unwrap();
    }
    for sender in [Sender::User, Sender::Agent] {
        assert_eq!(
            case.say(sender, "b").await.unwrap(),
            Accepted::New(Listeners::Counted(1)),
            "to this tenant"
        );
    }
}

#[tokio::test]
async fn the_log_is_bounded() {
    let mut case = Case::with(|settings| settings.history.recent_messages = 100).await;
    for index in 0..350 {
        case.say(Sender::Agent, &index.to_string()).await.unwrap();
    }
    let kept: usize = case.ask(&["XLEN", LOG]).await;
    assert!((100..=200).contains(&kept), "{kept}");
}

#[tokio::test]
async fn without_a_history_there_are_jobs_and_replies_all_the_same() {
    let mut case = Case::with(|settings| settings.history.messages_per_conversation = 0).await;
    case.say(Sender::User, "a").await.unwrap();
    assert!(case.said().await.is_empty());
    assert_eq!(case.jobs().await, 1);
    let found = case.store.session("42", "s").await.unwrap();
    assert_eq!(found, Some(conversation()));
}

#[tokio::test]
async fn the_stream_is_trimmed_if_the_operator_says_so() {
    let mut case = Case::with(|settings| settings.jobs.stream_maxlen = 100).await;
    for index in 0..350 {
        case.say(Sender::User, &index.to_string()).await.unwrap();
    }
    // Redis drops whole blocks of a hundred entries.
    let kept = case.jobs().await;
    assert!((100..=200).contains(&kept), "{kept}");
    let last: Vec<(String, Vec<String>)> = case
        .ask(&["XREVRANGE", STREAM, "+", "-", "COUNT", "1"])
        .await;
    assert!(last[0].1[7].contains(r#""messageId":"349""#), "{last:?}");
}

#[tokio::test]
async fn what_the_stream_refuses_is_in_no_history() {
    let mut case = Case::new().await;
    case.say(Sender::User, "a").await.unwrap();
    let _moved: () = case.ask(&["RENAME", STREAM, "elsewhere"]).await;
    let _other: () = case.ask(&["SET", STREAM, "not a stream"]).await;
    case.say(Sender::User, "b").await.unwrap_err();
    assert_eq!(case.said().await, ["a"]);
    let _back: () = case.ask(&["RENAME", "elsewhere", STREAM]).await;
    case.say(Sender::User, "c").await.unwrap();
    assert_eq!(case.said().await, ["a", "c"]);
    assert_eq!(case.jobs().await, 2);
    let logged: usize = case.ask(&["XLEN", LOG]).await;
    assert_eq!(logged, 2, "nor in the log");
}

#[tokio::test]
async fn what_the_stream_has_is_accepted_even_if_the_history_has_it_not() {
    let mut case = Case::new().await;
    let _other: () = case.ask(&["SET", HISTORY, "not a list"]).await;
    case.say(Sender::User, "a").await.unwrap();
    assert_eq!(case.jobs().await, 1);
    case.say(Sender::Agent, "b").await.unwrap_err();
}

#[tokio::test]
async fn while_redis_is_away_nothing_is_accepted_and_afterwards_all_is_again() {
    let mut case = Case::new().await;
    case.say(Sender::User, "a").await.unwrap();
    case.server.kill();
    case.store.redis.down().await;
    case.say(Sender::User, "b").await.unwrap_err();
    case.say(Sender::Agent, "c").await.unwrap_err();
    case.store.history(&conversation()).await.unwrap_err();
    case.store.session("42", "s").await.unwrap_err();
    case.store
        .open_session("s", &conversation())
        .await
        .unwrap_err();
    case.server.revive().await;
    case.store.redis.up().await;
    case.say(Sender::User, "d").await.unwrap();
    assert_eq!(case.said().await, ["d"], "this Redis came back empty");
}

#[tokio::test]
async fn a_redis_that_does_not_answer_in_time_has_not_accepted() {
    let case = Case::new().await;
    case.server.freeze();
    case.say(Sender::User, "a").await.unwrap_err();
    case.server.thaw();
    case.store.redis.up().await;
    while case.say(Sender::User, "b").await.is_err() {
        case.store.redis.up().await;
    }
    assert_eq!(case.said().await.last().map(String::as_str), Some("b"));
}
