//! The blend and what comes, as the page of one person shows them.

use super::shown::Telling;
use super::view::{MixShown, Picture, Soon};
use crate::app::desk::What;
use crate::domain::blend::Stands;
use crate::domain::cadence::Band;
use crate::domain::plan::Subject;
use crate::domain::time::Timestamp;
use crate::web::coach::said;

impl Telling<'_> {
    pub(super) fn mix(&self) -> MixShown {
        let words = self.words;
        let shares = &self.case.shares;
        let skill = self.case.person.candidate.digital_skill;
        let share = shares.now.share();
        let share_text = share.unwrap_or(0).to_string();
        let Band(from, to) = shares.band;
        let to = shares.agreed.unwrap_or(to);
        let from = from.min(to);
        let (from_text, to_text) = (from.to_string(), to.to_string());
        let (tone, key) = match shares.stands {
            Stands::Unknown => ("", "mix.unknown"),
            Stands::Within => ("good", "mix.within"),
            Stands::TooMuchOnline => ("wait", "mix.too_much"),
            Stands::LittleOnline => ("", "mix.little"),
        };
        let values = [
            ("share", share_text.as_str()),
            ("from", &from_text),
            ("to", &to_text),
            ("name", self.name),
        ];
        let picture = share.map(|share| Picture {
            label: words.fill("mix.label", &values),
            from,
            width: to - from,
            pin: share.min(99),
            off: shares.stands == Stands::TooMuchOnline,
        });
        let online = shares.now.online.to_string();
        let all = shares.now.contacts().to_string();
        let skill = words.say(&format!("skill.{}", skill.as_str()));
        let counts = [
            ("online", online.as_str()),
            ("all", &all),
            ("from", &from_text),
            ("to", &to_text),
            ("skill", &skill),
        ];
        let counts = match shares.agreed {
            Some(_) => words.fill("mix.counts_agreed", &counts),
            None => words.fill("mix.counts", &counts),
        };
        MixShown {
            tone,
            chip: words.fill(key, &values),
            picture: picture.into_iter().collect(),
            counts,
            trend: self.trend(),
            agreed: shares.agreed.map(|it| it.to_string()).unwrap_or_default(),
        }
    }

    /// Who began contacts and who ticked steps, now and eight weeks before. A direction, no score.
    fn trend(&self) -> Vec<String> {
        let shares = &self.case.shares;
        let tell = |key: &str, (now, all): (u32, u32), (before, all_before): (u32, u32)| {
            let numbers = [now, all, before, all_before].map(|number| number.to_string());
            let [now, all, before, all_before] = &numbers;
            let values = [
                ("now", now.as_str()),
                ("all", all),
                ("before", before),
                ("all_before", all_before),
                ("name", self.name),
            ];
            self.words.fill(key, &values)
        };
        let (now, before) = (shares.now, shares.before);
        let mut lines = Vec::new();
        if now.wrote_days + before.wrote_days > 0 {
            let (now, before) = (
                (now.began, now.wrote_days),
                (before.began, before.wrote_days),
            );
            lines.push(tell("mix.began", now, before));
        }
        if now.done + before.done > 0 {
            let (now, before) = ((now.ticked, now.done), (before.ticked, before.done));
            lines.push(tell("mix.ticked", now, before));
        }
        lines
    }

    /// What the rules will bring, beyond what lies ready.
    pub(super) fn coming(&self, held: &str) -> Vec<(Timestamp, Soon)> {
        let words = self.words;
        let ready: Vec<_> = self
            .case
            .outgoing
            .iter()
            .map(|row| (&row.rule, row.subject))
            .collect();
        let mut list = Vec::new();
        for happens in &self.case.coming {
            let what = match &happens.what {
                What::Leaves { rule, direct, .. } if !direct => {
                    if ready.contains(&(rule, happens.subject)) {
                        continue;
                    }
                    let what = words.fill("soon.nudge", &[("rule", &said::rule(words, rule))]);
                    match happens.subject {
                        Subject::Task(id) => match self.case.plan.task(id) {
                            Some(task) => format!("{what} · {}", task.title),
                            None => what,
                        },
                        _ => what,
                    }
                }
                What::Flag(why) => {
                    let why = words.say(&format!("flag.{}", why.as_str()));
                    words.fill("soon.flag", &[("why", &why)])
                }
                What::Leaves { .. } | What::Ended(..) => continue,
            };
            let day = happens.at.local_day(self.zone);
            list.push((
                happens.at,
                Soon {
                    iso: day.to_string(),
                    when: words.near_day(day, self.now, self.zone),
                    what,
                    chip: words.say("soon.if_silent"),
                    tone: "",
                    small: held.to_owned(),
                },
            ));
        }
        list
    }
}
