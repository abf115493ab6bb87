//! A batch of rows into the database: what is new is made in sets, and of what is known only the cells
//! that the caller changed are written, row by row. The same code only looks, where nothing may be
//! written. Whether the file stays is decided in `import.rs`; plans and tasks are in `rows/plans.rs`,
//! slots and meetings in `rows/meetings.rs`.

mod meetings;
mod plans;

use std::collections::{HashMap, HashSet};

use super::sheet::{CandidateRow, Kind, Line, Problem, Rows};
use super::{Change, Counts};
use crate::app::{App, AppError, absence, turn};
use crate::domain::contact::{AddressKind, AddressState, CandidateState};
use crate::domain::ids::{CandidateId, CoachId, OrganisationId, TeamId};
use crate::domain::time::Timestamp;
use crate::store::arrivals::{self, Arrival};
use crate::store::contacts::{self, NewCandidate, Person};
use crate::store::imports::{self, Saying};
use crate::store::{Tx, addresses, coaches};

/// One file on its way into the database.
pub(super) struct Run<'a> {
    pub(super) app: &'a App,
    pub(super) organisation: OrganisationId,
    pub(super) team: TeamId,
    pub(super) now: Timestamp,
    pub(super) file: &'a str,
    mode: Mode,
    pub(super) problems: Vec<Problem>,
    pub(super) counts: Counts,
    pub(super) changes: Vec<Change>,
    pub(super) ahead: Ahead,
    coaches: HashMap<String, Option<CoachId>>,
}

/// What is done with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Look for mistakes.
    Check,
    /// Look for mistakes, and say what would change.
    Compare,
    Store,
}

