//! The list of conversations: whose stand in it, in which order, in which parts.

use chat_protocol::conversation::ConversationSummary;

use super::*;
use crate::messages::listing::{Listing, Place, summary_json};

/// Runs this part of the suite.
pub(super) async fn run<S: MessageStore>(new: &impl AsyncFn(History) -> Arc<S>) {
    let limits = |conversations_listed, messages_per_conversation, expiry| History {
        messages_per_conversation,
        expiry,
        conversations_listed,
        ..Settings::with_overrides("").unwrap().history
    };
    let store = async || new(limits(100, 3, LONG)).await;
    the_last_message_says_where_a_conversation_stands(&*store().await).await;
    the_visitor_is_known_whoever_speaks(&*store().await).await;
    what_staff_say_to_nobody_is_not_listed(&*store().await).await;
    tenants_have_lists_of_their_own(&*store().await).await;
    owners_are_only_names(&*store().await).await;
    parts_are_the_whole(&*store().await).await;
    a_retry_changes_nothing(&*store().await).await;
    only_so_many_are_listed(&*new(limits(2, 3, LONG)).await).await;
    what_is_not_kept_is_not_listed(&*new(limits(100, 0, LONG)).await).await;
    what_is_forgotten_is_not_listed(&*new(limits(100, 3, SHORT)).await).await;
}

async fn list<S: MessageStore>(store: &S, tenant: &str) -> Listing {
    store.conversations(tenant, None, 1000).await.unwrap()
}

/// The last messages in a list, in its order.
fn texts(listing: &Listing) -> Vec<String> {
    let all = listing.conversations.iter();
    all.map(|listed| text_of(&listed.last)).collect()
}

/// Their visitors.
fn visitors(listing: &Listing) -> Vec<String> {
    let all = listing.conversations.iter();
    all.map(|listed| {
        let json = summary_json(&listed.owner, listed.visitor.as_deref(), &listed.last);
        let summary: ConversationSummary = serde_json::from_str(&json.unwrap()).unwrap();
        summary.user_id
    })
    .collect()
}

async fn the_last_message_says_where_a_conversation_stands<S: MessageStore>(store: &S) {
    assert_eq!(list(store, "t").await.conversations, []);
    let (ann, bob) = (of_user("t", "ann"), of_session("t", "s2"));
    say_at(store, 1, &ann, "s1", Sender::User, "one").await;
    say_at(store, 2, &bob, "s2", Sender::User, "two").await;
    assert_eq!(texts(&list(store, "t").await), ["two", "one"]);
    say_at(store, 3, &ann, "s3", Sender::Agent, "three").await;
    let listing = list(store, "t").await;
    assert_eq!(texts(&listing), ["three", "two"]);
    let owners = listing.conversations.iter().map(|listed| &listed.owner);
    assert!(owners.eq([&ann.owner, &bob.owner]));
    assert_eq!(listing.next, None);
    // The clocks of two nodes may differ: the last message is the one that came last.
    say_at(store, 1, &ann, "s3", Sender::Bot, "earlier").await;
    assert_eq!(texts(&list(store, "t").await), ["two", "earlier"]);
}

async fn the_visitor_is_known_whoever_speaks<S: MessageStore>(store: &S) {
    let (ann, bob) = (of_user("t", "ann"), of_session("t", "s2"));
    assert_eq!(store.visitor(&bob).await.unwrap(), None);
    // Staff may speak first.
    say_at(store, 1, &bob, "s2", Sender::Agent, "hello").await;
    say_at(store, 2, &ann, "s1", Sender::User, "hello").await;
    assert_eq!(
        store.visitor(&bob).await.unwrap(),
        Some(named("visitor-of-s2"))
    );
    assert_eq!(store.visitor(&of_session("u", "s2")).await.unwrap(), None);
    assert_eq!(visitors(&list(store, "t").await), ["ann", "visitor-of-s2"]);
    let other = of_session("t", "s3");
    for (sender, millis) in [Sender::User, Sender::Agent, Sender::User]
        .into_iter()
        .zip(3..)
    {
        say_at(store, millis, &other, "s3", sender, "hi").await;
        assert_eq!(
            store.visitor(&other).await.unwrap(),
            Some(named("visitor-of-s3"))
        );
        assert_eq!(visitors(&list(store, "t").await)[0], "visitor-of-s3");
    }
    // Over HTTP a visitor may be called otherwise from one message to the next.
    say_at(store, 9, &bob, "elsewhere", Sender::User, "me").await;
    let visitor = store.visitor(&bob).await.unwrap();
    assert_eq!(visitor, Some(named("visitor-of-elsewhere")));
    assert_eq!(visitors(&list(store, "t").await)[0], "visitor-of-elsewhere");
}

fn named(user: &str) -> Visitor {
    Visitor::Named(user.into())
}

