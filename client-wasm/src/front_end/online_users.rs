//! `OnlineUsers`: the list of who is online, kept true.

use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::{rc::Rc, sync::Arc};

use chat_protocol::{
    code::Code,
    presence::OnlineUser,
    roster::{Mark, VecShelf},
};
use futures_channel::mpsc;
use futures_util::{FutureExt, Stream, StreamExt, future::LocalBoxFuture};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::{
    clock,
    config::{Config, Presence},
    connection::{Connection, Notice},
    error::ChatError,
    http, json,
    listeners::{Listeners, Subscription},
    news::News,
    timer::Timer,
    wire as read,
};
use crate::{
    api,
    engine::Reason,
    sync::{Ask, Options, Sync},
    wire,
};

/// The users online in a tenant, kept true until the last clone is dropped. For admins.
#[derive(Clone)]
pub struct OnlineUsers(Rc<Handle>);

struct Handle {
    store: Rc<Store>,
    refreshes: mpsc::UnboundedSender<Refresh>,
}

struct Store {
    sync: RefCell<Online>,
    /// The roster's revision that was last told of.
    told: Cell<u64>,
    listeners: Rc<Listeners<Snapshot>>,
}

/// Everything that an [`OnlineUsers`] says, at one moment. Cheap to clone and to hand to a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The users in order of arrival. A user who has not changed is the same `Arc` as before.
    pub users: Arc<[Arc<OnlineUser>]>,
    /// Why the list may be out of date; `None` if it is not.
    pub error: Option<ChatError>,
    /// Whether the first list is still on its way.
    pub is_loading: bool,
    /// Whether the socket keeps the list true; otherwise it is polled.
    pub is_connected: bool,
}

struct Refresh;

/// Rows are shared, so that a list of all of them costs no copy of any.
type Online = Sync<VecShelf<Arc<OnlineUser>>, ChatError>;

impl OnlineUsers {
    /// Starts at once: the list is fetched over HTTP while the socket is on its way.
    pub fn open(config: Config, options: Options) -> Self {
        let mut sync = Sync::new(options, VecShelf::default());
        sync.start();
        let store = Rc::new(Store {
            sync: RefCell::new(sync),
            told: Cell::default(),
            listeners: Rc::default(),
        });
        let (refreshes, received) = mpsc::unbounded();
        let task = Task {
            store: Rc::clone(&store),
            connection: options
                .socket
                .then(|| Connection::open(config.clone(), Presence::Deltas)),
            config,
            request: None,
            timer: Timer::default(),
            refreshes: received,
        };
        spawn_local(task.run());
        Self(Rc::new(Handle { store, refreshes }))
    }

    /// The users in order of arrival. A user who has not changed is the same `Arc` as before.
    pub fn users(&self) -> Vec<Arc<OnlineUser>> {
        shown(&self.0.store.sync.borrow()).collect()
    }

    /// One user, if online.
    pub fn user(&self, user_id: &str) -> Option<Arc<OnlineUser>> {
        let sync = self.0.store.sync.borrow();
        sync.roster().shelf().get(user_id).cloned()
    }

    /// How many users are online.
    pub fn count(&self) -> usize {
        self.0.store.sync.borrow().roster().len()
    }

    /// Why the list may be out of date; `None` if it is not.
    pub fn error(&self) -> Option<ChatError> {
        self.0.store.sync.borrow().error().cloned()
    }

    /// Whether the first list is still on its way.
    pub fn is_loading(&self) -> bool {
        self.0.store.sync.borrow().is_loading()
    }

    /// Whether the socket keeps the list true; otherwise it is polled.
    pub fn is_connected(&self) -> bool {
        self.0.store.sync.borrow().is_connected()
    }

    /// Asks for the list now. What becomes of it shows in the accessors.
    pub fn refresh(&self) {
        // The task lives as long as this handle.
        let _ = self.0.refreshes.unbounded_send(Refresh);
    }

    /// All of the above at once.
    pub fn snapshot(&self) -> Snapshot {
        self.0.store.snapshot()
    }

    /// Has `callback` called after each change, until the subscription is dropped. A callback that holds a clone of this
    /// keeps the list going until then.
    pub fn subscribe(&self, callback: impl Fn(&Snapshot) + 'static) -> Subscription {
        self.0.store.listeners.add(callback)
    }

    /// The same as a stream. Changes that nobody has looked at yet count as one.
    pub fn changes(&self) -> Changes {
        let (sender, receiver) = mpsc::channel(0);
        let sender = RefCell::new(sender);
        let subscription = self.subscribe(move |_| {
            // Full means that there is a change to look at already.
            let _ = sender.borrow_mut().try_send(());
        });
        Changes {
            store: Rc::clone(&self.0.store),
            receiver,
            _subscription: subscription,
        }
    }
}

/// Equal are those that are the same, as properties of components need it.
impl PartialEq for OnlineUsers {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// The changes of an [`OnlineUsers`]; it ends when the last clone of that is dropped.
pub struct Changes {
    store: Rc<Store>,
    receiver: mpsc::Receiver<()>,
    _subscription: Subscription,
}

impl Stream for Changes {
    type Item = Snapshot;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Snapshot>> {
        let change = ready!(self.receiver.poll_next_unpin(cx));
        Poll::Ready(change.map(|()| self.store.snapshot()))
    }
}

impl Store {
    /// Whether there is anything to show that was not there at the last call.
    fn take_changed(&self) -> bool {
        let mut sync = self.sync.borrow_mut();
        let revision = sync.roster().revision();
        let rows_changed = self.told.replace(revision) != revision;
        sync.take_changed() || rows_changed
    }

