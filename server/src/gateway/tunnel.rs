//! Bytes between a client's WebSocket and its backend's.
//!
//! First [`introduce`]: what the client says is inspected, and the backend's frames go on whole, so that the
//! gateway can put in a word of its own between two. Then a [`Pump`]: bytes as they come. What must stay true:
//! an idle tunnel holds no buffer; who does not read slows down only the one that writes to them.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::Sleep;

use super::frames::{Broken, Frames, Sender, close_frame, text_frame};
use super::inspect::{Inspector, Step};
use super::packets;
use crate::config::settings::Socket;

/// Bytes read at once.
const CHUNK: usize = 8192;
/// The same while a client is inspected, in a buffer that is there all the time.
const FIRST_CHUNK: usize = 1024;
/// Chunks moved in one direction before other tasks get their turn.
const CHUNKS_PER_TURN: usize = 16;

/// WebSocket close codes, as our servers use them.
const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;

/// What has been read and not gone on when the inspection is over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Introduced {
    pub(super) to_backend: Vec<u8>,
    pub(super) to_client: Vec<u8>,
}

/// Decides about a CONNECT.
pub(super) trait Judge {
    /// Whether the client that shows this `auth` is let in; if not, the packet that says why.
    fn judge(&self, auth: &str) -> impl Future<Output = Result<(), String>> + Send;

    /// Whether another request of the same session has been let in meanwhile.
    fn is_admitted(&self) -> bool;
}

/// Lets a client show who it is, within the time that a server gives it. `None` if it was not let in, or has
/// gone: then there is nobody to connect.
///
/// # Errors
/// If one of the connections breaks.
pub(super) async fn introduce<C, B>(
    client: &mut C,
    backend: &mut B,
    mut inspector: Inspector,
    first_of_backend: &[u8],
    judge: &impl Judge,
    settings: &Socket,
) -> io::Result<Option<Introduced>>
where
    C: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let mut answers = Frames::new(Sender::Server, settings.max_payload_bytes);
    answers.push(first_of_backend);
    let (mut from_client, mut from_backend) = ([0; FIRST_CHUNK], [0; FIRST_CHUNK]);
    let mut patience = std::pin::pin!(tokio::time::sleep(settings.connect_timeout));
    loop {
        if judge.is_admitted() {
            inspector.admit();
        }
        loop {
            match inspector.next() {
                Step::Wait => break,
                Step::Forward(bytes) => backend.write_all(&bytes).await?,
                Step::Judge(auth) => match judge.judge(&auth).await {
                    Ok(()) => inspector.admit(),
                    Err(packet) => return turn_away(client, &packet, settings).await,
                },
                Step::OtherNamespace(namespace) => {
                    let packet = packets::invalid_namespace(&namespace);
                    return turn_away(client, &packet, settings).await;
                }
                Step::End(Broken::Malformed | Broken::TooLarge) => {
                    let close = close_frame(PROTOCOL_ERROR, "protocol_error");
                    return farewell(client, &close, settings).await;
                }
                Step::Open(to_backend) => {
                    return Ok(Some(Introduced {
                        to_backend,
                        to_client: answers.into_rest(),
                    }));
                }
            }
        }
        loop {
            match answers.next() {
                Ok(Some(piece)) => client.write_all(&piece.raw).await?,
                Ok(None) => break,
                // Not a WebSocket server's.
                Err(Broken::Malformed | Broken::TooLarge) => return Ok(None),
            }
        }
        client.flush().await?;
        tokio::select! {
            read = client.read(&mut from_client) => match read? {
                0 => return Ok(None),
                count => inspector.push(from_client.get(..count).unwrap_or_default()),
            },
            read = backend.read(&mut from_backend) => match read? {
                0 => return farewell(client, &[], settings).await,
                count => answers.push(from_backend.get(..count).unwrap_or_default()),
            },
            () = &mut patience => {
                if judge.is_admitted() {
                    inspector.admit();
                }
                // Its backend ends it at about the same time, if nobody has let it in.
                return Ok(inspector.give_up().map(|to_backend| Introduced {
                    to_backend,
                    to_client: answers.into_rest(),
                }));
            }
        }
    }
}

/// Tells a client that it may not come in. Its backend sees the transport close.
async fn turn_away<C: AsyncRead + AsyncWrite + Unpin>(
    client: &mut C,
    packet: &str,
    settings: &Socket,
) -> io::Result<Option<Introduced>> {
    let mut bytes = text_frame(packet);
    bytes.extend(close_frame(NORMAL, "refused"));
    farewell(client, &bytes, settings).await
}

