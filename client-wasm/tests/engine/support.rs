//! A connection under virtual time, with a log of what it wants.

use chat_client_wasm::{
    Millis,
    engine::{AckId, Config, Connection, Delivery, Output},
};
use chat_protocol::code::Code;

pub(crate) const HANDSHAKE: &str =
    r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}"#;
pub(crate) const JOINED: &str = r#"40{"sid":"s"}"#;

pub(crate) struct Client {
    pub(crate) now: Millis,
    pub(crate) engine: Connection,
}

impl Client {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: 1_000,
            engine: Connection::new(Config::default(), seed),
        }
    }

    /// A client that has joined.
    pub(crate) fn live() -> Self {
        let mut client = Self::new(1);
        client.engine.connect(client.now);
        client.join();
        client
    }

    /// Takes an attempt that has begun to the end, and says what it wanted on the way.
    pub(crate) fn join(&mut self) -> Vec<Output> {
        self.join_with(r#"{"token":"t"}"#, FOR_GOOD)
    }

    /// The same with these credentials, which last for `life`.
    pub(crate) fn join_with(&mut self, auth: &str, life: Millis) -> Vec<Output> {
        let mut outputs = self.outputs();
        outputs.extend(self.show(auth, life));
        outputs.extend(self.reach_namespace());
        outputs.extend(self.text(JOINED));
        outputs
    }

    /// Answers the engine's question for credentials.
    pub(crate) fn show(&mut self, auth: &str, life: Millis) -> Vec<Output> {
        self.engine.handle_credentials(self.now, Ok(auth), life);
        self.outputs()
    }

    /// Takes an attempt that has its credentials to where the server's verdict is due.
    pub(crate) fn reach_namespace(&mut self) -> Vec<Output> {
        self.engine.handle_transport_open();
        let mut outputs = self.text(HANDSHAKE);
        self.engine
            .handle_handshake(self.now, Some(25_000), Some(20_000));
        outputs.extend(self.outputs());
        outputs
    }

    /// The server refuses what was shown, for `code`.
    pub(crate) fn refuse(&mut self, code: Code) -> Vec<Output> {
        let frame = r#"44{"message":"no","data":{"code":"X"}}"#;
        assert_eq!(self.text(frame), [Output::ReadRefusal { data: 2 }]);
        self.engine.handle_refusal(self.now, code);
        self.outputs()
    }

    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.engine.poll_output()).collect()
    }

    pub(crate) fn text(&mut self, text: &str) -> Vec<Output> {
        self.engine.handle_text(self.now, text);
        self.outputs()
    }

    pub(crate) fn emit(&mut self, args: &str) -> AckId {
        self.engine
            .emit(self.now, args, Delivery::Acknowledged)
            .expect("an acknowledged emit has an id")
    }

    pub(crate) fn drop_transport(&mut self) -> Vec<Output> {
        self.engine.handle_transport_closed(self.now);
        self.outputs()
    }

    /// Lets time pass up to the next deadline, and returns how long that was.
    pub(crate) fn sleep(&mut self) -> Millis {
        let due = self
            .engine
            .poll_timeout()
            .expect("a connection that is not closed has a deadline");
        let slept = due.saturating_sub(self.now);
        self.now = self.now.max(due);
        self.engine.handle_timeout(self.now);
        slept
    }

    pub(crate) fn pass(&mut self, millis: Millis) -> Vec<Output> {
        self.now += millis;
        self.engine.handle_timeout(self.now);
        self.outputs()
    }
}

/// How an attempt begins.
pub(crate) const ATTEMPT: [Output; 1] = [Output::Authenticate];
/// The life of what does not say how long it is good.
pub(crate) const FOR_GOOD: Millis = 1_000_000_000;

pub(crate) fn send(text: &str) -> Output {
    Output::Send(text.into())
}

pub(crate) fn ack_failed(id: AckId, code: Code) -> Output {
    Output::AckFailed { id, code }
}
