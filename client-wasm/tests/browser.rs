//! The core in a real browser against a real server, whose address is `CHAT_TEST_SERVER` at compile time: a server with
//! the development tenant.
#![cfg(all(target_arch = "wasm32", not(feature = "front-end")))]

use std::{cell::RefCell, rc::Rc};

use chat_client_wasm::{ChatApi, ChatSocket, CoreConfig, OnlineUsers};
use js_sys::{Array, Error, Function, JSON, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const KEY: &str = "demo-admin-key";

#[wasm_bindgen(inline_js = "
    export const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
    export const fail = (code, message, status) => Object.assign(new Error(message), { code, status });
    // A page with a handler of its own: an error that the application throws must arrive here, and only here.
    export const catchErrors = (caught) => {
        globalThis.onerror = (_, __, ___, ____, error) => { caught(error.message); return true; };
        return () => { globalThis.onerror = null; };
    };
")]
extern "C" {
    fn sleep(millis: u32) -> Promise;
    fn fail(code: &str, message: &str, status: JsValue) -> Error;
    #[wasm_bindgen(js_name = catchErrors)]
    fn catch_errors(caught: &Function) -> Function;
}

fn server() -> &'static str {
    match option_env!("CHAT_TEST_SERVER") {
        Some(url) => url,
        None => {
            panic!("run these tests by `cargo xtask test browser`, which starts a server for them")
        }
    }
}

/// A configuration like the facade's. `auth` is the JSON of the credentials.
fn config(url: &str, admin: bool, auth: &'static str) -> CoreConfig {
    let config = Object::new();
    let set = |name: &str, value: &JsValue| {
        assert!(Reflect::set(&config, &name.into(), value).expect("an object"));
    };
    set("tenantId", &"demo".into());
    set("admin", &admin.into());
    set("socketUrl", &url.into());
    set("apiUrl", &url.into());
    let website = r#"{"domain":"shop.example","url":"https://shop.example/?a=1&b=ü"}"#;
    set("website", &JSON::parse(website).expect("valid"));
    let credentials =
        Closure::<dyn Fn() -> JsValue>::new(move || JSON::parse(auth).expect("valid"));
    set("credentials", &credentials.into_js_value());
    let fail = Closure::<dyn Fn(String, String, JsValue) -> JsValue>::new(
        |code: String, message: String, status| fail(&code, &message, status).into(),
    );
    set("fail", &fail.into_js_value());
    config.unchecked_into()
}

fn admin() -> CoreConfig {
    config(server(), true, r#"{"token":"demo-admin-key"}"#)
}

/// A configuration of a visitor whose id no other test uses.
fn visitor(name: &'static str) -> CoreConfig {
    config(server(), false, name)
}

/// What a listener has heard.
type Heard = Rc<RefCell<Vec<(String, JsValue)>>>;

fn listen(config: CoreConfig) -> (ChatSocket, Heard) {
    let heard = Heard::default();
    let log = Rc::clone(&heard);
    let listener = Closure::<dyn Fn(String, JsValue)>::new(move |event, value| {
        log.borrow_mut().push((event, value));
    });
    (ChatSocket::new(config, listener.into_js_value()), heard)
}

fn find(heard: &Heard, event: &str) -> Option<JsValue> {
    heard
        .borrow()
        .iter()
        .find(|(name, _)| name == event)
        .map(|(_, value)| value.clone())
}

/// Waits until `condition` gives something. The deadline is far beyond anything that works.
async fn wait<T>(what: &str, condition: impl Fn() -> Option<T>) -> T {
    for _ in 0..1_500 {
        if let Some(value) = condition() {
            return value;
        }
        JsFuture::from(sleep(10)).await.expect("a timer");
    }
    panic!("in vain: {what}");
}

fn field(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).expect("an object")
}

fn text(value: &JsValue, name: &str) -> String {
    field(value, name).as_string().unwrap_or_default()
}

fn object(json: &str) -> JsValue {
    JSON::parse(json).expect("valid")
}

async fn settle(promise: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(promise.unchecked_into::<Promise>()).await
}

fn store(config: CoreConfig, options: &str) -> (Rc<OnlineUsers>, Rc<RefCell<u32>>) {
    let changes = Rc::new(RefCell::new(0));
    let count = Rc::clone(&changes);
    let on_change = Closure::<dyn Fn()>::new(move || *count.borrow_mut() += 1);
    let options = object(options);
    let store = OnlineUsers::new(config, options.unchecked_ref(), on_change.into_js_value());
    (Rc::new(store), changes)
}

const DEFAULTS: &str = r#"{"enableWebSocket":true,"pollingInterval":5000,"autoRefresh":true}"#;

