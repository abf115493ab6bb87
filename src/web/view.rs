//! Page templates: loads them once, renders one page in one language, always escaped. Each page's
//! view type stands beside its handlers, in `coach/`, with the samples that a test renders.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use handlebars::{Handlebars, RenderError, RenderErrorReason};
use rust_embed::RustEmbed;
use serde::Serialize;

use super::files::Files;
use super::helpers::{If, Say};
use super::words::{BrokenWords, Locale, Words};

/// One kind of page: its template and what a test shows it with.
pub trait Page: Serialize + Sized {
    /// The file in `templates/web`, without its ending.
    const TEMPLATE: &'static str;
    /// Every state the page can be in, named; in the words of one language.
    fn samples(words: &Words) -> Vec<(&'static str, Self)>;
}

/// What stands around every page.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    pub title: String,
    pub organisation: String,
    /// Nobody or one: the coach who is signed in.
    pub me: Vec<Me>,
    /// Proves that a form came from one of our pages in this session.
    pub token: String,
    /// What this page listens to for news; empty: nothing.
    pub news: String,
    /// Nothing leaves at the moment: the database was restored.
    pub paused: bool,
    /// What was just done, with or without a way back.
    pub told: Vec<Told>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Me {
    pub name: String,
    pub initials: String,
    pub operates: bool,
    /// Which entry of the menu is this page: `today`, `drafts`, `candidates`, `vacancies`, `operator` or none.
    pub at_today: bool,
    pub at_drafts: bool,
    pub at_candidates: bool,
    pub at_vacancies: bool,
    pub at_agenda: bool,
    pub at_operator: bool,
    pub drafts: usize,
    pub flags: usize,
}

/// One sentence about what was just done. `undo` is the form's address, or empty.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    pub sentence: String,
    pub undo: String,
    pub seconds: i64,
}

impl Frame {
    /// A page for somebody who is not signed in.
    pub fn bare(title: String) -> Self {
        Self {
            title,
            organisation: String::new(),
            me: Vec::new(),
            token: String::new(),
            news: String::new(),
            paused: false,
            told: Vec::new(),
        }
    }
}

/// Two letters for a face: the first of the first and of the last name.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// A template or a file of words is broken; the start is refused.
#[derive(Debug, thiserror::Error)]
pub enum BrokenPages {
    #[error("templates/web/{0}: {1}")]
    Template(String, String),
    #[error(transparent)]
    Words(#[from] BrokenWords),
}

#[derive(RustEmbed)]
#[folder = "templates/web"]
struct Sources;

/// Everything needed to draw pages, in every language.
#[derive(Debug)]
pub struct Pages {
    words: BTreeMap<Locale, Arc<Words>>,
    /// Every template, compiled when the first page is drawn: a start need not wait for it.
    engine: OnceLock<Handlebars<'static>>,
    pub files: Files,
}

#[derive(Serialize)]
struct Whole<'a, P> {
    lang: &'static str,
    other_lang: &'static str,
    css: &'a str,
    js: &'a str,
    icon: &'a str,
    #[serde(flatten)]
    frame: &'a Frame,
    p: &'a P,
}

impl Pages {
    pub fn load() -> Result<Self, BrokenPages> {
        let words = Locale::ALL.into_iter().map(|locale| {
            let path = format!("text/{}.toml", locale.as_str());
            Ok((locale, Arc::new(Words::parse(locale, &source(&path))?)))
        });
        Ok(Self {
            words: words.collect::<Result<_, BrokenWords>>()?,
            engine: OnceLock::new(),
            files: Files::load(),
        })
    }

    /// Compiles every template now.
    pub fn check(&self) -> Result<(), BrokenPages> {
        self.engine().map(drop)
    }

