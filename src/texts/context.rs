//! The names that a text may use. A name that a text uses and the context lacks is an error, never an
//! empty place: nobody gets "Hoi ,".

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDateTime};
use serde::Serialize;

use super::source::{Said, Text};
use crate::domain::flow::definition::About;
use crate::domain::plan::MeetingMode;
use crate::domain::talk::effect::TextKey;

/// How many done steps a text shows: the newest.
const MOST_DONE: usize = 5;

/// One step of the plan, as texts tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub number: u32,
    pub title: String,
}

/// One meeting, as texts tell it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MeetingTold {
    /// In local time.
    pub starts_at: Option<NaiveDateTime>,
    /// The address, or for video the link.
    pub place: Option<String>,
    /// Without one nobody knows: the place is then the coach's to tell.
    pub mode: Option<MeetingMode>,
    /// What the two of them will do, in the coach's words; empty: something that always goes.
    pub task: String,
}

/// One vacancy, as texts tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VacancyTold {
    #[serde(rename = "vacancy")]
    pub title: String,
    pub employer: String,
    /// The village or town.
    pub town: String,
    /// A phrase: "24 tot 32 uur per week".
    pub hours: String,
    /// The reasons of the match, as one phrase: "ongeveer 6 km in een rechte lijn, geen VOG nodig".
    pub why: String,
    /// What the person's last answer about it changed, as a sentence: "We zoeken nu tot 5 km van je huis."
    pub learned: String,
}

/// The people around a change of coach. What is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Colleagues {
    /// First names.
    pub old_coach: String,
    pub stand_in: String,
    #[serde(skip)]
    pub back_on: Option<chrono::NaiveDate>,
}

/// What may be said to one person about one thing. Absent names are not serialised, so that the strict
/// engine refuses them.
#[derive(Clone, Serialize)]
pub struct Context {
    first_name: String,
    /// The first name of the coach whom a meeting is with, else of the person's own; the book fills in "your
    /// coach" where there is none.
    pub(super) coach: String,
    /// The person's own coach: who calls back and hears what is passed on, whoever a meeting is with.
    pub(super) own_coach: String,
    organisation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_number: Option<u32>,
    steps: Vec<Step>,
    done_steps: Vec<Step>,
    /// The moments of an offer, for templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot_1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot_2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot_3: Option<String>,
    /// The first open step after this one; empty if there is none (the fact `more_steps` knows).
    next_step: String,
    /// Texts of which this person gets the other wording.
    #[serde(skip)]
    others: BTreeSet<TextKey>,
    #[serde(skip)]
    meeting: MeetingTold,
    #[serde(flatten)]
    vacancy: Option<VacancyTold>,
    #[serde(flatten)]
    colleagues: Colleagues,
    /// The first working day of the coach, told as a day; empty if nobody knows.
    back_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// "Dit gaan jullie doen: …."
    #[serde(skip_serializing_if = "Option::is_none")]
    meeting_task: Option<String>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context(···)")
    }
}

impl Context {
    pub fn new(first_name: &str, coach: &str, organisation: &str) -> Self {
        Self {
            first_name: first_name.to_owned(),
            coach: coach.to_owned(),
            own_coach: coach.to_owned(),
            organisation: organisation.to_owned(),
            task: None,
            task_number: None,
            steps: Vec::new(),
            done_steps: Vec::new(),
            slot_1: None,
            slot_2: None,
            slot_3: None,
            next_step: String::new(),
            others: BTreeSet::new(),
            meeting: MeetingTold::default(),
            vacancy: None,
            colleagues: Colleagues::default(),
            back_on: String::new(),
            when: None,
            time: None,
            place: None,
            meeting_task: None,
        }
    }

    /// The message is about a meeting with this coach; `None`: with the person's own.
    #[must_use]
    pub fn met_by(mut self, coach: Option<String>) -> Self {
        self.coach = coach.unwrap_or(self.coach);
        self
    }

    /// The task that the message is about.
    #[must_use]
    pub fn about(mut self, task: Option<Step>) -> Self {
        self.task_number = task.as_ref().map(|step| step.number);
        self.task = task.map(|step| step.title);
        self
    }

