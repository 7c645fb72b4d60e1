//! The list of conversations on a real Redis: what it leaves there, and what becomes of it when the stream
//! refuses a message.

use super::*;
use crate::messages::listing::rank;

const VISITORS: &str = "{chat:42}:visitors";

impl Case {
    /// Somebody says something in the conversation of one session.
    async fn say_through(&self, session: &str, sender: Sender, at: WallTime) {
        let conversation = Conversation {
            tenant: "42".into(),
            owner: Owner::Session(session.into()),
        };
        let message = Message {
            id: session.to_owned(),
            text: session.to_owned(),
            sender,
            timestamp: at.to_iso(),
            session_id: session.to_owned(),
            user_id: "u".to_owned(),
            tenant_id: "42".to_owned(),
            client_id: None,
        };
        let json: Arc<str> = serde_json::to_string(&message).unwrap().into();
        let entry = Entry {
            conversation: &conversation,
            visitor: "anonymous-v",
            message: &message,
            json: &json,
            at,
            job: None,
        };
        self.store.accept(entry).await.unwrap();
    }

    /// The last messages of what is listed.
    async fn listed(&self) -> Vec<String> {
        let listing = self.store.conversations("42", None, 10).await.unwrap();
        let text = |listed: &crate::messages::listing::Listed| {
            serde_json::from_str::<Message>(&listed.last).unwrap().text
        };
        listing.conversations.iter().map(text).collect()
    }

    async fn refuse_jobs(&mut self) {
        let _other: () = self.ask(&["SET", STREAM, "not a stream"]).await;
    }
}

#[tokio::test]
async fn the_list_and_its_visitors_expire_and_have_the_tenants_tag() {
    let mut case = Case::new().await;
    let now = Clock::start().wall();
    case.say_through("s", Sender::Agent, now).await;
    let keys = case.server.keys().await;
    let history = "{chat:42}:history:session:s";
    assert_eq!(keys, [LIST, history, LOG, SESSION_KEY, VISITORS]);
    for key in [LIST, VISITORS] {
        let left: i64 = case.ask(&["PTTL", key]).await;
        assert!((1..=86_400_000).contains(&left), "{key}: {left}");
    }
    // A proven user's conversation says itself who its visitor is.
    case.say(Sender::User, "a").await.unwrap();
    let visitors: Vec<String> = case.ask(&["HVALS", VISITORS]).await;
    assert_eq!(visitors, ["anonymous-v"]);
}

#[tokio::test]
async fn what_has_expired_makes_room_when_a_conversation_begins() {
    let mut case = Case::new().await;
    let now = Clock::start().wall();
    let expiry = Duration::from_hours(24);
    let (second, half) = (Duration::from_secs(1), expiry / 2);
    for (session, before) in [
        ("older", expiry + 2 * second),
        ("old", expiry + second),
        ("young", half),
    ] {
        case.say_through(session, Sender::User, now.before(before))
            .await;
    }
    let owners: Vec<String> = case.ask(&["ZRANGE", LIST, "0", "-1"]).await;
    assert_eq!(owners, ["session:older", "session:old", "session:young"]);
    case.say_through("new", Sender::User, now).await;
    let owners: Vec<String> = case.ask(&["ZRANGE", LIST, "0", "-1"]).await;
    assert_eq!(owners, ["session:young", "session:new"]);
    let mut visitors: Vec<String> = case.ask(&["HKEYS", VISITORS]).await;
    visitors.sort();
    assert_eq!(visitors, ["session:new", "session:young"]);
}

#[tokio::test]
async fn a_conversation_whose_history_is_gone_is_passed_over() {
    let mut case = Case::new().await;
    for (session, second) in ["a", "b", "c", "d"].into_iter().zip(1..) {
        let at = WallTime::from_unix_seconds(1_705_314_600 + second);
        case.say_through(session, Sender::User, at).await;
    }
    for session in ["b", "d"] {
        let key = format!("{{chat:42}}:history:session:{session}");
        let _gone: u64 = case.ask(&["DEL", &key]).await;
    }
    assert_eq!(case.listed().await, ["c", "a"]);
    let first = case.store.conversations("42", None, 1).await.unwrap();
    assert_eq!(first.conversations.len(), 1);
    let place = first.next.unwrap();
    let rest = case.store.conversations("42", Some(&place), 1).await;
    let rest = rest.unwrap();
    assert_eq!((rest.conversations.len(), rest.next), (1, None));
}

#[tokio::test]
async fn what_the_stream_refuses_is_not_listed_either() {
    let mut case = Case::new().await;
    case.refuse_jobs().await;
    case.say(Sender::User, "refused").await.unwrap_err();
    assert_eq!(case.listed().await, [""; 0]);
    assert_eq!(case.server.keys().await, [STREAM, LOG, SESSION_KEY]);

    let _gone: u64 = case.ask(&["DEL", STREAM]).await;
    case.say(Sender::User, "first").await.unwrap();
    let before: u64 = case.ask(&["ZSCORE", LIST, "user:ann"]).await;
    let history: Vec<String> = case.ask(&["LRANGE", HISTORY, "0", "-1"]).await;
    let first: Message = serde_json::from_str(&history[0]).unwrap();
    assert_eq!(before, rank(&first.timestamp));
    let _moved: () = case.ask(&["RENAME", STREAM, "elsewhere"]).await;
    case.refuse_jobs().await;
    // Another millisecond, so that there is something to put back.
    while Clock::start().wall().to_iso() == first.timestamp {
        tokio::task::yield_now().await;
    }
    case.say(Sender::User, "refused").await.unwrap_err();
    assert_eq!(case.listed().await, ["first"]);
    let after: u64 = case.ask(&["ZSCORE", LIST, "user:ann"]).await;
    assert_eq!(after, before, "where it stood");
}

#[tokio::test]
async fn what_is_taken_back_brings_no_conversation_back_that_made_room() {
    let mut case = Case::with(|settings| settings.history.conversations_listed = 1).await;
    case.say(Sender::User, "first").await.unwrap();
    let log: Vec<(String, Vec<String>)> = case.ask(&["XRANGE", LOG, "-", "+"]).await;
    let later = WallTime::from_unix_millis(Clock::start().wall().unix_millis() + 1000);
    case.say_through("s", Sender::Agent, later).await;
    case.retract("first", &log[0].0).await;
    assert_eq!(case.listed().await, ["s"]);
    let owners: Vec<String> = case.ask(&["ZRANGE", LIST, "0", "-1"]).await;
    assert_eq!(owners, ["session:s"]);
}

#[tokio::test]
async fn while_redis_is_away_there_is_no_list_rather_than_an_empty_one() {
    let mut case = Case::new().await;
    case.say(Sender::User, "a").await.unwrap();
    case.server.kill();
    case.store.redis.down().await;
    case.store.conversations("42", None, 10).await.unwrap_err();
    let own = Conversation {
        tenant: "42".into(),
        owner: Owner::Session("s".into()),
    };
    case.store.visitor(&own).await.unwrap_err();
}
