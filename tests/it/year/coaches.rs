//! What the three coaches do on a working morning: decide about drafts and doubts, answer who waits, call
//! who is silent. They use the verbs of their pages and nothing else.

use tussendoor::app::approve::{self, Doubt, Seen};
use tussendoor::app::{AppError, desk, note, takeover};
use tussendoor::domain::access::Scope;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::message::MessageState;
use tussendoor::domain::talk::state::Why;

use super::people::Dice;
use crate::support::house::House;

/// What a coach writes to somebody who waits for an answer.
pub const OWN_WORDS: &str = "Ik bel je vandaag.";

/// One morning of one coach; `reached`: does this person take up the telephone?
pub async fn morning(
    house: &House,
    scope: &Scope,
    dice: &mut Dice,
    reached: impl Fn(CandidateId) -> bool,
) {
    drafts(house, scope, dice).await;
    let mut today = desk::today(&house.app, scope).await.unwrap();
    today.flags.sort_by_key(|flag| (flag.candidate, flag.why));
    for person in &today.people {
        if !today.team.is_mine(person.coach) {
            continue;
        }
        if person.unanswered_since.is_some() && dice.of_hundred(90) {
            let wrote = takeover::write(&house.app, scope, person.id, OWN_WORDS, None);
            match wrote.await {
                Ok(_) => {}
                // Outside the window a coach telephones.
                Err(AppError::No { .. }) if reached(person.id) => {
                    note::sign_of_life(&house.app, scope, person.id)
                        .await
                        .unwrap();
                }
                Err(AppError::No { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        if person.with_coach && dice.of_hundred(50) {
            takeover::give_back(&house.app, scope, person.id)
                .await
                .unwrap();
        }
    }
    for flag in &today.flags {
        if !today.team.is_mine(flag.coach) {
            continue;
        }
        match flag.why {
            Why::SilentTooLong
            | Why::InvitationUnanswered
            | Why::HumanFloor
            | Why::PersonalLine
            | Why::Letter => {
                if reached(flag.candidate) && dice.of_hundred(60) {
                    note::sign_of_life(&house.app, scope, flag.candidate)
                        .await
                        .unwrap();
                }
            }
            // They are answered, not closed.
            Why::AnswerOverdue | Why::TeamAnswerOverdue => {}
            _ => {
                let closed = takeover::close_flag(&house.app, scope, flag.candidate, flag.id).await;
                // The call before this one may have settled it.
                assert!(matches!(closed, Ok(()) | Err(AppError::Overtaken { .. })));
            }
        }
    }
}

async fn drafts(house: &House, scope: &Scope, dice: &mut Dice) {
    let (team, mut listed) = desk::drafts(&house.app, scope).await.unwrap();
    listed.sort_by_key(|item| item.row.candidate);
    for item in listed {
        let row = item.row;
        if !team.is_mine(row.coach) {
            continue;
        }
        let seen = Seen {
            version: row.version,
            content_hash: row.content_hash,
        };
        let done = match (row.state, dice.below(20)) {
            (MessageState::InDoubt, _) => {
                let leave = Doubt::LeaveAlone;
                approve::resolve_doubt(&house.app, scope, row.id, row.version, leave).await
            }
            // Not today.
            (_, 0) => Ok(()),
            (_, 1) => approve::drop_draft(&house.app, scope, row.id, &seen, "not_now").await,
            _ => match approve::approve(&house.app, scope, row.id, &seen).await {
                // Its day passed while it lay here.
                Err(AppError::No { .. }) => {
                    approve::drop_draft(&house.app, scope, row.id, &seen, "not_now").await
                }
                done => done.map(drop),
            },
        };
        // One decision may take the next draft of the same person away.
        assert!(
            matches!(done, Ok(()) | Err(AppError::Overtaken { .. })),
            "{done:?}"
        );
    }
}
