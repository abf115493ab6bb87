//! What the page of one person shows, and its samples.

use serde::Serialize;

use crate::web::coach::agenda::view::Choice;
use crate::web::coach::meetings::view::{Line, sample};
use crate::web::coach::work::Work;
use crate::web::coach::{Callout, Chip, Moment};
use crate::web::view::Page;
use crate::web::words::Words;

#[derive(Debug, Clone, Serialize)]
pub struct CandidatePage {
    pub wide: bool,
    pub id: String,
    pub initials: String,
    pub name: String,
    pub facts: String,
    pub phone: String,
    pub version: i64,
    pub paused: bool,
    pub pause_about: String,
    pub pauses: Vec<Moment>,
    pub pause_day: String,
    pub callouts: Vec<Callout>,
    pub silence: String,
    pub silence_tone: &'static str,
    pub older_label: String,
    pub older: Vec<Day>,
    pub recent: Vec<Day>,
    pub write: Vec<Write>,
    pub plan_done: String,
    pub goal: String,
    pub tasks: Vec<TaskRow>,
    pub plan_about: String,
    /// What is to come, and what was filled in last.
    pub meetings: Vec<Line>,
    pub soon: Vec<Soon>,
    /// One: what the person looks for, and what was found.
    pub work: Vec<Work>,
    pub mix: MixShown,
    pub consents: Vec<Chip>,
    pub consent_about: String,
    pub addresses: Vec<AddressRow>,
    pub flags: Vec<FlagRow>,
    /// Who can be the coach instead; empty: nobody.
    pub coaches: Vec<Choice>,
    pub transfer_about: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Day {
    pub heading: String,
    pub items: Vec<Item>,
}

/// One entry of the thread: exactly one of the three lists has one element.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Item {
    pub message: Vec<Message>,
    pub memo: Vec<Memo>,
    pub event: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Message {
    pub id: String,
    pub person: String,
    pub ours: bool,
    /// What stands in place of a text that is hidden until it is opened; empty: the text is shown.
    pub masked: String,
    pub subject: String,
    pub text: String,
    pub gone: bool,
    pub unsure: bool,
    pub taps: Vec<String>,
    /// The file that came with it, or why it is not there.
    pub files: Vec<FileShown>,
    pub medium: &'static str,
    pub medium_word: String,
    pub by: String,
    pub at: String,
    pub iso: String,
    /// What is known about its delivery: "failed" then "delivered" is shown as both.
    pub states: Vec<Chip>,
    pub draft_href: String,
    pub doubt: Vec<ThreadDoubt>,
}

/// Either where to get it and what it is, or why it is not there.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FileShown {
    pub href: String,
    pub word: String,
    pub why: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ThreadDoubt {
    pub id: String,
    pub version: i64,
    pub evidence: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Memo {
    pub about: String,
    pub text: String,
}

/// The composer.
#[derive(Debug, Clone, Serialize)]
pub struct Write {
    pub id: String,
    pub version: i64,
    /// "You have had this talk since …"; empty: the bot has it.
    pub mine: String,
    /// Why nothing can be written; empty: it can.
    pub closed: String,
    pub label: String,
    pub draft: String,
    pub medium: &'static str,
    pub medium_word: String,
    pub part_price: i64,
    pub moment: String,
    pub send: String,
    pub hint: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct TaskRow {
    pub number: u32,
    pub title: String,
    pub done: bool,
    pub dropped: bool,
    pub tone: &'static str,
    pub state: String,
    pub small: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Soon {
    pub iso: String,
    pub when: String,
    pub what: String,
    pub chip: String,
    pub tone: &'static str,
    pub small: String,
}

/// The blend: a small picture, what it counts, and who began and did what.
#[derive(Debug, Clone, Serialize)]
pub struct MixShown {
    pub tone: &'static str,
    pub chip: String,
    /// Without enough contacts there is no picture.
    pub picture: Vec<Picture>,
    pub counts: String,
    pub trend: Vec<String>,
    pub agreed: String,
}

/// In percent.
#[derive(Debug, Clone, Serialize)]
pub struct Picture {
    pub label: String,
    pub from: u32,
    pub width: u32,
    pub pin: u32,
    pub off: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct AddressRow {
    pub kind: String,
    pub masked: String,
    pub tone: &'static str,
    pub state: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct FlagRow {
    pub id: String,
    pub urgent: bool,
    pub text: String,
    pub when: String,
}

impl Page for CandidatePage {
    const TEMPLATE: &'static str = "candidate";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let full = Self::sample(words);
        let mut taken = full.clone();
        taken.write[0].mine = words.fill("write.mine", &[("when", "08:31")]);
        taken.paused = true;
        taken.callouts = vec![Callout::new(
            "brand",
            words.fill("person.paused_strong", &[("when", "di 1 dec")]),
            words.say("person.paused_text"),
        )];
        let mut empty = full.clone();
        empty.older = Vec::new();
        empty.recent = Vec::new();
        empty.tasks = Vec::new();
        empty.meetings = Vec::new();
        empty.goal = String::new();
        empty.soon = Vec::new();
        empty.work[0].lines = Vec::new();
        empty.work[0].lessons = Vec::new();
        empty.work[0].matches = Vec::new();
        empty.mix.picture = Vec::new();
        empty.mix.trend = Vec::new();
        empty.addresses = Vec::new();
        empty.flags = Vec::new();
        empty.phone = String::new();
        empty.write[0].closed = words.fill("write.no_way", &[("name", "Layla")]);
        vec![("full", full), ("taken", taken), ("empty", empty)]
    }
}

impl CandidatePage {
    fn sample(words: &Words) -> Self {
        let person = "01J00000000000000000000001";
        let message = |n: u32, ours: bool, text: &str, states: Vec<Chip>| Message {
            id: format!("01J0000000000000000000001{n}"),
            person: person.into(),
            ours,
            masked: String::new(),
            subject: String::new(),
            text: text.into(),
            gone: false,
            unsure: false,
            taps: Vec::new(),
            files: Vec::new(),
            medium: "whatsapp",
            medium_word: words.say("medium.whatsapp"),
            by: if ours {
                words.say("thread.approved")
            } else {
                words.say("kind.button")
            },
            at: "09:04".into(),
            iso: "2026-11-09T09:04:00".into(),
            states,
            draft_href: String::new(),
            doubt: Vec::new(),
        };
        let item = |message: Message| Item {
            message: vec![message],
            ..Item::default()
        };
        let mut asked = message(
            1,
            true,
            "Hoi Yusuf, morgen is stap 2: een proefles bij Sportschool Waal.\nLukt dat?",
            vec![Chip::new(
                "good",
                words.fill("state.read", &[("when", "12:31")]),
            )],
        );
        asked.taps = vec!["Ja, gelukt".into(), "Nog niet".into()];
        let mut failed = message(
            3,
            true,
            "Hoi Yusuf, zullen we stap 2 kleiner maken?",
            vec![Chip::new(
                "alarm",
                words.fill("state.failed", &[("why", &words.say("code.unreachable"))]),
            )],
        );
        failed.gone = true;
        let mut hidden = message(4, false, "", Vec::new());
        hidden.masked = words.say("thread.masked.sensitive");
        let mut unsure = message(
            5,
            true,
            "Hoi Yusuf, hoe gaat het met je?",
            vec![Chip::new("wait", words.say("state.in_doubt"))],
        );
        unsure.unsure = true;
        unsure.doubt = vec![ThreadDoubt {
            id: unsure.id.clone(),
            version: 5,
            evidence: words.fill(
                "doubt.evidence",
                &[("when", "09:01:12"), ("n", "1"), ("name", "Yusuf")],
            ),
        }];
        let mut waiting = message(
            6,
            true,
            "Tot maandag.",
            vec![Chip::new("wait", words.say("state.waiting"))],
        );
        waiting.draft_href = "/concepten/01J00000000000000000000016".into();
        let mut photo = message(7, false, &words.say("content.image"), Vec::new());
        photo.files = vec![FileShown {
            href: format!("/kandidaten/{person}/bestanden/{}", photo.id),
            word: words.fill(
                "file.get",
                &[
                    ("kind", &words.say("kind.image")),
                    ("type", "jpg"),
                    ("size", &words.size(240_000)),
                ],
            ),
            why: String::new(),
        }];
        let mut lost = message(8, false, &words.say("content.document"), Vec::new());
        lost.files = vec![FileShown {
            why: words.fill("file.why.expired", &[("name", "Yusuf")]),
            ..FileShown::default()
        }];
        let memo = Memo {
            about: words.fill("thread.note_you", &[("when", "10:20"), ("name", "Yusuf")]),
            text: "Gebeld, geen gehoor. <script>alert(1)</script>".into(),
        };
        let step = |number: u32, title: &str, done: bool| TaskRow {
            number,
            title: title.into(),
            done,
            dropped: false,
            tone: if done { "good" } else { "wait" },
            state: if done {
                words.say("plan.task_done")
            } else {
                words.count("plan.late", 10)
            },
            small: String::new(),
        };
        Self {
            wide: false,
            id: person.into(),
            initials: "YK".into(),
            name: "Yusuf Kaya".into(),
            facts: [
                words.say("track.participation"),
                words.fill("person.coach", &[("name", "Noor Bakker")]),
            ]
            .join(" · "),
            phone: "tel:+31600000041".into(),
            version: 7,
            paused: false,
            pause_about: words.fill("person.pause_about", &[("name", "Yusuf")]),
            pauses: vec![Moment {
                value: "2026-12-01".into(),
                word: words.say("person.pause_week"),
                small: "di 1 dec".into(),
            }],
            pause_day: "2026-12-07".into(),
            callouts: Vec::new(),
            silence: words.fill("thread.silent_since", &[("when", "wo 11 nov")]),
            silence_tone: "wait",
            older_label: words.fill("thread.older", &[("from", "vr 30 okt"), ("to", "ma 9 nov")]),
            older: vec![Day {
                heading: "maandag 9 november".into(),
                items: vec![
                    item(asked),
                    item(message(2, false, "Ja, gelukt", Vec::new())),
                ],
            }],
            recent: vec![Day {
                heading: "maandag 23 november".into(),
                items: vec![
                    Item {
                        memo: vec![memo],
                        ..Item::default()
                    },
                    item(failed),
                    Item {
                        event: vec![words.say("thread.second_form")],
                        ..Item::default()
                    },
                    item(hidden),
                    item(photo),
                    item(lost),
                    item(unsure),
                    item(waiting),
                ],
            }],
            write: vec![Write {
                id: person.into(),
                version: 7,
                mine: String::new(),
                closed: String::new(),
                label: words.fill("write.to", &[("name", "Yusuf")]),
                draft: String::new(),
                medium: "sms",
                medium_word: words.say("medium.sms"),
                part_price: 75,
                moment: "2026-11-25T09:00".into(),
                send: words.say("write.send.sms"),
                hint: words.fill("write.window_shut", &[("name", "Yusuf")]),
            }],
            plan_done: words.fill("plan.done", &[("done", "1"), ("all", "2")]),
            goal: words.fill(
                "plan.goal",
                &[("goal", "twee ochtenden iets buiten de deur")],
            ),
            tasks: vec![
                step(1, "Intake en kennismaken", true),
                step(2, "Proefles bij Sportschool Waal", false),
            ],
            plan_about: words.fill("plan.about", &[("name", "Yusuf")]),
            work: vec![Work::sample(words)],
            meetings: vec![sample(
                words,
                Chip::new("brand", words.say("attendance.booked")),
            )],
            soon: vec![Soon {
                iso: "2026-11-30".into(),
                when: "ma 30 nov".into(),
                what: words.fill("soon.nudge", &[("rule", &words.say("rule.other"))]),
                chip: words.say("soon.waits"),
                tone: "wait",
                small: words.say("soon.paused"),
            }],
            mix: MixShown {
                tone: "wait",
                chip: words.fill("mix.too_much", &[("share", "78")]),
                picture: vec![Picture {
                    label: words.fill(
                        "mix.label",
                        &[
                            ("share", "78"),
                            ("from", "30"),
                            ("to", "60"),
                            ("name", "Layla"),
                        ],
                    ),
                    from: 30,
                    width: 30,
                    pin: 78,
                    off: true,
                }],
                counts: words.fill(
                    "mix.counts",
                    &[
                        ("online", "7"),
                        ("all", "9"),
                        ("from", "30"),
                        ("to", "60"),
                        ("skill", "starter"),
                    ],
                ),
                trend: vec![words.fill(
                    "mix.began",
                    &[
                        ("now", "3"),
                        ("all", "7"),
                        ("before", "1"),
                        ("all_before", "6"),
                        ("name", "Layla"),
                    ],
                )],
                agreed: String::new(),
            },
            consents: vec![
                Chip::new(
                    "good",
                    words.fill("data.yes", &[("purpose", &words.say("purpose.tasks"))]),
                ),
                Chip::new(
                    "alarm",
                    words.fill(
                        "data.no",
                        &[
                            ("purpose", &words.say("purpose.vacancies")),
                            ("when", "di 20 okt"),
                        ],
                    ),
                ),
            ],
            consent_about: words.fill("data.about", &[("name", "Yusuf")]),
            addresses: vec![AddressRow {
                kind: words.say("data.kind.whatsapp"),
                masked: "+316 ···· ··41".into(),
                tone: "wait",
                state: words.say("data.state.doubted"),
            }],
            flags: vec![FlagRow {
                id: "01J00000000000000000000002".into(),
                urgent: true,
                text: words.say("flag.crisis"),
                when: "08:05".into(),
            }],
            coaches: vec![Choice {
                value: "01J00000000000000000000003".into(),
                word: "Ilse van der Berg-Oyelaran".into(),
                chosen: false,
            }],
            transfer_about: words.fill("person.transfer_about", &[("name", "Yusuf")]),
        }
    }
}
