//! What lies on a coach's desk: reads for the pages, one function a page. Nothing here changes anything.

use std::collections::{BTreeMap, BTreeSet};

use super::{App, AppError, Line, forecast, look, restore, together, turn};
use crate::domain::access::Scope;
use crate::domain::approval::Standing;
use crate::domain::contact::Address;
use crate::domain::ids::{
    AddressId, CandidateId, CoachId, FlagId, IncomingId, LineId, MessageId, NodeId,
};
use crate::domain::message::MessageState;
use crate::domain::plan::Plan;
use crate::domain::talk::event::Event;
use crate::domain::talk::state::Talk;
use crate::domain::time::Timestamp;
use crate::domain::window;
use crate::store::notes::{self, Note};
use crate::store::{
    Tx, absences, addresses, coaches, experiments, media, outbox, pages, plans, stuck, talks,
};

pub use super::look::Shares;
pub use crate::domain::approval::Alone;
pub use crate::domain::experiment::Arm;
pub use crate::domain::forecast::{Happens, What};
pub use crate::store::News;
pub use crate::store::coaches::Colleague;
pub use crate::store::contacts::Person;
pub use crate::store::media::Shown as FileRow;
pub use crate::store::notes::Kind as NoteKind;
pub use crate::store::outbox::{Form, Outgoing};
pub use crate::store::pages::{
    AttemptRow, DraftRow, FlagRow, FormRow, IncomingRow, LineRow, Named, OutgoingRow, PersonRow,
};
pub use crate::store::stuck::Stuck;

/// Messages of a thread that a page shows at most.
const THREAD: u32 = 300;

/// Whom a coach looks after: their own, and those of colleagues for whom they stand in.
pub struct Team {
    pub colleagues: Vec<Colleague>,
    mine: BTreeSet<CoachId>,
}

impl Team {
    pub(super) async fn read(app: &App, tx: &mut Tx, scope: &Scope) -> Result<Self, AppError> {
        let colleagues = coaches::colleagues(tx, scope).await?;
        let today = app.now().local_day(app.house(scope.organisation)?.zone);
        let away = |colleague: &&Colleague| {
            colleague.stand_in == Some(scope.coach)
                && colleague.away_until.is_some_and(|until| until >= today)
        };
        let mut mine: BTreeSet<CoachId> = colleagues.iter().filter(away).map(|c| c.id).collect();
        mine.insert(scope.coach);
        Ok(Self { colleagues, mine })
    }

    /// Candidates of nobody are everybody's.
    pub fn is_mine(&self, coach: Option<CoachId>) -> bool {
        coach.is_none_or(|coach| self.mine.contains(&coach))
    }

    /// Is this flag for me?
    pub fn is_flagged(&self, flag: &FlagRow) -> bool {
        flag.why.for_team() || self.is_mine(flag.coach)
    }

    pub fn name(&self, coach: CoachId) -> &str {
        self.colleagues
            .iter()
            .find(|c| c.id == coach)
            .map_or("", |c| &c.name)
    }
}

/// What the menu counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub drafts: usize,
    pub flags: usize,
    /// Nothing leaves at the moment: the database was restored.
    pub paused: bool,
}

pub async fn counts(app: &App, scope: &Scope) -> Result<Counts, AppError> {
    let mut tx = app.store.read().await?;
    let team = Team::read(app, &mut tx, scope).await?;
    let drafts = pages::drafts(&mut tx, scope).await?;
    let flags = pages::flags(&mut tx, scope).await?;
    Ok(Counts {
        drafts: drafts.iter().filter(|row| team.is_mine(row.coach)).count(),
        flags: flags.iter().filter(|row| team.is_flagged(row)).count(),
        paused: restore::is_paused(&mut tx).await?,
    })
}

pub struct Today {
    pub team: Team,
    pub people: Vec<PersonRow>,
    pub drafts: Vec<DraftRow>,
    pub flags: Vec<FlagRow>,
    pub lines: Vec<LineRow>,
    /// The newest message of each person who waits for an answer.
    pub words: BTreeMap<CandidateId, IncomingRow>,
    /// The number to call, for people with an urgent flag.
    pub numbers: BTreeMap<CandidateId, String>,
}

