//! Flows with their texts, every version by its hash, compiled once.

use std::collections::BTreeMap;
use std::sync::Arc;

use handlebars::Handlebars;

use super::context::Context;
use super::source::{self, Text, Texts};
use super::version::FlowVersion;
use crate::domain::flow::definition::{Flow, Problem};
use crate::domain::ids::{FlowHash, SlotId};
use crate::domain::message::{Choice, FormBody, Template};
use crate::domain::talk::effect::TextKey;
use crate::domain::talk::event::{Button, Event};
use crate::domain::talk::state::Talk;
use crate::domain::window;

/// The language that every text exists in.
pub const FALLBACK: &str = "nl";
/// Languages that a text must exist in.
pub const LOCALES: [&str; 2] = ["nl", "en"];
/// The name of the texts that every flow shares.
pub const COMMON: &str = "_common";

/// Every way in which one message may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Inside the 24-hour window.
    pub whatsapp: FormBody,
    /// Outside it.
    pub template: Option<FormBody>,
    pub sms: String,
    pub mail: Mail,
}

/// A message as e-mail. The answers are numbered below the text: a mail has no buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub subject: String,
    pub text: String,
}

/// A text could not be made. It names the text, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} in {locale}: {why}")]
pub struct TextError {
    pub key: String,
    pub locale: String,
    pub why: String,
}

/// All flows and texts.
pub struct Book {
    engine: Handlebars<'static>,
    pub(super) versions: BTreeMap<FlowHash, Arc<FlowVersion>>,
    pub(super) newest: BTreeMap<String, FlowHash>,
    pub(super) common: BTreeMap<String, Texts>,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book")
            .field("newest", &self.newest)
            .finish_non_exhaustive()
    }
}