    fn engine(&self) -> Result<&Handlebars<'static>, BrokenPages> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.set_prevent_indent(true);
        engine.unregister_helper("log");
        engine.unregister_helper("lookup");
        engine.register_helper("if", Box::new(If { positive: true }));
        engine.register_helper("unless", Box::new(If { positive: false }));
        engine.register_helper("t", Box::new(Say(self.words.clone())));
        for path in Sources::iter() {
            let Some(name) = path.strip_suffix(".hbs") else {
                continue;
            };
            let text = source(&path);
            if text.contains("{{{") || text.contains("{{&") {
                let problem = "unescaped output is not allowed".to_owned();
                return Err(BrokenPages::Template(path.to_string(), problem));
            }
            engine
                .register_template_string(name, text)
                .map_err(|e| BrokenPages::Template(path.to_string(), e.to_string()))?;
        }
        // Of two who came first at once, one is kept.
        Ok(self.engine.get_or_init(|| engine))
    }

    /// The words of a language. `load` has put every language in.
    pub fn words(&self, locale: Locale) -> Arc<Words> {
        self.words[&locale].clone()
    }

    pub fn render<P: Page>(
        &self,
        locale: Locale,
        frame: &Frame,
        page: &P,
    ) -> Result<String, RenderError> {
        let engine = self
            .engine()
            .map_err(|broken| RenderErrorReason::Other(broken.to_string()))?;
        let whole = Whole {
            lang: locale.as_str(),
            other_lang: match locale {
                Locale::Nl => "en",
                Locale::En => "nl",
            },
            css: self.files.address("tussendoor.css"),
            js: self.files.address("tussendoor.js"),
            icon: self.files.address("icon.svg"),
            frame,
            p: page,
        };
        engine.render(P::TEMPLATE, &whole)
    }
}

