//! The interface for Rust front ends in a real browser against a real server, whose address is `CHAT_TEST_SERVER` at compile
//! time: a server with the development tenant.
#![cfg(all(target_arch = "wasm32", feature = "front-end"))]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use chat_client_wasm::front_end::{
    ChatApi, ChatConnection, ChatError, Code, Config, Event, Message, OnlineUser, OnlineUsers,
    Options, Sender, Subscription, Website,
};
use futures_util::StreamExt;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const TENANT: &str = "demo";
/// The discard port: nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn server() -> &'static str {
    match option_env!("CHAT_TEST_SERVER") {
        Some(url) => url,
        None => {
            panic!("run these tests by `cargo xtask test browser`, which starts a server for them")
        }
    }
}

fn admin() -> Config {
    Config::admin(server(), TENANT).api_key("demo-admin-key")
}

fn intruder() -> Config {
    Config::admin(server(), TENANT).api_key("no-key-of-ours")
}

/// A visitor whose name no other test uses.
fn visitor(name: &str) -> Config {
    Config::visitor(server(), TENANT)
        .visitor_id(name)
        .website(Website {
            domain: Some("shop.example".to_owned()),
            url: Some("https://shop.example/a=1&b=ü".to_owned()),
            ..Website::default()
        })
}

/// Waits until `condition` gives something. The deadline is far beyond anything that works.
async fn wait<T>(what: &str, condition: impl Fn() -> Option<T>) -> T {
    for _ in 0..1_500 {
        if let Some(value) = condition() {
            return value;
        }
        TimeoutFuture::new(10).await;
    }
    panic!("in vain: {what}");
}

/// A connection and what it has told.
struct Listening {
    chat: ChatConnection,
    heard: Rc<RefCell<Vec<Event>>>,
    _subscription: Subscription,
}

impl Listening {
    fn open(config: Config) -> Self {
        let chat = ChatConnection::open(config);
        let heard = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&heard);
        let subscription = chat.subscribe(move |event| log.borrow_mut().push(event.clone()));
        Self {
            chat,
            heard,
            _subscription: subscription,
        }
    }

    async fn first<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        wait(what, || self.heard.borrow().iter().find_map(&pick)).await
    }

    async fn connected(&self) {
        let connected = |event: &Event| (*event == Event::Connected).then_some(());
        self.first("the connection", connected).await;
    }

    async fn message(&self, from: Sender) -> Message {
        let pick = |event: &Event| {
            let Event::Message(message) = event else {
                return None;
            };
            (message.sender == from).then(|| message.clone())
        };
        self.first("a message", pick).await
    }

    async fn failure(&self) -> ChatError {
        let pick = |event: &Event| {
            if let Event::Failed(error) = event {
                return Some(error.clone());
            }
            None
        };
        self.first("the attempt's failure", pick).await
    }

    async fn refusal(&self) -> ChatError {
        let pick = |event: &Event| {
            if let Event::Refused(error) = event {
                return Some(error.clone());
            }
            None
        };
        self.first("the refusal", pick).await
    }
}

fn find(online: &OnlineUsers, user_id: &str) -> Option<Arc<OnlineUser>> {
    let mut users = online.users().into_iter();
    users.find(|user| user.user_id == user_id)
}

fn code<T>(outcome: Result<T, ChatError>) -> Option<Code> {
    outcome.err().map(|error| error.code)
}

