//! Flows, texts, words and rules: those inside the program, or those of the folders in the settings.

use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::book::{Book, COMMON, LOCALES};
use super::check as trial;
use super::experiments::Experiments;
use super::tone::Tone;
use super::version::FlowVersion;
use crate::domain::cadence::Cadence;
use crate::domain::command::Vocabulary;
use crate::domain::flow::check;
use crate::domain::flow::definition::Problem;

#[derive(RustEmbed)]
#[folder = "config/"]
struct ConfigFiles;

#[derive(RustEmbed)]
#[folder = "templates/messages/"]
struct MessageFiles;

/// Everything that decides what is said, read and checked.
#[derive(Debug)]
pub struct Configuration {
    pub book: Book,
    pub vocabulary: Vocabulary,
    pub cadence: Cadence,
    pub experiments: Experiments,
}

/// The same, read: each file is whole by itself and the flows are in order. No text was tried out yet,
/// which takes most of the time.
#[derive(Debug)]
pub struct Untried {
    configuration: Configuration,
    tone: Tone,
    fingerprint: [u8; 32],
}

impl Untried {
    /// Of every file that was read: two with the same one hold the same words.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Renders every text with every sample, and judges its tone.
    pub fn tried(self) -> Result<Configuration, Vec<Problem>> {
        match trial::check(&self.configuration.book, &self.tone) {
            problems if problems.is_empty() => Ok(self.configuration),
            problems => Err(problems),
        }
    }

    /// For whoever knows that the same program has tried the same files.
    pub fn as_tried_before(self) -> Configuration {
        self.configuration
    }
}

impl Configuration {
    /// `config` holds `flows/*.toml`, `commands.toml`, `alarms.toml`, `cadence.toml`, and maybe
    /// `experiments.toml`; `templates` holds `messages/<locale>/*.toml`.
    pub fn load(config: Option<&Path>, templates: Option<&Path>) -> Result<Self, Vec<Problem>> {
        Self::read(config, templates)?.tried()
    }

    /// As `load`, without trying the texts.
    pub fn read(config: Option<&Path>, templates: Option<&Path>) -> Result<Untried, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut digest = Sha256::new();
        let mut note = |name: &str, text: &str| {
            for part in [name, text] {
                digest.update(part.len().to_be_bytes());
                digest.update(part);
            }
        };
        let mut texts: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for locale in LOCALES {
            for (name, toml) in messages(templates, locale)? {
                note(&format!("{locale}/{name}"), &toml);
                texts
                    .entry(name)
                    .or_default()
                    .insert(locale.to_owned(), toml);
            }
        }
        let common = texts.remove(COMMON).unwrap_or_default();
        let mut versions = Vec::new();
        for (name, definition) in flows(config)? {
            let file = format!("config/flows/{name}.toml");
            note(&file, &definition);
            let texts = texts.remove(&name).unwrap_or_default();
            for locale in LOCALES
                .into_iter()
                .filter(|locale| !texts.contains_key(*locale))
            {
                problems.push(Problem {
                    file: file.clone(),
                    line: 1,
                    what: format!("the flow {name} has no texts in {locale}"),
                    expected: format!("templates/messages/{locale}/{name}.toml"),
                });
            }
            match FlowVersion::from_sources(&name, &definition, texts) {
                Ok(version) => versions.push(version),
                Err(found) => problems.extend(found),
            }
        }
        for (name, files) in texts {
            let locale = files.keys().next().cloned().unwrap_or_default();
            problems.push(Problem {
                file: format!("templates/messages/{locale}/{name}.toml"),
                line: 1,
                what: format!("there is no flow {name}"),
                expected: format!("config/flows/{name}.toml"),
            });
        }
        let mut noted = |name: &str| file(config, name).inspect(|text| note(name, text));
        let cadence = noted("cadence.toml").and_then(|text| {
            Cadence::parse(&text).map_err(|error| {
                vec![Problem {
                    file: "config/cadence.toml".to_owned(),
                    line: error.line,
                    what: error.why,
                    expected: "rules as in the file that comes with the program".to_owned(),
                }]
            })
        });
        let tone = Tone::parse("config/tone.toml", &noted("tone.toml")?);
        let (commands, alarms) = (noted("commands.toml")?, noted("alarms.toml")?);
        let vocabulary = Vocabulary::parse(
            ("config/commands.toml", &commands),
            ("config/alarms.toml", &alarms),
        );
        if problems.is_empty() {
            problems.extend(
                versions
                    .iter()
                    .flat_map(|version| check::check(version.flow(), &version.with_template())),
            );
            problems.extend(check::unheard(versions.iter().map(FlowVersion::flow)));
        }
        let book = match problems.is_empty() {
            true => Book::new(versions, &common),
            false => Err(Vec::new()),
        };
        let experiments = match (&book, experiments(config)?) {
            (Ok(book), Some(toml)) => {
                note(EXPERIMENTS, &toml);
                Experiments::load(&toml, book)
            }
            _ => Ok(Experiments::default()),
        };
        match (book, vocabulary, cadence, experiments, tone) {
            (Ok(book), Ok(vocabulary), Ok(cadence), Ok(experiments), Ok(tone)) => Ok(Untried {
                configuration: Self {
                    book,
                    vocabulary,
                    cadence,
                    experiments,
                },
                tone,
                fingerprint: digest.finalize().into(),
            }),
            (book, vocabulary, cadence, experiments, tone) => {
                problems.extend(experiments.err().into_iter().flatten());
                problems.extend(book.err().into_iter().flatten());
                problems.extend(tone.err().into_iter().flatten());
                problems.extend(vocabulary.err().into_iter().flatten());
                problems.extend(cadence.err().into_iter().flatten());
                problems.sort();
                problems.dedup();
                Err(problems)
            }
        }
    }
}