fn source(path: &str) -> String {
    Sources::get(path)
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::web::coach::agenda::view::AgendaPage;
    use crate::web::coach::away::AwayPage;
    use crate::web::coach::candidate::view::CandidatePage;
    use crate::web::coach::candidates::CandidatesPage;
    use crate::web::coach::drafts::together::TogetherPage;
    use crate::web::coach::drafts::view::DraftsPage;
    use crate::web::coach::letter::LetterPage;
    use crate::web::coach::meetings::view::{AppointmentsPage, MeetingPage};
    use crate::web::coach::operator::OperatorPage;
    use crate::web::coach::plan::PlanPage;
    use crate::web::coach::sign_in::{PasswordPage, SignInPage};
    use crate::web::coach::start::StartPage;
    use crate::web::coach::today::TodayPage;
    use crate::web::coach::vacancies::{VacanciesPage, VacancyPage};
    use crate::web::coach::work::WorkPage;
    use crate::web::demo::{DemoPage, DeskPage, PhonePage};
    use crate::web::error::ProblemPage;

    /// Renders every sample in every language, checks what holds for each page, and leaves the
    /// pages in `target/pages` to look at. Returns the template's name.
    fn draw<P: Page>(pages: &Pages, signed_in: bool) -> &'static str {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
        fs::create_dir_all(folder.join("static")).unwrap();
        for file in ["tussendoor.css", "tussendoor.js", "icon.svg"] {
            let address = pages.files.address(file);
            let bytes = fs::read(Path::new("src/web/static").join(file)).unwrap();
            fs::write(folder.join(address.trim_start_matches('/')), bytes).unwrap();
        }
        for locale in Locale::ALL {
            let words = pages.words(locale);
            let samples = P::samples(&words);
            assert!(!samples.is_empty());
            for (name, sample) in samples {
                let mut frame = Frame::bare("Titel".into());
                if signed_in {
                    frame.organisation = "Rivierdam".into();
                    frame.token = "abc".into();
                    frame.me = vec![Me {
                        name: "Noor Bakker".into(),
                        initials: initials("Noor Bakker"),
                        operates: true,
                        at_today: P::TEMPLATE == "today",
                        at_drafts: P::TEMPLATE == "drafts",
                        at_candidates: P::TEMPLATE.starts_with("candidate"),
                        at_vacancies: P::TEMPLATE.starts_with("vacanc"),
                        at_agenda: P::TEMPLATE == "agenda",
                        at_operator: P::TEMPLATE == "operator",
                        drafts: 25,
                        flags: 3,
                    }];
                    frame.told = vec![Told {
                        sentence: words
                            .fill("told.approved", &[("name", "Tineke"), ("seconds", "10")]),
                        undo: "/concepten/01J/terug".into(),
                        seconds: 10,
                    }];
                }
                let html = pages
                    .render(locale, &frame, &sample)
                    .unwrap_or_else(|e| panic!("{} {} {name}: {e}", P::TEMPLATE, locale.as_str()));
                let place = format!("{} {} {name}", P::TEMPLATE, locale.as_str());
                assert!(
                    !html.contains("<script>alert"),
                    "{place}: a text was not escaped"
                );
                assert!(
                    !html.contains(" style=") && !html.contains("<style"),
                    "{place}: inline style"
                );
                assert!(
                    !html.contains(" onclick") && !html.contains("{{"),
                    "{place}"
                );
                assert!(
                    !["{name}", "{when}", "{coach}", "{why}"]
                        .iter()
                        .any(|name| html.contains(name)),
                    "{place}: a name was not filled in"
                );
                assert_eq!(html.matches("<h1").count(), 1, "{place}: one first heading");
                assert_eq!(
                    html.matches("aria-live").count(),
                    1,
                    "{place}: one live region"
                );
                let forms = html.matches("method=\"post\"").count();
                let tokens = html.matches("name=\"bewijs\"").count();
                assert_eq!(forms, tokens, "{place}: every form carries the token");
                let ids: Vec<&str> = html
                    .split(" id=\"")
                    .skip(1)
                    .filter_map(|part| part.split('"').next())
                    .collect();
                let distinct: BTreeSet<&str> = ids.iter().copied().collect();
                assert_eq!(
                    ids.len(),
                    distinct.len(),
                    "{place}: an id stands twice: {ids:?}"
                );
                let local = html.replace("\"/static/", "\"static/");
                fs::write(
                    folder.join(format!("{}.html", place.replace(' ', "-"))),
                    local,
                )
                .unwrap();
            }
        }
        P::TEMPLATE
    }

    #[test]
    fn every_page_renders_every_sample_in_every_language() {
        let pages = Pages::load().unwrap();
        let drawn = BTreeSet::from([
            draw::<SignInPage>(&pages, false),
            draw::<PasswordPage>(&pages, true),
            draw::<ProblemPage>(&pages, true),
            draw::<TodayPage>(&pages, true),
            draw::<DraftsPage>(&pages, true),
            draw::<TogetherPage>(&pages, true),
            draw::<CandidatesPage>(&pages, true),
            draw::<CandidatePage>(&pages, true),
            draw::<StartPage>(&pages, true),
            draw::<PlanPage>(&pages, true),
            draw::<WorkPage>(&pages, true),
            draw::<VacanciesPage>(&pages, true),
            draw::<VacancyPage>(&pages, true),
            draw::<AgendaPage>(&pages, true),
            draw::<AwayPage>(&pages, true),
            draw::<AppointmentsPage>(&pages, true),
            draw::<MeetingPage>(&pages, true),
            draw::<LetterPage>(&pages, true),
            draw::<OperatorPage>(&pages, true),
            draw::<DemoPage>(&pages, false),
            draw::<DeskPage>(&pages, false),
            draw::<PhonePage>(&pages, false),
        ]);
        let there: BTreeSet<String> = Sources::iter()
            .filter_map(|path| path.strip_suffix(".hbs").map(str::to_owned))
            .filter(|name| !name.contains('/'))
            .collect();
        let drawn: BTreeSet<String> = drawn.into_iter().map(str::to_owned).collect();
        assert_eq!(
            drawn, there,
            "a template without a test, or a test without a template"
        );
    }

    /// Keys are written out in the source, so that this test can find each of them.
    #[test]
    fn every_key_in_the_source_exists_and_every_text_is_used() {
        let pages = Pages::load().unwrap();
        let words = pages.words(Locale::Nl);
        let mut sources = String::new();
        gather(Path::new("src/web"), "rs", &mut sources);
        gather(Path::new("templates/web"), "hbs", &mut sources);
        let mut used = BTreeSet::new();
        for (call, endings) in [
            ("say(\"", &[""][..]),
            ("fill(\"", &[""]),
            ("{{t \"", &[""]),
            ("count(\"", &[".one", ".many"]),
        ] {
            for key in sources
                .split(call)
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                if !key.contains('.') || key.contains(' ') {
                    continue;
                }
                for ending in endings {
                    assert!(
                        words.has(&format!("{key}{ending}")),
                        "no text {key}{ending}"
                    );
                    used.insert(format!("{key}{ending}"));
                }
            }
        }
        // Groups whose keys are put together from a closed list.
        let built: BTreeSet<&str> = sources
            .split("format!(\"")
            .skip(1)
            .filter_map(|rest| rest.split(['{', '"']).next())
            .filter(|start| start.ends_with('.') || start.ends_with('_'))
            .collect();
        // Groups that `said::rule_key` looks a rule up in.
        let groups: Vec<String> = sources
            .split("rule_key(words, \"")
            .skip(1)
            .filter_map(|rest| Some(format!("{}.", rest.split('"').next()?)))
            .collect();
        for key in words.keys() {
            let known = used.contains(key)
                || groups.iter().any(|group| key.starts_with(group.as_str()))
                || built.iter().any(|start| key.starts_with(start))
                || sources.contains(&format!("\"{key}\""))
                || key.starts_with("calendar.");
            assert!(known, "nothing uses the text {key}");
        }
    }

    fn gather(folder: &Path, ending: &str, into: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, ending, into);
            } else if path.extension().is_some_and(|found| found == ending) {
                into.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
}