/// What rows before this one make, as far as the database does not tell it: all of it where nothing is
/// written.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    candidates: HashSet<String>,
    plans: HashSet<String>,
    /// Refs of candidates who get a plan.
    planned: HashSet<String>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        app: &'a App,
        organisation: OrganisationId,
        team: TeamId,
        file: &'a str,
        mode: Mode,
        ahead: Ahead,
    ) -> Self {
        Self {
            app,
            organisation,
            team,
            now: app.now(),
            file,
            mode,
            problems: Vec::new(),
            counts: Counts::default(),
            changes: Vec::new(),
            ahead,
            coaches: HashMap::new(),
        }
    }

    pub(super) async fn batch(&mut self, tx: &mut Tx, rows: &Rows) -> Result<(), AppError> {
        match rows {
            Rows::Candidates(lines) => self.candidates(tx, lines).await,
            Rows::Plans(lines) => self.plans(tx, lines).await,
            Rows::Tasks(lines) => self.tasks(tx, lines).await,
            Rows::Slots(lines) => self.slots(tx, lines).await,
            Rows::Meetings(lines) => self.meetings(tx, lines).await,
        }
    }

    fn wrong(&mut self, line: u64, column: &'static str, expected: &str) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: Some(line),
            column: Some(column),
            expected: expected.to_owned(),
        });
    }

    fn count(&mut self, line: u64, differs: Vec<&'static str>) {
        if differs.is_empty() {
            self.counts.unchanged += 1;
        } else {
            self.counts.updated += 1;
            // Only a report about what would change names each row.
            if self.mode == Mode::Compare {
                self.changes.push(Change {
                    line,
                    columns: differs,
                });
            }
        }
    }

    /// What the file says of a new row is remembered with it.
    async fn remember(&self, tx: &mut Tx, sayings: Vec<Saying>) -> Result<(), AppError> {
        if self.mode == Mode::Store {
            imports::remember(tx, sayings).await?;
        }
        Ok(())
    }

    async fn candidates(
        &mut self,
        tx: &mut Tx,
        lines: &[Line<CandidateRow>],
    ) -> Result<(), AppError> {
        let refs = lines.iter().map(|line| line.row.reference.as_str());
        let found = arrivals::by_refs(tx, self.organisation, refs).await?;
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for line in lines {
            let coach = match &line.row.coach_email {
                None => None,
                Some(email) => match self.coach(tx, email).await? {
                    Some(coach) => Some(coach),
                    None => {
                        let expected = "the e-mail address of a coach of this organisation";
                        self.wrong(line.line, "coach_email", expected);
                        continue;
                    }
                },
            };
            match found.get(line.row.reference.as_str()) {
                Some((id, _)) => known.push((line, *id, coach)),
                None => new.push((line, coach)),
            }
        }
        if self.mode == Mode::Check {
            return Ok(());
        }
        let says = |(line, id, _): &(&Line<CandidateRow>, CandidateId, _)| {
            Saying::of(tx, &format!("candidate:{id}"), &line.cells)
        };
        let sayings: Vec<Saying> = known.iter().map(says).collect();
        let changed = imports::changed(tx, &sayings).await?;
        let mut news = Vec::new();
        for (((line, id, coach), saying), cells) in known.into_iter().zip(sayings).zip(changed) {
            let changed = Changed::of(Kind::Candidates, &cells);
            if changed.is_empty() {
                self.counts.unchanged += 1;
                continue;
            }
            news.push(saying);
            self.known_candidate(tx, line, id, coach, &changed).await?;
        }
        self.new_candidates(tx, new, &mut news).await?;
        self.remember(tx, news).await
    }

    async fn coach(&mut self, tx: &mut Tx, email: &str) -> Result<Option<CoachId>, AppError> {
        if let Some(known) = self.coaches.get(email) {
            return Ok(*known);
        }
        let found = coaches::by_email(tx, email).await?;
        let ours = |it: &coaches::Coach| it.active && it.organisation == self.organisation;
        let coach = found.filter(ours).map(|coach| coach.id);
        self.coaches.insert(email.to_owned(), coach);
        Ok(coach)
    }

    async fn new_candidates(
        &mut self,
        tx: &mut Tx,
        new: Vec<(&Line<CandidateRow>, Option<CoachId>)>,
        sayings: &mut Vec<Saying>,
    ) -> Result<(), AppError> {
        self.counts.created += new.len();
        if self.mode != Mode::Store {
            let refs = new.iter().map(|(line, _)| line.row.reference.clone());
            self.ahead.candidates.extend(refs);
            return Ok(());
        }
        let mut made = Vec::with_capacity(new.len());
        for (line, coach) in new {
            let row = &line.row;
            let id: CandidateId = self.app.id(self.now);
            sayings.push(Saying::of(tx, &format!("candidate:{id}"), &line.cells));
            let mut addresses = Vec::new();
            for (kinds, value) in [(NUMBER, &row.phone), (MAIL, &row.email)] {
                for (kind, value) in kinds.iter().zip(value.iter().cycle()) {
                    addresses.push((self.app.id(self.now), *kind, value.as_str()));
                }
            }
            made.push(Arrival {
                candidate: NewCandidate {
                    id,
                    organisation: self.organisation,
                    team: self.team,
                    coach,
                    first_name: &row.first_name,
                    family_name: &row.family_name,
                    language: &row.language,
                    digital_skill: row.digital_skill,
                    track: row.track,
                    state: CandidateState::Active,
                    reference: Some(&row.reference),
                },
                addresses,
            });
        }
        Ok(arrivals::candidates(tx, &made, self.now).await?)
    }

    async fn known_candidate(
        &mut self,
        tx: &mut Tx,
        line: &Line<CandidateRow>,
        id: CandidateId,
        coach: Option<CoachId>,
        changed: &Changed,
    ) -> Result<(), AppError> {
        let row = &line.row;
        let mut person = turn::person(tx, id).await?;
        let mut differs = Differs::new(changed);
        let before = person.candidate.coach;
        let candidate = &mut person.candidate;
        differs.set("first_name", &mut candidate.first_name, &row.first_name);
        differs.set("family_name", &mut candidate.family_name, &row.family_name);
        differs.set("language", &mut candidate.language, &row.language);
        differs.set(
            "digital_skill",
            &mut candidate.digital_skill,
            &row.digital_skill,
        );
        differs.set("track", &mut candidate.track, &row.track);
        differs.set("coach_email", &mut candidate.coach, &coach);
        if self.mode == Mode::Store && differs.any() {
            contacts::update(tx, &person).await?;
            if let Some(to) = coach.filter(|to| Some(*to) != before) {
                absence::moved(self.app, tx, &mut person, (before, to), self.now).await?;
            }
        }
        for (column, kinds, value) in [("phone", NUMBER, &row.phone), ("email", MAIL, &row.email)] {
            if changed.has(column) && self.addresses(tx, &person, kinds, value.as_deref()).await? {
                differs.columns.push(column);
            }
        }
        self.count(line.line, differs.columns);
        Ok(())
    }

    /// The address that the caller knows is believed; one that only the caller knew, and now calls
    /// otherwise, is doubted: somebody else may have it by now. An empty cell says nothing. Whether
    /// anything differs.
    async fn addresses(
        &mut self,
        tx: &mut Tx,
        person: &Person,
        kinds: &[AddressKind],
        value: Option<&str>,
    ) -> Result<bool, AppError> {
        let Some(value) = value else { return Ok(false) };
        let candidate = person.candidate.id;
        let sealer = tx.sealer(person.key).await?;
        let known = addresses::of(tx, &sealer, candidate).await?;
        let mut states = Vec::new();
        let mut new = Vec::new();
        for address in known.iter().filter(|known| kinds.contains(&known.kind)) {
            let only_told = address.state == AddressState::Believed && address.heard_at.is_none();
            if address.value != value && only_told {
                states.push((address.id, AddressState::Doubted));
            }
        }
        for kind in kinds {
            match known
                .iter()
                .find(|known| known.kind == *kind && known.value == value)
            {
                Some(known) if known.state == AddressState::Doubted && known.heard_at.is_none() => {
                    states.push((known.id, AddressState::Believed));
                }
                Some(_) => {}
                None => new.push(*kind),
            }
        }
        let differs = !states.is_empty() || !new.is_empty();
        if self.mode != Mode::Store || !differs {
            return Ok(differs);
        }
        for (id, state) in states {
            addresses::set_state(tx, id, state, self.now).await?;
        }
        for kind in new {
            let new = (self.app.id(self.now), kind, value, AddressState::Believed);
            addresses::add(tx, &sealer, candidate, new, None).await?;
        }
        tx.changed(candidate);
        Ok(true)
    }
}

