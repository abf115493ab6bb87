//! Invitations: a proposed meeting and a row of the ledger, from which `meeting_invite` starts when nudges
//! may go.

use super::{USUAL_PARTICIPANTS, blank};
use crate::app::{App, AppError, takeover, trail};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, CoachId, MeetingId};
use crate::domain::nudge::Rule;
use crate::domain::plan::{MeetingKind, MeetingMode, Subject};
use crate::domain::slots::mode_for;
use crate::domain::time::{Timestamp, next_allowed};
use crate::store::Tx;
use crate::store::contacts::Person;
use crate::store::meetings::{self, NewMeeting};
use crate::store::nudges::{self, Nudge};

/// Invites a person: a proposed meeting, and a row of the ledger that starts `meeting_invite` when nudges
/// may go. An invitation of this kind that is still open is not made twice. `None`: nobody is there to
/// meet, since the person has no coach.
pub async fn invite(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    kind: MeetingKind,
    mode: MeetingMode,
    now: Timestamp,
) -> Result<Option<MeetingId>, AppError> {
    let candidate = person.candidate.id;
    let Some(coach) = person.candidate.coach else {
        return Ok(None);
    };
    let house = app.house(person.organisation)?;
    let id = match meetings::proposed(tx, candidate, kind).await? {
        Some(id) => id,
        None => propose(app, tx, person, coach, (kind, mode), now).await?,
    };
    let nudge = Nudge {
        id: app.id(now),
        candidate,
        rule: Rule::Invitation.as_str().to_owned(),
        subject: Subject::Meeting(id),
        due_on: now.local_day(house.zone),
        due_at: next_allowed(now, house.zone, &app.cadence.quiet, &house.holidays),
    };
    nudges::add(tx, &nudge);
    Ok(Some(id))
}

/// A meeting without a moment yet.
pub(super) async fn propose(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    coach: CoachId,
    (kind, mode): (MeetingKind, MeetingMode),
    now: Timestamp,
) -> Result<MeetingId, AppError> {
    let meeting = blank(app.id(now), kind, mode_for(kind, mode));
    let new = NewMeeting {
        meeting: &meeting,
        candidate: person.candidate.id,
        coach,
        task: "",
        participants: USUAL_PARTICIPANTS,
        reference: None,
    };
    let sealer = tx.sealer(person.key).await?;
    meetings::add(tx, &sealer, &new, now).await?;
    Ok(meeting.id)
}

/// A coach's own wish to see somebody.
pub async fn invite_by(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    kind: MeetingKind,
    mode: MeetingMode,
) -> Result<MeetingId, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let person = takeover::own(&mut tx, scope, candidate).await?;
    if kind.offline_only() && mode != MeetingMode::Office {
        return Err(AppError::No { why: "only_office" });
    }
    let Some(id) = invite(app, &mut tx, &person, kind, mode, now).await? else {
        return Err(AppError::No { why: "no_coach" });
    };
    let object = format!("candidate:{candidate}");
    trail::by_coach(app, &mut tx, scope, "meeting_invite", object, now).await?;
    tx.commit().await?;
    Ok(id)
}
