//! One CSV file -> typed rows, and every mistake in it by line and column.
//! Knows no database: whether a ref or a coach exists is for `rows.rs`. What the bytes of a file are is
//! in `text.rs`.

mod kind;
mod moments;
pub mod text;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::io::Read;

use chrono::{Datelike, NaiveDate};
use csv::{ReaderBuilder, StringRecord};
use unicode_normalization::UnicodeNormalization as _;

pub use self::kind::Kind;
pub use self::moments::{MeetingRow, SlotRow};
use self::moments::{meeting, slot};
use self::text::Text;
use crate::domain::contact::{DigitalSkill, Track};
use crate::domain::phone;
use crate::domain::plan::TaskState;

/// Rows of one file: a large city's, with room. Beside a batch of rows, memory holds only what makes
/// each row one and the same.
pub const MOST_ROWS: usize = 250_000;

/// A mistake: where it is and what was expected there. Never what stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub line: Option<u64>,
    pub column: Option<&'static str>,
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": expected {}", self.expected)
    }
}

/// One line with its cells as they were read, in the order of `Kind::columns`.
pub struct Line<T> {
    pub line: u64,
    pub cells: Vec<String>,
    pub row: T,
}

pub struct CandidateRow {
    pub reference: String,
    pub first_name: String,
    pub family_name: String,
    pub language: String,
    pub digital_skill: DigitalSkill,
    pub track: Track,
    pub coach_email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub email: Option<String>,
}

pub struct PlanRow {
    pub reference: String,
    pub candidate_ref: String,
    pub goal: String,
    pub started_on: NaiveDate,
}

pub struct TaskRow {
    pub plan_ref: String,
    pub number: u32,
    pub title: String,
    pub due_on: Option<NaiveDate>,
    pub state: TaskState,
}

/// Some rows of a file, of its kind.
pub enum Rows {
    Candidates(Vec<Line<CandidateRow>>),
    Plans(Vec<Line<PlanRow>>),
    Tasks(Vec<Line<TaskRow>>),
    Slots(Vec<Line<SlotRow>>),
    Meetings(Vec<Line<MeetingRow>>),
}

/// The rows of a file, a batch at a time. What is wrong goes to the problems and is left out.
pub struct Reader<'a, R: Read> {
    kind: Kind,
    file: &'a str,
    records: csv::Reader<Text<R>>,
    record: StringRecord,
    /// Cells of the first line, and where each column stands in it.
    width: usize,
    places: Vec<usize>,
    /// What makes a row one and the same -> the line on which it stood.
    seen: HashMap<String, u64>,
    rows: usize,
    over: bool,
}

impl<'a, R: Read> Reader<'a, R> {
    /// Nothing, if the first line does not name the columns.
    pub fn open(
        kind: Kind,
        file: &'a str,
        text: Text<R>,
        delimiter: u8,
        found: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut records = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text);
        let mut head = StringRecord::new();
        if records.read_record(&mut head).is_err() {
            head = StringRecord::new();
        }
        let places = places(kind, &head, &mut Problems { file, found })?;
        Some(Self {
            kind,
            file,
            records,
            record: StringRecord::new(),
            width: head.len(),
            places,
            seen: HashMap::new(),
            rows: 0,
            over: false,
        })
    }

    /// The line that was read last.
    pub fn line(&self) -> u64 {
        self.records.get_ref().line()
    }

    /// The next rows, at most so many; nothing at the end of the file.
    pub fn batch(&mut self, most: usize, found: &mut Vec<Problem>) -> Option<Rows> {
        let problems = &mut Problems {
            file: self.file,
            found,
        };
        let records = self.cells(most, problems);
        if records.is_empty() && self.over {
            return None;
        }
        let (kind, seen) = (self.kind, &mut self.seen);
        Some(match kind {
            Kind::Candidates => {
                Rows::Candidates(lines(kind, records, seen, problems, candidate, |row| {
                    row.reference.clone()
                }))
            }
            Kind::Plans => Rows::Plans(lines(kind, records, seen, problems, plan, |row| {
                row.reference.clone()
            })),
            Kind::Tasks => Rows::Tasks(lines(kind, records, seen, problems, task, |row| {
                format!("{}|{}", row.number, row.plan_ref)
            })),
            Kind::Slots => Rows::Slots(lines(kind, records, seen, problems, slot, |row| {
                row.reference.clone()
            })),
            Kind::Meetings => {
                Rows::Meetings(lines(kind, records, seen, problems, meeting, |row| {
                    row.reference.clone()
                }))
            }
        })
    }

    /// Records with their cells in the order of `Kind::columns`.
    fn cells(&mut self, most: usize, problems: &mut Problems<'_>) -> Vec<(u64, Vec<String>)> {
        let mut read = Vec::new();
        while read.len() < most && !self.over {
            match self.records.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => {
                    self.over = true;
                    break;
                }
                Err(_) => {
                    problems.add(None, None, "a file that can be read as CSV to its end");
                    self.over = true;
                    break;
                }
            }
            let begins = self.record.position().map_or(0, csv::Position::byte);
            let line = self.records.get_mut().line_at(begins);
            if self.record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if self.rows == MOST_ROWS {
                let expected = format!("at most {MOST_ROWS} rows in one file");
                problems.add(Some(line), None, expected);
                self.over = true;
                break;
            }
            self.rows += 1;
            if self.record.len() != self.width {
                let expected = format!("{} cells, as in the first line", self.width);
                problems.add(Some(line), None, expected);
                continue;
            }
            let cell = |place: &usize| {
                let cell = self.record.get(*place).unwrap_or_default();
                cell.trim().nfc().collect()
            };
            read.push((line, self.places.iter().map(cell).collect()));
        }
        read
    }
}