pub async fn today(app: &App, scope: &Scope) -> Result<Today, AppError> {
    let mut tx = app.store.read().await?;
    let team = Team::read(app, &mut tx, scope).await?;
    let people = pages::people(&mut tx, scope).await?;
    let mut words = BTreeMap::new();
    for person in people
        .iter()
        .filter(|p| p.unanswered_since.is_some() && team.is_mine(p.coach))
    {
        let opened = turn::person(&mut tx, person.id).await?;
        let sealer = tx.sealer(opened.key).await?;
        let newest = pages::incoming(&mut tx, scope, &sealer, person.id, 1).await?;
        words.extend(newest.into_iter().next().map(|row| (person.id, row)));
    }
    let flags = pages::flags(&mut tx, scope).await?;
    let mut numbers = BTreeMap::new();
    for flag in flags.iter().filter(|flag| flag.why.urgent()) {
        let opened = turn::person(&mut tx, flag.candidate).await?;
        let sealer = tx.sealer(opened.key).await?;
        let addresses = addresses::of(&mut tx, &sealer, flag.candidate).await?;
        numbers.extend(number(&addresses).map(|number| (flag.candidate, number)));
    }
    Ok(Today {
        people,
        drafts: pages::drafts(&mut tx, scope).await?,
        flags,
        lines: pages::lines(&mut tx, scope).await?,
        team,
        words,
        numbers,
    })
}

/// The number to call this person by.
pub fn number(addresses: &[Address]) -> Option<String> {
    let called = |address: &&Address| address.value.starts_with('+');
    addresses
        .iter()
        .filter(called)
        .min_by_key(|address| address.state)
        .map(|a| a.value.clone())
}

pub async fn people(app: &App, scope: &Scope) -> Result<(Team, Vec<PersonRow>), AppError> {
    let mut tx = app.store.read().await?;
    let team = Team::read(app, &mut tx, scope).await?;
    Ok((team, pages::people(&mut tx, scope).await?))
}

/// A draft with the form in which it would leave now.
pub struct Listed {
    pub row: DraftRow,
    pub form: Option<Form>,
    /// Why it is read on its own, if it is.
    pub alone: Option<Alone>,
}

pub async fn drafts(app: &App, scope: &Scope) -> Result<(Team, Vec<Listed>), AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let team = Team::read(app, &mut tx, scope).await?;
    let mut listed = Vec::new();
    for row in pages::drafts(&mut tx, scope).await? {
        let person = turn::person(&mut tx, row.candidate).await?;
        let sealer = tx.sealer(person.key).await?;
        let forms = outbox::forms(&mut tx, &sealer, row.id).await?;
        let windows = addresses::windows(&mut tx, row.candidate).await?;
        let form = chosen(&forms, &windows, 0, now).map(|at| forms[at].clone());
        let standing = Standing {
            rule: &row.rule,
            state_why: row.state_why.as_deref(),
            written_by_coach: row.author.is_some(),
            unread: row.unanswered_since.is_some(),
            flagged: row.flagged,
            touched: row.touched,
            floor_reached: together::floor_reached(app, row.purpose, row.automated_in_row),
            has_way: form.is_some(),
        };
        let alone = standing.alone();
        listed.push(Listed { row, form, alone });
    }
    Ok((team, listed))
}

/// The first form, from `first` on, that may leave now: what the sender would choose.
pub(super) fn chosen(
    forms: &[Form],
    windows: &[(LineId, AddressId, Timestamp)],
    first: usize,
    now: Timestamp,
) -> Option<usize> {
    (first..forms.len()).find(|at| {
        let form = &forms[*at];
        let heard = windows
            .iter()
            .find(|(line, address, _)| *line == form.line && *address == form.address)
            .map(|(.., at)| *at);
        form.to_state.usable() && window::may_leave(&form.body, form.to_kind, heard, now).is_ok()
    })
}

/// Everything that a coach needs to decide about one message.
pub struct Draft {
    pub message: Outgoing,
    pub person: Person,
    pub forms: Vec<Form>,
    /// The form that would leave now, or that was tried last.
    pub form: Option<Form>,
    pub line: Option<Line>,
    pub plan: Plan,
    pub last: Vec<Said>,
    /// The last attempt, and when it began.
    pub attempt: Option<(u32, Timestamp)>,
    /// Written before the last restore: it may have been approved and sent in the time that is lost.
    pub before_restore: bool,
    /// If nobody answers: when the flow goes on, and where.
    pub silent: Option<(Timestamp, NodeId)>,
    /// The experiments that its words are part of, and which wording it has.
    pub trials: Vec<(String, Arm)>,
}

/// A message in the last three.
pub struct Said {
    pub ours: bool,
    pub at: Timestamp,
    pub what: Words,
}

pub enum Words {
    Ours(Form),
    Theirs(IncomingRow),
}

