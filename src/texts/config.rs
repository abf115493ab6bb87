//! Flows, texts, words and rules: those inside the program, or those of the folders in the settings.

use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;

use super::book::{Book, COMMON, LOCALES};
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

impl Configuration {
    /// `config` holds `flows/*.toml`, `commands.toml`, `alarms.toml`, `cadence.toml`, and maybe
    /// `experiments.toml`; `templates` holds `messages/<locale>/*.toml`.
    pub fn load(config: Option<&Path>, templates: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut texts: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for locale in LOCALES {
            for (name, toml) in messages(templates, locale)? {
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
        let cadence = file(config, "cadence.toml").and_then(|text| {
            Cadence::parse(&text).map_err(|error| {
                vec![Problem {
                    file: "config/cadence.toml".to_owned(),
                    line: error.line,
                    what: error.why,
                    expected: "rules as in the file that comes with the program".to_owned(),
                }]
            })
        });
        let tone = Tone::parse("config/tone.toml", &file(config, "tone.toml")?);
        let (commands, alarms) = (file(config, "commands.toml")?, file(config, "alarms.toml")?);
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
        let book = match (problems.is_empty(), &tone) {
            (true, Ok(tone)) => Book::new(versions, &common, tone),
            _ => Err(Vec::new()),
        };
        let trials = match &book {
            Ok(book) => trials(config, book),
            Err(_) => Ok(Experiments::default()),
        };
        match (book, vocabulary, cadence, trials) {
            (Ok(book), Ok(vocabulary), Ok(cadence), Ok(experiments)) => Ok(Self {
                book,
                vocabulary,
                cadence,
                experiments,
            }),
            (book, vocabulary, cadence, experiments) => {
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

/// The experiments; a folder of an organisation's own need not have any.
fn trials(config: Option<&Path>, book: &Book) -> Result<Experiments, Vec<Problem>> {
    const NAME: &str = "experiments.toml";
    if config.is_some_and(|folder| !folder.join(NAME).exists()) {
        return Ok(Experiments::default());
    }
    Experiments::load(&file(config, NAME)?, book)
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
