//! How hard a text is to read: the ease by a formula from the literature, its longest sentence, its long
//! words. What is too hard is decided by `tone.rs`.
//!
//! English: R. Flesch, "A new readability yardstick", Journal of Applied Psychology 32 (1948), 221-233.
//! Dutch: W. H. Douma, "De leesbaarheid van landbouwbladen", Bulletin 17, Landbouwhogeschool Wageningen
//! (1960), which refits Flesch's weights to Dutch. Both count words a sentence and syllables a word; a
//! higher number reads easier, and 100 is about the simplest prose. Syllables are counted as groups of
//! vowels, which is what the formulas' authors advise for counting by machine.

/// What a formula needs of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub sentences: Vec<Vec<String>>,
    pub words: usize,
    pub syllables: usize,
}

/// Reads a text as its source has it: a `{{name}}` counts as one short word, because what stands there is
/// not ours; links and numbers do not count, because nobody reads them aloud.
pub fn measure(text: &str) -> Measured {
    let mut sentences = Vec::new();
    for sentence in without_links(&without_names(text)).split(['.', '!', '?', ':', '\n']) {
        let words: Vec<String> = sentence
            .split(|c: char| !(c.is_alphabetic() || "'’-".contains(c)))
            .map(|word| word.trim_matches(|c: char| !c.is_alphabetic()).to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        if !words.is_empty() {
            sentences.push(words);
        }
    }
    let all = || sentences.iter().flatten();
    let words = all().count();
    let syllables = all().map(|word| syllables(word)).sum();
    Measured {
        words,
        syllables,
        sentences,
    }
}

impl Measured {
    /// 0 to about 120; `None` for a text too short to judge.
    pub fn ease(&self, locale: &str) -> Option<i64> {
        // Below this one word decides everything.
        const FEWEST: usize = 5;
        if self.words < FEWEST {
            return None;
        }
        let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (words, sentences) = (whole(self.words), whole(self.sentences.len()));
        let syllables = whole(self.syllables);
        // In thousandths, so that the same text measures the same on every machine.
        let (start, a_sentence, a_word) = match locale {
            "nl" => (206_840, 930, 77_000),
            _ => (206_835, 1_015, 84_600),
        };
        let sum = start - a_sentence * words / sentences - a_word * syllables / words;
        Some(sum / 1000)
    }

    /// The sentence with the most words.
    pub fn longest(&self) -> Option<&Vec<String>> {
        self.sentences.iter().max_by_key(|words| words.len())
    }
}

/// Groups of vowels, at least one. The Dutch `ij` is one vowel; what follows it, and a vowel with a
/// diaeresis, begins a group of its own.
fn syllables(word: &str) -> usize {
    let word = word.to_lowercase().replace("ij", "ÿ");
    let (mut groups, mut within, mut closed) = (0, false, false);
    for c in word.chars() {
        let vowel = "aeiouyÿáàâäéèêëíìîïóòôöúùûü".contains(c);
        if vowel && (!within || closed || "äëïöü".contains(c)) {
            groups += 1;
        }
        (within, closed) = (vowel, c == 'ÿ');
    }
    groups.max(1)
}

/// `{{#each …}}` and `{{/each}}` say nothing; every other name is one word.
fn without_names(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        if !name.starts_with(['#', '/']) {
            out.push_str("Sam");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn without_links(text: &str) -> String {
    let words = text
        .split(' ')
        .map(|word| match word.contains("://") || word.contains("www.") {
            true if word.ends_with(['.', '?']) => ".",
            true => "",
            false => word,
        });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_an_office_reads_harder_than_one_of_a_friend() {
        let office =
            "Indien u niet verschijnt, kunnen consequenties voor uw bijstandsuitkering volgen.";
        let friend = "Kun je niet? Stuur even een bericht. Dan kiezen we een ander moment.";
        let ease = |text| measure(text).ease("nl").unwrap();
        assert!(ease(office) < 40, "{}", ease(office));
        assert!(ease(friend) > 80, "{}", ease(friend));
    }

    #[test]
    fn the_formulas_are_those_of_flesch_and_douma() {
        // Ten words, two sentences, fourteen syllables.
        let measured = Measured {
            sentences: vec![vec!["a".to_owned(); 5]; 2],
            words: 10,
            syllables: 14,
        };
        assert_eq!(measured.ease("nl"), Some(94));
        assert_eq!(measured.ease("en"), Some(83));
    }

    #[test]
    fn syllables_are_heard() {
        for (word, count) in [
            ("stap", 1),
            ("begrijp", 2),
            ("bijeen", 2),
            ("reïntegratie", 5),
            ("Oekraïne", 4),
            ("hmm", 1),
            ("één", 1),
        ] {
            assert_eq!(syllables(word), count, "{word}");
        }
    }

    #[test]
    fn names_links_and_numbers_are_not_judged() {
        let measured = measure(
            "Hoi {{first_name}}, tik op https://www.werkgelegenheidsvoorziening.nl/x. Om 10:30.",
        );
        let words: Vec<_> = measured.sentences.concat();
        assert_eq!(words, ["Hoi", "Sam", "tik", "op", "Om"]);
    }
}