pub async fn draft(app: &App, scope: &Scope, id: MessageId) -> Result<Draft, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let candidate = pages::owner_of_message(&mut tx, scope, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let message = outbox::message(&mut tx, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let person = turn::person(&mut tx, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let forms = outbox::forms(&mut tx, &sealer, id).await?;
    let windows = addresses::windows(&mut tx, candidate).await?;
    let tried = usize::try_from(message.form).unwrap_or(0);
    let at = match message.state {
        MessageState::Draft | MessageState::Waiting | MessageState::Held => {
            chosen(&forms, &windows, 0, now)
        }
        MessageState::Approved => chosen(&forms, &windows, tried, now),
        _ => Some(tried),
    };
    let form = at.and_then(|at| forms.get(at)).cloned();
    let line = form
        .as_ref()
        .and_then(|form| app.lines.get(&form.line))
        .cloned();
    let mut last = Vec::new();
    for row in pages::incoming(&mut tx, scope, &sealer, candidate, 3).await? {
        last.push(Said {
            ours: false,
            at: row.at,
            what: Words::Theirs(row),
        });
    }
    for row in pages::outgoing(&mut tx, scope, candidate, 20).await? {
        let left = matches!(row.state, MessageState::Accepted | MessageState::InDoubt);
        if row.id == id || !left || last.iter().filter(|said| said.ours).count() >= 3 {
            continue;
        }
        let tried = usize::try_from(row.form).unwrap_or(0);
        let form = outbox::forms(&mut tx, &sealer, row.id)
            .await?
            .into_iter()
            .nth(tried);
        if let Some(form) = form {
            let at = row.accepted_at.unwrap_or(row.not_before);
            last.push(Said {
                ours: true,
                at,
                what: Words::Ours(form),
            });
        }
    }
    last.sort_by_key(|said| said.at);
    let newest = last.split_off(last.len().saturating_sub(3));
    Ok(Draft {
        plan: plans::plan(&mut tx, &sealer, candidate).await?,
        attempt: pages::last_attempt(&mut tx, scope, id).await?,
        before_restore: restore::restored_at(&mut tx)
            .await?
            .is_some_and(|at| message.created_at <= at),
        silent: silence(app, scope, &message, now)?,
        trials: experiments::of_message(&mut tx, id).await?,
        message,
        person,
        forms,
        form,
        line,
        last: newest,
    })
}

/// When the flow behind a question goes on by itself, counted from now.
fn silence(
    app: &App,
    scope: &Scope,
    message: &Outgoing,
    now: Timestamp,
) -> Result<Option<(Timestamp, NodeId)>, AppError> {
    let house = app.house(scope.organisation)?;
    let Some((flow, node)) = message.why.split_once('/') else {
        return Ok(None);
    };
    let Some(hash) = app.book.newest(flow) else {
        return Ok(None);
    };
    let flows = app.book.flows();
    let ask = flows
        .get(&hash)
        .and_then(|flow| flow.ask(&NodeId::from(node)));
    Ok(ask.map(|ask| {
        let from = now.max(message.not_before);
        (
            ask.silent.after.after(from, house.zone, &house.holidays),
            ask.silent.go.clone(),
        )
    }))
}

/// Everything on the page of one person.
pub struct Case {
    pub person: Person,
    pub addresses: Vec<Address>,
    pub windows: Vec<(LineId, AddressId, Timestamp)>,
    pub plan: Plan,
    pub talk: Talk,
    pub notes: Vec<Note>,
    pub incoming: Vec<IncomingRow>,
    /// The files that came with messages.
    pub files: BTreeMap<IncomingId, FileRow>,
    pub outgoing: Vec<OutgoingRow>,
    pub forms: BTreeMap<MessageId, Vec<FormRow>>,
    pub attempts: BTreeMap<MessageId, Vec<AttemptRow>>,
    pub events: Vec<(Event, Timestamp)>,
    pub consents: Vec<(crate::domain::contact::Purpose, bool, Timestamp)>,
    pub nudges: Vec<(String, crate::domain::plan::Subject, Timestamp)>,
    pub flags: Vec<FlagRow>,
    pub shares: Shares,
    /// What will happen in the coming days, if nobody does anything.
    pub coming: Vec<Happens>,
    pub team: Team,
    /// The coaches who can have this person, by name.
    pub coaches: Vec<(CoachId, String)>,
}

/// How far ahead a page looks, in days.
pub const AHEAD_DAYS: u32 = 14;

pub async fn case(app: &App, scope: &Scope, candidate: CandidateId) -> Result<Case, AppError> {
    let mut tx = app.store.read().await?;
    if !pages::covers(&mut tx, scope, candidate).await? {
        return Err(AppError::NotFound);
    }
    let person = turn::person(&mut tx, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let mut forms: BTreeMap<MessageId, Vec<FormRow>> = BTreeMap::new();
    for form in pages::forms(&mut tx, scope, &sealer, candidate).await? {
        forms.entry(form.message).or_default().push(form);
    }
    let mut attempts: BTreeMap<MessageId, Vec<AttemptRow>> = BTreeMap::new();
    for attempt in pages::attempts(&mut tx, scope, candidate).await? {
        attempts.entry(attempt.message).or_default().push(attempt);
    }
    let flags = pages::flags(&mut tx, scope).await?;
    let shares = look::shares(app, &mut tx, &person, app.now()).await?;
    let coming = forecast::of(app, &mut tx, &person, &app.cadence, AHEAD_DAYS).await?;
    Ok(Case {
        shares,
        coming,
        coaches: absences::of_team(&mut tx, person.team).await?,
        addresses: addresses::of(&mut tx, &sealer, candidate).await?,
        windows: addresses::windows(&mut tx, candidate).await?,
        plan: plans::plan(&mut tx, &sealer, candidate).await?,
        talk: talks::peek(&mut tx, candidate, &sealer).await?,
        notes: notes::of(&mut tx, &sealer, candidate).await?,
        incoming: pages::incoming(&mut tx, scope, &sealer, candidate, THREAD).await?,
        files: media::of(&mut tx, scope, candidate)
            .await?
            .into_iter()
            .map(|file| (file.id, file))
            .collect(),
        outgoing: pages::outgoing(&mut tx, scope, candidate, THREAD).await?,
        events: pages::events(&mut tx, scope, &sealer, candidate, THREAD).await?,
        consents: pages::consents(&mut tx, scope, candidate).await?,
        nudges: pages::nudges(&mut tx, scope, candidate).await?,
        flags: flags
            .into_iter()
            .filter(|flag| flag.candidate == candidate)
            .collect(),
        team: Team::read(app, &mut tx, scope).await?,
        person,
        forms,
        attempts,
    })
}

/// The person, if they are under these eyes; for pages that need no more.
pub async fn person(app: &App, scope: &Scope, candidate: CandidateId) -> Result<Person, AppError> {
    let mut tx = app.store.read().await?;
    if !pages::covers(&mut tx, scope, candidate).await? {
        return Err(AppError::NotFound);
    }
    turn::person(&mut tx, candidate).await
}

/// The person behind a message under these eyes, and where the message stands.
pub async fn message(
    app: &App,
    scope: &Scope,
    id: MessageId,
) -> Result<(Person, Outgoing), AppError> {
    let mut tx = app.store.read().await?;
    let candidate = pages::owner_of_message(&mut tx, scope, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let message = outbox::message(&mut tx, id)
        .await?
        .ok_or(AppError::NotFound)?;
    Ok((turn::person(&mut tx, candidate).await?, message))
}

/// Whose flag is it, if it is under these eyes?
pub async fn flag(app: &App, scope: &Scope, id: FlagId) -> Result<CandidateId, AppError> {
    let mut tx = app.store.read().await?;
    pages::owner_of_flag(&mut tx, scope, id)
        .await?
        .ok_or(AppError::NotFound)
}

/// What is stuck.
pub struct Operation {
    pub raw: Vec<Stuck>,
    pub kept: Vec<Stuck>,
    pub quarantined: Vec<Stuck>,
    pub lines: Vec<LineRow>,
}

pub async fn operation(app: &App, scope: &Scope) -> Result<Operation, AppError> {
    let mut tx = app.store.read().await?;
    Ok(Operation {
        raw: stuck::unreadable(&mut tx, scope).await?,
        kept: stuck::kept(&mut tx, scope).await?,
        quarantined: stuck::quarantined(&mut tx, scope).await?,
        lines: pages::lines(&mut tx, scope).await?,
    })
}

/// Does nothing leave, because the database was restored and nobody said yet that it may?
pub async fn paused(app: &App) -> Result<bool, AppError> {
    let mut tx = app.store.read().await?;
    restore::is_paused(&mut tx).await
}

/// Can the database be read, and would it take a write? Nothing is written.
pub async fn healthy(app: &App) -> Result<(), AppError> {
    let mut tx = app.store.read().await?;
    stuck::alive(&mut tx).await?;
    let tx = app.store.write().await?;
    Ok(tx.rollback().await?)
}

/// Is this candidate under these eyes? For the news.
pub async fn covers(app: &App, scope: &Scope, candidate: CandidateId) -> Result<bool, AppError> {
    let mut tx = app.store.read().await?;
    Ok(pages::covers(&mut tx, scope, candidate).await?)
}
