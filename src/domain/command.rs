//! Words that are heard before any flow: commands (STOP, KLAAR 2), alarms (crisis, threat, formal
//! request), yes and no. The words themselves are data (`config/commands.toml`, `alarms.toml`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::contact::Purpose;
use super::flow::definition::Problem;
use super::flow::parse::from_toml;
use super::talk::event::Alarm;

/// What a candidate can ask for on every channel, without app or login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// KLAAR 2
    Done {
        number: Option<u32>,
    },
    /// LATER 3 (days)
    Later {
        days: Option<u32>,
    },
    Plan,
    Appointment,
    /// VERZET
    Reschedule,
    /// AFZEGGEN
    Cancel,
    Help,
    CallMe,
    /// VERKEERD NUMMER: whoever has this phone says not to be the one.
    WrongNumber,
    /// TAAL EN; `None`: a language that nobody knows here.
    Language {
        code: Option<String>,
    },
    Who,
    /// STOP TAKEN; `None` is everything.
    Stop {
        purpose: Option<Purpose>,
    },
    Start {
        purpose: Option<Purpose>,
    },
}

/// The words of all languages together: English words work for everybody.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    commands: Vec<(Vec<String>, Verb)>,
    purposes: BTreeMap<String, Option<Purpose>>,
    languages: BTreeMap<String, String>,
    polite: Vec<Vec<String>>,
    fillers: BTreeSet<String>,
    yes: BTreeSet<String>,
    no: BTreeSet<String>,
    alarms: Vec<(Vec<String>, Alarm)>,
    harmless: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    Done,
    Later,
    Plan,
    Appointment,
    Reschedule,
    Cancel,
    Help,
    CallMe,
    WrongNumber,
    Language,
    Who,
    Stop,
    Start,
}

impl Vocabulary {
    /// `commands` and `alarms` are the texts of the two files, each with its name for problems.
    pub fn parse(commands: (&str, &str), alarms: (&str, &str)) -> Result<Self, Vec<Problem>> {
        let words: BTreeMap<String, WordsSource> = read(commands)?;
        let alarms: BTreeMap<String, AlarmsSource> = read(alarms)?;
        let mut all = Vocabulary::default();
        for source in words.into_values() {
            all.take_words(source);
        }
        for source in alarms.into_values() {
            let kinds = [
                (source.crisis, Alarm::Crisis),
                (source.threat, Alarm::Threat),
                (source.formal_request, Alarm::FormalRequest),
            ];
            for (phrases, alarm) in kinds {
                let phrases = phrases.iter().map(|text| (phrase(text), alarm));
                all.alarms.extend(phrases);
            }
            all.harmless
                .extend(source.harmless.iter().map(|phrase| tokens(phrase)));
        }
        // "stop all" before "stop", so that the longest command is heard.
        all.commands
            .sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        // A phrase without words would stand in every sentence.
        all.alarms.retain(|(words, _)| !words.is_empty());
        all.harmless.retain(|words| !words.is_empty());
        Ok(all)
    }

    fn take_words(&mut self, source: WordsSource) {
        for (verb, phrases) in source.commands {
            let phrases = phrases.iter().map(|phrase| (tokens(phrase), verb));
            self.commands
                .extend(phrases.filter(|(words, _)| !words.is_empty()));
        }
        for (purpose, words) in source.purposes {
            let purpose = Purpose::parse(&purpose);
            self.purposes
                .extend(words.iter().map(|word| (fold(word), purpose)));
        }
        for (code, words) in source.languages {
            self.languages
                .extend(words.iter().map(|word| (fold(word), code.clone())));
        }
        self.polite
            .extend(source.polite.iter().map(|phrase| tokens(phrase)));
        self.fillers
            .extend(source.fillers.iter().map(|word| fold(word)));
        self.yes.extend(source.yes.iter().map(|word| fold(word)));
        self.no.extend(source.no.iter().map(|word| fold(word)));
    }

