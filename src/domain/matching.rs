//! Does a vacancy fit a search, how well, and why. The reasons are kept as codes that hold no word of the
//! search, and are told in the words of the person's language. Pure.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::VacancyId;
use super::places::Places;
use super::stems::{self, Word};
use super::time::Timestamp;
use super::vacancy::{Hours, Need, Vacancy};

/// How far somebody looks if nobody said.
pub const RADIUS_KM: u32 = 15;
/// The range of a radius.
pub const RADIUS: std::ops::RangeInclusive<u32> = 1..=200;
/// Words of a search, and letters of each.
pub const MOST_WORDS: usize = 12;
pub const LONGEST_WORD: usize = 40;
/// Phrases that are not wanted: those that a coach wrote, and those that answers taught.
pub const MOST_REFUSALS: usize = 40;
/// Letters of one of them: a whole title.
pub const LONGEST_REFUSAL: usize = 60;
/// Lessons that are kept, the newest.
const LESSONS: usize = 20;
/// No answer leaves less of a week than this.
const LEAST_HOURS: u32 = 4;
/// Who never said how many hours looks for at most a whole week.
const WHOLE_WEEK: u32 = 40;

/// What a person looks for. Sealed in the database; the coach writes it, answers narrow it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// "magazijn", "logistiek medewerker": one of them must fit.
    pub words: Vec<String>,
    /// Vacancies with one of these in the title do not fit.
    #[serde(default)]
    pub not_words: Vec<String>,
    /// Where from; empty: anywhere.
    pub pc4: String,
    pub radius_km: u32,
    /// Hours a week that the person wants; `0, 0`: any.
    pub hours: Hours,
    /// What the person has or can.
    pub has: BTreeSet<Need>,
    /// What answers changed, oldest first.
    #[serde(default)]
    pub learned: Vec<Learned>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            not_words: Vec::new(),
            pc4: String::new(),
            radius_km: RADIUS_KM,
            hours: Hours::default(),
            has: BTreeSet::from([
                Need::Vog,
                Need::Dutch,
                Need::Evening,
                Need::Night,
                Need::Weekend,
            ]),
            learned: Vec::new(),
        }
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Search(···)")
    }
}

/// One change that an answer made, and how to take it back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    pub at: Timestamp,
    pub vacancy: VacancyId,
    pub lesson: Lesson,
    /// A coach took it back.
    #[serde(default)]
    pub undone: bool,
}

/// What an answer says about the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lesson {
    /// Too far: the radius in kilometres, before and after.
    Nearer { from: u32, to: u32 },
    /// Fewer or more hours: before and after.
    Hours { from: Hours, to: Hours },
    /// Other days: times that the person does not want, of those they could before.
    NotThen { times: BTreeSet<Need> },
    /// Other work: titles with all these words are refused from now on.
    NotThis { words: Refusal },
    /// Nothing that a search can hold: the coach hears it.
    Nothing,
}

/// Words of a title that a person refused. They say something about the person: not for a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Refusal(pub String);

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusal(···)")
    }
}

/// What the person would rather have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefers {
    FewerHours,
    MoreHours,
    OtherDays,
    OtherWork,
}

impl Prefers {
    /// The words of a flow (`prefers = "fewer_hours"`).
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "fewer_hours" => Prefers::FewerHours,
            "more_hours" => Prefers::MoreHours,
            "other_days" => Prefers::OtherDays,
            "other_work" => Prefers::OtherWork,
            _ => return None,
        })
    }
}

impl Search {
    /// "Too far": from now on only what is nearer than this one was. Of a vacancy whose distance nobody
    /// knows a quarter goes off.
    pub fn too_far(&mut self, vacancy: &Vacancy, places: &Places, now: Timestamp) -> Lesson {
        let from = self.radius_km;
        let nearer = match places.km(&self.pc4, &vacancy.pc4) {
            Some(km) => km.saturating_sub(1),
            None => from - from / 4,
        };
        let to = nearer.min(from).max(*RADIUS.start());
        let lesson = match to < from && !self.pc4.is_empty() {
            true => Lesson::Nearer { from, to },
            false => Lesson::Nothing,
        };
        self.learn(vacancy.id, lesson, now)
    }

