//! What the candidate said: alarms first, then commands, then the open question. Nothing here
//! speaks by itself to somebody whose talk is with the coach.

use super::walk::SLOT_TAKEN;
use super::{Taken, Turn, remember};
use crate::domain::command::fold;
use crate::domain::contact::Purpose;
use crate::domain::flow::definition::{Ask, Deed, Flow, Hears};
use crate::domain::ids::{NodeId, SlotId};
use crate::domain::plan::Subject;
use crate::domain::talk::effect::{Because, Effect, Saying, TextKey};
use crate::domain::talk::event::{Alarm, Button, Change, Heard, HeardKind};
use crate::domain::talk::state::{Run, State, Warned, Why};

/// Whose talk is with the coach, or who left, and whose words alarm again is given the door again after this.
const WARNED_SECONDS: i64 = 86_400;
/// Questions closer together than this are mixed up by people who answer with a digit.
const OVERLAP_SECONDS: i64 = 86_400;

/// An answer that the open question knows.
enum Answer {
    Slot(SlotId),
    Choice(usize),
    /// Free words, where the question asks for them.
    Text,
    Photo,
    /// PLAN, where the question wants it.
    Command,
}

/// Where the run with a question is.
#[derive(Clone, Copy)]
enum Place {
    Front,
    Waiting(usize),
}