    /// A command is the whole message, or one command with its argument; never a word inside a
    /// sentence.
    pub fn command(&self, text: &str) -> Option<Command> {
        let words = self.without_politeness(tokens(text));
        let swapped = match words.as_slice() {
            // "2 klaar", "stap 2 klaar": people put the number where they like.
            [number, verb] | [_, number, verb] if number.parse::<u32>().is_ok() => {
                Some(vec![verb.clone(), number.clone()])
            }
            _ => None,
        };
        self.spoken(&words).or_else(|| {
            let command = self.spoken(&swapped.filter(|_| self.only_fillers(&words))?);
            command.filter(|command| matches!(command, Command::Done { .. }))
        })
    }

    fn only_fillers(&self, words: &[String]) -> bool {
        words.len() == 2
            || words
                .first()
                .is_some_and(|word| self.fillers.contains(word))
    }

    fn spoken(&self, words: &[String]) -> Option<Command> {
        self.commands.iter().find_map(|(phrase, verb)| {
            let rest = words.strip_prefix(phrase.as_slice())?;
            let is_filler = |word: &&String| !self.fillers.contains(*word);
            let rest: Vec<&String> = rest.iter().filter(is_filler).collect();
            self.with_argument(*verb, &rest)
        })
    }

    fn with_argument(&self, verb: Verb, rest: &[&String]) -> Option<Command> {
        let number = |word: &String| word.parse::<u32>().ok();
        Some(match (verb, rest) {
            (Verb::Done, []) => Command::Done { number: None },
            (Verb::Done, [word]) => Command::Done {
                number: Some(number(word)?),
            },
            (Verb::Later, []) => Command::Later { days: None },
            (Verb::Later, [word]) => Command::Later {
                days: Some(number(word)?),
            },
            (Verb::Language, []) => Command::Language { code: None },
            (Verb::Language, [word]) => Command::Language {
                code: self.languages.get(*word).cloned(),
            },
            (Verb::Stop, []) => Command::Stop { purpose: None },
            (Verb::Stop, [word]) => Command::Stop {
                purpose: *self.purposes.get(*word)?,
            },
            (Verb::Start, []) => Command::Start { purpose: None },
            (Verb::Start, [word]) => Command::Start {
                purpose: *self.purposes.get(*word)?,
            },
            (Verb::Plan, []) => Command::Plan,
            (Verb::Appointment, []) => Command::Appointment,
            (Verb::Reschedule, []) => Command::Reschedule,
            (Verb::Cancel, []) => Command::Cancel,
            (Verb::Help, []) => Command::Help,
            (Verb::CallMe, []) => Command::CallMe,
            (Verb::WrongNumber, []) => Command::WrongNumber,
            (Verb::Who, []) => Command::Who,
            _ => return None,
        })
    }

    fn without_politeness(&self, mut words: Vec<String>) -> Vec<String> {
        loop {
            let before = words.len();
            for phrase in self.polite.iter().filter(|phrase| !phrase.is_empty()) {
                if words.len() > phrase.len() && words.ends_with(phrase) {
                    words.truncate(words.len() - phrase.len());
                }
                if words.len() > phrase.len() && words.starts_with(phrase) {
                    words.drain(..phrase.len());
                }
            }
            if words.len() == before {
                return words;
            }
        }
    }

    /// Words that no flow may handle, anywhere in a text. A phrase ending in `*` matches every
    /// ending of its last word.
    pub fn alarm(&self, text: &str) -> Option<Alarm> {
        let mut words = tokens(text);
        for phrase in &self.harmless {
            while let Some(at) = place_of(phrase, &words) {
                words.drain(at..at + phrase.len());
            }
        }
        let heard = self
            .alarms
            .iter()
            .filter(|(phrase, _)| place_of(phrase, &words).is_some());
        // Somebody in danger comes before a threat, a threat before a letter.
        heard
            .map(|(_, alarm)| *alarm)
            .min_by_key(|alarm| match alarm {
                Alarm::Crisis => 0,
                Alarm::Threat => 1,
                Alarm::FormalRequest => 2,
            })
    }

