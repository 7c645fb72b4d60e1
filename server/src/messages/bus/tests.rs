//! Two nodes, on a real cluster, where channels belong to shards, and where the order of what happens
//! within one matters. What else whole servers do on a single Redis is among the behaviour tests.

use std::time::Duration;

use chat_protocol::message::{Message, Sender};
use tokio::sync::{Mutex, mpsc};
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::clock::WallTime;
use crate::config::Settings;
use crate::messages::{Accepted, Entry, MessageStore as _, Owner, RedisMessageStore};
use crate::presence::MemoryPresenceStore;
use crate::redis::RedisUrl;
use crate::redis_cluster::{RedisCluster, ask, say};
use crate::redis_server::RedisServer;

/// Rooms of a tenant that write down what they are told.
struct Recorded(mpsc::UnboundedSender<String>);

impl Rooms for Recorded {
    fn tenants(&self) -> Vec<Arc<str>> {
        vec!["t".into()]
    }

    fn deliver(&self, said: &Said) {
        // The test may be over.
        let _sent = self.0.send(said.json.to_string());
    }

    fn resynchronise(&self, _: &str) -> usize {
        let _sent = self.0.send("gap".to_owned());
        0
    }
}

struct Node {
    name: NodeName,
    bus: Arc<Bus>,
    store: RedisMessageStore,
    presence: Arc<MemoryPresenceStore>,
    told: Mutex<mpsc::UnboundedReceiver<String>>,
    _running: AbortOnDropHandle<()>,
}

impl Node {
    async fn new(url: &str, number: u128) -> Self {
        let clock = Clock::start();
        let mut settings = Settings::with_overrides("").unwrap();
        settings.redis.probe_interval = Duration::from_millis(20);
        settings.redis.longest_retry = Duration::from_millis(50);
        let url = RedisUrl::parse(url).unwrap();
        let redis = Redis::connect(&url, &settings.redis, clock, Box::new(|_| {}));
        redis.up().await;
        let name = NodeName::of(Uuid::from_u128(number));
        let (tell, told) = mpsc::unbounded_channel();
        let metrics = Arc::new(Metrics::new());
        let rooms = Recorded(tell);
        let bus = Arc::new(Bus::on(
            &redis,
            name.clone(),
            clock,
            &settings,
            rooms,
            metrics,
        ));
        let store = RedisMessageStore::new(redis, settings.history, settings.jobs);
        let grace = Duration::ZERO;
        let announce = Box::new(|_: crate::presence::Announcement<'_>| {});
        let presence = MemoryPresenceStore::new(name.clone(), clock, grace, 1, announce);
        let presence = Arc::new(presence);
        let (runs, with) = (Arc::clone(&bus), Arc::clone(&presence));
        let running = tokio::spawn(async move { match runs.run(&*with).await {} });
        bus.ready().await;
        Self {
            name,
            bus,
            store,
            presence,
            told: Mutex::new(told),
            _running: AbortOnDropHandle::new(running),
        }
    }

    /// What happens when an agent says something on this node.
    async fn say(&self, text: &str, holders: Holders) {
        self.say_while(text, holders, std::future::ready(())).await;
    }

    /// The same, with something that happens after the store has counted who listens, and before the node
    /// has looked at that.
    async fn say_while(&self, text: &str, holders: Holders, meanwhile: impl Future<Output = ()>) {
        let id = Uuid::new_v4();
        let said = Said {
            id,
            conversation: Conversation {
                tenant: "t".into(),
                owner: Owner::User("ann".into()),
            },
            visitor: Visitor::Told,
            json: format!("{text:?}").into(),
        };
        let message = Message {
            id: id.to_string(),
            text: text.to_owned(),
            sender: Sender::Agent,
            timestamp: "2024-01-15T10:30:00.000Z".to_owned(),
            session_id: "s".to_owned(),
            user_id: "agent".to_owned(),
            tenant_id: "t".to_owned(),
            client_id: None,
        };
        let entry = Entry {
            conversation: &said.conversation,
            visitor: &said.visitor,
            message: &message,
            json: &said.json,
            at: WallTime::from_unix_seconds(1_705_314_600),
            job: None,
        };
        let hearing = self.bus.hearing("t");
        let Accepted::New(listeners) = self.store.accept(entry).await.unwrap() else {
            panic!("nobody said it before");
        };
        meanwhile.await;
        self.bus.deliver(&said);
        self.bus
            .pass_on(&*self.presence, &said, hearing, listeners, &holders)
            .await;
    }

    async fn hears(&self, expected: &[&str]) {
        let mut told = self.told.lock().await;
        for text in expected {
            assert_eq!(told.recv().await.unwrap(), format!("{text:?}"));
        }
    }
}

#[tokio::test]
async fn whoever_begins_to_listen_after_the_count_does_not_take_another_for_itself() {
    let redis = RedisServer::start().await;
    let here = Node::new(&redis.url(), 1).await;
    let there = Node::new(&redis.url(), 2).await;
    there.bus.listen("t").await;
    let listen = here.bus.listen("t");
    here.say_while("counted without this node", Holders::Here, listen)
        .await;
    here.say("counted with it", Holders::Here).await;
    there
        .hears(&["counted without this node", "counted with it"])
        .await;
}

#[tokio::test]
async fn on_a_cluster_messages_cross_shards_and_what_is_missed_is_caught_up_with() {
    let cluster = RedisCluster::start().await;
    let here = Node::new(&cluster.url(), 1).await;
    let there = Node::new(&cluster.url(), u128::MAX).await;
    let at = |node: &Node| Holders::Nodes(vec![node.name.clone()]);
    here.say("to the holder", at(&there)).await;
    there.bus.listen("t").await;
    here.say("to a listener", Holders::Here).await;
    here.say("to both in one", at(&there)).await;
    there.say("and back", at(&here)).await;
    let all = [
        "to the holder",
        "to a listener",
        "to both in one",
        "and back",
    ];
    there.hears(&all).await;
    here.hears(&all).await;

    for server in &cluster.servers {
        say(server, "ACL SETUSER default -ssubscribe").await;
        let _killed: usize = ask(server, "CLIENT KILL TYPE pubsub").await;
    }
    here.say("unheard", at(&there)).await;
    for server in &cluster.servers {
        say(server, "ACL SETUSER default +ssubscribe").await;
    }
    here.hears(&["unheard"]).await;
    there.hears(&["unheard"]).await;
    here.say("heard", at(&there)).await;
    there.hears(&["heard"]).await;
}
