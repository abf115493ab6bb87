//! The people of the town: what they are like, and what they do when a message comes. They know what any
//! person knows: the text and its answers.

use serde_json::Value;

/// A source of chance that replays: SplitMix64 by its published constants.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub fn of_hundred(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persona {
    Silent,
    Chatty,
    LowLiterate,
    Angry,
    /// Takes another number in summer.
    Moves,
    /// Says STOP one day, after a sentence with the word in it.
    Stops,
    /// Answers after three weeks.
    Late,
    /// Answers another question than the one that was asked.
    Astray,
    Voice,
}

impl Persona {
    pub const ALL: [Persona; 9] = [
        Persona::Silent,
        Persona::Chatty,
        Persona::LowLiterate,
        Persona::Angry,
        Persona::Moves,
        Persona::Stops,
        Persona::Late,
        Persona::Astray,
        Persona::Voice,
    ];
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Says(String),
    /// Taps this answer under the message that came.
    Taps(usize),
    /// Taps under the message before that one.
    TapsOlder(usize),
    Voice,
    Photo,
    /// Takes another number.
    Moves,
}

/// A message as it stands on a phone.
#[derive(Debug, Clone)]
pub struct Shown {
    pub text: String,
    /// How many answers can be tapped.
    pub taps: usize,
}

pub fn shown(body: &Value) -> Shown {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match body["type"].as_str() {
        Some("text") => Shown {
            text: text(&body["text"]["body"]),
            taps: 0,
        },
        Some("interactive") => {
            let inside = &body["interactive"];
            let buttons = inside["action"]["buttons"].as_array().map_or(0, Vec::len);
            let rows = inside["action"]["sections"][0]["rows"].as_array();
            Shown {
                text: text(&inside["body"]["text"]),
                taps: buttons + rows.map_or(0, Vec::len),
            }
        }
        _ => {
            let parts = body["template"]["components"].as_array();
            let parts = parts.map_or(&[][..], Vec::as_slice);
            let buttons = parts.iter().filter(|part| part["type"] == "button").count();
            let values = parts
                .iter()
                .filter(|part| part["type"] == "body")
                .flat_map(|part| part["parameters"].as_array().into_iter().flatten())
                .map(|value| text(&value["text"]));
            let values: Vec<String> = values.collect();
            Shown {
                text: format!("{}: {}", text(&body["template"]["name"]), values.join(", ")),
                taps: buttons,
            }
        }
    }
}

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// What this persona does on that message: after so many minutes each.
pub fn answers(
    persona: Persona,
    dice: &mut Dice,
    message: &Shown,
    first: bool,
) -> Vec<(u64, Deed)> {
    let any = |dice: &mut Dice| {
        let most = u64::try_from(message.taps).unwrap();
        usize::try_from(dice.below(most)).unwrap()
    };
    let question = message.taps > 0 || message.text.contains('?');
    // Everybody who came to the office answers the very first question: yes to everything.
    if first {
        return match message.taps {
            0 => vec![(5, Deed::Says("1".to_owned()))],
            _ => vec![(5, Deed::Taps(0))],
        };
    }
    let tap = |dice: &mut Dice| match message.taps {
        0 => Deed::Says("1".to_owned()),
        _ => Deed::Taps(any(dice)),
    };
    let soon = 20 + dice.below(3 * HOUR);
    match persona {
        Persona::Silent => Vec::new(),
        Persona::Chatty => {
            let mut deeds = vec![(soon, if question { tap(dice) } else { thanks() })];
            if dice.of_hundred(30) {
                deeds.push((
                    soon + 30,
                    Deed::Says("En ik heb ook nog een vraag over mijn cv".into()),
                ));
            }
            deeds
        }
        Persona::LowLiterate if question => {
            let says = ["1", "2", "ja", "jaa oke", "nee", "ik weet niet", "klaar"];
            let says = says[usize::try_from(dice.below(7)).unwrap()];
            vec![(soon * 3, Deed::Says(says.to_owned()))]
        }
        Persona::Angry if question => match dice.below(8) {
            0 => vec![(soon, Deed::Says("Ik wil een klacht indienen".into()))],
            1..=3 => vec![(soon, Deed::Says("laat me toch met rust".into()))],
            4 => Vec::new(),
            _ => vec![(soon, tap(dice))],
        },
        Persona::Moves | Persona::Stops if question && dice.of_hundred(80) => {
            vec![(soon, tap(dice))]
        }
        Persona::Late if question => vec![(21 * DAY + soon, tap(dice))],
        Persona::Astray if question => match dice.below(4) {
            0 => vec![(soon, Deed::TapsOlder(any(dice)))],
            1 => vec![(soon, Deed::Says("9".into()))],
            2 => vec![(soon, Deed::Says("morgen om drie uur bij de bakker".into()))],
            _ => vec![(soon + DAY, tap(dice))],
        },
        Persona::Voice if question => match dice.below(3) {
            0 => vec![(soon, Deed::Photo)],
            _ => vec![(soon, Deed::Voice)],
        },
        _ => Vec::new(),
    }
}

fn thanks() -> Deed {
    Deed::Says("dank je wel".into())
}