impl Book {
    /// The newest versions and the texts that all share, language -> TOML. Whether each text can be
    /// rendered is for `check` to say.
    pub(super) fn new(
        versions: Vec<FlowVersion>,
        common: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Problem>> {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(handlebars::no_escape);
        engine.unregister_helper("log");
        engine.unregister_helper("lookup");
        engine.unregister_helper("if");
        engine.unregister_helper("unless");
        let mut book = Self {
            engine,
            versions: BTreeMap::new(),
            newest: BTreeMap::new(),
            common: BTreeMap::new(),
        };
        let mut problems = Vec::new();
        for (locale, toml) in common {
            match source::read(&format!("templates/messages/{locale}/{COMMON}.toml"), toml) {
                Ok(texts) => {
                    book.learn(&texts);
                    book.common.insert(locale.clone(), texts);
                }
                Err(found) => problems.extend(found),
            }
        }
        for version in versions {
            book.newest
                .insert(version.name().to_owned(), version.hash().clone());
            book.add_old(version);
        }
        if problems.is_empty() {
            Ok(book)
        } else {
            Err(problems)
        }
    }

    /// A version that runs may still play.
    pub fn add_old(&mut self, version: FlowVersion) {
        for texts in version.parsed.values() {
            self.learn(texts);
        }
        self.versions
            .insert(version.hash().clone(), Arc::new(version));
    }

    /// Compiles every text, by its own words as its name. What cannot be compiled is told when it is
    /// tried out.
    fn learn(&mut self, texts: &Texts) {
        for text in texts.values().flat_map(Text::parts) {
            if !self.engine.has_template(text) {
                let _ = self.engine.register_template_string(text, text);
            }
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.newest.keys().map(String::as_str)
    }

    pub fn newest(&self, name: &str) -> Option<FlowHash> {
        self.newest.get(name).cloned()
    }

    pub fn newest_all(&self) -> BTreeMap<String, FlowHash> {
        self.newest.clone()
    }

    pub fn flow(&self, hash: &FlowHash) -> Option<Arc<Flow>> {
        self.versions.get(hash).map(|version| version.flow.clone())
    }

    pub fn flows(&self) -> BTreeMap<FlowHash, Arc<Flow>> {
        self.versions
            .iter()
            .map(|(hash, version)| (hash.clone(), version.flow.clone()))
            .collect()
    }

    /// May this event make the talk look at the exercises that are done? Few flows do.
    pub fn asks_for_exercises(&self, talk: &Talk, event: &Event) -> bool {
        let started = match event {
            Event::Start { flow, .. } => Some(flow),
            _ => None,
        };
        let runs = talk.runs().map(|run| &run.flow);
        runs.chain(started)
            .filter_map(|hash| self.versions.get(hash))
            .any(|version| version.flow.asks_for_exercises())
    }

    pub fn versions(&self) -> impl Iterator<Item = &FlowVersion> {
        self.versions.values().map(AsRef::as_ref)
    }

    /// Makes one message of these texts. The answers are those of the last text: `options` are the
    /// choices in the order of their digits, `slots` (with their labels) come before them.
    pub fn render(
        &self,
        keys: &[TextKey],
        said: u32,
        options: &[String],
        slots: &[(SlotId, String)],
        locale: &str,
        context: &Context,
    ) -> Result<Rendered, TextError> {
        let mut context = context.told_in(locale);
        context.slots(slots.iter().map(|(_, label)| label.as_str()));
        for coach in [&mut context.coach, &mut context.own_coach] {
            if coach.is_empty() {
                coach.clone_from(&self.common_text("no_coach", locale)?.text);
            }
        }
        let told = Told::new(context, locale)?;
        let mut texts = Vec::new();
        let (mut sms, mut mail) = (Vec::new(), Vec::new());
        for key in keys {
            let (text, found) = self.text(key, locale)?;
            let said = told.context.wording(key, text);
            // Asked again it is in other words on every channel.
            let (words, by_sms, by_mail) = match (key, &text.again) {
                (TextKey::Again { .. }, Some(again)) => (again, None, None),
                _ => (said.text, said.sms, said.email),
            };
            texts.push(self.fill(key, found, words, &told)?);
            sms.push(self.fill(key, found, by_sms.unwrap_or(words), &told)?);
            let by_mail = by_mail.map_or(words, |email| &email.text);
            mail.push(self.fill(key, found, by_mail, &told)?);
        }
        // Whoever reads another language is told that the coach can help with this one.
        if !LOCALES.contains(&locale)
            && let Some(line) = self
                .common_text("other_language", FALLBACK)?
                .choices
                .get(locale)
        {
            texts.push(line.clone());
        }
        let text = texts.join("\n\n");
        let mut choices: Vec<Choice> = slots
            .iter()
            .map(|(slot, label)| Choice {
                payload: format!("{said}:slot:{slot}"),
                label: label.clone(),
            })
            .collect();
        let mut template = None;
        if let Some(last) = keys.last() {
            let (source, found) = self.text(last, locale)?;
            for option in options {
                let label = source
                    .choices
                    .get(option)
                    .ok_or_else(|| error(last, found, "a choice has no label"))?;
                choices.push(Choice {
                    payload: format!("{said}:{option}"),
                    label: label.clone(),
                });
            }
            let own = told.context.wording(last, source).template;
            if let (1, Some(mirror)) = (keys.len(), own) {
                // It mirrors what Meta approved, with a place for each moment: with fewer moments to
                // offer, its digits would mean something else.
                if mirror.slots() == slots.len() {
                    template = Some(self.template(last, found, mirror, &choices, &told)?);
                }
            } else if choices.is_empty() {
                let (line, found) = self.text(&TextKey::Common("open_line".into()), locale)?;
                if let Some(mirror) = &line.template {
                    let label = line.choices.get(Button::OPEN).cloned().unwrap_or_default();
                    let open = [Choice {
                        payload: format!("{said}:{}", Button::OPEN),
                        label,
                    }];
                    template = Some(self.template(last, found, mirror, &open, &told)?);
                }
            }
        }
        let mail = self.mail(keys, mail, &choices, locale, &told)?;
        let mut sms = sms.join(" ");
        if let (Some(last), false) = (keys.last(), choices.is_empty())
            && self.digit_answers(last)
        {
            sms.push(' ');
            sms.push_str(&self.common_text("sms_answer", locale)?.text);
        }
        for (at, choice) in choices.iter().enumerate() {
            sms.push_str(&format!("\n{} {}", at + 1, choice.label));
        }
        let whatsapp = if choices.is_empty() {
            FormBody::Text { text }
        } else {
            let list_label = self.common_text("list_label", locale)?.text.clone();
            FormBody::Buttons {
                text,
                choices,
                list_label,
            }
        };
        Ok(Rendered {
            whatsapp,
            template,
            sms,
            mail,
        })
    }

    /// Is a digit the answer that this text asks for? Not where it is only the way out of something to do,
    /// and a question that is asked again says so in its own words.
    fn digit_answers(&self, key: &TextKey) -> bool {
        let TextKey::Node { flow, node } = key else {
            return false;
        };
        let version = self.versions.get(flow);
        let ask = version.and_then(|version| version.flow.ask(node));
        ask.is_some_and(|ask| ask.media.is_none() && ask.command.is_none())
    }

    /// The subject is that of the last text that has one.
    fn mail(
        &self,
        keys: &[TextKey],
        texts: Vec<String>,
        choices: &[Choice],
        locale: &str,
        told: &Told,
    ) -> Result<Mail, TextError> {
        let usual = TextKey::Common("mail_subject".to_owned());
        let (mut key, (usual, mut found)) = (&usual, self.text(&usual, locale)?);
        let mut subject = &usual.text;
        for named in keys {
            let (text, locale) = self.text(named, locale)?;
            if let Some(email) = told.context.wording(named, text).email {
                (key, subject, found) = (named, &email.subject, locale);
            }
        }
        let subject = window::template_param(&self.fill(key, found, subject, told)?);
        let mut text = texts.join("\n\n");
        for (at, choice) in choices.iter().enumerate() {
            let gap = if at == 0 { "\n\n" } else { "\n" };
            text.push_str(&format!("{gap}{} {}", at + 1, choice.label));
        }
        Ok(Mail { subject, text })
    }

    fn template(
        &self,
        key: &TextKey,
        locale: &str,
        mirror: &source::Template,
        choices: &[Choice],
        told: &Told,
    ) -> Result<FormBody, TextError> {
        let mut params = Vec::new();
        let mut body = mirror.body.clone();
        for (at, param) in mirror.params.iter().enumerate() {
            let value = window::template_param(&self.fill(key, locale, param, told)?);
            params.push(value);
            // A value that looks like a place must not be filled in itself.
            body = body.replace(&format!("{{{{{}}}}}", at + 1), &format!("\u{1}{at}\u{1}"));
        }
        for (at, value) in params.iter().enumerate() {
            body = body.replace(&format!("\u{1}{at}\u{1}"), value);
        }
        let buttons = mirror.buttons.iter().filter_map(|id| {
            let mut choices = choices.iter();
            choices.find(|choice| {
                choice
                    .payload
                    .split_once(':')
                    .is_some_and(|(_, of)| of == id)
            })
        });
        Ok(FormBody::Template(Template {
            name: mirror.name.clone(),
            language: mirror.language.clone().unwrap_or_else(|| locale.to_owned()),
            category: mirror.category.clone(),
            params,
            body,
            buttons: buttons.cloned().collect(),
        }))
    }

    fn fill(
        &self,
        key: &TextKey,
        locale: &str,
        text: &str,
        told: &Told,
    ) -> Result<String, TextError> {
        self.engine
            .render_with_context(text, &told.values)
            .map_err(|problem| error(key, locale, &reason(&problem)))
    }

    /// A text and the language in which it was found.
    fn text<'a>(
        &'a self,
        key: &TextKey,
        locale: &'a str,
    ) -> Result<(&'a Text, &'a str), TextError> {
        let by_locale = match key {
            TextKey::Node { flow, .. } | TextKey::Again { flow, .. } => {
                &self
                    .versions
                    .get(flow)
                    .ok_or_else(|| error(key, locale, "its flow is unknown"))?
                    .parsed
            }
            TextKey::Common(_) => &self.common,
        };
        let name = match key {
            TextKey::Node { node, .. } | TextKey::Again { node, .. } => node.0.as_str(),
            TextKey::Common(name) => name.as_str(),
        };
        [locale, FALLBACK]
            .into_iter()
            .find_map(|locale| Some((by_locale.get(locale)?.get(name)?, locale)))
            .ok_or_else(|| error(key, locale, "no such text"))
    }

    fn common_text(&self, name: &str, locale: &str) -> Result<&Text, TextError> {
        let key = TextKey::Common(name.to_owned());
        [locale, FALLBACK]
            .into_iter()
            .find_map(|locale| self.common.get(locale)?.get(name))
            .ok_or_else(|| error(&key, locale, "no such text"))
    }
}

/// What a message may say, as our words and as the engine reads it: made once for all texts of a message.
struct Told {
    context: Context,
    values: handlebars::Context,
}

impl Told {
    fn new(context: Context, locale: &str) -> Result<Self, TextError> {
        let key = TextKey::Common("names".to_owned());
        let values = handlebars::Context::wraps(&context)
            .map_err(|problem| error(&key, locale, &problem.to_string()))?;
        Ok(Self { context, values })
    }
}

fn error(key: &TextKey, locale: &str, why: &str) -> TextError {
    let key = match key {
        TextKey::Node { node, .. } | TextKey::Again { node, .. } => node.0.clone(),
        TextKey::Common(name) => format!("{COMMON}.{name}"),
    };
    TextError {
        key,
        locale: locale.to_owned(),
        why: why.to_owned(),
    }
}

/// The engine's reason, without the values around it.
fn reason(problem: &handlebars::RenderError) -> String {
    match problem.reason() {
        handlebars::RenderErrorReason::MissingVariable(Some(name)) => {
            format!("the name {name} is unknown")
        }
        handlebars::RenderErrorReason::TemplateError(error) => {
            format!("it cannot be read: {}", error.reason())
        }
        _ => "it cannot be rendered".to_owned(),
    }
}

#[cfg(test)]
mod tests;