impl Turn<'_> {
    pub(super) fn hear(&mut self, heard: &Heard) {
        let asked = self.talk.front().map(|(.., said)| said);
        self.listen(heard);
        if self.talk.front().map(|(.., said)| said) == asked {
            self.hear_silence_anew();
        }
        self.show_life(asked);
    }

    fn listen(&mut self, heard: &Heard) {
        if let Some(alarm) = heard.alarm {
            return self.sound(alarm);
        }
        if let Some(button) = &heard.button {
            // A thumb is a tap on "yes"; where nothing takes it, it is a sign of life and no more.
            if !self.tapped(button) && heard.kind != HeardKind::Reaction {
                self.flag(Why::Wrote, Subject::Nothing);
            }
            return;
        }
        if let Some(command) = &heard.command {
            return self.obey(command);
        }
        let silent = matches!(
            self.talk.state,
            State::WithCoach { .. } | State::Left { .. }
        );
        match heard.kind {
            HeardKind::Reaction if silent => {}
            _ if silent => self.flag(Why::Wrote, Subject::Nothing),
            HeardKind::Reaction => self.reacted(heard),
            HeardKind::Words | HeardKind::Media | HeardKind::Photo => self.answered(heard),
        }
    }

    /// Runs that a sign of life ends, such as the ladder of silence: whatever was not an answer to
    /// them clears them too. `asked` was the open question when the person spoke.
    pub(super) fn show_life(&mut self, asked: Option<u32>) {
        let flows = &self.world.flows;
        let cleared = |run: &Run| flows.get(&run.flow)?.on.get(&Change::SignOfLife).cloned();
        let mut jumps = Vec::new();
        if let Some((run, _, said)) = self.talk.front()
            && Some(said) == asked
            && let Some(node) = cleared(run)
        {
            let run = self.take_unanswered_front();
            jumps.extend(run.map(|run| (run, node)));
        }
        for waiting in std::mem::take(&mut self.talk.waiting) {
            match cleared(&waiting.run) {
                Some(node) => jumps.push((waiting.run, node)),
                None => self.talk.waiting.push(waiting),
            }
        }
        for (run, node) in jumps {
            self.walk_or_park(run, node, false);
        }
    }

    /// Acknowledge once, with the right door, and hand over. Also to somebody who said STOP: the
    /// door may save a life, and it is no message of ours that they refused. What the flow forgets,
    /// flag and handover, happens all the same.
    fn sound(&mut self, alarm: Alarm) {
        let (why, hears) = match alarm {
            Alarm::Crisis => (Why::Crisis, Hears::Crisis),
            Alarm::Threat => (Why::Threat, Hears::Threat),
            Alarm::FormalRequest => (Why::FormalRequest, Hears::FormalRequest),
        };
        let now = self.now;
        let mut warned = self.talk.warned();
        let known = warned.is_some_and(|before| {
            before.why == why && now < before.at.plus_seconds(WARNED_SECONDS)
        });
        self.end_front(Because::Handed);
        if !known {
            warned = Some(Warned { why, at: now });
            self.alarmed = true;
            match self.hearing(hears) {
                Some((flow, node)) => {
                    // One of before that still waits gives way: an alarm is answered, and once.
                    self.end_runs(Because::Overtaken, |turn, run| {
                        let of = turn.world.flows.get(&run.flow);
                        run.subject == Subject::Nothing && of.is_some_and(|of| of.name == flow.name)
                    });
                    self.begin(&flow, Subject::Nothing, node, true);
                }
                None => self.reply("passed_on", Subject::Nothing, Purpose::Reply, Saying::Tell),
            }
            self.alarmed = false;
        }
        self.flag(why, Subject::Nothing);
        match &mut self.talk.state {
            State::Left { warned: last, .. } => *last = warned,
            State::WithCoach {
                why: of,
                warned: last,
                ..
            } => (*of, *last) = (why, warned),
            state => {
                *state = State::WithCoach {
                    since: now,
                    why,
                    warned,
                }
            }
        }
    }

    /// A tap carries the number of its message, so it is never taken for an answer to another one.
    /// Questions that nobody answered yet still take it.
    /// False: nothing took it.
    fn tapped(&mut self, button: &Button) -> bool {
        if button.choice == Button::OPEN {
            self.effects.push(Effect::Show { said: button.to });
            return true;
        }
        if matches!(
            self.talk.state,
            State::WithCoach { .. } | State::Left { .. }
        ) {
            return false;
        }
        let Some((place, node)) = self.question_tapped(button.to) else {
            return false;
        };
        let run = match place {
            Place::Front => self.talk.front().map(|(run, ..)| run),
            Place::Waiting(index) => self.talk.waiting.get(index).map(|waiting| &waiting.run),
        };
        let answer = run.and_then(|run| {
            let (_, ask) = self.ask_at(run, &node)?;
            tapped_answer(&ask, run, &button.choice)
        });
        let Some(answer) = answer else {
            return false;
        };
        let run = match place {
            Place::Front => self.take_answered_front(button.to),
            Place::Waiting(index) => Some(self.talk.waiting.remove(index).run),
        };
        if let Some(run) = run {
            self.settle(run, node, answer, Vec::new());
        }
        true
    }

    /// PLAN may be what the open question wants: then what is told and what follows are one message.
    /// False: it was no answer.
    pub(super) fn answered_by_command(&mut self, told: &str) -> bool {
        let Some((said, node)) = self.question_seen() else {
            return false;
        };
        let wanted = self.talk.front().and_then(|(run, ..)| {
            let (_, ask) = self.ask_at(run, &node)?;
            ask.command
        });
        if wanted.is_none() {
            return false;
        }
        let Some(run) = self.take_answered_front(said) else {
            return false;
        };
        let told = TextKey::Common(told.to_owned());
        self.settle(run, node, Answer::Command, vec![told]);
        true
    }

    /// The question that message `said` put, if nobody answered it yet.
    fn question_tapped(&self, said: u32) -> Option<(Place, NodeId)> {
        let node_in = |run: &Run| {
            let asked = run.unanswered.iter().find(|asked| asked.said == said)?;
            Some(asked.node.clone())
        };
        if let Some((run, node, newest)) = self.talk.front() {
            let node = if newest == said {
                Some(node.clone())
            } else {
                node_in(run)
            };
            if let Some(node) = node {
                return Some((Place::Front, node));
            }
        }
        let mut waiting = self.talk.waiting.iter().enumerate();
        waiting.find_map(|(index, waiting)| Some((Place::Waiting(index), node_in(&waiting.run)?)))
    }

    /// Takes the run whose question number `said` was answered; a newer question of it that has
    /// not left is taken back.
    fn take_answered_front(&mut self, answered: u32) -> Option<Run> {
        let unsent = matches!(self.talk.state, State::Offered { .. });
        let overlapped = self.talk.overlapped;
        let Taken { run, said, .. } = self.take_front()?;
        self.talk.overlapped = overlapped;
        if unsent && said != answered {
            self.effects.push(Effect::Withdraw { said: Some(said) });
        }
        Some(run)
    }

    /// A thumb answers a yes/no question; every other reaction is a sign of life and no more.
    fn reacted(&mut self, heard: &Heard) {
        let Some((said, node)) = self.question_seen() else {
            return;
        };
        let Some((run, ..)) = self.talk.front() else {
            return;
        };
        let Some((_, ask)) = self.ask_at(run, &node) else {
            return;
        };
        if let Some(answer) = assented(&ask, heard.assent)
            && let Some(run) = self.take_answered_front(said)
        {
            self.settle(run, node, answer, Vec::new());
        }
    }

    fn answered(&mut self, heard: &Heard) {
        let Some((said, node)) = self.question_seen() else {
            let subject = self
                .talk
                .front()
                .map_or(Subject::Nothing, |(run, ..)| run.subject);
            return self.flag(Why::Wrote, subject);
        };
        let Some((run, ..)) = self.talk.front() else {
            return;
        };
        let subject = run.subject;
        let Some((flow, ask)) = self.ask_at(run, &node) else {
            return match self.take_front() {
                Some(taken) => self.stuck(taken.run),
                None => self.flag(Why::Stuck, subject),
            };
        };
        let answer = match heard.kind {
            HeardKind::Photo if ask.media.is_some() => Some(Answer::Photo),
            HeardKind::Media | HeardKind::Photo => ask.text.as_ref().map(|_| Answer::Text),
            _ => understood(&flow, &node, &ask, run, heard),
        };
        match answer {
            Some(_) if self.may_mean_another(heard) => self.ask_which(),
            Some(answer) => {
                if let Some(run) = self.take_answered_front(said) {
                    self.settle(run, node, answer, Vec::new());
                }
            }
            // A voice note or a photo is for the coach; the question stays open.
            None if heard.kind != HeardKind::Words => self.flag(Why::Wrote, subject),
            None => self.unclear(&flow, &ask),
        }
    }

    /// The open question, if the person can have seen it: accepted, or an answer that overtakes
    /// that news. While its repetition is under way, the first putting counts.
    fn question_seen(&self) -> Option<(u32, NodeId)> {
        match &self.talk.state {
            State::Asking { said, node, .. } => Some((*said, node.clone())),
            State::Offered {
                said, node, run, ..
            } => {
                let left = self.world.left_up_to;
                let before = run.unanswered.last().filter(|asked| asked.node == *node);
                let said = if left >= *said {
                    Some(*said)
                } else {
                    before.map(|asked| asked.said)
                };
                Some((said?, node.clone()))
            }
            State::Idle | State::WithCoach { .. } | State::Left { .. } => None,
        }
    }

    /// A bare digit, soon after another question that was never answered.
    fn may_mean_another(&self, heard: &Heard) -> bool {
        let is_digit = fold(&heard.words).parse::<u32>().is_ok();
        match (&self.talk.state, self.talk.overlapped) {
            (State::Asking { since, said, .. }, Some(other)) if is_digit => {
                other.said < *said && since.0 - other.asked_at.0 < OVERLAP_SECONDS * 1_000_000
            }
            _ => false,
        }
    }

    fn ask_which(&mut self) {
        let Some(Taken {
            mut run,
            node,
            said,
            tries,
        }) = self.take_front()
        else {
            return;
        };
        self.talk.overlapped = None;
        self.go_on(&mut run);
        remember(&mut run, said, node.clone());
        let question = TextKey::Node {
            flow: run.flow.clone(),
            node: node.clone(),
        };
        let texts = vec![TextKey::Common("which_question".to_owned()), question];
        self.ask_again(run, node, tries, texts);
    }

    /// Once more in other words; then the coach gets it.
    fn unclear(&mut self, flow: &Flow, ask: &Ask) {
        let exit = flow.unclear(ask);
        let overlapped = self.talk.overlapped;
        let Some(Taken {
            mut run,
            node,
            said,
            tries,
        }) = self.take_front()
        else {
            return;
        };
        self.talk.overlapped = overlapped;
        self.go_on(&mut run);
        match exit {
            Some(exit) if tries >= exit.tries => self.walk(run, exit.go, true, Vec::new()),
            Some(_) => {
                remember(&mut run, said, node.clone());
                let again = TextKey::Again {
                    flow: run.flow.clone(),
                    node: node.clone(),
                };
                self.ask_again(run, node, tries.saturating_add(1), vec![again]);
            }
            None => {
                self.flag(Why::SaidSomethingElse, run.subject);
                self.close_run(run, Because::Handed);
            }
        }
    }

    /// A run whose term is over when news about its question comes lasts another day: what follows must
    /// still be able to leave.
    pub(super) fn go_on(&self, run: &mut Run) {
        run.ends_at = run.ends_at.max(self.now.plus_days(1));
    }

    /// Carries an answer out and goes where it leads. `opening` are texts that go before.
    fn settle(&mut self, mut run: Run, node: NodeId, answer: Answer, opening: Vec<TextKey>) {
        let Some((_, ask)) = self.ask_at(&run, &node) else {
            return self.stuck(run);
        };
        run.unanswered.clear();
        self.go_on(&mut run);
        let taken = vec![TextKey::Common(SLOT_TAKEN.to_owned())];
        let (deeds, go): (&[Deed], NodeId) = match (&answer, &ask.offer, &ask.text) {
            // Somebody else was faster: the same question with what is free now.
            (Answer::Slot(slot), Some(_), _) if !self.world.can_take(*slot) => {
                return self.walk(run, node, true, taken);
            }
            (Answer::Slot(slot), Some(offer), _) => {
                run.picked = Some(*slot);
                (&offer.deeds, offer.go.clone())
            }
            (Answer::Choice(index), ..) => match ask.choices.get(*index) {
                Some(choice) => (&choice.deeds, choice.go.clone()),
                None => return self.stuck(run),
            },
            (Answer::Text, _, Some(text)) => (&text.deeds, text.go.clone()),
            (Answer::Photo, ..) => match &ask.media {
                Some(media) => (&media.deeds, media.go.clone()),
                None => return self.stuck(run),
            },
            (Answer::Command, ..) => match &ask.command {
                Some(command) => (&command.deeds, command.go.clone()),
                None => return self.stuck(run),
            },
            _ => return self.stuck(run),
        };
        self.perform(&run, deeds);
        self.walk(run, go, true, opening);
    }
}

