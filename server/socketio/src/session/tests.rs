//! A client is let in while it takes, as in another task, whatever there is for it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::*;
use crate::engine::{Payload, Shared, Start};
use crate::{Config, Refusal};

const ROOM: &str = "all";

/// A place in the course of a connect at which another task may have its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Deciding,
    BeforeTheRoom,
    InTheRoom,
    Connected,
}

const MOMENTS: [Moment; 4] = [
    Moment::Deciding,
    Moment::BeforeTheRoom,
    Moment::InTheRoom,
    Moment::Connected,
];

/// Lets everybody into the room, and gives another task its turn in between.
struct Doorkeeper<F>(F);

impl<F: Fn(Moment) + Send + Sync + 'static> Application for Doorkeeper<F> {
    type Session = ();

    async fn connect(&self, _: ConnectRequest<'_>) -> Result<(), Refusal> {
        (self.0)(Moment::Deciding);
        Ok(())
    }

    fn answered(&self, socket: &Socket<()>) {
        (self.0)(Moment::BeforeTheRoom);
        assert!(socket.join(ROOM));
        (self.0)(Moment::InTheRoom);
    }

    async fn connected(&self, _: &Socket<()>) {
        (self.0)(Moment::Connected);
    }

    async fn event(&self, _: &Socket<()>, _: Event<'_>) {}

    async fn disconnected(&self, _: &Socket<()>, _: DisconnectReason) {}
}

/// The other end of a session.
#[derive(Clone)]
struct Client {
    start: Start,
    link: Link,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Client {
    fn new() -> Self {
        Self::by(Start::Polling)
    }

    fn by(start: Start) -> Self {
        let shared = Arc::new(Shared::new(Config::default()));
        Self {
            start,
            link: Link::new(Id::random(), shared, start),
            heard: Arc::default(),
        }
    }

    /// Takes what there is, and says whether it has the answer now.
    fn take(&self) -> bool {
        let mut heard = self.heard.lock();
        match self.start {
            Start::Polling => self.poll(&mut heard),
            Start::WebSocket => self.read(&mut heard),
        }
        heard.iter().any(|frame| frame.starts_with("40"))
    }

    fn poll(&self, heard: &mut Vec<String>) {
        if self.link.begin_poll().is_err() {
            assert!(self.link.is_closed());
            return;
        }
        let cx = Context::from_waker(Waker::noop());
        let taken = self.link.poll_take(&cx, |payload, _| {
            heard.push(text(payload));
            true
        });
        assert!(!matches!(taken, Poll::Ready(Err(_))));
        self.link.end_poll(true);
    }

    /// As the driver of a WebSocket writes.
    fn read(&self, heard: &mut Vec<String>) {
        let cx = Context::from_waker(Waker::noop());
        let is_told = |heard: &[String]| heard.iter().any(|frame| frame == CLOSE);
        while !is_told(heard) && self.link.poll_write(&cx).is_ready() {
            if let Some(payload) = self.link.pop() {
                heard.push(text(&payload));
            } else if self.link.written_out().is_some() {
                heard.push(CLOSE.to_owned());
            }
        }
    }
}

const CLOSE: &str = "1";

fn text(payload: &Payload) -> String {
    let Payload::Text(text) = payload else {
        panic!("{payload:?} is no text");
    };
    text.as_str().to_owned()
}

/// Connects the client, and gives another task its turns. What the client has heard when all is over.
async fn connect(
    hub: Hub<()>,
    client: &Client,
    turn: impl Fn(Moment) + Send + Sync + 'static,
) -> Vec<String> {
    let sessions = Sessions::new(Doorkeeper(turn), hub);
    let mut session = sessions.open(&client.link, Handshake::default());
    sessions
        .text(&client.link, &mut session, "0")
        .await
        .unwrap();
    client.take();
    client.heard.lock().clone()
}

fn said() -> Frame {
    Frame::from_raw_event("/", "said", "1")
}

#[tokio::test]
async fn whoever_has_the_answer_misses_nothing_that_is_said_from_then_on() {
    for looks in MOMENTS {
        let hub = Hub::new(Config::default());
        let client = Client::new();
        let (other, room, spoken) = (client.clone(), hub.clone(), Arc::new(Mutex::new(0)));
        let count = Arc::clone(&spoken);
        let heard = connect(hub, &client, move |moment| {
            if moment == looks && other.take() {
                room.to(ROOM).emit_frame(&said());
                *count.lock() += 1;
            }
        })
        .await;
        let events = heard.iter().filter(|frame| frame.starts_with("42"));
        assert_eq!(events.count(), *spoken.lock(), "{looks:?}: {heard:?}");
        let knows = usize::from(looks == Moment::Connected);
        assert_eq!(*spoken.lock(), knows, "{looks:?}: {heard:?}");
    }
}

#[tokio::test]
async fn nothing_comes_before_the_answer() {
    for speaks in MOMENTS {
        let hub = Hub::new(Config::default());
        let client = Client::new();
        let (other, all) = (client.clone(), hub.clone());
        let heard = connect(hub, &client, move |moment| {
            if moment == speaks {
                all.of("/").unwrap().broadcast(&said());
                all.to(ROOM).emit_frame(&said());
            }
            other.take();
        })
        .await;
        assert!(heard[0].starts_with("40"), "{speaks:?}: {heard:?}");
    }
}

#[tokio::test]
async fn who_is_sent_away_while_being_let_in_has_the_answer_before_the_end() {
    for start in [Start::Polling, Start::WebSocket] {
        for ends in MOMENTS {
            let client = Client::by(start);
            let other = client.clone();
            let heard = connect(Hub::new(Config::default()), &client, move |moment| {
                if moment == ends {
                    other.link.close(DisconnectReason::ServerDisconnect);
                    other.take();
                }
            })
            .await;
            let frames: Vec<_> = heard.iter().map(|frame| &frame[..1]).collect();
            let expected: &[&str] = match ends {
                Moment::Deciding => &[CLOSE],
                Moment::BeforeTheRoom | Moment::InTheRoom | Moment::Connected => &["4", CLOSE],
            };
            assert_eq!(frames, expected, "{start:?}, {ends:?}: {heard:?}");
        }
    }
}
