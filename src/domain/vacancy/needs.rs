//! What a vacancy asks of somebody, read out of the words of a feed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a vacancy asks of somebody, or when its work is. The database keeps the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A driver's licence for a car.
    DrivingB,
    /// A driver's licence for a truck or a bus.
    DrivingC,
    Forklift,
    /// The safety certificate of building and industry.
    Vca,
    /// A certificate of good conduct.
    Vog,
    /// To speak and read Dutch well.
    Dutch,
    English,
    /// A diploma of secondary vocational education or more.
    Diploma,
    Evening,
    Night,
    Weekend,
}

impl Need {
    pub const ALL: [Need; 11] = [
        Need::DrivingB,
        Need::DrivingC,
        Need::Forklift,
        Need::Vca,
        Need::Vog,
        Need::Dutch,
        Need::English,
        Need::Diploma,
        Need::Evening,
        Need::Night,
        Need::Weekend,
    ];
    /// Those that say when the work is.
    pub const TIMES: [Need; 3] = [Need::Evening, Need::Night, Need::Weekend];

    pub const fn as_str(self) -> &'static str {
        match self {
            Need::DrivingB => "driving_b",
            Need::DrivingC => "driving_c",
            Need::Forklift => "forklift",
            Need::Vca => "vca",
            Need::Vog => "vog",
            Need::Dutch => "dutch",
            Need::English => "english",
            Need::Diploma => "diploma",
            Need::Evening => "evening",
            Need::Night => "night",
            Need::Weekend => "weekend",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.as_str() == text)
    }

    /// Words by which a text tells of it.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Need::DrivingB => &[
                "rijbewijs",
                "driving licence",
                "drivers licence",
                "driver's license",
            ],
            Need::DrivingC => &["rijbewijs c", "rijbewijs d", "code 95"],
            Need::Forklift => &[
                "heftruckcertificaat",
                "heftruck certificaat",
                "forklift licence",
            ],
            Need::Vca => &["vca"],
            Need::Vog => &[
                "vog",
                "verklaring omtrent het gedrag",
                "certificate of conduct",
            ],
            Need::Dutch => &[
                "nederlandse taal",
                "goed nederlands",
                "spreekt nederlands",
                "spreek je nederlands",
                "fluent dutch",
                "speak dutch",
            ],
            Need::English => &[
                "engelse taal",
                "goed engels",
                "spreekt engels",
                "speak english",
                "fluent english",
            ],
            Need::Diploma => &[
                "mbo-diploma",
                "mbo diploma",
                "mbo 2",
                "mbo 3",
                "mbo 4",
                "hbo",
            ],
            Need::Evening => &[
                "avonddienst",
                "avonddiensten",
                "in de avond",
                "'s avonds",
                "evening shift",
                "evenings",
            ],
            Need::Night => &[
                "nachtdienst",
                "nachtdiensten",
                "'s nachts",
                "night shift",
                "nights",
            ],
            Need::Weekend => &[
                "weekend",
                "weekenddienst",
                "weekenddiensten",
                "zaterdag",
                "weekends",
            ],
        }
    }
}

/// Words that turn a sentence about a need around.
const WITHOUT: [&str; 8] = [
    "geen ",
    "niet nodig",
    "zonder ",
    "niet verplicht",
    "hoeft niet",
    "no ",
    "not needed",
    "without ",
];

/// What a text asks of somebody. A sentence that says that something is *not* needed asks nothing.
pub fn needs_of(text: &str) -> BTreeSet<Need> {
    let text = text.to_lowercase();
    let mut found = BTreeSet::new();
    for sentence in text.split(['.', '!', '?', '\n', ';', ',', '•']) {
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        let around = format!("{sentence} ");
        if WITHOUT.iter().any(|word| around.contains(word)) {
            continue;
        }
        for need in Need::ALL {
            if need.words().iter().any(|word| holds(&sentence, word)) {
                found.insert(need);
            }
        }
    }
    // Who may drive a truck is asked for that alone.
    if found.contains(&Need::DrivingC) {
        found.remove(&Need::DrivingB);
    }
    found
}

/// Does a sentence hold a word, and not only as a part of another?
fn holds(sentence: &str, word: &str) -> bool {
    sentence.match_indices(word).any(|(at, _)| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let before = sentence.get(..at).and_then(|text| text.chars().next_back());
        let after = sentence
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !letter(before) && !letter(after)
    })
}

/// The needs as the database keeps them.
pub fn needs_text(needs: &BTreeSet<Need>) -> String {
    let words: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
    words.join(" ")
}

/// The needs out of the database; a word that this program no longer knows is left out.
pub fn needs_from(text: &str) -> BTreeSet<Need> {
    text.split(' ').filter_map(Need::parse).collect()
}