/// A number on WhatsApp and on SMS is two addresses: one can be dead and the other not.
const NUMBER: &[AddressKind] = &[AddressKind::Whatsapp, AddressKind::Phone];
const MAIL: &[AddressKind] = &[AddressKind::Email];

/// The columns of a known row that the caller changed since the last import.
struct Changed {
    columns: Vec<&'static str>,
}

impl Changed {
    fn of(kind: Kind, cells: &[bool]) -> Self {
        let columns = kind.columns().iter().zip(cells);
        let changed = columns.filter(|(_, changed)| **changed);
        Self {
            columns: changed.map(|(name, _)| *name).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    fn has(&self, column: &str) -> bool {
        self.columns.contains(&column)
    }
}

/// The columns among them that differ from what the house knows.
struct Differs<'a> {
    changed: &'a Changed,
    columns: Vec<&'static str>,
}

impl<'a> Differs<'a> {
    const fn new(changed: &'a Changed) -> Self {
        Self {
            changed,
            columns: Vec::new(),
        }
    }

    fn any(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Takes the caller's value if the caller changed it and it makes a difference.
    fn set<T: Clone + PartialEq>(&mut self, column: &'static str, field: &mut T, value: &T) {
        if self.changed.has(column) && field != value {
            field.clone_from(value);
            self.columns.push(column);
        }
    }
}
