//! Flows that nobody would write: every kind of node, edges at random, circles, nodes that are missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tussendoor::domain::contact::Purpose;
use tussendoor::domain::flow::definition::{
    About, Anchor, Ask, Busy, Choice, Deed, Exit, Fact, Flow, Hears, Kind, Moment, Node, Offer,
    Say, Silent, Span, Unclear,
};
use tussendoor::domain::ids::{FlowHash, NodeId};
use tussendoor::domain::talk::effect::{Act, Approve, Because};
use tussendoor::domain::talk::event::Change;
use tussendoor::domain::talk::state::Why;

/// Names of nodes; an edge may lead to the last one, which never exists.
const NODES: u8 = 8;

fn node() -> impl Strategy<Value = NodeId> {
    (0..=NODES).prop_map(|n| NodeId(format!("n{n}")))
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        (1..90u32).prop_map(Span::Minutes),
        (1..60u32).prop_map(Span::Hours),
        (1..20u32).prop_map(Span::Days),
        (1..8u32).prop_map(Span::WorkingDays),
    ]
}

fn moment_of() -> impl Strategy<Value = Moment> {
    let anchor = prop_oneof![
        span().prop_map(Anchor::In),
        span().prop_map(Anchor::BeforeMeeting),
        span().prop_map(Anchor::AfterMeeting),
    ];
    (anchor, prop::option::of(0..24u32)).prop_map(|(from, hour)| Moment {
        from,
        at: hour.and_then(|hour| chrono::NaiveTime::from_hms_opt(hour, 30, 0)),
    })
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        Just(Deed::Act(Act::MeetingBook)),
        Just(Deed::Act(Act::Prefers("x".into()))),
        any::<bool>().prop_map(|given| Deed::Consent {
            purposes: vec![Purpose::Meetings],
            given
        }),
    ];
    prop::collection::vec(deed, 0..2)
}

fn approve() -> impl Strategy<Value = Option<Approve>> {
    prop::option::of(prop::sample::select(vec![
        Approve::Auto,
        Approve::FirstTime,
        Approve::Coach,
    ]))
}

fn unclear() -> impl Strategy<Value = Option<Unclear>> {
    prop::option::of((0..4u8, node()).prop_map(|(tries, go)| Unclear { tries, go }))
}

fn ask() -> impl Strategy<Value = Ask> {
    let choice = |id: &'static str| {
        (deeds(), node()).prop_map(move |(deeds, go)| Choice {
            id: id.to_owned(),
            deeds,
            go,
        })
    };
    let offer = (1..4usize, node(), deeds(), node()).prop_map(|(count, none, deeds, go)| Offer {
        count,
        none,
        deeds,
        go,
    });
    let exit = || (deeds(), node()).prop_map(|(deeds, go)| Exit { deeds, go });
    let exits = (
        prop::option::of(exit()),
        prop::option::of(exit()),
        prop::option::of(exit()),
    );
    (
        (span(), node()),
        (choice("yes"), choice("no")),
        prop::option::of(offer),
        exits,
        approve(),
        prop::option::of(moment_of()),
        prop::option::of(node()),
        unclear(),
    )
        .prop_map(
            |((after, go), (yes, no), offer, exits, approve, not_after, undelivered, unclear)| {
                Ask {
                    silent: Silent { after, go },
                    choices: vec![yes, no],
                    offer,
                    text: exits.0,
                    media: exits.1,
                    command: exits.2,
                    approve,
                    not_after,
                    undelivered,
                    unclear,
                }
            },
        )
}

fn kind() -> impl Strategy<Value = Kind> {
    let facts = vec![
        Fact::TaskOpen,
        Fact::MeetingBooked,
        Fact::MeetingHeld,
        Fact::MeetingMissed,
        Fact::VacancyOpen,
        Fact::SlotsFree,
        Fact::DigitalStarter,
        Fact::MeetingVideo,
        Fact::MeetingSoon,
        Fact::Exercised("photo".into()),
    ];
    prop_oneof![
        4 => ask().prop_map(|ask| Kind::Ask(Box::new(ask))),
        3 => (node(), deeds(), approve(), prop::option::of(moment_of())).prop_map(
            |(go, deeds, approve, not_after)| Kind::Say(Say { go, deeds, approve, not_after })
        ),
        2 => (moment_of(), node()).prop_map(|(until, go)| Kind::Wait { until, go }),
        1 => (change(), node()).prop_map(|(change, go)| Kind::Await { change, go }),
        2 => (prop::sample::select(facts), node(), node())
            .prop_map(|(fact, yes, no)| Kind::If { fact, yes, no }),
        1 => (any::<bool>(), prop::option::of(node())).prop_map(|(hands_over, go)| {
            let go = go.filter(|_| !hands_over);
            Kind::Coach { why: Why::AskedForHelp, hands_over, go }
        }),
        1 => deeds().prop_map(|deeds| Kind::End { because: Because::Answered, deeds }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop::sample::select(vec![
        Change::MeetingBooked,
        Change::MeetingMoved,
        Change::MeetingCancelled,
        Change::SignOfLife,
    ])
}

pub fn flow(number: usize) -> impl Strategy<Value = Arc<Flow>> {
    let changes = || prop::collection::btree_map(change(), node(), 0..3);
    let hears = prop::collection::btree_map(
        prop::sample::select(vec![
            Hears::Help,
            Hears::Crisis,
            Hears::Cancel,
            Hears::Reschedule,
            Hears::WrongNumber,
        ]),
        node(),
        0..3,
    );
    (
        prop::collection::vec(kind(), usize::from(NODES)),
        (node(), span(), any::<bool>()),
        prop::sample::select(vec![Busy::Wait, Busy::Skip, Busy::Replace]),
        (changes(), changes()),
        (prop::option::of(node()), unclear(), hears),
    )
        .prop_map(
            move |(kinds, (start, lasts, reply), busy, (on, opens), exits)| {
                let (undelivered, unclear, hears) = exits;
                let nodes = kinds
                    .into_iter()
                    .enumerate()
                    .map(|(line, kind)| (NodeId(format!("n{line}")), Node { line, kind }));
                Arc::new(Flow {
                    name: format!("flow{number}"),
                    hash: FlowHash(format!("hash{number}")),
                    title: String::new(),
                    purpose: if reply {
                        Purpose::Reply
                    } else {
                        Purpose::Meetings
                    },
                    about: About::Meeting,
                    start,
                    lasts,
                    busy,
                    on,
                    opens,
                    hears,
                    moves: BTreeMap::new(),
                    undelivered,
                    unclear,
                    nodes: nodes.collect(),
                    labels: BTreeMap::new(),
                })
            },
        )
}
