//! Files that people send: their kinds, how they stand, why one is not there, and how often it is tried.
//! What a file is by its content is in `types`.

mod types;

pub use types::Type;

/// What the sender calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Image,
    Audio,
    Voice,
    Video,
    Document,
    Sticker,
}

impl Kind {
    pub const ALL: [Kind; 6] = [
        Kind::Image,
        Kind::Audio,
        Kind::Voice,
        Kind::Video,
        Kind::Document,
        Kind::Sticker,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Audio => "audio",
            Kind::Voice => "voice",
            Kind::Video => "video",
            Kind::Document => "document",
            Kind::Sticker => "sticker",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The largest file that is kept, per kind, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Largest {
    pub image: usize,
    pub audio: usize,
    pub video: usize,
    pub document: usize,
    pub sticker: usize,
}

impl Largest {
    pub const fn of(&self, kind: Kind) -> usize {
        match kind {
            Kind::Image => self.image,
            Kind::Audio | Kind::Voice => self.audio,
            Kind::Video => self.video,
            Kind::Document => self.document,
            Kind::Sticker => self.sticker,
        }
    }
}

/// The state of a file in the database (`media.state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Known by its reference only; it will be fetched.
    Wanted,
    Stored,
    /// It is there, and a rule of ours says no.
    Refused,
    /// The provider has it no longer, or never gave it.
    Gone,
}

impl State {
    pub const ALL: [State; 4] = [State::Wanted, State::Stored, State::Refused, State::Gone];

    pub const fn as_str(self) -> &'static str {
        match self {
            State::Wanted => "wanted",
            State::Stored => "stored",
            State::Refused => "refused",
            State::Gone => "gone",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a file is not there (`media.why`). Each has its sentence on the page of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    TooLarge,
    /// What it shows of itself is not on the list, or not what its kind may be.
    Type,
    /// It is not the file that the message told of.
    Hash,
    /// It lies where no file of this provider lies.
    Address,
    /// The provider has it no longer.
    Expired,
    /// The provider does not let us in.
    Account,
    /// No whole answer came.
    NoAnswer,
}

impl Why {
    pub const ALL: [Why; 7] = [
        Why::TooLarge,
        Why::Type,
        Why::Hash,
        Why::Address,
        Why::Expired,
        Why::Account,
        Why::NoAnswer,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Why::TooLarge => "too_large",
            Why::Type => "type",
            Why::Hash => "hash",
            Why::Address => "address",
            Why::Expired => "expired",
            Why::Account => "account",
            Why::NoAnswer => "no_answer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }

    /// May the same question have another answer later?
    pub const fn may_pass(self) -> bool {
        matches!(self, Why::Address | Why::Account | Why::NoAnswer)
    }

    /// Where it leaves the file.
    pub const fn ends_in(self) -> State {
        match self {
            Why::TooLarge | Why::Type | Why::Hash | Why::Address => State::Refused,
            Why::Expired | Why::Account | Why::NoAnswer => State::Gone,
        }
    }
}

/// Times that a file is asked for, in all.
pub const TRIES: u32 = 5;

/// How long after a failed try the next one is due, in seconds. Together a working day, well within the
/// week that WhatsApp keeps a file.
pub const fn pause_seconds(tries: u32) -> i64 {
    match tries {
        0 | 1 => 60,
        2 => 10 * 60,
        3 => 3600,
        _ => 8 * 3600,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        assert!(
            Why::ALL
                .iter()
                .all(|it| Why::parse(it.as_str()) == Some(*it))
        );
        assert!(
            State::ALL
                .iter()
                .all(|it| State::parse(it.as_str()) == Some(*it))
        );
        assert!(
            Kind::ALL
                .iter()
                .all(|it| Kind::parse(it.as_str()) == Some(*it))
        );
    }

    #[test]
    fn five_tries_end_within_the_week_that_a_file_is_kept() {
        let all: i64 = (1..TRIES).map(pause_seconds).sum();
        assert!(all > 8 * 3600 && all < 2 * 86_400, "{all}");
    }
}
