//! The experiments that are set up, joined with the texts that they are about: each has two wordings in
//! every language.

use sha2::{Digest, Sha256};

use super::book::Book;
use crate::domain::experiment::{self, Experiment, Outcome, problem};
use crate::domain::flow::definition::{About, Problem};
use crate::domain::ids::FlowHash;
use crate::domain::talk::effect::TextKey;

/// One experiment and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    pub experiment: Experiment,
    /// The version of the flow, with both wordings.
    pub flow: FlowHash,
    /// The hash of all that was agreed and of that version: what is changed begins anew, with nobody.
    pub terms: String,
}

/// All of them, by name.
#[derive(Debug, Clone, Default)]
pub struct Experiments(Vec<SetUp>);

impl Experiments {
    /// Reads `config/experiments.toml` beside the newest texts.
    pub fn load(toml: &str, book: &Book) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut all = Vec::new();
        for experiment in experiment::parse(toml)? {
            match set_up(&experiment, book) {
                Ok(flow) => all.push(SetUp {
                    terms: terms(&experiment, &flow),
                    experiment,
                    flow,
                }),
                Err(wrong) => problems.extend(
                    wrong
                        .into_iter()
                        .map(|(what, expected)| problem(toml, &experiment.name, &what, &expected)),
                ),
            }
        }
        match problems.is_empty() {
            true => Ok(Self(all)),
            false => Err(problems),
        }
    }

    pub fn all(&self) -> &[SetUp] {
        &self.0
    }

    /// The experiment about this text, if there is one.
    pub fn about(&self, key: &TextKey) -> Option<&SetUp> {
        let (TextKey::Node { flow, node } | TextKey::Again { flow, node }) = key else {
            return None;
        };
        self.0
            .iter()
            .find(|it| it.flow == *flow && it.experiment.node == *node)
    }
}

/// The version whose text it is, or what is wrong and what was expected.
fn set_up(experiment: &Experiment, book: &Book) -> Result<FlowHash, Vec<(String, String)>> {
    let text = format!("{}/{}", experiment.flow, experiment.node);
    let unknown = || vec![(format!("nothing says {text}"), "flow/node".to_owned())];
    let hash = book.newest(&experiment.flow).ok_or_else(unknown)?;
    let version = book.versions.get(&hash).ok_or_else(unknown)?;
    let mut wrong = Vec::new();
    for (locale, texts) in &version.parsed {
        let text = texts.get(&experiment.node.0).ok_or_else(unknown)?;
        if text.other.is_none() {
            wrong.push((
                format!(
                    "{}/{} has no second wording in {locale}",
                    experiment.flow, experiment.node
                ),
                format!("[{}.other]", experiment.node),
            ));
        }
    }
    if experiment.outcome == Outcome::Done && version.flow.about != About::Task {
        wrong.push((
            format!("{text} is about no step that could be done"),
            "outcome = \"answered\"".to_owned(),
        ));
    }
    match wrong.is_empty() {
        true => Ok(hash),
        false => Err(wrong),
    }
}

fn terms(experiment: &Experiment, flow: &FlowHash) -> String {
    let mut digest = Sha256::new();
    for part in [
        flow.0.clone(),
        experiment.node.to_string(),
        experiment.outcome.as_str().to_owned(),
        experiment.within_days.to_string(),
        experiment.until.to_string(),
        experiment.least.to_string(),
    ] {
        digest.update(part.len().to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex::encode(digest.finalize())[..32].to_owned()
}
