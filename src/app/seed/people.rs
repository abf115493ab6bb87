//! Who the made-up people of the demo are, and what happened between them and the service before the
//! demo begins. Data only; how it becomes rows is not here.

use crate::domain::contact::{DigitalSkill, Track};

/// Both coaches of the demo. The first leads the team, so the page for operators can be seen too.
pub(super) const COACHES: [(&str, &str, bool); 2] = [
    ("Noor Bakker", "noor.bakker@waterstad.example", true),
    ("Joris de Vries", "joris.de.vries@waterstad.example", false),
];

pub(super) struct Actor {
    pub first: &'static str,
    pub family: &'static str,
    pub language: &'static str,
    pub skill: DigitalSkill,
    pub track: Track,
    /// The place of the coach in `COACHES`.
    pub coach: usize,
    pub number: &'static str,
    pub consent: bool,
    /// Empty: there is no plan yet.
    pub goal: &'static str,
    /// Numbered from 1.
    pub steps: &'static [(&'static str, Step)],
    /// What happened, oldest first.
    pub story: &'static [Scene],
}

#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Done so many days ago.
    Done(i64),
    /// Open, due so many working days from today; before today if negative.
    Due(i32),
    Someday,
}

/// One thing that happened: so many days ago, at hour and minute.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub days: i64,
    pub at: (u32, u32),
    pub what: Deed,
}

