//! One suite for every [`MessageStore`]: each of the trait's duties, seen from outside.
//!
//! The factory makes a fresh, empty store with these limits. Nothing here sleeps for a fixed time;
//! what is to be forgotten is waited for.

mod list;

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::message::{Message, Sender};

use super::bus::Listeners;
use super::{Accepted, Conversation, Entry, Job, MessageStore, Owner, Visitor};
use crate::clock::WallTime;
use crate::config::Settings;
use crate::config::settings::History;

/// Longer than a test takes.
const LONG: Duration = Duration::from_hours(1);
const SHORT: Duration = Duration::from_millis(30);

/// Runs the suite.
pub(crate) async fn run<S: MessageStore>(new: impl AsyncFn(History) -> Arc<S>) {
    let limits = |messages_per_conversation, expiry| History {
        messages_per_conversation,
        expiry,
        ..Settings::with_overrides("").unwrap().history
    };
    let receipts = |receipts, receipt_expiry| History {
        receipts,
        receipt_expiry,
        ..limits(3, LONG)
    };
    let store = async || new(limits(3, LONG)).await;
    what_was_said_is_kept_in_order(&*store().await).await;
    only_the_latest_stay(&*store().await).await;
    conversations_apart(&*store().await).await;
    names_are_only_names(&*store().await).await;
    sessions_are_remembered(&*store().await).await;
    many_speak_at_once(&*new(limits(200, LONG)).await).await;
    a_named_message_is_kept_once(&*store().await, "t").await;
    receipts_apart(&*store().await).await;
    so_many_receipts_are_kept(&*new(receipts(3, LONG)).await).await;
    receipts_are_forgotten_in_time(&*new(receipts(3, SHORT)).await).await;
    all_is_forgotten_in_time(&*new(limits(3, SHORT)).await).await;
    list::run(&new).await;
}

fn of_session(tenant: &str, session: &str) -> Conversation {
    Conversation {
        tenant: tenant.into(),
        owner: Owner::Session(session.into()),
    }
}

fn of_user(tenant: &str, user: &str) -> Conversation {
    Conversation {
        tenant: tenant.into(),
        owner: Owner::User(user.into()),
    }
}

async fn say<S: MessageStore>(
    store: &S,
    conversation: &Conversation,
    session: &str,
    sender: Sender,
    text: &str,
) {
    say_at(store, 0, conversation, session, sender, text).await;
}

async fn say_at<S: MessageStore>(
    store: &S,
    millis: u64,
    conversation: &Conversation,
    session: &str,
    sender: Sender,
    text: &str,
) {
    let spoken_to = match (&conversation.owner, sender) {
        (Owner::User(_), _) | (_, Sender::User) => Visitor::Told,
        (Owner::Session(_), Sender::Agent | Sender::Bot) => {
            Visitor::Named(visitor_in(session).into())
        }
    };
    say_to(
        store,
        millis,
        conversation,
        session,
        sender,
        text,
        &spoken_to,
    )
    .await;
}

async fn say_to<S: MessageStore>(
    store: &S,
    millis: u64,
    conversation: &Conversation,
    session: &str,
    sender: Sender,
    text: &str,
    visitor: &Visitor,
) {
    let message = Message {
        id: text.to_owned(),
        text: text.to_owned(),
        sender,
        timestamp: at(millis).to_iso(),
        session_id: session.to_owned(),
        user_id: match sender {
            Sender::User => visitor_in(session),
            Sender::Agent | Sender::Bot => "agent".to_owned(),
        },
        tenant_id: conversation.tenant.to_string(),
        client_id: None,
    };
    let json: Arc<str> = serde_json::to_string(&message).unwrap().into();
    let job = Job {
        site_id: None,
        domain: None,
    };
    let entry = Entry {
        conversation,
        visitor,
        message: &message,
        json: &json,
        at: at(millis),
        job: (sender == Sender::User).then_some(job),
    };
    store.accept(entry).await.unwrap();
}

/// The visitor in whose conversation something is said through a session.
fn visitor_in(session: &str) -> String {
    format!("visitor-of-{session}")
}

/// The moment so many milliseconds after another.
fn at(millis: u64) -> WallTime {
    WallTime::from_unix_millis(1_705_314_600_000 + millis)
}

