//! Nine people, each by a way to answer. A seed decides what chance decides; the same seed plays the same.

use tussendoor::app::rehearse::Rehearsal;

use super::{CONFIGURATION, messages, play, question, scenes, set, state, to_a_person};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Persona {
    Silent,
    Chatty,
    LowLiterate,
    Angry,
    NumberChanged,
    StopInASentence,
    AfterThreeWeeks,
    AnswersAnotherQuestion,
    RepliesByVoice,
}

const ALL: [Persona; 9] = [
    Persona::Silent,
    Persona::Chatty,
    Persona::LowLiterate,
    Persona::Angry,
    Persona::NumberChanged,
    Persona::StopInASentence,
    Persona::AfterThreeWeeks,
    Persona::AnswersAnotherQuestion,
    Persona::RepliesByVoice,
];

/// Seeds a persona and scene; `PERSONAS` sets another number.
const SEEDS: u64 = 12;

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// What this person does next: lines of a `.talk` file.
fn acts(persona: Persona, rehearsal: &Rehearsal, turn: usize, chance: &mut Chance) -> Vec<String> {
    let answers = question(rehearsal).map(|(_, _, answers)| answers);
    let wait = format!("wait {}h", 1 + chance.below(60));
    let one = |line: &str| vec![line.to_owned()];
    let tap = |chance: &mut Chance| match &answers {
        Some(answers) if !answers.is_empty() => {
            vec![format!("tap {}", answers[chance.below(answers.len())])]
        }
        _ => vec![wait.clone()],
    };
    match persona {
        Persona::Silent => one("next"),
        Persona::Chatty => match chance.below(4) {
            0 => tap(chance),
            1 => one(chance.of(&["in plan", "in afspraak", "in wie is dit", "in hoi"])),
            _ => vec![format!(
                "in {}",
                chance.of(&[
                    "nou ik wilde even zeggen dat het gisteren heel gezellig was",
                    "heb je ook koffie op kantoor",
                    "mijn buurvrouw zegt dat het anders kan",
                    "oke bedankt!!! 😀😀",
                ])
            )],
        },
        Persona::LowLiterate => match chance.below(5) {
            0 => one(chance.of(&["in 1.", "in  2 ", "in een", "in 1 ja", "thumb"])),
            1 => one(chance.of(&["in ja hor", "in nee kan nie", "in wat mot ik", "in ???"])),
            2 => one("voice"),
            3 => one("photo"),
            _ => tap(chance),
        },
        Persona::Angry => match chance.below(6) {
            0 => one("in ik weet waar je woont"),
            1 => one("in ik dien een klacht in"),
            2 => one("in STOP"),
            _ => one(chance.of(&[
                "in laat me met rust",
                "in wat een onzin",
                "in NEE!!!",
                "in ik ben er klaar mee",
            ])),
        },
        Persona::NumberChanged => match turn {
            0 => one("in verkeerd nummer"),
            1 => one(chance.of(&["in 2", "in nee", "in wie?", "in 1", "next"])),
            _ => vec![wait],
        },
        Persona::StopInASentence => match chance.below(4) {
            0 => one("in Stop."),
            1 => one("in stop aub"),
            _ => one(chance.of(&[
                "in ik wil dat jullie stoppen met die berichten",
                "in kun je even stoppen",
                "in we moeten stoppen met roken",
            ])),
        },
        Persona::AfterThreeWeeks => {
            let mut acts = one("wait 21d");
            acts.extend(
                match (chance.below(3), answers.as_ref().and_then(|it| it.last())) {
                    (0, Some(answer)) => vec![format!("tap {answer} @{}", rehearsal.talk().said)],
                    (1, _) => one("in 1"),
                    _ => one("in sorry ik was op reis"),
                },
            );
            acts
        }
        Persona::AnswersAnotherQuestion => one(chance.of(&[
            "in 8",
            "in 9",
            "in Te ver",
            "in Ja, gelukt",
            "in Minder uren",
            "in dinsdag om 10 uur",
            "tap yes @1",
            "tap slot:00000000040000000000000009",
        ])),
        Persona::RepliesByVoice => match chance.below(5) {
            0 => tap(chance),
            _ => one("voice"),
        },
    }
}

/// Half a year of one person in one scene; what was said.
fn live(persona: Persona, flow: &str, scene: &[&str], seed: u64) -> Vec<String> {
    let mut chance = Chance(seed);
    let (mut rehearsal, mut log) = set(flow, scene);
    // Words to the same question that were not understood, in a row.
    let (mut asked, mut puzzled) = (None, 0);
    for turn in 0..24 {
        for line in acts(persona, &rehearsal, turn, &mut chance) {
            let left = state(&rehearsal) == "left";
            let said = play(&mut rehearsal, &line);
            let heard = ["in ", "tap ", "voice", "photo"]
                .iter()
                .any(|it| line.starts_with(it));
            let who = format!("{persona:?} in {flow}, seed {seed}, `{line}` after {log:#?}");
            if heard && !left {
                let moved = said
                    .iter()
                    .any(|it| it.starts_with("now ") || it.starts_with("end "));
                assert!(
                    messages(&said) > 0 || to_a_person(&said) || moved,
                    "into the void: {who}"
                );
            }
            let question = question(&rehearsal).map(|(_, node, _)| node);
            let stays = heard && line.starts_with("in ") && question == asked && question.is_some();
            puzzled = if stays && !to_a_person(&said) {
                puzzled + 1
            } else {
                0
            };
            asked = question;
            if !matches!(persona, Persona::Chatty) {
                assert!(puzzled <= 2, "a loop without a person: {who}");
            }
            log.push(format!("> {line}"));
            log.extend(said);
        }
    }
    let said = play(&mut rehearsal, "wait 400d");
    log.extend(said);
    assert_eq!(
        rehearsal.talk().runs().count(),
        0,
        "{persona:?} in {flow}, seed {seed}: {log:#?}"
    );
    log
}

#[test]
fn every_persona_plays_every_flow_and_nobody_is_stuck() {
    let seeds = std::env::var("PERSONAS").map_or(SEEDS, |n| n.parse().unwrap());
    let mut lives = 0;
    for flow in CONFIGURATION.book.names() {
        for scene in scenes(flow) {
            for persona in ALL {
                for seed in 0..seeds {
                    let log = live(persona, flow, &scene, seed);
                    assert!(
                        messages(&log) <= 60,
                        "{persona:?} in {flow} is flooded: {log:#?}"
                    );
                    lives += 1;
                }
            }
        }
    }
    println!("{lives} lives");
}

#[test]
fn a_seed_replays_word_for_word() {
    for persona in ALL {
        for (at, scene) in scenes("meeting_invite").iter().enumerate() {
            let seed = at as u64;
            let first = live(persona, "meeting_invite", scene, seed);
            assert_eq!(first, live(persona, "meeting_invite", scene, seed));
        }
    }
}
