//! `ChatConnection`: a live connection, to write messages and to hear what comes.

use core::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::rc::Rc;

use chat_protocol::{
    code::Code,
    event,
    identity::VisitorToken,
    message::{Accepted, Message},
    presence::OnlineUser,
};
use futures_channel::{mpsc, oneshot};
use futures_util::{FutureExt, StreamExt};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::{
    config::{Config, Presence},
    connection::{Connection, Notice, Reply},
    error::ChatError,
    json,
    listeners::{Listeners, Subscription},
    wire::{self, Outgoing},
};
use crate::engine::Reason;

/// What a connection tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The connection is up.
    Connected,
    /// The connection is down; it comes back by itself, unless it was closed.
    Disconnected(Reason),
    /// An attempt to connect failed; another follows.
    Failed(ChatError),
    /// The server refused for good: there is no further attempt.
    Refused(ChatError),
    /// A message in the conversation, one's own included.
    Message(Message),
    /// To admins: a user came online, or something else is shown of them.
    UserOnline(OnlineUser),
    /// To admins: the user of that id has gone.
    UserOffline(String),
    /// To admins: the answer to [`ChatConnection::request_online_users`].
    OnlineUsersList(Vec<OnlineUser>),
    /// To visitors who asked for it: what to keep, and to show next time.
    VisitorToken(VisitorToken),
}

/// A live connection. It connects at once, comes back by itself, and ends when the last clone is dropped.
#[derive(Clone)]
pub struct ChatConnection(Rc<Handle>);

struct Handle {
    config: Config,
    shared: Rc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Default)]
struct Shared {
    live: Cell<bool>,
    listeners: Rc<Listeners<Event>>,
}

enum Command {
    Send(Outgoing, Reply),
    RequestOnlineUsers,
}

impl ChatConnection {
    /// Connects at once.
    pub fn open(config: Config) -> Self {
        let (commands, received) = mpsc::unbounded();
        let shared = Rc::new(Shared::default());
        let task = Task {
            shared: Rc::clone(&shared),
            connection: Connection::open(config.clone(), Presence::Events),
            commands: received,
        };
        spawn_local(task.run());
        Self(Rc::new(Handle {
            config,
            shared,
            commands,
        }))
    }

    /// Has `callback` called with whatever happens, until the subscription is dropped. A callback that holds a clone of
    /// this keeps the connection going until then.
    pub fn subscribe(&self, callback: impl Fn(&Event) + 'static) -> Subscription {
        self.0.shared.listeners.add(callback)
    }

    /// Sends a message; while the connection is down it waits. It is on its way whether or not the receipt is awaited.
    pub fn send_message(&self, text: impl Into<String>) -> Receipt {
        let website = &self.0.config.website;
        self.send(Outgoing {
            text: text.into(),
            tenant_id: None,
            session_id: None,
            site_id: website.site_id.clone(),
            domain: website.domain.clone(),
        })
    }

    /// As an admin, answers in the conversation of a session; otherwise as [`ChatConnection::send_message`].
    pub fn reply(&self, session_id: impl Into<String>, text: impl Into<String>) -> Receipt {
        self.send(Outgoing {
            text: text.into(),
            tenant_id: None,
            session_id: Some(session_id.into()),
            site_id: None,
            domain: None,
        })
    }

    /// Asks for the list of online users, if the connection is up; it comes as [`Event::OnlineUsersList`]. For admins.
    pub fn request_online_users(&self) {
        self.command(Command::RequestOnlineUsers);
    }

    /// Whether the connection is up.
    pub fn is_connected(&self) -> bool {
        self.0.shared.live.get()
    }

    fn send(&self, message: Outgoing) -> Receipt {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Send(message, reply));
        Receipt(answer)
    }

    fn command(&self, command: Command) {
        // The task ends when the server has refused for good; there is nobody to ask any more.
        let _ = self.0.commands.unbounded_send(command);
    }
}

/// Equal are those that are the same, as properties of components need it.
impl PartialEq for ChatConnection {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// The server's receipt of a message. It fails with what the server refuses, and with what prevents a receipt; with
/// [`Code::Disconnected`] and [`Code::Timeout`] the message may have arrived or not.
#[must_use = "only the receipt says whether the message was taken"]
pub struct Receipt(oneshot::Receiver<Result<JsValue, ChatError>>);

impl Future for Receipt {
    type Output = Result<Accepted, ChatError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.0.poll_unpin(cx));
        Poll::Ready(match answer {
            Ok(answer) => answer.and_then(|receipt| {
                json::read(receipt).ok_or_else(|| ChatError::new(Code::InvalidResponse))
            }),
            // A task that has ended takes nothing on.
            Err(oneshot::Canceled) => Err(ChatError::new(Code::NotConnected)),
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.live.set(false);
        self.shared.listeners.clear();
    }
}

/// What owns the connection, until there are no handles or no further attempts.
struct Task {
    shared: Rc<Shared>,
    connection: Connection,
    commands: mpsc::UnboundedReceiver<Command>,
}

enum Happened {
    Commanded(Command),
    Told(Notice),
}

impl Task {
    async fn run(mut self) {
        while let Some(happened) = poll_fn(|cx| self.poll(cx)).await {
            match happened {
                Happened::Commanded(command) => self.obey(command),
                Happened::Told(notice) => self.tell(notice),
            }
        }
        self.shared.live.set(false);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Happened>> {
        if let Poll::Ready(command) = self.commands.poll_next_unpin(cx) {
            return Poll::Ready(command.map(Happened::Commanded));
        }
        let notice = self.connection.poll_notice(cx);
        notice.map(|notice| notice.map(Happened::Told))
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Send(message, reply) => {
                self.connection.request(event::MESSAGE, &message, reply);
            }
            Command::RequestOnlineUsers => self.connection.request_online_users(None),
        }
    }

    fn tell(&self, notice: Notice) {
        let event = match notice {
            // It shows in what becomes of it.
            Notice::Attempting => return,
            Notice::Connected => {
                self.shared.live.set(true);
                Event::Connected
            }
            Notice::Disconnected(reason) => {
                self.shared.live.set(false);
                Event::Disconnected(reason)
            }
            Notice::Failed(error) => Event::Failed(error),
            Notice::Refused(error) => Event::Refused(error),
            Notice::Received(name, payload) => match wire::event(&name, payload) {
                Some(event) => event,
                None => return,
            },
        };
        self.shared.listeners.tell(&event);
    }
}
