//! One version of a flow with its texts: read from its sources, known by their hash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::source::{self, Texts};
use crate::domain::command::fold;
use crate::domain::flow::definition::{Flow, Kind, Problem};
use crate::domain::flow::parse;
use crate::domain::ids::{FlowHash, NodeId};

/// One version of a flow and its texts.
pub struct FlowVersion {
    pub(super) flow: Arc<Flow>,
    pub(super) definition: String,
    /// Locale -> the TOML.
    pub(super) texts: BTreeMap<String, String>,
    pub(super) parsed: BTreeMap<String, Texts>,
}

impl FlowVersion {
    /// Reads a flow and its texts, language -> TOML. Every node that speaks must have its text and every
    /// choice its label, in every language.
    pub fn from_sources(
        name: &str,
        definition: &str,
        texts: BTreeMap<String, String>,
    ) -> Result<Self, Vec<Problem>> {
        let hash = hash(definition, &texts);
        let mut flow = parse::parse(&format!("config/flows/{name}.toml"), name, hash, definition)?;
        let mut parsed = BTreeMap::new();
        let mut problems = Vec::new();
        for (locale, toml) in &texts {
            let file = format!("templates/messages/{locale}/{name}.toml");
            match source::read(&file, toml) {
                Ok(read) => {
                    problems.extend(missing(&flow, &file, toml, &read));
                    parsed.insert(locale.clone(), read);
                }
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        for texts in parsed.values() {
            for (node, text) in texts {
                let labels = flow.labels.entry(NodeId(node.clone())).or_default();
                for (choice, label) in &text.choices {
                    labels.entry(choice.clone()).or_default().push(fold(label));
                }
            }
        }
        Ok(Self {
            flow: Arc::new(flow),
            definition: definition.to_owned(),
            texts,
            parsed,
        })
    }

    /// As the database keeps it: `texts` is what `texts_source` gave.
    pub fn from_stored(name: &str, definition: &str, texts: &str) -> Result<Self, Vec<Problem>> {
        let texts = serde_json::from_str(texts).map_err(|error| {
            vec![Problem {
                file: name.to_owned(),
                line: error.line(),
                what: "the stored texts are not JSON".to_owned(),
                expected: "language and text".to_owned(),
            }]
        })?;
        Self::from_sources(name, definition, texts)
    }

    pub fn hash(&self) -> &FlowHash {
        &self.flow.hash
    }

    pub fn name(&self) -> &str {
        &self.flow.name
    }

    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The nodes whose text has a template of its own in every language.
    pub fn with_template(&self) -> BTreeSet<NodeId> {
        let has = |node: &&NodeId| {
            self.parsed.values().all(|texts| {
                texts
                    .get(&node.0)
                    .is_some_and(|text| text.template.is_some())
            })
        };
        self.flow.nodes.keys().filter(has).cloned().collect()
    }

    pub fn definition_source(&self) -> &str {
        &self.definition
    }

    pub fn texts_source(&self) -> String {
        serde_json::to_string(&self.texts).unwrap_or_default()
    }
}

fn hash(definition: &str, texts: &BTreeMap<String, String>) -> FlowHash {
    let mut digest = Sha256::new();
    for part in
        std::iter::once(definition).chain(texts.iter().flat_map(|(l, t)| [l.as_str(), t.as_str()]))
    {
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    FlowHash(hex::encode(digest.finalize())[..32].to_owned())
}

fn missing(flow: &Flow, file: &str, toml: &str, texts: &Texts) -> Vec<Problem> {
    let problem = |line, what: String, expected: String| Problem {
        file: file.to_owned(),
        line,
        what,
        expected,
    };
    let mut problems = Vec::new();
    let mut spoken = BTreeSet::new();
    for (id, node) in &flow.nodes {
        let (choices, offered): (Vec<&str>, usize) = match &node.kind {
            Kind::Ask(ask) => (
                ask.choices
                    .iter()
                    .map(|choice| choice.id.as_str())
                    .collect(),
                ask.offer.as_ref().map_or(0, |offer| offer.count),
            ),
            Kind::Say(_) => (Vec::new(), 0),
            Kind::Wait { .. }
            | Kind::Await { .. }
            | Kind::If { .. }
            | Kind::Coach { .. }
            | Kind::End { .. } => continue,
        };
        spoken.insert(id.0.as_str());
        let Some(text) = texts.get(&id.0) else {
            problems.push(problem(
                1,
                format!("{id} has no text"),
                format!("{id}.text"),
            ));
            continue;
        };
        let line = source::line_of(toml, &id.0);
        for choice in &choices {
            if !text.choices.contains_key(*choice) {
                problems.push(problem(
                    line,
                    format!("the choice {choice} of {id} has no label"),
                    "a label".into(),
                ));
            }
        }
        for (choice, label) in &text.choices {
            if !choices.contains(&choice.as_str()) {
                problems.push(problem(
                    line,
                    format!("{id} has no choice {choice}"),
                    choices.join(", "),
                ));
            }
            if label.chars().count() > 20 {
                problems.push(problem(
                    line,
                    format!("the label {choice} is too long"),
                    "at most 20 characters".into(),
                ));
            }
        }
        let mirrors = text.wordings().filter_map(|said| said.template);
        for template in mirrors.filter(|_| matches!(node.kind, Kind::Ask(_))) {
            let named = template
                .buttons
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>();
            let digits =
                (1..=offered + choices.len()).all(|digit| names_digit(&template.body, digit));
            // A moment of an offer has no button in a template: its digit stands in the body.
            let by_button = offered == 0 && named == choices;
            if template.slots() != offered || !(by_button || (named.is_empty() && digits)) {
                problems.push(problem(
                    line,
                    format!("the template of {id} does not name its answers"),
                    "buttons with every choice, in order, or their digits; slot_1 and so on".into(),
                ));
            }
        }
    }
    for (node, text) in texts {
        if let Some(other) = text.other() {
            // A wording that cannot leave where the first one can is no fair trial of words.
            let first = text.first();
            let pairs = [
                ("sms", first.sms.is_some(), other.sms.is_some()),
                ("email", first.email.is_some(), other.email.is_some()),
                (
                    "template",
                    first.template.is_some(),
                    other.template.is_some(),
                ),
            ];
            for (part, _, _) in pairs.iter().filter(|(_, first, other)| first != other) {
                problems.push(problem(
                    source::line_of(toml, node),
                    format!("only one of the two wordings of {node} has {part}"),
                    format!("{part} in both, or in none"),
                ));
            }
        }
        for template in text.wordings().filter_map(|said| said.template) {
            if places(&template.body) != Some((1..=template.params.len()).collect()) {
                problems.push(problem(
                    source::line_of(toml, node),
                    format!("the body of the template of {node} does not fit its params"),
                    "{{1}}, {{2}} and so on: each of the params, and no more".into(),
                ));
            }
        }
    }
    for node in texts.keys().filter(|node| !spoken.contains(node.as_str())) {
        problems.push(problem(
            source::line_of(toml, node),
            format!("nothing says {node}"),
            "a node that speaks".into(),
        ));
    }
    problems
}

/// Does a template's body name this answer? A place for a parameter is no answer.
fn names_digit(body: &str, digit: usize) -> bool {
    let mut words = body.split(|c: char| !c.is_ascii_digit() && c != '{' && c != '}');
    words.any(|word| word == digit.to_string())
}

/// The numbers of the places in a template's body; `None` when the braces do not match.
fn places(body: &str) -> Option<BTreeSet<usize>> {
    let mut places = BTreeSet::new();
    let mut rest = body;
    while let Some((_, after)) = rest.split_once("{{") {
        let (number, after) = after.split_once("}}")?;
        places.insert(number.parse().ok()?);
        rest = after;
    }
    Some(places)
}
