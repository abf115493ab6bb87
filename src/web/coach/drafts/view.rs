//! What the page of drafts shows, and its samples.

use serde::Serialize;

use crate::web::coach::{Callout, Moment};
use crate::web::view::Page;
use crate::web::words::Words;

#[derive(Debug, Clone, Serialize)]
pub struct DraftsPage {
    pub wide: bool,
    pub headline: String,
    pub aside: String,
    pub whose: String,
    pub whose_href: String,
    pub place: String,
    /// Rules of which several may be read and approved at once.
    pub together: Vec<Link>,
    pub groups: Vec<Group>,
    /// The one that is open, or nothing when all is read.
    pub draft: Vec<Draft>,
}

/// The way to the drafts of one rule.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub href: String,
    pub word: String,
    pub n: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub heading: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub href: String,
    pub name: String,
    pub when: String,
    pub iso: String,
    pub what: String,
    pub flag: String,
    pub alarm: bool,
    pub medium: &'static str,
    pub medium_word: String,
    pub current: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Draft {
    pub id: String,
    pub person_href: String,
    pub name: String,
    pub place: String,
    pub previous: String,
    pub next: String,
    pub rule: String,
    pub facts: Vec<String>,
    /// Colleagues who look at it now: one block, or none.
    pub beside: Vec<Callout>,
    pub callouts: Vec<Callout>,
    pub editing: bool,
    /// One phone, or none where no way is open.
    pub phone: Vec<Phone>,
    pub why: Vec<Reason>,
    pub last: Vec<Mini>,
    /// At most one of `decide`, `doubt` and `over` is filled.
    pub decide: Vec<Decide>,
    pub doubt: Vec<Doubt>,
    pub over: String,
}

