//! The core in a real browser against a real server, whose address is `CHAT_TEST_SERVER` at compile time: a server with
//! the development tenant.
#![cfg(all(target_arch = "wasm32", not(feature = "front-end")))]

use std::{cell::RefCell, rc::Rc};

use chat_client_wasm::{
    CoreConfig, chat_api, chat_socket, online_users,
    ops::{api_op, socket_event, socket_op, users_op, users_status},
    status::Status,
};
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
    let website = r#"{"domain":"shop.example","url":"https://shop.example/a=1&b=ü"}"#;
    set("website", &JSON::parse(website).expect("valid"));
    let credentials =
        Closure::<dyn Fn() -> JsValue>::new(move || JSON::parse(auth).expect("valid"));
    set("credentials", &credentials.into_js_value());
    let fail = Closure::<dyn Fn(String, String, JsValue) -> JsValue>::new(
        |code: String, message: String, status| fail(&code, &message, status).into(),
    );
    set("fail", &fail.into_js_value());
    let settings = Closure::<dyn Fn() -> Object>::new(Object::new);
    set("settings", &settings.into_js_value());
    config.unchecked_into()
}

fn admin() -> CoreConfig {
    config(server(), true, r#"{"token":"demo-admin-key"}"#)
}

/// A configuration of a visitor whose id no other test uses.
fn visitor(name: &'static str) -> CoreConfig {
    config(server(), false, name)
}

/// What the core made, asked as JavaScript asks it.
struct Core(JsValue);

impl Core {
    fn ask(&self, op: u32, argument: &JsValue) -> JsValue {
        let function: &Function = self.0.unchecked_ref();
        function
            .call2(&JsValue::UNDEFINED, &op.into(), argument)
            .expect("the core throws nothing")
    }

    fn tell(&self, op: u32) {
        assert!(self.ask(op, &JsValue::UNDEFINED).is_undefined());
    }

    fn is_live(&self) -> bool {
        let status = self.ask(socket_op::STATUS, &JsValue::UNDEFINED);
        status == f64::from(Status::Live as u8)
    }

    async fn send(&self, message: &JsValue) -> Result<JsValue, JsValue> {
        settle(self.ask(socket_op::SEND, message)).await
    }
}

async fn request(config: CoreConfig, op: u32, argument: &JsValue) -> Result<JsValue, JsValue> {
    settle(Core(chat_api(config)).ask(op, argument)).await
}

/// What a listener has heard.
type Heard = Rc<RefCell<Vec<(i32, JsValue)>>>;

fn listen(config: CoreConfig) -> (Core, Heard) {
    let heard = Heard::default();
    let log = Rc::clone(&heard);
    let listener = Closure::<dyn Fn(i32, JsValue)>::new(move |event, value| {
        log.borrow_mut().push((event, value));
    });
    (Core(chat_socket(config, listener.into_js_value())), heard)
}

fn find(heard: &Heard, event: i32) -> Option<JsValue> {
    heard
        .borrow()
        .iter()
        .find(|(told, _)| *told == event)
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

/// A store, and what it has told of itself last.
struct Store {
    core: Core,
    shelf: JsValue,
    told: Rc<RefCell<(i32, JsValue)>>,
    /// How often rows have changed that were looked at.
    changes: Rc<RefCell<u32>>,
}

impl Store {
    fn new(config: CoreConfig, socket: bool, interval: f64) -> Self {
        let told = Rc::new(RefCell::new((0, JsValue::UNDEFINED)));
        let last = Rc::clone(&told);
        let on_change = Closure::<dyn Fn(i32, JsValue)>::new(move |status, error| {
            *last.borrow_mut() = (status, error);
        });
        let observer = on_change.into_js_value();
        let core = Core(online_users(config, socket, interval, observer));
        let shelf = core.ask(users_op::SHELF, &JsValue::UNDEFINED);
        let changes = Rc::new(RefCell::new(0));
        let count = Rc::clone(&changes);
        let on_rows = Closure::<dyn Fn()>::new(move || *count.borrow_mut() += 1);
        Reflect::set(&shelf, &"onchange".into(), &on_rows.into_js_value()).expect("an object");
        Self {
            core,
            shelf,
            told,
            changes,
        }
    }

    fn users(&self) -> JsValue {
        let users: Function = field(&self.shelf, "users").unchecked_into();
        users.call0(&self.shelf).expect("it only reads")
    }

    fn is_loading(&self) -> bool {
        self.told.borrow().0 & (users_status::AWAITED | users_status::OUTDATED)
            == users_status::AWAITED
    }

    fn is_live(&self) -> bool {
        self.told.borrow().0 / users_status::CONNECTION == Status::Live as i32
    }

    fn error(&self) -> JsValue {
        self.told.borrow().1.clone()
    }

    fn row(&self, user_id: &str) -> Option<JsValue> {
        Array::from(&self.users())
            .iter()
            .find(|row| text(row, "userId") == user_id)
    }
}

#[wasm_bindgen_test]
async fn a_visitor_appears_in_the_store_and_leaves_it() {
    let store = Store::new(admin(), true, 5_000.0);
    assert!(store.is_loading());
    wait("the store is live", || store.is_live().then_some(())).await;
    wait("the first list", || (!store.is_loading()).then_some(())).await;
    let row_of = || store.row("anonymous-browser-appears");
    assert!(row_of().is_none());

    let (socket, heard) = listen(visitor(r#"{"visitorId":"browser-appears"}"#));
    wait("the visitor connects", || {
        find(&heard, socket_event::CONNECTED)
    })
    .await;
    let shown = wait("the visitor is shown", row_of).await;
    assert_eq!(text(&shown, "domain"), "shop.example");
    assert_eq!(text(&shown, "url"), "https://shop.example/a=1&b=ü");
    assert!(*store.changes.borrow() > 0);

    let (one, two) = (store.users(), store.users());
    assert!(one == two, "the same array while nothing changes");

    socket.tell(socket_op::CLOSE);
    assert!(!socket.is_live());
    wait("the visitor is gone", || row_of().is_none().then_some(())).await;
    assert!(store.error().is_undefined());
    store.core.tell(users_op::CLOSE);
}

#[wasm_bindgen_test]
async fn polling_alone_shows_the_same() {
    let (socket, heard) = listen(visitor(r#"{"visitorId":"browser-polled"}"#));
    wait("the visitor connects", || {
        find(&heard, socket_event::CONNECTED)
    })
    .await;
    let store = Store::new(admin(), false, 250.0);
    wait("the visitor is polled", || {
        store.row("anonymous-browser-polled")
    })
    .await;
    assert!(!store.is_live());
    socket.tell(socket_op::CLOSE);
    wait("the visitor is gone", || {
        store
            .row("anonymous-browser-polled")
            .is_none()
            .then_some(())
    })
    .await;
    store.core.tell(users_op::CLOSE);
}

#[wasm_bindgen_test]
async fn a_message_is_acknowledged_and_comes_back_as_it_was() {
    let (socket, heard) = listen(visitor(r#"{"visitorId":"browser-message"}"#));
    // Sent before there is a connection: it waits.
    let words = "Grüße 👋 \"quoted\"\n".repeat(50);
    let message = Object::new();
    Reflect::set(&message, &"text".into(), &words.as_str().into()).expect("an object");
    let receipt = socket.send(&message).await.expect("accepted");
    let id = text(&receipt, "messageId");
    assert!(!id.is_empty());
    let message = wait("its own message", || find(&heard, socket_event::MESSAGE)).await;
    assert_eq!(text(&message, "id"), id);
    assert_eq!(text(&message, "text"), words);
    assert_eq!(text(&message, "sender"), "user");

    let refused = socket
        .send(&object(r#"{"text":" "}"#))
        .await
        .expect_err("a blank text is refused");
    assert_eq!(text(&refused, "code"), "TEXT_REQUIRED");
    socket.tell(socket_op::CLOSE);
    let closed = socket
        .send(&object(r#"{"text":"late"}"#))
        .await
        .expect_err("closed");
    assert_eq!(text(&closed, "code"), "NOT_CONNECTED");
}

#[wasm_bindgen_test]
async fn a_bad_key_is_refused_with_its_code_by_socket_and_http() {
    let bad = || config(server(), true, r#"{"token":"no-key-of-ours"}"#);
    let (socket, heard) = listen(bad());
    let error = wait("the refusal", || find(&heard, socket_event::REFUSED)).await;
    assert_eq!(text(&error, "code"), "INVALID_API_KEY");
    assert!(!socket.is_live());

    let error = request(bad(), api_op::USERS, &JsValue::UNDEFINED)
        .await
        .expect_err("refused");
    assert_eq!(text(&error, "code"), "INVALID_API_KEY");
    assert_eq!(field(&error, "status"), 401);
    assert!(!text(&error, "message").contains(KEY));

    let store = Store::new(bad(), true, 5_000.0);
    let error = wait("the store's error", || {
        Some(store.error()).filter(|error| !error.is_undefined())
    })
    .await;
    assert_eq!(text(&error, "code"), "INVALID_API_KEY");
    assert!(!store.is_loading());
    assert!(!store.is_live());
    store.core.tell(users_op::CLOSE);
}

#[wasm_bindgen_test]
async fn no_server_is_a_network_error_everywhere_and_never_an_empty_list() {
    // The discard port: nothing listens there.
    let nowhere = || config("http://127.0.0.1:9", true, "{}");
    let error = request(nowhere(), api_op::USERS, &JsValue::UNDEFINED)
        .await
        .expect_err("nobody answers");
    assert_eq!(text(&error, "code"), "NETWORK_ERROR");

    let (socket, heard) = listen(nowhere());
    let error = wait("the attempt's failure", || {
        find(&heard, socket_event::FAILED)
    })
    .await;
    assert_eq!(text(&error, "code"), "NETWORK_ERROR");
    let waiting = socket.ask(socket_op::SEND, &object(r#"{"text":"x"}"#));
    socket.tell(socket_op::CLOSE);
    let error = settle(waiting).await.expect_err("given up");
    assert_eq!(text(&error, "code"), "ABORTED");
    assert!(
        find(&heard, socket_event::DISCONNECTED).is_none(),
        "it was never connected"
    );
}

#[wasm_bindgen_test]
async fn http_requests_reach_their_endpoints() {
    let users = request(admin(), api_op::USERS, &JsValue::UNDEFINED)
        .await
        .expect("a list");
    assert!(Array::is_array(&users));

    let visitor = || visitor(r#"{"visitorId":"browser-http"}"#);
    let body = object(r#"{"tenantId":"demo"}"#);
    let session = request(visitor(), api_op::SESSION, &body)
        .await
        .expect("a session");
    let session = session.as_string().expect("an id");
    let body = format!(r#"{{"tenantId":"demo","sessionId":"{session}","text":"by HTTP"}}"#);
    let message = request(visitor(), api_op::SEND, &object(&body))
        .await
        .expect("a message");
    assert_eq!(text(&message, "text"), "by HTTP");
    let messages = request(
        admin(),
        api_op::MESSAGES,
        &object(&format!(r#"{{"sessionId":"{session}"}}"#)),
    )
    .await
    .expect("the history");
    assert_eq!(text(&Array::from(&messages).get(0), "text"), "by HTTP");
}

#[wasm_bindgen_test]
async fn a_token_that_cannot_be_had_is_an_error_of_its_own() {
    let broken = || config(server(), true, "not JSON, so making the credentials throws");
    let (socket, heard) = listen(broken());
    let error = wait("the attempt's failure", || {
        find(&heard, socket_event::FAILED)
    })
    .await;
    assert_eq!(text(&error, "code"), "TOKEN_UNAVAILABLE");
    socket.tell(socket_op::CLOSE);
    let error = request(broken(), api_op::USERS, &JsValue::UNDEFINED)
        .await
        .expect_err("no token");
    assert_eq!(text(&error, "code"), "TOKEN_UNAVAILABLE");
}

#[wasm_bindgen_test]
async fn a_callback_may_call_back_in_and_even_close() {
    let socket = Rc::new(RefCell::new(None::<Core>));
    let heard = Heard::default();
    let (inner, log) = (Rc::clone(&socket), Rc::clone(&heard));
    let listener = Closure::<dyn Fn(i32, JsValue)>::new(move |event, value| {
        if event == socket_event::CONNECTED
            && let Some(socket) = &*inner.borrow()
        {
            assert!(socket.is_live());
            socket.tell(socket_op::LIST);
            socket.tell(socket_op::CLOSE);
        }
        log.borrow_mut().push((event, value));
    });
    *socket.borrow_mut() = Some(Core(chat_socket(admin(), listener.into_js_value())));
    wait("the goodbye", || find(&heard, socket_event::DISCONNECTED)).await;
    assert!(find(&heard, socket_event::CONNECTED).is_some());
    let said = heard.borrow().len();
    // By the time that a whole conversation of somebody else is over, it would have been said.
    let (other, heard_by_other) = listen(visitor(r#"{"visitorId":"browser-after"}"#));
    let message = object(r#"{"text":"x"}"#);
    other.send(&message).await.expect("accepted");
    wait("its own message", || {
        find(&heard_by_other, socket_event::MESSAGE)
    })
    .await;
    other.tell(socket_op::CLOSE);
    assert_eq!(heard.borrow().len(), said, "nothing is said after the end");
}

#[wasm_bindgen_test]
async fn what_a_callback_throws_is_the_page_s_error_and_the_connection_goes_on() {
    let caught = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&caught);
    let on_error = Closure::<dyn Fn(String)>::new(move |message| log.borrow_mut().push(message));
    let stop_catching = catch_errors(on_error.as_ref().unchecked_ref());

    let listener = Function::new_with_args("event", "throw new Error(`listener ${event}`)");
    let socket = Core(chat_socket(
        visitor(r#"{"visitorId":"browser-throws"}"#),
        listener.into(),
    ));
    socket
        .send(&object(r#"{"text":"x"}"#))
        .await
        .expect("accepted all the same");
    let seen = |what: &str| {
        caught
            .borrow()
            .iter()
            .any(|message| message.contains(what))
            .then_some(())
    };
    wait("the first error", || seen("listener 0")).await;
    wait("the second error", || seen("listener 4")).await;
    assert!(socket.is_live());
    socket.tell(socket_op::CLOSE);
    stop_catching
        .call0(&JsValue::UNDEFINED)
        .expect("it only clears a handler");
}
