//! Whether a step needs moments is asked before they are read: the answer must never be "no" for a step
//! that looks at them. Over the flows that there are and over flows that nobody would write.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tussendoor::assemble;
use tussendoor::domain::command::Command;
use tussendoor::domain::flow::definition::{Exit, Flow, Kind, Node};
use tussendoor::domain::ids::{FlowHash, NodeId};
use tussendoor::domain::plan::MeetingMode;
use tussendoor::domain::slots::{Wanted, needed_by};
use tussendoor::domain::talk::effect::{Effect, Saying};
use tussendoor::domain::talk::event::Event;
use tussendoor::domain::talk::step::step;
use tussendoor::domain::talk::world::World;

use super::flows::flow;
use super::{FLOWS, Move, Stage, moves, slot};

static REAL: LazyLock<Vec<Arc<Flow>>> = LazyLock::new(|| {
    let book = assemble::builtin().unwrap().book;
    let newest = book.newest_all().into_values();
    newest.map(|hash| book.flow(&hash).unwrap()).collect()
});

/// As many of the real flows as a stage holds, under the names that it knows them by.
fn real() -> impl Strategy<Value = Vec<Arc<Flow>>> {
    prop::sample::subsequence(REAL.clone(), FLOWS).prop_map(|flows| {
        let named = flows.into_iter().enumerate().map(|(number, flow)| {
            Arc::new(Flow {
                hash: FlowHash(format!("hash{number}")),
                ..(*flow).clone()
            })
        });
        named.collect()
    })
}

/// The step with moments and the step without: they differ only where moments were needed.
fn asked_first(stage: &Stage, event: &Event) -> Result<bool, TestCaseError> {
    let world = &stage.world;
    let needed = needed_by(
        &stage.talk,
        event,
        &world.flows,
        &world.newest,
        &world.plan,
        stage.now,
    );
    let play = |free: u8| {
        let world = World {
            free_slots: (0..free).map(slot).collect(),
            ..world.clone()
        };
        step(stage.talk.clone(), event, &world, stage.now)
    };
    let with = play(4);
    if needed.is_empty() {
        prop_assert_eq!(&with, &play(0), "moments were looked at after all");
        return Ok(false);
    }
    // What was read fits what is offered: the office, unless this meeting may be elsewhere.
    let read = Wanted::of(None, &needed, &world.plan).mode;
    let mut offered = false;
    for effect in &with.1 {
        if let Effect::Say(say) = effect
            && matches!(&say.saying, Saying::Ask { slots, .. } if !slots.is_empty())
        {
            offered = true;
            let fits = Wanted::of(None, &[say.subject], &world.plan).mode;
            prop_assert!(
                read == MeetingMode::Office || read == fits,
                "{read:?} was read for {fits:?}"
            );
        }
    }
    Ok(offered)
}

fn plays(flows: Vec<Arc<Flow>>, list: &[Move]) -> Result<usize, TestCaseError> {
    let mut stage = Stage::new(flows);
    stage.world.plan.meetings[1].mode = MeetingMode::Video;
    let mut offers = 0;
    for happens in list {
        let Some(event) = stage.event(happens) else {
            continue;
        };
        offers += usize::from(asked_first(&stage, &event)?);
        stage.play(&event)?;
        for _ in 0..40 {
            if stage.talk.wake_at().is_none_or(|at| at > stage.now) {
                break;
            }
            offers += usize::from(asked_first(&stage, &Event::Woke)?);
            stage.play(&Event::Woke)?;
        }
    }
    Ok(offers)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moments_are_read_for_every_offer_of_flows_that_nobody_would_write(
        flows in (flow(0), flow(1), flow(2)),
        list in moves(),
    ) {
        plays(vec![flows.0, flows.1, flows.2], &list)?;
    }

    #[test]
    fn moments_are_read_for_every_offer_of_the_flows_that_there_are(
        flows in real(),
        list in moves(),
    ) {
        plays(flows, &list)?;
    }
}

/// The property above could hold because nothing is ever offered.
#[test]
fn the_stage_offers_moments() {
    let invites = REAL.iter().find(|flow| flow.name == "meeting_invite");
    let flow = Arc::new(Flow {
        hash: FlowHash("hash0".into()),
        ..(**invites.unwrap()).clone()
    });
    assert_eq!(plays(vec![flow], &[Move::Start(0, 0)]).unwrap(), 1);
}

/// A question may take a command for an answer; where that leads can offer moments as well.
#[test]
fn a_command_for_an_answer_can_lead_to_moments() {
    let invites = REAL.iter().find(|flow| flow.name == "meeting_invite");
    let mut flow = Flow {
        hash: FlowHash("hash0".into()),
        ..(**invites.unwrap()).clone()
    };
    let (offers, mut without) = flow
        .nodes
        .iter()
        .find_map(|(id, node)| match &node.kind {
            Kind::Ask(ask) if ask.offer.is_some() => Some((id.clone(), ask.clone())),
            _ => None,
        })
        .unwrap();
    let none = NodeId("none".into());
    // Nothing else leads there.
    flow.hears.clear();
    without.offer = None;
    without.text = None;
    for choice in &mut without.choices {
        choice.go = none.clone();
    }
    without.command = Some(Exit {
        deeds: Vec::new(),
        go: offers.clone(),
    });
    if let Kind::Ask(ask) = &mut flow.nodes.get_mut(&offers).unwrap().kind {
        ask.offer.as_mut().unwrap().none = none.clone();
    }
    let kind = Kind::Ask(without);
    flow.nodes.insert(none, Node { line: 0, kind });
    let list = [
        Move::Slots(0),
        Move::Start(0, 0),
        Move::Receipt(0, 2),
        Move::Slots(1),
        Move::Command(Command::Plan),
    ];
    // At the start, and at the command.
    assert_eq!(plays(vec![Arc::new(flow)], &list).unwrap(), 2);
}