/// The message as the phone will show it.
#[derive(Debug, Clone, Serialize)]
pub struct Phone {
    pub medium: &'static str,
    pub gone: bool,
    pub caption: String,
    pub size: String,
    pub initials: String,
    pub sender: String,
    pub sender_small: String,
    pub subject: String,
    pub text: String,
    pub taps: Vec<String>,
    pub listed: String,
    pub editing: bool,
    pub edit: Vec<Edit>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Edit {
    pub id: String,
    pub open: bool,
    pub medium: &'static str,
    /// Thousandths of a euro, for the counter under the text.
    pub part_price: i64,
    pub version: i64,
    pub hash: String,
    pub label: String,
    pub text: String,
    pub note: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    pub term: String,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Mini {
    pub ours: bool,
    pub who: String,
    pub when: String,
    pub medium_word: String,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Decide {
    pub id: String,
    pub person_href: String,
    pub version: i64,
    pub hash: String,
    /// The person wrote meanwhile: reading that comes first, and no key decides.
    pub answer_first: bool,
    /// Not where a line of the coach is missing.
    pub may_approve: bool,
    pub moments: Vec<Moment>,
    pub moment: String,
    pub hold_until: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Doubt {
    pub id: String,
    pub version: i64,
    pub warning: String,
}

impl Page for DraftsPage {
    const TEMPLATE: &'static str = "drafts";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let whole = |draft: Draft| {
            let mut page = Self::sample(words);
            page.draft = vec![draft];
            page
        };
        let plain = Draft::sample(words);
        let mut wrote = plain.clone();
        wrote.callouts = vec![Callout::new(
            "brand",
            words.fill("drafts.wrote_strong", &[("name", "Fatma")]),
            words.say("drafts.wrote_text"),
        )];
        wrote.decide[0].answer_first = true;
        let mut beside = plain.clone();
        beside.beside = vec![Callout::new(
            "brand",
            words.fill("drafts.beside_one", &[("name", "Joris van Leeuwen")]),
            words.say("drafts.beside_text"),
        )];
        let mut editing = plain.clone();
        editing.editing = true;
        editing.phone[0].editing = true;
        editing.phone[0].edit[0].open = true;
        let mut line = editing.clone();
        line.decide[0].may_approve = false;
        line.callouts = vec![Callout::new(
            "brand",
            words.say("drafts.line_strong"),
            words.say("drafts.silent_text"),
        )];
        let mut doubt = plain.clone();
        doubt.decide = Vec::new();
        doubt.phone[0].edit = Vec::new();
        doubt.callouts = vec![Callout {
            tone: "alarm",
            strong: words.say("drafts.doubt_strong"),
            text: words.fill(
                "doubt.evidence",
                &[("when", "09:31:04"), ("n", "1"), ("name", "Dennis")],
            ),
            more: words.fill("drafts.doubt_more", &[("name", "Dennis")]),
        }];
        doubt.doubt = vec![Doubt {
            id: doubt.id.clone(),
            version: 4,
            warning: words.fill("drafts.again_warning", &[("name", "Dennis")]),
        }];
        let mut gone = plain.clone();
        gone.decide = Vec::new();
        gone.phone[0].edit = Vec::new();
        gone.phone[0].gone = true;
        gone.over = "/concepten".into();
        gone.callouts = vec![Callout::new(
            "good",
            words.say("drafts.gone_strong"),
            words.fill("state.cancelled", &[("why", &words.say("code.overtaken"))]),
        )];
        let mut nowhere = plain.clone();
        nowhere.phone = Vec::new();
        let done = Self {
            headline: words.count("drafts.heading", 0),
            aside: String::new(),
            together: Vec::new(),
            groups: Vec::new(),
            draft: Vec::new(),
            ..Self::sample(words)
        };
        vec![
            ("plain", whole(plain)),
            ("wrote", whole(wrote)),
            ("beside", whole(beside)),
            ("editing", whole(editing)),
            ("line", whole(line)),
            ("doubt", whole(doubt)),
            ("gone", whole(gone)),
            ("nowhere", whole(nowhere)),
            ("done", done),
        ]
    }
}

impl DraftsPage {
    fn sample(words: &Words) -> Self {
        let row = |name: &str, rule: &str, flag: &str, alarm: bool, current: bool| Row {
            href: "/concepten/01J00000000000000000000003".into(),
            name: name.into(),
            when: "08:00".into(),
            iso: "2026-11-24T08:00:00".into(),
            what: words.say(&format!("rule.{rule}")),
            flag: flag.to_owned(),
            alarm,
            medium: "whatsapp",
            medium_word: words.say("medium.whatsapp"),
            current,
        };
        Self {
            wide: true,
            headline: words.count("drafts.heading", 4),
            aside: words.fill(
                "drafts.aside",
                &[("minutes", "2"), ("cost", &words.money(190))],
            ),
            whose: words.say("drafts.all_team"),
            whose_href: "/concepten?wie=team".into(),
            place: words.fill("drafts.place", &[("n", "2"), ("all", "4")]),
            together: vec![Link {
                href: "/concepten/samen?regel=task_nudge/done_yet".into(),
                word: words.fill(
                    "together.link",
                    &[("rule", &words.say("rule.task_nudge_done_yet"))],
                ),
                n: 2,
            }],
            groups: vec![
                Group {
                    heading: words.say("drafts.first_you"),
                    rows: vec![row("Dennis Kuipers", "task_nudge_smaller", "", true, false)],
                },
                Group {
                    heading: words.say("drafts.ready"),
                    rows: vec![
                        row("Mehmet Aydın", "task_nudge_done_yet", "", false, true),
                        row(
                            "Fatma Yıldız",
                            "task_nudge_done_yet",
                            &words.say("drafts.wrote"),
                            false,
                            false,
                        ),
                        row(
                            "Naamsoverlangdat Van den Oever-Rozenburgh",
                            "task_nudge_meet",
                            "",
                            false,
                            false,
                        ),
                    ],
                },
            ],
            draft: Vec::new(),
        }
    }
}

impl Draft {
    fn sample(words: &Words) -> Self {
        let id = "01J00000000000000000000003";
        let reason = |term: &str, text: String| Reason {
            term: words.say(term),
            text,
        };
        Self {
            id: id.into(),
            person_href: "/kandidaten/01J00000000000000000000001".into(),
            name: "Mehmet Aydın".into(),
            place: words.fill("drafts.place", &[("n", "2"), ("all", "4")]),
            previous: "/concepten/01J00000000000000000000002".into(),
            next: "/concepten/01J00000000000000000000004".into(),
            rule: words.say("rule.task_nudge_done_yet"),
            facts: vec![
                words.say("track.reintegration"),
                words.fill("person.skill", &[("skill", &words.say("skill.basic"))]),
                words.fill("drafts.ready_since", &[("when", "08:00")]),
            ],
            beside: Vec::new(),
            callouts: Vec::new(),
            editing: false,
            phone: vec![Phone {
                medium: "whatsapp",
                gone: false,
                caption: words.fill("phone.sees.whatsapp", &[("name", "Mehmet")]),
                size: String::new(),
                initials: "GR".into(),
                sender: "Gemeente Rivierdam".into(),
                sender_small: words.say("phone.business"),
                subject: String::new(),
                text: "Hoi Mehmet, is dit gelukt: je cv mailen naar Post & Zn?\n\nGroet, Noor"
                    .into(),
                taps: vec!["Ja, gelukt".into(), "Nog niet".into(), "Ik wil hulp".into()],
                listed: String::new(),
                editing: false,
                edit: vec![Edit {
                    id: id.into(),
                    open: false,
                    medium: "whatsapp",
                    part_price: 0,
                    version: 3,
                    hash: "b7e1".into(),
                    label: words.fill("phone.edit_label", &[("name", "Mehmet")]),
                    text: "Hoi Mehmet, is dit gelukt: je cv mailen naar Post & Zn?\n\nGroet, Noor"
                        .into(),
                    note: words.fill("phone.edit_template", &[("name", "Mehmet")]),
                }],
            }],
            why: vec![
                reason(
                    "why.this",
                    words.fill(
                        "why.task",
                        &[("n", "3"), ("title", "cv mailen naar Post & Zn")],
                    ),
                ),
                reason("why.now", words.say("now.task_nudge_done_yet")),
                reason("why.channel.whatsapp", words.say("why.window_shut")),
                reason("why.cost", words.money(40)),
                reason(
                    "why.silence",
                    format!(
                        "{} {}",
                        words.fill("why.silent_by", &[("when", "di 1 dec")]),
                        words.say("why.silent_next.smaller")
                    ),
                ),
            ],
            last: vec![
                Mini {
                    ours: false,
                    who: "Mehmet".into(),
                    when: "10 nov".into(),
                    medium_word: words.say("medium.whatsapp"),
                    text: "Ja was goed gesprek. Ze bellen mij".into(),
                },
                Mini {
                    ours: true,
                    who: words.say("drafts.we"),
                    when: "10 nov".into(),
                    medium_word: words.say("medium.whatsapp"),
                    text: "Wat fijn Mehmet. Laat je het weten?".into(),
                },
            ],
            decide: vec![Decide {
                id: id.into(),
                person_href: "/kandidaten/01J00000000000000000000001".into(),
                version: 3,
                hash: "b7e1".into(),
                answer_first: false,
                may_approve: true,
                moments: vec![
                    Moment {
                        value: "2026-11-24T14:00".into(),
                        word: words.say("later.this_afternoon"),
                        small: "di 14:00".into(),
                    },
                    Moment {
                        value: "2026-11-25T09:00".into(),
                        word: words.say("later.tomorrow_morning"),
                        small: "wo 09:00".into(),
                    },
                ],
                moment: "2026-11-26T09:00".into(),
                hold_until: "2026-11-27".into(),
            }],
            doubt: Vec::new(),
            over: String::new(),
        }
    }
}
