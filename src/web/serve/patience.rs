//! How long the door waits for a client: for a whole body, and for room to write the next piece of an
//! answer.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// A short pause, so that an accept that fails does not fail a million times a second.
pub async fn breathe() {
    alarm(Duration::from_millis(100)).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client that does nothing gives no sign to wait for"
)]
fn alarm(after: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(after))
}

/// A body that must be there in time, however slowly its pieces come.
pub struct InTime {
    body: Incoming,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl InTime {
    pub fn new(body: Incoming, patience: Duration) -> Self {
        let alarm = (!body.is_end_stream()).then(|| alarm(patience));
        Self { body, alarm }
    }
}

impl Body for InTime {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|it| it.map_err(Into::into)));
        }
        let rang = self
            .alarm
            .as_mut()
            .is_some_and(|alarm| alarm.as_mut().poll(context).is_ready());
        match rang {
            true => Poll::Ready(Some(Err("the body did not come in time".into()))),
            false => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that ends when its reader makes no room for too long. Reading has no deadline here: the
/// header and the body have theirs, and between news of a page nobody says anything.
pub struct Patient {
    stream: TcpStream,
    patience: Duration,
    waiting: Option<Waiting>,
}

/// Since when the reader makes no room, and how little it took since.
struct Waiting {
    alarm: Pin<Box<Sleep>>,
    taken: usize,
}

/// A reader that takes this much in time does read. Less is no sign of it: the kernel of a reader that
/// does nothing takes a few bytes now and then.
const ENOUGH: usize = 64 * 1024;

impl Patient {
    pub const fn new(stream: TcpStream, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            waiting: None,
        }
    }

    fn in_time(
        &mut self,
        written: Poll<io::Result<usize>>,
        asked: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(done) = written {
            if let (Ok(taken), Some(waiting)) = (&done, &mut self.waiting) {
                waiting.taken += taken;
                if *taken == asked || waiting.taken >= ENOUGH {
                    self.waiting = None;
                }
            }
            return Poll::Ready(done);
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Waiting {
            alarm: alarm(patience),
            taken: 0,
        });
        if waiting.alarm.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        // What was not read is thrown away, instead of kept by the kernel for somebody who never reads.
        drop(self.stream.set_zero_linger());
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(written, bytes.len(), context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        let asked = pieces.iter().map(|piece| piece.len()).sum();
        self.in_time(written, asked, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
