//! Somebody wrote: whose words are these? A code from the coach's QR proves a number; a known address
//! belongs to its owner; an unknown sender becomes a person whom a coach must recognise. Then the talk
//! hears it.

use std::collections::BTreeSet;

use super::inbox::Found;
use super::{App, AppError, Line, turn};
use crate::domain::contact::{AddressKind, AddressState, CandidateState, DigitalSkill, Track};
use crate::domain::ids::{AddressId, CandidateId, LineId, OrganisationId};
use crate::domain::marks;
use crate::domain::plan::Subject;
use crate::domain::talk::event::{self, Button, Event};
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::ports::channel::{Content, Heard, Item, Sender, What};
use crate::store::attempts;
use crate::store::contacts::{self, NewCandidate, Person};
use crate::store::inbox::{self, NewIncoming};
use crate::store::{Tx, addresses, flags, talks};
use crate::store::{invites, media, owners};

/// Handles one received message, from the sender to the turn.
pub async fn heard(
    app: &App,
    tx: &mut Tx,
    line: LineId,
    heard: &Heard,
    people: &mut Found,
    now: Timestamp,
) -> Result<(), AppError> {
    let organisation = app.lines.get(&line).ok_or(AppError::NotFound)?.organisation;
    if let Content::NumberChanged { new } = &heard.content {
        return moved(app, tx, line, (&heard.from, new), heard.at, now).await;
    }
    let addresses = addresses_of(&heard.from);
    if addresses.is_empty() {
        return Err(AppError::Text("a message without a sender".into()));
    }
    let words = words_of(&heard.content);
    let invited = match code_in(&words) {
        Some(code) => invited(tx, organisation, &code, now).await?,
        None => None,
    };
    let known = known(tx, organisation, &addresses, heard.at).await?;
    let candidate = match invited {
        Some(candidate) => candidate,
        None => {
            whose(
                app,
                tx,
                organisation,
                &addresses,
                &known,
                heard,
                people,
                now,
            )
            .await?
        }
    };
    let person = turn::person(tx, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let mut address = None;
    for (at, (kind, value)) in addresses.iter().enumerate() {
        let theirs = known
            .iter()
            .find(|known| known.at == at && known.candidate == candidate);
        let id = match theirs {
            Some(known) => known.address,
            None => {
                let new = (app.id(now), *kind, value.as_str(), AddressState::Proven);
                addresses::add(tx, &sealer, candidate, new, Some(heard.at)).await?
            }
        };
        addresses::heard(tx, line, id, heard.at);
        address.get_or_insert(id);
    }
    let Some(address) = address else {
        return Err(AppError::NotFound);
    };
    let answers = answered_message(tx, candidate, heard).await?;
    let said = said(app, &heard.content, answers);
    let mut found = marks::of(&words);
    if said.alarm.is_some() {
        found.push("alarm");
    }
    if heard.forwarded {
        found.push("forwarded");
    }
    let keep = NewIncoming {
        id: app.id(now),
        candidate,
        line,
        address,
        content: &heard.content,
        marks: found.join(" "),
        answers,
        provider_id: &heard.provider_id,
        at: heard.at,
    };
    inbox::keep(tx, &sealer, &keep).await?;
    if let Content::Media(file) = &heard.content {
        media::want(tx, &sealer, candidate, keep.id, file, now);
    }
    tracing::info!(incoming = %keep.id, %candidate, "a message came in");
    let code = invited.and(code_in(&words));
    meant(app, tx, &person, address, (heard, said), code, now).await?;
    tx.turn_over(&candidate);
    Ok(())
}

/// What the words of a person who is known now lead to. `code`: the one that led to them.
async fn meant(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    address: AddressId,
    (heard, said): (&Heard, event::Heard),
    code: Option<String>,
    now: Timestamp,
) -> Result<(), AppError> {
    if matches!(heard.content, Content::IdentityChanged) {
        addresses::set_state(tx, address, AddressState::Doubted, heard.at).await?;
        return flag(app, tx, person, Why::IdentityChanged, now).await;
    }
    if let Some(code) = code {
        invites::use_invite(tx, &code, now).await?;
        return welcome(app, tx, person, now).await;
    }
    if person.candidate.state == CandidateState::Unknown {
        return flag(app, tx, person, Why::UnknownSender, now).await;
    }
    if matches!(
        heard.content,
        Content::Reaction { emoji: None, .. } | Content::Revoked { .. }
    ) {
        return Ok(());
    }
    turn::play(app, tx, person, Event::Heard(said), now).await
}

/// Fetches ahead what the turns of these plain messages will ask: whose the addresses are, who they are
/// and how their talk stands. What is not fetched here is read when it is asked for.
pub async fn look_ahead<'a>(
    tx: &mut Tx,
    items: impl Iterator<Item = &'a Item>,
) -> Result<(), AppError> {
    let mut senders = Vec::new();
    for item in items {
        let What::Heard(heard) = &item.what else {
            continue;
        };
        let sender = &heard.from;
        senders.extend(
            sender
                .number
                .iter()
                .map(|it| (AddressKind::Whatsapp, it.as_str(), heard.at)),
        );
        senders.extend(
            sender
                .user_id
                .iter()
                .map(|it| (AddressKind::Bsuid, it.as_str(), heard.at)),
        );
    }
    let owners: Vec<CandidateId> = owners::fetch_ahead(tx, &senders)
        .await?
        .into_iter()
        .collect();
    turn::look_ahead(tx, &owners, &[]).await
}

