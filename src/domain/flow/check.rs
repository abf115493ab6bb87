//! Judges a flow before anybody plays it: nodes that are missing, never reached or never left; circles
//! without a question; more answers than a digit has; exits that are missing; a coach out of reach;
//! questions that may fall outside the 24-hour window without a template; what does not belong to the
//! flow's subject. What a text must be is `texts/book.rs`.

use std::collections::BTreeSet;

use super::definition::{About, Anchor, Ask, Deed, Exit, Fact, Flow, Hears, Kind, Node, Problem};
use crate::domain::contact::Purpose;
use crate::domain::ids::NodeId;
use crate::domain::talk::effect::{Act, Approve};
use crate::domain::talk::event::Change;

/// A digit answers: more than nine cannot be typed with one key.
const MOST_ANSWERS: usize = 9;
/// A person is at most this many answers away, wherever somebody is asked something.
const STEPS_TO_A_PERSON: u8 = 2;

/// Everything wrong with the flow. `templates` are the nodes whose text has a template of its own, in
/// every language.
pub fn check(flow: &Flow, templates: &BTreeSet<NodeId>) -> Vec<Problem> {
    let file = format!("config/flows/{}.toml", flow.name);
    let mut problems = Vec::new();
    let mut say = |line: usize, what: String, expected: &str| {
        problems.push(Problem {
            file: file.clone(),
            line,
            what,
            expected: expected.to_owned(),
        });
    };
    for (from, line, to) in edges(flow) {
        if !flow.nodes.contains_key(&to) {
            say(
                line,
                format!("{from} leads to {to}, which is no node"),
                "the name of a node",
            );
        }
    }
    let reached = reach(flow, entries(flow));
    for (id, node) in flow.nodes.iter().filter(|(id, _)| !reached.contains(*id)) {
        say(
            node.line,
            format!("nothing leads to {id}"),
            "a way to it, or no such node",
        );
    }
    for (id, node) in &flow.nodes {
        if let Kind::Ask(ask) = &node.kind {
            for (what, expected) in ask_problems(flow, id, ask) {
                say(node.line, what, expected);
            }
            if !person_near(flow, id) {
                say(
                    node.line,
                    format!("no coach is within two answers of {id}"),
                    "a way to a coach",
                );
            }
        }
        for (what, expected) in foreign(flow.about, id, &node.kind) {
            say(node.line, what, expected);
        }
        if circles(flow, id, node) {
            say(
                node.line,
                format!("{id} leads back to itself without a question or a wait"),
                "an ask or a wait on the way",
            );
        }
        if !ends(flow, id) {
            say(
                node.line,
                format!("{id} never comes to an end or a person"),
                "a way to an end or a coach",
            );
        }
    }
    for change in flow.on.keys().chain(flow.opens.keys()) {
        if !happens_to(*change, flow.about) {
            say(
                1,
                format!("{change:?} never happens to what this flow is about"),
                "changes of the flow's own subject",
            );
        }
    }
    for hears in flow.hears.keys().filter(|it| it.about() != flow.about) {
        say(
            1,
            format!("{hears:?} is not heard about what this flow is about"),
            "words about the flow's own subject",
        );
    }
    for what in alarm_problems(flow) {
        say(1, what, "a text, and a coach with hands_over = true");
    }
    let cold = cold(flow);
    for (id, node) in flow.nodes.iter().filter(|(id, _)| cold.contains(*id)) {
        if matches!(node.kind, Kind::Ask(_)) && !templates.contains(id) {
            say(
                node.line,
                format!("{id} may fall outside the 24-hour window"),
                "a template of its own in every language",
            );
        }
    }
    problems
}

fn ask_problems(flow: &Flow, id: &NodeId, ask: &Ask) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    let offered = ask.offer.as_ref().map_or(0, |offer| offer.count);
    if ask.choices.len() + offered > MOST_ANSWERS {
        problems.push((
            format!("{id} has {} answers", ask.choices.len() + offered),
            "at most 9",
        ));
    }
    if ask.choices.is_empty() && offered == 0 && exits(ask).next().is_none() {
        problems.push((
            format!("nobody can answer {id}"),
            "choices, an offer or text",
        ));
    }
    let ids: BTreeSet<_> = ask.choices.iter().map(|choice| &choice.id).collect();
    if ids.len() < ask.choices.len() {
        problems.push((
            format!("{id} has the same choice twice"),
            "each choice once",
        ));
    }
    if flow.undelivered(ask).is_none() {
        problems.push((
            format!("{id} does not say what happens when it cannot be delivered"),
            "undelivered",
        ));
    }
    if flow.unclear(ask).is_none() && ask.text.is_none() {
        problems.push((
            format!("{id} does not say what happens when an answer is not understood"),
            "unclear",
        ));
    }
    problems
}