struct Problems<'a> {
    file: &'a str,
    found: &'a mut Vec<Problem>,
}

impl Problems<'_> {
    fn add(
        &mut self,
        line: Option<u64>,
        column: Option<&'static str>,
        expected: impl Into<String>,
    ) {
        self.found.push(Problem {
            file: self.file.to_owned(),
            line,
            column,
            expected: expected.into(),
        });
    }
}

/// Where each column stands. Every name once, none besides, in any order.
fn places(kind: Kind, head: &StringRecord, problems: &mut Problems<'_>) -> Option<Vec<usize>> {
    let names: Vec<String> = head.iter().map(|name| name.trim().to_lowercase()).collect();
    let columns = kind.columns();
    let before = problems.found.len();
    for column in columns {
        match names.iter().filter(|name| name == column).count() {
            1 => {}
            0 => problems.add(Some(1), Some(column), "this column, it is missing"),
            _ => problems.add(Some(1), Some(column), "this column once"),
        }
    }
    if names.iter().any(|name| !columns.contains(&name.as_str())) {
        problems.add(
            Some(1),
            None,
            format!("only these columns: {}", columns.join(", ")),
        );
    }
    if problems.found.len() > before {
        return None;
    }
    let place = |column: &&str| names.iter().position(|name| name == column);
    columns.iter().map(place).collect()
}

