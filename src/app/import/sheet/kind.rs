//! The files of an import: their names and their columns.

/// The files, in the order in which they must be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Candidates,
    Plans,
    Tasks,
    Slots,
    Meetings,
}

impl Kind {
    pub const ALL: [Kind; 5] = [
        Kind::Candidates,
        Kind::Plans,
        Kind::Tasks,
        Kind::Slots,
        Kind::Meetings,
    ];

    pub const fn file_name(self) -> &'static str {
        match self {
            Kind::Candidates => "candidates.csv",
            Kind::Plans => "plans.csv",
            Kind::Tasks => "tasks.csv",
            Kind::Slots => "slots.csv",
            Kind::Meetings => "meetings.csv",
        }
    }

    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Kind::Candidates => &[
                "ref",
                "first_name",
                "family_name",
                "language",
                "digital_skill",
                "track",
                "coach_email",
                "phone",
                "email",
            ],
            Kind::Plans => &["ref", "candidate_ref", "goal", "started_on"],
            Kind::Tasks => &["plan_ref", "number", "title", "due_on", "state"],
            Kind::Slots => &[
                "ref",
                "coach_email",
                "starts_at",
                "minutes",
                "mode",
                "place",
                "capacity",
                "state",
            ],
            Kind::Meetings => &[
                "ref",
                "candidate_ref",
                "coach_email",
                "kind",
                "mode",
                "starts_at",
                "minutes",
                "place",
                "state",
            ],
        }
    }
}