fn row(store: &OnlineUsers, user_id: &str) -> Option<JsValue> {
    Array::from(&store.users())
        .iter()
        .find(|row| text(row, "userId") == user_id)
}

#[wasm_bindgen_test]
async fn a_visitor_appears_in_the_store_and_leaves_it() {
    let (store, changes) = store(admin(), DEFAULTS);
    assert!(store.is_loading());
    wait("the store is live", || store.is_connected().then_some(())).await;
    wait("the first list", || (!store.is_loading()).then_some(())).await;

    let (socket, heard) = listen(visitor(r#"{"visitorId":"browser-appears"}"#));
    wait("the visitor connects", || find(&heard, "connect")).await;
    let row_of = || row(&store, "anonymous-browser-appears");
    let shown = wait("the visitor is shown", row_of).await;
    assert_eq!(text(&shown, "domain"), "shop.example");
    assert_eq!(text(&shown, "url"), "https://shop.example/?a=1&b=ü");
    assert!(*changes.borrow() > 0);

    let (one, two) = (store.users(), store.users());
    assert!(one == two, "the same array while nothing changes");

    socket.disconnect();
    assert!(!socket.is_connected());
    wait("the visitor is gone", || row_of().is_none().then_some(())).await;
    assert!(store.error().is_undefined());
    store.close();
}

#[wasm_bindgen_test]
async fn polling_alone_shows_the_same() {
    let (socket, heard) = listen(visitor(r#"{"visitorId":"browser-polled"}"#));
    wait("the visitor connects", || find(&heard, "connect")).await;
    let options = r#"{"enableWebSocket":false,"pollingInterval":250,"autoRefresh":true}"#;
    let (store, _) = store(admin(), options);
    wait("the visitor is polled", || {
        row(&store, "anonymous-browser-polled")
    })
    .await;
    assert!(!store.is_connected());
    socket.disconnect();
    wait("the visitor is gone", || {
        row(&store, "anonymous-browser-polled")
            .is_none()
            .then_some(())
    })
    .await;
    store.close();
}

#[wasm_bindgen_test]
async fn a_message_is_acknowledged_and_comes_back_as_it_was() {
    let (socket, heard) = listen(visitor(r#"{"visitorId":"browser-message"}"#));
    // Sent before there is a connection: it waits.
    let words = "Grüße 👋 \"quoted\"\n".repeat(50);
    let message = Object::new();
    Reflect::set(&message, &"text".into(), &words.as_str().into()).expect("an object");
    let receipt = settle(socket.send_message(&message))
        .await
        .expect("accepted");
    let id = text(&receipt, "messageId");
    assert!(!id.is_empty());
    let message = wait("its own message", || find(&heard, "message")).await;
    assert_eq!(text(&message, "id"), id);
    assert_eq!(text(&message, "text"), words);
    assert_eq!(text(&message, "sender"), "user");

    let refused = settle(socket.send_message(&object(r#"{"text":" "}"#)))
        .await
        .expect_err("a blank text is refused");
    assert_eq!(text(&refused, "code"), "TEXT_REQUIRED");
    socket.disconnect();
    let closed = settle(socket.send_message(&object(r#"{"text":"late"}"#)))
        .await
        .expect_err("closed");
    assert_eq!(text(&closed, "code"), "NOT_CONNECTED");
}

#[wasm_bindgen_test]
async fn a_bad_key_is_refused_with_its_code_by_socket_and_http() {
    let bad = || config(server(), true, r#"{"token":"no-key-of-ours"}"#);
    let (socket, heard) = listen(bad());
    let error = wait("the refusal", || find(&heard, "refused")).await;
    assert_eq!(text(&error, "code"), "INVALID_API_KEY");
    assert!(!socket.is_connected());

    let error = settle(ChatApi::new(bad()).get_online_users())
        .await
        .expect_err("refused");
    assert_eq!(text(&error, "code"), "INVALID_API_KEY");
    assert_eq!(field(&error, "status"), 401);
    assert!(!text(&error, "message").contains(KEY));

    let (store, _) = store(bad(), DEFAULTS);
    let error = wait("the store's error", || {
        Some(store.error()).filter(|error| !error.is_undefined())
    })
    .await;
    assert_eq!(text(&error, "code"), "INVALID_API_KEY");
    assert!(!store.is_loading() && !store.is_connected());
    store.close();
}

#[wasm_bindgen_test]
async fn no_server_is_a_network_error_everywhere_and_never_an_empty_list() {
    // The discard port: nothing listens there.
    let nowhere = || config("http://127.0.0.1:9", true, "{}");
    let error = settle(ChatApi::new(nowhere()).get_online_users())
        .await
        .expect_err("nobody answers");
    assert_eq!(text(&error, "code"), "NETWORK_ERROR");

    let (socket, heard) = listen(nowhere());
    let error = wait("the attempt's failure", || find(&heard, "error")).await;
    assert_eq!(text(&error, "code"), "NETWORK_ERROR");
    let waiting = socket.send_message(&object(r#"{"text":"x"}"#));
    socket.disconnect();
    let error = settle(waiting).await.expect_err("given up");
    assert_eq!(text(&error, "code"), "ABORTED");
    assert!(
        find(&heard, "disconnect").is_none(),
        "it was never connected"
    );
}

#[wasm_bindgen_test]
async fn http_requests_reach_their_endpoints() {
    let api = ChatApi::new(admin());
    let users = settle(api.get_online_users()).await.expect("a list");
    assert!(Array::is_array(&users));

    let visitor = ChatApi::new(visitor(r#"{"visitorId":"browser-http"}"#));
    let session = settle(visitor.create_session(&object(r#"{"tenantId":"demo"}"#)))
        .await
        .expect("a session");
    let session = session.as_string().expect("an id");
    let body = format!(r#"{{"tenantId":"demo","sessionId":"{session}","text":"by HTTP"}}"#);
    let message = settle(visitor.send_message(&object(&body)))
        .await
        .expect("a message");
    assert_eq!(text(&message, "text"), "by HTTP");
    let messages = settle(api.get_messages(&session))
        .await
        .expect("the history");
    assert_eq!(text(&Array::from(&messages).get(0), "text"), "by HTTP");
}

#[wasm_bindgen_test]
async fn a_token_that_cannot_be_had_is_an_error_of_its_own() {
    let broken = || config(server(), true, "not JSON, so making the credentials throws");
    let (socket, heard) = listen(broken());
    let error = wait("the attempt's failure", || find(&heard, "error")).await;
    assert_eq!(text(&error, "code"), "TOKEN_UNAVAILABLE");
    socket.disconnect();
    let error = settle(ChatApi::new(broken()).get_online_users())
        .await
        .expect_err("no token");
    assert_eq!(text(&error, "code"), "TOKEN_UNAVAILABLE");
}

#[wasm_bindgen_test]
async fn a_callback_may_call_back_in_and_even_close() {
    let socket = Rc::new(RefCell::new(None::<ChatSocket>));
    let heard = Heard::default();
    let (inner, log) = (Rc::clone(&socket), Rc::clone(&heard));
    let listener = Closure::<dyn Fn(String, JsValue)>::new(move |event: String, value| {
        if event == "connect"
            && let Some(socket) = &*inner.borrow()
        {
            assert!(socket.is_connected());
            socket.request_online_users();
            socket.disconnect();
        }
        log.borrow_mut().push((event, value));
    });
    *socket.borrow_mut() = Some(ChatSocket::new(admin(), listener.into_js_value()));
    wait("the goodbye", || find(&heard, "disconnect")).await;
    assert!(find(&heard, "connect").is_some());
    let said = heard.borrow().len();
    // By the time that a whole conversation of somebody else is over, it would have been said.
    let (other, heard_by_other) = listen(visitor(r#"{"visitorId":"browser-after"}"#));
    let message = object(r#"{"text":"x"}"#);
    settle(other.send_message(&message))
        .await
        .expect("accepted");
    wait("its own message", || find(&heard_by_other, "message")).await;
    other.disconnect();
    assert_eq!(heard.borrow().len(), said, "nothing is said after the end");
}

#[wasm_bindgen_test]
async fn what_a_callback_throws_is_the_page_s_error_and_the_connection_goes_on() {
    let caught = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&caught);
    let on_error = Closure::<dyn Fn(String)>::new(move |message| log.borrow_mut().push(message));
    let stop_catching = catch_errors(on_error.as_ref().unchecked_ref());

    let listener = Function::new_with_args("event", "throw new Error(`listener ${event}`)");
    let socket = ChatSocket::new(
        visitor(r#"{"visitorId":"browser-throws"}"#),
        listener.into(),
    );
    settle(socket.send_message(&object(r#"{"text":"x"}"#)))
        .await
        .expect("accepted all the same");
    let seen = |what: &str| {
        caught
            .borrow()
            .iter()
            .any(|message| message.contains(what))
            .then_some(())
    };
    wait("the first error", || seen("listener connect")).await;
    wait("the second error", || seen("listener message")).await;
    assert!(socket.is_connected());
    socket.disconnect();
    stop_catching
        .call0(&JsValue::UNDEFINED)
        .expect("it only clears a handler");
}