#[wasm_bindgen_test]
async fn a_visitor_appears_in_the_list_and_leaves_it_when_the_connection_is_dropped() {
    let online = OnlineUsers::open(admin(), Options::default());
    let changes = Rc::new(Cell::new(0));
    let count = Rc::clone(&changes);
    let _subscription = online.subscribe(move |_| count.set(count.get() + 1));
    assert!(online.is_loading());
    wait("the list is live", || online.is_connected().then_some(())).await;
    wait("the first list", || (!online.is_loading()).then_some(())).await;

    let page = Listening::open(visitor("front-end-appears"));
    page.connected().await;
    let user_id = "anonymous-front-end-appears";
    let shown = wait("the visitor is shown", || find(&online, user_id)).await;
    assert_eq!(shown.domain.as_deref(), Some("shop.example"));
    assert_eq!(shown.url.as_deref(), Some("https://shop.example/a=1&b=ü"));
    assert_eq!(online.user(user_id), Some(Arc::clone(&shown)));
    assert!(changes.get() > 0);
    let again = find(&online, user_id).expect("still there");
    assert!(
        Arc::ptr_eq(&shown, &again),
        "one row, however often it is read"
    );

    drop(page);
    wait("the visitor is gone", || {
        online.user(user_id).is_none().then_some(())
    })
    .await;
    assert_eq!(online.error(), None);
    assert_eq!(online.count(), online.users().len());
}

#[wasm_bindgen_test]
async fn polling_alone_shows_the_same() {
    let page = Listening::open(visitor("front-end-polled"));
    page.connected().await;
    let options = Options {
        socket: false,
        polling_interval: Options::LEAST_INTERVAL,
        ..Options::default()
    };
    let online = OnlineUsers::open(admin(), options);
    let user_id = "anonymous-front-end-polled";
    wait("the visitor is polled", || online.user(user_id)).await;
    assert!(!online.is_connected());
    drop(page);
    wait("the visitor is gone", || {
        online.user(user_id).is_none().then_some(())
    })
    .await;
}

#[wasm_bindgen_test]
async fn changes_come_as_a_stream_which_ends_with_the_list() {
    let online = OnlineUsers::open(admin(), Options::default());
    let mut changes = online.changes();
    while !changes.next().await.expect("a change").is_connected {}
    assert!(online.is_connected());
    drop(online);
    while changes.next().await.is_some() {}
}

#[wasm_bindgen_test]
async fn a_message_is_accepted_and_comes_back_as_it_was() {
    let page = Listening::open(visitor("front-end-message"));
    // Sent before there is a connection: it waits.
    let words = "Grüße 👋 \"quoted\"\n".repeat(50);
    let accepted = page.chat.send_message(&words).await.expect("accepted");
    let message = page.message(Sender::User).await;
    assert_eq!((message.id, message.text), (accepted.message_id, words));

    let refused = page.chat.send_message(" ").await;
    assert_eq!(code(refused), Some(Code::TextRequired));
    assert!(page.chat.is_connected());
}

#[wasm_bindgen_test]
async fn an_agent_answers_in_the_visitor_s_conversation() {
    let page = Listening::open(visitor("front-end-answered"));
    page.connected().await;
    let staff = Listening::open(admin());
    staff.connected().await;
    staff.chat.request_online_users();
    let session_of_visitor = |event: &Event| {
        let Event::OnlineUsersList(users) = event else {
            return None;
        };
        let mut users = users.iter();
        let user = users.find(|user| user.user_id == "anonymous-front-end-answered")?;
        user.session_id.clone()
    };
    let session_id = staff.first("the visitor", session_of_visitor).await;
    staff
        .chat
        .reply(session_id, "Yes, it is")
        .await
        .expect("accepted");
    assert_eq!(page.message(Sender::Agent).await.text, "Yes, it is");
}

#[wasm_bindgen_test]
async fn a_bad_key_is_refused_with_its_code_by_socket_and_http() {
    let socket = Listening::open(intruder());
    let refusal = socket.refusal().await;
    assert_eq!(refusal.code, Code::InvalidApiKey);
    assert!(!socket.chat.is_connected());
    let late = socket.chat.send_message("late").await;
    assert_eq!(code(late), Some(Code::NotConnected));

    let error = ChatApi::new(intruder())
        .online_users()
        .await
        .expect_err("refused");
    assert_eq!((error.code, error.status), (Code::InvalidApiKey, Some(401)));
    assert!(!error.to_string().contains("no-key-of-ours"));
    assert!(
        error
            .help()
            .ends_with("/npm/docs/errors/INVALID_API_KEY.md")
    );

    let online = OnlineUsers::open(intruder(), Options::default());
    let error = wait("the list's error", || online.error()).await;
    assert_eq!(error.code, Code::InvalidApiKey);
    assert!(!online.is_loading() && !online.is_connected());
}