fn tapped_answer(ask: &Ask, run: &Run, choice: &str) -> Option<Answer> {
    if let Some(slot) = choice.strip_prefix("slot:") {
        let slot: SlotId = slot.parse().ok()?;
        let stands = offered(ask, run).contains(&slot);
        return stands.then_some(Answer::Slot(slot));
    }
    let index = ask.choices.iter().position(|known| known.id == choice)?;
    Some(Answer::Choice(index))
}

/// The moments that stand under this question: an earlier one of the run may have offered some too.
fn offered<'a>(ask: &Ask, run: &'a Run) -> &'a [SlotId] {
    match &ask.offer {
        Some(_) => &run.offered,
        None => &[],
    }
}

/// A digit, a label, an id, plain yes or no; else free words where the question takes them.
fn understood(flow: &Flow, node: &NodeId, ask: &Ask, run: &Run, heard: &Heard) -> Option<Answer> {
    let words = fold(&heard.words);
    let labels = flow.labels.get(node);
    let says = |choice: &str, words: &str| {
        let mut typed = labels
            .and_then(|labels| labels.get(choice))
            .into_iter()
            .flatten();
        fold(choice) == words || typed.any(|label| label == words)
    };
    let (first, rest) = words.split_once(' ').unwrap_or((&words, ""));
    let numbered = first.parse::<usize>().ok().and_then(|number| {
        let index = number.checked_sub(1)?;
        let offered = offered(ask, run);
        if let Some(slot) = offered.get(index) {
            return rest.is_empty().then_some(Answer::Slot(*slot));
        }
        let index = index - offered.len();
        let choice = ask.choices.get(index)?;
        (rest.is_empty() || says(&choice.id, rest)).then_some(Answer::Choice(index))
    });
    let labelled = || {
        let index = ask
            .choices
            .iter()
            .position(|choice| says(&choice.id, &words))?;
        Some(Answer::Choice(index))
    };
    let free = || (ask.text.is_some() && !words.is_empty()).then_some(Answer::Text);
    numbered
        .or_else(labelled)
        .or_else(|| assented(ask, heard.assent))
        .or_else(free)
}

fn assented(ask: &Ask, assent: Option<bool>) -> Option<Answer> {
    let ids: &[&str] = if assent? {
        &["yes"]
    } else {
        &["no", "not_yet", "cannot"]
    };
    let index = ask
        .choices
        .iter()
        .position(|choice| ids.contains(&choice.id.as_str()))?;
    Some(Answer::Choice(index))
}
