//! Brings candidates, plans, tasks, slots and meetings in from CSV files. A row is known again by the caller's own ref,
//! and of a known row only the cells that the caller changed since the last import are written: what
//! people said or did stays. Rows are stored in batches, each one transaction, so a run that was cut off
//! is mended by another, and a webhook never waits long for the writer.

mod report;
mod rows;
pub mod sheet;

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

pub use self::report::{Change, Counts, Outcome, Report};
use self::rows::{Ahead, Mode, Run};
use self::sheet::text::{self, Reading, Text};
use self::sheet::{Kind, Problem, Reader};
use super::{App, AppError};
use crate::domain::ids::{OrganisationId, TeamId};
use crate::store::audit;

/// The largest file that is read.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Rows of one transaction.
pub const BATCH: usize = 512;

/// One file.
pub struct Sheet {
    pub kind: Kind,
    pub file: String,
    pub from: Source,
}

/// Where its bytes are.
pub enum Source {
    Disk(PathBuf),
    Memory(Vec<u8>),
}

impl Source {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match self {
            Source::Disk(path) => Box::new(File::open(path)?),
            Source::Memory(bytes) => Box::new(Cursor::new(bytes)),
        })
    }
}

/// What is asked of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Good rows go in where others are wrong. Otherwise one wrong row refuses its whole file.
    pub partial: bool,
    /// Nothing is written; the report says what would be.
    pub dry: bool,
}

/// Where the people of the files belong.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub organisation: OrganisationId,
    pub team: TeamId,
}

/// How far a file is: line, and of how many.
pub type Watch<'a> = &'a (dyn Fn(&str, u64, u64) + Sync);

/// Stores the files, candidates before plans before tasks, slots before meetings. After a file with mistakes the others are
/// only read, so that all mistakes in them are named at once; unless good rows may go in alone.
pub async fn import(
    app: &App,
    place: Place,
    mut sheets: Vec<Sheet>,
    asked: Asked,
    watch: Watch<'_>,
) -> Result<Vec<Report>, AppError> {
    sheets.sort_by_key(|sheet| sheet.kind);
    let mut reports: Vec<Report> = Vec::new();
    let mut ahead = Ahead::default();
    for sheet in &sheets {
        let looked = sheet
            .from
            .open()
            .map_err(|_| (None, "a file that can be read"))
            .and_then(|bytes| text::look(BufReader::new(bytes)));
        let reading = match looked {
            Ok(reading) => reading,
            Err((line, expected)) => {
                let expected = expected.to_owned();
                let problem = Problem {
                    file: sheet.file.clone(),
                    line,
                    column: None,
                    expected,
                };
                reports.push(Report::refused(&sheet.file, None, vec![problem]));
                continue;
            }
        };
        let job = Job {
            app,
            place,
            sheet,
            reading,
            watch,
        };
        let whole = reports.iter().all(Report::is_whole);
        reports.push(match asked {
            _ if !whole && !asked.partial => job.only_read()?,
            Asked { dry: true, .. } => {
                let (report, next) = job.pass(asked, Mode::Compare, ahead).await?;
                ahead = next;
                report
            }
            Asked { partial: true, .. } => job.pass(asked, Mode::Store, Ahead::default()).await?.0,
            _ => {
                let (looked, _) = job.pass(asked, Mode::Check, Ahead::default()).await?;
                if looked.problems.is_empty() {
                    job.pass(asked, Mode::Store, Ahead::default()).await?.0
                } else {
                    looked
                }
            }
        });
    }
    Ok(reports)
}

/// One file on its way in.
struct Job<'a> {
    app: &'a App,
    place: Place,
    sheet: &'a Sheet,
    reading: Reading,
    watch: Watch<'a>,
}

type Rows<'a> = Reader<'a, Box<dyn Read + Send + 'a>>;