#[wasm_bindgen_test]
async fn no_server_is_a_network_error_everywhere_and_never_an_empty_list() {
    let nowhere = || Config::admin(NOWHERE, TENANT);
    let answer = ChatApi::new(nowhere()).online_users().await;
    assert_eq!(code(answer), Some(Code::NetworkError));

    let socket = Listening::open(nowhere());
    assert_eq!(socket.failure().await.code, Code::NetworkError);
    let waiting = socket.chat.send_message("x");
    drop(socket);
    assert_eq!(code(waiting.await), Some(Code::Aborted));
}

#[wasm_bindgen_test]
async fn http_requests_reach_their_endpoints() {
    let staff = ChatApi::new(admin());
    staff.online_users().await.expect("a list");

    let page = ChatApi::new(visitor("front-end-http"));
    let session = page.create_session().await.expect("a session");
    let sent = page.send_message("by HTTP", Some(&session)).await;
    assert_eq!(sent.expect("a message").text, "by HTTP");
    let messages = staff.messages(&session).await.expect("the history");
    let texts: Vec<&str> = messages.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, ["by HTTP"]);
}

#[wasm_bindgen_test]
async fn a_visitor_with_the_server_s_token_is_known_again_and_may_read_the_conversation() {
    let anonymous = || Config::visitor(server(), TENANT);
    let first = Listening::open(anonymous().visitor_token(""));
    let issued = |event: &Event| {
        if let Event::VisitorToken(issued) = event {
            return Some(issued.clone());
        }
        None
    };
    let issued = first.first("the token", issued).await;
    let accepted = first.chat.send_message("Remember me?").await;
    let id = accepted.expect("accepted").message_id;
    let message = first.message(Sender::User).await;
    assert_eq!(message.user_id, issued.user_id);
    drop(first);

    let returned = || anonymous().visitor_token(&issued.token);
    let second = Listening::open(returned());
    second.chat.send_message("Yes").await.expect("accepted");
    assert_eq!(second.message(Sender::User).await.user_id, issued.user_id);
    let messages = ChatApi::new(returned())
        .messages(&message.session_id)
        .await
        .expect("the history");
    assert!(messages.iter().any(|message| message.id == id));
}

#[wasm_bindgen_test]
async fn a_token_that_cannot_be_had_is_an_error_of_its_own() {
    let broken = || Config::admin(server(), TENANT).get_token(|| async { None });
    let answer = ChatApi::new(broken()).online_users().await;
    assert_eq!(code(answer), Some(Code::TokenUnavailable));
    let socket = Listening::open(broken());
    assert_eq!(socket.failure().await.code, Code::TokenUnavailable);
}

#[wasm_bindgen_test]
async fn a_callback_may_drop_all_that_calls_it_and_nobody_is_called_afterwards() {
    let held = Rc::new(RefCell::new(None::<(OnlineUsers, Subscription)>));
    let calls = Rc::new(Cell::new(0));
    let online = OnlineUsers::open(admin(), Options::default());
    let (inner, count) = (Rc::clone(&held), Rc::clone(&calls));
    let first = online.subscribe(move |_| {
        count.set(count.get() + 1);
        drop(inner.borrow_mut().take());
    });
    let count = Rc::clone(&calls);
    let _second = online.subscribe(move |_| count.set(count.get() + 1));
    held.replace(Some((online, first)));
    wait("the first change", || (calls.get() > 0).then_some(())).await;

    // By the time that a whole conversation of somebody else is over, it would have been called.
    let page = Listening::open(visitor("front-end-after"));
    page.chat.send_message("x").await.expect("accepted");
    page.message(Sender::User).await;
    assert_eq!(calls.get(), 1);
    assert!(held.borrow().is_none());
}
