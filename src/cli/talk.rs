//! `talk`: plays a flow in the terminal. What is played, and how, is `app/rehearse.rs`.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use crate::app::rehearse::Rehearsal;
use crate::domain::flow::definition::About;
use crate::texts::config::Configuration;

/// What may be typed besides what the candidate says.
const HELP: &str = "\
      Type what the candidate says. What else can happen:
      /tap yes   /tap yes @2   /thumb   /photo   /voice         an answer without words
      /wait 3d   /next   /undelivered   /dropped                time, and messages that do not arrive
      /taken   /given   /ticked 2   /skipped 2   /life          what a coach does
      /booked 2026-03-10 10:00   /moved …   /cancelled   /missed   /held   /gone_slot   /closed
      /transfer Karim   /away Karim 2026-03-20   /back
      /task 3 \"bellen\" due 2026-03-12   /slot 2026-03-13 09:00   /skill starter   /exercised photo
      /help   /quit";

/// What a flow finds around it when it begins: what it is about, as most people have it.
fn opening(configuration: &Configuration, flow: &str) -> Vec<&'static str> {
    let book = &configuration.book;
    let flow = book.newest(flow).and_then(|hash| book.flow(&hash));
    let offers = flow.as_ref().is_some_and(|flow| {
        let mut asks = flow.nodes.keys().filter_map(|node| flow.ask(node));
        asks.any(|ask| ask.offer.is_some())
    });
    let mut lines = vec!["on 2026-03-04 09:30"];
    match flow.map(|flow| flow.about) {
        Some(About::Task) => lines.extend([
            "task 2 \"cv maken\" due 2026-03-05",
            "task 3 \"bellen met de bakker\"",
        ]),
        Some(About::Meeting) if !offers => {
            lines.push("meeting video 2026-03-10 10:00 \"https://video.waterstad.example/noor\"");
        }
        Some(About::Meeting) => lines.push("meeting office"),
        Some(About::Vacancy) => lines.push("vacancy \"Hulp in de keuken\""),
        Some(About::Nothing) => lines.extend([
            "task 1 \"intake\"",
            "task 2 \"cv maken\" due 2026-03-05",
            "ticked 1",
        ]),
        None => {}
    }
    if offers {
        lines.extend([
            "slot 2026-03-10 10:00",
            "slot 2026-03-11 14:00",
            "slot 2026-03-12 09:00",
        ]);
    }
    lines.push("start");
    lines
}

/// Plays a flow in the terminal, as `HELP` says. With `record`, what was typed is kept as a `.talk` file.
pub fn interactive(
    configuration: &Configuration,
    flow: &str,
    locale: &str,
    input: impl BufRead,
    output: &mut impl Write,
    record: Option<PathBuf>,
) -> std::io::Result<()> {
    let mut rehearsal = Rehearsal::new(configuration, flow, locale);
    let mut kept = String::new();
    if locale != "nl" {
        kept.push_str(&format!("# language {locale}\n"));
    }
    let typed = input.lines().map(|line| {
        line.map(|line| match line.strip_prefix('/') {
            Some(command) => command.to_owned(),
            None => format!("in {line}"),
        })
    });
    for line in opening(configuration, flow)
        .into_iter()
        .map(|line| Ok(line.to_owned()))
        .chain(typed)
    {
        let line = line?;
        match line.as_str() {
            "quit" => break,
            "help" => {
                writeln!(output, "{HELP}")?;
                continue;
            }
            _ => {}
        }
        match rehearsal.line(&line) {
            Ok(said) => {
                kept.push_str(&line);
                kept.push('\n');
                for said in said {
                    writeln!(output, "{said}")?;
                    kept.push_str(&said);
                    kept.push('\n');
                }
            }
            Err(error) => writeln!(output, "      {error}")?,
        }
        output.flush()?;
    }
    if let Some(path) = record {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, kept)?;
        writeln!(output, "      kept as {}", path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble;

    fn typed(flow: &str, words: &str) -> String {
        let configuration = assemble::builtin().unwrap();
        let mut output = Vec::new();
        interactive(
            &configuration,
            flow,
            "nl",
            words.as_bytes(),
            &mut output,
            None,
        )
        .unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn every_flow_can_be_played_at_once() {
        let configuration = assemble::builtin().unwrap();
        for flow in configuration.book.newest_all().keys() {
            // These two speak of a colleague, who must come first.
            let words = match flow.as_str() {
                "new_coach" => "/transfer Karim\n",
                "coach_away" => "/away Karim 2026-03-20\n",
                _ => "",
            };
            let said = typed(flow, words);
            assert!(said.contains("bot   "), "{flow}: {said}");
        }
    }

    #[test]
    fn help_names_every_word_that_can_be_typed() {
        let said = typed("meeting_invite", "/help\n/dance\n1\n");
        assert!(said.contains("/gone_slot") && said.contains("dance is no line of a talk"));
        assert!(said.contains("1 di 10 mrt 10:00"), "{said}");
    }
}
