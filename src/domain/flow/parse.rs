//! TOML -> `Flow`, with the line of every mistake. Unknown keys are refused; what the shape alone
//! cannot show (missing nodes, circles, texts) is for `check.rs`.

mod deed;

use std::collections::BTreeMap;

use chrono::NaiveTime;
use serde::Deserialize;
use serde::de;
use toml::Spanned;

use self::deed::{DeedSource, deeds};
use super::definition::{
    About, Anchor, Ask, Busy, Choice, Exit, Fact, Flow, Hears, Kind, Moment, Node, Offer, Problem,
    Say, Silent, Span, Unclear,
};
use crate::domain::contact::Purpose;
use crate::domain::ids::{FlowHash, NodeId};
use crate::domain::talk::effect::{Approve, Because};
use crate::domain::talk::event::Change;
use crate::domain::talk::state::Why;

/// Reads one flow. `file` names it in problems.
pub fn parse(file: &str, name: &str, hash: FlowHash, toml: &str) -> Result<Flow, Vec<Problem>> {
    let source: FlowSource = toml::from_str(toml).map_err(|e| vec![from_toml(file, toml, &e)])?;
    let mut reading = Reading {
        file,
        toml,
        problems: Vec::new(),
        nodes: BTreeMap::new(),
    };
    reading.nodes(&source);
    if !reading.problems.is_empty() {
        return Err(reading.problems);
    }
    Ok(Flow {
        name: name.to_owned(),
        hash,
        title: source.title,
        purpose: source.purpose,
        about: source.about,
        start: source.start,
        lasts: source.lasts,
        busy: source.busy,
        on: source.on,
        opens: source.opens,
        hears: source.hears,
        undelivered: source.exits.undelivered,
        unclear: source.exits.unclear.map(UnclearSource::build),
        moves: source.moves,
        nodes: reading.nodes,
        labels: BTreeMap::new(),
    })
}

/// A mistake that the TOML reader found, in our form. Its sentences read "…, expected …".
pub fn from_toml(file: &str, toml: &str, error: &toml::de::Error) -> Problem {
    let line = error.span().map_or(1, |span| line_of(toml, span.start));
    let message = error.message().replace('\n', "; ");
    let (what, expected) = match message.split_once(", expected ") {
        Some((what, expected)) => (what.to_owned(), expected.to_owned()),
        None if message.starts_with("missing field ") => {
            let key = message.trim_start_matches("missing field ").to_owned();
            ("a key is missing".to_owned(), key)
        }
        None if message.starts_with("duplicate key") => (message, "each name once".to_owned()),
        None => (message, "valid TOML".to_owned()),
    };
    Problem {
        file: file.to_owned(),
        line,
        what,
        expected,
    }
}

pub fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

struct Reading<'a> {
    file: &'a str,
    toml: &'a str,
    problems: Vec<Problem>,
    nodes: BTreeMap<NodeId, Node>,
}

impl Reading<'_> {
    fn nodes(&mut self, source: &FlowSource) {
        for (name, ask) in &source.ask {
            let not_after = self.moment(name, ask.not_after.as_ref());
            self.add(name, Kind::Ask(Box::new(ask.build(not_after))));
        }
        for (name, say) in &source.say {
            let not_after = self.moment(name, say.not_after.as_ref());
            let (go, deeds) = (say.go.clone(), deeds(&say.deeds));
            self.add(
                name,
                Kind::Say(Say {
                    go,
                    deeds,
                    approve: say.approve,
                    not_after,
                }),
            );
        }
        for (name, wait) in &source.wait {
            let go = wait.go.clone();
            match (&wait.until, wait.change) {
                (Some(until), None) => {
                    if let Some(until) = self.moment(name, Some(until)) {
                        self.add(name, Kind::Wait { until, go });
                    }
                }
                (None, Some(change)) => self.add(name, Kind::Await { change, go }),
                _ => {
                    let line = line_of(self.toml, name.span().start);
                    let what = format!("`{}` does not say what it waits for", name.as_ref());
                    self.problem(line, what, "one of `until`, `change`");
                }
            }
        }
        for (name, IfSource { fact, yes, no }) in &source.branch {
            self.add(
                name,
                Kind::If {
                    fact: fact.clone(),
                    yes: yes.clone(),
                    no: no.clone(),
                },
            );
        }
        for (name, coach) in &source.coach {
            let CoachSource {
                why,
                hands_over,
                go,
            } = coach;
            if *hands_over && go.is_some() {
                let line = line_of(self.toml, name.span().start);
                let what = format!("`{}` hands the talk over and goes on", name.as_ref());
                self.problem(line, what, "one of `hands_over`, `go`");
            }
            self.add(
                name,
                Kind::Coach {
                    why: *why,
                    hands_over: *hands_over,
                    go: go.clone(),
                },
            );
        }
        for (name, end) in &source.end {
            let (because, deeds) = (end.because, deeds(&end.deeds));
            self.add(name, Kind::End { because, deeds });
        }
    }

    fn add(&mut self, name: &Name, kind: Kind) {
        let id = NodeId(name.as_ref().clone());
        let line = line_of(self.toml, name.span().start);
        if let Some(other) = self.nodes.get(&id) {
            let what = format!("the name `{id}` is used twice, on line {} too", other.line);
            return self.problem(line, what, "each name once, over all kinds of node");
        }
        self.nodes.insert(id, Node { line, kind });
    }

    fn moment(&mut self, node: &Name, moment: Option<&MomentSource>) -> Option<Moment> {
        let source = moment?;
        let named = [
            source.after.map(Anchor::In),
            source.before_meeting.map(Anchor::BeforeMeeting),
            source.after_meeting.map(Anchor::AfterMeeting),
        ];
        let mut named = named.into_iter().flatten();
        let (Some(from), None) = (named.next(), named.next()) else {
            let line = line_of(self.toml, node.span().start);
            let what = format!("`{}` does not name exactly one moment", node.as_ref());
            self.problem(line, what, "one of `in`, `before_meeting`, `after_meeting`");
            return None;
        };
        Some(Moment {
            from,
            at: source.at.map(|at| at.0),
        })
    }

    fn problem(&mut self, line: usize, what: String, expected: &str) {
        let (file, expected) = (self.file.to_owned(), expected.to_owned());
        self.problems.push(Problem {
            file,
            line,
            what,
            expected,
        });
    }
}

