//! Every text, in every language, with every sample: it renders and it fits its channels. The shape of
//! the flows themselves is judged by `domain/flow/check.rs`.

use std::collections::{BTreeMap, BTreeSet};

use ulid::Ulid;

use super::book::{Book, COMMON, LOCALES};
use super::context::Context;
use super::source::{self, Text};
use super::tone::Tone;
use crate::domain::flow::definition::{About, Kind, Problem};
use crate::domain::ids::SlotId;
use crate::domain::segments::segments;
use crate::domain::talk::effect::TextKey;
use crate::domain::window;

const MOST_PARTS: usize = 2;
/// What a list of mails on a phone shows of a subject, with some mercy.
const MOST_OF_SUBJECT: usize = 60;

/// The keys of `_common` that the step and the house use.
const SAID_BY_THE_PROGRAM: &[&str] = &[
    "appointment",
    "language_set",
    "list_label",
    "mail_subject",
    "no_appointment",
    "no_coach",
    "open_line",
    "other_language",
    "passed_on",
    "plan",
    "plan_empty",
    "slot_taken",
    "sms_answer",
    "started",
    "stopped",
    "stopped_check_ins",
    "stopped_meetings",
    "stopped_tasks",
    "stopped_vacancies",
    "task_closed",
    "task_done",
    "task_later",
    "which_language",
    "which_question",
    "which_task",
    "who",
];

pub(super) fn check(book: &Book, tone: &Tone) -> Vec<Problem> {
    let mut problems: BTreeSet<Problem> = missing_common(book).into_iter().collect();
    problems.extend(judged(book, tone));
    for locale in LOCALES {
        for name in book.common.get(locale).into_iter().flat_map(BTreeMap::keys) {
            let trial = Trial {
                file: COMMON,
                name,
                options: Vec::new(),
                offered: 0,
                about: None,
            };
            let key = TextKey::Common(name.clone());
            problems.extend(trial.run(book, &key, locale, false));
        }
        for version in book.versions.values() {
            for (id, node) in &version.flow.nodes {
                let (choices, offer) = match &node.kind {
                    Kind::Ask(ask) => (ask.choices.as_slice(), ask.offer.as_ref()),
                    Kind::Say(_) => ([].as_slice(), None),
                    _ => continue,
                };
                let trial = Trial {
                    file: version.name(),
                    name: &id.0,
                    options: choices.iter().map(|choice| choice.id.clone()).collect(),
                    offered: offer.map_or(0, |offer| offer.count),
                    about: Some(version.flow.about),
                };
                let (flow, node) = (version.hash().clone(), id.clone());
                let plain = TextKey::Node {
                    flow: flow.clone(),
                    node: node.clone(),
                };
                for key in [plain, TextKey::Again { flow, node }] {
                    for other in [false, true] {
                        problems.extend(trial.run(book, &key, locale, other));
                    }
                }
            }
        }
    }
    problems.into_iter().collect()
}

/// Every text of every language by its tone.
fn judged(book: &Book, tone: &Tone) -> Vec<Problem> {
    let silent = LOCALES.iter().filter(|locale| !tone.speaks(locale));
    let mut problems: Vec<Problem> = silent
        .map(|locale| Problem {
            file: "config/tone.toml".to_owned(),
            line: 1,
            what: format!("nobody said how texts in {locale} must read"),
            expected: format!("[{locale}]"),
        })
        .collect();
    let mut judge = |file: &str, locale: &str, name: &str, line: usize, text: &Text| {
        let found = tone.judge(locale, name, text);
        problems.extend(found.into_iter().map(|(what, expected)| Problem {
            file: format!("templates/messages/{locale}/{file}.toml"),
            line,
            what,
            expected,
        }));
    };
    for (locale, texts) in &book.common {
        // `other_language` speaks every language.
        for (name, text) in texts.iter().filter(|(name, _)| *name != "other_language") {
            judge(COMMON, locale, name, 1, text);
        }
    }
    for version in book.versions.values() {
        for (locale, texts) in &version.parsed {
            for (name, text) in texts {
                let toml = version.texts.get(locale);
                let line = toml.map_or(1, |toml| source::line_of(toml, name));
                judge(version.name(), locale, name, line, text);
            }
        }
    }
    problems
}

/// Texts that the program itself says; each must exist in every language.
fn missing_common(book: &Book) -> Vec<Problem> {
    let mut problems = Vec::new();
    for locale in LOCALES {
        let texts = book.common.get(locale);
        let lacks = |name: &&&str| texts.is_none_or(|texts| !texts.contains_key(**name));
        for name in SAID_BY_THE_PROGRAM.iter().filter(lacks) {
            problems.push(Problem {
                file: format!("templates/messages/{locale}/{COMMON}.toml"),
                line: 1,
                what: format!("the text {name} is missing"),
                expected: format!("{name}.text"),
            });
        }
    }
    problems
}

/// One text to try.
struct Trial<'a> {
    file: &'a str,
    name: &'a str,
    options: Vec<String>,
    offered: usize,
    about: Option<About>,
}

impl Trial<'_> {
    /// With the other wording, where there is one, if `other`.
    fn run(&self, book: &Book, key: &TextKey, locale: &str, other: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |what: String, expected: &str| {
            problems.push(Problem {
                file: format!("templates/messages/{locale}/{}.toml", self.file),
                line: self.line(book, locale),
                what,
                expected: expected.to_owned(),
            });
        };
        // Moments of an offer, as long as they get.
        let slots: Vec<(SlotId, String)> = (0..self.offered)
            .map(|at| {
                (
                    SlotId(Ulid(at as u128)),
                    format!("wo {} sep 10:00", 21 + at),
                )
            })
            .collect();
        let (keys, name) = (std::slice::from_ref(key), self.name);
        for (sample, context) in Context::samples(self.about) {
            let context = context.in_other_words(other.then(|| key.clone()));
            match book.render(keys, 1, &self.options, &slots, locale, &context) {
                Err(error) => say(
                    format!("{name} cannot be made: {}", error.why),
                    "names that this text knows",
                ),
                Ok(rendered) => {
                    for body in std::iter::once(&rendered.whatsapp).chain(&rendered.template) {
                        if !window::fits_whatsapp(body) {
                            say(
                                format!("{name} does not fit WhatsApp ({sample})"),
                                "WhatsApp's limits",
                            );
                        }
                    }
                    if sample == "usual" && segments(&rendered.sms).parts > MOST_PARTS {
                        say(
                            format!("{name} does not fit two SMS parts"),
                            "a shorter text, or an sms of its own",
                        );
                    }
                    let subject = rendered.mail.subject.chars().count();
                    if sample == "usual" && !(1..=MOST_OF_SUBJECT).contains(&subject) {
                        say(
                            format!("the subject of {name} has {subject} characters"),
                            "1 to 60",
                        );
                    }
                }
            }
        }
        problems
    }

    fn line(&self, book: &Book, locale: &str) -> usize {
        let version = book.newest.get(self.file);
        let version = version.and_then(|hash| book.versions.get(hash));
        version
            .and_then(|version| version.texts.get(locale))
            .map_or(1, |toml| source::line_of(toml, self.name))
    }
}