/// Everybody whose words these may be: those who own the address, and whoever the code in them was made for.
/// Nobody is made or moved.
pub(super) async fn owners_of(
    app: &App,
    tx: &mut Tx,
    line: LineId,
    heard: &Heard,
) -> Result<BTreeSet<CandidateId>, AppError> {
    let Some(Line { organisation, .. }) = app.lines.get(&line) else {
        return Ok(BTreeSet::new());
    };
    let addresses = addresses_of(&heard.from);
    let known = known(tx, *organisation, &addresses, heard.at).await?;
    let mut owners: BTreeSet<CandidateId> = known.iter().map(|known| known.candidate).collect();
    if let Some(code) = code_in(&words_of(&heard.content)) {
        match invited(tx, *organisation, &code, heard.at).await {
            Err(AppError::Store(error)) if error.may_pass() => return Err(error.into()),
            found => owners.extend(found.ok().flatten()),
        }
    }
    Ok(owners)
}

/// A person moved to another number or user id: the old address is dead, the new one is believed, and
/// the coach is told.
pub async fn moved(
    app: &App,
    tx: &mut Tx,
    line: LineId,
    (old, new): (&Sender, &Sender),
    at: Timestamp,
    now: Timestamp,
) -> Result<(), AppError> {
    let organisation = app.lines.get(&line).ok_or(AppError::NotFound)?.organisation;
    for (kind, value) in addresses_of(old) {
        for (address, candidate) in owners::owners(tx, organisation, kind, &value, at).await? {
            let person = turn::person(tx, candidate).await?;
            let sealer = tx.sealer(person.key).await?;
            for (kind, value) in addresses_of(new) {
                let believed = (app.id(now), kind, value.as_str(), AddressState::Believed);
                addresses::add(tx, &sealer, candidate, believed, None).await?;
            }
            addresses::set_state(tx, address, AddressState::Dead, at).await?;
            flag(app, tx, &person, Why::NumberChanged, now).await?;
        }
    }
    Ok(())
}

async fn flag(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    why: Why,
    now: Timestamp,
) -> Result<(), AppError> {
    let id = app.id(now);
    let candidate = person.candidate.id;
    flags::open(
        tx,
        id,
        candidate,
        person.candidate.coach,
        why,
        Subject::Nothing,
        now,
    );
    Ok(())
}

/// Starts the flow that greets somebody who came by a code.
async fn welcome(app: &App, tx: &mut Tx, person: &Person, now: Timestamp) -> Result<(), AppError> {
    if matches!(
        person.candidate.state,
        CandidateState::Unknown | CandidateState::Left
    ) {
        contacts::set_state(tx, person.candidate.id, CandidateState::Active).await?;
    }
    let flow = app
        .book
        .newest("welcome")
        .ok_or_else(|| AppError::Text("no flow welcome".into()))?;
    let start = Event::Start {
        flow,
        subject: Subject::Nothing,
    };
    turn::play(app, tx, person, start, now).await
}

fn addresses_of(sender: &Sender) -> Vec<(AddressKind, String)> {
    let number = sender
        .number
        .iter()
        .map(|number| (AddressKind::Whatsapp, number.clone()));
    let user_id = sender
        .user_id
        .iter()
        .map(|id| (AddressKind::Bsuid, id.clone()));
    number.chain(user_id).collect()
}

/// The code of an invite: two groups of four letters and digits, in whatever sentence it stands.
pub fn code_in(words: &str) -> Option<String> {
    words
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .map(str::to_ascii_uppercase)
        .find(|word| {
            word.len() == 9
                && word.as_bytes()[4] == b'-'
                && word.chars().filter(|c| *c == '-').count() == 1
        })
}

async fn invited(
    tx: &mut Tx,
    organisation: OrganisationId,
    code: &str,
    now: Timestamp,
) -> Result<Option<CandidateId>, AppError> {
    let Some(invite) = invites::invite(tx, code).await? else {
        return Ok(None);
    };
    if invite.used_at.is_some() || invite.ends_at < now {
        return Ok(None);
    }
    let person = turn::person(tx, invite.candidate).await?;
    Ok((person.organisation == organisation).then_some(invite.candidate))
}

/// One address of a sender and one of its owners; `at` says which of the sender's addresses.
struct Known {
    at: usize,
    address: AddressId,
    candidate: CandidateId,
}

