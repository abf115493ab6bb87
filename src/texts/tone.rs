//! The tone of what candidates read: plain, short, without threat or blame. The rules are data
//! (`config/tone.toml`); how a text is measured is `readability.rs`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::readability::measure;
use super::source::Text;
use crate::domain::command::fold;
use crate::domain::flow::definition::Problem;
use crate::domain::flow::parse::from_toml;

/// Language -> its rules.
#[derive(Debug, Clone, Default)]
pub struct Tone(BTreeMap<String, Rules>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    least_ease: i64,
    most_words_in_a_sentence: usize,
    most_letters_in_a_word: usize,
    #[serde(default)]
    known: BTreeSet<String>,
    /// Words and phrases that are never said; a closing `*` matches every ending of the last word.
    #[serde(default)]
    never: Vec<String>,
    /// Hard word -> what to say instead.
    #[serde(default)]
    hard: BTreeMap<String, String>,
}

impl Tone {
    /// Reads `config/tone.toml`.
    pub fn parse(file: &str, toml: &str) -> Result<Self, Vec<Problem>> {
        toml::from_str(toml)
            .map(Self)
            .map_err(|error| vec![from_toml(file, toml, &error)])
    }

    /// Is there a rule for this language?
    pub(super) fn speaks(&self, locale: &str) -> bool {
        self.0.contains_key(locale)
    }

    /// What is wrong with one text in this language, and what was expected. `key` names it.
    pub(super) fn judge(&self, locale: &str, key: &str, text: &Text) -> Vec<(String, String)> {
        let Some(rules) = self.0.get(locale) else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let names = [key.to_owned(), format!("{key}.other")];
        for (key, said) in names.iter().zip(text.wordings()) {
            let mail = said.email.into_iter();
            let mail = mail.flat_map(|mail| [("email", &mail.text), ("subject", &mail.subject)]);
            let template = said.template.map(|template| ("template", &template.body));
            let spoken = [Some(("text", said.text)), said.sms.map(|sms| ("sms", sms))];
            for (part, words) in spoken.into_iter().flatten().chain(mail).chain(template) {
                problems.extend(rules.judge(locale, &format!("{key}.{part}"), words, true));
            }
        }
        if let Some(again) = &text.again {
            problems.extend(rules.judge(locale, &format!("{key}.again"), again, true));
        }
        for (choice, label) in &text.choices {
            problems.extend(rules.judge(locale, &format!("{key}.choices.{choice}"), label, false));
        }
        problems
    }
}

impl Rules {
    /// A label is no sentence: only its words are judged.
    fn judge(&self, locale: &str, key: &str, text: &str, sentences: bool) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let measured = measure(text);
        let tokens: Vec<String> = fold_words(&measured.sentences.concat());
        for never in &self.never {
            if stands_in(never, &tokens) {
                problems.push((
                    format!("{key} says `{never}`"),
                    "no threat, no pressure, no blame, nothing about benefit or health".to_owned(),
                ));
            }
        }
        for word in &tokens {
            if let Some(instead) = self.hard.get(word) {
                problems.push((
                    format!("`{word}` in {key} is a hard word"),
                    format!("`{instead}`"),
                ));
            }
            let letters = word.chars().count();
            if letters > self.most_letters_in_a_word && !self.known.contains(word) {
                problems.push((
                    format!("`{word}` in {key} has {letters} letters"),
                    format!(
                        "at most {}, or a word in `known`",
                        self.most_letters_in_a_word
                    ),
                ));
            }
        }
        if !sentences {
            return problems;
        }
        if let Some(longest) = measured.longest()
            && longest.len() > self.most_words_in_a_sentence
        {
            problems.push((
                format!(
                    "the sentence \"{}\" in {key} has {} words",
                    longest.join(" "),
                    longest.len()
                ),
                format!("at most {}", self.most_words_in_a_sentence),
            ));
        }
        if let Some(ease) = measured.ease(locale)
            && ease < self.least_ease
        {
            problems.push((
                format!("{key} reads with an ease of {ease}"),
                format!(
                    "{} or more: shorter words, shorter sentences",
                    self.least_ease
                ),
            ));
        }
        problems
    }
}

fn fold_words(words: &[String]) -> Vec<String> {
    let folded = words.iter().map(|word| fold(word));
    folded
        .flat_map(|word| word.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Over the borders of sentences too: pressure does not stop at a full stop.
fn stands_in(phrase: &str, words: &[String]) -> bool {
    let open = phrase.ends_with('*');
    let phrase: Vec<String> = fold(phrase).split(' ').map(str::to_owned).collect();
    let last = phrase.len().saturating_sub(1);
    words.windows(phrase.len().max(1)).any(|window| {
        let mut pairs = phrase.iter().zip(window).enumerate();
        pairs.all(|(at, (wanted, word))| match open && at == last {
            true => word.starts_with(wanted.as_str()),
            false => wanted == word,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Vec<String> {
        let tone = Tone::parse("tone.toml", include_str!("../../config/tone.toml")).unwrap();
        let text: Text = toml::from_str(&format!("text = {text:?}")).unwrap();
        let problems = tone.judge("nl", "x", &text);
        problems.into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn threat_pressure_and_what_is_private_are_heard_in_every_ending() {
        for (text, word) in [
            ("Je moet komen.", "`moet`"),
            ("Dit is VERPLICHT!", "`verplicht*`"),
            ("Er volgt een sanctie", "`sanctie*`"),
            ("Anders stopt je uitkering.", "`uitkering*`"),
            ("Dit is je laatste kans.", "`laatste kans`"),
            ("Kunt u komen?", "`u`"),
        ] {
            let problems = says(text);
            assert!(
                problems.iter().any(|what| what.contains(word)),
                "{text}: {problems:?}"
            );
        }
    }

    #[test]
    fn a_kind_text_is_not_touched() {
        assert_eq!(
            says("Hoi {{first_name}}, lukt het? Het moment is nog vrij."),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_hard_word_the_long_word_and_the_long_sentence_are_named() {
        let problems = says("Neem echter contact op.").join(";");
        assert!(problems.contains("`echter`"), "{problems}");
        let problems = says("Kom naar de arbeidsmarktregio vandaag.").join(";");
        assert!(problems.contains("arbeidsmarktregio"), "{problems}");
        let long = "Kom je dan met je boek en je pen en je tas naar ons kantoor aan de weg?";
        assert!(
            says(long).join(";").contains("has 18 words"),
            "{:?}",
            says(long)
        );
    }
}