    /// "Other hours", and which: from now on less, or more, than this one has; or not at its times. "Other
    /// work": nothing with its title any more.
    pub fn prefers(&mut self, prefers: Prefers, vacancy: &Vacancy, now: Timestamp) -> Lesson {
        let (from, given) = (self.hours, vacancy.hours);
        let whole = if from.known() { from.most } else { WHOLE_WEEK };
        let lesson = match prefers {
            Prefers::FewerHours => self.other_hours(Hours {
                least: from.least,
                most: given.least.saturating_sub(1).min(whole),
            }),
            Prefers::MoreHours => self.other_hours(Hours {
                least: (given.most + 1).max(from.least),
                most: whole,
            }),
            Prefers::OtherDays => {
                let times: BTreeSet<Need> = Need::TIMES
                    .into_iter()
                    .filter(|time| vacancy.needs.contains(time) && self.has.contains(time))
                    .collect();
                match times.is_empty() {
                    true => Lesson::Nothing,
                    false => Lesson::NotThen { times },
                }
            }
            Prefers::OtherWork => self.not_this(&vacancy.title),
        };
        let about_hours = matches!(prefers, Prefers::FewerHours | Prefers::MoreHours);
        let unknown = about_hours && !given.known();
        let lesson = if unknown { Lesson::Nothing } else { lesson };
        self.learn(vacancy.id, lesson, now)
    }

    /// Nothing is learned if no week of work is left.
    fn other_hours(&self, to: Hours) -> Lesson {
        let from = self.hours;
        match to.most >= LEAST_HOURS.max(to.least) && to != from {
            true => Lesson::Hours { from, to },
            false => Lesson::Nothing,
        }
    }

    /// Nothing is learned from a title that is all that is looked for ("magazijn" by who looks for
    /// "magazijn"): refusing it would end the search, and that is for the coach to talk about.
    fn not_this(&self, title: &str) -> Lesson {
        let words = stems::telling(title);
        let refused = stems::wanted(&words);
        let ends_all = |term: &String| {
            let looked_for = stems::of_title(term);
            let is_in = |word: &Word| !word.forms.is_disjoint(&looked_for);
            refused.iter().all(is_in)
        };
        let full = self.not_words.len() >= MOST_REFUSALS || self.not_words.contains(&words);
        match refused.is_empty() || full || self.words.iter().any(ends_all) {
            true => Lesson::Nothing,
            false => Lesson::NotThis {
                words: Refusal(words),
            },
        }
    }

    fn learn(&mut self, vacancy: VacancyId, lesson: Lesson, now: Timestamp) -> Lesson {
        match &lesson {
            Lesson::Nearer { to, .. } => self.radius_km = *to,
            Lesson::Hours { to, .. } => self.hours = *to,
            Lesson::NotThen { times } => self.has.retain(|need| !times.contains(need)),
            Lesson::NotThis { words } => self.not_words.push(words.0.clone()),
            Lesson::Nothing => {}
        }
        self.learned.push(Learned {
            at: now,
            vacancy,
            lesson: lesson.clone(),
            undone: false,
        });
        let over = self.learned.len().saturating_sub(LESSONS);
        self.learned.drain(..over);
        lesson
    }

    /// Takes back what the answer of this moment changed; false if there is nothing to take back, or if
    /// the search has changed since.
    pub fn unlearn(&mut self, at: Timestamp) -> bool {
        let Some(place) = self.learned.iter().position(|it| it.at == at && !it.undone) else {
            return false;
        };
        match self.learned[place].lesson.clone() {
            Lesson::Nearer { from, to } if self.radius_km == to => self.radius_km = from,
            Lesson::Hours { from, to } if self.hours == to => self.hours = from,
            Lesson::NotThen { times } => self.has.extend(times),
            Lesson::NotThis { words } if self.not_words.contains(&words.0) => {
                self.not_words.retain(|known| *known != words.0);
            }
            Lesson::NotThis { .. }
            | Lesson::Nearer { .. }
            | Lesson::Hours { .. }
            | Lesson::Nothing => return false,
        }
        self.learned[place].undone = true;
        true
    }

    /// Can this be taken back?
    pub fn can_unlearn(&self, learned: &Learned) -> bool {
        !learned.undone
            && match &learned.lesson {
                Lesson::Nearer { to, .. } => self.radius_km == *to,
                Lesson::Hours { to, .. } => self.hours == *to,
                Lesson::NotThen { times } => times.is_disjoint(&self.has),
                Lesson::NotThis { words } => self.not_words.contains(&words.0),
                Lesson::Nothing => false,
            }
    }

    /// Without words nothing is looked for.
    pub fn is_looking(&self) -> bool {
        !self.words.is_empty()
    }
}

/// A search, made ready to be compared with many vacancies.
pub struct Ready<'a> {
    pub search: &'a Search,
    terms: Vec<Vec<Word>>,
    not: Vec<Vec<Word>>,
}

impl<'a> Ready<'a> {
    pub fn new(search: &'a Search) -> Self {
        let terms = |words: &[String]| -> Vec<Vec<Word>> {
            let terms = words.iter().map(|word| stems::wanted(word));
            terms.filter(|term| !term.is_empty()).collect()
        };
        Self {
            search,
            terms: terms(&search.words),
            not: terms(&search.not_words),
        }
    }

    /// The forms by which vacancies can be found that may fit: of each term its first word. Everything
    /// that fits has one of them.
    pub fn forms(&self) -> BTreeSet<&str> {
        let first = self.terms.iter().filter_map(|term| term.first());
        first
            .flat_map(|word| word.forms.iter().map(String::as_str))
            .collect()
    }
}

