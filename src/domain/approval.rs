//! Who lets a message go: it by itself, a coach the first time, a coach every time.
//! What makes an approval stale is the hash of the forms, not decided here.

use super::talk::effect::Approve;

/// A direct answer goes by itself and what we begin waits for a coach, unless the flow wishes
/// otherwise; the team's policy comes after; "everything by hand" and the human floor only raise.
/// `first_time` is settled here: `Auto` once a coach approved this rule for this person.
pub fn approval_for(
    flow_wish: Option<Approve>,
    direct: bool,
    policy: Option<Approve>,
    by_hand: bool,
    floor_reached: bool,
    approved_before: bool,
) -> Approve {
    let by_cause = if direct {
        Approve::Auto
    } else {
        Approve::Coach
    };
    let asked = policy.or(flow_wish).unwrap_or(by_cause);
    let settled = match asked {
        Approve::FirstTime if approved_before => Approve::Auto,
        asked => asked,
    };
    // The human floor counts nudges: somebody who just wrote is answered.
    if by_hand || (floor_reached && !direct) {
        return Approve::Coach;
    }
    settled
}

/// Why a draft is read on its own, and never approved in one act with others of its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alone {
    /// The person wrote and waits for an answer: reading that comes first.
    Unread,
    /// Something about this person asks for a coach: a flag is open.
    Flagged,
    /// A coach decided something about this text before: other words, a hold, a second sending.
    Touched,
    /// A line of the coach belongs in it, or a coach wrote it.
    OwnWords,
    /// No way is open by which it could leave.
    NoWay,
}

/// What a draft's place among others hangs on.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// `flow/node`.
    pub rule: &'a str,
    pub state_why: Option<&'a str>,
    pub written_by_coach: bool,
    pub unread: bool,
    pub flagged: bool,
    pub touched: bool,
    /// So many automatic messages in a row that the next asks for a coach's own line.
    pub floor_reached: bool,
    pub has_way: bool,
}

impl Standing<'_> {
    /// Nothing, if it may be approved together with others of the same rule.
    pub fn alone(&self) -> Option<Alone> {
        let own_words = self.written_by_coach
            || self.floor_reached
            || self.state_why == Some("human_floor")
            || self.rule.ends_with("/personal_line");
        [
            (self.unread, Alone::Unread),
            (self.flagged, Alone::Flagged),
            (self.touched, Alone::Touched),
            (own_words, Alone::OwnWords),
            (!self.has_way, Alone::NoWay),
        ]
        .into_iter()
        .find_map(|(true_of_it, why)| true_of_it.then_some(why))
    }
}

#[cfg(test)]
mod tests {
    use super::Approve::{Auto, Coach, FirstTime};
    use super::*;

    #[test]
    fn who_approves_what() {
        // flow's wish, direct, policy, by hand, floor, approved before: who
        for (wish, direct, policy, by_hand, floor, before, who) in [
            (None, true, None, false, false, false, Auto),
            (None, false, None, false, false, false, Coach),
            (None, false, None, false, false, true, Coach),
            (Some(Auto), false, None, false, false, false, Auto),
            (Some(Coach), true, None, false, false, false, Coach),
            (Some(FirstTime), false, None, false, false, false, FirstTime),
            (Some(FirstTime), false, None, false, false, true, Auto),
            (Some(Auto), false, Some(Coach), false, false, true, Coach),
            (Some(Coach), false, Some(Auto), false, false, false, Auto),
            (None, false, Some(FirstTime), false, false, true, Auto),
            (None, true, Some(FirstTime), false, false, false, FirstTime),
            (Some(Auto), true, Some(Auto), true, false, true, Coach),
            (Some(Auto), false, Some(Auto), false, true, true, Coach),
            (None, true, None, false, true, false, Auto),
            (Some(FirstTime), false, None, true, false, true, Coach),
        ] {
            let approve = approval_for(wish, direct, policy, by_hand, floor, before);
            assert_eq!(
                approve, who,
                "{wish:?} {direct} {policy:?} {by_hand} {floor} {before}"
            );
        }
    }

    #[test]
    fn what_needs_an_eye_of_its_own_is_read_alone() {
        let plain = Standing {
            rule: "task_nudge/done_yet",
            state_why: None,
            written_by_coach: false,
            unread: false,
            flagged: false,
            touched: false,
            floor_reached: false,
            has_way: true,
        };
        assert_eq!(plain.alone(), None);
        for (standing, why) in [
            (
                Standing {
                    unread: true,
                    flagged: true,
                    ..plain
                },
                Alone::Unread,
            ),
            (
                Standing {
                    flagged: true,
                    ..plain
                },
                Alone::Flagged,
            ),
            (
                Standing {
                    touched: true,
                    ..plain
                },
                Alone::Touched,
            ),
            (
                Standing {
                    written_by_coach: true,
                    ..plain
                },
                Alone::OwnWords,
            ),
            (
                Standing {
                    floor_reached: true,
                    ..plain
                },
                Alone::OwnWords,
            ),
            (
                Standing {
                    state_why: Some("human_floor"),
                    ..plain
                },
                Alone::OwnWords,
            ),
            (
                Standing {
                    rule: "task_nudge/personal_line",
                    ..plain
                },
                Alone::OwnWords,
            ),
            (
                Standing {
                    has_way: false,
                    ..plain
                },
                Alone::NoWay,
            ),
        ] {
            assert_eq!(standing.alone(), Some(why), "{standing:?}");
        }
    }

    #[test]
    fn by_hand_and_the_floor_never_lower() {
        let choices = [None, Some(Auto), Some(FirstTime), Some(Coach)];
        let yes_no = [false, true];
        for wish in choices {
            for policy in choices {
                for direct in yes_no {
                    for before in yes_no {
                        let plain = approval_for(wish, direct, policy, false, false, before);
                        for (hand, floor) in [(false, true), (true, false), (true, true)] {
                            assert!(
                                approval_for(wish, direct, policy, hand, floor, before) >= plain
                            );
                        }
                    }
                }
            }
        }
    }
}