/// Each record as its row; what makes a row one and the same may stand in the file once.
fn lines<T>(
    kind: Kind,
    records: Vec<(u64, Vec<String>)>,
    seen: &mut HashMap<String, u64>,
    problems: &mut Problems<'_>,
    parse: fn(&mut Cells<'_, '_, '_>) -> Option<T>,
    key: fn(&T) -> String,
) -> Vec<Line<T>> {
    let mut lines = Vec::with_capacity(records.len());
    for (line, cells) in records {
        let parsed = parse(&mut Cells {
            line,
            columns: kind.columns(),
            cells: &cells,
            problems,
        });
        let Some(row) = parsed else { continue };
        match seen.entry(key(&row)) {
            Entry::Vacant(entry) => {
                entry.insert(line);
                lines.push(Line { line, cells, row });
            }
            Entry::Occupied(entry) => {
                let column = kind.columns()[if kind == Kind::Tasks { 1 } else { 0 }];
                let expected = format!("another one than in line {}", entry.get());
                problems.add(Some(line), Some(column), expected);
            }
        }
    }
    lines
}

fn candidate(cells: &mut Cells<'_, '_, '_>) -> Option<CandidateRow> {
    // All are read before the first missing one ends it: a row may have several mistakes.
    let reference = cells.text("ref", 100);
    let first_name = cells.text("first_name", 100);
    let family_name = cells.text("family_name", 100);
    let language = cells.word(
        "language",
        "a language in two letters, such as nl",
        language,
    );
    let digital_skill = cells.word(
        "digital_skill",
        "starter, basic or skilled",
        DigitalSkill::parse,
    );
    let track = cells.word(
        "track",
        "participation, reintegration or outplacement",
        Track::parse,
    );
    let coach_email = cells.maybe("coach_email", MAIL, mail);
    let phone = cells.maybe(
        "phone",
        "a mobile number such as 06 12345678, or nothing",
        |text| phone::mobile(text, "NL").ok(),
    );
    let email = cells.maybe("email", MAIL, mail);
    Some(CandidateRow {
        reference: reference?,
        first_name: first_name?,
        family_name: family_name?,
        language: language?,
        digital_skill: digital_skill?,
        track: track?,
        coach_email: coach_email?,
        phone: phone?,
        email: email?,
    })
}

fn plan(cells: &mut Cells<'_, '_, '_>) -> Option<PlanRow> {
    let reference = cells.text("ref", 100);
    let candidate_ref = cells.text("candidate_ref", 100);
    let goal = cells.text("goal", 500);
    let started_on = cells.word("started_on", DAY, day);
    Some(PlanRow {
        reference: reference?,
        candidate_ref: candidate_ref?,
        goal: goal?,
        started_on: started_on?,
    })
}

fn task(cells: &mut Cells<'_, '_, '_>) -> Option<TaskRow> {
    let plan_ref = cells.text("plan_ref", 100);
    let number = cells.word("number", "a number from 1 to 999", number);
    let title = cells.text("title", 200);
    let due_on = cells.maybe("due_on", "a day such as 2026-03-31, or nothing", day);
    let state = cells.word("state", "open, done or dropped", TaskState::parse);
    Some(TaskRow {
        plan_ref: plan_ref?,
        number: number?,
        title: title?,
        due_on: due_on?,
        state: state?,
    })
}

const DAY: &str = "a day such as 2026-03-31";
const MAIL: &str = "an e-mail address, or nothing";

/// The cells of one line, by the name of their column.
struct Cells<'a, 'p, 'f> {
    line: u64,
    columns: &'static [&'static str],
    cells: &'a [String],
    problems: &'p mut Problems<'f>,
}

impl<'a> Cells<'a, '_, '_> {
    fn cell(&self, column: &'static str) -> &'a str {
        let place = self.columns.iter().position(|name| *name == column);
        place
            .and_then(|place| self.cells.get(place))
            .map_or("", String::as_str)
    }

    fn wrong(&mut self, column: &'static str, expected: impl Into<String>) {
        self.problems.add(Some(self.line), Some(column), expected);
    }

    /// Text that may not be missing.
    fn text(&mut self, column: &'static str, most: usize) -> Option<String> {
        let cell = self.cell(column);
        if cell.chars().any(char::is_control) {
            self.wrong(column, "text on one line, without control characters");
            return None;
        }
        if cell.is_empty() || cell.chars().count() > most {
            self.wrong(column, format!("1 to {most} characters"));
            return None;
        }
        Some(cell.to_owned())
    }

    /// Something that has its own spelling; capitals do not count.
    fn word<T>(
        &mut self,
        column: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(&self.cell(column).to_lowercase());
        if parsed.is_none() {
            self.wrong(column, expected);
        }
        parsed
    }

    /// The same, and an empty cell is right too: `Some(None)`.
    fn maybe<T>(
        &mut self,
        column: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.cell(column).is_empty() {
            return Some(None);
        }
        self.word(column, expected, parse).map(Some)
    }
}

fn language(text: &str) -> Option<String> {
    let code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    code.then(|| text.to_owned())
}

/// Strict, so that 03-04-2026 is never read as a day that was not meant.
fn day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (text.len() == 10 && (1990..2100).contains(&day.year())).then_some(day)
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|number| digits && (1..=999).contains(number))
}

/// One plain address: nothing that could become a second recipient or a header.
fn mail(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@,;:<>()[]\"\\".contains(c);
    let labels = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    let fine = !local.is_empty() && local.len() <= 64 && labels && text.len() <= 254;
    (fine && !local.contains(odd) && !domain.contains(odd)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