    /// The open and the done steps of the plan; after `about`.
    #[must_use]
    pub fn steps(mut self, open: Vec<Step>, done: Vec<Step>) -> Self {
        let next = open
            .iter()
            .find(|step| Some(step.number) != self.task_number);
        self.next_step = next.map(|step| step.title.clone()).unwrap_or_default();
        self.steps = open;
        let old = done.len().saturating_sub(MOST_DONE);
        self.done_steps = done.into_iter().skip(old).collect();
        self
    }

    /// The meeting that the message is about, else the next one.
    #[must_use]
    pub fn meeting(mut self, meeting: MeetingTold) -> Self {
        self.meeting = meeting;
        self
    }

    /// The vacancy that the message is about.
    #[must_use]
    pub fn vacancy(mut self, vacancy: Option<VacancyTold>) -> Self {
        self.vacancy = vacancy;
        self
    }

    #[must_use]
    pub fn colleagues(mut self, colleagues: Colleagues) -> Self {
        self.colleagues = colleagues;
        self
    }

    /// With the other wording of these texts, also where the question is asked again.
    #[must_use]
    pub fn in_other_words(mut self, texts: impl IntoIterator<Item = TextKey>) -> Self {
        self.others.extend(texts.into_iter().map(first_asked));
        self
    }