    /// What requests name: zeros stand for nothing.
    fn mark(&self) -> Mark {
        const NOTHING: Mark = Mark {
            epoch: 0,
            version: 0,
        };
        self.sync.borrow().roster().mark().unwrap_or(NOTHING)
    }

    fn snapshot(&self) -> Snapshot {
        let sync = self.sync.borrow();
        Snapshot {
            users: shown(&sync).collect(),
            error: sync.error().cloned(),
            is_loading: sync.is_loading(),
            is_connected: sync.is_connected(),
        }
    }
}

fn shown(sync: &Online) -> impl Iterator<Item = Arc<OnlineUser>> {
    sync.roster().shelf().rows().cloned()
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.store.listeners.clear();
    }
}

/// What owns the connection and the request, until there are no handles.
struct Task {
    store: Rc<Store>,
    config: Config,
    connection: Option<Connection>,
    request: Option<Request>,
    timer: Timer,
    refreshes: mpsc::UnboundedReceiver<Refresh>,
}

type Request = LocalBoxFuture<'static, Result<News, ChatError>>;

enum Happened {
    Refresh,
    Answered(Result<News, ChatError>),
    Told(Notice),
    TimedOut,
}

impl Task {
    async fn run(mut self) {
        self.drive();
        while let Some(happened) = poll_fn(|cx| self.poll(cx)).await {
            self.handle(happened);
            self.drive();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Happened>> {
        if let Poll::Ready(refresh) = self.refreshes.poll_next_unpin(cx) {
            return Poll::Ready(refresh.map(|Refresh| Happened::Refresh));
        }
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(notice) = connection.poll_notice(cx)
        {
            match notice {
                Some(notice) => return Poll::Ready(Some(Happened::Told(notice))),
                // Refused for good; polling goes on.
                None => self.connection = None,
            }
        }
        if let Some(request) = &mut self.request
            && let Poll::Ready(answer) = request.poll_unpin(cx)
        {
            self.request = None;
            return Poll::Ready(Some(Happened::Answered(answer)));
        }
        self.timer.poll(cx).map(|()| Some(Happened::TimedOut))
    }

    fn handle(&mut self, happened: Happened) {
        let now = clock::now();
        let mut sync = self.store.sync.borrow_mut();
        match happened {
            Happened::Refresh => sync.refresh(now),
            Happened::Told(notice) => hear(&mut sync, notice),
            Happened::Answered(Ok(news)) => {
                match news.delta() {
                    Some(delta) => sync.handle_http_delta(now, &delta),
                    None => sync.handle_http_list(now, &news.rows, news.mark),
                }
                // It answered here, so the socket need not wait for the end of its backoff.
                if let Some(connection) = &mut self.connection {
                    connection.wake();
                }
            }
            Happened::Answered(Err(error)) => {
                let retry = error.code.retry();
                sync.handle_http_error(now, error, retry);
            }
            Happened::TimedOut => sync.handle_timeout(now),
        }
    }

    fn drive(&mut self) {
        loop {
            let ask = self.store.sync.borrow_mut().poll_ask();
            match ask {
                Some(Ask::Connect) => {
                    self.connection = Some(Connection::open(self.config.clone(), Presence::Deltas));
                }
                Some(Ask::Http) => self.fetch(),
                Some(Ask::Socket) => {
                    if let Some(connection) = &mut self.connection {
                        connection.request_online_users(Some(self.store.mark()));
                    }
                }
                None => break,
            }
        }
        self.timer.set(self.store.sync.borrow().poll_timeout());
        if self.store.take_changed() {
            self.store.listeners.tell(&self.store.snapshot());
        }
    }

    fn fetch(&mut self) {
        let request = api::Request::online_users(self.config.tenant_id(), Some(self.store.mark()));
        let answer = http::send(self.config.clone(), request);
        let news = async move {
            let invalid = || ChatError::new(Code::InvalidResponse);
            News::read(&answer.await?).ok_or_else(invalid)
        };
        self.request = Some(news.boxed_local());
    }
}

fn hear(sync: &mut Online, notice: Notice) {
    match notice {
        Notice::Connected => sync.handle_socket_up(clock::now()),
        Notice::Attempting => sync.handle_socket_attempt(),
        // It is replaced at once, and what was missed is asked for then.
        Notice::Disconnected(Reason::Renewal) => {}
        Notice::Disconnected(Reason::Leaving) => sync.handle_leaving(),
        Notice::Disconnected(reason) => sync.handle_socket_down(ChatError::new(reason.code())),
        Notice::Failed(error) => sync.handle_socket_down(error),
        Notice::Refused(error) => sync.handle_socket_refused(error),
        Notice::Received(name, payload) => {
            if let Some(event) = wire::Event::named(&name) {
                receive(sync, event, payload);
            }
        }
    }
}

fn receive(sync: &mut Online, event: wire::Event, payload: JsValue) {
    match event {
        wire::Event::UserOnline => {
            if let Some(user) = json::read::<OnlineUser>(payload) {
                let row = Arc::new(user);
                sync.handle_online(&row.user_id, &row);
            }
        }
        wire::Event::UserOffline => {
            if let Some(user_id) = read::user_id(&payload) {
                sync.handle_offline(&user_id);
            }
        }
        wire::Event::List | wire::Event::Delta => {
            if let Some(news) = News::read(&payload) {
                match news.delta() {
                    Some(delta) => sync.handle_socket_delta(clock::now(), &delta),
                    None => sync.handle_socket_list(&news.rows, news.mark),
                }
            }
        }
        // Of no concern here.
        wire::Event::Message
        | wire::Event::AiMessage
        | wire::Event::VisitorToken
        | wire::Event::Conversation => {}
    }
}
