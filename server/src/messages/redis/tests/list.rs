//! The list of conversations on a real Redis: what it leaves there, and what becomes of it when the stream
//! refuses a message.

use super::*;
use crate::messages::MemoryMessageStore;
use crate::messages::listing::{Listing, rank, summary_json};

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
        let visitor = match sender {
            Sender::Agent => Visitor::Named("anonymous-v".into()),
            Sender::User | Sender::Bot => Visitor::Told,
        };
        let entry = Entry {
            conversation: &conversation,
            visitor: &visitor,
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
        case.say_through(session, Sender::Agent, now.before(before))
            .await;
    }
    let owners: Vec<String> = case.ask(&["ZRANGE", LIST, "0", "-1"]).await;
    assert_eq!(owners, ["session:older", "session:old", "session:young"]);
    case.say_through("new", Sender::Agent, now).await;
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

/// Numbers that look like chance, and are the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// What a desk sees of a list.
async fn seen(store: &impl MessageStore, limit: usize) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let part = store.conversations("42", after.as_ref(), limit).await;
        let Listing {
            conversations,
            next,
        } = part.unwrap();
        for listed in conversations {
            let visitor = listed.visitor.as_deref();
            seen.push(summary_json(&listed.owner, visitor, &listed.last).unwrap());
        }
        after = next;
        if after.is_none() {
            return seen;
        }
    }
}

/// Somebody says something at about that time in one of a few conversations.
fn something(dice: &mut Dice, number: u64) -> (Conversation, Message, WallTime) {
    let session = format!("s{}", dice.below(12));
    let name: Arc<str> = session.as_str().into();
    let owner = match dice.below(3) {
        0 => Owner::User(name),
        _ => Owner::Session(name),
    };
    let (sender, author) = match dice.below(4) {
        0 => (Sender::Agent, "agent".to_owned()),
        1 => (Sender::Bot, "bot".to_owned()),
        // Over HTTP one may be called otherwise each time.
        _ => (Sender::User, format!("anonymous-{}", dice.below(3))),
    };
    let at = WallTime::from_unix_millis(1_705_314_600_000 + number / 2 + dice.below(5));
    let message = Message {
        id: number.to_string(),
        text: number.to_string(),
        sender,
        timestamp: at.to_iso(),
        session_id: session,
        user_id: author,
        tenant_id: "42".to_owned(),
        client_id: None,
    };
    let tenant = "42".into();
    (Conversation { tenant, owner }, message, at)
}

/// What the stream refuses leaves nothing behind.
#[tokio::test]
async fn both_stores_list_the_same_whatever_is_said() {
    let mut case = Case::new().await;
    let settings = Settings::with_overrides("").unwrap();
    let memory = MemoryMessageStore::new(Clock::start(), settings.history);
    let mut dice = Dice(7);
    for number in 0..400 {
        let (conversation, message, at) = something(&mut dice, number);
        let visitor = case.store.visitor(&conversation).await.unwrap();
        assert_eq!(visitor, memory.visitor(&conversation).await.unwrap());
        let visitor = visitor.unwrap_or_else(|| Visitor::Named("anonymous-9".into()));
        let is_visitors = message.sender == Sender::User;
        let visitor = match (is_visitors, dice.below(4)) {
            // Staff say it to nobody.
            (true, 0) => Visitor::Nobody,
            (true, _) => Visitor::Told,
            (false, _) => visitor,
        };
        let json: Arc<str> = serde_json::to_string(&message).unwrap().into();
        let entry = Entry {
            conversation: &conversation,
            visitor: &visitor,
            message: &message,
            json: &json,
            at,
            job: is_visitors.then_some(Job {
                site_id: None,
                domain: None,
            }),
        };
        if is_visitors && dice.below(4) == 0 {
            case.refuse_jobs().await;
            case.store.accept(entry).await.unwrap_err();
            let _gone: u64 = case.ask(&["DEL", STREAM]).await;
        } else {
            case.store.accept(entry).await.unwrap();
            memory.accept(entry).await.unwrap();
        }
        let limit = usize::try_from(dice.below(7)).unwrap() + 1;
        let in_memory = seen(&memory, limit).await;
        assert_eq!(seen(&case.store, limit).await, in_memory, "{number}");
    }
}