/// Whoever is in danger is told where the door is and meets a person; nothing is asked, nothing waits.
fn alarm_problems(flow: &Flow) -> Vec<String> {
    let mut problems = Vec::new();
    for hears in Hears::ALARMS {
        let Some(entry) = flow.hears.get(&hears) else {
            continue;
        };
        let ways = reach(flow, vec![entry.clone()]);
        let kinds = || {
            ways.iter()
                .filter_map(|id| flow.nodes.get(id).map(|node| &node.kind))
        };
        if flow.purpose != Purpose::Reply {
            problems.push(format!("{hears:?} is heard by a flow that needs consent"));
        }
        let lingers = |kind: &Kind| {
            matches!(
                kind,
                Kind::Ask(_) | Kind::Wait { .. } | Kind::Await { .. } | Kind::End { .. }
            )
        };
        let keeps = |kind: &Kind| {
            matches!(
                kind,
                Kind::Coach {
                    hands_over: false,
                    ..
                }
            )
        };
        let door = kinds().any(|kind| matches!(kind, Kind::Say(_)));
        if !door || kinds().any(|kind| lingers(kind) || keeps(kind)) {
            problems.push(format!("{hears:?} does not lead straight to a person"));
        }
    }
    problems
}

/// The alarms that no flow hears, or that two flows hear.
pub fn unheard<'a>(flows: impl Iterator<Item = &'a Flow> + Clone) -> Vec<Problem> {
    let mut problems = Vec::new();
    for hears in Hears::ALL {
        let by: Vec<&str> = flows
            .clone()
            .filter(|flow| flow.hears.contains_key(&hears))
            .map(|flow| flow.name.as_str())
            .collect();
        let what = match by.as_slice() {
            [] if Hears::ALARMS.contains(&hears) => format!("no flow hears {hears:?}"),
            [] | [_] => continue,
            several => format!("{} hear {hears:?}", several.join(" and ")),
        };
        problems.push(Problem {
            file: "config/flows".to_owned(),
            line: 1,
            what,
            expected: "one flow that hears it".to_owned(),
        });
    }
    problems
}

/// Where a run can begin or be made to jump.
fn entries(flow: &Flow) -> Vec<NodeId> {
    let others = flow
        .on
        .values()
        .chain(flow.opens.values())
        .chain(flow.hears.values())
        .chain(flow.moves.values());
    std::iter::once(&flow.start)
        .chain(others)
        .cloned()
        .collect()
}

fn next(flow: &Flow, node: &Node) -> Vec<NodeId> {
    match &node.kind {
        Kind::Ask(ask) => {
            let mut to = vec![ask.silent.go.clone()];
            to.extend(ask.choices.iter().map(|choice| choice.go.clone()));
            to.extend(exits(ask).map(|exit| exit.go.clone()));
            to.extend(
                ask.offer
                    .iter()
                    .flat_map(|offer| [offer.go.clone(), offer.none.clone()]),
            );
            to.extend(flow.undelivered(ask));
            to.extend(flow.unclear(ask).map(|unclear| unclear.go));
            to
        }
        Kind::Say(say) => vec![say.go.clone()],
        Kind::Wait { go, .. } | Kind::Await { go, .. } => vec![go.clone()],
        Kind::If { yes, no, .. } => vec![yes.clone(), no.clone()],
        Kind::Coach { go, .. } => go.iter().cloned().collect(),
        Kind::End { .. } => Vec::new(),
    }
}

/// Answers that are neither a choice nor a moment.
fn exits(ask: &Ask) -> impl Iterator<Item = &Exit> {
    ask.text.iter().chain(&ask.media).chain(&ask.command)
}