const EXPERIMENTS: &str = "experiments.toml";

/// The experiments; a folder of an organisation's own need not have any.
fn experiments(config: Option<&Path>) -> Result<Option<String>, Vec<Problem>> {
    if config.is_some_and(|folder| !folder.join(EXPERIMENTS).exists()) {
        return Ok(None);
    }
    file(config, EXPERIMENTS).map(Some)
}

fn unreadable(file: &str, expected: &str) -> Vec<Problem> {
    vec![Problem {
        file: file.to_owned(),
        line: 1,
        what: "it cannot be read".to_owned(),
        expected: expected.to_owned(),
    }]
}

fn file(folder: Option<&Path>, name: &str) -> Result<String, Vec<Problem>> {
    let text = match folder {
        Some(folder) => std::fs::read_to_string(folder.join(name)).ok(),
        None => {
            ConfigFiles::get(name).and_then(|file| String::from_utf8(file.data.into_owned()).ok())
        }
    };
    text.ok_or_else(|| unreadable(&format!("config/{name}"), "a file in UTF-8"))
}

fn flows(folder: Option<&Path>) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    match folder {
        Some(folder) => files_in(&folder.join("flows"), "config/flows"),
        None => Ok(ConfigFiles::iter()
            .filter_map(|path| {
                let name = path
                    .strip_prefix("flows/")?
                    .strip_suffix(".toml")?
                    .to_owned();
                let text = String::from_utf8(ConfigFiles::get(&path)?.data.into_owned()).ok()?;
                Some((name, text))
            })
            .collect()),
    }
}

fn messages(folder: Option<&Path>, locale: &str) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    match folder {
        Some(folder) => files_in(
            &folder.join("messages").join(locale),
            &format!("templates/messages/{locale}"),
        ),
        None => Ok(MessageFiles::iter()
            .filter_map(|path| {
                let name = path
                    .strip_prefix(locale)?
                    .strip_prefix('/')?
                    .strip_suffix(".toml")?
                    .to_owned();
                let text = String::from_utf8(MessageFiles::get(&path)?.data.into_owned()).ok()?;
                Some((name, text))
            })
            .collect()),
    }
}

fn files_in(folder: &Path, shown: &str) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let entries = std::fs::read_dir(folder).map_err(|_| unreadable(shown, "a folder"))?;
    let mut found = BTreeMap::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default()
            .to_owned();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let text = std::fs::read_to_string(&path)
                .map_err(|_| unreadable(&format!("{shown}/{name}.toml"), "a file in UTF-8"))?;
            found.insert(name, text);
        }
    }
    Ok(found)
}