impl Job<'_> {
    fn reader(&self, problems: &mut Vec<Problem>) -> Option<Rows<'_>> {
        let file = &self.sheet.file;
        let text = self.sheet.from.open();
        match text.and_then(|bytes| Text::of(bytes, &self.reading)) {
            Ok(text) => Reader::open(
                self.sheet.kind,
                file,
                text,
                self.reading.delimiter,
                problems,
            ),
            Err(_) => {
                problems.push(whole(Path::new(file), "a file that can be read"));
                None
            }
        }
    }

    /// Mistakes that can be seen without the database.
    fn only_read(&self) -> Result<Report, AppError> {
        let mut problems = Vec::new();
        if let Some(mut reader) = self.reader(&mut problems) {
            while reader.batch(BATCH, &mut problems).is_some() {}
        }
        let mut report = Report::refused(&self.sheet.file, Some(self.reading.clone()), problems);
        if report.problems.is_empty() {
            report.outcome = Outcome::NotStored;
        }
        Ok(report)
    }

    /// The file from its first row to its last, a batch a transaction. Without leave to go on, the first
    /// batch with a wrong row is the last, and is not stored: the file was right when it was looked at,
    /// and what was stored before is right still.
    async fn pass(
        &self,
        asked: Asked,
        mode: Mode,
        ahead: Ahead,
    ) -> Result<(Report, Ahead), AppError> {
        let Place { organisation, team } = self.place;
        let file = &self.sheet.file;
        let writes = mode == Mode::Store;
        let mut run = Run::new(self.app, organisation, team, file, mode, ahead);
        let mut stopped = false;
        if let Some(mut reader) = self.reader(&mut run.problems) {
            if writes {
                self.note().await?;
            }
            while let Some(rows) = reader.batch(BATCH, &mut run.problems) {
                let mut tx = if writes {
                    self.app.store.write().await?
                } else {
                    self.app.store.read().await?
                };
                // A moment a batch: ids carry it, so each batch writes to the end of the indices and not
                // all over them, which on SQLite was most of the time.
                run.now = self.app.now();
                let before = run.counts;
                run.batch(&mut tx, &rows).await?;
                stopped = writes && !asked.partial && !run.problems.is_empty();
                if stopped {
                    tx.rollback().await?;
                    run.counts = before;
                    break;
                }
                if writes {
                    tx.commit().await?;
                }
                (self.watch)(file, reader.line(), self.reading.lines);
            }
        }
        let Run {
            mut problems,
            counts,
            changes,
            ahead,
            ..
        } = run;
        problems.sort_by_key(|problem| problem.line);
        let outcome = match (writes, asked) {
            _ if stopped => Outcome::Stopped,
            (true, _) => Outcome::Stored,
            (false, Asked { dry: true, partial }) if partial || problems.is_empty() => {
                Outcome::WouldStore
            }
            _ => Outcome::Refused,
        };
        let report = Report {
            file: file.clone(),
            reading: Some(self.reading.clone()),
            outcome,
            counts,
            changes,
            problems,
        };
        Ok((report, ahead))
    }

    /// That this file was brought in is in the log before its first row is stored.
    async fn note(&self) -> Result<(), AppError> {
        let now = self.app.now();
        let entry = audit::Entry {
            organisation: Some(self.place.organisation.to_string()),
            actor: "import".to_owned(),
            verb: "import",
            object: format!("file:{}", self.sheet.kind.file_name()),
            content_hash: Some(self.reading.hash.clone()),
        };
        let mut tx = self.app.store.write().await?;
        audit::append(&mut tx, self.app.row_id(now), entry, now).await?;
        Ok(tx.commit().await?)
    }
}

/// The files behind these paths: CSV files, or folders that hold some of them.
pub fn sheets(paths: &[PathBuf]) -> Result<Vec<Sheet>, Problem> {
    let mut sheets: Vec<Sheet> = Vec::new();
    for path in paths {
        let found: Vec<PathBuf> = match path.is_dir() {
            true => Kind::ALL
                .iter()
                .map(|kind| path.join(kind.file_name()))
                .filter(|it| it.exists())
                .collect(),
            false => vec![path.clone()],
        };
        if found.is_empty() {
            return Err(whole(
                path,
                "candidates.csv, plans.csv, tasks.csv, slots.csv or meetings.csv in this folder",
            ));
        }
        for path in found {
            let sheet = sheet_of(&path)?;
            if sheets.iter().any(|known| known.kind == sheet.kind) {
                return Err(whole(&path, "each of the files once"));
            }
            sheets.push(sheet);
        }
    }
    Ok(sheets)
}

fn sheet_of(path: &Path) -> Result<Sheet, Problem> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase());
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| name.as_deref() == Some(kind.file_name()));
    let names = "a file named candidates.csv, plans.csv, tasks.csv, slots.csv or meetings.csv";
    let kind = kind.ok_or_else(|| whole(path, names))?;
    let unreadable =
        |error: io::Error| whole(path, &format!("a file that can be read ({})", error.kind()));
    if std::fs::metadata(path).map_err(unreadable)?.len() > MOST_BYTES {
        return Err(whole(path, "a file of at most 64 MB"));
    }
    Ok(Sheet {
        kind,
        file: path.display().to_string(),
        from: Source::Disk(path.to_owned()),
    })
}

fn whole(path: &Path, expected: &str) -> Problem {
    Problem {
        file: path.display().to_string(),
        line: None,
        column: None,
        expected: expected.to_owned(),
    }
}