/// A vacancy, made ready to be compared with many searches.
pub struct Offered {
    pub vacancy: Vacancy,
    pub title: BTreeSet<String>,
    /// Of the text, without what stands in the title already.
    pub text: BTreeSet<String>,
}

impl Offered {
    pub fn new(vacancy: Vacancy) -> Self {
        let title = stems::of_title(&vacancy.title);
        let mut text = stems::of_text(&vacancy.text);
        text.retain(|word| !title.contains(word));
        Self {
            vacancy,
            title,
            text,
        }
    }
}

/// One reason why a vacancy fits. Its text form is what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// So many kilometres in a straight line.
    Km(u32),
    /// All of its hours are wanted hours.
    Hours,
    /// The person does not have this, and it is not needed.
    NotNeeded(Need),
    /// So many words of the search stand in its title.
    Words(u32),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Km(km) => write!(f, "km:{km}"),
            Reason::Hours => f.write_str("hours"),
            Reason::NotNeeded(need) => write!(f, "not:{}", need.as_str()),
            Reason::Words(count) => write!(f, "words:{count}"),
        }
    }
}

impl Reason {
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "hours" => Some(Reason::Hours),
            Some(("km", km)) => km.parse().ok().map(Reason::Km),
            Some(("words", count)) => count.parse().ok().map(Reason::Words),
            Some(("not", need)) => Need::parse(need).map(Reason::NotNeeded),
            _ => None,
        }
    }
}

/// The reasons as the database keeps them.
pub fn reasons_text(reasons: &[Reason]) -> String {
    let codes: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    codes.join(" ")
}

/// The reasons out of the database; a code that this program no longer knows is left out.
pub fn reasons_from(text: &str) -> Vec<Reason> {
    text.split(' ').filter_map(Reason::parse).collect()
}

/// How well a vacancy fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// From 1 to 100; the best is asked first.
    pub score: u32,
    pub reasons: Vec<Reason>,
}

/// Needs whose absence is worth telling to somebody who lacks them, the first one first.
const WORTH_TELLING: [Need; 4] = [Need::DrivingB, Need::Vog, Need::Diploma, Need::Dutch];

/// Does it fit? What is needed and lacking, too far, or outside the hours does not, however good the words
/// are. A vacancy whose place nobody knows fits only who looks anywhere.
pub fn fit(ready: &Ready<'_>, offered: &Offered, places: &Places) -> Option<Fit> {
    let (search, vacancy) = (ready.search, &offered.vacancy);
    if !vacancy.needs.is_subset(&search.has) {
        return None;
    }
    let (wanted, given) = (search.hours, vacancy.hours);
    if wanted.known() && given.known() && (given.most < wanted.least || given.least > wanted.most) {
        return None;
    }
    let km = match search.pc4.as_str() {
        "" => None,
        from => {
            let km = places.km(from, &vacancy.pc4)?;
            if km > search.radius_km {
                return None;
            }
            Some(km)
        }
    };
    let (in_title, in_text) = hits(ready, offered)?;
    let mut score = if in_title > 0 { 55 } else { 30 };
    score += (10 * in_title.saturating_sub(1) + 5 * in_text).min(15);
    let mut reasons = Vec::new();
    if let Some(km) = km {
        let left = search.radius_km.saturating_sub(km);
        score += 20 * left / search.radius_km.max(1);
        reasons.push(Reason::Km(km));
    }
    let inside = given.least >= wanted.least && given.most <= wanted.most;
    if wanted.known() && given.known() && inside {
        score += 10;
        reasons.push(Reason::Hours);
    }
    let lacks = |need: &Need| !search.has.contains(need);
    reasons.extend(WORTH_TELLING.into_iter().find(lacks).map(Reason::NotNeeded));
    if in_title > 0 {
        reasons.push(Reason::Words(in_title));
    }
    Some(Fit { score, reasons })
}

/// Terms that stand in the title, and those that stand in the text; `None` if none does, or if a word that
/// is not wanted stands in the title.
fn hits(ready: &Ready<'_>, offered: &Offered) -> Option<(u32, u32)> {
    let in_title = |term: &[Word]| {
        term.iter()
            .all(|word| !word.forms.is_disjoint(&offered.title))
    };
    let anywhere = |word: &Word| {
        !word.forms.is_disjoint(&offered.title) || !word.forms.is_disjoint(&offered.text)
    };
    if ready.not.iter().any(|term| in_title(term)) {
        return None;
    }
    let (mut title, mut text) = (0, 0);
    for term in &ready.terms {
        if in_title(term) {
            title += 1;
        } else if term.iter().all(anywhere) {
            text += 1;
        }
    }
    (title + text > 0).then_some((title, text))
}

#[cfg(test)]
mod tests;
