//! One suite for every [`MessageStore`]: each of the trait's duties, seen from outside.
//!
//! The factory makes a fresh, empty store with these limits. Nothing here sleeps for a fixed time;
//! what is to be forgotten is waited for.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::message::{Message, Sender};

use super::{Conversation, Entry, Job, MessageStore, Owner};
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
    let store = async || new(limits(3, LONG)).await;
    what_was_said_is_kept_in_order(&*store().await).await;
    only_the_latest_stay(&*store().await).await;
    conversations_apart(&*store().await).await;
    names_are_only_names(&*store().await).await;
    sessions_are_remembered(&*store().await).await;
    many_speak_at_once(&*new(limits(200, LONG)).await).await;
    all_is_forgotten_in_time(&*new(limits(3, SHORT)).await).await;
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
    let message = Message {
        id: text.to_owned(),
        text: text.to_owned(),
        sender,
        timestamp: "2024-01-15T10:30:00.000Z".to_owned(),
        session_id: session.to_owned(),
        user_id: "u".to_owned(),
        tenant_id: conversation.tenant.to_string(),
    };
    // The store takes the text as it is.
    let json: Arc<str> = format!("{{\"text\":{text:?}}}").into();
    let job = Job {
        site_id: None,
        domain: None,
    };
    let entry = Entry {
        conversation,
        message: &message,
        json: &json,
        job: (sender == Sender::User).then_some(job),
    };
    store.accept(entry).await.unwrap();
}

async fn ask<S: MessageStore>(store: &S, conversation: &Conversation, session: &str, text: &str) {
    say(store, conversation, session, Sender::User, text).await;
}

async fn said<S: MessageStore>(store: &S, conversation: &Conversation) -> Vec<String> {
    let history = store.history(conversation).await.unwrap();
    history
        .iter()
        .map(|json| {
            let text = json.strip_prefix("{\"text\":\"").unwrap();
            text.strip_suffix("\"}").unwrap().to_owned()
        })
        .collect()
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
