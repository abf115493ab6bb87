//! The texts of one flow in one language, as people write them in TOML.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::flow::definition::Problem;
use crate::domain::flow::parse;

/// A file: node or key -> its text.
pub type Texts = BTreeMap<String, Text>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub text: String,
    /// The same question in other words, for an answer that was not understood.
    pub again: Option<String>,
    /// Choice id -> label.
    #[serde(default)]
    pub choices: BTreeMap<String, String>,
    /// Another wording for SMS.
    pub sms: Option<String>,
    pub email: Option<Email>,
    pub template: Option<Template>,
    /// A second wording, for an experiment.
    pub other: Option<Wording>,
}

/// How a text is said: all that may differ between two wordings. What can be answered may not, nor how the
/// question is asked again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    pub text: String,
    pub sms: Option<String>,
    pub email: Option<Email>,
    pub template: Option<Template>,
}

/// One wording of a text.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    pub text: &'a String,
    pub sms: Option<&'a String>,
    pub email: Option<&'a Email>,
    pub template: Option<&'a Template>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub subject: String,
    pub text: String,
}

/// The mirror of a template that Meta approved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub name: String,
    /// As the provider knows it; without it the language of the file.
    pub language: Option<String>,
    #[serde(default = "utility")]
    pub category: String,
    #[serde(default)]
    pub params: Vec<String>,
    /// With `{{1}}` for the first parameter.
    pub body: String,
    /// Choice ids, in the order of the template's quick replies.
    #[serde(default)]
    pub buttons: Vec<String>,
}

impl Text {
    /// The first wording.
    pub fn first(&self) -> Said<'_> {
        Said {
            text: &self.text,
            sms: self.sms.as_ref(),
            email: self.email.as_ref(),
            template: self.template.as_ref(),
        }
    }

    /// The other wording, if there is one.
    pub fn other(&self) -> Option<Said<'_>> {
        self.other.as_ref().map(|other| Said {
            text: &other.text,
            sms: other.sms.as_ref(),
            email: other.email.as_ref(),
            template: other.template.as_ref(),
        })
    }

    /// Both wordings, or the one.
    pub fn wordings(&self) -> impl Iterator<Item = Said<'_>> {
        std::iter::once(self.first()).chain(self.other())
    }

    /// Everything in it that is compiled.
    pub fn parts(&self) -> impl Iterator<Item = &String> {
        let said = self.wordings().flat_map(|said| {
            let mail = said.email.into_iter();
            let mail = mail.flat_map(|mail| [&mail.subject, &mail.text]);
            let params = said.template.into_iter().flat_map(|it| &it.params);
            let texts = [Some(said.text), said.sms];
            texts.into_iter().flatten().chain(mail).chain(params)
        });
        self.again.iter().chain(said)
    }
}

impl Template {
    /// How many moments of an offer it has places for: `{{slot_1}}` and so on.
    pub fn slots(&self) -> usize {
        let named = |n: &usize| {
            let name = format!("slot_{n}");
            self.params.iter().any(|param| param.contains(&name))
        };
        (1..=3).take_while(named).count()
    }
}

fn utility() -> String {
    "utility".to_owned()
}

/// Reads one file. Nothing in a text may be left unescaped by braces of three, or name a partial: the
/// text engine would compile what it must not.
pub fn read(file: &str, toml: &str) -> Result<Texts, Vec<Problem>> {
    let texts: Texts =
        toml::from_str(toml).map_err(|error| vec![parse::from_toml(file, toml, &error)])?;
    let mut problems = Vec::new();
    for (at, line) in toml.lines().enumerate() {
        for (token, expected) in [
            ("{{{", "a name in two braces"),
            ("{{&", "a name in two braces"),
            ("{{>", "a text without partials"),
            ("{{#if", "a text without conditions"),
            ("{{#unless", "a text without conditions"),
        ] {
            if line.contains(token) {
                problems.push(Problem {
                    file: file.to_owned(),
                    line: at + 1,
                    what: format!("`{token}` stands in a text"),
                    expected: expected.to_owned(),
                });
            }
        }
    }
    if problems.is_empty() {
        Ok(texts)
    } else {
        Err(problems)
    }
}

/// The line on which a node's text begins: for problems.
pub fn line_of(toml: &str, key: &str) -> usize {
    toml.lines()
        .position(|line| {
            let line = line.trim_start().trim_start_matches('[');
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(['.', ']', ' ', '=']))
        })
        .map_or(1, |at| at + 1)
}