/// A named message, or another attempt to send it. Those of odd numbers are an agent's.
async fn try_to_say<S: MessageStore>(
    store: &S,
    tenant: &str,
    number: u64,
    millis: u64,
) -> Accepted {
    let sender = if number.is_multiple_of(2) {
        Sender::User
    } else {
        Sender::Agent
    };
    let conversation = of_session(tenant, "s");
    let message = Message {
        id: name(number),
        text: number.to_string(),
        sender,
        timestamp: at(millis).to_iso(),
        session_id: "s".to_owned(),
        user_id: "u".to_owned(),
        tenant_id: tenant.to_owned(),
        client_id: Some(number.to_string()),
    };
    let json: Arc<str> = serde_json::to_string(&message).unwrap().into();
    let job = Job {
        site_id: None,
        domain: None,
    };
    let entry = Entry {
        conversation: &conversation,
        visitor: &Visitor::Told,
        message: &message,
        json: &json,
        at: at(millis),
        job: (sender == Sender::User).then_some(job),
    };
    store.accept(entry).await.unwrap()
}

fn name(number: u64) -> String {
    format!("id-{number}")
}

/// The receipt, in the end: what settles it may still be on its way.
async fn settled<S: MessageStore>(store: &S, tenant: &str, number: u64, millis: u64) -> WallTime {
    loop {
        let receipt = store.receipt(tenant, &name(number), at(millis)).await;
        if let Some(first) = receipt.unwrap() {
            return first;
        }
        tokio::task::yield_now().await;
    }
}

async fn ask<S: MessageStore>(store: &S, conversation: &Conversation, session: &str, text: &str) {
    say(store, conversation, session, Sender::User, text).await;
}

async fn said<S: MessageStore>(store: &S, conversation: &Conversation) -> Vec<String> {
    let history = store.history(conversation).await.unwrap();
    history.iter().map(|json| text_of(json)).collect()
}

fn text_of(json: &str) -> String {
    let message: Message = serde_json::from_str(json).unwrap();
    message.text
}

async fn what_was_said_is_kept_in_order<S: MessageStore>(store: &S) {
    let conversation = of_session("t", "s");
    assert!(said(store, &conversation).await.is_empty());
    ask(store, &conversation, "s", "question").await;
    say(store, &conversation, "s", Sender::Agent, "answer").await;
    say(store, &conversation, "s", Sender::Bot, "ünd €").await;
    assert_eq!(
        said(store, &conversation).await,
        ["question", "answer", "ünd €"]
    );
}

async fn only_the_latest_stay<S: MessageStore>(store: &S) {
    let conversation = of_user("t", "ann");
    for text in ["a", "b", "c", "d", "e"] {
        ask(store, &conversation, "s", text).await;
    }
    assert_eq!(said(store, &conversation).await, ["c", "d", "e"]);
}

async fn conversations_apart<S: MessageStore>(store: &S) {
    let all = [
        of_session("t", "ann"),
        of_user("t", "ann"),
        of_session("u", "ann"),
        of_user("u", "ann"),
        of_session("t", "bob"),
    ];
    for (index, conversation) in all.iter().enumerate() {
        ask(
            store,
            conversation,
            &format!("s{index}"),
            &index.to_string(),
        )
        .await;
    }
    for (index, conversation) in all.iter().enumerate() {
        assert_eq!(said(store, conversation).await, [index.to_string()]);
    }
}

/// Users are called what their tokens say, which is nothing that a store may read a meaning into.
async fn names_are_only_names<S: MessageStore>(store: &S) {
    let names = ["x:y", "x", "y", "{t}", "}", "a b", "session:x", "*", "ü"];
    for name in names {
        ask(store, &of_user("t", name), name, name).await;
    }
    for name in names {
        assert_eq!(said(store, &of_user("t", name)).await, [name]);
        let found = store.session("t", name).await.unwrap();
        assert_eq!(found, Some(of_user("t", name)));
    }
}