type Name = Spanned<String>;
type Table<T> = BTreeMap<Name, T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowSource {
    title: String,
    purpose: Purpose,
    about: About,
    start: NodeId,
    lasts: Span,
    #[serde(default)]
    busy: Busy,
    #[serde(default)]
    on: BTreeMap<Change, NodeId>,
    #[serde(default)]
    opens: BTreeMap<Change, NodeId>,
    #[serde(default)]
    hears: BTreeMap<Hears, NodeId>,
    #[serde(default)]
    exits: ExitsSource,
    #[serde(default)]
    moves: BTreeMap<NodeId, NodeId>,
    #[serde(default)]
    ask: Table<AskSource>,
    #[serde(default)]
    say: Table<SaySource>,
    #[serde(default)]
    wait: Table<WaitSource>,
    #[serde(default, rename = "if")]
    branch: Table<IfSource>,
    #[serde(default)]
    coach: Table<CoachSource>,
    #[serde(default)]
    end: Table<EndSource>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ExitsSource {
    undelivered: Option<NodeId>,
    unclear: Option<UnclearSource>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct UnclearSource {
    tries: u8,
    go: NodeId,
}

impl UnclearSource {
    fn build(self) -> Unclear {
        Unclear {
            tries: self.tries,
            go: self.go,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskSource {
    silent: SilentSource,
    #[serde(default)]
    choices: Vec<ChoiceSource>,
    offer: Option<OfferSource>,
    text: Option<ExitSource>,
    media: Option<ExitSource>,
    command: Option<ExitSource>,
    approve: Option<Approve>,
    not_after: Option<MomentSource>,
    undelivered: Option<NodeId>,
    unclear: Option<UnclearSource>,
}

impl AskSource {
    fn build(&self, not_after: Option<Moment>) -> Ask {
        let choices = self.choices.iter().map(|choice| Choice {
            id: choice.id.clone(),
            deeds: deeds(&choice.deeds),
            go: choice.go.clone(),
        });
        Ask {
            silent: Silent {
                after: self.silent.after,
                go: self.silent.go.clone(),
            },
            choices: choices.collect(),
            offer: self.offer.as_ref().map(|offer| Offer {
                count: offer.count,
                none: offer.none.clone(),
                deeds: deeds(&offer.deeds),
                go: offer.go.clone(),
            }),
            text: self.text.as_ref().map(ExitSource::build),
            media: self.media.as_ref().map(ExitSource::build),
            command: self.command.as_ref().map(ExitSource::build),
            approve: self.approve,
            not_after,
            undelivered: self.undelivered.clone(),
            unclear: self.unclear.clone().map(UnclearSource::build),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SilentSource {
    after: Span,
    go: NodeId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceSource {
    id: String,
    #[serde(default, rename = "do")]
    deeds: Vec<DeedSource>,
    go: NodeId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferSource {
    #[serde(rename = "what")]
    _what: OfferOf,
    count: usize,
    none: NodeId,
    #[serde(default, rename = "do")]
    deeds: Vec<DeedSource>,
    go: NodeId,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfferOf {
    Slots,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExitSource {
    #[serde(default, rename = "do")]
    deeds: Vec<DeedSource>,
    go: NodeId,
}

impl ExitSource {
    fn build(&self) -> Exit {
        Exit {
            deeds: deeds(&self.deeds),
            go: self.go.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaySource {
    go: NodeId,
    #[serde(default, rename = "do")]
    deeds: Vec<DeedSource>,
    approve: Option<Approve>,
    not_after: Option<MomentSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WaitSource {
    until: Option<MomentSource>,
    change: Option<Change>,
    go: NodeId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IfSource {
    fact: Fact,
    yes: NodeId,
    no: NodeId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoachSource {
    why: Why,
    #[serde(default)]
    hands_over: bool,
    go: Option<NodeId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndSource {
    because: Because,
    #[serde(default, rename = "do")]
    deeds: Vec<DeedSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MomentSource {
    #[serde(rename = "in")]
    after: Option<Span>,
    before_meeting: Option<Span>,
    after_meeting: Option<Span>,
    at: Option<At>,
}

/// `"10:00"`, local time.
#[derive(Clone, Copy)]
struct At(NaiveTime);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M")
            .map(At)
            .map_err(|_| {
                de::Error::custom(format!(
                    "`{text}` is no time, expected a local time like \"10:00\""
                ))
            })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text).ok_or_else(|| {
            let likes = "a span like \"20m\", \"36h\", \"3d\" or \"3wd\" (working days)";
            de::Error::custom(format!("`{text}` is no span, expected {likes}"))
        })
    }
}
