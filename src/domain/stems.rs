//! Words of a vacancy and of a search, made comparable: without capitals and accents of another spelling,
//! as stems in Dutch and in English, and for the long words of Dutch by their parts: who looks for "magazijn" means a
//! "magazijnmedewerker" too. Never for commands: "gestopt" and "stoppen" are one stem and two wishes.

use std::collections::BTreeSet;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Shorter words say nothing about work.
const SHORTEST: usize = 3;
/// Nobody writes longer ones; it bounds what a hostile text makes us keep.
const LONGEST: usize = 40;
/// A word of so many letters may be made of two.
const COMPOUND: usize = 8;
/// Lengths of the parts that are kept of it: of its beginning and of its end.
const BEGINS: std::ops::RangeInclusive<usize> = 4..=14;
const ENDS: std::ops::RangeInclusive<usize> = 6..=12;

/// Words that stand in every text.
const EMPTY: &[&str] = &[
    "aan", "als", "and", "are", "baan", "ben", "bent", "bij", "dan", "dat", "day", "deze", "die",
    "dit", "een", "for", "functie", "geen", "haar", "have", "heb", "hebben", "hebt", "heeft",
    "het", "hij", "hun", "iets", "iemand", "job", "jou", "jouw", "jullie", "kan", "kun", "kunt",
    "maar", "meer", "met", "mijn", "naar", "niet", "not", "nog", "ons", "onze", "ook", "our",
    "over", "per", "that", "the", "this", "tot", "uit", "uur", "van", "vacature", "voor", "waar",
    "wat", "week", "werk", "werken", "wie", "wij", "will", "with", "wordt", "work", "you", "your",
    "zal", "zich", "zijn", "zoeken", "zoekt",
];

/// One word in the forms by which it may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Itself in small letters, and its stems.
    pub forms: BTreeSet<String>,
}

/// The words of a text, in its order; empty words are left out.
fn plain(text: &str) -> Vec<String> {
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    text.unicode_words()
        .map(|word| word.replace(['\'', '’'], ""))
        .filter(|word| (SHORTEST..=LONGEST).contains(&word.chars().count()))
        .filter(|word| word.chars().any(char::is_alphabetic))
        .filter(|word| !EMPTY.contains(&word.as_str()))
        .collect()
}

/// The words of a title that say something about work, as one phrase: "magazijnmedewerker avond".
pub fn telling(title: &str) -> String {
    plain(title).join(" ")
}

/// What somebody looks for: each word with the forms that are as good as it.
pub fn wanted(text: &str) -> Vec<Word> {
    let stemmers = Stemmers::new();
    plain(text)
        .iter()
        .map(|word| Word {
            forms: stemmers.forms(word),
        })
        .collect()
}

/// Every form by which a text may be found.
pub fn of_text(text: &str) -> BTreeSet<String> {
    let stemmers = Stemmers::new();
    let words: BTreeSet<String> = plain(text).into_iter().collect();
    words.iter().flat_map(|word| stemmers.forms(word)).collect()
}

/// As `of_text`, with the parts of its long words: for titles.
pub fn of_title(title: &str) -> BTreeSet<String> {
    let mut found = of_text(title);
    for word in plain(title) {
        found.extend(parts(&word));
    }
    found
}

/// The beginnings and the ends of a word that may be made of two.
fn parts(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < COMPOUND {
        return Vec::new();
    }
    let shorter = letters.len() - 3;
    let begins = BEGINS
        .filter(|length| *length <= shorter)
        .map(|length| letters[..length].iter().collect());
    let ends = ENDS
        .filter(|length| *length <= shorter)
        .map(|length| letters[letters.len() - length..].iter().collect());
    begins.chain(ends).collect()
}

struct Stemmers([Stemmer; 2]);

impl Stemmers {
    fn new() -> Self {
        Self([Algorithm::Dutch, Algorithm::English].map(Stemmer::create))
    }

    fn forms(&self, word: &str) -> BTreeSet<String> {
        let stems = self.0.iter().map(|stemmer| stemmer.stem(word).into_owned());
        std::iter::once(word.to_owned())
            .chain(stems)
            .filter(|form| form.chars().count() >= SHORTEST)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(wanted_word: &str, title: &str) -> bool {
        let title = of_title(title);
        wanted(wanted_word)
            .iter()
            .all(|word| !word.forms.is_disjoint(&title))
    }

    #[test]
    fn one_word_finds_the_others_of_its_kind() {
        for (word, title) in [
            ("schoonmaker", "Schoonmakers gezocht"),
            ("magazijn", "Magazijnmedewerker (avond)"),
            ("MAGAZIJNEN", "Hulp in het magazijn"),
            ("chauffeur", "Vrachtwagenchauffeur"),
            ("zorg", "Zorgmedewerker"),
            ("cleaners", "Cleaner wanted"),
            ("crèche", "Hulp op de crèche"),
            ("bakker", "Bakkers"),
        ] {
            assert!(finds(word, title), "{word} finds {title}");
        }
        for (word, title) in [
            ("bakker", "Kok in een hotel"),
            ("tuin", "Magazijnmedewerker"),
            ("zorg", "Bezorger"),
        ] {
            assert!(!finds(word, title), "{word} does not find {title}");
        }
    }

    #[test]
    fn empty_words_find_nothing() {
        assert!(wanted("werk voor 32 uur per week").is_empty());
        assert!(of_text("de het een 1234 !!").is_empty());
    }

    #[test]
    fn a_word_without_end_is_no_word() {
        assert!(of_title(&"a".repeat(5000)).is_empty());
    }
}