    /// How this person gets a text.
    pub(super) fn wording<'a>(&self, key: &TextKey, text: &'a Text) -> Said<'a> {
        let other = self.others.contains(&first_asked(key.clone()));
        let other = text.other().filter(|_| other);
        other.unwrap_or_else(|| text.first())
    }

    pub(super) fn slots<'a>(&mut self, labels: impl Iterator<Item = &'a str>) {
        let mut labels = labels.map(str::to_owned);
        (self.slot_1, self.slot_2, self.slot_3) = (labels.next(), labels.next(), labels.next());
    }

    /// With days and times in the words of a language.
    pub(super) fn told_in(&self, locale: &str) -> Self {
        let mut told = self.clone();
        if let Some(at) = self.meeting.starts_at {
            told.when = Some(day(at.date(), locale));
            told.time = Some(at.format("%H:%M").to_string());
            told.place = Some(self.place(locale));
            told.meeting_task = Some(self.meeting_task(locale));
        }
        told.back_on = self
            .colleagues
            .back_on
            .map(|back| day(back, locale))
            .unwrap_or_default();
        told
    }

    /// Where a meeting is, so that "Where: …" can be read on.
    fn place(&self, locale: &str) -> String {
        let phrase = |nl: &str, en: &str| if locale == "en" { en } else { nl }.to_owned();
        match (self.meeting.mode, &self.meeting.place) {
            (Some(MeetingMode::Phone), _) => phrase(
                "aan de telefoon, je wordt gebeld",
                "on the phone, you will be called",
            ),
            (_, Some(place)) => place.clone(),
            (_, None) => phrase("dat hoor je nog van je coach", "your coach will tell you"),
        }
    }

    /// What will be done in a meeting, as the end of a sentence.
    fn meeting_task(&self, locale: &str) -> String {
        let task = self.meeting.task.trim().trim_end_matches('.');
        match (task.is_empty(), locale) {
            (false, _) => task.to_owned(),
            (true, "en") => "talk about what went well this week".to_owned(),
            (true, _) => "praten over wat goed ging deze week".to_owned(),
        }
    }

    /// What every text of a flow about this must render with: short and long, plain and awkward.
    pub fn samples(about: Option<About>) -> Vec<(&'static str, Self)> {
        let step = |number, title: &str| Step {
            number,
            title: title.to_owned(),
        };
        let usual = Self::new("Samira", "Noor", "Gemeente Waterstad")
            .steps(
                vec![step(2, "cv maken"), step(3, "bellen met de bakker")],
                vec![step(1, "intake")],
            )
            .colleagues(Colleagues {
                old_coach: "Ilse".to_owned(),
                stand_in: "Karim".to_owned(),
                back_on: chrono::NaiveDate::from_ymd_opt(2026, 9, 23),
            });
        let long = Self::new(
            "Maximiliaan-Alexander",
            "Wilhelmina",
            "Werkbedrijf Waterstad en Omstreken",
        )
        .steps(
            vec![step(
                12,
                "een gesprek voeren met drie bedrijven bij jou in de buurt",
            )],
            vec![step(11, "een brief schrijven aan de bakker"); 9],
        )
        .colleagues(Colleagues {
            old_coach: "Wilhelmina-Josephine".to_owned(),
            stand_in: "Maximiliaan".to_owned(),
            back_on: chrono::NaiveDate::from_ymd_opt(2026, 9, 30),
        });
        let odd = Self::new("O'Neill & {{zoon}}", "Jo", "Gemeente \"Waterstad\"")
            .steps(Vec::new(), vec![step(1, "{{x}}\n\"cv\"")])
            .colleagues(Colleagues {
                old_coach: "{{coach}}".to_owned(),
                stand_in: "Jo & Co".to_owned(),
                back_on: chrono::NaiveDate::from_ymd_opt(2026, 1, 1),
            });
        let at = |hour, minute| {
            let day = chrono::NaiveDate::from_ymd_opt(2026, 9, 23);
            day.and_then(|day| day.and_hms_opt(hour, minute, 0))
        };
        let told = |context: Self, task: Step, (at, place): (_, &str), vacancy: [&str; 5]| {
            let [title, employer, town, hours, why] = vacancy.map(str::to_owned);
            let vacancy = VacancyTold {
                title,
                employer,
                town,
                hours,
                learned: "We zoeken nu tot 5 km van je huis.".to_owned(),
                why,
            };
            let meeting = MeetingTold {
                starts_at: at,
                place: Some(place.to_owned()),
                mode: Some(MeetingMode::Office),
                // The step that is worked on stands for what will be done.
                task: task.title.clone(),
            };
            let (open, done) = (context.steps.clone(), context.done_steps.clone());
            let context = context.meeting(meeting);
            match about {
                Some(About::Task) | None => context.about(Some(task)).steps(open, done),
                Some(About::Vacancy) => context.vacancy(Some(vacancy)),
                Some(About::Meeting | About::Nothing) => context,
            }
        };
        let usual = told(
            usual,
            step(2, "cv maken"),
            (at(10, 30), "Stadhuis, kamer 2"),
            [
                "Hulp in de keuken",
                "De Kok",
                "Waterstad",
                "24 tot 32 uur per week",
                "20 min fietsen",
            ],
        );
        let long = told(
            long,
            step(
                12,
                "een gesprek voeren met drie bedrijven bij jou in de buurt",
            ),
            (
                at(14, 45),
                "https://video.waterstad.example/gesprek/3f9a-77c1-noor",
            ),
            [
                "Medewerker magazijn en bezorging (avond en weekend)",
                "Koninklijke Bezorgdienst Waterland",
                "Bergen op Zoom",
                "16 tot 36 uur per week",
                "45 min met de bus, geen VOG nodig, rijbewijs nodig",
            ],
        );
        let odd = told(
            odd,
            step(1, "<b>cv</b>\nmaken"),
            (at(9, 0), "{{place}} & Co"),
            [
                "{{why}}",
                "O'Neill & Zn.",
                "'s-Hertogenbosch",
                "8 uur",
                "in 's-Hertogenbosch",
            ],
        );
        vec![("usual", usual), ("long", long), ("odd", odd)]
    }
}

/// A question and the same question asked again are one text.
fn first_asked(key: TextKey) -> TextKey {
    match key {
        TextKey::Again { flow, node } => TextKey::Node { flow, node },
        key => key,
    }
}

fn day(at: chrono::NaiveDate, locale: &str) -> String {
    const NL: ([&str; 7], [&str; 12]) = (
        [
            "maandag",
            "dinsdag",
            "woensdag",
            "donderdag",
            "vrijdag",
            "zaterdag",
            "zondag",
        ],
        [
            "januari",
            "februari",
            "maart",
            "april",
            "mei",
            "juni",
            "juli",
            "augustus",
            "september",
            "oktober",
            "november",
            "december",
        ],
    );
    const EN: ([&str; 7], [&str; 12]) = (
        [
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
        ],
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    );
    let (days, months) = if locale == "en" { EN } else { NL };
    let weekday = usize::try_from(at.weekday().num_days_from_monday()).unwrap_or(0);
    let month = usize::try_from(at.month0()).unwrap_or(0);
    format!("{} {} {}", days[weekday], at.day(), months[month])
}