/// The last that a client hears. What it sends meanwhile is read, so that nothing of this gets lost.
async fn farewell<C: AsyncRead + AsyncWrite + Unpin>(
    client: &mut C,
    bytes: &[u8],
    settings: &Socket,
) -> io::Result<Option<Introduced>> {
    let mut rest = [0; FIRST_CHUNK];
    let telling = async {
        client.write_all(bytes).await?;
        client.shutdown().await?;
        while client.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // One that does not listen is not waited for.
    let _told = tokio::time::timeout(settings.close_timeout, telling).await;
    Ok(None)
}

/// Moves bytes in both directions until both have ended, or one is broken. After the end of one direction
/// the other has a while to end too.
pub(super) struct Pump<C, B> {
    client: C,
    backend: B,
    to_backend: Flow,
    to_client: Flow,
    patience: Duration,
    linger: Option<Pin<Box<Sleep>>>,
}

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    /// What was read and could not be written.
    waiting: Vec<u8>,
    written: usize,
    unflushed: bool,
    end: End,
}

/// How far its end has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    /// Nothing more is to be read.
    Read,
    /// And the writer's side is closed.
    Closed,
}

impl<C, B> Pump<C, B>
where
    C: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    /// A pump whose first bytes are these.
    pub(super) fn new(client: C, backend: B, first: Introduced, patience: Duration) -> Self {
        Self {
            client,
            backend,
            to_backend: Flow::of(first.to_backend),
            to_client: Flow::of(first.to_client),
            patience,
            linger: None,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let up = self
            .to_backend
            .run(cx, &mut self.client, &mut self.backend)?;
        let down = self
            .to_client
            .run(cx, &mut self.backend, &mut self.client)?;
        if up.is_ready() && down.is_ready() {
            return Poll::Ready(Ok(()));
        }
        if up.is_ready() || down.is_ready() {
            let linger = self
                .linger
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.patience)));
            return linger.as_mut().poll(cx).map(Ok);
        }
        Poll::Pending
    }
}

impl<C, B> Future for Pump<C, B>
where
    C: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A connection that breaks ends the tunnel like one that closes.
        self.get_mut().turn(cx).map(|_| ())
    }
}

impl Flow {
    fn of(waiting: Vec<u8>) -> Self {
        Self {
            waiting,
            ..Self::default()
        }
    }

    /// Moves what can be moved now. Ready when this direction has ended.
    fn run(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Poll<()>, io::Error> {
        for _ in 0..CHUNKS_PER_TURN {
            if self.end == End::Closed {
                return Ok(Poll::Ready(()));
            }
            if self.drain(cx, writer)?.is_pending() {
                return Ok(Poll::Pending);
            }
            if self.end == End::Read {
                if Pin::new(&mut *writer).poll_shutdown(cx)?.is_pending() {
                    return Ok(Poll::Pending);
                }
                self.end = End::Closed;
                continue;
            }
            if self.unflushed {
                // What cannot be flushed now will be when its writer wakes this task.
                self.unflushed = Pin::new(&mut *writer).poll_flush(cx)?.is_pending();
            }
            let mut chunk = [MaybeUninit::uninit(); CHUNK];
            let mut chunk = ReadBuf::uninit(&mut chunk);
            if Pin::new(&mut *reader)
                .poll_read(cx, &mut chunk)?
                .is_pending()
            {
                return Ok(Poll::Pending);
            }
            self.take(cx, chunk.filled(), writer)?;
        }
        // The others first.
        cx.waker().wake_by_ref();
        Ok(Poll::Pending)
    }

    /// Writes what was read, and keeps what cannot be written.
    fn take(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        if bytes.is_empty() {
            self.end = End::Read;
            return Ok(());
        }
        let written = match Pin::new(writer).poll_write(cx, bytes)? {
            Poll::Ready(written) => written,
            Poll::Pending => 0,
        };
        self.unflushed = true;
        self.waiting = bytes.get(written..).unwrap_or_default().to_vec();
        self.written = 0;
        Ok(())
    }

    /// Writes what waits, and gives its memory back.
    fn drain(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Poll<()>, io::Error> {
        while let Some(rest) = self
            .waiting
            .get(self.written..)
            .filter(|rest| !rest.is_empty())
        {
            match Pin::new(&mut *writer).poll_write(cx, rest)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(written) => self.written += written,
                Poll::Pending => return Ok(Poll::Pending),
            }
            self.unflushed = true;
        }
        self.waiting = Vec::new();
        self.written = 0;
        Ok(Poll::Ready(()))
    }
}

#[cfg(test)]
#[path = "tunnel/tests.rs"]
mod tests;
