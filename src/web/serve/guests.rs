//! Who is at the door, and who of them does nothing: the order in which they make room.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use hyper::body::{Bytes, Frame, SizeHint};
use tokio_util::sync::CancellationToken;

/// Everybody at one door.
#[derive(Clone, Default)]
pub struct Guests(Arc<Mutex<Idle>>);

/// Connections without a request, by when that began: a counter is enough to tell who came first.
#[derive(Default)]
struct Idle {
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

/// One connection. It idles from its first moment: a header that is half there is no request yet.
pub struct Guest {
    guests: Guests,
    leave: CancellationToken,
    place: Arc<Mutex<u64>>,
}

impl Guests {
    pub fn enter(&self) -> Guest {
        let leave = CancellationToken::new();
        let place = Arc::new(Mutex::new(self.idle(&leave)));
        Guest {
            guests: self.clone(),
            leave,
            place,
        }
    }

    /// Sends away whoever idles longest; false if everybody has a request.
    pub fn make_room(&self) -> bool {
        match self.lock().waiting.pop_first() {
            Some((_, leave)) => {
                leave.cancel();
                true
            }
            None => false,
        }
    }

    fn idle(&self, leave: &CancellationToken) -> u64 {
        let mut idle = self.lock();
        idle.next += 1;
        let at = idle.next;
        idle.waiting.insert(at, leave.clone());
        at
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Fires when this connection has to make room.
    pub fn told_to_leave(&self) -> CancellationToken {
        self.leave.clone()
    }

    /// A request came; the connection is busy until its answer is written.
    pub fn busy(&self) -> Busy {
        let place = *self.place.lock().unwrap_or_else(PoisonError::into_inner);
        self.guests.lock().waiting.remove(&place);
        Busy {
            guests: self.guests.clone(),
            leave: self.leave.clone(),
            place: self.place.clone(),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let place = *self.place.lock().unwrap_or_else(PoisonError::into_inner);
        self.guests.lock().waiting.remove(&place);
        // An answer that outlives its connection must not come back to the line.
        self.leave.cancel();
    }
}

/// While this lives, its connection has a request.
pub struct Busy {
    guests: Guests,
    leave: CancellationToken,
    place: Arc<Mutex<u64>>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if !self.leave.is_cancelled() {
            let at = self.guests.idle(&self.leave);
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = at;
        }
    }
}

/// An answer, and the request that ends with it.
pub struct Held {
    body: Body,
    _busy: Busy,
}

impl Held {
    pub const fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_idles_longest_makes_room_and_the_busy_stay() {
        let guests = Guests::default();
        let (first, second, third) = (guests.enter(), guests.enter(), guests.enter());
        let request = first.busy();
        assert!(guests.make_room());
        assert!(second.told_to_leave().is_cancelled());
        drop(request);
        // The first has been idle for less time than the third now.
        assert!(guests.make_room());
        assert!(third.told_to_leave().is_cancelled());
        assert!(!first.told_to_leave().is_cancelled());
        let _request = first.busy();
        assert!(!guests.make_room(), "nobody idles");
    }

    #[test]
    fn a_connection_that_ended_is_not_in_the_line() {
        let guests = Guests::default();
        let guest = guests.enter();
        let request = guest.busy();
        drop(guest);
        drop(request);
        assert!(!guests.make_room());
        drop(guests.enter());
        assert!(!guests.make_room());
    }
}
