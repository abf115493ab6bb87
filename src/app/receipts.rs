//! Delivery reports. A report is kept once a kind; one that comes before its send's answer waits and is
//! joined later. A report proves acceptance, so it settles doubt. Absence of a report proves nothing.

use super::{App, AppError, outcome, turn};
use crate::domain::contact::AddressState;
use crate::domain::ids::{LineId, MessageId};
use crate::domain::message::MessageState;
use crate::domain::talk::state::Why;
use crate::domain::time::Timestamp;
use crate::ports::channel::{Outcome, Receipt, ReceiptKind};
use crate::store::attempts::{self, NewReceipt};
use crate::store::contacts::{self, Person};
use crate::store::outbox::{self, Outgoing};
use crate::store::{Serves, Tx, addresses, flags};

/// Reports from webhooks, each with the line that it came in on.
pub async fn receipts(
    app: &App,
    tx: &mut Tx,
    reports: &[(LineId, &Receipt)],
    now: Timestamp,
) -> Result<(), AppError> {
    if reports.len() > 1 {
        let asked: Vec<_> = reports
            .iter()
            .map(|(_, report)| (report.token.as_deref(), report.provider_id.as_str()))
            .collect();
        attempts::attempts_ahead(tx, &asked).await?;
    }
    let (mut found, mut new) = (Vec::new(), Vec::new());
    for (line, report) in reports {
        let of = attempts::attempt_of(tx, report.token.as_deref(), &report.provider_id).await?;
        new.push(NewReceipt {
            id: app.id(now),
            line: *line,
            token: report.token.as_deref(),
            provider_id: &report.provider_id,
            kind: report.kind,
            code: report.code.as_deref(),
            at: report.at,
            message: of.map(|(message, _)| message),
        });
        found.push(of);
    }
    let added = attempts::add_receipts(tx, &new, now).await?;
    let told = new.iter().zip(found);
    let told: Vec<_> = told
        .filter(|(new, _)| added.contains(&new.id))
        .filter_map(|(new, of)| of.map(|(message, attempt)| (new, message, attempt)))
        .collect();
    if told.len() > 1 {
        let messages: Vec<MessageId> = told.iter().map(|(_, message, _)| *message).collect();
        let people = outbox::messages_ahead(tx, &messages).await?;
        let people: Vec<_> = people.into_iter().collect();
        contacts::people_ahead(tx, &people, Serves::Looks).await?;
    }
    for (new, message, attempt) in told {
        let report = Report {
            provider_id: new.provider_id,
            kind: new.kind,
            code: new.code,
            at: new.at,
        };
        apply(app, tx, message, attempt, &report, now).await?;
        tx.turn_over(&message);
    }
    Ok(())
}

/// Joins the reports that came before the answer of their send. `ids` is the provider's id (may be
/// empty) and our token.
pub async fn adopt(
    app: &App,
    tx: &mut Tx,
    message: &Outgoing,
    person: &Person,
    ids: (&str, &str),
    now: Timestamp,
) -> Result<(), AppError> {
    let attempt = message.attempt + 1;
    for orphan in attempts::orphans(tx, ids.0, ids.1).await? {
        attempts::adopt(tx, orphan.id, message.id).await?;
        let report = Report {
            provider_id: ids.0,
            kind: orphan.kind,
            code: orphan.code.as_deref(),
            at: orphan.at,
        };
        apply(app, tx, message.id, attempt, &report, now).await?;
    }
    tx.changed(person.candidate.id);
    Ok(())
}

struct Report<'a> {
    provider_id: &'a str,
    kind: ReceiptKind,
    code: Option<&'a str>,
    at: Timestamp,
}

async fn apply(
    app: &App,
    tx: &mut Tx,
    id: MessageId,
    attempt: u32,
    report: &Report<'_>,
    now: Timestamp,
) -> Result<(), AppError> {
    let Some(message) = outbox::message(tx, id).await? else {
        return Ok(());
    };
    let person = turn::person(tx, message.candidate).await?;
    tx.changed(message.candidate);
    if !report.provider_id.is_empty() {
        let sealer = tx.sealer(person.key).await?;
        attempts::named(tx, &sealer, id, attempt, report.provider_id);
    }
    // Whatever it says, it speaks of a message that the provider has: doubt is over.
    let open = matches!(message.state, MessageState::InDoubt | MessageState::Sending);
    if open && attempts::proven(tx, id, attempt, report.at).await? {
        let (candidate, subject) = (message.candidate, message.subject);
        flags::settle(tx, candidate, Why::InDoubt, subject, None, now).await?;
        outcome::accepted(app, tx, &message, &person, now).await?;
        outbox::after_doubt(tx, candidate, now).await?;
    }
    attempts::fact(tx, id, report.kind, report.at);
    if report.kind == ReceiptKind::Failed {
        failed(
            app,
            tx,
            id,
            attempt,
            report.code.unwrap_or("unknown"),
            &person,
            now,
        )
        .await?;
    }
    Ok(())
}

/// *Failed* after acceptance: a code that says undeliverable gives way to the next form, once and
/// visibly; any other is a flag for the coach, never a resend.
async fn failed(
    app: &App,
    tx: &mut Tx,
    id: MessageId,
    attempt: u32,
    code: &str,
    person: &Person,
    now: Timestamp,
) -> Result<(), AppError> {
    let Some(message) = outbox::message(tx, id).await? else {
        return Ok(());
    };
    let sealer = tx.sealer(person.key).await?;
    let forms = outbox::forms(tx, &sealer, id).await?;
    let here = usize::try_from(message.form).unwrap_or(0);
    let Some(form) = forms.get(here) else {
        return Ok(());
    };
    let Some((_, door)) = app.door_of(form.line) else {
        return Ok(());
    };
    if let Outcome::NextForm { dead, .. } = door.channel.failed(code) {
        if dead {
            addresses::set_state(tx, form.address, AddressState::Doubted, now).await?;
        }
        let next = (here + 1..forms.len()).find(|at| !dead || forms[*at].address != form.address);
        if let Some(next) = next.and_then(|next| u32::try_from(next).ok())
            && attempts::next_form(tx, id, attempt, code, next, now).await?
        {
            return Ok(());
        }
        if attempts::failed_for_good(tx, id, attempt, code).await? {
            return outcome::gave_up(app, tx, &message, person, Why::NotReachable, now).await;
        }
    }
    let (flag, coach) = (app.id(now), person.candidate.coach);
    flags::open(
        tx,
        flag,
        message.candidate,
        coach,
        Why::SendFailed,
        message.subject,
        now,
    );
    Ok(())
}
