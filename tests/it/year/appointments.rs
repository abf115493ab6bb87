//! Which meeting was booked for which moment, from when until when: what a reminder is held against.

use std::collections::BTreeMap;

/// A meeting at one moment, as long as it stood. Moments are microseconds since 1970.
pub struct Appointment {
    pub who: usize,
    pub meeting: String,
    pub starts_at: i64,
    pub from: i64,
    /// When it was moved, given back or called off, else when it began.
    pub until: i64,
}

/// Looks at what is booked, again and again.
#[derive(Default)]
pub struct Diary {
    open: BTreeMap<(usize, String), (i64, i64)>,
    over: Vec<Appointment>,
}

impl Diary {
    /// What is booked now: whose, which meeting, and when it begins.
    pub fn sees(&mut self, booked: &BTreeMap<(usize, String), i64>, now: i64) {
        let gone = |key: &(usize, String), starts_at: i64| booked.get(key) != Some(&starts_at);
        let open = std::mem::take(&mut self.open);
        for (key, (starts_at, from)) in open {
            if gone(&key, starts_at) {
                self.ends(key, starts_at, from, now);
            } else {
                self.open.insert(key, (starts_at, from));
            }
        }
        for (key, starts_at) in booked {
            self.open.entry(key.clone()).or_insert((*starts_at, now));
        }
    }

    fn ends(&mut self, (who, meeting): (usize, String), starts_at: i64, from: i64, now: i64) {
        self.over.push(Appointment {
            who,
            meeting,
            starts_at,
            from,
            until: now.min(starts_at),
        });
    }

    /// Everything that there was, at the end of what is played.
    pub fn closed(mut self, now: i64) -> Vec<Appointment> {
        for (key, (starts_at, from)) in std::mem::take(&mut self.open) {
            self.ends(key, starts_at, from, now);
        }
        self.over
    }
}