async fn known(
    tx: &mut Tx,
    organisation: OrganisationId,
    addresses: &[(AddressKind, String)],
    heard_at: Timestamp,
) -> Result<Vec<Known>, AppError> {
    let mut known = Vec::new();
    for (at, (kind, value)) in addresses.iter().enumerate() {
        for (address, candidate) in owners::owners(tx, organisation, *kind, value, heard_at).await?
        {
            known.push(Known {
                at,
                address,
                candidate,
            });
        }
    }
    Ok(known)
}

/// Whose address is it? Of several owners, the only one with an open question gets the words; if none
/// or several have one, the first gets them and a flag.
#[expect(
    clippy::too_many_arguments,
    reason = "who wrote, from where, and who was found in this batch"
)]
async fn whose(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
    addresses: &[(AddressKind, String)],
    known: &[Known],
    heard: &Heard,
    people: &mut Found,
    now: Timestamp,
) -> Result<CandidateId, AppError> {
    let mut owners: Vec<CandidateId> = known.iter().map(|known| known.candidate).collect();
    owners.dedup();
    match owners.as_slice() {
        [only] => Ok(*only),
        [] => {
            let key = format!("{organisation}|{}", addresses[0].1);
            if let Some(made) = people.get(&key) {
                return Ok(*made);
            }
            let made = unknown(app, tx, organisation, heard, now).await?;
            people.insert(key, made);
            Ok(made)
        }
        several => {
            let mut with_front = Vec::new();
            for candidate in several {
                let person = turn::person(tx, *candidate).await?;
                let sealer = tx.sealer(person.key).await?;
                if turn::has_front(&talks::peek(tx, *candidate, &sealer).await?) {
                    with_front.push(*candidate);
                }
            }
            if let [only] = with_front.as_slice() {
                return Ok(*only);
            }
            let first = several[0];
            let person = turn::person(tx, first).await?;
            flag(app, tx, &person, Why::Wrote, now).await?;
            Ok(first)
        }
    }
}

/// A person whom nobody knows yet, in the first team of the organisation.
async fn unknown(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
    heard: &Heard,
    now: Timestamp,
) -> Result<CandidateId, AppError> {
    let house = app.house(organisation)?;
    let (team, _) = house.teams.first().ok_or(AppError::NotFound)?;
    let id = app.id(now);
    let name = heard.from.name.as_deref().unwrap_or_default();
    contacts::add(
        tx,
        &NewCandidate {
            id,
            organisation,
            team: *team,
            coach: None,
            first_name: name,
            family_name: "",
            language: "nl",
            digital_skill: DigitalSkill::Basic,
            track: Track::Participation,
            state: CandidateState::Unknown,
            reference: None,
        },
        now,
    )
    .await?;
    Ok(id)
}

/// The number of our message that this one answers: in the tap itself, else by what it quotes.
async fn answered_message(
    tx: &mut Tx,
    candidate: CandidateId,
    heard: &Heard,
) -> Result<Option<u32>, AppError> {
    if let Content::Button { payload, .. } = &heard.content
        && let Some(button) = tapped(payload)
    {
        return Ok(Some(button.to));
    }
    let quoted = match &heard.content {
        Content::Reaction { to, .. } => Some(to),
        _ => heard.quotes.as_ref(),
    };
    match quoted {
        Some(id) => Ok(attempts::said_of(tx, candidate, id).await?),
        None => Ok(None),
    }
}

fn tapped(payload: &str) -> Option<Button> {
    let (to, choice) = payload.split_once(':')?;
    Some(Button {
        to: to.parse().ok()?,
        choice: choice.to_owned(),
    })
}

/// The words in a message, for codes, marks and alarms.
fn words_of(content: &Content) -> String {
    match content {
        Content::Text { body }
        | Content::Edited {
            body: Some(body), ..
        } => body.clone(),
        Content::Media(media) => media.caption.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// What the talk hears. A thumb counts only under a message of ours, as a yes to that one.
fn said(app: &App, content: &Content, answers: Option<u32>) -> event::Heard {
    match content {
        Content::Button { payload, label } => match tapped(payload) {
            Some(button) => event::Heard::tap(button, label),
            None => event::Heard::words(label, &app.vocabulary),
        },
        Content::Reaction { emoji, .. } => {
            let mut heard = event::Heard::reaction(emoji.as_deref().unwrap_or_default());
            if heard.assent == Some(true) {
                heard.button = answers.map(|to| Button {
                    to,
                    choice: "yes".into(),
                });
            }
            heard.assent = None;
            heard
        }
        Content::Text { .. } | Content::Edited { .. } => {
            event::Heard::words(&words_of(content), &app.vocabulary)
        }
        Content::Media(media) if media.kind == "image" => {
            event::Heard::photo(&words_of(content), &app.vocabulary)
        }
        _ => event::Heard::media(&words_of(content), &app.vocabulary),
    }
}