async fn what_staff_say_to_nobody_is_not_listed<S: MessageStore>(store: &S) {
    for (conversation, session) in [(of_session("t", "s1"), "s1"), (of_user("t", "ann"), "s2")] {
        let say = async |millis, sender, text, visitor: &Visitor| {
            say_to(store, millis, &conversation, session, sender, text, visitor).await;
        };
        say(1, Sender::User, "note", &Visitor::Nobody).await;
        let visitor = store.visitor(&conversation).await.unwrap();
        assert_eq!(visitor, Some(Visitor::Nobody));
        say(2, Sender::Bot, "answer", &Visitor::Nobody).await;
        let visitor = store.visitor(&conversation).await.unwrap();
        assert_eq!(visitor, Some(Visitor::Nobody), "whoever spoke last");
        assert_eq!(list(store, "t").await.conversations, []);
        assert_eq!(said(store, &conversation).await, ["note", "answer"]);
        let parts = store.conversations("t", None, 1).await.unwrap();
        assert_eq!((parts.conversations.len(), parts.next), (0, None));
    }
    // It is a visitor's as soon as one speaks, and then stands where it ends.
    let ann = of_user("t", "ann");
    say_at(store, 3, &ann, "s3", Sender::User, "me").await;
    assert_eq!(texts(&list(store, "t").await), ["me"]);
    assert_eq!(store.visitor(&ann).await.unwrap(), Some(Visitor::Told));
    let note = Visitor::Nobody;
    say_to(store, 4, &ann, "s2", Sender::User, "another note", &note).await;
    assert_eq!(texts(&list(store, "t").await), ["another note"]);
    assert_eq!(store.visitor(&ann).await.unwrap(), Some(Visitor::Told));
}

async fn tenants_have_lists_of_their_own<S: MessageStore>(store: &S) {
    for (millis, tenant) in ["t", "u"].into_iter().enumerate() {
        let conversation = of_session(tenant, "s");
        let at = u64::try_from(millis).unwrap();
        say_at(store, at, &conversation, "s", Sender::User, tenant).await;
    }
    for tenant in ["t", "u"] {
        assert_eq!(texts(&list(store, tenant).await), [tenant]);
    }
    assert_eq!(list(store, "v").await.conversations, []);
}

async fn owners_are_only_names<S: MessageStore>(store: &S) {
    let names = [
        "x:y",
        "x",
        "{t}",
        "}",
        "a b",
        "session:x",
        "*",
        "ü",
        "1.2",
        "",
    ];
    for (name, millis) in names.into_iter().zip(0..) {
        let conversation = of_user("t", name);
        say_at(store, millis, &conversation, "s", Sender::User, name).await;
        let listing = list(store, "t").await;
        assert_eq!(listing.conversations[0].owner, conversation.owner);
        let own = of_session("t", name);
        say_at(store, millis, &own, name, Sender::User, name).await;
    }
    let listing = list(store, "t").await;
    assert_eq!(listing.conversations.len(), 2 * names.len());
}

/// Those of one time are told apart, too.
async fn parts_are_the_whole<S: MessageStore>(store: &S) {
    for number in 0..20 {
        let session = format!("s{number}");
        let conversation = if number % 2 == 0 {
            of_session("t", &session)
        } else {
            of_user("t", &session)
        };
        let millis = if number < 12 { 5 } else { number };
        say_at(
            store,
            millis,
            &conversation,
            &session,
            Sender::User,
            &session,
        )
        .await;
    }
    let whole = list(store, "t").await;
    assert_eq!((whole.conversations.len(), &whole.next), (20, &None));
    for limit in [1, 3, 4, 20] {
        let mut parts = Vec::new();
        let mut after: Option<Place> = None;
        loop {
            let part = store
                .conversations("t", after.as_ref(), limit)
                .await
                .unwrap();
            assert!(!part.conversations.is_empty());
            parts.extend(part.conversations);
            after = part.next;
            if after.is_none() {
                break;
            }
            assert_eq!(parts.len() % limit, 0);
        }
        assert_eq!(parts, whole.conversations, "in parts of {limit}");
    }
    // A place at which nobody stands any more is as good as any.
    let gone = Place::new(&at(5).to_iso(), &Owner::User("s1x".into()));
    let rest = store.conversations("t", Some(&gone), 1000).await.unwrap();
    let from = whole.conversations.iter();
    let from = from.skip_while(|listed| listed.owner != Owner::User("s11".into()));
    assert!(rest.conversations.iter().eq(from));
}

async fn a_retry_changes_nothing<S: MessageStore>(store: &S) {
    try_to_say(store, "t", 0, 10).await;
    settled(store, "t", 0, 10).await;
    let other = of_session("t", "other");
    say_at(store, 20, &other, "other", Sender::User, "other").await;
    let before = list(store, "t").await;
    try_to_say(store, "t", 0, 30).await;
    assert_eq!(list(store, "t").await, before);
    assert_eq!(texts(&before), ["other", "0"]);
}

async fn only_so_many_are_listed<S: MessageStore>(store: &S) {
    for (session, millis) in ["a", "b", "c"].into_iter().zip(1..) {
        let conversation = of_session("t", session);
        say_at(store, millis, &conversation, session, Sender::User, session).await;
    }
    assert_eq!(texts(&list(store, "t").await), ["c", "b"]);
    let a = of_session("t", "a");
    assert_eq!(said(store, &a).await, ["a"], "it can be read on");
    let visitor = store.visitor(&a).await.unwrap();
    assert_eq!(visitor, Some(named("visitor-of-a")), "and answered");
    say_at(store, 4, &a, "a", Sender::User, "again").await;
    assert_eq!(texts(&list(store, "t").await), ["again", "c"]);
}

async fn what_is_not_kept_is_not_listed<S: MessageStore>(store: &S) {
    ask(store, &of_session("t", "s"), "s", "x").await;
    assert_eq!(list(store, "t").await.conversations, []);
}

async fn what_is_forgotten_is_not_listed<S: MessageStore>(store: &S) {
    let conversation = of_session("t", "s");
    ask(store, &conversation, "s", "x").await;
    while !list(store, "t").await.conversations.is_empty()
        || store.visitor(&conversation).await.unwrap().is_some()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
