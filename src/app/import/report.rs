//! What became of a file, in the words of the command line: ours and numbers, never what stood in it.

use std::collections::BTreeSet;
use std::fmt;

use super::sheet::Problem;
use super::sheet::text::Reading;

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub file: String,
    /// How it was read, if it could be.
    pub reading: Option<Reading>,
    pub outcome: Outcome,
    pub counts: Counts,
    /// Where only looked at: the rows that would change.
    pub changes: Vec<Change>,
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything, or every row that is not wrong.
    Stored,
    /// A row became wrong after the file was looked at; the batches before it are stored.
    Stopped,
    /// It was only looked at, and this is what would be stored.
    WouldStore,
    /// Nothing of the file is stored.
    Refused,
    /// Nothing is wrong with it, but it builds on a file that was refused.
    NotStored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
}

/// A known row that would change, and in which columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub line: u64,
    pub columns: Vec<&'static str>,
}

impl Report {
    pub(super) fn refused(file: &str, reading: Option<Reading>, problems: Vec<Problem>) -> Self {
        Self {
            file: file.to_owned(),
            reading,
            outcome: Outcome::Refused,
            counts: Counts::default(),
            changes: Vec::new(),
            problems,
        }
    }

    /// Nothing is wrong with it, and it is stored or would be.
    pub fn is_whole(&self) -> bool {
        let fine = matches!(self.outcome, Outcome::Stored | Outcome::WouldStore);
        fine && self.problems.is_empty()
    }

    /// Rows with a mistake. A mistake of the file as a whole is none of a row.
    pub fn wrong(&self) -> usize {
        let lines = self.problems.iter().filter_map(|problem| problem.line);
        lines.collect::<BTreeSet<u64>>().len()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            created,
            updated,
            unchanged,
        } = self.counts;
        let file = &self.file;
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        for change in &self.changes {
            let columns = change.columns.join(", ");
            writeln!(f, "{file}, line {}: would change {columns}", change.line)?;
        }
        match self.outcome {
            Outcome::Refused => return write!(f, "{file}: nothing of it is stored"),
            Outcome::NotStored => {
                return write!(
                    f,
                    "{file}: nothing of it is stored, an earlier file must be right first"
                );
            }
            Outcome::Stopped => write!(
                f,
                "{file}: stopped, the data changed while it was stored: {created} created, {updated} updated, {unchanged} unchanged"
            )?,
            Outcome::Stored => write!(
                f,
                "{file}: {created} created, {updated} updated, {unchanged} unchanged"
            )?,
            Outcome::WouldStore => write!(
                f,
                "{file}: would be {created} created, {updated} updated, {unchanged} unchanged; nothing is stored"
            )?,
        }
        match self.wrong() {
            0 => Ok(()),
            wrong => write!(f, ", {wrong} wrong and left out"),
        }
    }
}
