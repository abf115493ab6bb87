//! Slots and meetings. A slot belongs to a coach of the team, a meeting to a candidate and a coach whom the
//! house knows. There are few of them, so they go row by row.

use chrono::Timelike as _;

use super::{Changed, Differs, Mode, Run};
use crate::app::import::sheet::{Kind, Line, MeetingRow, SlotRow};
use crate::app::{AppError, meetings as verbs, turn};
use crate::domain::ids::{CandidateId, CoachId};
use crate::domain::plan::{Meeting, MeetingState};
use crate::domain::slots::Slot;
use crate::domain::time::{Timestamp, local_moment};
use crate::store::imports::{self, Saying};
use crate::store::meetings::{self, NewMeeting};
use crate::store::slots::{self, NewSlot};
use crate::store::{Tx, arrivals};

const COACH: &str = "the e-mail address of a coach of this organisation";

impl Run<'_> {
    pub(super) async fn slots(
        &mut self,
        tx: &mut Tx,
        lines: &[Line<SlotRow>],
    ) -> Result<(), AppError> {
        let refs = lines.iter().map(|line| self.own(&line.row.reference));
        let found = slots::by_refs(tx, refs).await?;
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for line in lines {
            let row = &line.row;
            let Some(coach) = self.coach(tx, &row.coach_email).await? else {
                self.wrong(line.line, "coach_email", COACH);
                continue;
            };
            let starts_at = self.moment(row.starts_at)?;
            let wanted = Slot {
                id: self.app.id(self.now),
                coach,
                mode: row.mode,
                starts_at,
                ends_at: ends(starts_at, row.minutes),
                place: row.place.clone(),
                capacity: row.capacity,
                taken: 0,
                open: row.open,
                version: 0,
            };
            match found.get(&self.own(&row.reference)) {
                Some(slot) => known.push((line, slot.clone(), wanted)),
                None => new.push((line, wanted)),
            }
        }
        if self.mode == Mode::Check {
            return Ok(());
        }
        let says = |(line, slot, _): &(&Line<SlotRow>, Slot, Slot)| {
            Saying::of(tx, &format!("slot:{}", slot.id), &line.cells)
        };
        let sayings: Vec<Saying> = known.iter().map(says).collect();
        let changed = imports::changed(tx, &sayings).await?;
        let mut news = Vec::new();
        for (((line, slot, wanted), saying), cells) in known.into_iter().zip(sayings).zip(changed) {
            let changed = Changed::of(Kind::Slots, &cells);
            if changed.is_empty() {
                self.counts.unchanged += 1;
                continue;
            }
            if self
                .known_slot(tx, line.line, slot, &wanted, &changed)
                .await?
            {
                news.push(saying);
            }
        }
        self.counts.created += new.len();
        let mut made = Vec::new();
        for (line, slot) in new.into_iter().filter(|_| self.mode == Mode::Store) {
            news.push(Saying::of(tx, &format!("slot:{}", slot.id), &line.cells));
            made.push(NewSlot {
                slot,
                organisation: self.organisation,
                team: self.team,
                series: None,
                reference: Some(self.own(&line.row.reference)),
            });
        }
        slots::add(tx, made).await?;
        self.remember(tx, news).await
    }

    /// Somebody may be in it by now: then it can be withdrawn, and nothing else.
    async fn known_slot(
        &mut self,
        tx: &mut Tx,
        line: u64,
        mut slot: Slot,
        wanted: &Slot,
        changed: &Changed,
    ) -> Result<bool, AppError> {
        let taken = slot.taken > 0;
        let mut differs = Differs::new(changed);
        differs.set("coach_email", &mut slot.coach, &wanted.coach);
        differs.set("starts_at", &mut slot.starts_at, &wanted.starts_at);
        differs.set("minutes", &mut slot.ends_at, &wanted.ends_at);
        // Its end moves with its begin.
        slot.ends_at = wanted.ends_at;
        differs.set("mode", &mut slot.mode, &wanted.mode);
        differs.set("place", &mut slot.place, &wanted.place);
        if taken && differs.any() {
            let expected = "what it was, since somebody is booked in it";
            self.wrong(line, "starts_at", expected);
            return Ok(false);
        }
        if wanted.capacity < slot.taken {
            let expected = "at least as many places as are taken";
            self.wrong(line, "capacity", expected);
            return Ok(false);
        }
        differs.set("capacity", &mut slot.capacity, &wanted.capacity);
        differs.set("state", &mut slot.open, &wanted.open);
        if self.mode == Mode::Store && differs.any() {
            slots::update(tx, &slot).await?;
        }
        self.count(line, differs.columns);
        Ok(true)
    }

    pub(super) async fn meetings(
        &mut self,
        tx: &mut Tx,
        lines: &[Line<MeetingRow>],
    ) -> Result<(), AppError> {
        let refs = lines.iter().map(|line| line.row.candidate_ref.as_str());
        let people = arrivals::by_refs(tx, self.organisation, refs).await?;
        let refs = lines.iter().map(|line| self.own(&line.row.reference));
        let found = meetings::by_refs(tx, refs).await?;
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for line in lines {
            let row = &line.row;
            let Some(coach) = self.coach(tx, &row.coach_email).await? else {
                self.wrong(line.line, "coach_email", COACH);
                continue;
            };
            let Some((person, _)) = people.get(row.candidate_ref.as_str()).copied() else {
                if self.ahead.candidates.contains(&row.candidate_ref) {
                    self.counts.created += 1;
                } else {
                    let expected = "the ref of a candidate who is known";
                    self.wrong(line.line, "candidate_ref", expected);
                }
                continue;
            };
            let starts_at = self.moment(row.starts_at)?;
            if matches!(row.state, MeetingState::Held | MeetingState::Missed)
                && starts_at > self.now
            {
                self.wrong(
                    line.line,
                    "state",
                    "booked or cancelled, for a time to come",
                );
                continue;
            }
            let meeting = Meeting {
                id: self.app.id(self.now),
                kind: row.kind,
                mode: row.mode,
                state: row.state,
                slot: None,
                starts_at: Some(starts_at),
                ends_at: Some(ends(starts_at, row.minutes)),
                place: Some(row.place.clone()).filter(|place| !place.is_empty()),
                version: 0,
            };
            match found.get(&self.own(&row.reference)) {
                Some(id) => known.push((line, *id, person, (meeting, coach))),
                None => new.push((line, person, (meeting, coach))),
            }
        }
        if self.mode == Mode::Check {
            return Ok(());
        }
        let says =
            |line: &Line<MeetingRow>, id| Saying::of(tx, &format!("meeting:{id}"), &line.cells);
        let sayings: Vec<Saying> = known.iter().map(|(line, id, ..)| says(line, *id)).collect();
        let changed = imports::changed(tx, &sayings).await?;
        let mut news = Vec::new();
        for (((line, id, person, wanted), saying), cells) in
            known.into_iter().zip(sayings).zip(changed)
        {
            let changed = Changed::of(Kind::Meetings, &cells);
            if changed.is_empty() {
                self.counts.unchanged += 1;
                continue;
            }
            let Some(row) = meetings::meeting(tx, id)
                .await?
                .filter(|row| row.candidate == person)
            else {
                let expected = "the candidate whose meeting this is";
                self.wrong(line.line, "candidate_ref", expected);
                continue;
            };
            news.push(saying);
            self.known_meeting(tx, line.line, person, row, wanted, &changed)
                .await?;
        }
        self.counts.created += new.len();
        for (line, person, (meeting, coach)) in new {
            if self.mode != Mode::Store {
                continue;
            }
            news.push(Saying::of(
                tx,
                &format!("meeting:{}", meeting.id),
                &line.cells,
            ));
            let reference = self.own(&line.row.reference);
            let new = NewMeeting {
                meeting: &meeting,
                candidate: person,
                coach,
                task: "",
                participants: verbs::USUAL_PARTICIPANTS,
                reference: Some(&reference),
            };
            let person = turn::person(tx, person).await?;
            verbs::arrived(self.app, tx, &person, &new, self.now).await?;
        }
        self.remember(tx, news).await
    }

    async fn known_meeting(
        &mut self,
        tx: &mut Tx,
        line: u64,
        person: CandidateId,
        mut row: meetings::MeetingRow,
        (wanted, coach): (Meeting, CoachId),
        changed: &Changed,
    ) -> Result<(), AppError> {
        let before = row.meeting.clone();
        let meeting = &mut row.meeting;
        let mut differs = Differs::new(changed);
        differs.set("coach_email", &mut row.coach, &coach);
        differs.set("kind", &mut meeting.kind, &wanted.kind);
        differs.set("mode", &mut meeting.mode, &wanted.mode);
        differs.set("place", &mut meeting.place, &wanted.place);
        differs.set("starts_at", &mut meeting.starts_at, &wanted.starts_at);
        differs.set("minutes", &mut meeting.ends_at, &wanted.ends_at);
        if changed.has("starts_at") {
            meeting.ends_at = wanted.ends_at;
        }
        differs.set("state", &mut meeting.state, &wanted.state);
        if self.mode == Mode::Store && differs.any() {
            let person = turn::person(tx, person).await?;
            verbs::changed(self.app, tx, &person, (&before, &row), self.now).await?;
        }
        self.count(line, differs.columns);
        Ok(())
    }

    /// The caller's own id, which two organisations may count alike.
    fn own(&self, reference: &str) -> String {
        format!("{}|{reference}", self.organisation)
    }

    fn moment(&self, local: chrono::NaiveDateTime) -> Result<Timestamp, AppError> {
        let zone = self.app.house(self.organisation)?.zone;
        let (hour, minute) = (local.hour(), local.minute());
        Ok(local_moment(local.date(), hour, minute, zone))
    }
}

fn ends(starts_at: Timestamp, minutes: u32) -> Timestamp {
    starts_at.plus_seconds(i64::from(minutes) * 60)
}