fn edges(flow: &Flow) -> Vec<(String, usize, NodeId)> {
    let mut edges: Vec<_> = entries(flow)
        .into_iter()
        .map(|to| ("the flow".to_owned(), 1, to))
        .collect();
    for (id, node) in &flow.nodes {
        edges.extend(
            next(flow, node)
                .into_iter()
                .map(|to| (id.to_string(), node.line, to)),
        );
    }
    edges
}

fn reach(flow: &Flow, from: Vec<NodeId>) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut todo = from;
    while let Some(id) = todo.pop() {
        if let Some(node) = flow.nodes.get(&id)
            && seen.insert(id)
        {
            todo.extend(next(flow, node));
        }
    }
    seen
}

/// Where a step can go on from a node without stopping there. Even a question is passed: when there is
/// nothing to offer, or when it is too late to ask.
fn passed(node: &Node) -> Vec<NodeId> {
    match &node.kind {
        Kind::Ask(ask) => {
            let none = ask.offer.iter().map(|offer| offer.none.clone());
            let late = ask.not_after.iter().map(|_| ask.silent.go.clone());
            none.chain(late).collect()
        }
        Kind::Say(say) => vec![say.go.clone()],
        Kind::If { yes, no, .. } => vec![yes.clone(), no.clone()],
        Kind::Coach { go, .. } => go.iter().cloned().collect(),
        Kind::Wait { .. } | Kind::Await { .. } | Kind::End { .. } => Vec::new(),
    }
}

/// Nodes that a step passes without stopping lead back to this one.
fn circles(flow: &Flow, id: &NodeId, node: &Node) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = passed(node);
    while let Some(at) = todo.pop() {
        if at == *id {
            return true;
        }
        if let Some(node) = flow.nodes.get(&at)
            && seen.insert(at)
        {
            todo.extend(passed(node));
        }
    }
    false
}

/// Somebody who keeps answering, in the best way or in none that is understood, meets a coach soon.
fn person_near(flow: &Flow, id: &NodeId) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![(id.clone(), 0)];
    while let Some((at, answers)) = todo.pop() {
        let Some(node) = flow.nodes.get(&at) else {
            continue;
        };
        if !seen.insert((at, answers)) {
            continue;
        }
        match &node.kind {
            Kind::Coach { .. } => return true,
            Kind::Ask(_) if answers == STEPS_TO_A_PERSON => {}
            Kind::Ask(ask) => {
                let choices = ask.choices.iter().map(|choice| &choice.go);
                let text = exits(ask).map(|exit| &exit.go);
                let offer = ask.offer.iter().map(|offer| &offer.go);
                let answered = choices.chain(text).chain(offer).cloned();
                let unclear = flow.unclear(ask).map(|unclear| unclear.go);
                todo.extend(answered.chain(unclear).map(|to| (to, answers + 1)));
            }
            _ => todo.extend(next(flow, node).into_iter().map(|to| (to, answers))),
        }
    }
    false
}

/// What a node names that its flow is not about.
fn foreign(about: About, id: &NodeId, kind: &Kind) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    let (moment, deeds): (_, Vec<&Deed>) = match kind {
        Kind::Ask(ask) => {
            let choices = ask.choices.iter().flat_map(|choice| &choice.deeds);
            let others = exits(ask).flat_map(|exit| &exit.deeds);
            (ask.not_after, choices.chain(others).collect())
        }
        Kind::Say(say) => (say.not_after, say.deeds.iter().collect()),
        Kind::Wait { until, .. } => (Some(*until), Vec::new()),
        Kind::End { deeds, .. } => (None, deeds.iter().collect()),
        Kind::If { .. } | Kind::Coach { .. } | Kind::Await { .. } => (None, Vec::new()),
    };
    if let Kind::Await { change, .. } = kind
        && !happens_to(*change, about)
    {
        problems.push((
            format!("{id} waits for {change:?}, which never happens to what this flow is about"),
            "a change of the flow's own subject",
        ));
    }
    if moment.is_some_and(|moment| !matches!(moment.from, Anchor::In(_))) && about != About::Meeting
    {
        problems.push((
            format!("{id} names a meeting's moment, and this flow is about none"),
            "`in`",
        ));
    }
    if let Kind::If { fact, .. } = kind
        && about_of_fact(fact).is_some_and(|of| of != about)
    {
        problems.push((
            format!("{id} asks for {fact:?}, and this flow is about something else"),
            "a fact about the flow's own subject",
        ));
    }
    for deed in deeds.into_iter().filter(|deed| !belongs(deed, about)) {
        problems.push((
            format!("{id} does {deed:?}, which has no place there"),
            "something to do with the flow's own subject",
        ));
    }
    problems
}