async fn sessions_are_remembered<S: MessageStore>(store: &S) {
    let session = async |tenant: &str, session: &str| store.session(tenant, session).await.unwrap();
    assert_eq!(session("t", "s1").await, None);
    let of_ann = of_user("t", "ann");
    store.open_session("s1", &of_ann).await.unwrap();
    assert_eq!(session("t", "s1").await, Some(of_ann.clone()));
    assert_eq!(session("u", "s1").await, None, "another tenant's");
    ask(store, &of_ann, "s2", "x").await;
    assert_eq!(session("t", "s2").await, Some(of_ann.clone()));
    assert_eq!(session("t", "s1").await, Some(of_ann));
    let own = of_session("t", "s3");
    store.open_session("s3", &own).await.unwrap();
    assert_eq!(session("t", "s3").await, Some(own.clone()));
    say(store, &own, "s3", Sender::Agent, "y").await;
    assert_eq!(session("t", "s3").await, Some(own));
}

async fn many_speak_at_once<S: MessageStore>(store: &S) {
    let conversation = of_user("t", "ann");
    let texts: Vec<String> = (0..50).map(|text| format!("{text:02}")).collect();
    let mut speaking: Vec<_> = texts
        .iter()
        .map(|text| Box::pin(ask(store, &conversation, "s", text)))
        .collect();
    std::future::poll_fn(|context| {
        speaking.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if speaking.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    let mut heard = said(store, &conversation).await;
    heard.sort();
    assert_eq!(heard, texts);
}

pub(crate) async fn a_named_message_is_kept_once<S: MessageStore>(store: &S, tenant: &str) {
    let new = Accepted::New(Listeners::Counted(0));
    for number in [0, 1] {
        assert_eq!(try_to_say(store, tenant, number, 10 + number).await, new);
        assert_eq!(settled(store, tenant, number, 20).await, at(10 + number));
        let again = try_to_say(store, tenant, number, 500).await;
        let first = at(10 + number);
        assert_eq!(again, Accepted::Repeated { first });
        assert_eq!(settled(store, tenant, number, 500).await, first);
    }
    assert_eq!(said(store, &of_session(tenant, "s")).await, ["0", "1"]);
}

async fn receipts_apart<S: MessageStore>(store: &S) {
    let unknown = async |tenant: &str, number: u64| {
        let receipt = store.receipt(tenant, &name(number), at(0)).await;
        assert_eq!(receipt.unwrap(), None);
    };
    unknown("t", 1).await;
    try_to_say(store, "t", 1, 0).await;
    unknown("u", 1).await;
    unknown("t", 2).await;
    say(store, &of_session("t", "s"), "s", Sender::Agent, "id-2").await;
    // It was not named, so nobody can ask for it.
    unknown("t", 2).await;
    assert_eq!(
        try_to_say(store, "u", 1, 7).await,
        Accepted::New(Listeners::Counted(0))
    );
    assert_eq!(settled(store, "t", 1, 7).await, at(0));
    assert_eq!(settled(store, "u", 1, 7).await, at(7));
}

async fn so_many_receipts_are_kept<S: MessageStore>(store: &S) {
    for number in 0..5 {
        try_to_say(store, "t", number, number).await;
    }
    for number in [0, 1] {
        let receipt = store.receipt("t", &name(number), at(5)).await;
        assert_eq!(receipt.unwrap(), None, "{number}");
    }
    for number in [2, 3, 4] {
        assert_eq!(settled(store, "t", number, 5).await, at(number));
    }
}

async fn receipts_are_forgotten_in_time<S: MessageStore>(store: &S) {
    let short = u64::try_from(SHORT.as_millis()).unwrap();
    try_to_say(store, "t", 1, 0).await;
    // What the store forgets by its own clock, it may have forgotten by now.
    let receipt = store.receipt("t", &name(1), at(short + 1)).await;
    assert_eq!(receipt.unwrap(), None);
    let again = try_to_say(store, "t", 1, short + 1).await;
    assert_eq!(again, Accepted::New(Listeners::Counted(0)));
}

async fn all_is_forgotten_in_time<S: MessageStore>(store: &S) {
    let conversation = of_session("t", "s");
    ask(store, &conversation, "s", "x").await;
    store
        .open_session("empty", &of_session("t", "empty"))
        .await
        .unwrap();
    while !said(store, &conversation).await.is_empty()
        || store.session("t", "s").await.unwrap().is_some()
        || store.session("t", "empty").await.unwrap().is_some()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