    /// Plain yes or no, as a whole message.
    pub fn assent(&self, text: &str) -> Option<bool> {
        let words = self.without_politeness(tokens(text)).join(" ");
        match (self.yes.contains(&words), self.no.contains(&words)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    }
}

fn place_of(phrase: &[String], words: &[String]) -> Option<usize> {
    let same = |(wanted, word): (&String, &String)| match wanted.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => wanted == word,
    };
    let mut places = words.windows(phrase.len().max(1));
    places.position(|window| phrase.iter().zip(window).all(same))
}

/// A text as commands and labels are compared: compatibility forms unified, lower case, without
/// accents, punctuation, emoji and double spaces. Digits of other scripts become 0 to 9.
pub fn fold(text: &str) -> String {
    let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
    let mut folded = String::with_capacity(text.len());
    for c in letters.flat_map(char::to_lowercase) {
        match c {
            // An apostrophe belongs to its word: "don't" is one.
            '\'' | '’' | '\u{200d}' => {}
            c if c.is_alphanumeric() => folded.push(plain_digit(c)),
            _ if !folded.is_empty() && !folded.ends_with(' ') => folded.push(' '),
            _ => {}
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

fn plain_digit(c: char) -> char {
    // The scripts of the languages that candidates write: Arabic, Persian, Devanagari, Bengali.
    const ZEROS: [u32; 4] = [0x0660, 0x06F0, 0x0966, 0x09E6];
    let digit = ZEROS.iter().find_map(|zero| {
        let value = u32::from(c)
            .checked_sub(*zero)
            .filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    });
    digit.unwrap_or(c)
}

fn tokens(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The words of an alarm; a closing `*` (any ending) stays on its word.
fn phrase(text: &str) -> Vec<String> {
    let mut words = tokens(text);
    if let (Some(last), true) = (words.last_mut(), text.trim_end().ends_with('*')) {
        last.push('*');
    }
    words
}

fn read<T: for<'de> Deserialize<'de>>((file, text): (&str, &str)) -> Result<T, Vec<Problem>> {
    toml::from_str(text).map_err(|error| vec![from_toml(file, text, &error)])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsSource {
    commands: BTreeMap<Verb, Vec<String>>,
    #[serde(default)]
    purposes: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    languages: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    polite: Vec<String>,
    #[serde(default)]
    fillers: Vec<String>,
    #[serde(default)]
    yes: Vec<String>,
    #[serde(default)]
    no: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlarmsSource {
    #[serde(default)]
    crisis: Vec<String>,
    #[serde(default)]
    threat: Vec<String>,
    #[serde(default)]
    formal_request: Vec<String>,
    /// Phrases that hold alarming words and mean no harm; they are taken out first.
    #[serde(default)]
    harmless: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        Vocabulary::parse(
            ("commands.toml", include_str!("../../config/commands.toml")),
            ("alarms.toml", include_str!("../../config/alarms.toml")),
        )
        .unwrap()
    }

    #[test]
    fn a_command_is_heard_however_it_is_written() {
        let words = vocabulary();
        let stop = |purpose| Some(Command::Stop { purpose });
        let done = |number| Some(Command::Done { number });
        for (text, command) in [
            ("STOP", stop(None)),
            ("Stop.", stop(None)),
            ("  stop aub 🙏", stop(None)),
            ("stop, please!", stop(None)),
            ("*STOP*", stop(None)),
            ("STOP ALLES", stop(None)),
            ("stop taken", stop(Some(Purpose::Tasks))),
            ("Stop Vacatures!", stop(Some(Purpose::Vacancies))),
            ("START", Some(Command::Start { purpose: None })),
            ("klaar 2", done(Some(2))),
            ("Klaar: stap 2", done(Some(2))),
            ("2 klaar", done(Some(2))),
            ("stap 2 klaar", done(Some(2))),
            ("KLAAR ٢", done(Some(2))),
            ("klaar", done(None)),
            ("done", done(None)),
            ("later 3 dagen", Some(Command::Later { days: Some(3) })),
            (
                "Taal EN",
                Some(Command::Language {
                    code: Some("en".into()),
                }),
            ),
            ("taal klingon", Some(Command::Language { code: None })),
            ("Bel me!", Some(Command::CallMe)),
            ("Verkeerd nummer.", Some(Command::WrongNumber)),
            ("hulp", Some(Command::Help)),
            ("Wie?", Some(Command::Who)),
        ] {
            assert_eq!(words.command(text), command, "{text}");
        }
    }

    #[test]
    fn a_word_inside_a_sentence_is_no_command() {
        let words = vocabulary();
        for text in [
            "We moeten stoppen met roken",
            "stop met roken",
            "ik stop ermee als het regent",
            "kun je me later bellen?",
            "ik ben bijna klaar",
            "klaar 2 en 3",
            "twee klaar",
            "klaar 99999999999",
            "wie is mijn coach dan?",
            "",
            "🙂",
        ] {
            assert_eq!(words.command(text), None, "{text}");
        }
    }

    #[test]
    fn alarms_sound_inside_a_sentence_and_harmless_phrases_do_not() {
        let words = vocabulary();
        for (text, alarm) in [
            ("ik wil niet meer leven", Some(Alarm::Crisis)),
            ("Soms denk ik aan ZELFMOORD...", Some(Alarm::Crisis)),
            ("ik ben suïcidaal", Some(Alarm::Crisis)),
            ("i want to die", Some(Alarm::Crisis)),
            ("Ik maak je af, en mezelf van kant", Some(Alarm::Crisis)),
            ("ik ga mezelf iets aandoen", Some(Alarm::Crisis)),
            ("bang dat ik mezelf wat aandoe", Some(Alarm::Crisis)),
            ("Ik maak er een einde aan.", Some(Alarm::Crisis)),
            ("ik wil doodgaan", Some(Alarm::Crisis)),
            ("ik wil er niet meer zijn", Some(Alarm::Crisis)),
            ("ik kan zo niet verder leven", Some(Alarm::Crisis)),
            ("niet langer leven", Some(Alarm::Crisis)),
            ("ik wou dat ik dood was", Some(Alarm::Crisis)),
            ("mezelf van het leven beroven", Some(Alarm::Crisis)),
            ("ik stap uit het leven", Some(Alarm::Crisis)),
            ("I might harm myself", Some(Alarm::Crisis)),
            ("thinking of self-harm", Some(Alarm::Crisis)),
            ("i keep hurting myself", Some(Alarm::Crisis)),
            ("I wish I was dead", Some(Alarm::Crisis)),
            ("die winkel zal er niet meer zijn", None),
            ("ik heb geen geld voor de trein", None),
            ("mijn opa is dood", None),
            ("ik trek mijn jas aan", None),
            ("ik weet waar je woont", Some(Alarm::Threat)),
            ("Hierbij maak ik bezwaar", Some(Alarm::FormalRequest)),
            ("ik heb geen bezwaar", None),
            (
                "geen bezwaar, maar wel een klacht",
                Some(Alarm::FormalRequest),
            ),
            ("ik maak mijn cv af", None),
            ("die bomen zijn mooi", None),
        ] {
            assert_eq!(words.alarm(text), alarm, "{text}");
        }
    }

    #[test]
    fn plain_yes_and_no() {
        let words = vocabulary();
        for (text, assent) in [
            ("Ja!", Some(true)),
            ("ja hoor, dank je", Some(true)),
            ("nog niet", Some(false)),
            ("nee", Some(false)),
            ("ja maar nee", None),
        ] {
            assert_eq!(words.assent(text), assent, "{text}");
        }
    }

    #[test]
    fn folding_keeps_what_distinguishes_words() {
        for (text, folded) in [
            ("  Ja,  gelukt! ✅", "ja gelukt"),
            ("1️⃣", "1"),
            ("één", "een"),
            ("don’t", "dont"),
            ("مرحبا", "مرحبا"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }
}