const fn about_of_fact(fact: &Fact) -> Option<About> {
    match fact {
        Fact::TaskOpen => Some(About::Task),
        Fact::MeetingBooked
        | Fact::MeetingHeld
        | Fact::MeetingMissed
        | Fact::MeetingVideo
        | Fact::MeetingPhone
        | Fact::MeetingSoon => Some(About::Meeting),
        Fact::VacancyOpen => Some(About::Vacancy),
        Fact::SlotsFree
        | Fact::DigitalStarter
        | Fact::MoreSteps
        | Fact::StepsDone
        | Fact::Exercised(_) => None,
    }
}

fn happens_to(change: Change, about: About) -> bool {
    about
        == match change {
            Change::TaskDone | Change::TaskDropped => About::Task,
            Change::MeetingBooked
            | Change::MeetingMoved
            | Change::MeetingCancelled
            | Change::MeetingMissed
            | Change::InvitationWithdrawn => About::Meeting,
            Change::VacancyClosed => About::Vacancy,
            Change::CoachChanged | Change::CoachAway | Change::CoachBack => About::Nothing,
            // Whatever a run is about, somebody who is heard is not silent.
            Change::SignOfLife => return true,
        }
}

/// Booking belongs to an offer, which is not asked here: only a moment can be booked.
fn belongs(deed: &Deed, about: About) -> bool {
    match deed {
        Deed::Consent { purposes, .. } => !purposes.contains(&Purpose::Reply),
        Deed::Act(act) => match act {
            Act::TaskDone | Act::TaskLater { .. } | Act::TaskSmaller => about == About::Task,
            Act::MeetingBook => false,
            Act::MeetingDecline | Act::MeetingAgain | Act::MeetingCancel => about == About::Meeting,
            Act::VacancyYes
            | Act::VacancyTooFar
            | Act::VacancyOtherHours
            | Act::VacancyAskCoach => about == About::Vacancy,
            Act::Prefers(_) | Act::Exercise(_) => true,
        },
    }
}

fn ends(flow: &Flow, id: &NodeId) -> bool {
    reach(flow, vec![id.clone()]).iter().any(|reached| {
        matches!(
            flow.nodes.get(reached).map(|node| &node.kind),
            Some(Kind::Coach { .. } | Kind::End { .. })
        )
    })
}

/// Nodes that a run can enter although the person did not just write: by a start of ours, a silence, a
/// wait, a change; what they lead to without stopping; and what a coach must approve first.
fn cold(flow: &Flow) -> BTreeSet<NodeId> {
    let changes = flow.on.values().chain(flow.opens.values());
    let mut todo: Vec<NodeId> = changes.chain(flow.moves.values()).cloned().collect();
    if flow.purpose != Purpose::Reply {
        todo.push(flow.start.clone());
    }
    for node in flow.nodes.values() {
        match &node.kind {
            Kind::Ask(ask) => {
                todo.push(ask.silent.go.clone());
                todo.extend(flow.undelivered(ask));
            }
            Kind::Wait { go, .. } => todo.push(go.clone()),
            Kind::Say(_)
            | Kind::If { .. }
            | Kind::Await { .. }
            | Kind::Coach { .. }
            | Kind::End { .. } => {}
        }
    }
    let mut cold = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if let Some(node) = flow.nodes.get(&id)
            && cold.insert(id)
        {
            todo.extend(passed(node));
        }
    }
    let approved = flow.nodes.iter().filter(|(_, node)| {
        let approve = match &node.kind {
            Kind::Ask(ask) => ask.approve,
            Kind::Say(say) => say.approve,
            _ => None,
        };
        matches!(approve, Some(Approve::Coach | Approve::FirstTime))
    });
    cold.extend(approved.map(|(id, _)| id.clone()));
    cold
}
