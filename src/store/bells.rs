//! What a commit tells this process: loops that have work, and pages that are stale.

use tokio::sync::{Notify, broadcast};

use crate::domain::ids::CandidateId;

/// The loops that a commit can wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    Unpack,
    Turns,
    Sender,
    Media,
}

/// Something about this candidate changed: pages that show them are stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    pub candidate: CandidateId,
}

/// Wakes the loops of this process. Other processes poll.
pub struct Bells {
    unpack: Notify,
    turns: Notify,
    sender: Notify,
    media: Notify,
    news: broadcast::Sender<News>,
}

impl Bells {
    pub(super) fn new() -> Self {
        Self {
            unpack: Notify::new(),
            turns: Notify::new(),
            sender: Notify::new(),
            media: Notify::new(),
            news: broadcast::channel(256).0,
        }
    }

    pub fn ring(&self, queue: Queue) {
        match queue {
            Queue::Unpack => self.unpack.notify_one(),
            Queue::Turns => self.turns.notify_one(),
            Queue::Sender => self.sender.notify_one(),
            Queue::Media => self.media.notify_one(),
        }
    }

    pub async fn heard(&self, queue: Queue) {
        match queue {
            Queue::Unpack => self.unpack.notified().await,
            Queue::Turns => self.turns.notified().await,
            Queue::Sender => self.sender.notified().await,
            Queue::Media => self.media.notified().await,
        }
    }

    pub(super) fn tell(&self, news: News) {
        // Nobody listens when no page is open.
        drop(self.news.send(news));
    }

    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
}