#[derive(Clone, Copy)]
pub(super) enum Deed {
    /// The person wrote this.
    Says(&'static str),
    /// The service asked about a step; a coach had approved it.
    Asked { step: u32 },
    /// The person tapped an answer below the newest question.
    Taps {
        choice: &'static str,
        label: &'static str,
    },
    /// Today, before the demo begins: the person's coach takes the talk over and writes.
    TakenOver(&'static str),
    /// Paused until so many days from now.
    Paused { days: u64 },
}

const fn says(days: i64, at: (u32, u32), words: &'static str) -> Scene {
    Scene {
        days,
        at,
        what: Deed::Says(words),
    }
}

const fn asked(days: i64, at: (u32, u32), step: u32) -> Scene {
    Scene {
        days,
        at,
        what: Deed::Asked { step },
    }
}

const fn taps(days: i64, at: (u32, u32), choice: &'static str, label: &'static str) -> Scene {
    Scene {
        days,
        at,
        what: Deed::Taps { choice, label },
    }
}

/// On the first morning the first coach gets one draft, for the phone that is shown first; more on the
/// second.
///
/// All made up, the numbers too: the demo has no provider that could reach one.
pub(super) const ACTORS: [Actor; 12] = [
    Actor {
        first: "Samira",
        family: "el Amrani",
        language: "nl",
        skill: DigitalSkill::Basic,
        track: Track::Reintegration,
        coach: 0,
        number: "+31610000001",
        consent: true,
        goal: "Werken in de kinderopvang, dicht bij huis",
        steps: &[
            ("je cv bijwerken", Step::Done(6)),
            ("de wijkschool bellen over een proefdag", Step::Due(1)),
            ("een VOG aanvragen", Step::Due(6)),
        ],
        story: &[asked(6, (10, 5), 1), taps(6, (11, 32), "yes", "Ja, gelukt")],
    },
    Actor {
        first: "Kees",
        family: "Vermeulen",
        language: "nl",
        skill: DigitalSkill::Starter,
        track: Track::Participation,
        coach: 1,
        number: "+31610000002",
        consent: true,
        goal: "Elke week twee ochtenden de deur uit",
        steps: &[
            ("langsgaan bij de fietswerkplaats", Step::Due(-2)),
            ("met de beheerder een vaste ochtend kiezen", Step::Someday),
        ],
        story: &[],
    },
    Actor {
        first: "Layla",
        family: "Haddad",
        language: "nl",
        skill: DigitalSkill::Skilled,
        track: Track::Outplacement,
        coach: 0,
        number: "+31610000003",
        consent: true,
        goal: "Een kantoorbaan van 24 uur",
        steps: &[
            ("drie vacatures uitkiezen", Step::Done(9)),
            ("je LinkedIn-pagina aanvullen", Step::Done(4)),
            ("een brief schrijven aan de bibliotheek", Step::Due(2)),
        ],
        story: &[
            asked(4, (9, 40), 2),
            taps(4, (9, 58), "yes", "Ja, gelukt"),
            says(0, (8, 20), "PLAN"),
        ],
    },
    Actor {
        first: "Tineke",
        family: "de Boer",
        language: "nl",
        skill: DigitalSkill::Basic,
        track: Track::Reintegration,
        coach: 0,
        number: "+31610000004",
        consent: true,
        goal: "Terug naar vier dagen werk",
        steps: &[
            ("een gesprek met de bedrijfsarts plannen", Step::Done(12)),
            ("je uren op papier zetten", Step::Done(7)),
        ],
        story: &[],
    },
    Actor {
        first: "Mohammed",
        family: "Aydin",
        language: "nl",
        skill: DigitalSkill::Basic,
        track: Track::Participation,
        coach: 1,
        number: "+31610000005",
        consent: true,
        goal: "",
        steps: &[],
        story: &[],
    },
    Actor {
        first: "Grace",
        family: "Owusu",
        language: "en",
        skill: DigitalSkill::Skilled,
        track: Track::Reintegration,
        coach: 0,
        number: "+31610000006",
        consent: true,
        goal: "A job in a hotel kitchen",
        steps: &[
            ("sign up for the hygiene course", Step::Due(2)),
            ("visit the hotel by the station", Step::Due(7)),
        ],
        story: &[],
    },
    Actor {
        first: "Dirk",
        family: "Jansen",
        language: "nl",
        skill: DigitalSkill::Starter,
        track: Track::Participation,
        coach: 1,
        number: "+31610000007",
        consent: false,
        goal: "Vrijwilligerswerk bij de speeltuin",
        steps: &[("kennismaken met de beheerder", Step::Due(1))],
        story: &[],
    },
    Actor {
        first: "Fatma",
        family: "Yildiz",
        language: "nl",
        skill: DigitalSkill::Basic,
        track: Track::Reintegration,
        coach: 1,
        number: "+31610000008",
        consent: true,
        goal: "Werk in de thuiszorg",
        steps: &[("je diploma's opzoeken", Step::Due(1))],
        story: &[says(5, (13, 15), "Stop")],
    },
    Actor {
        first: "Piet",
        family: "Hendriks",
        language: "nl",
        skill: DigitalSkill::Starter,
        track: Track::Participation,
        coach: 0,
        number: "+31610000009",
        consent: true,
        goal: "Weer ritme in de week",
        steps: &[("een dagschema maken", Step::Due(1))],
        story: &[Scene {
            days: 0,
            at: (8, 30),
            what: Deed::Paused { days: 13 },
        }],
    },
    Actor {
        first: "Wiktoria",
        family: "Nowak",
        language: "nl",
        skill: DigitalSkill::Basic,
        track: Track::Outplacement,
        coach: 0,
        number: "+31610000010",
        consent: true,
        goal: "Een vast contract als lasser",
        steps: &[
            ("je certificaten opsturen", Step::Done(8)),
            ("het uitzendbureau terugbellen", Step::Due(1)),
        ],
        story: &[
            says(0, (8, 5), "Ik heb een brief gekregen die ik niet begrijp"),
            Scene {
                days: 0,
                at: (8, 40),
                what: Deed::TakenOver(
                    "Goed dat je het zegt, Wiktoria. Neem de brief mee, dan lezen we hem vandaag samen.",
                ),
            },
        ],
    },
    Actor {
        first: "Ruben",
        family: "Visser",
        language: "nl",
        skill: DigitalSkill::Skilled,
        track: Track::Outplacement,
        coach: 0,
        number: "+31610000011",
        consent: true,
        goal: "Omscholen naar de techniek",
        steps: &[("een open dag kiezen", Step::Due(4))],
        story: &[says(
            1,
            (16, 10),
            "Kan ik volgende week met de trein komen? Mijn auto is stuk",
        )],
    },
    Actor {
        first: "Jamila",
        family: "Bouzid",
        language: "nl",
        skill: DigitalSkill::Starter,
        track: Track::Participation,
        coach: 1,
        number: "+31610000012",
        consent: true,
        goal: "Nederlands spreken op het werk",
        steps: &[
            ("naar het taalcafé gaan", Step::Done(3)),
            ("een taalmaatje vragen", Step::Due(3)),
        ],
        story: &[asked(0, (8, 10), 2)],
    },
];
