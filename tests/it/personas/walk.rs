//! A walk through every flow: at each question every answer, every silence, STOP, HULP and an alarm.

use std::collections::{BTreeMap, BTreeSet};

use tussendoor::app::rehearse::Rehearsal;
use tussendoor::domain::ids::NodeId;

use super::{
    CONFIGURATION, all_questions, has_left, messages, play, question, scenes, set, state,
    to_a_person,
};

/// A walk is no longer than this; every question lies nearer.
const FAR: usize = 9;

/// What was met, over all walks.
#[derive(Default)]
struct Met {
    questions: BTreeMap<String, BTreeSet<NodeId>>,
    places: usize,
}

/// What can happen at a place that leads on.
fn ways(rehearsal: &Rehearsal) -> Vec<String> {
    let mut ways = vec!["next".to_owned()];
    if let Some((_, _, answers)) = question(rehearsal) {
        // The first moment stands for all of them.
        let mut moments = answers.iter().filter(|it| it.starts_with("slot:"));
        let first = moments.next().into_iter();
        let choices = answers.iter().filter(|it| !it.starts_with("slot:"));
        ways.extend(first.chain(choices).map(|it| format!("tap {it}")));
        for other in [
            "in blauw",
            "photo",
            "voice",
            "in plan",
            "undelivered",
            "dropped",
        ] {
            ways.push(other.to_owned());
        }
    }
    if !rehearsal.talk().waiting.is_empty() {
        for happens in ["missed", "held", "cancelled", "moved 2026-03-20 10:00"] {
            ways.push(happens.to_owned());
        }
        ways.extend(["in verzet", "in afzeggen"].map(str::to_owned));
    }
    ways
}

/// Where a talk stands, as far as what follows can differ.
fn place(rehearsal: &Rehearsal) -> String {
    let talk = rehearsal.talk();
    let front = talk.front().map(|(_, node, _)| node.clone());
    let waiting: Vec<_> = talk
        .waiting
        .iter()
        .map(|it| (&it.node, &it.until))
        .collect();
    format!("{} {front:?} {waiting:?}", talk.state_name())
}

/// Goes every way from here; `check` looks at each place once.
fn walk(
    flow: &str,
    from: &Rehearsal<'static>,
    path: &[String],
    been: &mut BTreeSet<String>,
    check: &mut dyn FnMut(&Rehearsal<'static>, &[String]),
) {
    if !been.insert(place(from)) || path.len() > FAR {
        return;
    }
    check(from, path);
    for way in ways(from) {
        let mut there = from.clone();
        // A flow about no meeting has none that could be missed.
        let meets = ["missed", "held", "cancelled", "moved 2026-03-20 10:00"];
        match there.line(&way) {
            Ok(said) => assert!(
                !said
                    .iter()
                    .any(|it| it.starts_with("bot   (") || it == "coach stuck"),
                "{flow} {path:?} {way}: {said:?}"
            ),
            Err(_) if meets.contains(&way.as_str()) => continue,
            Err(error) => panic!("{way}: {error}"),
        }
        let path = [path, &[way]].concat();
        walk(flow, &there, &path, been, check);
    }
}

fn everywhere(check: &mut dyn FnMut(&str, &Rehearsal<'static>, &[String])) -> Met {
    let mut met = Met::default();
    for flow in CONFIGURATION.book.names() {
        for scene in scenes(flow) {
            let (at, _) = set(flow, &scene);
            let path: Vec<String> = scene.iter().map(|line| (*line).to_owned()).collect();
            let path = &path[path.len()..];
            walk(flow, &at, path, &mut BTreeSet::new(), &mut |at, path| {
                met.places += 1;
                if let Some((of, node, _)) = question(at) {
                    met.questions.entry(of).or_default().insert(node);
                }
                check(flow, at, path);
            });
        }
    }
    met
}

#[test]
fn every_question_of_every_flow_can_be_met() {
    let met = everywhere(&mut |_, _, _| {});
    for (flow, questions) in all_questions() {
        let met = met.questions.get(&flow).cloned().unwrap_or_default();
        let missing: Vec<_> = questions.iter().filter(|it| !met.contains(*it)).collect();
        assert!(missing.is_empty(), "nobody comes to {missing:?} of {flow}");
    }
    assert!(met.places > 120, "only {} places", met.places);
}

#[test]
fn stop_at_every_step_is_confirmed_once_and_then_nothing_is_said() {
    everywhere(&mut |flow, at, path| {
        if has_left(at) {
            return;
        }
        let mut at = at.clone();
        let said = play(&mut at, "in stop aub");
        assert_eq!(messages(&said), 1, "{flow} {path:?}: {said:?}");
        assert!(has_left(&at), "{flow} {path:?}");
        let mut after = Vec::new();
        for line in [
            "in stop",
            "start",
            "next",
            "wait 9d",
            "life",
            "wait 60d",
            "transfer Karim",
            "wait 400d",
        ] {
            after.extend(at.line(line).unwrap_or_default());
        }
        assert_eq!(messages(&after), 0, "{flow} {path:?}: {after:?}");
        assert_eq!(
            at.talk().runs().count(),
            0,
            "{flow} {path:?}: a run is left"
        );
    });
}

#[test]
fn whoever_asks_for_help_reaches_a_person_at_every_step() {
    everywhere(&mut |flow, at, path| {
        for words in [
            "in hulp",
            "in bel mij",
            "in ik wil niet meer leven",
            "in ik maak bezwaar",
        ] {
            let said = play(&mut at.clone(), words);
            assert!(to_a_person(&said), "{flow} {path:?} {words}: {said:?}");
        }
    });
}

#[test]
fn whoever_is_not_understood_twice_reaches_a_person() {
    everywhere(&mut |flow, at, path| {
        if question(at).is_none() {
            return;
        }
        let mut at = at.clone();
        let mut said = play(&mut at, "in zzz");
        if question(&at).is_some() {
            said.extend(play(&mut at, "in xxx"));
        }
        assert!(to_a_person(&said), "{flow} {path:?}: {said:?}");
    });
}

#[test]
fn whoever_says_nothing_is_let_go_or_reaches_a_person_and_no_run_stays() {
    everywhere(&mut |flow, at, path| {
        let mut at = at.clone();
        let said = play(&mut at, "wait 400d");
        assert_eq!(at.talk().runs().count(), 0, "{flow} {path:?}: {said:?}");
        assert_ne!(state(&at), "asking", "{flow} {path:?}");
    });
}
